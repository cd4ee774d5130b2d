//! Components from core modules that describe their world.

use std::path::Path;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use super::binary::{exports_start, has_world};
use super::wit_package::parse;

/// Why a module cannot become a component, or a text a package.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ComponentizeError(String);

impl ComponentizeError {
    /// Keeps an error on one line. The causes say what is missing or of another type; the outermost
    /// error does not.
    pub(crate) fn new(error: &dyn std::fmt::Display) -> Self {
        Self(error.to_string().replace('\n', " "))
    }
}

/// Makes a component of a core module with the world that a binding generator left in it.
/// Wasmtime's adapter turns WASI's first version into its second. Returns `None` for a module
/// without a world.
///
/// # Errors
/// When the module is damaged, or does not fit its world.
pub fn componentize(module: &[u8]) -> Result<Option<Vec<u8>>, ComponentizeError> {
    if !has_world(module) {
        return Ok(None);
    }
    let adapter = match exports_start(module) {
        true => WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
        false => WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
    };
    let encoder = ComponentEncoder::default().validate(true).module(module);
    let component = encoder.and_then(|encoder| {
        encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter)?.encode()
    });
    component.map(Some).map_err(|error| ComponentizeError::new(&format!("{error:#}")))
}

/// The encoding of the texts in a module's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextEncoding {
    /// That of most languages.
    Utf8,
    /// That of languages that come from JavaScript, such as AssemblyScript.
    Utf16,
}

/// Adds the only world of a directory of `.wit` files to a core module whose compiler does not know
/// worlds. A module that has a world keeps it.
///
/// # Errors
/// When the interfaces are wrong, or the directory has several worlds or none.
pub fn embed_world(
    module: &[u8],
    interfaces: &Path,
    encoding: TextEncoding,
) -> Result<Vec<u8>, ComponentizeError> {
    let mut module = module.to_vec();
    if has_world(&module) {
        return Ok(module);
    }
    let (resolve, package) = parse(interfaces).map_err(|error| ComponentizeError::new(&error))?;
    let failed = |error: &dyn std::fmt::Display| ComponentizeError::new(&format!("{error:#}"));
    let world = resolve.select_world(&[package], None).map_err(|error| failed(&error))?;
    let encoding = match encoding {
        TextEncoding::Utf8 => StringEncoding::UTF8,
        TextEncoding::Utf16 => StringEncoding::UTF16,
    };
    embed_component_metadata(&mut module, &resolve, world, encoding)
        .map_err(|error| failed(&error))?;
    Ok(module)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Host;

    /// A module with a world becomes a component that links; one without stays a module.
    #[test]
    fn componentize_only_module_with_world() {
        let plain = wat::parse_str("(module)").expect("valid");
        assert_eq!(componentize(&plain).expect("nothing to do"), None);
        // A damaged module is left to the compiler, which says so.
        assert_eq!(componentize(b"\0asm\x01\0\0\0\x01\xff").expect("nothing to do"), None);
        let world = "package local:x; world extension { export add: func(a: u32, b: u32) -> u32; }";
        let component = componentize(&with_world(world)).expect("made").expect("a component");
        let host = Host::new().expect("a host");
        let code = host.compile(&component).expect("compiles");
        let exports: Vec<_> = host.exports(&code).iter().map(ToString::to_string).collect();
        assert_eq!(exports, ["add: func(a: u32, b: u32) -> u32"]);
        let code = host.compile(&with_world(world)).expect("compiled as its component");
        let extension = host.extension(&code, crate::Permissions::default()).expect("links");
        let report = extension.call_blocking("add", &crate::Arguments::words(["2", "3"]));
        assert_eq!(report.outcome.expect("called").to_text(), "5");
        let other = "package local:x; world extension { export sub: func(a: u32) -> u32; }";
        assert!(componentize(&with_world(other)).expect_err("refused").to_string().contains("sub"));
    }

    #[test]
    fn program_with_world_stays_program() {
        let program = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
            (func (export "_start")) (memory (export "memory") 1))"#;
        let host = Host::new().expect("a host");
        let code = host
            .compile(&embedded(program, "package local:x; world extension {}"))
            .expect("compiles");
        assert_eq!(
            (code.kind(), host.purpose(&code)),
            (crate::CodeKind::Component, crate::Purpose::Program)
        );
    }

    #[test]
    fn missing_world_is_added() {
        let directory = tempfile::tempdir().expect("a directory");
        let world = "package local:x; world extension { export add: func(a: u32, b: u32) -> u32; }";
        std::fs::write(directory.path().join("x.wit"), world).expect("written");
        let bare = wat::parse_str(ADDS).expect("valid");
        let module = embed_world(&bare, directory.path(), TextEncoding::Utf16).expect("embedded");
        assert!(componentize(&module).expect("made").is_some());
        let again = embed_world(&module, directory.path(), TextEncoding::Utf8).expect("kept");
        assert_eq!(again, module);
        std::fs::write(directory.path().join("y.wit"), "world other {}").expect("written");
        assert!(embed_world(&bare, directory.path(), TextEncoding::Utf8).is_err());
    }

    /// A module that adds.
    const ADDS: &str = r#"(module
        (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
        (memory (export "memory") 1))"#;

    /// Makes a module that adds, with this world.
    fn with_world(wit: &str) -> Vec<u8> {
        embedded(ADDS, wit)
    }

    fn embedded(module: &str, wit: &str) -> Vec<u8> {
        let mut module = wat::parse_str(module).expect("valid");
        let mut resolve = wit_parser::Resolve::default();
        let package = resolve.push_str("x.wit", wit).expect("valid WIT");
        let world = resolve.select_world(&[package], Some("extension")).expect("a world");
        wit_component::embed_component_metadata(
            &mut module,
            &resolve,
            world,
            wit_component::StringEncoding::UTF8,
        )
        .expect("embedded");
        module
    }
}
