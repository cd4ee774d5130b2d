//! Notifications on the desktop. Needs the capability `notification`: `notification = true` in the
//! manifest.

use crate::Error;
use crate::host::notification;

pub use crate::host::notification::Urgency;

/// Shows a notification of normal urgency. Both texts are plain: the desktop shows markup as it is
/// written.
///
/// ```no_run
/// # fn remind() -> Result<(), extension_sdk::Error> {
/// extension_sdk::notification::show("Tea", "It has drawn for four minutes.")?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::TooMany`] after ten in a minute, [`Error::TooLarge`] beyond 256 bytes of summary or 4
/// KiB of body, and [`Error::Unavailable`] if the desktop shows none.
///
/// # Panics
///
/// Outside of a component.
pub fn show(summary: &str, body: &str) -> Result<(), Error> {
    show_with(summary, body, Urgency::Normal)
}

/// Shows a notification that matters less or as much as others.
///
/// # Errors
///
/// Those of [`show`].
///
/// # Panics
///
/// Outside of a component.
pub fn show_with(summary: &str, body: &str, urgency: Urgency) -> Result<(), Error> {
    Ok(notification::show(summary, body, urgency)?)
}
