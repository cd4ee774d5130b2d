//! `open-sesame:host/config-read`: the values of `[config]` that the extension may see.

use core_types::Request;

use crate::bindings::open_sesame::host::config_read::Host;
use crate::calling::CallState;

impl Host for CallState {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        Ok(self.config_value(key))
    }
}

impl CallState {
    /// A value of the configuration, or nothing when there is none or it may not be read.
    pub(crate) fn config_value(&self, key: String) -> Option<String> {
        let value = self.config.get(&key).map(str::to_owned);
        let is_allowed = self.gate.allows(&Request::ReadConfig(key));
        value.filter(|_| is_allowed)
    }
}
