//! What sesame does with extensions, as a library for desktop programs.
//!
//! A [`Manager`] stands on the depot, which keeps what is installed, and on the host, which runs
//! it. Everything that holds for `sesame` itself holds for each call that is made through it, and
//! cannot be left out: the system policy, the grants of the login session, limits, quarantine, the
//! activity log and the log of the guest. A [`Session`] is a manager of this login session, with
//! its desktop behind the capabilities:
//!
//! ```no_run
//! use extension_manager::Session;
//!
//! let greeting = Session::open()?.call("greeting-extension", "greet", ["World"])?;
//! assert_eq!(greeting.to_text(), "Hello, World!");
//! # Ok::<(), extension_manager::SessionError>(())
//! ```
//!
//! The ways out are two: the values and errors that functions return, and [`Events`], which tell of
//! what happens meanwhile. Nothing here prints. Only [`environment`] reads the environment, and
//! only a [`Session`] uses it unasked.
#![forbid(unsafe_code)]

mod callable;
mod compiled_code;
pub mod environment;
mod error;
mod events;
mod guest_log;
mod learn;
mod manager;
mod session;

pub use callable::{CallMode, Callable};
pub use compiled_code::CodeError;
pub use error::OpenError;
pub use events::{Event, Events, Silent};
/// The arguments and the value of a call, so that a program which only calls needs no other crate.
pub use extension_host::{Arguments, Returned};
pub use guest_log::GuestLogError;
pub use learn::{Needs, difference};
pub use manager::{Manager, Options};
pub use session::{Session, SessionError};
