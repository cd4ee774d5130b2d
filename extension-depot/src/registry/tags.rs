//! The tags of a repository.

use std::time::Duration;

use core_types::{OciQuery, OciReference, compare_tags};
use serde::Deserialize;

use crate::registry::client::Registry;
use crate::registry::error::RegistryError;
use crate::registry::http::connection::{Connection, Target};
use crate::registry::http::paging::{Reader, read_all};

/// The tags that one request asks for: the most that common registries send at once.
const PAGE: usize = 1_000;

/// The tags that are suggested where one is missing: as many as a person reads.
const MAX_NEAREST: usize = 5;
/// How long the tags are waited for where one is missing: they only help, and the error is known
/// already.
const NEAREST_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct TagList {
    /// Some registries say `null` for none.
    tags: Option<Vec<String>>,
}

impl Registry {
    /// Returns the tags of a repository, in the order in which the registry gives them. Those that
    /// only name the signatures and attachments of a digest are left out.
    ///
    /// # Errors
    /// When the registry does not have the repository, cannot be reached, or sends something else
    /// than all tags.
    pub async fn tags(&self, repository: &OciQuery) -> Result<Vec<String>, RegistryError> {
        // A connection needs a reference, whose tag is not fetched.
        let any =
            repository.at("any").map_err(|error| RegistryError::malformed(error.to_string()))?;
        let reader = Reader { accept: "application/json", parse, key: String::clone };
        let read = async |connection: &Connection<'_>| {
            read_all(connection, &Target::Tags { most: PAGE }, &reader).await
        };
        let mut tags = self.at_each(&any, read).await.map_err(|error| match error {
            // The tag of the connection means nothing to the caller.
            RegistryError::NotFound { source, .. } => RegistryError::MissingRepository {
                repository: Box::new(repository.clone()),
                source,
            },
            other => other,
        })?;
        tags.retain(|tag| !names_a_digest(tag));
        Ok(tags)
    }
}

impl Registry {
    /// Returns the same result, with the nearest tags where a tag is missing.
    pub(crate) async fn with_nearest_tags<T>(
        &self,
        reference: &OciReference,
        result: Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        let is_tag_missing = matches!(result, Err(RegistryError::NotFound { .. }))
            && reference.provenance().is_none();
        if !is_tag_missing {
            return result;
        }
        let repository = reference.repository_query();
        match tokio::time::timeout(NEAREST_TIMEOUT, self.tags(&repository)).await {
            // Where the tag is in the list, something behind it is missing.
            Ok(Ok(tags))
                if !tags.is_empty() && !tags.iter().any(|tag| tag == reference.revision()) =>
            {
                let nearest = nearest(reference.revision(), tags);
                Err(RegistryError::MissingTag { reference: Box::new(reference.clone()), nearest })
            }
            _ => result,
        }
    }
}

/// Returns the tags that are most like this one, the nearest first.
fn nearest(wanted: &str, mut tags: Vec<String>) -> Vec<String> {
    let is_version_of = |tag: &str| tag.starts_with(wanted) || wanted.starts_with(tag);
    tags.sort_by(|one, other| compare_tags(one, other));
    tags.sort_by_cached_key(|tag| (!is_version_of(tag), strsim::levenshtein(tag, wanted)));
    tags.truncate(MAX_NEAREST);
    tags
}

/// Parses one page.
fn parse(bytes: &[u8]) -> Result<Vec<String>, RegistryError> {
    let list: TagList = serde_json::from_slice(bytes)
        .map_err(|error| RegistryError::malformed(error.to_string()))?;
    let tags = list.tags.unwrap_or_default();
    // A tag that is none could be a path, or play tricks on a terminal.
    match tags.iter().find(|tag| !is_tag(tag)) {
        Some(bad) => {
            Err(RegistryError::malformed(format!("`{}` is not a tag", bad.escape_debug())))
        }
        None => Ok(tags),
    }
}

/// Returns the grammar of the distribution specification.
fn is_tag(tag: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=128).contains(&tag.len()) && tag.bytes().all(fits) && !tag.starts_with(['.', '-'])
}

/// `sha256-<hex>` and `sha256-<hex>.sig`, the tags that older registries keep attachments under.
fn names_a_digest(tag: &str) -> bool {
    let hex = tag.strip_prefix("sha256-").and_then(|rest| rest.get(..64));
    hex.is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_tags_are_similar() {
        let tags = ["0.1.0", "1.0.0", "1.2.0", "1.2.1", "latest", "v1.2", "v2.0.0"]
            .map(str::to_owned)
            .to_vec();
        let all = |wanted: &str| nearest(wanted, tags.clone());
        assert_eq!(all("1.2")[..3], ["1.2.1", "1.2.0", "v1.2"]);
        assert_eq!(all("v1.2.1")[..2], ["v1.2", "1.2.1"]);
        assert_eq!(all("lates")[0], "latest");
        assert_eq!(all("x").len(), MAX_NEAREST);
    }
}
