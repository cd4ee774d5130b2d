//! State that older versions of sesame wrote. Each folder of tests/state is the home of a user of
//! the version that it is named after; tests/state/make writes them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{Run, TestEnv, env, manifest};

/// The versions whose state is read: the last two that were released.
const VERSIONS: [&str; 1] = ["0.1.0"];

fn states() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/state")
}

/// Copies a directory as sesame makes it: git keeps no permissions.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    fs::set_permissions(to, Permissions::from_mode(0o700)).expect("ours");
    for entry in fs::read_dir(from).expect("readable").flatten() {
        let copied = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &copied);
        } else {
            fs::copy(entry.path(), &copied).expect("copied");
            fs::set_permissions(&copied, Permissions::from_mode(0o600)).expect("ours");
        }
    }
}

/// Makes an environment with the state of a version.
fn user_of(version: &str) -> TestEnv {
    let env = env();
    copy(&states().join(version), env.home());
    env
}

/// Runs a command in the login session in which the older version ran, without a network.
fn run(env: &TestEnv, line: &str) -> Run {
    let mut command = env.command(["--offline"].into_iter().chain(line.split_whitespace()));
    command.env("XDG_RUNTIME_DIR", env.path("run"));
    env.finish(command, b"")
}

/// Each version that is read has its state here, and nothing else is here.
#[test]
fn states_are_those_of_the_list() {
    let mut found: Vec<_> = fs::read_dir(states())
        .expect("readable")
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().expect("a version"))
        .collect();
    found.sort();
    assert_eq!(found, VERSIONS);
}

/// Grants, settings, generations, signers, the log and a quarantine are all understood.
#[test]
fn older_state_is_shown() {
    for version in VERSIONS {
        let env = user_of(version);
        insta::assert_snapshot!(run(&env, "list").ok(), @"");
        insta::assert_snapshot!(run(&env, "info greeting-extension").ok(), @"");
        insta::assert_snapshot!(run(&env, "extension history greeting-extension").ok(), @"");
        insta::assert_snapshot!(run(&env, "extension set greeting-extension").ok(), @"");
        insta::assert_snapshot!(run(&env, "trust list").ok(), @"");
        insta::assert_snapshot!(run(&env, "extension why greeting-extension").ok(), @"");
        insta::assert_snapshot!(run(&env, "extension activity verify").ok(), @"");
        insta::assert_snapshot!(run(&env, "extension verify").ok(), @"");
        let said = run(&env, "config validate").ok();
        assert!(said.stderr.is_empty(), "{said}");
    }
}

/// Extensions are called with their settings, and a quarantine holds until it is lifted.
#[test]
fn older_state_is_called() {
    for version in VERSIONS {
        let env = user_of(version);
        let greeted = run(&env, "call greeting-extension greet World").ok();
        assert_eq!(greeted.text(), "Good day, World!\n");
        insta::assert_snapshot!(run(&env, "call crash crash"), @"");
        run(&env, "extension enable crash").ok();
        assert_eq!(run(&env, "call crash crash").code, 7);
        run(&env, "extension activity verify").ok();
    }
}

/// Changes continue the history, a rollback needs no network, and a removal leaves nothing.
#[test]
fn older_state_is_changed() {
    for version in VERSIONS {
        let env = user_of(version);
        let edited = format!("# mine\n{}", env.read(&manifest("greeting-extension")));
        env.write(&manifest("greeting-extension"), edited);
        insta::assert_snapshot!(run(&env, "extension rollback greeting-extension 1"), @"");
        let greeted = run(&env, "call greeting-extension greet World").ok();
        assert_eq!(greeted.text(), "Hello, World!\n");
        run(&env, "extension set greeting-extension limits.timeout_ms=9000").ok();
        insta::assert_snapshot!(run(&env, "extension history greeting-extension").ok(), @"");
        run(&env, "extension gc --keep 1").ok();
        run(&env, "remove greeting-extension crash --purge").ok();
        assert_eq!(run(&env, "list").ok().text(), "");
        insta::assert_snapshot!(left(&env), @"");
    }
}

/// Returns the paths below the extensions' directories.
fn left(env: &TestEnv) -> String {
    let below = |(path, _): &(PathBuf, Vec<u8>)| {
        let path = path.strip_prefix(env.home()).expect("below").display().to_string();
        path.contains("extensions/").then_some(path)
    };
    env.files().iter().filter_map(below).collect::<Vec<_>>().join("\n")
}
