//! The extensions that the session service runs at this moment.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use core_types::ExtensionName;
use private_files::{
    create_durable_directory, open_to_change, read_private_text, remove_leftovers,
};

/// The length of a line with its end, in bytes.
const LINE: usize = ExtensionName::MAX_LENGTH + 1;
/// The most that is read: many more extensions than run at the same time.
const MAX_SIZE: u64 = 64 << 10;

/// The extensions that the session service runs, in a file that outlives it: after a crash the next
/// service knows whose code ran.
///
/// It is `~/.local/state/pds/extensions/events/running`: lines of one length, first the start of the
/// machine, then an extension or nothing. A line is written in place, which costs a fraction of a
/// call. Nothing is synced, since the end of the machine is not a crash of the service.
///
/// ```
/// use core_types::BootTime;
/// use extension_depot::{Depot, Places};
/// # let directory = tempfile::tempdir()?;
/// # let root = directory.path();
///
/// let depot = Depot::new(Places::below(root));
/// let (running, put_aside) = depot.begin_running("this start", BootTime::default())?;
/// assert!(put_aside.is_empty());
/// let answer = running.during(&"weather".parse()?, || 42);
/// assert_eq!(answer, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RunningExtensions {
    file: File,
    /// Which lines are in use.
    lines: Mutex<Vec<bool>>,
}

/// What a service left when it ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LeftBehind {
    /// The start of the machine.
    pub boot: String,
    /// The extensions that ran, each once.
    pub names: Vec<ExtensionName>,
}

impl RunningExtensions {
    /// Begins a file in which nothing runs.
    pub(super) fn begin(path: &Path, boot: &str) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            create_durable_directory(directory)?;
            // Only the service makes files here, and a killed one cannot remove them.
            remove_leftovers(directory);
        }
        let file = open_to_change(path)?;
        file.set_len(0)?;
        file.write_all_at(&line(boot), 0)?;
        Ok(Self { file, lines: Mutex::default() })
    }

    /// Does something while an extension counts as running.
    pub fn during<T>(&self, name: &ExtensionName, run: impl FnOnce() -> T) -> T {
        let _running = self.enter(name);
        run()
    }

    /// Says that the service ends as it was told to. What still runs then did not crash it.
    pub fn end(&self) {
        // A file that stays counts as a crash, of which one or two mean nothing.
        let _ = self.file.set_len(0);
    }

    fn enter(&self, name: &ExtensionName) -> Entered<'_> {
        let mut lines = self.lines();
        let number = lines.iter().position(|in_use| !in_use).unwrap_or(lines.len());
        match lines.get_mut(number) {
            Some(in_use) => *in_use = true,
            None => lines.push(true),
        }
        drop(lines);
        self.write(number, name.as_str());
        Entered { running: self, number }
    }

    /// Writes a line. Where that fails a crash is not counted, and the call is made all the same.
    fn write(&self, number: usize, text: &str) {
        let at = (number + 1) * LINE;
        let _ = self.file.write_all_at(&line(text), at as u64);
    }

    /// A panic of another thread leaves whole entries.
    fn lines(&self) -> MutexGuard<'_, Vec<bool>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line in use, until it is dropped.
struct Entered<'a> {
    running: &'a RunningExtensions,
    number: usize,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.running.write(self.number, "");
        if let Some(in_use) = self.running.lines().get_mut(self.number) {
            *in_use = false;
        }
    }
}

impl LeftBehind {
    /// Reads what is there. A file that cannot be read or understood says nothing.
    pub(super) fn at(path: &Path) -> Self {
        let text = read_private_text(path, MAX_SIZE).unwrap_or_default();
        let mut lines = text.lines().map(str::trim_end);
        let boot = lines.next().unwrap_or_default().to_owned();
        let mut names: Vec<ExtensionName> = lines.filter_map(|line| line.parse().ok()).collect();
        names.sort();
        names.dedup();
        Self { boot, names }
    }
}

/// Returns a text as a line. All lines have the same length, so that each is written in its place.
fn line(text: &str) -> Vec<u8> {
    let width = ExtensionName::MAX_LENGTH;
    format!("{text:<width$.width$}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever ran when the service crashed is found, and nothing after an end in good order.
    #[test]
    fn crash_leaves_what_ran() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("events").join("running");
        let name = |name: &str| name.parse::<ExtensionName>().expect(name);
        let running = RunningExtensions::begin(&path, "boot").expect("begun");
        let left = || LeftBehind::at(&path).names;
        running.during(&name("weather"), || {
            running.during(&name(&"n".repeat(64)), || {
                running.during(&name("weather"), || {
                    assert_eq!(left(), [name(&"n".repeat(64)), name("weather")]);
                });
            });
            assert_eq!(left(), [name("weather")]);
            running.during(&name("a"), || assert_eq!(left(), [name("a"), name("weather")]));
        });
        assert_eq!(
            LeftBehind::at(&path),
            LeftBehind { boot: "boot".to_owned(), names: Vec::new() }
        );
        running.during(&name("weather"), || running.end());
        assert_eq!(left(), []);
    }

    /// Bytes of others are no extension.
    #[test]
    fn damaged_file_says_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("running");
        for bytes in [&b""[..], b"\xff\xfe", b"boot\n../x\n\0\nA\n", &[b'a'; 70_000]] {
            std::fs::write(&path, bytes).expect("written");
            assert_eq!(LeftBehind::at(&path).names, []);
        }
    }
}
