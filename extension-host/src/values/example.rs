//! Example calls: a value for each parameter, for people to change.

use wasmtime::component::Type;

use super::exports::ExportedFunction;
use super::signature::is_bytes;

/// The depth of an example in a type; deeper types have more to fill in than an example explains.
const MAX_DEPTH: usize = 4;

impl ExportedFunction {
    /// Returns words that the function can be called with, one for each parameter. A text is the
    /// parameter's name.
    pub fn example_words(&self) -> Vec<String> {
        let word = |(name, ty): &(String, Type)| match ty {
            // A text is an argument as it is, without the quotes that it has within another type.
            Type::String => name.clone(),
            ty if is_bytes(ty) => name.clone(),
            ty => example(name, ty, 0),
        };
        self.parameters().iter().map(word).collect()
    }
}

/// Writes a value in WAVE.
fn example(name: &str, ty: &Type, depth: usize) -> String {
    let inner = |name: &str, ty: &Type| example(name, ty, depth + 1);
    match ty {
        _ if depth > MAX_DEPTH => "...".to_owned(),
        Type::Bool => "true".to_owned(),
        Type::Float32 | Type::Float64 => "1.5".to_owned(),
        Type::Char if depth == 0 => "a".to_owned(),
        Type::Char => "'a'".to_owned(),
        Type::String => format!("\"{name}\""),
        Type::List(list) => format!("[{}]", inner(name, &list.ty())),
        Type::Record(record) => {
            let fields = record
                .fields()
                .map(|field| format!("{}: {}", field.name, inner(field.name, &field.ty)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Type::Tuple(tuple) => {
            format!("({})", tuple.types().map(|ty| inner(name, &ty)).collect::<Vec<_>>().join(", "))
        }
        Type::Variant(variant) => {
            variant.cases().next().map_or_else(String::new, |case| match case.ty {
                Some(ty) => format!("{}({})", case.name, inner(case.name, &ty)),
                None => case.name.to_owned(),
            })
        }
        Type::Enum(cases) => cases.names().next().unwrap_or_default().to_owned(),
        Type::Option(option) if depth == 0 => top_level(name, &option.ty()),
        Type::Option(option) => format!("some({})", inner(name, &option.ty())),
        Type::Result(result) => match result.ok() {
            Some(ty) => format!("ok({})", inner(name, &ty)),
            None => "ok".to_owned(),
        },
        Type::Flags(flags) => format!("{{{}}}", flags.names().next().unwrap_or_default()),
        _ => "1".to_owned(),
    }
}

/// Writes an option that is an argument of its own as the value in it.
fn top_level(name: &str, ty: &Type) -> String {
    match ty {
        Type::String => name.to_owned(),
        Type::Option(_) => "none".to_owned(),
        ty => example(name, ty, 1),
    }
}

impl ExportedFunction {
    /// Returns the values of a parameter whose type has few: those of an enum, and `true` and
    /// `false`.
    pub fn choices(&self, at: usize) -> Vec<String> {
        self.parameters().get(at).map(|(_, ty)| choices(ty)).unwrap_or_default()
    }
}

fn choices(ty: &Type) -> Vec<String> {
    match ty {
        Type::Bool => vec!["true".to_owned(), "false".to_owned()],
        Type::Enum(cases) => cases.names().map(str::to_owned).collect(),
        Type::Option(option) => match choices(&option.ty()) {
            inner if inner.is_empty() => inner,
            inner => inner.into_iter().chain(std::iter::once("none".to_owned())).collect(),
        },
        _ => Vec::new(),
    }
}
