//! WASI for one call, with the granted things in it and nothing else.

use core_types::{GrantedPath, Request};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::calling::{Gate, Setup};
use crate::directories::{DirectoryError, OpenDirectory};
use crate::limits::{Output, StreamName};

/// The maximum of random bytes from one WASI call: keys and seeds need a few dozen.
const MAX_RANDOM_BYTES: u64 = 64 * 1024;

/// Makes WASI with clocks, random numbers, the arguments and streams of the process, and the
/// granted things: the extension's configuration and variables of the session as environment, and
/// existing directories. Sockets and name look-ups are off.
pub(crate) fn wasi(setup: &Setup<'_>, output: &Output) -> Result<WasiCtxBuilder, DirectoryError> {
    let Setup { gate, config, backends, process, .. } = setup;
    let granted = gate.in_force();
    let mut builder = WasiCtxBuilder::new();
    builder.stdout(output.stream(StreamName::Stdout)).stderr(output.stream(StreamName::Stderr));
    builder
        .arg(gate.permissions.owner.name.as_str())
        .args(&process.arguments)
        .max_random_size(MAX_RANDOM_BYTES);
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
    let check = backends.directories.start_check();
    for (path, write) in granted.directories() {
        match check.open(path) {
            Err(DirectoryError::Missing { path }) => gate.leave_out(&path),
            opened => preopen(&mut builder, path, &opened?, write)?,
        }
    }
    Ok(builder)
}

/// Notes the variables of the session in the environment that a guest looked at.
pub(crate) fn note_environment(gate: &Gate) {
    for name in gate.in_force().variables() {
        gate.allows(&Request::ReadVariable(name.clone()));
    }
}

/// Notes the directories that are open to a guest, and those that would be if they were there.
/// Listing them is not a request: every runtime does it before anything else.
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
