//! The collection of installed extensions.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use core_types::{ExtensionName, OciReference};
use private_files::{FileError, can_sync_directory, is_without_locks, names_in};

use crate::activity::ActivityError;
use crate::activity::quarantine::Quarantine;
use crate::config::places::Places;
use crate::files::lock;
use crate::files::state_file::StateFileError;
use crate::manifest::manifest_file::{LoadedManifest, ManifestError};
use crate::oci::artifact::{Artifact, ArtifactError};
use crate::oci::binary::Binary;
use crate::source::staging::{Staging, StagingError};
use crate::store::installed_error::{ExtensionNotFound, FindError, InstalledError, NotInstalled};
use crate::store::layout::Layout;

/// The installed extensions of one user.
///
/// Any number of processes can use it at once. Reading needs no lock: every file is replaced as a
/// whole, and the digest in a manifest leads to bytes that never change. The manifest is written
/// last and removed first, so that its artifact is there.
///
/// ```
/// use extension_depot::{Depot, Places};
///
/// # let home = tempfile::tempdir()?;
/// let depot = Depot::new(Places::below(home.path()));
/// assert!(depot.list()?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Depot {
    places: Places,
    waiting: Box<dyn Fn() + Send + Sync>,
    unlogged: Box<dyn Fn(&ActivityError) + Send + Sync>,
}

/// An extension that is there in full.
#[derive(Debug, Clone)]
pub struct Installed {
    /// Its name.
    pub name: ExtensionName,
    /// Its manifest.
    pub loaded: LoadedManifest,
    /// Where it came from, pinned.
    pub reference: OciReference,
    /// The pinned artifact.
    pub artifact: Artifact,
    /// Its WebAssembly binary.
    pub(crate) binary: Binary,
}

impl Installed {
    /// Returns its WebAssembly binary. The bytes are not read here.
    pub fn binary(&self) -> &Binary {
        &self.binary
    }
}

/// One manifest in the directory of manifests, good or bad.
#[derive(Debug)]
pub struct Listed {
    /// The extension.
    pub name: ExtensionName,
    /// Its manifest, or the problem with it.
    pub manifest: Result<LoadedManifest, ManifestError>,
    /// Whether the bytes that the manifest is pinned to are there.
    pub is_installed: bool,
    /// Why it is quarantined, if it is.
    pub quarantine: Option<Quarantine>,
}

/// The reads of an extension that other processes keep changing. One change between two reads is
/// rare already.
const MAX_READS: usize = 10;

impl Depot {
    /// Creates a depot in these places. Nothing is touched before it is needed.
    pub fn new(places: Places) -> Self {
        Self { places, waiting: Box::new(|| {}), unlogged: Box::new(|_| {}) }
    }

    /// Calls `waiting` when a change has to wait for another process.
    pub fn on_waiting(mut self, waiting: impl Fn() + Send + Sync + 'static) -> Self {
        self.waiting = Box::new(waiting);
        self
    }

    /// Calls `unlogged` when a change that was made is missing in the activity log.
    pub fn on_unlogged(
        mut self,
        unlogged: impl Fn(&ActivityError) + Send + Sync + 'static,
    ) -> Self {
        self.unlogged = Box::new(unlogged);
        self
    }

    pub(crate) fn report_unlogged(&self, error: &ActivityError) {
        (self.unlogged)(error);
    }

    /// Returns where everything lies.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Returns the callback for changes that have to wait.
    pub(crate) fn waiting(&self) -> &dyn Fn() {
        &self.waiting
    }

    /// Returns the image layout with the artifacts.
    pub(crate) fn layout(&self) -> Layout<'_> {
        Layout { places: &self.places }
    }

    /// Returns the process that holds the lock now, as far as it said so; nothing when the lock is
    /// free.
    pub fn lock_holder(&self) -> Option<String> {
        lock::holder(&self.places.lock())
    }

    /// Returns a place for an artifact that is about to arrive.
    pub(crate) fn staging(&self) -> Result<Staging, StagingError> {
        Staging::new(&self.places.staging())
    }

    /// Returns the directories whose file systems cannot make names durable: the files of a change
    /// are whole there, and may be missing after a power cut.
    pub fn unsynced_directories(&self) -> Vec<PathBuf> {
        let directories = [self.places.extensions(), self.places.extension_state()];
        let is_unsynced = |directory: &PathBuf| matches!(can_sync_directory(directory), Ok(false));
        directories.into_iter().filter(is_unsynced).collect()
    }

    /// Returns the directories whose file systems lack locks: nothing can be changed there.
    pub fn directories_without_locks(&self) -> Vec<PathBuf> {
        let directories = [self.places.extensions(), self.places.extension_state()];
        directories.into_iter().filter(|directory| is_without_locks(directory)).collect()
    }

    /// Returns every manifest, in the order of the names. Files with other names than extensions
    /// have are left out.
    ///
    /// # Errors
    /// When the directory of manifests, blobs or failures is there and cannot be read. A bad
    /// manifest is not an error: it is listed as bad.
    pub fn list(&self) -> Result<Vec<Listed>, FileError> {
        let files = names_in(&self.places.extensions())?;
        let name_of =
            |file: &OsStr| file.to_str()?.strip_suffix(".toml")?.parse::<ExtensionName>().ok();
        let mut names: Vec<_> = files.iter().filter_map(|file| name_of(file)).collect();
        names.sort();
        let (blobs, failed) = (self.layout().blob_names()?, self.failed()?);
        Ok(names.into_iter().filter_map(|name| self.listed(name, &blobs, &failed)).collect())
    }

    fn listed(
        &self,
        name: ExtensionName,
        blobs: &HashSet<OsString>,
        failed: &HashSet<ExtensionName>,
    ) -> Option<Listed> {
        let manifest = LoadedManifest::read(&self.places.manifest(&name), &name).transpose()?;
        let digest =
            manifest.as_ref().ok().and_then(LoadedManifest::pinned).map(|(_, digest)| digest);
        let digest = digest.filter(|digest| blobs.contains(OsStr::new(&digest.hex())));
        let quarantine = digest
            .filter(|_| failed.contains(&name))
            .and_then(|digest| self.quarantine(&name, &digest));
        Some(Listed { name, manifest, is_installed: digest.is_some(), quarantine })
    }

    /// Returns the manifest of an extension, or nothing if there is none.
    ///
    /// # Errors
    /// When it is there and cannot be used.
    pub fn manifest(&self, name: &ExtensionName) -> Result<Option<LoadedManifest>, ManifestError> {
        LoadedManifest::read(&self.places.manifest(name), name)
    }

    /// Returns the manifest of an extension.
    ///
    /// # Errors
    /// [`FindError::NotFound`] when there is none, or when it cannot be used.
    pub fn existing_manifest(&self, name: &ExtensionName) -> Result<LoadedManifest, FindError> {
        Ok(self.manifest(name)?.ok_or_else(|| ExtensionNotFound { name: name.clone() })?)
    }

    /// Returns an extension whose manifest and artifact are there. The documents of the artifact
    /// are verified; the binary is not read. Where another process replaces or removes it in the
    /// meantime, it is read again.
    ///
    /// # Errors
    /// When there is none, or a part of it is missing or damaged.
    pub fn installed(&self, name: &ExtensionName) -> Result<Installed, InstalledError> {
        let path = self.places.manifest(name);
        for _ in 1..MAX_READS {
            let before = file_version(&path);
            match self.read_installed(name) {
                // The artifact of an older manifest goes when it is unreferenced.
                Err(InstalledError::Artifact { .. }) if file_version(&path) != before => {}
                result => return result,
            }
        }
        self.read_installed(name)
    }

    pub(crate) fn read_installed(&self, name: &ExtensionName) -> Result<Installed, InstalledError> {
        let loaded = self.existing_manifest(name)?;
        let Some((reference, digest)) = loaded.pinned() else {
            let reference = loaded.manifest.extension.oci;
            return Err(NotInstalled { name: name.clone(), reference }.into());
        };
        let of_artifact = |source| InstalledError::Artifact {
            name: name.clone(),
            reference: reference.clone(),
            source,
        };
        let artifact = self.layout().artifact(digest).map_err(of_artifact)?;
        let binary =
            self.binary(name, &artifact)?.ok_or_else(|| of_artifact(ArtifactError::Unrecorded))?;
        Ok(Installed { name: name.clone(), loaded, reference, artifact, binary })
    }

    /// Returns the binary of an artifact of this extension, which is neither read nor looked for
    /// here. Where it was unpacked from a layer, the record has its digest; nothing where the
    /// record is missing.
    pub(crate) fn binary(
        &self,
        name: &ExtensionName,
        artifact: &Artifact,
    ) -> Result<Option<Binary>, StateFileError> {
        // A call reads no record where the documents name the binary.
        let record = match artifact.declared() {
            Some(_) => None,
            None => self.record(name, &artifact.digest)?,
        };
        Ok(self.binary_of(artifact, record.as_ref()))
    }

    /// Returns the extension of this name, if everything that its manifest is pinned to is there,
    /// as far as can be seen without reading the binary.
    pub fn installed_with_binary(&self, name: &ExtensionName) -> Option<Installed> {
        let installed = self.installed(name).ok()?;
        installed.binary.path.exists().then_some(installed)
    }

    /// Returns the artifact of a pinned reference, if its documents are there.
    pub(crate) fn artifact_of(&self, reference: &OciReference) -> Option<Artifact> {
        let digest = reference.pinned_digest().ok().flatten()?;
        self.layout().artifact(digest).ok()
    }
}

/// What tells one version of a file that is replaced as a whole from another; nothing where there
/// is none.
fn file_version(path: &Path) -> Option<(u64, i64, i64)> {
    let metadata = path.metadata().ok()?;
    Some((metadata.ino(), metadata.ctime(), metadata.ctime_nsec()))
}
