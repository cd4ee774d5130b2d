//! Notes the generations of an extension as they begin.

use core_types::{ExtensionName, OciReference};
use private_files::remove_leftovers;

use crate::files::state_file::{self, StateFileError};
use crate::history::generation::{Generation, Reason};
use crate::store::locked_depot::LockedDepot;

impl LockedDepot<'_> {
    /// Notes the generation that is about to begin, and before it the one that ends, if that was
    /// not noted. The manifest is written afterwards: a crash in between leaves a generation that
    /// never was in force, and loses none.
    pub(crate) fn note_generation(
        &self,
        name: &ExtensionName,
        before: Option<(&str, Option<&OciReference>)>,
        after: (&str, Option<&OciReference>),
        reason: Reason,
    ) -> Result<(), StateFileError> {
        remove_leftovers(&self.places().history(name));
        let last = self.generation_numbers(name)?.pop().unwrap_or_default();
        let newest: Option<Generation> = match last {
            0 => None,
            last => state_file::read(&self.places().generation(name, last))?,
        };
        let mut next = last + 1;
        if let Some(before) =
            before.filter(|(text, _)| newest.is_none_or(|newest| newest.manifest != *text))
        {
            self.write_generation(name, next, before, Reason::Edited)?;
            next += 1;
        }
        self.write_generation(name, next, after, reason)
    }

    fn write_generation(
        &self,
        name: &ExtensionName,
        number: u32,
        (manifest, reference): (&str, Option<&OciReference>),
        reason: Reason,
    ) -> Result<(), StateFileError> {
        let artifact = reference.and_then(|reference| self.artifact_of(reference));
        let record = match artifact.as_ref().map(|artifact| self.record(name, &artifact.digest)) {
            // A record that cannot be read now may be readable when blobs are collected by the
            // digests of this generation.
            Some(Err(error @ StateFileError::Io { .. })) => return Err(error),
            Some(Ok(record)) => record,
            Some(Err(_)) | None => None,
        };
        let binary =
            artifact.as_ref().and_then(|artifact| self.binary_of(artifact, record.as_ref()));
        let generation = Generation {
            number,
            at: state_file::now(),
            reason,
            reference: reference.cloned(),
            image_manifest: artifact.as_ref().map(|artifact| artifact.manifest_digest),
            binary: binary.map(|binary| binary.digest),
            signer: record.and_then(|record| Some(record.signature?.state.to_string())),
            manifest: manifest.to_owned(),
        };
        state_file::write(&self.places().generation(name, number), &generation)
    }
}
