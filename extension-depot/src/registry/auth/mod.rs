//! Answers to a registry that asks who is there.
//!
//! A challenge is parsed, a login for it looked up, and a token fetched from the service that the
//! registry is paired with. Clients keep tokens, so that each registry is asked once.

pub(crate) mod challenge;
pub(crate) mod demand;
pub(crate) mod session;
pub(crate) mod token_service;
