//! The directories that no grant opens.
//!
//! An extension that can write where sesame keeps its grants has every capability, so that no grant
//! reaches there: neither by name, nor through a link on either side, nor through another mount of
//! the same files.

use std::path::{Path, PathBuf};

use core_types::{Capabilities, GrantedPath};

use super::check::{DirectoryCheck, real_path};
use super::error::DirectoryError;

/// The home directory, and the directories that no extension gets.
///
/// ```
/// use core_types::GrantedPath;
/// use extension_host::{DirectoryError, DirectoryRules};
///
/// let rules = DirectoryRules {
///     home: Some("/home/someone".into()),
///     protected: vec!["/home/someone/.config/my-program".into()],
/// };
/// let path: GrantedPath = "~/.config".parse()?;
/// assert!(matches!(rules.check(&path), Err(DirectoryError::Protected { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DirectoryRules {
    /// The home directory. Without one, grants below `~` are refused.
    pub home: Option<PathBuf>,
    /// Directories that no grant may be, contain or lie in. `/proc` and `/sys` are always among
    /// them.
    pub protected: Vec<PathBuf>,
}

impl DirectoryRules {
    /// Checks that extensions can get this directory now.
    ///
    /// # Errors
    /// When it is protected, reached through a link, or not a directory.
    /// [`DirectoryError::Missing`] when it only does not exist.
    pub fn check(&self, path: &GrantedPath) -> Result<(), DirectoryError> {
        self.start_check().open(path).map(drop)
    }

    /// Checks that a guest finds each of these directories under a path of its own.
    ///
    /// # Errors
    /// With the first two that share one.
    pub fn check_guest_paths(&self, granted: &Capabilities) -> Result<(), DirectoryError> {
        let home = self.home.as_deref().unwrap_or(Path::new("~"));
        Ok(granted.check_guest_paths(home)?)
    }

    /// Returns a function that tells how deep a granted directory lies, if this place on the host
    /// lies in it.
    pub(crate) fn depth_above(&self, place: &Path) -> impl Fn(&GrantedPath) -> Option<usize> {
        let home = self.home.as_deref().map(real_path).unwrap_or_default();
        move |path| {
            let directory = path.on_host(&home);
            place.starts_with(&directory).then(|| directory.components().count())
        }
    }

    /// Returns the path under which a guest finds a granted directory.
    pub(crate) fn in_guest(&self, path: &GrantedPath) -> PathBuf {
        path.in_guest(self.home.as_deref().unwrap_or(Path::new("/")))
    }

    /// Starts a check of the directories of one call.
    pub(crate) fn start_check(&self) -> DirectoryCheck<'_> {
        DirectoryCheck::new(self.home.as_deref(), &self.protected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn rules(home: &Path) -> DirectoryRules {
        DirectoryRules {
            home: Some(home.to_owned()),
            protected: vec![home.join(".config/pds"), home.join("later/made")],
        }
    }

    fn said(rules: &DirectoryRules, path: &str) -> String {
        match rules.check(&path.parse().expect(path)) {
            Ok(()) => "ok".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    /// Sesame's own directories cannot be granted by any name.
    #[test]
    fn own_directories_cannot_be_granted() {
        let home = tempfile::tempdir().expect("a directory");
        let root = fs::canonicalize(home.path()).expect("there");
        for path in [".config/pds/extensions", "Documents/out", ".configuration"] {
            fs::create_dir_all(root.join(path)).expect("made");
        }
        symlink(".config", root.join("innocent")).expect("made");
        symlink("Documents", root.join("Papers")).expect("made");
        let rules = rules(&root);
        for path in
            ["~/Documents", "~/Documents/out", "~/Documents/", "~/.configuration", "~//Documents"]
        {
            assert_eq!(said(&rules, path), "ok", "{path}");
        }
        for path in [
            "~",
            "/",
            "~/.config",
            "~/.config/pds",
            "~/.config/pds/extensions",
            "~/innocent",
            "~/innocent/pds",
        ] {
            assert!(
                said(&rules, path).contains("which no extension gets"),
                "{path}: {}",
                said(&rules, path)
            );
        }
        for path in ["/proc", "/proc/self", "/sys", "/proc/self/root"] {
            assert!(
                said(&rules, path).contains("which no extension gets"),
                "{path}: {}",
                said(&rules, path)
            );
        }
        assert!(said(&rules, "~/Papers").contains("leads through a link"));
        assert!(said(&rules, "~/Papers/out").contains("leads through a link"));
        assert!(said(&DirectoryRules::default(), "~/x").contains("there is none"));
    }

    /// A directory counts as missing only where nothing else is wrong with it.
    #[test]
    fn missing_is_told_from_refused() {
        let home = tempfile::tempdir().expect("a directory");
        let root = fs::canonicalize(home.path()).expect("there");
        fs::create_dir_all(root.join("Documents")).expect("made");
        fs::write(root.join("file"), "").expect("written");
        symlink("Documents", root.join("Papers")).expect("made");
        symlink("nothing", root.join("dangling")).expect("made");
        let rules = rules(&root);
        assert_eq!(said(&rules, "~/missing::/data"), "the directory `~/missing` does not exist");
        assert_eq!(
            said(&rules, "~/Documents/a/b"),
            "the directory `~/Documents/a/b` does not exist"
        );
        for path in
            ["~/later", "~/later/made", "~/later/made/deep", "~/.config/pds", "/proc/nothing"]
        {
            assert!(
                said(&rules, path).contains("which no extension gets"),
                "{path}: {}",
                said(&rules, path)
            );
        }
        for path in ["~/Papers/a", "~/dangling", "~/dangling/a"] {
            assert!(
                said(&rules, path).contains("leads through a link"),
                "{path}: {}",
                said(&rules, path)
            );
        }
        assert!(said(&rules, "~/dangling").ends_with("nothing`"));
        for path in ["~/file", "~/file/a"] {
            assert!(
                said(&rules, path).contains("cannot be opened"),
                "{path}: {}",
                said(&rules, path)
            );
        }
    }

    /// A directory that is replaced stays the one that was opened.
    #[test]
    fn replaced_directory_stays_open_one() {
        let home = tempfile::tempdir().expect("a directory");
        let root = fs::canonicalize(home.path()).expect("there");
        fs::create_dir(root.join("out")).expect("made");
        fs::write(root.join("out/inside"), "").expect("written");
        let opened =
            rules(&root).start_check().open(&"~/out".parse().expect("a path")).expect("opened");
        fs::rename(root.join("out"), root.join("moved")).expect("moved");
        symlink("/etc", root.join("out")).expect("made");
        assert!(opened.held_path().join("inside").exists());
        assert!(said(&rules(&root), "~/out").contains("leads through a link to `/etc`"));
    }

    fn write(path: &Path) {
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, "x").expect("written");
    }

    /// A manifest, a directory or all of the configuration can be a link into an ordinary
    /// directory.
    #[test]
    fn linked_configuration_is_guarded() {
        for (own, dotfile) in [
            (".config/pds/extensions", "dotfiles/extensions"),
            (".config/pds/extensions/weather.toml", "dotfiles/weather.toml"),
            (".config/pds/config.d", "dotfiles/deep/config.d"),
            (".config/pds/config.toml", "dotfiles/config.toml"),
            (".config/pds", "dotfiles/pds"),
            (".config", "dotfiles/config"),
        ] {
            let home = tempfile::tempdir().expect("a directory");
            let root = fs::canonicalize(home.path()).expect("there");
            fs::create_dir_all(root.join("dotfiles/other")).expect("made");
            fs::create_dir_all(root.join(own).parent().expect("a parent")).expect("made");
            assert_eq!(said(&rules(&root), "~/dotfiles"), "ok", "before {own} is a link");
            symlink(root.join(dotfile), root.join(own)).expect("made");
            let refused = said(&rules(&root), "~/dotfiles");
            assert!(
                refused.contains(dotfile) && refused.contains("which no extension gets"),
                "{own}: {refused}"
            );
            assert_eq!(said(&rules(&root), "~/dotfiles/other"), "ok", "{own}");
        }
    }

    /// A program that can replace a link in the middle decides where the configuration is.
    #[test]
    fn link_on_the_way_is_protected() {
        let home = tempfile::tempdir().expect("a directory");
        let root = fs::canonicalize(home.path()).expect("there");
        write(&root.join("real/extensions/weather.toml"));
        write(&root.join("links/else/file"));
        symlink("../real", root.join("links/pds")).expect("made");
        fs::create_dir(root.join(".config")).expect("made");
        symlink("../links/pds", root.join(".config/pds")).expect("made");
        for path in ["~/links", "~/real", "~/real/extensions"] {
            assert!(said(&rules(&root), path).contains("which no extension gets"), "{path}");
        }
        assert_eq!(said(&rules(&root), "~/links/else"), "ok");
        symlink("loop", root.join("real/loop")).expect("made");
        assert!(
            said(&rules(&root), "~/links/else").contains("cannot be opened"),
            "a loop cannot be followed"
        );
    }

    /// A hard link is another name of the same file.
    #[test]
    fn hard_linked_manifest_is_guarded() {
        let home = tempfile::tempdir().expect("a directory");
        let root = fs::canonicalize(home.path()).expect("there");
        let manifest = root.join(".config/pds/extensions/weather.toml");
        write(&manifest);
        write(&root.join("dotfiles/deep/file"));
        write(&root.join("Documents/file"));
        assert_eq!(said(&rules(&root), "~/dotfiles"), "ok");
        fs::hard_link(&manifest, root.join("dotfiles/deep/weather.toml")).expect("linked");
        assert!(
            said(&rules(&root), "~/dotfiles").contains("weather.toml`, which no extension gets")
        );
        assert_eq!(said(&rules(&root), "~/Documents"), "ok");
    }
}
