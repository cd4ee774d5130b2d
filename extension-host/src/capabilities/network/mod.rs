//! `wasi:http` to hosts that are granted: the decision about each request, where it goes, and the
//! client that sends it. How the web is reached at all (certificates, proxies) is the program's.

#[cfg(feature = "network")]
mod access;
#[cfg(feature = "network")]
mod client;
mod outgoing;
mod target;

#[cfg(feature = "network")]
pub use access::HttpAccess;
pub(crate) use outgoing::Outgoing;
