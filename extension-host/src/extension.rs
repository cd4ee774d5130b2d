//! The host, and an extension that is ready to be called.

use std::path::Path;
use std::sync::Arc;

use core_types::{Config, EffectiveLimits};
use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre, Linker};

use crate::cache::{CacheError, CodeCache, CodeKey};
use crate::code::{self, Code, LoadedCode};
use crate::compiler::{CompileError, CompilerCommand};
use crate::engine::runtime_engine;
use crate::error::HostError;
use crate::exports::{self, ExportedFunction};
use crate::imports::{self, Import, Linked};
use crate::interfaces::OwnInterface;
use crate::permissions::Permissions;
use crate::state::CallState;

/// Runs extensions. One is enough for a program; it can be used from many threads at once.
#[derive(Clone)]
pub struct Host {
    engine: Engine,
    own: Vec<OwnInterface>,
}

/// An extension that is compiled, linked to what it was granted, and ready to be called any number of times.
pub struct Extension {
    pub(crate) engine: Engine,
    pub(crate) component: Component,
    pub(crate) instance: InstancePre<CallState>,
    pub(crate) config: Arc<Config>,
    pub(crate) limits: EffectiveLimits,
    pub(crate) functions: Vec<ExportedFunction>,
}

impl Host {
    /// A host with nothing loaded.
    ///
    /// # Errors
    /// When the engine does not run on this machine.
    pub fn new() -> Result<Self, HostError> {
        Ok(Self { engine: runtime_engine()?, own: Vec::new() })
    }

    /// The same host with an interface of the embedding program, for every extension that imports it. `link` adds it to
    /// the linker under its full name; it is called once for each such extension. The name is `package:name/interface`.
    ///
    /// Granting is the program's business then: whatever the interface does, it does for every extension.
    ///
    /// ```
    /// # use extension_host::Host;
    /// let host = Host::new()?.with_interface("acme:shop/stock", "1.0.0", |linker| {
    ///     let mut stock = linker.instance("acme:shop/stock@1.0.0")?;
    ///     stock.func_wrap("count", |_, (_item,): (String,)| Ok((3_u32,)))
    /// });
    /// # Ok::<(), extension_host::HostError>(())
    /// ```
    pub fn with_interface(
        mut self,
        name: impl Into<String>,
        version: impl Into<String>,
        link: impl Fn(&mut Linker<CallState>) -> wasmtime::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.own.push(OwnInterface { name: name.into(), version: version.into(), link: Arc::new(link) });
        self
    }

    /// Compiles a binary in this process, without bounds on time and memory.
    ///
    /// # Errors
    /// When the bytes are no WebAssembly or use features that are off.
    pub fn compile(&self, binary: &[u8]) -> Result<Code, HostError> {
        let (kind, compiled) = code::compile(binary)?;
        Code::from_compiled(&self.engine, kind, &compiled)
    }

    /// Compiles a binary in a child process with bounds, into the cache, and loads it from there.
    ///
    /// # Errors
    /// When the compiler refuses the code or needs too much, or the cache cannot be written.
    pub fn compile_into(
        &self,
        cache: &CodeCache,
        key: &CodeKey,
        binary: &Path,
        compiler: &CompilerCommand,
    ) -> Result<Code, IntoCacheError> {
        let compile = |path: &Path| compiler.compile(binary, key.binary(), path).map_err(IntoCacheError::Compile);
        let file = cache.store(key, compile)?;
        Ok(Code::from_checked_file(&self.engine, &file)?)
    }

    /// Loads code from the cache. It is mapped, neither read nor hashed.
    ///
    /// # Errors
    /// When it is not there or not to be trusted. The way out is to compile again.
    pub fn load(&self, cache: &CodeCache, key: &CodeKey) -> Result<Code, IntoCacheError> {
        let file = cache.open(key)?;
        Ok(Code::from_checked_file(&self.engine, &file)?)
    }

    /// What the code imports. No code runs.
    pub fn imports(&self, code: &Code) -> Vec<Import> {
        match &*code.0 {
            LoadedCode::Component(component) => imports::imports(component, &self.engine),
            LoadedCode::Module(_) => Vec::new(),
        }
    }

    /// What the code exports that can be called. No code runs.
    pub fn exports(&self, code: &Code) -> Vec<ExportedFunction> {
        match &*code.0 {
            LoadedCode::Component(component) => exports::exports(component, &self.engine),
            LoadedCode::Module(_) => Vec::new(),
        }
    }

    /// Links the code to what it is granted. No code runs.
    ///
    /// # Errors
    /// [`HostError::Refused`] names everything that it imports and does not get.
    pub fn extension(&self, code: &Code, permissions: Permissions) -> Result<Extension, HostError> {
        let LoadedCode::Component(component) = &*code.0 else { return Err(HostError::CoreModule) };
        let Permissions { capabilities, limits, config } = permissions;
        let imports = imports::imports(component, &self.engine);
        let interfaces = imports::resolve(&imports, &capabilities, &self.own).map_err(HostError::Refused)?;
        let mut linker = Linker::new(&self.engine);
        for interface in interfaces {
            let linked = match interface {
                Linked::Ours(interface) => (interface.link)(&mut linker),
                Linked::Own(interface) => (interface.link)(&mut linker),
            };
            linked.map_err(HostError::Link)?;
        }
        Ok(Extension {
            instance: linker.instantiate_pre(component).map_err(HostError::Link)?,
            engine: self.engine.clone(),
            functions: exports::exports(component, &self.engine),
            component: component.clone(),
            config: Arc::new(config.visible(&capabilities.config_read)),
            limits,
        })
    }
}

/// Why code cannot be had from or through the cache.
#[derive(Debug, thiserror::Error)]
pub enum IntoCacheError {
    /// The cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The compiler.
    #[error(transparent)]
    Compile(CompileError),
    /// What came out does not load.
    #[error(transparent)]
    Load(#[from] HostError),
}

impl Extension {
    /// The functions that can be called.
    pub fn exports(&self) -> &[ExportedFunction] {
        &self.functions
    }

    /// The limits that hold for every call.
    pub fn limits(&self) -> &EffectiveLimits {
        &self.limits
    }
}
