//! The state of one call.

use std::sync::Arc;

use core_types::Config;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::gate::Gate;
use super::process::Setup;
use crate::capabilities::network::Outgoing;
use crate::capabilities::{Backends, StorageUse};
use crate::directories::DirectoryError;
use crate::limits::{Bounded, Bounds};
use crate::wasi::wasi;

/// The maximum for the header fields of one HTTP message, in bytes: eight times the usual limit of
/// servers. A guest could otherwise fill the host's memory with fields.
const MAX_FIELD_BYTES: usize = 64 * 1024;

/// The state of one call, which is the data of its [`wasmtime::Store`]. It has no public parts.
pub struct CallState {
    pub(crate) gate: Gate,
    pub(crate) config: Arc<Config>,
    pub(crate) bounds: Bounds,
    pub(crate) storage: StorageUse,
    pub(super) backends: Backends,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
    table: ResourceTable,
}

impl Bounded for CallState {
    fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    fn bounds_mut(&mut self) -> &mut Bounds {
        &mut self.bounds
    }

    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
}

impl CallState {
    /// Makes the state of a call.
    pub(crate) fn new(setup: &Setup<'_>) -> Result<Self, DirectoryError> {
        let Setup { gate, config, backends, process, deadline } = setup;
        let limits = &gate.permissions.limits;
        let bounds = Bounds::new(limits, *deadline, process.sinks());
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MAX_FIELD_BYTES);
        Ok(Self {
            wasi: wasi(setup, &bounds.output)?.build(),
            outgoing: Outgoing::new((*gate).clone(), backends),
            gate: (*gate).clone(),
            config: (*config).clone(),
            bounds,
            storage: StorageUse::default(),
            backends: (*backends).clone(),
            http,
            table: ResourceTable::new(),
        })
    }
}

impl CallState {
    /// Returns the backends of the call.
    pub(crate) fn backends(&self) -> &Backends {
        &self.backends
    }
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for CallState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outgoing, table: &mut self.table, ctx: &mut self.http }
    }
}
