//! `open-sesame:host/log`, and `wasi:logging` for extensions without an interface of ours: lines
//! for the log of the extension. Always linked.

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use crate::bindings::open_sesame::host::log::{Host, Level};
use crate::bindings::wasi_logging::wasi::logging::logging::Level as WasiLevel;
use crate::calling::CallState;

/// The names by which toolchains import the interface: with and without its version.
const LOGGING: [&str; 2] = ["wasi:logging/logging@0.1.0-draft", "wasi:logging/logging"];

impl Host for CallState {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        self.log_line(level, &message)
    }
}

impl CallState {
    fn log_line(&mut self, level: &str, message: &str) -> wasmtime::Result<()> {
        Ok(self.bounds.output.log(&format!("[{level}] {message}\n"))?)
    }
}

/// Links `wasi:logging`.
pub(crate) fn link_logging(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    for name in LOGGING {
        linker.instance(name)?.func_wrap("log", log)?;
    }
    Ok(())
}

fn log(
    mut store: StoreContextMut<'_, CallState>,
    (level, context, message): (WasiLevel, String, String),
) -> wasmtime::Result<()> {
    let level = match level {
        WasiLevel::Trace => "trace",
        WasiLevel::Debug => "debug",
        WasiLevel::Info => "info",
        WasiLevel::Warn => "warn",
        WasiLevel::Error => "error",
        WasiLevel::Critical => "critical",
    };
    let message = if context.is_empty() { message } else { format!("{context}: {message}") };
    store.data_mut().log_line(level, &message)
}
