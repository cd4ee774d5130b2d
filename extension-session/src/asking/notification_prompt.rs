//! Asks by a notification with two buttons.

use std::pin::pin;
use std::time::{Duration, Instant};

use async_io::Timer;
use futures_lite::future;
use zbus::Connection;

use super::notification::Server;
use super::prompt::{Prompt, PromptError, Reply, Withdrawn};
use super::question::Question;
use crate::sources::{BusAddress, in_time};

/// The time for an answer: silence is a no.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// Puts questions by the notification server of the session.
///
/// An answer counts once, as a pressed button of the program that owned
/// `org.freedesktop.Notifications` when it was asked. Closing the question, silence for 30 seconds,
/// and another server are refusals. There is no default action: a click elsewhere grants nothing.
///
/// ```no_run
/// use extension_session::NotificationPrompt;
///
/// if let Err(error) = NotificationPrompt::default().check() {
///     println!("extensions cannot ask for permissions: {error}");
/// }
/// ```
#[derive(Debug, Clone)]
pub struct NotificationPrompt {
    address: BusAddress,
    answer_time: Duration,
}

impl Default for NotificationPrompt {
    fn default() -> Self {
        Self::at(None)
    }
}

impl NotificationPrompt {
    /// Asks on the bus at an address. Without one it is the bus of the session.
    pub fn at(address: Option<String>) -> Self {
        Self { address: BusAddress::Session(address), answer_time: ANSWER_TIME }
    }

    /// Waits this long for an answer.
    #[cfg(test)]
    pub(super) fn waiting(self, answer_time: Duration) -> Self {
        Self { answer_time, ..self }
    }

    /// Checks that questions can be put. Nothing is shown.
    ///
    /// # Errors
    /// When they cannot.
    pub fn check(&self) -> Result<(), PromptError> {
        async_io::block_on(async {
            let connection = self.connect().await?;
            let found = Server::find(&connection).await.map(drop);
            let _ = connection.close().await;
            found
        })
    }

    async fn connect(&self) -> Result<Connection, PromptError> {
        in_time(self.address.connect()).await.map_err(PromptError::NoBus)
    }

    /// Puts a question. It ends with its time or when it is withdrawn, whatever it waits for then;
    /// only a question that is being shown is waited for, so that it can be taken away.
    async fn put(
        &self,
        question: &Question,
        withdrawn: Withdrawn<'_>,
    ) -> Result<Reply, PromptError> {
        let until = Instant::now() + self.answer_time;
        let late = async {
            Timer::at(until).await;
        };
        let mut ended = pin!(future::or(withdrawn, late));
        let Some(connection) = unless(ended.as_mut(), self.connect()).await.transpose()? else {
            return Ok(Reply::No);
        };
        let reply = self.put_on(&connection, question, ended).await;
        let _ = connection.close().await;
        reply
    }

    async fn put_on(
        &self,
        connection: &Connection,
        question: &Question,
        mut ended: Withdrawn<'_>,
    ) -> Result<Reply, PromptError> {
        let found = async { Server::find(connection).await?.listening().await };
        let Some(server) = unless(ended.as_mut(), found).await.transpose()? else {
            return Ok(Reply::No);
        };
        let mut shown = server.show(question, self.answer_time).await?;
        // A withdrawn question counts as refused, even if an answer has just come.
        let reply = unless(ended, shown.answer()).await;
        shown.close().await;
        Ok(reply.unwrap_or(Reply::No))
    }
}

/// Does something unless an end comes before.
async fn unless<T>(ended: Withdrawn<'_>, work: impl Future<Output = T>) -> Option<T> {
    let end = async {
        ended.await;
        None
    };
    future::or(end, async { Some(work.await) }).await
}

impl Prompt for NotificationPrompt {
    fn ask(&self, question: &Question, withdrawn: Withdrawn<'_>) -> Result<Reply, PromptError> {
        async_io::block_on(self.put(question, withdrawn))
    }
}
