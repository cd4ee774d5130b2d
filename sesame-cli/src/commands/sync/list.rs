//! The list that `sync` follows: had, checked as an artifact is, and compared with what is known of
//! it.

use std::path::Path;

use core_types::{
    ErrorKind, ExtensionList, ExtensionName, Grant, Identity, OciReference, version_of_tag,
};
use extension_depot::{
    Depot, DepotError, Evidence, FollowedList, FromList, LoadedManifest, UserConfig,
};

use crate::arguments::{ListSource, SyncArguments};
use crate::commands::trust;
use crate::context::Context;
use crate::failure::Failure;
use crate::progress::waiting;

/// A list, with what is known of it and of others.
pub struct List {
    /// What it says.
    pub extensions: ExtensionList,
    /// Where it was published, pinned to its bytes, if it was.
    pub published: Option<OciReference>,
    /// What it is called in records of what came from it.
    pub words: String,
    /// What it is known by here, whichever tag was asked for.
    pub id: String,
    /// Who signed it, where it was published.
    pub evidence: Option<Evidence>,
    /// What is known of it from when it was followed last.
    pub known: FollowedList,
    /// What is known of other lists.
    pub others: Vec<FollowedList>,
}

/// The text of a list, before it is understood.
struct ListText {
    text: String,
    /// What it is called in messages.
    place: String,
    published: Option<(OciReference, Evidence)>,
    id: String,
    words: String,
}

impl List {
    /// Reads a list, which changes nothing. A published one has to come from where policy lets
    /// extensions come from, be signed by whom policy wants, and be what it was where its tag is a
    /// version or it is locked.
    pub fn read(
        context: &Context,
        depot: &Depot,
        source: &ListSource,
        arguments: &SyncArguments,
    ) -> Result<Self, Failure> {
        let ListText { text, place, published, id, words } = match source {
            ListSource::File(path) => of_file(path)?,
            ListSource::Published(reference) => of_registry(context, depot, reference, arguments)?,
        };
        let parsed = ExtensionList::parse(&text, published.is_some()).map_err(|problem| {
            Failure::message(ErrorKind::Failure, format!("the list `{place}` is wrong: {problem}"))
        })?;
        context.warn_of_keys(parsed.unknown_keys.iter().map(|key| (place.clone(), key)));
        let of_list = |error: DepotError| Failure::of_list(&error);
        let known = depot.followed_list(&id).map_err(of_list)?.unwrap_or_default();
        let mut others = depot.followed_lists().map_err(of_list)?;
        others.retain(|other| other.list != id);
        let (published, evidence) = published.unzip();
        Ok(Self { extensions: parsed.value, published, words, id, evidence, known, others })
    }

    /// What came from this list under a name, if that is what is installed from there.
    pub fn provenance(
        &self,
        depot: &Depot,
        name: &ExtensionName,
        loaded: &LoadedManifest,
    ) -> Option<FromList> {
        let reference = loaded.manifest.extension.oci.as_ref()?;
        let known = self.known.extensions.get(name).filter(|known| known.is(reference));
        known.cloned().or_else(|| self.unnoted(depot, name, loaded))
    }

    /// What this list installed in a process that ended before that was noted, or in a sesame that
    /// noted no lists.
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

    /// Whether this list has brought something under a name that it has from elsewhere by now, or
    /// not at all.
    pub fn has_dropped(&self, name: &ExtensionName, from: &FromList) -> bool {
        self.extensions.get(name).is_none_or(|entry| !from.is(&entry.oci))
    }

    /// Whether what is installed under a name came from this list alone, which has it from
    /// elsewhere by now.
    pub fn replaces(&self, depot: &Depot, name: &ExtensionName) -> bool {
        let Some(from) =
            self.known.extensions.get(name).filter(|from| self.has_dropped(name, from))
        else {
            return false;
        };
        let there =
            depot.manifest(name).ok().flatten().and_then(|loaded| loaded.manifest.extension.oci);
        there.is_some_and(|there| from.is(&there) && !self.is_on_another(name, &there.identity()))
    }

    /// Whether another list has brought this extension, or would bring it.
    pub fn is_on_another(&self, name: &ExtensionName, identity: &Identity) -> bool {
        self.others
            .iter()
            .filter_map(|other| other.extensions.get(name))
            .any(|from| from.identity == *identity)
    }

    /// Whether another list has given this to an extension as well.
    pub fn is_given_by_another(&self, name: &ExtensionName, grant: &Grant) -> bool {
        self.others
            .iter()
            .filter_map(|other| other.extensions.get(name))
            .any(|from| from.was_given(grant))
    }

    /// Whether what it no longer has is removed: because its user says so, or because it may and
    /// does demand it.
    pub fn prunes(&self, config: &UserConfig, arguments: &SyncArguments) -> bool {
        let may_demand = || self.published.as_ref().is_some_and(|list| config.lets_prune(list));
        arguments.prune || self.extensions.defaults().prune && may_demand()
    }
}

fn of_file(path: &Path) -> Result<ListText, Failure> {
    let read = |error: std::io::Error| {
        Failure::message(ErrorKind::Local, format!("cannot read `{}`", path.display()))
            .caused_by(&error)
    };
    let text = std::fs::read_to_string(path).map_err(read)?;
    let place = std::fs::canonicalize(path).map_err(read)?.display().to_string();
    let (id, words) = (format!("file:{place}"), format!("the list {place}"));
    Ok(ListText { text, place: path.display().to_string(), published: None, id, words })
}

fn of_registry(
    context: &Context,
    depot: &Depot,
    reference: &OciReference,
    arguments: &SyncArguments,
) -> Result<ListText, Failure> {
    context.check_source(reference)?;
    let of_list = |error: DepotError| Failure::of_list(&error);
    let registry = context.registry()?;
    if !arguments.allow_plain_http {
        depot.check_transport(reference, registry.is_secure(reference)).map_err(of_list)?;
    }
    let listing = waiting(context, format!("resolving {reference}…"), registry.list(reference));
    let (pinned, text) = context.wait_for(listing)??;
    let id = reference.identity().to_string();
    let followed = depot.followed_list(&id).map_err(of_list)?;
    check_pin(followed.as_ref(), reference, &pinned, arguments.locked)?;
    let evidence = trust::look_at_list(context, depot, &pinned)?;
    context.explain(&format!("the list is {pinned}, {}", evidence.signature));
    let words = format!("the list {pinned}");
    Ok(ListText {
        text,
        place: reference.to_string(),
        published: Some((pinned, evidence)),
        id,
        words,
    })
}

/// Makes sure that a list is what it was when it was followed last, unless its user names the
/// bytes: where its tag is a version, as for an artifact, and where it is locked. Another tag, such
/// as `stable`, is there to be moved.
fn check_pin(
    followed: Option<&FollowedList>,
    reference: &OciReference,
    pinned: &OciReference,
    is_locked: bool,
) -> Result<(), Failure> {
    if reference.provenance().is_some() {
        return Ok(());
    }
    let before = followed.and_then(|followed| followed.pins.get(reference.revision()));
    match before {
        Some(before) if before.provenance() == pinned.provenance() => Ok(()),
        Some(before) if is_locked || version_of_tag(reference.revision()).is_some() => {
            Err(Failure::list_moved(reference, before, pinned, is_locked))
        }
        None if is_locked => Err(Failure::list_unpinned(pinned)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit_code::ExitCode;

    fn checked(
        followed: Option<&str>,
        asked: &str,
        found: char,
        is_locked: bool,
    ) -> Option<ExitCode> {
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
        check_pin(followed.as_ref(), &asked, &pin(found), is_locked)
            .err()
            .map(|failure| failure.code)
    }

    /// A tag that is a version never moves; any other does, unless it is locked.
    #[test]
    fn moved_list_is_refused_as_elsewhere() {
        let (moved, unpinned) =
            (Some(ExitCode::from(ErrorKind::Untrusted)), Some(ExitCode::from(ErrorKind::Failure)));
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
