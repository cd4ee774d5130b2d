//! What the host keeps for one call.

use std::sync::Arc;

use core_types::{Config, EffectiveLimits, LimitName};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::capabilities::RefuseAll;
use crate::limiter::Limiter;
use crate::output::Output;

/// The most random bytes that one WASI call gives.
const RANDOM_BYTES: u64 = 64 * 1024;

/// What the host keeps for one call: the data of its [`wasmtime::Store`]. It has nothing for others to see.
pub struct CallState {
    pub(crate) config: Arc<Config>,
    pub(crate) limiter: Limiter,
    pub(crate) output: Output,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    http_hooks: RefuseAll,
    table: ResourceTable,
}

impl CallState {
    /// `config` holds only what the extension may see.
    pub(crate) fn new(config: &Arc<Config>, limits: &EffectiveLimits) -> Self {
        let kibibytes = usize::try_from(limits.get(LimitName::Output).value).unwrap_or(usize::MAX);
        let output = Output::new(kibibytes.saturating_mul(1024));
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.get(LimitName::Handles).value as usize);
        Self {
            config: config.clone(),
            limiter: Limiter::new(limits),
            wasi: inert_wasi(config, &output),
            http: WasiHttpCtx::new(),
            http_hooks: RefuseAll,
            output,
            table,
        }
    }
}

/// WASI with clocks, random numbers, captured output and the extension's configuration as environment, and nothing
/// else: no arguments, no input, no directory, no socket, no name look-up.
fn inert_wasi(config: &Config, output: &Output) -> WasiCtx {
    let mut builder = WasiCtxBuilder::new();
    builder.stdout(output.stream()).stderr(output.stream()).max_random_size(RANDOM_BYTES);
    builder.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
    for (name, value) in config.environment() {
        builder.env(name, value);
    }
    builder.build()
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for CallState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.http_hooks, table: &mut self.table, ctx: &mut self.http }
    }
}
