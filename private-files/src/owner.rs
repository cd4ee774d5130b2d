//! Whose files are trusted.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The reason why a file is not exclusive to this user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it {}", self.as_str())]
pub enum NotExclusive {
    /// It belongs to another user.
    OtherUser,
    /// Its group or everybody can write to it.
    WritableByOthers,
}

impl NotExclusive {
    /// Returns the reason as a part of a sentence, such as `belongs to another user`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OtherUser => "belongs to another user",
            Self::WritableByOthers => "can be written to by others",
        }
    }
}

/// Checks that a file or directory belongs to this user or to root, and that not everybody can
/// write to it.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`] with the reason.
pub fn ensure_owned(metadata: &Metadata) -> io::Result<()> {
    let user = rustix::process::geteuid().as_raw();
    if ![0, user].contains(&metadata.uid()) {
        let owner = metadata.uid();
        return denied(format!("it belongs to the user {owner}, and this is the user {user}"));
    }
    if metadata.mode() & 0o002 != 0 {
        return denied("everybody can write to it".to_owned());
    }
    Ok(())
}

/// Checks that a file or directory belongs to this user, and that only this user can write to it.
///
/// # Errors
/// The reason when it does not.
pub fn ensure_exclusive(metadata: &Metadata) -> Result<(), NotExclusive> {
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(NotExclusive::OtherUser);
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(NotExclusive::WritableByOthers);
    }
    Ok(())
}

/// Checks that root does not create a path in the home of another user, who could not change it
/// afterwards.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`] when root would.
pub fn ensure_may_create(path: &Path) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let nearest = path.ancestors().find_map(|above| fs::metadata(above).ok());
    match nearest.map(|metadata| metadata.uid()) {
        Some(owner) if owner != 0 => {
            denied(format!("it would be made by root in a directory of the user {owner}"))
        }
        _ => Ok(()),
    }
}

fn denied(reason: String) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::PermissionDenied, reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    /// Only root can try; for everybody else the system decides.
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
    fn group_may_write_what_is_only_owned() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let checked = |mode: u32| {
            fs::set_permissions(file.path(), Permissions::from_mode(mode)).expect("set");
            let metadata = fs::metadata(file.path()).expect("there");
            (ensure_owned(&metadata).is_ok(), ensure_exclusive(&metadata))
        };
        assert_eq!(checked(0o600), (true, Ok(())));
        assert_eq!(checked(0o660), (true, Err(NotExclusive::WritableByOthers)));
        assert_eq!(checked(0o606), (false, Err(NotExclusive::WritableByOthers)));
    }
}
