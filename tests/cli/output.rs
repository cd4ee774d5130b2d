//! Output that nobody reads, and input that is no text.

use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use crate::support::{ECHO, GREETING, TestEnv, with_guest};

fn shell(env: &TestEnv, line: &str) -> test_support::Run {
    let mut command = Command::new("bash");
    command.args(["-c", line]).env_clear().env("HOME", env.home()).env("PATH", "/usr/bin:/bin");
    command.env("sesame", env!("CARGO_BIN_EXE_sesame")).stdin(Stdio::null());
    env.finish(command, b"")
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let env = with_guest("echo", &ECHO);
    let run = shell(&env, "set -o pipefail; $sesame extension info echo | head -1");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
}

#[test]
fn a_full_disk_is_exit_9_and_closed_streams_are_no_panic() {
    let env = with_guest("greet", &GREETING);
    let commands =
        ["extension list", "extension call greet greet x", "extension info greet", "--help", "--json extension list"];
    for command in commands {
        let full = shell(&env, &format!("$sesame {command} > /dev/full"));
        assert!(full.code == 9 || command == "--help", "{command}: {full}");
        for closed in [">&-", "2>&-", "<&-", ">&- 2>&- <&-"] {
            let run = shell(&env, &format!("$sesame {command} {closed}"));
            assert!(
                ![101, 134, 139].contains(&run.code) && !run.stderr.contains("panicked"),
                "{command} {closed}: {run}"
            );
        }
    }
    let run = shell(&env, "$sesame extension call nobody greet 2> /dev/full");
    assert_ne!(run.code, 101, "{run}");
}

#[test]
fn arguments_and_variables_that_are_no_text_are_no_panic() {
    let env = with_guest("echo", &ECHO);
    let bytes = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    let arguments = |function: &'static str| {
        [std::ffi::OsStr::new("extension"), "call".as_ref(), "echo".as_ref(), function.as_ref(), bytes]
    };
    let run = env.run_with(arguments("echo-string"), b"");
    assert_eq!(run.code, 2, "{run}");
    assert_eq!(env.run_with(arguments("echo-bytes"), b"").ok().stdout, b"\xff\xfe");
    let mut command = env.command(["extension", "list"]);
    command.env("SESAME_OFFLINE", bytes).env("XDG_CONFIG_HOME", "relative").env("http_proxy", bytes);
    env.finish(command, b"").ok();
}

#[test]
fn text_of_strangers_reaches_a_terminal_inert() {
    let env = with_guest("echo", &ECHO);
    let line =
        format!("{} extension call echo echo-string $'a\\e]52;c;cm0=\\ab\\u202ec'", env!("CARGO_BIN_EXE_sesame"));
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).env_clear();
    command.env("HOME", env.home()).env("PATH", "/usr/bin:/bin").env("SHELL", "/bin/bash").env("LC_ALL", "C.UTF-8");
    let run = env.finish(command, b"").ok();
    assert!(
        !run.text().contains(['\u{1b}', '\u{7}', '\u{202e}']) && run.text().contains(r"a\u{1b}]52"),
        "{:?}",
        run.text()
    );
}
