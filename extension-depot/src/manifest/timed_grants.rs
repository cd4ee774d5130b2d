//! The grants that end, as files of the login session, and all that is in force for an extension.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use core_types::{
    Authority, Document, EffectiveLimits, ExtensionName, Identity, OciReference, Owner,
    Permissions, TimedGrants, TomlProblem,
};

use crate::config::user_config::UserConfig;
use crate::files::durable;
use crate::oci::blob::open_plain;
use crate::store::depot::{Depot, Installed};
use crate::store::depot_error::DepotError;

/// The largest file of timed grants, in bytes.
const MAX_SIZE: u64 = 1 << 20;

/// Why grants that end cannot be had or given.
#[derive(Debug, thiserror::Error)]
pub enum TimedGrantsError {
    /// There is nowhere to keep them that goes with the session.
    #[error("this session has no runtime directory, so nothing can be granted for a while")]
    NoSession,
    /// Somebody else could have written them.
    #[error("`{}` is not this user's alone", path.display())]
    NotOurs {
        /// The file or directory.
        path: PathBuf,
    },
    /// The file says something else than grants.
    #[error("the grants in `{}` are wrong: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What, and where in the file.
        problem: TomlProblem,
    },
    /// The system refuses.
    #[error("cannot use the grants in `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Depot {
    /// The grants that end of the extension of this name and origin, those that have ended
    /// included.
    ///
    /// # Errors
    /// When they are there and cannot be used. Grants that cannot be read grant nothing.
    pub fn timed_grants(
        &self,
        name: &ExtensionName,
        identity: &Identity,
    ) -> Result<TimedGrants, TimedGrantsError> {
        let Some(path) = self.places().timed_grants(name) else {
            return Ok(TimedGrants::default());
        };
        let text = match read(&path) {
            Ok(text) => text,
            Err(TimedGrantsError::Io { source, .. })
                if source.kind() == io::ErrorKind::NotFound =>
            {
                return Ok(TimedGrants::default().of(identity));
            }
            Err(error) => return Err(error),
        };
        let parsed = TimedGrants::parse(&text)
            .map_err(|problem| TimedGrantsError::Content { path, problem })?;
        Ok(parsed.of(identity))
    }

    /// Changes the grants of an extension that end. `change` says whether it changed anything.
    /// Gives back what it said. Where they were decided for an artifact, it is `decided_for`.
    ///
    /// # Errors
    /// [`DepotError::Changed`] when something else has the name by now. When there is no such
    /// extension, no session to end with, or the file cannot be used.
    pub fn change_timed_grants(
        &self,
        name: &ExtensionName,
        decided_for: Option<&OciReference>,
        change: impl FnOnce(&mut TimedGrants) -> bool,
    ) -> Result<bool, DepotError> {
        let _lock = self.lock()?;
        let reference = self.existing_manifest(name)?.manifest.extension.oci;
        let not_installed = || DepotError::NotInstalled { name: name.clone(), reference: None };
        let reference = reference.ok_or_else(not_installed)?;
        if decided_for.is_some_and(|decided_for| *decided_for != reference) {
            return Err(DepotError::Changed { name: name.clone() });
        }
        let mut grants = self.timed_grants(name, &reference.identity())?;
        if !change(&mut grants) {
            return Ok(false);
        }
        let path = self.places().timed_grants(name).ok_or(TimedGrantsError::NoSession)?;
        write(&path, &grants).map_err(|source| TimedGrantsError::Io { path, source })?;
        Ok(true)
    }

    /// Forgets the grants of an extension that end.
    pub(crate) fn forget_timed_grants(&self, name: &ExtensionName) -> Result<(), DepotError> {
        let Some(path) = self.places().timed_grants(name) else { return Ok(()) };
        durable::remove(&path).map(drop).map_err(|source| DepotError::Io { path, source })
    }

    /// What is in force for an installed extension at this moment: its manifest and the grants of
    /// this session, within every policy. Looked at for every call, a grant that was taken away or
    /// has ended is felt by the next.
    ///
    /// # Errors
    /// When the grants of the session cannot be read.
    pub fn permissions(
        &self,
        installed: &Installed,
        config: &UserConfig,
    ) -> Result<Permissions, TimedGrantsError> {
        let Installed { name, loaded, reference, .. } = installed;
        let authority = Authority {
            capabilities: Some(loaded.manifest.granted()),
            manifest: Document::from(loaded),
            timed: self.timed_grants(name, &reference.identity())?,
            policies: config.policies.clone(),
        };
        Ok(Permissions {
            owner: Owner { name: name.clone(), identity: reference.identity() },
            authority,
            limits: EffectiveLimits::new(&loaded.manifest.limits, &config.ceilings()),
            config: loaded.manifest.config.clone(),
        })
    }
}

fn read(path: &Path) -> Result<String, TimedGrantsError> {
    let io_error = |source| TimedGrantsError::Io { path: path.to_owned(), source };
    let (file, metadata) = open_plain(path).map_err(io_error)?;
    let is_ours =
        metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o022 == 0;
    if !is_ours || metadata.len() > MAX_SIZE {
        return Err(TimedGrantsError::NotOurs { path: path.to_owned() });
    }
    io::read_to_string(file).map_err(io_error)
}

/// Nothing is synced to a disk that there is not: the directory lies in memory.
fn write(path: &Path, grants: &TimedGrants) -> io::Result<()> {
    if grants.is_empty() {
        return durable::remove(path).map(drop);
    }
    if let Some(directory) = path.parent() {
        durable::create_directory(directory)?;
        durable::remove_leftovers(directory);
        let is_private = fs::metadata(directory)?.mode() & 0o022 == 0;
        if !is_private {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "others can write in its directory",
            ));
        }
    }
    durable::write(path, grants.to_text().map_err(io::Error::other)?.as_bytes())
}
