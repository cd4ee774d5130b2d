//! The OCI image layout in which installed artifacts lie.
//!
//! `index.json` names each installed artifact by the name of its extension, so that `oras` and
//! `skopeo` find it as `DIRECTORY:NAME`. What runs is decided by the manifests alone.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsString;
use std::fs;
use std::io;

use core_types::{Digest, ExtensionName};
use private_files::{
    FileError, atomic_write, create_durable_directory, names_in, read_regular, sync_directory,
};

use crate::config::places::Places;
use crate::oci::artifact::{Artifact, ArtifactError};
use crate::oci::blob::read_blob;
use crate::oci::descriptor::{Descriptor, MAX_MANIFEST, REF_NAME};
use crate::oci::image::ImageIndex;
use crate::oci::media_type;
use crate::source::staging::Staged;

/// The contents of the file `oci-layout`.
pub(crate) const MARKER: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

pub(crate) struct Layout<'a> {
    pub(crate) places: &'a Places,
}

impl Layout<'_> {
    /// Follows a pinned digest to its artifact. Each document is verified as it is read.
    pub(crate) fn artifact(&self, digest: Digest) -> Result<Artifact, ArtifactError> {
        Artifact::resolve(digest, |digest| {
            read_blob(&self.places.blob(digest), digest, MAX_MANIFEST).map_err(ArtifactError::Blob)
        })
    }

    /// Puts the blobs of a staged artifact into place. They are durable after
    /// [`Layout::sync_blobs`].
    pub(crate) fn add_blobs(&self, staged: &Staged) -> Result<(), FileError> {
        let blobs = self.places.blobs();
        at(&blobs, create_durable_directory(&blobs))?;
        for digest in staged.digests() {
            let target = self.places.blob(&digest);
            let in_place = || fs::rename(staged.staging.blob(&digest), &target);
            at(&target, in_place().or_else(|_| fs::remove_dir(&target).and_then(|()| in_place())))?;
        }
        Ok(())
    }

    /// Makes the names of blobs durable.
    pub(crate) fn sync_blobs(&self) -> Result<(), FileError> {
        let blobs = self.places.blobs();
        if blobs.is_dir() { at(&blobs, sync_directory(&blobs)) } else { Ok(()) }
    }

    /// Lets the index name these artifacts for their extensions, each in the place of any other.
    pub(crate) fn add_entries(&self, all: &[(&ExtensionName, &Artifact)]) -> Result<(), FileError> {
        let entry = |(name, artifact): &(&ExtensionName, &Artifact)| Descriptor {
            annotations: BTreeMap::from([(REF_NAME.to_owned(), name.to_string())]),
            ..Descriptor::new(
                media_type::MANIFEST,
                artifact.manifest_digest,
                artifact.manifest_size,
            )
        };
        let names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
        self.edit_index(&names, all.iter().map(entry).collect())
    }

    /// Lets the index forget the extension.
    pub(crate) fn remove_entry(&self, name: &ExtensionName) -> Result<(), FileError> {
        self.edit_index(&[name], Vec::new())
    }

    fn edit_index(
        &self,
        changed: &[&ExtensionName],
        entries: Vec<Descriptor>,
    ) -> Result<(), FileError> {
        let marker = self.places.layout_marker();
        if !marker.exists() {
            at(&marker, atomic_write(&marker, MARKER))?;
        }
        let path = self.places.index();
        let mut index = self.index();
        index.manifests.retain(|other| self.is_current(other, changed));
        index.manifests.extend(entries);
        // The same extensions make the same index, in whichever order they were installed.
        index.manifests.sort_by(|one, other| {
            one.annotations.get(REF_NAME).cmp(&other.annotations.get(REF_NAME))
        });
        let text = serde_json::to_vec_pretty(&index).map_err(io::Error::from);
        at(&path, text.and_then(|text| atomic_write(&path, &text)))
    }

    /// Returns whether an entry stays when those of `changed` are replaced. The leftovers of a
    /// killed removal go.
    fn is_current(&self, entry: &Descriptor, changed: &[&ExtensionName]) -> bool {
        let name =
            entry.annotations.get(REF_NAME).and_then(|name| name.parse::<ExtensionName>().ok());
        name.is_some_and(|name| !changed.contains(&&name) && self.places.manifest(&name).exists())
    }

    /// Returns whether the index names the extension.
    pub(crate) fn has_entry(&self, name: &ExtensionName) -> bool {
        let is_its = |entry: &Descriptor| {
            entry.annotations.get(REF_NAME).map(String::as_str) == Some(name.as_str())
        };
        self.index().manifests.iter().any(is_its)
    }

    /// Returns the index; one that is missing, damaged or longer than sesame takes any index is as
    /// good as an empty one, since the manifests decide.
    fn index(&self) -> ImageIndex {
        let read = read_regular(&self.places.index(), MAX_MANIFEST).ok();
        let parsed = read.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        parsed.unwrap_or_else(|| ImageIndex::new(Vec::new()))
    }

    /// Returns the names of all blobs, in one look at their directory.
    pub(crate) fn blob_names(&self) -> Result<HashSet<OsString>, FileError> {
        Ok(names_in(&self.places.blobs())?.into_iter().collect())
    }

    /// Returns the blobs beside these, with their sizes in bytes.
    pub(crate) fn unreferenced_blobs(
        &self,
        needed: &BTreeSet<Digest>,
    ) -> Result<Vec<(Digest, u64)>, FileError> {
        let names = self.blob_names()?;
        let digests = names.iter().filter_map(|name| Digest::from_hex(name.to_str()?));
        let size = |digest: &Digest| {
            fs::metadata(self.places.blob(digest)).map_or(0, |metadata| metadata.len())
        };
        let unreferenced = digests.filter(|digest| !needed.contains(digest));
        let mut blobs: Vec<_> = unreferenced.map(|digest| (digest, size(&digest))).collect();
        blobs.sort();
        Ok(blobs)
    }
}

fn at<T>(path: &std::path::Path, result: io::Result<T>) -> Result<T, FileError> {
    result.map_err(|source| FileError { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An index that another program filled is not read into memory, and begun anew.
    #[test]
    fn overlong_index_is_begun_anew() {
        let home = tempfile::tempdir().expect("a directory");
        let places = Places::below(home.path());
        let (layout, name) = (Layout { places: &places }, "x".parse().expect("a name"));
        let entry = Descriptor {
            annotations: BTreeMap::from([(REF_NAME.to_owned(), "x".to_owned())]),
            ..Descriptor::of(media_type::MANIFEST, b"")
        };
        let index = serde_json::to_string(&ImageIndex::new(vec![entry])).expect("written");
        let room = usize::try_from(MAX_MANIFEST).expect("a size") - index.len();
        fs::create_dir_all(places.extensions()).expect("made");
        for (padding, is_read) in [(room, true), (room + 1, false)] {
            fs::write(places.index(), index.clone() + &" ".repeat(padding)).expect("written");
            assert_eq!(layout.has_entry(&name), is_read, "{padding}");
        }
        layout.remove_entry(&name).expect("replaced");
        let size = fs::metadata(places.index()).expect("there").len();
        assert!(size < MAX_MANIFEST, "{size}");
    }
}
