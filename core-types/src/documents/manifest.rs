//! The manifest of an extension: one TOML file that people write, read and edit.

use toml::Spanned;

use crate::capability::Capabilities;
use crate::documents::config::Config;
use crate::documents::service::Service;
use crate::documents::toml_text::{Parsed, TomlProblem, parse_toml};
use crate::documents::unknown_events;
use crate::event::EventTables;
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
    /// `[events]`: settings of events, which win over its author's, key by key. They grant
    /// nothing. Default: none.
    #[serde(skip_serializing_if = "EventTables::is_empty")]
    pub events: EventTables,
    /// `[service]`: its callers over the session bus. Default: every program outside of a sandbox,
    /// each of its functions.
    #[serde(skip_serializing_if = "Service::is_default")]
    pub service: Service,
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
    #[serde(default)]
    events: EventTables,
    #[serde(default)]
    service: Service,
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
        let Parsed { value: file, mut unknown_keys } = parse_toml::<ManifestFile>(text)?;
        unknown_keys.extend(unknown_events(text, &[]));
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
        let ManifestFile { extension, capabilities, limits, config, events, service } = file;
        let extension = ExtensionSection {
            version: extension.version,
            oci: extension.oci,
            description: extension.description,
            enabled: extension.enabled.unwrap_or(true),
            pinned: extension.pinned,
        };
        Self { extension, capabilities, limits, config, events, service }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An unknown event or setting warns with its line, and the rest of the manifest holds.
    #[test]
    fn unknown_event_leaves_the_rest() {
        let text = "[capabilities]\nevents = [\n  \"power\",\n  \"time.*\",\n]\nnotification = true\n\
                    [events.\"time.evry\"]\nevery = \"1h\"\n[events.\"time.every\"]\nevry = 1\n\
                    every = \"1h\"\n[service]\nsandboxed = [\"org.gnome.Maps\"]\n";
        let name = "x".parse().expect("a name");
        let Parsed { value, unknown_keys } = Manifest::parse(text, &name).expect("valid");
        let granted: Vec<_> = value.granted().iter().map(ToString::to_string).collect();
        assert_eq!(granted, ["notification", "events=time.*"]);
        assert_eq!(value.events.iter().count(), 1);
        assert_eq!(value.service.sandboxed[0].as_str(), "org.gnome.Maps");
        let said: Vec<_> = unknown_keys.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "line 7: unknown key `events.time.evry` does nothing; the nearest is `time.every`",
                "line 10: unknown key `events.time.every.evry` does nothing; the nearest is `every`",
                "line 3: unknown event `power` does nothing; the nearest is `power.*`",
            ]
        );
    }
}
