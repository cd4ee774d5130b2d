//! The functions of a module that a call can name.

use wasmtime::component::Type;
use wasmtime::{ExternType, FuncType, Module, ValType};

use crate::values::{ExportedFunction, Signature, Uncallable, signature_text, type_text};

/// Lists the functions of a module. Those with numbers as parameters and at most one as the result
/// can be called. Functions that toolchains export for themselves are left out.
pub(crate) fn exports(module: &Module) -> Vec<ExportedFunction> {
    let functions = module.exports().filter_map(|export| match export.ty() {
        ExternType::Func(ty) if !is_internal(export.name()) => Some(exported(export.name(), &ty)),
        _ => None,
    });
    functions.collect()
}

fn exported(name: &str, ty: &FuncType) -> ExportedFunction {
    let signature = signature(ty);
    let uncallable = match &signature {
        None => Some(with_other_types(ty)),
        Some(Signature { results, .. }) if results.len() > 1 => {
            Some(Uncallable::Results { count: results.len() })
        }
        Some(_) => None,
    };
    ExportedFunction {
        interface: None,
        name: name.to_owned(),
        uncallable,
        ty: signature.unwrap_or_default(),
    }
}

/// Explains why a function with other types than numbers cannot be called.
fn with_other_types(ty: &FuncType) -> Uncallable {
    let text = |ty: ValType| number(&ty).map_or_else(|| ty.to_string(), |ty| type_text(&ty));
    let parameters =
        ty.params().enumerate().map(|(at, ty)| format!("p{at}: {}", text(ty))).collect();
    let has_vector = ty.params().chain(ty.results()).any(|ty| matches!(ty, ValType::V128));
    Uncallable::CoreType {
        kind: if has_vector { "vector" } else { "reference" },
        signature: signature_text(parameters, ty.results().map(text).collect()),
    }
}

/// Tells whether a function is a toolchain's own, or has a name that cannot be typed: names of
/// modules are any text, and shells complete them.
fn is_internal(name: &str) -> bool {
    let is_typed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    let is_name =
        (1..=128).contains(&name.len()) && name.bytes().all(is_typed) && !name.starts_with('-');
    !is_name || name.starts_with("__") || name == "_initialize"
}

/// Converts a type of numbers to the types of components. Returns `None` for any other type.
fn signature(ty: &FuncType) -> Option<Signature> {
    let parameters: Option<Vec<_>> = ty.params().map(|ty| number(&ty)).collect();
    let parameters =
        parameters?.into_iter().enumerate().map(|(at, ty)| (format!("p{at}"), ty)).collect();
    let results = ty.results().map(|ty| number(&ty)).collect::<Option<_>>()?;
    Some(Signature { parameters, results, ..Signature::default() })
}

fn number(ty: &ValType) -> Option<Type> {
    match ty {
        ValType::I32 => Some(Type::S32),
        ValType::I64 => Some(Type::S64),
        ValType::F32 => Some(Type::Float32),
        ValType::F64 => Some(Type::Float64),
        ValType::V128 | ValType::Ref(_) => None,
    }
}
