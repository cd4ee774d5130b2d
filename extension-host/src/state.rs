//! What the host keeps for one call.

use std::sync::Arc;
use std::time::Instant;

use core_types::{Config, EffectiveLimits, LimitName};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::capabilities::RefuseAll;
use crate::limiter::Limiter;
use crate::output::Output;

/// The most random bytes that one WASI call gives.
const RANDOM_BYTES: u64 = 64 * 1024;
/// The most bytes that the header fields of one HTTP message take. Without a grant nobody reads them.
const FIELD_BYTES: usize = 8 * 1024;

/// What the host keeps for one call: the data of its [`wasmtime::Store`]. It has nothing for others to see.
pub struct CallState {
    pub(crate) config: Arc<Config>,
    pub(crate) limiter: Limiter,
    pub(crate) output: Output,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    http_hooks: RefuseAll,
    table: ResourceTable,
    deadline: Instant,
    expired: Option<Box<Expired>>,
}

/// What host calls find once the time is over: nothing, so that they fail.
///
/// A guest that does little else than call the host uses hardly any fuel, and fuel is what hands control back. Each call
/// of the host looks at the clock instead.
struct Expired {
    wasi: WasiCtx,
    table: ResourceTable,
}

/// The time was over when a guest called the host.
#[derive(Debug, thiserror::Error)]
#[error("the time is over")]
pub(crate) struct DeadlineReached;

impl CallState {
    /// `config` holds only what the extension may see.
    pub(crate) fn new(config: &Arc<Config>, limits: &EffectiveLimits, deadline: Instant) -> Self {
        let kibibytes = usize::try_from(limits.get(LimitName::Output).value).unwrap_or(usize::MAX);
        let output = Output::new(kibibytes.saturating_mul(1024));
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.get(LimitName::Handles).value as usize);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(FIELD_BYTES);
        Self {
            config: config.clone(),
            limiter: Limiter::new(limits),
            wasi: inert_wasi(config, &output),
            http,
            http_hooks: RefuseAll,
            output,
            table,
            deadline,
            expired: None,
        }
    }

    /// Whether the time of the call is over.
    pub(crate) fn is_expired(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Fails once the time is over.
    pub(crate) fn check_time(&self) -> Result<(), DeadlineReached> {
        if self.is_expired() { Err(DeadlineReached) } else { Ok(()) }
    }

    fn expire(&mut self) -> &mut Expired {
        self.expired.get_or_insert_with(|| {
            let mut table = ResourceTable::new();
            table.set_max_capacity(0);
            Box::new(Expired { wasi: WasiCtxBuilder::new().max_random_size(0).build(), table })
        })
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
        if self.is_expired() {
            let Expired { wasi, table } = self.expire();
            return WasiCtxView { ctx: wasi, table };
        }
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for CallState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let expired = self.is_expired();
        if expired {
            self.expire();
        }
        let table = match &mut self.expired {
            Some(nothing) if expired => &mut nothing.table,
            _ => &mut self.table,
        };
        WasiHttpCtxView { hooks: &mut self.http_hooks, table, ctx: &mut self.http }
    }
}
