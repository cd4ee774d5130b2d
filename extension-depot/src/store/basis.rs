//! The state that a decision about an extension is based on, read once, and compared again under
//! the lock.
//!
//! Between a decision and its commit lie downloads, compilers and people. Each commit compares its
//! basis with what there is under the lock, and changes nothing when they differ.

use core_types::{Capabilities, ExtensionName, Identity, OciReference, Owner};

use crate::files::state_file::StateFileError;
use crate::manifest::manifest_file::{LoadedManifest, ManifestError, read_text};
use crate::store::depot::{Depot, Installed};
use crate::store::owner::{OtherSource, check_owner};
use crate::trust::check_transport::{InsecureTransport, check_secure};
use crate::trust::signer_pin::PinnedSigner;

/// The state that a decision about an extension is based on: its manifest, and the signer that is
/// pinned for its repository.
///
/// A commit holds to the presence of the manifest, where that says that the extension came from and
/// which bytes those are, its capabilities, whether it is kept at its version, and the first
/// signer. Everything else in the manifest can change in the meantime and stays as it is then.
#[derive(Debug, Clone)]
pub struct Basis {
    name: ExtensionName,
    repository: Identity,
    manifest: Seen,
    first_use: Option<PinnedSigner>,
}

#[derive(Debug, Clone)]
enum Seen {
    Nothing,
    /// The text of a manifest that cannot be understood; empty where it cannot be read.
    Broken(String),
    Good(Box<LoadedManifest>),
}

/// Another process changed the basis of a decision: the installed version, its grants, or the
/// pinned signer.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` has been changed by another process in the meantime")]
pub struct ChangedMeanwhile {
    /// The extension.
    pub name: ExtensionName,
}

/// Why the basis of a decision cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BasisError {
    /// The manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The pinned signer cannot be read.
    #[error(transparent)]
    PinnedSigner(#[from] StateFileError),
}

impl Depot {
    /// Reads the state for a decision to install this reference under this name.
    ///
    /// # Errors
    /// When the manifest is broken, or the pinned signer cannot be read.
    pub fn basis(
        &self,
        name: &ExtensionName,
        reference: &OciReference,
    ) -> Result<Basis, BasisError> {
        let manifest = Seen::from(self.manifest(name)?);
        Ok(self.basis_on(name, reference.identity(), manifest)?)
    }

    /// Reads the same where the manifest may be broken, as before a rollback.
    ///
    /// # Errors
    /// When the pinned signer cannot be read.
    pub fn basis_of_broken(
        &self,
        name: &ExtensionName,
        reference: &OciReference,
    ) -> Result<Basis, StateFileError> {
        self.basis_on(name, reference.identity(), self.seen(name))
    }

    /// Reads the state for a decision to change an installed extension.
    ///
    /// # Errors
    /// When the pinned signer cannot be read.
    pub fn basis_of(&self, installed: &Installed) -> Result<Basis, StateFileError> {
        let Installed { name, loaded, reference, .. } = installed;
        self.basis_on(name, reference.identity(), Seen::Good(Box::new(loaded.clone())))
    }

    /// Returns the basis of the same decision for an artifact with another identity: the manifest
    /// is not read again.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub fn rebase(&self, basis: Basis, reference: &OciReference) -> Result<Basis, StateFileError> {
        let repository = reference.identity();
        if repository == basis.repository {
            return Ok(basis);
        }
        self.basis_on(&basis.name, repository, basis.manifest)
    }

    fn basis_on(
        &self,
        name: &ExtensionName,
        repository: Identity,
        manifest: Seen,
    ) -> Result<Basis, StateFileError> {
        let first_use = self.first_use(&repository)?;
        Ok(Basis { name: name.clone(), repository, manifest, first_use })
    }

    fn seen(&self, name: &ExtensionName) -> Seen {
        match self.manifest(name) {
            Ok(loaded) => loaded.into(),
            Err(_) => Seen::Broken(read_text(&self.places().manifest(name)).unwrap_or_default()),
        }
    }
}

impl Basis {
    /// Returns the extension.
    pub fn name(&self) -> &ExtensionName {
        &self.name
    }

    /// Who the extension is that is decided about.
    pub fn owner(&self) -> Owner {
        Owner { name: self.name.clone(), identity: self.repository.clone() }
    }

    /// Returns the manifest; nothing where there is none or it is broken.
    pub fn loaded(&self) -> Option<&LoadedManifest> {
        match &self.manifest {
            Seen::Good(loaded) => Some(loaded),
            Seen::Nothing | Seen::Broken(_) => None,
        }
    }

    /// Returns whether there is a manifest that cannot be understood.
    pub fn is_broken(&self) -> bool {
        matches!(self.manifest, Seen::Broken(_))
    }

    /// Returns the capabilities of the manifest; nothing where it has none.
    pub fn capabilities(&self) -> Option<&Capabilities> {
        self.loaded()?.manifest.capabilities.as_ref()
    }

    /// Returns the pinned reference of the manifest.
    pub fn pinned(&self) -> Option<OciReference> {
        self.loaded()?.pinned_reference()
    }

    /// Who signed first.
    pub fn first_use(&self) -> Option<&PinnedSigner> {
        self.first_use.as_ref()
    }

    /// Checks that an artifact from there can have this name.
    ///
    /// # Errors
    /// When the name belongs to another identity.
    pub fn check_name(&self, reference: &OciReference) -> Result<(), OtherSource> {
        let owner = self.loaded().and_then(|loaded| loaded.manifest.extension.oci.as_ref());
        check_owner(&self.name, owner, reference)
    }

    /// Checks that an artifact from there does not come without TLS after others came with it.
    ///
    /// # Errors
    /// When it would.
    pub fn check_transport(&self, is_secure: bool) -> Result<(), InsecureTransport> {
        check_secure(self.first_use.as_ref(), &self.repository, is_secure)
    }

    /// Returns whether nothing that it saw has changed.
    ///
    /// # Errors
    /// When that cannot be read now.
    pub fn still_holds(&self, depot: &Depot) -> Result<bool, StateFileError> {
        let now = depot.basis_on(&self.name, self.repository.clone(), depot.seen(&self.name))?;
        Ok(self.manifest.is_same(&now.manifest) && self.first_use == now.first_use)
    }

    /// Returns the error for a basis that does not hold any more.
    pub(crate) fn changed(&self) -> ChangedMeanwhile {
        ChangedMeanwhile { name: self.name.clone() }
    }
}

impl Seen {
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) => true,
            (Self::Broken(one), Self::Broken(other)) => one == other,
            (Self::Good(one), Self::Good(other)) => what_counts(one) == what_counts(other),
            _ => false,
        }
    }
}

/// What of a manifest a decision rests on.
fn what_counts(loaded: &LoadedManifest) -> (Option<&OciReference>, Option<&Capabilities>, bool) {
    let extension = &loaded.manifest.extension;
    (extension.oci.as_ref(), loaded.manifest.capabilities.as_ref(), extension.pinned)
}

/// The manifest can be understood, or there is none.
impl From<Option<LoadedManifest>> for Seen {
    fn from(loaded: Option<LoadedManifest>) -> Self {
        loaded.map_or(Self::Nothing, |loaded| Self::Good(Box::new(loaded)))
    }
}
