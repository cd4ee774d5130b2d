//! The login sessions that began, for a later process.

use crate::engine::{Forgetful, Unremembered};

/// Keeps the login sessions that began, so that a restart of the service begins none again.
pub trait SessionMemory: Send {
    /// Keeps that a login session began. Returns whether it had not before.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn begin(&mut self, session: &str) -> Result<bool, Unremembered>;
}

impl SessionMemory for Forgetful {
    fn begin(&mut self, _: &str) -> Result<bool, Unremembered> {
        Ok(true)
    }
}
