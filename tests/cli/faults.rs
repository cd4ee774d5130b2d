//! Every command that changes something, killed or refused at each call by which it changes a file: afterwards the old or the
//! new is there, the next command works, and nothing is left lying about.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use extension_depot::serve::MemoryRegistry;

use crate::support::{Run, TestEnv, env, publish, small};

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The whole tree of processes is killed at it.
    Kill,
    /// It fails with this error.
    Errno(i32),
}

const ENOSPC: i32 = 28;
const EIO: i32 = 5;
const EROFS: i32 = 30;
const EACCES: i32 = 13;
const EMFILE: i32 = 24;
const EDQUOT: i32 = 122;

/// What is tried: all of it where `SESAME_SWEEP` says so, for it takes long.
fn faults() -> Vec<Fault> {
    let errors: &[i32] = match std::env::var_os("SESAME_SWEEP") {
        Some(_) => &[ENOSPC, EIO, EROFS, EACCES, EMFILE, EDQUOT],
        None => &[ENOSPC],
    };
    std::iter::once(Fault::Kill).chain(errors.iter().copied().map(Fault::Errno)).collect()
}

/// Built from .ci/faults/killat.c.
fn killat() -> PathBuf {
    std::env::var_os("SESAME_KILLAT").expect("SESAME_KILLAT names the program").into()
}

/// The exit code of `killat` when there was no such call any more.
const NO_SUCH_CALL: i32 = 200;
/// More calls than any command makes.
const ENDLESS: usize = 2_000;

/// A command, and what there is before it.
struct Sweep<'a> {
    registry: &'a MemoryRegistry,
    prepare: &'a [&'a str],
    command: &'a str,
}

impl Sweep<'_> {
    fn line(&self, line: &str) -> Vec<String> {
        line.replace("REGISTRY", &self.registry.host()).split_whitespace().map(str::to_owned).collect()
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
        let sesame = env.command(self.line(self.command));
        let mut command = Command::new(killat());
        command.args(["-k", &at.to_string(), "-l", "/dev/null"]);
        if let Fault::Errno(errno) = fault {
            command.args(["-e", &errno.to_string()]);
        }
        command.arg("--").arg(sesame.get_program()).args(sesame.get_args());
        command.env_clear().env("HOME", env.home()).current_dir(env.path("work"));
        env.finish(command, b"secret\n")
    }

    /// Sweeps over every call. Gives back how many there were, and what was wrong at which.
    fn run_all(&self, fault: Fault) -> (usize, Vec<String>) {
        let (before, after) = (self.prepared(), self.prepared());
        self.run(&after, self.command).ok();
        let (old, new) = (state(&before), state(&after));
        let mut bad = Vec::new();
        for at in 1..ENDLESS {
            let env = copy(&before);
            let run = self.with_fault(&env, fault, at);
            if run.code == NO_SUCH_CALL {
                return (at - 1, bad);
            }
            let problem = self.check(&env, fault, &run, (&old, &new), &after);
            bad.extend(problem.map(|problem| format!("{} {fault:?} at {at}: {problem}\n{run}", self.command)));
        }
        panic!("`{}` never ends", self.command);
    }

    fn check(&self, env: &TestEnv, fault: Fault, run: &Run, states: (&str, &str), after: &TestEnv) -> Option<String> {
        let (old, new) = states;
        let found = state(env);
        if found != old && found != new {
            return Some(format!("it is neither old nor new:\n{found}\nold:\n{old}\nnew:\n{new}"));
        }
        if fault != Fault::Kill && ![0, 9].contains(&run.code) {
            return Some("it says something else than that a file cannot be written".to_owned());
        }
        if run.code == 0 && found != new {
            return Some("it says that it is done, and it is not".to_owned());
        }
        let verified = env.run("extension verify");
        if verified.code != 0 {
            return Some(format!("`verify` finds damage: {verified}"));
        }
        // Going back twice is going forward; everything else can be said twice, and the second time finishes the first.
        if found != new || !self.command.contains("rollback") {
            let again = self.run(env, self.command);
            let found = state(env);
            if found != new {
                return Some(format!("the next try does not do it: {again}\nfound:\n{found}\nnew:\n{new}"));
            }
        }
        env.run("extension gc").ok();
        let left: Vec<_> = debris(env).difference(&debris(after)).cloned().collect();
        (!left.is_empty()).then(|| format!("left lying about: {left:?}"))
    }
}

/// What a user sees of everything that is installed, granted and kept.
fn state(env: &TestEnv) -> String {
    let list = env.run("extension list");
    let calls = env.run("extension call x f");
    let logins = env.run("registry list");
    let manifest = std::fs::read_to_string(env.path(".config/pds/extensions/x.toml")).unwrap_or_default();
    let seen = format!("{} {}{}{} {manifest}", list.code, list.text(), calls.text(), logins.text());
    seen.replace(&env.home().display().to_string(), "~")
}

/// The files that are there, without what names differ in by chance and what is only a cache.
fn debris(env: &TestEnv) -> BTreeSet<PathBuf> {
    let relative = |(path, _): (PathBuf, Vec<u8>)| path.strip_prefix(env.home()).map(Path::to_owned).unwrap_or(path);
    env.files().into_iter().map(relative).filter(|path| !is_by_chance(path)).collect()
}

/// Generations and removed manifests are numbered or dated, and logs of activity may or may not be there.
fn is_by_chance(path: &Path) -> bool {
    let text = path.to_string_lossy();
    ["/history/", "/removed/", ".cache/", "/activity", "/logs/", "work/"].iter().any(|part| text.contains(part))
}

fn copy(from: &TestEnv) -> TestEnv {
    let to = env();
    let copied = Command::new("cp").arg("-a").arg(from.home().join(".")).arg(to.home()).status();
    assert!(copied.expect("cp runs").success());
    // Compiled code is known by its inode, which a copy has not.
    let _ = std::fs::remove_dir_all(to.path(".cache"));
    to
}

const INSTALL: &str = "extension install REGISTRY/my-org/x:1.0.0 --quiet";
const UPDATE: &str = "extension update x --quiet";

#[test]
#[ignore = "needs SESAME_KILLAT, from .ci/faults"]
#[allow(clippy::print_stdout, reason = "the points and how many were bad are what a sweep is run for")]
fn whatever_call_fails_or_is_the_last_the_old_or_the_new_is_there() {
    let registry = MemoryRegistry::start().expect("a registry");
    publish(&registry, "my-org/x:1.0.0", &small(1), &[]);
    publish(&registry, "my-org/x:1.1.0", &small(2), &[]);
    let sweeps: [(&[&str], &str); 9] = [
        (&[], INSTALL),
        (&[INSTALL], UPDATE),
        (&[INSTALL], "extension remove x --quiet"),
        (&[INSTALL, UPDATE], "extension rollback x --quiet"),
        (&[INSTALL], "extension grant x notification --quiet"),
        (&[INSTALL], "extension disable x --quiet"),
        (&[INSTALL, UPDATE], "extension gc --keep 1 --quiet"),
        (&[INSTALL], "extension sync --quiet"),
        (&[], "registry login REGISTRY --username me --password-stdin --store file --quiet"),
    ];
    let (mut points, mut bad) = (0, Vec::new());
    for (prepare, command) in sweeps {
        for fault in faults() {
            let (swept, found) = Sweep { registry: &registry, prepare, command }.run_all(fault);
            println!("{command}: {fault:?}: {swept} points, {} bad", found.len());
            points += swept;
            bad.extend(found);
        }
    }
    println!("points {points}, bad {}", bad.len());
    assert!(bad.is_empty(), "{}", bad.join("\n\n"));
}
