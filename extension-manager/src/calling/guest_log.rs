//! The log of a guest: its output and messages, call by call.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use core_types::ExtensionName;
use extension_depot::FindError;
use extension_host::CallReport;
use private_files::{create_directory, open_to_append, read_regular};

use crate::manager::Manager;

/// A larger log becomes the old one, and a new one is begun. Two of them hold a thousand calls with
/// the most output that a call may have: more than a person reads, and little beside the artifacts.
const MAX_SIZE: u64 = 4 << 20;

/// Why the log of a guest cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum GuestLogError {
    /// The extension does not exist.
    #[error(transparent)]
    Extension(#[from] FindError),
    /// The log cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The log.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Manager {
    /// The last lines that an extension printed, or fewer when there are not as many. They are a
    /// stranger's text: escape them before a terminal sees them.
    ///
    /// # Errors
    /// When the extension does not exist, or its log cannot be read.
    pub fn guest_log(&self, name: &ExtensionName, lines: usize) -> Result<Vec<u8>, GuestLogError> {
        self.depot().existing_manifest(name)?;
        let path = self.depot().places().log(name);
        let mut text = Vec::new();
        for path in [old(&path), path] {
            match read_regular(&path, 2 * MAX_SIZE) {
                Ok(bytes) => text.extend(bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(GuestLogError::Read { path, source }),
            }
        }
        Ok(last_lines(&text, lines))
    }
}

/// Returns the path of the old log.
fn old(path: &Path) -> PathBuf {
    path.with_extension("log.old")
}

fn last_lines(text: &[u8], lines: usize) -> Vec<u8> {
    let all: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').collect();
    all[all.len().saturating_sub(lines)..].concat()
}

/// Adds the output of a call and its failure, if there are any.
pub(crate) fn append<T>(path: &Path, function: &str, report: &CallReport<T>) -> io::Result<()> {
    let failed = report.outcome.as_ref().err().filter(|_| !report.usage.elapsed.is_zero());
    if report.output.is_empty() && failed.is_none() {
        return Ok(());
    }
    write(path, entry(now(), function, &report.output, failed.map(ToString::to_string)).as_bytes())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Formats each line with the time and the function, so that the output of a guest does not look
/// like another entry.
fn entry(seconds: u64, function: &str, output: &[u8], failure: Option<String>) -> String {
    let function = function.escape_debug();
    let output = String::from_utf8_lossy(output);
    let lines =
        output.lines().map(str::to_owned).chain(failure.map(|failure| format!("({failure})")));
    lines.map(|line| format!("{seconds} {function}: {line}\n")).collect()
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        create_directory(directory)?;
    }
    let mut log = open_to_append(path)?;
    if log.metadata()?.len() > MAX_SIZE {
        fs::rename(path, old(path))?;
        log = open_to_append(path)?;
    }
    log.write_all(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of a guest cannot pretend to be an entry of another function.
    #[test]
    fn each_line_names_its_call() {
        let text = entry(7, "greet\n8 other", b"one\n9 other: two", Some("it crashed".to_owned()));
        assert_eq!(
            text,
            "7 greet\\n8 other: one\n7 greet\\n8 other: 9 other: two\n7 greet\\n8 other: (it crashed)\n"
        );
    }

    #[test]
    fn last_lines_are_the_newest() {
        assert_eq!(last_lines(b"one\ntwo\nthree\n", 2), b"two\nthree\n");
        assert_eq!(last_lines(b"one\n", 5), b"one\n");
        assert_eq!(last_lines(b"", 5), b"");
    }

    #[test]
    fn full_log_becomes_the_old_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("logs/one.log");
        write(&path, &vec![b'x'; usize::try_from(MAX_SIZE).expect("a size") + 1]).expect("written");
        write(&path, b"new\n").expect("written");
        assert_eq!(fs::read(&path).expect("a log"), b"new\n");
        assert_eq!(fs::metadata(old(&path)).expect("the old log").len(), MAX_SIZE + 1);
    }

    #[test]
    fn link_in_its_place_is_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let (path, other) = (directory.path().join("one.log"), directory.path().join("other"));
        fs::write(&other, "mine").expect("written");
        std::os::unix::fs::symlink(&other, &path).expect("a link");
        write(&path, b"new\n").expect_err("a link leads nowhere");
        assert_eq!(fs::read(&other).expect("a file"), b"mine");
    }
}
