//! The files of the configuration.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use core_types::TomlProblem;

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFileError {
    /// It cannot be read.
    #[error("cannot read the configuration `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A policy names a file that its rules cannot be checked with.
    #[error("the policy in `{}` names `{}`, which cannot be used", path.display(), file.display())]
    Signer {
        /// The file of the policy.
        path: PathBuf,
        /// The file that it names.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What stands in it is wrong.
    #[error("the configuration `{}` is wrong: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What, and where in the file.
        problem: TomlProblem,
    },
}

/// Returns whether nothing at all has this path. A dangling link counts: a policy that cannot be
/// read is not an absent policy.
pub(crate) fn is_absent(path: &Path) -> bool {
    let is_there = |parent: &Path| fs::metadata(parent).is_ok() || is_absent(parent);
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.parent().is_none_or(is_there),
        _ => false,
    }
}

/// `config.toml`, then the files of `config.d` in the order of their names.
pub(crate) fn config_files(directory: &Path) -> Result<Vec<PathBuf>, ConfigFileError> {
    let more = directory.join("config.d");
    let entries = match fs::read_dir(&more) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_absent(&more) => {
            return Ok(vec![directory.join("config.toml")]);
        }
        Err(source) => return Err(ConfigFileError::Read { path: more, source }),
    };
    let paths: io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(|source| ConfigFileError::Read { path: more, source })?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths.insert(0, directory.join("config.toml"));
    Ok(paths)
}
