//! `wasi:cli/environment`: the extension's configuration, and the variables of the session that are
//! granted.

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::p2::bindings::cli::environment::{self, Host};

use crate::calling::CallState;

/// The interface, in the version that Wasmtime registers it under.
const ENVIRONMENT: &str = "wasi:cli/environment@0.2.12";

type Variables = Vec<(String, String)>;

/// Links `wasi:cli/environment`, with one thing added: it is noted that the extension looked at its
/// variables.
pub(crate) fn link_environment(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    environment::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    linker.allow_shadowing(true);
    let get_environment =
        |mut store: StoreContextMut<'_, CallState>, (): ()| -> wasmtime::Result<(Variables,)> {
            store.data().note_environment();
            Ok((store.data_mut().cli().get_environment()?,))
        };
    linker.instance(ENVIRONMENT)?.func_wrap("get-environment", get_environment)?;
    linker.allow_shadowing(false);
    Ok(())
}
