//! What the host keeps for one call.

use std::sync::Arc;
use std::time::Instant;

use core_types::{Config, EffectiveLimits, GrantedPath, LimitName, Request};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::backends::{BackendError, Backends, patiently};
use crate::bindings::open_sesame::host::types::Error;
use crate::bounds::{Bounded, Bounds};
use crate::capabilities::Outgoing;
use crate::directories::{DirectoryError, OpenDirectory};
use crate::gate::Gate;
use crate::output::{Output, StreamName};
use crate::program::Process;

/// The most random bytes that one WASI call gives.
const RANDOM_BYTES: u64 = 64 * 1024;
/// The most bytes that the header fields of one HTTP message take.
const FIELD_BYTES: usize = 64 * 1024;

/// What the host keeps for one call: the data of its [`wasmtime::Store`]. It has nothing for others
/// to see.
pub struct CallState {
    pub(crate) gate: Gate,
    pub(crate) config: Arc<Config>,
    pub(crate) bounds: Bounds,
    backends: Backends,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
    table: ResourceTable,
    expired: Option<Box<Expired>>,
}

/// What host calls find once the time is over: nothing, so that they fail.
///
/// A guest that does little else than call the host uses hardly any fuel, and fuel is what hands
/// control back. Each call of the host looks at the clock instead.
struct Expired {
    wasi: WasiCtx,
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
        let table = table_of(limits);
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
            expired: None,
        })
    }

    /// Asks a backend for something, if the extension may have it: granted, not too large, and not
    /// too often.
    ///
    /// The outer error is the end of the call; the inner one is the guest's to handle.
    pub(crate) async fn ask_backend<T: Send + 'static>(
        &mut self,
        request: Request,
        size: Size,
        ask: impl FnOnce(&Backends, &core_types::Owner) -> Result<T, BackendError> + Send + 'static,
    ) -> wasmtime::Result<Result<T, Error>> {
        self.bounds.check_time()?;
        if let Err(refusal) = self.admit(&request, size) {
            return Ok(Err(refusal));
        }
        let (backends, owner) = (self.backends.clone(), self.gate.permissions.owner.clone());
        let capability = request.capability();
        let asked = tokio::task::spawn_blocking(move || {
            patiently(capability, move || ask(&backends, &owner))
        })
        .await;
        // A backend may have given up because the time was over, and that is for the guest to know
        // in no other way.
        self.bounds.check_time()?;
        let answer = asked.unwrap_or_else(|error| Err(BackendError::Other(error.to_string())));
        Ok(answer.map_err(Error::from))
    }

    fn admit(&self, request: &Request, size: Size) -> Result<(), Error> {
        let decision = self.gate.decide(request);
        if !decision.allows() {
            // Where the policy lies is nothing to an extension.
            let why = if decision.is_by_policy() { "denied by policy" } else { "not granted" };
            return Err(Error::Denied(format!("{request} is {why}")));
        }
        if !size.fits() {
            return Err(Error::TooLarge(size.most as u64));
        }
        let owner = &self.gate.permissions.owner;
        match self.backends.rates.take(owner, request.capability()) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::TooMany),
            Err(error) => Err(Error::Unavailable(format!("requests cannot be counted: {error}"))),
        }
    }

    fn expire(&mut self) -> &mut Expired {
        self.expired.get_or_insert_with(|| {
            let mut table = ResourceTable::new();
            table.set_max_capacity(0);
            Box::new(Expired { wasi: WasiCtxBuilder::new().max_random_size(0).build(), table })
        })
    }
}

/// How many bytes were given, and how many may be.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) given: usize,
    pub(crate) most: usize,
}

impl Size {
    /// Nothing was given.
    pub(crate) const NOTHING: Self = Self { given: 0, most: 0 };

    pub(crate) fn fits(self) -> bool {
        self.given <= self.most
    }
}

impl From<BackendError> for Error {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::NotFound => Self::NotFound,
            BackendError::Unavailable(why) => Self::Unavailable(why),
            BackendError::Other(why) => Self::Other(why),
        }
    }
}

fn table_of(limits: &EffectiveLimits) -> ResourceTable {
    let mut table = ResourceTable::new();
    limit_table(&mut table, limits);
    table
}

/// Bounds what a guest can open at a time.
pub(crate) fn limit_table(table: &mut ResourceTable, limits: &EffectiveLimits) {
    table.set_max_capacity(
        usize::try_from(limits.get(LimitName::Handles).value).unwrap_or(usize::MAX),
    );
}

/// WASI with clocks, random numbers, the arguments and streams of the process, and what is granted:
/// the extension's configuration and variables of the session as environment, and directories that
/// are there. No socket, no name look-up.
pub(crate) fn wasi(
    gate: &Gate,
    config: &Config,
    backends: &Backends,
    output: &Output,
    process: &Process,
) -> Result<WasiCtxBuilder, DirectoryError> {
    let granted = gate.in_force();
    let mut builder = WasiCtxBuilder::new();
    builder.stdout(output.stream(StreamName::Stdout)).stderr(output.stream(StreamName::Stderr));
    builder
        .arg(gate.permissions.owner.name.as_str())
        .args(&process.arguments)
        .max_random_size(RANDOM_BYTES);
    if process.reads_stdin() {
        builder.stdin(wasmtime_wasi::cli::stdin());
    }
    builder.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
    let configured: Vec<_> = config.environment().collect();
    for (name, value) in &configured {
        builder.env(name, value);
    }
    for name in granted
        .variables()
        .filter(|name| configured.iter().all(|(taken, _)| taken != name.as_str()))
    {
        if let Some(value) = backends.environment.variable(name) {
            builder.env(name.as_str(), value);
        }
    }
    backends.directories.check_guest_paths(&granted)?;
    for (path, write) in granted.directories() {
        match backends.directories.open(path) {
            Err(DirectoryError::Missing { path }) => gate.leave_out(&path),
            opened => preopen(&mut builder, path, &opened?, write)?,
        }
    }
    Ok(builder)
}

impl CallState {
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

/// Notes the variables of the session that a guest is shown.
pub(crate) fn note_environment(gate: &Gate) {
    for name in gate.in_force().variables() {
        gate.allows(&Request::ReadVariable(name.clone()));
    }
}

/// Notes the directories that are open to a guest, and those that would be if they were there.
pub(crate) fn note_directories(gate: &Gate) {
    for (path, write) in gate.in_force().directories() {
        gate.note_directory(path, write);
    }
}

fn preopen(
    builder: &mut WasiCtxBuilder,
    path: &GrantedPath,
    opened: &OpenDirectory,
    write: bool,
) -> Result<(), DirectoryError> {
    let permissions = if write { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
    let added =
        builder.preopened_dir(opened.held_path(), opened.path.to_string_lossy(), permissions);
    added.map(drop).map_err(|error| DirectoryError::Open {
        path: path.clone(),
        source: std::io::Error::other(error.to_string()),
    })
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        if self.bounds.is_expired() {
            let Expired { wasi, table } = self.expire();
            return WasiCtxView { ctx: wasi, table };
        }
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for CallState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let expired = self.bounds.is_expired();
        if expired {
            self.expire();
        }
        let table = match &mut self.expired {
            Some(nothing) if expired => &mut nothing.table,
            _ => &mut self.table,
        };
        WasiHttpCtxView { hooks: &mut self.outgoing, table, ctx: &mut self.http }
    }
}
