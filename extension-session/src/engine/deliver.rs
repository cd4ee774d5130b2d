//! What runs an extension for the engine.

use crate::delivery::Delivery;

/// Delivers events to extensions.
///
/// Everything that holds for a call has to hold: the decision at this moment, limits, the activity
/// log, quarantine. `extension_manager::Manager` does it so.
pub trait Deliver: Send + Sync {
    /// Delivers one event and waits for its end. It is called on a thread of its own, never twice at
    /// once for one extension.
    fn deliver(&self, delivery: &Delivery) -> Delivered;
}

/// How a delivery ended, as far as the engine has to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// The fuel that it used.
    pub fuel: u64,
    /// Whether it failed. The extension may have been put aside, so it is looked at again.
    pub has_failed: bool,
}
