//! Protected directories with every link and mount that leads to them.
//!
//! A dotfile manager makes parts of a configuration links into a directory that looks like any
//! other. A program that can write there writes the configuration, so that each link, each target
//! of a link and each other name of a file is protected as well.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// The links that Linux follows in one path (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;
/// The entries of a directory that are searched for other names of protected files: about a second
/// of work. Only a file with several names makes this necessary, and a larger directory is refused.
const MAX_SEARCHED: usize = 100_000;

/// The kernel's identity of a file or directory: device and inode.
type Id = (u64, u64);

/// Everything that belongs to protected directories.
#[derive(Debug, Default)]
pub(crate) struct Protected {
    /// The directories, each link in and on the way to them, and the targets of the links.
    pub(crate) places: Vec<PathBuf>,
    /// The directories that were listed: two links may lead to one, and a link into its own
    /// directory.
    seen: HashSet<Id>,
    /// The files with another name, which could lie anywhere on their device.
    linked: HashMap<Id, PathBuf>,
}

impl Protected {
    /// Finds everything that belongs to these directories now.
    ///
    /// # Errors
    /// When one of them cannot be listed: its content would not be protected.
    pub(crate) fn find<'a>(roots: impl Iterator<Item = &'a PathBuf>) -> io::Result<Self> {
        let mut found = Self::default();
        for root in roots {
            found.add(root).map_err(|error| with_path(root, &error))?;
        }
        Ok(found)
    }

    /// Adds a place with its targets and everything below.
    fn add(&mut self, path: &Path) -> io::Result<()> {
        let mut left = vec![self.follow(path)?];
        while let Some(real) = left.pop() {
            let Some(metadata) = if_there(fs::symlink_metadata(&real))? else { continue };
            if !metadata.is_dir() {
                self.note_file(real, &metadata);
            } else if self.seen.insert(id(&metadata)) {
                self.list(&real, &mut left).map_err(|error| with_path(&real, &error))?;
            }
        }
        Ok(())
    }

    fn list(&mut self, directory: &Path, left: &mut Vec<PathBuf>) -> io::Result<()> {
        let Some(entries) = if_there(fs::read_dir(directory))? else { return Ok(()) };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_symlink() {
                left.push(self.follow(&entry.path())?);
            } else {
                left.push(entry.path());
            }
        }
        Ok(())
    }

    fn note_file(&mut self, path: PathBuf, metadata: &Metadata) {
        if metadata.nlink() > 1 {
            self.linked.insert(id(metadata), path);
        }
    }

    /// Notes each link on the way of a path and the place that it ends at, which need not exist.
    fn follow(&mut self, path: &Path) -> io::Result<PathBuf> {
        let mut left = reversed(&std::path::absolute(path)?);
        let (mut real, mut links) = (PathBuf::from("/"), 0);
        while let Some(name) = left.pop() {
            if name == ".." {
                real.pop();
                continue;
            }
            real.push(name);
            // A path that is not a link, or does not exist, is its own place.
            let Ok(target) = fs::read_link(&real) else { continue };
            links += 1;
            if links > MAX_LINKS {
                return Err(rustix::io::Errno::LOOP.into());
            }
            self.places.push(real.clone());
            real.pop();
            if target.is_absolute() {
                real = PathBuf::from("/");
            }
            left.extend(reversed(&target));
        }
        self.places.push(real.clone());
        Ok(real)
    }

    /// Returns a protected place that is the same directory as this one, lies in it or contains it,
    /// by any name. Names alone do not tell on file systems that ignore case.
    pub(crate) fn same_as(&self, directory: &Path) -> Option<PathBuf> {
        let own = id_of(directory)?;
        let above: HashSet<_> = directory.ancestors().filter_map(id_of).collect();
        let is_same = |place: &&PathBuf| {
            id_of(place).is_some_and(|id| above.contains(&id))
                || place.ancestors().any(|above| id_of(above) == Some(own))
        };
        self.places.iter().find(is_same).cloned()
    }

    /// Returns the protected file that has another name in this directory.
    ///
    /// # Errors
    /// When the directory cannot be searched, or is too large.
    pub(crate) fn linked_into(&self, directory: &Path) -> io::Result<Option<PathBuf>> {
        let mut left = if self.linked.is_empty() { Vec::new() } else { vec![directory.to_owned()] };
        let mut searched = 0;
        while let Some(path) = left.pop() {
            let Some(metadata) = if_there(fs::symlink_metadata(&path))? else { continue };
            searched += 1;
            if searched > MAX_SEARCHED {
                return Err(io::Error::other(
                    "it is too large to be searched for hard links to protected files",
                ));
            }
            if let Some(file) = self.linked.get(&id(&metadata)) {
                return Ok(Some(file.clone()));
            }
            if metadata.is_dir() {
                let entries = fs::read_dir(&path)?.map(|entry| Ok(entry?.path()));
                left.extend(entries.collect::<io::Result<Vec<_>>>()?);
            }
        }
        Ok(None)
    }
}

/// Returns the parts of a path, the first one last.
fn reversed(path: &Path) -> Vec<OsString> {
    let part = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(part).collect()
}

fn id(metadata: &Metadata) -> Id {
    (metadata.dev(), metadata.ino())
}

fn id_of(path: &Path) -> Option<Id> {
    fs::symlink_metadata(path).ok().as_ref().map(id)
}

/// Returns `None` for a file that was removed meanwhile and needs no protection.
fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        result => result.map(Some),
    }
}

fn with_path(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("the protected `{}` cannot be checked: {error}", path.display()),
    )
}
