//! Everything that changes an installed extension, each under the lock, all or nothing.

use std::path::Path;

use core_types::{Capabilities, ExtensionName, Grant, LimitName, OciReference, SameGuestPath};

use crate::files::durable;
use crate::files::own_file::ensure_no_link;
use crate::files::state_file;
use crate::history::generation::{Generation, Reason};
use crate::manifest::manifest_file::{LoadedManifest, ManifestEditor, ManifestError, read_text};
use crate::store::basis::Basis;
use crate::store::depot::{Depot, InstallOrder, Installed};
use crate::store::depot_error::DepotError;
use crate::store::record::Record;
use crate::store::staging::Staged;
use crate::trust::signer_pin::Evidence;

impl Depot {
    /// Installs a staged artifact: blobs, index, record, generation, and last the manifest, whose
    /// pin makes it current. Each step is durable before the next. Without a decision the
    /// capabilities of the manifest stay as they are.
    ///
    /// # Errors
    /// [`DepotError::Changed`] when something that the decision was made upon has changed. When the
    /// name belongs to another identity or something cannot be written. What was installed before
    /// is as it was.
    pub fn install(&self, staged: &Staged, order: &InstallOrder<'_>) -> Result<(), DepotError> {
        let InstallOrder { basis, evidence, .. } = *order;
        order.capabilities.map_or(Ok(()), check_guest_paths)?;
        let _lock = self.lock()?;
        self.ensure_editable(basis.name())?;
        basis.ensure_holds(self)?;
        basis.check_name(&staged.reference)?;
        evidence.map_or(Ok(()), |found| self.check_first_use(&staged.reference, found))?;
        let name = basis.name();
        // What was seen of it has not changed; the rest of it may have.
        let before = self.manifest(name)?;
        let layout = self.layout();
        layout.add_blobs(staged)?;
        layout.sync_blobs()?;
        layout.add_entries(&[(name, &staged.artifact)])?;
        let found = (&staged.artifact, &staged.binary);
        let mut record = Record::new(name, &staged.reference, order.source.to_owned(), found);
        record.claimed = order.claimed.cloned();
        if let Some(found) = evidence {
            record.signature = Some((&found.signature).into());
            self.note_first_use(&staged.reference, found)?;
        }
        self.write_record(&record)?;
        let editor = installed_manifest(before.as_ref(), staged, order);
        let before = before.as_ref().map(LoadedManifest::text_and_origin);
        self.write_manifest(name, before, editor, Some(&staged.reference), order.reason)
    }

    /// Gives an extension that came in a bundle the identity of the reference that its registry has
    /// these very bytes under.
    ///
    /// # Errors
    /// [`DepotError::Changed`] when something that the decision was made upon has changed, or when
    /// it cannot be written.
    pub fn confirm_origin(
        &self,
        basis: &Basis,
        origin: &OciReference,
        evidence: &Evidence,
    ) -> Result<(), DepotError> {
        let _lock = self.lock()?;
        basis.ensure_holds(self)?;
        self.check_first_use(origin, evidence)?;
        let name = basis.name();
        let Installed { loaded, reference, artifact, binary, .. } = self.read_installed(name)?;
        if !reference.is_bundled() || reference.provenance() != origin.provenance() {
            return Err(DepotError::Changed { name: name.clone() });
        }
        let record = Record::new(name, origin, origin.to_string(), (&artifact, &binary));
        self.note_first_use(origin, evidence)?;
        self.write_record(&Record { signature: Some((&evidence.signature).into()), ..record })?;
        let mut editor = ManifestEditor::new(Some(&loaded.text));
        editor.set_installed(name, &artifact.version(origin), origin);
        self.write_manifest(
            name,
            Some(loaded.text_and_origin()),
            editor,
            Some(origin),
            Reason::Confirmed,
        )
    }

    /// Puts the blobs of extensions back into place, each if its manifest is still pinned to them,
    /// and a record where there is none. The manifests stay as they are. What came of each stands
    /// where it stood; one that fails stops no other.
    ///
    /// # Errors
    /// When nothing can be changed now. Of one: when its manifest is gone or pinned to something
    /// else by now, or something cannot be written.
    pub fn repair(
        &self,
        all: &[(&ExtensionName, &Staged)],
    ) -> Result<Vec<Result<(), DepotError>>, DepotError> {
        let _lock = self.lock()?;
        let repaired: Vec<_> =
            all.iter().map(|(name, staged)| self.repair_one(name, staged)).collect();
        let good = all.iter().zip(&repaired).filter(|(_, result)| result.is_ok());
        let entries: Vec<_> = good.map(|((name, staged), _)| (*name, &staged.artifact)).collect();
        self.layout().sync_blobs()?;
        self.layout().add_entries(&entries)?;
        Ok(repaired)
    }

    fn repair_one(&self, name: &ExtensionName, staged: &Staged) -> Result<(), DepotError> {
        let pinned = self.existing_manifest(name)?.pinned();
        if pinned.is_none_or(|(reference, _)| reference != staged.reference) {
            return Err(DepotError::Changed { name: name.clone() });
        }
        self.layout().add_blobs(staged)?;
        let found = (&staged.artifact, &staged.binary);
        let new = Record::new(name, &staged.reference, staged.reference.to_string(), found);
        match self.record(name, &staged.artifact.digest) {
            Ok(Some(record)) if record.binary == new.binary => Ok(()),
            // What the layer unpacks to is known anew; who signed it still holds.
            Ok(Some(Record { signature, .. })) => self.write_record(&Record { signature, ..new }),
            _ => self.write_record(&new),
        }
    }

    /// Notes what is known by now of who signed what is installed, which is what was looked at.
    ///
    /// # Errors
    /// [`DepotError::Changed`] when something else is installed by now. When the first signer is
    /// another by now, or it cannot be written.
    pub fn note_signature(
        &self,
        looked_at: &Installed,
        found: &Evidence,
    ) -> Result<(), DepotError> {
        let _lock = self.lock()?;
        let Installed { name, reference, artifact, binary, .. } = looked_at;
        if self.existing_manifest(name)?.pinned_reference().as_ref() != Some(reference) {
            return Err(DepotError::Changed { name: name.clone() });
        }
        self.check_first_use(reference, found)?;
        let known = self.record(name, &artifact.digest)?;
        let new = || Record::new(name, reference, reference.to_string(), (artifact, binary));
        let record = known.unwrap_or_else(new);
        self.note_first_use(reference, found)?;
        self.write_record(&Record { signature: Some((&found.signature).into()), ..record })
    }

    fn write_record(&self, record: &Record) -> Result<(), DepotError> {
        durable::remove_leftovers(&self.places().records(&record.name));
        Ok(state_file::write(&self.places().record(&record.name, &record.pinned), record)?)
    }

    /// Goes back to a generation: its bytes and its manifest, with these capabilities.
    ///
    /// # Errors
    /// [`DepotError::Changed`] when something that the decision was made upon has changed. When the
    /// bytes are not there any more, the name belongs to another identity by now, or something
    /// cannot be written.
    pub fn roll_back(
        &self,
        basis: &Basis,
        generation: &Generation,
        capabilities: &Capabilities,
    ) -> Result<(), DepotError> {
        check_guest_paths(capabilities)?;
        let _lock = self.lock()?;
        let name = basis.name();
        self.ensure_editable(name)?;
        basis.ensure_holds(self)?;
        let (reference, artifact, binary) = self.artifact_of_generation(name, generation)?;
        basis.check_name(&reference)?;
        let before = self.text_and_origin(name);
        self.layout().add_entries(&[(name, &artifact)])?;
        if !matches!(self.record(name, &artifact.digest), Ok(Some(_))) {
            self.write_record(&Record::new(
                name,
                &reference,
                reference.to_string(),
                (&artifact, &binary),
            ))?;
        }
        let then = generation.parsed(name).ok().and_then(|manifest| manifest.capabilities);
        let mut editor = ManifestEditor::new(Some(&generation.manifest));
        editor.set_capabilities(then.as_ref(), capabilities);
        let reason = Reason::RolledBack(generation.number);
        let before = before.as_ref().map(|(text, origin)| (text.as_str(), origin.as_ref()));
        self.write_manifest(name, before, editor, Some(&reference), reason)
    }

    /// The text of a manifest that may be broken, and where it says that the extension came from.
    pub(crate) fn text_and_origin(
        &self,
        name: &ExtensionName,
    ) -> Option<(String, Option<OciReference>)> {
        match self.manifest(name) {
            Ok(loaded) => loaded.map(|loaded| (loaded.text, loaded.manifest.extension.oci)),
            Err(_) => read_text(&self.places().manifest(name)).ok().map(|text| (text, None)),
        }
    }

    /// Changes the capabilities in a manifest. `change` says whether it changed anything; if not,
    /// nothing is written. Gives back what it said.
    ///
    /// # Errors
    /// When there is no such manifest or it cannot be written.
    pub fn change_capabilities(
        &self,
        name: &ExtensionName,
        reason: Reason,
        change: impl FnOnce(&mut Capabilities) -> bool,
    ) -> Result<bool, DepotError> {
        self.edit(name, reason, |loaded, editor| {
            let mut after = loaded.manifest.granted();
            let changed = change(&mut after);
            if changed {
                check_guest_paths(&after)?;
                editor.set_capabilities(loaded.manifest.capabilities.as_ref(), &after);
            }
            Ok(changed)
        })
    }

    /// Adds grants to the manifest of an extension that was found installed. Returns whether that
    /// changed anything.
    ///
    /// # Errors
    /// [`DepotError::Changed`] when something else has the name by now, or when it cannot be
    /// written.
    pub fn grant_installed(&self, found: &Installed, grants: &[Grant]) -> Result<bool, DepotError> {
        self.edit(&found.name, Reason::Granted, |loaded, editor| {
            ensure_still(loaded, found)?;
            let mut after = loaded.manifest.granted();
            let added = grants.iter().filter(|grant| after.add(grant)).count();
            check_guest_paths(&after)?;
            editor.set_capabilities(loaded.manifest.capabilities.as_ref(), &after);
            Ok(added > 0)
        })
    }

    /// Writes the capabilities and limits that a call of what was found installed needed: all of
    /// the first, and of the second those that are given.
    ///
    /// # Errors
    /// [`DepotError::Changed`] when something else has the name by now, or other grants. When it
    /// cannot be written.
    pub fn set_needs(
        &self,
        found: &Installed,
        capabilities: &Capabilities,
        limits: &[(LimitName, u64)],
    ) -> Result<(), DepotError> {
        let edited = self.edit(&found.name, Reason::Learned, |loaded, editor| {
            ensure_still(loaded, found)?;
            if loaded.manifest.capabilities != found.loaded.manifest.capabilities {
                return Err(DepotError::Changed { name: found.name.clone() });
            }
            check_guest_paths(capabilities)?;
            editor.set_capabilities(loaded.manifest.capabilities.as_ref(), capabilities);
            limits.iter().for_each(|(name, value)| editor.set_limit(*name, *value));
            Ok(true)
        });
        edited.map(drop)
    }

    /// Lets an extension be called or not. Gives back whether that changed anything.
    ///
    /// # Errors
    /// When there is no such manifest or it cannot be written.
    pub fn set_enabled(&self, name: &ExtensionName, enabled: bool) -> Result<bool, DepotError> {
        let reason = if enabled { Reason::Enabled } else { Reason::Disabled };
        self.edit(name, reason, |loaded, editor| {
            editor.set_enabled(enabled);
            Ok(loaded.manifest.extension.enabled != enabled)
        })
    }

    /// Keeps an extension at its version, or lets it be updated again. Gives back whether that
    /// changed anything.
    ///
    /// # Errors
    /// When there is no such manifest or it cannot be written.
    pub fn set_pinned(&self, name: &ExtensionName, pinned: bool) -> Result<bool, DepotError> {
        let reason = if pinned { Reason::Pinned } else { Reason::Unpinned };
        self.edit(name, reason, |loaded, editor| {
            editor.set_pinned(pinned);
            Ok(loaded.manifest.extension.pinned != pinned)
        })
    }

    /// Edits a manifest that is there. `edit` says whether it changed anything; if not, nothing is
    /// written.
    pub(crate) fn edit(
        &self,
        name: &ExtensionName,
        reason: Reason,
        edit: impl FnOnce(&LoadedManifest, &mut ManifestEditor) -> Result<bool, DepotError>,
    ) -> Result<bool, DepotError> {
        let _lock = self.lock()?;
        let loaded = self.existing_manifest(name)?;
        let mut editor = ManifestEditor::new(Some(&loaded.text));
        let changed = edit(&loaded, &mut editor)?;
        if changed {
            self.ensure_editable(name)?;
            let before = loaded.text_and_origin();
            self.write_manifest(name, Some(before), editor, before.1, reason)?;
        }
        Ok(changed)
    }

    /// Makes sure that a manifest can be replaced by one that is edited.
    fn ensure_editable(&self, name: &ExtensionName) -> Result<(), ManifestError> {
        Ok(ensure_no_link(&self.places().manifest(name))?)
    }

    /// Notes the generation and then writes the manifest, which is the moment at which the change
    /// is made.
    pub(crate) fn write_manifest(
        &self,
        name: &ExtensionName,
        before: Option<(&str, Option<&OciReference>)>,
        editor: ManifestEditor,
        reference: Option<&OciReference>,
        reason: Reason,
    ) -> Result<(), DepotError> {
        let text = editor.into_text();
        if before.is_some_and(|(before, _)| before == text) {
            return Ok(());
        }
        self.note_generation(name, before, (&text, reference), reason)?;
        Ok(Self::write(self.places().manifest(name), text.as_bytes())?)
    }
}

/// The manifest of what is installed now: what stands there already, with what installing knows.
fn installed_manifest(
    before: Option<&LoadedManifest>,
    staged: &Staged,
    order: &InstallOrder<'_>,
) -> ManifestEditor {
    let Staged { artifact, reference, .. } = staged;
    let mut editor = ManifestEditor::new(before.map(|loaded| loaded.text.as_str()));
    editor.set_installed(order.basis.name(), &artifact.version(reference), reference);
    if let Some(description) = artifact.description() {
        editor.set_missing("extension", "description", description);
    }
    if let Some((limits, config)) = order.seed.filter(|_| before.is_none()) {
        editor.set_seed(limits, config);
    }
    if let Some(capabilities) = order.capabilities {
        editor.set_capabilities(order.basis.capabilities(), capabilities);
    }
    editor
}

/// Makes sure that a manifest is still that of what was found installed.
fn ensure_still(loaded: &LoadedManifest, found: &Installed) -> Result<(), DepotError> {
    let is_same = loaded.manifest.extension.oci.as_ref() == Some(&found.reference);
    if is_same { Ok(()) } else { Err(DepotError::Changed { name: found.name.clone() }) }
}

/// Makes sure that what is written can be read again: a manifest with one path for two directories
/// cannot.
pub(crate) fn check_guest_paths(capabilities: &Capabilities) -> Result<(), SameGuestPath> {
    capabilities.check_guest_paths(Path::new("~"))
}
