//! Files in which sesame remembers things: JSON with a format version, replaced as a whole.
//!
//! Fields are only ever added within a format, so an older sesame reads what a newer one wrote.
//! What cannot be understood that way has a higher format version, which an older sesame refuses to
//! read, and so never overwrites.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::files::{durable, own_file};

/// The largest file that is read, in bytes.
const MAX_SIZE: u64 = 16 << 20;

/// What is kept in such a file.
pub(crate) trait StateFile: Serialize + DeserializeOwned {
    /// The version of the format that this sesame writes, and the highest that it reads.
    const FORMAT: u32;
}

/// Why what sesame remembers cannot be had or written.
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
    /// It does not say what it should.
    #[error("`{}` is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The system refuses.
    #[error("cannot use `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
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

/// What a file says, or nothing when it is not there.
pub(crate) fn read<T: StateFile>(path: &Path) -> Result<Option<T>, StateFileError> {
    let io_error = |source| StateFileError::Io { path: path.to_owned(), source };
    let damaged = |source| StateFileError::Damaged { path: path.to_owned(), source };
    let file = match own_file::open(path) {
        Ok((file, _)) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_SIZE).read_to_end(&mut bytes).map_err(io_error)?;
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

/// Replaces a file, durably and as a whole. What a newer sesame wrote is not overwritten.
pub(crate) fn write<T: StateFile>(path: &Path, value: &T) -> Result<(), StateFileError> {
    if let Err(error @ StateFileError::Newer { .. }) = read::<T>(path) {
        return Err(error);
    }
    let write = || -> io::Result<()> {
        let text = serde_json::to_vec_pretty(&Versioned { format_version: T::FORMAT, value })?;
        path.parent().map_or(Ok(()), durable::create_directory)?;
        durable::write(path, &text)
    };
    write().map_err(|source| StateFileError::Io { path: path.to_owned(), source })
}

/// This moment, as RFC 3339 in UTC.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
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

    #[test]
    fn older_files_are_read_and_newer_ones_are_neither_read_nor_overwritten() {
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
        for damaged in ["", "{", "[]", "null", r#"{"format_version": 2}"#, r#"{"a": 1}"#] {
            std::fs::write(&path, damaged).expect("written");
            assert!(
                matches!(read::<Thing>(&path), Err(StateFileError::Damaged { .. })),
                "{damaged}"
            );
        }
    }
}
