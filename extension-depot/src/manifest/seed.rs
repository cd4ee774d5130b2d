//! The beginning of a manifest that a list or a bundle brings.

use core_types::event::EventTables;
use core_types::{Config, Limits};

/// The first values of a new manifest, where there are any.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seed<'a> {
    /// Its limits.
    pub limits: Option<&'a Limits>,
    /// Its settings.
    pub config: Option<&'a Config>,
    /// Its settings of events.
    pub events: Option<&'a EventTables>,
}
