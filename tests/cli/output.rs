//! Output without a reader, and input that is not text.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{ECHO, GREETING, TestEnv, with_guest};

fn shell(env: &TestEnv, line: &str) -> test_support::Run {
    let mut command = Command::new("bash");
    command.args(["-c", line]).env_clear().env("HOME", env.home()).env("PATH", "/usr/bin:/bin");
    command
        .env("sesame", env!("CARGO_BIN_EXE_sesame"))
        .current_dir(env.path("work"))
        .stdin(Stdio::null());
    env.finish(command, b"")
}

#[test]
fn closed_pipe_is_not_an_error() {
    let env = with_guest("echo", &ECHO);
    let run = shell(&env, "set -o pipefail; $sesame extension info echo | head -1");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
}

/// One line for each command, with its work without a network, a session or an answer.
const COMMANDS: [&str; 58] = [
    "--help",
    "--version",
    "extension list",
    "--json extension list",
    "extension call greet greet x",
    "--json extension call greet greet x",
    "extension call greet nothing",
    "extension info greet",
    "extension inspect greet",
    "extension inspect ./none.wasm",
    "extension install ./greet.wasm --name again",
    "extension install nowhere.invalid/a/b:1 --offline",
    "extension grant greet notification",
    "extension revoke greet notification",
    "extension why greet",
    "extension activity",
    "extension activity greet --json",
    "extension verify",
    "extension outdated --offline",
    "extension update --offline",
    "extension pin greet",
    "extension unpin greet",
    "extension history greet",
    "extension rollback greet",
    "extension disable greet",
    "extension enable greet",
    "extension gc --dry-run",
    "extension sync",
    "extension docs greet --offline",
    "extension exec greet -- true",
    "extension new began",
    "extension build",
    "extension test",
    "extension publish localhost:1/a/b:1 ./greet.wasm --dry-run",
    "extension sign localhost:1/a/b:1 --offline",
    "extension export greet --output out.tar",
    "extension import out.tar",
    "extension logs greet",
    "extension remove again",
    "workload validate greet --workload none.yaml",
    "workload default greet --workload none.yaml",
    "workload sync greet --workload none.yaml",
    "workload delete greet --workload none.yaml",
    "wasi download localhost:1/a/b:1 --offline",
    "wasi test ./greet.wasm",
    "wasi publish ./greet.wasm --tag localhost:1/a/b:1",
    "registry list",
    "registry login localhost:1 --username me --store file --password-stdin --no-verify",
    "registry logout localhost:1",
    "registry tags localhost:1/a/b --offline",
    "secret list greet",
    "trust list",
    "trust keygen key",
    "config show",
    "config validate",
    "doctor --offline",
    "completions bash",
    "man --help",
];

/// The fates of a command's streams.
const FATES: [&str; 9] = [
    "| head -1",
    "| true",
    "> /dev/full",
    "2> /dev/full",
    "&> /dev/full",
    ">&-",
    "2>&-",
    "<&-",
    ">&- 2>&- <&-",
];

/// Each command bears closed, full and endless standard streams.
#[test]
#[expect(clippy::print_stdout, reason = "counted by cargo xtask security-tests")]
fn odd_streams_break_no_command() {
    let env = with_guest("greet", &GREETING);
    for command in COMMANDS {
        for fate in FATES {
            let run = shell(&env, &format!("set -o pipefail; $sesame {command} {fate}"));
            assert!(
                ![101, 134, 139].contains(&run.code) && !run.stderr.contains("panicked"),
                "{command} {fate}: {run}"
            );
        }
    }
    println!("cases: {}", COMMANDS.len() * FATES.len());
}

/// Commands that write to standard output, and nothing to standard error.
const WRITERS: [&str; 12] = [
    "extension list",
    "extension list -o name",
    "extension list -o table",
    "extension call greet greet x",
    "extension info greet",
    "--json extension list",
    "--json extension call greet greet x",
    "--quiet completions bash",
    "schema list",
    "--help",
    "help install",
    "--version",
];

#[test]
fn a_full_disk_is_exit_9() {
    let env = with_guest("greet", &GREETING);
    for command in WRITERS.into_iter().chain(["completions bash"]) {
        let full = shell(&env, &format!("$sesame {command} > /dev/full"));
        assert_eq!(full.code, 9, "{command}: {full}");
        let told = "error: cannot write to standard output\ncaused by: No space left on device";
        assert!(full.stderr.contains(told), "{command}: {full}");
    }
    let unread = shell(&env, "set -o pipefail; $sesame schema list | true");
    assert_eq!((unread.code, unread.stderr.as_str()), (0, ""), "{unread}");
    let run = shell(&env, "$sesame extension call nobody greet 2> /dev/full");
    assert_ne!(run.code, 101, "{run}");
}

/// A closed standard output is an error where something is to be written, and no other file gets
/// its place.
#[test]
fn a_closed_stdout_is_told() {
    let env = with_guest("greet", &GREETING);
    for command in WRITERS {
        for closed in [">&-", ">&- <&-"] {
            let run = shell(&env, &format!("$sesame {command} {closed}"));
            assert_eq!(run.code, 9, "{command} {closed}: {run}");
            let told = "error: cannot write to standard output\ncaused by: Bad file descriptor";
            assert!(run.stderr.contains(told), "{command} {closed}: {run}");
        }
        // Output that is not wanted is not an error, however it is opened.
        let unwanted = shell(&env, &format!("$sesame {command} 1<> /dev/null"));
        assert_eq!((unwanted.code, unwanted.stderr.as_str()), (0, ""), "{command}: {unwanted}");
    }
    let silent = shell(&env, "$sesame extension activity nobody >&-");
    assert_eq!(silent.code, 0, "nothing is to be written: {silent}");
}

/// An unread result is given up after the time of the call.
#[test]
fn unread_result_ends_in_time() {
    let env = with_guest("echo", &ECHO);
    env.run("extension set echo limits.timeout_ms=500").ok();
    for json in [&[][..], &["--json"]] {
        let words = ["extension", "call", "echo", "echo-bytes", "-"];
        let mut command = env.command(json.iter().chain(&words));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let begun = Instant::now();
        let mut child = command.spawn().expect("sesame");
        let mut input = child.stdin.take().expect("stdin");
        input.write_all(&vec![b'x'; 1 << 20]).expect("read by sesame");
        drop(input);
        // The pipe stays open and is not read before the end.
        let unread = child.stdout.take();
        let ended = child.wait_with_output().expect("an end");
        assert!(begun.elapsed() < Duration::from_secs(20), "{json:?}: {:?}", begun.elapsed());
        assert_eq!(ended.status.code(), Some(7), "{json:?}: {ended:?}");
        let told = String::from_utf8_lossy(&ended.stderr);
        assert!(json.len() == 1 || told.contains("took nothing for"), "{told}");
        drop(unread);
    }
}

/// Arguments and variables that are not UTF-8 do not end in a panic.
#[test]
fn non_utf8_input_does_not_panic() {
    let env = with_guest("echo", &ECHO);
    let bytes = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    let arguments = |function: &'static str| {
        [
            std::ffi::OsStr::new("extension"),
            "call".as_ref(),
            "echo".as_ref(),
            function.as_ref(),
            bytes,
        ]
    };
    let run = env.run_with(arguments("echo-string"), b"");
    assert_eq!(run.code, 2, "{run}");
    assert_eq!(env.run_with(arguments("echo-bytes"), b"").ok().stdout, b"\xff\xfe");
    let mut command = env.command(["extension", "list"]);
    command
        .env("SESAME_OFFLINE", bytes)
        .env("XDG_CONFIG_HOME", "relative")
        .env("http_proxy", bytes);
    env.finish(command, b"").ok();
}

#[test]
fn untrusted_text_is_escaped() {
    let env = with_guest("echo", &ECHO);
    let line = "extension call echo echo-string $'a\\e]52;c;cm0=\\ab\\u202ec'";
    let run = env.finish(env.on_terminal(line), b"").ok();
    assert!(
        !run.text().contains(['\u{1b}', '\u{7}', '\u{202e}']) && run.text().contains(r"a\u{1b}]52"),
        "{:?}",
        run.text()
    );
}
