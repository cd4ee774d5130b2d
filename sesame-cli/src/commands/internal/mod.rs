//! Commands that sesame starts itself, as child processes. The help hides them.

pub mod compile;
pub mod hold_clipboard;
