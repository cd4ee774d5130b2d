//! `open-sesame:host/config-read`: the values of `[config]` that the extension may see.

use crate::bindings::open_sesame::host::config_read::Host;
use crate::state::CallState;

impl Host for CallState {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        self.check_time()?;
        Ok(self.config.get(&key).map(str::to_owned))
    }
}
