//! The files that start the session service, as text.

use std::fmt::Write;
use std::path::Path;

use crate::outcome::{ServiceInstallation, ServiceState};
use crate::render::Rendered;
use crate::terminal::escape_to_line;

/// Formats the files as data, and everything that helps as messages.
pub(super) fn installation(installation: &ServiceInstallation) -> Rendered {
    let word = match installation.state {
        ServiceState::Installed => "installed",
        ServiceState::AlreadyInstalled => "already installed:",
        ServiceState::OfPackage => "already installed by a package:",
        ServiceState::Removed => "removed",
        ServiceState::AlreadyRemoved => "",
    };
    let mut data = String::new();
    for file in &installation.files {
        let _ = writeln!(data, "{word} {}", shown(file));
    }
    if installation.state == ServiceState::AlreadyRemoved {
        data.push_str("already removed\n");
    }
    Rendered { data: data.into_bytes(), stderr: messages(installation), ..Rendered::default() }
}

fn messages(installation: &ServiceInstallation) -> String {
    let ServiceInstallation { hiding, left, systemd_reloaded, bus_reloaded, next, .. } =
        installation;
    let mut text = String::new();
    for file in left {
        let _ = writeln!(text, "left: `{}` is not a file of sesame's", shown(file));
    }
    for file in hiding {
        let _ = writeln!(text, "warning: `{}` hides the file of the package", shown(file));
    }
    let reloaded = match (systemd_reloaded, bus_reloaded) {
        (true, true) => "systemd and the session bus have read their files anew\n",
        (true, false) => "systemd has read its units anew\n",
        (false, true) => "the session bus has read its files anew\n",
        (false, false) => "",
    };
    text.push_str(reloaded);
    if let Some(next) = next {
        let _ = writeln!(text, "{next}");
    }
    text
}

fn shown(path: &Path) -> String {
    escape_to_line(&path.to_string_lossy())
}
