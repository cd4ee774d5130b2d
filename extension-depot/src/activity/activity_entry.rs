//! The lines of the activity log.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use core_types::ActivityEvent;
use jiff::Timestamp;
use private_files::open_regular;
use serde::{Deserialize, Serialize};

use crate::oci::blob::digest_of;

/// The size from which on a file is rotated, in bytes: some ten thousand calls.
pub(crate) const MAX_BYTES: u64 = 4 << 20;
/// The most that is read of a file, in bytes: more than any ever has.
pub(crate) const MAX_FILE: u64 = 2 * MAX_BYTES;
/// What stands for the hash of the line before the first.
pub(crate) const NONE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityEntry {
    /// Its number, counted from 1 over all files.
    pub number: u64,
    /// The SHA-256 of the line before it, in hexadecimal digits.
    pub previous: String,
    /// When the call ended, as RFC 3339 in UTC.
    pub at: Timestamp,
    /// The repair of the log before this line, if it needed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mended: Option<String>,
    /// The call or the change.
    #[serde(flatten)]
    pub event: ActivityEvent,
}

/// Returns the hash of a line, which the next one has in it.
pub(crate) fn hash(line: &[u8]) -> String {
    digest_of(line).hex()
}

/// Parses a line; nothing where it is not one of the log.
pub(crate) fn parse(line: &[u8]) -> Option<ActivityEntry> {
    serde_json::from_slice(line).ok()
}

/// Reads the lines of a file.
pub(crate) fn lines(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    BufReader::new(open_regular(path)?.0.take(MAX_FILE)).split(b'\n').collect()
}

/// Reads the first line of a file.
pub(crate) fn first_line(path: &Path) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(open_regular(path)?.0.take(MAX_FILE)).read_until(b'\n', &mut line)?;
    Ok(line)
}
