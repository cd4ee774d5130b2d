//! `sesame extension call`

use crate::support::{ECHO, GREETING, HOSTILE, env, manifest, with_guest};

/// Text, numbers, WAVE and JSON are taken as arguments and printed as results.
#[test]
fn values_go_in_and_out_in_all_forms() {
    let env = with_guest("echo", &ECHO);
    let out = |arguments: &[&str]| {
        let all = [&["extension", "call", "echo"], arguments].concat();
        env.run_with(all, b"from stdin").ok().text()
    };
    assert_eq!(out(&["echo-string", "\"quoted\" and 'not'"]), "\"quoted\" and 'not'\n");
    assert_eq!(out(&["echo-string", ""]), "\n");
    assert_eq!(out(&["echo-string", "--", "--json"]), "--json\n");
    assert_eq!(out(&["echo-string", "--", "-"]), "-\n");
    assert_eq!(out(&["echo-string", "-"]), "from stdin\n");
    assert_eq!(out(&["echo-s8", "-5"]), "-5\n");
    assert_eq!(out(&["echo-bool", "true"]), "true\n");
    assert_eq!(out(&["echo-char", "é"]), "'é'\n");
    assert_eq!(out(&["echo-enum", "green"]), "green\n");
    assert_eq!(out(&["echo-bytes", "raw"]), "raw", "bytes come without a line break");
    assert_eq!(out(&["echo-variant", "circle(1.5)"]), "circle(1.5)\n");
    assert_eq!(out(&["echo-tuple", "--json-args", "[[1, \"a\"]]"]), "(1, \"a\")\n");
    assert_eq!(out(&["join", "[\"a\", \"b\"]"]), "a, b\n");
    assert_eq!(out(&["join", "[\"a\", \"b\"]", "-"]), "afrom stdinb\n");
    assert_eq!(out(&["print", "hello"]), "", "what is printed is no result");
    assert_eq!(out(&["test:echo/echo#sum", "[1, 2]"]), "3\n");
}

/// The newline that `echo` writes to a pipe is not part of the argument.
#[test]
fn stdin_argument_may_end_in_newline() {
    let env = with_guest("echo", &ECHO);
    let out = |function: &str, input: &str| {
        env.run_with(["extension", "call", "echo", function, "-"], input.as_bytes()).ok().text()
    };
    assert_eq!(out("echo-u32", "5\n"), "5\n");
    assert_eq!(out("echo-flags", "{read}\r\n"), "{read}\n");
    assert_eq!(out("echo-bytes", "raw\n"), "raw\n");
    assert_eq!(out("echo-string", "text\n"), "text\n\n");
}

/// Functions that cannot be called are listed apart, with the reason.
#[test]
fn uncallable_functions_listed_apart() {
    let env = env();
    let module = "(module (func (export \"two\") (result i32 i32) i32.const 1 i32.const 2) (func (export \"one\")))";
    env.write("work/pair.wasm", wat::parse_str(module).expect("a module"));
    env.run("extension install pair.wasm").ok();
    insta::assert_snapshot!(env.run("extension call pair three"), @r#"
    exit 3
    err: error: there is no function `three`
    err: these can be called:
    err:   one: func()
    err: these cannot be called:
    err:   two: func() -> (s32, s32): it returns 2 values, and a call returns one
    err: hint: sesame extension call pair one
    "#);
    insta::assert_snapshot!(env.run("extension call pair two"), @r"
    exit 2
    err: error: cannot call `two: func() -> (s32, s32)`: it returns 2 values, and a call returns one
    err: hint: sesame extension info pair
    ");
    let info = env.run("extension info pair").ok().text();
    assert!(info.contains("\nexports      one: func()\n"), "{info}");
    assert!(
        info.contains("\nnot callable two: func() -> (s32, s32): it returns 2 values"),
        "{info}"
    );
    let json: serde_json::Value =
        serde_json::from_slice(&env.run("--json extension info pair").ok().stdout).expect("JSON");
    let exports = &json["extension"]["exports"];
    assert_eq!(exports[0]["uncallable"], serde_json::Value::Null, "{exports}");
    assert_eq!(
        exports[1]["uncallable"], "it returns 2 values, and a call returns one",
        "{exports}"
    );
}

#[test]
fn json_has_result_and_stats() {
    let env = with_guest("echo", &ECHO);
    let json = |arguments: &[&str]| -> serde_json::Value {
        let all = [&["--json", "extension", "call", "echo"], arguments].concat();
        serde_json::from_slice(&env.run_with(all, b"").ok().stdout).expect("JSON")
    };
    let object = json(&["echo-u64", "18446744073709551615"]);
    assert_eq!(
        (&object["schema_version"], &object["result"]),
        (&1.into(), &"18446744073709551615".into())
    );
    assert!(object["usage"]["fuel"].as_u64().is_some_and(|fuel| fuel > 0), "{object}");
    assert_eq!(json(&["echo-option", "x"])["result"], "x");
    assert_eq!(json(&["echo-option"])["result"], serde_json::Value::Null);
    assert_eq!(
        json(&["echo-variant", "nothing"])["result"],
        serde_json::json!({ "nothing": null })
    );
}

/// An error that the extension returns is exit 1, and nothing is written to standard output.
#[test]
fn extension_error_is_exit_1() {
    let env = with_guest("echo", &ECHO);
    insta::assert_snapshot!(env.run("extension call echo fail oh-no"), @r#"
    exit 1
    err: error: the extension returned an error: oh-no
    "#);
    let run = env.run("--json extension call echo fail oh-no");
    assert_eq!(run.code, 1, "{run}");
    assert!(run.text().contains(r#""result":{"err":"oh-no"}"#), "{run}");
}

#[test]
fn unknown_name_lists_known_names() {
    let env = with_guest("greet", &GREETING);
    insta::assert_snapshot!(env.run("extension call greet great World"), @r#"
    exit 3
    err: error: there is no function `great`
    err: did you mean `greet`?
    err: these can be called:
    err:   greet: func(name: string) -> string
    err: hint: sesame extension call greet greet name
    "#);
    insta::assert_snapshot!(env.run("extension call nobody greet World"), @r#"
    exit 3
    err: error: there is no extension `nobody`
    err: hint: sesame extension list
    "#);
    insta::assert_snapshot!(env.run("extension call greet greet"), @r#"
    exit 2
    err: error: the function takes 1 argument, not 0: (name: string)
    err: hint: sesame extension info greet
    "#);
    insta::assert_snapshot!(env.run("extension call greet greet a b"), @r#"
    exit 2
    err: error: the function takes 1 argument, not 2: (name: string)
    err: hint: sesame extension info greet
    "#);
    env.write("work/empty.wasm", b"\0asm\x01\0\0\0");
    env.run("install ./empty.wasm").ok();
    insta::assert_snapshot!(env.run("call empty"), @r#"
    exit 2
    err: error: `empty` exports no functions
    "#);
    insta::assert_snapshot!(env.run("extension call Nobody! greet"), @r#"
    exit 2
    err: error: invalid value 'Nobody!' for '<NAME>': `Nobody!` is not an extension name: a name has 1 to 64 characters out of `a-z`, `0-9` and `-`, and starts with a letter or digit
    err: 
    err: For more information, try '--help'.
    "#);
    insta::assert_snapshot!(env.run("--json extension call nobody greet"), @r#"
    exit 3
    out: {"error":{"causes":[],"code":3,"details":[],"hints":["sesame extension list"],"kind":"not-found","message":"there is no extension `nobody`","refused":[]},"schema_version":1}
    "#);
}

#[test]
fn limit_error_names_value_and_source() {
    let env = with_guest("hostile", &HOSTILE);
    let limits = |text: &str| {
        let path = manifest("hostile");
        let before = env.read(&path);
        let before = before.split("\n[limits]").next().unwrap_or_default();
        env.write(&path, format!("{before}\n[limits]\n{text}\n"));
    };
    limits("max_fuel = 1_000_000");
    insta::assert_snapshot!(env.run("extension call hostile spin"), @r#"
    exit 7
    err: error: the extension went over its limit of fuel: 1,000,000 (set in the manifest)
    err: hint: raise `max_fuel` under [limits] in `~/.config/pds/extensions/hostile.toml`
    "#);
    limits("timeout_ms = 100");
    insta::assert_snapshot!(env.run("extension call hostile sleep 60000"), @r#"
    exit 7
    err: error: the extension went over its limit of time: 100 ms (set in the manifest)
    err: hint: raise `timeout_ms` under [limits] in `~/.config/pds/extensions/hostile.toml`
    "#);
    limits("max_memory_mib = 8");
    insta::assert_snapshot!(env.run("extension call hostile long-string 9000000"), @"
    exit 7
    err: error: the extension went over its limit of memory: 8 MiB (set in the manifest)
    err: the last lines of its stderr:
    err:   memory allocation of 9000000 bytes failed
    err:   note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
    err: hint: raise `max_memory_mib` under [limits] in `~/.config/pds/extensions/hostile.toml`
    ");
    limits("max_output_kib = 1");
    insta::assert_snapshot!(env.run("extension call hostile flood 100000"), @r#"
    exit 7
    err: error: the extension went over its limit of output: 1 KiB (set in the manifest)
    err: hint: raise `max_output_kib` under [limits] in `~/.config/pds/extensions/hostile.toml`
    "#);
    limits("");
    insta::assert_snapshot!(env.run("extension call hostile recurse 100000000"), @r#"
    exit 7
    err: warning: `hostile` is quarantined: it failed 5 times in a row, last: the extension went over its limit of call stack: 512 KiB (fixed by sesame)
    err: error: the extension went over its limit of call stack: 512 KiB (fixed by sesame)
    "#);
    env.run("extension enable hostile").ok();
    env.write(".config/pds/config.toml", "[extensions.policy.limits]\nmax_fuel = 5_000\n");
    insta::assert_snapshot!(env.run("extension call hostile spin"), @r#"
    exit 7
    err: error: the extension went over its limit of fuel: 5,000 (set by policy in `~/.config/pds/config.toml`)
    err: hint: `max_fuel` in the policy `~/.config/pds/config.toml` is the highest value allowed
    "#);
}

/// A crash or an exit of the guest has an exit code and a message of its own.
#[test]
fn crash_and_exit_are_told_apart() {
    let env = with_guest("hostile", &HOSTILE);
    insta::assert_snapshot!(env.run("extension call hostile panic boom"), @"
    exit 7
    err: error: the extension crashed: wasm `unreachable` instruction executed
    err: the last lines of its stderr:
    err:   thread '<unnamed>' (1) panicked at hostile/src/lib.rs:60:9:
    err:   boom
    err:   note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
    err: hint: sesame extension logs hostile
    ");
    for code in [0, 2, 5, 6, 9, 101] {
        let run = env.run(&format!("extension call hostile exit {code}"));
        assert_eq!((run.code, run.text().as_str()), (1, ""), "{run}");
    }
    let logs = env.run("extension logs hostile").ok().text();
    assert!(
        logs.contains(" panic: ")
            && logs.contains("boom")
            && logs.contains(" exit: (the extension exited"),
        "{logs}"
    );
}

/// The output of a guest goes into its log, and to standard error with `--verbose`.
#[test]
fn guest_output_goes_to_its_log() {
    let env = with_guest("echo", &ECHO);
    insta::assert_snapshot!(env.run("-v extension call echo print hello"), @r#"
    exit 0
    err: hello
    err: hello
    "#);
    env.run_with(["extension", "call", "echo", "log-it", "a\u{1b}[2J"], b"").ok();
    let logs = env.run("extension logs echo -n 3").ok().text();
    assert_eq!(logs.lines().count(), 3);
    assert!(logs.lines().all(|line| line.contains(" log-it: [")), "{logs}");
}

#[test]
fn stats_show_the_limits() {
    let env = with_guest("greet", &GREETING);
    let run = env.run("extension call greet greet World --stats").ok();
    assert_eq!(run.text(), "Hello, World!\n");
    let lines: Vec<_> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 4, "{run}");
    assert_eq!(lines[3], "written: 0.0 MiB of 1,024 MiB (the default)");
    assert!(
        lines[0].starts_with("fuel: ") && lines[0].ends_with(" of 1,000,000,000 (the default)"),
        "{run}"
    );
    assert!(
        lines[1].ends_with(" MiB of 64 MiB (the default)")
            && lines[2].ends_with(" ms of 5,000 ms (the default)"),
        "{run}"
    );
}

/// An import without a grant stops the call before any code of the extension runs.
#[test]
fn ungranted_import_stops_the_call() {
    let env = with_guest("greet", &GREETING);
    env.run("extension revoke greet config-read").ok();
    insta::assert_snapshot!(env.run("extension call greet greet World"), @r#"
    exit 5
    err: error: the imports of `greet` are not satisfied
    err: `open-sesame:host/config-read@0.1.1` needs the capability `config-read`, which is not granted
    err: hint: sesame extension grant greet config-read
    "#);
    env.run("extension grant greet config-read").ok();
    env.write(".config/pds/config.toml", "[extensions.policy]\ndeny = [\"config-read\"]\n");
    insta::assert_snapshot!(env.run("extension call greet greet World"), @r#"
    exit 5
    err: error: policy denies `greet` the capability `config-read`, which it needs
    err: hint: `deny` in `~/.config/pds/config.toml` lists the denied capabilities
    "#);
    insta::assert_snapshot!(env.run("extension grant greet config-read"), @r#"
    exit 0
    out: already: policy denies `greet` config-read, which its manifest has
    err: warning: `greet` does not get config-read while policy in `~/.config/pds/config.toml` denies it
    "#);
}

#[test]
fn granted_settings_reach_extension() {
    let env = with_guest("greet", &GREETING);
    let path = manifest("greet");
    env.write(&path, env.read(&path) + "\n[config]\ngreeting.template = \"Servus, {}.\"\n");
    assert_eq!(env.run("extension call greet greet World").ok().text(), "Servus, World.\n");
}

/// A call opens no socket and starts no thread and no process.
#[test]
#[ignore = "needs strace"]
fn call_makes_no_socket_or_thread() {
    let env = with_guest("greet", &GREETING);
    env.run("extension call greet greet World").ok();
    let trace = env.path("trace");
    let mut command = std::process::Command::new("strace");
    command
        .args(["-f", "-qq", "-e", "trace=socket,connect,clone,clone3,fork,vfork,execve", "-o"])
        .arg(&trace);
    command.arg(env!("CARGO_BIN_EXE_sesame")).args([
        "extension",
        "call",
        "greet",
        "greet",
        "World",
    ]);
    command.env_clear().env("HOME", env.home()).env("PATH", "/usr/bin:/bin");
    env.finish(command, b"").ok();
    let seen = env.read("trace");
    assert_eq!(
        seen.lines().filter(|line| !line.contains("execve(")).collect::<Vec<_>>(),
        Vec::<&str>::new()
    );
    assert_eq!(seen.lines().count(), 1, "{seen}");
}

#[test]
fn missing_home_is_named() {
    let env = env();
    let mut command = env.command(["extension", "list"]);
    command.env_remove("HOME").env("HOME", "relative");
    let run = env.finish(command, b"");
    assert_ne!(run.code, 101, "{run}");
}

/// No exit code of a module is passed on as one of sesame's.
#[test]
fn module_exit_code_is_never_ours() {
    let module = wat::parse_str(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1) (func (export "f") (param i32) (call $exit (local.get 0))))"#,
    );
    let env = with_guest("quits", &module.expect("valid text"));
    for code in ["0", "1", "2", "3", "4", "5", "6", "8", "9", "101", "126", "130", "255", "-1"] {
        let run = env.run(&format!("extension call quits f -- {code}"));
        assert!([1, 7].contains(&run.code), "{code}: {run}");
    }
}
