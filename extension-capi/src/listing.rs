//! The installed extensions as JSON.

use std::error::Error;

use core_types::{ExtensionName, OciReference, with_causes};
use extension_depot::{EffectiveConfig, Listed};
use extension_manager::{Manager, OpenError};
use serde::Serialize;

/// Raised when a member is taken away or changes its meaning. Additions do not count.
const SCHEMA_VERSION: u32 = 1;

/// The whole answer.
#[derive(Serialize)]
struct Listing {
    schema_version: u32,
    extensions: Vec<Entry>,
}

/// One extension. The members are those of `sesame list --json`, as far as a caller needs them.
#[derive(Serialize)]
struct Entry {
    name: ExtensionName,
    version: Option<String>,
    reference: Option<OciReference>,
    description: Option<String>,
    /// Why it cannot be called now.
    problem: Option<String>,
}

/// Returns every extension that has a manifest, in the order of the names.
///
/// # Errors
/// When the directory of manifests cannot be read.
pub fn json(manager: &Manager) -> Result<String, Box<dyn Error>> {
    let listed = manager.depot().list()?;
    let config = manager.config();
    let entry = |listed: Listed| {
        let problem = problem(manager, &config, &listed.name);
        entry(listed, problem)
    };
    let extensions = listed.into_iter().map(entry).collect();
    Ok(serde_json::to_string(&Listing { schema_version: SCHEMA_VERSION, extensions })?)
}

fn entry(listed: Listed, problem: Option<String>) -> Entry {
    let extension = listed.manifest.map(|loaded| loaded.manifest.extension).unwrap_or_default();
    Entry {
        name: listed.name,
        version: extension.version,
        reference: extension.oci,
        description: extension.description,
        problem,
    }
}

/// Opens the extension as a call does, which tells most reasons against one. An import without a
/// grant shows only when its code is loaded, which would make a list slow.
fn problem(
    manager: &Manager,
    config: &Result<EffectiveConfig, OpenError>,
    name: &ExtensionName,
) -> Option<String> {
    match config {
        Ok(config) => manager.depot().open(name, config).err().map(|error| with_causes(&error)),
        Err(error) => Some(with_causes(error)),
    }
}
