//! The colours, by what they mean.

use comfy_table::{Attribute, Cell, Color};

/// What a text means to a person. Only its colour says so in addition to its words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Style {
    /// Nothing in particular.
    #[default]
    Plain,
    /// A title.
    Title,
    /// As it should be.
    Good,
    /// Worth a look: disabled, outdated, a limit.
    Attention,
    /// Broken, refused or failed.
    Bad,
    /// Of little importance.
    Faint,
}

impl Style {
    /// The parameters of the escape sequence that begins the style
    /// (<https://www.ecma-international.org/publications-and-standards/standards/ecma-48/>).
    fn sequence(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Title => Some("1"),
            Self::Good => Some("32"),
            Self::Attention => Some("33"),
            Self::Bad => Some("31"),
            Self::Faint => Some("2"),
        }
    }

    /// Puts the style around a text, where there may be styles.
    pub fn paint(self, text: &str, has_styles: bool) -> String {
        match self.sequence().filter(|_| has_styles && !text.is_empty()) {
            Some(sequence) => format!("\u{1b}[{sequence}m{text}\u{1b}[0m"),
            None => text.to_owned(),
        }
    }

    /// Gives a cell of a table the style.
    pub fn of_cell(self, cell: Cell) -> Cell {
        match self {
            Self::Plain => cell,
            Self::Title => cell.add_attribute(Attribute::Bold),
            Self::Good => cell.fg(Color::DarkGreen),
            Self::Attention => cell.fg(Color::DarkYellow),
            Self::Bad => cell.fg(Color::DarkRed),
            Self::Faint => cell.add_attribute(Attribute::Dim),
        }
    }
}
