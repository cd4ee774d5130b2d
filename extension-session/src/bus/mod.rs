//! The session service on the bus: programs of the session list, call and watch extensions, and
//! emit events.
//!
//! A message goes through three hands. The desk takes it or says that it is busy, [`callers`] finds
//! out who sent it, and a worker does it. So neither a guest nor a caller that does not read its
//! answers can hold up the thread of the connection. No method installs, grants, enables or trusts
//! anything: that needs the command line and a person.

mod bus_error;
mod callers;
mod calls;
mod client;
mod desk;
mod end;
mod extensions;
mod listing;
mod service;
mod session;
mod status;
mod watches;
mod workers;

pub use calls::{Explain, Explained};
pub use client::{BusClient, ClientError, WatchRequest, WatchedValues};
pub use end::BusEnd;
pub use extensions::MAX_PAYLOAD;
pub use service::{BusParts, BusService, StartError};
pub use status::{BusLoad, ExtensionLoad, ServiceStatus, SourceLine};
