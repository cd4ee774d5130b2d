//! State that older versions of sesame wrote. Each folder of tests/state is the home of a user of
//! the version that it is named after; tests/state/make writes them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use test_support::copy_directory;

use crate::support::{Run, TestEnv, env, manifest, root};

/// The versions whose state is read: the last two that were released.
const VERSIONS: [&str; 1] = ["0.1.0"];

fn states() -> PathBuf {
    root().join("tests/state")
}

/// Makes an environment with the state of a version.
fn user_of(version: &str) -> TestEnv {
    let env = env();
    copy_directory(&states().join(version), env.home(), &[]);
    // As sesame makes them: git keeps no permissions.
    let private = Command::new("chmod").args(["-R", "u=rwX,go="]).arg(env.home()).status();
    assert!(private.expect("chmod runs").success());
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
        insta::assert_snapshot!(run(&env, "list").ok(), @r#"
        exit 0
        out: crash	1.0.0	ghcr.io/my-org/crash:1.0.0@sha256:DIGEST	config-read	defaults	quarantined: it failed 5 times in a row, last: the extension crashed: wasm `unreachable` instruction executed
        out: greeting-extension	0.2.0	ghcr.io/my-org/greeting-extension:0.2.0@sha256:DIGEST	config-read	timeout_ms=20000	enabled
        "#);
        let info = run(&env, "info greeting-extension").ok().text();
        assert!(info.contains("signer       verified, signed by the key sha256:"), "{info}");
        assert!(info.contains("may use      env=LANG, for "), "the timed grant lasts: {info}");
        assert!(info.contains("setting      greeting.template = Good day, {}!\n"), "{info}");
        assert!(info.contains("time 20,000 ms (set in the manifest)\n"), "{info}");
        insta::assert_snapshot!(run(&env, "extension history greeting-extension").ok(), @r#"
        exit 0
        out: 5	TIME	granted	0.2.0	ghcr.io/my-org/greeting-extension:0.2.0@sha256:DIGEST	verified, signed by the key sha256:DIGEST	current
        out: 4	TIME	revoked	0.2.0	ghcr.io/my-org/greeting-extension:0.2.0@sha256:DIGEST	verified, signed by the key sha256:DIGEST	
        out: 3	TIME	updated	0.2.0	ghcr.io/my-org/greeting-extension:0.2.0@sha256:DIGEST	verified, signed by the key sha256:DIGEST	
        out: 2	TIME	settings changed	0.1.0	ghcr.io/my-org/greeting-extension:0.1.0@sha256:DIGEST	unsigned	
        out: 1	TIME	installed	0.1.0	ghcr.io/my-org/greeting-extension:0.1.0@sha256:DIGEST	unsigned
        "#);
        insta::assert_snapshot!(run(&env, "trust list").ok(), @r#"
        exit 0
        out: trusted	ghcr.io/my-org/greeting-extension	sha256:DIGEST		
        out: first	ghcr.io/my-org/crash	unsigned		TIME
        out: first	ghcr.io/my-org/greeting-extension	signed by the key sha256:DIGEST		TIME
        "#);
        let why = run(&env, "extension why greeting-extension").ok().text();
        assert!(why.contains("config-read: not granted"), "the refusal is remembered: {why}");
        let verified = run(&env, "extension activity verify").ok().text();
        assert_eq!(verified, "16 lines, each as it was written\n");
        let verified = run(&env, "extension verify").ok().text();
        assert_eq!(verified.matches("\tgood\t").count(), 2, "{verified}");
        let said = run(&env, "config validate").ok();
        assert!(said.stderr.is_empty() && said.text().matches(": good\n").count() == 3, "{said}");
    }
}

/// Extensions are called with their settings, and a quarantine holds until it is lifted.
#[test]
fn older_state_is_called() {
    for version in VERSIONS {
        let env = user_of(version);
        let greeted = run(&env, "call greeting-extension greet World").ok();
        assert_eq!(greeted.text(), "Good day, World!\n");
        let refused = run(&env, "call crash crash");
        assert!(refused.code == 5 && refused.stderr.contains("enable crash"), "{refused}");
        run(&env, "extension enable crash").ok();
        assert_eq!(run(&env, "call crash crash").code, 7);
        run(&env, "extension activity verify").ok();
    }
}

/// Changes continue the history, a rollback needs no network, and a removal leaves nothing but the
/// log and the pinned signers.
#[test]
fn older_state_is_changed() {
    for version in VERSIONS {
        let env = user_of(version);
        let edited = format!("# mine\n{}", env.read(&manifest("greeting-extension")));
        env.write(&manifest("greeting-extension"), edited);
        run(&env, "extension rollback greeting-extension 1").ok();
        let greeted = run(&env, "call greeting-extension greet World").ok();
        assert_eq!(greeted.text(), "Hello, World!\n");
        run(&env, "extension set greeting-extension limits.timeout_ms=9000").ok();
        let history = run(&env, "extension history greeting-extension").ok().text();
        assert_eq!(history.lines().count(), 8, "the edit is one of them: {history}");
        run(&env, "extension gc --keep 1").ok();
        run(&env, "remove greeting-extension crash --purge").ok();
        assert_eq!(run(&env, "list").ok().text(), "");
        assert_eq!(left(&env), ["activity", "first-use", "index.json", "oci-layout"]);
        run(&env, "extension activity verify").ok();
    }
}

/// Returns the names of the files and directories that are left of extensions. Compiled code, which
/// is deleted later, and the lock are left out.
fn left(env: &TestEnv) -> Vec<String> {
    let places = [".config/pds/extensions", ".local/state/pds/extensions"].map(|at| env.path(at));
    let name = |path: PathBuf| {
        let below = places.iter().find_map(|place| path.strip_prefix(place).ok())?;
        Some(below.components().next()?.as_os_str().to_string_lossy().into_owned())
    };
    let names: BTreeSet<_> = env.files().into_iter().filter_map(|(path, _)| name(path)).collect();
    names.into_iter().collect()
}
