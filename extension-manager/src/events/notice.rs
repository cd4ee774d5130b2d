//! Facts about an operation that a person should know, beside its outcome.

use std::fmt;

use core_types::{ExtensionName, GrantedPath, OciReference, grant_command};
use extension_depot::{SignatureState, VerifierError};
use extension_host::DirectoryError;

use super::error_line::with_causes;
use crate::consent::Denied;

/// Something that may be wrong. Its text is a line for a person.
#[derive(Debug)]
#[non_exhaustive]
pub enum Warning {
    /// A new name is one letter away from an installed one.
    SimilarName {
        /// The new name.
        name: ExtensionName,
        /// The installed one.
        other: ExtensionName,
    },
    /// The name of a host has letters that look like others.
    ForeignLetters {
        /// The host.
        host: String,
    },
    /// A directory is granted that does not exist, and may be mistyped.
    MissingDirectory(GrantedPath),
    /// An extension asks for a directory that no extension gets.
    ProtectedDirectory(DirectoryError),
    /// The signatures of a signer cannot be verified.
    UnusableSigner(VerifierError),
    /// A bundle says that an extension came from another machine's file.
    ForeignFile {
        /// The extension.
        name: ExtensionName,
    },
    /// A bundle says that an extension came from a registry, and nothing shows that.
    UnconfirmedOrigin {
        /// The extension.
        name: ExtensionName,
        /// The claim of the bundle.
        claimed: OciReference,
    },
    /// A registry does not have the bytes that a bundle said came from it.
    NotAtOrigin {
        /// The extension.
        name: ExtensionName,
        /// The claim of the bundle.
        claimed: OciReference,
    },
    /// Signatures cannot be fetched for a bundle in offline mode.
    ReferrersLeftOut {
        /// The extension.
        name: ExtensionName,
    },
    /// A list wants to have extensions removed, and no policy lets it.
    ListCannotPrune,
    /// The storage of an extension is damaged, and its calls do without it.
    DamagedStorage {
        /// The extension.
        name: ExtensionName,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SimilarName { name, other } => {
                write!(f, "`{name}` is one letter away from the installed `{other}`")
            }
            Self::ForeignLetters { host } => {
                write!(f, "`{host}` is the name of a host with letters of other scripts")
            }
            Self::MissingDirectory(path) => {
                write!(f, "the directory `{}` does not exist yet", path.host())
            }
            Self::ProtectedDirectory(error) => error.fmt(f),
            Self::UnusableSigner(error) => f.write_str(&with_causes(error)),
            Self::ForeignFile { name } => write!(
                f,
                "`{name}` has an identity of its own: a bundle cannot give it that of another machine's file"
            ),
            Self::UnconfirmedOrigin { name, claimed } => write!(
                f,
                "it is not confirmed that `{name}` came from `{}`: it has an identity of its own, without the secrets of that place, \
                 until this confirms it: sesame extension update {name}",
                claimed.identity()
            ),
            Self::NotAtOrigin { name, claimed } => write!(
                f,
                "`{name}` stays what its bytes are: `{}` does not have them",
                claimed.unpinned()
            ),
            Self::ReferrersLeftOut { name } => write!(
                f,
                "what refers to `{name}`, such as signatures, is left out: sesame is offline"
            ),
            Self::DamagedStorage { name } => write!(
                f,
                "the storage of `{name}` is damaged and not used; to begin with an empty one: \
                 sesame extension storage {name} --reset"
            ),
            Self::ListCannotPrune => f.write_str(
                "the list demands the removal of extensions that it dropped, and no policy names it in `lists_that_prune`",
            ),
        }
    }
}

/// Something that is as it should be. Its text is a line for a person.
#[derive(Debug)]
#[non_exhaustive]
pub enum Note<'a> {
    /// An extension of a bundle has the identity of its origin from now on.
    OriginConfirmed {
        /// The extension.
        name: &'a ExtensionName,
        /// Its origin.
        origin: &'a OciReference,
    },
    /// An extension is installed without something that it asks for.
    NotGranted {
        /// The extension.
        name: &'a ExtensionName,
        /// The denied permission.
        denied: &'a Denied,
    },
    /// Which list is followed, for those who want to know more.
    ListFound {
        /// The list, pinned.
        list: &'a OciReference,
        /// Its signature.
        signature: &'a SignatureState,
    },
}

impl Note<'_> {
    /// Returns whether it is a detail.
    pub fn is_detail(&self) -> bool {
        matches!(self, Self::ListFound { .. })
    }
}

impl fmt::Display for Note<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OriginConfirmed { name, origin } => write!(
                f,
                "`{name}` came from {}: it has that identity now, with its secrets",
                origin.identity()
            ),
            Self::NotGranted { name, denied } => {
                let Denied { capability, grant, policy, .. } = denied;
                write!(f, "`{name}` is not granted {capability}: ")?;
                match policy {
                    Some(rule) => f.write_str(rule),
                    None => f.write_str(&grant_command(name, [grant.as_str()])),
                }
            }
            Self::ListFound { list, signature } => write!(f, "the list is {list}, {signature}"),
        }
    }
}

/// The work that is waited for.
#[non_exhaustive]
pub enum Wait<'a> {
    /// A registry resolves a reference or a repository.
    Resolving(&'a dyn fmt::Display),
    /// The same for several references.
    ResolvingMany(usize),
    /// A registry lists the referrers of an artifact.
    ResolvingReferrers(&'a OciReference),
    /// A registry lists signatures.
    Signatures(&'a OciReference),
    /// A host answers.
    Asking(&'a str),
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wait({self})")
    }
}

impl fmt::Display for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolving(what) => write!(f, "resolving {what}…"),
            Self::ResolvingMany(count) => write!(f, "resolving {count} references…"),
            Self::ResolvingReferrers(reference) => {
                write!(f, "resolving the referrers of {reference}…")
            }
            Self::Signatures(reference) => write!(f, "looking for signatures of {reference}…"),
            Self::Asking(host) => write!(f, "asking {host}…"),
        }
    }
}

#[cfg(test)]
mod tests {
    use core_types::Capability;

    use super::*;

    fn reference(text: &str) -> OciReference {
        text.parse().expect(text)
    }

    /// A denial by policy names the rule, since a grant does not help; another names the grant.
    #[test]
    fn denial_says_what_helps() {
        let name = "x".parse().expect("a name");
        let grant = "notification".parse().expect("a grant");
        let mut denied = Denied::of(&grant);
        let note = |denied: &Denied| Note::NotGranted { name: &name, denied }.to_string();
        let by_grant = "`x` is not granted notification: sesame extension grant x notification";
        assert_eq!(note(&denied), by_grant);
        denied.policy = Some("policy denies `notification`".to_owned());
        let by_policy = "`x` is not granted notification: policy denies `notification`";
        assert_eq!(note(&denied), by_policy);
        let scope = Denied::without_scope(Capability::SecretRead);
        assert!(note(&scope).ends_with("sesame extension grant x secret-read=github-token"));
    }

    /// Only the list that is followed is a detail: everything else may matter to a person.
    #[test]
    fn list_is_a_detail() {
        let (name, list) = ("x".parse().expect("a name"), reference("ghcr.io/o/set:stable"));
        let signature = SignatureState::Unsigned;
        assert!(Note::ListFound { list: &list, signature: &signature }.is_detail());
        assert!(!Note::OriginConfirmed { name: &name, origin: &list }.is_detail());
    }

    /// Warnings about a bundle name the extension and its claimed place.
    #[test]
    fn claims_are_named() {
        let name: ExtensionName = "x".parse().expect("a name");
        let claimed = || reference(&format!("ghcr.io/o/x:1.0.0@sha256:{}", "a".repeat(64)));
        let origin = Warning::UnconfirmedOrigin { name: name.clone(), claimed: claimed() };
        let origin = origin.to_string();
        assert!(origin.contains("`ghcr.io/o/x`") && origin.ends_with("update x"), "{origin}");
        let absent = Warning::NotAtOrigin { name, claimed: claimed() }.to_string();
        let expected = "`x` stays what its bytes are: `ghcr.io/o/x:1.0.0` does not have them";
        assert_eq!(absent, expected);
    }
}
