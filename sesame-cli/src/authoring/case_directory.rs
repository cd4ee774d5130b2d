//! Directories of a test case: temporary ones, with the files of the case. They have nothing of
//! this machine, and are removed after the case.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use core_types::{Capabilities, Grant};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use serde::Deserialize;
use tempfile::TempDir;

/// The longest file that is compared: cases are texts that people write.
const MAX_COMPARED: u64 = 1 << 20;

/// A directory in the description of a case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseDirectory {
    /// The path for the extension.
    path: String,
    /// Whether the extension can change its contents.
    #[serde(default)]
    write: bool,
    /// Its files: paths below it, with their texts.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// The expected files afterwards.
    #[serde(default)]
    expect_files: BTreeMap<String, String>,
}

/// The directories of one case, while it runs.
pub struct CaseDirectories<'a> {
    /// The grants for them.
    pub granted: Capabilities,
    made: Vec<(&'a CaseDirectory, PathBuf)>,
    /// Removed with its contents when this is dropped.
    _root: Option<TempDir>,
}

impl<'a> CaseDirectories<'a> {
    /// Makes and fills the directories. The error is for the author of the case.
    pub fn make(described: &'a [CaseDirectory]) -> Result<Self, String> {
        let mut all = Self { granted: Capabilities::default(), made: Vec::new(), _root: None };
        if described.is_empty() {
            return Ok(all);
        }
        let failed = |error: io::Error| format!("its directories cannot be made: {error}");
        let root = tempfile::Builder::new().prefix("sesame-case-").tempdir().map_err(failed)?;
        // Grants do not follow links, and the directory for temporary files may be one.
        let path = fs::canonicalize(root.path()).map_err(failed)?;
        for (number, directory) in described.iter().enumerate() {
            let on_host = path.join(number.to_string());
            fs::create_dir(&on_host).map_err(failed)?;
            directory.fill(&on_host)?;
            all.granted.add(&directory.grant(&on_host)?);
            all.made.push((directory, on_host));
        }
        all.granted
            .check_guest_paths(Path::new("/"))
            .map_err(|_| "two of its directories have one path".to_owned())?;
        Ok(Self { _root: Some(root), ..all })
    }

    /// Checks the expected files.
    pub fn check(&self) -> Result<(), String> {
        for (directory, on_host) in &self.made {
            for (file, expected) in &directory.expect_files {
                let shown =
                    format!("`{}` in `{}`", file.escape_debug(), directory.path.escape_debug());
                let found = read_below(on_host, below(file)?)
                    .map_err(|error| format!("{shown}: {error}"))?;
                if found != *expected {
                    return Err(format!("{shown}: expected {expected:?}\n  got {found:?}"));
                }
            }
        }
        Ok(())
    }
}

impl CaseDirectory {
    fn grant(&self, on_host: &Path) -> Result<Grant, String> {
        let access = if self.write { "write" } else { "read" };
        format!("filesystem={access}:{}::{}", on_host.display(), self.path)
            .parse()
            .map_err(|error| format!("directories: {error}"))
    }

    fn fill(&self, on_host: &Path) -> Result<(), String> {
        for (file, text) in &self.files {
            let path = on_host.join(below(file)?);
            let write = || -> io::Result<()> {
                fs::create_dir_all(path.parent().unwrap_or(on_host))?;
                File::create_new(&path)?.write_all(text.as_bytes())
            };
            write().map_err(|error| {
                format!("its file `{}` cannot be written: {error}", file.escape_debug())
            })?;
        }
        Ok(())
    }
}

/// Checks that a path stays below its start.
fn below(text: &str) -> Result<&Path, String> {
    let path = Path::new(text);
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if text.is_empty() || text.ends_with('/') || !is_plain || text.contains(char::is_control) {
        return Err(format!(
            "`{}` is not the path of a file in the directory, such as `notes/today.md`",
            text.escape_debug()
        ));
    }
    Ok(path)
}

/// Reads a text of the extension. A link in its place is not followed.
fn read_below(directory: &Path, file: &Path) -> io::Result<String> {
    let held = openat2(
        CWD,
        directory,
        OFlags::PATH | OFlags::DIRECTORY,
        Mode::empty(),
        ResolveFlags::NO_SYMLINKS,
    )?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = openat2(
        held,
        file,
        flags,
        Mode::empty(),
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS,
    )?;
    let mut text = String::new();
    File::from(opened).take(MAX_COMPARED).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn described(text: &str) -> Vec<CaseDirectory> {
        #[derive(Deserialize)]
        struct All {
            directories: Vec<CaseDirectory>,
        }
        core_types::parse_toml::<All>(text).expect("understood").value.directories
    }

    const NOTES: &str = r#"
[[directories]]
path = "/notes"
files = { "today.md" = "milk", "old/2020.md" = "eggs" }
[[directories]]
path = "out"
write = true
expect_files = { "list/all.md" = "both" }
"#;

    #[test]
    fn directories_are_filled_granted_and_gone() {
        let described = described(NOTES);
        let made = CaseDirectories::make(&described).expect("made");
        let [(_, notes), (_, out)] = made.made.as_slice() else { panic!("two") };
        assert_eq!(fs::read_to_string(notes.join("old/2020.md")).expect("there"), "eggs");
        let granted: Vec<_> = made.granted.directories().collect();
        let [(read, false), (write, true)] = granted[..] else { panic!("{granted:?}") };
        assert_eq!((read.guest(), write.guest()), (Some("/notes"), Some("out")));
        assert_eq!(Path::new(write.host()), out);
        assert!(made.check().expect_err("missing").contains("`list/all.md` in `out`"));
        fs::create_dir(out.join("list")).expect("made");
        fs::write(out.join("list/all.md"), "one").expect("written");
        assert!(made.check().expect_err("other").contains("expected \"both\""));
        fs::write(out.join("list/all.md"), "both").expect("written");
        made.check().expect("as expected");
        let (notes, out) = (notes.clone(), out.clone());
        drop(made);
        assert!(!notes.exists() && !out.exists());
    }

    /// Neither a name nor a link of the extension leads out.
    #[test]
    fn paths_do_not_escape() {
        for path in ["../x", "/etc/passwd", "a/../../x", "", "a/", "./a", ".", "a\\u0000b", "a\\nb"]
        {
            for key in ["files", "expect_files"] {
                let text =
                    format!("[[directories]]\npath = \"/x\"\n{key} = {{ \"{path}\" = \"\" }}\n");
                let described = described(&text);
                let made = CaseDirectories::make(&described).and_then(|made| made.check());
                assert!(made.expect_err(path).contains("is not the path of a file"), "{path}");
            }
        }
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("real"), "text").expect("written");
        symlink("/etc/passwd", directory.path().join("link")).expect("a link");
        symlink(".", directory.path().join("here")).expect("a link");
        let root = fs::canonicalize(directory.path()).expect("there");
        assert_eq!(read_below(&root, Path::new("real")).expect("read"), "text");
        for path in ["link", "here/real", "missing"] {
            assert!(read_below(&root, Path::new(path)).is_err(), "{path}");
        }
    }

    #[test]
    fn unusable_directories_are_refused() {
        for (text, said) in [
            ("[[directories]]\npath = \"/x\"\n[[directories]]\npath = \"x\"\n", "have one path"),
            ("[[directories]]\npath = \"../x\"\n", "is not a path for the guest"),
            (
                "[[directories]]\npath = \"/x\"\nfiles = { \"a\" = \"\", \"a/b\" = \"\" }\n",
                "`a/b` cannot be written",
            ),
        ] {
            let described = described(text);
            let error = CaseDirectories::make(&described).map(drop).expect_err(text);
            assert!(error.contains(said), "{error}");
        }
    }
}
