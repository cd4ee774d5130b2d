//! The secrets of extensions in the keyring.

use core_types::{Capability, ExtensionName, Owner};
use extension_depot::NotInstalled;
use extension_host::{BackendError, SecretService, SecretStore};

use crate::context::Context;
use crate::failure::Failure;

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

/// Asks the keyring for a secret, with its timeout.
pub fn ask<T: Send + 'static>(
    ask: impl FnOnce(&dyn SecretStore) -> Result<T, BackendError> + Send + 'static,
) -> Result<T, BackendError> {
    extension_host::with_timeout(Capability::SecretRead, move || ask(&SecretService))
}

/// Returns the owner of secrets: the origin of an extension, so that another of the same name does
/// not get them.
pub fn owner(context: &Context, name: &ExtensionName) -> Result<Owner, Failure> {
    let loaded = context.depot()?.existing_manifest(name)?;
    let reference = loaded.manifest.extension.oci.as_ref();
    let not_installed = || NotInstalled { name: name.clone(), reference: None };
    let reference = reference.ok_or_else(not_installed)?;
    Ok(Owner { name: name.clone(), identity: reference.identity() })
}
