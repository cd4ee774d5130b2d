//! The consent screen on a terminal, and the outcome of each answer.

use std::process::Command;

use extension_depot::serve::MemoryRegistry;
use test_support::guest;

use crate::support::{Run, TestEnv, answering, answering_each, bare, env, manifest, publish};

/// Asks for two things that it needs, for one that no extension gets, and for something wide that
/// it works without.
const REQUESTS: &str = "[capabilities]\nnotification = true\nclipboard-write = true\n\
     filesystem = { read = [\"~\"] }\n\
     network = [{ host = \"*.example.com\", optional = true, reason = \"shows maps\" }]\n";
const CHOICES: &str = "[N]o:";

fn on_terminal(env: &TestEnv, line: &str) -> Command {
    let mut command = env.on_terminal(line);
    command.env("XDG_RUNTIME_DIR", env.path("run"));
    command
}

/// Answers the screen for an extension that asks for all three.
fn answered(answers: &[&str]) -> (TestEnv, Run) {
    let env = env();
    env.make_runtime_directory();
    env.write("work/asks.wasm", bare(1, REQUESTS));
    let run = answering(&env, on_terminal(&env, "extension install ./asks.wasm"), CHOICES, answers);
    (env, run)
}

fn granted(env: &TestEnv) -> String {
    let text = env.read(&manifest("asks"));
    text.split_once("[capabilities]").map(|(_, granted)| granted.to_owned()).unwrap_or_default()
}

/// The screen has everything that matters, before any question.
#[test]
fn screen_shows_everything() {
    let (_, run) = answered(&["n\n"]);
    let text = run.text();
    let screen = text.split(CHOICES).next().expect("a screen");
    for expected in [
        "asks 0.0.0",
        "source     ./asks.wasm",
        "digest     sha256:",
        "publisher  unknown: it is not signed; nothing came from there before",
        "change     first install",
        "it needs",
        "notification: show notifications, ten a minute at most",
        "it works without",
        "[! every host below this domain] (its author: \"shows maps\")",
        "it does not get",
        "filesystem=read:~: no extension gets it",
    ] {
        assert!(screen.contains(expected), "{expected}: {text}");
    }
    assert!(text.contains("[i]nstall with these, [c]hoose one by one, [s]ession only"), "{text}");
}

#[test]
fn install_grants_what_is_shown() {
    for yes in ["i\n", "INSTALL\n", "y\n"] {
        let (env, run) = answered(&[yes]);
        assert_eq!(run.code, 0, "{yes}: {run}");
        let granted = granted(&env);
        for all in ["notification = true", "clipboard-write = true", "*.example.com"] {
            assert!(granted.contains(all), "{yes}: {granted}");
        }
    }
}

#[test]
fn session_grants_end_with_it() {
    let (env, run) = answered(&["s\n"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(!granted(&env).contains("notification"), "{}", granted(&env));
    let timed = env.read("run/pds/grants/asks.toml");
    assert!(timed.contains("what = \"notification\"") && timed.contains("example.com"), "{timed}");
}

/// No, an empty line and the end of the input install nothing, and the latter two say so.
#[test]
fn no_installs_nothing() {
    for (answers, is_said) in [(&["n\n"][..], false), (&["\n"], true), (&[], true)] {
        let (env, run) = answered(answers);
        let text = run.text();
        assert_eq!(run.code, 5, "{text}");
        assert!(text.contains("`asks` is not installed"), "{text}");
        assert_eq!(text.contains("no answer is a no"), is_said, "{text}");
        assert!(!env.path(&manifest("asks")).exists());
    }
}

#[test]
fn unknown_answer_is_asked_again() {
    let (env, run) = answered(&["maybe\n", "v\n", "i\n"]);
    let text = run.text();
    assert_eq!(run.code, 0, "{text}");
    assert!(text.contains("`maybe` is not one of i, c, s, v and n"), "{text}");
    assert!(text.contains("identity   local/file/asks@sha256:"), "{text}");
    assert_eq!(text.matches("[v]iew details").count(), 3, "{text}");
    assert!(granted(&env).contains("notification = true"));
}

#[test]
fn each_request_can_be_chosen() {
    let (env, run) = answered(&["c\n", "a\n", "s\n", "n\n"]);
    assert_eq!(run.code, 0, "{run}");
    let granted = granted(&env);
    assert!(granted.contains("notification = true") && !granted.contains("example"), "{granted}");
    assert!(env.read("run/pds/grants/asks.toml").contains("clipboard-write"));
}

/// Whether a capability without a scope is allowed and how far are two questions, so that a `no` is
/// never the name of a scope.
#[test]
fn no_is_never_a_scope() {
    let install = "extension install ./asks.wasm --grant secret-write=token --grant notification \
         --grant clipboard-write --grant ipc-publish=greeting.*";
    for choice in ["i\n", "s\n", "c\n"] {
        let env = env();
        env.make_runtime_directory();
        env.write("work/asks.wasm", guest("desktop"));
        let command = on_terminal(&env, install);
        let dialogue = [(CHOICES, choice), ("Allow it at all? [y/N]", "n\n")];
        let run = answering_each(&env, command, &dialogue);
        assert!(run.code == 5 && !run.text().contains("how far, as in"), "{choice}: {run}");
        assert!(!env.path(&manifest("asks")).exists(), "{choice}: {run}");
        assert!(!env.path("run/pds/grants/asks.toml").exists(), "{choice}: {run}");
    }
}

/// A declined required permission ends the install, and is named.
#[test]
fn refused_need_installs_nothing() {
    let (env, run) = answered(&["c\n", "n\n", "a\n", "a\n"]);
    assert_eq!(run.code, 5, "{run}");
    let message = "`asks` needs `notification`, and is not installed without";
    assert!(run.text().contains(message), "{run}");
    assert!(!env.path(&manifest("asks")).exists());
}

/// An update shows only new requests, and stays at the installed version without a yes.
#[test]
fn update_shows_the_difference() {
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    env.make_runtime_directory();
    publish(&registry, "my-org/asks:1.0.0", &bare(1, "[capabilities]\nnotification = true\n"), &[]);
    let reference = format!("{}/my-org/asks:1.0.0", registry.host());
    env.run(&format!("extension install {reference} --grant-requested")).ok();
    let more = "[capabilities]\nnotification = true\nclipboard-write = true\n";
    publish(&registry, "my-org/asks:2.0.0", &bare(2, more), &[]);
    let update = || on_terminal(&env, "extension update asks");
    let refused = answering(&env, update(), CHOICES, &["n\n"]);
    let text = refused.text();
    let screen = text.split(CHOICES).next().expect("a screen");
    assert!(screen.contains("change     an upgrade from 1.0.0"), "{text}");
    let needs = screen.split("it needs").nth(1).expect("a list");
    assert!(needs.contains("clipboard-write") && !needs.contains("notification:"), "{text}");
    assert!(refused.code == 5 && text.contains("the installed version stays"), "{text}");
    assert!(env.read(&manifest("asks")).contains("version = \"1.0.0\""));
    assert_eq!(answering(&env, update(), CHOICES, &["i\n"]).code, 0);
    assert!(env.read(&manifest("asks")).contains("clipboard-write = true"));
}

/// Bundles and lists show the same screen.
#[test]
fn import_and_sync_show_the_screen() {
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    env.make_runtime_directory();
    publish(&registry, "my-org/asks:1.0.0", &bare(1, "[capabilities]\nnotification = true\n"), &[]);
    let reference = format!("{}/my-org/asks:1.0.0", registry.host());
    env.run(&format!("extension install {reference}")).ok();
    env.run("extension export asks --output asks.tar").ok();
    for line in ["extension import asks.tar", "extension sync list.toml"] {
        env.run("extension remove --purge asks").ok();
        env.write("work/list.toml", format!("[asks]\noci = \"{reference}\"\n"));
        let run = answering(&env, on_terminal(&env, line), CHOICES, &["i\n"]);
        assert!(run.code == 0 && run.text().contains("publisher  unknown"), "{line}: {run}");
        assert!(env.read(&manifest("asks")).contains("notification = true"), "{line}");
    }
}
