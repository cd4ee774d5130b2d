//! Commands of the session service, which wakes extensions by events.

pub mod run;
