//! The files by which the service is started now.

use std::path::{Path, PathBuf};

use private_files::read_regular_text;

use crate::activation::file_state::{MAX_SIZE, is_masked};
use crate::activation::places::{ServicePlaces, is_there};
use crate::activation::program::ServiceProgram;

/// A file by which the service is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartFile {
    /// The file.
    pub path: PathBuf,
    /// The program that it starts; nothing where it cannot be read or names none.
    pub program: Option<PathBuf>,
    /// Whether it is the user's own.
    pub is_own: bool,
    /// Whether it hides one of the system.
    pub is_hiding: bool,
}

/// The program that a file starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartState {
    /// This program.
    This,
    /// Another program.
    Other(PathBuf),
    /// A program that is not there any more.
    Gone(PathBuf),
    /// Nothing: the user has masked the unit.
    Masked,
    /// It cannot be read, or does not say it as sesame's files do.
    Unknown,
}

impl StartFile {
    /// Returns the program that it starts, compared with this one.
    pub fn state(&self, this: &ServiceProgram) -> StartState {
        match &self.program {
            None if is_masked(&self.path) => StartState::Masked,
            None => StartState::Unknown,
            Some(program) if this.is(program) => StartState::This,
            Some(program) if !program.is_file() => StartState::Gone(program.clone()),
            Some(program) => StartState::Other(program.clone()),
        }
    }
}

impl ServicePlaces {
    /// Returns the unit that systemd would start: the user's own before the system's.
    pub fn unit_in_force(&self) -> Option<StartFile> {
        in_force(self.unit(), self.system_unit(), "ExecStart=")
    }

    /// Returns the file by which the bus would start the service: the user's own before the
    /// system's.
    pub fn bus_file_in_force(&self) -> Option<StartFile> {
        in_force(self.bus_file(), self.system_bus_file(), "Exec=")
    }
}

fn in_force(own: PathBuf, of_system: Option<PathBuf>, key: &str) -> Option<StartFile> {
    let has_own = is_there(&own);
    let (is_own, is_hiding) = (has_own, has_own && of_system.is_some());
    let path = if has_own { own } else { of_system? };
    let text = read_regular_text(&path, MAX_SIZE).ok();
    let program = text.as_deref().and_then(|text| program(text, key));
    Some(StartFile { path, program, is_own, is_hiding })
}

/// Returns the program that a file starts, where its path is written as this library does it.
fn program(text: &str, key: &str) -> Option<PathBuf> {
    let command = text.lines().find_map(|line| line.trim().strip_prefix(key))?;
    let command = command.trim_start_matches([':', '-']);
    let word = match command.chars().next()? {
        quote @ ('"' | '\'') => command[1..].split(quote).next()?,
        _ => command.split_whitespace().next()?,
    };
    // Only systemd has specifiers, which begin with `%`.
    let is_unit = key == "ExecStart=";
    let word = if is_unit { word.replace("%%", "%") } else { word.to_owned() };
    Some(Path::new(&word).to_owned()).filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::templates;

    /// What is written is read back, whatever the path has in it.
    #[test]
    fn written_program_is_read_back() {
        for path in ["/usr/bin/sesame", "/a b/sesame", "/100%%/%h/$HOME/é;#/sesame"] {
            let written = ServiceProgram::at(path.into()).expect(path);
            let unit = templates::unit(&written);
            assert_eq!(program(&unit, "ExecStart=").as_deref(), Some(Path::new(path)));
            let bus_file = templates::bus_file(&written);
            assert_eq!(program(&bus_file, "Exec=").as_deref(), Some(Path::new(path)));
        }
        for text in ["", "ExecStart=", "ExecStart=sesame session run", "Exec=\"", "# ExecStart=/x"]
        {
            assert_eq!(program(text, "ExecStart="), None, "{text}");
        }
    }

    #[test]
    fn started_program_is_compared() {
        let root = tempfile::tempdir().expect("a directory");
        let at = |name: &str| root.path().join(name);
        let this = ServiceProgram::at(at("sesame")).expect("a path");
        std::fs::write(at("sesame"), "").expect("written");
        std::fs::write(at("other"), "").expect("written");
        std::os::unix::fs::symlink("sesame", at("link")).expect("a link");
        std::os::unix::fs::symlink("/dev/null", at("masked")).expect("a link");
        let state = |path: &str, program: Option<PathBuf>| {
            let file = StartFile { path: at(path), program, is_own: true, is_hiding: false };
            file.state(&this)
        };
        assert_eq!(state("unit", Some(at("sesame"))), StartState::This);
        assert_eq!(state("unit", Some(at("link"))), StartState::This);
        assert_eq!(state("unit", Some(at("other"))), StartState::Other(at("other")));
        assert_eq!(state("unit", Some(at("gone"))), StartState::Gone(at("gone")));
        assert_eq!(state("unit", None), StartState::Unknown);
        assert_eq!(state("masked", None), StartState::Masked);
    }

    #[test]
    fn own_file_counts_before_the_systems() {
        let root = tempfile::tempdir().expect("a directory");
        let at = |name: &str| root.path().join(name);
        let mut places = ServicePlaces::new(at("config"), at("data"), vec![at("usr/share")]);
        places.system_units = vec![at("usr/lib/systemd/user")];
        assert_eq!((places.unit_in_force(), places.bus_file_in_force()), (None, None));
        let program = ServiceProgram::at("/opt/sesame".into()).expect("a path");
        places.install(&program, false).expect("installed");
        let own = places.unit_in_force().expect("there");
        assert_eq!(own.program.as_deref(), Some(program.path()));
        assert!(own.path == places.unit() && own.is_own && !own.is_hiding);
        std::fs::create_dir_all(at("usr/share/systemd/user")).expect("made");
        let system = at("usr/share/systemd/user/org.opensesame.Extensions.service");
        std::fs::write(&system, "[Service]\nExecStart=/usr/bin/sesame session run\n")
            .expect("written");
        assert!(places.unit_in_force().expect("there").is_hiding);
        places.remove(false).expect("removed");
        let found = places.unit_in_force().expect("there");
        assert!(found.path == system && !found.is_own && !found.is_hiding);
        assert_eq!(found.program.as_deref(), Some(Path::new("/usr/bin/sesame")));
    }
}
