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
    #[error("questions are off: `session.consent` is `never`")]
    Never,
    /// It needs the command line.
    #[error("cannot ask for `{0}` by notification")]
    NotOffered(String),
    /// It asks for too much at once.
    #[error("cannot ask for more than {MAX_GRANTS} permissions at once")]
    TooMany,
    /// A policy denies it.
    #[error("policy denies `{0}`")]
    Denied(Grant),
    /// Another question is open.
    #[error("another question is open")]
    Busy,
    /// The session is locked, or does not say in time that it is not.
    #[error("the session is locked, or does not say that it is not")]
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
    /// The answer was no, or there was none in time.
    #[error("the question was declined or not answered")]
    Declined,
    /// The depot cannot be changed.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The grant cannot be kept.
    #[error(transparent)]
    NotKept(#[from] ChangeTimedGrantsError),
}
