//! What several commands do with an installed extension, so that commands never import each other:
//! its secrets, the settings that its author declares, the refusals of a call, the permissions that
//! a call needs, deliveries of events to it, and whether policy stops it.

mod deliveries;
pub mod learn;
mod policy_stop;
mod refusals;
pub mod secrets;
mod setting_schema;

pub use deliveries::{deliveries, last_deliveries};
pub use policy_stop::Stop;
pub use refusals::{warn_of_causes, warn_of_refusals, worth_telling};
pub use setting_schema::schema;
