//! The program that the session service is.

use std::fs;
use std::path::{Path, PathBuf};

/// What Linux appends to the path of a running program whose file is gone.
const DELETED: &str = " (deleted)";
/// Characters beside control characters that systemd refuses in the path of a program, quoted or
/// not.
const REFUSED: [char; 3] = ['"', '\'', '\\'];
/// Characters that need no quotes in either file.
const PLAIN: [char; 6] = ['/', '.', '_', '-', '+', '@'];
/// Where files go with the session or the next start of the machine.
const TEMPORARY: [&str; 4] = ["/tmp", "/var/tmp", "/run", "/dev/shm"];
/// A file that Cargo writes into each directory of builds.
const OF_CARGO: &str = ".rustc_info.json";

/// A program that service files can name: an absolute path that systemd and the bus both take.
///
/// ```
/// use extension_session::ServiceProgram;
///
/// let program = ServiceProgram::at("/opt/my tools/sesame".into())?;
/// assert_eq!(program.path().to_str(), Some("/opt/my tools/sesame"));
/// assert!(ServiceProgram::at("sesame".into()).is_err());
/// # Ok::<(), extension_session::ProgramError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceProgram(String);

/// Why a program cannot be started as a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// It was replaced or removed after it began.
    #[error("`{}` was replaced or removed while it runs", .0.display())]
    Deleted(PathBuf),
    /// Its path is not known from the root on.
    #[error("`{}` is not an absolute path", .0.display())]
    NotAbsolute(PathBuf),
    /// Its path has a character that systemd or the bus refuses.
    #[error("service files cannot name `{}`: it has {what} in its path", path.display())]
    Character {
        /// The path.
        path: PathBuf,
        /// Its fault.
        what: &'static str,
    },
}

/// Why a program may soon be gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fleeting {
    /// It lies in a directory of Cargo's builds.
    Build,
    /// It lies in a directory for temporary files.
    Temporary,
}

impl ServiceProgram {
    /// Chooses the path of the running program that lasts. `running` is the path of its file, and
    /// `found` the one in `PATH`: if both are the same file, the second stays when a package
    /// manager such as Nix or Homebrew puts the next version elsewhere.
    ///
    /// # Errors
    /// When the file of the program is gone, or service files cannot name it.
    pub fn lasting(running: &Path, found: Option<&Path>) -> Result<Self, ProgramError> {
        if is_deleted(running) {
            let path = running.to_string_lossy().trim_end_matches(DELETED).into();
            return Err(ProgramError::Deleted(path));
        }
        let found = found.filter(|found| found.is_absolute() && is_same_file(found, running));
        found.map_or_else(|| Self::at(running.to_owned()), |found| Self::at(found.to_owned()))
    }

    /// Takes the path of a program.
    ///
    /// # Errors
    /// When it is not absolute, or service files cannot name it.
    pub fn at(path: PathBuf) -> Result<Self, ProgramError> {
        let character = |what| ProgramError::Character { path: path.clone(), what };
        if !path.is_absolute() {
            return Err(ProgramError::NotAbsolute(path));
        }
        let Some(text) = path.to_str() else { return Err(character("bytes that are not UTF-8")) };
        if text.contains(REFUSED) {
            return Err(character("a quotation mark or a backslash"));
        }
        if text.contains(char::is_control) {
            return Err(character("a control character"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the path.
    pub fn path(&self) -> &Path {
        Path::new(&self.0)
    }

    /// Returns why the program may soon be gone, if it looks so.
    pub fn fleeting(&self) -> Option<Fleeting> {
        let whole = fs::canonicalize(self.path()).unwrap_or_else(|_| self.path().to_owned());
        if whole.ancestors().any(|directory| directory.join(OF_CARGO).is_file()) {
            return Some(Fleeting::Build);
        }
        let is_temporary = TEMPORARY.iter().any(|directory| self.path().starts_with(directory));
        is_temporary.then_some(Fleeting::Temporary)
    }

    /// Returns whether a path leads to the same file.
    pub fn is(&self, other: &Path) -> bool {
        self.path() == other || is_same_file(self.path(), other)
    }

    /// Returns the path as the first word of `ExecStart=`.
    ///
    /// systemd expands `%` everywhere. It does not replace variables in the path itself but in the
    /// words, the first of which is the path: `:` switches that off.
    pub(super) fn in_unit(&self) -> String {
        let prefix = if self.0.contains('$') { ":" } else { "" };
        let path = self.0.replace('%', "%%");
        if self.is_plain() { format!("{prefix}{path}") } else { format!("{prefix}\"{path}\"") }
    }

    /// Returns the path as the first word of `Exec=`, which the bus splits as a shell does.
    pub(super) fn in_bus_file(&self) -> String {
        if self.is_plain() { self.0.clone() } else { format!("'{}'", self.0) }
    }

    fn is_plain(&self) -> bool {
        self.0.chars().all(|c| c.is_ascii_alphanumeric() || PLAIN.contains(&c))
    }
}

fn is_deleted(running: &Path) -> bool {
    running.to_string_lossy().ends_with(DELETED) && !running.exists()
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let whole = |path| fs::canonicalize(path).ok();
    whole(one).is_some_and(|one| whole(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;
    use std::os::unix::fs::symlink;

    use super::*;

    fn at(path: &str) -> ServiceProgram {
        ServiceProgram::at(path.into()).expect(path)
    }

    #[test]
    fn path_is_quoted_for_both() {
        for (path, in_unit, in_bus_file) in [
            ("/usr/bin/sesame", "/usr/bin/sesame", "/usr/bin/sesame"),
            ("/a b/sesame", "\"/a b/sesame\"", "'/a b/sesame'"),
            ("/100%/sesame", "\"/100%%/sesame\"", "'/100%/sesame'"),
            ("/$HOME/sesame", ":\"/$HOME/sesame\"", "'/$HOME/sesame'"),
            ("/é;#/sesame", "\"/é;#/sesame\"", "'/é;#/sesame'"),
        ] {
            assert_eq!(at(path).in_unit(), in_unit, "{path}");
            assert_eq!(at(path).in_bus_file(), in_bus_file, "{path}");
        }
    }

    /// A line break would begin another key, and systemd refuses the others.
    #[test]
    fn dangerous_paths_are_refused() {
        for path in ["/a\nExec=/bin/sh", "/a\"b", "/a'b", "/a\\b", "/a\u{7f}", "/a\tb"] {
            let refused = ServiceProgram::at(path.into());
            assert!(matches!(refused, Err(ProgramError::Character { .. })), "{path:?}");
        }
        let bytes = PathBuf::from(std::ffi::OsString::from_vec(b"/a\xff".to_vec()));
        assert!(ServiceProgram::at(bytes).is_err());
        let relative = ServiceProgram::at("bin/sesame".into());
        assert_eq!(relative, Err(ProgramError::NotAbsolute("bin/sesame".into())));
    }

    /// The name in `PATH` is kept where it leads to the running file, and no other.
    #[test]
    fn lasting_path_is_chosen() {
        let root = tempfile::tempdir().expect("a directory");
        let of = |name: &str| root.path().join(name);
        fs::write(of("sesame-1.2"), "").expect("written");
        fs::write(of("other"), "").expect("written");
        symlink("sesame-1.2", of("sesame")).expect("a link");
        let lasting = |found: Option<PathBuf>| {
            let chosen = ServiceProgram::lasting(&of("sesame-1.2"), found.as_deref());
            chosen.expect("there").path().to_owned()
        };
        assert_eq!(lasting(Some(of("sesame"))), of("sesame"));
        assert_eq!(lasting(Some(of("other"))), of("sesame-1.2"));
        assert_eq!(lasting(Some(of("missing"))), of("sesame-1.2"));
        assert_eq!(lasting(Some("sesame".into())), of("sesame-1.2"));
        assert_eq!(lasting(None), of("sesame-1.2"));
    }

    #[test]
    fn replaced_program_is_refused() {
        let root = tempfile::tempdir().expect("a directory");
        let gone = root.path().join("sesame (deleted)");
        let error = ServiceProgram::lasting(&gone, None).expect_err("gone");
        assert_eq!(error, ProgramError::Deleted(root.path().join("sesame")));
        fs::write(&gone, "").expect("written");
        assert!(ServiceProgram::lasting(&gone, None).is_ok(), "it is called so");
    }

    #[test]
    fn fleeting_programs_are_told() {
        let root = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(root.path().join("target/debug")).expect("made");
        let built = root.path().join("target/debug/sesame");
        fs::write(&built, "").expect("written");
        fs::write(root.path().join("target").join(OF_CARGO), "{}").expect("written");
        let program = ServiceProgram::at(built).expect("a path");
        assert_eq!(program.fleeting(), Some(Fleeting::Build));
        assert_eq!(at("/tmp/.mount_x/sesame").fleeting(), Some(Fleeting::Temporary));
        assert_eq!(at("/usr/bin/sesame").fleeting(), None);
        assert_eq!(at("/tmpfiles/sesame").fleeting(), None);
    }
}
