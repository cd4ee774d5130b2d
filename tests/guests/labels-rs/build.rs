//! The allocator is that of WASI's C library, under the names that the host looks for.

fn main() {
    println!("cargo::rustc-link-arg-cdylib=--export=malloc");
    println!("cargo::rustc-link-arg-cdylib=--export=free");
}
