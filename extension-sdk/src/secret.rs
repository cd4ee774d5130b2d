//! Secrets that the user keeps for the extension, in the keyring of the session.
//!
//! Each name is granted by itself: `secret-read = ["github-token"]` and `secret-write =
//! ["github-token"]` in the manifest. Extensions do not see each other's secrets, whatever the
//! names.

use crate::Error;
use crate::host::{secret_read, secret_write};

/// Returns the secret of a name. Needs the capability `secret-read` for it.
///
/// ```no_run
/// # fn report() -> Result<String, extension_sdk::Error> {
/// use extension_sdk::{Error, secret};
///
/// let token = match secret::get("github-token") {
///     Err(Error::NotFound) => return Ok("store a token first".to_owned()),
///     other => other?,
/// };
/// # Ok(token)
/// # }
/// ```
///
/// # Errors
///
/// [`Error::NotFound`] if the user has stored none, [`Error::Denied`] if the name is not granted,
/// and [`Error::Unavailable`] if the keyring is locked, missing or does not answer.
///
/// # Panics
///
/// Outside of a component.
pub fn get(name: &str) -> Result<String, Error> {
    Ok(secret_read::get(name)?)
}

/// Stores a secret under a name, in the place of any other. Needs the capability `secret-write` for
/// it.
///
/// ```no_run
/// # fn log_in() -> Result<(), extension_sdk::Error> {
/// extension_sdk::secret::set("session", "s3cr3t")?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::TooLarge`] beyond 64 KiB, [`Error::Denied`] if the name is not granted, and
/// [`Error::Unavailable`] if the keyring is locked, missing or does not answer.
///
/// # Panics
///
/// Outside of a component.
pub fn set(name: &str, value: &str) -> Result<(), Error> {
    Ok(secret_write::set(name, value)?)
}

/// Forgets the secret of a name. Needs the capability `secret-write` for it.
///
/// # Errors
///
/// [`Error::NotFound`] if there is none; otherwise those of [`set`].
///
/// # Panics
///
/// Outside of a component.
pub fn remove(name: &str) -> Result<(), Error> {
    Ok(secret_write::remove(name)?)
}
