//! The notifications of the session, behind the capability.

use std::collections::HashMap;

use core_types::Owner;
use serde::Serialize;
use zbus::Message;
use zbus::blocking::Connection;
use zbus::zvariant::{DynamicType, Value};

use crate::capabilities::session_bus::with_session_bus;
use crate::capabilities::{BackendError, Notification, NotificationText, Notifier};

const SERVICE: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// The desktop's own duration, as the specification defines -1.
const DEFAULT_TIME: i32 = -1;

/// The notifications of the session
/// (<https://specifications.freedesktop.org/notification-spec>).
#[derive(Debug, Clone, Copy, Default)]
pub struct SessionNotifier;

impl Notifier for SessionNotifier {
    fn show(&self, owner: &Owner, notification: &Notification) -> Result<(), BackendError> {
        with_session_bus(|connection| show(connection, owner, notification))
    }
}

fn show(
    connection: &Connection,
    owner: &Owner,
    notification: &Notification,
) -> Result<(), BackendError> {
    let urgency: u8 = if notification.is_minor { 0 } else { 1 };
    let arguments = (
        format!("sesame: {}", owner.name),
        0_u32,
        "",
        NotificationText::Plain.show(&notification.summary),
        text_form(connection)?.show(&notification.body),
        Vec::<&str>::new(),
        HashMap::from([("urgency", Value::from(urgency))]),
        DEFAULT_TIME,
    );
    ask(connection, "Notify", &arguments).map(drop)
}

/// Returns how the desktop reads text. Asked each time, since another program may show the
/// notifications by now.
fn text_form(connection: &Connection) -> Result<NotificationText, BackendError> {
    let capabilities: Vec<String> = ask(connection, "GetCapabilities", &())?
        .body()
        .deserialize()
        .map_err(|error| BackendError::Other(error.to_string()))?;
    Ok(NotificationText::of(&capabilities))
}

fn ask<B: Serialize + DynamicType>(
    connection: &Connection,
    method: &str,
    arguments: &B,
) -> Result<Message, BackendError> {
    let answer = connection.call_method(Some(SERVICE), PATH, Some(SERVICE), method, arguments);
    answer.map_err(|error| {
        BackendError::Unavailable(format!("the desktop shows no notifications: {error}"))
    })
}
