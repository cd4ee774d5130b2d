//! `wasi:http/types`: Wasmtime's, with the name of a method bounded.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p2::bindings::http::types;
use wasmtime_wasi_http::p2::types::HostOutgoingRequest;
use wasmtime_wasi_http::{WasiHttp, WasiHttpView};

use super::replace::replace_in;
use crate::calling::CallState;

/// The interface, in the version that Wasmtime registers it under.
const TYPES: &str = "wasi:http/types@0.2.12";
/// The maximum of an extension method's name, in bytes: the registered ones have at most 16.
const MAX_METHOD: usize = 64;

/// Tells whether a method's name is within the maximum.
pub(crate) fn is_known_method_length(name: &str) -> bool {
    name.len() <= MAX_METHOD
}

type SetMethod = (Resource<HostOutgoingRequest>, types::Method);

/// Links `wasi:http/types` with one function replaced: Wasmtime's keeps the name of a method at any
/// length, and a guest can have a thousand requests.
pub(crate) fn link_http_types(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, WasiHttp>(linker, &types::LinkOptions::default(), CallState::http)?;
    let set_method =
        |mut store: StoreContextMut<'_, CallState>, (request, method): SetMethod| {
            if matches!(&method, types::Method::Other(name) if !is_known_method_length(name)) {
                return Ok((Err(()),));
            }
            Ok((types::HostOutgoingRequest::set_method(
                &mut store.data_mut().http(),
                request,
                method,
            )?,))
        };
    replace_in(linker, TYPES, |types| {
        types.func_wrap("[method]outgoing-request.set-method", set_method)
    })
}
