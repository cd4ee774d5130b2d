//! References to artifacts: `registry/[principal/]scope:revision[@provenance]`.

use std::fmt;
use std::str::FromStr;

use crate::reference::digest::{Digest, DigestError};
use crate::reference::identity::Identity;
use crate::reference::name::{ExtensionName, NameError};
use crate::reference::provenance::Provenance;
use crate::reference::query::OciQuery;
use crate::reference::reader::Reader;
use crate::reference::reference_error::{ReferenceError, ReferenceProblem};
use crate::reference::registry_name::{LOCAL, canonical_registry};

/// Where an artifact lies in an OCI registry: `registry/[principal/]scope:revision[@provenance]`.
///
/// A repository with one path component, as plain registries and those of some clouds have them, is
/// a scope whose principal is empty.
///
/// Each field follows the grammar of the [OCI distribution
/// specification](https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests).
/// A registry and a tag are always written: neither has a default. `oci://` in front is accepted
/// and not kept.
///
/// ```
/// let reference: core_types::OciReference = "ghcr.io/my-org/greeting-extension:0.1.0".parse()?;
/// assert_eq!(reference.registry(), "ghcr.io");
/// assert_eq!(reference.principal(), "my-org");
/// assert_eq!(reference.scope(), "greeting-extension");
/// assert_eq!(reference.revision(), "0.1.0");
/// assert_eq!(reference.provenance(), None);
///
/// let plain: core_types::OciReference = "localhost:5000/greeting:0.1.0".parse()?;
/// assert_eq!((plain.principal(), plain.scope()), ("", "greeting"));
/// # Ok::<(), core_types::ReferenceError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OciReference {
    registry: String,
    principal: String,
    scope: String,
    revision: String,
    provenance: Option<Provenance>,
}

/// The digits of a SHA-256 digest in a path. The name of the extension is a component of its own
/// behind it.
const DIGEST_DIGITS: usize = 64;
/// The principal of extensions that their author builds and tries.
const DEVELOPMENT: &str = "dev";

impl OciReference {
    /// Returns the registry's host, with its port if one was written.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Returns the first path component, a person or an organisation; empty where the repository
    /// has only one component.
    pub fn principal(&self) -> &str {
        &self.principal
    }

    /// Returns the rest of the path, or all of it where the principal is empty: one component or
    /// more.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Returns the tag.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// Returns the digest that the reference is pinned to, if any.
    pub fn provenance(&self) -> Option<&Provenance> {
        self.provenance.as_ref()
    }

    /// Returns the repository as the registry knows it: `principal/scope`, or the scope alone.
    pub fn repository(&self) -> String {
        let separator = if self.principal.is_empty() { "" } else { "/" };
        format!("{}{separator}{}", self.principal, self.scope)
    }

    /// Returns the publisher of the extension.
    pub fn identity(&self) -> Identity {
        let place = format!("{}/{}", canonical_registry(&self.registry), self.place());
        if !self.is_local() || self.is_development() {
            return Identity(place);
        }
        match (self.first_digest(), &self.provenance) {
            (Some(hex), _) => Identity(format!("{place}@sha256:{hex}")),
            (None, Some(provenance)) => Identity(format!("{place}@{provenance}")),
            (None, None) => Identity(place),
        }
    }

    /// Returns the repository as policies name it: without the digest in the path of a reference
    /// that took the place of a local file.
    pub fn place(&self) -> String {
        match self.first_digest() {
            Some(hex) => self.repository().replacen(&format!("/{hex}/"), "/", 1),
            None => self.repository(),
        }
    }

    /// Returns the digest, in hexadecimal, of the local file whose identity this one continues.
    fn first_digest(&self) -> Option<&str> {
        let (hex, _) =
            self.scope.split_once('/').filter(|_| self.is_local() && !self.is_development())?;
        let is_digest = hex.len() == DIGEST_DIGITS
            && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_digest.then_some(hex)
    }

    /// Returns the name that the extension has unless the user chooses one: the [nearest
    /// one](ExtensionName::nearest) to the last path component.
    ///
    /// # Errors
    /// When that component is longer than an [`ExtensionName`].
    pub fn default_name(&self) -> Result<ExtensionName, NameError> {
        ExtensionName::nearest(self.scope.rsplit('/').next().unwrap_or_default())
    }

    /// Returns the full digest that the reference is pinned to, or nothing when it is not pinned.
    ///
    /// # Errors
    /// When the provenance is shortened or of an algorithm that sesame does not check.
    pub fn pinned_digest(&self) -> Result<Option<Digest>, DigestError> {
        self.provenance.as_ref().map(Provenance::digest).transpose()
    }

    /// Returns the same reference pinned to these bytes.
    pub fn pinned_to(&self, digest: Digest) -> Self {
        let provenance = Provenance { algorithm: "sha256".to_owned(), hex: digest.hex() };
        Self { provenance: Some(provenance), ..self.clone() }
    }

    /// Returns another tag of the same repository, without provenance.
    ///
    /// # Errors
    /// When the text is not a tag.
    pub fn with_revision(&self, tag: &str) -> Result<Self, ReferenceError> {
        self.repository_query().at(tag)
    }

    /// Returns the repository that it points into.
    pub fn repository_query(&self) -> OciQuery {
        OciQuery::of_repository(self)
    }

    /// Returns the same reference without its provenance.
    pub fn unpinned(&self) -> Self {
        Self { provenance: None, ..self.clone() }
    }

    /// Tells whether it came from a file or an OCI layout, which no registry has.
    pub fn is_local(&self) -> bool {
        // The identity has the registry in lower case: `Local` must not have that of a file without
        // being one.
        self.registry.eq_ignore_ascii_case(LOCAL)
    }

    /// Makes a reference for a component from a file: `local/file/NAME:VERSION`.
    ///
    /// # Errors
    /// When the revision is not a tag.
    pub fn local_file(name: &ExtensionName, revision: &str) -> Result<Self, ReferenceError> {
        format!("{LOCAL}/file/{name}:{revision}").parse()
    }

    /// Makes a reference for an extension from an OCI layout: `local/layout/NAME:TAG`.
    ///
    /// # Errors
    /// When the revision is not a tag.
    pub fn local_layout(name: &ExtensionName, revision: &str) -> Result<Self, ReferenceError> {
        format!("{LOCAL}/layout/{name}:{revision}").parse()
    }

    /// Makes a reference for an entry of a bundle whose origin is not confirmed:
    /// `local/bundle/NAME:TAG`.
    ///
    /// # Errors
    /// When the revision is not a tag.
    pub fn local_bundle(name: &ExtensionName, revision: &str) -> Result<Self, ReferenceError> {
        format!("{LOCAL}/bundle/{name}:{revision}").parse()
    }

    /// Makes a reference for an extension that its author builds and tries:
    /// `local/dev/NAME:VERSION`. It shares its identity, to which grants and secrets belong, with
    /// no file; each build of it has the same.
    ///
    /// # Errors
    /// When the revision is not a tag.
    pub fn local_development(name: &ExtensionName, revision: &str) -> Result<Self, ReferenceError> {
        format!("{LOCAL}/{DEVELOPMENT}/{name}:{revision}").parse()
    }

    /// Tells whether it is one of [`OciReference::local_development`].
    pub fn is_development(&self) -> bool {
        self.is_local() && self.principal == DEVELOPMENT
    }

    /// Tells whether it is an entry of a bundle whose origin nothing confirms.
    pub fn is_bundled(&self) -> bool {
        self.is_local() && self.principal == "bundle"
    }

    /// Returns the reference of other bytes that take the place of these and keep their identity,
    /// as the user said: `local/file/FIRST/NAME:VERSION@DIGEST`, where `FIRST` is the digest that
    /// the identity has. A reference with a registry is pinned to the bytes, since its identity has
    /// no digest.
    pub fn continued_by(&self, digest: Digest) -> Self {
        let first = self
            .pinned_digest()
            .ok()
            .flatten()
            .filter(|_| self.is_local() && !self.is_development());
        let scope = match first.filter(|_| self.first_digest().is_none()) {
            Some(first) => format!("{}/{}", first.hex(), self.scope),
            None => self.scope.clone(),
        };
        Self { scope, ..self.pinned_to(digest) }
    }
}

impl FromStr for OciReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let mut reader = Reader::new(text);
        let registry = reader.registry()?;
        let (principal, scope) = principal_and_scope(&reader.repository(&registry)?);
        let revision =
            reader.revision()?.ok_or_else(|| reader.error(ReferenceProblem::MissingRevision))?;
        let provenance = reader.provenance()?;
        reader.end()?;
        Ok(Self { registry, principal, scope, revision, provenance })
    }
}

/// Returns the first component and the rest. A single one is the scope.
fn principal_and_scope(components: &[String]) -> (String, String) {
    match components {
        [principal, scope @ ..] if !scope.is_empty() => (principal.clone(), scope.join("/")),
        scope => (String::new(), scope.join("/")),
    }
}

impl fmt::Display for OciReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}", self.registry, self.repository(), self.revision)?;
        self.provenance.as_ref().map_or(Ok(()), |provenance| write!(f, "@{provenance}"))
    }
}

crate::serde_as_text!(OciReference);
