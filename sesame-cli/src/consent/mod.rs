//! Asking a person what an extension may do: the screen that is shown before any question, and the
//! dialogue on the terminal. What comes of the answers is decided in the manager.

mod screen;
mod terminal;

pub use terminal::TerminalConsent;
