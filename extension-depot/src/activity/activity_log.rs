//! The log of what extensions did: one line a call, each with the hash of the line before.
//!
//! A second file, the head, holds how many lines there are and the hash of the last. Lines that
//! were changed, removed or put elsewhere before that are found. It does not protect against the
//! user's own processes, which can write the head as well as the log. Lines are not synced, so the
//! last ones can be lost with the power; the rest fits together.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use core_types::ActivityEvent;
use jiff::Timestamp;
use private_files::{
    LockFailure, Sharing, acquire, create_durable_directory, open_regular, open_to_append,
    open_to_change,
};
use serde::{Deserialize, Serialize};

use crate::oci::blob::digest_of;

/// The size from which on a file is rotated, in bytes: some ten thousand calls.
const MAX_BYTES: u64 = 4 << 20;
/// The most that is read of a file, in bytes: more than any ever has.
const MAX_FILE: u64 = 2 * MAX_BYTES;
/// The rotated files beside the current one: with 4 MiB each they stay below 20 MiB.
const KEPT: u32 = 3;
/// The wait for another process that adds a line, which takes microseconds. A call does not hang
/// with a process that was stopped.
const LOCK_TIMEOUT: Duration = Duration::from_millis(250);
/// The size of the head, which is written in place: its longest contents, and room to pad them to
/// one length.
const HEAD_BYTES: usize = 256;
/// What stands for the hash of the line before the first.
const NONE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The activity log in a directory.
#[derive(Debug, Clone)]
pub struct ActivityLog {
    directory: PathBuf,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityEntry {
    /// Its number, counted from 1 over all files.
    pub number: u64,
    /// The SHA-256 of the line before it, in hexadecimal digits.
    pub previous: String,
    /// When the call ended, as RFC 3339 in UTC.
    pub at: Timestamp,
    /// What of the log had to be mended before this line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mended: Option<String>,
    /// The call or the change.
    #[serde(flatten)]
    pub event: ActivityEvent,
}

/// Something that is not as it was written.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActivityFinding {
    /// The file.
    pub file: PathBuf,
    /// The line in it, counted from 1.
    pub line: usize,
    /// The problem.
    pub problem: String,
}

/// Why the log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ActivityError {
    /// Another process holds it and does not let go.
    #[error("another process holds the activity log `{}`", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("cannot use the activity log `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// How far the log goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    /// The number of the first line that is kept.
    first: u64,
    /// The number of the last line.
    count: u64,
    /// Its hash.
    hash: String,
    /// The size of the current file with it.
    end: u64,
}

impl Default for Head {
    fn default() -> Self {
        Self { first: 1, count: 0, hash: NONE.to_owned(), end: 0 }
    }
}

impl ActivityLog {
    /// Creates the log in this directory, which is made by the first line.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Adds a call. It takes a lock for as long as that takes, and waits for one at most a quarter
    /// of a second.
    ///
    /// # Errors
    /// When the line cannot be written. The call is not in the log then, and the caller should
    /// report that.
    pub fn append(&self, event: impl Into<ActivityEvent>) -> Result<(), ActivityError> {
        let head_file = self.lock_head()?;
        let appended = self.append_locked(&head_file, event.into());
        appended.map_err(|source| ActivityError::Io { path: self.current(), source })
    }

    fn append_locked(&self, head_file: &File, event: ActivityEvent) -> io::Result<()> {
        let mut head = read_head(head_file);
        let mut log = open_to_append(&self.current())?;
        let size = log.metadata()?.len();
        let mended = match &head {
            Some(head) if head.end == size => None,
            _ => mend(&mut head, &log, size)?,
        };
        let mut head = head.unwrap_or_default();
        let entry = ActivityEntry {
            number: head.count + 1,
            previous: head.hash.clone(),
            at: Timestamp::now(),
            mended,
            event,
        };
        let mut line = serde_json::to_vec(&entry)?;
        head.hash = hash(&line);
        line.push(b'\n');
        log.write_all(&line)?;
        head.count += 1;
        head.end = log.metadata()?.len();
        if head.end > MAX_BYTES {
            self.rotate(&mut head)?;
        }
        write_head(head_file, &head)
    }

    /// Puts the current file aside and forgets the oldest.
    fn rotate(&self, head: &mut Head) -> io::Result<()> {
        let oldest = self.aside(KEPT);
        if oldest.exists() {
            fs::remove_file(&oldest)?;
        }
        for number in (1..KEPT).rev() {
            match fs::rename(self.aside(number), self.aside(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(self.current(), self.aside(1))?;
        head.end = 0;
        let first = self.files().first().and_then(|path| first_line(path).ok());
        head.first =
            first.and_then(|line| parse(&line)).map_or(head.count + 1, |entry| entry.number);
        Ok(())
    }

    /// Returns every line that can be read, from the oldest on.
    pub fn entries(&self) -> Vec<ActivityEntry> {
        let lines = self.files().into_iter().flat_map(|path| lines(&path).unwrap_or_default());
        lines.filter_map(|line| parse(&line)).collect()
    }

    /// Reads everything up to the head and finds lines that were changed, removed or moved.
    ///
    /// # Errors
    /// When a file is there and cannot be read, or another process does not let go of the log.
    pub fn verify(&self) -> Result<Vec<ActivityFinding>, ActivityError> {
        let head_file = open_regular(&self.head()).ok().map(|(file, _)| file);
        // While it is held, no line is added.
        head_file.as_ref().map_or(Ok(()), |file| self.wait_for(file, Sharing::Shared))?;
        let Some(head) = head_file.as_ref().and_then(read_head) else {
            return Ok(self.files().first().map_or_else(Vec::new, |file| {
                vec![ActivityFinding {
                    file: file.clone(),
                    line: 1,
                    problem: "the head is missing".to_owned(),
                }]
            }));
        };
        let mut walk = Walk::from(&head);
        for file in self.files() {
            let lines =
                lines(&file).map_err(|source| ActivityError::Io { path: file.clone(), source })?;
            for (at, line) in lines.iter().enumerate() {
                walk.step(&file, at + 1, line);
            }
        }
        Ok(walk.finish(&head, &self.current()))
    }

    fn current(&self) -> PathBuf {
        self.directory.join("activity.jsonl")
    }

    fn aside(&self, number: u32) -> PathBuf {
        self.directory.join(format!("activity.{number}.jsonl"))
    }

    fn head(&self) -> PathBuf {
        self.directory.join("head.json")
    }

    /// Returns the files that there are, from the oldest on.
    fn files(&self) -> Vec<PathBuf> {
        let aside = (1..=KEPT).rev().map(|number| self.aside(number));
        aside.chain([self.current()]).filter(|path| path.exists()).collect()
    }

    fn lock_head(&self) -> Result<File, ActivityError> {
        let path = self.head();
        let open = || match open_to_change(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create_durable_directory(&self.directory).and_then(|()| open_to_change(&path))
            }
            other => other,
        };
        let file = open().map_err(|source| ActivityError::Io { path: path.clone(), source })?;
        self.wait_for(&file, Sharing::Exclusive)?;
        Ok(file)
    }

    fn wait_for(&self, head: &File, sharing: Sharing) -> Result<(), ActivityError> {
        acquire(head, sharing, LOCK_TIMEOUT).map_err(|failure| match failure {
            LockFailure::Held => ActivityError::Busy { path: self.head() },
            failure => ActivityError::Io { path: self.head(), source: failure.into() },
        })
    }
}

/// The findings so far of a walk over all lines in order.
struct Walk {
    last: Option<(u64, String)>,
    expected_first: u64,
    hash_at_head: Option<String>,
    count_at_head: u64,
    findings: Vec<ActivityFinding>,
}

impl From<&Head> for Walk {
    fn from(head: &Head) -> Self {
        Self {
            last: None,
            expected_first: head.first,
            hash_at_head: None,
            count_at_head: head.count,
            findings: Vec::new(),
        }
    }
}

impl Walk {
    fn step(&mut self, file: &Path, line: usize, bytes: &[u8]) {
        let is_covered = self.last.as_ref().is_none_or(|(number, _)| *number < self.count_at_head);
        let mut found = |problem: String| {
            self.findings.push(ActivityFinding { file: file.to_owned(), line, problem })
        };
        let Some(entry) = parse(bytes) else {
            // Behind the head, half a line is left by a killed process. The next call fixes it and
            // says so.
            if is_covered {
                found("not a line of the log".to_owned());
            }
            return;
        };
        match &self.last {
            None if entry.number != self.expected_first => {
                found(format!("line {} is missing", self.expected_first));
            }
            None if entry.number == 1 && entry.previous != NONE => {
                found("something stood before line 1".to_owned())
            }
            None => {}
            Some((number, _)) if entry.number != number + 1 => {
                found(format!("line {} follows line {number}", entry.number));
            }
            Some((number, hash)) if entry.previous != *hash => {
                found(format!("line {number} was changed"))
            }
            Some(_) => {}
        }
        let hash = hash(bytes);
        if entry.number == self.count_at_head {
            self.hash_at_head = Some(hash.clone());
        }
        self.last = Some((entry.number, hash));
    }

    fn finish(mut self, head: &Head, current: &Path) -> Vec<ActivityFinding> {
        let problem = match &self.hash_at_head {
            None if head.count > 0 => format!("line {} is missing at the end", head.count),
            Some(hash) if *hash != head.hash => format!("line {} was changed", head.count),
            _ => return self.findings,
        };
        self.findings.push(ActivityFinding { file: current.to_owned(), line: 0, problem });
        self.findings
    }
}

/// Brings the head and the end of the current file together: whole lines that a killed process did
/// not count are counted, half a line goes. Returns the changes that were needed.
fn mend(head: &mut Option<Head>, log: &File, size: u64) -> io::Result<Option<String>> {
    let known = head.take();
    let mended = match &known {
        None if size == 0 => None,
        None => Some("the head was missing".to_owned()),
        Some(known) if known.end > size => {
            Some(format!("{} bytes of the log were missing", known.end - size))
        }
        Some(_) => None,
    };
    let was_lost = known.is_none();
    let mut next = known.unwrap_or_default();
    let from = if was_lost { 0 } else { next.end.min(size) };
    // More than is ever written is nothing that was written by us.
    let mut rest = vec![0; usize::try_from((size - from).min(MAX_FILE)).unwrap_or_default()];
    log.read_exact_at(&mut rest, from)?;
    let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    for line in rest[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        next.hash = hash(line);
        next.count = parse(line).map_or(next.count + 1, |entry| entry.number);
        if was_lost && next.first == 1 {
            next.first = parse(line).map_or(1, |entry| entry.number);
        }
    }
    let end = from + whole as u64;
    if end < size {
        log.set_len(end)?;
    }
    *head = Some(next);
    let torn = (end < size).then(|| format!("{} bytes of a torn line were removed", size - end));
    Ok(mended.or(torn))
}

fn read_head(file: &File) -> Option<Head> {
    let mut bytes = [0; HEAD_BYTES];
    let size = file.read_at(&mut bytes, 0).ok()?;
    serde_json::from_slice(&bytes[..size]).ok()
}

/// One write in place, padded so that none is shorter than the one before.
fn write_head(file: &File, head: &Head) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(head)?;
    bytes.resize(HEAD_BYTES, b' ');
    file.write_all_at(&bytes, 0)
}

fn hash(line: &[u8]) -> String {
    digest_of(line).hex()
}

fn parse(line: &[u8]) -> Option<ActivityEntry> {
    serde_json::from_slice(line).ok()
}

fn lines(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    BufReader::new(open_regular(path)?.0.take(MAX_FILE)).split(b'\n').collect()
}

fn first_line(path: &Path) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(open_regular(path)?.0.take(MAX_FILE)).read_until(b'\n', &mut line)?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core_types::{CallOutcome, CallRecord, Owner};

    fn log() -> (tempfile::TempDir, ActivityLog) {
        let directory = tempfile::tempdir().expect("a directory");
        let log = ActivityLog::new(directory.path().join("activity"));
        (directory, log)
    }

    fn call(function: &str) -> CallRecord {
        CallRecord::of(&Owner::default(), function, CallOutcome::Returned)
    }

    fn fill(log: &ActivityLog, lines: usize) {
        for at in 0..lines {
            log.append(call(&at.to_string())).expect("written");
        }
    }

    fn problems(log: &ActivityLog) -> Vec<String> {
        log.verify().expect("readable").into_iter().map(|finding| finding.problem).collect()
    }

    /// Any change, removal or reordering is found.
    #[test]
    fn any_tampering_is_found() {
        let (_directory, log) = log();
        assert_eq!(problems(&log), [""; 0]);
        fill(&log, 5);
        assert_eq!(problems(&log), [""; 0]);
        let text = fs::read_to_string(log.current()).expect("there");
        let lines: Vec<_> = text.lines().collect();
        let damaged = |what: &[&str]| {
            fs::write(
                log.current(),
                what.iter().map(|line| format!("{line}\n")).collect::<String>(),
            )
            .expect("written");
            let found = problems(&log);
            fs::write(log.current(), &text).expect("written");
            found
        };
        for at in 0..5 {
            let mut changed: Vec<_> = lines.clone();
            let other = lines[at].replace("returned", "crashed");
            changed[at] = &other;
            assert!(!damaged(&changed).is_empty(), "line {at} changed");
            let mut removed = lines.clone();
            removed.remove(at);
            assert!(!damaged(&removed).is_empty(), "line {at} removed");
            let mut swapped = lines.clone();
            swapped.swap(at, (at + 1) % 5);
            assert!(!damaged(&swapped).is_empty(), "line {at} moved");
        }
        assert!(!damaged(&[]).is_empty(), "everything removed");
        fs::remove_file(log.head()).expect("removed");
        assert_eq!(problems(&log), ["the head is missing"]);
    }

    #[test]
    fn torn_line_is_fixed_and_noted() {
        let (_directory, log) = log();
        fill(&log, 2);
        let mut file = fs::OpenOptions::new().append(true).open(log.current()).expect("there");
        file.write_all(b"{\"number\":3,\"prev").expect("written");
        assert_eq!(problems(&log), [""; 0], "nobody changed what was written");
        fill(&log, 1);
        let entries = log.entries();
        assert_eq!(entries.len(), 3);
        assert_eq!(entries[2].mended.as_deref(), Some("17 bytes of a torn line were removed"));
        assert_eq!(problems(&log), [""; 0]);
    }

    /// A line that was not counted is counted by the next.
    #[test]
    fn uncounted_line_is_counted_later() {
        let (_directory, log) = log();
        fill(&log, 2);
        let head = fs::read(log.head()).expect("there");
        fill(&log, 1);
        fs::write(log.head(), head).expect("as if killed between line and head");
        assert_eq!(problems(&log), [""; 0]);
        fill(&log, 1);
        assert_eq!((log.entries().len(), problems(&log)), (4, Vec::new()));
    }

    #[test]
    fn cut_lines_stay_visible() {
        let (_directory, log) = log();
        fill(&log, 4);
        let text = fs::read_to_string(log.current()).expect("there");
        let half: String = text.lines().take(2).map(|line| format!("{line}\n")).collect();
        fs::write(log.current(), half).expect("written");
        fill(&log, 1);
        assert_eq!(problems(&log), ["line 5 follows line 2"]);
    }

    #[test]
    fn rotated_log_is_verified() {
        let (_directory, log) = log();
        let long = CallRecord { reason: Some("x".repeat(1 << 20)), ..call("long") };
        for _ in 0..22 {
            log.append(long.clone()).expect("written");
        }
        assert_eq!(log.files().len(), 4);
        assert_eq!(problems(&log), [""; 0]);
        assert!(log.entries()[0].number > 1);
        fs::remove_file(log.aside(KEPT)).expect("removed");
        assert_eq!(problems(&log).len(), 1);
    }

    #[test]
    fn many_at_once_make_one_chain() {
        let (_directory, log) = log();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| fill(&log, 25));
            }
        });
        assert_eq!((log.entries().len(), problems(&log)), (100, Vec::new()));
    }

    #[test]
    fn held_log_times_out() {
        let (_directory, log) = log();
        fill(&log, 1);
        let held = File::open(log.head()).expect("there");
        held.lock().expect("locked");
        assert!(matches!(log.append(call("x")), Err(ActivityError::Busy { .. })));
    }
}
