//! Whether an extension may read or write a file at this moment, for a program that tells it of one.

use std::fs;
use std::path::{Path, PathBuf};

use core_types::event::WatchedPath;
use core_types::{ExtensionName, Request, decide};
use extension_host::boot_time;

use crate::error::OpenError;
use crate::manager::Manager;

/// A watched file or directory that an extension cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadablePath {
    /// The file or directory.
    pub path: WatchedPath,
    /// The grant with which it can, as `grant` takes it; none where a policy denies it.
    pub grant: Option<String>,
}

impl Manager {
    /// Returns those of the watched files and directories that are not in a granted directory. An
    /// extension is not told of them.
    ///
    /// # Errors
    /// When it is not installed whole, or the configuration cannot be read.
    pub fn unreadable_paths(
        &self,
        name: &ExtensionName,
        paths: &[WatchedPath],
    ) -> Result<Vec<UnreadablePath>, OpenError> {
        let Some(home) = self.directories().home.as_deref() else { return Ok(Vec::new()) };
        let (_, authority) = self.installed_with_authority(name)?;
        let granted = authority.in_force(boot_time());
        let is_granted = |directory: &Path| {
            granted.directories().any(|(granted, _)| directory.starts_with(granted.on_host(home)))
        };
        let unreadable = |path: &WatchedPath| {
            let directory = directory_of(path.as_granted().on_host(home));
            // The whole home is not offered.
            let grant = || {
                let request = self.to_read(&directory)?;
                let is_by_policy = decide(&request, &authority, boot_time()).is_by_policy();
                (!is_by_policy && directory != home).then(|| request.grant_text())
            };
            (!is_granted(&directory)).then(|| UnreadablePath { path: path.clone(), grant: grant() })
        };
        Ok(paths.iter().filter_map(unreadable).collect())
    }

    /// Returns the request to read a directory, as a manifest would name it.
    pub(super) fn to_read(&self, directory: &Path) -> Option<Request> {
        let below = directory.strip_prefix(self.directories().home.as_deref()?).ok();
        let text = below.map(|below| Path::new("~").join(below));
        let path = text.as_deref().unwrap_or(directory).to_str()?.parse().ok()?;
        Some(Request::OpenDirectory { path, write: false })
    }

    /// Returns the path under which an extension may read a file now: the file lies in a directory
    /// that is granted and not protected, and no link on the way leads out of that. The file itself
    /// does not have to be there any more.
    pub fn readable_path(&self, name: &ExtensionName, file: &Path) -> Option<PathBuf> {
        self.path_in_guest(name, file, |_| true)
    }

    /// Tells whether an extension may write to a file now, or make it: it lies in such a directory
    /// that is granted for writing.
    pub fn may_write(&self, name: &ExtensionName, file: &Path) -> bool {
        self.path_in_guest(name, file, |is_writable| is_writable).is_some()
    }

    fn path_in_guest(
        &self,
        name: &ExtensionName,
        file: &Path,
        is_enough: impl Fn(bool) -> bool,
    ) -> Option<PathBuf> {
        let opened = self.depot().open(name, &self.config().ok()?).ok()?;
        let granted = opened.permissions.authority.in_force(boot_time()).into_owned();
        let rules = self.directories();
        let home = rules.home.as_deref()?;
        let mut directories =
            granted.directories().filter(|(_, is_writable)| is_enough(*is_writable));
        directories.find_map(|(directory, _)| {
            let below = below(file, &directory.on_host(home))?;
            rules.check(directory).ok()?;
            // Without the slash behind the directory itself.
            Some(directory.in_guest(home).join(below).components().collect())
        })
    }
}

/// Returns the directory that a watched path is read from: that of a file, and any other path itself.
fn directory_of(mut path: PathBuf) -> PathBuf {
    if path.is_file() {
        path.pop();
    }
    path
}

/// Returns the path of a file below a directory; nothing where it does not lie there by its name, or
/// its links lead out.
fn below<'a>(file: &'a Path, directory: &Path) -> Option<&'a Path> {
    let below = file.strip_prefix(directory).ok()?;
    // A link as the file itself is told of by its name, and opening it is checked as always.
    let parent = if below.as_os_str().is_empty() { file } else { file.parent()? };
    let real = |path: &Path| fs::canonicalize(path).ok();
    real(parent)?.starts_with(real(directory)?).then_some(below)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::below;

    /// A link does not show what lies elsewhere.
    #[test]
    fn link_leads_nowhere() {
        let root = tempfile::tempdir().expect("a directory");
        let root = fs::canonicalize(root.path()).expect("real");
        for directory in ["notes/deep", "secret"] {
            fs::create_dir_all(root.join(directory)).expect("made");
        }
        symlink(root.join("secret"), root.join("notes/out")).expect("linked");
        // A home can be a link, as on systems whose `/home` is one.
        symlink(&root, root.join("linked")).expect("linked");
        for root in [root.clone(), root.join("linked")] {
            for (file, expected) in [
                ("notes/a.txt", Some("a.txt")),
                ("notes/deep/gone.txt", Some("deep/gone.txt")),
                ("notes", Some("")),
                ("notes/out", Some("out")),
                ("notes/out/key", None),
                ("notes/../secret/key", None),
                ("secret/key", None),
                ("notes/gone/key", None),
            ] {
                let file = root.join(file);
                assert_eq!(below(&file, &root.join("notes")), expected.map(Path::new), "{file:?}");
            }
        }
    }
}
