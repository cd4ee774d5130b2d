//! The listings, each from the outcome of its command to rows of cells. One renderer shows them all.

mod activity;
mod changes;
mod installed;
mod renderer;
mod service;
mod settings;
mod storage;
#[cfg(test)]
mod tests;

pub(super) use activity::activity;
pub(super) use changes::{of_verdict, steps, updates};
pub(super) use installed::{extensions, freshness, generations, state};
pub(super) use service::{checks, collected, diagnoses, logins, secrets, signers, tags};
pub(super) use settings::{configuration, settings};
pub(super) use storage::{orphans, stored_keys};
