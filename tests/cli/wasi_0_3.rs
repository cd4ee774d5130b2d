//! WASI 0.3 is granted like a capability, and is there where it is granted.

use test_support::guest;

use crate::support::{TestEnv, answering, env, manifest};

fn with_probe() -> TestEnv {
    let env = env();
    env.write("work/probe.wasm", guest("probe-0-3"));
    env
}

/// Off a terminal nothing is granted unasked; the call names the missing grant, and works with it.
#[test]
fn wasi_0_3_is_asked_and_granted() {
    let env = with_probe();
    let install = env.run("extension install ./probe.wasm").ok();
    assert!(install.stderr.contains("experimental=wasi-0.3"), "{install}");
    let run = env.run("extension call probe greet World");
    assert_eq!(run.code, 5, "{run}");
    assert!(
        run.stderr.ends_with("hint: sesame extension grant probe experimental=wasi-0.3\n"),
        "{run}"
    );
    env.run("extension grant probe experimental=wasi-0.3").ok();
    assert_eq!(env.run("extension call probe greet World").ok().text(), "Hello, World!\n");
    let error = env.run("extension call probe take-stream x");
    assert!(error.stderr.contains("it takes or returns a stream"), "{error}");
}

#[test]
fn install_grants_wasi_0_3() {
    let env = with_probe();
    env.run("extension install ./probe.wasm --grant experimental=wasi-0.3").ok();
    assert!(env.read(&manifest("probe")).contains("experimental = [\"wasi-0.3\"]"));
    assert_eq!(env.run("extension call probe greet World").ok().text(), "Hello, World!\n");
    let run = env.run("extension run probe -- one fail");
    assert_eq!((run.code, run.text().as_str()), (1, "one\nfail\n"), "{run}");
}

/// On a terminal the consent screen asks for it, with what the word means; a no installs nothing.
#[test]
fn screen_asks_for_wasi_0_3() {
    for (answer, code, printed) in [("i\n", 0, "Hello, World!\n"), ("n\n", 5, "")] {
        let env = with_probe();
        let install = env.on_terminal("extension install ./probe.wasm");
        let run = answering(&env, install, "[N]o:", &[answer]);
        assert_eq!(run.code, code, "{run}");
        assert!(run.text().contains("experimental=wasi-0.3: "), "{run}");
        assert_eq!(env.run("extension call probe greet World").text(), printed);
    }
}

/// A directory can be the guest's own `.`, and a program of WASI 0.3 reads the standard input of the
/// shell.
#[test]
fn program_reads_its_input_and_directory() {
    let env = with_probe();
    env.write("notes/first.txt", "kept");
    let read = "--grant filesystem=read:~/notes::.";
    env.run(&format!("extension install ./probe.wasm --grant experimental=wasi-0.3 {read}")).ok();
    let opened = env.run("extension call probe open ./first.txt r").ok();
    assert!(opened.text().ends_with(": kept\n"), "{opened}");
    env.write("outside.txt", "not granted");
    let outside = env.run("extension call probe open ./../outside.txt r");
    assert!(outside.code != 0 && outside.text().is_empty(), "{outside}");
    let input = b"\x1b[2J not text: \xff\n".repeat(20_000);
    let run = env.finish(env.command(["extension", "run", "probe", "--", "copy"]), &input);
    assert_eq!((run.code, run.stdout == input), (0, true), "{}", run.stderr);
}

#[test]
fn policy_denies_wasi_0_3() {
    let env = with_probe();
    env.run("extension install ./probe.wasm --grant experimental=wasi-0.3").ok();
    env.write(".config/pds/config.toml", "[extensions.policy]\ndeny = [\"experimental\"]\n");
    let run = env.run("extension call probe greet World");
    assert_eq!(run.code, 5, "{run}");
    assert!(run.stderr.contains("policy"), "{run}");
}

/// A component for a draft is named as such, in the same words by `install` and `inspect`.
#[test]
fn draft_of_wasi_0_3_is_named() {
    let env = env();
    let text = r#"(component (import "wasi:cli/stdout@0.3.0-rc-2025-09-16" (instance (export "f" (func)))))"#;
    env.write("work/it.wasm", wat::parse_str(text).expect("valid text"));
    let install = env.run("extension install ./it.wasm");
    let inspect = env.run("extension inspect ./it.wasm");
    assert_eq!(
        (install.code, &install.stderr),
        (inspect.code, &inspect.stderr),
        "{install}\n{inspect}"
    );
    insta::assert_snapshot!(install, @"
    exit 5
    err: error: `it` is made for a draft of WASI 0.3
    err: `wasi:cli/stdout@0.3.0-rc-2025-09-16` is for a draft of WASI 0.3
    err: hint: build it again with tools of WASI 0.3.0 or of 0.2
    ");
}
