//! Questions for permissions, by notification.
//!
//! An [`Asker`] puts a [`Question`] to a person through a [`Prompt`]: in sesame's own words, rarely,
//! one at a time, never while the session is locked, and never for what gives access to files,
//! secrets or machines. A yes is a grant until the login session ends. One that lasts needs the
//! command line.

mod asker;
mod not_granted;
mod notification;
mod notification_prompt;
mod prompt;
mod question;
#[cfg(test)]
mod tests;
mod wanted;

pub(crate) use asker::Asker;
pub use notification_prompt::NotificationPrompt;
pub use prompt::{Prompt, PromptError, Reply, Withdrawn};
pub use question::Question;
