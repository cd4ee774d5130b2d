//! `open-sesame:host/config-read`: the visible values of `[config]`.

use core_types::Request;

use crate::bindings::open_sesame::host::config_read::Host;
use crate::calling::CallState;

impl Host for CallState {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        Ok(self.config_value(key))
    }
}

impl CallState {
    /// Returns a value of the configuration if it exists and may be read.
    pub(crate) fn config_value(&self, key: String) -> Option<String> {
        let value = self.config.get(&key).map(str::to_owned);
        let is_allowed = self.gate.allows(&Request::ReadConfig(key));
        value.filter(|_| is_allowed)
    }
}
