//! Local files under names that are taken: each is an extension of its own, unless the user says
//! which one it replaces.

use core_types::{ExtensionName, OciReference};
use extension_depot::Source;

/// The purpose of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NameUse {
    /// It is installed under it, where the name is free or its own.
    #[default]
    Own,
    /// It replaces the owner of the name, as `--replace` says.
    Replace,
}

/// An extension from a registry would replace another by name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`--replace` is for files: an extension from a registry has its own identity")]
pub struct ReplacedByRegistry {
    /// The new artifact.
    pub origin: Source,
    /// The artifact to replace.
    pub name: ExtensionName,
}

/// Checks that a replacement is a file: the identity of a registry's extension cannot be taken
/// over.
///
/// # Errors
/// When it comes from a registry.
pub fn check_replacement(
    source: &Source,
    replaced: Option<&ExtensionName>,
) -> Result<(), ReplacedByRegistry> {
    match (source, replaced) {
        (Source::Registry(_) | Source::Newest(_), Some(name)) => {
            Err(ReplacedByRegistry { origin: source.clone(), name: name.clone() })
        }
        _ => Ok(()),
    }
}

/// Returns the reference of local bytes under a name of `owner`. The installed bytes keep theirs;
/// other bytes have their digest as identity, or the identity of those that they replace.
pub(crate) fn local_reference(
    owner: Option<OciReference>,
    own: &OciReference,
    name_use: NameUse,
) -> OciReference {
    let Some(owner) = owner.filter(is_file) else { return own.clone() };
    let digest = own.pinned_digest().ok().flatten();
    match (digest, name_use) {
        _ if owner.provenance() == own.provenance() => owner,
        (Some(digest), NameUse::Replace) => owner.continued_by(digest),
        _ => own.clone(),
    }
}

/// Returns whether it came from a file, a layout or a bundle.
pub(crate) fn is_file(reference: &OciReference) -> bool {
    reference.is_local() && !reference.is_development()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(kind: &str, byte: char) -> OciReference {
        let digest = byte.to_string().repeat(64);
        format!("local/{kind}/x:0.0.0@sha256:{digest}").parse().expect(kind)
    }

    #[test]
    fn registry_replaces_nothing_by_name() {
        let name = "x".parse().expect("a name");
        let source = |text: &str| text.parse::<Source>().expect(text);
        let check = |text: &str| check_replacement(&source(text), Some(&name)).is_ok();
        assert!(!check("ghcr.io/my-org/x:1.0.0") && !check("ghcr.io/my-org/x"));
        assert!(check("./x.wasm") && check("oci:x.tar"));
        assert_eq!(check_replacement(&source("ghcr.io/my-org/x:1.0.0"), None), Ok(()));
    }

    /// Bytes have the identity of their digest, unless they are installed or replace others.
    #[test]
    fn replacement_continues_identity() {
        let (old, new) = (file("file", 'a'), file("file", 'b'));
        assert_eq!(local_reference(None, &new, NameUse::Replace), new);
        assert_eq!(local_reference(Some(old.clone()), &new, NameUse::Own), new);
        let continued = local_reference(Some(old.clone()), &new, NameUse::Replace);
        assert_eq!(continued.identity(), old.identity());
        assert_eq!(continued.provenance(), new.provenance());
        let same = local_reference(Some(continued.clone()), &new, NameUse::Own);
        assert_eq!(same, continued, "what is installed keeps its reference");
    }

    #[test]
    fn replacement_takes_no_registry_identity() {
        let registry: OciReference =
            format!("ghcr.io/o/x:1.0.0@sha256:{}", "a".repeat(64)).parse().expect("a reference");
        let new = file("file", 'b');
        assert_eq!(local_reference(Some(registry), &new, NameUse::Replace), new);
    }
}
