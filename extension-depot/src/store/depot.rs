//! The collection of installed extensions.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use core_types::{Capabilities, Config, Digest, ExtensionName, Limits, OciReference};

use crate::config::places::Places;
use crate::files::durable;
use crate::files::listing::names_in;
use crate::files::lock::{self, Lock, LockError};
use crate::files::state_file::{self, StateFileError};
use crate::history::generation::{Generation, Reason};
use crate::manifest::manifest_file::{LoadedManifest, ManifestError};
use crate::oci::artifact::{Artifact, ArtifactError};
use crate::oci::binary::Binary;
use crate::oci::blob::read_blob;
use crate::oci::image::MAX_BLOB;
use crate::store::basis::{Basis, check_owner};
use crate::store::depot_error::DepotError;
use crate::store::layout::{FileError, Layout};
use crate::store::quarantine::Quarantine;
use crate::store::record::Record;
use crate::store::staging::{Staging, StagingError, sweep};
use crate::trust::signer_pin::Evidence;

/// The installed extensions of one user.
///
/// Any number of processes can use it at once. Reading needs no lock: every file is replaced as a
/// whole, and the digest in a manifest leads to bytes that never change. The manifest is written
/// last and removed first, so that what it names is there.
pub struct Depot {
    places: Places,
    waiting: Box<dyn Fn() + Send + Sync>,
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
    /// What the pin leads to.
    pub artifact: Artifact,
    /// Its WebAssembly binary.
    pub binary: Binary,
}

/// One manifest in the directory of manifests, good or bad.
#[derive(Debug)]
pub struct Listed {
    /// The extension.
    pub name: ExtensionName,
    /// Its manifest, or what is wrong with it.
    pub manifest: Result<LoadedManifest, ManifestError>,
    /// Whether the bytes that the manifest is pinned to are there.
    pub is_installed: bool,
    /// Why it is put aside, if it is.
    pub quarantine: Option<Quarantine>,
}

/// How an artifact is to be installed.
#[derive(Debug, Clone, Copy)]
pub struct InstallOrder<'a> {
    /// What the decision to install it was made upon.
    pub basis: &'a Basis,
    /// What was asked for, in the words of whoever asked.
    pub source: &'a str,
    /// What the manifest is to grant from now on; without it that stays as it is.
    pub capabilities: Option<&'a Capabilities>,
    /// Why it is installed.
    pub reason: Reason,
    /// What is known of who signed it and how it came, if that was looked at.
    pub evidence: Option<&'a Evidence>,
    /// What a manifest that is not there yet begins with.
    pub seed: Option<(&'a Limits, &'a Config)>,
    /// Where a bundle says that it came from, while nothing confirms that.
    pub claimed: Option<&'a OciReference>,
}

/// How often an extension is read again that others keep changing.
const MAX_READS: usize = 10;

impl Depot {
    /// The extensions in these places. Nothing is touched before it is needed.
    pub fn new(places: Places) -> Self {
        Self { places, waiting: Box::new(|| {}) }
    }

    /// Calls `waiting` when a change has to wait for another process.
    pub fn on_waiting(mut self, waiting: impl Fn() + Send + Sync + 'static) -> Self {
        self.waiting = Box::new(waiting);
        self
    }

    /// Where everything lies.
    pub fn places(&self) -> &Places {
        &self.places
    }

    pub(crate) fn layout(&self) -> Layout<'_> {
        Layout { places: &self.places }
    }

    /// The right to change something. What changes that were killed left behind goes first.
    pub(crate) fn lock(&self) -> Result<Lock, LockError> {
        let lock = Lock::acquire(&self.places.lock(), &self.waiting)?;
        sweep(&self.places.staging());
        let written_under_it = [
            self.places.extensions(),
            self.places.removed_manifests(),
            self.places.first_uses(),
            self.places.first_seen_all(),
            self.places.followed_lists(),
        ];
        written_under_it.iter().for_each(|directory| durable::remove_leftovers(directory));
        Ok(lock)
    }

    /// The process that is changing something now, as far as it said so; nothing when nobody is.
    pub fn lock_holder(&self) -> Option<String> {
        lock::holder(&self.places.lock())
    }

    pub(crate) fn write(path: PathBuf, contents: &[u8]) -> Result<(), FileError> {
        let directory = path.parent().map_or(Ok(()), durable::create_directory);
        directory
            .and_then(|()| durable::write(&path, contents))
            .map_err(|source| FileError { path, source })
    }

    /// A place for an artifact that is about to arrive.
    pub(crate) fn staging(&self) -> Result<Staging, StagingError> {
        Staging::new(&self.places.staging())
    }

    /// Returns the directories whose file systems cannot make names durable: what a change wrote
    /// there is whole, and may be missing after a power cut.
    pub fn unsynced_directories(&self) -> Vec<PathBuf> {
        let directories = [self.places.extensions(), self.places.extension_state()];
        let is_unsynced =
            |directory: &PathBuf| matches!(durable::can_sync_directory(directory), Ok(false));
        directories.into_iter().filter(is_unsynced).collect()
    }

    /// Returns the directories whose file systems have no locks: nothing can be changed there.
    pub fn directories_without_locks(&self) -> Vec<PathBuf> {
        let directories = [self.places.extensions(), self.places.extension_state()];
        directories.into_iter().filter(|directory| lock::is_without_locks(directory)).collect()
    }

    /// Every manifest, in the order of the names. Files with other names than extensions have are
    /// left out.
    ///
    /// # Errors
    /// When the directory of manifests, blobs or failures is there and cannot be read. A bad
    /// manifest is not an error: it is listed as bad.
    pub fn list(&self) -> Result<Vec<Listed>, DepotError> {
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

    /// The manifest of an extension, or nothing if there is none.
    ///
    /// # Errors
    /// When it is there and cannot be used.
    pub fn manifest(&self, name: &ExtensionName) -> Result<Option<LoadedManifest>, ManifestError> {
        LoadedManifest::read(&self.places.manifest(name), name)
    }

    /// The manifest of an extension.
    ///
    /// # Errors
    /// [`DepotError::NotFound`] when there is none, or when it cannot be used.
    pub fn existing_manifest(&self, name: &ExtensionName) -> Result<LoadedManifest, DepotError> {
        self.manifest(name)?.ok_or_else(|| DepotError::NotFound { name: name.clone() })
    }

    /// An extension whose manifest and artifact are there. The documents of the artifact are
    /// verified; the binary is not read. Where another process replaces or removes it in the
    /// meantime, what is there then is read.
    ///
    /// # Errors
    /// When there is none, or a part of it is missing or damaged.
    pub fn installed(&self, name: &ExtensionName) -> Result<Installed, DepotError> {
        let path = self.places.manifest(name);
        for _ in 1..MAX_READS {
            let before = file_version(&path);
            match self.read_installed(name) {
                // What an older manifest is pinned to goes when nothing needs it any more.
                Err(DepotError::Artifact { .. }) if file_version(&path) != before => {}
                result => return result,
            }
        }
        self.read_installed(name)
    }

    pub(crate) fn read_installed(&self, name: &ExtensionName) -> Result<Installed, DepotError> {
        let loaded = self.existing_manifest(name)?;
        let Some((reference, digest)) = loaded.pinned() else {
            let reference = loaded.manifest.extension.oci.map(Box::new);
            return Err(DepotError::NotInstalled { name: name.clone(), reference });
        };
        let of_artifact = |source| DepotError::Artifact {
            name: name.clone(),
            reference: Box::new(reference.clone()),
            source,
        };
        let artifact = self.layout().artifact(digest).map_err(of_artifact)?;
        let binary =
            self.binary(name, &artifact)?.ok_or_else(|| of_artifact(ArtifactError::Unrecorded))?;
        Ok(Installed { name: name.clone(), loaded, reference, artifact, binary })
    }

    /// The binary of an artifact of this extension, which is neither read nor looked for here.
    /// Where it was unpacked from a layer, the record says what it is; nothing where there is no
    /// record.
    pub(crate) fn binary(
        &self,
        name: &ExtensionName,
        artifact: &Artifact,
    ) -> Result<Option<Binary>, StateFileError> {
        let binary = |digest, size| Some(Binary { path: self.places.blob(&digest), digest, size });
        if let Some(layer) = artifact.declared() {
            return Ok(binary(layer.digest, layer.size));
        }
        let record = self.record(name, &artifact.digest)?;
        let fitting = record.filter(|record| record.image_manifest == artifact.manifest_digest);
        Ok(fitting.and_then(|record| binary(record.binary, record.binary_size)))
    }

    /// The extension of this name, if everything that its manifest is pinned to is there, as far as
    /// can be seen without reading the binary.
    pub fn whole(&self, name: &ExtensionName) -> Option<Installed> {
        let installed = self.installed(name).ok()?;
        installed.binary.path.exists().then_some(installed)
    }

    /// What a generation was pinned to, if all of it is still there as it was.
    ///
    /// # Errors
    /// [`DepotError::GenerationGone`] when it is not.
    pub fn artifact_of_generation(
        &self,
        name: &ExtensionName,
        generation: &Generation,
    ) -> Result<(OciReference, Artifact, Binary), DepotError> {
        let gone = || DepotError::GenerationGone { name: name.clone(), number: generation.number };
        let reference = generation.reference.clone().ok_or_else(gone)?;
        let artifact = self.artifact_of(&reference).ok_or_else(gone)?;
        let binary = self.binary(name, &artifact)?.ok_or_else(gone)?;
        read_blob(&binary.path, &binary.digest, MAX_BLOB).map_err(|_| gone())?;
        Ok((reference, artifact, binary))
    }

    /// The record of what is installed, or nothing when there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn record(
        &self,
        name: &ExtensionName,
        digest: &Digest,
    ) -> Result<Option<Record>, StateFileError> {
        state_file::read(&self.places.record(name, digest))
    }

    /// Makes sure that an artifact from there can have this name.
    ///
    /// # Errors
    /// [`DepotError::OtherSource`] when the name belongs to somebody else.
    pub fn check_name(
        &self,
        name: &ExtensionName,
        reference: &OciReference,
    ) -> Result<(), DepotError> {
        let owner = self.manifest(name)?.and_then(|loaded| loaded.manifest.extension.oci);
        check_owner(name, owner.as_ref(), reference)
    }
}

/// What tells one version of a file that is replaced as a whole from another; nothing where there
/// is none.
fn file_version(path: &Path) -> Option<(u64, i64, i64)> {
    let metadata = path.metadata().ok()?;
    Some((metadata.ino(), metadata.ctime(), metadata.ctime_nsec()))
}

impl LoadedManifest {
    /// The reference with its whole digest, if the manifest is pinned.
    pub fn pinned(&self) -> Option<(OciReference, Digest)> {
        let reference = self.manifest.extension.oci.as_ref()?;
        let digest = reference.pinned_digest().ok().flatten()?;
        Some((reference.clone(), digest))
    }

    /// The same without the digest by itself.
    pub fn pinned_reference(&self) -> Option<OciReference> {
        self.pinned().map(|(reference, _)| reference)
    }
}
