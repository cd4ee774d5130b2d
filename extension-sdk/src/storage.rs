//! Values that the extension keeps from one call to the next.
//!
//! Needs the capability `storage`: `storage = true` in the manifest for 256 KiB, or `storage = {
//! max_kib = 1024 }` for more. The values belong to the extension alone and survive its updates. All
//! changes of a call are kept together when it returns, even an error; a call that is stopped keeps
//! none of them.
//!
//! A key has 1 to 128 characters of `a-z`, `0-9`, `.`, `_`, `-` and `/`, and begins with a letter or
//! digit, such as `answers/oslo`.
//!
//! ```no_run
//! # fn count() -> Result<u32, extension_sdk::Error> {
//! use extension_sdk::storage;
//!
//! let calls = storage::get_text("calls")?.and_then(|text| text.parse().ok()).unwrap_or(0) + 1;
//! storage::set_text("calls", &calls.to_string())?;
//! # Ok(calls)
//! # }
//! ```

use crate::Error;
use crate::host::storage;

/// Returns the value of a key, or nothing if there is none.
///
/// # Errors
///
/// [`Error::Denied`] without the capability, [`Error::Other`] if it is not a key, and
/// [`Error::Unavailable`] if another call of the extension goes on using the storage, or it is
/// damaged.
///
/// # Panics
///
/// Outside of a component.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, Error> {
    Ok(storage::get(key)?)
}

/// Returns the value of a key as text, or nothing if there is none.
///
/// # Errors
///
/// [`Error::Other`] if the value is not UTF-8; otherwise those of [`get`].
///
/// # Panics
///
/// Outside of a component.
pub fn get_text(key: &str) -> Result<Option<String>, Error> {
    get(key)?.map(|value| text(key, value)).transpose()
}

fn text(key: &str, value: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(value).map_err(|_| Error::Other(format!("the value of `{key}` is not text")))
}

/// Sets the value of a key.
///
/// # Errors
///
/// [`Error::TooLarge`] beyond 64 KiB of value, 1,024 keys, or what the user grants in all; then
/// nothing has changed. Otherwise those of [`get`].
///
/// # Panics
///
/// Outside of a component.
pub fn set(key: &str, value: &[u8]) -> Result<(), Error> {
    Ok(storage::set(key, value)?)
}

/// Sets the value of a key to a text.
///
/// # Errors
///
/// Those of [`set`].
///
/// # Panics
///
/// Outside of a component.
pub fn set_text(key: &str, value: &str) -> Result<(), Error> {
    set(key, value.as_bytes())
}

/// Removes a key with its value. A key without a value is not an error.
///
/// # Errors
///
/// Those of [`get`].
///
/// # Panics
///
/// Outside of a component.
pub fn remove(key: &str) -> Result<(), Error> {
    Ok(storage::remove(key)?)
}

/// Returns the keys that begin with a prefix, sorted. An empty prefix is that of all keys.
///
/// # Errors
///
/// Those of [`get`].
///
/// # Panics
///
/// Outside of a component.
pub fn keys(prefix: &str) -> Result<Vec<String>, Error> {
    Ok(storage::keys(prefix)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_is_text_or_an_error() {
        assert_eq!(text("a", b"one".to_vec()), Ok("one".to_owned()));
        assert!(matches!(text("a", vec![0xff]), Err(Error::Other(why)) if why.contains("`a`")));
    }
}
