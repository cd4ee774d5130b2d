//! The moments of timers, for a later process.

use std::collections::BTreeMap;

use core_types::event::EventName;
use core_types::{BootTime, ExtensionName};
use jiff::Timestamp;

/// How far the timers came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastDue {
    every: BTreeMap<ExtensionName, BootTime>,
    at: BTreeMap<ExtensionName, Timestamp>,
}

/// Why the moments of timers cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep the times of events")]
pub struct Unremembered(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Keeps how far the timers came, so that a restart repeats nothing and a sleep loses nothing.
pub trait TimerMemory: Send {
    /// Returns the moments that were kept since the machine started; the times of day also from
    /// before.
    ///
    /// # Errors
    /// When there is something that cannot be read.
    fn read(&self) -> Result<LastDue, Unremembered>;

    /// Keeps this.
    ///
    /// # Errors
    /// When it cannot be written.
    fn write(&self, last: &LastDue) -> Result<(), Unremembered>;

    /// Learns at the end of an event that still waits for an extension, so that the next process can
    /// tell it.
    ///
    /// # Errors
    /// When it cannot be written.
    fn leave(&self, name: &ExtensionName, event: &EventName) -> Result<(), Unremembered>;
}

impl LastDue {
    /// Makes it of the next moments of `time.every` and of what `time.at` has seen.
    pub fn new(
        every: impl IntoIterator<Item = (ExtensionName, BootTime)>,
        at: impl IntoIterator<Item = (ExtensionName, Timestamp)>,
    ) -> Self {
        Self { every: every.into_iter().collect(), at: at.into_iter().collect() }
    }

    /// Returns the next moment of an extension's `time.every`.
    pub fn every(&self, name: &ExtensionName) -> Option<BootTime> {
        self.every.get(name).copied()
    }

    /// Returns the moment up to which an extension's `time.at` was delivered.
    pub fn at(&self, name: &ExtensionName) -> Option<Timestamp> {
        self.at.get(name).copied()
    }

    /// Iterates over the next moments of `time.every`.
    pub fn all_every(&self) -> impl Iterator<Item = (&ExtensionName, BootTime)> {
        self.every.iter().map(|(name, next)| (name, *next))
    }

    /// Iterates over the moments up to which `time.at` was delivered.
    pub fn all_at(&self) -> impl Iterator<Item = (&ExtensionName, Timestamp)> {
        self.at.iter().map(|(name, seen)| (name, *seen))
    }
}

/// Keeps nothing: each process begins anew.
#[derive(Debug, Clone, Copy, Default)]
pub struct Forgetful;

impl TimerMemory for Forgetful {
    fn read(&self) -> Result<LastDue, Unremembered> {
        Ok(LastDue::default())
    }

    fn write(&self, _: &LastDue) -> Result<(), Unremembered> {
        Ok(())
    }

    fn leave(&self, _: &ExtensionName, _: &EventName) -> Result<(), Unremembered> {
        Ok(())
    }
}
