//! Links in the place of files that would be replaced.

use std::fs;
use std::path::{Path, PathBuf};

/// A file that is not written, since a link stands in its place. Another program owns the target,
/// often the one that keeps the user's dotfiles.
#[derive(Debug, thiserror::Error)]
#[error("`{}` is a link to `{}`, and sesame does not write through links", path.display(), target.display())]
pub struct LinkedFile {
    /// The file.
    pub path: PathBuf,
    /// The target of the link.
    pub target: PathBuf,
}

/// Checks that a file that is about to be replaced is not a link, which the replacement would end.
///
/// # Errors
/// [`LinkedFile`] when it is.
pub fn ensure_not_link(path: &Path) -> Result<(), LinkedFile> {
    let Ok(target) = fs::read_link(path) else { return Ok(()) };
    let directory = path.parent().unwrap_or(Path::new(""));
    Err(LinkedFile { path: path.to_owned(), target: directory.join(target) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_is_named_with_its_target() {
        let root = tempfile::tempdir().expect("a directory");
        let path = root.path().join("x.toml");
        assert!(ensure_not_link(&path).is_ok());
        std::os::unix::fs::symlink("dotfiles/x.toml", &path).expect("a link");
        let linked = ensure_not_link(&path).expect_err("a link");
        assert_eq!(linked.target, root.path().join("dotfiles/x.toml"));
    }
}
