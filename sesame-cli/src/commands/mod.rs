//! The commands, one file for each, from its arguments to its outcome by way of the libraries. The
//! rooms are the groups of `--help`. A command never imports another one.

mod administering;
mod dispatch;
mod internal;
mod permissions;
mod session;
mod sharing;
mod suffiks;
mod using;
mod writing;

pub use dispatch::run;
