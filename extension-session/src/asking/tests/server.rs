//! A program that shows notifications, and answers as a test wants.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};

use zbus::blocking::connection::Builder;
use zbus::blocking::{Connection, MessageIterator};
use zbus::fdo::RequestNameFlags;
use zbus::message::{Header, Type};
use zbus::zvariant::Value;
use zbus::{Message, zvariant};

use crate::testing::LONG;

pub(super) const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// The capability of a server that shows notifications, and says that it did not.
pub(super) const FAILS: &str = "x-fails";
/// The number of each notification.
pub(super) const ID: u32 = 7;

type Arguments<'a> =
    (&'a str, u32, &'a str, &'a str, &'a str, Vec<&'a str>, HashMap<&'a str, Value<'a>>, i32);

/// A notification as it came.
#[derive(Debug)]
pub(super) struct Notified {
    pub title: String,
    pub text: String,
    pub actions: Vec<String>,
    pub asker: String,
}

/// The server. It does nothing by itself but give numbers.
pub(super) struct Server {
    pub connection: Connection,
    pub shown: Receiver<Notified>,
    pub closed: Receiver<u32>,
}

impl Server {
    /// Starts it with these capabilities, and takes the name.
    pub(super) fn start(address: &str, capabilities: &'static [&'static str]) -> Self {
        let server = Self::nameless(address, capabilities);
        server.own();
        server
    }

    pub(super) fn nameless(address: &str, capabilities: &'static [&'static str]) -> Self {
        let connection = Builder::address(address).and_then(Builder::build).expect("a connection");
        let ((show, shown), (close, closed)) = (channel(), channel());
        let (messages, own) = (MessageIterator::from(&connection), connection.clone());
        std::thread::spawn(move || {
            for message in messages.map_while(Result::ok) {
                if message.message_type() == Type::MethodCall {
                    answer(&own, &message, capabilities, (&show, &close));
                }
            }
        });
        Self { connection, shown, closed }
    }

    pub(super) fn own(&self) {
        let flags = RequestNameFlags::AllowReplacement | RequestNameFlags::ReplaceExisting;
        self.connection.request_name_with_flags(NAME, flags).expect("the name");
    }

    /// Waits for a notification.
    pub(super) fn next(&self) -> Notified {
        self.shown.recv_timeout(LONG).expect("a notification")
    }

    /// Says that a button was pressed.
    pub(super) fn press(&self, id: u32, key: &str) {
        self.signal("ActionInvoked", &(id, key));
    }

    /// Says that a notification is closed.
    pub(super) fn dismiss(&self, id: u32) {
        self.signal("NotificationClosed", &(id, 2_u32));
    }

    /// Sends a signal to all.
    pub(super) fn signal<B: serde::Serialize + zvariant::DynamicType>(&self, name: &str, body: &B) {
        self.signal_to(None, name, body);
    }

    /// Sends a signal to one alone, which the rules of nobody keep out.
    pub(super) fn signal_to<B: serde::Serialize + zvariant::DynamicType>(
        &self,
        to: Option<&str>,
        name: &str,
        body: &B,
    ) {
        self.connection.emit_signal(to, PATH, NAME, name, body).expect("sent");
    }

    /// Leaves the bus.
    pub(super) fn die(self) {
        self.connection.clone().close().expect("closed");
    }
}

/// The thread ends with the connection.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.connection.clone().close();
    }
}

fn answer(
    connection: &Connection,
    message: &Message,
    capabilities: &[&str],
    (show, close): (&Sender<Notified>, &Sender<u32>),
) {
    let (header, body) = (message.header(), message.body());
    let member = header.member().map(ToString::to_string).unwrap_or_default();
    let answered = match member.as_str() {
        "GetCapabilities" => connection.reply(&header, &capabilities),
        "Notify" if capabilities.contains(&FAILS) => {
            let _ = show.send(notified(&header, body.deserialize().expect("its arguments")));
            connection.reply_error(&header, "org.example.Error.Late", &("it is shown",))
        }
        "Notify" => {
            let answered = connection.reply(&header, &ID);
            let _ = show.send(notified(&header, body.deserialize().expect("its arguments")));
            answered
        }
        "CloseNotification" => {
            let _ = close.send(body.deserialize().expect("a number"));
            connection.reply(&header, &())
        }
        _ => connection.reply_error(&header, "org.example.Error.Unknown", &("no",)),
    };
    // The one who asked may be gone.
    let _ = answered;
}

fn notified(header: &Header<'_>, arguments: Arguments<'_>) -> Notified {
    let (_, _, _, title, text, actions, _, _) = arguments;
    Notified {
        title: title.to_owned(),
        text: text.to_owned(),
        actions: actions.into_iter().map(str::to_owned).collect(),
        asker: header.sender().map(ToString::to_string).unwrap_or_default(),
    }
}
