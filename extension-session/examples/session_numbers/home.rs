//! A temporary home, and the session service in it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use core_types::BUS_NAME;
use tempfile::TempDir;
use zbus::blocking::Connection;
use zbus::blocking::fdo::DBusProxy;

use crate::Result;

/// Longer than any start takes.
const LONG: Duration = Duration::from_secs(30);

pub struct Home {
    directory: TempDir,
    sesame: PathBuf,
}

impl Home {
    pub fn new(sesame: &str) -> Result<Self> {
        Ok(Self { directory: tempfile::tempdir()?, sesame: sesame.into() })
    }

    /// Returns a command of sesame for this home. The session bus is its system bus as well.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.sesame);
        let bus = std::env::var_os("DBUS_SESSION_BUS_ADDRESS").unwrap_or_default();
        command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).env_clear();
        command.env("HOME", self.directory.path()).env("XDG_RUNTIME_DIR", self.directory.path());
        command.env("DBUS_SESSION_BUS_ADDRESS", &bus).env("DBUS_SYSTEM_BUS_ADDRESS", &bus);
        command
    }

    pub fn run(&self, words: &[&str]) -> Result<()> {
        done(&mut self.command(words))
    }

    /// Writes a file into the home, and returns its path.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<String> {
        let path = self.directory.path().join(name);
        std::fs::write(&path, bytes)?;
        Ok(path.display().to_string())
    }

    /// Installs a component with all that it requests, and with these lines in its manifest. Without a
    /// bus, no service of the machine is started by it.
    pub fn install(&self, component: &str, name: &str, lines: &[String]) -> Result<()> {
        let install = ["--quiet", "extension", "install", component, "--name", name];
        let mut install = self.command(&[&install[..], &["--grant-requested"]].concat());
        done(install.env_remove("DBUS_SESSION_BUS_ADDRESS"))?;
        let manifest =
            self.directory.path().join(".config/pds/extensions").join(format!("{name}.toml"));
        let text = std::fs::read_to_string(&manifest)?;
        Ok(std::fs::write(&manifest, text + "\n" + &lines.join("\n") + "\n")?)
    }

    /// Returns how many events were delivered so far, by the activity log.
    pub fn deliveries(&self) -> Result<usize> {
        let log = ".local/state/pds/extensions/activity/activity.jsonl";
        let log = std::fs::read_to_string(self.directory.path().join(log))?;
        Ok(log.matches("\"cause\":\"event:").count())
    }

    /// Starts the service, and returns it with the time until it owned its name.
    pub fn start(&self, connection: &Connection) -> Result<(Service<'_>, Duration)> {
        let bus = DBusProxy::new(connection)?;
        let begun = Instant::now();
        let service =
            Service { home: self, child: self.command(&["--quiet", "session", "run"]).spawn()? };
        while !bus.name_has_owner(BUS_NAME.try_into()?)? {
            if begun.elapsed() > LONG {
                return Err("the service does not start".into());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        Ok((service, begun.elapsed()))
    }
}

fn done(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    status.success().then_some(()).ok_or_else(|| format!("{command:?}: {status}").into())
}

/// The running service. It ends with this.
pub struct Service<'a> {
    home: &'a Home,
    child: Child,
}

impl Service<'_> {
    /// Returns the resident memory in MiB.
    pub fn memory(&self) -> Result<f64> {
        Ok(self.status("", "VmRSS:")? / 1024.0)
    }

    /// Returns how often any of its threads has slept and woken.
    pub fn wakings(&self) -> Result<f64> {
        let mut sum = 0.0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let task = format!("/task/{}", task?.file_name().to_string_lossy());
            sum += self.status(&task, "voluntary_ctxt_switches:")?;
        }
        Ok(sum)
    }

    /// Returns a number of a `status` file in /proc.
    fn status(&self, task: &str, name: &str) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}{task}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.ok_or_else(|| format!("no {name}"))?.parse()?)
    }

    /// Returns the processor time of all its threads so far, in seconds.
    pub fn processor_seconds(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name of the program, in brackets, can have spaces.
        let fields: Vec<_> =
            stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks / 100.0)
    }
}

impl Drop for Service<'_> {
    fn drop(&mut self) {
        if self.home.run(&["--quiet", "session", "stop"]).is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
