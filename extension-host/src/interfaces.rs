//! Every interface that this host has, and how it is linked.

use std::sync::Arc;

use wasmtime::component::{HasData, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::p2::bindings::{cli, clocks, io, random, sockets};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};
use wasmtime_wasi_http::p2::bindings::http;
use wasmtime_wasi_http::{WasiHttp, WasiHttpView};

use crate::bindings::open_sesame::host;
use crate::bindings::wasi_config::wasi::config;
use crate::state::CallState;

type Link = fn(&mut Linker<CallState>) -> wasmtime::Result<()>;

/// How an interface of the embedding program is linked.
pub(crate) type OwnLink = dyn Fn(&mut Linker<CallState>) -> wasmtime::Result<()> + Send + Sync;

/// An interface that extensions can import.
pub(crate) struct Interface {
    /// `package:namespace/interface`, without version.
    pub(crate) name: &'static str,
    /// The version that the host has. Compatible ones are taken for it, as in semantic versioning.
    pub(crate) version: &'static str,
    /// Adds it to a linker.
    pub(crate) link: Link,
}

impl Interface {
    /// Whether an import of this name and version is satisfied by it.
    pub(crate) fn satisfies(&self, name: &str, version: Option<&str>) -> bool {
        self.name == name && version.is_none_or(|version| compatible(version, self.version))
    }
}

/// An interface that the embedding program adds.
#[derive(Clone)]
pub(crate) struct OwnInterface {
    /// `package:namespace/interface`, without version.
    pub(crate) name: String,
    /// The version that the program has.
    pub(crate) version: String,
    /// Adds it to a linker.
    pub(crate) link: Arc<OwnLink>,
}

impl OwnInterface {
    /// Whether an import of this name and version is satisfied by it.
    pub(crate) fn satisfies(&self, name: &str, version: Option<&str>) -> bool {
        self.name == name && version.is_none_or(|version| compatible(version, &self.version))
    }
}

/// Whether versions are of one compatible series: the same major version, and for 0.x the same
/// minor one. Versions with a pre-release part fit only themselves.
fn compatible(wanted: &str, there: &str) -> bool {
    let series = |version: &str| {
        let mut numbers = version.split('.').map(|number| number.parse::<u64>().ok());
        match (numbers.next().flatten(), numbers.next().flatten(), numbers.next().flatten()) {
            (Some(0), Some(minor), Some(_)) => Some((0, minor)),
            (Some(major), Some(_), Some(_)) => Some((major, 0)),
            _ => None,
        }
    };
    wanted == there || (series(wanted).is_some() && series(wanted) == series(there))
}

const HOST: &str = "0.1.0";
const WASI: &str = "0.2.12";
const CONFIG: &str = "0.2.0-rc.1";
const LOGGING: &str = "0.1.0-draft";

/// A table of interfaces: name, version, and how it is linked.
macro_rules! interfaces {
    ($table:ident: $($name:literal $version:ident $link:expr;)*) => {
        /// Interfaces of this host.
        pub(crate) const $table: &[Interface] = &[$(Interface { name: $name, version: $version, link: $link }),*];
    };
}
#[cfg(feature = "wasi-0-3")]
pub(crate) use interfaces;

/// All interfaces of this host.
pub(crate) fn all() -> impl Iterator<Item = &'static Interface> {
    #[cfg(feature = "wasi-0-3")]
    let experimental = crate::wasi_0_3::INTERFACES;
    #[cfg(not(feature = "wasi-0-3"))]
    let experimental = [].as_slice();
    INTERFACES.iter().chain(experimental)
}

interfaces! {
    INTERFACES:
    "open-sesame:host/config-read" HOST |l| host::config_read::add_to_linker::<_, HasSelf<CallState>>(l, |s| s);
    "open-sesame:host/secret-read" HOST |l| host::secret_read::add_to_linker::<_, HasSelf<CallState>>(l, |s| s);
    "open-sesame:host/secret-write" HOST |l| host::secret_write::add_to_linker::<_, HasSelf<CallState>>(l, |s| s);
    "open-sesame:host/notification" HOST |l| host::notification::add_to_linker::<_, HasSelf<CallState>>(l, |s| s);
    "open-sesame:host/clipboard-write" HOST |l| host::clipboard_write::add_to_linker::<_, HasSelf<CallState>>(l, |s| s);
    "open-sesame:host/ipc-publish" HOST |l| host::ipc_publish::add_to_linker::<_, HasSelf<CallState>>(l, |s| s);
    "open-sesame:host/log" HOST |l| host::log::add_to_linker::<_, HasSelf<CallState>>(l, |s| s);
    "wasi:io/error" WASI |l| io::error::add_to_linker::<_, Io>(l, |s| s.ctx().table);
    "wasi:io/poll" WASI |l| io::poll::add_to_linker::<_, Io>(l, |s| s.ctx().table);
    "wasi:io/streams" WASI |l| io::streams::add_to_linker::<_, Io>(l, |s| s.ctx().table);
    "wasi:clocks/wall-clock" WASI |l| clocks::wall_clock::add_to_linker::<_, WasiClocks>(l, CallState::clocks);
    "wasi:clocks/monotonic-clock" WASI |l| clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(l, CallState::clocks);
    "wasi:random/random" WASI |l| random::random::add_to_linker::<_, WasiRandom>(l, |s| s.ctx().ctx.random());
    "wasi:random/insecure" WASI |l| random::insecure::add_to_linker::<_, WasiRandom>(l, |s| s.ctx().ctx.random());
    "wasi:random/insecure-seed" WASI |l| random::insecure_seed::add_to_linker::<_, WasiRandom>(l, |s| s.ctx().ctx.random());
    "wasi:cli/environment" WASI crate::capabilities::link_environment;
    "wasi:cli/exit" WASI |l| cli::exit::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/stdin" WASI |l| cli::stdin::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/stdout" WASI |l| cli::stdout::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/stderr" WASI |l| cli::stderr::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/terminal-input" WASI |l| cli::terminal_input::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/terminal-output" WASI |l| cli::terminal_output::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/terminal-stdin" WASI |l| cli::terminal_stdin::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/terminal-stdout" WASI |l| cli::terminal_stdout::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:cli/terminal-stderr" WASI |l| cli::terminal_stderr::add_to_linker::<_, WasiCli>(l, CallState::cli);
    "wasi:filesystem/types" WASI crate::capabilities::link_files;
    "wasi:filesystem/preopens" WASI crate::capabilities::link_preopens;
    "wasi:sockets/tcp" WASI |l| sockets::tcp::add_to_linker::<_, WasiSockets>(l, CallState::sockets);
    "wasi:sockets/tcp-create-socket" WASI |l| sockets::tcp_create_socket::add_to_linker::<_, WasiSockets>(l, CallState::sockets);
    "wasi:sockets/udp" WASI |l| sockets::udp::add_to_linker::<_, WasiSockets>(l, CallState::sockets);
    "wasi:sockets/udp-create-socket" WASI |l| sockets::udp_create_socket::add_to_linker::<_, WasiSockets>(l, CallState::sockets);
    "wasi:sockets/instance-network" WASI |l| sockets::instance_network::add_to_linker::<_, WasiSockets>(l, CallState::sockets);
    "wasi:sockets/network" WASI |l| sockets::network::add_to_linker::<_, WasiSockets>(l, &sockets::network::LinkOptions::default(), CallState::sockets);
    "wasi:sockets/ip-name-lookup" WASI |l| sockets::ip_name_lookup::add_to_linker::<_, WasiSockets>(l, CallState::sockets);
    "wasi:logging/logging" LOGGING crate::capabilities::link_logging;
    "wasi:config/store" CONFIG |l| config::store::add_to_linker::<_, HasSelf<CallState>>(l, |s| s);
    "wasi:http/types" WASI crate::capabilities::link_http_types;
    "wasi:http/outgoing-handler" WASI |l| http::outgoing_handler::add_to_linker::<_, WasiHttp>(l, CallState::http);
}

/// `wasi:io` works on the table of resources alone.
struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_one_series_are_compatible() {
        for (wanted, there, expected) in [
            ("0.2.0", "0.2.12", true),
            ("0.2.99", "0.2.12", true),
            ("0.3.0", "0.2.12", false),
            ("1.4.0", "1.0.0", true),
            ("2.0.0", "1.0.0", false),
            ("0.2.0-rc.1", "0.2.12", false),
            ("0.2", "0.2.12", false),
            ("x", "0.2.12", false),
        ] {
            assert_eq!(compatible(wanted, there), expected, "{wanted} {there}");
        }
    }

    #[test]
    fn every_interface_links() {
        let engine = crate::engine::runtime_engine().expect("an engine");
        let mut linker = Linker::new(&engine);
        for interface in all() {
            (interface.link)(&mut linker)
                .unwrap_or_else(|error| panic!("{}: {error:#}", interface.name));
        }
    }
}
