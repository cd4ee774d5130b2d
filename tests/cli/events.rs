//! Events: what an extension declares, what a user grants, and deliveries by hand.

use std::path::Path;

use extension_depot::serve::MemoryRegistry;
use test_support::{OnEvent, wakeable};

use crate::support::{Run, TestEnv, asking, env, manifest};

const DECLARED: &str = "[events.\"power.battery\"]\nbelow = 20\n[events.\"network.wifi\"]\n";

/// An environment with an extension that declares two events, one of them private.
fn low_battery(on_event: OnEvent) -> TestEnv {
    let env = env();
    env.write("work/low-battery.wasm", asking(&wakeable(1, on_event), DECLARED));
    env.run("extension install ./low-battery.wasm").ok();
    env
}

#[test]
fn event_is_granted_and_triggered() {
    let env = low_battery(OnEvent::Handles);
    let trigger = "extension trigger low-battery power.battery percent=10";
    insta::assert_snapshot!(env.run(trigger), @r#"
    exit 5
    err: error: `power.battery` does not wake it: not granted (~/.config/pds/extensions/low-battery.toml:6)
    err: hint: sesame extension grant low-battery events=power.battery
    "#);
    insta::assert_snapshot!(env.run("extension why low-battery"), @r#"
    exit 0
    out: TIME  events=power.battery: not granted (~/.config/pds/extensions/low-battery.toml:6)
    out:   allow it: sesame extension grant low-battery events=power.battery
    "#);
    let run = env.run("extension grant low-battery events=power.* events=network.*").ok();
    assert!(run.stderr.contains("does not cover `network.wifi`, which is private"), "{run}");
    insta::assert_snapshot!(env.run(trigger), @r#"
    exit 0
    out: `low-battery` handled `power.battery`
    "#);
    insta::assert_snapshot!(env.run("extension events low-battery --log"), @r#"
    exit 0
    out: power.battery  wakes it: when the charge of the battery begins to meet a condition
    out:   below 20 %
    out:   granted: events=power.* (~/.config/pds/extensions/low-battery.toml:7)
    out: network.wifi  refused: when the computer joins a wireless network, with its name
    out:   not granted: it is private, which `network.*` does not cover
    out:   allow it: sesame extension grant low-battery events=network.wifi
    out: TIME  power.battery  returned
    out: TIME  power.battery  refused: `power.battery` does not wake it: not granted (~/.config/pds/extensions/low-battery.toml:6)
    "#);
    let json = env.run("extension events low-battery --json").ok();
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json["events"][0]["state"], "wakes", "{json}");
    let activity = env.run("extension activity low-battery --json").ok();
    assert!(activity.text().contains("\"cause\":\"event:power.battery\""), "{activity}");
}

/// Watched files that are in no granted directory are named, with the grant that they need.
#[test]
fn unreadable_files_are_named() {
    let env = env();
    let declared = "[events.\"file.changed\"]\npaths = [\"~/notes\", \"~/my files\"]\n";
    env.write("work/notes.wasm", asking(&wakeable(1, OnEvent::Handles), declared));
    env.run("extension install ./notes.wasm").ok();
    env.run("extension grant notes events=file.changed").ok();
    let state = || {
        let json = env.run("extension events notes --json").ok();
        let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
        json["events"][0]["state"].as_str().map(str::to_owned)
    };
    assert_eq!(state().as_deref(), Some("refused"), "it can read none");
    std::fs::create_dir(env.path("notes")).expect("made");
    // As bash writes `~/notes` behind a colon.
    let notes = env.path("notes").display().to_string();
    env.run(&format!("extension grant notes filesystem=read:{notes}")).ok();
    insta::assert_snapshot!(env.run("extension events notes"), @r#"
    exit 0
    out: file.changed  wakes it: when a file changes in a directory that it may read
    out:   in ~/my files ~/notes
    out:   granted: events=file.changed (~/.config/pds/extensions/notes.toml:7)
    out:   not told of `~/my files`: not in a granted directory
    out:   allow it: sesame extension grant notes 'filesystem=read:~/my files'
    "#);
    assert_eq!(state().as_deref(), Some("wakes"));
}

#[test]
fn bad_trigger_is_a_usage_error() {
    let env = low_battery(OnEvent::Crashes);
    for (rest, said) in [
        ("power.batery", "the nearest is `power.battery`"),
        ("power.battery percent=high", "`percent` is a whole number"),
        ("power.battery charge=1", "it has `percent`, `charging`"),
        ("power.battery percent", "KEY=VALUE"),
        ("custom.", "does not name a topic"),
    ] {
        let run = env.run(&format!("extension trigger low-battery {rest}"));
        assert!(run.code == 2 && run.stderr.contains(said), "{run}");
    }
    for (grant, said) in [
        ("events=*", "would be every event"),
        ("events=power", "the nearest is `power.*`"),
        ("events=custom.", "is not a pattern of events"),
    ] {
        let run = env.run(&format!("extension grant low-battery {grant}"));
        assert!(run.code == 2 && run.stderr.contains(said), "{run}");
    }
}

/// What a handler returns or does decides the exit code, as in a call.
#[test]
fn handler_ends_as_a_call_does() {
    for (on_event, code, said) in [
        (OnEvent::Returns, 1, "returned an error for `power.battery`"),
        (OnEvent::Crashes, 7, "crashed"),
    ] {
        let env = low_battery(on_event);
        env.run("extension grant low-battery events=power.battery").ok();
        let run = env.run("extension trigger low-battery power.battery");
        assert!(run.code == code && run.stderr.contains(said), "{run}");
    }
}

/// A mistake in the tables warns with its line, and the extension is called all the same.
#[test]
fn misspelt_event_warns_with_line() {
    let env = low_battery(OnEvent::Handles);
    let path = manifest("low-battery");
    let text = env.read(&path) + "\n[events.\"power.batery\"]\nbelow = 5\n";
    env.write(&path, &text);
    let line = text.lines().position(|line| line.contains("batery")).expect("there") + 1;
    let run = env.run("extension call low-battery f").ok();
    let said = format!(
        "line {line}: unknown key `events.power.batery` does nothing; the nearest is `power.battery`"
    );
    assert!(run.stderr.contains(&said), "{run}");
    env.write(&path, text + "[events.\"time.every\"]\nevery = \"31d\"\n");
    let run = env.run("extension call low-battery f");
    assert!(run.code == 9 && run.stderr.contains("from `1s` to `30d`"), "{run}");
}

fn within(env: &TestEnv, directory: &Path, line: &str) -> Run {
    let mut command = env.command(line.split_whitespace());
    command.current_dir(directory);
    env.finish(command, b"")
}

/// A project whose built binary handles events, with these lines in its file.
fn project(env: &TestEnv, manifest: &str) -> std::path::PathBuf {
    let text = format!("[extension]\nname = \"mine\"\nversion = \"1.0.0\"\n{manifest}");
    env.write("work/mine/extension.toml", text);
    env.write("work/mine/dist/mine.wasm", wakeable(1, OnEvent::Returns));
    env.path("work/mine")
}

/// What belongs to the user is ignored with a warning, and refused where the author wants that.
#[test]
fn publish_refuses_keys_of_the_user() {
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    let table = "[events.\"power.battery\"]\nbelow = 20\nwhile_locked = true\n[service]\n";
    let directory = project(&env, table);
    let line = format!("extension publish {}/my-org/mine:1.0.0 --no-build", registry.host());
    let run = within(&env, &directory, &format!("{line} --strict"));
    let said =
        "`events.power.battery.while_locked` does nothing; it belongs to the manifest of the user";
    assert!(run.code == 2 && run.stderr.contains(said), "{run}");
    let run = within(&env, &directory, &line).ok();
    assert!(run.stderr.contains(said) && run.stderr.contains("`service`"), "{run}");
}

/// A case of a test file delivers an event with its values.
#[test]
fn test_case_delivers_an_event() {
    let env = env();
    let directory = project(&env, "[events.\"power.battery\"]\nbelow = 20\n");
    env.write(
        "work/mine/tests/cases.toml",
        "[[case]]\nname = \"delivered\"\nevent = \"power.battery\"\nvalues = { percent = 5, charging = false }\n\
         expect_error = \"power.battery\"\n[[case]]\nname = \"refused\"\nevent = \"custom.a\"\nexpect_denied = \"events=custom.a\"\n",
    );
    let run = within(&env, &directory, "extension test dist/mine.wasm").ok();
    assert!(run.text().contains("delivered") || run.stderr.contains("delivered"), "{run}");
    env.write(
        "work/mine/tests/cases.toml",
        "[[case]]\nname = \"wrong\"\nevent = \"power.battery\"\nvalues = { percnt = 5 }\n",
    );
    let run = within(&env, &directory, "extension test dist/mine.wasm");
    let said = format!("{}{}", run.text(), run.stderr);
    assert!(run.code == 1 && said.contains("it has `percent`, `charging`"), "{run}");
}

/// A pattern does not cover a private event, which both the grant and `info` say.
#[test]
fn uncovered_event_is_named() {
    let env = low_battery(OnEvent::Handles);
    let granted = env.run("extension grant low-battery events=network.*").ok();
    assert!(granted.stderr.contains("does not cover `network.wifi`"), "{granted}");
    let info = env.run("extension info low-battery").ok();
    let said = "may not use  events=network.wifi: it is private, and a pattern does not cover it";
    assert!(info.text().contains(said), "{info}");
    let json = env.run("extension info low-battery --json").ok();
    assert!(json.text().contains("\"uncovered_events\":[\"network.wifi\"]"), "{json}");
    env.run("extension grant low-battery events=network.wifi").ok();
    assert!(!env.run("extension info low-battery").text().contains("may not use  events"));
}
