//! The functions that a component exports, and how they are found and shown.

use std::fmt;

use wasmtime::Engine;
use wasmtime::component::types::{ComponentFunc, ComponentInstance, ComponentItem};
use wasmtime::component::{Component, Type};

use super::signature::{Signature, is_bytes, kind_without_text, signature_text, type_text};
use crate::linking::split_version;

/// A function that an extension exports, callable or not.
///
/// ```
/// # use extension_host::Host;
/// # let module = r#"(module (func (export "add") (param i32 i32) (result i32)
/// #     (i32.add (local.get 0) (local.get 1))))"#;
/// # let host = Host::new()?;
/// # let code = host.compile(&wat::parse_str(module)?)?;
/// let functions = host.exports(&code);
/// assert_eq!(functions[0].signature(), "func(p0: s32, p1: s32) -> s32");
/// assert_eq!(functions[0].example_words(), ["1", "1"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ExportedFunction {
    /// The interface with its version, or `None` for a function of the world itself. An interface
    /// that is declared in the world has a plain name, such as `api`.
    pub interface: Option<String>,
    /// The function's own name.
    pub name: String,
    /// The reason why it cannot be called, if any.
    pub uncallable: Option<Uncallable>,
    pub(crate) ty: Signature,
}

/// Why a function cannot be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Uncallable {
    /// It is the constructor, a method or a static function of a resource, and takes or returns
    /// one.
    #[error("it works on a resource, which does not outlive a call")]
    Resource,
    /// It is an HTTP handler.
    #[error("it handles HTTP requests, which a call is not")]
    HttpHandler,
    /// A parameter or the result is of a type without a text form.
    #[error("it takes or returns a {kind}, which cannot be written as text")]
    Type {
        /// The kind of that type.
        kind: &'static str,
    },
    /// It is a function of a module and returns several numbers.
    #[error("it returns {count} values, and a call returns one")]
    Results {
        /// Their number.
        count: usize,
    },
    /// It is a function of a module and takes or returns something other than a number.
    #[error("it takes or returns a {kind}, and a call passes only numbers")]
    CoreType {
        /// The kind of that type.
        kind: &'static str,
        /// The function's type, in the notation of [`ExportedFunction::signature`].
        signature: String,
    },
    /// It is a function of a module with a name that toolchains use for themselves.
    #[error("by its name it belongs to the toolchain that built the extension")]
    Toolchain,
    /// It is a function of a module with a name that cannot be typed.
    #[error(
        "a call takes names of at most 128 ASCII characters without spaces, quotes and `\\`, which do not begin with `-`"
    )]
    Name,
}

/// The function of a module that is a program
/// (<https://github.com/WebAssembly/WASI/blob/main/legacy/application-abi.md>).
pub(crate) const START: &str = "_start";
/// The interface that a component exports to be woken by events.
pub const EVENTS_INTERFACE: &str = "open-sesame:extension/events@0.1.0";
/// The interface that a component exports its program by.
const RUN: &str = "wasi:cli/run";

/// A query for a function: `greet`, or `ns:pkg/iface#greet` with or without the interface's
/// version. A function of a module can have all of it as its name.
#[derive(Clone, Copy)]
struct FunctionQuery<'a> {
    text: &'a str,
    interface: Option<&'a str>,
    name: &'a str,
}

impl<'a> FunctionQuery<'a> {
    /// Parses a query; every text is one.
    fn parse(text: &'a str) -> Self {
        match text.rsplit_once('#') {
            Some((interface, name)) => Self { text, interface: Some(interface), name },
            None => Self { text, interface: None, name: text },
        }
    }

    fn fits(&self, function: &ExportedFunction) -> bool {
        let Some(there) = &function.interface else { return self.text == function.name };
        let is_there = |wanted: &str| wanted == there || wanted == split_version(there).0;
        self.interface.is_none_or(is_there) && self.name == function.name
    }
}

/// Lists every function that a component exports, those of its interfaces included.
///
/// Instances within instances are left out: worlds in WIT do not have them, and their functions
/// cannot be named.
pub(crate) fn exports(component: &Component, engine: &Engine) -> Vec<ExportedFunction> {
    let component_type = component.component_type();
    let mut functions = Vec::new();
    for (name, export) in component_type.exports(engine) {
        match export.ty {
            ComponentItem::ComponentFunc(ty) => {
                functions.push(ExportedFunction::new(None, name, ty))
            }
            ComponentItem::ComponentInstance(instance) => {
                functions.extend(functions_of(name, &instance, engine))
            }
            _ => {}
        }
    }
    functions
}

fn functions_of(
    interface: &str,
    instance: &ComponentInstance,
    engine: &Engine,
) -> Vec<ExportedFunction> {
    let functions = instance.exports(engine).filter_map(|(name, export)| match export.ty {
        ComponentItem::ComponentFunc(ty) => Some(ExportedFunction::new(Some(interface), name, ty)),
        _ => None,
    });
    functions.collect()
}

/// Why a query does not mean one function.
pub(crate) enum FindError {
    /// It fits none.
    None,
    /// It fits several equally well.
    Several(Vec<ExportedFunction>),
}

/// Finds the one function that a query means. A callable function wins over others, a function of
/// the world itself over those of interfaces, and those of interfaces with a package over those
/// that a world declares, where toolchains put functions of their own.
pub(crate) fn find<'a>(
    functions: &'a [ExportedFunction],
    text: &str,
) -> Result<&'a ExportedFunction, FindError> {
    let query = FunctionQuery::parse(text);
    let fitting = || functions.iter().filter(|function| query.fits(function));
    let rank = fitting().map(ExportedFunction::rank).min();
    let best: Vec<_> = fitting().filter(|function| Some(function.rank()) == rank).collect();
    match best.as_slice() {
        [function] => Ok(function),
        [] => Err(FindError::None),
        // None of them can be called, and one reason is as good as another.
        [function, ..] if !function.is_callable() => Ok(function),
        several => Err(FindError::Several(several.iter().copied().cloned().collect())),
    }
}

impl ExportedFunction {
    fn new(interface: Option<&str>, name: &str, ty: ComponentFunc) -> Self {
        let ty = Signature::from(ty);
        let uncallable = why_uncallable(interface, name, &ty);
        Self { interface: interface.map(str::to_owned), name: name.to_owned(), uncallable, ty }
    }

    /// Returns the rank among functions with one name: the lowest is meant.
    fn rank(&self) -> (bool, usize) {
        let place = match &self.interface {
            None => 0,
            Some(interface) if interface.contains(':') => 1,
            Some(_) => 2,
        };
        (!self.is_callable(), place)
    }

    /// Returns the name by which it can always be called: `greet` or `ns:pkg/iface@version#greet`.
    pub fn qualified_name(&self) -> String {
        match &self.interface {
            Some(interface) => format!("{interface}#{}", self.name),
            None => self.name.clone(),
        }
    }

    /// Tells whether it is the entry of a program, which takes arguments and ends with a status:
    /// `run` of `wasi:cli/run`, or `_start` of a module.
    pub fn is_program(&self) -> bool {
        match &self.interface {
            Some(interface) => split_version(interface).0 == RUN && self.name == "run",
            None => self.name == START && self.parameters().is_empty(),
        }
    }

    /// Returns the parameters with their types.
    pub fn parameters(&self) -> &[(String, Type)] {
        &self.ty.parameters
    }

    /// Formats the type in WIT's notation, such as `func(name: string) -> string` or `async
    /// func()`.
    pub fn signature(&self) -> String {
        if let Some(Uncallable::CoreType { signature, .. }) = &self.uncallable {
            return signature.clone();
        }
        let parameters =
            self.ty.parameters.iter().map(|(name, ty)| format!("{name}: {}", type_text(ty)));
        let results = self.ty.results.iter().map(type_text).collect();
        let signature = signature_text(parameters.collect(), results);
        if self.ty.is_async { format!("async {signature}") } else { signature }
    }

    /// Tells whether it returns `list<u8>`, or a `result` with one.
    pub(crate) fn returns_bytes(&self) -> bool {
        match self.ty.results.first() {
            Some(Type::Result(result)) => result.ok().as_ref().is_some_and(is_bytes),
            other => other.is_some_and(is_bytes),
        }
    }

    /// Tells whether it can be called; if not, [`ExportedFunction::uncallable`] says why.
    pub fn is_callable(&self) -> bool {
        self.uncallable.is_none()
    }
}

/// Tells why a component's function cannot be called: because of its purpose, or of its types.
fn why_uncallable(interface: Option<&str>, name: &str, ty: &Signature) -> Option<Uncallable> {
    let kind =
        ty.parameters.iter().map(|(_, ty)| ty).chain(&ty.results).find_map(kind_without_text)?;
    let interface = interface.map_or("", |interface| split_version(interface).0);
    Some(if matches!(interface, "wasi:http/incoming-handler" | "wasi:http/handler") {
        Uncallable::HttpHandler
    } else if name.starts_with('[') {
        Uncallable::Resource
    } else {
        Uncallable::Type { kind }
    })
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
