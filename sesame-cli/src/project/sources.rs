//! The sources of a project, and whether its binary was built from them.
//!
//! Times are not enough: a file that is moved into place or checked out keeps an old one, and a
//! change during a build is newer than the read. So the contents are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use core_types::Digest;
use extension_depot::{OutputDirectory, read_regular};
use sha2::{Digest as _, Sha256};

use super::language::Language;
use super::project_file::{FILE, Project};

/// Directories in which a build leaves its output, whatever the language.
const MADE_AT_TOP: [&str; 2] = ["dist", "build"];
/// Directories of version control, at any depth.
const MADE_ANYWHERE: [&str; 3] = [".git", ".jj", ".hg"];
/// Of a larger file the size and times are compared: no source is as large, and reading a data set
/// takes long.
const MAX_READ: u64 = 4 << 20;
/// A project with more files is built each time, since comparing them would take as long.
const MAX_FILES: usize = 20_000;
/// The longest stamp: a digest as text.
const MAX_STAMP: u64 = 128;

/// The directories of a project that tools make.
#[derive(Debug, Clone)]
pub struct Made(Vec<Language>);

impl Made {
    /// Returns those of the tools of a project's language, or of all where it is not known.
    pub fn of(project: Option<&Project>) -> Self {
        let one = project.and_then(Project::language).map(|language| vec![language]);
        Self(one.unwrap_or_else(|| Language::all().collect()))
    }

    /// Returns whether tools made this. The path is relative to the project's directory.
    pub fn contains(&self, path: &Path) -> bool {
        let at_top = self.0.iter().flat_map(|language| language.makes()).map(String::as_str);
        let anywhere = self.0.iter().flat_map(|language| language.makes_anywhere());
        let names: Vec<_> = anywhere.map(String::as_str).chain(MADE_ANYWHERE).collect();
        let is_named = |part: &OsStr| names.iter().any(|name| part == *name);
        at_top.chain(MADE_AT_TOP).any(|made| path.starts_with(made))
            || path.components().any(|part| is_named(part.as_os_str()))
    }
}

/// Returns whether tools of a language write this when they choose versions.
pub fn is_lock(path: &Path) -> bool {
    let mut locks = Language::all().flat_map(Language::locks);
    path.file_name().is_some_and(|name| locks.any(|lock| name == lock.as_str()))
}

/// The contents of the files that a project is built from, by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources(BTreeMap<PathBuf, [u8; 32]>);

impl Sources {
    /// Reads the current sources of a project.
    ///
    /// When something cannot be read, or there are too many files to compare.
    pub fn read(project: &Project) -> io::Result<Self> {
        let mut walk = Walk {
            root: project.directory(),
            made: Made::of(Some(project)),
            found: BTreeMap::new(),
            walked: BTreeSet::new(),
        };
        walk.directory(Path::new(""))?;
        for file in files_elsewhere(project.directory()) {
            // A file that disappears is a change as well.
            let contents = fs::metadata(&file)
                .and_then(|metadata| contents(&file, &metadata))
                .unwrap_or_default();
            walk.found.insert(file, contents);
        }
        // The parsed text counts, even if the file has changed since.
        walk.found.insert(FILE.into(), Sha256::digest(project.text()).into());
        Ok(Self(walk.found))
    }

    /// Returns the sources from before a build, with the versions that the build has chosen.
    pub fn with_locks_of(mut self, after: Self) -> Self {
        let is_new_elsewhere = |path: &Path| path.is_absolute() && !self.0.contains_key(path);
        let chosen: Vec<_> = after
            .0
            .into_iter()
            .filter(|(path, _)| is_lock(path) || is_new_elsewhere(path))
            .collect();
        self.0.extend(chosen);
        self
    }

    /// Returns a digest of the sources, the binary and the version of sesame.
    fn stamp(&self, binary: &[u8]) -> String {
        let mut hash = Sha256::new();
        hash.update(env!("CARGO_PKG_VERSION"));
        hash.update(Sha256::digest(binary));
        for (path, contents) in &self.0 {
            let path = path.as_os_str().as_bytes();
            hash.update((path.len() as u64).to_le_bytes());
            hash.update(path);
            hash.update(contents);
        }
        format!("{}\n", Digest::from_sha256(hash.finalize().into()))
    }
}

/// Records beside a binary the sources that it was built from.
///
/// When it cannot be written.
pub fn note_built(project: &Project, sources: &Sources, binary: &[u8]) -> io::Result<()> {
    let (directory, name) = OutputDirectory::of_file(&stamp_path(project))
        .map(|(directory, name)| (directory, name.to_owned()))?;
    directory.write(&name, 0o600, sources.stamp(binary).as_bytes()).map(drop)
}

/// Returns whether the binary of a project was built from its current sources. In doubt it was not.
pub fn is_built(project: &Project, binary: &[u8]) -> bool {
    // Without a stamp there is nothing to read the sources for.
    let Ok(noted) = read_regular(&stamp_path(project), MAX_STAMP) else { return false };
    Sources::read(project).is_ok_and(|sources| noted == sources.stamp(binary).as_bytes())
}

fn stamp_path(project: &Project) -> PathBuf {
    project.built().with_file_name(format!(".{}.built", project.name()))
}

/// A walk through a project.
struct Walk<'a> {
    root: &'a Path,
    made: Made,
    found: BTreeMap<PathBuf, [u8; 32]>,
    /// The visited directories, by device and number: links can lead in circles.
    walked: BTreeSet<(u64, u64)>,
}

impl Walk<'_> {
    fn directory(&mut self, below: &Path) -> io::Result<()> {
        let path = self.root.join(below);
        let metadata = fs::metadata(&path)?;
        if !self.walked.insert((metadata.dev(), metadata.ino())) {
            return Ok(());
        }
        for entry in fs::read_dir(&path)? {
            let below = below.join(entry?.file_name());
            if !self.made.contains(&below) && !is_case(&below) {
                self.entry(below)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, below: PathBuf) -> io::Result<()> {
        let path = self.root.join(&below);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => return self.directory(&below),
            Ok(metadata) => {
                let contents = contents(&path, &metadata)?;
                self.found.insert(below, contents);
            }
            // A dangling link, with which some editors lock their files.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if self.found.len() > MAX_FILES {
            Err(io::Error::other("there are too many files"))
        } else {
            Ok(())
        }
    }
}

/// Returns whether a file is a case for `test`, which is not built.
fn is_case(below: &Path) -> bool {
    let is_document =
        below.extension().is_some_and(|extension| extension == "toml" || extension == "yaml");
    is_document && below.parent() == Some(Path::new("tests"))
}

/// Returns a digest of a file's contents or, for a large or irregular file, of its metadata.
fn contents(path: &Path, metadata: &Metadata) -> io::Result<[u8; 32]> {
    if metadata.is_file() && metadata.len() <= MAX_READ {
        return Ok(Sha256::digest(read_regular(path, MAX_READ)?).into());
    }
    let known = format!(
        "{} {} {} {} {} {}",
        metadata.ino(),
        metadata.len(),
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec()
    );
    Ok(Sha256::digest(known).into())
}

/// Returns the sources outside a project that cargo names for its crate, such as those of a crate
/// beside it.
fn files_elsewhere(directory: &Path) -> BTreeSet<PathBuf> {
    let (Ok(root), Ok(entries)) =
        (fs::canonicalize(directory), fs::read_dir(directory.join("target/wasm32-wasip2/release")))
    else {
        return BTreeSet::new();
    };
    let lists = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|it| it == "d"));
    let texts = lists.filter_map(|list| read_regular(&list, MAX_READ).ok());
    let files: BTreeSet<_> =
        texts.flat_map(|text| dependencies(&String::from_utf8_lossy(&text))).collect();
    files.into_iter().filter(|file| file.is_absolute() && !file.starts_with(&root)).collect()
}

/// Parses the files behind the colon of each line, as make reads them: a blank in a name has a `\`
/// before it.
fn dependencies(text: &str) -> Vec<PathBuf> {
    let behind = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(_, files)| files.replace("\\ ", "\0"));
    let split =
        |files: String| files.split(' ').map(|file| file.replace('\0', " ")).collect::<Vec<_>>();
    behind.flat_map(split).filter(|file| !file.is_empty()).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// Makes a project with a binary that is recorded as built from it.
    fn built() -> (tempfile::TempDir, Project) {
        let root = tempfile::tempdir().expect("a directory");
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("below")).expect("made");
            fs::write(path, text).expect("written");
        };
        write("extension.toml", "[extension]\nname = \"mine\"\n");
        write("src/lib.rs", "pub fn f() {}");
        write("src/build/made_by_hand.rs", "");
        write("wit/world.wit", "package a:b;");
        write("tests/case.toml", "");
        write("dist/mine.wasm", "binary");
        let project = Project::find(root.path()).expect("read").expect("a project");
        note_built(&project, &Sources::read(&project).expect("read"), b"binary").expect("noted");
        (root, project)
    }

    #[test]
    fn unchanged_project_is_built() {
        let (root, project) = built();
        assert!(is_built(&project, b"binary"));
        for made in [
            "target/x",
            "node_modules/a/b",
            "src/__pycache__/c",
            ".git/index",
            "dist/other",
            "build/x",
        ] {
            fs::create_dir_all(root.path().join(made)).expect("made");
            fs::write(root.path().join(made).join("f"), "made").expect("written");
        }
        fs::write(root.path().join("tests/case.toml"), "another").expect("written");
        fs::write(root.path().join("src/lib.rs"), "pub fn f() {}").expect("touched");
        assert!(is_built(&project, b"binary"));
        assert!(!is_built(&project, b"another binary"));
    }

    #[test]
    fn any_changed_source_is_found() {
        type Change = (&'static str, fn(&Path));
        let changes: [Change; 6] = [
            ("other text", |root| {
                fs::write(root.join("src/lib.rs"), "pub fn g() {}").expect("written")
            }),
            ("new file", |root| fs::write(root.join("src/new.rs"), "").expect("written")),
            ("file gone", |root| fs::remove_file(root.join("wit/world.wit")).expect("removed")),
            ("deep name", |root| {
                fs::write(root.join("src/build/made_by_hand.rs"), "x").expect("written")
            }),
            ("old time", |root| {
                let file = fs::File::create(root.join("src/lib.rs")).expect("made");
                file.set_modified(std::time::UNIX_EPOCH).expect("set");
            }),
            ("renamed", |root| {
                fs::rename(root.join("src/lib.rs"), root.join("src/bil.rs")).expect("renamed")
            }),
        ];
        for (what, change) in changes {
            let (root, project) = built();
            change(root.path());
            assert!(!is_built(&project, b"binary"), "{what}");
        }
        let (root, _) = built();
        fs::write(
            root.path().join("extension.toml"),
            "[extension]\nname = \"mine\"\nversion = \"2.0.0\"\n",
        )
        .expect("written");
        assert!(!is_built(
            &Project::find(root.path()).expect("read").expect("a project"),
            b"binary"
        ));
    }

    #[test]
    fn linked_sources_are_followed_once() {
        let (root, project) = built();
        let beside = tempfile::tempdir().expect("a directory");
        fs::write(beside.path().join("shared.rs"), "one").expect("written");
        symlink(beside.path(), root.path().join("src/shared")).expect("a link");
        symlink("..", root.path().join("src/circle")).expect("a link");
        let sources = Sources::read(&project).expect("read");
        fs::write(beside.path().join("shared.rs"), "two").expect("written");
        assert_ne!(Sources::read(&project).expect("read"), sources);
    }

    /// A build writes the versions that it has chosen. A change by a person meanwhile is not in the
    /// binary.
    #[test]
    fn locks_are_taken_from_after_the_build() {
        let (root, project) = built();
        let before = Sources::read(&project).expect("read");
        fs::write(root.path().join("Cargo.lock"), "chosen").expect("written");
        note_built(
            &project,
            &before.clone().with_locks_of(Sources::read(&project).expect("read")),
            b"b",
        )
        .expect("noted");
        assert!(is_built(&project, b"b"));
        fs::write(root.path().join("src/lib.rs"), "changed meanwhile").expect("written");
        note_built(&project, &before.with_locks_of(Sources::read(&project).expect("read")), b"b")
            .expect("noted");
        assert!(!is_built(&project, b"b"));
    }

    #[test]
    fn crates_beside_the_project_are_sources() {
        let (root, project) = built();
        let beside = tempfile::tempdir().expect("a directory");
        let file = beside.path().join("a b.rs");
        fs::write(&file, "one").expect("written");
        let list = format!(
            "/x/mine.wasm: src/lib.rs {}\n",
            file.display().to_string().replace(' ', "\\ ")
        );
        fs::create_dir_all(root.path().join("target/wasm32-wasip2/release")).expect("made");
        fs::write(root.path().join("target/wasm32-wasip2/release/mine.d"), list).expect("written");
        note_built(&project, &Sources::read(&project).expect("read"), b"b").expect("noted");
        assert!(is_built(&project, b"b"));
        fs::write(&file, "two").expect("written");
        assert!(!is_built(&project, b"b"));
    }
}
