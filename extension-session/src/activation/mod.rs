//! The two files that start the session service: a unit for systemd, and a file by which the
//! session bus starts it with the first call.
//!
//! A package has both in `/usr`. [`ServicePlaces`] writes and removes those of a user, and finds
//! the ones that count; [`ServiceProgram`] is the program that they start.

mod bus;
mod change;
mod file_state;
mod found;
mod install;
mod places;
mod program;
mod session_variables;
mod systemd;
mod templates;

pub(crate) use bus::ask_bus;
pub use bus::{BusQueryError, is_activatable, is_running, reload_bus, start as start_service};
pub use change::ActivationError;
pub use found::{StartFile, StartState};
pub use install::{Installed as InstalledFiles, Removed as RemovedFiles};
pub use places::ServicePlaces;
pub use program::{Fleeting, ProgramError, ServiceProgram};
pub use session_variables::session_variables;
pub use systemd::{has_unit_manager, reload_units};
