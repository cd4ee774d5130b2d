//! The manager of the user's units.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use private_files::with_timeout;

/// How long is waited for the manager. It runs generators and reads all units.
const RELOAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The manager's socket, below the runtime directory of the user.
const SOCKET: &str = "systemd/private";

/// Returns whether a manager of units runs for the user of this runtime directory.
pub fn has_unit_manager(runtime: &Path) -> bool {
    runtime.join(SOCKET).exists()
}

/// Lets the manager read its units anew, by this `systemctl`.
///
/// # Errors
/// When it cannot be started, or fails, or does not end.
pub fn reload_units(systemctl: &Path) -> io::Result<()> {
    let mut command = Command::new(systemctl);
    command.args(["--user", "daemon-reload"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let ended = with_timeout("systemctl", RELOAD_TIMEOUT, move || command.status());
    let status = ended.map_err(io::Error::other)??;
    status.success().then_some(()).ok_or_else(|| io::Error::other(status.to_string()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// The manager is asked by these words, and what goes wrong is known.
    #[test]
    fn manager_is_reloaded() {
        let root = tempfile::tempdir().expect("a directory");
        let script = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("set");
            path
        };
        let asked = root.path().join("asked");
        let good = script("good", &format!("echo \"$@\" >'{}'", asked.display()));
        reload_units(&good).expect("reloaded");
        assert_eq!(fs::read_to_string(asked).expect("asked"), "--user daemon-reload\n");
        assert!(reload_units(&script("bad", "exit 1")).is_err());
        assert!(reload_units(&root.path().join("missing")).is_err());
        assert!(!has_unit_manager(root.path()));
        fs::create_dir(root.path().join("systemd")).expect("made");
        fs::write(root.path().join("systemd/private"), "").expect("written");
        assert!(has_unit_manager(root.path()));
    }
}
