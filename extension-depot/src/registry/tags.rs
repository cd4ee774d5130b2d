//! The tags of a repository.

use core_types::OciQuery;
use serde::Deserialize;

use super::Registry;
use super::error::RegistryError;
use super::http::{Connection, Target};
use super::paging::{Reader, read_all};
use crate::image::ImageError;

/// How many tags one request asks for.
const PAGE: usize = 1_000;

#[derive(Deserialize)]
struct TagList {
    /// Some registries say `null` for none.
    tags: Option<Vec<String>>,
}

impl Registry {
    /// The tags of a repository, in the order in which the registry gives them. Those that only name the signatures and
    /// attachments of a digest are left out.
    ///
    /// # Errors
    /// When the registry does not have the repository, cannot be reached, or sends something else than all tags.
    pub async fn tags(&self, repository: &OciQuery) -> Result<Vec<String>, RegistryError> {
        // A connection is made for a reference, and what it points to is not asked for.
        let any = repository.at("any").map_err(|error| malformed(&error.to_string()))?;
        let reader = Reader { accept: "application/json", parse, key: String::clone };
        let read = async |connection: &Connection<'_>| read_all(connection, &Target::Tags { most: PAGE }, &reader).await;
        let mut tags = self.at_each(&any, read).await?;
        tags.retain(|tag| !names_a_digest(tag));
        Ok(tags)
    }
}

/// Parses one page.
fn parse(bytes: &[u8]) -> Result<Vec<String>, RegistryError> {
    let list: TagList = serde_json::from_slice(bytes).map_err(|error| malformed(&error.to_string()))?;
    let tags = list.tags.unwrap_or_default();
    // A tag that is none could be a path, or play tricks on a terminal.
    match tags.iter().find(|tag| !is_tag(tag)) {
        Some(bad) => Err(malformed(&format!("`{}` is not a tag", bad.escape_debug()))),
        None => Ok(tags),
    }
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
