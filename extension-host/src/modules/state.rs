//! The state of one call of a module.

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::WasiView;
use wasmtime_wasi::p1::WasiP1Ctx;

use super::suffiks::Session;
use crate::calling::{Gate, Setup};
use crate::directories::{DirectoryError, DirectoryRules};
use crate::limits::{Bounded, Bounds};
use crate::wasi::wasi;

/// The import module of WASI's first version.
pub(super) const WASI: &str = "wasi_snapshot_preview1";

/// The state of one call of a module, which is the data of its store.
pub(crate) struct ModuleState {
    pub(crate) gate: Gate,
    pub(crate) bounds: Bounds,
    /// Whether the module's `malloc` runs for the host. A `malloc` that asks the host for bytes
    /// would nest without a bound.
    pub(crate) is_giving: bool,
    /// The workload of the call, if it has one.
    pub(crate) session: Option<Session>,
    /// The rules by which its directories were opened.
    pub(crate) directories: Arc<DirectoryRules>,
    wasi: WasiP1Ctx,
}

impl ModuleState {
    /// Makes the state of a call.
    pub(crate) fn new(setup: &Setup<'_>, session: Option<Session>) -> Result<Self, DirectoryError> {
        let limits = &setup.gate.permissions.limits;
        let bounds = Bounds::new(limits, setup.deadline, setup.process.sinks());
        let wasi = wasi(setup, &bounds.output)?.build_p1();
        Ok(Self {
            gate: setup.gate.clone(),
            bounds,
            is_giving: false,
            session,
            directories: setup.backends.directories.clone(),
            wasi,
        })
    }

    /// Returns WASI for the functions of Wasmtime.
    pub(crate) fn wasi(&mut self) -> &mut WasiP1Ctx {
        &mut self.wasi
    }
}

impl Bounded for ModuleState {
    fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    fn bounds_mut(&mut self) -> &mut Bounds {
        &mut self.bounds
    }

    fn table(&mut self) -> &mut ResourceTable {
        self.wasi.ctx().table
    }
}
