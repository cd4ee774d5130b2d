//! The outcome of `session install`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

/// The files that start the session service.
#[derive(JsonSchema, Serialize)]
pub struct ServiceInstallation {
    pub state: ServiceState,
    /// The program that they start; nothing where this user has none of them.
    pub program: Option<PathBuf>,
    /// The files that were written, removed or are there.
    pub files: Vec<PathBuf>,
    /// Files of the user that hide those of the package.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hiding: Vec<PathBuf>,
    /// Files of other programs that stay.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<PathBuf>,
    /// Whether systemd has read its units anew.
    pub systemd_reloaded: bool,
    /// Whether the session bus has read its files anew.
    pub bus_reloaded: bool,
    /// The next step.
    #[serde(skip)]
    pub next: Option<String>,
}

/// What `session install` found or did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceState {
    /// The files are written.
    Installed,
    /// They were there already.
    AlreadyInstalled,
    /// A package has them.
    OfPackage,
    /// They are removed.
    Removed,
    /// There was nothing to remove.
    AlreadyRemoved,
}
