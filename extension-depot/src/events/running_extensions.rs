//! The extensions that the session service runs at this moment.

use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use core_types::ExtensionName;
use private_files::{
    HeldLock, Sharing, acquire, create_durable_directory, open_to_change, remove_leftovers,
};

/// The length of a line with its end, in bytes.
const LINE: usize = ExtensionName::MAX_LENGTH + 1;
/// The most lines that are read: many more extensions than run at the same time.
const MAX_LINES: usize = 1_000;

/// The extensions that the session service runs, in a file that outlives it: after a crash the next
/// service knows whose code ran.
///
/// It is `~/.local/state/pds/extensions/events/running`: lines of one length, first the start of the
/// machine, then an extension or nothing. A line is written in place, which costs a fraction of a
/// call. Nothing is synced, since the end of the machine is not a crash of the service. By default
/// nothing is recorded.
///
/// ```
/// use core_types::BootTime;
/// use extension_depot::{Depot, Places};
/// # let directory = tempfile::tempdir()?;
/// # let root = directory.path();
///
/// let depot = Depot::new(Places::below(root));
/// let begun = depot.begin_running("this start", BootTime::default());
/// assert!(begun.quarantined.is_empty());
/// let answer = begun.running.track(&"weather".parse()?, || 42);
/// assert_eq!(answer, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct RunningExtensions {
    /// Locked, so that no other service takes what runs here for a crash. Without a file nothing is
    /// recorded.
    file: Option<HeldLock>,
    /// Which lines are in use.
    lines: Mutex<Vec<bool>>,
    has_ended: AtomicBool,
}

/// The record of the service before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PreviousRun {
    /// The start of the machine.
    pub boot: String,
    /// The extensions that ran, each once.
    pub names: Vec<ExtensionName>,
}

impl RunningExtensions {
    /// Begins an empty record, and returns the one before.
    pub(super) fn begin(path: &Path, boot: &str) -> io::Result<(Self, PreviousRun)> {
        if let Some(directory) = path.parent() {
            create_durable_directory(directory)?;
        }
        let file = acquire(open_to_change(path)?, Sharing::Exclusive, Duration::ZERO)?;
        // Only the service makes files here, and a killed one cannot remove them.
        path.parent().map(remove_leftovers);
        let mut bytes = vec![0; LINE * MAX_LINES];
        let read = file.read_at(&mut bytes, 0)?;
        let previous = PreviousRun::parse(&bytes[..read]);
        file.set_len(0)?;
        file.write_all_at(&line(boot), 0)?;
        Ok((Self { file: Some(file), ..Self::default() }, previous))
    }

    /// Runs a function with an extension recorded as running.
    pub fn track<T>(&self, name: &ExtensionName, run: impl FnOnce() -> T) -> T {
        let _running = self.enter(name);
        run()
    }

    /// Records a clean end of the service. What still runs then does not crash it, and the next service
    /// can begin its record.
    pub fn end(&self) {
        self.has_ended.store(true, Ordering::Release);
        if let Some(file) = &self.file {
            // A file that stays counts as a crash, of which one or two mean nothing.
            let _ = file.set_len(0).and_then(|()| file.unlock());
        }
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
        let file = self.file.as_ref().filter(|_| !self.has_ended.load(Ordering::Acquire));
        let at = (number + 1) * LINE;
        let _ = file.map(|file| file.write_all_at(&line(text), at as u64));
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

impl PreviousRun {
    /// Parses the bytes of the file. Those that are no line of it mean nothing.
    fn parse(bytes: &[u8]) -> Self {
        let whole = bytes.chunks_exact(LINE).filter_map(|line| line.strip_suffix(b"\n"));
        let mut lines = whole.map(String::from_utf8_lossy);
        let boot = lines.next().unwrap_or_default().trim_end().to_owned();
        let mut names: Vec<ExtensionName> =
            lines.filter_map(|line| line.trim_end().parse().ok()).collect();
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

    fn name(name: &str) -> ExtensionName {
        name.parse().expect(name)
    }

    /// The extensions that ran at a crash are found, and none after a clean end.
    #[test]
    fn crash_leaves_what_ran() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("events").join("running");
        let (running, previous) = RunningExtensions::begin(&path, "boot").expect("begun");
        assert_eq!(previous, PreviousRun::default());
        let left = || PreviousRun::parse(&std::fs::read(&path).expect("read")).names;
        let long = name(&"n".repeat(64));
        running.track(&name("weather"), || {
            running.track(&long, || {
                running.track(&name("weather"), || {
                    assert_eq!(left(), [long.clone(), name("weather")])
                });
            });
            assert_eq!(left(), [name("weather")]);
            running.track(&name("a"), || assert_eq!(left(), [name("a"), name("weather")]));
            assert!(RunningExtensions::begin(&path, "boot").is_err(), "another service has it");
        });
        assert_eq!(left(), []);
        running.track(&name("weather"), || running.end());
        assert_eq!(std::fs::read(&path).expect("read"), b"");
        // As after a crash: nothing was ended.
        let (running, _) = RunningExtensions::begin(&path, "boot").expect("begun");
        let (_, previous) = running.track(&name("b"), || {
            let copy = path.with_file_name("copy");
            std::fs::copy(&path, &copy).expect("copied");
            RunningExtensions::begin(&copy, "next").expect("begun")
        });
        assert_eq!(previous, PreviousRun { boot: "boot".to_owned(), names: vec![name("b")] });
    }

    /// Bytes of others, and a hole before a line, are no extension.
    #[test]
    fn damaged_file_says_nothing() {
        for bytes in [&b""[..], b"\xff\xfe", b"boot\n../x\n\0\nA\n", &[b'a'; 70_000]] {
            assert_eq!(PreviousRun::parse(bytes).names, []);
        }
        let hole = [line("boot"), vec![0; LINE], line("weather")].concat();
        assert_eq!(PreviousRun::parse(&hole).names, [name("weather")]);
    }
}
