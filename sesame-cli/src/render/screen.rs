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

/// The reader of a listing.
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

    /// Returns whether a person reads it.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Returns the columns of the terminal, if there is one.
    pub fn width(&self) -> Option<usize> {
        self.width
    }

    /// Returns whether text may have colours.
    pub fn has_styles(&self) -> bool {
        self.has_styles
    }

    /// Returns the time from which ages are counted.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns whether the user chose columns.
    pub fn has_chosen(&self) -> bool {
        !self.presentation.columns.is_empty()
    }

    /// Returns the columns of the user's choice.
    pub fn columns(&self) -> &[String] {
        &self.presentation.columns
    }

    /// Returns the chosen form, or the one that fits the reader.
    pub fn form(&self) -> Form {
        match self.presentation.form {
            Some(OutputForm::Table) => Form::Table,
            Some(OutputForm::Tsv) => Form::Tsv,
            Some(OutputForm::Name) => Form::Name,
            None if self.is_terminal => Form::Table,
            None => Form::Tsv,
        }
    }

    /// Formats a time for its reader.
    pub fn time(&self, at: Timestamp) -> String {
        if self.is_terminal {
            crate::terminal::moment::ago(at, self.now)
        } else {
            crate::terminal::moment::rfc3339(at)
        }
    }

    /// Formats a time in a file. Other text is shown as it is.
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
