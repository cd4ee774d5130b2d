//! The host, which compiles code, loads it and links it to its grants.

use std::path::Path;
use std::sync::Arc;

use core_types::{ActivityRecord, CallOutcome, CallRecord, Capability, Permissions};
use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre, Linker};

use crate::cache::{CodeCache, CodeKey, IntoCacheError};
use crate::calling::{CallState, Gate, Observer};
use crate::capabilities::Backends;
use crate::code::{Code, LoadedCode, compile, compiling_engine, runtime_engine};
use crate::compiling::CompilerCommand;
use crate::error::HostError;
use crate::extension::{Extension, Ready};
use crate::linking::{EmbedderInterface, Import, Linked, Refusal, Ungranted, resolve};
use crate::modules;
use crate::values::ExportedFunction;

/// Runs extensions. One is enough for a program; it can be used from many threads at once.
///
/// ```
/// use extension_host::{Arguments, Host, Permissions};
///
/// # let module = r#"(module (func (export "add") (param i32 i32) (result i32)
/// #     (i32.add (local.get 0) (local.get 1))))"#;
/// # let binary = wat::parse_str(module)?;
/// let host = Host::new()?;
/// let code = host.compile(&binary)?;
/// let extension = host.extension(&code, Permissions::default())?;
/// let report = extension.call_blocking("add", &Arguments::words(["2", "3"]));
/// assert_eq!(report.outcome?.to_text(), "5");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Host {
    engine: Engine,
    interfaces: Vec<EmbedderInterface>,
    backends: Backends,
    observer: Option<Observer>,
}

impl Host {
    /// Makes a host with nothing loaded.
    ///
    /// # Errors
    /// When the engine does not run on this machine.
    pub fn new() -> Result<Self, HostError> {
        Ok(Self {
            engine: runtime_engine()?,
            interfaces: Vec::new(),
            backends: Backends::default(),
            observer: None,
        })
    }

    /// Sets the backends of the capabilities. Without any, granted requests are answered with
    /// `unavailable`.
    pub fn with_backends(mut self, backends: Backends) -> Self {
        self.backends = backends;
        self
    }

    /// Sets the function that gets a record of each call: when it ended, was refused, or was
    /// dropped by its caller.
    pub fn observed_by(mut self, observer: impl Fn(&CallRecord) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Adds an interface of the embedding program, for every extension that imports it. `link` adds
    /// it to the linker under its full name, once for each such extension. The name is
    /// `package:name/interface`.
    ///
    /// The program decides about grants then: the interface works for every extension.
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
        self.interfaces.push(EmbedderInterface {
            name: name.into(),
            version: version.into(),
            link: Arc::new(link),
        });
        self
    }

    /// Compiles a binary in this process, without bounds on time and memory.
    ///
    /// # Errors
    /// When the bytes are not WebAssembly or use disabled features.
    pub fn compile(&self, binary: &[u8]) -> Result<Code, HostError> {
        let (kind, compiled) = compile(&compiling_engine()?, binary)?;
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
        let state = cache.state_of(key, &file)?;
        Ok(Code::from_checked_file(&self.engine, &file)?.mapped_from(state))
    }

    /// Loads code from the cache. It is mapped, neither read nor hashed.
    ///
    /// # Errors
    /// When it does not exist or is not to be trusted. The way out is to compile again.
    pub fn load(&self, cache: &CodeCache, key: &CodeKey) -> Result<Code, IntoCacheError> {
        let (file, state) = cache.open_to_map(key)?;
        Ok(Code::from_checked_file(&self.engine, &file)?.mapped_from(state))
    }

    /// Lists the imports of the code. No code runs.
    pub fn imports(&self, code: &Code) -> Vec<Import> {
        code.imports().to_vec()
    }

    /// Lists the exports of the code: first those that can be called, then the others with the
    /// reason. No code runs.
    pub fn exports(&self, code: &Code) -> Vec<ExportedFunction> {
        code.exports().to_vec()
    }

    /// Tells whether the code is an extension of [Suffiks](crate::Workload), which works on
    /// workloads.
    pub fn takes_workloads(&self, code: &Code) -> bool {
        matches!(code.loaded(), LoadedCode::Module(module) if modules::is_suffiks(module))
    }

    /// Links the code to its grants at this moment. No code runs.
    ///
    /// The end of a timed grant, or a grant that another process revokes, takes effect on
    /// extensions that are linked afterwards. Linking costs a fraction of a call, so that a program
    /// can link for each call.
    ///
    /// # Errors
    /// [`HostError::Refused`] names every import that is not linked.
    pub fn extension(&self, code: &Code, permissions: Permissions) -> Result<Extension, HostError> {
        self.link(code, permissions, Ungranted::Refused)
    }

    /// Links the code to its grants at this moment, and to interfaces that refuse where the
    /// extension works without their capability: each of their functions answers `denied`.
    /// `is_optional` tells those capabilities, and is asked only about imports without a grant.
    ///
    /// ```
    /// use core_types::Capability;
    /// use extension_host::{Host, Permissions};
    ///
    /// # let binary = wat::parse_str("(component)")?;
    /// let host = Host::new()?;
    /// let code = host.compile(&binary)?;
    /// let is_optional = |capability| capability == Capability::Notification;
    /// let extension = host.extension_with_optional(&code, Permissions::default(), &is_optional)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`HostError::Refused`] names every other import that is not linked.
    pub fn extension_with_optional(
        &self,
        code: &Code,
        permissions: Permissions,
        is_optional: &dyn Fn(Capability) -> bool,
    ) -> Result<Extension, HostError> {
        self.link(code, permissions, Ungranted::LinkedIf(is_optional))
    }

    /// Links the code to all its imports, to learn which permissions it needs: a request without a
    /// grant is refused when it is made, and [`crate::CallReport::activity`] records it.
    ///
    /// # Errors
    /// When it imports an interface that this host does not have.
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
        ungranted: Ungranted<'_>,
    ) -> Result<Extension, HostError> {
        let permissions = Arc::new(permissions);
        let gate = Gate::new(permissions.clone());
        let ready = match code.loaded() {
            LoadedCode::Component(component) => {
                self.link_component(code, component, &gate, ungranted).map(Ready::Component)
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
            functions: code.exports().clone(),
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
        code: &Code,
        component: &Component,
        gate: &Gate,
        ungranted: Ungranted<'_>,
    ) -> Result<InstancePre<CallState>, HostError> {
        let imports = code.imports();
        let interfaces =
            resolve(imports, gate, ungranted, &self.interfaces).map_err(HostError::Refused)?;
        let link = || self.link_interfaces(component, interfaces);
        // The interfaces of a program are its own, and the code may have been linked for another. Code
        // of another engine is refused by the linker.
        let is_own_engine = Engine::same(&self.engine, component.engine());
        if is_own_engine && self.interfaces.is_empty() { code.linked_once(link) } else { link() }
    }

    fn link_interfaces(
        &self,
        component: &Component,
        interfaces: Vec<Linked<'_>>,
    ) -> Result<InstancePre<CallState>, HostError> {
        let mut linker = Linker::new(&self.engine);
        for interface in interfaces {
            let linked = match interface {
                Linked::Builtin(interface) => (interface.link)(&mut linker),
                Linked::Embedder(interface) => (interface.link)(&mut linker),
            };
            linked.map_err(HostError::Link)?;
        }
        linker.instantiate_pre(component).map_err(HostError::Link)
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
                cause: gate.permissions.cause.clone(),
                ..CallRecord::of(&gate.permissions.owner, "", CallOutcome::Refused)
            });
        }
    }
}
