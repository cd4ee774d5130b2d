//! Deletes old generations, and the blobs that only they needed.

use std::collections::BTreeSet;

use core_types::{Digest, ExtensionName};
use private_files::{FileError, names_in};

use crate::files::stored_file::StoredFileError;
use crate::history::generation::Generation;
use crate::oci::artifact::Artifact;
use crate::oci::binary::Binary;
use crate::store::depot::Listed;
use crate::store::locked_depot::LockedDepot;
use crate::store::remove::remove_file;

/// The deleted generations and blobs, or those that would be deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Generations that cannot be gone back to any more.
    pub generations: Vec<(ExtensionName, u32)>,
    /// Blobs that nothing needs, with their sizes in bytes.
    pub blobs: Vec<(Digest, u64)>,
    /// The binaries that stay, for whoever keeps compiled code of them.
    pub binaries: BTreeSet<Digest>,
}

impl Collected {
    /// Returns how many bytes of blobs there were.
    pub fn bytes(&self) -> u64 {
        self.blobs.iter().map(|(_, size)| size).sum()
    }
}

impl LockedDepot<'_> {
    /// Finds the generations beyond the newest `keep` versions of each extension, and the blobs
    /// that are unreferenced after that, and removes them if `apply` says so. The installed version
    /// always stays, and so does every generation of a version that stays.
    ///
    /// # Errors
    /// When something cannot be read or removed. While a manifest cannot be read, no blob goes: its
    /// blobs are not known.
    pub fn collect(&self, keep: usize, apply: bool) -> Result<Collected, StoredFileError> {
        let mut collected = Collected::default();
        let mut staying = Vec::new();
        for name in self.names_with_history()? {
            let generations = self.generations(&name)?;
            let (old, kept) = match self.manifest(&name) {
                Ok(loaded) => {
                    split(generations, keep, loaded.and_then(|loaded| Some(loaded.pinned()?.1)))
                }
                // Which generation is in force is not known.
                Err(_) => (Vec::new(), generations),
            };
            collected
                .generations
                .extend(old.iter().map(|generation| (name.clone(), generation.number)));
            staying.extend(kept);
        }
        let installed = self.installed_artifacts()?;
        collected.binaries = staying.iter().filter_map(|generation| generation.binary).collect();
        collected.binaries.extend(installed.iter().flatten().map(|(_, binary)| binary.digest));
        if let Some(needed) = self.needed_blobs(&installed, &staying) {
            collected.blobs = self.layout().unreferenced_blobs(&needed)?;
        }
        if apply {
            self.apply(&collected)?;
        }
        Ok(collected)
    }

    /// Generations first: a crash leaves blobs that the next collection takes, and no generation
    /// without its blobs.
    fn apply(&self, collected: &Collected) -> Result<(), FileError> {
        for (name, number) in &collected.generations {
            remove_file(&self.places().generation(name, *number))?;
        }
        for (digest, _) in &collected.blobs {
            remove_file(&self.places().blob(digest))?;
        }
        Ok(())
    }

    /// Removes what neither a manifest nor a generation needs. Returns how many bytes that freed.
    pub(crate) fn remove_unused_blobs(&self) -> Result<u64, StoredFileError> {
        let mut staying = Vec::new();
        for name in self.names_with_history()? {
            staying.extend(self.generations(&name)?);
        }
        let Some(needed) = self.needed_blobs(&self.installed_artifacts()?, &staying) else {
            return Ok(0);
        };
        let collected =
            Collected { blobs: self.layout().unreferenced_blobs(&needed)?, ..Default::default() };
        self.apply(&collected)?;
        Ok(collected.bytes())
    }

    /// What each manifest that is pinned is pinned to, with its binary; nothing for one that cannot
    /// be read, or whose artifact or binary is not known.
    fn installed_artifacts(&self) -> Result<Vec<Option<(Artifact, Binary)>>, FileError> {
        let known = |name: &ExtensionName, digest| {
            let artifact = self.layout().artifact(digest).ok()?;
            let binary = self.binary(name, &artifact).ok().flatten()?;
            Some((artifact, binary))
        };
        let artifact = |listed: Listed| match listed.manifest {
            Ok(loaded) => loaded.pinned().map(|(_, digest)| known(&listed.name, digest)),
            Err(_) => Some(None),
        };
        Ok(self.list()?.into_iter().filter_map(artifact).collect())
    }

    /// Returns the blobs that the installed artifacts and these generations need; nothing when that
    /// cannot be known.
    fn needed_blobs(
        &self,
        installed: &[Option<(Artifact, Binary)>],
        generations: &[Generation],
    ) -> Option<BTreeSet<Digest>> {
        let mut needed = BTreeSet::new();
        for known in installed {
            let (artifact, binary) = known.as_ref()?;
            needed.extend(artifact.digests());
            needed.insert(binary.digest);
        }
        for generation in generations {
            let artifact =
                generation.reference.as_ref().and_then(|reference| self.artifact_of(reference));
            needed.extend(generation.binary);
            match artifact {
                Some(artifact) => needed.extend(artifact.digests()),
                // Its documents are damaged; the rest stays for a repair.
                None => {
                    let known = [generation.pinned(), generation.image_manifest];
                    needed.extend(known.into_iter().flatten());
                }
            }
        }
        Some(needed)
    }

    fn names_with_history(&self) -> Result<Vec<ExtensionName>, FileError> {
        let files = names_in(&self.places().histories())?;
        let mut names: Vec<_> =
            files.iter().filter_map(|file| file.to_str()?.parse::<ExtensionName>().ok()).collect();
        names.sort();
        Ok(names)
    }

    /// Checks that everything that says which blobs are needed can be listed, before anything is
    /// removed.
    ///
    /// # Errors
    /// With the first directory that cannot.
    pub(crate) fn check_listings(&self) -> Result<(), FileError> {
        for name in self.names_with_history()? {
            names_in(&self.places().history(&name))?;
        }
        let others =
            [self.places().extensions(), self.places().blobs(), self.places().all_records()];
        others.iter().try_for_each(|directory| names_in(directory).map(drop))
    }
}

/// Returns the generations that go and those that stay: those of the version that is installed and
/// of the newest others, `keep` versions in all.
fn split(
    generations: Vec<Generation>,
    keep: usize,
    current: Option<Digest>,
) -> (Vec<Generation>, Vec<Generation>) {
    let mut versions: Vec<_> = current.into_iter().collect();
    for digest in generations.iter().rev().filter_map(Generation::pinned) {
        if versions.len() < keep.max(1) && !versions.contains(&digest) {
            versions.push(digest);
        }
    }
    generations.into_iter().partition(|generation| {
        generation.pinned().is_none_or(|digest| !versions.contains(&digest))
    })
}
