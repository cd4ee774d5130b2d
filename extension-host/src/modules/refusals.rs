//! The imports of a module, and the reasons why it does not link.

use wasmtime::{Module, UnknownImportError};

use super::state::WASI;
use super::{assemblyscript, suffiks};
use crate::error::HostError;
use crate::linking::{Import, Refusal, of_namespace};

/// Lists the imports of a module, one entry for each namespace.
pub(crate) fn imports(module: &Module) -> Vec<Import> {
    let mut names: Vec<_> = module.imports().map(|import| import.module().to_owned()).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(|name| Import { name, capability: None }).collect()
}

/// Tells why a module does not link: all imports of other hosts, or the one function that is
/// missing or of another type.
pub(super) fn refused(module: &Module, error: wasmtime::Error) -> HostError {
    let is_known = |namespace: &str| {
        namespace == WASI
            || namespace == suffiks::IMPORT_MODULE
            || assemblyscript::is_all_of(module, namespace)
    };
    let names = imports(module).into_iter().map(|import| import.name);
    let foreign: Vec<_> =
        names.filter(|name| !is_known(name)).map(|name| foreign(module, name)).collect();
    if !foreign.is_empty() {
        return HostError::Refused(foreign);
    }
    if let Some(unknown) = error.downcast_ref::<UnknownImportError>() {
        return HostError::Refused(vec![unknown_function(unknown.module(), unknown.name())]);
    }
    match mistyped(&error) {
        Some(refusal) => HostError::Refused(vec![refusal]),
        None => HostError::Link(error),
    }
}

/// Describes a function that a namespace of this host does not have. Other hosts have added some to
/// WASI.
fn unknown_function(namespace: &str, function: &str) -> Refusal {
    let import = format!("{namespace}.{function}");
    match of_namespace(namespace, &[function]) {
        Some(host) => Refusal::Foreign { import, host },
        None => Refusal::UnknownFunction {
            import,
            nearest: (namespace == suffiks::IMPORT_MODULE)
                .then(|| suffiks::nearest_function(function)),
        },
    }
}

/// Describes a namespace of another host.
fn foreign(module: &Module, namespace: String) -> Refusal {
    let imports = module.imports().filter(|import| import.module() == namespace);
    let functions: Vec<_> = imports.map(|import| import.name()).collect();
    match of_namespace(&namespace, &functions) {
        Some(host) => Refusal::Foreign { import: namespace, host },
        None => Refusal::UnknownFunction {
            nearest: nearest(&namespace),
            import: format!("{namespace}.{}", functions.first().unwrap_or(&"")),
        },
    }
}

/// Finds the function that is imported with another type. Wasmtime has no type for this error; a
/// test checks that its words stay these.
fn mistyped(error: &wasmtime::Error) -> Option<Refusal> {
    let mut messages = error.chain().map(ToString::to_string);
    let outer = messages.next()?;
    let import =
        outer.strip_prefix("incompatible import type for `")?.strip_suffix('`')?.replace("::", ".");
    Some(Refusal::OtherType { import, message: messages.collect::<Vec<_>>().join(": ") })
}

fn nearest(namespace: &str) -> Option<String> {
    let known = [WASI, suffiks::IMPORT_MODULE];
    known
        .into_iter()
        .find(|known| strsim::normalized_levenshtein(known, namespace) > 0.5)
        .map(str::to_owned)
}
