//! `sesame secret set`, `list` and `remove`

use std::io::Read;

use core_types::{ErrorKind, ExtensionName, SecretName};
use extension_host::{BackendError, MAX_SECRET};

use crate::context::Context;
use crate::failure::Failure;
use crate::installed::secrets::{ask, owner};
use crate::outcome::{Change, Outcome};

/// Stores a secret.
pub fn set(
    context: &Context,
    name: &ExtensionName,
    secret: &SecretName,
) -> Result<Outcome, Failure> {
    let owner = owner(context, name)?;
    let value = read_value(context, name, secret)?;
    let stored = secret.to_string();
    ask(move |store| store.store(&owner, &stored, &value))?;
    let now = format!("`{name}` has the secret {secret}");
    Ok(Outcome::Changed(vec![Change::new(now, true)]))
}

/// Lists the names of an extension's secrets.
pub fn list(context: &Context, name: &ExtensionName) -> Result<Outcome, Failure> {
    let owner = owner(context, name)?;
    Ok(Outcome::Secrets(ask(move |store| store.names(&owner))?))
}

/// Deletes a secret.
pub fn remove(
    context: &Context,
    name: &ExtensionName,
    secret: &SecretName,
) -> Result<Outcome, Failure> {
    let (owner, removed) = (owner(context, name)?, secret.to_string());
    let changed = match ask(move |store| store.remove(&owner, &removed)) {
        Ok(()) => true,
        Err(BackendError::NotFound) => false,
        Err(error) => return Err(error.into()),
    };
    Ok(Outcome::Changed(vec![Change::new(format!("`{name}` has no secret {secret}"), changed)]))
}

/// Reads a value. It never comes from the command line, which other processes can read.
fn read_value(
    context: &Context,
    name: &ExtensionName,
    secret: &SecretName,
) -> Result<String, Failure> {
    if context.terminal.is_interactive() {
        return Ok(rpassword::prompt_password(format!("{secret} for {name} (not shown): "))?);
    }
    let mut value = String::new();
    std::io::stdin().lock().take(MAX_SECRET as u64 + 1).read_to_string(&mut value)?;
    if value.len() > MAX_SECRET {
        return Err(Failure::message(
            ErrorKind::Usage,
            format!("a secret has at most {MAX_SECRET} bytes"),
        ));
    }
    // `echo` and editors add a newline at the end that is not meant.
    let value = value
        .strip_suffix('\n')
        .map_or(value.as_str(), |value| value.strip_suffix('\r').unwrap_or(value));
    if value.is_empty() {
        return Err(Failure::message(ErrorKind::Usage, "standard input has no secret")
            .with_hint(format!("printf %s \"$TOKEN\" | sesame secret set {name} {secret}")));
    }
    Ok(value.to_owned())
}
