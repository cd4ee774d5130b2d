//! Sources: where events come from.
//!
//! A source listens only while an extension may hear of it, and tells an event to the inbox of the
//! engine. It decides nothing: the dispatcher knows who hears an event. An absent source, such as a
//! service that a machine does not have, is a state and not an error. The sources of services are in
//! two rooms: `services` knows what each says, `bus` carries it.

mod bus;
mod files;
mod presence;
mod services;
mod settings;
mod source;
mod source_state;
mod watches;

pub(crate) use bus::{BusAddress, DRIVER, in_time, owner_change};
pub use bus::{LoginSession, session_bus_sources, system_bus_sources};
pub use files::Files;
pub use presence::present_sources;
pub use services::SessionMemory;
pub(crate) use settings::SettingsSource;
pub use source::Source;
pub use source_state::SourceState;
pub(crate) use watches::{Change, Watches};
