//! The imports of a module, and the reasons why it does not link.

use std::collections::{BTreeMap, BTreeSet};

use wasmtime::{ImportType, Module, UnknownImportError};

use super::state::WASI;
use super::{assemblyscript, suffiks};
use crate::error::HostError;
use crate::linking::{Import, Refusal, of_namespace};

/// The maximum of functions that are named of one namespace: the first ones tell which host it is,
/// and a module can import a million.
const MAX_MISSING: usize = 16;

/// The imports of one namespace that this host may not have.
#[derive(Default)]
struct Missing<'a> {
    /// Names, each once.
    names: Vec<&'a str>,
    /// Names of AssemblyScript's functions with other types than those have. They say nothing about
    /// a host.
    namesakes: BTreeSet<&'a str>,
}

/// Lists the imports of a module, one entry for each namespace.
pub(crate) fn imports(module: &Module) -> Vec<Import> {
    let mut names: Vec<_> = module.imports().map(|import| import.module().to_owned()).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(|name| Import { name, capability: None }).collect()
}

/// Tells why a module does not link: all imports of namespaces that this host does not have, or the
/// one function that is missing or of another type.
pub(super) fn refused(module: &Module, error: wasmtime::Error) -> HostError {
    let foreign = foreign(module);
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

/// Describes a function that a namespace of this host does not have.
fn unknown_function(namespace: &str, function: &str) -> Refusal {
    Refusal::UnknownFunction {
        import: format!("{namespace}.{function}"),
        nearest: (namespace == suffiks::IMPORT_MODULE).then(|| suffiks::nearest_function(function)),
    }
}

/// Describes the imports of other hosts, and those that this host does not have.
fn foreign(module: &Module) -> Vec<Refusal> {
    let missing = missing(module);
    let all: Vec<_> = missing.keys().copied().collect();
    missing.into_iter().flat_map(|(namespace, its)| described(namespace, its, &all)).collect()
}

/// Groups the imports by their namespaces, in one pass: there can be a million of both.
fn missing(module: &Module) -> BTreeMap<&str, Missing<'_>> {
    let mut missing = BTreeMap::<_, Missing<'_>>::new();
    for import in module.imports().filter(|import| !is_linked(import)) {
        let its = missing.entry(import.module()).or_default();
        if assemblyscript::is_namesake(&import) {
            its.namesakes.insert(import.name());
        } else {
            its.names.push(import.name());
        }
    }
    for its in missing.values_mut() {
        let mut seen = BTreeSet::new();
        its.names.retain(|name| seen.insert(*name));
    }
    missing
}

/// Tells whether an import is of this host for sure. Other hosts have added functions to WASI.
fn is_linked(import: &ImportType<'_>) -> bool {
    import.module() == suffiks::IMPORT_MODULE || assemblyscript::is_abort(import)
}

/// Describes the imports of a namespace: as a whole if it is of another host, or each function.
fn described(namespace: &str, missing: Missing<'_>, all: &[&str]) -> Vec<Refusal> {
    let Some((host, sign)) = of_namespace(namespace, &missing.names, all) else {
        return unowned(namespace, missing);
    };
    if !sign.names_functions {
        return vec![Refusal::Foreign { import: namespace.to_owned(), host }];
    }
    let (its, names): (Vec<_>, Vec<_>) = missing.names.into_iter().partition(|name| sign.has(name));
    let mut refusals = each(namespace, its, |import| Refusal::Foreign { import, host });
    refusals.extend(described(namespace, Missing { names, ..missing }, all));
    refusals
}

/// Describes functions that belong to no known host. Wasmtime's error names the one of WASI that is
/// missing.
fn unowned(namespace: &str, missing: Missing<'_>) -> Vec<Refusal> {
    let names = if namespace == WASI { Vec::new() } else { missing.names };
    let unknown = |import| Refusal::UnknownFunction { import, nearest: nearest(namespace) };
    let mut refusals = each(namespace, names, unknown);
    refusals.extend(each(namespace, missing.namesakes, namesake));
    refusals
}

fn each<'a>(
    namespace: &str,
    names: impl IntoIterator<Item = &'a str>,
    refusal: impl Fn(String) -> Refusal,
) -> Vec<Refusal> {
    let names = names.into_iter().take(MAX_MISSING);
    names.map(|name| refusal(format!("{namespace}.{name}"))).collect()
}

/// Describes a function with the name of one of AssemblyScript's. This host has one of them.
fn namesake(import: String) -> Refusal {
    if import == assemblyscript::ABORT_IMPORT {
        let message = format!("that of AssemblyScript, `{}`", assemblyscript::ABORT_TYPE);
        Refusal::OtherType { import, message }
    } else {
        Refusal::UnknownFunction { import, nearest: None }
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
