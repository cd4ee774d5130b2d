//! The extension's log, which the user reads with `sesame extension logs`.
//!
//! Messages are plain text. [`debug`], [`info`], [`warn`] and [`error`] take anything that is one:
//! `log::info("ready")` as well as `log::info(format!("{count} found"))`.

pub use crate::host::log::Level;

/// Logs a message at a level that is known only at run time.
///
/// # Panics
///
/// Outside of a component, as all functions here do.
pub fn log(level: Level, message: impl AsRef<str>) {
    crate::host::log::log(level, message.as_ref());
}

/// Logs what helps those who work on the extension.
pub fn debug(message: impl AsRef<str>) {
    log(Level::Debug, message);
}

/// Logs what the extension did.
pub fn info(message: impl AsRef<str>) {
    log(Level::Info, message);
}

/// Logs that something is not as it should be, and that the extension goes on.
pub fn warn(message: impl AsRef<str>) {
    log(Level::Warn, message);
}

/// Logs that something failed.
pub fn error(message: impl AsRef<str>) {
    log(Level::Error, message);
}
