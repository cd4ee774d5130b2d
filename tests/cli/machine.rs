//! What the machine does not let sesame do, and what the user is told about it.

use std::process::Command;

use test_support::Run;

use crate::support::{GREETING, TestEnv, env};

const MEMORY: &str = r#"(module (memory 1) (func (export "id") (param i32) (result i32) (local.get 0)))"#;

fn with_module() -> TestEnv {
    let env = env();
    env.write("work/mem.wasm", wat::parse_str(MEMORY).expect("valid"));
    env
}

/// Runs a line of `sesame` below limits of the shell.
fn with_limits(env: &TestEnv, limits: &str, line: &str) -> Run {
    let script = format!("ulimit {limits} && exec {} {line}", env!("CARGO_BIN_EXE_sesame"));
    let mut command = Command::new("bash");
    command.args(["-c", &script]).env_clear().env("HOME", env.home()).current_dir(env.path("work"));
    env.finish(command, b"")
}

/// Limits of the caller that are lower than those of the compiler hold, and are enough to compile.
#[test]
fn install_works_below_inherited_limits() {
    for limits in ["-v 2000000", "-t 200", "-Sv 2000000", "-St 100", "-v 4000000"] {
        let env = with_module();
        with_limits(&env, limits, "extension install ./mem.wasm").ok();
        assert_eq!(env.run("extension call mem id 5").ok().text(), "5\n", "{limits}");
    }
}

/// A call needs more address space than the limit lets it have: the extension is not at fault.
#[test]
fn small_address_space_is_named() {
    let env = with_module();
    env.run("extension install ./mem.wasm --quiet").ok();
    let run = with_limits(&env, "-v 4000000", "extension call mem id 5");
    assert_eq!(run.code, 9, "{run}");
    let words = "error: the address space of this process is limited to 3906 MiB (`ulimit -v`); a call of this extension needs ";
    assert!(run.stderr.starts_with(words), "{run}");
    for _ in 0..5 {
        assert_eq!(with_limits(&env, "-v 4000000", "extension call mem id 5").code, 9);
    }
    assert_eq!(env.run("extension call mem id 5").ok().text(), "5\n", "it is not quarantined");
}

/// The limit that the hint names is enough.
#[test]
fn named_address_space_is_enough() {
    let env = with_module();
    env.run("extension install ./mem.wasm --quiet").ok();
    let run = with_limits(&env, "-Sv 4000000", "extension call mem id 5");
    let needed = run.stderr.lines().find_map(|line| line.strip_prefix("hint: raise the limit: ulimit -v "));
    let needed = needed.unwrap_or_else(|| panic!("{run}"));
    assert_eq!(with_limits(&env, &format!("-v {needed}"), "extension call mem id 5").ok().text(), "5\n");
    let hard = with_limits(&env, "-v 4000000", "extension call mem id 5");
    assert!(
        hard.stderr.contains("hint: its hard limit is lower: start sesame where `ulimit -Hv` is at least "),
        "{hard}"
    );
}

/// Runs a script as root, in a mount namespace of its own.
fn in_namespace(env: &TestEnv, script: &str) -> Run {
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script, env!("CARGO_BIN_EXE_sesame")]);
    command.env_clear().env("HOME", env.home()).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    env.finish(command, b"")
}

#[test]
#[ignore = "needs root, for mounts"]
fn noexec_cache_is_named() {
    let env = env();
    env.write("work/greeting.wasm", &*GREETING);
    std::fs::create_dir(env.path(".cache")).expect("made");
    let on_noexec = |line: &str| {
        let mount = "mount -t tmpfs -o noexec,mode=700 tmpfs \"$HOME/.cache\" && cd \"$HOME/work\"";
        in_namespace(&env, &format!("{mount} && exec \"$0\" {line}"))
    };
    insta::assert_snapshot!(on_noexec("extension install ./greeting.wasm"), @r"
    exit 9
    err: error: `~/.cache/pds/extensions` is on a file system that is mounted `noexec`: compiled code cannot run from there
    err: hint: mount it without `noexec`, or set XDG_CACHE_HOME to a directory on another file system
    ");
    let doctor = on_noexec("doctor");
    assert_eq!(doctor.code, 9, "{doctor}");
    assert!(doctor.text().contains("is on a file system that is mounted `noexec`"), "{doctor}");
}
