//! The configuration of the user and the administrator.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use core_types::{
    Capability, Ceilings, Decision, Document, Grant, OciPrefix, OciReference, Parsed, Period,
    Policy, RequiredSigner, SignerRule, SourceRefusal, TomlLeaf, TomlProblem, UnknownKey,
    denied_by_policy, parse_toml, toml_leaves,
};
use private_files::read_private_text;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::config::places::Places;
use crate::config::redirect_host::RedirectHost;
use crate::source::web_address::WebAddress;
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
    /// All policies that hold, with the file that each stands in.
    pub policies: Vec<(Policy, Document)>,
    /// Keys that mean nothing, with their files.
    pub unknown_keys: Vec<(PathBuf, UnknownKey)>,
    /// The files, from the one that counts least on; the system's policy first.
    documents: Vec<Document>,
    /// Whether the first of them is the system's policy, whose keys stand at its top level.
    has_system_policy: bool,
}

/// A file of the configuration, and its unknown keys or its problem.
pub type CheckedFile = (PathBuf, Result<Vec<UnknownKey>, ConfigFileError>);

/// One value that is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key with its tables, as TOML has it; those of the system's policy below
    /// `extensions.policy`.
    pub key: String,
    /// The value as it is written.
    pub value: String,
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
}

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFileError {
    /// It cannot be read.
    #[error("cannot read the configuration `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A policy names a file that its rules cannot be checked with.
    #[error("the policy in `{}` names `{}`, which cannot be used", path.display(), file.display())]
    Signer {
        /// The file of the policy.
        path: PathBuf,
        /// The file that it names.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What stands in it is wrong.
    #[error("the configuration `{}` is wrong: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What, and where in the file.
        problem: TomlProblem,
    },
}

/// A policy does not let extensions come from a place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy does not let extensions come from `{source_of}`: {refusal}")]
pub struct PolicyRefusal {
    /// The place.
    pub source_of: String,
    /// Why not.
    pub refusal: SourceRefusal,
    /// The file that says so.
    pub policy: PathBuf,
}

/// The settings of one registry: `[registries."host:port"]`.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RegistrySettings {
    /// `plain_http`: whether to talk HTTP without TLS. Default: only with loopback addresses.
    pub plain_http: Option<bool>,
    /// `token_hosts`: hosts that may be given this registry's credentials for a token. Default:
    /// none beside the registry itself and the pairs that are built in.
    pub token_hosts: Vec<String>,
    /// `mirrors`: where the same repositories are asked for first, as `host[:port][/path in front
    /// of the repository]`. The registry itself is asked where every mirror fails. A mirror is
    /// believed about tags as the registry is; bytes are checked against digests all the same.
    /// Default: none.
    pub mirrors: Vec<OciPrefix>,
    /// `allow-redirect-to`: private addresses, as `host:port`, to which the registry may redirect,
    /// as to a store of blobs on the same network. Every other rule for redirects stays. Default:
    /// none.
    #[serde(rename = "allow-redirect-to")]
    pub allow_redirect_to: Vec<RedirectHost>,
    /// `timeout_seconds`: how long is waited for the registry to connect and for the next bytes of
    /// an answer. A whole answer has at least twenty times as long. Default: 10 seconds to connect,
    /// 30 for the next bytes, 10 minutes in all.
    pub timeout_seconds: Option<NonZeroU32>,
    /// `ca`: a file with certificate authorities (PEM) that are trusted beside the system's while
    /// this registry is talked to. Default: none.
    pub ca: Option<PathBuf>,
}

#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfigFile {
    registries: BTreeMap<String, RegistrySettings>,
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

    /// Returns every value that is in force, with where it stands. All policies hold; of the
    /// settings of a registry, those in the last file that has any.
    pub fn settings(&self) -> Vec<Setting> {
        let all: Vec<_> = self
            .documents
            .iter()
            .enumerate()
            .flat_map(|(at, document)| self.written(at, document))
            .collect();
        let table = |keys: &[String]| {
            keys.get(..2).filter(|keys| keys[0] == "registries").map(<[String]>::to_vec)
        };
        let last = |keys: &[String]| {
            table(keys)
                .and_then(|table| all.iter().rev().find(|(other, _)| other.starts_with(&table)))
        };
        let is_in_force = |(keys, setting): &&(Vec<String>, Setting)| {
            last(keys).is_none_or(|(_, winner)| winner.path == setting.path)
        };
        all.iter().filter(is_in_force).map(|(_, setting)| setting.clone()).collect()
    }

    fn written(&self, at: usize, document: &Document) -> Vec<(Vec<String>, Setting)> {
        let above: &[&str] =
            if at == 0 && self.has_system_policy { &["extensions", "policy"] } else { &[] };
        let setting = |leaf: TomlLeaf| {
            let keys: Vec<_> = above.iter().map(|key| (*key).to_owned()).chain(leaf.keys).collect();
            let key = keys.iter().map(|key| written_key(key)).collect::<Vec<_>>().join(".");
            (keys, Setting { key, value: leaf.value, path: document.path.clone(), line: leaf.line })
        };
        toml_leaves(&document.text).into_iter().map(setting).collect()
    }

    /// Checks that every policy lets extensions come from there.
    ///
    /// # Errors
    /// With the first policy that does not.
    pub fn check_source(&self, reference: &OciReference) -> Result<(), PolicyRefusal> {
        self.check_policies(reference.identity().as_str(), |policy| policy.check_source(reference))
    }

    /// Checks that every policy lets extensions come from a file of a web server. Where only some
    /// places are allowed, its host has to be among them.
    ///
    /// # Errors
    /// With the first policy that does not.
    pub fn check_address(&self, address: &WebAddress) -> Result<(), PolicyRefusal> {
        self.check_policies(&address.to_string(), |policy| {
            policy.check_place(address.host(), &address.path())
        })
    }

    fn check_policies(
        &self,
        source_of: &str,
        check: impl Fn(&Policy) -> Result<(), SourceRefusal>,
    ) -> Result<(), PolicyRefusal> {
        self.policies.iter().try_for_each(|(policy, document)| {
            check(policy).map_err(|refusal| PolicyRefusal {
                source_of: source_of.to_owned(),
                refusal,
                policy: document.path.clone(),
            })
        })
    }

    /// Whose signature a policy misses, in words, where this signer signed or none did.
    /// `is_trusted` says whether the user trusts them.
    pub(crate) fn missing_signer(
        &self,
        reference: &OciReference,
        signed_by: Option<&Signer>,
        is_trusted: &dyn Fn(&Signer) -> bool,
    ) -> Option<String> {
        let is_named =
            |signer: &Signer| self.signer_rules(reference).any(|rule| signer.is_meant_by(rule));
        self.policies.iter().find_map(|(policy, document)| {
            let policy_file = document.path.display();
            match policy.required_signer(reference) {
                RequiredSigner::Nobody => None,
                RequiredSigner::Anybody
                    if signed_by.is_some_and(|by| is_trusted(by) || is_named(by)) =>
                {
                    None
                }
                RequiredSigner::Anybody => {
                    Some(format!("a trusted signer (`require_signature` in `{policy_file}`)"))
                }
                RequiredSigner::One(rules) => {
                    let is_by = |rule: &&SignerRule| {
                        signed_by.is_some_and(|signer| signer.is_meant_by(rule))
                    };
                    let all =
                        || rules.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                    let missing =
                        || format!("one of `trusted_signers` in `{policy_file}`: {}", all());
                    (!rules.iter().any(is_by)).then(missing)
                }
            }
        })
    }

    /// Returns the signers that policies name for a place.
    pub(crate) fn signer_rules(
        &self,
        reference: &OciReference,
    ) -> impl Iterator<Item = &SignerRule> {
        self.policies.iter().flat_map(|(policy, _)| match policy.required_signer(reference) {
            RequiredSigner::One(rules) => rules,
            RequiredSigner::Nobody | RequiredSigner::Anybody => Vec::new(),
        })
    }

    /// Returns whether a policy requires a signature of artifacts from there.
    pub(crate) fn wants_signature(&self, reference: &OciReference) -> bool {
        self.policies
            .iter()
            .any(|(policy, _)| policy.required_signer(reference) != RequiredSigner::Nobody)
    }

    /// Returns whether a policy says where extensions may come from.
    pub fn restricts_sources(&self) -> bool {
        self.policies.iter().any(|(policy, _)| policy.allowed_registries.is_some())
    }

    /// Returns whether a policy lets the extensions of this list have this without a question.
    pub fn preapproves(&self, list: &OciReference, grant: &Grant) -> bool {
        self.policies.iter().any(|(policy, _)| policy.preapproves(list, grant))
    }

    /// Returns whether this list may demand that `sync` removes the extensions that it lost: some
    /// policy has to say so, and none that names lists may leave it out.
    pub fn lets_prune(&self, list: &OciReference) -> bool {
        let said: Vec<_> =
            self.policies.iter().filter_map(|(policy, _)| policy.lets_prune(list)).collect();
        !said.is_empty() && said.into_iter().all(|allowed| allowed)
    }

    /// Returns why no grant of this capability has an effect, if a policy denies it.
    pub fn denial(&self, capability: Capability) -> Option<Decision<'_>> {
        denied_by_policy(capability, &self.policies)
    }

    /// Returns how long ago a version has to have been seen first before it is taken; the longest
    /// that any policy wants.
    pub fn min_release_age(&self) -> Option<Period> {
        self.policies.iter().filter_map(|(policy, _)| policy.min_release_age).max()
    }

    /// Returns the ceilings of all policies.
    pub fn ceilings(&self) -> Vec<Ceilings> {
        let ceilings = |(policy, document): &(Policy, Document)| Ceilings {
            limits: policy.limits.clone(),
            source: document.path.clone(),
        };
        self.policies.iter().map(ceilings).collect()
    }
}

/// Returns a key as it is written in TOML: bare where that is possible.
fn written_key(key: &str) -> String {
    let is_bare = !key.is_empty()
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if is_bare { key.to_owned() } else { toml_edit::Value::from(key).to_string() }
}

/// Returns whether nothing at all has this path. A dangling link counts: a policy that cannot be
/// read is not an absent policy.
fn is_absent(path: &Path) -> bool {
    let is_there = |parent: &Path| fs::metadata(parent).is_ok() || is_absent(parent);
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.parent().is_none_or(is_there),
        _ => false,
    }
}

/// `config.toml`, then the files of `config.d` in the order of their names.
fn config_files(directory: &Path) -> Result<Vec<PathBuf>, ConfigFileError> {
    let more = directory.join("config.d");
    let entries = match fs::read_dir(&more) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_absent(&more) => {
            return Ok(vec![directory.join("config.toml")]);
        }
        Err(source) => return Err(ConfigFileError::Read { path: more, source }),
    };
    let paths: io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(|source| ConfigFileError::Read { path: more, source })?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths.insert(0, directory.join("config.toml"));
    Ok(paths)
}

#[cfg(test)]
mod tests {
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
