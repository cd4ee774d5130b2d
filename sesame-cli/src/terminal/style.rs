//! The colours, by their meanings, and the rules for their use.

/// Whether text may have colours (<https://bixense.com/clicolors/>, <https://no-color.org>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Nowhere: `NO_COLOR`, `CLICOLOR=0`, or a terminal that has none.
    Never,
    /// On a terminal.
    Auto,
    /// Everywhere: `CLICOLOR_FORCE`.
    Always,
}

impl Colour {
    /// Returns whether output to such a stream has colours.
    pub fn holds_for(self, is_terminal: bool) -> bool {
        match self {
            Self::Never => false,
            Self::Auto => is_terminal,
            Self::Always => true,
        }
    }
}

/// The meaning of a text for a person. Its colour only repeats its words.
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
    /// Returns the parameters of the escape sequence that begins the style
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
}

/// The labels of lines on standard error, with their meanings.
const LABELS: [(&str, Style); 4] = [
    ("error:", Style::Bad),
    ("warning:", Style::Attention),
    ("caused by:", Style::Title),
    ("hint:", Style::Title),
];

/// Paints the labels with which lines begin.
pub fn paint_labels(text: &str) -> String {
    text.split_inclusive('\n').map(paint_label).collect()
}

fn paint_label(line: &str) -> String {
    let label = LABELS.iter().find_map(|(label, style)| {
        line.strip_prefix(label).map(|rest| style.paint(label, true) + rest)
    });
    label.unwrap_or_else(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A label in the middle of a line is text.
    #[test]
    fn labels_begin_lines() {
        assert_eq!(
            paint_labels("error: an error: x\n  hint: y\nhint: z"),
            "\u{1b}[31merror:\u{1b}[0m an error: x\n  hint: y\n\u{1b}[1mhint:\u{1b}[0m z"
        );
    }

    #[test]
    fn colour_holds_for_streams() {
        let held = |colour: Colour| [colour.holds_for(false), colour.holds_for(true)];
        assert_eq!(held(Colour::Never), [false, false]);
        assert_eq!(held(Colour::Auto), [false, true]);
        assert_eq!(held(Colour::Always), [true, true]);
    }
}
