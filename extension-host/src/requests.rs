//! What the author of an extension asks for, beyond what its imports say.

use core_types::{Capabilities, Grant, TomlProblem, parse_toml};
use wasmparser::{Parser, Payload};

/// The custom section in which a component carries its author's manifest. Being part of the binary, the digest covers
/// it.
const SECTION: &str = "open-sesame:manifest";

/// The largest such section, in bytes.
const MAX_SECTION: usize = 64 * 1024;
/// The most permissions that an author can ask for.
const MAX_REQUESTS: usize = 64;

/// Why the author's requests cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The binary is damaged.
    #[error("the sections of the binary cannot be read")]
    Binary(#[source] wasmparser::BinaryReaderError),
    /// It is larger than anybody would read, or asks for more than anybody would answer.
    #[error(
        "the custom section `{SECTION}` is too large: {MAX_SECTION} bytes and {MAX_REQUESTS} requests are the most"
    )]
    TooLarge,
    /// The section is no text.
    #[error("the custom section `{SECTION}` is no UTF-8 text")]
    Text,
    /// The section is no manifest.
    #[error("the custom section `{SECTION}` is no manifest: {0}")]
    Manifest(TomlProblem),
}

#[derive(serde::Deserialize)]
struct AuthorManifest {
    #[serde(default)]
    capabilities: Capabilities,
}

/// The grants that the author's manifest in the binary asks for; none where there is no such manifest.
///
/// Asking grants nothing.
///
/// # Errors
/// When the section is there and cannot be understood.
pub fn requested_by_author(binary: &[u8]) -> Result<Vec<Grant>, RequestError> {
    let Some(section) = section(binary)? else { return Ok(Vec::new()) };
    if section.len() > MAX_SECTION {
        return Err(RequestError::TooLarge);
    }
    let text = std::str::from_utf8(section).map_err(|_| RequestError::Text)?;
    let parsed = parse_toml::<AuthorManifest>(text).map_err(RequestError::Manifest)?;
    let requests = parsed.value.capabilities.grants_in_full();
    if requests.len() > MAX_REQUESTS { Err(RequestError::TooLarge) } else { Ok(requests) }
}

/// The contents of the section at the outermost level. Those of components inside are not the author's.
fn section(binary: &[u8]) -> Result<Option<&[u8]>, RequestError> {
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(binary) {
        match payload.map_err(RequestError::Binary)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::CustomSection(section) if depth == 0 && section.name() == SECTION => {
                return Ok(Some(section.data()));
            }
            _ => {}
        }
    }
    Ok(None)
}
