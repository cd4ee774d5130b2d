//! Asks by a notification with two buttons.

use std::time::Duration;

use async_io::Timer;
use futures_lite::future;

use super::notification::{Server, Shown};
use super::prompt::{Prompt, PromptError, Reply, Withdrawn};
use super::question::Question;
use crate::sources::{BusAddress, in_time};

/// The time for an answer: silence is a no.
const PATIENCE: Duration = Duration::from_secs(30);

/// Puts questions by the notification server of the session.
///
/// An answer counts once, as a pressed button of the program that owned
/// `org.freedesktop.Notifications` when it was asked. Closing the question, silence for 30 seconds,
/// and another server mean no. There is no default action: a click beside the buttons grants
/// nothing.
///
/// ```no_run
/// use extension_session::{NotificationPrompt, Prompt};
///
/// if let Err(error) = NotificationPrompt::default().check() {
///     println!("extensions cannot ask for permissions: {error}");
/// }
/// ```
#[derive(Debug, Clone)]
pub struct NotificationPrompt {
    address: BusAddress,
    patience: Duration,
}

impl Default for NotificationPrompt {
    fn default() -> Self {
        Self::at(None)
    }
}

impl NotificationPrompt {
    /// Asks on the bus at an address. Without one it is the bus of the session.
    pub fn at(address: Option<String>) -> Self {
        Self { address: BusAddress::Session(address), patience: PATIENCE }
    }

    /// Waits this long for an answer.
    #[cfg(test)]
    pub(super) fn waiting(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    async fn connect(&self) -> Result<zbus::Connection, PromptError> {
        in_time(self.address.connect()).await.map_err(PromptError::NoBus)
    }

    async fn put(
        &self,
        question: &Question,
        withdrawn: Withdrawn<'_>,
    ) -> Result<Reply, PromptError> {
        let connection = self.connect().await?;
        let asked = async {
            let server = Server::find(&connection).await?;
            let shown = server.show(question, self.patience).await?;
            Ok(self.wait(shown, withdrawn).await)
        };
        let reply = asked.await;
        let _ = connection.close().await;
        reply
    }

    async fn wait(&self, mut shown: Shown<'_>, withdrawn: Withdrawn<'_>) -> Reply {
        let given_up = async {
            let silence = async {
                Timer::after(self.patience).await;
            };
            future::or(withdrawn, silence).await;
            Reply::No
        };
        // Whatever is withdrawn has no answer, even if that has just come.
        let reply = future::or(given_up, shown.answer()).await;
        shown.close().await;
        reply
    }
}

impl Prompt for NotificationPrompt {
    fn check(&self) -> Result<(), PromptError> {
        async_io::block_on(async {
            let connection = self.connect().await?;
            let found = Server::find(&connection).await.map(drop);
            let _ = connection.close().await;
            found
        })
    }

    fn ask(&self, question: &Question, withdrawn: Withdrawn<'_>) -> Result<Reply, PromptError> {
        async_io::block_on(self.put(question, withdrawn))
    }
}
