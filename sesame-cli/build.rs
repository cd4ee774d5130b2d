//! Links the program so that it starts quickly, and puts the templates of new projects into it.

use std::env;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=call-order.txt");
    compile_before_main();
    list_templates().expect("the templates are readable");
    let target = |what: &str| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    let is_linux = target("OS") == "linux" && target("ENV") == "gnu";
    if is_linux {
        link_the_unwinder();
    }
    if is_linux && target("ARCH") == "x86_64" && is_dist() && has_default_linker() {
        order_functions();
    }
}

/// Compiles what runs before the runtime of Rust, which Rust itself has no safe words for. Nothing
/// refers to it, so the archive is linked whole.
fn compile_before_main() {
    let source = "src/closed_stdout.c";
    println!("cargo:rerun-if-changed={source}");
    cc::Build::new().file(source).cargo_metadata(false).compile("closed_stdout");
    println!("cargo:rustc-link-search=native={}", env::var("OUT_DIR").unwrap_or_default());
    println!("cargo:rustc-link-lib=static:+whole-archive=closed_stdout");
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

/// Writes a table of all files in `templates`, so that a new language is a folder and nothing else.
fn list_templates() -> io::Result<()> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("templates");
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();
    let mut table = String::from("const TEMPLATES: &[(&str, &str)] = &[\n");
    for file in &files {
        let name = file.strip_prefix(&root).map_err(io::Error::other)?.display().to_string();
        // Beside the folders there is only a page for contributors.
        if !name.contains('/') {
            continue;
        }
        // Cargo reads each `Cargo.toml` of a repository from which it installs, a template as well.
        let name = name.strip_suffix(".in").unwrap_or(&name);
        let _ = writeln!(table, "    ({name:?}, include_str!({:?})),", file.display().to_string());
    }
    table.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR").unwrap_or_default()).join("templates.rs"), table)
}

/// Lists the files below a directory. Links are followed: some files are those of another directory.
fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo:rerun-if-changed={}", directory.display());
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
