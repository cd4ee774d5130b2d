//! What sesame needs of this machine, and how well that is. Nothing is changed.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use core_types::OciReference;
use extension_depot::{
    Depot, HistoryError, Installed, InstalledError, Listed, NotInstalled, Quarantine,
    StateFileError,
};
use extension_host::{CacheError, CodeCache, IntoCacheError, check_executable};

use super::health::Health;
use super::policy_stop::{PolicyCheck, PolicyStop};

/// A directory of sesame's.
#[derive(Debug)]
pub enum DirectoryState {
    /// It belongs to this user, and others cannot write to it.
    Own,
    /// It is made when it is needed.
    Missing,
    /// It cannot be looked at.
    Unreadable(io::Error),
    /// Something else has its name.
    NotDirectory,
    /// It belongs to this user of the system.
    OfAnother(u32),
    /// Every user of the system can write to it.
    WritableByAll,
    /// Its group can write to it.
    WritableByGroup,
}

/// Who can write to what.
const WRITABLE_BY_ALL: u32 = 0o002;
const WRITABLE_BY_GROUP: u32 = 0o020;
/// The system's own user, who can write anywhere.
const ROOT: u32 = 0;

impl DirectoryState {
    /// Looks at a directory for this user.
    pub fn of(path: &Path, user: u32) -> Self {
        match std::fs::metadata(path) {
            Ok(metadata) => Self::of_metadata(&metadata, user),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Missing,
            Err(error) => Self::Unreadable(error),
        }
    }

    fn of_metadata(metadata: &Metadata, user: u32) -> Self {
        if !metadata.is_dir() {
            Self::NotDirectory
        } else if metadata.uid() != user && metadata.uid() != ROOT {
            Self::OfAnother(metadata.uid())
        } else if metadata.mode() & WRITABLE_BY_ALL != 0 {
            Self::WritableByAll
        } else if metadata.mode() & WRITABLE_BY_GROUP != 0 {
            Self::WritableByGroup
        } else {
            Self::Own
        }
    }

    /// Returns how well it is.
    pub fn health(&self) -> Health {
        match self {
            Self::Own | Self::Missing => Health::Good,
            Self::WritableByGroup => Health::Warning,
            Self::Unreadable(_) | Self::NotDirectory | Self::OfAnother(_) | Self::WritableByAll => {
                Health::Bad
            }
        }
    }
}

/// The lock of all changes.
#[derive(Debug, PartialEq, Eq)]
pub enum LockState {
    /// No process changes anything.
    Free,
    /// This process changes something.
    Held(String),
    /// These directories are on file systems without locks, where nothing can be changed.
    Impossible(Vec<PathBuf>),
}

impl LockState {
    /// Looks at the lock without waiting for it.
    pub fn of(depot: &Depot) -> Self {
        let without = depot.directories_without_locks();
        match depot.lock_holder() {
            _ if !without.is_empty() => Self::Impossible(without),
            None => Self::Free,
            Some(process) => Self::Held(process),
        }
    }

    /// Returns how well it is.
    pub fn health(&self) -> Health {
        match self {
            Self::Free => Health::Good,
            Self::Held(_) => Health::Warning,
            Self::Impossible(_) => Health::Bad,
        }
    }
}

/// Why the files of an extension cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BrokenError {
    /// Its manifest or its artifact.
    #[error(transparent)]
    Installed(Box<InstalledError>),
    /// Its record.
    #[error(transparent)]
    Record(#[from] StateFileError),
    /// Its history.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// Whether an extension can be called.
#[derive(Debug)]
pub enum ExtensionState<'a> {
    /// It can be called.
    Whole(Box<Installed>),
    /// It has a manifest and is not installed.
    NotInstalled(NotInstalled),
    /// Its manifest, its record or its history cannot be read.
    Broken(BrokenError),
    /// Its binary is missing.
    WithoutBinary,
    /// Policy stops it. That is the administrator's choice, and not a problem.
    Stopped(PolicyStop<'a>),
    /// It failed too often.
    Quarantined(Quarantine),
}

impl From<InstalledError> for BrokenError {
    fn from(error: InstalledError) -> Self {
        Self::Installed(Box::new(error))
    }
}

impl<'a> ExtensionState<'a> {
    /// Looks at a listed extension.
    pub fn of(depot: &Depot, policies: &'a PolicyCheck<'_>, listed: &Listed) -> Self {
        let name = &listed.name;
        let installed = match depot.installed(name) {
            Ok(installed) => installed,
            Err(InstalledError::NotInstalled(error)) => return Self::NotInstalled(error),
            Err(error) => return Self::Broken(error.into()),
        };
        if depot.installed_with_binary(name).is_none() {
            return Self::WithoutBinary;
        }
        if let Err(error) = depot.record(name, &installed.artifact.digest) {
            return Self::Broken(error.into());
        }
        if let Err(error) = depot.history(name) {
            return Self::Broken(error.into());
        }
        match (policies.stop(&installed), &listed.quarantine) {
            (Some(stop), _) => Self::Stopped(stop),
            (None, Some(quarantine)) => Self::Quarantined(quarantine.clone()),
            (None, None) => Self::Whole(Box::new(installed)),
        }
    }

    /// Returns how well it is.
    pub fn health(&self) -> Health {
        match self {
            Self::Whole(_) => Health::Good,
            Self::NotInstalled(_) | Self::Stopped(_) | Self::Quarantined(_) => Health::Warning,
            Self::Broken(_) | Self::WithoutBinary => Health::Bad,
        }
    }
}

/// The cache of compiled code, and whether this process can run code from it.
#[derive(Debug)]
pub enum CodeState {
    /// Code runs. The number of files.
    Usable(usize),
    /// Code that is there runs, and no more can be kept.
    Full(usize, CacheError),
    /// Code does not run.
    NotExecutable(IntoCacheError),
    /// The cache cannot be read or relied on.
    Unusable(CacheError),
}

impl CodeState {
    /// Tries whether this process can run code from the cache, as a call does.
    pub fn of(cache: &CodeCache) -> Self {
        let files = match cache.unreferenced_files(&[]) {
            Ok(files) => files.len(),
            Err(error) => return Self::Unusable(error),
        };
        match check_executable(cache) {
            Ok(()) => Self::Usable(files),
            Err(IntoCacheError::Cache(error)) => Self::Full(files, error),
            Err(error) => Self::NotExecutable(error),
        }
    }

    /// Returns how well it is.
    pub fn health(&self) -> Health {
        match self {
            Self::Usable(_) => Health::Good,
            Self::Full(..) => Health::Warning,
            Self::NotExecutable(_) | Self::Unusable(_) => Health::Bad,
        }
    }
}

/// What the login session offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// A runtime directory and a session bus.
    Complete,
    /// No session bus: nothing can be shown, sent or kept in the keyring.
    WithoutBus,
    /// No runtime directory: nothing can be granted for a time.
    WithoutRuntimeDirectory,
}

impl SessionState {
    /// Makes the state of what is there.
    pub fn of(has_runtime_directory: bool, has_bus: bool) -> Self {
        match (has_runtime_directory, has_bus) {
            (true, true) => Self::Complete,
            (true, false) => Self::WithoutBus,
            (false, _) => Self::WithoutRuntimeDirectory,
        }
    }

    /// Returns how well it is.
    pub fn health(self) -> Health {
        match self {
            Self::Complete => Health::Good,
            Self::WithoutBus | Self::WithoutRuntimeDirectory => Health::Warning,
        }
    }
}

/// Returns the registries of these extensions, each with one reference to ask it for.
pub fn registries_of(listed: Vec<Listed>) -> BTreeMap<String, OciReference> {
    let manifests = listed.into_iter().filter_map(|listed| listed.manifest.ok());
    let references = manifests.filter_map(|loaded| loaded.manifest.extension.oci);
    let published = references.filter(|reference| !reference.is_local());
    published.map(|reference| (reference.registry().to_owned(), reference)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    use extension_depot::Places;

    use super::*;

    fn user() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    #[test]
    fn writers_of_a_directory_are_found() {
        let directory = tempfile::tempdir().expect("a directory");
        let of_mode = |mode| {
            set_permissions(directory.path(), Permissions::from_mode(mode)).expect("set");
            DirectoryState::of(directory.path(), user())
        };
        for (mode, health) in [
            (0o700, Health::Good),
            (0o755, Health::Good),
            (0o770, Health::Warning),
            (0o702, Health::Bad),
            (0o777, Health::Bad),
        ] {
            assert_eq!(of_mode(mode).health(), health, "{mode:o}");
        }
    }

    #[test]
    fn other_things_are_told_from_directories() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("file");
        let missing = DirectoryState::of(&file, user());
        assert!(matches!(missing, DirectoryState::Missing) && missing.health() == Health::Good);
        std::fs::write(&file, "").expect("written");
        let wrong = DirectoryState::of(&file, user());
        assert!(matches!(wrong, DirectoryState::NotDirectory) && wrong.health() == Health::Bad);
        let below = DirectoryState::of(&file.join("below"), user());
        assert!(matches!(below, DirectoryState::Unreadable(_)) && below.health() == Health::Bad);
    }

    /// A directory of root's is used by each user, as `/etc` is; root does not use a user's.
    #[test]
    fn directory_of_another_user_is_bad() {
        let directory = tempfile::tempdir().expect("a directory");
        let found = DirectoryState::of(directory.path(), user() + 1);
        if user() == ROOT {
            assert!(matches!(found, DirectoryState::Own), "{found:?}");
        } else {
            assert!(matches!(found, DirectoryState::OfAnother(owner) if owner == user()));
            assert_eq!(found.health(), Health::Bad);
        }
    }

    #[test]
    fn held_lock_is_a_warning() {
        let home = tempfile::tempdir().expect("a directory");
        let depot = Depot::new(Places::below(home.path()));
        assert_eq!(LockState::of(&depot), LockState::Free);
        let held = depot.lock().expect("free");
        let state = LockState::of(&Depot::new(Places::below(home.path())));
        assert_eq!(state, LockState::Held(std::process::id().to_string()));
        assert_eq!(state.health(), Health::Warning);
        drop(held);
        assert_eq!(LockState::of(&depot).health(), Health::Good);
        assert_eq!(LockState::Impossible(vec!["/mnt".into()]).health(), Health::Bad);
    }

    #[test]
    fn session_lacks_one_thing_at_a_time() {
        for (runtime, bus, expected) in [
            (true, true, SessionState::Complete),
            (true, false, SessionState::WithoutBus),
            (false, true, SessionState::WithoutRuntimeDirectory),
            (false, false, SessionState::WithoutRuntimeDirectory),
        ] {
            let found = SessionState::of(runtime, bus);
            assert_eq!(found, expected, "{runtime} {bus}");
            assert_eq!(found.health() == Health::Good, runtime && bus);
        }
    }

    #[test]
    fn missing_cache_is_usable() {
        let home = tempfile::tempdir().expect("a directory");
        let code = home.path().join("code");
        let state = CodeState::of(&CodeCache::new(code.clone()));
        assert!(matches!(state, CodeState::Usable(0)), "{state:?}");
        std::fs::create_dir(&code).expect("made");
        set_permissions(&code, Permissions::from_mode(0o777)).expect("set");
        let state = CodeState::of(&CodeCache::new(code));
        assert!(matches!(state, CodeState::Unusable(CacheError::NotOurs { .. })), "{state:?}");
        assert_eq!(state.health(), Health::Bad);
    }

    #[test]
    fn each_registry_is_asked_once() {
        let home = tempfile::tempdir().expect("a directory");
        let places = Places::below(home.path());
        std::fs::create_dir_all(places.extensions()).expect("made");
        for (name, oci) in [
            ("a", "ghcr.io/o/a:1.0.0"),
            ("b", "ghcr.io/o/b:1.0.0"),
            ("c", "local/file/c:0.0.0"),
            ("d", "quay.io/o/d:1.0.0"),
        ] {
            let text = format!("[extension]\noci = \"{oci}\"\n");
            std::fs::write(places.extensions().join(format!("{name}.toml")), text)
                .expect("written");
        }
        std::fs::write(places.extensions().join("e.toml"), "[").expect("written");
        let registries = registries_of(Depot::new(places).list().expect("listed"));
        assert_eq!(registries.keys().collect::<Vec<_>>(), ["ghcr.io", "quay.io"]);
    }
}
