//! The extension's configuration: the `[config]` table of its manifest.
//!
//! Whoever installs the extension writes it, and the capability `config-read` says which keys the
//! extension sees. A key that it may not read looks like one without a value.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use crate::host::config_read;

/// Returns the value of a key, if it has one.
///
/// # Panics
///
/// Outside of a component.
pub fn get(key: &str) -> Option<String> {
    config_read::get(key)
}

/// Returns the value of a key, or `default` if it has none.
///
/// # Panics
///
/// Outside of a component.
pub fn get_or(key: &str, default: impl Into<String>) -> String {
    get(key).unwrap_or_else(|| default.into())
}

/// Returns the value of a key as a `T`, if it has one.
///
/// ```no_run
/// # fn retries() -> Result<u32, extension_sdk::config::ConfigValueError> {
/// let retries = extension_sdk::config::parse("retries")?.unwrap_or(3);
/// # Ok(retries)
/// # }
/// ```
///
/// # Errors
///
/// If there is a value, and it is not the text of a `T`.
///
/// # Panics
///
/// Outside of a component.
pub fn parse<T>(key: &str) -> Result<Option<T>, ConfigValueError>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    get(key).map(|value| parse_value(key, &value)).transpose()
}

/// Reads the value of a key as a `T`: what [`parse`] does with a value that it got.
///
/// It works without a host, for an extension's own tests.
///
/// # Errors
///
/// If the value is not the text of a `T`. Nothing is trimmed: `" 3"` is no number.
pub fn parse_value<T>(key: &str, value: &str) -> Result<T, ConfigValueError>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    value.parse().map_err(|error: T::Err| ConfigValueError {
        key: key.to_owned(),
        value: value.to_owned(),
        reason: error.to_string(),
    })
}

/// The error of a configured value that is not of the type that the extension needs.
///
/// Its message says all there is to say, for the string that WIT functions usually return as error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigValueError {
    key: String,
    value: String,
    reason: String,
}

impl ConfigValueError {
    /// The key whose value it is.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value as it is configured.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for ConfigValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "invalid value `{}` for configuration key `{}`: {}",
            self.value, self.key, self.reason
        )
    }
}

impl Error for ConfigValueError {}
