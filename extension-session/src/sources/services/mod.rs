//! The services whose signals wake extensions: logind, UPower, NetworkManager and media players.
//!
//! Each is a machine without a connection. It is told what its service sends, it says what to ask,
//! and it makes events of what changed. Everything that arrives here is believed to come from the
//! owner of the name and from nobody else; what the values are is not believed.

mod battery_filters;
mod logind;
mod media_players;
mod network_manager;
mod service;
mod session_memory;
mod text;
mod told;
mod upower;
mod values;

pub(crate) use logind::Logind;
pub(crate) use media_players::MediaPlayers;
pub(crate) use network_manager::NetworkManager;
pub(crate) use service::{Answer, Names, Question, Rule, Service, Signal, Taken};
pub use session_memory::SessionMemory;
pub(crate) use upower::UPower;

/// The sources on the system bus with the names of their services.
pub(crate) const ON_SYSTEM_BUS: [(&str, &str); 3] = [
    (logind::SOURCE, logind::NAME),
    (network_manager::SOURCE, network_manager::NAME),
    (upower::SOURCE, upower::NAME),
];
