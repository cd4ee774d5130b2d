//! Records of installed versions.

use core_types::{Digest, ExtensionName, OciReference};
use jiff::Timestamp;
use private_files::remove_leftovers;
use serde::{Deserialize, Serialize};

use crate::files::state_file::{self, StateFile, StateFileError};
use crate::oci::artifact::Artifact;
use crate::oci::binary::Binary;
use crate::store::depot::Depot;
use crate::store::locked_depot::LockedDepot;
use crate::trust::signature_state::SignatureState;

/// The record of one installed version of an extension, kept under its name and digest. It never
/// says which version is current.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The extension.
    pub name: ExtensionName,
    /// The reference, pinned.
    pub reference: OciReference,
    /// The request, in the words of the caller.
    pub source: String,
    /// The digest that the manifest is pinned to, under which the record is kept.
    pub pinned: Digest,
    /// The digest of the image manifest, which differs from the pinned one when that is an index's.
    pub image_manifest: Digest,
    /// The digest of the WebAssembly binary. Where that was unpacked from a layer, only this tells
    /// the digest.
    pub binary: Digest,
    /// The size of the binary in bytes.
    pub binary_size: u64,
    /// When it was installed.
    pub installed_at: Timestamp,
    /// The signature, as far as it was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<CheckedSignature>,
    /// Where a bundle says that it came from, while nothing confirms that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed: Option<OciReference>,
}

/// The result of checking a signature, with the time.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedSignature {
    /// The result.
    #[serde(flatten)]
    pub state: SignatureState,
    /// When it was checked.
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub checked_at: Timestamp,
}

impl From<&SignatureState> for CheckedSignature {
    fn from(state: &SignatureState) -> Self {
        Self { state: state.clone(), checked_at: state_file::now() }
    }
}

impl Depot {
    /// Returns the binary of an artifact by this record, which is wanted where the documents do not
    /// name it.
    pub(crate) fn binary_of(&self, artifact: &Artifact, record: Option<&Record>) -> Option<Binary> {
        let binary =
            |digest, size| Some(Binary { path: self.places().blob(&digest), digest, size });
        if let Some(layer) = artifact.declared() {
            return binary(layer.digest, layer.size);
        }
        let fitting = record.filter(|record| record.image_manifest == artifact.manifest_digest);
        fitting.and_then(|record| binary(record.binary, record.binary_size))
    }

    /// Reads the record of an installed version, or nothing when it has none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn record(
        &self,
        name: &ExtensionName,
        digest: &Digest,
    ) -> Result<Option<Record>, StateFileError> {
        state_file::read(&self.places().record(name, digest))
    }
}

impl LockedDepot<'_> {
    pub(crate) fn write_record(&self, record: &Record) -> Result<(), StateFileError> {
        remove_leftovers(&self.places().records(&record.name));
        state_file::write(&self.places().record(&record.name, &record.pinned), record)
    }
}

impl StateFile for Record {
    const FORMAT: u32 = 1;
}

impl Record {
    pub(crate) fn new(
        name: &ExtensionName,
        reference: &OciReference,
        source: String,
        (artifact, binary): (&Artifact, &Binary),
    ) -> Self {
        Self {
            name: name.clone(),
            reference: reference.clone(),
            source,
            image_manifest: artifact.manifest_digest,
            binary: binary.digest,
            binary_size: binary.size,
            pinned: artifact.digest,
            installed_at: state_file::now(),
            signature: None,
            claimed: None,
        }
    }
}
