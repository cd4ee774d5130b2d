//! Entries of archives that strangers made: which kinds and paths are taken.

use std::io::{self, Read};

use unicode_normalization::UnicodeNormalization;

/// The longest path of an entry, in bytes: more than any page or binary needs, and less than file
/// systems take.
const MAX_PATH: usize = 200;

/// Returns the header of a file in a reproducible tar.
pub(crate) fn plain_header(size: usize) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(size as u64);
    header
}

/// Words an error of the reader of tars. Its own messages repeat the bytes that it read, which may
/// be a private file that is not a tar at all.
pub(crate) fn worded(error: io::Error) -> io::Error {
    let is_of_content = matches!(
        error.kind(),
        io::ErrorKind::Other | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
    );
    if error.raw_os_error().is_some() || !is_of_content {
        return error;
    }
    io::Error::new(io::ErrorKind::InvalidData, "not a tar archive, or a damaged one")
}

/// Returns the kind of an entry that is neither a regular file nor a directory.
pub(crate) fn refused_kind<R: Read>(
    entry: &mut tar::Entry<'_, R>,
) -> io::Result<Option<&'static str>> {
    use tar::EntryType;
    let what = match entry.header().entry_type() {
        EntryType::Regular | EntryType::Directory => None,
        EntryType::Link => Some("a hard link"),
        EntryType::Symlink => Some("a symbolic link"),
        EntryType::Char | EntryType::Block => Some("a device"),
        EntryType::Fifo => Some("a pipe"),
        EntryType::GNUSparse => Some("a file with holes"),
        EntryType::XGlobalHeader => Some("a header for all entries"),
        _ => Some("of an unknown kind"),
    };
    if what.is_some() {
        return Ok(what);
    }
    let size = entry.header().entry_size()?;
    let Some(extensions) = entry.pax_extensions()? else { return Ok(None) };
    for extension in extensions {
        let extension = extension?;
        let key = extension.key().unwrap_or_default();
        if key.contains("xattr") || key.contains("acl") || key.starts_with("GNU.sparse") {
            return Ok(Some("a file with attributes beside its bytes"));
        }
        // Readers that believe one size and readers that believe the other see different archives
        // (RUSTSEC-2025-0111).
        if key == "size" && extension.value().ok() != Some(size.to_string().as_str()) {
            return Ok(Some("a file whose size is said twice"));
        }
    }
    Ok(None)
}

/// Returns a path without `./` in front and `/` behind, if it leads to one place below where it
/// begins on every system.
pub(crate) fn clean_path(path: &str) -> Result<String, &'static str> {
    let clean = path.strip_prefix("./").unwrap_or(path).trim_end_matches('/');
    if clean.is_empty() || clean == "." {
        return Ok(String::new());
    }
    if path.len() > MAX_PATH {
        return Err("is too long");
    }
    if clean.starts_with('/') {
        return Err("begins at the root");
    }
    let is_drive = clean.len() > 1 && clean.as_bytes()[1] == b':';
    if is_drive || clean.contains(['\\', '\0']) {
        return Err("means something else on other systems");
    }
    if clean.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Err("has characters that cannot be seen");
    }
    if clean.split('/').any(|component| component == "..") {
        return Err("leads out of the archive");
    }
    if clean.split('/').any(|component| component.is_empty() || component == ".") {
        return Err("has an empty part");
    }
    Ok(clean.to_owned())
}

/// Characters that turn the direction of text or take no room.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}')
}

/// Returns a path as a file system or a person takes it who does not tell similar letters apart.
pub(crate) fn folded(path: &str) -> String {
    path.nfkc().collect::<String>().to_lowercase()
}
