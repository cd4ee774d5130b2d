//! Deliveries: which event an extension gets next, and when.
//!
//! The [`Dispatcher`] holds every rule of the contract: one place for each state event, a bounded
//! queue for the others, spacing, a budget for each minute, the lock of the session, loops, and one
//! delivery at a time for each extension. It waits for nothing and reads no clock.

mod budget;
mod by_settings;
mod dispatcher;
mod mailbox;
mod subscriber;

pub use budget::{Budget, MAX_DELIVERIES, MAX_FUEL_TIMES};
pub(crate) use by_settings::BySettings;
pub use dispatcher::{
    Arrival, Delivery, Dispatcher, DispatcherLoad, HeldBack, MAX_DEPTH, Recipients,
};
pub use mailbox::MAX_WAITING;
pub use subscriber::{Subscriber, Wake};
