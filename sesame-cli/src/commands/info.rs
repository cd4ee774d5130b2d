//! `sesame extension info`

use core_types::ExtensionName;
use extension_host::Host;

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Info, Outcome};
use crate::ready;

/// Shows all that is known of an extension, what it imports and exports included. None of its code runs.
pub fn run(context: &Context, name: &ExtensionName) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let installed = depot.installed(name).map_err(|error| Failure::of_extension(name, &error))?;
    context.warn_unknown_keys(&installed.loaded);
    let host = Host::new().map_err(|error| Failure::of_host(name, &error))?;
    let wasm = &installed.artifact.wasm;
    let code = ready::code(context, &host, &depot.places().blob(&wasm.digest), &wasm.digest)?;
    let exports = host.exports(&code);
    let permissions = context.permissions(&installed.loaded.manifest)?;
    let record = depot.record(name, &installed.artifact.digest);
    let manifest = installed.loaded.manifest;
    Ok(Outcome::Info(Box::new(Info {
        name: name.clone(),
        version: manifest.extension.version,
        description: manifest.extension.description,
        reference: installed.reference,
        binary: wasm.digest,
        binary_size: wasm.size,
        installed_at: record.as_ref().map(|record| record.installed_at.clone()),
        source: record.map(|record| record.source),
        manifest: installed.loaded.path,
        enabled: manifest.extension.enabled,
        capabilities: permissions.capabilities,
        limits: permissions.limits,
        config: permissions.config,
        imports: host.imports(&code),
        exports: exports.iter().map(|function| (function.qualified_name(), function.signature())).collect(),
    })))
}
