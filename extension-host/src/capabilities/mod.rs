//! The host's side of each interface of `open-sesame:host`, one file an interface.

mod config_read;
mod log;
mod network;

pub(crate) use network::{RefuseAll, link_http_types};
