//! Kills each changing command at each call that changes a file, or lets that call fail. Afterwards
//! the old state or the new is there, the next command works, and no leftovers remain.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use extension_depot::serve::MemoryRegistry;

use crate::support::{Run, TestEnv, copy_of, env, publish, small};

/// The fate of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The whole tree of processes is killed at it.
    Kill,
    /// It fails with this error.
    Errno(i32),
}

impl Fault {
    fn errno(self) -> Option<i32> {
        match self {
            Self::Kill => None,
            Self::Errno(errno) => Some(errno),
        }
    }
}

/// The numbers of errors on Linux, in which the sweep's tool takes them.
const ENOSPC: i32 = 28;
const EIO: i32 = 5;
const EROFS: i32 = 30;
const EACCES: i32 = 13;
const EMFILE: i32 = 24;
const EDQUOT: i32 = 122;

/// Returns the faults to try: all of them only with `SESAME_SWEEP`, since that takes long.
fn faults() -> Vec<Fault> {
    let errors: &[i32] = match std::env::var_os("SESAME_SWEEP") {
        Some(_) => &[ENOSPC, EIO, EROFS, EACCES, EMFILE, EDQUOT],
        None => &[ENOSPC],
    };
    std::iter::once(Fault::Kill).chain(errors.iter().copied().map(Fault::Errno)).collect()
}

/// Returns the tool that is built from .ci/faults/killat.c.
fn killat() -> PathBuf {
    std::env::var_os("SESAME_KILLAT").expect("SESAME_KILLAT names the program").into()
}

/// The exit code of `killat` after the last call of the command.
const NO_SUCH_CALL: i32 = 200;
/// A bound above the number of calls of any command, so that a sweep ends.
const ENDLESS: usize = 2_000;

/// A command, and the lines that prepare its home.
struct Sweep<'a> {
    registry: Option<&'a MemoryRegistry>,
    prepare: &'a [&'a str],
    command: &'a str,
}

impl Sweep<'_> {
    fn line(&self, line: &str) -> Vec<String> {
        let registry = self.registry.map(MemoryRegistry::host).unwrap_or_default();
        line.replace("REGISTRY", &registry).split_whitespace().map(str::to_owned).collect()
    }

    fn run(&self, env: &TestEnv, line: &str) -> Run {
        env.run_with(self.line(line), b"secret\n")
    }

    fn prepared(&self) -> TestEnv {
        let env = env();
        for line in self.prepare {
            self.run(&env, line).ok();
        }
        env
    }

    fn with_fault(&self, env: &TestEnv, fault: Fault, at: usize) -> Run {
        let (at, error) = (at.to_string(), fault.errno().map(|errno| errno.to_string()));
        let mut words = vec!["-k", &at, "-l", "/dev/null"];
        words.extend(error.iter().flat_map(|error| ["-e", error]));
        self.within(env, &killat(), &[&words[..], &["--"]].concat())
    }

    /// Runs the command under another program with these words of its own.
    fn within(&self, env: &TestEnv, program: &Path, words: &[&str]) -> Run {
        let sesame = env.command(self.line(self.command));
        let mut command = Command::new(program);
        command.args(words).arg(sesame.get_program()).args(sesame.get_args());
        command.env_clear().env("HOME", env.home()).current_dir(env.path("work"));
        env.finish(command, b"secret\n")
    }

    /// Returns the calls of the command, in order.
    fn trace(&self, env: &TestEnv) -> Vec<Call> {
        let log = env.path("work/trace");
        self.within(env, &killat(), &["-l", log.to_str().expect("text"), "--"]).ok();
        let text = std::fs::read_to_string(log).expect("a trace");
        let calls = text.lines().filter_map(|line| {
            let mut words = line.splitn(4, ' ').skip(2);
            Some((words.next()?.to_owned(), PathBuf::from(words.next()?)))
        });
        calls.collect()
    }

    /// Sweeps over each call. Returns the number of calls, and the failures with their places.
    fn run_all(&self, fault: Fault) -> (usize, Vec<String>) {
        let (before, after) = (self.prepared(), self.prepared());
        self.run(&after, self.command).ok();
        let (old, new) = (state(&before), state(&after));
        let mut bad = Vec::new();
        for at in 1..ENDLESS {
            let env = copy_of(&before);
            let run = self.with_fault(&env, fault, at);
            if run.code == NO_SUCH_CALL {
                return (at - 1, bad);
            }
            let problem = self.check(&env, fault, &run, (&old, &new), &after);
            bad.extend(
                problem
                    .map(|problem| format!("{} {fault:?} at {at}: {problem}\n{run}", self.command)),
            );
        }
        panic!("`{}` never ends", self.command);
    }

    fn check(
        &self,
        env: &TestEnv,
        fault: Fault,
        run: &Run,
        states: (&str, &str),
        after: &TestEnv,
    ) -> Option<String> {
        let (old, new) = states;
        let found = state(env);
        if found != old && found != new {
            return Some(format!("it is neither old nor new:\n{found}\nold:\n{old}\nnew:\n{new}"));
        }
        if fault != Fault::Kill && ![0, 9].contains(&run.code) {
            return Some("it says something else than that a file cannot be written".to_owned());
        }
        let is_told = self.command.contains(" call ") && run.text() == UNAVAILABLE;
        if run.code == 0 && found != new && !is_told {
            return Some("it says that it is done, and it is not".to_owned());
        }
        let verified = env.run("extension verify");
        if verified.code != 0 {
            return Some(format!("`verify` finds damage: {verified}"));
        }
        // A second rollback goes forward again. Every other command can be repeated, and the
        // repetition finishes the first.
        if found != new || !self.command.contains("rollback") {
            let again = self.run(env, self.command);
            let found = state(env);
            if found != new {
                return Some(format!(
                    "the next try does not do it: {again}\nfound:\n{found}\nnew:\n{new}"
                ));
            }
        }
        env.run("extension gc").ok();
        let left: Vec<_> = debris(env).difference(&debris(after)).cloned().collect();
        (!left.is_empty()).then(|| format!("left lying about: {left:?}"))
    }
}

/// Returns a user's view of everything that is installed, granted and kept.
fn state(env: &TestEnv) -> String {
    let list = env.run("extension list");
    let calls = env.run("extension call x f");
    let logins = env.run("registry list");
    let kept =
        ["key", "other"].map(|key| env.run(&format!("extension storage x get {key}")).text());
    let manifest =
        std::fs::read_to_string(env.path(".config/pds/extensions/x.toml")).unwrap_or_default();
    let seen = format!(
        "{} {}{}{} {manifest} {kept:?}",
        list.code,
        list.text(),
        calls.text(),
        logins.text()
    );
    seen.replace(&env.home().display().to_string(), "~")
}

/// Returns the files that are there, without names that differ by chance and without caches.
fn debris(env: &TestEnv) -> BTreeSet<PathBuf> {
    let relative = |(path, _): (PathBuf, Vec<u8>)| {
        path.strip_prefix(env.home()).map(Path::to_owned).unwrap_or(path)
    };
    env.files().into_iter().map(relative).filter(|path| !is_by_chance(path)).collect()
}

/// Returns whether a name differs between runs: generations and removed manifests are numbered or
/// dated, and activity logs may be missing.
fn is_by_chance(path: &Path) -> bool {
    let text = path.to_string_lossy();
    ["/history/", "/removed/", ".cache/", "/activity", "/logs/", "work/"]
        .iter()
        .any(|part| text.contains(part))
}

/// Starts a registry with two versions of an extension.
fn registry() -> MemoryRegistry {
    let registry = MemoryRegistry::start().expect("a registry");
    publish(&registry, "my-org/x:1.0.0", &small(1), &[]);
    publish(&registry, "my-org/x:1.1.0", &small(2), &[]);
    let keeper = wat::parse_str(include_str!("../guests/storage.wat")).expect("valid");
    publish(&registry, "my-org/keeper:1.0.0", &keeper, &[]);
    registry
}

const INSTALL: &str = "extension install REGISTRY/my-org/x:1.0.0 --quiet";
const LOGIN: &str = "registry login REGISTRY --username me --password-stdin --store file --quiet";
const UPDATE: &str = "extension update x --quiet";
const KEEP: &str = "extension storage x set key --quiet";
/// The answer of the extension below where its storage cannot be used.
const UNAVAILABLE: &str = "3\n";
/// An extension that keeps what it is told.
const KEEPER: &str =
    "extension install REGISTRY/my-org/keeper:1.0.0 --name x --grant storage --quiet";

/// Killed at any call, or with that call failing, each command leaves the old state or the new.
#[test]
#[ignore = "needs SESAME_KILLAT, from .ci/faults"]
#[expect(clippy::print_stdout, reason = "a sweep is run for its numbers")]
fn each_failing_call_is_atomic() {
    let registry = registry();
    let sweeps: [(&[&str], &str); 17] = [
        (&[], INSTALL),
        (&[INSTALL], UPDATE),
        (&[INSTALL], "extension remove x --quiet"),
        (&[INSTALL, UPDATE], "extension rollback x --quiet"),
        (&[INSTALL], "extension grant x notification --quiet"),
        (&[INSTALL], "extension disable x --quiet"),
        (&[INSTALL, UPDATE], "extension gc --keep 1 --quiet"),
        (&[INSTALL], "extension sync --quiet"),
        (&[], LOGIN),
        (&[LOGIN], "registry logout REGISTRY --quiet"),
        (
            &[INSTALL, "extension grant x notification --quiet"],
            "extension revoke x notification --quiet",
        ),
        (&[INSTALL], "extension pin x --quiet"),
        (&[INSTALL], "extension remove x --purge --quiet"),
        (&[INSTALL, "extension disable x --quiet"], "extension enable x --quiet"),
        (&[INSTALL, KEEP], "extension storage x set other --quiet"),
        (&[INSTALL, KEEP], "extension storage x remove key --quiet"),
        (
            &[KEEPER, "extension storage x set other --quiet"],
            "extension call x set key new --quiet",
        ),
    ];
    let (mut points, mut bad) = (0, Vec::new());
    for (prepare, command) in sweeps {
        for fault in faults() {
            let (swept, found) =
                Sweep { registry: Some(&registry), prepare, command }.run_all(fault);
            println!("{command}: {fault:?}: {swept} points, {} bad", found.len());
            points += swept;
            bad.extend(found);
        }
    }
    println!("points {points}, bad {}", bad.len());
    println!("cases: {points}");
    assert!(bad.is_empty(), "{}", bad.join("\n\n"));
}

/// Where the service keeps its state.
const EVENTS: &str = ".local/state/pds/extensions/events";

/// A home whose service has crashed for the third time while an extension ran, as it is before the
/// next service begins.
fn after_crashes() -> TestEnv {
    let env = env();
    env.write("work/x.wasm", small(1));
    env.run("extension install ./x.wasm --quiet").ok();
    let manifest = env.read(".config/pds/extensions/x.toml");
    let pinned = manifest.split('@').nth(1).and_then(|rest| rest.split('"').next());
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("read");
    let boot = boot.trim();
    let uptime = std::fs::read_to_string("/proc/uptime").expect("read");
    let uptime: f64 = uptime.split(' ').next().expect("a number").parse().expect("a number");
    let moment = (uptime * 1_000.0) as u64;
    let crashes = serde_json::json!({
        "format_version": 1,
        "boot": boot,
        "extensions": { "x": { "pinned": pinned, "moments": [moment, moment] } },
    });
    env.write(&format!("{EVENTS}/crashes"), crashes.to_string());
    env.write(&format!("{EVENTS}/running"), format!("{boot:<64}\n{:<64}\n", "x"));
    env
}

/// Killed at any call, or with that call failing, the session service leaves state that the next one
/// reads, and nothing else.
#[test]
#[ignore = "needs SESAME_KILLAT, from .ci/faults"]
#[expect(clippy::print_stdout, reason = "a sweep is run for its numbers")]
fn service_state_is_whole() {
    const RUN: &str = "session run --idle-exit 1s --quiet";
    let sweep = Sweep { registry: None, prepare: &[], command: RUN };
    let before = after_crashes();
    let first = copy_of(&before).run(&RUN.replace(" --quiet", "")).ok();
    let mut points = 0;
    for fault in [Fault::Kill, Fault::Errno(ENOSPC)] {
        for at in 1..ENDLESS {
            let env = copy_of(&before);
            let run = sweep.with_fault(&env, fault, at);
            if run.code == NO_SUCH_CALL {
                break;
            }
            points += 1;
            assert!(fault == Fault::Kill || [0, 9].contains(&run.code), "{at}: {run}");
            // With its warnings.
            let again = env.run(&RUN.replace(" --quiet", "")).ok();
            assert!(again.stderr.lines().all(|it| first.stderr.contains(it)), "{at}: {again}");
            let listed = env.run("extension list").ok().text();
            assert!(listed.contains("enabled") || listed.contains("quarantined"), "{listed}");
            let files = std::fs::read_dir(env.path(EVENTS)).expect("a directory");
            let mut names: Vec<_> = files.flatten().map(|file| file.file_name()).collect();
            names.sort();
            assert_eq!(names, ["crashes", "running", "state"], "{fault:?} at {at}");
        }
    }
    println!("cases: {points}");
    assert!(points > 15, "{points}");
}

/// A home with an older installation of the service, or none, and a command that changes it.
struct ServiceSweep {
    before: TestEnv,
    after: TestEnv,
    command: &'static str,
}

/// What is in the two files that start the service, and in any other file beside them.
type ServiceFiles = BTreeMap<PathBuf, Vec<u8>>;

fn service_files(env: &TestEnv) -> ServiceFiles {
    let below = |(path, contents): (PathBuf, Vec<u8>)| {
        let path = path.strip_prefix(env.home()).map(Path::to_owned).unwrap_or(path);
        let is_there = path.starts_with(".config/systemd") || path.starts_with(".local/share");
        is_there.then_some((path, contents))
    };
    env.files().into_iter().filter_map(below).collect()
}

impl ServiceSweep {
    /// Prepares a home by this command, run as another program where there is one.
    fn new(prepared: Option<&Path>, command: &'static str) -> Self {
        let before = env();
        if let Some(programs) = prepared {
            let mut install = before.command(["session", "install", "--quiet"]);
            install.env("PATH", programs);
            before.finish(install, b"").ok();
        }
        let after = copy_of(&before);
        after.run(command).ok();
        Self { before, after, command }
    }

    /// Sweeps over each call. Returns the number of calls, and the failures with their places.
    fn run_all(&self, fault: Fault) -> (usize, Vec<String>) {
        let mut bad = Vec::new();
        for at in 1..ENDLESS {
            let env = copy_of(&self.before);
            let registry = None;
            let sweep = Sweep { registry, prepare: &[], command: self.command };
            let run = sweep.with_fault(&env, fault, at);
            if run.code == NO_SUCH_CALL {
                return (at - 1, bad);
            }
            let problem = self.check(&env, fault, &run);
            let place = |problem| format!("{} {fault:?} at {at}: {problem}\n{run}", self.command);
            bad.extend(problem.map(place));
        }
        panic!("`{}` never ends", self.command);
    }

    /// After an error both files are old or both are new. After a kill each is old or new, and a
    /// file beside them may be left, until the next run.
    fn check(&self, env: &TestEnv, fault: Fault, run: &Run) -> Option<String> {
        let (old, new) = (service_files(&self.before), service_files(&self.after));
        let found = service_files(env);
        let is_either = |path: &PathBuf| {
            let contents = found.get(path);
            contents == old.get(path) || contents == new.get(path)
        };
        let is_whole = match fault {
            Fault::Kill => old.keys().chain(new.keys()).all(is_either),
            Fault::Errno(_) => found == old || found == new,
        };
        let is_said = fault == Fault::Kill || [0, 9].contains(&run.code);
        if !is_whole || !is_said || (run.code == 0 && found != new) {
            return Some(format!("found {:?}", found.keys()));
        }
        let again = env.run(self.command);
        let found = service_files(env);
        (found != new)
            .then(|| format!("the next run does not finish it: {again}{:?}", found.keys()))
    }
}

/// Killed at any call, or with that call failing, `session install` leaves files that start a
/// service, and the next run finishes it.
#[test]
#[ignore = "needs SESAME_KILLAT, from .ci/faults"]
#[expect(clippy::print_stdout, reason = "a sweep is run for its numbers")]
fn service_files_are_old_or_new() {
    let programs = tempfile::tempdir().expect("a directory");
    let program = programs.path().join("sesame");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sesame"), program).expect("a link");
    const INSTALL: &str = "session install --quiet";
    let (mut points, mut bad) = (0, Vec::new());
    for sweep in [
        ServiceSweep::new(None, INSTALL),
        ServiceSweep::new(Some(programs.path()), INSTALL),
        ServiceSweep::new(Some(programs.path()), "session install --remove --quiet"),
    ] {
        for fault in faults() {
            let (swept, found) = sweep.run_all(fault);
            println!("{}: {fault:?}: {swept} points, {} bad", sweep.command, found.len());
            points += swept;
            bad.extend(found);
        }
    }
    println!("cases: {points}");
    assert!(points > 30 && bad.is_empty(), "{points}: {}", bad.join("\n\n"));
}

/// A call that changed a file: its name, and the file.
type Call = (String, PathBuf);

/// Returns the files that got their name before their contents were synced, or whose name was never
/// synced.
fn out_of_order(calls: &[Call]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (at, (call, path)) in calls.iter().enumerate() {
        // A cache can be rebuilt, and is checked before it is used.
        if !call.starts_with("rename") || path.to_string_lossy().contains("/.cache/") {
            continue;
        }
        let (before, after) = (&calls[..at], &calls[at + 1..]);
        let is_sync = |call: &str| call == "fsync" || call == "fdatasync";
        let last_write = before.iter().rposition(|(call, file)| call == "write" && file == path);
        let synced = before.iter().rposition(|(call, file)| is_sync(call) && file == path);
        if last_write.is_some() && synced < last_write {
            wrong.push(format!("{} is not synced before it is renamed", path.display()));
        }
        // The log has only the source of a rename. Each file here stays in its directory, except
        // for blobs.
        let directory =
            path.parent().filter(|directory| !directory.to_string_lossy().contains("/.staging/"));
        let blobs = |file: &Path| file.ends_with("blobs/sha256");
        let is_directory =
            |file: &Path| directory.map_or_else(|| blobs(file), |directory| directory == file);
        if !after.iter().any(|(call, file)| is_sync(call) && is_directory(file)) {
            wrong.push(format!("no directory is synced after {} is renamed", path.display()));
        }
    }
    wrong
}

/// Contents are synced before names, and blobs before manifests.
#[test]
#[ignore = "needs SESAME_KILLAT, from .ci/faults"]
#[expect(clippy::print_stdout, reason = "counted by cargo xtask security-tests")]
fn sync_order_is_kept() {
    let registry = registry();
    let sweeps: [(&[&str], &str); 6] = [
        (&[], INSTALL),
        (&[INSTALL], UPDATE),
        (&[INSTALL, UPDATE], "extension rollback x --quiet"),
        (&[INSTALL], "extension grant x notification --quiet"),
        (&[INSTALL], "extension remove x --quiet"),
        (&[], LOGIN),
    ];
    let mut renames = 0;
    for (prepare, command) in sweeps {
        let sweep = Sweep { registry: Some(&registry), prepare, command };
        let env = sweep.prepared();
        let calls = sweep.trace(&env);
        assert_eq!(out_of_order(&calls), Vec::<String>::new(), "{command}: {calls:#?}");
        renames += calls.iter().filter(|(call, _)| call.starts_with("rename")).count();
        let named = |part: &str| {
            calls.iter().rposition(|(call, path)| {
                call.starts_with("rename") && path.to_string_lossy().contains(part)
            })
        };
        let manifest = calls.iter().rposition(|(call, path)| {
            call.starts_with("rename")
                && path.parent().is_some_and(|directory| directory.ends_with("pds/extensions"))
        });
        if command == INSTALL || command == UPDATE {
            assert!(
                named("/.staging/") < manifest && named("/.staging/").is_some(),
                "{command}: {calls:#?}"
            );
        }
    }
    println!("cases: {renames}");
    assert!(renames > 10, "{renames}");
}

/// A lock that cannot be taken is an error, and nothing is written without it.
#[test]
#[ignore = "needs strace, which .ci/run installs"]
fn lock_failure_writes_nothing() {
    let registry = MemoryRegistry::start().expect("a registry");
    publish(&registry, "my-org/x:1.0.0", &small(1), &[]);
    for error in ["ENOLCK", "EOPNOTSUPP", "ENOSYS", "EINVAL", "EIO"] {
        for (prepare, command) in
            [(&[][..], INSTALL), (&[INSTALL][..], "extension disable x"), (&[][..], LOGIN)]
        {
            let sweep = Sweep { registry: Some(&registry), prepare, command };
            let env = sweep.prepared();
            let before = state(&env);
            let inject = format!("inject=flock:error={error}");
            let words = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=flock", "-e", &inject];
            let run = sweep.within(&env, Path::new("strace"), &words);
            assert_eq!(run.code, 9, "{error} {command}: {run}");
            assert_eq!(
                run.stderr.contains("its file system has no locks"),
                error != "EIO",
                "{error} {command}: {run}"
            );
            assert_eq!(state(&env), before, "{error} {command}");
        }
    }
}

/// Without locks `doctor` says so, and commands that only read or call still work.
#[test]
#[ignore = "needs strace, which .ci/run installs"]
fn missing_locks_are_diagnosed() {
    let registry = MemoryRegistry::start().expect("a registry");
    publish(&registry, "my-org/x:1.0.0", &small(1), &[]);
    let within = |command| {
        let sweep = Sweep { registry: Some(&registry), prepare: &[INSTALL], command };
        let words = [
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=flock",
            "-e",
            "inject=flock:error=ENOLCK",
        ];
        sweep.within(&sweep.prepared(), Path::new("strace"), &words)
    };
    let doctor = within("doctor");
    assert!(
        doctor
            .text()
            .contains("lock\tbad\tfile systems without locks, where nothing can be changed: "),
        "{doctor}"
    );
    assert_eq!(within("extension call x f").ok().text(), "1\n");
    assert!(within("extension list").ok().text().contains("1.0.0"));
}

/// A file system without modes and locks of its own still keeps compiled code.
#[test]
#[ignore = "needs strace, which .ci/run installs"]
fn code_is_kept_without_chmod() {
    for error in ["EPERM", "EOPNOTSUPP", "ENOSYS"] {
        let env = env();
        env.write("work/x.wasm", small(1));
        let inject = format!("inject=fchmod,chmod,fchmodat:error={error}");
        let words =
            ["-f", "-qq", "-o", "/dev/null", "-e", "trace=fchmod,chmod,fchmodat", "-e", &inject];
        let mut command = Command::new("strace");
        command.args(words).arg(env!("CARGO_BIN_EXE_sesame")).args([
            "extension",
            "install",
            "./x.wasm",
            "--name",
            "x",
        ]);
        command.env_clear().env("HOME", env.home()).current_dir(env.path("work"));
        let run = env.finish(command, b"");
        assert!(run.code == 0 && !run.stderr.contains("is not kept"), "{error}: {run}");
        let warm = env.run("-v extension call x f").ok();
        assert!(warm.text() == "1\n" && !warm.stderr.contains("compiling"), "{error}: {warm}");
    }
}

/// During a rename, other commands see the old state or wait.
#[test]
#[ignore = "needs strace, which .ci/run installs"]
fn rename_in_progress_is_atomic() {
    let registry = registry();
    let sweep =
        Sweep { registry: Some(&registry), prepare: &[INSTALL], command: "extension update x" };
    let env = sweep.prepared();
    let delays = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=rename,renameat,renameat2", "-e"];
    let inject = "inject=rename,renameat,renameat2:delay_enter=700000";
    let words = [&delays[..], &[inject]].concat();
    std::thread::scope(|scope| {
        let update = scope.spawn(|| sweep.within(&env, Path::new("strace"), &words));
        let mut seen = Vec::new();
        while !update.is_finished() {
            let list = env.run("extension list").ok().text();
            let said = env.run("extension call x f").ok().text();
            assert!(said == "1\n" || said == "2\n", "{said}");
            assert!(list.contains("\t1.0.0\t") || list.contains("\t1.1.0\t"), "{list}");
            seen.push(said);
        }
        update.join().expect("no panic").ok();
        assert!(
            seen.iter().any(|said| said == "1\n"),
            "it was looked at while it was updated: {seen:?}"
        );
        assert!(seen.is_sorted(), "what was new is not old again: {seen:?}");
    });
    // A command that changes something waits for the lock, and then finds the new state.
    let slow = Sweep { registry: Some(&registry), prepare: &[], command: "extension disable x" };
    // The lock names its owner.
    const LOCK: &str = ".local/state/pds/extensions/lock";
    let before = env.read(LOCK);
    std::thread::scope(|scope| {
        let disable = scope.spawn(|| slow.within(&env, Path::new("strace"), &words));
        let deadline = Instant::now() + Duration::from_secs(20);
        while env.read(LOCK) == before && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        env.run("extension enable x").ok();
        disable.join().expect("no panic").ok();
        env.run("extension verify").ok();
    });
    assert_eq!(env.run("extension call x f").text(), "2\n");
}

#[test]
#[ignore = "needs strace, which .ci/run installs"]
fn no_directory_without_openat2() {
    let env = env();
    env.write("read/note", "readable");
    env.write("work/probe.wasm", test_support::guest("probe"));
    env.run("extension install ./probe.wasm").ok();
    env.run("extension grant probe filesystem=write:~/read").ok();
    let open = |words: &[&str]| {
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .args(["extension", "call", "probe", "open"])
            .arg(env.path("read/note"))
            .arg("r");
        command.env_clear().env("HOME", env.home()).current_dir(env.path("work"));
        env.finish(command, b"")
    };
    let sesame = env!("CARGO_BIN_EXE_sesame");
    assert_eq!(open(&[sesame]).ok().text(), "DescriptorType::RegularFile: readable\n");
    for error in ["ENOSYS", "EPERM", "EINVAL"] {
        let inject = format!("inject=openat2:error={error}");
        let run = open(&[
            "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=openat2",
            "-e",
            &inject,
            sesame,
        ]);
        assert!(run.code == 9 && run.stderr.contains("cannot be opened"), "{error}: {run}");
        assert_eq!(run.stderr.contains("since 5.6"), error == "ENOSYS", "{error}: {run}");
    }
}

/// Runs a script in a home with so many KiB, or with so few files.
fn in_small_home(options: &str, script: &str) -> Run {
    let env = env();
    let home = env.path("small");
    std::fs::create_dir(&home).expect("made");
    let mut command = Command::new("unshare");
    let mounted = format!(
        "mount -t tmpfs -o mode=700,{options} t {0} && export HOME={0} && cd {0} && {script}",
        home.display()
    );
    command
        .args(["-m", "sh", "-c", &mounted])
        .env_clear()
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin");
    command.env("sesame", env!("CARGO_BIN_EXE_sesame"));
    env.finish(command, b"")
}

/// On a full disk, all of an extension is installed, or nothing.
#[test]
#[ignore = "needs root, to mount file systems that are too small"]
#[expect(clippy::print_stdout, reason = "counted by cargo xtask security-tests")]
fn full_disk_installs_all_or_nothing() {
    let registry = MemoryRegistry::start().expect("a registry");
    publish(&registry, "my-org/x:1.0.0", &small(1), &[]);
    // A megabyte without code, so that the compiler has nothing to do with it.
    let large =
        wat::parse_str(format!("(component (@custom \"ballast\" \"{}\"))", "x".repeat(1 << 20)))
            .expect("valid");
    publish(&registry, "my-org/large:1.0.0", &[small(1), large[8..].to_vec()].concat(), &[]);
    // Refused or done, the state is whole, and with room the command succeeds.
    let script = |of: &str| {
        let install = format!(
            "$sesame extension install {}/my-org/{of}:1.0.0 --name x --quiet",
            registry.host()
        );
        format!(
            "{install} >out 2>&1; code=$?; $sesame extension list >list; $sesame extension verify >/dev/null || echo damaged; \
             mount -o remount,size=16m,nr_inodes=1000 . && {install} >/dev/null && $sesame extension call x f; echo $code; cat out list"
        )
    };
    let sizes = (0..32).map(|step| ("x", format!("size={}k,nr_inodes=1000", 4 + 8 * step)));
    let large_sizes =
        (0..32).map(|step| ("large", format!("size={}k,nr_inodes=1000", 64 + 128 * step)));
    let counts = (2..40).step_by(2).map(|files| ("x", format!("size=16m,nr_inodes={files}")));
    let (mut refused, mut done) = (0, 0);
    for (of, options) in sizes.chain(large_sizes).chain(counts) {
        let run = in_small_home(&options, &script(of));
        let text = run.text();
        assert!(!text.contains("damaged") && !text.contains("panicked"), "{options}: {run}");
        let mut lines = text.lines();
        assert_eq!(
            lines.next(),
            Some("1"),
            "{options}: it can be called once there is room: {run}"
        );
        match lines.next() {
            Some("0") => done += 1,
            Some("9") => refused += 1,
            _ => panic!("{options}: {run}"),
        }
    }
    println!("cases: {}", refused + done);
    assert!(refused > 5 && done > 5, "{refused} refused, {done} done");
}

/// On a read-only disk each reading command works, and no command pretends to have written.
#[test]
#[ignore = "needs root, to mount a file system that cannot be written"]
fn read_only_disk_is_readable() {
    let registry = registry();
    let install = format!("extension install {}/my-org/x:1.0.0 --quiet", registry.host());
    let reads = [
        "extension list",
        "extension info x",
        "extension verify",
        "extension call x f",
        "extension history x",
        "doctor --offline",
    ];
    let writes = [
        install.as_str(),
        "extension update x",
        "extension disable x",
        "extension grant x notification",
        "extension remove x",
        LOGIN_LOCAL,
    ];
    let each = |lines: &[&str]| {
        lines
            .iter()
            .map(|line| format!("echo secret | $sesame {line} >said 2>&1; echo $?; "))
            .collect::<String>()
    };
    let script = format!(
        "$sesame {install} >/dev/null && $sesame extension call x f >/dev/null && mount -t tmpfs t ../work && \
         mount -o remount,ro . && cd ../work && {} {}",
        each(&reads),
        each(&writes)
    );
    let run = in_small_home("size=16m", &script);
    let text = run.text();
    let codes: Vec<_> = text.lines().collect();
    let (read, written) = codes.split_at(reads.len());
    // `doctor` names the problem: nothing can be written.
    assert!(
        read[..5].iter().all(|code| *code == "0") && ["0", "1"].contains(&read[5]),
        "{codes:?}: {run}"
    );
    // An install of the same version is not a change.
    assert!(written[1..].iter().all(|code| *code == "9"), "{codes:?}: {run}");
}

const LOGIN_LOCAL: &str =
    "registry login localhost:1 --username me --password-stdin --store file --no-verify";
