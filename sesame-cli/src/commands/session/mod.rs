//! Commands of the session service, which wakes extensions by events.

pub mod install;
pub mod run;
