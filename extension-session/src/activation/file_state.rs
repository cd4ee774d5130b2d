//! The present contents of a place that the library writes to.

use std::fs;
use std::io;
use std::path::Path;

use private_files::{open_unlinked, read_opened};

use crate::activation::templates::is_unchanged;

/// The largest file that is read, in bytes: ours are below 2 KiB, and a larger one is not ours.
pub(super) const MAX_SIZE: u64 = 1 << 16;
/// The target of the link by which systemd masks a unit: it must not start.
const NOWHERE: &str = "/dev/null";

/// The present contents of the place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileState {
    /// Nothing.
    Missing,
    /// A file that this library wrote, with these contents.
    Own(String),
    /// A file that this library wrote and somebody has changed, with these contents.
    Edited(String),
    /// A link to `/dev/null`: `systemctl --user mask` makes it.
    Masked,
    /// Something of another program.
    Foreign,
}

impl FileState {
    /// Looks at a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Missing),
            Err(error) => return Err(error),
            Ok(metadata) if metadata.is_symlink() => {
                return Ok(if is_masked(path) { Self::Masked } else { Self::Foreign });
            }
            Ok(metadata) if !metadata.is_file() || metadata.len() > MAX_SIZE => {
                return Ok(Self::Foreign);
            }
            Ok(_) => {}
        }
        let bytes = read_opened(open_unlinked(path)?, MAX_SIZE)?;
        Ok(String::from_utf8(bytes).map_or(Self::Foreign, Self::of_text))
    }

    fn of_text(text: String) -> Self {
        match is_unchanged(&text) {
            Some(true) => Self::Own(text),
            Some(false) => Self::Edited(text),
            None => Self::Foreign,
        }
    }

    /// Returns the contents of a file that this library wrote.
    pub(super) fn contents(&self) -> Option<&str> {
        match self {
            Self::Own(text) | Self::Edited(text) => Some(text),
            Self::Missing | Self::Masked | Self::Foreign => None,
        }
    }
}

/// Returns whether a unit is masked.
pub(super) fn is_masked(path: &Path) -> bool {
    fs::read_link(path).is_ok_and(|to| to == Path::new(NOWHERE))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::activation::program::ServiceProgram;
    use crate::activation::templates::unit;

    #[test]
    fn files_are_told_apart() {
        let root = tempfile::tempdir().expect("a directory");
        let at = |name: &str| root.path().join(name);
        let ours = unit(&ServiceProgram::at("/usr/bin/sesame".into()).expect("a path"));
        fs::write(at("own"), &ours).expect("written");
        fs::write(at("edited"), format!("{ours}# mine\n")).expect("written");
        fs::write(at("foreign"), "[Unit]\n").expect("written");
        fs::write(at("bytes"), b"\xff").expect("written");
        fs::write(at("large"), "#".repeat(1 << 17)).expect("written");
        fs::create_dir(at("directory")).expect("made");
        symlink("/dev/null", at("masked")).expect("a link");
        symlink("own", at("link")).expect("a link");
        let of = |name: &str| FileState::of(&at(name)).expect(name);
        assert_eq!(of("missing"), FileState::Missing);
        assert_eq!(of("own"), FileState::Own(ours.clone()));
        assert_eq!(of("edited"), FileState::Edited(format!("{ours}# mine\n")));
        assert_eq!(of("masked"), FileState::Masked);
        for name in ["foreign", "bytes", "large", "directory", "link"] {
            assert_eq!(of(name), FileState::Foreign, "{name}");
        }
    }
}
