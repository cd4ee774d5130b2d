//! The places of all files, and the configuration of the user and the administrator.
//!
//! [`Places`] is the only type that joins path names. [`EffectiveConfig`] is the configuration of the
//! user within the policy of the system, with the file and line of each setting.

pub(crate) mod effective_config;
pub(crate) mod places;
pub(crate) mod redirect_host;

pub use effective_config::{
    CheckedFile, ConfigFileError, EffectiveConfig, PolicyRefusal, RegistrySettings, Setting,
};
pub use places::{PlaceError, Places};
pub use redirect_host::{RedirectHost, RedirectHostError};
