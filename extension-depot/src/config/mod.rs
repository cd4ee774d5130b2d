//! The places of all files, and the configuration of the user and the administrator.
//!
//! [`Places`] is the only type that joins path names. [`EffectiveConfig`] is the configuration of
//! the user within the policy of the system, with the file and line of each setting.

mod config_files;
pub(crate) mod effective_config;
pub(crate) mod places;
pub(crate) mod policies;
pub(crate) mod redirect_host;
pub(crate) mod registry_settings;
mod session_in_force;
mod session_settings;
mod setting;

pub use config_files::ConfigFileError;
pub use effective_config::{CheckedFile, EffectiveConfig};
pub use places::{PlaceError, Places};
pub use policies::PolicyRefusal;
pub use redirect_host::{RedirectHost, RedirectHostError};
pub use registry_settings::RegistrySettings;
pub use session_settings::{SessionConsent, SessionSettings};
pub use setting::Setting;
