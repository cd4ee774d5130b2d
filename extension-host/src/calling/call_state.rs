//! What the host keeps for one call.

use std::sync::Arc;
use std::time::Instant;

use core_types::Config;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::gate::Gate;
use super::process::Process;
use crate::capabilities::Backends;
use crate::capabilities::network::Outgoing;
use crate::directories::DirectoryError;
use crate::limits::{Bounded, Bounds};
use crate::wasi::{limit_table, note_directories, note_environment, wasi};

/// The most bytes that the header fields of one HTTP message take.
const FIELD_BYTES: usize = 64 * 1024;

/// What the host keeps for one call: the data of its [`wasmtime::Store`]. It has nothing for others
/// to see.
pub struct CallState {
    pub(crate) gate: Gate,
    pub(crate) config: Arc<Config>,
    pub(crate) bounds: Bounds,
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
}

impl CallState {
    /// `config` holds only what the extension may see.
    pub(crate) fn new(
        gate: Gate,
        config: &Arc<Config>,
        backends: &Backends,
        process: &Process,
        deadline: Instant,
    ) -> Result<Self, DirectoryError> {
        let limits = &gate.permissions.limits;
        let bounds = Bounds::new(limits, deadline, process.sinks());
        let mut table = ResourceTable::new();
        limit_table(&mut table, limits);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(FIELD_BYTES);
        Ok(Self {
            wasi: wasi(&gate, config, backends, &bounds.output, process)?.build(),
            outgoing: Outgoing::new(gate.clone(), backends),
            gate,
            config: config.clone(),
            bounds,
            backends: backends.clone(),
            http,
            table,
        })
    }

    /// Notes that the guest looked at its environment, and what of the session it found there.
    pub(crate) fn note_environment(&self) {
        note_environment(&self.gate);
    }

    /// Notes which directories the guest found. Listing them is not a request: every runtime does
    /// it before anything else.
    pub(crate) fn note_directories(&self) {
        note_directories(&self.gate);
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
