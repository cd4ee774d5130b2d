//! Restrictions of the machine, and their messages.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use test_support::Run;

use crate::support::{GREETING, TestEnv, desktop, env, manifest};

const MEMORY: &str =
    r#"(module (memory 1) (func (export "id") (param i32) (result i32) (local.get 0)))"#;

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

/// The caller's limits hold where they are lower than the compiler's, and are enough to compile.
#[test]
fn inherited_limits_allow_install() {
    for limits in ["-v 2000000", "-t 200", "-Sv 2000000", "-St 100", "-v 4000000"] {
        let env = with_module();
        with_limits(&env, limits, "extension install ./mem.wasm").ok();
        assert_eq!(env.run("extension call mem id 5").ok().text(), "5\n", "{limits}");
    }
}

/// A call that needs more address space than the limit allows is not the extension's fault.
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
    let needed =
        run.stderr.lines().find_map(|line| line.strip_prefix("hint: raise the limit: ulimit -v "));
    let needed = needed.unwrap_or_else(|| panic!("{run}"));
    assert_eq!(
        with_limits(&env, &format!("-v {needed}"), "extension call mem id 5").ok().text(),
        "5\n"
    );
    let hard = with_limits(&env, "-v 4000000", "extension call mem id 5");
    assert!(
        hard.stderr.contains(
            "hint: its hard limit is lower: start sesame where `ulimit -Hv` is at least "
        ),
        "{hard}"
    );
}

/// A limit of data, which counts what can be written to, is named where it is the one that is too low,
/// and the limit that the hint names is enough.
#[test]
fn small_data_limit_is_named() {
    let env = env();
    // Of 60 MiB, which the limit of an extension's memory allows.
    let wide =
        r#"(module (memory 960) (func (export "id") (param i32) (result i32) (local.get 0)))"#;
    env.write("work/wide.wasm", wat::parse_str(wide).expect("valid"));
    env.run("extension install ./wide.wasm --quiet").ok();
    let call = |limits: &str| with_limits(&env, limits, "extension call wide id 5");
    let run = call("-Sd 40000");
    let words = "error: the data of this process is limited to 39 MiB (`ulimit -d`); a call of this extension needs ";
    assert!(run.code == 9 && run.stderr.starts_with(words), "{run}");
    let needed =
        run.stderr.lines().find_map(|line| line.strip_prefix("hint: raise the limit: ulimit -d "));
    let needed = needed.unwrap_or_else(|| panic!("{run}"));
    assert_eq!(call(&format!("-d {needed}")).ok().text(), "5\n");
    let hard = call("-d 40000");
    assert!(hard.stderr.contains("start sesame where `ulimit -Hd` is at least "), "{hard}");
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

/// Where a service may not make memory executable, as with `MemoryDenyWriteExecute`, that is named by
/// calls, installs and `doctor` alike.
#[test]
#[ignore = "needs python3, from Debian"]
fn denied_executable_memory_is_named() {
    let env = with_module();
    env.run("extension install ./mem.wasm").ok();
    let denied = |words: &[&str]| {
        let mut command = Command::new("python3");
        // PR_SET_MDWE with PR_MDWE_REFUSE_EXEC_GAIN.
        let script = "import ctypes, os, sys\n\
                      assert ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0\n\
                      os.execv(sys.argv[1], sys.argv[1:])";
        command.args(["-c", script, env!("CARGO_BIN_EXE_sesame")]).args(words);
        command.env_clear().env("HOME", env.home()).current_dir(env.path("work"));
        env.finish(command, b"")
    };
    env.write("work/greeting.wasm", &*GREETING);
    insta::assert_snapshot!(denied(&["call", "mem", "id", "5"]), @r#"
    exit 9
    err: error: the system forbids this process to make memory executable
    err: caused by: Permission denied (os error 13)
    err: hint: take `MemoryDenyWriteExecute` (PR_SET_MDWE) out of the service that runs sesame, or, with SELinux, allow `execmem`: setsebool deny_execmem off
    "#);
    insta::assert_snapshot!(denied(&["install", "./greeting.wasm"]), @r#"
    exit 9
    err: error: the system forbids this process to make memory executable
    err: caused by: Permission denied (os error 13)
    err: hint: take `MemoryDenyWriteExecute` (PR_SET_MDWE) out of the service that runs sesame, or, with SELinux, allow `execmem`: setsebool deny_execmem off
    "#);
    let doctor = denied(&["doctor"]);
    assert!(doctor.code == 9 && doctor.text().contains("MemoryDenyWriteExecute"), "{doctor}");
}

/// Makes a module that takes a while to compile: some milliseconds for each function.
fn large_module(functions: usize) -> Vec<u8> {
    let body =
        "(local.set 0 (i64.mul (i64.add (local.get 0) (i64.const 7)) (local.get 0)))".repeat(400);
    let function = |number| {
        format!("(func (export \"f{number}\") (param i64) (result i64) {body} (local.get 0))")
    };
    let functions: String = (0..functions).map(function).collect();
    wat::parse_str(format!("(module {functions})")).expect("valid")
}

/// A compiler that reaches a limit of the caller's names it, in its unit and with the command that sets
/// it.
#[test]
fn compiler_limits_are_named() {
    let env = env();
    env.write("work/large.wasm", large_module(2_000));
    let install = |limits: &str| with_limits(&env, limits, "extension install ./large.wasm");
    insta::assert_snapshot!(install("-St 1"), @r#"
    exit 7
    err: error: compiling took more than 1 second of processor time (`ulimit -t`) and was stopped
    err: hint: raise the limit: ulimit -t 300
    "#);
    insta::assert_snapshot!(install("-v 200000"), @r#"
    exit 7
    err: error: compiling needs more than 195 MiB of memory (`ulimit -v`)
    err: hint: raise the limit: ulimit -v unlimited
    "#);
    insta::assert_snapshot!(install("-d 80000"), @r#"
    exit 7
    err: error: compiling needs more than 78 MiB of memory (`ulimit -d`)
    err: hint: raise the limit: ulimit -d unlimited
    "#);
    assert_eq!(env.run("extension list").text(), "");
}

/// Bytes become JSON without a value in memory for each of them, which would take thirty times their
/// size.
#[test]
fn bytes_in_json_need_little_memory() {
    let env = env();
    // 8 MiB at the second page.
    let many = r#"(module (memory (export "memory") 200)
        (func (export "f") (result i64) (i64.const 0x1000000800000)))"#;
    env.write("work/many.wasm", wat::parse_str(many).expect("valid"));
    env.run("extension install ./many.wasm --quiet").ok();
    let run = with_limits(&env, "-d 160000", "--json extension call many f --bytes");
    assert!(run.code == 0 && run.stdout.len() > 16 << 20, "{}", run.stderr);
}

/// A compiler that somebody kills is not taken for one that used up its time or memory.
#[test]
fn killed_compiler_is_named() {
    let env = env();
    env.write("work/large.wasm", large_module(400));
    let mut command = env.command(["install", "./large.wasm"]);
    let install = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let begun = Instant::now();
    let children = format!("/proc/{0}/task/{0}/children", install.id());
    let compiler = loop {
        let child = std::fs::read_to_string(&children).unwrap_or_default();
        if let Some(child) = child.split_whitespace().next().and_then(|it| it.parse().ok()) {
            break rustix::process::Pid::from_raw(child).expect("a process");
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "no compiler is started");
        std::thread::sleep(Duration::from_millis(1));
    };
    rustix::process::kill_process(compiler, rustix::process::Signal::KILL).expect("killed");
    let run = env.seen(install.wait_with_output().expect("it ends"));
    insta::assert_snapshot!(run, @r#"
    exit 9
    err: error: the compiler was killed from outside by signal 9: most likely the kernel's out-of-memory killer (`journalctl -k` says so), else a person or a supervisor
    err: hint: close other programs or raise the memory limit of this session, then try again
    "#);
    assert_eq!(env.run("extension list").text(), "");
}

/// A manifest that is a link, as managers of dotfiles make them, stays one: commands that would
/// edit it fail.
#[test]
fn linked_manifest_is_not_edited() {
    let env = with_module();
    env.run("extension install ./mem.wasm --quiet").ok();
    let (path, text) = (env.path(&manifest("mem")), env.read(&manifest("mem")));
    env.write("dotfiles/mem.toml", &text);
    for target in [env.path("dotfiles/mem.toml"), "../../../dotfiles/mem.toml".into()] {
        std::fs::remove_file(&path).expect("removed");
        symlink(target, &path).expect("a link");
        assert_eq!(env.run("extension call mem id 5").ok().text(), "5\n");
        for line in ["disable mem", "pin mem", "grant mem notification"] {
            let run = env.run(&format!("extension {line}"));
            assert!(
                run.code == 9 && run.stderr.contains("mem.toml` is a link to `"),
                "{line}: {run}"
            );
            assert!(path.is_symlink() && env.read("dotfiles/mem.toml") == text, "{line}");
        }
    }
    std::fs::remove_file(&path).expect("removed");
    symlink(env.path("dotfiles/mem.toml"), &path).expect("a link");
    let refused = env.run("extension disable mem");
    insta::assert_snapshot!(refused, @r"
    exit 9
    err: error: `~/.config/pds/extensions/mem.toml` is a link to `~/dotfiles/mem.toml`, and sesame does not write through links
    err: hint: put a copy in its place: cp --remove-destination '~/dotfiles/mem.toml' '~/.config/pds/extensions/mem.toml'
    ");
    env.run("extension remove mem").ok();
    assert!(
        !path.is_symlink() && env.read("dotfiles/mem.toml") == text,
        "what it leads to is not sesame's"
    );
    symlink("nowhere", &path).expect("a link");
    let refused = env.run("extension install ./mem.wasm");
    insta::assert_snapshot!(refused, @r"
    exit 9
    err: error: `~/.config/pds/extensions/mem.toml` is a link to `~/.config/pds/extensions/nowhere`, and sesame does not write through links
    err: hint: remove the link: rm '~/.config/pds/extensions/mem.toml'
    ");
    assert!(path.is_symlink());
}

/// Returns whether a holder of the clipboard from a test still runs.
fn has_holder(env: &TestEnv) -> bool {
    let home = env.home().to_string_lossy().into_owned();
    let of = |process: &std::path::Path, file: &str| {
        String::from_utf8_lossy(&std::fs::read(process.join(file)).unwrap_or_default()).into_owned()
    };
    let processes = std::fs::read_dir("/proc").expect("there").flatten().map(|entry| entry.path());
    processes.into_iter().any(|process| {
        of(&process, "cmdline").contains("hold-clipboard")
            && of(&process, "environ").contains(&home)
    })
}

fn assert_holder_ends(env: &TestEnv) {
    let started = Instant::now();
    while has_holder(env) {
        assert!(started.elapsed() < Duration::from_secs(3), "it is still there");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A compositor that accepts a connection and never answers delays neither a call nor the holder of
/// the clipboard.
#[test]
fn silent_compositor_ends_holder() {
    let env = desktop();
    env.make_runtime_directory();
    let _compositor = UnixListener::bind(env.path("run/wayland-9")).expect("listens");
    let text = env.read(&manifest("desktop"));
    env.write(&manifest("desktop"), format!("{text}\n[limits]\ntimeout_ms = 1_000\n"));
    let call = || {
        let mut command = env.command(["extension", "call", "desktop", "copy-text", "x"]);
        command.env("WAYLAND_DISPLAY", "wayland-9").env("XDG_RUNTIME_DIR", env.path("run"));
        command
    };
    let started = Instant::now();
    let run = env.finish(call(), b"");
    assert!(run.code == 7 && run.stderr.contains("over its limit of time: 1,000 ms"), "{run}");
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert_holder_ends(&env);

    let mut killed = call().stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("runs");
    let waiting = Instant::now();
    while !has_holder(&env) {
        assert!(waiting.elapsed() < Duration::from_secs(3), "there is a holder");
        std::thread::sleep(Duration::from_millis(5));
    }
    killed.kill().expect("killed");
    killed.wait().expect("ended");
    assert_holder_ends(&env);
}
