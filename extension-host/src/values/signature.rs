//! Signatures of functions, and types in WIT's notation.

use wasmtime::component::Type;
use wasmtime::component::types::ComponentFunc;
use wasmtime::component::wasm_wave::wasm::DisplayType;

/// The parameters and results of a function, in the types of components; the numbers of a module
/// have counterparts there.
#[derive(Clone, Default)]
pub(crate) struct Signature {
    pub(crate) is_async: bool,
    pub(crate) parameters: Vec<(String, Type)>,
    pub(crate) results: Vec<Type>,
}

impl From<ComponentFunc> for Signature {
    fn from(ty: ComponentFunc) -> Self {
        let parameters = ty.params().map(|(name, ty)| (name.to_owned(), ty)).collect();
        Self { is_async: ty.async_(), parameters, results: ty.results().collect() }
    }
}

/// Formats a function's type in WIT's notation, from the texts of its parameters and results.
pub(crate) fn signature_text(parameters: Vec<String>, results: Vec<String>) -> String {
    let result = match results.as_slice() {
        [] => String::new(),
        [one] => format!(" -> {one}"),
        several => format!(" -> ({})", several.join(", ")),
    };
    format!("func({}){result}", parameters.join(", "))
}

/// Tells whether a type is `list<u8>`.
pub(crate) fn is_bytes(ty: &Type) -> bool {
    matches!(ty, Type::List(list) if list.ty() == Type::U8)
}

/// Formats a type in WIT's notation. Named types are shown by their content, since components do
/// not keep their names.
pub(crate) fn type_text(ty: &Type) -> String {
    match (ty, kind_without_text(ty)) {
        (_, None) => DisplayType(ty).to_string(),
        (
            Type::List(_)
            | Type::Record(_)
            | Type::Tuple(_)
            | Type::Variant(_)
            | Type::Option(_)
            | Type::Result(_),
            Some(kind),
        ) => format!("a type with {kind}"),
        (_, Some(kind)) => kind.to_owned(),
    }
}

/// Returns the kind of type, in this one or deep in it, whose values have no text.
pub(super) fn kind_without_text(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::List(list) => kind_without_text(&list.ty()),
        Type::Record(record) => record.fields().find_map(|field| kind_without_text(&field.ty)),
        Type::Tuple(tuple) => tuple.types().find_map(|ty| kind_without_text(&ty)),
        Type::Variant(variant) => {
            variant.cases().filter_map(|case| case.ty).find_map(|ty| kind_without_text(&ty))
        }
        Type::Option(option) => kind_without_text(&option.ty()),
        Type::Result(result) => {
            result.ok().into_iter().chain(result.err()).find_map(|ty| kind_without_text(&ty))
        }
        Type::Own(_) | Type::Borrow(_) => Some("resource"),
        Type::Future(_) => Some("future"),
        Type::Stream(_) => Some("stream"),
        Type::ErrorContext => Some("error-context"),
        Type::Map(_) => Some("map"),
        Type::FixedLengthList(_) => Some("fixed-length list"),
        _ => None,
    }
}
