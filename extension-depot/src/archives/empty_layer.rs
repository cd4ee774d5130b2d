//! Layers without files. Container tools write one for an instruction that makes a directory or
//! changes nothing, such as `WORKDIR`.

use std::io::{self, Read};
use std::path::Path;

use crate::archives::entry::refused_kind;
use crate::archives::file_kind::MAX_EMPTY;
use crate::archives::unpack::{Capped, UnpackError, content_of};
use crate::oci::descriptor::Descriptor;

/// Returns whether a layer is a tar of directories alone, or of nothing. One that is damaged, or
/// that becomes large, counts as one with files.
///
/// # Errors
/// When its file cannot be opened.
pub(crate) fn is_without_files(path: &Path, layer: &Descriptor) -> Result<bool, UnpackError> {
    if layer.size > MAX_EMPTY {
        return Ok(false);
    }
    let content = Capped { from: content_of(path)?, left: MAX_EMPTY };
    Ok(has_only_directories(content).unwrap_or(false))
}

fn has_only_directories(content: impl Read) -> io::Result<bool> {
    // Each entry has a block of its own, so that the cap on bytes bounds the entries as well.
    let mut archive = tar::Archive::new(content);
    for entry in archive.entries()? {
        if !is_directory(&mut entry?)? {
            return Ok(false);
        }
    }
    // Other readers can find entries behind the first block of zeros.
    is_zero(archive.into_inner())
}

/// Returns whether an entry is a directory to every reader.
fn is_directory(entry: &mut tar::Entry<'_, impl Read>) -> io::Result<bool> {
    Ok(entry.header().entry_type().is_dir() && refused_kind(entry)?.is_none())
}

fn is_zero(mut content: impl Read) -> io::Result<bool> {
    let mut rest = Vec::new();
    content.read_to_end(&mut rest)?;
    Ok(rest.iter().all(|byte| *byte == 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use std::io::Write;
    use tar::EntryType;

    /// An entry of `tar`: its path, its kind and its bytes.
    type Given<'a> = (&'a str, EntryType, &'a [u8]);

    const DIRECTORY: Given<'static> = ("app/", EntryType::Directory, b"");

    /// Makes a tar that is padded with zeros to a size.
    fn tar_of(entries: &[Given<'_>], size: usize) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (path, kind, bytes) in entries {
            let mut header = tar::Header::new_ustar();
            header.set_entry_type(*kind);
            header.set_size(bytes.len() as u64);
            tar.append_data(&mut header, path, *bytes).expect("in memory");
        }
        let mut bytes = tar.into_inner().expect("in memory");
        bytes.resize(bytes.len().max(size), 0);
        bytes
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("in memory");
        encoder.finish().expect("in memory")
    }

    fn is_empty(bytes: &[u8]) -> bool {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(bytes).expect("written");
        is_without_files(file.path(), &Descriptor::of("x", bytes)).expect("opened")
    }

    /// Tools pad to 1,024 or 10,240 bytes, and to more where they are told to.
    #[test]
    fn directories_alone_are_empty() {
        let many: Vec<_> = (0..200).map(|at| format!("{at}/")).collect();
        let many: Vec<_> =
            many.iter().map(|path| (path.as_str(), EntryType::Directory, &b""[..])).collect();
        for tar in [
            tar_of(&[], 1024),
            tar_of(&[], 10_240),
            tar_of(&[DIRECTORY], 0),
            tar_of(&[DIRECTORY], 10_240),
            tar_of(&[DIRECTORY], 1 << 20),
            tar_of(&many, 0),
        ] {
            assert!(is_empty(&tar) && is_empty(&gzip(&tar)), "{} bytes", tar.len());
        }
    }

    #[test]
    fn other_layers_are_not_empty() {
        for entry in [
            ("app/x", EntryType::Regular, &b"x"[..]),
            ("app/empty", EntryType::Regular, b""),
            ("app/link", EntryType::Symlink, b""),
            ("app/holes", EntryType::GNUSparse, b""),
        ] {
            let tar = tar_of(&[DIRECTORY, entry], 0);
            assert!(!is_empty(&tar) && !is_empty(&gzip(&tar)), "{}", entry.0);
        }
        let behind = [tar_of(&[DIRECTORY], 0), tar_of(&[("x", EntryType::Regular, b"x")], 0)];
        assert!(!is_empty(&behind.concat()), "a second archive behind the first");
        assert!(!is_empty(&gzip(&tar_of(&[], 2 << 20))), "more zeros than are read");
        assert!(!is_empty(&tar_of(&[DIRECTORY], 2 << 20)));
        for damaged in [&b"text"[..], &gzip(b"text"), &gzip(&[0; 1024])[..20], &[1; 1024]] {
            assert!(!is_empty(damaged), "{damaged:?}");
        }
    }

    /// A reader that believes another size finds other entries.
    #[test]
    fn two_sizes_are_not_a_directory() {
        let mut tar = tar::Builder::new(Vec::new());
        tar.append_pax_extensions([("size", &b"0512"[..])]).expect("in memory");
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(EntryType::Directory);
        header.set_size(512);
        tar.append_data(&mut header, "app/", &[0_u8; 512][..]).expect("in memory");
        assert!(!is_empty(&tar.into_inner().expect("in memory")));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_as_a_layer(bytes: Vec<u8>, at in 0..2048usize, with: u8) {
            is_empty(&bytes);
            let tar = tar_of(&[DIRECTORY], 0);
            for mut form in [tar.clone(), gzip(&tar)] {
                let at = at % form.len();
                form[at] = with;
                is_empty(&form);
            }
        }
    }
}
