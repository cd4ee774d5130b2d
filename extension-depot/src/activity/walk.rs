//! A walk over the lines of the activity log, which finds what is not as it was written.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::activity::activity_entry::{NONE, hash, parse};
use crate::activity::head::Head;

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

/// The findings so far of a walk over all lines in order.
pub(crate) struct Walk {
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
    /// Takes the next line.
    pub(crate) fn step(&mut self, file: &Path, line: usize, bytes: &[u8]) {
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

    /// Returns everything that was found, the end of the log included.
    pub(crate) fn finish(mut self, head: &Head, current: &Path) -> Vec<ActivityFinding> {
        let problem = match &self.hash_at_head {
            None if head.count > 0 => format!("line {} is missing at the end", head.count),
            Some(hash) if *hash != head.hash => format!("line {} was changed", head.count),
            _ => return self.findings,
        };
        self.findings.push(ActivityFinding { file: current.to_owned(), line: 0, problem });
        self.findings
    }
}
