//! The time since the bytes behind a tag were first seen on this machine. Publishers cannot set it.

use std::collections::BTreeMap;
use std::time::Duration;

use core_types::{Digest, OciReference};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::files::state_file::{self, StateFile, StateFileError};
use crate::oci::blob::digest_of;
use crate::store::locked_depot::LockedDepot;

/// The tags of one repository.
#[derive(Debug, Serialize, Deserialize)]
struct FirstSeen {
    repository: String,
    tags: BTreeMap<String, Seen>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    digest: Digest,
    since: Timestamp,
}

impl StateFile for FirstSeen {
    const FORMAT: u32 = 1;
}

impl LockedDepot<'_> {
    /// For how long it has been known that this tag leads to these bytes: no time at all when that
    /// is news, which is noted. A tag that leads to other bytes than before is news. A clock that
    /// was set back makes it no time as well.
    ///
    /// # Errors
    /// When the first sight of the tag cannot be read or written.
    pub fn time_since_first_seen(&self, pinned: &OciReference) -> Result<Duration, StateFileError> {
        let Some(digest) = pinned.pinned_digest().ok().flatten() else { return Ok(Duration::ZERO) };
        let repository = pinned.identity().to_string();
        let path = self.places().first_seen(&digest_of(repository.as_bytes()));
        let before = state_file::read::<FirstSeen>(&path)?;
        let mut all = before.unwrap_or(FirstSeen { repository, tags: BTreeMap::new() });
        let now = Timestamp::now();
        if let Some(seen) = all.tags.get(pinned.revision()).filter(|seen| seen.digest == digest) {
            return Ok(Duration::try_from(now.duration_since(seen.since)).unwrap_or_default());
        }
        all.tags.insert(pinned.revision().to_owned(), Seen { digest, since: now });
        state_file::write(&path, &all)?;
        Ok(Duration::ZERO)
    }
}
