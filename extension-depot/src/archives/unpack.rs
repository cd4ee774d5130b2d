//! Taking the one WebAssembly binary out of a layer that is packed: a tar as container tools make
//! it, gzip or Zstandard.
//!
//! A layer is a stranger's. It is read as a stream, under caps, and nothing in it chooses where
//! something is written: the bytes of the binary go to a file that the caller named, and no other
//! bytes go anywhere.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use core_types::Digest;
use flate2::bufread::MultiGzDecoder;
use private_files::open_regular;
use sha2::{Digest as _, Sha256};

use crate::archives::entry::{clean_path, folded, refused_kind, worded};
use crate::archives::file_kind::{Kind, MAX_UNPACKED, describe, is_tar_type};
use crate::archives::zstd::ZstdReader;
use crate::oci::descriptor::{Descriptor, MAX_BLOB};
use crate::oci::image_error::ImageError;

/// How many times larger a layer can become. Binaries become some 3 to 20 times larger, and zeros a
/// thousand times.
const MAX_RATIO: u64 = 200;
/// The size that any layer can become: tars are padded with zeros.
const SMALL: u64 = 1 << 20;
/// The most entries of a layer: an image of a Linux distribution has some thousands.
const MAX_ENTRIES: usize = 10_000;
/// The bytes that are read at once. Larger chunks are not faster.
const CHUNK: usize = 64 * 1024;

/// An unpacked binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unpacked {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
}

/// Why the layers of an artifact do not lead to a WebAssembly binary.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It is not an extension.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The layer is damaged.
    #[error("the layer {digest} cannot be unpacked")]
    Archive {
        /// The layer.
        digest: Digest,
        /// The problem with it.
        source: io::Error,
    },
    /// The layer is larger than sesame takes when it is unpacked.
    #[error("the layer {digest} is too large when unpacked: more than {most}")]
    TooLarge {
        /// The layer.
        digest: Digest,
        /// What there can be at most.
        most: String,
    },
    /// The layer has something beside its WebAssembly binary that is neither a plain file nor a
    /// directory.
    #[error("the layer {digest} has `{}`, which is {what}; only regular files and directories are accepted", path.escape_debug())]
    Entry {
        /// The layer.
        digest: Digest,
        /// The entry's path, as the archive has it.
        path: String,
        /// Its kind.
        what: &'static str,
    },
    /// The layer has a path that could lead elsewhere, or that another one could be taken for.
    #[error("the layer {digest} has a file `{}`, whose path {problem}", path.escape_debug())]
    Path {
        /// The layer.
        digest: Digest,
        /// The path, as the archive has it.
        path: String,
        /// The problem with it.
        problem: &'static str,
    },
    /// The system refuses.
    #[error("cannot use `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// Writes the one WebAssembly binary that is packed in a layer to `sink`. The layer's bytes have
/// been verified. `whole` names the artifact of the layer.
///
/// # Errors
/// When there is none, or more than one, or the layer is damaged, too large, or has an entry that
/// could mislead others.
pub(crate) fn unpack(
    path: &Path,
    layer: &Descriptor,
    whole: &str,
    sink: &mut dyn Write,
) -> Result<Unpacked, UnpackError> {
    let most = layer.size.saturating_mul(MAX_RATIO).clamp(SMALL, MAX_UNPACKED);
    Unpacking { layer, path, whole, most }.content(content_of(path)?, sink)
}

/// Returns the content of a layer, without its gzip or Zstandard.
pub(super) fn content_of(path: &Path) -> Result<Box<dyn Read>, UnpackError> {
    let failed = |source| UnpackError::Io { path: path.to_owned(), source };
    let mut packed = BufReader::with_capacity(CHUNK, open_regular(path).map_err(failed)?.0);
    Ok(match Kind::of(packed.fill_buf().map_err(failed)?) {
        Kind::Gzip => Box::new(MultiGzDecoder::new(packed)),
        Kind::Zstd => Box::new(ZstdReader::new(packed)),
        Kind::Tar | Kind::Wasm | Kind::Other => Box::new(packed),
    })
}

/// A layer that is being unpacked.
struct Unpacking<'a> {
    layer: &'a Descriptor,
    path: &'a Path,
    whole: &'a str,
    /// The most bytes that its content can have.
    most: u64,
}

impl Unpacking<'_> {
    fn content(&self, content: impl Read, sink: &mut dyn Write) -> Result<Unpacked, UnpackError> {
        let mut content = Capped { from: content, left: self.most };
        let mut head = Vec::new();
        (&mut content)
            .take(512)
            .read_to_end(&mut head)
            .map_err(|source| self.unreadable(source))?;
        let kind = Kind::of(&head);
        let mut content = io::Cursor::new(head).chain(content);
        match kind {
            Kind::Wasm => self.binary(&mut content, sink),
            Kind::Tar => self.tar(content, sink),
            Kind::Other if is_tar_type(&self.layer.media_type) => self.tar(content, sink),
            Kind::Gzip | Kind::Zstd => Err(self.no_wasm("an archive in an archive")),
            Kind::Other => {
                Err(self
                    .no_wasm(&format!("{} in an archive", describe(content.get_ref().0.get_ref()))))
            }
        }
    }

    /// Finds the only WebAssembly file. What else is wrong with the archive matters only if there
    /// is one: an image of another kind has links, and is not an extension all the same.
    fn tar(&self, content: impl Read, sink: &mut dyn Write) -> Result<Unpacked, UnpackError> {
        let (mut found, mut names, mut problem) = (None, Vec::new(), None);
        let mut taken = BTreeSet::new();
        let mut archive = tar::Archive::new(content);
        let entries = archive.entries().map_err(|source| self.unreadable(source))?;
        for (at, entry) in entries.enumerate() {
            if at >= MAX_ENTRIES {
                return Err(self.too_large(format!("{MAX_ENTRIES} entries")));
            }
            let mut entry = entry.map_err(|source| self.unreadable(source))?;
            if let Err(error) = self.check_entry(&mut entry, &mut taken)? {
                problem.get_or_insert(error);
            }
            let Some(head) = self.wasm_head(&mut entry)? else { continue };
            names.push(String::from_utf8_lossy(&entry.path_bytes()).into_owned());
            if names.len() == 1 {
                found = Some(self.whole_binary(&mut entry, head, sink)?);
            }
        }
        match (found, names.as_slice()) {
            (Some(unpacked), [_]) => problem.map_or(Ok(unpacked), Err),
            (_, []) => Err(self.no_wasm(self.whole)),
            _ => Err(ImageError::SeveralFiles { names: several(&names) }.into()),
        }
    }

    /// Returns the first bytes of an entry, if it is a file that begins as WebAssembly does.
    fn wasm_head(
        &self,
        entry: &mut tar::Entry<'_, impl Read>,
    ) -> Result<Option<io::Cursor<Vec<u8>>>, UnpackError> {
        if !entry.header().entry_type().is_file() {
            return Ok(None);
        }
        let mut head = Vec::new();
        entry.take(4).read_to_end(&mut head).map_err(|source| self.unreadable(source))?;
        Ok((Kind::of(&head) == Kind::Wasm).then(|| io::Cursor::new(head)))
    }

    /// Returns the problem with an entry, if it has one. Two paths that cannot be told apart are
    /// one too many.
    fn check_entry(
        &self,
        entry: &mut tar::Entry<'_, impl Read>,
        taken: &mut BTreeSet<String>,
    ) -> Result<Result<(), UnpackError>, UnpackError> {
        let digest = self.layer.digest;
        let raw = entry.path_bytes().into_owned();
        let path = String::from_utf8_lossy(&raw).into_owned();
        if let Some(what) = refused_kind(entry).map_err(|source| self.unreadable(source))? {
            return Ok(Err(UnpackError::Entry { digest, path, what }));
        }
        let is_directory = entry.header().entry_type().is_dir();
        let clean =
            if path.as_bytes() == raw { clean_path(&path) } else { Err("is not UTF-8 text") };
        Ok(match clean {
            Err(problem) => Err(UnpackError::Path { digest, path, problem }),
            Ok(clean) if !is_directory && !taken.insert(folded(&clean)) => Err(UnpackError::Path {
                digest,
                path,
                problem: "is that of another file, or looks like it",
            }),
            Ok(_) => Ok(()),
        })
    }

    /// Copies and hashes the binary of an entry, of which every byte has to be there.
    fn whole_binary(
        &self,
        entry: &mut tar::Entry<'_, impl Read>,
        head: io::Cursor<Vec<u8>>,
        sink: &mut dyn Write,
    ) -> Result<Unpacked, UnpackError> {
        let size = entry.size();
        let unpacked = self.binary(&mut head.chain(entry), sink)?;
        // An archive that ends too early looks like an entry that does.
        if unpacked.size == size {
            Ok(unpacked)
        } else {
            Err(self.unreadable(io::ErrorKind::UnexpectedEof.into()))
        }
    }

    /// Copies and hashes the binary.
    fn binary(&self, from: &mut dyn Read, sink: &mut dyn Write) -> Result<Unpacked, UnpackError> {
        let failed = |source| UnpackError::Io { path: self.path.to_owned(), source };
        let (mut hash, mut size, mut chunk) = (Sha256::new(), 0_u64, vec![0; CHUNK]);
        loop {
            let read = match from.read(&mut chunk) {
                Ok(0) => {
                    return Ok(Unpacked {
                        digest: Digest::from_sha256(hash.finalize().into()),
                        size,
                    });
                }
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(self.unreadable(source)),
            };
            size += read as u64;
            if size > MAX_BLOB {
                return Err(self.too_large(format!("{} MiB of WebAssembly", MAX_BLOB >> 20)));
            }
            hash.update(&chunk[..read]);
            sink.write_all(&chunk[..read]).map_err(failed)?;
        }
    }

    fn unreadable(&self, source: io::Error) -> UnpackError {
        if source.kind() == io::ErrorKind::FileTooLarge {
            return self.too_large(format!("{} bytes, of {}", self.most, self.layer.size));
        }
        UnpackError::Archive { digest: self.layer.digest, source: worded(source) }
    }

    fn too_large(&self, most: String) -> UnpackError {
        UnpackError::TooLarge { digest: self.layer.digest, most }
    }

    fn no_wasm(&self, what: &str) -> UnpackError {
        let layer = self.layer.media_type.escape_debug();
        ImageError::NoWasm { found: format!("{what} without WebAssembly (layer `{layer}`)") }.into()
    }
}

/// Returns the names of some files.
fn several(names: &[String]) -> String {
    let shown: Vec<_> =
        names.iter().take(5).map(|name| format!("`{}`", name.escape_debug())).collect();
    let more = names.len().saturating_sub(shown.len());
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", shown.join(", "))
}

/// Reads until there is more than there can be.
pub(super) struct Capped<R> {
    pub(super) from: R,
    pub(super) left: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(io::ErrorKind::FileTooLarge.into()),
        }
        Ok(read)
    }
}

#[cfg(test)]
#[path = "unpack_tests.rs"]
mod tests;
