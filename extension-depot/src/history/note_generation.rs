//! Notes the generations of an extension as they begin.

use core_types::{Digest, ExtensionName, OciReference};
use private_files::remove_leftovers;

use crate::files::state_file::{self, StateFileError};
use crate::history::generation::{Generation, Reason};
use crate::store::locked_depot::LockedDepot;
use crate::store::record::Record;

/// A generation that is about to begin.
#[derive(Clone, Copy)]
pub(crate) struct NewGeneration<'a> {
    /// The text of the manifest.
    pub(crate) text: &'a str,
    /// The pinned reference.
    pub(crate) reference: Option<&'a OciReference>,
    /// The record of the pinned version, where it was just written. Without it, the documents of
    /// the artifact and the record are read.
    pub(crate) record: Option<&'a Record>,
    /// Why it begins.
    pub(crate) reason: Reason,
}

/// The parts of a generation that are about its artifact.
#[derive(Default)]
struct PinnedArtifact {
    image_manifest: Option<Digest>,
    binary: Option<Digest>,
    signer: Option<String>,
}

impl LockedDepot<'_> {
    /// Notes the generation that is about to begin, and before it the one that ends, if that was
    /// not noted. The manifest is written afterwards: a crash in between leaves a generation that
    /// never was in force, and loses none.
    pub(crate) fn note_generation(
        &self,
        name: &ExtensionName,
        before: Option<(&str, Option<&OciReference>)>,
        new: &NewGeneration<'_>,
    ) -> Result<(), StateFileError> {
        remove_leftovers(&self.places().history(name));
        let last = self.generation_numbers(name)?.pop().unwrap_or_default();
        let newest: Option<Generation> = match last {
            0 => None,
            last => state_file::read(&self.places().generation(name, last))?,
        };
        let mut next = last + 1;
        if let Some((text, reference)) =
            before.filter(|(text, _)| newest.is_none_or(|newest| newest.manifest != *text))
        {
            let ended = NewGeneration { text, reference, record: None, reason: Reason::Edited };
            self.write_generation(name, next, &ended)?;
            next += 1;
        }
        self.write_generation(name, next, new)
    }

    fn write_generation(
        &self,
        name: &ExtensionName,
        number: u32,
        new: &NewGeneration<'_>,
    ) -> Result<(), StateFileError> {
        let artifact = match (new.record, new.reference) {
            (Some(record), _) => PinnedArtifact::of(record),
            (None, Some(reference)) => self.pinned_artifact(name, reference)?,
            (None, None) => PinnedArtifact::default(),
        };
        let generation = Generation {
            number,
            at: state_file::now(),
            reason: new.reason,
            reference: new.reference.cloned(),
            image_manifest: artifact.image_manifest,
            binary: artifact.binary,
            signer: artifact.signer,
            manifest: new.text.to_owned(),
        };
        state_file::write(&self.places().generation(name, number), &generation)
    }

    /// Reads what is known about the artifact of a pinned reference.
    fn pinned_artifact(
        &self,
        name: &ExtensionName,
        reference: &OciReference,
    ) -> Result<PinnedArtifact, StateFileError> {
        let Some(artifact) = self.artifact_of(reference) else {
            return Ok(PinnedArtifact::default());
        };
        let record = match self.record(name, &artifact.digest) {
            // A record that cannot be read now may be readable when blobs are collected by the
            // digests of this generation.
            Err(error @ StateFileError::Io { .. }) => return Err(error),
            record => record.ok().flatten(),
        };
        let binary = self.binary_of(&artifact, record.as_ref());
        Ok(PinnedArtifact {
            image_manifest: Some(artifact.manifest_digest),
            binary: binary.map(|binary| binary.digest),
            signer: record.as_ref().and_then(signer_of),
        })
    }
}

impl PinnedArtifact {
    fn of(record: &Record) -> Self {
        Self {
            image_manifest: Some(record.image_manifest),
            binary: Some(record.binary),
            signer: signer_of(record),
        }
    }
}

fn signer_of(record: &Record) -> Option<String> {
    Some(record.signature.as_ref()?.state.to_string())
}
