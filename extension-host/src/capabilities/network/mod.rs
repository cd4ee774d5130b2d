//! `wasi:http` to granted hosts: the decision about each request, its target, and the client that
//! sends it. Certificates and proxies are the embedding program's choice.

#[cfg(feature = "network")]
mod access;
#[cfg(feature = "network")]
mod client;
mod outgoing;
mod target;

#[cfg(feature = "network")]
pub use access::HttpAccess;
pub(crate) use outgoing::Outgoing;
