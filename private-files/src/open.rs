//! Opens files so that a pipe or device in their place does not block.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use crate::owner::ensure_owned;

/// The mode of new files: nothing for other users from their first moment on.
const FILE_MODE: u32 = 0o600;

/// Opens a regular file for reading and returns its metadata. A link is followed.
///
/// # Errors
/// When it cannot be opened or is not a regular file.
pub fn open_regular(path: &Path) -> io::Result<(File, Metadata)> {
    opened(OpenOptions::new().read(true), OFlags::NONBLOCK, path)
}

/// Opens a regular file for reading. A link in the last part of the path is refused.
///
/// # Errors
/// As [`open_regular`], and when the path leads to a link.
pub fn open_unlinked(path: &Path) -> io::Result<(File, Metadata)> {
    opened(OpenOptions::new().read(true), OFlags::NONBLOCK | OFlags::NOFOLLOW, path)
}

/// Opens a file for reading that only this user or root could have written.
///
/// # Errors
/// As [`open_regular`] and [`ensure_owned`].
pub fn open_private(path: &Path) -> io::Result<(File, Metadata)> {
    let (file, metadata) = open_regular(path)?;
    ensure_owned(&metadata)?;
    Ok((file, metadata))
}

/// Opens a file for reading and writing, or creates it (0600).
///
/// # Errors
/// As [`open_private`], and when the path leads to a link.
pub fn open_to_change(path: &Path) -> io::Result<File> {
    opened_to_write(OpenOptions::new().read(true).write(true).truncate(false), path)
}

/// Opens a file for reading and appending, or creates it (0600).
///
/// # Errors
/// As [`open_to_change`].
pub fn open_to_append(path: &Path) -> io::Result<File> {
    opened_to_write(OpenOptions::new().read(true).append(true), path)
}

/// Checks that something is a regular file.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] when it is something else.
pub fn ensure_regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let found = if metadata.is_dir() { "it is a directory" } else { "it is not a regular file" };
    Err(io::Error::new(io::ErrorKind::InvalidInput, found))
}

fn opened_to_write(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let options = options.create(true).mode(FILE_MODE);
    let (file, metadata) = opened(options, OFlags::NONBLOCK | OFlags::NOFOLLOW, path)?;
    ensure_owned(&metadata)?;
    Ok(file)
}

fn opened(options: &mut OpenOptions, flags: OFlags, path: &Path) -> io::Result<(File, Metadata)> {
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = options.custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    ensure_regular(&metadata)?;
    Ok((file, metadata))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    /// Returns a directory with a link, a pipe and a file that everybody can write to.
    fn traps() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a directory");
        let at = |name: &str| root.path().join(name);
        fs::write(at("target"), "precious").expect("written");
        symlink(at("target"), at("link")).expect("a link");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("pipe"),
            rustix::fs::FileType::Fifo,
            0o600.into(),
            0,
        )
        .expect("a pipe");
        fs::write(at("open"), "x").expect("written");
        fs::set_permissions(at("open"), Permissions::from_mode(0o666)).expect("set");
        root
    }

    /// Nothing is written through a link, into a pipe, or to a file that others can change.
    #[test]
    fn traps_are_not_opened_to_change() {
        let root = traps();
        for name in ["link", "pipe", "open", "."] {
            let path = root.path().join(name);
            assert!(open_to_change(&path).is_err() && open_to_append(&path).is_err(), "{name}");
        }
        assert_eq!(fs::read_to_string(root.path().join("target")).expect("there"), "precious");
    }

    #[test]
    fn reading_follows_only_links() {
        let root = traps();
        let at = |name: &str| root.path().join(name);
        assert!(open_private(&at("open")).is_err() && open_private(&at("pipe")).is_err());
        assert!(open_private(&at("link")).is_ok() && open_regular(&at("open")).is_ok());
        assert!(open_unlinked(&at("link")).is_err() && open_unlinked(&at("target")).is_ok());
    }

    #[test]
    fn new_files_are_private() {
        let root = tempfile::tempdir().expect("a directory");
        for (name, file) in [
            ("changed", open_to_change(&root.path().join("changed"))),
            ("appended", open_to_append(&root.path().join("appended"))),
        ] {
            let mode = file.expect(name).metadata().expect("there").mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}
