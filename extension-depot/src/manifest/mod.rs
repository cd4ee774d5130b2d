//! Manifests as files that belong to the user, and the timed grants beside them.
//!
//! A manifest is read with care and edited so that its comments and order stay. Grants with an end
//! lie in the runtime directory of the login session.

mod change_capabilities;
pub(crate) mod edit;
mod enable;
pub(crate) mod guest_paths;
pub(crate) mod manifest_file;
mod replace_manifest;
pub(crate) mod seed;
mod settings;
mod timed_grants;
pub(crate) mod timed_grants_file;
pub(crate) mod toml_list;
mod update_pin;

pub use change_capabilities::{ChangeCapabilitiesError, GrantInstalledError};
pub use edit::EditError;
pub use guest_paths::GuestPathTaken;
pub use manifest_file::{LoadedManifest, ManifestError, needs_text};
pub use replace_manifest::ReplaceManifestError;
pub use seed::Seed;
pub use settings::{ChangeSettingsError, SettingChange};
pub use timed_grants::ChangeTimedGrantsError;
pub use timed_grants_file::TimedGrantsError;
