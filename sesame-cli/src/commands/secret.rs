//! `sesame secret set`, `list` and `remove`

use std::io::Read;

use core_types::{Capability, ErrorKind, ExtensionName, Owner, SecretName};
use extension_host::{BackendError, MAX_SECRET, SecretService, SecretStore};

use crate::context::Context;
use crate::failure::Failure;
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
    Ok(Outcome::Changed(vec![Change {
        now: format!("`{name}` has the secret {secret}"),
        changed: true,
    }]))
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
    Ok(Outcome::Changed(vec![Change { now: format!("`{name}` has no secret {secret}"), changed }]))
}

/// Deletes all secrets of an extension before its removal, and returns their names. A keyring that
/// fails does not stop the removal, but the user has to know.
pub fn forget_all(context: &Context, name: &ExtensionName) -> Vec<String> {
    let Ok(owner) = owner(context, name) else { return Vec::new() };
    let forget = move |store: &dyn SecretStore| -> Result<Vec<String>, BackendError> {
        let names = store.names(&owner)?;
        names.iter().try_for_each(|secret| store.remove(&owner, secret))?;
        Ok(names)
    };
    if !context.has_session_bus() {
        return Vec::new();
    }
    ask(forget).unwrap_or_else(|error| {
        context.warn(&format!("the secrets of `{name}` stay in the keyring: {error}"));
        Vec::new()
    })
}

/// Asks the keyring with the timeout for a secret. Only the text of a failure matters to the
/// callers.
pub fn with_timeout<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let ask = move || ask().map_err(BackendError::Other);
    extension_host::with_timeout(Capability::SecretRead, ask).map_err(|error| error.to_string())
}

fn ask<T: Send + 'static>(
    ask: impl FnOnce(&dyn SecretStore) -> Result<T, BackendError> + Send + 'static,
) -> Result<T, BackendError> {
    extension_host::with_timeout(Capability::SecretRead, move || ask(&SecretService))
}

/// Returns the owner of secrets: the origin of an extension, so that another of the same name does
/// not get them.
fn owner(context: &Context, name: &ExtensionName) -> Result<Owner, Failure> {
    let loaded = context
        .depot()?
        .existing_manifest(name)
        .map_err(|error| Failure::of_extension(name, &error))?;
    let reference = loaded.manifest.extension.oci.as_ref();
    let not_installed =
        || extension_depot::DepotError::NotInstalled { name: name.clone(), reference: None };
    let reference = reference.ok_or_else(|| Failure::of_extension(name, &not_installed()))?;
    Ok(Owner { name: name.clone(), identity: reference.identity() })
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
