//! The directories in which systemd and the bus look for files.

use std::path::{Path, PathBuf};

use core_types::{BUS_NAME, SESSION_UNIT};

/// Where units are, below a directory of configuration or data.
const UNITS: &str = "systemd/user";
/// Where the bus looks, below a directory of data.
const BUS_FILES: &str = "dbus-1/services";
/// The link that starts the unit at login, below the user's units.
const WANTS: &str = "default.target.wants";

/// The directories of one user, and those of the system that both files are looked for in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePlaces {
    /// The user's configuration: `~/.config`.
    pub config: PathBuf,
    /// The user's data: `~/.local/share`.
    pub data: PathBuf,
    /// The data of the system, in their order: `/usr/local/share` and `/usr/share`.
    pub system_data: Vec<PathBuf>,
    /// Further directories for the units of users, in their order: `/etc/systemd/user`,
    /// `/usr/local/lib/systemd/user` and `/usr/lib/systemd/user`.
    pub system_units: Vec<PathBuf>,
}

impl ServicePlaces {
    /// Returns the places of a user with these directories of their own, on a system with these
    /// directories of data.
    pub fn new(config: PathBuf, data: PathBuf, system_data: Vec<PathBuf>) -> Self {
        let units = ["/etc/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user"];
        let system_data = system_data.into_iter().filter(|directory| *directory != data).collect();
        Self { config, data, system_data, system_units: units.map(PathBuf::from).to_vec() }
    }

    /// Returns the user's own unit.
    pub fn unit(&self) -> PathBuf {
        self.config.join(UNITS).join(SESSION_UNIT)
    }

    /// Returns the user's own file for the bus.
    pub fn bus_file(&self) -> PathBuf {
        self.data.join(BUS_FILES).join(bus_file_name())
    }

    /// Returns the link by which the unit starts at login.
    pub(super) fn login_link(&self) -> PathBuf {
        self.config.join(UNITS).join(WANTS).join(SESSION_UNIT)
    }

    /// Returns the unit of the system, if there is one.
    pub(super) fn system_unit(&self) -> Option<PathBuf> {
        let of_data = self.system_data.iter().map(|directory| directory.join(UNITS));
        let all = of_data.chain(self.system_units.iter().cloned());
        first(all, SESSION_UNIT)
    }

    /// Returns the system's file for the bus, if there is one.
    pub(super) fn system_bus_file(&self) -> Option<PathBuf> {
        let all = self.system_data.iter().map(|directory| directory.join(BUS_FILES));
        first(all, &bus_file_name())
    }
}

/// Returns the name of the file for the bus.
fn bus_file_name() -> String {
    format!("{BUS_NAME}.service")
}

fn first(directories: impl Iterator<Item = PathBuf>, name: &str) -> Option<PathBuf> {
    directories.map(|directory| directory.join(name)).find(|path| is_there(path))
}

/// Returns whether anything has this name. A link that leads nowhere counts.
pub(super) fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
