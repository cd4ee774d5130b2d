//! Writes and removes the files of a user.

use std::io;
use std::path::{Path, PathBuf};

use private_files::remove_durably;

use crate::activation::change::{ActivationError, Change, Locked, apply, make_directory};
use crate::activation::file_state::FileState;
use crate::activation::places::{ServicePlaces, is_there};
use crate::activation::program::ServiceProgram;
use crate::activation::templates;

/// How the files of a user were installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installed {
    /// They were written.
    Written(Vec<PathBuf>),
    /// They start this program already.
    Already(Vec<PathBuf>),
    /// A package has them, so that nothing was written.
    Packaged {
        /// Those of the package.
        files: Vec<PathBuf>,
        /// The user's own, which count instead of those.
        shadowing: Vec<PathBuf>,
    },
}

/// How the files of a user were removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The removed files; none when there were none of ours.
    pub files: Vec<PathBuf>,
    /// Files of other programs, which stay.
    pub left: Vec<PathBuf>,
}

/// A file with the present contents of its place.
type Looked = (PathBuf, FileState);

impl ServicePlaces {
    /// Writes both files of the user for a program, or none. Where a package has them, nothing is
    /// written. `edited` says whether files that somebody has edited are replaced.
    ///
    /// The unit comes first, since the file for the bus refers to it. After a kill in between, the
    /// unit can be started, the bus starts the same program as before, and the next run finishes.
    ///
    /// # Errors
    /// When something else is in the place of a file, or a file cannot be written.
    pub fn install(
        &self,
        program: &ServiceProgram,
        edited: bool,
    ) -> Result<Installed, ActivationError> {
        if let Some(bus_file) = self.system_bus_file() {
            let files = self.system_unit().into_iter().chain([bus_file]).collect();
            let own = [self.unit(), self.bus_file()];
            let shadowing = own.into_iter().filter(|path| is_there(path)).collect();
            return Ok(Installed::Packaged { files, shadowing });
        }
        let files = [self.unit(), self.bus_file()];
        files.iter().try_for_each(|path| make_directory(path))?;
        let _locked = Locked::around([&files[0], &files[1]])?;
        let texts = [templates::unit(program), templates::bus_file(program)];
        let mut changes = Vec::new();
        for ((path, state), text) in looked(&files)?.into_iter().zip(texts) {
            let old = replaceable(&path, &state, edited)?;
            if old.as_ref() != Some(&text) {
                changes.push(Change { path, old, new: Some(text) });
            }
        }
        apply(&changes)?;
        let files = files.to_vec();
        Ok(if changes.is_empty() { Installed::Already(files) } else { Installed::Written(files) })
    }

    /// Removes both files of the user that this library wrote, or none, and the link that starts
    /// the unit at login. `edited` says whether files that somebody has edited are removed.
    ///
    /// The file for the bus goes first, so that it never refers to a unit that is gone.
    ///
    /// # Errors
    /// When a file was edited or cannot be removed.
    pub fn remove(&self, edited: bool) -> Result<Removed, ActivationError> {
        let files = [self.unit(), self.bus_file()];
        let _locked = Locked::around([&files[0], &files[1]])?;
        let (mut changes, mut left) = (Vec::new(), Vec::new());
        for (path, state) in looked(&files)?.into_iter().rev() {
            match state {
                FileState::Missing => {}
                FileState::Masked | FileState::Foreign => left.push(path),
                FileState::Edited(_) if !edited => return Err(ActivationError::Edited(path)),
                FileState::Edited(text) | FileState::Own(text) => {
                    changes.push(Change { path, old: Some(text), new: None });
                }
            }
        }
        apply(&changes)?;
        let mut files: Vec<_> = changes.into_iter().map(|change| change.path).collect();
        files.extend(self.remove_login_link()?);
        Ok(Removed { files, left })
    }

    /// Removes the link that starts the user's own unit at login, unless the unit is still there.
    /// systemd ignores one that leads nowhere, so that it goes last.
    fn remove_login_link(&self) -> Result<Option<PathBuf>, ActivationError> {
        let (link, unit) = (self.login_link(), self.unit());
        let is_ours = link.read_link().is_ok_and(|to| to == unit) && !is_there(&unit);
        if !is_ours {
            return Ok(None);
        }
        let removed = remove_durably(&link);
        removed.map_err(|source| ActivationError::Change { path: link.clone(), source })?;
        Ok(Some(link))
    }
}

fn looked(files: &[PathBuf; 2]) -> Result<Vec<Looked>, ActivationError> {
    let look = |path: &PathBuf| -> Result<Looked, ActivationError> {
        let error = |source: io::Error| ActivationError::Read { path: path.clone(), source };
        Ok((path.clone(), FileState::of(path).map_err(error)?))
    };
    files.iter().map(look).collect()
}

/// Returns the contents of a file that may be replaced.
fn replaceable(
    path: &Path,
    state: &FileState,
    edited: bool,
) -> Result<Option<String>, ActivationError> {
    match state {
        FileState::Masked => Err(ActivationError::Masked(path.to_owned())),
        FileState::Foreign => Err(ActivationError::Foreign(path.to_owned())),
        FileState::Edited(_) if !edited => Err(ActivationError::Edited(path.to_owned())),
        state => Ok(state.contents().map(str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn places(root: &Path) -> ServicePlaces {
        let system = vec![root.join("usr/share")];
        let mut places = ServicePlaces::new(root.join("config"), root.join("data"), system);
        places.system_units = vec![root.join("usr/lib/systemd/user")];
        places
    }

    fn program(path: &str) -> ServiceProgram {
        ServiceProgram::at(path.into()).expect(path)
    }

    fn put(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    }

    /// Returns the contents of both files.
    fn both(places: &ServicePlaces) -> [Option<String>; 2] {
        [places.unit(), places.bus_file()].map(|path| fs::read_to_string(path).ok())
    }

    #[test]
    fn files_are_written_once_and_removed() {
        let root = tempfile::tempdir().expect("a directory");
        let places = places(root.path());
        let files = vec![places.unit(), places.bus_file()];
        let one = program("/opt/one/sesame");
        let install = |program| places.install(program, false).expect("installed");
        assert_eq!(install(&one), Installed::Written(files.clone()));
        assert_eq!(install(&one), Installed::Already(files.clone()));
        let first = both(&places);
        let other = program("/opt/other/sesame");
        assert_eq!(install(&other), Installed::Written(files.clone()));
        assert_ne!(both(&places), first, "it moves to another program");
        let removed = places.remove(false).expect("removed");
        assert_eq!(removed.files, [places.bus_file(), places.unit()]);
        assert_eq!(both(&places), [None, None]);
        let again = places.remove(false).expect("nothing to do");
        assert_eq!(again, Removed { files: Vec::new(), left: Vec::new() });
    }

    /// An edited file stays, and so does the other one, until it is named.
    #[test]
    fn edited_files_stay() {
        let root = tempfile::tempdir().expect("a directory");
        let places = places(root.path());
        let (one, other) = (program("/opt/one/sesame"), program("/opt/other/sesame"));
        for file in [places.unit(), places.bus_file()] {
            places.install(&one, true).expect("installed");
            put(&file, &(fs::read_to_string(&file).expect("there") + "# mine\n"));
            let before = both(&places);
            for refused in [
                places.install(&other, false).expect_err("edited"),
                places.remove(false).expect_err("edited"),
            ] {
                assert!(matches!(refused, ActivationError::Edited(path) if path == file));
            }
            assert_eq!(both(&places), before);
        }
        assert_eq!(places.remove(true).expect("removed").files.len(), 2);
    }

    #[test]
    fn foreign_files_are_never_touched() {
        let root = tempfile::tempdir().expect("a directory");
        let places = places(root.path());
        put(&places.bus_file(), "[D-BUS Service]\n");
        let refused = places.install(&program("/opt/sesame"), true).expect_err("foreign");
        assert!(matches!(refused, ActivationError::Foreign(path) if path == places.bus_file()));
        assert_eq!(both(&places), [None, Some("[D-BUS Service]\n".to_owned())]);
        let removed = places.remove(true).expect("nothing of ours");
        assert_eq!(removed, Removed { files: Vec::new(), left: vec![places.bus_file()] });
        fs::remove_file(places.bus_file()).expect("removed");
        symlink("/dev/null", places.unit()).expect("a link");
        let refused = places.install(&program("/opt/sesame"), true).expect_err("masked");
        assert!(matches!(refused, ActivationError::Masked(_)));
        symlink(root.path().join("elsewhere"), places.bus_file()).expect("a link");
        assert!(places.remove(true).expect("nothing of ours").files.is_empty());
        assert!(!root.path().join("elsewhere").exists(), "no link is written through");
    }

    /// The files of a package count, and a user's own that hide them are named.
    #[test]
    fn package_wins() {
        let root = tempfile::tempdir().expect("a directory");
        let places = places(root.path());
        let one = program("/opt/one/sesame");
        places.install(&one, false).expect("installed");
        let bus_file =
            root.path().join("usr/share/dbus-1/services/org.opensesame.Extensions1.service");
        let unit = root.path().join("usr/lib/systemd/user/org.opensesame.Extensions.service");
        put(&unit, "");
        let written = places.install(&program("/opt/two/sesame"), false).expect("installed");
        assert!(matches!(written, Installed::Written(_)), "a unit alone is not a package's");
        put(&bus_file, "");
        let before = both(&places);
        let files = vec![unit, bus_file];
        let shadowing = vec![places.unit(), places.bus_file()];
        let found = places.install(&one, false).expect("nothing to do");
        assert_eq!(found, Installed::Packaged { files: files.clone(), shadowing });
        assert_eq!(both(&places), before);
        places.remove(false).expect("removed");
        let found = places.install(&one, false).expect("nothing to do");
        assert_eq!(found, Installed::Packaged { files, shadowing: Vec::new() });
        assert_eq!(both(&places), [None, None]);
    }

    /// The link that `systemctl enable` makes for the user's unit goes with it; that for a
    /// package's unit stays.
    #[test]
    fn login_link_goes_with_its_unit() {
        let root = tempfile::tempdir().expect("a directory");
        let places = places(root.path());
        places.install(&program("/opt/sesame"), false).expect("installed");
        let link = places.login_link();
        fs::create_dir_all(link.parent().expect("a parent")).expect("made");
        symlink(places.unit(), &link).expect("a link");
        let removed = places.remove(false).expect("removed");
        assert_eq!(removed.files, [places.bus_file(), places.unit(), link.clone()]);
        symlink("/usr/lib/systemd/user/org.opensesame.Extensions.service", &link).expect("a link");
        assert!(places.remove(false).expect("nothing of ours").files.is_empty());
        assert!(is_there(&link));
    }

    /// The state after a kill between both files is finished by the next run.
    #[test]
    fn half_an_installation_is_finished() {
        let root = tempfile::tempdir().expect("a directory");
        let places = places(root.path());
        let one = program("/opt/one/sesame");
        places.install(&one, false).expect("installed");
        let whole = both(&places);
        fs::remove_file(places.bus_file()).expect("removed");
        assert!(matches!(places.install(&one, false), Ok(Installed::Written(_))));
        assert_eq!(both(&places), whole);
        fs::remove_file(places.bus_file()).expect("removed");
        assert_eq!(places.remove(false).expect("removed").files, [places.unit()]);
    }
}
