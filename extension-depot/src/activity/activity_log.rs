//! The log of what extensions did: one line a call, each with the hash of the line before.
//!
//! A second file, the head, holds how many lines there are and the hash of the last. Lines that
//! were changed, removed or put elsewhere before that are found. It does not protect against the
//! user's own processes, which can write the head as well as the log. Lines are not synced, so the
//! last ones can be lost with the power; the rest fits together.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use core_types::ActivityEvent;
use jiff::Timestamp;
use private_files::{
    HeldLock, LockFailure, Sharing, acquire, create_durable_directory, open_regular,
    open_to_append, open_to_change,
};

use crate::activity::activity_entry::{ActivityEntry, MAX_BYTES, first_line, hash, lines, parse};
use crate::activity::head::{Head, mend, read_head, write_head};
use crate::activity::walk::{ActivityFinding, Walk};

/// The rotated files beside the current one: with 4 MiB each they stay below 20 MiB.
const KEPT: u32 = 3;
/// The wait for another process that adds a line, which takes microseconds. A call does not hang
/// with a process that was stopped.
const LOCK_TIMEOUT: Duration = Duration::from_millis(250);
/// The activity log in a directory.
#[derive(Debug, Clone)]
pub struct ActivityLog {
    directory: PathBuf,
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
        let held = head_file.map(|file| self.wait_for(file, Sharing::Shared)).transpose()?;
        let Some(head) = held.as_deref().and_then(read_head) else {
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

    fn lock_head(&self) -> Result<HeldLock, ActivityError> {
        let path = self.head();
        let open = || match open_to_change(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create_durable_directory(&self.directory).and_then(|()| open_to_change(&path))
            }
            other => other,
        };
        let file = open().map_err(|source| ActivityError::Io { path: path.clone(), source })?;
        self.wait_for(file, Sharing::Exclusive)
    }

    fn wait_for(&self, head: File, sharing: Sharing) -> Result<HeldLock, ActivityError> {
        acquire(head, sharing, LOCK_TIMEOUT).map_err(|failure| match failure {
            LockFailure::Held => ActivityError::Busy { path: self.head() },
            failure => ActivityError::Io { path: self.head(), source: failure.into() },
        })
    }
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
