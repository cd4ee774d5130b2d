//! The collection of installed extensions.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use core_types::{Capabilities, Digest, ExtensionName, Identity, LimitName, OciReference};

use crate::activity_log::ActivityError;
use crate::artifact::{Artifact, ArtifactError};
use crate::durable;
use crate::health::Quarantine;
use crate::layout::{FileError, Layout};
use crate::lock::{Lock, LockError};
use crate::manifest_file::{LoadedManifest, ManifestEditor, ManifestError};
use crate::places::Places;
use crate::record::Record;
use crate::staging::{Staged, Staging, StagingError, sweep};
use crate::timed_grants::TimedGrantsError;

/// The installed extensions of one user.
///
/// Any number of processes can use it at once. Reading needs no lock: every file is replaced as a whole, and the digest
/// in a manifest leads to bytes that never change. The manifest is written last and removed first, so that what it
/// names is there.
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

/// What removing an extension left behind and freed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Where the manifest lies now.
    pub kept_manifest: PathBuf,
    /// How many bytes of artifacts went.
    pub freed: u64,
}

/// What an installation changes about the capabilities in a manifest, and what it thinks that they are.
#[derive(Debug, Clone, Copy)]
pub struct CapabilityChange<'a> {
    /// What the decision was made upon; nothing where there was no `[capabilities]`.
    pub before: Option<&'a Capabilities>,
    /// What was decided.
    pub after: &'a Capabilities,
}

/// Why something about installed extensions cannot be done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DepotError {
    /// There is no manifest of this name.
    #[error("there is no extension `{name}`")]
    NotFound {
        /// The name.
        name: ExtensionName,
    },
    /// There is a manifest, but nothing was installed for it yet.
    #[error("`{name}` has a manifest but is not installed")]
    NotInstalled {
        /// The name.
        name: ExtensionName,
        /// Where it would come from, if the manifest says so.
        reference: Option<Box<OciReference>>,
    },
    /// The manifest is pinned to an artifact that is not there or damaged.
    #[error("the artifact of `{name}` is missing or damaged")]
    Artifact {
        /// The name.
        name: ExtensionName,
        /// What the manifest is pinned to.
        reference: Box<OciReference>,
        /// What is wrong.
        source: ArtifactError,
    },
    /// The name belongs to an extension from elsewhere.
    #[error("`{name}` is the name of an extension from `{installed}`, not from `{wanted}`")]
    OtherSource {
        /// The name.
        name: ExtensionName,
        /// Whom it belongs to.
        installed: Identity,
        /// Who wants it.
        wanted: Identity,
    },
    /// The capabilities in the manifest are others than those that a decision was made upon.
    #[error("the capabilities of `{name}` have been changed meanwhile")]
    CapabilitiesChanged {
        /// The name.
        name: ExtensionName,
    },
    /// The manifest is pinned to other bytes than those that would mend it.
    #[error("`{name}` has been changed meanwhile")]
    Changed {
        /// The name.
        name: ExtensionName,
    },
    /// A manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Another process is at work.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Staging failed.
    #[error(transparent)]
    Staging(#[from] StagingError),
    /// Its user keeps it from being called.
    #[error("`{name}` is disabled")]
    Disabled {
        /// The name.
        name: ExtensionName,
    },
    /// It failed again and again.
    #[error("`{name}` was put aside: {quarantine}")]
    Quarantined {
        /// The name.
        name: ExtensionName,
        /// How it failed.
        quarantine: Quarantine,
    },
    /// The activity log.
    #[error(transparent)]
    Activity(#[from] ActivityError),
    /// Grants that end.
    #[error(transparent)]
    Timed(#[from] TimedGrantsError),
    /// The system refuses.
    #[error("cannot change `{}`", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl From<FileError> for DepotError {
    fn from(FileError { path, source }: FileError) -> Self {
        Self::Io { path, source }
    }
}

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

    fn layout(&self) -> Layout<'_> {
        Layout { places: &self.places }
    }

    /// The right to change something. What changes that were killed left behind goes first.
    pub(crate) fn lock(&self) -> Result<Lock, LockError> {
        let lock = Lock::acquire(&self.places.lock(), &self.waiting)?;
        sweep(&self.places.staging());
        durable::remove_leftovers(&self.places.extensions());
        durable::remove_leftovers(&self.places.extension_state().join("removed"));
        Ok(lock)
    }

    fn write(path: PathBuf, contents: &[u8]) -> Result<(), DepotError> {
        let directory = path.parent().map_or(Ok(()), durable::create_directory);
        directory.and_then(|()| durable::write(&path, contents)).map_err(|source| DepotError::Io { path, source })
    }

    /// A place for an artifact that is about to arrive.
    pub(crate) fn staging(&self) -> Result<Staging, StagingError> {
        Staging::new(&self.places.staging())
    }

    /// Every manifest, in the order of the names. Files with other names than extensions have are left out.
    ///
    /// # Errors
    /// When the directory is there and cannot be read. A bad manifest is no error: it is listed as bad.
    pub fn list(&self) -> Result<Vec<Listed>, DepotError> {
        let path = self.places.extensions();
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(DepotError::Io { path, source }),
        };
        let name_of = |file: &OsStr| file.to_str()?.strip_suffix(".toml")?.parse::<ExtensionName>().ok();
        let mut names: Vec<_> = entries.flatten().filter_map(|entry| name_of(&entry.file_name())).collect();
        names.sort();
        let (blobs, failed) = (self.layout().blob_names(), self.failed());
        Ok(names.into_iter().filter_map(|name| self.listed(name, &blobs, &failed)).collect())
    }

    fn listed(
        &self,
        name: ExtensionName,
        blobs: &HashSet<OsString>,
        failed: &HashSet<ExtensionName>,
    ) -> Option<Listed> {
        let manifest = LoadedManifest::read(&self.places.manifest(&name), &name).transpose()?;
        let digest = manifest.as_ref().ok().and_then(LoadedManifest::pinned).map(|(_, digest)| digest);
        let digest = digest.filter(|digest| blobs.contains(OsStr::new(&digest.hex())));
        let quarantine = digest.filter(|_| failed.contains(&name)).and_then(|digest| self.quarantine(&name, &digest));
        Some(Listed { name, manifest, is_installed: digest.is_some(), quarantine })
    }

    /// The manifest of an extension, or nothing if there is none.
    ///
    /// # Errors
    /// When it is there and cannot be used.
    pub fn manifest(&self, name: &ExtensionName) -> Result<Option<LoadedManifest>, ManifestError> {
        LoadedManifest::read(&self.places.manifest(name), name)
    }

    pub(crate) fn existing_manifest(&self, name: &ExtensionName) -> Result<LoadedManifest, DepotError> {
        self.manifest(name)?.ok_or_else(|| DepotError::NotFound { name: name.clone() })
    }

    /// An extension whose manifest and artifact are there. The documents of the artifact are verified; the binary is
    /// not read.
    ///
    /// # Errors
    /// When there is none, or a part of it is missing or damaged.
    pub fn installed(&self, name: &ExtensionName) -> Result<Installed, DepotError> {
        let loaded = self.existing_manifest(name)?;
        let Some((reference, digest)) = loaded.pinned() else {
            let reference = loaded.manifest.extension.oci.map(Box::new);
            return Err(DepotError::NotInstalled { name: name.clone(), reference });
        };
        let artifact = self.layout().artifact(digest).map_err(|source| DepotError::Artifact {
            name: name.clone(),
            reference: Box::new(reference.clone()),
            source,
        })?;
        Ok(Installed { name: name.clone(), loaded, reference, artifact })
    }

    /// Makes sure that an artifact from there can have this name.
    ///
    /// # Errors
    /// [`DepotError::OtherSource`] when the name belongs to somebody else.
    pub fn check_name(&self, name: &ExtensionName, reference: &OciReference) -> Result<(), DepotError> {
        let owner = self.manifest(name)?.and_then(|loaded| loaded.manifest.extension.oci);
        match owner.map(|oci| oci.identity()) {
            Some(installed) if installed != reference.identity() => {
                Err(DepotError::OtherSource { name: name.clone(), installed, wanted: reference.identity() })
            }
            _ => Ok(()),
        }
    }

    /// Installs a staged artifact: blobs, index, record, and last the manifest, whose pin makes it current. Each step is
    /// durable before the next. Without a change the capabilities of the manifest stay as they are.
    ///
    /// # Errors
    /// [`DepotError::CapabilitiesChanged`] when they are others than the change was decided upon. When the name belongs to somebody else or something cannot be written. What was installed before is as it was.
    pub fn install(
        &self,
        staged: &Staged,
        name: &ExtensionName,
        source: &str,
        change: Option<CapabilityChange<'_>>,
    ) -> Result<(), DepotError> {
        let _lock = self.lock()?;
        self.check_name(name, &staged.reference)?;
        let before = self.manifest(name)?;
        let existing = before.as_ref().and_then(|loaded| loaded.manifest.capabilities.as_ref());
        if change.is_some_and(|change| change.before != existing) {
            return Err(DepotError::CapabilitiesChanged { name: name.clone() });
        }
        let layout = self.layout();
        layout.add_blobs(&staged.staging, &staged.artifact)?;
        layout.add_entry(name, &staged.artifact)?;
        self.write_record(&Record::new(name, &staged.reference, source.to_owned(), &staged.artifact))?;
        let mut editor = ManifestEditor::new(before.as_ref().map(|loaded| loaded.text.as_str()));
        editor.set_installed(name, &staged.artifact.version(&staged.reference), &staged.reference);
        if let Some(description) = staged.artifact.description() {
            editor.set_missing("extension", "description", description);
        }
        if let Some(change) = change {
            editor.set_capabilities(existing, change.after);
        }
        Self::write(self.places.manifest(name), editor.into_text().as_bytes())
    }

    /// Puts the blobs of an extension back into place, if its manifest is still pinned to them, and a record where there is
    /// none. The manifest stays as it is.
    ///
    /// # Errors
    /// When the manifest is gone or pinned to something else by now, or something cannot be written.
    pub fn repair(&self, staged: &Staged, name: &ExtensionName) -> Result<(), DepotError> {
        let _lock = self.lock()?;
        let pinned = self.existing_manifest(name)?.pinned();
        if pinned.is_none_or(|(reference, _)| reference != staged.reference) {
            return Err(DepotError::Changed { name: name.clone() });
        }
        let layout = self.layout();
        layout.add_blobs(&staged.staging, &staged.artifact)?;
        layout.add_entry(name, &staged.artifact)?;
        if self.record(name, &staged.artifact.digest).is_some() {
            return Ok(());
        }
        self.write_record(&Record::new(name, &staged.reference, staged.reference.to_string(), &staged.artifact))
    }

    fn write_record(&self, record: &Record) -> Result<(), DepotError> {
        let path = self.places.record(&record.name, &record.pinned);
        let text = serde_json::to_vec_pretty(record).map_err(io::Error::from);
        let text = text.map_err(|source| DepotError::Io { path: path.clone(), source })?;
        Self::write(path, &text)
    }

    /// The record of what is installed, or nothing when there is none or it cannot be read.
    pub fn record(&self, name: &ExtensionName, digest: &Digest) -> Option<Record> {
        let file = fs::File::open(self.places.record(name, digest)).ok()?;
        serde_json::from_reader(io::BufReader::new(file)).ok()
    }

    /// Changes the capabilities in a manifest. `change` says whether it changed anything; if not, nothing is written.
    /// Gives back what it said.
    ///
    /// # Errors
    /// When there is no such manifest or it cannot be written.
    pub fn change_capabilities(
        &self,
        name: &ExtensionName,
        change: impl FnOnce(&mut Capabilities) -> bool,
    ) -> Result<bool, DepotError> {
        let _lock = self.lock()?;
        let loaded = self.existing_manifest(name)?;
        let mut after = loaded.manifest.granted();
        let changed = change(&mut after);
        if changed {
            let mut editor = ManifestEditor::new(Some(&loaded.text));
            editor.set_capabilities(loaded.manifest.capabilities.as_ref(), &after);
            Self::write(loaded.path, editor.into_text().as_bytes())?;
        }
        Ok(changed)
    }

    /// Writes capabilities and limits into a manifest: all of the first, and of the second those that are given.
    ///
    /// # Errors
    /// When there is no such manifest or it cannot be written.
    pub fn set_needs(
        &self,
        name: &ExtensionName,
        capabilities: &Capabilities,
        limits: &[(LimitName, u64)],
    ) -> Result<(), DepotError> {
        let _lock = self.lock()?;
        let loaded = self.existing_manifest(name)?;
        let mut editor = ManifestEditor::new(Some(&loaded.text));
        editor.set_capabilities(loaded.manifest.capabilities.as_ref(), capabilities);
        limits.iter().for_each(|(name, value)| editor.set_limit(*name, *value));
        Self::write(loaded.path, editor.into_text().as_bytes())
    }

    /// Lets an extension be called or not. Gives back whether that changed anything.
    ///
    /// # Errors
    /// When there is no such manifest or it cannot be written.
    pub fn set_enabled(&self, name: &ExtensionName, enabled: bool) -> Result<bool, DepotError> {
        let _lock = self.lock()?;
        let loaded = self.existing_manifest(name)?;
        let changed = loaded.manifest.extension.enabled != enabled;
        if changed {
            let mut editor = ManifestEditor::new(Some(&loaded.text));
            editor.set_enabled(enabled);
            Self::write(loaded.path, editor.into_text().as_bytes())?;
        }
        Ok(changed)
    }

    /// Removes an extension, even one whose manifest or artifact is broken: the manifest first, then records, the
    /// index's entry and the blobs that no other extension needs. The manifest is kept where [`Removed`] says, since
    /// people write in it.
    ///
    /// # Errors
    /// When there is none, or something cannot be removed.
    pub fn remove(&self, name: &ExtensionName) -> Result<Removed, DepotError> {
        let _lock = self.lock()?;
        let kept_manifest = self.places.removed_manifest(name);
        let records = self.places.records(name);
        if !self.remove_manifest(name, &kept_manifest)? && !records.exists() && !self.layout().has_entry(name) {
            return Err(DepotError::NotFound { name: name.clone() });
        }
        match fs::remove_dir_all(&records) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(DepotError::Io { path: records, source });
            }
            _ => {}
        }
        self.forget_failures(name)?;
        self.forget_timed_grants(name)?;
        self.layout().remove_entry(name)?;
        let freed = self.remove_unused_blobs()?;
        Ok(Removed { kept_manifest, freed })
    }

    /// Removes a manifest after copying it. Gives back whether there was one: a removal that was killed may have taken it.
    fn remove_manifest(&self, name: &ExtensionName, kept: &Path) -> Result<bool, DepotError> {
        let path = self.places.manifest(name);
        match fs::read(&path) {
            Ok(text) => Self::write(kept.to_owned(), &text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(DepotError::Io { path, source }),
        }
        durable::remove(&path).map_err(|source| DepotError::Io { path, source })
    }

    /// Removes what no manifest is pinned to. While a manifest cannot be read, nothing goes: what it needs is not known.
    fn remove_unused_blobs(&self) -> Result<u64, DepotError> {
        let listed = self.list()?;
        if listed.iter().any(|listed| listed.manifest.is_err()) {
            return Ok(0);
        }
        let pinned = |listed: &Listed| listed.manifest.as_ref().ok().and_then(LoadedManifest::pinned);
        let keep: Vec<_> = listed.iter().filter_map(pinned).map(|(_, digest)| digest).collect();
        Ok(self.layout().remove_unused(&keep)?)
    }
}

impl LoadedManifest {
    /// The reference with its whole digest, if the manifest is pinned.
    pub fn pinned(&self) -> Option<(OciReference, Digest)> {
        let reference = self.manifest.extension.oci.as_ref()?;
        let digest = reference.pinned_digest().ok().flatten()?;
        Some((reference.clone(), digest))
    }
}
