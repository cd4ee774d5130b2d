//! Files and directories that a user names to be written. Where other users can write as well, such
//! as in `/tmp`, one of them can have put a link on the way or in the place of a file.
//!
//! The path is walked part by part, and each part is held open, so that the checked directory is
//! the one that is written to.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use private_files::{ensure_owned, where_supported};
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, mkdirat, openat, readlinkat, renameat,
    renameat_with, statat, unlinkat,
};
use rustix::io::Errno;

/// The most links in a path, as the kernel allows.
const MAX_LINKS: usize = 40;
/// The tries of a name for a temporary file. Names are random, so one is enough unless the
/// directory is attacked.
const MAX_TRIES: usize = 100;
/// The mode of new directories, less the user's mask.
const DIRECTORY_MODE: u32 = 0o777;

/// A directory that the user named, held open.
///
/// No link leads to it that another user has put into a directory in which they can write.
#[derive(Debug)]
pub struct OutputDirectory {
    descriptor: OwnedFd,
    path: PathBuf,
}

/// A file that is being written beside the one that it will replace.
#[derive(Debug)]
pub struct OutputFile<'a> {
    directory: &'a OutputDirectory,
    file: File,
    temporary: OsString,
    name: OsString,
}

impl OutputDirectory {
    /// Opens a directory.
    ///
    /// # Errors
    /// When it is not there, or another user's link leads to it.
    pub fn open(path: &Path) -> io::Result<Self> {
        Walk::from(start(path)?, path).finish(path, false)
    }

    /// Opens a directory, which is made with those above it if it is not there.
    ///
    /// # Errors
    /// When it cannot be made, or another user's link leads to it.
    pub fn create(path: &Path) -> io::Result<Self> {
        Walk::from(start(path)?, path).finish(path, true)
    }

    /// Opens the directory of a file, and returns it with the name of the file in it.
    ///
    /// # Errors
    /// As [`OutputDirectory::open`], and when the path does not end with a name.
    pub fn of_file(path: &Path) -> io::Result<(Self, &OsStr)> {
        let name =
            path.file_name().filter(|_| !path.as_os_str().as_encoded_bytes().ends_with(b"/"));
        let name = name.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "it is not the name of a file")
        })?;
        let parent =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok((Self::open(parent)?, name))
    }

    /// Opens a directory below this one, which is made if it is not there.
    ///
    /// # Errors
    /// As [`OutputDirectory::create`].
    pub fn below(&self, path: &Path) -> io::Result<Self> {
        Walk::from(self.descriptor.try_clone()?, &self.path).finish(path, true)
    }

    /// Makes a directory in this one, and opens it.
    ///
    /// # Errors
    /// When something of that name is there.
    pub fn make_new(&self, name: &OsStr) -> io::Result<Self> {
        mkdirat(&self.descriptor, name, Mode::from_raw_mode(DIRECTORY_MODE))?;
        self.below(Path::new(name))
    }

    /// Returns the path by which it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file whole, in the place of another or of a link. Until it is whole the old one is
    /// there.
    ///
    /// # Errors
    /// When it cannot be written, or its place has something other than a regular file.
    pub fn write(&self, name: &OsStr, mode: u32, contents: &[u8]) -> io::Result<PathBuf> {
        let mut file = self.begin(name, mode)?;
        file.write_all(contents)?;
        file.finish()?;
        Ok(self.path.join(name))
    }

    /// Writes a file that is not there yet.
    ///
    /// # Errors
    /// When something of that name is there, or it cannot be written.
    pub fn write_new(&self, name: &OsStr, mode: u32, contents: &[u8]) -> io::Result<PathBuf> {
        let mut file = self.open_new(name, mode)?;
        if let Err(error) = file.write_all(contents).and_then(|()| file.sync_all()) {
            // Half a file would keep the whole one from being written.
            let _ = unlinkat(&self.descriptor, name, AtFlags::empty());
            return Err(error);
        }
        self.sync()?;
        Ok(self.path.join(name))
    }

    /// Begins a file that takes the place of another, or of a link, when it is finished.
    ///
    /// # Errors
    /// When nothing can be written here, or its place has something other than a regular file.
    pub fn begin(&self, name: &OsStr, mode: u32) -> io::Result<OutputFile<'_>> {
        // A device or a pipe is not replaced by mistake, and neither is a link to one, such as
        // /dev/stdout.
        match statat(&self.descriptor, name, AtFlags::empty()) {
            Ok(there) if FileType::from_raw_mode(there.st_mode) != FileType::RegularFile => {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
            }
            _ => {}
        }
        for _ in 0..MAX_TRIES {
            let temporary =
                OsString::from(format!(".new-{:016x}", RandomState::new().hash_one(name)));
            match self.open_new(&temporary, mode) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                opened => {
                    return Ok(OutputFile {
                        directory: self,
                        file: opened?,
                        temporary,
                        name: name.to_owned(),
                    });
                }
            }
        }
        Err(Errno::EXIST.into())
    }

    fn open_new(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(&self.descriptor, name, flags, Mode::from_raw_mode(mode))?.into())
    }

    /// Makes the names in it durable. Where the directory cannot be read, that is skipped.
    fn sync(&self) -> io::Result<()> {
        match openat(
            &self.descriptor,
            ".",
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        ) {
            Ok(directory) => where_supported(File::from(directory).sync_all()).map(drop),
            Err(Errno::ACCESS) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl OutputFile<'_> {
    /// Puts the file into its place, durably.
    ///
    /// # Errors
    /// When that fails. The old file is still there.
    pub fn finish(self) -> io::Result<()> {
        self.file.sync_all()?;
        self.rename(RenameFlags::empty())?;
        self.directory.sync()
    }

    /// Puts the file into its place, durably, where nothing has that name yet.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] when something has it.
    pub(crate) fn finish_new(self) -> io::Result<()> {
        self.file.sync_all()?;
        match self.rename(RenameFlags::NOREPLACE) {
            // Some file systems only know how to replace: there the name is taken by an empty file
            // first.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                self.directory.open_new(&self.name, 0o600)?;
                self.rename(RenameFlags::empty())?;
            }
            renamed => renamed?,
        }
        self.directory.sync()
    }

    fn rename(&self, flags: RenameFlags) -> rustix::io::Result<()> {
        let directory = &self.directory.descriptor;
        match flags.is_empty() {
            true => renameat(directory, &self.temporary, directory, &self.name),
            false => renameat_with(directory, &self.temporary, directory, &self.name, flags),
        }
    }
}

impl Write for OutputFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for OutputFile<'_> {
    fn drop(&mut self) {
        // After `finish` there is nothing of this name any more.
        let _ = unlinkat(&self.directory.descriptor, &self.temporary, AtFlags::empty());
    }
}

/// Returns where the way to a path begins.
fn start(path: &Path) -> io::Result<OwnedFd> {
    open_root(if path.is_absolute() { "/" } else { "." })
}

fn open_root(path: &str) -> io::Result<OwnedFd> {
    Ok(openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

/// A way that is walked part by part.
struct Walk {
    at: OwnedFd,
    /// How the user called where it began.
    from: PathBuf,
    links: usize,
}

impl Walk {
    fn from(at: OwnedFd, from: &Path) -> Self {
        Self { at, from: from.to_owned(), links: 0 }
    }

    fn finish(mut self, path: &Path, create: bool) -> io::Result<OutputDirectory> {
        let mut rest = parts(path);
        while let Some(part) = rest.pop() {
            match openat(
                &self.at,
                &part,
                OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
                Mode::empty(),
            ) {
                Ok(found) => self.step(&part, found, &mut rest)?,
                Err(Errno::NOENT) if create => {
                    match mkdirat(&self.at, &part, Mode::from_raw_mode(DIRECTORY_MODE)) {
                        Ok(()) | Err(Errno::EXIST) => rest.push(part),
                        Err(error) => return Err(error.into()),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        let named = if self.from == path { self.from } else { self.from.join(path) };
        Ok(OutputDirectory { descriptor: self.at, path: named })
    }

    fn step(&mut self, part: &OsStr, found: OwnedFd, rest: &mut Vec<OsString>) -> io::Result<()> {
        let found = File::from(found);
        let metadata = found.metadata()?;
        if !metadata.is_symlink() {
            if !metadata.is_dir() {
                return Err(Errno::NOTDIR.into());
            }
            self.at = found.into();
            return Ok(());
        }
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Errno::LOOP.into());
        }
        self.check_link(part, metadata.uid())?;
        let target =
            PathBuf::from(OsString::from_vec(readlinkat(&found, "", Vec::new())?.into_bytes()));
        if target.is_absolute() {
            self.at = open_root("/")?;
        }
        rest.extend(parts(&target));
        Ok(())
    }

    /// Checks that a link is this user's or root's, or lies where other users cannot put one.
    fn check_link(&self, part: &OsStr, owner: u32) -> io::Result<()> {
        let user = rustix::process::geteuid().as_raw();
        let directory = File::from(self.at.try_clone()?).metadata()?;
        if [0, user].contains(&owner) || ensure_owned(&directory).is_ok() {
            return Ok(());
        }
        let reason = format!("`{}` is a link that the user {owner} has put there", part.display());
        Err(io::Error::new(io::ErrorKind::PermissionDenied, reason))
    }
}

/// Returns the parts of a path, the last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let part = |component: Component<'_>| match component {
        Component::Normal(part) => Some(part.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, lchown, symlink};

    /// Returns a directory in which everybody can write, with what another user has put there. Only
    /// root can make it.
    fn shared() -> Option<tempfile::TempDir> {
        let shared = tempfile::tempdir().expect("a directory");
        fs::set_permissions(shared.path(), fs::Permissions::from_mode(0o1777)).expect("set");
        rustix::process::geteuid().is_root().then_some(shared)
    }

    fn link_of_another(target: &Path, link: &Path) {
        symlink(target, link).expect("a link");
        lchown(link, Some(4242), None).expect("given away");
    }

    #[test]
    fn file_replaces_link_and_hard_link() {
        let root = tempfile::tempdir().expect("a directory");
        let at = |name: &str| root.path().join(name);
        fs::write(at("precious"), "precious").expect("written");
        symlink("precious", at("link")).expect("a link");
        symlink("nothing", at("dangling")).expect("a link");
        fs::hard_link(at("precious"), at("hard")).expect("a link");
        let directory = OutputDirectory::open(root.path()).expect("opened");
        for name in ["link", "dangling", "hard", "new"] {
            directory.write(name.as_ref(), 0o600, b"page").expect(name);
            let written = fs::symlink_metadata(at(name)).expect("there");
            assert!(written.is_file() && written.mode() & 0o777 == 0o600, "{name}");
            assert_eq!(fs::read(at(name)).expect("read"), b"page", "{name}");
        }
        assert_eq!(fs::read(at("precious")).expect("read"), b"precious");
        assert!(!at("nothing").exists());
        for name in ["link", "new"] {
            let error = directory.write_new(name.as_ref(), 0o600, b"x").expect_err(name);
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{name}");
        }
        assert_eq!(fs::read_dir(root.path()).expect("read").count(), 5, "nothing else is left");
    }

    #[test]
    fn unfinished_file_keeps_old() {
        let root = tempfile::tempdir().expect("a directory");
        fs::write(root.path().join("f"), "old").expect("written");
        let directory = OutputDirectory::open(root.path()).expect("opened");
        let mut file = directory.begin("f".as_ref(), 0o600).expect("begun");
        file.write_all(b"half").expect("written");
        drop(file);
        assert_eq!(fs::read(root.path().join("f")).expect("read"), b"old");
        assert_eq!(fs::read_dir(root.path()).expect("read").count(), 1);
    }

    #[test]
    fn special_file_is_not_replaced() {
        let root = tempfile::tempdir().expect("a directory");
        symlink("/dev/null", root.path().join("null")).expect("a link");
        fs::create_dir(root.path().join("directory")).expect("made");
        let directory = OutputDirectory::open(root.path()).expect("opened");
        for name in ["null", "directory"] {
            assert!(directory.write(name.as_ref(), 0o600, b"x").is_err(), "{name}");
        }
        assert!(OutputDirectory::of_file(Path::new("..")).is_err());
        assert!(OutputDirectory::of_file(&root.path().join("new/")).is_err());
    }

    #[test]
    fn own_links_are_followed() {
        let root = tempfile::tempdir().expect("a directory");
        let at = |name: &str| root.path().join(name);
        fs::create_dir_all(at("real/inside")).expect("made");
        symlink("real", at("relative")).expect("a link");
        symlink(at("relative"), at("absolute")).expect("a link");
        symlink("loop", at("loop")).expect("a link");
        let directory =
            OutputDirectory::create(&at("absolute/inside/../made/below")).expect("made");
        directory.write("f".as_ref(), 0o644, b"x").expect("written");
        assert!(at("real/made/below/f").is_file());
        assert_eq!(directory.path(), at("absolute/inside/../made/below"));
        assert!(
            OutputDirectory::open(&at("loop")).is_err()
                && OutputDirectory::open(&at("missing")).is_err()
        );
        assert!(
            OutputDirectory::create(&at("real/made/below/f")).is_err(),
            "a file is not a directory"
        );
        let new = directory.make_new("project".as_ref()).expect("made");
        new.below(Path::new("src/deep"))
            .expect("made")
            .write_new("x".as_ref(), 0o600, b"")
            .expect("written");
        assert!(at("real/made/below/project/src/deep/x").is_file());
        assert!(directory.make_new("project".as_ref()).is_err());
    }

    /// Another user's link in a directory in which they can write is neither followed nor written
    /// through.
    #[test]
    fn links_of_others_are_not_followed() {
        let Some(shared) = shared() else { return };
        let home = tempfile::tempdir().expect("a directory");
        fs::write(home.path().join("precious"), "precious").expect("written");
        let at = |name: &str| shared.path().join(name);
        link_of_another(home.path(), &at("way"));
        link_of_another(&home.path().join("precious"), &at("file"));
        for path in ["way", "way/below", "./way/../way"] {
            let said = OutputDirectory::create(&at(path)).expect_err(path).to_string();
            assert_eq!(said, "`way` is a link that the user 4242 has put there", "{path}");
        }
        assert!(OutputDirectory::of_file(&at("way/new")).is_err());
        OutputDirectory::open(shared.path())
            .expect("opened")
            .write("file".as_ref(), 0o600, b"x")
            .expect("replaced");
        assert_eq!(fs::read(home.path().join("precious")).expect("read"), b"precious");
        assert_eq!(fs::read_dir(home.path()).expect("read").count(), 1);
        // Where other users cannot write, the user allowed the owner of the link.
        fs::set_permissions(shared.path(), fs::Permissions::from_mode(0o700)).expect("set");
        assert!(OutputDirectory::open(&at("way")).is_ok());
    }
}
