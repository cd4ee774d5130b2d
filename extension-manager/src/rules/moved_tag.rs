//! Whether a tag still leads to the bytes that are installed.

use core_types::{ExtensionName, OciReference, is_same_version};

/// A tag leads to other bytes than when the extension was installed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the tag `{}` has moved since `{name}` was installed", installed.revision())]
pub struct TagMoved {
    /// The extension.
    pub name: ExtensionName,
    /// The installed artifact.
    pub installed: OciReference,
    /// The artifact of the tag now.
    pub found: OciReference,
}

/// Checks that a tag still leads to the installed bytes, unless the user names the digest. A
/// publisher cannot move a local reference.
pub(crate) fn check_tag(
    name: &ExtensionName,
    pinned: Option<OciReference>,
    resolved: &OciReference,
    names_bytes: bool,
) -> Result<(), TagMoved> {
    if names_bytes || resolved.is_local() {
        return Ok(());
    }
    let has_moved = |pinned: &OciReference| {
        is_same_version(pinned.revision(), resolved.revision())
            && pinned.provenance() != resolved.provenance()
    };
    match pinned.filter(has_moved) {
        Some(installed) => Err(TagMoved { name: name.clone(), installed, found: resolved.clone() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(tag: &str, byte: char) -> OciReference {
        let digest = byte.to_string().repeat(64);
        format!("ghcr.io/my-org/x:{tag}@sha256:{digest}").parse().expect(tag)
    }

    #[test]
    fn moved_tag_is_refused() {
        let name = "x".parse().expect("a name");
        let check = |pinned: Option<(&str, char)>, found: (&str, char), names_bytes| {
            let pinned = pinned.map(|(tag, byte)| reference(tag, byte));
            check_tag(&name, pinned, &reference(found.0, found.1), names_bytes).is_ok()
        };
        assert!(check(None, ("1.0.0", 'a'), false));
        assert!(check(Some(("1.0.0", 'a')), ("1.0.0", 'a'), false));
        assert!(check(Some(("1.0.0", 'a')), ("1.1.0", 'b'), false), "another tag");
        assert!(!check(Some(("1.0.0", 'a')), ("1.0.0", 'b'), false));
        assert!(!check(Some(("1.0.0", 'a')), ("v1.0.0", 'b'), false), "the same version");
        assert!(!check(Some(("stable", 'a')), ("stable", 'b'), false));
        assert!(check(Some(("1.0.0", 'a')), ("1.0.0", 'b'), true), "named by digest");
    }

    #[test]
    fn local_bytes_have_no_tag() {
        let name: ExtensionName = "x".parse().expect("a name");
        let local = |byte: char| {
            let digest = byte.to_string().repeat(64);
            format!("local/file/x:0.0.0@sha256:{digest}").parse::<OciReference>().expect("local")
        };
        assert_eq!(check_tag(&name, Some(local('a')), &local('b'), false), Ok(()));
    }
}
