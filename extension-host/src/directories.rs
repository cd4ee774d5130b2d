//! Which directories an extension is let into, whatever is granted.
//!
//! An extension that can write where sesame keeps its grants has every capability, so no grant
//! reaches there: neither by name, nor through a link on either side, nor through another mount of
//! the same files.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use core_types::{Capabilities, GrantedPath, SameGuestPath};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use crate::protected::Protected;

/// Where `~` is, and which directories no extension gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DirectoryRules {
    /// The home directory. Without one, grants below `~` are refused.
    pub home: Option<PathBuf>,
    /// Directories that no grant may be, contain or lie in. `/proc` and `/sys` are always among
    /// them.
    pub protected: Vec<PathBuf>,
}

/// Why a directory that is granted cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// There is no home directory.
    #[error("`{path}` lies below the home directory, and there is none")]
    NoHome {
        /// The grant.
        path: GrantedPath,
    },
    /// It leads to what no extension gets.
    #[error("`{path}` is, contains or lies in `{}`, which no extension gets", protected.display())]
    Protected {
        /// The grant.
        path: GrantedPath,
        /// What is protected.
        protected: PathBuf,
    },
    /// It is reached through a link, which somebody may have put there.
    #[error("`{path}` leads through a link to `{}`", real.display())]
    Link {
        /// The grant.
        path: GrantedPath,
        /// Where it leads.
        real: PathBuf,
    },
    /// It is not there. Calls start without it.
    #[error("the directory `{}` does not exist", path.host())]
    Missing {
        /// The grant.
        path: GrantedPath,
    },
    /// Another one has its path for the guest.
    #[error(transparent)]
    SameGuestPath(#[from] SameGuestPath),
    /// It cannot be opened as a directory.
    #[error("the directory `{path}` cannot be opened")]
    Open {
        /// The grant.
        path: GrantedPath,
        /// What the system said.
        source: io::Error,
    },
}

/// A directory that was looked at and is held open, so that it stays what it was.
#[derive(Debug)]
pub(crate) struct OpenDirectory {
    descriptor: OwnedFd,
    /// Its path for the guest.
    pub(crate) path: PathBuf,
}

impl OpenDirectory {
    /// A path that leads to the very directory that was looked at, whatever has its name by now.
    pub(crate) fn held_path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.descriptor.as_raw_fd()))
    }
}

impl DirectoryRules {
    /// Whether extensions can be let into this directory, as things are now.
    ///
    /// # Errors
    /// When it is protected, reached through a link, or no directory. [`DirectoryError::Missing`]
    /// when that is all that is wrong with it.
    pub fn check(&self, path: &GrantedPath) -> Result<(), DirectoryError> {
        self.open(path).map(drop)
    }

    /// Makes sure that a guest finds no two of these directories under one path.
    ///
    /// # Errors
    /// With the first two that have one.
    pub fn check_guest_paths(&self, granted: &Capabilities) -> Result<(), DirectoryError> {
        let home = self.home.as_deref().unwrap_or(Path::new("~"));
        Ok(granted.check_guest_paths(home)?)
    }

    pub(crate) fn open(&self, path: &GrantedPath) -> Result<OpenDirectory, DirectoryError> {
        let open_error = |source| DirectoryError::Open { path: path.clone(), source };
        let (home, real_home) = self.homes(path)?;
        let (shown, wanted) = (path.in_guest(home), path.on_host(&real_home));
        let real = match fs::canonicalize(&wanted) {
            Ok(real) => real,
            // What is protected or behind a link is refused before anything is there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => real_path(&wanted),
            // Of what cannot be looked at, nobody knows whether it is protected.
            Err(error) => return Err(open_error(error)),
        };
        if let Some(protected) = self.overlapping(&real).map_err(open_error)? {
            return Err(DirectoryError::Protected { path: path.clone(), protected });
        }
        if real != wanted {
            return Err(DirectoryError::Link { path: path.clone(), real });
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match openat2(CWD, &real, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
            Ok(descriptor) => Ok(OpenDirectory { descriptor, path: shown }),
            Err(Errno::LOOP) => {
                Err(DirectoryError::Link { path: path.clone(), real: target_of(real) })
            }
            Err(Errno::NOENT) => Err(DirectoryError::Missing { path: path.clone() }),
            Err(error) => Err(open_error(error.into())),
        }
    }

    /// The home directory, and without links: it may be one itself, and who made it is who made the
    /// user. A path that does not begin there needs none.
    fn homes(&self, path: &GrantedPath) -> Result<(&Path, PathBuf), DirectoryError> {
        match self.home.as_deref() {
            Some(home) => Ok((home, real_path(home))),
            None if path.host().starts_with('/') => Ok((Path::new("/"), PathBuf::new())),
            None => Err(DirectoryError::NoHome { path: path.clone() }),
        }
    }

    /// Returns what is protected and is, contains or lies in this directory now.
    fn overlapping(&self, real: &Path) -> io::Result<Option<PathBuf>> {
        let mounts = Mounts::read()?;
        let kernel = ["/proc", "/sys"]
            .map(PathBuf::from)
            .into_iter()
            .find(|path| mounts.overlap(real, path));
        if kernel.is_some() {
            return Ok(kernel);
        }
        let protected = Protected::find(self.protected.iter())?;
        if let Some(place) = protected.places.iter().find(|place| mounts.overlap_below(real, place))
        {
            return Ok(Some(place.clone()));
        }
        match protected.same_as(real) {
            Some(place) => Ok(Some(place)),
            None => protected.linked_into(real),
        }
    }
}

/// Where a link leads that leads to nothing, so that its real path is its own.
fn target_of(link: PathBuf) -> PathBuf {
    match (fs::read_link(&link), link.parent()) {
        (Ok(target), Some(parent)) => parent.join(target),
        _ => link,
    }
}

/// The path without links, as far as it is there.
fn real_path(path: &Path) -> PathBuf {
    match (fs::canonicalize(path), path.parent(), path.file_name()) {
        (Ok(real), ..) => real,
        (Err(_), Some(parent), Some(name)) => real_path(parent).join(name),
        _ => path.to_owned(),
    }
}

/// The mounts of this process: `/proc/self/mountinfo`
/// (<https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html>).
struct Mounts(Vec<Mount>);

struct Mount {
    /// Where it can be seen.
    point: PathBuf,
    /// The file system, and the directory in it.
    location: Location,
    /// The kind of file system.
    kind: String,
}

/// A directory as it is on its file system, wherever that is mounted.
#[derive(Clone, PartialEq, Eq)]
struct Location {
    device: String,
    path: PathBuf,
}

impl Location {
    fn overlaps(&self, other: &Self) -> bool {
        self.device == other.device
            && (self.path.starts_with(&other.path) || other.path.starts_with(&self.path))
    }
}

impl Mounts {
    fn read() -> io::Result<Self> {
        let text = fs::read("/proc/self/mountinfo")?;
        Ok(Self(String::from_utf8_lossy(&text).lines().filter_map(Mount::parse).collect()))
    }

    /// Whether a directory is, contains or lies in another, by its name or by what is mounted at or
    /// below it.
    fn overlap(&self, directory: &Path, protected: &Path) -> bool {
        if directory.starts_with(protected) || protected.starts_with(directory) {
            return true;
        }
        let below = self.0.iter().filter(|mount| mount.point.starts_with(directory));
        let reachable: Vec<_> = below.map(|mount| &mount.location).collect();
        if self.at(directory).is_some_and(|mount| mount.kind == "proc")
            || self.0.iter().any(|mount| mount.kind == "proc" && mount.point.starts_with(directory))
        {
            return true;
        }
        let Some(protected) = self.location(protected) else { return false };
        let own = self.location(directory);
        reachable.into_iter().chain(own.as_ref()).any(|location| location.overlaps(&protected))
    }

    /// As [`Mounts::overlap`], and with what is mounted in the protected directory.
    fn overlap_below(&self, directory: &Path, protected: &Path) -> bool {
        let own = self.location(directory);
        let is_own = |mount: &Mount| own.as_ref().is_some_and(|own| own.overlaps(&mount.location));
        let mut within = self.0.iter().filter(|mount| mount.point.starts_with(protected));
        self.overlap(directory, protected) || within.any(is_own)
    }

    /// The mount that a path lies in: the deepest, and of several at one point the last.
    fn at(&self, path: &Path) -> Option<&Mount> {
        let covering = self.0.iter().filter(|mount| path.starts_with(&mount.point));
        covering.max_by_key(|mount| mount.point.components().count())
    }

    fn location(&self, path: &Path) -> Option<Location> {
        let mount = self.at(path)?;
        let below = path.strip_prefix(&mount.point).ok()?;
        Some(Location {
            device: mount.location.device.clone(),
            path: mount.location.path.join(below),
        })
    }
}

impl Mount {
    /// `36 35 98:0 /root /point rw shared:1 - ext4 /dev/sda1 rw`
    fn parse(line: &str) -> Option<Self> {
        let (left, right) = line.split_once(" - ")?;
        let mut fields = left.split(' ').skip(2);
        let device = fields.next()?.to_owned();
        let (root, point) = (unescape(fields.next()?), unescape(fields.next()?));
        Some(Self {
            point,
            location: Location { device, path: root },
            kind: right.split(' ').next()?.to_owned(),
        })
    }
}

/// Blanks and the like stand there as three octal digits behind a backslash.
fn unescape(field: &str) -> PathBuf {
    let mut text = Vec::new();
    let mut rest = field.as_bytes();
    while let [first, after @ ..] = rest {
        let octal = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match octal
            .filter(|_| *first == b'\\')
            .and_then(|digits| u8::from_str_radix(digits, 8).ok())
        {
            Some(byte) => {
                text.push(byte);
                rest = &after[3..];
            }
            None => {
                text.push(*first);
                rest = after;
            }
        }
    }
    let path = PathBuf::from(std::ffi::OsString::from(String::from_utf8_lossy(&text).into_owned()));
    path.components().filter(|component| *component != Component::CurDir).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn what_is_sesames_own_cannot_be_granted_by_any_name() {
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

    /// A directory that is not there is only that where nothing else is wrong with it.
    #[test]
    fn missing_directory_is_told_from_refused() {
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

    #[test]
    fn a_directory_that_is_replaced_stays_the_one_that_was_opened() {
        let home = tempfile::tempdir().expect("a directory");
        let root = fs::canonicalize(home.path()).expect("there");
        fs::create_dir(root.join("out")).expect("made");
        fs::write(root.join("out/inside"), "").expect("written");
        let opened = rules(&root).open(&"~/out".parse().expect("a path")).expect("opened");
        fs::rename(root.join("out"), root.join("moved")).expect("moved");
        symlink("/etc", root.join("out")).expect("made");
        assert!(opened.held_path().join("inside").exists());
        assert!(said(&rules(&root), "~/out").contains("leads through a link to `/etc`"));
    }

    fn write(path: &Path) {
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, "x").expect("written");
    }

    /// A manifest, a directory or all of the configuration as a link into a directory that looks
    /// like any other.
    #[test]
    fn linked_configuration_is_protected() {
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

    /// Who can replace a link in the middle decides where the configuration is.
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

    /// A hard link is another name of the very file.
    #[test]
    fn hard_linked_manifest_is_protected() {
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

    #[test]
    fn mount_in_the_configuration_is_found() {
        let text = "\
            22 1 254:0 / / rw - ext4 /dev/vda rw\n\
            33 22 254:0 /home/u/dotfiles/extensions /home/u/.config/pds/extensions rw - ext4 /dev/vda rw\n\
            34 22 254:0 /home/u/one/w.toml /home/u/.config/pds/extensions/w.toml rw - ext4 /dev/vda rw\n";
        let mounts = Mounts(text.lines().filter_map(Mount::parse).collect());
        let overlap =
            |path: &str| mounts.overlap_below(Path::new(path), Path::new("/home/u/.config/pds"));
        for path in [
            "/home/u/dotfiles",
            "/home/u/dotfiles/extensions",
            "/home/u/dotfiles/extensions/blobs",
            "/home/u/one",
        ] {
            assert!(overlap(path), "{path}");
        }
        assert!(!overlap("/home/u/dotfiles/other") && !overlap("/home/u/Documents"));
    }

    #[test]
    fn another_mount_of_the_same_files_is_found() {
        let text = "\
            22 1 254:0 / / rw - ext4 /dev/vda rw\n\
            30 22 254:0 /home/u/.config /mnt/in\\040nocent rw - ext4 /dev/vda rw\n\
            31 22 0:5 / /srv/x/p rw - proc proc rw\n\
            32 22 254:1 / /home/u/disk rw - ext4 /dev/vdb rw\n\
            33 22 254:0 /home/u/.config/pds/extensions /home/u/Documents/deep rw - ext4 /dev/vda rw\n";
        let mounts = Mounts(text.lines().filter_map(Mount::parse).collect());
        let overlap =
            |path: &str| mounts.overlap(Path::new(path), Path::new("/home/u/.config/pds"));
        for path in [
            "/mnt/in nocent",
            "/mnt",
            "/mnt/in nocent/pds",
            "/srv/x",
            "/srv/x/p/1",
            "/home/u/Documents",
            "/home/u",
        ] {
            assert!(overlap(path), "{path}");
        }
        for path in ["/home/u/disk", "/mnt/in nocent/other", "/srv/y", "/home/u/Documents/else"] {
            assert!(!overlap(path), "{path}");
        }
    }
}
