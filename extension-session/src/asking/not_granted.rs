//! Questions that granted nothing.

use core_types::Grant;
use extension_depot::{ChangeTimedGrantsError, LockError, NotNoted};
use extension_manager::OpenError;

use super::prompt::PromptError;
use super::question::MAX_GRANTS;
use crate::engine::Stopped;

/// The reason for which a question granted nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotGranted {
    /// The user wants no questions.
    #[error("nothing is asked: `session.consent` is `never`")]
    Never,
    /// It needs the command line.
    #[error("no notification offers `{0}`")]
    NotOffered(String),
    /// It asks for too much at once.
    #[error("no notification offers more than {MAX_GRANTS} permissions")]
    TooMany,
    /// A policy denies it.
    #[error("policy denies `{0}`")]
    Denied(Grant),
    /// Another question is open.
    #[error("another question is open")]
    Busy,
    /// The session is locked, or its lock is not known in time.
    #[error("the session is locked")]
    Locked,
    /// It was asked often, or cannot be remembered.
    #[error(transparent)]
    NotNoted(#[from] NotNoted),
    /// The service ends.
    #[error(transparent)]
    Ended(#[from] Stopped),
    /// The configuration cannot be used, so nothing is allowed.
    #[error(transparent)]
    Config(#[from] OpenError),
    /// The question cannot be put.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// The answer was no, or there was none.
    #[error("it was asked, and the answer was not yes")]
    Declined,
    /// The depot cannot be changed.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The grant cannot be kept.
    #[error(transparent)]
    NotKept(#[from] ChangeTimedGrantsError),
}
