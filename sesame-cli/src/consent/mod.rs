//! Asks a person about an extension's permissions: the screen that is shown before any question,
//! and the dialogue on the terminal. The manager decides by the answers.

mod screen;
mod terminal;

pub use terminal::TerminalConsent;
