//! WASI 0.3: the same capabilities as WASI 0.2, in the interfaces of
//! <https://github.com/WebAssembly/WASI/tree/main/specifications>. Upstream marks the
//! implementation experimental, so an extension that imports it needs the capability
//! `experimental`.

mod file_writes;

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p3::bindings::{cli, clocks, filesystem, random, sockets};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};
use wasmtime_wasi_http::p3::Request;
use wasmtime_wasi_http::p3::bindings::http;
use wasmtime_wasi_http::p3::bindings::http::types::{HostRequest, Method};
use wasmtime_wasi_http::{WasiHttp, WasiHttpView};

use super::environment::note_variables;
use super::http::is_known_method_length;
use super::preopens::replace_directories;
use super::replace::replace_in;
use crate::calling::CallState;
use crate::linking::{Interface, interface_table};

/// Wasmtime's version, under which it registers the interfaces.
const VERSION: &str = "0.3.0";

interface_table! {
    INTERFACES:
    "wasi:cli/environment" VERSION link_environment;
    "wasi:cli/exit" VERSION |l| cli::exit::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/stdin" VERSION |l| cli::stdin::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/stdout" VERSION |l| cli::stdout::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/stderr" VERSION |l| cli::stderr::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/terminal-input" VERSION |l| cli::terminal_input::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/terminal-output" VERSION |l| cli::terminal_output::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/terminal-stdin" VERSION |l| cli::terminal_stdin::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/terminal-stdout" VERSION |l| cli::terminal_stdout::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/terminal-stderr" VERSION |l| cli::terminal_stderr::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:clocks/monotonic-clock" VERSION |l| clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(l, CallState::clocks);
    "wasi:clocks/system-clock" VERSION |l| clocks::system_clock::add_to_linker::<_, WasiClocks>(l, CallState::clocks);
    "wasi:random/random" VERSION |l| random::random::add_to_linker::<_, WasiRandom>(l, |s| s.ctx().ctx.random());
    "wasi:random/insecure" VERSION |l| random::insecure::add_to_linker::<_, WasiRandom>(l, |s| s.ctx().ctx.random());
    "wasi:random/insecure-seed" VERSION |l| random::insecure_seed::add_to_linker::<_, WasiRandom>(l, |s| s.ctx().ctx.random());
    "wasi:filesystem/types" VERSION file_writes::link_files;
    "wasi:filesystem/preopens" VERSION link_preopens;
    "wasi:sockets/types" VERSION |l| sockets::types::add_to_linker::<_, WasiSockets>(l, CallState::sockets);
    "wasi:sockets/ip-name-lookup" VERSION |l| sockets::ip_name_lookup::add_to_linker::<_, WasiSockets>(l, CallState::sockets);
    "wasi:http/types" VERSION link_http_types;
    "wasi:http/client" VERSION |l| http::client::add_to_linker::<_, WasiHttp>(l, CallState::http);
}

fn link_environment(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    cli::environment::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    note_variables(linker, "wasi:cli/environment@0.3.0", |state| {
        cli::environment::Host::get_environment(&mut state.cli())
    })
}

fn link_preopens(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    filesystem::preopens::add_to_linker::<_, WasiFilesystem>(linker, CallState::filesystem)?;
    replace_directories(linker, "wasi:filesystem/preopens@0.3.0", |state| {
        filesystem::preopens::Host::get_directories(&mut state.filesystem())
    })
}

/// Links `wasi:http/types`; the name of a method is bounded, as in WASI 0.2.
fn link_http_types(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    http::types::add_to_linker::<_, WasiHttp>(linker, CallState::http)?;
    let set_method = |mut store: StoreContextMut<'_, CallState>,
                      (request, method): (Resource<Request>, Method)| {
        if matches!(&method, Method::Other(name) if !is_known_method_length(name)) {
            return Ok((Err(()),));
        }
        Ok((HostRequest::set_method(&mut store.data_mut().http(), request, method)?,))
    };
    replace_in(linker, "wasi:http/types@0.3.0", |types| {
        types.func_wrap("[method]request.set-method", set_method)
    })
}
