//! `sesame extension storage` and `list --orphans`

use std::io::Read;
use std::time::Duration;

use core_types::{
    Authority, BootTime, Capability, ErrorKind, ExtensionName, Grant, MAX_STORED_VALUE, StorageKey,
};
use extension_depot::{LockedStorage, Storage};

use crate::arguments::{StorageArguments, StorageCommand};
use crate::context::Context;
use crate::failure::Failure;
use crate::installed::secrets::owner;
use crate::outcome::{Change, Outcome, StorageReport, StoredKey};

/// The wait for a call that uses the storage: longer than a call takes by default.
const LOCK_TIMEOUT: Duration = Duration::from_secs(6);

/// Shows or changes the storage of an extension.
pub fn run(context: &Context, arguments: StorageArguments) -> Result<Outcome, Failure> {
    let StorageArguments { name, reset, command, .. } = arguments;
    let storage = context.depot()?.storage(&owner(context, &name)?.identity);
    match command {
        Some(_) if reset => {
            Err(Failure::message(ErrorKind::Usage, "`--reset` goes with the name alone")
                .with_hint(format!("sesame extension storage {name} --reset")))
        }
        None if reset => self::reset(&name, &storage),
        None => list(context, &name, &storage),
        Some(StorageCommand::Get { key }) => get(&name, &storage, key),
        Some(StorageCommand::Set { key }) => set(context, &name, &storage, key),
        Some(StorageCommand::Remove { key }) => remove(&name, &storage, &key),
    }
}

/// Lists the storages of extensions that are not installed.
pub fn orphans(context: &Context) -> Result<Outcome, Failure> {
    Ok(Outcome::Orphans(context.depot()?.orphaned_storages()?))
}

fn list(context: &Context, name: &ExtensionName, storage: &Storage) -> Result<Outcome, Failure> {
    let values = storage.peek().map_err(|error| Failure::of_storage(name, error))?;
    let keys = values.iter().map(|(key, value)| StoredKey { key: key.clone(), size: value.len() });
    Ok(Outcome::Storage(StorageReport {
        keys: keys.collect(),
        size_bytes: values.size(),
        max_bytes: max_bytes(context, name)?,
    }))
}

fn get(name: &ExtensionName, storage: &Storage, key: StorageKey) -> Result<Outcome, Failure> {
    let values = storage.peek().map_err(|error| Failure::of_storage(name, error))?;
    match values.get(key.as_str()) {
        Some(value) => Ok(Outcome::Stored { key, value: value.to_vec() }),
        None => Err(Failure::message(
            ErrorKind::NotFound,
            format!("the storage of `{name}` has no key `{key}`"),
        )
        .with_hint(format!("sesame extension storage {name}"))),
    }
}

fn set(
    context: &Context,
    name: &ExtensionName,
    storage: &Storage,
    key: StorageKey,
) -> Result<Outcome, Failure> {
    let (value, max) = (read_value()?, max_bytes(context, name)?);
    let locked = lock(name, storage)?;
    let mut values = locked.read().map_err(|error| Failure::of_storage(name, error))?;
    let is_new = values.get(key.as_str()) != Some(&value);
    values.set(key.clone(), value, max).map_err(|over| {
        Failure::message(ErrorKind::Usage, format!("`{key}` does not fit into the storage"))
            .caused_by(over)
    })?;
    locked.write(&values).map_err(|error| Failure::of_storage(name, error))?;
    Ok(changed(format!("`{name}` keeps a value under {key}"), is_new))
}

fn remove(name: &ExtensionName, storage: &Storage, key: &StorageKey) -> Result<Outcome, Failure> {
    let locked = lock(name, storage)?;
    let mut values = locked.read().map_err(|error| Failure::of_storage(name, error))?;
    let is_removed = values.remove(key.as_str());
    if is_removed {
        locked.write(&values).map_err(|error| Failure::of_storage(name, error))?;
    }
    Ok(changed(format!("`{name}` keeps nothing under {key}"), is_removed))
}

fn reset(name: &ExtensionName, storage: &Storage) -> Result<Outcome, Failure> {
    let is_removed = lock(name, storage)?.reset();
    let is_removed = is_removed.map_err(|error| Failure::of_storage(name, error))?;
    Ok(changed(format!("the storage of `{name}` is empty"), is_removed))
}

fn changed(now: String, is_changed: bool) -> Outcome {
    Outcome::Changed(vec![Change::new(now, is_changed)])
}

fn lock(name: &ExtensionName, storage: &Storage) -> Result<LockedStorage, Failure> {
    storage.lock(LOCK_TIMEOUT).map_err(|error| Failure::of_storage(name, error))
}

/// Returns how much the extension may keep, or would without a grant: a person can put values there
/// before they grant it.
fn max_bytes(context: &Context, name: &ExtensionName) -> Result<u64, Failure> {
    let mut granted = context.depot()?.existing_manifest(name)?.manifest.granted();
    if !granted.grants(Capability::Storage) {
        granted.extend(Grant::unscoped(Capability::Storage));
    }
    let policies = context.config()?.policies.clone();
    let authority = Authority { policies, ..Authority::of(granted) };
    Ok(authority.storage_bytes(BootTime::default()))
}

/// Reads a value, byte for byte.
fn read_value() -> Result<Vec<u8>, Failure> {
    let mut value = Vec::new();
    std::io::stdin().lock().take(MAX_STORED_VALUE as u64 + 1).read_to_end(&mut value)?;
    Ok(value)
}
