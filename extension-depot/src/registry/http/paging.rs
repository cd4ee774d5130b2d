//! Lists that a registry sends in pages, such as tags and referrers. The list is complete, or it is
//! an error.

use std::collections::HashSet;

use reqwest::Url;

use crate::oci::descriptor::MAX_MANIFEST;
use crate::registry::error::RegistryError;
use crate::registry::http::connection::{Connection, DocumentHeaders, Target};
use crate::registry::http::link_header;

/// The most pages of one list. Quay sends at most 100 tags in a page.
const MAX_PAGES: usize = 1_000;
/// The most entries of one list: with the longest tags, about 13 MB.
const MAX_ENTRIES: usize = 100_000;
/// The most bytes of one list. Entries can carry annotations, and all of them are in memory at
/// once.
const MAX_BYTES: usize = 32 << 20;

/// How the pages of one kind of list are read.
pub(crate) struct Reader<T> {
    /// The media type that is asked for.
    pub(crate) accept: &'static str,
    /// Parses one page.
    pub(crate) parse: fn(&[u8]) -> Result<Vec<T>, RegistryError>,
    /// Identifies an entry.
    pub(crate) key: fn(&T) -> String,
}

/// Reads all pages of a list, each from the address that the one before names
/// (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags>).
/// Duplicates are left out.
pub(crate) async fn read_all<T>(
    connection: &Connection<'_>,
    first: &Target<'_>,
    reader: &Reader<T>,
) -> Result<Vec<T>, RegistryError> {
    let reading = read_pages(connection, first, reader);
    let timeout = |_| RegistryError::Timeout { registry: connection.registry().to_owned() };
    tokio::time::timeout_at(connection.deadline(), reading).await.map_err(timeout)?
}

async fn read_pages<T>(
    connection: &Connection<'_>,
    first: &Target<'_>,
    reader: &Reader<T>,
) -> Result<Vec<T>, RegistryError> {
    let incomplete = |reason: String| RegistryError::Incomplete {
        registry: connection.registry().to_owned(),
        reason,
    };
    let mut list = List { entries: Vec::new(), keys: HashSet::new() };
    let (mut visited, mut size) = (HashSet::new(), 0);
    let mut url = connection.url(first);
    for page in 1..=MAX_PAGES {
        visited.insert(url.clone());
        let answer = connection.get_bytes(&Target::Page(&url), reader.accept, MAX_MANIFEST).await;
        let (bytes, headers) = match answer {
            // The page is missing, and not the subject of the list.
            Err(RegistryError::NotFound { .. }) if page > 1 => {
                return Err(incomplete(format!("page {page} is missing")));
            }
            answer => answer?,
        };
        size += bytes.len();
        if size > MAX_BYTES {
            return Err(incomplete(format!("it has more than {MAX_BYTES} bytes")));
        }
        list.add((reader.parse)(&bytes)?, reader.key, page).map_err(incomplete)?;
        let Some(next) = next_page(&headers, connection.base()).map_err(incomplete)? else {
            return Ok(list.entries);
        };
        if visited.contains(&next) {
            return Err(incomplete(format!("page {page} leads back to a page before it")));
        }
        url = next;
    }
    Err(incomplete(format!("it has more than {MAX_PAGES} pages")))
}

/// The entries of the pages so far.
struct List<T> {
    entries: Vec<T>,
    keys: HashSet<String>,
}

impl<T> List<T> {
    /// Adds a page. One that has nothing new shows that the registry does not understand its own
    /// links.
    fn add(&mut self, entries: Vec<T>, key: fn(&T) -> String, page: usize) -> Result<(), String> {
        let (is_empty, before) = (entries.is_empty(), self.entries.len());
        for entry in entries {
            if self.keys.insert(key(&entry)) {
                self.entries.push(entry);
            }
        }
        if self.entries.len() == before && !is_empty {
            return Err(format!("page {page} repeats what came before it"));
        }
        if self.entries.len() > MAX_ENTRIES {
            return Err(format!("it has more than {MAX_ENTRIES} entries"));
        }
        Ok(())
    }
}

/// Returns the address of the page behind one, if there is one. It has to be at the registry
/// itself, which is told the login.
fn next_page(headers: &DocumentHeaders, registry: &Url) -> Result<Option<Url>, String> {
    let mut found: Option<Url> = None;
    for header in &headers.links {
        let unreadable = || "its header `Link` cannot be read".to_owned();
        let text = std::str::from_utf8(header.as_bytes()).map_err(|_| unreadable())?;
        for link in link_header::parse(text).ok_or_else(unreadable)? {
            let is_about_it =
                link.parameter("anchor").is_none_or(|anchor| is_at(&headers.url, anchor));
            if !link.has_relation("next") || !is_about_it {
                continue;
            }
            let next = resolve(&headers.url, link.target, registry)?;
            if found.as_ref().is_some_and(|found| *found != next) {
                return Err("its header `Link` names two next pages".to_owned());
            }
            found = Some(next);
        }
    }
    Ok(found)
}

fn is_at(url: &Url, reference: &str) -> bool {
    url.join(reference).is_ok_and(|found| found == *url)
}

fn resolve(from: &Url, target: &str, registry: &Url) -> Result<Url, String> {
    let mut next =
        from.join(target).map_err(|_| "the address of its next page is malformed".to_owned())?;
    if next.origin() != registry.origin() {
        let to = next.origin().ascii_serialization();
        return Err(format!("its next page is at `{}`, outside the registry", to.escape_debug()));
    }
    if !next.username().is_empty() || next.password().is_some() {
        return Err("the address of its next page has a login in it".to_owned());
    }
    next.set_fragment(None);
    Ok(next)
}
