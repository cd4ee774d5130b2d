//! Installing extensions from a bundle.

use std::path::Path;
use std::time::Duration;

use core_types::{ChangeKind, ExtensionName, OciReference, StoredValues, version_of_tag};
use extension_depot::annotation::VERSION;
use extension_depot::{Basis, Bundle, Bundled, Evidence, SignedArtifact, Staged as StagedArtifact};

use super::error::BundlesError;
use crate::events::Warning;
use crate::install::{InstallOptions, Installation, Operation, Staged};
use crate::installer::Installer;
use crate::rules::{NameUse, local_reference};

/// The time that a call of the extension may have its storage for.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// A bundle, and the terms on which its extensions are installed.
#[derive(Clone, Copy)]
pub struct ImportOptions<'a> {
    /// The bundle.
    pub bundle: &'a Bundle,
    /// Its file.
    pub path: &'a Path,
    /// The options of the installs. The record names the bundle as the source.
    pub install: &'a InstallOptions<'a>,
    /// Whether the data in the bundle are taken, by extensions that keep none here.
    pub with_storage: bool,
}

impl<'a> ImportOptions<'a> {
    /// Returns the extensions of the bundle that are named, or all of them.
    ///
    /// # Errors
    /// When it has none, or not one that is named.
    pub fn chosen(&self, names: &[ExtensionName]) -> Result<Vec<&'a Bundled>, BundlesError> {
        let extensions = self.bundle.extensions();
        let is_there = |name: &ExtensionName| extensions.iter().any(|it| it.name == *name);
        if let Some(name) = names.iter().find(|name| !is_there(name)) {
            let (bundle, name) = (self.path.to_owned(), name.clone());
            return Err(BundlesError::NotInBundle { bundle, name });
        }
        if extensions.is_empty() {
            return Err(BundlesError::NoExtensions { bundle: self.path.to_owned() });
        }
        let is_wanted = |bundled: &&Bundled| names.is_empty() || names.contains(&bundled.name);
        Ok(extensions.iter().filter(is_wanted).collect())
    }
}

impl Installer<'_> {
    /// Installs one extension of a bundle. Every byte is checked, and nothing is fetched. What
    /// nothing confirms to come from the claimed place gets the identity of its bytes.
    ///
    /// # Errors
    /// When it cannot be installed, or keeps data that those of the bundle would replace. The
    /// installed state has not changed. When the data cannot be written after that.
    pub fn import(
        &self,
        bundled: &Bundled,
        options: &ImportOptions<'_>,
    ) -> Result<Installation, BundlesError> {
        let storage = self.storage_for(bundled, options)?;
        let bundle = options.bundle;
        let Bundled { name, claimed, .. } = bundled;
        let _work = self.work_on(name);
        // A manifest that is pinned to the very bytes says that they are wanted, and whose they
        // are.
        let basis = self.depot().basis(name, claimed)?;
        let known = basis.pinned().filter(|pinned| pinned.provenance() == claimed.provenance());
        let named = known.as_ref().unwrap_or(claimed);
        self.config.check_source(named)?;
        let basis = self.depot().rebase(basis, named)?;
        if known.is_some()
            && let Some(installed) = self.depot().installed_with_binary(name)
        {
            self.take_over(storage, name, &installed.reference)?;
            let (granted, denied) = (Vec::new(), Vec::new());
            return Ok(Installation::Already { installed: Box::new(installed), granted, denied });
        }
        let mut arrived = self.depot().stage_bundled(bundle, bundled)?;
        let evidence = self.look_into(named, &bundle.signatures(named)?)?;
        // A policy for the claimed place holds for the claim as well.
        let signed =
            SignedArtifact { name: Some(name), reference: named, first: basis.first_use() };
        self.check_signer(signed, &evidence, None)?;
        let is_confirmed = known.is_some() || is_signed_origin(&basis, &arrived, &evidence);
        arrived.reference = if is_confirmed {
            named.clone()
        } else {
            self.own_reference(&basis, bundled, options)?
        };
        self.ensure_empty(storage.as_ref(), name, &arrived.reference)?;
        let basis = self.depot().rebase(basis, &arrived.reference)?;
        let reference = arrived.reference.clone();
        let staged = Staged::arrived(name, arrived)
            .on(basis)
            .with_evidence(evidence)
            .claiming((!is_confirmed).then(|| claimed.clone()));
        let terms =
            InstallOptions { schedules: Some(&bundled.schedules), ..options.install.clone() };
        let committed = self.carry_out(staged, &Operation::Install(&terms))?;
        self.take_over(storage, name, &reference)?;
        Ok(Installation::New(Box::new(committed)))
    }

    /// Returns the data in the bundle that an extension is to get.
    fn storage_for(
        &self,
        bundled: &Bundled,
        options: &ImportOptions<'_>,
    ) -> Result<Option<StoredValues>, BundlesError> {
        let wanted = options.with_storage.then(|| options.bundle.storage(bundled));
        Ok(wanted.transpose()?.flatten())
    }

    /// Checks that data of a bundle replace no others.
    fn ensure_empty(
        &self,
        storage: Option<&StoredValues>,
        name: &ExtensionName,
        reference: &OciReference,
    ) -> Result<(), BundlesError> {
        let Some(values) = storage else { return Ok(()) };
        let kept = self.depot().storage(&reference.identity()).peek();
        let kept = kept.map_err(|source| BundlesError::Storage { name: name.clone(), source })?;
        match kept.iter().next() {
            Some(_) if kept != *values => Err(BundlesError::KeepsData { name: name.clone() }),
            _ => Ok(()),
        }
    }

    /// Gives an installed extension the data of a bundle. A call that has kept something since wins.
    fn take_over(
        &self,
        storage: Option<StoredValues>,
        name: &ExtensionName,
        reference: &OciReference,
    ) -> Result<(), BundlesError> {
        let Some(values) = storage else { return Ok(()) };
        let failed = |source| BundlesError::Storage { name: name.clone(), source };
        let locked = self.depot().storage(&reference.identity()).lock(LOCK_WAIT).map_err(failed)?;
        self.ensure_empty(Some(&values), name, reference)?;
        locked.write(&values).map_err(failed)
    }

    /// Returns the reference of an entry with an unconfirmed origin: it has the identity of its
    /// bytes. It replaces nothing, gets nothing from a manifest that is here, and is refused where
    /// a policy restricts sources.
    fn own_reference(
        &self,
        basis: &Basis,
        bundled: &Bundled,
        options: &ImportOptions<'_>,
    ) -> Result<OciReference, BundlesError> {
        let Bundled { name, claimed, .. } = bundled;
        let own = bundled.own_reference().map_err(BundlesError::OwnReference)?;
        let unproven =
            || BundlesError::UnprovenOrigin { name: name.clone(), claimed: claimed.clone() };
        if self.config.restricts_sources() && self.config.check_source(&own).is_err() {
            return Err(unproven());
        }
        self.check_source(ChangeKind::Install, &own)?;
        let name_use: NameUse = options.install.name_use;
        let reference = local_reference(basis.pinned(), &own, name_use);
        let is_its = basis.check_name(&reference).is_ok() && basis.pinned().is_some();
        match basis.loaded() {
            Some(_) if !is_its && !claimed.is_local() => return Err(unproven()),
            Some(loaded) if !is_its => {
                let name = name.clone();
                return Err(match loaded.pinned_reference().filter(OciReference::is_local) {
                    Some(installed) => {
                        let bundle = options.path.to_owned();
                        BundlesError::OtherBytes { name, installed, bundle }
                    }
                    None => BundlesError::OtherManifest { name },
                });
            }
            _ => {}
        }
        self.warn(&unconfirmed(bundled));
        Ok(reference)
    }
}

fn unconfirmed(bundled: &Bundled) -> Warning {
    let (name, claimed) = (bundled.name.clone(), bundled.claimed.clone());
    if claimed.is_local() {
        Warning::ForeignFile { name }
    } else {
        Warning::UnconfirmedOrigin { name, claimed }
    }
}

/// Returns whether a signer who is trusted for the claimed place signed these bytes. The version is
/// the word of the bundle's maker unless the signed bytes say it as well; without that, they
/// replace no other version.
fn is_signed_origin(basis: &Basis, staged: &StagedArtifact, evidence: &Evidence) -> bool {
    let claimed = &staged.reference;
    if evidence.signature.signer().is_none() || claimed.is_local() {
        return false;
    }
    let annotations = &staged.artifact.manifest.annotations;
    let said = annotations.get(VERSION).and_then(|version| version_of_tag(version));
    match (version_of_tag(claimed.revision()), said) {
        (Some(tag), Some(said)) => tag == said,
        _ => basis.pinned().is_none(),
    }
}
