//! Text of strangers in notifications.

/// How a notification server reads text, after the
/// [specification](https://specifications.freedesktop.org/notification-spec).
///
/// ```
/// use extension_host::NotificationText;
///
/// let server = ["actions".to_owned(), "body-markup".to_owned()];
/// assert_eq!(NotificationText::of(&server).show("<b>\u{1b}[1m"), "&lt;b&gt;[1m");
/// assert_eq!(NotificationText::Plain.show("<b>"), "<b>");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotificationText {
    /// As it is. Titles are always read so.
    Plain,
    /// As markup.
    Markup,
}

impl NotificationText {
    /// Returns how a server with these capabilities reads the text of a body.
    ///
    /// dunst reads markup and announces only links: a server that announces anything but text in a
    /// body is assumed to read markup.
    pub fn of(capabilities: &[String]) -> Self {
        let is_rich = capabilities.iter().any(|capability| capability.starts_with("body-"));
        if is_rich { Self::Markup } else { Self::Plain }
    }

    /// Returns text that shows as itself: without control characters, and with markup escaped.
    pub fn show(self, text: &str) -> String {
        let visible = text.chars().filter(|c| !c.is_control() || *c == '\n');
        match self {
            Self::Plain => visible.collect(),
            Self::Markup => visible.fold(String::new(), escaped),
        }
    }
}

/// Adds a character to markup.
fn escaped(mut text: String, c: char) -> String {
    match c {
        '&' => text.push_str("&amp;"),
        '<' => text.push_str("&lt;"),
        '>' => text.push_str("&gt;"),
        '"' => text.push_str("&quot;"),
        '\'' => text.push_str("&#39;"),
        c => text.push(c),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(
            NotificationText::Markup.show("<b>&\"'</b>\u{1b}[1m\n"),
            "&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;[1m\n"
        );
        assert_eq!(NotificationText::Plain.show("<b>\u{7}&"), "<b>&");
    }
}
