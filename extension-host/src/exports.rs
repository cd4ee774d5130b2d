//! The functions that a component offers, and how they are found and shown.

use std::fmt;

use wasmtime::Engine;
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::wasm_wave::wasm::DisplayType;
use wasmtime::component::{Component, Type};

use crate::error::CallError;
use crate::imports::split_version;

/// A function that a component exports.
#[derive(Clone)]
pub struct ExportedFunction {
    /// The interface with its version, or nothing for a function of the world itself.
    pub interface: Option<String>,
    /// The function's own name.
    pub name: String,
    pub(crate) ty: Signature,
}

/// What a function takes and returns, in the types of components; the numbers of a module are the ones that they stand for.
#[derive(Clone)]
pub(crate) struct Signature {
    pub(crate) parameters: Vec<(String, Type)>,
    pub(crate) results: Vec<Type>,
}

impl From<ComponentFunc> for Signature {
    fn from(ty: ComponentFunc) -> Self {
        let parameters = ty.params().map(|(name, ty)| (name.to_owned(), ty)).collect();
        Self { parameters, results: ty.results().collect() }
    }
}

/// How a function is asked for: `greet`, or `ns:pkg/iface#greet` with or without the interface's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionQuery<'a> {
    interface: Option<&'a str>,
    name: &'a str,
}

impl<'a> FunctionQuery<'a> {
    /// Reads a query; every text is one.
    pub fn parse(text: &'a str) -> Self {
        match text.rsplit_once('#') {
            Some((interface, name)) => Self { interface: Some(interface), name },
            None => Self { interface: None, name: text },
        }
    }

    fn fits(&self, function: &ExportedFunction) -> bool {
        let interface_fits = match (self.interface, function.interface.as_deref()) {
            (None, _) => true,
            (Some(wanted), Some(there)) => wanted == there || wanted == split_version(there).0,
            (Some(_), None) => false,
        };
        interface_fits && self.name == function.name
    }
}

/// Every function that a component exports, those of its interfaces included.
///
/// Instances whose name is no interface's are a toolchain's own business and left out.
pub(crate) fn exports(component: &Component, engine: &Engine) -> Vec<ExportedFunction> {
    let component_type = component.component_type();
    let mut functions = Vec::new();
    for (name, export) in component_type.exports(engine) {
        match export.ty {
            ComponentItem::ComponentFunc(ty) => {
                functions.push(ExportedFunction { interface: None, name: name.to_owned(), ty: ty.into() });
            }
            ComponentItem::ComponentInstance(instance) if name.contains(':') => {
                functions.extend(instance.exports(engine).filter_map(|(function, export)| match export.ty {
                    ComponentItem::ComponentFunc(ty) => {
                        let interface = Some(name.to_owned());
                        Some(ExportedFunction { interface, name: function.to_owned(), ty: ty.into() })
                    }
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    functions
}

/// Finds the one function that a query means. A function of the world itself wins over those of interfaces.
pub(crate) fn find<'a>(functions: &'a [ExportedFunction], text: &str) -> Result<&'a ExportedFunction, CallError> {
    let query = FunctionQuery::parse(text);
    let fitting: Vec<_> = functions.iter().filter(|function| query.fits(function)).collect();
    let exact = fitting.iter().find(|function| function.interface.is_none());
    match (exact, fitting.as_slice()) {
        (Some(function), _) => Ok(function),
        (None, [function]) => Ok(function),
        (None, []) => Err(CallError::NoSuchFunction { name: text.to_owned(), callable: functions.to_vec() }),
        (None, several) => Err(CallError::Ambiguous {
            name: text.to_owned(),
            candidates: several.iter().map(|function| (*function).clone()).collect(),
        }),
    }
}

impl ExportedFunction {
    /// The name by which it can always be called: `greet` or `ns:pkg/iface@version#greet`.
    pub fn qualified_name(&self) -> String {
        match &self.interface {
            Some(interface) => format!("{interface}#{}", self.name),
            None => self.name.clone(),
        }
    }

    /// The parameters with their types.
    pub fn parameters(&self) -> &[(String, Type)] {
        &self.ty.parameters
    }

    /// The type in WIT's notation, such as `func(name: string) -> string`.
    pub fn signature(&self) -> String {
        let parameters: Vec<_> =
            self.ty.parameters.iter().map(|(name, ty)| format!("{name}: {}", type_text(ty))).collect();
        let result = self.ty.results.first().map(|ty| format!(" -> {}", type_text(ty))).unwrap_or_default();
        format!("func({}){result}", parameters.join(", "))
    }

    /// Whether what it returns, or what is in the `result` that it returns, is `list<u8>`.
    pub(crate) fn returns_bytes(&self) -> bool {
        let is_bytes = |ty: &Type| matches!(ty, Type::List(list) if list.ty() == Type::U8);
        match self.ty.results.first() {
            Some(Type::Result(result)) => result.ok().as_ref().is_some_and(is_bytes),
            other => other.is_some_and(is_bytes),
        }
    }

    /// Whether each of its values can be written as text. Resources, streams and futures cannot.
    pub fn is_callable(&self) -> bool {
        self.ty.parameters.iter().all(|(_, ty)| is_writable(ty)) && self.ty.results.iter().all(is_writable)
    }
}

impl fmt::Display for ExportedFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.qualified_name(), self.signature())
    }
}

impl fmt::Debug for ExportedFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A type in WIT's notation; named types are shown by what they consist of, as components do not keep their names.
pub(crate) fn type_text(ty: &Type) -> String {
    match ty {
        Type::Own(_) | Type::Borrow(_) => "resource".to_owned(),
        Type::Future(_) => "future".to_owned(),
        Type::Stream(_) => "stream".to_owned(),
        Type::ErrorContext => "error-context".to_owned(),
        Type::Map(_) => "map".to_owned(),
        ty if !is_writable(ty) => "a type with resources".to_owned(),
        ty => DisplayType(ty).to_string(),
    }
}

fn is_writable(ty: &Type) -> bool {
    match ty {
        Type::List(list) => is_writable(&list.ty()),
        Type::Record(record) => record.fields().all(|field| is_writable(&field.ty)),
        Type::Tuple(tuple) => tuple.types().all(|ty| is_writable(&ty)),
        Type::Variant(variant) => variant.cases().filter_map(|case| case.ty).all(|ty| is_writable(&ty)),
        Type::Option(option) => is_writable(&option.ty()),
        Type::Result(result) => result.ok().into_iter().chain(result.err()).all(|ty| is_writable(&ty)),
        Type::Map(_)
        | Type::Own(_)
        | Type::Borrow(_)
        | Type::Future(_)
        | Type::Stream(_)
        | Type::ErrorContext
        | Type::FixedLengthList(_) => false,
        _ => true,
    }
}
