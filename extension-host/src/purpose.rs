//! The purpose of an extension.

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::code::{Code, LoadedCode};
use crate::host::Host;
use crate::linking::split_version;
use crate::modules;
use crate::values::{EVENTS_INTERFACE, ExportedFunction};

/// The purpose of an extension, as far as its exports tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It has functions that can be called.
    Functions,
    /// It works on workloads.
    Workloads,
    /// It is a program: it has arguments and standard streams, and no function to call by name.
    Program,
    /// It answers the requests of a web server.
    HttpHandler,
    /// It is a part for other components: its functions take or return values without a text form.
    Library,
    /// It is a module, and a call cannot pass what its functions take or return.
    Uncallable,
    /// It exports functions, and a call can name none of them.
    Unnamed,
    /// It does not export a function.
    Nothing,
}

/// The interfaces of web handlers, of WASI 0.2 and 0.3.
const HANDLERS: [&str; 2] = ["wasi:http/incoming-handler", "wasi:http/handler"];

/// Functions that toolchains export from programs beside their start, for their own use.
const HELPERS: [&str; 5] = ["calloc", "free", "main", "malloc", "realloc"];

impl Host {
    /// Tells the purpose of the code. No code runs.
    pub fn purpose(&self, code: &Code) -> Purpose {
        let functions = self.exports(code);
        let has_start = functions.iter().any(ExportedFunction::is_program);
        let is_own = |function: &ExportedFunction| {
            function.is_callable() && !(has_start && (function.is_program() || is_helper(function)))
        };
        if self.takes_workloads(code) {
            Purpose::Workloads
        } else if functions.iter().any(is_own) {
            Purpose::Functions
        } else if has_start {
            Purpose::Program
        } else if self.is_handler(code) {
            Purpose::HttpHandler
        } else {
            without_a_purpose(code, functions.is_empty())
        }
    }

    /// Tells whether the code exports the interface by which it is woken. No code runs.
    pub fn handles_events(&self, code: &Code) -> bool {
        let is_there = |interface: &Option<String>| interface.as_deref() == Some(EVENTS_INTERFACE);
        self.exports(code).iter().any(|function| is_there(&function.interface))
    }

    fn is_handler(&self, code: &Code) -> bool {
        let is_handler = |component: &Component| {
            let component_type = component.component_type();
            component_type
                .exports(component.engine())
                .any(|(name, _)| HANDLERS.contains(&split_version(name).0))
        };
        matches!(code.loaded(), LoadedCode::Component(component) if is_handler(component))
    }
}

/// Tells the purpose of code without a function that can be called.
fn without_a_purpose(code: &Code, has_none: bool) -> Purpose {
    let (has_unnamed, of_others) = match code.loaded() {
        LoadedCode::Module(module) => (modules::has_unnamed(module), Purpose::Uncallable),
        LoadedCode::Component(component) => (has_nested(component), Purpose::Library),
    };
    match (has_none, has_unnamed) {
        (false, _) => of_others,
        (true, true) => Purpose::Unnamed,
        (true, false) => Purpose::Nothing,
    }
}

/// Tells whether a component exports an instance within an instance.
fn has_nested(component: &Component) -> bool {
    let engine = component.engine();
    let is_instance = |item: &ComponentItem| matches!(item, ComponentItem::ComponentInstance(_));
    component.component_type().exports(engine).any(|(_, export)| match export.ty {
        ComponentItem::ComponentInstance(instance) => {
            instance.exports(engine).any(|(_, within)| is_instance(&within.ty))
        }
        _ => false,
    })
}

fn is_helper(function: &ExportedFunction) -> bool {
    function.interface.is_none()
        && (HELPERS.contains(&&*function.name) || function.name.starts_with("asyncify_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purpose(wat: &str) -> Purpose {
        let host = Host::new().expect("a host");
        let code = host.compile(&wat::parse_str(wat).expect("valid text")).expect("compiles");
        host.purpose(&code)
    }

    /// Makes an instance that exports one function of these types.
    fn exporting(name: &str, function: &str, ty: &str, core: &str) -> String {
        format!(
            r#"(component
                (core module $m (func (export "f") {core} unreachable))
                (core instance $i (instantiate $m))
                (func $f {ty} (canon lift (core func $i "f")))
                (instance $x (export "{function}" (func $f)))
                (export "{name}" (instance $x)))"#
        )
    }

    #[test]
    fn purpose_follows_from_exports() {
        assert_eq!(purpose(r#"(module (func (export "f")))"#), Purpose::Functions);
        assert_eq!(purpose(r#"(module (func (export "_start")))"#), Purpose::Program);
        assert_eq!(
            purpose(r#"(module (func (export "_start")) (func (export "f")))"#),
            Purpose::Functions
        );
        assert_eq!(
            purpose(r#"(module (func (export "_start")) (func (export "free")))"#),
            Purpose::Program
        );
        assert_eq!(purpose(r#"(module (func (export "free")))"#), Purpose::Functions);
        assert_eq!(purpose("(module)"), Purpose::Nothing);
        assert_eq!(purpose(r#"(module (func (export "_initialize")))"#), Purpose::Nothing);
        assert_eq!(purpose(r#"(module (func (export "my func")))"#), Purpose::Unnamed);
        let several = r#"(module (func (export "f") (result i32 i32) unreachable))"#;
        assert_eq!(purpose(several), Purpose::Uncallable);
        let nested = r#"(component
            (core module $m (func (export "f")))
            (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "f")))
            (instance $inner (export "f" (func $f)))
            (instance $outer (export "inner" (instance $inner)))
            (export "outer" (instance $outer)))"#;
        assert_eq!(purpose(nested), Purpose::Unnamed);
        assert_eq!(purpose("(component)"), Purpose::Nothing);
        let run = exporting("wasi:cli/run@0.2.3", "run", "(result (result))", "(result i32)");
        assert_eq!(purpose(&run), Purpose::Program);
        let mine = exporting("acme:shop/stock@1.0.0", "count", "(result u32)", "(result i32)");
        assert_eq!(purpose(&mine), Purpose::Functions);
    }

    #[test]
    fn handlers_and_libraries_are_told() {
        let resource = |name: &str| {
            format!(
                r#"(component
                    (type $r (resource (rep i32)))
                    (core module $m (func (export "f") (param i32) unreachable))
                    (core instance $i (instantiate $m))
                    (func $f (param "r" (own $r)) (canon lift (core func $i "f")))
                    (component $c
                        (import "r" (type $r (sub resource)))
                        (import "f" (func $f (param "r" (own $r))))
                        (export $e "r" (type $r))
                        (export "handle" (func $f) (func (param "r" (own $e)))))
                    (instance $x (instantiate $c (with "r" (type $r)) (with "f" (func $f))))
                    (export "{name}" (instance $x)))"#
            )
        };
        assert_eq!(purpose(&resource("wasi:http/incoming-handler@0.2.0")), Purpose::HttpHandler);
        assert_eq!(purpose(&resource("wasi:http/handler@0.3.0")), Purpose::HttpHandler);
        assert_eq!(purpose(&resource("acme:shop/stock@1.0.0")), Purpose::Library);
    }
}
