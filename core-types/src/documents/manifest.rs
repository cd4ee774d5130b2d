//! The manifest of an extension: one TOML file that people write, read and edit.

use toml::Spanned;

use crate::capability::Capabilities;
use crate::documents::config::Config;
use crate::documents::toml_text::{Parsed, TomlProblem, parse_toml};
use crate::limits::Limits;
use crate::reference::{ExtensionName, OciReference};

/// The manifest of one extension: `~/.config/pds/extensions/NAME.toml`.
///
/// Everything in it is optional in the file, so that a manifest can be written before the extension
/// is installed; installing fills the gaps.
///
/// ```
/// use core_types::{Capability, Manifest};
///
/// let text = "[capabilities]\nnotification = true\n[limits]\nmax_fuel = 1_000";
/// let manifest = Manifest::parse(text, &"weather".parse()?)?.value;
/// assert!(manifest.granted().grants(Capability::Notification));
/// assert!(manifest.extension.enabled);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Manifest {
    /// `[extension]`: its name, version and source.
    pub extension: ExtensionSection,
    /// `[capabilities]`: its grants. Nothing where the table is absent, which tells installing that
    /// the user has not decided yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Capabilities>,
    /// `[limits]`: how much it may use. Defaults hold for absent ones: see [`crate::LimitName`].
    pub limits: Limits,
    /// `[config]`: the values that it can read where `config-read` is granted. Default: none.
    pub config: Config,
}

/// The `[extension]` table.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ExtensionSection {
    /// `version`: for people; the bytes are named by the digest in `oci`. Default: absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `oci`: where it comes from, pinned to the installed bytes once it is installed. Default:
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oci: Option<OciReference>,
    /// `description`: one line for people. Default: absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `enabled`: whether it can be called. Default: true.
    pub enabled: bool,
    /// `pinned`: whether `update` leaves it at its version. Default: false.
    pub pinned: bool,
}

impl Default for ExtensionSection {
    fn default() -> Self {
        Self { version: None, oci: None, description: None, enabled: true, pinned: false }
    }
}

/// The manifest as it stands in the file.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[derive(serde::Deserialize)]
struct ManifestFile {
    #[serde(default)]
    extension: ExtensionFile,
    capabilities: Option<Capabilities>,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    config: Config,
}

#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[derive(Default, serde::Deserialize)]
struct ExtensionFile {
    #[cfg_attr(feature = "schema", schemars(with = "Option<ExtensionName>"))]
    name: Option<Spanned<ExtensionName>>,
    version: Option<String>,
    oci: Option<OciReference>,
    description: Option<String>,
    enabled: Option<bool>,
    #[serde(default)]
    pinned: bool,
}

#[cfg(feature = "schema")]
crate::schema::schema_as!(Manifest, ManifestFile);

impl Manifest {
    /// Reads the manifest of the extension of this name.
    ///
    /// # Errors
    /// When the text is not TOML, a value has the wrong type or form, or `name` differs from the
    /// name of the file.
    pub fn parse(text: &str, name: &ExtensionName) -> Result<Parsed<Self>, TomlProblem> {
        let Parsed { value: file, unknown_keys } = parse_toml::<ManifestFile>(text)?;
        if let Some(written) =
            file.extension.name.as_ref().filter(|written| written.get_ref() != name)
        {
            let message =
                format!("`name` is `{}`, but the file is that of `{name}`", written.get_ref());
            return Err(TomlProblem::at(written.span(), &message, text));
        }
        Ok(Parsed { value: file.into(), unknown_keys })
    }

    /// Returns the grants of this manifest alone; none without a table of them.
    pub fn granted(&self) -> Capabilities {
        self.capabilities.clone().unwrap_or_default()
    }
}

impl From<ManifestFile> for Manifest {
    fn from(file: ManifestFile) -> Self {
        let ManifestFile { extension, capabilities, limits, config } = file;
        let extension = ExtensionSection {
            version: extension.version,
            oci: extension.oci,
            description: extension.description,
            enabled: extension.enabled.unwrap_or(true),
            pinned: extension.pinned,
        };
        Self { extension, capabilities, limits, config }
    }
}
