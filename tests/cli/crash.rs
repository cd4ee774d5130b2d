//! An install that is killed at any moment is complete or absent.

use std::process::Stdio;
use std::time::Duration;

use crate::support::{env, registry};

/// An install that is killed leaves the old version or the new one.
#[test]
fn killed_install_is_atomic() {
    let registry = registry();
    let reference = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    for milliseconds in [1, 5, 10, 20, 40, 80, 120, 160, 200, 300] {
        let env = env();
        let mut child = env
            .command(["extension", "install", &reference])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        std::thread::sleep(Duration::from_millis(milliseconds));
        child.kill().expect("killed");
        child.wait().expect("ended");
        env.run("extension list").ok();
        env.run("extension verify").ok();
        env.run(&format!("extension install {reference}")).ok();
        assert_eq!(
            env.run("extension call greeting-extension greet World").ok().text(),
            "Hello, World!\n"
        );
        let staging = env.path(".config/pds/extensions/.staging");
        env.run("extension remove greeting-extension").ok();
        let left = std::fs::read_dir(staging).map_or(0, Iterator::count);
        assert_eq!(left, 0, "after {milliseconds} ms");
    }
}

/// A signal at any moment leaves the old version or the new one.
#[test]
fn signalled_install_is_atomic() {
    let registry = registry();
    let reference = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    for (signal, number) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        for milliseconds in (0..20).map(|at| at * 8) {
            let env = env();
            let mut command = env.command(["extension", "install", &reference]);
            let mut child =
                command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
            std::thread::sleep(Duration::from_millis(milliseconds));
            let sent = std::process::Command::new("kill")
                .args(["-s", signal, &child.id().to_string()])
                .output();
            sent.expect("kill runs");
            let ended = child.wait().expect("ended");
            let code = ended.code().unwrap_or_else(|| {
                128 + std::os::unix::process::ExitStatusExt::signal(&ended).unwrap_or(0)
            });
            assert!([0, number].contains(&code), "{signal} after {milliseconds} ms: {ended}");
            env.run("extension list").ok();
            env.run("extension verify").ok();
            env.run(&format!("extension install {reference}")).ok();
            assert_eq!(
                env.run("extension call greeting-extension greet World").ok().text(),
                "Hello, World!\n"
            );
        }
    }
}

#[test]
fn parallel_installs_agree() {
    let (env, registry) = (env(), registry());
    let reference = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    let children: Vec<_> = (0..8)
        .map(|_| {
            env.command(["extension", "install", &reference])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("started")
        })
        .collect();
    for mut child in children {
        assert!(child.wait().expect("ended").success());
    }
    env.run("extension verify").ok();
    assert_eq!(env.run("extension list").ok().text().lines().count(), 1);
    assert_eq!(
        env.run("extension call greeting-extension greet World").ok().text(),
        "Hello, World!\n"
    );
}

/// Twenty first calls at once leave one file of compiled code.
#[test]
fn parallel_first_calls_share_a_file() {
    let env = crate::support::with_guest("greet", &crate::support::GREETING);
    std::fs::remove_dir_all(env.path(".cache")).expect("removed");
    let start = |_| {
        let mut command = env.command(["extension", "call", "greet", "greet", "World"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started")
    };
    let children: Vec<_> = (0..20).map(start).collect();
    for child in children {
        let run = env.seen(child.wait_with_output().expect("ended"));
        assert_eq!((run.code, run.text().as_str()), (0, "Hello, World!\n"), "{run}");
    }
    let files =
        std::fs::read_dir(env.path(".cache/pds/extensions")).expect("there").flatten().count();
    assert_eq!(files, 3, "the code, its stamp and the lock");
}

#[test]
fn readers_do_not_wait_for_writers() {
    let env = crate::support::with_guest("greet", &crate::support::GREETING);
    let lock = std::fs::File::open(env.path(".local/state/pds/extensions/lock")).expect("there");
    lock.lock().expect("free");
    for line in [
        "extension list",
        "extension call greet greet x",
        "extension info greet",
        "extension verify",
        "config show",
    ] {
        env.run(line).ok();
    }
    let mut waiting = env
        .command(["extension", "disable", "greet"])
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    std::thread::sleep(Duration::from_millis(300));
    assert!(waiting.try_wait().expect("asked").is_none(), "it waits for its turn");
    drop(lock);
    assert!(waiting.wait().expect("ended").success());
}
