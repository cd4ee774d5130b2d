//! Second stage: bytes that are here and verified.

use core_types::{ExtensionName, OciReference};
use extension_depot::{Artifact, Basis, Binary, Evidence, Staged as StagedArtifact};

/// An extension whose bytes are here, with all that is known of it.
pub(crate) struct Staged {
    pub(super) name: ExtensionName,
    pub(super) content: Content,
    /// The state of the extension when its bytes were requested.
    pub(super) basis: Option<Basis>,
    /// The state of its signature, if that came with the bytes.
    pub(super) evidence: Option<Evidence>,
    /// Where a bundle says that it came from, while nothing confirms that.
    pub(super) claimed: Option<OciReference>,
}

/// Where the bytes are.
pub(crate) enum Content {
    /// They arrived, and are verified and not installed.
    Arrived(StagedArtifact),
    /// They are installed: those of an earlier generation.
    Kept { reference: OciReference, artifact: Artifact, binary: Binary },
}

impl Staged {
    /// Bytes for the extension of this name.
    pub(crate) fn new(name: ExtensionName, content: Content) -> Self {
        Self { name, content, basis: None, evidence: None, claimed: None }
    }

    /// Bytes that arrived.
    pub(crate) fn arrived(name: &ExtensionName, artifact: StagedArtifact) -> Self {
        Self::new(name.clone(), Content::Arrived(artifact))
    }

    /// Returns the same, to be decided about upon this.
    pub(crate) fn on(self, basis: Basis) -> Self {
        Self { basis: Some(basis), ..self }
    }

    /// Returns the same with a signature that came along.
    pub(crate) fn with_evidence(self, evidence: Evidence) -> Self {
        Self { evidence: Some(evidence), ..self }
    }

    /// Returns the same with an origin that nothing confirms.
    pub(crate) fn claiming(self, claimed: Option<OciReference>) -> Self {
        Self { claimed, ..self }
    }

    /// Returns its pinned reference.
    pub(super) fn reference(&self) -> &OciReference {
        match &self.content {
            Content::Arrived(staged) => &staged.reference,
            Content::Kept { reference, .. } => reference,
        }
    }

    pub(super) fn artifact(&self) -> &Artifact {
        match &self.content {
            Content::Arrived(staged) => &staged.artifact,
            Content::Kept { artifact, .. } => artifact,
        }
    }

    pub(super) fn binary(&self) -> &Binary {
        match &self.content {
            Content::Arrived(staged) => staged.binary(),
            Content::Kept { binary, .. } => binary,
        }
    }
}
