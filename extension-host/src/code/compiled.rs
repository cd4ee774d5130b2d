//! Compiled code, and the compiler that makes it.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::sync::{Arc, OnceLock};

use rustix::io::Errno;
use wasmtime::component::{Component, InstancePre};
use wasmtime::{Engine, Module, ResourcesRequired};

use super::binary::{CodeKind, check_binary, has_world};
use super::error_cause::cause_of;
use super::not_executable::NotExecutable;
use crate::cache::CodeFile;
use crate::calling::CallState;
use crate::error::HostError;
use crate::held_path::held_path;
use crate::linking::{Import, imports};
use crate::modules;
use crate::values::{ExportedFunction, Uncallable, exports};

/// The size of a page of WebAssembly, in bytes.
const PAGE: u64 = 64 << 10;

/// A compiled extension. Cheap to clone.
///
/// ```
/// use extension_host::{CodeKind, Host};
///
/// let host = Host::new()?;
/// let code = host.compile(b"\0asm\x01\0\0\0")?;
/// assert_eq!(code.kind(), CodeKind::Module);
/// assert!(host.exports(&code).is_empty() && code.is_current());
/// # Ok::<(), extension_host::HostError>(())
/// ```
#[derive(Clone)]
pub struct Code {
    loaded: Arc<Loaded>,
    /// The file that is mapped, if it has a name.
    file: Option<Arc<CodeFile>>,
}

/// Loaded code, with everything about it that is the same for every call: a service that calls it
/// again does not find it out again.
struct Loaded {
    code: LoadedCode,
    imports: OnceLock<Vec<Import>>,
    /// Those that can be called first.
    exports: OnceLock<Arc<[ExportedFunction]>>,
    linked: OnceLock<InstancePre<CallState>>,
}

pub(crate) enum LoadedCode {
    Component(Component),
    Module(Module),
}

impl Code {
    fn new(code: LoadedCode) -> Self {
        let (imports, exports, linked) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { loaded: Arc::new(Loaded { code, imports, exports, linked }), file: None }
    }

    /// Names the file that is mapped.
    pub(crate) fn mapped_from(self, file: CodeFile) -> Self {
        Self { file: Some(Arc::new(file)), ..self }
    }

    /// Takes the file as one that goes, as that of a temporary directory does: the code stays.
    #[must_use]
    pub fn without_file(self) -> Self {
        Self { file: None, ..self }
    }

    /// Returns whether the file that is mapped is still the one that was checked. A program that keeps
    /// code asks before each use, and loads it anew otherwise. Code without a file stays as it is.
    pub fn is_current(&self) -> bool {
        self.file.as_ref().is_none_or(|file| file.is_unchanged())
    }

    /// Returns the code itself.
    pub(crate) fn loaded(&self) -> &LoadedCode {
        &self.loaded.code
    }

    /// Returns its imports.
    pub(crate) fn imports(&self) -> &[Import] {
        self.loaded.imports.get_or_init(|| match self.loaded() {
            LoadedCode::Component(component) => imports(component, component.engine()),
            LoadedCode::Module(module) => modules::imports(module),
        })
    }

    /// Returns its functions, those that can be called first.
    pub(crate) fn exports(&self) -> &Arc<[ExportedFunction]> {
        self.loaded.exports.get_or_init(|| {
            let mut functions = match self.loaded() {
                LoadedCode::Component(component) => exports(component, component.engine()),
                LoadedCode::Module(module) => modules::exports(module),
            };
            functions.sort_by_key(|function| !function.is_callable());
            functions.into()
        })
    }

    /// Tells why a function is not among [`Code::exports`], where it has one of this name.
    pub(crate) fn why_unlisted(&self, name: &str) -> Option<Uncallable> {
        match self.loaded() {
            LoadedCode::Component(_) => None,
            LoadedCode::Module(module) => modules::why_unlisted(module, name),
        }
    }

    /// Returns the component linked to the interfaces of this crate, by `link` where it is the first
    /// time. Grants do not matter to that: without one that an import needs, nothing is linked.
    pub(crate) fn linked_once(
        &self,
        link: impl FnOnce() -> Result<InstancePre<CallState>, HostError>,
    ) -> Result<InstancePre<CallState>, HostError> {
        if let Some(linked) = self.loaded.linked.get() {
            return Ok(linked.clone());
        }
        let linked = link()?;
        Ok(self.loaded.linked.get_or_init(|| linked).clone())
    }

    /// Tells whether it is a component or a core module.
    pub fn kind(&self) -> CodeKind {
        match self.loaded() {
            LoadedCode::Component(_) => CodeKind::Component,
            LoadedCode::Module(_) => CodeKind::Module,
        }
    }

    /// Returns the number of memories of an instance. Code that imports modules, whose memories are
    /// not known, does not start here and counts as one.
    pub(crate) fn memories(&self) -> u32 {
        self.resources().map_or(1, |resources| resources.num_memories.max(1))
    }

    /// Returns the bytes that the memories of an instance have at first, as if each were the
    /// largest of them.
    pub(crate) fn initial_memory(&self) -> u64 {
        let pages = self.resources().and_then(|resources| resources.max_initial_memory_size);
        let largest = pages.unwrap_or_default().saturating_mul(PAGE);
        largest.saturating_mul(self.memories().into())
    }

    fn resources(&self) -> Option<ResourcesRequired> {
        match self.loaded() {
            LoadedCode::Component(component) => component.resources_required(),
            LoadedCode::Module(module) => Some(module.resources_required()),
        }
    }

    /// Loads code that [`compile`] has just made in this process.
    #[expect(unsafe_code, reason = "compiled code is trusted: see SAFETY")]
    pub(crate) fn from_compiled(
        engine: &Engine,
        kind: CodeKind,
        compiled: &[u8],
    ) -> Result<Self, HostError> {
        // SAFETY: the bytes come straight from Wasmtime's compiler in this process and were never
        // in other hands.
        let loaded = unsafe {
            match kind {
                CodeKind::Component => {
                    Component::deserialize(engine, compiled).map(LoadedCode::Component)
                }
                CodeKind::Module => Module::deserialize(engine, compiled).map(LoadedCode::Module),
            }
        };
        loaded.map(Self::new).map_err(HostError::Load)
    }

    /// Maps code that sesame compiled earlier, of either kind. The file is not read as a whole:
    /// pages come as they are needed.
    ///
    /// The descriptor was checked, and the path under `/proc` leads to it even if the name of the
    /// file leads elsewhere by now.
    #[expect(unsafe_code, reason = "compiled code is trusted: see SAFETY")]
    pub(crate) fn from_checked_file(engine: &Engine, file: &File) -> Result<Self, HostError> {
        let path = held_path(file);
        // SAFETY: `CodeCache::open` returns only files that sesame wrote for these bytes, this
        // engine and this processor, in a directory of the user's own, that only the user can write
        // to and that have not changed since they were published. They are replaced by renaming and
        // never written in place. The one other file is that of `check_executable`: it has no name,
        // so that no other process can open it.
        let loaded = unsafe {
            let component = Component::deserialize_file(engine, &path).map(LoadedCode::Component);
            component.or_else(|error| {
                let module = Module::deserialize_file(engine, &path).map(LoadedCode::Module);
                module.map_err(|other| if is_of_system(&other) { other } else { error })
            })
        };
        loaded.map(Self::new).map_err(|error| match NotExecutable::of(error, file) {
            Ok(forbidden) => HostError::NotExecutable(forbidden),
            Err(error) => HostError::Load(error),
        })
    }
}

/// Tells whether the system refused to load code that is valid, which happens only for code of the
/// right kind.
fn is_of_system(error: &wasmtime::Error) -> bool {
    cause_of::<Errno>(error).is_some() || cause_of::<io::Error>(error).is_some()
}

/// Compiles a binary with a compiling engine, to machine code that a runtime engine loads.
///
/// A module with a world is compiled as the component that it describes. That follows from its
/// bytes alone: the digest that the user pinned still says what runs.
pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> Result<(CodeKind, Vec<u8>), HostError> {
    let meant = match check_binary(bytes)? {
        CodeKind::Module if has_world(bytes) => Cow::Owned(component_of(bytes)?),
        _ => Cow::Borrowed(bytes),
    };
    let kind = CodeKind::of(&meant)?;
    let compiled = match kind {
        CodeKind::Component => engine.precompile_component(&meant),
        CodeKind::Module => engine.precompile_module(&meant),
    };
    Ok((kind, compiled.map_err(HostError::of_compiler)?))
}

/// Makes the component that a module describes.
#[cfg(feature = "componentize")]
fn component_of(module: &[u8]) -> Result<Vec<u8>, HostError> {
    let component = super::componentize::componentize(module)
        .map_err(|error| HostError::NotComponent { reason: error.to_string() })?;
    Ok(component.unwrap_or_else(|| module.to_owned()))
}

/// Fails: a build without the encoder makes no components.
#[cfg(not(feature = "componentize"))]
fn component_of(_module: &[u8]) -> Result<Vec<u8>, HostError> {
    Err(HostError::NotComponent {
        reason: "this build of sesame makes no components of modules".to_owned(),
    })
}
