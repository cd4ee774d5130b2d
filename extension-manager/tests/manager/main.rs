//! The tests of the manager: calls, and everything that changes installed extensions.

mod bundles;
mod calls;
mod fixture;
mod installing;
mod rolling_back;
mod support;
mod syncing;
mod updating;
