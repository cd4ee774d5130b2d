//! HTTP with a registry: clients, requests to one repository, redirects, pages and retries.
//!
//! Responses are bounded in size and time. Redirects lead only to where a registry may send a
//! client, and credentials do not follow them.

pub(crate) mod clients;
pub(crate) mod connection;
pub(crate) mod fault;
mod link_header;
pub(crate) mod paging;
pub(crate) mod proxies;
pub(crate) mod redirect;
pub(crate) mod refusal;
pub(crate) mod requests;
pub(crate) mod response;
pub(crate) mod retry;

pub use fault::NetworkFault;
pub use proxies::Proxies;
pub use refusal::{AccessProblem, Refusal};
