//! `open-sesame:host/notification`: notifications on the desktop.

use core_types::{Capability, Request};

use crate::backends::Notification;
use crate::bindings::open_sesame::host::notification::{Host, Urgency};
use crate::bindings::open_sesame::host::types::Error;
use crate::state::{CallState, Size};

/// The longest title and text, in bytes.
const MOST_SUMMARY: usize = 256;
const MOST_BODY: usize = 4 * 1024;

impl Host for CallState {
    async fn show(
        &mut self,
        summary: String,
        body: String,
        urgency: Urgency,
    ) -> wasmtime::Result<Result<(), Error>> {
        let (summary_size, body_size) = (
            Size { given: summary.len(), most: MOST_SUMMARY },
            Size { given: body.len(), most: MOST_BODY },
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

    use crate::backends::{BackendError, Notification, Notifier};
    use crate::capabilities::session_bus::connect;

    const SERVICE: &str = "org.freedesktop.Notifications";
    const PATH: &str = "/org/freedesktop/Notifications";
    /// How long a notification is shown: as long as the desktop likes.
    const DEFAULT_TIME: i32 = -1;

    /// The notifications of the session
    /// (<https://specifications.freedesktop.org/notification-spec>).
    #[derive(Debug, Clone, Copy, Default)]
    pub struct SessionNotifier;

    impl Notifier for SessionNotifier {
        fn show(&self, owner: &Owner, notification: &Notification) -> Result<(), BackendError> {
            let connection = connect()?;
            let capabilities: Vec<String> = ask(&connection, "GetCapabilities", &())?
                .body()
                .deserialize()
                .map_err(|error| BackendError::Other(error.to_string()))?;
            // dunst reads markup and says so only of links; whoever shows anything but text in a
            // body is not trusted with it.
            let reads_markup =
                capabilities.iter().any(|capability| capability.starts_with("body-"));
            let urgency: u8 = if notification.is_minor { 0 } else { 1 };
            let arguments = (
                format!("sesame: {}", owner.name),
                0_u32,
                "",
                plain(&notification.summary, false),
                plain(&notification.body, reads_markup),
                Vec::<&str>::new(),
                HashMap::from([("urgency", Value::from(urgency))]),
                DEFAULT_TIME,
            );
            ask(&connection, "Notify", &arguments).map(drop)
        }
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

    /// Text that shows as itself: without control characters, and with markup escaped where the
    /// desktop reads it.
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
