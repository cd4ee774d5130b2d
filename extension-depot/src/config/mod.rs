//! The places of all files, and the configuration of the user and the administrator.
//!
//! [`Places`] is the only type that joins path names. [`UserConfig`] is the configuration of the
//! user within the policy of the system, with the file and line of each setting.

pub(crate) mod places;
pub(crate) mod redirect_host;
pub(crate) mod user_config;

pub use places::{PlaceError, Places};
pub use redirect_host::{RedirectHost, RedirectHostError};
pub use user_config::{
    CheckedFile, ConfigFileError, PolicyRefusal, RegistrySettings, Setting, UserConfig,
};
