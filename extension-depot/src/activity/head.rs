//! The head of the activity log: how far it goes, and the hash of its last line.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use serde::{Deserialize, Serialize};

use crate::activity::activity_entry::{MAX_FILE, NONE, hash, parse};

/// The size of the head, which is written in place: its longest contents, and room to pad them to
/// one length.
const HEAD_BYTES: usize = 256;

/// How far the log goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The number of the first line that is kept.
    pub(crate) first: u64,
    /// The number of the last line.
    pub(crate) count: u64,
    /// Its hash.
    pub(crate) hash: String,
    /// The size of the current file with it.
    pub(crate) end: u64,
}

impl Default for Head {
    fn default() -> Self {
        Self { first: 1, count: 0, hash: NONE.to_owned(), end: 0 }
    }
}

/// Brings the head and the end of the current file together: whole lines that a killed process did
/// not count are counted, half a line goes. Returns the changes that were needed.
pub(crate) fn mend(head: &mut Option<Head>, log: &File, size: u64) -> io::Result<Option<String>> {
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

/// Reads the head; nothing where it is missing or damaged.
pub(crate) fn read_head(file: &File) -> Option<Head> {
    let mut bytes = [0; HEAD_BYTES];
    let size = file.read_at(&mut bytes, 0).ok()?;
    serde_json::from_slice(&bytes[..size]).ok()
}

/// Writes the head in place at once, padded so that none is shorter than the one before.
pub(crate) fn write_head(file: &File, head: &Head) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(head)?;
    bytes.resize(HEAD_BYTES, b' ');
    file.write_all_at(&bytes, 0)
}
