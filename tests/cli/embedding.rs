//! Programs that embed sesame, as `docs/embedding.md` describes them.

use std::path::{Path, PathBuf};
use std::process::Command;

use test_support::TestEnv;

use crate::support::{GREETING, root, with_guest};

fn capi(below: &str) -> PathBuf {
    root().join("extension-capi").join(below)
}

/// The directory of the C library, which lies beside the binary.
fn library() -> PathBuf {
    let directory = Path::new(env!("CARGO_BIN_EXE_sesame")).parent().expect("a directory");
    assert!(
        directory.join("libextension_capi.so").exists(),
        "build it: cargo build --workspace --lib --test cli"
    );
    directory.to_owned()
}

/// A program of the session, which finds the C library.
fn program(env: &TestEnv, name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    command.env_clear().env("HOME", env.home()).env("PATH", "/usr/bin:/bin");
    command.env("LD_LIBRARY_PATH", library()).current_dir(env.path("work"));
    command
}

/// Calls the greeting extension and a missing function by a program, which prints the values that
/// it got.
#[track_caller]
fn assert_calls(env: &TestEnv, command: impl Fn() -> Command, greeting: &str) {
    let mut good = command();
    good.args(["greeting", "greet", r#"["World"]"#]);
    let run = env.finish(good, b"").ok();
    let text = run.text();
    assert!(text.lines().any(|line| line == greeting) && text.contains("greeting"), "{run}");
    let mut bad = command();
    bad.args(["greeting", "missing"]);
    let run = env.finish(bad, b"");
    assert!(run.code == 1 && run.stderr.contains("there is no function `missing`"), "{run}");
}

#[test]
fn program_in_the_book_is_compiled() {
    let page = std::fs::read_to_string(root().join("docs/embedding.md")).expect("a page");
    let example = root().join("extension-manager/examples/greet.rs");
    let example = std::fs::read_to_string(example).expect("an example");
    let (_, program) = example.split_once("\n\n").expect("a line below the attributes");
    assert!(program.lines().count() <= 15, "{program}");
    assert!(page.contains(&format!("```rust\n{program}```\n")), "{program}");
}

/// `cargo add --git` reads every `Cargo.toml` of the repository, and complains about a template.
#[test]
fn templates_are_not_manifests() {
    let templates = root().join("sesame-cli/templates");
    for language in std::fs::read_dir(templates).expect("a directory").flatten() {
        let manifest = language.path().join("extension/Cargo.toml");
        assert!(!manifest.exists(), "{}", manifest.display());
    }
}

#[test]
#[ignore = "needs a C compiler and the C library"]
fn c_program_calls() {
    let env = with_guest("greeting", &GREETING);
    let mut compiler = program(&env, "cc");
    compiler.args(["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o", "greet"]);
    compiler.arg(capi("examples/greet.c")).arg("-I").arg(capi("include"));
    compiler.arg("-L").arg(library()).arg("-lextension_capi");
    env.finish(compiler, b"").ok();
    assert_calls(&env, || program(&env, env.path("work/greet")), r#""Hello, World!""#);
}

#[test]
#[ignore = "needs python3 and the C library"]
fn python_program_calls() {
    let env = with_guest("greeting", &GREETING);
    let python = || {
        let mut command = program(&env, "python3");
        command.env("SESAME_LIBRARY", library().join("libextension_capi.so"));
        command.arg(capi("examples/greet.py"));
        command
    };
    assert_calls(&env, python, "Hello, World!");
}

#[test]
#[ignore = "needs gjs, g-ir-compiler and the C library"]
fn gjs_program_calls() {
    let env = with_guest("greeting", &GREETING);
    let mut compiler = program(&env, "g-ir-compiler");
    compiler.arg(capi("examples/Sesame-1.gir")).args(["-o", "Sesame-1.typelib"]);
    env.finish(compiler, b"").ok();
    let gjs = || {
        let mut command = program(&env, "gjs");
        command.env("GI_TYPELIB_PATH", env.path("work")).arg("-m").arg(capi("examples/greet.js"));
        command
    };
    assert_calls(&env, gjs, "Hello, World!");
}
