//! The system's refusal to let this process run code that it has compiled: file systems can be
//! mounted `noexec`, and a service or SELinux can forbid memory that was written to become
//! executable.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use rustix::fs::StatVfsMountFlags;
use rustix::io::Errno;

use super::error_cause::cause_of;
use crate::held_path::held_path;

/// The system does not let this process run its compiled code.
#[derive(Debug, thiserror::Error)]
pub enum NotExecutable {
    /// The file system of the cache is mounted `noexec`.
    #[error("`{}` is on a file system that is mounted `noexec`: compiled code cannot run from there", directory.display())]
    Mount {
        /// The directory of the compiled code.
        directory: PathBuf,
    },
    /// Memory that was written cannot be made executable.
    #[error("the system forbids this process to make memory executable")]
    Memory(#[source] io::Error),
}

impl NotExecutable {
    /// Translates an error of loading this file. Returns the error itself where it is about
    /// something else.
    pub(crate) fn of(error: wasmtime::Error, file: &File) -> Result<Self, wasmtime::Error> {
        let Some(refused) = permission(&error) else { return Err(error) };
        let is_noexec = rustix::fs::fstatvfs(file)
            .is_ok_and(|file| file.f_flag.contains(StatVfsMountFlags::NOEXEC));
        Ok(if is_noexec {
            Self::Mount { directory: directory_of(file) }
        } else {
            Self::Memory(refused)
        })
    }
}

/// Returns the system's error, where it refused a permission.
fn permission(error: &wasmtime::Error) -> Option<io::Error> {
    let errno = cause_of::<Errno>(error).map(|errno| errno.raw_os_error());
    let raw = errno.or_else(|| cause_of::<io::Error>(error)?.raw_os_error())?;
    Some(io::Error::from_raw_os_error(raw))
        .filter(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// Returns the directory of an open file.
fn directory_of(file: &File) -> PathBuf {
    let path = std::fs::read_link(held_path(file)).unwrap_or_default();
    path.parent().unwrap_or(&path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A refused `mprotect` is about executable memory; any other error stays itself.
    #[test]
    fn refused_mprotect_is_told_apart() {
        let file = tempfile::tempfile().expect("a file");
        let refused = |errno| {
            NotExecutable::of(wasmtime::Error::from(errno).context("unable to publish"), &file)
        };
        assert!(matches!(refused(Errno::ACCESS), Ok(NotExecutable::Memory(_))));
        assert!(matches!(refused(Errno::PERM), Ok(NotExecutable::Memory(_))));
        assert!(refused(Errno::NOMEM).is_err());
        assert_eq!(directory_of(&file), std::env::temp_dir());
    }
}
