//! The entry points that an extension of Suffiks has to export.

use wasmtime::{ExternType, FuncType, Module, ValType};

use crate::error::HostError;

/// The required exports with their possible types. The first versions of the runtime wanted no
/// result of `Delete`.
const EXPORTS: [(&str, &[&str]); 6] = [
    ("Sync", &["() -> ()"]),
    ("Delete", &["() -> i64", "() -> ()"]),
    ("Defaulting", &["() -> i64"]),
    ("Validate", &["(i32) -> ()"]),
    ("malloc", &["(i32) -> i32"]),
    ("free", &["(i32) -> ()"]),
];

/// Checks that a module has the required exports with the right types.
pub(crate) fn check_exports(module: &Module) -> Result<(), HostError> {
    let there: Vec<(String, String)> = module
        .exports()
        .filter_map(|export| match export.ty() {
            ExternType::Func(ty) => Some((export.name().to_owned(), type_text(&ty))),
            _ => None,
        })
        .collect();
    let is_there = |name: &str, types: &[&str]| {
        there.iter().any(|(has, ty)| has == name && types.contains(&ty.as_str()))
    };
    let has_memory =
        module.exports().any(|export| export.name() == "memory" && export.ty().memory().is_some());
    let functions = EXPORTS.iter().filter(|(name, types)| !is_there(name, types));
    let missing: Vec<_> = functions
        .map(|(name, types)| format!("`{name}{}`", types[0]))
        .chain((!has_memory).then(|| "a memory `memory`".to_owned()))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let there =
        there.iter().take(40).map(|(name, ty)| format!("`{}{ty}`", name.escape_debug())).collect();
    Err(HostError::Exports { missing, there })
}

fn type_text(ty: &FuncType) -> String {
    let list = |types: &mut dyn Iterator<Item = ValType>| {
        types.map(|ty| ty.to_string()).collect::<Vec<_>>().join(", ")
    };
    let (parameters, results) = (list(&mut ty.params()), list(&mut ty.results()));
    let results = if ty.results().len() == 1 { results } else { format!("({results})") };
    format!("({parameters}) -> {results}")
}
