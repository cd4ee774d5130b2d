//! Reads files whole, within a bound.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use crate::open::{open_private, open_regular};

/// Reads a regular file of at most `max` bytes.
///
/// # Errors
/// When it cannot be read, is not a regular file or is larger.
pub fn read_regular(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    read_opened(open_regular(path)?, max)
}

/// Reads a regular file of at most `max` bytes as text.
///
/// # Errors
/// As [`read_regular`], and when it is not UTF-8.
pub fn read_regular_text(path: &Path, max: u64) -> io::Result<String> {
    read_regular(path, max).and_then(into_text)
}

/// Reads a file of at most `max` bytes that only this user or root could have written.
///
/// # Errors
/// As [`open_private`], and when it is larger.
pub fn read_private(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    read_opened(open_private(path)?, max)
}

/// Reads a file of at most `max` bytes that only this user or root could have written, as text.
///
/// # Errors
/// As [`read_private`], and when it is not UTF-8.
pub fn read_private_text(path: &Path, max: u64) -> io::Result<String> {
    read_private(path, max).and_then(into_text)
}

/// Reads an open file of at most `max` bytes, whatever its size was when it was opened.
///
/// # Errors
/// [`io::ErrorKind::FileTooLarge`] when it is larger.
pub fn read_opened((file, metadata): (File, Metadata), max: u64) -> io::Result<Vec<u8>> {
    if metadata.len() > max {
        return Err(too_large(max));
    }
    // With room for one byte more than the file has, one call reads it and the next finds its end:
    // a list reads a thousand files.
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1);
    file.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max { Err(too_large(max)) } else { Ok(bytes) }
}

fn too_large(max: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {max} bytes"))
}

fn into_text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn text_is_bounded_and_is_utf_8() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), "four").expect("written");
        assert_eq!(read_private_text(file.path(), 4).expect("read"), "four");
        assert_eq!(read_regular_text(file.path(), u64::MAX).expect("read"), "four");
        let error = read_private_text(file.path(), 3).expect_err("too large");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        fs::write(file.path(), b"\xff").expect("written");
        assert_eq!(
            read_private_text(file.path(), 4).expect_err("not text").kind(),
            io::ErrorKind::InvalidData
        );
    }

    /// A file that grows after it was opened is still bounded.
    #[test]
    fn growing_file_is_bounded() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let opened = open_regular(file.path()).expect("opened");
        fs::write(file.path(), "grown").expect("written");
        assert!(read_opened(opened, 3).is_err());
    }
}
