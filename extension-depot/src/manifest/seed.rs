//! The beginning of a manifest that a list brings.

use core_types::event::EventTables;
use core_types::{Config, Limits};

/// The first values of a new manifest.
#[derive(Debug, Clone, Copy)]
pub struct Seed<'a> {
    /// Its limits.
    pub limits: &'a Limits,
    /// Its settings.
    pub config: &'a Config,
    /// Its settings of events.
    pub events: &'a EventTables,
}
