//! Where a question is put to a person.

use std::pin::Pin;

use super::question::Question;

/// Ends when a question is withdrawn.
pub type Withdrawn<'a> = Pin<&'a mut (dyn Future<Output = ()> + Send + 'a)>;

/// Puts questions to the person in front of the session.
///
/// ```
/// use extension_session::{Prompt, PromptError, Question, Reply, Withdrawn};
///
/// /// Grants nothing.
/// struct Nobody;
///
/// impl Prompt for Nobody {
///     fn ask(&self, _: &Question, _: Withdrawn<'_>) -> Result<Reply, PromptError> {
///         Ok(Reply::No)
///     }
/// }
/// ```
pub trait Prompt: Send + Sync {
    /// Puts a question, and waits for the answer on the thread of the caller. It returns when
    /// `withdrawn` ends, and after a while without an answer, with [`Reply::No`].
    ///
    /// # Errors
    /// When it cannot be put.
    fn ask(&self, question: &Question, withdrawn: Withdrawn<'_>) -> Result<Reply, PromptError>;
}

/// An answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// It is granted until the login session ends.
    ForSession,
    /// It is not granted, or nobody answered.
    No,
}

/// Why a question cannot be put.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// There is no session bus.
    #[error("there is no session bus")]
    NoBus(#[source] zbus::Error),
    /// Nothing shows notifications.
    #[error("no program shows notifications")]
    NoServer(#[source] zbus::Error),
    /// The program that shows notifications cannot show a question with its answers.
    #[error("the notification server does not have `{0}`")]
    Lacks(&'static str),
    /// The notification server refuses.
    #[error("the notification server does not show the question")]
    NotShown(#[source] zbus::Error),
    /// Another kind of prompt fails.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl PromptError {
    /// Tells whether a person may have seen the question all the same: a server can show it and fail
    /// to say so.
    pub(super) fn may_be_seen(&self) -> bool {
        match self {
            Self::NoBus(_) | Self::NoServer(_) | Self::Lacks(_) => false,
            Self::NotShown(_) | Self::Other(_) => true,
        }
    }
}
