//! The lists that `sync` followed: their extensions, which it may remove again, and their pins.
//!
//! Only extensions and grants of a list are removed on its behalf, so provenance is written last: a
//! process that is killed before that leaves an extension that counts as its user's own.

use std::collections::BTreeMap;
use std::path::PathBuf;

use core_types::{ExtensionName, Grant, Identity, OciReference};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::files::state_file::{self, StateFile, StateFileError};
use crate::files::stored_file::{self, StoredFileError};
use crate::manifest::manifest_file::ManifestError;
use crate::oci::blob::digest_of;
use crate::store::depot::Depot;
use crate::store::locked_depot::LockedDepot;
use crate::store::remove::{RemoveError, Removed};
use crate::trust::signer_pin::Evidence;

/// A list that `sync` followed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowedList {
    /// The list: the repository that it is published in, or its file.
    pub list: String,
    /// What each tag of it led to when it was followed last.
    pub pins: BTreeMap<String, OciReference>,
    /// The extensions that came from it.
    pub extensions: BTreeMap<ExtensionName, FromList>,
    /// When it was followed last.
    pub followed_at: Timestamp,
}

/// An extension that came from a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromList {
    /// Where it comes from. An extension of this name from elsewhere is another one.
    pub identity: Identity,
    /// The grants that the list asked for. The rest in its manifest is its user's.
    #[serde(default)]
    pub given: Vec<GivenByList>,
}

/// A permission that an extension has because a list asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenByList {
    /// The permission.
    pub grant: Grant,
    /// Whether policy approved it, so that it goes when policy approves it no longer.
    pub preapproved: bool,
}

impl StateFile for FollowedList {
    const FORMAT: u32 = 1;
}

impl FromList {
    /// Creates an extension that was given nothing by a list yet.
    pub fn of(identity: &Identity) -> Self {
        Self { identity: identity.clone(), given: Vec::new() }
    }

    /// Returns whether this came from the list, and is not another extension of the same name.
    pub fn is(&self, reference: &OciReference) -> bool {
        self.identity == reference.identity()
    }

    /// Returns whether it was given this by the list, whatever became of it.
    pub fn was_given(&self, grant: &Grant) -> bool {
        self.given.iter().any(|given| given.grant == *grant)
    }
}

/// The result for an extension that is not on its list any more.
#[derive(Debug, PartialEq, Eq)]
pub enum Pruned {
    /// It is gone.
    Removed(Removed),
    /// It stays: another list has it, or it did not come from this list.
    Kept,
}

/// Why it is not known whether an extension is to be removed, or it is not removed.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// A list cannot be read, so its extensions are not known.
    #[error(transparent)]
    Lists(#[from] StoredFileError),
    /// The manifest cannot be used, so its owner is not known.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The extension cannot be removed.
    #[error(transparent)]
    Remove(#[from] RemoveError),
}

impl Depot {
    /// Returns the state of a list, or nothing when it was never followed.
    ///
    /// # Errors
    /// When it cannot be read, so that its extensions are not known.
    pub fn followed_list(&self, list: &str) -> Result<Option<FollowedList>, StateFileError> {
        state_file::read(&self.followed_list_path(list))
    }

    /// Returns every list that was followed.
    ///
    /// # Errors
    /// When one of them, or their directory, cannot be read.
    pub fn followed_lists(&self) -> Result<Vec<FollowedList>, StoredFileError> {
        stored_file::read_all(&self.places().followed_lists())
    }

    fn followed_list_path(&self, list: &str) -> PathBuf {
        self.places().followed_list(&digest_of(list.as_bytes()))
    }
}

impl LockedDepot<'_> {
    /// Notes the pin of a list, and its signer where that was checked. `note` gets the current
    /// state.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn note_followed_list(
        &self,
        list: &str,
        signed: Option<(&OciReference, &Evidence)>,
        note: impl FnOnce(&mut FollowedList),
    ) -> Result<(), StateFileError> {
        signed.map_or(Ok(()), |(reference, found)| self.note_first_use(reference, found))?;
        let known = self.followed_list(list)?.unwrap_or_default();
        let mut followed = FollowedList { list: list.to_owned(), ..known.clone() };
        note(&mut followed);
        if followed == known {
            return Ok(());
        }
        followed.followed_at = state_file::now();
        state_file::write(&self.followed_list_path(list), &followed)
    }

    /// Removes an extension that is not on its list any more, as [`LockedDepot::remove`] does, if it came
    /// from this list and no other has it. All of that is looked at under the lock.
    ///
    /// # Errors
    /// When its manifest or the state of lists cannot be read, or something cannot be removed.
    pub fn prune(&self, list: &str, name: &ExtensionName) -> Result<Pruned, PruneError> {
        let all = self.followed_lists()?;
        let from = |followed: &FollowedList| followed.extensions.get(name).cloned();
        let Some(known) = all.iter().find(|followed| followed.list == list).and_then(from) else {
            return Ok(Pruned::Kept);
        };
        let reference = self.manifest(name)?.and_then(|loaded| loaded.manifest.extension.oci);
        let is_other = reference.is_some_and(|reference| !known.is(&reference));
        if is_other
            || all
                .iter()
                .any(|followed| followed.list != list && followed.extensions.contains_key(name))
        {
            return Ok(Pruned::Kept);
        }
        Ok(Pruned::Removed(self.remove(name, false)?))
    }

    /// Forgets that an extension came from a list. A list of which nothing can be read says so when
    /// it is followed.
    pub(crate) fn forget_lists_of(&self, name: &ExtensionName) -> Result<(), StoredFileError> {
        for path in stored_file::state_files_in(&self.places().followed_lists())? {
            let Ok(Some(mut followed)) = state_file::read::<FollowedList>(&path) else { continue };
            if followed.extensions.remove(name).is_some() {
                state_file::write(&path, &followed)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::places::Places;

    const LIST: &str = "r.io/org/set";
    const OTHER: &str = "r.io/org/more";

    fn name() -> ExtensionName {
        "x".parse().expect("a name")
    }

    fn reference(path: &str) -> OciReference {
        format!("r.io/{path}:1").parse().expect(path)
    }

    /// Returns a depot in which `x` has a manifest, and came from these lists.
    fn followed(directory: &Path, lists: &[&str]) -> Depot {
        let depot = Depot::new(Places::below(directory));
        let path = depot.places().manifest(&name());
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, "[extension]\noci = \"r.io/org/x:1\"\n").expect("written");
        for list in lists {
            let note = |followed: &mut FollowedList| {
                followed.extensions.insert(name(), FromList::of(&reference("org/x").identity()));
            };
            depot.lock().expect("free").note_followed_list(list, None, note).expect("noted");
        }
        depot
    }

    fn is_there(depot: &Depot) -> bool {
        depot.manifest(&name()).expect("readable").is_some()
    }

    #[test]
    fn prune_keeps_other_extensions() {
        for (lists, removed) in
            [(&[][..], false), (&[OTHER], false), (&[LIST], true), (&[LIST, OTHER], false)]
        {
            let directory = tempfile::tempdir().expect("a directory");
            let depot = followed(directory.path(), lists);
            let pruned = depot.lock().expect("free").prune(LIST, &name()).expect("looked at");
            assert_eq!(
                (matches!(pruned, Pruned::Removed(_)), is_there(&depot)),
                (removed, !removed),
                "{lists:?}"
            );
        }
    }

    /// Another extension took the name meanwhile.
    #[test]
    fn prune_keeps_another_source() {
        let directory = tempfile::tempdir().expect("a directory");
        let depot = followed(directory.path(), &[LIST]);
        std::fs::write(depot.places().manifest(&name()), "[extension]\noci = \"r.io/mine/x:1\"\n")
            .expect("written");
        assert_eq!(
            depot.lock().expect("free").prune(LIST, &name()).expect("looked at"),
            Pruned::Kept
        );
        std::fs::write(depot.places().manifest(&name()), "[extension").expect("written");
        assert!(
            depot.lock().expect("free").prune(LIST, &name()).is_err()
                && depot.places().manifest(&name()).exists()
        );
    }

    /// Where it is not known which lists have an extension, none is removed.
    #[test]
    fn prune_stops_at_damaged_state() {
        let directory = tempfile::tempdir().expect("a directory");
        let depot = followed(directory.path(), &[LIST, OTHER]);
        std::fs::write(depot.followed_list_path(OTHER), "{").expect("written");
        assert!(depot.lock().expect("free").prune(LIST, &name()).is_err() && is_there(&depot));
        std::fs::write(depot.followed_list_path(LIST), "{}").expect("written");
        assert!(depot.lock().expect("free").note_followed_list(LIST, None, |_| {}).is_err());
        assert!(
            depot.lock().expect("free").remove(&name(), false).is_ok(),
            "its user can remove it all the same"
        );
    }

    #[test]
    fn removal_forgets_the_list() {
        let directory = tempfile::tempdir().expect("a directory");
        let depot = followed(directory.path(), &[LIST, OTHER]);
        depot.lock().expect("free").remove(&name(), false).expect("removed");
        assert!(
            depot
                .followed_lists()
                .expect("read")
                .iter()
                .all(|followed| followed.extensions.is_empty())
        );
    }
}
