//! The tags of a repository.

use core_types::OciQuery;
use serde::Deserialize;

use super::Registry;
use super::error::RegistryError;
use super::http::{Connection, Target};
use crate::image::{ImageError, MAX_MANIFEST};

/// How many tags one request asks for.
const PAGE: usize = 1_000;
/// How many requests are made for one repository.
const MAX_PAGES: usize = 100;

#[derive(Deserialize)]
struct TagList {
    /// Some registries say `null` for none.
    tags: Option<Vec<String>>,
}

impl Registry {
    /// The tags of a repository, in the order in which the registry gives them. Those that only name the signatures and
    /// attachments of a digest are left out.
    ///
    /// Further pages are asked for by the last tag of the one before, and never by a link that the registry writes
    /// (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags>).
    ///
    /// # Errors
    /// When the registry does not have the repository, cannot be reached, or sends something else than tags.
    pub async fn tags(&self, repository: &OciQuery) -> Result<Vec<String>, RegistryError> {
        // A connection is made for a reference, and what it points to is not asked for.
        let any = repository.at("any").map_err(|error| malformed(&error.to_string()))?;
        let mut tags = self.at_each(&any, async |connection| all_pages(connection).await).await?;
        tags.retain(|tag| !names_a_digest(tag));
        Ok(tags)
    }
}

async fn all_pages(connection: &Connection<'_>) -> Result<Vec<String>, RegistryError> {
    let mut tags: Vec<String> = Vec::new();
    for _ in 0..MAX_PAGES {
        let (page, is_last) = page(connection, tags.last().map(String::as_str)).await?;
        let before = tags.len();
        tags.extend(page);
        if is_last || tags.len() == before {
            break;
        }
    }
    Ok(tags)
}

async fn page(connection: &Connection<'_>, last: Option<&str>) -> Result<(Vec<String>, bool), RegistryError> {
    let target = Target::Tags { most: PAGE, last };
    let (bytes, headers) = connection.get_bytes(&target, "application/json", MAX_MANIFEST).await?;
    let list: TagList = serde_json::from_slice(&bytes).map_err(|error| malformed(&error.to_string()))?;
    let tags = list.tags.unwrap_or_default();
    // A tag that is none could be a path, or play tricks on a terminal.
    if let Some(bad) = tags.iter().find(|tag| !is_tag(tag)) {
        return Err(malformed(&format!("`{}` is no tag", bad.escape_debug())));
    }
    Ok((tags, !headers.has_more))
}

fn malformed(reason: &str) -> RegistryError {
    RegistryError::Image(ImageError::Malformed { reason: reason.to_owned() })
}

/// The grammar of the distribution specification.
fn is_tag(tag: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=128).contains(&tag.len()) && tag.bytes().all(fits) && !tag.starts_with(['.', '-'])
}

/// `sha256-<hex>` and `sha256-<hex>.sig`, the tags that older registries keep attachments under.
fn names_a_digest(tag: &str) -> bool {
    let hex = tag.strip_prefix("sha256-").and_then(|rest| rest.get(..64));
    hex.is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
}
