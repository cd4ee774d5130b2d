//! References that are not complete: what commands that look something up take.

use std::fmt;
use std::str::FromStr;

use crate::reference::oci_reference::OciReference;
use crate::reference::reader::Reader;
use crate::reference::reference_error::ReferenceError;
use crate::reference::registry_name::{LOCAL, canonical_registry};
use crate::serde_as_text;

/// A repository, perhaps with a tag: `registry/[principal/]scope[:revision]`.
///
/// ```
/// let query: core_types::OciQuery = "ghcr.io/my-org/weather".parse()?;
/// assert_eq!((query.registry(), query.revision()), ("ghcr.io", None));
/// # Ok::<(), core_types::ReferenceError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OciQuery {
    prefix: OciPrefix,
    revision: Option<String>,
}

/// A part of a registry: `registry[/principal[/scope]]`, where a scope has one component or more.
///
/// It covers the repository that has its name, and every repository below: `ghcr.io/my-org` covers
/// `ghcr.io/my-org/x`, and on a registry whose repositories have one path component
/// `ghcr.io/my-org` itself, but not `ghcr.io/my-organisation/x`. Whether `registry/x` is meant as a
/// repository or as a principal need not be said: both are the same owner's.
///
/// ```
/// let prefix: core_types::OciPrefix = "ghcr.io/my-org".parse()?;
/// assert!(prefix.covers("ghcr.io", "my-org/weather"));
/// assert!(!prefix.covers("ghcr.io", "my-org-evil/weather"));
/// # Ok::<(), core_types::ReferenceError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OciPrefix {
    registry: String,
    components: Vec<String>,
}

impl OciQuery {
    /// Returns the repository that a reference points into.
    pub(crate) fn of_repository(reference: &OciReference) -> Self {
        let components = reference.repository().split('/').map(str::to_owned).collect();
        Self {
            prefix: OciPrefix { registry: reference.registry().to_owned(), components },
            revision: None,
        }
    }

    /// Returns the registry's host, with its port if one was written.
    pub fn registry(&self) -> &str {
        &self.prefix.registry
    }

    /// Returns the repository as the registry knows it: `principal/scope`, or the scope alone.
    pub fn repository(&self) -> String {
        self.prefix.components.join("/")
    }

    /// Tells whether it stands for a file, which registries do not have.
    pub fn is_local(&self) -> bool {
        self.registry().eq_ignore_ascii_case(LOCAL)
    }

    /// Returns the reference to a tag of this repository.
    ///
    /// # Errors
    /// When the text is not a tag.
    pub fn at(&self, tag: &str) -> Result<OciReference, ReferenceError> {
        format!("{}/{}:{tag}", self.registry(), self.repository()).parse()
    }

    /// Returns the tag, if one was asked for.
    pub fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }
}

impl OciPrefix {
    /// Returns the registry's host, with its port if one was written.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Returns the path components behind the registry; possibly none.
    pub fn components(&self) -> &[String] {
        &self.components
    }

    /// Tells whether a repository of this registry lies under the prefix, however the registry is
    /// written.
    pub fn covers(&self, registry: &str, repository: &str) -> bool {
        let mut path = repository.split('/');
        canonical_registry(&self.registry) == canonical_registry(registry)
            && self.components.iter().all(|component| path.next() == Some(component))
    }

    /// Tells whether another prefix means the same place, however its registry is written.
    pub fn is_same(&self, other: &Self) -> bool {
        self.components == other.components
            && canonical_registry(&self.registry) == canonical_registry(&other.registry)
    }
}

impl FromStr for OciQuery {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let mut reader = Reader::new(text);
        let registry = reader.registry()?;
        let components = reader.repository(&registry)?;
        let revision = reader.revision()?;
        reader.end()?;
        Ok(Self { prefix: OciPrefix { registry, components }, revision })
    }
}

impl FromStr for OciPrefix {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let mut reader = Reader::new(text);
        let registry = reader.registry()?;
        let components = reader.components()?;
        reader.end()?;
        Ok(Self { registry, components })
    }
}

impl fmt::Display for OciQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.prefix.fmt(f)?;
        self.revision.as_ref().map_or(Ok(()), |revision| write!(f, ":{revision}"))
    }
}

impl fmt::Display for OciPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.registry)?;
        self.components.iter().try_for_each(|component| write!(f, "/{component}"))
    }
}

serde_as_text!(OciQuery);
serde_as_text!(OciPrefix);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::reference_error::ReferenceProblem;
    use proptest::prelude::*;

    /// A query needs a repository and no revision.
    #[test]
    fn query_needs_only_a_repository() {
        let query: OciQuery = "ghcr.io/my-org/a/b".parse().expect("valid");
        assert_eq!(
            (query.registry(), query.repository().as_str(), query.revision()),
            ("ghcr.io", "my-org/a/b", None)
        );
        let query: OciQuery = "oci://ghcr.io/my-org/a:1.2".parse().expect("valid");
        assert_eq!(query.revision(), Some("1.2"));
        let query: OciQuery = "localhost:5000/a".parse().expect("valid");
        assert_eq!(
            (query.registry(), query.repository().as_str(), query.revision()),
            ("localhost:5000", "a", None)
        );
        assert_eq!(query.at("1").expect("a tag").to_string(), "localhost:5000/a:1");
        for (bad, problem) in [
            ("ghcr.io", ReferenceProblem::MissingPrincipal),
            ("local/x", ReferenceProblem::MissingScope),
            ("ghcr.io/my-org/a@sha256:00", ReferenceProblem::Trailing),
            ("ghcr.io/my-org/a:", ReferenceProblem::Revision),
        ] {
            assert_eq!(bad.parse::<OciQuery>().expect_err(bad).problem, problem, "{bad}");
        }
    }

    #[test]
    fn a_prefix_ends_at_a_slash() {
        let prefix: OciPrefix = "ghcr.io/my-org".parse().expect("valid");
        assert!(prefix.covers("GHCR.io", "my-org/x"));
        assert!(!prefix.covers("ghcr.io", "my-organisation/x"));
        assert!(!prefix.covers("ghcr.io.evil.com", "my-org/x"));
        assert!("ghcr.io".parse::<OciPrefix>().expect("valid").covers("ghcr.io", "anyone/x"));
        assert!("ghcr.io/my-org:1".parse::<OciPrefix>().is_err());
    }

    /// A policy holds for a registry and not for one spelling of it.
    #[test]
    fn prefix_covers_every_spelling() {
        for (prefix, registries) in [
            ("r.io/a", &["r.io", "R.IO", "r.io:443", "r.io:0443", "r.io:80", "r.io:080"][..]),
            ("r.io:443/a", &["r.io", "R.io:80"]),
            ("[::1]:5000/a", &["[0:0::1]:5000", "[::1]:05000"]),
            ("127.0.0.1:5000/a", &["127.1:5000", "0x7f000001:5000"]),
        ] {
            let prefix: OciPrefix = prefix.parse().expect("valid");
            for registry in registries {
                assert!(prefix.covers(registry, "a/b"), "{prefix} {registry}");
            }
            assert!(!prefix.covers("r.io:8443", "a/b") && !prefix.covers("r.io.evil.com", "a/b"));
        }
    }

    /// `registry/x` is a repository as well as a principal, and covers both.
    #[test]
    fn prefix_covers_repositories_below() {
        let covers = |prefix: &str, repository| {
            prefix.parse::<OciPrefix>().expect(prefix).covers("r.io", repository)
        };
        assert!(covers("r.io/x", "x") && covers("r.io/x", "x/y") && covers("r.io", "x"));
        assert!(!covers("r.io/x/y", "x") && !covers("r.io/x", "xy") && !covers("r.io/y", "x"));
    }

    /// A path without a registry is told apart from a repository with one path component.
    #[test]
    fn bare_path_misses_its_registry() {
        let check = |text: &str| text.parse::<OciQuery>().map(drop);
        for good in [
            "ghcr.io/x",
            "localhost/x",
            "LOCALHOST/x",
            "host:5000/x",
            "[::1]/x",
            "127.0.0.1/x",
            "host/a/x",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        let error = check("my-org/x:1").expect_err("no registry");
        insta::assert_snapshot!(error, @"`my-org/x:1` is not a reference: column 1: the registry is missing, such as `ghcr.io/`; a host without dots is written with its port, such as `:443`");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        /// Printing then parsing is the identity.
        #[test]
        fn printed_text_parses_back(
            text in "[a-z]{1,8}(\\.[a-z]{1,5}|:[1-9][0-9]{0,3})/[a-z0-9]{1,5}(/[a-z]{1,9})?(/[a-z]{1,4}){0,2}(:[A-Za-z0-9_][A-Za-z0-9._-]{0,9})?"
        ) {
            let query: OciQuery = text.parse().expect("generated");
            prop_assert_eq!(&query.to_string(), &text);
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<OciQuery>();
            let _ = text.parse::<OciPrefix>();
        }
    }
}
