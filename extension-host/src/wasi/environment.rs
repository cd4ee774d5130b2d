//! `wasi:cli/environment`: the extension's configuration, and granted variables of the session.

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::p2::bindings::cli::environment::{self, Host};

use super::context::note_environment;
use super::replace::replace_in;
use crate::calling::CallState;

/// The interface, in the version that Wasmtime registers it under.
const ENVIRONMENT: &str = "wasi:cli/environment@0.2.12";

type Variables = Vec<(String, String)>;

/// Links `wasi:cli/environment` of WASI 0.2.
pub(crate) fn link_environment(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    environment::add_to_linker::<_, WasiCli>(linker, CallState::cli)?;
    note_variables(linker, ENVIRONMENT, |state| state.cli().get_environment())
}

/// Makes the function of an interface note that the extension looked at its variables. `variables`
/// returns them.
pub(super) fn note_variables(
    linker: &mut Linker<CallState>,
    interface: &str,
    variables: fn(&mut CallState) -> wasmtime::Result<Variables>,
) -> wasmtime::Result<()> {
    replace_in(linker, interface, |interface| {
        interface.func_wrap(
            "get-environment",
            move |mut store: StoreContextMut<'_, CallState>, (): ()| {
                note_environment(&store.data().gate);
                Ok((variables(store.data_mut())?,))
            },
        )
    })
}
