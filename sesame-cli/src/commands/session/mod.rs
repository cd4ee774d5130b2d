//! Commands of the session service, which wakes extensions by events, and through which programs
//! call them.

pub mod emit;
pub mod install;
pub mod run;
pub mod status;
pub mod stop;
pub mod watch;
