//! What a Rust extension for Open Sesame depends on.
//!
//! [`generate!`] turns the extension's world, written in WIT, into traits to implement and an
//! `export!` macro; [`config`], [`secret`], [`notification`], [`clipboard`], [`ipc`], [`storage`]
//! and [`log`] are the host's side of the conversation. Each but `log` has to be granted by the
//! user, and says with which line of the manifest. [`events!`] lets an [`event`] wake the extension.
//!
//! ```
//! extension_sdk::generate!({
//!     inline: "
//!         package my:tools;
//!         world tools {
//!             export shout: func(text: string) -> string;
//!         }
//!     ",
//! });
//!
//! struct Tools;
//!
//! impl Guest for Tools {
//!     fn shout(text: String) -> String {
//!         let mark = extension_sdk::config::get_or("shout.mark", "!");
//!         text.to_uppercase() + &mark
//!     }
//! }
//!
//! export!(Tools);
//! # fn main() {}
//! ```
//!
//! A crate with `crate-type = ["cdylib"]` that is built with
//! `cargo build --target wasm32-wasip2 --release` is the component. It imports just those of the
//! host's interfaces that its code calls, whether its world names them or not.
//!
//! Outside of a component there is no host: built for another target, the extension compiles, and
//! its own logic can be tested, but a call to the host panics.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

pub mod clipboard;
pub mod config;
mod error;
pub mod event;
pub mod ipc;
pub mod log;
pub mod notification;
pub mod secret;
pub mod storage;

pub use bindings::open_sesame::host;
pub use error::Error;
pub use wit_bindgen;

/// What wit-bindgen makes of `wit/host`.
#[allow(missing_docs, reason = "generated; its documentation is that of the WIT files")]
mod bindings {
    wit_bindgen::generate!({
        path: "../wit/host",
        world: "imports",
    });
}

/// Generates Rust for a world: a `Guest` trait for what it exports, functions for what it imports,
/// and the macro `export!` that makes a type which implements the traits the component.
///
/// It takes the options of [`wit_bindgen::generate!`], and sets two of them: `runtime_path`, so
/// that the extension need not depend on wit-bindgen itself, and `generate_all`, so that a world
/// may import other packages. Without any option it generates the only world in the folder `wit`
/// beside `Cargo.toml`. WIT packages that the world refers to lie in `wit/deps`, or are named
/// before it in a list: `path: ["../wit/host", "wit"], world: "my:tools/tools"`.
///
/// A world that uses a type of the host's interfaces in its own functions shares the SDK's with
/// `with: { "open-sesame:host/log@0.1.1": extension_sdk::host::log }`.
///
/// An export at the world's top level should not be named like a function of libc (`read`, `write`,
/// `open`, `exit`): it would silently take that function's place for the whole program. Functions
/// in an exported interface may have any name.
#[macro_export]
macro_rules! generate {
    () => {
        $crate::generate!({});
    };
    ({ $($option:tt)* }) => {
        $crate::wit_bindgen::generate!({
            runtime_path: "::extension_sdk::wit_bindgen::rt",
            generate_all,
            $($option)*
        });
    };
}
