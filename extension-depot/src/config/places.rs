//! Where everything lies. The only module that joins path names.

use std::path::{Path, PathBuf};
use std::{fs, io};

use core_types::{Digest, ExtensionName};
use private_files::{ensure_may_create, ensure_owned};

/// The directories of one user. Nothing here looks at the environment: whoever embeds this says
/// where they are.
///
/// ```
/// use extension_depot::Places;
///
/// let places = Places::below("/tmp/home");
/// assert!(places.blobs().ends_with("config/extensions/blobs/sha256"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The configuration of the user: `~/.config/pds`.
    pub config: PathBuf,
    /// The state of sesame: `~/.local/state/pds`.
    pub state: PathBuf,
    /// Files that can be created again: `~/.cache/pds`.
    pub cache: PathBuf,
    /// Files of the login session: `$XDG_RUNTIME_DIR/pds`. Without it, nothing can be granted for a
    /// while.
    pub runtime: Option<PathBuf>,
    /// The policy of the system: `/etc/pds/policy.toml`.
    pub system_policy: PathBuf,
}

/// A directory that is not to be relied on.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be relied on", path.display())]
pub struct PlaceError {
    /// The directory.
    pub path: PathBuf,
    /// The problem with it.
    pub source: io::Error,
}

impl Places {
    /// Returns all places below one directory, for tests and demonstrations.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self {
            config: root.join("config"),
            state: root.join("state"),
            cache: root.join("cache"),
            runtime: Some(root.join("runtime")),
            system_policy: root.join("policy.toml"),
        }
    }

    /// Checks that the directories of these that are there belong to this user or to root, that not
    /// everybody can write to them, and that their names can be written into documents.
    ///
    /// # Errors
    /// The first that is not so.
    pub fn ensure_own(&self) -> Result<(), PlaceError> {
        let all = [&self.config, &self.extensions(), &self.state];
        all.into_iter().try_for_each(|path| {
            let wrong = |source| PlaceError { path: path.clone(), source };
            if path.to_str().is_none() {
                return Err(wrong(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "its name is not UTF-8",
                )));
            }
            match fs::metadata(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    ensure_may_create(path).map_err(wrong)
                }
                metadata => metadata.and_then(|metadata| ensure_owned(&metadata)).map_err(wrong),
            }
        })
    }

    /// Manifests and artifacts; also the root of the OCI layout.
    pub fn extensions(&self) -> PathBuf {
        self.config.join("extensions")
    }

    /// Returns the manifest of an extension.
    pub fn manifest(&self, name: &ExtensionName) -> PathBuf {
        self.extensions().join(format!("{name}.toml"))
    }

    /// Returns the blobs of the layout.
    pub fn blobs(&self) -> PathBuf {
        self.extensions().join("blobs").join("sha256")
    }

    /// Returns a blob of the layout.
    pub fn blob(&self, digest: &Digest) -> PathBuf {
        self.blobs().join(digest.hex())
    }

    /// Returns the file that says that this is an OCI layout.
    pub(crate) fn layout_marker(&self) -> PathBuf {
        self.extensions().join("oci-layout")
    }

    /// Returns the index of the layout.
    pub fn index(&self) -> PathBuf {
        self.extensions().join("index.json")
    }

    /// Artifacts that are not installed yet. It lies beside the blobs, so that they can be renamed
    /// into place.
    pub fn staging(&self) -> PathBuf {
        self.extensions().join(".staging")
    }

    /// What sesame remembers about extensions.
    pub(crate) fn extension_state(&self) -> PathBuf {
        self.state.join("extensions")
    }

    /// Returns the lock that changes are made under.
    pub(crate) fn lock(&self) -> PathBuf {
        self.extension_state().join("lock")
    }

    /// Returns the records of all extensions.
    pub(crate) fn all_records(&self) -> PathBuf {
        self.extension_state().join("records")
    }

    /// Returns the records of an extension, one for each digest.
    pub fn records(&self, name: &ExtensionName) -> PathBuf {
        self.all_records().join(name.as_str())
    }

    /// Returns the record of an extension with this digest.
    pub fn record(&self, name: &ExtensionName, digest: &Digest) -> PathBuf {
        self.records(name).join(format!("{}.json", digest.hex()))
    }

    /// Returns the generations of all extensions.
    pub(crate) fn histories(&self) -> PathBuf {
        self.extension_state().join("history")
    }

    /// Returns the generations of an extension.
    pub fn history(&self, name: &ExtensionName) -> PathBuf {
        self.histories().join(name.as_str())
    }

    /// One generation of an extension.
    pub(crate) fn generation(&self, name: &ExtensionName, number: u32) -> PathBuf {
        self.history(name).join(format!("{number:06}.json"))
    }

    /// Returns when tags were first seen, for all repositories.
    pub(crate) fn first_seen_all(&self) -> PathBuf {
        self.extension_state().join("first-seen")
    }

    /// Returns when the tags of a repository were first seen; `repository` is the digest of its
    /// name.
    pub(crate) fn first_seen(&self, repository: &Digest) -> PathBuf {
        self.first_seen_all().join(format!("{}.json", repository.hex()))
    }

    /// Returns the manifests that removed extensions had.
    pub(crate) fn removed_manifests(&self) -> PathBuf {
        self.extension_state().join("removed")
    }

    /// Returns the manifest that a removed extension had, for those who change their mind.
    pub fn removed_manifest(&self, name: &ExtensionName) -> PathBuf {
        self.removed_manifests().join(format!("{name}.toml"))
    }

    /// Returns the directory of the lists that `sync` followed.
    pub(crate) fn followed_lists(&self) -> PathBuf {
        self.extension_state().join("lists")
    }

    /// Returns the file of one list; `list` is the digest of its name.
    pub(crate) fn followed_list(&self, list: &Digest) -> PathBuf {
        self.followed_lists().join(format!("{}.json", list.hex()))
    }

    /// Returns the tags that repositories had when they were listed last, for completion.
    pub fn tag_listings(&self) -> PathBuf {
        self.cache.join("tags")
    }

    /// Returns the tags of one repository; `repository` is the digest of its name.
    pub fn tag_listing(&self, repository: &Digest) -> PathBuf {
        self.tag_listings().join(repository.hex())
    }

    /// Returns the file of trusted signers.
    pub(crate) fn trust(&self) -> PathBuf {
        self.config.join("trust.toml")
    }

    /// Who signed first, for all repositories.
    pub(crate) fn first_uses(&self) -> PathBuf {
        self.extension_state().join("first-use")
    }

    /// Who signed first; `repository` is the digest of its name.
    pub(crate) fn first_use(&self, repository: &Digest) -> PathBuf {
        self.first_uses().join(format!("{}.json", repository.hex()))
    }

    /// Returns the directory with the storage of all extensions.
    pub(crate) fn storages(&self) -> PathBuf {
        self.extension_state().join("storage")
    }

    /// Logins, where their user wants them in a file.
    pub fn logins(&self) -> PathBuf {
        self.state.join("credentials.json")
    }

    /// Returns the log of an extension.
    pub fn log(&self, name: &ExtensionName) -> PathBuf {
        self.extension_state().join("logs").join(format!("{name}.log"))
    }

    /// Returns the moments of timers.
    pub(crate) fn event_times(&self) -> PathBuf {
        self.extension_state().join("events").join("state")
    }

    /// Returns the login sessions in which the session service began.
    pub(crate) fn begun_sessions(&self) -> PathBuf {
        self.extension_state().join("events").join("sessions")
    }

    /// Returns the extensions that the session service runs.
    pub(crate) fn running_extensions(&self) -> PathBuf {
        self.extension_state().join("events").join("running")
    }

    /// Returns the last crashes of the session service.
    pub(crate) fn service_crashes(&self) -> PathBuf {
        self.extension_state().join("events").join("crashes")
    }

    /// Returns the lock of the session service. It is of the login session where there is one.
    pub(crate) fn session_claim(&self) -> PathBuf {
        self.runtime.clone().unwrap_or_else(|| self.extension_state()).join("session.lock")
    }

    /// Returns the directories in which something lies that changes what may wake an extension, or
    /// how: manifests, timed grants, failures, the configuration and the policy of the system.
    pub fn decisive(&self) -> Vec<PathBuf> {
        let health = self.extension_state().join("health");
        let system = self.system_policy.parent().map(Path::to_owned);
        let grants = self.runtime.as_ref().map(|runtime| runtime.join("grants"));
        let own = [self.extensions(), self.config.clone(), self.config.join("config.d"), health];
        own.into_iter().chain(grants).chain(system).collect()
    }

    /// Returns the directory of the activity log.
    pub(crate) fn activity(&self) -> PathBuf {
        self.extension_state().join("activity")
    }

    /// Returns how often an extension failed recently.
    pub(crate) fn health(&self, name: &ExtensionName) -> PathBuf {
        self.extension_state().join("health").join(format!("{name}.json"))
    }

    /// Returns the grants of an extension that end.
    pub(crate) fn timed_grants(&self, name: &ExtensionName) -> Option<PathBuf> {
        Some(self.runtime.as_ref()?.join("grants").join(format!("{name}.toml")))
    }

    /// Returns the questions for permissions that were asked in this login session.
    pub(crate) fn asked_questions(&self) -> Option<PathBuf> {
        Some(self.runtime.as_ref()?.join("questions.json"))
    }

    /// Returns the states of the machine that extensions were told in this login session.
    pub(crate) fn told_states(&self) -> Option<PathBuf> {
        Some(self.runtime.as_ref()?.join("told.json"))
    }

    /// What extensions did in the last minute. It belongs to the session, and is kept elsewhere
    /// rather than not at all.
    pub fn rates(&self) -> PathBuf {
        self.runtime.clone().unwrap_or_else(|| self.extension_state()).join("rates")
    }

    /// Everything that is sesame's own, and that no extension may be let into.
    pub fn protected(&self) -> Vec<PathBuf> {
        let system = self.system_policy.parent().map(Path::to_owned);
        [&self.config, &self.state, &self.cache]
            .into_iter()
            .chain(&self.runtime)
            .cloned()
            .chain(system)
            .collect()
    }

    /// Compiled code.
    pub fn code(&self) -> PathBuf {
        self.cache.join("extensions")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns every place that is made of a name.
    fn all(places: &Places, name: &ExtensionName) -> Vec<PathBuf> {
        vec![places.manifest(name), places.history(name), places.health(name), places.log(name)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        /// Different names have different places below the root.
        #[test]
        fn names_have_distinct_places(
            one in "[a-z0-9][a-z0-9-]{0,63}", other in "[a-z0-9][a-z0-9-]{0,63}",
        ) {
            let places = Places::below("/root");
            let names: [ExtensionName; 2] = [one.parse().expect("a name"), other.parse().expect("a name")];
            let [ones, others] = names.each_ref().map(|name| all(&places, name));
            for path in ones.iter().chain(&others) {
                prop_assert!(path.starts_with("/root") && !path.components().any(|part| part.as_os_str() == ".."));
            }
            let folded = |path: &PathBuf| path.to_string_lossy().to_lowercase();
            let shared = ones.iter().map(folded).filter(|path| others.iter().map(folded).any(|other| other == *path)).count();
            prop_assert_eq!(shared, if one == other { ones.len() } else { 0 });
        }
    }
}
