//! Who sends a message: a program of the user, or one in a sandbox.
//!
//! Between programs of the user outside of a sandbox there is no boundary, and none is pretended. A
//! program in a sandbox reaches only what the user's manifest opens to it. A program that cannot be
//! looked at counts as one in a sandbox.

mod caller;
mod known;
mod process;

pub(super) use caller::{Caller, Standing};
pub(super) use known::Callers;
