//! The grammar of references: one field after the other, each with the place of its first problem.

use crate::reference::provenance::Provenance;
use crate::reference::reference_error::{ReferenceError, ReferenceProblem};
use crate::reference::registry_name::is_reserved;

/// The longest path behind the registry, in bytes: the name of a repository in most registries, as
/// the specification of OCI distribution says.
const MAX_PATH: usize = 255;
/// The longest tag, in bytes, by the specification of OCI distribution.
const MAX_TAG: usize = 128;

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
    pub(crate) fn provenance(&mut self) -> Result<Option<Provenance>, ReferenceError> {
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
