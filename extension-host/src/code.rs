//! WebAssembly binaries and their compiled form.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::error::HostError;

/// The two kinds of WebAssembly binaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeKind {
    /// A component of the component model.
    Component,
    /// A core module.
    Module,
}

/// A compiled extension. Cheap to clone.
#[derive(Clone)]
pub struct Code(pub(crate) Arc<LoadedCode>);

pub(crate) enum LoadedCode {
    Component(Component),
    Module(Module),
}

impl CodeKind {
    /// Tells the kind by the first eight bytes.
    ///
    /// # Errors
    /// [`HostError::NotWasm`] for anything that is neither.
    pub fn of(bytes: &[u8]) -> Result<Self, HostError> {
        match bytes {
            [b'\0', b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => Ok(Self::Component),
            [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => Ok(Self::Module),
            _ => Err(HostError::NotWasm { found: beginning(bytes) }),
        }
    }
}

/// The first bytes as text where they are text, and as numbers where not.
fn beginning(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(16)];
    if start.is_empty() { "nothing: it is empty".to_owned() } else { format!("`{}`", start.escape_ascii()) }
}

impl Code {
    /// Whether it is a component or a core module.
    pub fn kind(&self) -> CodeKind {
        match *self.0 {
            LoadedCode::Component(_) => CodeKind::Component,
            LoadedCode::Module(_) => CodeKind::Module,
        }
    }

    /// Loads code that [`compile`] has just made in this process.
    #[allow(unsafe_code)]
    pub(crate) fn from_compiled(engine: &Engine, kind: CodeKind, compiled: &[u8]) -> Result<Self, HostError> {
        // SAFETY: the bytes come straight from Wasmtime's compiler in this process and were in nobody else's hands.
        let loaded = unsafe {
            match kind {
                CodeKind::Component => Component::deserialize(engine, compiled).map(LoadedCode::Component),
                CodeKind::Module => Module::deserialize(engine, compiled).map(LoadedCode::Module),
            }
        };
        loaded.map(|loaded| Self(Arc::new(loaded))).map_err(HostError::Load)
    }

    /// Maps code that sesame compiled earlier, of either kind. The file is not read as a whole: pages come as they are
    /// needed.
    ///
    /// The descriptor is what was checked, and the path under `/proc` leads to it whatever became of the file's name.
    #[allow(unsafe_code)]
    pub(crate) fn from_checked_file(engine: &Engine, file: &File) -> Result<Self, HostError> {
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        // SAFETY: `CodeCache::open` gives out only files that sesame wrote for these bytes, this engine and this
        // processor, in a directory of the user's own, that nobody else can write to and that have not changed since
        // they were published. They are replaced by renaming and never written in place.
        let loaded = unsafe {
            let component = Component::deserialize_file(engine, &path).map(LoadedCode::Component);
            component
                .or_else(|error| Module::deserialize_file(engine, &path).map(LoadedCode::Module).map_err(|_| error))
        };
        loaded.map(|loaded| Self(Arc::new(loaded))).map_err(HostError::Load)
    }
}

/// Compiles a binary with a compiling engine, to machine code in the form that a runtime engine loads.
pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> Result<(CodeKind, Vec<u8>), HostError> {
    let kind = CodeKind::of(bytes)?;
    let compiled = match kind {
        CodeKind::Component => engine.precompile_component(bytes),
        CodeKind::Module => engine.precompile_module(bytes),
    };
    Ok((kind, compiled.map_err(HostError::Compile)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_webassembly_is_said_to_start_with_what_it_starts_with() {
        let message = |bytes: &[u8]| CodeKind::of(bytes).expect_err("not wasm").to_string();
        insta::assert_snapshot!(message(b""), @"this is no WebAssembly: it starts with nothing: it is empty");
        insta::assert_snapshot!(message(b"\x7fELF\x02\x01"), @r"this is no WebAssembly: it starts with `\x7fELF\x02\x01`");
        insta::assert_snapshot!(message(b"<!doctype html><title>login"), @"this is no WebAssembly: it starts with `<!doctype html><`");
        assert_eq!(CodeKind::of(b"\0asm\x01\0\0\0").expect("a module"), CodeKind::Module);
    }
}
