//! An extension that is ready to be called.

use std::sync::Arc;

use core_types::{Config, EffectiveLimits, Permissions};
use wasmtime::Engine;
use wasmtime::component::InstancePre;

use crate::calling::{CallState, Observer};
use crate::capabilities::Backends;
use crate::code::Code;
use crate::linking::Import;
use crate::modules::ReadyModule;
use crate::values::ExportedFunction;

/// An extension that is compiled, linked to its grants, and ready to be called any number of times.
///
/// ```
/// # use extension_host::{Arguments, Host, Permissions};
/// # let module = r#"(module (func (export "add") (param i32 i32) (result i32)
/// #     (i32.add (local.get 0) (local.get 1))))"#;
/// # let host = Host::new()?;
/// # let code = host.compile(&wat::parse_str(module)?)?;
/// let extension = host.extension(&code, Permissions::default())?;
/// let functions: Vec<_> = extension.exports().iter().map(ToString::to_string).collect();
/// assert_eq!(functions, ["add: func(p0: s32, p1: s32) -> s32"]);
/// // Each call has an instance of its own.
/// for sum in ["5", "7"] {
///     let report = extension.call_blocking("add", &Arguments::words(["2", sum]));
///     assert!(report.outcome.is_ok());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Extension {
    pub(crate) engine: Engine,
    pub(crate) code: Code,
    pub(crate) ready: Ready,
    pub(crate) permissions: Arc<Permissions>,
    /// The visible part of the configuration.
    pub(crate) config: Arc<Config>,
    pub(crate) backends: Backends,
    pub(crate) observer: Option<Observer>,
    /// All functions, the callable ones first.
    pub(crate) functions: Arc<[ExportedFunction]>,
}

/// Code that is linked.
pub(crate) enum Ready {
    Component(InstancePre<CallState>),
    Module(ReadyModule),
}

impl Extension {
    /// Returns the functions that can be called.
    pub fn exports(&self) -> &[ExportedFunction] {
        &self.functions[..self.functions.partition_point(ExportedFunction::is_callable)]
    }

    /// Lists the imports.
    pub fn imports(&self) -> Vec<Import> {
        self.code.imports().to_vec()
    }

    /// Returns the limits of every call.
    pub fn limits(&self) -> &EffectiveLimits {
        &self.permissions.limits
    }
}
