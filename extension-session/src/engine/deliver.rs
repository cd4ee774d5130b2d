//! What runs an extension for the engine.

use core_types::ExtensionName;
use core_types::event::{EventName, EventPattern};

use crate::delivery::{Delivery, HeldBack};

/// Delivers events to extensions.
///
/// Everything that holds for a call has to hold: the decision at this moment, limits, the activity
/// log, quarantine. `extension_manager::Manager` does it so.
pub trait Deliver: Send + Sync {
    /// Delivers one event and waits for its end. It is called on a thread of its own, never twice at
    /// once for one extension.
    fn deliver(&self, delivery: &Delivery) -> Delivered;

    /// Is told of an event that does not reach an extension, or not now. By default nothing is done
    /// about it.
    fn held_back(&self, name: &ExtensionName, event: &EventName, why: HeldBack) {
        let _ = (name, event, why);
    }

    /// Is told of an event that an extension handles and may not be woken by, with what its author
    /// declares, and the number of deliveries that led to it. By default nothing is done about it.
    fn refused(&self, name: &ExtensionName, event: &EventName, by: &EventPattern, depth: u8) {
        let _ = (name, event, by, depth);
    }
}

/// How a delivery ended, as far as the engine has to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// The fuel that it used.
    pub fuel: u64,
    /// Whether it failed. The extension may have been put aside, so it is looked at again.
    pub has_failed: bool,
}
