//! Killed at any moment, an installation is there or it is not.

use std::process::Stdio;
use std::time::Duration;

use crate::support::{env, registry};

#[test]
fn an_install_that_is_killed_leaves_the_old_or_the_new() {
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
        assert_eq!(env.run("extension call greeting-extension greet World").ok().text(), "Hello, World!\n");
        let staging = env.path(".config/pds/extensions/.staging");
        env.run("extension remove greeting-extension").ok();
        let left = std::fs::read_dir(staging).map_or(0, Iterator::count);
        assert_eq!(left, 0, "after {milliseconds} ms");
    }
}

#[test]
fn many_at_once_agree() {
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
    assert_eq!(env.run("extension call greeting-extension greet World").ok().text(), "Hello, World!\n");
}
