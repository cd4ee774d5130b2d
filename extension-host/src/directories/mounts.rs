//! The mounts of this process: one directory can be visible in several places.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// The mounts of this process: `/proc/self/mountinfo`
/// (<https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html>).
pub(super) struct Mounts(Vec<Mount>);

struct Mount {
    /// The visible place.
    point: PathBuf,
    /// The file system, and the directory in it.
    location: Location,
    /// The kind of file system.
    kind: String,
}

/// A directory on its file system, independent of its mounts.
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
    pub(super) fn read() -> io::Result<Self> {
        let text = fs::read("/proc/self/mountinfo")?;
        Ok(Self(String::from_utf8_lossy(&text).lines().filter_map(Mount::parse).collect()))
    }

    /// Tells whether a directory is, contains or lies in another, by its name or by a mount at or
    /// below it.
    pub(super) fn overlap(&self, directory: &Path, protected: &Path) -> bool {
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

    /// Tells the same as [`Mounts::overlap`], mounts in the protected directory included.
    pub(super) fn overlap_below(&self, directory: &Path, protected: &Path) -> bool {
        let own = self.location(directory);
        let is_own = |mount: &Mount| own.as_ref().is_some_and(|own| own.overlaps(&mount.location));
        let mut within = self.0.iter().filter(|mount| mount.point.starts_with(protected));
        self.overlap(directory, protected) || within.any(is_own)
    }

    /// Returns the mount of a path: the deepest, and of several at one point the last.
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
    /// Parses `36 35 98:0 /root /point rw shared:1 - ext4 /dev/sda1 rw`.
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

/// Replaces the escapes of spaces and the like: three octal digits behind a backslash.
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

    #[test]
    fn mount_in_configuration_is_found() {
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
    fn other_mount_of_same_files_is_found() {
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
