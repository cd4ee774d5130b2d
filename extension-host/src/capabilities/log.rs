//! `open-sesame:host/log`: lines for the log of the extension. Always there.

use crate::bindings::open_sesame::host::log::{Host, Level};
use crate::state::CallState;

impl Host for CallState {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.bounds.check_time()?;
        let level = match level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        Ok(self.bounds.output.log(format!("[{level}] {message}\n"))?)
    }
}
