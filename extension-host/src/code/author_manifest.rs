//! The author's manifest in a binary: the requests beyond the imports, the declared settings, and
//! the declared events.

use std::io::{self, BufReader, Read, Seek};
use std::ops::Range;

use core_types::event::{AuthorEvents, EventName, EventPattern, EventTables};
use core_types::{
    Capability, ConfigSchema, Grant, Parsed, RequestedCapabilities, RequestedGrant, Scope,
    TomlProblem, UnknownKey, parse_author_manifest,
};
use wasmparser::BinaryReader;

/// The custom section with the author's manifest. It is part of the binary, so that the digest
/// covers it.
const SECTION: &str = "open-sesame:manifest";

/// The maximum of the section, in bytes: it is shown to a person.
const MAX_SECTION: usize = 64 * 1024;
/// The number of custom sections.
const CUSTOM: u8 = 0;
/// The largest section that can be an author's manifest, in bytes: its text, its name, and the length
/// of that, which can have five bytes.
const MAX_CUSTOM: usize = MAX_SECTION + SECTION.len() + 5;
/// The maximum of requested permissions: each is a question to a person.
const MAX_REQUESTS: usize = 64;

/// Why the author's manifest cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The binary is damaged.
    #[error("the sections of the binary cannot be read")]
    Binary(#[source] wasmparser::BinaryReaderError),
    /// The section is too large to be read, or has too many requests to be answered.
    #[error(
        "the custom section `{SECTION}` is too large: {MAX_SECTION} bytes and {MAX_REQUESTS} requests are the limit"
    )]
    TooLarge,
    /// The section is not text.
    #[error("the custom section `{SECTION}` is not UTF-8 text")]
    Text,
    /// The section is not a manifest.
    #[error("the custom section `{SECTION}` is not a manifest: {0}")]
    Manifest(TomlProblem),
}

#[derive(Default, serde::Deserialize)]
struct AuthorManifest {
    #[serde(default)]
    capabilities: RequestedCapabilities,
    #[serde(default)]
    config: AuthorConfig,
    #[serde(default)]
    events: AuthorEvents,
}

#[derive(Default, serde::Deserialize)]
struct AuthorConfig {
    #[serde(default)]
    schema: ConfigSchema,
}

/// Returns the grants that the author's manifest requests; none without a manifest. The table of an
/// event requests the event.
///
/// A request grants nothing.
///
/// # Errors
/// When the section exists and cannot be understood.
pub fn requested_by_author(binary: &[u8]) -> Result<Vec<RequestedGrant>, RequestError> {
    let AuthorManifest { capabilities, events, .. } = parsed_manifest(binary)?;
    let mut requests: Vec<_> = capabilities.into_iter().collect();
    for (name, _) in events.tables().iter() {
        let grant = Grant::of_event(name.clone());
        if !requests.iter().any(|request| request.grant.covers(&grant)) {
            requests.push(RequestedGrant::required(grant));
        }
    }
    if requests.len() > MAX_REQUESTS { Err(RequestError::TooLarge) } else { Ok(requests) }
}

/// Everything that the author says about events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeclaredEvents {
    /// The settings of events, each of which is requested.
    pub tables: EventTables,
    /// Requested patterns and events.
    pub requested: Vec<EventPattern>,
}

impl DeclaredEvents {
    /// Returns one of the events, if there are any, as it is written.
    pub fn first(&self) -> Option<String> {
        self.requested.first().map(ToString::to_string)
    }

    /// Returns the events that are requested by their names.
    pub fn names(&self) -> impl Iterator<Item = &EventName> {
        self.requested.iter().filter_map(EventPattern::name)
    }
}

/// Returns what the author's manifest says about events; nothing without a manifest.
///
/// # Errors
/// When the section exists and cannot be understood.
pub fn declared_events(binary: &[u8]) -> Result<DeclaredEvents, RequestError> {
    let requested = requested_by_author(binary)?.into_iter().filter_map(|request| {
        match request.grant.scope() {
            Scope::Events(events) => Some(events.clone()),
            _ => None,
        }
    });
    let requested = requested.collect();
    let tables = parsed_manifest(binary)?.events.into_tables();
    Ok(DeclaredEvents { tables, requested })
}

/// Returns the keys of an author's manifest that mean nothing there: misspelt ones, and those that
/// belong to the manifest of the user. Other tools may have tables of their own in it.
pub fn unknown_keys_of_author(text: &str) -> Vec<UnknownKey> {
    let parsed = parse_author_manifest::<AuthorManifest>(text);
    let is_ours = |key: &UnknownKey| {
        ["events.", "service"].iter().any(|table| key.path.starts_with(table)) || key.is_event()
    };
    let keys = parsed.map(|parsed| parsed.unknown_keys).unwrap_or_default();
    keys.into_iter().filter(is_ours).collect()
}

/// Returns the capabilities that the author's manifest requests as optional and not as required:
/// the extension starts without them.
///
/// # Errors
/// When the section exists and cannot be understood.
pub fn optional_for_author(binary: &[u8]) -> Result<Vec<Capability>, RequestError> {
    let (optional, required): (Vec<_>, Vec<_>) =
        requested_by_author(binary)?.into_iter().partition(|request| request.is_optional);
    let is_required = |capability: &Capability| {
        required.iter().any(|request| request.grant.capability() == *capability)
    };
    let optional = optional.into_iter().map(|request| request.grant.capability());
    Ok(optional.filter(|capability| !is_required(capability)).collect())
}

/// Reads the header and the small custom sections of a binary, which have the author's manifest, and
/// passes over the rest: a call has no use for the tens of megabytes of an interpreter.
///
/// # Errors
/// When it cannot be read, or ends within a section.
pub fn custom_sections(file: impl Read + Seek) -> io::Result<Vec<u8>> {
    let mut file = BufReader::new(file);
    let mut kept = vec![0; HEADER];
    file.read_exact(&mut kept)?;
    let mut id = [0];
    while file.read(&mut id)? == 1 {
        let length = read_length(&mut file)?;
        if id[0] == CUSTOM && length <= MAX_CUSTOM {
            let mut content = vec![0; length];
            file.read_exact(&mut content)?;
            kept.push(CUSTOM);
            put_length(&mut kept, length);
            kept.extend(content);
        } else {
            file.seek_relative(i64::try_from(length).map_err(io::Error::other)?)?;
        }
    }
    Ok(kept)
}

/// Returns the settings that the author's manifest declares; none without a manifest.
///
/// # Errors
/// When the section exists and cannot be understood.
pub fn declared_settings(binary: &[u8]) -> Result<ConfigSchema, RequestError> {
    parsed_manifest(binary).map(|manifest| manifest.config.schema)
}

fn parsed_manifest(binary: &[u8]) -> Result<AuthorManifest, RequestError> {
    let Some(text) = author_manifest(binary)? else { return Ok(AuthorManifest::default()) };
    let parsed = parse_author_manifest::<AuthorManifest>(text);
    parsed.map(|Parsed { value, .. }| value).map_err(RequestError::Manifest)
}

/// Returns the text of the author's manifest in a binary.
///
/// # Errors
/// When the binary is damaged, or the section is too large or not text.
pub fn author_manifest(binary: &[u8]) -> Result<Option<&str>, RequestError> {
    let Some(section) = sections(binary)?.into_iter().find_map(|section| section.manifest) else {
        return Ok(None);
    };
    if section.len() > MAX_SECTION {
        return Err(RequestError::TooLarge);
    }
    std::str::from_utf8(section).map(Some).map_err(|_| RequestError::Text)
}

/// Tells whether a binary has an author's manifest.
///
/// # Errors
/// When the binary is damaged.
pub fn has_author_manifest(binary: &[u8]) -> Result<bool, RequestError> {
    Ok(sections(binary)?.iter().any(|section| section.manifest.is_some()))
}

/// Returns the binary with this text as its author's manifest, replacing an earlier one. The same
/// input makes the same bytes.
///
/// # Errors
/// When the binary is damaged, or [`requested_by_author`] could not read the result.
pub fn with_author_manifest(binary: &[u8], manifest: &str) -> Result<Vec<u8>, RequestError> {
    let mut bytes = without_section(binary)?;
    // Both integers have the variable length of the format, which is that of LEB128.
    let mut content = Vec::new();
    put_length(&mut content, SECTION.len());
    content.extend_from_slice(SECTION.as_bytes());
    content.extend_from_slice(manifest.as_bytes());
    bytes.push(CUSTOM);
    put_length(&mut bytes, content.len());
    bytes.extend(content);
    requested_by_author(&bytes)?;
    Ok(bytes)
}

fn put_length(bytes: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
}

/// Reads a length of at most 32 bits.
fn read_length(file: &mut impl Read) -> io::Result<usize> {
    let mut length = 0;
    for shift in (0..32).step_by(7) {
        let mut byte = [0];
        file.read_exact(&mut byte)?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        if byte[0] < 0x80 {
            return Ok(length);
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// Removes every section of that name at the outermost level.
fn without_section(binary: &[u8]) -> Result<Vec<u8>, RequestError> {
    let mut kept = binary.get(..HEADER).unwrap_or(binary).to_vec();
    for section in sections(binary)?.into_iter().filter(|section| section.manifest.is_none()) {
        kept.extend_from_slice(&binary[section.range]);
    }
    Ok(kept)
}

/// A section at the outermost level. Those of components inside are not the author's.
struct Section<'a> {
    /// Its place in the binary.
    range: Range<usize>,
    /// Its text, if it is an author's manifest.
    manifest: Option<&'a [u8]>,
}

/// The length of the magic number and the version, which come before the sections.
const HEADER: usize = 8;

/// Reads the sections. Modules and components are framed alike: a number, a length and so many
/// bytes, one section after another.
fn sections(binary: &[u8]) -> Result<Vec<Section<'_>>, RequestError> {
    let mut reader = BinaryReader::new(binary.get(HEADER..).unwrap_or_default(), HEADER);
    let mut sections = Vec::new();
    while !reader.eof() {
        let begin = reader.original_position();
        let section = next_section(&mut reader).map_err(RequestError::Binary)?;
        sections.push(Section { range: begin..reader.original_position(), manifest: section });
    }
    Ok(sections)
}

fn next_section<'a>(reader: &mut BinaryReader<'a>) -> wasmparser::Result<Option<&'a [u8]>> {
    let (id, length) = (reader.read_u8()?, reader.read_var_u32()?);
    let content = reader.read_bytes(length as usize)?;
    if id != 0 {
        return Ok(None);
    }
    let mut content = BinaryReader::new(content, 0);
    let is_manifest = content.read_string()? == SECTION;
    if is_manifest { content.read_bytes(content.bytes_remaining()).map(Some) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn manifest_replaces_earlier_one() {
        let component = include_bytes!("../../../tests/guests/built/greeting.wasm");
        let asking = |grant: &str| format!("[capabilities]\n{grant} = true\n");
        let first = with_author_manifest(component, &asking("notification")).expect("put in");
        assert_eq!(
            requested_by_author(&first).expect("read"),
            [RequestedGrant::required("notification".parse().expect("a grant"))]
        );
        let second = with_author_manifest(&first, &asking("clipboard-write")).expect("put in");
        assert_eq!(
            requested_by_author(&second).expect("read"),
            [RequestedGrant::required("clipboard-write".parse().expect("a grant"))]
        );
        assert_eq!(without_section(&second).expect("taken out"), component);
        assert_eq!(
            with_author_manifest(component, &asking("clipboard-write")).expect("put in"),
            second
        );
    }

    /// A capability of which a part is required is not optional.
    #[test]
    fn optional_parts_do_not_make_optional() {
        let module = b"\0asm\x01\0\0\0";
        let asking = "[capabilities]\nnotification = { optional = true, reason = \"r\" }\n\
                      secret-read = [\"a\", { name = \"b\", optional = true }]\n";
        let binary = with_author_manifest(module, asking).expect("put in");
        assert_eq!(requested_by_author(&binary).expect("read").len(), 3);
        assert_eq!(optional_for_author(&binary).expect("read"), [Capability::Notification]);
        assert_eq!(optional_for_author(module).expect("none"), []);
    }

    /// The small custom sections have the manifest, whatever large section stands before it.
    #[test]
    fn large_sections_are_passed_over() {
        let component = include_bytes!("../../../tests/guests/built/greeting.wasm");
        let asking = "[capabilities]\nnotification = { optional = true, reason = \"r\" }\n";
        let mut large = component.to_vec();
        for (id, length) in [(CUSTOM, 1 << 20), (1, 300), (CUSTOM, 3)] {
            large.push(id);
            put_length(&mut large, length);
            // A name without letters is one of a custom section.
            large.extend(std::iter::repeat_n(0, length));
        }
        let binary = with_author_manifest(&large, asking).expect("put in");
        let sections = custom_sections(Cursor::new(&binary)).expect("read");
        assert!(sections.len() < 64 << 10, "{}", sections.len());
        assert_eq!(author_manifest(&sections).expect("read"), Some(asking));
        assert_eq!(optional_for_author(&sections).expect("read"), [Capability::Notification]);
        assert!(custom_sections(Cursor::new(&binary[..binary.len() - 1])).is_err());
        assert!(custom_sections(Cursor::new(b"\0asm")).is_err());
    }

    /// Settings travel with the binary, and one that contradicts itself is not put in.
    #[test]
    fn settings_are_carried() {
        let module = b"\0asm\x01\0\0\0";
        let declaring =
            "[config.schema]\ndays = { type = \"integer\", default = 3 }\n[config]\nother = 1\n";
        let binary = with_author_manifest(module, declaring).expect("put in");
        let settings = declared_settings(&binary).expect("read");
        assert_eq!(settings.get("days").and_then(|days| days.default.as_deref()), Some("3"));
        assert!(
            settings.check("days", "many").is_err()
                && declared_settings(module).expect("none").is_empty()
        );
        assert!(
            with_author_manifest(module, "[config.schema]\ndays = { type = \"week\" }").is_err()
        );
    }

    /// A table of an event requests it, once, and what belongs to the user is reported.
    #[test]
    fn events_are_carried_and_requested() {
        let module = b"\0asm\x01\0\0\0";
        let declaring = "[capabilities]\nevents = [\"power.*\", { name = \"custom.a\", reason = \"r\" }, \"powr\"]\n\
                         [events.\"power.battery\"]\nbelow = 20\nwhile_locked = true\n\
                         [events.\"time.every\"]\nevery = \"1h\"\n[events.\"custom.a\"]\n[service]\n[build]\nx = 1\n";
        let binary = with_author_manifest(module, declaring).expect("put in");
        let requested = requested_by_author(&binary).expect("read");
        let requested: Vec<_> = requested.iter().map(|it| it.grant.to_string()).collect();
        assert_eq!(requested, ["events=power.*", "events=custom.a", "events=time.every"]);
        let declared = declared_events(&binary).expect("read");
        assert_eq!((declared.tables.iter().count(), declared.requested.len()), (3, 3));
        let unknown: Vec<_> =
            unknown_keys_of_author(declaring).iter().map(ToString::to_string).collect();
        assert_eq!(
            unknown,
            [
                "line 5: unknown key `events.power.battery.while_locked` does nothing; it belongs to the manifest of the user",
                "line 9: unknown key `service` does nothing; it belongs to the manifest of the user",
                "line 2: unknown event `powr` does nothing; the nearest is `power.*`",
            ]
        );
        assert!(with_author_manifest(module, "[events.\"time.every\"]\nevery = 5").is_err());
        assert_eq!(declared_events(module).expect("none"), DeclaredEvents::default());
    }

    /// An unreadable manifest is not put in, and no bytes panic.
    #[test]
    fn unreadable_manifest_is_refused() {
        let module = b"\0asm\x01\0\0\0";
        assert!(with_author_manifest(module, "[capabilities]\nroot = ").is_err());
        assert!(with_author_manifest(module, &"#".repeat(MAX_SECTION + 1)).is_err());
        assert!(requested_by_author(b"\0asm").expect("nothing").is_empty());
        let whole =
            with_author_manifest(module, "[capabilities]\nnotification = true").expect("put in");
        for length in 9..whole.len() {
            assert!(requested_by_author(&whole[..length]).is_err(), "{length}");
        }
    }
}
