//! The events of a login session, for a later process.

use std::collections::BTreeMap;

use core_types::event::EventName;
use core_types::{Digest, ExtensionName};

use crate::engine::{Forgetful, Unremembered};

/// Keeps the events of a login session, so that a restart of the service repeats none.
pub trait SessionMemory: Send + Sync {
    /// Keeps that a login session began. Returns whether it had not before.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn begin(&self, session: &str) -> Result<bool, Unremembered>;

    /// Returns the state that each extension was told last by an event in this login session.
    ///
    /// # Errors
    /// When there is something that cannot be read.
    fn told(&self, event: &EventName) -> Result<BTreeMap<ExtensionName, Digest>, Unremembered>;

    /// Keeps the state that each extension was told last by an event.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn keep_told(
        &self,
        event: &EventName,
        told: &BTreeMap<ExtensionName, Digest>,
    ) -> Result<(), Unremembered>;
}

impl SessionMemory for Forgetful {
    fn begin(&self, _: &str) -> Result<bool, Unremembered> {
        Ok(true)
    }

    fn told(&self, _: &EventName) -> Result<BTreeMap<ExtensionName, Digest>, Unremembered> {
        Ok(BTreeMap::new())
    }

    fn keep_told(
        &self,
        _: &EventName,
        _: &BTreeMap<ExtensionName, Digest>,
    ) -> Result<(), Unremembered> {
        Ok(())
    }
}
