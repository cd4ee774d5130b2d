//! The host's side of `wit/`, generated.
#![allow(missing_docs, unsafe_code)]

wasmtime::component::bindgen!({ path: "../wit/host", world: "imports", imports: { default: trappable } });
