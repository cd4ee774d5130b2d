//! Secret keys to sign with, and their passwords.

use std::path::Path;

use core_types::ErrorKind;
use extension_depot::{SecretKey, read_regular};

use crate::context::Context;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// The largest file of a key, in bytes: many times that of an encrypted one.
const MAX_KEY: u64 = 64 << 10;

/// The hint for a missing password.
const PASSWORD_HINT: &str = "set SESAME_KEY_PASSWORD, or give the password on standard input";

/// Reads the secret key in a file, and its password if it has one.
pub fn secret_key(context: &Context, path: &Path) -> Result<SecretKey, Failure> {
    let unusable = || {
        Failure::message(ErrorKind::Usage, format!("`{}` cannot be signed with", path.display()))
    };
    let pem = read_regular(path, MAX_KEY).map_err(|error| unusable().caused_by(error))?;
    let password =
        if SecretKey::is_encrypted(&pem) { Some(password(context, path)?) } else { None };
    SecretKey::from_pem(&pem, password.as_deref().map(str::as_bytes)).map_err(|error| {
        let failure = unusable().caused_by(error);
        // cosign also encrypts with an empty password, so an empty one is not tried before the
        // question.
        if password.is_some_and(|password| password.is_empty()) {
            failure.with_hint(PASSWORD_HINT)
        } else {
            failure
        }
    })
}

/// Returns the password from the environment, where scripts put it, from a person, or from standard
/// input.
fn password(context: &Context, path: &Path) -> Result<String, Failure> {
    if let Some(password) = context.key_password() {
        return Ok(password);
    }
    if context.can_ask() {
        return Ok(context.terminal.ask_password(&format!("password of {}", path.display()))?);
    }
    Ok(Terminal::password_from_stdin()?)
}
