//! A question as a notification, after the
//! [specification](https://specifications.freedesktop.org/notification-spec).

use std::collections::HashMap;
use std::time::Duration;

use extension_host::NotificationText;
use futures_lite::StreamExt;
use zbus::fdo::DBusProxy;
use zbus::message::Type;
use zbus::zvariant::{DynamicType, Value};
use zbus::{Connection, MatchRule, Message, MessageStream};

use super::prompt::{PromptError, Reply};
use super::question::Question;
use crate::sources::{DRIVER, in_time, owner_change};

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// The keys of the answers, each followed by its text.
const YES: &str = "session";
const ACTIONS: [&str; 4] = [YES, "For this session", "no", "No"];

/// The program that shows notifications at this moment, by its unique name. Answers of another one,
/// and of this one after it lost the name, do not count.
pub(super) struct Server<'a> {
    connection: &'a Connection,
    owner: String,
    text: NotificationText,
}

/// A server whose answers are heard.
pub(super) struct Listening<'a> {
    server: Server<'a>,
    messages: MessageStream,
}

/// A question that is shown.
pub(super) struct Shown<'a> {
    server: Server<'a>,
    id: u32,
    messages: MessageStream,
}

impl<'a> Server<'a> {
    /// Finds the server, which the bus may have to start.
    ///
    /// # Errors
    /// When there is none, or it can show no question.
    pub(super) async fn find(connection: &'a Connection) -> Result<Self, PromptError> {
        let answer = ask(connection, NAME, "GetCapabilities", &()).await;
        let answer = answer.map_err(PromptError::NoServer)?;
        let owner = answer.header().sender().map(ToString::to_string).unwrap_or_default();
        let has: Vec<String> = answer.body().deserialize().map_err(PromptError::NoServer)?;
        match ["actions", "body"].into_iter().find(|needed| !has.iter().any(|it| it == needed)) {
            Some(lacking) => Err(PromptError::Lacks(lacking)),
            None => Ok(Self { connection, owner, text: NotificationText::of(&has) }),
        }
    }

    /// Listens for answers, and for another server.
    ///
    /// # Errors
    /// When the bus refuses, or the server is another one by now.
    pub(super) async fn listening(self) -> Result<Listening<'a>, PromptError> {
        let messages = MessageStream::from(self.connection);
        match self.listen().await {
            Ok(()) => Ok(Listening { server: self, messages }),
            Err(error) => Err(PromptError::NotShown(error)),
        }
    }

    /// Lets the bus tell of answers, and of another server.
    async fn listen(&self) -> zbus::Result<()> {
        let signals = |from| MatchRule::builder().msg_type(Type::Signal).sender(from);
        let answers = signals(self.owner.as_str())?.interface(NAME)?.build();
        let owners = signals(DRIVER)?.member("NameOwnerChanged")?.arg(0, NAME)?.build();
        let driver = in_time(DBusProxy::new(self.connection)).await?;
        for rule in [answers, owners] {
            in_time(async { Ok(driver.add_match_rule(rule).await?) }).await?;
        }
        let name = NAME.try_into()?;
        let owner = in_time(async { Ok(driver.get_name_owner(name).await?) }).await?;
        if owner.as_str() == self.owner {
            return Ok(());
        }
        Err(zbus::Error::Failure("it is another program by now".to_owned()))
    }
}

impl<'a> Listening<'a> {
    /// Shows a question for so long.
    ///
    /// # Errors
    /// When the server refuses.
    pub(super) async fn show(
        self,
        question: &Question,
        time: Duration,
    ) -> Result<Shown<'a>, PromptError> {
        let answer = self.server.notify(question, time).await;
        match answer.and_then(|answer| answer.body().deserialize()) {
            Ok(id) => Ok(Shown { server: self.server, id, messages: self.messages }),
            Err(error) => Err(PromptError::NotShown(error)),
        }
    }
}

impl Server<'_> {
    async fn notify(&self, question: &Question, time: Duration) -> zbus::Result<Message> {
        let (title, text) = (question.title(), question.text());
        let arguments = (
            "sesame",
            0_u32,
            "",
            NotificationText::Plain.show(&title),
            self.text.show(&text),
            ACTIONS.as_slice(),
            HashMap::from([("urgency", Value::from(1_u8))]),
            i32::try_from(time.as_millis()).unwrap_or(i32::MAX),
        );
        ask(self.connection, &self.owner, "Notify", &arguments).await
    }
}

impl Shown<'_> {
    /// Waits for the answer. A closed question, and one whose server is gone, is answered with no.
    pub(super) async fn answer(&mut self) -> Reply {
        while let Some(Ok(message)) = self.messages.next().await {
            if let Some(reply) = self.reply(&message) {
                return reply;
            }
        }
        Reply::No
    }

    /// Takes the question away, where it is still there.
    pub(super) async fn close(self) {
        let Server { connection, owner, .. } = &self.server;
        let _ = ask(connection, owner, "CloseNotification", &(self.id,)).await;
    }

    /// Returns the answer that a message is.
    fn reply(&self, message: &Message) -> Option<Reply> {
        let (header, body) = (message.header(), message.body());
        if message.message_type() != Type::Signal {
            return None;
        }
        let (sender, member) = (header.sender()?.as_str(), header.member()?.as_str());
        if sender == DRIVER {
            let (name, _) = owner_change(&header, &body)?;
            return (name == NAME).then_some(Reply::No);
        }
        if sender != self.server.owner || header.interface()?.as_str() != NAME {
            return None;
        }
        let (id, reply) = match member {
            "ActionInvoked" => {
                let (id, key): (u32, &str) = body.deserialize().ok()?;
                (id, if key == YES { Reply::ForSession } else { Reply::No })
            }
            "NotificationClosed" => (body.deserialize::<(u32, u32)>().ok()?.0, Reply::No),
            _ => return None,
        };
        (id == self.id).then_some(reply)
    }
}

async fn ask<B: serde::Serialize + DynamicType>(
    connection: &Connection,
    server: &str,
    method: &str,
    arguments: &B,
) -> zbus::Result<Message> {
    in_time(connection.call_method(Some(server), PATH, Some(NAME), method, arguments)).await
}
