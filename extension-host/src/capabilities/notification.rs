//! `open-sesame:host/notification`: notifications on the desktop.

use core_types::{Capability, Request};

use super::backends::Notification;
use crate::bindings::open_sesame::host::notification::{Host, Urgency};
use crate::bindings::open_sesame::host::types::Error;
use crate::calling::{CallState, Size};

/// The maxima of title and text, in bytes: more does not fit on a screen.
const MAX_SUMMARY: usize = 256;
const MAX_BODY: usize = 4 * 1024;

impl Host for CallState {
    async fn show(
        &mut self,
        summary: String,
        body: String,
        urgency: Urgency,
    ) -> wasmtime::Result<Result<(), Error>> {
        let (summary_size, body_size) = (
            Size { bytes: summary.len(), max: MAX_SUMMARY },
            Size { bytes: body.len(), max: MAX_BODY },
        );
        let size = if summary_size.fits() { body_size } else { summary_size };
        let notification = Notification { summary, body, is_minor: urgency == Urgency::Low };
        let show = move |backends: &crate::Backends, owner: &_| {
            backends.notifications.show(owner, &notification)
        };
        self.ask_backend(Request::Use(Capability::Notification), size, show).await
    }
}

#[cfg(feature = "notification")]
pub use session::SessionNotifier;

#[cfg(feature = "notification")]
mod session {
    use std::collections::HashMap;

    use core_types::Owner;
    use serde::Serialize;
    use zbus::Message;
    use zbus::blocking::Connection;
    use zbus::zvariant::{DynamicType, Value};

    use crate::capabilities::session_bus::with_session_bus;
    use crate::capabilities::{BackendError, Notification, Notifier};

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
            plain(&notification.summary, false),
            plain(&notification.body, reads_markup(connection)?),
            Vec::<&str>::new(),
            HashMap::from([("urgency", Value::from(urgency))]),
            DEFAULT_TIME,
        );
        ask(connection, "Notify", &arguments).map(drop)
    }

    /// Tells whether the desktop reads markup in the text. Asked each time, since another program
    /// may show the notifications by now.
    ///
    /// dunst reads markup and announces only links: a desktop that announces anything but text in a
    /// body is assumed to read markup.
    fn reads_markup(connection: &Connection) -> Result<bool, BackendError> {
        let capabilities: Vec<String> = ask(connection, "GetCapabilities", &())?
            .body()
            .deserialize()
            .map_err(|error| BackendError::Other(error.to_string()))?;
        Ok(capabilities.iter().any(|capability| capability.starts_with("body-")))
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

    /// Returns text that shows as itself: without control characters, and with markup escaped where
    /// the desktop reads it.
    fn plain(text: &str, reads_markup: bool) -> String {
        let visible = text.chars().filter(|c| !c.is_control() || *c == '\n');
        if !reads_markup {
            return visible.collect();
        }
        let mut escaped = String::new();
        for c in visible {
            match c {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '"' => escaped.push_str("&quot;"),
                '\'' => escaped.push_str("&#39;"),
                c => escaped.push(c),
            }
        }
        escaped
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn markup_is_text() {
            assert_eq!(
                plain("<b>&\"'</b>\u{1b}[1m\n", true),
                "&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;[1m\n"
            );
            assert_eq!(plain("<b>\u{7}&", false), "<b>&");
        }
    }
}
