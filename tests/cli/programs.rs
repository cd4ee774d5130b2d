//! `sesame extension run`: programs with arguments, the streams of the shell and an exit status of
//! their own; and the ends and output of failed calls.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{TestEnv, env, manifest, send};

/// The imports of the programs below, and room for one write.
const IMPORTS: &str = r#"
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_prestat_dir_name"
        (func $look (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 2)"#;

/// Copies standard input to standard output, then writes its arguments to standard error and exits
/// with 42.
const CAT: &str = r#"(func (export "_start")
    (loop $more
        (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 1000))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (i32.store (i32.const 4) (i32.load (i32.const 8)))
        (if (i32.load (i32.const 8)) (then
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br $more))))
    (drop (call $sizes (i32.const 0) (i32.const 4))) (drop (call $get (i32.const 16) (i32.const 4096)))
    (i32.store (i32.const 0) (i32.const 4096))
    (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $exit (i32.const 42)))"#;

/// Writes the same line forever.
const YES: &str = r#"(data (i32.const 64) "yes\n") (func (export "_start") (loop $more
    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 4))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br $more)))"#;

/// Writes twelve lines to standard error, the last of which a terminal would act on, and crashes.
const CRASH: &str = r#"(data (i32.const 64) "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\nhint: rm -r ~\nlast \1b[2J\n")
    (func (export "f")
    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 45))
    (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8))) unreachable)"#;

fn with_program(name: &str, body: &str) -> TestEnv {
    let env = env();
    env.write(
        &format!("work/{name}.wasm"),
        wat::parse_str(format!("(module {IMPORTS} {body})")).expect("valid"),
    );
    env.run(&format!("extension install ./{name}.wasm --quiet")).ok();
    env
}

/// A missing directory is named by the failure of a program, as by that of a call.
#[test]
fn run_names_missing_directory() {
    let looking = r#"(func (export "_start")
        (drop (call $look (i32.const 3) (i32.const 0) (i32.const 9))) unreachable)"#;
    let env = with_program("crashing", looking);
    env.run("extension grant crashing filesystem=read:~/later").ok();
    let run = env.run("run crashing");
    assert!(run.code == 7 && run.stderr.contains("`~/later` does not exist"), "{run}");
}

#[test]
fn run_passes_streams_and_status() {
    let env = with_program("cat", CAT);
    let input = b"\x1b[2J not text: \xff\n".repeat(500);
    let run =
        env.finish(env.command(["extension", "run", "cat", "a", "--", "-x", "--json"]), &input);
    assert_eq!((run.code, run.stdout == input), (42, true), "{run}");
    assert_eq!(run.stderr, "cat\0a\0-x\0--json\0");
    let activity = env.run("extension activity cat").ok();
    assert!(activity.text().contains("_start") && activity.text().contains("error"), "{activity}");
    insta::assert_snapshot!(env.run("extension run nothing"), @"
    exit 3
    err: error: there is no extension `nothing`
    err: hint: sesame extension list
    ");
}

/// The standard output of a program is its own with `--json` as well: why it did not start, or was
/// stopped, is an object on standard error.
#[test]
fn failure_beside_program_is_on_stderr() {
    let writes = r#"(data (i32.const 64) "yes\n") (func (export "_start")
        (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 4))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) unreachable)"#;
    let env = with_program("stops", writes);
    for (line, code, output) in [
        ("run stops --json", 7, "yes\n"),
        ("--json extension run stops", 7, "yes\n"),
        ("--json run nothing", 3, ""),
        ("--json extension exec nothing -- true", 3, ""),
    ] {
        let run = env.run(line);
        assert_eq!((run.code, run.text().as_str()), (code, output), "{line}: {run}");
        assert!(run.stderr.starts_with('{') && run.stderr.contains(r#""error":{"#), "{run}");
    }
}

#[test]
fn run_of_library_lists_functions() {
    let env = with_program("crash", CRASH);
    insta::assert_snapshot!(env.run("extension run crash"), @"
    exit 2
    err: error: the extension is not a program: it exports neither `wasi:cli/run` nor `_start`
    err: hint: see its functions: sesame extension info crash
    ");
}

/// A reader that closes the pipe ends the program, as the shell expects.
#[test]
fn closed_pipe_ends_run() {
    let env = with_program("yes", YES);
    let mut command = env.command(["extension", "run", "yes"]);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    let mut line = [0; 4];
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_exact(&mut line).expect("a line");
    drop(stdout);
    let status = child.wait().expect("ends");
    assert_eq!((&line, status.signal()), (b"yes\n", Some(Signal::PIPE.as_raw())));
}

/// A reader that stops reading delays nothing beyond the time limit of the call, not even the error
/// that it should read.
#[test]
fn stalled_reader_ends_run_in_time() {
    let env = with_program("yes", YES);
    let path = ".config/pds/extensions/yes.toml";
    let text = env.read(path) + "\n[limits]\ntimeout_ms = 1_000\nmax_fuel = 1_000_000_000_000\n";
    env.write(path, text);
    for is_shared in [false, true] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let mut command = env.command(["extension", "run", "yes"]);
        let stderr = if is_shared {
            Stdio::from(writer.try_clone().expect("a pipe"))
        } else {
            Stdio::piped()
        };
        let started = Instant::now();
        let child =
            command.stdin(Stdio::null()).stdout(writer).stderr(stderr).spawn().expect("runs");
        drop(command);
        let run = env.seen(child.wait_with_output().expect("ends"));
        assert_eq!(run.code, 7, "{run}");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert!(is_shared || run.stderr.contains("over its limit of time: 1,000 ms"), "{run}");
        drop(reader);
    }
}

/// Ctrl-C ends the program at once, and its call is logged.
#[test]
fn interrupt_ends_run() {
    let env = with_program("yes", YES);
    let mut child =
        env.command(["extension", "run", "yes"]).stdout(Stdio::piped()).spawn().expect("runs");
    let mut stdout = child.stdout.take().expect("a pipe");
    let mut some = [0; 4096];
    stdout.read_exact(&mut some).expect("it runs");
    let started = Instant::now();
    let reader = std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
    send(&child, Signal::INT);
    let status = child.wait().expect("ends");
    reader.join().expect("no panic").expect("read");
    assert_eq!(status.signal(), Some(Signal::INT.as_raw()));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let activity = env.run("extension activity yes").ok();
    assert!(activity.text().contains("cancelled"), "{activity}");
}

/// The last lines of standard error are shown as the reason, escaped and indented, so that none
/// looks like a line of sesame's.
#[test]
fn crash_shows_the_end_of_stderr() {
    let env = with_program("crash", CRASH);
    insta::assert_snapshot!(env.run("extension call crash f"), @r"
    exit 7
    err: error: the extension crashed: wasm `unreachable` instruction executed
    err: the last lines of its stderr:
    err:   3
    err:   4
    err:   5
    err:   6
    err:   7
    err:   8
    err:   9
    err:   10
    err:   hint: rm -r ~
    err:   last \u{1b}[2J
    err: hint: sesame extension logs crash
    ");
    let json = env.run("--json extension call crash f");
    assert!(json.text().contains("hint: rm -r ~") && !json.text().contains('\u{1b}'), "{json}");
}

/// Unread input does not block a program that ignores it.
#[test]
fn run_ignores_unread_input() {
    let env = with_program("quiet", r#"(func (export "_start"))"#);
    let mut command = env.command(["extension", "run", "quiet"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let _ = stdin.write_all(b"never read");
    assert!(child.wait().expect("ends").success());
    drop(stdin);
}

/// Each function looks for granted directories first, as the runtimes of languages do, and ends in
/// another way.
const LOOKING: &str = r#"(component
    (import "wasi:filesystem/types@0.2.0" (instance $types (export "descriptor" (type (sub resource)))))
    (alias export $types "descriptor" (type $descriptor))
    (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
        (alias outer 1 $descriptor (type $outer))
        (export "descriptor" (type $opened (eq $outer)))
        (type $directories (list (tuple (own $opened) string)))
        (export "get-directories" (func (result $directories)))))
    (core module $heap
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024))
    (core instance $heap (instantiate $heap))
    (core func $list (canon lower (func $preopens "get-directories")
        (memory (core memory $heap "memory")) (realloc (core func $heap "realloc"))))
    (core module $m
        (import "host" "list" (func $list (param i32)))
        (memory (export "memory") 1 4000)
        (data (i32.const 64) "\01\00\00\00\07\00\00\00")
        (func (export "crash") (call $list (i32.const 0)) unreachable)
        (func (export "grow") (call $list (i32.const 0))
            (loop $more (br_if $more (i32.ne (memory.grow (i32.const 100)) (i32.const -1)))) unreachable)
        (func (export "spin") (call $list (i32.const 0)) (loop $on (br $on)))
        (func (export "fail") (result i32) (call $list (i32.const 0)) i32.const 64))
    (core instance $i (instantiate $m (with "host" (instance (export "list" (func $list))))))
    (func (export "crash") (canon lift (core func $i "crash")))
    (func (export "grow") (canon lift (core func $i "grow")))
    (func (export "spin") (canon lift (core func $i "spin")))
    (func (export "fail") (result (result (error u32)))
        (canon lift (core func $i "fail") (memory (core memory $i "memory")))))"#;

/// A guest that looked whether there are directories asked for none: its end is told as what it is,
/// and nothing speaks of the file system.
#[test]
fn looking_for_directories_asks_for_none() {
    let env = env();
    env.write("work/looking.wasm", wat::parse_str(LOOKING).expect("valid"));
    env.run("extension install ./looking.wasm").ok();
    let ends = [
        ("fail", 1, "returned an error: 7"),
        ("crash", 7, "crashed"),
        ("grow", 7, "memory"),
        ("spin", 7, "fuel"),
    ];
    for (function, code, told) in ends {
        let run = env.run(&format!("extension call looking {function}"));
        assert!(run.code == code && run.stderr.contains(told), "{run}");
        assert!(!run.stderr.contains("filesystem"), "{run}");
    }
    let learned = env.run("extension call looking fail --learn");
    let case = "[[case]]\nname = \"denied\"\nfunction = \"fail\"\nexpect_denied = \"filesystem\"\n";
    env.write("work/tests/denied.toml", case);
    insta::assert_snapshot!(env.run("extension test ./looking.wasm"), @"
    exit 1
    out: tests/denied.toml
    out:   FAILED  denied
    out:           `filesystem` is not refused; refused is nothing
    out: 0 passed, 1 failed
    ");
    for run in [learned, env.run("extension activity --json"), env.run("extension why looking")] {
        assert!(!run.to_string().contains("filesystem"), "{run}");
    }
}

/// The same holds for the first version of WASI, and where the guest exits.
#[test]
fn looking_with_first_wasi_asks_for_none() {
    let ends = [("crashes", "unreachable", 7), ("exits", "(call $exit (i32.const 3))", 1)];
    for (name, end, code) in ends {
        let looking = format!(
            r#"(func (export "_start")
            (drop (call $look (i32.const 3) (i32.const 0) (i32.const 9))) {end})"#
        );
        let env = with_program(name, &looking);
        let runs = [env.run(&format!("call {name} _start")), env.run(&format!("run {name}"))];
        assert_eq!(runs[0].code, code, "{}", runs[0]);
        let learned = env.run(&format!("call {name} _start --learn"));
        let told = ["extension activity --json".to_owned(), format!("extension why {name}")];
        let told = told.map(|line| env.run(&line).ok());
        for run in runs.iter().chain([&learned]).chain(&told) {
            assert!(!run.to_string().contains("filesystem"), "{run}");
        }
    }
}

/// Asks for a secret that is not granted, and then goes over a limit, crashes or returns an error.
const REFUSED_FIRST: &str = r#"(component
    (type $variant (variant (case "denied" string) (case "not-found") (case "unavailable" string)
        (case "too-large" u64) (case "too-many") (case "other" string)))
    (import "open-sesame:host/types@0.1.1" (instance $types (export "error" (type (eq $variant)))))
    (alias export $types "error" (type $error))
    (import "open-sesame:host/secret-read@0.1.1" (instance $secrets
        (alias outer 1 $error (type $outer))
        (export "error" (type $error (eq $outer)))
        (export "get" (func (param "name" string) (result (result string (error $error)))))))
    (core module $libc (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096)))
    (core instance $libc (instantiate $libc))
    (core func $get (canon lower (func $secrets "get")
        (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
    (core module $m
        (import "libc" "memory" (memory 1))
        (import "host" "get" (func $get (param i32 i32 i32)))
        (data (i32.const 64) "token\01\00\00\00")
        (func $ask (call $get (i32.const 64) (i32.const 5) (i32.const 128)))
        (func (export "spin") (call $ask) (loop $on (br $on)))
        (func (export "crash") (call $ask) unreachable)
        (func (export "fail") (result i32) (call $ask) i32.const 1))
    (core instance $i (instantiate $m
        (with "libc" (instance $libc)) (with "host" (instance (export "get" (func $get))))))
    (func (export "spin") (canon lift (core func $i "spin")))
    (func (export "crash") (canon lift (core func $i "crash")))
    (func (export "fail") (result (result)) (canon lift (core func $i "fail"))))"#;

/// After a refusal of something that was asked for by name, a limit is still a limit, with the refusal
/// as a line below it; of a crash and an error the refusal is the likely cause.
#[test]
fn named_refusal_is_told_with_the_end() {
    let env = env();
    env.write("work/asks.wasm", wat::parse_str(REFUSED_FIRST).expect("valid"));
    env.run("extension install ./asks.wasm --grant secret-read=other").ok();
    insta::assert_snapshot!(env.run("call asks spin"), @r#"
    exit 7
    err: error: the extension went over its limit of fuel: 1,000,000,000 (the default)
    err: `asks` may not use secret-read=token: not granted (~/.config/pds/extensions/asks.toml:6)
    err: hint: raise `max_fuel` under [limits] in `~/.config/pds/extensions/asks.toml`
    "#);
    insta::assert_snapshot!(env.run("call asks crash"), @r#"
    exit 5
    err: error: the extension crashed: wasm `unreachable` instruction executed
    err: `asks` may not use secret-read=token: not granted (~/.config/pds/extensions/asks.toml:6)
    err: hint: sesame extension grant asks secret-read=token
    err: hint: sesame extension logs asks
    "#);
    insta::assert_snapshot!(env.run("call asks fail"), @r#"
    exit 5
    err: error: the extension returned an error
    err: `asks` may not use secret-read=token: not granted (~/.config/pds/extensions/asks.toml:6)
    err: hint: sesame extension grant asks secret-read=token
    "#);
}

/// Succeeds when it gets three arguments.
const COUNTS_ARGUMENTS: &str = r#"(component
    (import "wasi:cli/environment@0.2.0" (instance $environment
        (export "get-arguments" (func (result (list string))))))
    (core module $libc (memory (export "memory") 1)
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (global.get $next)
            (global.set $next (i32.and (i32.add (i32.add (global.get $next) (local.get 3)) (i32.const 7))
                (i32.const -8)))))
    (core instance $libc (instantiate $libc))
    (core func $arguments (canon lower (func $environment "get-arguments")
        (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
    (core module $m
        (import "libc" "memory" (memory 1))
        (import "host" "arguments" (func $arguments (param i32)))
        (func (export "run") (result i32)
            (call $arguments (i32.const 64))
            (i32.ne (i32.load (i32.const 68)) (i32.const 3))))
    (core instance $i (instantiate $m (with "libc" (instance $libc))
        (with "host" (instance (export "arguments" (func $arguments))))))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $r (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $r)))"#;

/// The program gets its name and its arguments, whether it is run or its function is called.
#[test]
fn called_program_gets_arguments() {
    let env = env();
    env.write("work/counts.wasm", wat::parse_str(COUNTS_ARGUMENTS).expect("valid"));
    env.run("extension install ./counts.wasm").ok();
    for (line, code) in [
        ("run counts one two", 0),
        ("run counts one", 1),
        ("call counts run one two", 0),
        ("call counts wasi:cli/run@0.2.0#run one two", 0),
        ("call counts run one", 1),
    ] {
        let run = env.run(line);
        assert_eq!(run.code, code, "{line}: {run}");
    }
}

/// On a terminal a program has the time of the person before it, and its output is escaped; elsewhere
/// it has that of a call, and its output is as it is.
#[test]
fn program_on_terminal_is_escaped_and_unhurried() {
    let env = with_program("cat", CAT);
    let started = |mut command: std::process::Command| {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("started");
        (child.stdin.take().expect("piped"), child)
    };
    let (input, child) = started(env.command(["run", "cat"]));
    let piped = env.seen(child.wait_with_output().expect("it ends"));
    drop(input);
    assert_eq!(piped.code, 7, "{piped}");
    let (mut input, child) = started(env.on_terminal("run cat"));
    // Longer than the deadline of a call.
    std::thread::sleep(Duration::from_secs(7));
    // With the end of a file, as a terminal has it.
    input.write_all(b"\x1b[2Jpayload\n\x04").expect("written");
    drop(input);
    let seen = env.seen(child.wait_with_output().expect("it ends"));
    assert_eq!(seen.code, 42, "{seen}");
    assert!(seen.text().contains("\\u{1b}[2Jpayload"), "{seen}");
}

/// A program ends by its exit status, also where its function is called: 0 is success, and no status
/// that a shell cannot see becomes 0.
#[test]
fn called_program_ends_by_its_status() {
    for (status, code, ran) in [(0, 0, 0), (3, 1, 3), (256, 1, 255), (-1, 1, 255)] {
        let body = format!(r#"(func (export "_start") (call $exit (i32.const {status})))"#);
        let env = with_program("ends", &body);
        let run = env.run("call ends _start");
        assert_eq!(run.code, code, "{run}");
        assert_eq!(run.stderr.contains(&format!("status {status} ")), status != 0, "{run}");
        assert_eq!(env.run("run ends").code, ran);
    }
}

/// A deadline of the manifest holds on a terminal as well.
#[test]
fn deadline_of_manifest_holds_on_terminal() {
    let env = with_program("cat", CAT);
    let path = manifest("cat");
    env.write(&path, env.read(&path) + "\n[limits]\ntimeout_ms = 500\n");
    let mut command = env.on_terminal("run cat");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("started");
    // The other side of the terminal stays open and silent.
    let input = child.stdin.take();
    let seen = env.seen(child.wait_with_output().expect("it ends"));
    drop(input);
    assert!(seen.code == 7 && seen.text().contains("500 ms (set in the manifest)"), "{seen}");
}

/// Ctrl-C ends a program that waits for input, and one that computes without a word.
#[test]
fn interrupt_ends_silent_programs() {
    const SPIN: &str = r#"(func (export "_start") (loop $on (br $on)))"#;
    for (name, body) in [("cat", CAT), ("spin", SPIN)] {
        let env = with_program(name, body);
        let mut command = env.command(["run", name]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("started");
        // It stays open: the end of a child closes it otherwise.
        let input = child.stdin.take();
        std::thread::sleep(Duration::from_millis(300));
        send(&child, Signal::INT);
        let begun = Instant::now();
        let status = child.wait().expect("it ends");
        drop(input);
        assert!(
            status.signal() == Some(Signal::INT.as_raw()) || status.code() == Some(7),
            "{name}: {status}"
        );
        assert!(
            name == "spin" || status.signal() == Some(Signal::INT.as_raw()),
            "{name}: {status}"
        );
        assert!(begun.elapsed() < Duration::from_secs(5), "{name}: {:?}", begun.elapsed());
    }
}
