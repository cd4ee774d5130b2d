//! What an extension was before: a generation for each change, so that every change can be taken
//! back.

use std::ffi::OsString;
use std::fmt;

use core_types::{Digest, ExtensionName, Manifest, OciReference};
use serde::{Deserialize, Serialize};

use crate::files::durable;
use crate::files::listing::names_in;
use crate::files::state_file::{self, StateFile, StateFileError};
use crate::oci::artifact::Artifact;
use crate::store::depot::Depot;
use crate::store::depot_error::DepotError;
use crate::store::layout::FileError;

/// One state of an extension, as a change left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Counted from 1.
    pub number: u32,
    /// When it began, as RFC 3339 in UTC.
    pub at: String,
    /// What brought it about.
    pub reason: Reason,
    /// What was installed, pinned; nothing where the manifest was not pinned or could not be read.
    pub reference: Option<OciReference>,
    /// The digest of the image manifest, which differs from the pinned one when that is an index's.
    pub image_manifest: Option<Digest>,
    /// The digest of the WebAssembly binary.
    pub binary: Option<Digest>,
    /// Who signed it, as far as that was checked.
    pub signer: Option<String>,
    /// The text of the manifest.
    pub manifest: String,
}

/// Why there is a new generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// `install`
    Installed,
    /// `update`
    Updated,
    /// `rollback` to the generation of this number.
    RolledBack(u32),
    /// `grant`
    Granted,
    /// `revoke`
    Revoked,
    /// `enable`
    Enabled,
    /// `disable`
    Disabled,
    /// `pin`
    Pinned,
    /// `unpin`
    Unpinned,
    /// `update` found the bytes in the registry that a bundle named.
    Confirmed,
    /// `call --learn --write`
    Learned,
    /// `set`, `unset`
    Configured,
    /// `edit`, or something else than sesame changed the manifest, or a sesame that kept no
    /// history.
    Edited,
}

/// The reason in a few words.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed => f.write_str("installed"),
            Self::Updated => f.write_str("updated"),
            Self::RolledBack(number) => write!(f, "rolled back to {number}"),
            Self::Granted => f.write_str("granted"),
            Self::Revoked => f.write_str("revoked"),
            Self::Enabled => f.write_str("enabled"),
            Self::Disabled => f.write_str("disabled"),
            Self::Pinned => f.write_str("pinned"),
            Self::Unpinned => f.write_str("unpinned"),
            Self::Confirmed => f.write_str("origin confirmed"),
            Self::Learned => f.write_str("learned"),
            Self::Configured => f.write_str("settings changed"),
            Self::Edited => f.write_str("edited by hand"),
        }
    }
}

impl StateFile for Generation {
    const FORMAT: u32 = 1;
}

/// The generations of an extension, from the oldest on, and which of them is in force.
#[derive(Debug, Clone)]
pub struct History {
    /// The generations, from the oldest on.
    pub generations: Vec<Generation>,
    /// The number of the one that the manifest is; nothing after a change by hand that no change of
    /// sesame's followed.
    pub current: Option<u32>,
}

impl Generation {
    /// The digest that the manifest was pinned to.
    pub fn pinned(&self) -> Option<Digest> {
        self.reference.as_ref()?.pinned_digest().ok().flatten()
    }

    /// What the manifest said.
    ///
    /// # Errors
    /// When it was broken at the time.
    pub fn parsed(&self, name: &ExtensionName) -> Result<Manifest, core_types::TomlProblem> {
        Manifest::parse(&self.manifest, name).map(|parsed| parsed.value)
    }
}

impl History {
    /// The generation of this number.
    pub fn generation(&self, number: u32) -> Option<&Generation> {
        self.generations.iter().find(|generation| generation.number == number)
    }

    /// The newest generation with other bytes than these: what a rollback goes back to.
    pub fn before(&self, pinned: &Digest) -> Option<&Generation> {
        let is_other =
            |generation: &&Generation| generation.pinned().is_some_and(|other| other != *pinned);
        self.generations.iter().rev().find(is_other)
    }
}

impl Depot {
    /// All generations of an extension. An extension that was never changed by this sesame has
    /// none.
    ///
    /// # Errors
    /// When there is neither a manifest nor a generation, or a file of the history cannot be read.
    pub fn history(&self, name: &ExtensionName) -> Result<History, DepotError> {
        let generations = self.generations(name)?;
        let text = match self.manifest(name) {
            Ok(loaded) => loaded.map(|loaded| loaded.text),
            // A broken manifest is no generation; those before it are what one goes back to.
            Err(_) => Some(String::new()),
        };
        if generations.is_empty() && text.is_none() {
            return Err(DepotError::NotFound { name: name.clone() });
        }
        let is_current = |generation: &&Generation| Some(&generation.manifest) == text.as_ref();
        let current = generations.iter().rev().find(is_current).map(|generation| generation.number);
        Ok(History { generations, current })
    }

    pub(crate) fn generations(
        &self,
        name: &ExtensionName,
    ) -> Result<Vec<Generation>, StateFileError> {
        let numbers = self.generation_numbers(name)?;
        let read = |number| {
            state_file::read::<Generation>(&self.places().generation(name, number)).transpose()
        };
        numbers.into_iter().filter_map(read).collect()
    }

    fn generation_numbers(&self, name: &ExtensionName) -> Result<Vec<u32>, StateFileError> {
        let unreadable = |FileError { path, source }| StateFileError::Io { path, source };
        let files = names_in(&self.places().history(name)).map_err(unreadable)?;
        let number = |file: &OsString| file.to_str()?.strip_suffix(".json")?.parse().ok();
        let mut numbers: Vec<_> = files.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Notes the generation that is about to begin, and before it the one that ends, if nobody
    /// noted that. To be called under the lock, before the manifest is written: a crash in between
    /// leaves a generation that never was in force, and loses none.
    pub(crate) fn note_generation(
        &self,
        name: &ExtensionName,
        before: Option<(&str, Option<&OciReference>)>,
        after: (&str, Option<&OciReference>),
        reason: Reason,
    ) -> Result<(), DepotError> {
        durable::remove_leftovers(&self.places().history(name));
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
    ) -> Result<(), DepotError> {
        let artifact = reference.and_then(|reference| self.artifact_of(reference));
        // A record that cannot be read now may be readable when blobs are collected by what this
        // generation names.
        if let Some(artifact) = &artifact
            && let Err(error @ StateFileError::Io { .. }) = self.record(name, &artifact.digest)
        {
            return Err(error.into());
        }
        let binary =
            artifact.as_ref().and_then(|artifact| self.binary(name, artifact).ok().flatten());
        let generation = Generation {
            number,
            at: state_file::now(),
            reason,
            reference: reference.cloned(),
            image_manifest: artifact.as_ref().map(|artifact| artifact.manifest_digest),
            binary: binary.map(|binary| binary.digest),
            signer: self.signer(name, artifact.as_ref()),
            manifest: manifest.to_owned(),
        };
        Ok(state_file::write(&self.places().generation(name, number), &generation)?)
    }

    /// What the record says of who signed.
    fn signer(&self, name: &ExtensionName, artifact: Option<&Artifact>) -> Option<String> {
        let record = self.record(name, &artifact?.digest).ok().flatten()?;
        Some(record.signature?.state.to_string())
    }

    /// What a reference is pinned to, if it is pinned and its documents are there.
    pub(crate) fn artifact_of(&self, reference: &OciReference) -> Option<Artifact> {
        let digest = reference.pinned_digest().ok().flatten()?;
        self.layout().artifact(digest).ok()
    }
}
