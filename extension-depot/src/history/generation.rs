//! The generations of an extension, one for each change, so that every change can be undone.

use std::ffi::OsString;
use std::fmt;

use core_types::{Digest, ExtensionName, Manifest, OciReference};
use jiff::Timestamp;
use private_files::{FileError, names_in};
use serde::{Deserialize, Serialize};

use crate::files::state_file::{self, StateFile, StateFileError};
use crate::store::depot::Depot;
use crate::store::installed_error::ExtensionNotFound;

/// One state of an extension, as a change left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Counted from 1.
    pub number: u32,
    /// When it began.
    pub at: Timestamp,
    /// What brought it about.
    pub reason: Reason,
    /// The pinned reference; nothing where the manifest was not pinned or could not be read.
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
    /// Returns the digest that the manifest was pinned to.
    pub fn pinned(&self) -> Option<Digest> {
        self.reference.as_ref()?.pinned_digest().ok().flatten()
    }

    /// Parses the manifest.
    ///
    /// # Errors
    /// When it was broken at the time.
    pub fn parsed(&self, name: &ExtensionName) -> Result<Manifest, core_types::TomlProblem> {
        Manifest::parse(&self.manifest, name).map(|parsed| parsed.value)
    }
}

impl History {
    /// Returns the generation of this number.
    pub fn generation(&self, number: u32) -> Option<&Generation> {
        self.generations.iter().find(|generation| generation.number == number)
    }

    /// Returns the newest generation with other bytes than these, which a rollback restores.
    pub fn before(&self, pinned: &Digest) -> Option<&Generation> {
        let is_other =
            |generation: &&Generation| generation.pinned().is_some_and(|other| other != *pinned);
        self.generations.iter().rev().find(is_other)
    }
}

/// Why the history of an extension cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// It has neither a manifest nor a generation.
    #[error(transparent)]
    NotFound(#[from] ExtensionNotFound),
    /// A generation cannot be read.
    #[error(transparent)]
    Generation(#[from] StateFileError),
}

impl Depot {
    /// Returns all generations of an extension. An extension that was never changed by this sesame
    /// has none.
    ///
    /// # Errors
    /// When there is neither a manifest nor a generation, or a file of the history cannot be read.
    pub fn history(&self, name: &ExtensionName) -> Result<History, HistoryError> {
        let generations = self.generations(name)?;
        let text = match self.manifest(name) {
            Ok(loaded) => loaded.map(|loaded| loaded.text),
            // A broken manifest is not a generation. A rollback restores one before it.
            Err(_) => Some(String::new()),
        };
        if generations.is_empty() && text.is_none() {
            return Err(ExtensionNotFound { name: name.clone() }.into());
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

    pub(crate) fn generation_numbers(
        &self,
        name: &ExtensionName,
    ) -> Result<Vec<u32>, StateFileError> {
        let unreadable = |FileError { path, source }| StateFileError::Io { path, source };
        let files = names_in(&self.places().history(name)).map_err(unreadable)?;
        let number = |file: &OsString| file.to_str()?.strip_suffix(".json")?.parse().ok();
        let mut numbers: Vec<_> = files.iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }
}
