//! Links the program so that it starts quickly.

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

/// Links the unwinder's archive in place of `libgcc_s.so`, which the standard library needs: loading
/// and relocating one more library costs a tenth of a call. The archive comes with each gcc, and static builds of Rust programs use it;
/// named first, it leaves the shared one unused, and the linker drops that.
fn link_the_unwinder() {
    println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
}

/// Puts the functions of a call beside each other, so that they come into memory with few page
/// faults: 15 instead of 92, a tenth of a call. `benches/order` makes the list. Unknown names are
/// ignored.
fn order_functions() {
    let list =
        Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("call-order.txt");
    println!("cargo:rustc-link-arg-bins=-Wl,--symbol-ordering-file={}", list.display());
    println!("cargo:rustc-link-arg-bins=-Wl,--no-warn-symbol-ordering");
}

/// Returns whether the profile is `dist`. Cargo tells build scripts only that it is a kind of
/// `release`; the directory has its name.
fn is_dist() -> bool {
    let directory = env::var("OUT_DIR").unwrap_or_default();
    Path::new(&directory).components().any(|component| component.as_os_str() == "dist")
}

/// Returns whether the linker is LLD, which has this option, and which Rust uses on this target by
/// default.
fn has_default_linker() -> bool {
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    env::var_os("RUSTC_LINKER").is_none() && !flags.contains("linker") && !flags.contains("fuse-ld")
}
