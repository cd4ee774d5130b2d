//! State files: JSON with a format version, replaced as a whole.
//!
//! Fields are only added within a format, so an older sesame reads the files of a newer one. A
//! change that an older sesame would misread has a higher format version, which an older sesame
//! neither reads nor overwrites.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use private_files::{atomic_write, create_durable_directory, read_private};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Serialize};

/// The largest state file that is read, in bytes. The largest ones are lists of hundreds of
/// extensions.
const MAX_SIZE: u64 = 16 << 20;

/// The contents of a state file.
pub(crate) trait StateFile: Serialize + DeserializeOwned {
    /// The version of the format that this sesame writes, and the highest that it reads.
    const FORMAT: u32;
}

/// Why a state file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateFileError {
    /// A newer sesame wrote it.
    #[error("`{}` was written by a newer sesame: its format is {found}, and this one knows {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format version.
        found: u32,
        /// The highest that is known.
        known: u32,
    },
    /// Its contents are not of this format.
    #[error("`{}` is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The problem.
        source: serde_json::Error,
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

#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

#[derive(Serialize)]
struct Versioned<'a, T> {
    format_version: u32,
    #[serde(flatten)]
    value: &'a T,
}

/// Reads a file, or nothing when it is not there.
pub(crate) fn read<T: StateFile>(path: &Path) -> Result<Option<T>, StateFileError> {
    let io_error = |source| StateFileError::Io { path: path.to_owned(), source };
    let damaged = |source| StateFileError::Damaged { path: path.to_owned(), source };
    let bytes = match read_private(path, MAX_SIZE) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // Nothing that sesame writes is that large.
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            return Err(damaged(serde_json::Error::custom(error)));
        }
        Err(error) => return Err(io_error(error)),
    };
    let Version { format_version } = serde_json::from_slice(&bytes).map_err(damaged)?;
    if format_version > T::FORMAT {
        return Err(StateFileError::Newer {
            path: path.to_owned(),
            found: format_version,
            known: T::FORMAT,
        });
    }
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}

/// Reads a file whose loss costs little. One that is missing or damaged begins anew.
pub(crate) fn read_or_begin<T: StateFile + Default>(path: &Path) -> Result<T, StateFileError> {
    match read(path) {
        Err(StateFileError::Damaged { .. }) => Ok(T::default()),
        read => read.map(Option::unwrap_or_default),
    }
}

/// Replaces a file, durably and as a whole. A file of a newer sesame is not overwritten.
pub(crate) fn write<T: StateFile>(path: &Path, value: &T) -> Result<(), StateFileError> {
    if let Err(error @ StateFileError::Newer { .. }) = read::<T>(path) {
        return Err(error);
    }
    let write = || -> io::Result<()> {
        let text = serde_json::to_vec_pretty(&Versioned { format_version: T::FORMAT, value })?;
        path.parent().map_or(Ok(()), create_durable_directory)?;
        atomic_write(path, &text)
    };
    write().map_err(|source| StateFileError::Io { path: path.to_owned(), source })
}

/// Returns this moment in whole seconds. That is enough to tell people when something happened, and
/// short in every file.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Thing {
        a: u32,
    }

    impl StateFile for Thing {
        const FORMAT: u32 = 2;
    }

    /// Older files are read and newer ones are neither read nor overwritten.
    #[test]
    fn newer_state_is_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("deep/thing.json");
        assert_eq!(read::<Thing>(&path).expect("no file is no error"), None);
        write(&path, &Thing { a: 1 }).expect("written");
        assert_eq!(read::<Thing>(&path).expect("read"), Some(Thing { a: 1 }));
        std::fs::write(&path, r#"{"format_version": 1, "a": 7, "more": true}"#).expect("written");
        assert_eq!(read::<Thing>(&path).expect("older"), Some(Thing { a: 7 }));
        let newer = r#"{"format_version": 3, "b": []}"#;
        std::fs::write(&path, newer).expect("written");
        assert!(matches!(
            read::<Thing>(&path),
            Err(StateFileError::Newer { found: 3, known: 2, .. })
        ));
        assert!(matches!(write(&path, &Thing { a: 1 }), Err(StateFileError::Newer { .. })));
        assert_eq!(std::fs::read_to_string(&path).expect("there"), newer);
        let overlong = format!("{}{}", r#"{"format_version": 2, "a": 1}"#, " ".repeat(16 << 20));
        for damaged in [&overlong, "", "{", "[]", "null", r#"{"format_version": 2}"#, r#"{"a": 1}"#]
        {
            std::fs::write(&path, damaged).expect("written");
            assert!(
                matches!(read::<Thing>(&path), Err(StateFileError::Damaged { .. })),
                "{:.99}",
                damaged
            );
        }
    }
}
