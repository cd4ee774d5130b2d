//! The owner of a name: the source that the extension of this name came from.

use core_types::{ExtensionName, Identity, OciReference};

use crate::manifest::manifest_file::ManifestError;
use crate::store::depot::Depot;

/// The name belongs to an extension from elsewhere.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` is the name of an extension from `{installed}`, not from `{wanted}`")]
pub struct OtherSource {
    /// The name.
    pub name: ExtensionName,
    /// The owner.
    pub installed: Identity,
    /// Who wants it.
    pub wanted: Identity,
}

/// Why an artifact cannot have a name.
#[derive(Debug, thiserror::Error)]
pub enum CheckNameError {
    /// The manifest cannot be used, so the owner is not known.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The name belongs to an extension from elsewhere.
    #[error(transparent)]
    OtherSource(#[from] OtherSource),
}

impl Depot {
    /// Checks that an artifact from there can have this name.
    ///
    /// # Errors
    /// [`CheckNameError::OtherSource`] when the name belongs to another identity.
    pub fn check_name(
        &self,
        name: &ExtensionName,
        reference: &OciReference,
    ) -> Result<(), CheckNameError> {
        let owner = self.manifest(name)?.and_then(|loaded| loaded.manifest.extension.oci);
        Ok(check_owner(name, owner.as_ref(), reference)?)
    }
}

/// Checks that an artifact from there can have a name that belongs to `owner`. A local reference
/// without a digest stands for whichever bytes come first.
pub(crate) fn check_owner(
    name: &ExtensionName,
    owner: Option<&OciReference>,
    wanted: &OciReference,
) -> Result<(), OtherSource> {
    let Some(owner) = owner else { return Ok(()) };
    let (installed, wanted_by) = (owner.identity(), wanted.identity());
    let is_open = owner.is_local()
        && owner.provenance().is_none()
        && installed == wanted.unpinned().identity();
    if installed == wanted_by || is_open {
        return Ok(());
    }
    Err(OtherSource { name: name.clone(), installed, wanted: wanted_by })
}
