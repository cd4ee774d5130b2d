//! `wasi:config/store`: the same as `config-read`, for extensions without an interface of ours.

use core_types::Request;

use crate::bindings::wasi_config::wasi::config::store::{Error, Host};
use crate::calling::CallState;

impl Host for CallState {
    fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<String>, Error>> {
        Ok(Ok(self.config_value(key)))
    }

    fn get_all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, Error>> {
        let granted =
            |(key, _): &(&str, &str)| self.gate.allows(&Request::ReadConfig((*key).to_owned()));
        let values = self.config.iter().filter(granted);
        Ok(Ok(values.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()))
    }
}
