//! The interfaces of this host.

use wasmtime::component::{HasData, HasSelf, ResourceTable};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::p2::bindings::{cli, clocks, io, random, sockets};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};
use wasmtime_wasi_http::p2::bindings::http;
use wasmtime_wasi_http::{WasiHttp, WasiHttpView};

use super::interface::{Interface, interface_table};
use crate::bindings::wasi_config::wasi::config;
use crate::calling::CallState;
use crate::capabilities::OWN_INTERFACES;

const WASI: &str = "0.2.12";
const CONFIG: &str = "0.2.0-rc.1";
const LOGGING: &str = "0.1.0-draft";

/// Returns all interfaces of this host.
pub(crate) fn all() -> impl Iterator<Item = &'static Interface> {
    #[cfg(feature = "wasi-0-3")]
    let experimental = crate::wasi::wasi_0_3::INTERFACES;
    #[cfg(not(feature = "wasi-0-3"))]
    let experimental = [].as_slice();
    OWN_INTERFACES.iter().chain(INTERFACES).chain(experimental)
}

interface_table! {
    INTERFACES:
    "wasi:io/error" WASI |l| io::error::add_to_linker::<_, Io>(l, |s| s.ctx().table);
    "wasi:io/poll" WASI |l| io::poll::add_to_linker::<_, Io>(l, |s| s.ctx().table);
    "wasi:io/streams" WASI |l| io::streams::add_to_linker::<_, Io>(l, |s| s.ctx().table);
    "wasi:clocks/wall-clock" WASI |l| clocks::wall_clock::add_to_linker::<_, WasiClocks>(l, CallState::clocks);
    "wasi:clocks/monotonic-clock" WASI |l| clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(l, CallState::clocks);
    "wasi:random/random" WASI |l| random::random::add_to_linker::<_, WasiRandom>(l, |s| s.ctx().ctx.random());
    "wasi:random/insecure" WASI |l| random::insecure::add_to_linker::<_, WasiRandom>(l, |s| s.ctx().ctx.random());
    "wasi:random/insecure-seed" WASI |l| random::insecure_seed::add_to_linker::<_, WasiRandom>(l, |s| s.ctx().ctx.random());
    "wasi:cli/environment" WASI crate::wasi::link_environment;
    "wasi:cli/exit" WASI |l| cli::exit::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/stdin" WASI |l| cli::stdin::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/stdout" WASI |l| cli::stdout::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/stderr" WASI |l| cli::stderr::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/terminal-input" WASI |l| cli::terminal_input::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/terminal-output" WASI |l| cli::terminal_output::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/terminal-stdin" WASI |l| cli::terminal_stdin::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/terminal-stdout" WASI |l| cli::terminal_stdout::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/terminal-stderr" WASI |l| cli::terminal_stderr::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:filesystem/types" WASI crate::wasi::link_files;
    "wasi:filesystem/preopens" WASI crate::wasi::link_preopens;
    "wasi:sockets/tcp" WASI |l| sockets::tcp::add_to_linker::<_, WasiSockets>(l, CallState::sockets);
    "wasi:sockets/tcp-create-socket" WASI |l| sockets::tcp_create_socket::add_to_linker::<_, WasiSockets>(l, CallState::sockets);
    "wasi:sockets/udp" WASI |l| sockets::udp::add_to_linker::<_, WasiSockets>(l, CallState::sockets);
    "wasi:sockets/udp-create-socket" WASI |l| sockets::udp_create_socket::add_to_linker::<_, WasiSockets>(l, CallState::sockets);
    "wasi:sockets/instance-network" WASI |l| sockets::instance_network::add_to_linker::<_, WasiSockets>(l, CallState::sockets);
    "wasi:sockets/network" WASI |l| sockets::network::add_to_linker::<_, WasiSockets>(l, &sockets::network::LinkOptions::default(), CallState::sockets);
    "wasi:sockets/ip-name-lookup" WASI |l| sockets::ip_name_lookup::add_to_linker::<_, WasiSockets>(l, CallState::sockets);
    "wasi:logging/logging" LOGGING crate::capabilities::link_logging;
    "wasi:config/store" CONFIG |l| config::store::add_to_linker::<_, HasSelf<CallState>>(l, |s| s);
    "wasi:http/types" WASI crate::wasi::link_http_types;
    "wasi:http/outgoing-handler" WASI |l| http::outgoing_handler::add_to_linker::<_, WasiHttp>(l, CallState::http);
}

/// `wasi:io` needs only the table of resources.
struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

#[cfg(test)]
mod tests {
    use wasmtime::component::Linker;

    use core_types::Capability;

    use super::*;

    /// The table of capabilities and that of interfaces name the same.
    #[test]
    fn capabilities_have_their_interfaces() {
        let own = |capability: &&Capability| capability.spec().has_interface;
        for capability in Capability::ALL.iter().filter(own) {
            let name = format!("open-sesame:host/{capability}");
            assert!(all().any(|interface| interface.name == name), "{name}");
        }
    }

    #[test]
    fn every_interface_links() {
        let engine = crate::code::runtime_engine().expect("an engine");
        let mut linker = Linker::new(&engine);
        for interface in all() {
            (interface.link)(&mut linker)
                .unwrap_or_else(|error| panic!("{}: {error:#}", interface.name));
        }
    }
}
