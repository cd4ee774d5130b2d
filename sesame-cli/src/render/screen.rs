//! Where a listing is shown: how wide, with which styles, in which form, and when.

use jiff::Timestamp;

use crate::arguments::{OutputForm, Presentation};
use crate::context::Context;

/// The form of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For a person.
    Table,
    /// For a program.
    Tsv,
    /// The names alone.
    Name,
}

/// What a listing is rendered for.
#[derive(Debug, Clone)]
pub struct Screen {
    is_terminal: bool,
    width: Option<usize>,
    has_styles: bool,
    presentation: Presentation,
    now: Timestamp,
}

impl Screen {
    /// Looks at the standard output of this process.
    pub fn new(context: &Context, presentation: &Presentation) -> Self {
        Self {
            is_terminal: context.terminal.shows_output(),
            width: context.terminal.width().map(usize::from),
            has_styles: context.terminal.has_styles(),
            presentation: presentation.clone(),
            now: Timestamp::now(),
        }
    }

    /// Whether a person looks at it.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// The columns that there are, if there is an end to them.
    pub fn width(&self) -> Option<usize> {
        self.width
    }

    /// Whether text may have colours.
    pub fn has_styles(&self) -> bool {
        self.has_styles
    }

    /// The time against which others are told.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Whether the user asked for certain columns.
    pub fn has_chosen(&self) -> bool {
        !self.presentation.columns.is_empty()
    }

    /// The columns that the user asked for.
    pub fn columns(&self) -> &[String] {
        &self.presentation.columns
    }

    /// The form: that which was asked for, or the one that fits the reader.
    pub fn form(&self) -> Form {
        match self.presentation.form {
            Some(OutputForm::Table) => Form::Table,
            Some(OutputForm::Tsv) => Form::Tsv,
            Some(OutputForm::Name) => Form::Name,
            None if self.is_terminal => Form::Table,
            None => Form::Tsv,
        }
    }

    /// A time as its reader wants it.
    pub fn time(&self, at: Timestamp) -> String {
        if self.is_terminal { crate::moment::ago(at, self.now) } else { crate::moment::rfc3339(at) }
    }

    /// A time as a file has it. What is not a time is shown as it is.
    pub fn written_time(&self, text: &str) -> String {
        text.parse().map_or_else(|_| text.to_owned(), |at| self.time(at))
    }

    /// A pipe with the values of these columns, for tests.
    #[cfg(test)]
    pub fn pipe(columns: &[&str], now: &str) -> Self {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Self {
            is_terminal: false,
            width: None,
            has_styles: false,
            presentation: Presentation { form: None, columns },
            now: now.parse().expect("a time"),
        }
    }

    /// A screen of this width, for tests.
    #[cfg(test)]
    pub fn of(width: usize, has_styles: bool, now: &str) -> Self {
        Self {
            is_terminal: true,
            width: Some(width),
            has_styles,
            presentation: Presentation::default(),
            now: now.parse().expect("a time"),
        }
    }
}
