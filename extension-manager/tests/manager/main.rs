//! The tests of the manager: calls, and everything that changes installed extensions.

mod bundles;
mod calls;
mod checks;
mod events;
mod fixture;
mod installing;
mod refusals;
mod rolling_back;
mod service_crashes;
mod signers;
mod storage;
mod support;
mod syncing;
mod updating;
