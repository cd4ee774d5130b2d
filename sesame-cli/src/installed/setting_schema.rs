//! The settings that the author of an installed extension declares.

use core_types::{ConfigSchema, ExtensionName};
use extension_depot::{Depot, InstalledError, MAX_BLOB, read_blob};
use extension_host::declared_settings;

use crate::failure::Failure;

/// Returns the schema of an installed extension's settings; an empty one if it is not installed.
pub fn schema(depot: &Depot, name: &ExtensionName) -> Result<ConfigSchema, Failure> {
    let binary = match depot.installed(name) {
        Ok(installed) => installed.binary().clone(),
        Err(InstalledError::NotInstalled(_)) => return Ok(ConfigSchema::default()),
        Err(error) => return Err(error.into()),
    };
    let bytes = read_blob(&binary.path, &binary.digest, MAX_BLOB);
    Ok(declared_settings(&bytes.map_err(|error| Failure::damaged_binary(name, error))?)?)
}
