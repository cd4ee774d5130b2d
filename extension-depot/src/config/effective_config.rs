//! The configuration of the user and the administrator.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use core_types::{Document, Parsed, Policy, UnknownKey, parse_toml};
use private_files::read_private_text;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::config::config_files::{ConfigFileError, config_files, is_absent};
use crate::config::places::Places;
use crate::config::registry_settings::RegistrySettings;
use crate::config::session_settings::SessionSettings;
use crate::trust::signer::Signer;

/// The largest file of the configuration, in bytes: more than people write, and little to hold in
/// memory.
const MAX_SIZE: u64 = 1 << 20;

/// Where the keys of a policy begin in its own file: everything in it is policy.
const IN_POLICY: &str = "";
/// Where they begin in the user's configuration, in which `extensions` has nothing but the policy.
const IN_CONFIG: &str = "extensions.";

/// `config.toml`, the files of `config.d` over it, and the policies of both the user and the
/// system.
#[derive(Debug, Clone, Default)]
pub struct EffectiveConfig {
    /// Settings by registry.
    pub registries: BTreeMap<String, RegistrySettings>,
    /// Settings of the session service, each from the last file that has it.
    pub session: SessionSettings,
    /// All policies that hold, with the file that each stands in.
    pub policies: Vec<(Policy, Document)>,
    /// Keys that mean nothing, with their files.
    pub unknown_keys: Vec<(PathBuf, UnknownKey)>,
    /// The files, from the one that counts least on; the system's policy first.
    pub(crate) documents: Vec<Document>,
    /// Whether the first of them is the system's policy, whose keys stand at its top level.
    pub(crate) has_system_policy: bool,
}

/// A file of the configuration, and its unknown keys or its problem.
pub type CheckedFile = (PathBuf, Result<Vec<UnknownKey>, ConfigFileError>);

#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfigFile {
    registries: BTreeMap<String, RegistrySettings>,
    session: SessionSettings,
    extensions: ExtensionsTable,
}

#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[derive(Default, Deserialize)]
#[serde(default)]
struct ExtensionsTable {
    policy: Policy,
}

/// The schema of one file.
#[cfg(feature = "schema")]
impl schemars::JsonSchema for EffectiveConfig {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Config".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        ConfigFile::json_schema(generator)
    }
}

impl EffectiveConfig {
    /// Reads all files. Missing ones say nothing.
    ///
    /// # Errors
    /// When one is there and cannot be used. A policy that cannot be read is an error and not an
    /// absent policy.
    pub fn load(places: &Places) -> Result<Self, ConfigFileError> {
        let mut config = Self::default();
        if let Some((policy, document)) = config.read(&places.system_policy, IN_POLICY)? {
            config.has_system_policy = true;
            config.policies.push((policy, document));
        }
        for path in config_files(&places.config)? {
            if let Some((file, document)) = config.read::<ConfigFile>(&path, IN_CONFIG)? {
                config.registries.extend(file.registries);
                config.session.update(file.session);
                config.policies.push((file.extensions.policy, document));
            }
        }
        Ok(config)
    }

    /// Reads a file, if it is there. `policy` is where the keys of a policy begin: one that is not
    /// known there is an error, since a misspelt rule would not forbid anything.
    fn read<T: DeserializeOwned>(
        &mut self,
        path: &Path,
        policy: &str,
    ) -> Result<Option<(T, Document)>, ConfigFileError> {
        let text = match read_private_text(path, MAX_SIZE) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_absent(path) => {
                return Ok(None);
            }
            Err(source) => return Err(ConfigFileError::Read { path: path.to_owned(), source }),
        };
        let content = |problem| ConfigFileError::Content { path: path.to_owned(), problem };
        let Parsed { value, unknown_keys } = parse_toml(&text).map_err(content)?;
        if let Some(key) = unknown_keys.iter().find(|key| key.path.starts_with(policy)) {
            return Err(content(key.problem(&text)));
        }
        self.unknown_keys.extend(unknown_keys.into_iter().map(|key| (path.to_owned(), key)));
        let document = Document { path: path.to_owned(), text };
        self.documents.push(document.clone());
        Ok(Some((value, document)))
    }

    /// Returns every file of the configuration by itself: its unknown keys, or the problem with it.
    /// Files that are not there are left out.
    ///
    /// # Errors
    /// When the directory of files cannot be read.
    pub fn check(places: &Places) -> Result<Vec<CheckedFile>, ConfigFileError> {
        let mut checked = Vec::new();
        let mut check = |path: &Path, read: &dyn Fn(&mut Self) -> Result<bool, ConfigFileError>| {
            let mut config = Self::default();
            match read(&mut config) {
                Ok(false) => {}
                Ok(true) => {
                    checked.push((
                        path.to_owned(),
                        Ok(config.unknown_keys.into_iter().map(|(_, key)| key).collect()),
                    ));
                }
                Err(error) => checked.push((path.to_owned(), Err(error))),
            }
        };
        let system = &places.system_policy;
        check(system, &|config| config.check_file::<Policy>(system, IN_POLICY, |policy| policy));
        for path in config_files(&places.config)? {
            check(&path, &|config| {
                config.check_file::<ConfigFile>(&path, IN_CONFIG, |file| &file.extensions.policy)
            });
        }
        Ok(checked)
    }

    /// Reads a file with everything that its policy names, and returns whether it is there.
    fn check_file<T: DeserializeOwned>(
        &mut self,
        path: &Path,
        begins: &str,
        policy: impl Fn(&T) -> &Policy,
    ) -> Result<bool, ConfigFileError> {
        let Some((file, _)) = self.read::<T>(path, begins)? else { return Ok(false) };
        for rule in policy(&file).trusted_signers.values().flatten() {
            let (file, checked) = Signer::check_rule(rule);
            checked.map_err(|source| ConfigFileError::Signer {
                path: path.to_owned(),
                file,
                source,
            })?;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn places(directory: &Path) -> Places {
        let system_policy = directory.join("policy.toml");
        Places { config: directory.to_owned(), system_policy, ..Places::below(directory) }
    }

    fn load(directory: &Path) -> EffectiveConfig {
        EffectiveConfig::load(&places(directory)).expect("valid")
    }

    #[test]
    fn samples_load_without_warnings() {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config-examples");
        let config = load(&samples);
        assert_eq!(config.unknown_keys, []);
        assert_eq!(config.policies.len(), 2);
        assert_eq!(config.registries["registry.example.com:5000"].plain_http, Some(true));
        assert_eq!(config.registries["registry.example.org"].token_hosts, ["auth.example.org"]);
        assert_eq!(config.registries["registry.internal"].allow_redirect_to.len(), 1);
    }

    /// A misspelt rule would not forbid anything. Elsewhere a misspelt key is a warning.
    #[test]
    fn unknown_policy_key_is_error() {
        let directory = tempfile::tempdir().expect("a directory");
        let write =
            |name: &str, text: &str| fs::write(directory.path().join(name), text).expect("written");
        let said = || {
            EffectiveConfig::load(&places(directory.path()))
                .map(|config| config.unknown_keys[0].1.to_string())
        };
        let refused = |file: &str, key: &str| {
            let error = said().expect_err(key).to_string();
            assert!(error.contains(file) && error.contains(key), "{error}");
            let checked = EffectiveConfig::check(&places(directory.path())).expect("read");
            assert!(
                checked.iter().any(|(path, result)| path.ends_with(file) && result.is_err()),
                "{key}"
            );
        };
        write("policy.toml", "deney = [\"network\"]");
        refused("policy.toml", "unknown key `deney`; the nearest is `deny`");
        write("policy.toml", "[limits]\nmax_fule = 1");
        refused("policy.toml", "unknown key `limits.max_fule`; the nearest is `max_fuel`");
        fs::remove_file(directory.path().join("policy.toml")).expect("removed");
        write("config.toml", "[extensions.policy]\nallow_registries = []");
        refused("config.toml", "the nearest is `allowed_registries`");
        write("config.toml", "[extensions.polcy]\ndeny = []");
        refused("config.toml", "the nearest is `policy`");
        write("config.toml", "[registries.\"a:1\"]\nmirror = []");
        assert_eq!(
            said().expect("a warning"),
            "line 2: unknown key `registries.a:1.mirror` does nothing; the nearest is `mirrors`"
        );
    }

    /// Whoever made a link meant a policy to be there.
    #[test]
    fn dangling_policy_link_is_error() {
        for link in ["config.toml", "policy.toml", "config.d", "config.d/10.toml", "sub"] {
            let directory = tempfile::tempdir().expect("a directory");
            let at = |name: &str| directory.path().join(name);
            fs::create_dir_all(at(link).parent().expect("a parent")).expect("made");
            let places = Places {
                system_policy: at(if link == "sub" { "sub/policy.toml" } else { "policy.toml" }),
                ..places(directory.path())
            };
            assert!(EffectiveConfig::load(&places).is_ok(), "{link}");
            std::os::unix::fs::symlink("nothing", at(link)).expect("made");
            assert!(
                matches!(EffectiveConfig::load(&places), Err(ConfigFileError::Read { .. })),
                "{link}"
            );
        }
    }

    /// The files of a policy are checked before they are needed.
    #[test]
    fn check_reads_what_a_policy_names() {
        let directory = tempfile::tempdir().expect("a directory");
        let key = directory.path().join("org.pub");
        let policy = format!("[trusted_signers]\n\"ghcr.io/my-org\" = [{:?}]", key.display());
        fs::write(directory.path().join("policy.toml"), policy).expect("written");
        let check =
            || match EffectiveConfig::check(&places(directory.path())).expect("read").remove(0).1 {
                Ok(_) => "good".to_owned(),
                Err(error) => {
                    std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default()
                }
            };
        assert!(check().starts_with("No such file"), "{}", check());
        fs::write(&key, "no key").expect("written");
        assert_eq!(check(), "it has no public key in PEM");
        let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        fs::set_permissions(&key, everybody).expect("set");
        assert_eq!(check(), "everybody can write to it");
    }

    #[test]
    fn later_files_win_policies_add() {
        let directory = tempfile::tempdir().expect("a directory");
        let write =
            |name: &str, text: &str| fs::write(directory.path().join(name), text).expect("written");
        fs::create_dir(directory.path().join("config.d")).expect("made");
        write(
            "config.toml",
            "[registries.\"a:1\"]\nplain_http = true\n[extensions.policy]\ndeny = [\"network\"]",
        );
        write("config.d/10.toml", "[registries.\"a:1\"]\nplain_http = false\ntypo = 1");
        write("config.d/20.toml", "[extensions.policy.limits]\nmax_fuel = 5");
        write("config.d/ignored.txt", "[");
        let config = load(directory.path());
        let settings = config.settings();
        let shown: Vec<_> = settings
            .iter()
            .map(|set| format!("{} = {} {}", set.key, set.value, set.line))
            .collect();
        assert_eq!(
            shown,
            [
                "extensions.policy.deny = [\"network\"] 4",
                "registries.\"a:1\".plain_http = false 2",
                "registries.\"a:1\".typo = 1 3",
                "extensions.policy.limits.max_fuel = 5 2"
            ]
        );
        assert_eq!(config.registries["a:1"].plain_http, Some(false));
        assert_eq!(config.policies.len(), 3);
        assert_eq!(config.unknown_keys.len(), 1);
        write("config.d/30.toml", "[extensions.policy]\ndeny = [\"everything\"]");
        let error =
            EffectiveConfig::load(&places(directory.path())).expect_err("unknown capability");
        assert!(
            error
                .to_string()
                .contains("30.toml` is wrong: line 2, column 8: `everything` is not a capability"),
            "{error}"
        );
    }
}
