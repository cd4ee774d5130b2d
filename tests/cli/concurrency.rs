//! Two hundred processes at once, a fifth of them killed.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use extension_depot::serve::MemoryRegistry;

use crate::support::{TestEnv, env, publish, small};

/// Enough for each kind of change to meet every other on each name.
const PROCESSES: usize = 200;
/// Few enough that ten processes meet at each name.
const NAMES: usize = 20;

/// Starts a registry with two versions of twenty extensions. They share one binary for each
/// version, which is compiled once.
fn registry() -> MemoryRegistry {
    let registry = MemoryRegistry::start().expect("a registry");
    for name in 0..NAMES {
        for version in [1, 2] {
            publish(&registry, &format!("my-org/e{name}:{version}.0.0"), &small(version), &[]);
        }
    }
    registry
}

fn install(registry: &MemoryRegistry, name: usize, version: u8) -> String {
    format!("extension install {}/my-org/e{name}:{version}.0.0 --quiet", registry.host())
}

fn start(env: &TestEnv, line: &str) -> Child {
    let mut command: Command = env.command(line.split_whitespace());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts")
}

/// Returns the command of one process: each name has each kind of change going on at once.
fn line(registry: &MemoryRegistry, number: usize) -> String {
    let name = number % NAMES;
    match number / NAMES % 5 {
        0 => format!("{} --allow-downgrade", install(registry, name, 1)),
        1 => format!("extension update e{name} --quiet"),
        2 => format!("extension call e{name} f"),
        3 => format!("extension remove e{name} --quiet"),
        _ => format!("extension verify e{name}"),
    }
}

/// Starts the crowd, and kills a fifth of it at different moments.
fn start_and_kill_some(env: &TestEnv, lines: impl Iterator<Item = String>) -> Vec<(String, Child)> {
    let start_one = |(number, line): (usize, String)| {
        let mut child = start(env, &line);
        if number.is_multiple_of(5) {
            std::thread::sleep(Duration::from_millis(number as u64 % 13));
            let _ = child.kill();
        }
        (line, child)
    };
    lines.enumerate().map(start_one).collect()
}

/// Waits for all children. Returns unexpected outcomes of those that were not killed, and the
/// number of killed ones.
fn end(env: &TestEnv, children: Vec<(String, Child)>, allowed: &[i32]) -> (Vec<String>, usize) {
    let (mut bad, mut killed) = (Vec::new(), 0);
    for (line, child) in children {
        let output = child.wait_with_output().expect("it ends");
        if output.status.signal() == Some(SIGKILL) {
            killed += 1;
            continue;
        }
        let run = env.seen(output);
        if !allowed.contains(&run.code) {
            bad.push(format!("{line}: {run}"));
        }
    }
    (bad, killed)
}

const SIGKILL: i32 = 9;
/// Runs one crowd at a time, which is enough for any machine.
static CROWD: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    CROWD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the installed names, each with the result of a call.
fn installed(env: &TestEnv) -> BTreeSet<(String, String)> {
    let text = env.run("extension list --json").ok().text();
    let list: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let names = list["extensions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| entry["name"].as_str().expect("a name"));
    names
        .map(|name| (name.to_owned(), env.run(&format!("extension call {name} f")).ok().text()))
        .collect()
}

/// Returns files that only a running process may have.
fn debris(env: &TestEnv) -> Vec<PathBuf> {
    let paths = env.files().into_iter().map(|(path, _)| path);
    paths
        .filter(|path| {
            path.to_string_lossy().contains("/.staging/")
                || path.to_string_lossy().contains("/.new-")
        })
        .collect()
}

/// A crowd of commands, a fifth of them killed, leaves only published versions.
#[test]
fn killed_crowd_leaves_whole_versions() {
    let _alone = alone();
    let (env, registry) = (env(), registry());
    for name in 0..NAMES {
        env.run(&install(&registry, name, 1)).ok();
    }
    let lines = (0..PROCESSES).map(|number| line(&registry, number));
    let children = start_and_kill_some(&env, lines);
    // An extension that another process removed is not found, which is exit 3.
    let (bad, killed) = end(&env, children, &[0, 3]);
    assert!(bad.is_empty(), "{} of {PROCESSES}:\n{}", bad.len(), bad.join("\n"));
    assert!(killed >= 5, "{killed} were killed before they had ended");
    env.run("extension verify").ok();
    for (name, result) in installed(&env) {
        assert!(result == "1\n" || result == "2\n", "{name}: {result}");
    }
    for name in 0..NAMES {
        env.run(&install(&registry, name, 2)).ok();
    }
    env.run("extension gc").ok();
    assert_eq!(debris(&env), Vec::<PathBuf>::new());
    assert_eq!(installed(&env).len(), NAMES);
}

#[test]
fn many_installs_of_one_name_are_one() {
    let _alone = alone();
    let (env, registry) = (env(), registry());
    let line = install(&registry, 0, 1);
    let started = Instant::now();
    let children: Vec<_> = (0..PROCESSES).map(|_| (line.clone(), start(&env, &line))).collect();
    assert_eq!(end(&env, children, &[0]), (Vec::new(), 0));
    // A generous bound, since other tests run beside it.
    assert!(
        started.elapsed() < Duration::from_secs(180),
        "somebody waited for nothing: {:?}",
        started.elapsed()
    );
    env.run("extension verify").ok();
    assert_eq!(installed(&env), BTreeSet::from([("e0".to_owned(), "1\n".to_owned())]));
}

#[test]
fn many_names_install_at_once() {
    let _alone = alone();
    let (env, registry) = (env(), registry());
    let reference = format!("{}/my-org/e0:1.0.0", registry.host());
    let lines = (0..PROCESSES)
        .map(|number| format!("extension install {reference} --name n{number} --quiet"));
    let children: Vec<_> = lines.map(|line| (line.clone(), start(&env, &line))).collect();
    assert_eq!(end(&env, children, &[0]), (Vec::new(), 0));
    env.run("extension verify").ok();
    let list = env.run("extension list --json").ok().text();
    assert_eq!(list.matches("\"name\"").count(), PROCESSES);
}

/// Tells the readers that the writers are done or have panicked.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "counted by cargo xtask security-tests")]
fn readers_see_old_or_new() {
    let (env, registry) = (env(), registry());
    env.run(&install(&registry, 0, 1)).ok();
    env.run(&install(&registry, 0, 2)).ok();
    /// Enough that some reads fall into each step of a change.
    const READS: usize = 500;
    let done = AtomicBool::new(false);
    // The number of times that it found the one and the other.
    let read = |line: &str, expected: [&str; 2]| {
        let mut found = [0, 0];
        for _ in 0..READS {
            let run = env.run(line);
            let which = expected
                .iter()
                .position(|text| run.text().split_whitespace().any(|word| word == *text));
            assert_eq!(run.code, 0, "{line}: {run}");
            found[which.unwrap_or_else(|| panic!("{line}: {run}"))] += 1;
        }
        found
    };
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                env.run("extension rollback e0 --quiet").ok();
            }
        });
        let until_here = Done(&done);
        let lists = scope.spawn(|| read("extension list", ["1.0.0", "2.0.0"]));
        let calls = read("extension call e0 f", ["1", "2"]);
        let lists = lists.join().expect("no panic");
        drop(until_here);
        writer.join().expect("no panic");
        assert!(
            calls.into_iter().chain(lists).all(|times| times > READS / 10),
            "calls {calls:?}, lists {lists:?}"
        );
    });
    println!("cases: {}", 2 * READS);
}

#[test]
fn missing_file_is_not_damage() {
    insta::assert_snapshot!(env().run("extension verify nobody"), @r#"
    exit 3
    err: error: there is no extension `nobody`
    err: hint: sesame extension list
    "#);
}
