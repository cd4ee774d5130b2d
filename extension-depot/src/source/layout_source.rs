//! Reads OCI image layouts: directories, or tars of one.
//!
//! Nothing is unpacked; single files are read by the names that the specification gives them. A tar
//! is gone through once, from header to header, and each of its files is read where it was found to
//! lie.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use core_types::Digest;
use private_files::{open_regular, read_regular};

use crate::archives::entry::worded;
use crate::oci::blob::{BlobError, check};
use crate::oci::descriptor::{Descriptor, MAX_BLOB, MAX_MANIFEST, REF_NAME};
use crate::oci::image::ImageIndex;
use crate::source::source_error::SourceError;
use crate::source::staging::Staging;

/// The most entries of a tar: more blobs than a thousand extensions have, and no more than 5 MiB to
/// remember where they lie.
const MAX_ENTRIES: usize = 50_000;
/// The part of a blob that is in memory at once, in bytes. Larger ones are not faster.
const CHUNK: usize = 64 * 1024;

pub(crate) struct LayoutSource {
    path: PathBuf,
    /// The files, where it is a tar.
    tar: Option<RefCell<TarFiles<File>>>,
}

impl LayoutSource {
    pub(crate) fn open(path: &Path) -> Result<Self, SourceError> {
        let read_error = |source| SourceError::Read { path: path.to_owned(), source };
        let is_directory = std::fs::metadata(path).map_err(read_error)?.is_dir();
        let tar = if is_directory {
            None
        } else {
            let (file, _) = open_regular(path).map_err(read_error)?;
            Some(RefCell::new(TarFiles::find(file).map_err(|error| read_error(worded(error)))?))
        };
        Ok(Self { path: path.to_owned(), tar })
    }

    /// Returns the digest and the name of an entry of the index.
    pub(crate) fn entry(&self, tag: Option<&str>) -> Result<(Digest, Option<String>), SourceError> {
        let index = self.index()?;
        let name = |entry: &Descriptor| entry.annotations.get(REF_NAME).cloned();
        let fits = |entry: &&Descriptor| tag.is_none_or(|tag| name(entry).as_deref() == Some(tag));
        let fitting: Vec<_> = index.manifests.iter().filter(fits).collect();
        match fitting.as_slice() {
            [entry] => Ok((entry.digest, name(entry))),
            _ => {
                let names: Vec<_> = index
                    .manifests
                    .iter()
                    .filter_map(name)
                    .map(|name| format!("`{}`", name.escape_debug()))
                    .collect();
                let found =
                    if names.is_empty() { "no named ones".to_owned() } else { names.join(", ") };
                Err(SourceError::NoEntry {
                    path: self.path.clone(),
                    tag: tag.map(str::to_owned),
                    found,
                })
            }
        }
    }

    pub(crate) fn index(&self) -> Result<ImageIndex, SourceError> {
        let no_layout = || SourceError::NoLayout { path: self.path.clone() };
        let bytes = match &self.tar {
            None => {
                self.file(&self.path.join("index.json"), MAX_MANIFEST)?.ok_or_else(no_layout)?
            }
            Some(tar) => {
                let extent = tar.borrow().index.ok_or_else(no_layout)?;
                self.of_tar(tar, extent, MAX_MANIFEST)?
            }
        };
        serde_json::from_slice(&bytes).map_err(|_| no_layout())
    }

    /// Reads a blob whole and checks its digest.
    pub(crate) fn blob(&self, digest: &Digest, most: u64) -> Result<Vec<u8>, SourceError> {
        let missing = || SourceError::from(BlobError::Missing { digest: *digest });
        let bytes = match &self.tar {
            None => self.file(&self.blob_path(digest), most)?.ok_or_else(missing)?,
            Some(tar) => {
                let extent = tar.borrow().blobs.get(digest).copied().ok_or_else(missing)?;
                self.of_tar(tar, extent, most)?
            }
        };
        check(&bytes, digest)?;
        Ok(bytes)
    }

    fn of_tar(
        &self,
        tar: &RefCell<TarFiles<File>>,
        extent: Extent,
        most: u64,
    ) -> Result<Vec<u8>, SourceError> {
        if extent.size > most {
            return Err(self.too_large(most));
        }
        tar.borrow_mut().bytes(extent).map_err(|source| self.unreadable(source))
    }

    /// Copies a blob to where it is staged, piece by piece, and checks its descriptor says.
    pub(crate) fn stage_blob(
        &self,
        staging: &Staging,
        blob: &Descriptor,
    ) -> Result<(), SourceError> {
        let missing = || SourceError::from(BlobError::Missing { digest: blob.digest });
        match &self.tar {
            None => {
                let path = self.blob_path(&blob.digest);
                let opened = open_regular(&path);
                let (file, metadata) = match opened {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
                    opened => opened.map_err(|source| SourceError::Read { path, source })?,
                };
                self.copy(file, metadata.len(), staging, blob)
            }
            Some(tar) => {
                let extent = tar.borrow().blobs.get(&blob.digest).copied().ok_or_else(missing)?;
                let mut tar = tar.borrow_mut();
                let from = tar.open(extent).map_err(|source| self.unreadable(source))?;
                self.copy(from, extent.size, staging, blob)
            }
        }
    }

    fn copy(
        &self,
        mut from: impl Read,
        size: u64,
        staging: &Staging,
        blob: &Descriptor,
    ) -> Result<(), SourceError> {
        if size != blob.size {
            return Err(BlobError::Size { expected: blob.size, found: size }.into());
        }
        if size > MAX_BLOB {
            return Err(self.too_large(MAX_BLOB));
        }
        let (mut writer, mut chunk, mut left) = (staging.writer(blob)?, vec![0; CHUNK], size);
        while left > 0 {
            match from.read(&mut chunk).map_err(|source| self.unreadable(source))? {
                0 => return Err(self.unreadable(io::ErrorKind::UnexpectedEof.into())),
                read => {
                    writer.write(&chunk[..read])?;
                    left = left.saturating_sub(read as u64);
                }
            }
        }
        Ok(writer.finish(&blob.digest)?)
    }

    fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.path.join("blobs").join("sha256").join(digest.hex())
    }

    /// Returns a file of a directory, or nothing if it is not there.
    fn file(&self, path: &Path, most: u64) -> Result<Option<Vec<u8>>, SourceError> {
        match read_capped(path, most) {
            Err(SourceError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    fn unreadable(&self, source: io::Error) -> SourceError {
        SourceError::Read { path: self.path.clone(), source }
    }

    fn too_large(&self, most: u64) -> SourceError {
        SourceError::TooLarge { path: self.path.clone(), most }
    }
}

/// Reads a file whole, if it has at most so many bytes.
pub(crate) fn read_capped(path: &Path, most: u64) -> Result<Vec<u8>, SourceError> {
    read_regular(path, most).map_err(|source| match source.kind() {
        io::ErrorKind::FileTooLarge => SourceError::TooLarge { path: path.to_owned(), most },
        _ => SourceError::Read { path: path.to_owned(), source },
    })
}

/// Where a file lies in a tar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extent {
    at: u64,
    size: u64,
}

/// The files of a layout in a tar.
struct TarFiles<R> {
    reader: R,
    index: Option<Extent>,
    blobs: HashMap<Digest, Extent>,
}

impl<R: Read + Seek> TarFiles<R> {
    /// Goes through a tar from header to header, once. Of two files with one name the first counts.
    ///
    /// Headers are taken as they are: names and sizes of the forms that make sesame read further
    /// bytes for them are those of files that no layout has.
    fn find(reader: R) -> io::Result<Self> {
        let (mut index, mut blobs) = (None, HashMap::new());
        let mut archive = tar::Archive::new(reader);
        for (count, entry) in archive.entries_with_seek()?.raw(true).enumerate() {
            if count >= MAX_ENTRIES {
                let message = format!("it has more than {MAX_ENTRIES} entries");
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
            }
            let entry = entry?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let extent = Extent { at: entry.raw_file_position(), size: entry.size() };
            let path = entry.path_bytes();
            match path.strip_prefix(b"./").unwrap_or(&path) {
                b"index.json" => index = index.or(Some(extent)),
                path => {
                    if let Some(digest) = digest_of_path(path) {
                        blobs.entry(digest).or_insert(extent);
                    }
                }
            }
        }
        Ok(Self { reader: archive.into_inner(), index, blobs })
    }

    fn open(&mut self, extent: Extent) -> io::Result<impl Read> {
        self.reader.seek(SeekFrom::Start(extent.at))?;
        Ok((&mut self.reader).take(extent.size))
    }

    /// Returns the bytes of a file, as far as the tar has them.
    fn bytes(&mut self, extent: Extent) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(extent)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

fn digest_of_path(path: &[u8]) -> Option<Digest> {
    let hex = std::str::from_utf8(path.strip_prefix(b"blobs/sha256/")?).ok()?;
    Digest::from_hex(hex)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archives::entry::plain_header;
    use crate::oci::blob::digest_of;

    /// Counts the bytes that are read.
    struct Counting<R> {
        from: R,
        read: u64,
    }

    impl<R: Read> Read for Counting<R> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.from.read(buffer)?;
            self.read += read as u64;
            Ok(read)
        }
    }

    impl<R: Seek> Seek for Counting<R> {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.from.seek(to)
        }
    }

    fn tar(files: &[(String, Vec<u8>)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, bytes) in files {
            builder
                .append_data(&mut plain_header(bytes.len()), path, bytes.as_slice())
                .expect("packed");
        }
        builder.into_inner().expect("packed")
    }

    /// Finding the files reads headers alone, and reading all of them reads each byte once.
    #[test]
    fn tar_is_read_once() {
        let contents: Vec<Vec<u8>> = (0..5_000_u32).map(|n| n.to_le_bytes().repeat(500)).collect();
        let path = |bytes: &Vec<u8>| format!("./blobs/sha256/{}", digest_of(bytes).hex());
        let mut files: Vec<_> = contents.iter().map(|bytes| (path(bytes), bytes.clone())).collect();
        files.push(("./index.json".to_owned(), b"{}".to_vec()));
        let whole = tar(&files);
        let reader = Counting { from: io::Cursor::new(&whole), read: 0 };
        let mut found = TarFiles::find(reader).expect("a tar");
        assert_eq!((found.blobs.len(), found.index.is_some()), (5_000, true));
        assert!(
            found.reader.read <= 512 * (files.len() as u64 + 2),
            "{} bytes of headers",
            found.reader.read
        );
        for bytes in &contents {
            let extent = found.blobs[&digest_of(bytes)];
            assert!(found.bytes(extent).expect("read") == *bytes);
        }
        assert!(
            found.reader.read <= whole.len() as u64,
            "{} of {} bytes",
            found.reader.read,
            whole.len()
        );
    }

    /// No entry makes more than its header be read, however large its name is said to be.
    #[test]
    fn long_name_is_not_read() {
        let mut header = plain_header(64 << 20);
        header.set_entry_type(tar::EntryType::GNULongName);
        header.set_path("././@LongLink").expect("short");
        header.set_cksum();
        let reader = Counting { from: io::Cursor::new(header.as_bytes().to_vec()), read: 0 };
        let found = TarFiles::find(reader).expect("a tar without files");
        assert_eq!((found.blobs.len(), found.reader.read), (0, 512));
    }

    /// More entries than are remembered are an error and not the first of them.
    #[test]
    fn entries_are_bounded() {
        let files: Vec<_> = (0..=MAX_ENTRIES).map(|n| (format!("f{n}"), Vec::new())).collect();
        let error = TarFiles::find(io::Cursor::new(tar(&files))).map(drop).expect_err("too many");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
