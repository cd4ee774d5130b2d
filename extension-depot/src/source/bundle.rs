//! Bundles: installed extensions as one file, an OCI image layout in a tar.
//!
//! Any OCI tool reads it (`oras --oci-layout`, `skopeo oci-archive:`), and the same extensions make
//! the same bytes. Each entry of its index has the name of the extension and, for whoever takes it
//! in, the reference that it came from and the schedules that its user set. Referrers of an
//! artifact, such as its signature, are in it as well.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use core_types::{Digest, ExtensionName};

use crate::archives::entry::plain_header;
use crate::files::output_directory::OutputDirectory;
use crate::oci::attachment::Attachment;
use crate::oci::blob::{BlobError, read_blob};
use crate::oci::descriptor::{Descriptor, MAX_BLOB, ORIGIN, REF_NAME, SCHEDULES};
use crate::oci::image::ImageIndex;
use crate::source::bundled_storage::BundledStorage;
use crate::store::depot::{Depot, Installed};
use crate::store::layout::MARKER;

/// The mode of a bundle: the installed extensions are private unless the user says otherwise.
const BUNDLE_MODE: u32 = 0o600;

/// Why a bundle cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Something of an extension is missing or damaged.
    #[error("a part of `{name}` cannot be put into the bundle")]
    Blob {
        /// The extension.
        name: ExtensionName,
        /// The problem.
        source: BlobError,
    },
    /// Another file is in its place.
    #[error("`{}` already exists", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write the bundle `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// What goes into a bundle.
#[derive(Debug, Clone, Copy, Default)]
pub struct BundleContents<'a> {
    /// The extensions.
    pub extensions: &'a [Installed],
    /// Their referrers, such as signatures.
    pub attachments: &'a [Attachment],
    /// The data that they keep.
    pub storages: &'a [BundledStorage],
}

impl Depot {
    /// Writes extensions with their referrers into one file, which replaces another as a whole if
    /// it may replace one. Every byte is checked as it is read.
    ///
    /// # Errors
    /// When another file is there that may not be replaced, a blob is missing or damaged, or the
    /// file cannot be written.
    pub fn export(
        &self,
        contents: &BundleContents<'_>,
        to: &Path,
        replace: bool,
    ) -> Result<(), BundleError> {
        let write_error = |source| BundleError::Write { path: to.to_owned(), source };
        let (directory, name) = OutputDirectory::of_file(to).map_err(write_error)?;
        let mut file = directory.begin(name, BUNDLE_MODE).map_err(write_error)?;
        let mut bundle = BundleWriter {
            tar: tar::Builder::new(io::BufWriter::new(&mut file)),
            written: BTreeSet::new(),
        };
        bundle.file("oci-layout", MARKER).map_err(write_error)?;
        let index = index_of(contents).map_err(|error| write_error(error.into()))?;
        bundle.file("index.json", &index).map_err(write_error)?;
        for extension in contents.extensions {
            for digest in extension.artifact.digests() {
                let read = read_blob(&self.places().blob(&digest), &digest, MAX_BLOB);
                let bytes = read
                    .map_err(|source| BundleError::Blob { name: extension.name.clone(), source })?;
                bundle.blob(&digest, &bytes).map_err(write_error)?;
            }
        }
        for (digest, bytes) in contents.attachments.iter().flat_map(|attached| &attached.blobs) {
            bundle.blob(digest, bytes).map_err(write_error)?;
        }
        for storage in contents.storages {
            bundle.blob(&storage.entry.digest, &storage.bytes).map_err(write_error)?;
        }
        bundle.finish().map_err(write_error)?;
        let finished = if replace { file.finish() } else { file.finish_new() };
        finished.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => BundleError::Exists { path: to.to_owned() },
            _ => write_error(error),
        })
    }
}

fn index_of(contents: &BundleContents<'_>) -> serde_json::Result<Vec<u8>> {
    let entry = |extension: &Installed| {
        let Installed { name, reference, artifact, loaded, .. } = extension;
        let schedules = loaded.manifest.events.schedules();
        let schedules = (!schedules.is_empty()).then(|| (SCHEDULES, schedules.to_toml()));
        let annotations = [(REF_NAME, name.to_string()), (ORIGIN, reference.to_string())];
        let annotations = annotations.into_iter().chain(schedules);
        Descriptor {
            annotations: annotations.map(|(key, value)| (key.to_owned(), value)).collect(),
            ..artifact.document()
        }
    };
    let extensions = contents.extensions.iter().map(entry);
    let attached = contents.attachments.iter().map(|attachment| attachment.descriptor.clone());
    let storages = contents.storages.iter().map(|storage| storage.entry.clone());
    let index = ImageIndex::new(extensions.chain(attached).chain(storages).collect());
    serde_json::to_vec_pretty(&index)
}

/// Writes a reproducible tar.
struct BundleWriter<W: Write> {
    tar: tar::Builder<W>,
    written: BTreeSet<Digest>,
}

impl<W: Write> BundleWriter<W> {
    fn file(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut header = plain_header(bytes.len());
        self.tar.append_data(&mut header, path, bytes)
    }

    /// Several artifacts share a blob, which is written once.
    fn blob(&mut self, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
        if self.written.insert(*digest) {
            self.file(&format!("blobs/sha256/{}", digest.hex()), bytes)
        } else {
            Ok(())
        }
    }

    fn finish(self) -> io::Result<()> {
        self.tar.into_inner()?.flush()
    }
}
