//! Asks a person about an extension's permissions: the screen that is shown before any question,
//! and the dialogue on the terminal. The manager decides by the answers.

mod request_text;
mod screen;
mod terminal;

pub use request_text::RequestText;
pub use terminal::TerminalConsent;
