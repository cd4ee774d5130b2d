//! References to artifacts: `registry/[principal/]scope:revision[@provenance]`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::reference::digest::{Digest, DigestError};
use crate::reference::name::{ExtensionName, NameError};
use crate::reference::query::OciQuery;
use crate::reference::registry_name::{EMBEDDED, LOCAL, canonical_registry, is_reserved};

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

/// The digest of a pinned reference: `algorithm:hex`.
///
/// Any algorithm and any number of digits parse, because references in documents are often
/// shortened; only what [`Provenance::digest`] accepts can be installed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Provenance {
    algorithm: String,
    hex: String,
}

/// The publisher of an extension: `registry/principal/scope`, or `registry/scope` where the
/// principal is empty, without revision.
///
/// No two repositories have the same identity: neither a registry nor a path component has a `/` in
/// it. Secrets, grants and trust belong to the identity and not to the short name, so that two
/// sources with one short name never meet. The registry is in its one form
/// ([`canonical_registry`]), so that another spelling is not another source.
///
/// Without a registry to vouch for it, an extension is its bytes: the identity of a file, a layout
/// or an entry of a bundle ends with the digest, as in `local/file/weather@sha256:…`, so that
/// another file of the same name is another extension.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identity(String);

/// Why a text is not a reference, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a reference: column {}: {problem}", text.escape_debug(), self.column())]
pub struct ReferenceError {
    /// The text as given.
    pub text: String,
    /// The byte in `text` at which the problem begins.
    pub position: usize,
    /// The problem there.
    pub problem: ReferenceProblem,
}

/// The problems that a reference can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceProblem {
    /// The text is empty.
    #[error("it is empty; write `registry/principal/scope:revision`")]
    Empty,
    /// The registry is not a host name or address.
    #[error(
        "a registry is a host name or address, with a port if need be, such as `ghcr.io` or `localhost:5000`"
    )]
    Registry,
    /// It begins as a web address does.
    #[error("a reference does not begin with a scheme, except `oci://`; leave it out")]
    Scheme,
    /// The port is not a number from 1 to 65535.
    #[error("a port is a number from 1 to 65535")]
    Port,
    /// There is nothing behind the registry.
    #[error(
        "the repository is missing: `registry/principal/scope:revision` or `registry/scope:revision`"
    )]
    MissingPrincipal,
    /// The registry is a word of sesame's, behind which a repository with one path component would
    /// be taken for a file or an extension that a program brings.
    #[error(
        "the scope is missing: `local` and `embedded` are not registries but words that sesame uses itself"
    )]
    MissingScope,
    /// There is a repository with one path component, and a registry that does not look like one.
    #[error(
        "the registry is missing, such as `ghcr.io/`; a host without dots is written with its port, such as `:443`"
    )]
    MissingRegistry,
    /// A path component has other characters than OCI allows.
    #[error(
        "a path component has lower-case letters and digits, separated by `.`, `_`, `__` or dashes"
    )]
    Component,
    /// The path is longer than registries take.
    #[error("the path behind the registry has more than 255 characters")]
    TooLong,
    /// The revision is missing.
    #[error("the revision is missing: `:` and a tag, such as `:0.1.0`")]
    MissingRevision,
    /// The revision is not an OCI tag.
    #[error("a revision is a tag: a letter, digit or `_`, then up to 127 of these, `.` and `-`")]
    Revision,
    /// The provenance is not `algorithm:hex`.
    #[error(
        "a provenance is `algorithm:hex`, such as `sha256:` and 64 lower-case hexadecimal digits"
    )]
    Provenance,
    /// Something stands behind the end.
    #[error("nothing can follow here")]
    Trailing,
}

/// The longest path behind the registry, in bytes: the name of a repository in most registries, as
/// the specification of OCI distribution says.
const MAX_PATH: usize = 255;
/// The longest tag, in bytes, by the specification of OCI distribution.
const MAX_TAG: usize = 128;
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

    /// Returns the name that the extension has unless the user chooses one: the last path
    /// component.
    ///
    /// # Errors
    /// When that component is not an [`ExtensionName`], which allows less than OCI does.
    pub fn default_name(&self) -> Result<ExtensionName, NameError> {
        self.scope.rsplit('/').next().unwrap_or_default().parse()
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

impl Provenance {
    /// Returns the algorithm, such as `sha256`.
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// Returns the hexadecimal digits as written.
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// Returns the digest, if it is a whole one.
    ///
    /// # Errors
    /// When digits are missing or the algorithm is not SHA-256.
    pub fn digest(&self) -> Result<Digest, DigestError> {
        self.to_string().parse()
    }
}

impl ReferenceError {
    /// Returns the problem's column in characters, counted from 1.
    pub fn column(&self) -> usize {
        let before = self.text.char_indices().take_while(|(at, _)| *at < self.position);
        before.count() + 1
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

/// Tells whether a registry cannot be taken for the first part of a path: it has a dot or a port,
/// or is this machine.
fn looks_like_registry(registry: &str) -> bool {
    registry.contains(['.', ':']) || registry.eq_ignore_ascii_case("localhost")
}

/// Reads a reference from left to right; `at` is the byte where the next field begins.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let at = if text.starts_with("oci://") { "oci://".len() } else { 0 };
        Self { text, at }
    }

    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(crate) fn error(&self, problem: ReferenceProblem) -> ReferenceError {
        ReferenceError { text: self.text.to_owned(), position: self.at, problem }
    }

    fn error_in(&self, offset: usize, problem: ReferenceProblem) -> ReferenceError {
        ReferenceError { text: self.text.to_owned(), position: self.at + offset, problem }
    }

    /// Reads the host with its port, up to the first `/` or the end.
    pub(crate) fn registry(&mut self) -> Result<String, ReferenceError> {
        if self.rest().is_empty() {
            return Err(self.error(ReferenceProblem::Empty));
        }
        let registry = self.rest().split('/').next().unwrap_or_default();
        if registry.ends_with(':') && self.rest()[registry.len()..].starts_with("//") {
            return Err(self.error(ReferenceProblem::Scheme));
        }
        let host_length = host_length(registry)
            .map_err(|offset| self.error_in(offset, ReferenceProblem::Registry))?;
        match registry[host_length..].strip_prefix(':') {
            None if host_length == registry.len() => {}
            Some(port) if is_port(port) => {}
            Some(_) => return Err(self.error_in(host_length + 1, ReferenceProblem::Port)),
            None => return Err(self.error_in(host_length, ReferenceProblem::Registry)),
        }
        self.at += registry.len();
        Ok(registry.to_owned())
    }

    /// Reads the path components of a repository of this registry, up to the `:` or `@` behind it.
    pub(crate) fn repository(&mut self, registry: &str) -> Result<Vec<String>, ReferenceError> {
        let start = self.at + 1;
        let components = self.components()?;
        match components.len() {
            0 => return Err(self.error(ReferenceProblem::MissingPrincipal)),
            1 if is_reserved(registry) => return Err(self.error(ReferenceProblem::MissingScope)),
            // Whoever names only a path, as in `my-org/weather`, is not sent to a host `my-org`.
            1 if !looks_like_registry(registry) => {
                let text = self.text.to_owned();
                return Err(ReferenceError {
                    text,
                    position: 0,
                    problem: ReferenceProblem::MissingRegistry,
                });
            }
            _ => {}
        }
        if self.at - start > MAX_PATH {
            self.at = start;
            return Err(self.error(ReferenceProblem::TooLong));
        }
        Ok(components)
    }

    /// Reads every following `/component`; possibly none.
    pub(crate) fn components(&mut self) -> Result<Vec<String>, ReferenceError> {
        let mut components = Vec::new();
        while let Some(component) = self.component()? {
            components.push(component);
        }
        Ok(components)
    }

    /// Reads the next `/component`, if there is a `/`.
    fn component(&mut self) -> Result<Option<String>, ReferenceError> {
        let Some(rest) = self.rest().strip_prefix('/') else { return Ok(None) };
        self.at += 1;
        let component = rest.split(['/', ':', '@']).next().unwrap_or_default();
        if let Some(offset) = invalid_component_byte(component) {
            return Err(self.error_in(offset, ReferenceProblem::Component));
        }
        self.at += component.len();
        Ok(Some(component.to_owned()))
    }

    /// Reads the next `:revision`, if there is a `:`.
    pub(crate) fn revision(&mut self) -> Result<Option<String>, ReferenceError> {
        let Some(rest) = self.rest().strip_prefix(':') else { return Ok(None) };
        self.at += 1;
        let tag = rest.split('@').next().unwrap_or_default();
        if let Some(offset) = invalid_tag_byte(tag) {
            return Err(self.error_in(offset, ReferenceProblem::Revision));
        }
        self.at += tag.len();
        Ok(Some(tag.to_owned()))
    }

    /// Reads the next `@algorithm:hex`, if there is an `@`.
    fn provenance(&mut self) -> Result<Option<Provenance>, ReferenceError> {
        let Some(rest) = self.rest().strip_prefix('@') else { return Ok(None) };
        self.at += 1;
        let invalid = |offset| self.error_in(offset, ReferenceProblem::Provenance);
        let (algorithm, hex) = rest.split_once(':').ok_or_else(|| invalid(rest.len()))?;
        if let Some(offset) = invalid_algorithm_byte(algorithm) {
            return Err(invalid(offset));
        }
        let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        let digits = hex.find(|c| !is_hex(c)).unwrap_or(hex.len());
        if digits == 0 || digits < hex.len() {
            return Err(invalid(algorithm.len() + 1 + digits));
        }
        let provenance = Provenance { algorithm: algorithm.to_owned(), hex: hex.to_owned() };
        self.at += rest.len();
        Ok(Some(provenance))
    }

    pub(crate) fn end(&self) -> Result<(), ReferenceError> {
        if self.rest().is_empty() { Ok(()) } else { Err(self.error(ReferenceProblem::Trailing)) }
    }
}

/// Returns the length of the host at the start of a registry, or the offset of a byte that cannot
/// be in one.
fn host_length(registry: &str) -> Result<usize, usize> {
    if let Some(rest) = registry.strip_prefix('[') {
        let address = rest.split(']').next().unwrap_or_default();
        let closed = rest.len() > address.len();
        let valid = closed && address.parse::<std::net::Ipv6Addr>().is_ok();
        return if valid { Ok(address.len() + 2) } else { Err(1) };
    }
    let host = registry.split(':').next().unwrap_or_default();
    let mut at = 0;
    for label in host.split('.') {
        if let Some(offset) = invalid_label_byte(label) {
            return Err(at + offset);
        }
        at += label.len() + 1;
    }
    Ok(host.len())
}

fn invalid_label_byte(label: &str) -> Option<usize> {
    let wrong = label.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'-'));
    wrong
        .or((label.is_empty() || label.starts_with('-')).then_some(0))
        .or(label.ends_with('-').then(|| label.len() - 1))
}

fn is_port(text: &str) -> bool {
    text.len() <= 5
        && text.bytes().all(|b| b.is_ascii_digit())
        && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Returns the offset of the first byte that does not fit `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn invalid_component_byte(component: &str) -> Option<usize> {
    let bytes = component.as_bytes();
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let mut at = 0;
    loop {
        let word = bytes[at..].iter().take_while(|b| is_word(**b)).count();
        if word == 0 {
            return Some(at);
        }
        at += word;
        if at == bytes.len() {
            return None;
        }
        match separator_length(&bytes[at..]) {
            Some(separator) => at += separator,
            None => return Some(at),
        }
    }
}

/// Returns the length of the `.`, `_`, `__` or dashes at the start.
fn separator_length(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'.', ..] => Some(1),
        [b'_', b'_', ..] => Some(2),
        [b'_', ..] => Some(1),
        [b'-', ..] => Some(bytes.iter().take_while(|b| **b == b'-').count()),
        _ => None,
    }
}

fn invalid_tag_byte(tag: &str) -> Option<usize> {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let fits = |(at, b): (usize, u8)| is_word(b) || (at > 0 && (b == b'.' || b == b'-'));
    let wrong = tag.bytes().enumerate().position(|pair| !fits(pair));
    wrong.or(tag.is_empty().then_some(0)).or((tag.len() > MAX_TAG).then_some(MAX_TAG))
}

/// Returns the offset of the first byte that does not fit `[a-z0-9]+([+._-][a-z0-9]+)*`.
fn invalid_algorithm_byte(algorithm: &str) -> Option<usize> {
    let mut at = 0;
    for word in algorithm.split(['+', '.', '_', '-']) {
        let valid =
            word.bytes().take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit()).count();
        if valid == 0 || valid < word.len() {
            return Some(at + valid);
        }
        at += word.len() + 1;
    }
    None
}

impl fmt::Display for OciReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}", self.registry, self.repository(), self.revision)?;
        self.provenance.as_ref().map_or(Ok(()), |provenance| write!(f, "@{provenance}"))
    }
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex)
    }
}

impl Identity {
    /// Makes the identity of an extension that a program brings by itself. It differs from that of
    /// every reference.
    pub fn embedded(name: &ExtensionName) -> Self {
        Self(format!("{EMBEDDED}/{name}"))
    }

    /// Returns the identity as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

crate::serde_as_text!(OciReference);
