//! The host's side of each capability, one file each: the interface, and the backend of an ordinary
//! session.

mod clipboard_write;
mod config_read;
mod config_store;
mod environment;
mod file_writes;
mod filesystem;
#[cfg(feature = "network")]
mod http_client;
mod ipc_publish;
mod log;
mod network;
mod notification;
mod secrets;
#[cfg(any(feature = "notification", feature = "ipc"))]
mod session_bus;

#[cfg(feature = "clipboard")]
pub use clipboard_write::{
    Display, HolderCommand, HolderFailure, SessionClipboard, hold_clipboard,
};
#[cfg(feature = "ipc")]
pub use ipc_publish::SessionPublisher;
#[cfg(feature = "notification")]
pub use notification::SessionNotifier;
pub use secrets::MAX_SECRET;
#[cfg(feature = "secrets")]
pub use secrets::SecretService;

pub(crate) use environment::link_environment;
pub(crate) use file_writes::link_files;
#[cfg(feature = "wasi-0-3")]
pub(crate) use file_writes::written_to;
pub(crate) use filesystem::link_preopens;
pub(crate) use log::link_logging;
#[cfg(feature = "wasi-0-3")]
pub(crate) use network::is_known_method_length;
pub(crate) use network::{Outgoing, link_http_types};
