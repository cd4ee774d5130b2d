//! Links the unwinder into the program.
//!
//! The standard library asks for `libgcc_s.so`, and to load and relocate one more library costs a tenth of a whole call.
//! Its archive comes with every gcc, and is what static builds of Rust programs use; named first, it leaves the shared
//! one with nothing to do, and the linker drops it.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
    }
}
