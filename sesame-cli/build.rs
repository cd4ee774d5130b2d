//! Makes the program start quicker, by how it is linked.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=call-order.txt");
    let target = |what: &str| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    let is_linux = target("OS") == "linux" && target("ENV") == "gnu";
    if is_linux {
        link_the_unwinder();
    }
    if is_linux && target("ARCH") == "x86_64" && is_dist() && has_default_linker() {
        order_functions();
    }
}

/// The standard library asks for `libgcc_s.so`, and to load and relocate one more library costs a
/// tenth of a whole call. Its archive comes with every gcc, and is what static builds of Rust
/// programs use; named first, it leaves the shared one with nothing to do, and the linker drops it.
fn link_the_unwinder() {
    println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
}

/// Puts the functions that a call runs beside each other, so that they come into memory with few
/// page faults: 15 instead of 92, a tenth of a whole call. `benches/order` makes the list. Names
/// that are not there are passed over.
fn order_functions() {
    let list =
        Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("call-order.txt");
    println!("cargo:rustc-link-arg-bins=-Wl,--symbol-ordering-file={}", list.display());
    println!("cargo:rustc-link-arg-bins=-Wl,--no-warn-symbol-ordering");
}

/// Cargo tells build scripts that `dist` is a kind of `release`; the directory tells it by name.
fn is_dist() -> bool {
    let directory = env::var("OUT_DIR").unwrap_or_default();
    Path::new(&directory).components().any(|component| component.as_os_str() == "dist")
}

/// The option is that of LLD, which Rust uses on this target unless somebody chose another.
fn has_default_linker() -> bool {
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    env::var_os("RUSTC_LINKER").is_none() && !flags.contains("linker") && !flags.contains("fuse-ld")
}
