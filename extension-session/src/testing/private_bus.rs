//! A bus of its own for a test, gone with it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A `dbus-daemon` without services and without rules of who may do what.
pub(crate) struct PrivateBus {
    directory: TempDir,
    daemon: Child,
}

impl PrivateBus {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let daemon = daemon(directory.path());
        Self { directory, daemon }
    }

    pub(crate) fn address(&self) -> String {
        address(self.directory.path())
    }

    /// Ends the bus, and starts another one at the same address.
    pub(crate) fn restart(&mut self) {
        self.end();
        let _ = std::fs::remove_file(self.directory.path().join("bus"));
        self.daemon = daemon(self.directory.path());
    }

    fn end(&mut self) {
        self.daemon.kill().expect("ended");
        self.daemon.wait().expect("ended");
    }
}

impl Drop for PrivateBus {
    fn drop(&mut self) {
        self.end();
    }
}

fn address(directory: &Path) -> String {
    format!("unix:path={}", directory.join("bus").display())
}

/// Starts the daemon and waits until it listens.
fn daemon(directory: &Path) -> Child {
    let config = format!(
        "<busconfig><type>session</type><listen>{}</listen><auth>EXTERNAL</auth>\
         <policy context='default'><allow send_destination='*'/><allow eavesdrop='true'/>\
         <allow own='*'/></policy></busconfig>",
        address(directory)
    );
    let file = directory.join("bus.conf");
    std::fs::write(&file, config).expect("written");
    let mut daemon = Command::new("dbus-daemon")
        .arg(format!("--config-file={}", file.display()))
        .args(["--nofork", "--nopidfile", "--print-address"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("dbus-daemon, from the Debian package of this name");
    let output = daemon.stdout.take().expect("piped");
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).expect("its address");
    assert!(line.starts_with("unix:"), "{line}");
    daemon
}
