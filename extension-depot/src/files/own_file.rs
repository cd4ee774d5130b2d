//! Files that sesame keeps for its user: a pipe in their place makes nobody wait, a link leads
//! nowhere that is written to, and what belongs to somebody else is not trusted.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::oci::blob::{as_text, ensure_plain, open_plain, read_whole};

/// Opens a file for reading, and says what it is.
///
/// # Errors
/// When it is no plain file, belongs to another user than this one or root, or everybody can write
/// to it.
pub(crate) fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let (file, metadata) = open_plain(path)?;
    ensure_own(&metadata)?;
    Ok((file, metadata))
}

/// Opens a file for reading and writing, or makes it (0600).
///
/// # Errors
/// As [`open`], and when the last part of the path is a link.
pub(crate) fn open_to_change(path: &Path) -> io::Result<File> {
    checked(OpenOptions::new().read(true).write(true).create(true).truncate(false), path)
}

/// Opens a file for reading and for adding to its end, or makes it (0600).
///
/// # Errors
/// As [`open_to_change`].
pub(crate) fn open_to_append(path: &Path) -> io::Result<File> {
    checked(OpenOptions::new().read(true).append(true).create(true), path)
}

fn checked(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let file = options
        .mode(0o600)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
        .open(path)?;
    let metadata = file.metadata()?;
    ensure_plain(&metadata)?;
    ensure_own(&metadata)?;
    Ok(file)
}

/// The bytes of a file of at most so many.
///
/// # Errors
/// As [`open`], and when it is larger.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_whole(open(path)?, most)
}

/// The text of a file of at most so many bytes.
///
/// # Errors
/// As [`open`], and when it is larger or not UTF-8.
pub(crate) fn read_text(path: &Path, most: u64) -> io::Result<String> {
    read(path, most).and_then(as_text)
}

/// Makes sure that a file or directory is this user's or root's, and that not everybody can write
/// to it.
pub(crate) fn ensure_own(metadata: &Metadata) -> io::Result<()> {
    let refused = |reason: String| Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
    let user = rustix::process::geteuid().as_raw();
    if ![0, user].contains(&metadata.uid()) {
        return refused(format!(
            "it belongs to the user {}, and this is the user {user}",
            metadata.uid()
        ));
    }
    if metadata.mode() & 0o002 != 0 {
        return refused("everybody can write to it".to_owned());
    }
    Ok(())
}

/// Why a file of the user's is not written: a link stands in its place, and what it leads to is
/// somebody else's to change, the program that keeps the user's dotfiles first of all.
#[derive(Debug, thiserror::Error)]
#[error("`{}` is a link to `{}`, and sesame does not write through links", path.display(), target.display())]
pub struct LinkedFile {
    /// The file.
    pub path: PathBuf,
    /// What the link leads to.
    pub target: PathBuf,
}

/// Makes sure that no link stands in the place of a file that is about to be replaced, which would
/// be the end of the link.
pub(crate) fn ensure_no_link(path: &Path) -> Result<(), LinkedFile> {
    match std::fs::read_link(path) {
        Ok(target) => {
            let target =
                path.parent().map_or_else(|| target.clone(), |directory| directory.join(&target));
            Err(LinkedFile { path: path.to_owned(), target })
        }
        Err(_) => Ok(()),
    }
}

/// Makes sure that root makes nothing in the home of another user, who could not change it
/// afterwards.
pub(crate) fn ensure_may_create(path: &Path) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    match path
        .ancestors()
        .find_map(|above| std::fs::metadata(above).ok())
        .map(|metadata| metadata.uid())
    {
        Some(owner) if owner != 0 => {
            let reason = format!("it would be made by root in a directory of the user {owner}");
            Err(io::Error::new(io::ErrorKind::PermissionDenied, reason))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn neither_a_link_nor_a_pipe_nor_what_everybody_can_write_is_opened_to_be_changed() {
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
        for name in ["link", "pipe", "open", "."] {
            assert!(
                open_to_change(&at(name)).is_err() && open_to_append(&at(name)).is_err(),
                "{name}"
            );
        }
        assert_eq!(fs::read_to_string(at("target")).expect("there"), "precious");
        assert!(
            open(&at("open")).is_err() && open(&at("pipe")).is_err() && open(&at("link")).is_ok()
        );
        assert_eq!(
            open_to_change(&at("new")).expect("made").metadata().expect("there").mode() & 0o777,
            0o600
        );
    }

    /// Root in the home of another user: only root can try, and for everybody else the system
    /// decides.
    #[test]
    fn root_makes_nothing_in_other_homes() {
        let root = tempfile::tempdir().expect("a directory");
        let path = root.path().join(".config/pds");
        assert!(ensure_may_create(&path).is_ok());
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(root.path(), Some(4242), None).expect("given away");
            assert!(ensure_may_create(&path).is_err());
        }
    }

    #[test]
    fn a_text_is_bounded_and_is_text() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), "four").expect("written");
        assert_eq!(read_text(file.path(), 4).expect("read"), "four");
        assert!(read_text(file.path(), 3).is_err());
        fs::write(file.path(), b"\xff").expect("written");
        assert!(read_text(file.path(), 4).is_err());
    }
}
