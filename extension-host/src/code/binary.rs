//! Checks of a binary before it is compiled.

use core_types::describe_format;
use wasmparser::{Encoding, Parser, Payload};

use crate::error::HostError;
#[cfg(feature = "componentize")]
use crate::values::START;

/// The two kinds of WebAssembly binaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeKind {
    /// A component of the component model.
    Component,
    /// A core module.
    Module,
}

/// The prefix of the sections in which binding generators describe the world of a module.
const COMPONENT_TYPE: &str = "component-type";
/// The section of the symbols of an object file
/// (<https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md>).
const LINKING: &str = "linking";
/// The section of the needs of a shared library.
const DYLINK: &str = "dylink.0";
const OBJECT: &str = "a WebAssembly object file; link it to a module, such as with `wasm-ld`";
const LIBRARY: &str =
    "a shared WebAssembly library; link it to a component with `wasm-tools component link`";
const ADAPTER: &str = "an adapter, which `wasm-tools component new --adapt` puts into components";
const WIT_PACKAGE: &str = "a WIT package, which describes interfaces and has no code";

impl CodeKind {
    /// Tells the kind by the first eight bytes.
    ///
    /// # Errors
    /// [`HostError::NotWasm`] for anything else.
    pub fn of(bytes: &[u8]) -> Result<Self, HostError> {
        match bytes {
            [b'\0', b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => Ok(Self::Component),
            [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => Ok(Self::Module),
            _ => Err(HostError::NotWasm { found: describe_format(bytes) }),
        }
    }
}

/// Tells whether a binary is a component or a module that could run.
///
/// # Errors
/// [`HostError::NotWasm`] for anything else: other files, WIT packages, and modules that are not
/// linked.
pub fn check_binary(bytes: &[u8]) -> Result<CodeKind, HostError> {
    let kind = CodeKind::of(bytes)?;
    let other = match kind {
        CodeKind::Component => is_wit_package(bytes).then_some(WIT_PACKAGE),
        CodeKind::Module => unlinked(bytes),
    };
    other.map_or(Ok(kind), |found| Err(HostError::NotWasm { found: found.to_owned() }))
}

/// Tells whether a binding generator has described the world of a module. Damaged modules are left
/// to the compiler, which says more.
pub(crate) fn has_world(module: &[u8]) -> bool {
    custom_sections(module).any(|name| name.starts_with(COMPONENT_TYPE))
}

/// Tells whether a module is a program.
#[cfg(feature = "componentize")]
pub(crate) fn exports_start(module: &[u8]) -> bool {
    payloads(module).any(|payload| match payload {
        Payload::ExportSection(exports) => {
            exports.into_iter().flatten().any(|export| export.name == START)
        }
        _ => false,
    })
}

fn unlinked(module: &[u8]) -> Option<&'static str> {
    let has_section = |wanted: &str| custom_sections(module).any(|name| name == wanted);
    // A linked module keeps the section with `wasm-ld --emit-relocs`. An object file exports nothing:
    // its symbols are in that section.
    if has_section(LINKING) && !exports_any(module) {
        Some(OBJECT)
    } else if has_section(DYLINK) {
        Some(LIBRARY)
    } else {
        is_adapter(module).then_some(ADAPTER)
    }
}

fn exports_any(module: &[u8]) -> bool {
    payloads(module).any(|payload| matches!(payload, Payload::ExportSection(_)))
}

/// Tells whether a module is one half of a component, which imports the other half by this name.
fn is_adapter(module: &[u8]) -> bool {
    payloads(module).any(|payload| match payload {
        Payload::ImportSection(imports) => {
            imports.into_imports().flatten().any(|import| import.module == "__main_module__")
        }
        _ => false,
    })
}

/// Returns the names of the custom sections of a module, as far as it can be read.
fn custom_sections(module: &[u8]) -> impl Iterator<Item = &str> {
    payloads(module).filter_map(|payload| match payload {
        Payload::CustomSection(section) => Some(section.name()),
        _ => None,
    })
}

/// Tells whether a component has only types.
fn is_wit_package(component: &[u8]) -> bool {
    let mut has_types = false;
    for payload in payloads(component) {
        match payload {
            Payload::ComponentTypeSection(_) => has_types = true,
            Payload::Version { encoding: Encoding::Component, .. }
            | Payload::ComponentExportSection(_)
            | Payload::CustomSection(_)
            | Payload::End(_) => {}
            _ => return false,
        }
    }
    has_types
}

fn payloads(binary: &[u8]) -> impl Iterator<Item = Payload<'_>> {
    Parser::new(0).parse_all(binary).map_while(Result::ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(binary: &[u8]) -> String {
        check_binary(binary).map_or_else(|error| error.to_string(), |kind| format!("{kind:?}"))
    }

    #[test]
    fn other_file_formats_are_named() {
        let message = |bytes: &[u8]| CodeKind::of(bytes).expect_err("not wasm").to_string();
        insta::assert_snapshot!(message(b""), @"not an extension: it is empty");
        insta::assert_snapshot!(message(b"<!doctype html><title>login"), @"not an extension: it is an HTML page, such as of a login or an error");
        insta::assert_snapshot!(message(b"\0asm\x0c\0\x01\0"), @"not an extension: it is a component made for a draft of the component model (version 0x0c); build it again with current tools");
        assert_eq!(CodeKind::of(b"\0asm\x01\0\0\0").expect("a module"), CodeKind::Module);
    }

    #[test]
    fn wit_package_is_named() {
        let mut resolve = wit_parser::Resolve::default();
        let wit = "package acme:shop@1.0.0; interface stock { record item { id: u32 } count: func(item: item) -> u32; }";
        let package = resolve.push_str("x.wit", wit).expect("valid WIT");
        let package = wit_component::encode(&resolve, package).expect("encoded");
        insta::assert_snapshot!(refusal(&package), @"not an extension: it is a WIT package, which describes interfaces and has no code");
        assert_eq!(refusal(&wat::parse_str("(component)").expect("valid")), "Component");
        assert_eq!(
            refusal(&wat::parse_str("(component (type (func)) (core module))").expect("valid")),
            "Component"
        );
    }

    #[test]
    fn unlinked_module_is_named() {
        let module = |section: &str| {
            wat::parse_str(format!("(module (@custom \"{section}\" \"\"))")).expect("valid")
        };
        insta::assert_snapshot!(refusal(&module("linking")), @"not an extension: it is a WebAssembly object file; link it to a module, such as with `wasm-ld`");
        insta::assert_snapshot!(refusal(&module("dylink.0")), @"not an extension: it is a shared WebAssembly library; link it to a component with `wasm-tools component link`");
        let adapter = r#"(module (import "env" "memory" (memory 0)) (import "__main_module__" "cabi_realloc" (func)))"#;
        insta::assert_snapshot!(refusal(&wat::parse_str(adapter).expect("valid")), @"not an extension: it is an adapter, which `wasm-tools component new --adapt` puts into components");
        assert_eq!(refusal(&module("name-of-mine")), "Module");
        let with_relocations = r#"(module (func (export "f")) (@custom "linking" ""))"#;
        assert_eq!(refusal(&wat::parse_str(with_relocations).expect("valid")), "Module");
        assert!(has_world(&module("component-type:x")) && !has_world(&module("linking")));
    }
}
