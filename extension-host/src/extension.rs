//! The host, and an extension that is ready to be called.

use std::path::Path;
use std::sync::Arc;

use core_types::{ActivityRecord, CallOutcome, CallRecord, Config, EffectiveLimits, Permissions};
use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre, Linker};

use crate::backends::Backends;
use crate::cache::{CacheError, CodeCache, CodeKey};
use crate::code::{self, Code, LoadedCode};
use crate::compile_error::CompileError;
use crate::compiler::CompilerCommand;
use crate::engine::{compiling_engine, runtime_engine};
use crate::error::HostError;
use crate::exports::{self, ExportedFunction};
use crate::gate::Gate;
use crate::imports::{self, Import, Linked, Refusal, Ungranted};
use crate::interfaces::OwnInterface;
use crate::modules::{self, ReadyModule};
use crate::observe::Observer;
use crate::state::CallState;

/// Runs extensions. One is enough for a program; it can be used from many threads at once.
#[derive(Clone)]
pub struct Host {
    engine: Engine,
    own: Vec<OwnInterface>,
    backends: Backends,
    observer: Option<Observer>,
}

/// An extension that is compiled, linked to what it was granted, and ready to be called any number
/// of times.
pub struct Extension {
    pub(crate) engine: Engine,
    pub(crate) code: Code,
    pub(crate) ready: Ready,
    pub(crate) permissions: Arc<Permissions>,
    /// As much of the configuration as it may see.
    pub(crate) config: Arc<Config>,
    pub(crate) backends: Backends,
    pub(crate) observer: Option<Observer>,
    /// Those that can be called come first.
    pub(crate) functions: Vec<ExportedFunction>,
}

/// Code that is linked.
pub(crate) enum Ready {
    Component(ReadyComponent),
    Module(ReadyModule),
}

/// A component that is linked.
pub(crate) struct ReadyComponent {
    pub(crate) code: Component,
    pub(crate) instance: InstancePre<CallState>,
}

impl Host {
    /// A host with nothing loaded.
    ///
    /// # Errors
    /// When the engine does not run on this machine.
    pub fn new() -> Result<Self, HostError> {
        Ok(Self {
            engine: runtime_engine()?,
            own: Vec::new(),
            backends: Backends::default(),
            observer: None,
        })
    }

    /// The same host with these backends behind the capabilities. Without any, what is granted is
    /// not available.
    pub fn with_backends(mut self, backends: Backends) -> Self {
        self.backends = backends;
        self
    }

    /// The same host with somebody who is told of each call: when it ended, was refused, or its
    /// caller let go of it.
    pub fn observed_by(mut self, observer: impl Fn(&CallRecord) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// The same host with an interface of the embedding program, for every extension that imports
    /// it. `link` adds it to the linker under its full name; it is called once for each such
    /// extension. The name is `package:name/interface`.
    ///
    /// Granting is the program's business then: whatever the interface does, it does for every
    /// extension.
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
        self.own.push(OwnInterface {
            name: name.into(),
            version: version.into(),
            link: Arc::new(link),
        });
        self
    }

    /// Compiles a binary in this process, without bounds on time and memory.
    ///
    /// # Errors
    /// When the bytes are no WebAssembly or use features that are off.
    pub fn compile(&self, binary: &[u8]) -> Result<Code, HostError> {
        let (kind, compiled) = code::compile(&compiling_engine()?, binary)?;
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
        let file = compiler.compile_into(cache, key, binary)?;
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
            LoadedCode::Module(module) => modules::imports(module),
        }
    }

    /// What the code exports: first what can be called, then what cannot, with the reason. No code
    /// runs.
    pub fn exports(&self, code: &Code) -> Vec<ExportedFunction> {
        let mut functions = match &*code.0 {
            LoadedCode::Component(component) => exports::exports(component, &self.engine),
            LoadedCode::Module(module) => modules::exports(module),
        };
        functions.sort_by_key(|function| !function.is_callable());
        functions
    }

    /// Whether the code is an extension of [Suffiks](crate::Workload), which works on workloads.
    pub fn takes_workloads(&self, code: &Code) -> bool {
        matches!(&*code.0, LoadedCode::Module(module) if modules::is_suffiks(module))
    }

    /// Links the code to what it is granted at this moment. No code runs.
    ///
    /// A grant that ends, or is taken away by another process, is felt by an extension that is
    /// linked afterwards: linking costs a fraction of a call, so a program that honours both links
    /// for each call.
    ///
    /// # Errors
    /// [`HostError::Refused`] names everything that it imports and does not get.
    pub fn extension(&self, code: &Code, permissions: Permissions) -> Result<Extension, HostError> {
        self.link(code, permissions, Ungranted::Refused)
    }

    /// Links the code to everything that it imports, so that one can find out what it wants: what
    /// is not granted is refused when it is asked for, and [`crate::CallReport::activity`] says
    /// what that was.
    ///
    /// # Errors
    /// When it imports what this host does not have.
    pub fn extension_to_learn_from(
        &self,
        code: &Code,
        permissions: Permissions,
    ) -> Result<Extension, HostError> {
        self.link(code, permissions, Ungranted::Linked)
    }

    fn link(
        &self,
        code: &Code,
        permissions: Permissions,
        ungranted: Ungranted,
    ) -> Result<Extension, HostError> {
        let permissions = Arc::new(permissions);
        let gate = Gate::new(permissions.clone());
        let ready = match &*code.0 {
            LoadedCode::Component(component) => {
                self.link_component(component, &gate, ungranted).map(Ready::Component)
            }
            LoadedCode::Module(module) => modules::link(module).map(Ready::Module),
        };
        let ready = ready.inspect_err(|error| {
            if let HostError::Refused(refusals) = error {
                self.observe_refusal(&gate, refusals);
            }
        })?;
        let config = permissions.config.visible(&gate.in_force());
        let is_suffiks = matches!(&ready, Ready::Module(module) if module.is_suffiks);
        Ok(Extension {
            engine: self.engine.clone(),
            functions: self.exports(code),
            code: code.clone(),
            ready,
            config: Arc::new(if is_suffiks { config.upper_case() } else { config }),
            permissions,
            backends: self.backends.clone(),
            observer: self.observer.clone(),
        })
    }

    fn link_component(
        &self,
        component: &Component,
        gate: &Gate,
        ungranted: Ungranted,
    ) -> Result<ReadyComponent, HostError> {
        let imports = imports::imports(component, &self.engine);
        let interfaces =
            imports::resolve(&imports, gate, ungranted, &self.own).map_err(HostError::Refused)?;
        let mut linker = Linker::new(&self.engine);
        for interface in interfaces {
            let linked = match interface {
                Linked::Ours(interface) => (interface.link)(&mut linker),
                Linked::Own(interface) => (interface.link)(&mut linker),
            };
            linked.map_err(HostError::Link)?;
        }
        let instance = linker.instantiate_pre(component).map_err(HostError::Link)?;
        Ok(ReadyComponent { code: component.clone(), instance })
    }

    fn observe_refusal(&self, gate: &Gate, refusals: &[Refusal]) {
        if let Some(observer) = &self.observer {
            let is_by_policy =
                refusals.iter().any(|refusal| matches!(refusal, Refusal::Denied { .. }));
            let reason =
                if is_by_policy { "policy denies an import" } else { "an import is not granted" };
            observer(&CallRecord {
                reason: Some(reason.to_owned()),
                activity: ActivityRecord::from(&gate.noted()),
                ..CallRecord::of(&gate.permissions.owner, "", CallOutcome::Refused)
            });
        }
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
        &self.functions[..self.functions.partition_point(ExportedFunction::is_callable)]
    }

    /// What it imports.
    pub fn imports(&self) -> Vec<Import> {
        match &*self.code.0 {
            LoadedCode::Component(component) => imports::imports(component, &self.engine),
            LoadedCode::Module(module) => modules::imports(module),
        }
    }

    /// The limits that hold for every call.
    pub fn limits(&self) -> &EffectiveLimits {
        &self.permissions.limits
    }
}
