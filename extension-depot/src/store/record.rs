//! What was installed, from where and when.

use core_types::{Digest, ExtensionName, OciReference};
use serde::{Deserialize, Serialize};

use crate::files::state_file::{self, StateFile};
use crate::oci::artifact::Artifact;
use crate::oci::binary::Binary;
use crate::trust::signature_state::SignatureState;

/// The record of one installed version of an extension, kept under its name and digest. It never
/// says what is current.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The extension.
    pub name: ExtensionName,
    /// What was installed, with its digest.
    pub reference: OciReference,
    /// What was asked for, in the words of whoever asked.
    pub source: String,
    /// The digest that the manifest is pinned to, under which the record is kept.
    pub pinned: Digest,
    /// The digest of the image manifest, which differs from the pinned one when that is an index's.
    pub image_manifest: Digest,
    /// The digest of the WebAssembly binary. Where that was unpacked from a layer, this alone says
    /// what the layer has.
    pub binary: Digest,
    /// The size of the binary in bytes.
    pub binary_size: u64,
    /// When, as RFC 3339 in UTC.
    pub installed_at: String,
    /// What was known of who signed it, as far as that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<CheckedSignature>,
    /// Where a bundle says that it came from, while nothing confirms that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed: Option<OciReference>,
}

/// What was known of a signature at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedSignature {
    /// What was known.
    #[serde(flatten)]
    pub state: SignatureState,
    /// When, as RFC 3339 in UTC.
    pub checked_at: String,
}

impl From<&SignatureState> for CheckedSignature {
    fn from(state: &SignatureState) -> Self {
        Self { state: state.clone(), checked_at: state_file::now() }
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
