//! References that are not complete: what commands that look something up take.

use std::fmt;
use std::str::FromStr;

use crate::reference::{OciReference, Reader, ReferenceError, ReferenceProblem};
use crate::serde_as_text;

/// A repository, perhaps with a tag: `registry/principal/scope[:revision]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OciQuery {
    prefix: OciPrefix,
    revision: Option<String>,
}

/// A part of a registry: `registry[/principal[/scope]]`, where a scope has one component or more.
///
/// It covers a repository when it ends at a `/` of it: `ghcr.io/my-org` covers `ghcr.io/my-org/x` and not
/// `ghcr.io/my-organisation/x`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OciPrefix {
    registry: String,
    components: Vec<String>,
}

impl OciQuery {
    /// The repository that a reference points into.
    pub(crate) fn of_repository(reference: &OciReference) -> Self {
        let components = reference.repository().split('/').map(str::to_owned).collect();
        Self { prefix: OciPrefix { registry: reference.registry().to_owned(), components }, revision: None }
    }

    /// The registry's host, with its port if one was written.
    pub fn registry(&self) -> &str {
        &self.prefix.registry
    }

    /// The repository as the registry knows it: `principal/scope`.
    pub fn repository(&self) -> String {
        self.prefix.components.join("/")
    }

    /// The reference to a tag of this repository.
    ///
    /// # Errors
    /// When the text is no tag.
    pub fn at(&self, tag: &str) -> Result<OciReference, ReferenceError> {
        format!("{}/{}:{tag}", self.registry(), self.repository()).parse()
    }

    /// The tag, if one was asked for.
    pub fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }
}

impl OciPrefix {
    /// The registry's host, with its port if one was written.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path components behind the registry; possibly none.
    pub fn components(&self) -> &[String] {
        &self.components
    }

    /// Whether a repository of this registry lies under the prefix. Host names are compared without regard to case.
    pub fn covers(&self, registry: &str, repository: &str) -> bool {
        let mut path = repository.split('/');
        self.registry.eq_ignore_ascii_case(registry)
            && self.components.iter().all(|component| path.next() == Some(component))
    }
}

impl FromStr for OciQuery {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let mut reader = Reader::new(text);
        let prefix = OciPrefix::read(&mut reader)?;
        match prefix.components.len() {
            0 => return Err(reader.error(ReferenceProblem::MissingPrincipal)),
            1 => return Err(reader.error(ReferenceProblem::MissingScope)),
            _ => {}
        }
        let revision = reader.revision()?;
        reader.end()?;
        Ok(Self { prefix, revision })
    }
}

impl OciPrefix {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ReferenceError> {
        let registry = reader.registry()?;
        let mut components = Vec::new();
        while let Some(component) = reader.component()? {
            components.push(component);
        }
        Ok(Self { registry, components })
    }
}

impl FromStr for OciPrefix {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let mut reader = Reader::new(text);
        let prefix = Self::read(&mut reader)?;
        reader.end()?;
        Ok(prefix)
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
    use proptest::prelude::*;

    #[test]
    fn a_query_needs_a_repository_and_no_revision() {
        let query: OciQuery = "ghcr.io/my-org/a/b".parse().expect("valid");
        assert_eq!((query.registry(), query.repository().as_str(), query.revision()), ("ghcr.io", "my-org/a/b", None));
        let query: OciQuery = "oci://ghcr.io/my-org/a:1.2".parse().expect("valid");
        assert_eq!(query.revision(), Some("1.2"));
        for (bad, problem) in [
            ("ghcr.io", ReferenceProblem::MissingPrincipal),
            ("ghcr.io/my-org", ReferenceProblem::MissingScope),
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn printing_then_parsing_is_the_identity(
            text in "[a-z]{1,8}(\\.[a-z]{1,5})?(:[1-9][0-9]{0,3})?/[a-z0-9]{1,5}/[a-z]{1,9}(/[a-z]{1,4}){0,2}(:[A-Za-z0-9_][A-Za-z0-9._-]{0,9})?"
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
