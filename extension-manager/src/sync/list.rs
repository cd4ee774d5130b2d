//! The list that `sync` follows: fetched, verified as an artifact is, and compared with its record.

use std::path::{Path, PathBuf};

use core_types::{ExtensionList, ExtensionName, Grant, Identity, OciReference, version_of_tag};
use extension_depot::{
    Depot, EffectiveConfig, Evidence, FollowedList, FromList, LoadedManifest, SignedArtifact,
};

use super::error::SyncError;
use super::options::SyncOptions;
use crate::events::{Note, Wait};
use crate::install::InstallError;
use crate::installer::Installer;

/// Where a list of extensions lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListSource {
    /// In a file.
    File(PathBuf),
    /// In a registry.
    Published(OciReference),
}

/// A list, with the records of it and of others.
pub(super) struct List {
    /// Its contents.
    pub(super) extensions: ExtensionList,
    /// Where it was published, pinned to its bytes, if it was.
    pub(super) published: Option<OciReference>,
    /// Its name in records of its extensions.
    pub(super) words: String,
    /// Its identity here, for every tag.
    pub(super) id: String,
    /// Who signed it, where it was published.
    pub(super) evidence: Option<Evidence>,
    /// Its record from the last run.
    pub(super) known: FollowedList,
    /// The records of other lists.
    pub(super) others: Vec<FollowedList>,
}

/// The text of a list, before it is understood.
struct ListText {
    text: String,
    /// Its name in messages.
    place: String,
    published: Option<(OciReference, Evidence)>,
    id: String,
    words: String,
}

impl List {
    /// Reads a list without changing anything. A published one has to come from an allowed place
    /// and have the signer that policy requires; where its tag is a version or it is locked, it
    /// must not have moved.
    pub(super) fn read(
        installer: &Installer<'_>,
        source: &ListSource,
        options: &SyncOptions,
    ) -> Result<Self, SyncError> {
        let ListText { text, place, published, id, words } = match source {
            ListSource::File(path) => of_file(path)?,
            ListSource::Published(reference) => installer.fetch_list(reference, options)?,
        };
        let parsed = ExtensionList::parse(&text, published.is_some())
            .map_err(|problem| SyncError::Content { place: place.clone(), problem })?;
        installer.manager.warn_of_unknown_keys(Path::new(&place), &parsed.unknown_keys);
        let depot = installer.depot();
        let known = depot.followed_list(&id)?.unwrap_or_default();
        let mut others = depot.followed_lists()?;
        others.retain(|other| other.list != id);
        let (published, evidence) = published.unzip();
        Ok(Self { extensions: parsed.value, published, words, id, evidence, known, others })
    }

    /// Returns the record of an installed extension that came from this list.
    pub(super) fn provenance(
        &self,
        depot: &Depot,
        name: &ExtensionName,
        loaded: &LoadedManifest,
    ) -> Option<FromList> {
        let reference = loaded.manifest.extension.oci.as_ref()?;
        let known = self.known.extensions.get(name).filter(|known| known.is(reference));
        known.cloned().or_else(|| self.unnoted(depot, name, loaded))
    }

    /// Returns an extension that this list installed without a record: its process ended early, or
    /// an older sesame ran.
    fn unnoted(
        &self,
        depot: &Depot,
        name: &ExtensionName,
        loaded: &LoadedManifest,
    ) -> Option<FromList> {
        let (reference, digest) = loaded.pinned()?;
        let record = depot.record(name, &digest).ok()??;
        let is_from_here = match (&self.published, record.source.strip_prefix("the list ")) {
            (Some(list), Some(source)) => {
                source.parse::<OciReference>().is_ok_and(|it| it.identity() == list.identity())
            }
            _ => record.source == self.words,
        };
        is_from_here.then(|| FromList::of(&reference.identity()))
    }

    /// Returns whether this list brought an extension under a name that it gives another source by
    /// now, or does not have any more.
    pub(super) fn has_dropped(&self, name: &ExtensionName, from: &FromList) -> bool {
        self.extensions.get(name).is_none_or(|entry| !from.is(&entry.oci))
    }

    /// Returns whether the installed extension came from this list alone, which gives the name
    /// another source by now.
    pub(super) fn replaces(&self, depot: &Depot, name: &ExtensionName) -> bool {
        let Some(from) =
            self.known.extensions.get(name).filter(|from| self.has_dropped(name, from))
        else {
            return false;
        };
        let there =
            depot.manifest(name).ok().flatten().and_then(|loaded| loaded.manifest.extension.oci);
        there.is_some_and(|there| from.is(&there) && !self.is_on_another(name, &there.identity()))
    }

    /// Returns whether another list has brought this extension, or would bring it.
    pub(super) fn is_on_another(&self, name: &ExtensionName, identity: &Identity) -> bool {
        self.others
            .iter()
            .filter_map(|other| other.extensions.get(name))
            .any(|from| from.identity == *identity)
    }

    /// Returns whether another list has made this grant as well.
    pub(super) fn is_given_by_another(&self, name: &ExtensionName, grant: &Grant) -> bool {
        self.others
            .iter()
            .filter_map(|other| other.extensions.get(name))
            .any(|from| from.was_given(grant))
    }

    /// Returns whether dropped extensions are removed: on the user's request, or because the list
    /// may and does demand it.
    pub(super) fn prunes(&self, config: &EffectiveConfig, options: &SyncOptions) -> bool {
        let may_demand = || self.published.as_ref().is_some_and(|list| config.lets_prune(list));
        options.prune || self.extensions.defaults().prune && may_demand()
    }
}

fn of_file(path: &Path) -> Result<ListText, SyncError> {
    let read = |source| SyncError::Read { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(read)?;
    let place = std::fs::canonicalize(path).map_err(read)?.display().to_string();
    let (id, words) = (format!("file:{place}"), format!("the list {place}"));
    Ok(ListText { text, place: path.display().to_string(), published: None, id, words })
}

impl Installer<'_> {
    /// Fetches a published list, which is looked up and checked as an artifact is.
    fn fetch_list(
        &self,
        reference: &OciReference,
        options: &SyncOptions,
    ) -> Result<ListText, SyncError> {
        self.config.check_source(reference)?;
        let first = self.depot().first_use(&reference.identity())?;
        self.check_transport(reference, options.allow_plain_http)?;
        let work = self.registry().list(reference);
        let fetched = self.network.wait(self.events(), &Wait::Resolving(reference), work);
        let (pinned, text) = fetched.map_err(InstallError::Runtime)??;
        let id = reference.identity().to_string();
        let followed = self.depot().followed_list(&id)?;
        check_pin(followed.as_ref(), reference, &pinned, options.locked)?;
        let evidence = self.look_up(&pinned, None)?;
        let signed = SignedArtifact { name: None, reference: &pinned, first: first.as_ref() };
        self.check_signer(signed, &evidence, None)?;
        self.note(&Note::ListFound { list: &pinned, signature: &evidence.signature });
        let words = format!("the list {pinned}");
        let (place, published) = (reference.to_string(), Some((pinned, evidence)));
        Ok(ListText { text, place, published, id, words })
    }
}

/// Checks that a list has not changed since the last run, unless its user names the digest: where
/// its tag is a version, as for an artifact, and where it is locked. Another tag, such as `stable`,
/// may move.
fn check_pin(
    followed: Option<&FollowedList>,
    reference: &OciReference,
    pinned: &OciReference,
    is_locked: bool,
) -> Result<(), SyncError> {
    if reference.provenance().is_some() {
        return Ok(());
    }
    let before = followed.and_then(|followed| followed.pins.get(reference.revision()));
    match before {
        Some(before) if before.provenance() == pinned.provenance() => Ok(()),
        Some(before) if is_locked || version_of_tag(reference.revision()).is_some() => {
            let (list, followed) = (reference.clone(), before.clone());
            Err(SyncError::ListMoved { list, followed, found: pinned.clone(), is_locked })
        }
        None if is_locked => Err(SyncError::ListUnpinned { found: pinned.clone() }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(
        followed: Option<&str>,
        asked: &str,
        found: char,
        is_locked: bool,
    ) -> Option<&'static str> {
        let digest = |byte: char| format!("sha256:{}", byte.to_string().repeat(64));
        let reference =
            |text: &str| format!("r.io/org/set:{text}").parse::<OciReference>().expect(text);
        let tag = asked.split('@').next().expect("a tag");
        let pin = |byte: char| reference(&format!("{tag}@{}", digest(byte)));
        let followed = followed.map(|byte| FollowedList {
            pins: [(tag.to_owned(), pin(byte.chars().next().expect("a byte")))].into(),
            ..FollowedList::default()
        });
        let asked = if asked.contains('@') { pin(found) } else { reference(asked) };
        match check_pin(followed.as_ref(), &asked, &pin(found), is_locked) {
            Ok(()) => None,
            Err(SyncError::ListMoved { .. }) => Some("moved"),
            Err(SyncError::ListUnpinned { .. }) => Some("unpinned"),
            Err(other) => panic!("{other}"),
        }
    }

    /// A tag that is a version never moves; any other does, unless it is locked.
    #[test]
    fn moved_list_is_refused_as_elsewhere() {
        let (moved, unpinned) = (Some("moved"), Some("unpinned"));
        for (followed, asked, found, is_locked, expected) in [
            (None, "stable", 'b', false, None),
            (Some("a"), "stable", 'b', false, None),
            (Some("a"), "1.0.0", 'b', false, moved),
            (Some("b"), "1.0.0", 'b', true, None),
            (Some("a"), "stable", 'b', true, moved),
            (None, "stable", 'b', true, unpinned),
            (Some("a"), "1.0.0@", 'b', true, None),
        ] {
            assert_eq!(
                checked(followed, asked, found, is_locked),
                expected,
                "{followed:?} {asked} {found} {is_locked}"
            );
        }
    }
}
