//! Installed extensions for programs in C, and in every language that loads a C library.
//!
//! `include/sesame.h` has the five functions with their contract; `docs/embedding.md` says how the
//! library is built and linked. Each function is a thin layer over
//! [`Session`](extension_manager::Session), so everything that holds for `sesame` itself holds for
//! each call. Only `border` touches pointers. A panic ends at the border as an error, as far as the
//! profile unwinds: `capi` in the workspace's `Cargo.toml` does.
#![deny(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

#[expect(unsafe_code, reason = "C hands over pointers")]
mod border;
mod handle;
mod listing;
#[cfg(test)]
#[path = "../../extension-manager/tests/manager/support/mod.rs"]
#[expect(dead_code, reason = "the tests of extension-manager use more of it")]
mod support;
