//! The cells of a listing.

use core_types::OciReference;
use jiff::Timestamp;

use crate::terminal::{
    Style, escape_to_line,
    moment::{ago, rfc3339},
};

/// One cell: the whole value for programs, and shorter forms for a narrow terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// The value in full, on one line and without anything that a terminal acts on.
    full: String,
    /// The forms for a table, from the longest on; `full` where there are none.
    forms: Vec<String>,
    /// The meaning.
    style: Style,
}

impl Cell {
    /// Makes a cell of untrusted text.
    pub fn new(text: &str) -> Self {
        Self { full: escape_to_line(text), ..Self::default() }
    }

    /// Makes a cell of a reference. In a table it has the beginning of its digest, which is enough
    /// to tell versions apart by eye, or no digest where that is too long.
    pub fn reference(reference: &OciReference) -> Self {
        let forms = [shortened(reference), reference.unpinned().to_string()];
        Self {
            full: escape_to_line(&reference.to_string()),
            forms: forms.map(|form| escape_to_line(&form)).to_vec(),
            ..Self::default()
        }
    }

    /// Makes a cell with another text in a table than for programs.
    pub fn with_form(full: &str, form: &str) -> Self {
        Self { full: escape_to_line(full), forms: vec![escape_to_line(form)], ..Self::default() }
    }

    /// Makes a cell of a time: its age in a table, or the time itself.
    pub fn time(at: Timestamp, now: Timestamp) -> Self {
        Self { full: rfc3339(at), forms: vec![ago(at, now)], style: Style::Faint }
    }

    /// Makes a cell of a time in a file. Other text is shown as it is.
    pub fn written_time(text: &str, now: Timestamp) -> Self {
        text.parse().map_or_else(|_| Self::new(text), |at| Self::time(at, now))
    }

    /// Adds a meaning.
    pub fn styled(self, style: Style) -> Self {
        Self { style, ..self }
    }

    /// Returns the value for programs.
    pub fn full(&self) -> &str {
        &self.full
    }

    /// The meaning.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Returns the longest form of a table.
    pub fn widest(&self) -> &str {
        self.forms.first().unwrap_or(&self.full)
    }

    /// Returns the value and then its forms.
    pub fn forms_with_full(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.full.as_str()).chain(self.forms.iter().map(String::as_str))
    }

    /// Returns the shortest form.
    pub fn shortest(&self) -> &str {
        self.forms.last().unwrap_or(&self.full)
    }

    /// Returns the forms of a table, from the longest on.
    pub fn forms(&self) -> impl Iterator<Item = &str> {
        let full = self.forms.is_empty().then_some(self.full.as_str());
        self.forms.iter().map(String::as_str).chain(full)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<&OciReference> for Cell {
    fn from(reference: &OciReference) -> Self {
        Self::reference(reference)
    }
}

/// Nothing is an empty cell.
impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map(Into::into).unwrap_or_default()
    }
}

/// Shortens the digest of a reference.
pub(super) fn shortened(reference: &OciReference) -> String {
    match reference.pinned_digest() {
        Ok(Some(digest)) => format!("{}@sha256:{}", reference.unpinned(), digest.short()),
        _ => reference.to_string(),
    }
}
