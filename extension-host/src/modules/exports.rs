//! The functions of a module that a call can name.

use wasmtime::component::Type;
use wasmtime::{ExternType, FuncType, Module, ValType};

use crate::values::{ExportedFunction, Signature, Uncallable, signature_text, type_text};

/// The maximum of a name that can be called, in characters: it fits a line.
const MAX_NAME: usize = 128;

/// Lists the functions of a module. Those with numbers as parameters and at most one as the result
/// can be called. Those that their names keep from being called are left out: see [`why_unlisted`].
pub(crate) fn exports(module: &Module) -> Vec<ExportedFunction> {
    let functions = module.exports().filter_map(|export| match export.ty() {
        ExternType::Func(ty) if why_unnamed(export.name()).is_none() => {
            Some(exported(export.name(), &ty))
        }
        _ => None,
    });
    functions.collect()
}

/// Tells why a function of this name is left out of [`exports`], where the module has one.
pub(crate) fn why_unlisted(module: &Module, name: &str) -> Option<Uncallable> {
    match module.get_export(name) {
        Some(ExternType::Func(_)) => why_unnamed(name),
        _ => None,
    }
}

/// Tells whether a function is left out of [`exports`] because a call cannot name it, and not because it
/// is a toolchain's own.
pub(crate) fn has_unnamed(module: &Module) -> bool {
    let is_unnamed = |name: &str| matches!(why_unnamed(name), Some(Uncallable::Name));
    module.exports().any(|it| matches!(it.ty(), ExternType::Func(_)) && is_unnamed(it.name()))
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

/// Tells why a function of this name is not called by it: it is a toolchain's own, or the name
/// cannot be typed. Names of modules are any text.
fn why_unnamed(name: &str) -> Option<Uncallable> {
    let is_toolchains =
        name.starts_with("__") || name.starts_with("cabi_") || name == "_initialize";
    if is_toolchains {
        return Some(Uncallable::Toolchain);
    }
    let is_plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'`' | b'\\');
    let is_typed = (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(is_plain)
        && !name.starts_with('-');
    (!is_typed).then_some(Uncallable::Name)
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
