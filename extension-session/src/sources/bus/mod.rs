//! The two buses, from which services tell events.
//!
//! A bus has one thread, one connection and the rules of its signals, and none of them
//! while no extension may be woken. The `Dialogue` decides everything and waits for
//! nothing; the thread waits for the connection, a change of the extensions, and a moment.

mod asked;
mod bus_address;
mod bus_source;
mod connection;
mod deadline;
mod dialogue;
mod messages;
mod owners;
mod shared;
#[cfg(test)]
mod tests;
mod thread;

pub(crate) use bus_address::BusAddress;
pub use bus_source::{LoginSession, session_bus_sources, system_bus_sources};
pub(crate) use deadline::in_time;
pub(crate) use messages::{DRIVER, owner_change};
