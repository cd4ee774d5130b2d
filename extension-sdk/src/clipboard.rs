//! The clipboard, for writing only. Needs the capability `clipboard-write`: `clipboard-write =
//! true` in the manifest.

use crate::Error;
use crate::host::clipboard_write;

/// Puts a text on the clipboard, where it stays after the extension has ended.
///
/// ```no_run
/// # fn copy() -> Result<(), extension_sdk::Error> {
/// extension_sdk::clipboard::set_text("https://example.com/shared")?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::TooLarge`] beyond 1 MiB, [`Error::TooMany`] after thirty in a minute, and
/// [`Error::Unavailable`] if the session has no clipboard for programs without a window.
///
/// # Panics
///
/// Outside of a component.
pub fn set_text(text: &str) -> Result<(), Error> {
    Ok(clipboard_write::set_text(text)?)
}
