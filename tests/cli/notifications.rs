//! A notification server that a test plays.

use std::sync::{Arc, Mutex};

use zbus::blocking::Connection;
use zbus::interface;
use zbus::zvariant::Value;

use crate::bus_session::Session;

const NOTIFICATIONS: &str = "org.freedesktop.Notifications";
const NOTIFICATIONS_OBJECT: &str = "/org/freedesktop/Notifications";

/// Shows notifications, and presses a button of each as soon as it is shown.
#[derive(Clone)]
pub struct Notifications {
    connection: Connection,
    button: Arc<Mutex<Option<&'static str>>>,
    shown: Arc<Mutex<Vec<String>>>,
    closed: Arc<Mutex<usize>>,
}

type Hints<'a> = std::collections::HashMap<&'a str, Value<'a>>;

#[interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    fn get_capabilities(&self) -> Vec<&'static str> {
        vec!["actions", "body"]
    }

    #[expect(clippy::too_many_arguments, reason = "the specification has them")]
    fn notify(
        &self,
        _application: &str,
        _replaces: u32,
        _icon: &str,
        title: &str,
        text: &str,
        _actions: Vec<String>,
        _hints: Hints<'_>,
        _time: i32,
    ) -> u32 {
        self.shown.lock().expect("shown").push(format!("{title}\n{text}"));
        if let Some(button) = *self.button.lock().expect("a button") {
            let connection = self.connection.clone();
            std::thread::spawn(move || press(&connection, button));
        }
        1
    }

    fn close_notification(&self, _number: u32) {
        *self.closed.lock().expect("closed") += 1;
    }
}

fn press(connection: &Connection, button: &str) {
    let pressed = (1_u32, button);
    let (object, name) = (NOTIFICATIONS_OBJECT, NOTIFICATIONS);
    connection.emit_signal(None::<&str>, object, name, "ActionInvoked", &pressed).expect("sent");
}

impl Notifications {
    pub fn start(session: &Session) -> Self {
        let connection = session.connect();
        let own = Self {
            connection: connection.clone(),
            button: Arc::default(),
            shown: Arc::default(),
            closed: Arc::default(),
        };
        let served = connection.object_server().at(NOTIFICATIONS_OBJECT, own.clone());
        assert!(served.expect("served"));
        session.serve(&connection, NOTIFICATIONS_OBJECT, NOTIFICATIONS);
        own
    }

    /// Presses a button, once.
    pub fn press_now(&self, button: &str) {
        press(&self.connection, button);
    }

    /// Presses this button from now on.
    pub fn press(&self, button: &'static str) {
        *self.button.lock().expect("a button") = Some(button);
    }

    pub fn shown(&self) -> Vec<String> {
        self.shown.lock().expect("shown").clone()
    }

    pub fn closed(&self) -> usize {
        *self.closed.lock().expect("closed")
    }
}
