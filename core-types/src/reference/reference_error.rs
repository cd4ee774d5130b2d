//! The problems that a reference can have.

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

impl ReferenceError {
    /// Returns the problem's column in characters, counted from 1.
    pub fn column(&self) -> usize {
        let before = self.text.char_indices().take_while(|(at, _)| *at < self.position);
        before.count() + 1
    }
}
