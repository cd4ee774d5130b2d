//! Whether an extension may read a file at this moment, for a program that tells it of one.

use std::fs;
use std::path::Path;

use core_types::ExtensionName;
use extension_host::boot_time;

use crate::manager::Manager;

impl Manager {
    /// Tells whether an extension may read a path now: it lies in a directory that is granted and
    /// not protected, and no link on the way leads out of that. The path itself does not have to be
    /// there any more.
    pub fn may_read(&self, name: &ExtensionName, path: &Path) -> bool {
        let opened = self.config().ok().and_then(|config| self.depot().open(name, &config).ok());
        let Some(opened) = opened else { return false };
        let granted = opened.permissions.authority.in_force(boot_time()).into_owned();
        let rules = self.directories();
        let Some(home) = rules.home.as_deref() else { return false };
        granted.directories().any(|(directory, _)| {
            rules.check(directory).is_ok() && lies_in(path, &directory.on_host(home))
        })
    }
}

/// Tells whether a path lies in a directory by its name and where its links lead.
fn lies_in(path: &Path, directory: &Path) -> bool {
    // A link as the path itself is told of by its name, and opening it is checked as always.
    let parent = if path == directory { Some(path) } else { path.parent() };
    let real = |path: &Path| fs::canonicalize(path).ok();
    let Some((parent, directory)) = parent.and_then(real).zip(real(directory)) else {
        return false;
    };
    path.starts_with(&directory) && parent.starts_with(&directory)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::lies_in;

    /// A link does not show what lies elsewhere.
    #[test]
    fn link_leads_nowhere() {
        let root = tempfile::tempdir().expect("a directory");
        let root = fs::canonicalize(root.path()).expect("real");
        for directory in ["notes/deep", "secret"] {
            fs::create_dir_all(root.join(directory)).expect("made");
        }
        symlink(root.join("secret"), root.join("notes/out")).expect("linked");
        let notes = root.join("notes");
        for (path, lies) in [
            ("notes/a.txt", true),
            ("notes/deep/gone.txt", true),
            ("notes", true),
            ("notes/out/key", false),
            ("notes/../secret/key", false),
            ("secret/key", false),
            ("notes/gone/key", false),
        ] {
            assert_eq!(lies_in(&root.join(path), &notes), lies, "{path}");
        }
    }
}
