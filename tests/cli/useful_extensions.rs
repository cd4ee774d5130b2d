//! The extensions of `extensions/`: each is installed, called and refused, and explains itself.

use std::fs;
use std::path::PathBuf;

use extension_depot::serve::{MemoryRegistry, response};
use test_support::{copy_directory, guest};

use crate::languages::with_tools;
use crate::support::{TestEnv, asking, env, root};

/// The sources of an extension.
fn sources(name: &str) -> PathBuf {
    root().join("extensions").join(name)
}

/// Directories with the output of tools.
const MADE: [&str; 6] = ["node_modules", "dist", "build", "types", "bindings", "target"];

/// Builds and tests an extension, publishes it with its documentation, and installs it.
fn publish_and_install(env: &TestEnv, name: &str, grants: &str) {
    let directory = env.path("work").join(name);
    copy_directory(&sources(name), &directory, &MADE);
    let tested = with_tools(env, &directory, "extension test");
    assert!(tested.code == 0 && tested.text().ends_with(" 0 failed\n"), "{tested}");
    let registry = MemoryRegistry::start().expect("a registry");
    let reference = format!("{}/open-sesame/{name}:0.1.0", registry.host());
    with_tools(env, &directory, &format!("extension publish {reference} --docs docs")).ok();
    env.run(&format!("extension install {reference} {grants}")).ok();
    let page = env.run(&format!("extension docs {name}")).ok().text();
    assert!(page.contains("sesame call"), "{page}");
}

fn call(env: &TestEnv, line: &[&str]) -> String {
    env.run_with(["call"].iter().chain(line), b"").ok().text()
}

/// It is installed as its sources are built: with the requests of its `extension.toml`.
fn daily_note() -> TestEnv {
    let env = env();
    let manifest = fs::read_to_string(sources("daily-note").join("extension.toml")).expect("there");
    env.write("work/daily-note.wasm", asking(&guest("daily-note"), &manifest));
    env.run("extension install ./daily-note.wasm --grant-requested").ok();
    env
}

#[test]
fn daily_note_keeps_notes() {
    let env = daily_note();
    let missing = env.run("call daily-note today");
    assert!(missing.code == 1 && missing.stderr.contains("/Notes` does not exist"), "{missing}");
    fs::create_dir(env.path("Notes")).expect("made");
    env.run("extension set daily-note time=false heading=").ok();
    assert_eq!(call(&env, &["daily-note", "add", "Buy oat milk"]), "- Buy oat milk\n");
    assert_eq!(call(&env, &["daily-note", "today"]).trim_end(), "- Buy oat milk");
    let days = call(&env, &["daily-note", "days"]);
    let day = days.split('"').nth(1).expect("a day").to_owned();
    assert_eq!(env.read(&format!("Notes/{day}.md")), "- Buy oat milk\n");
    assert!(call(&env, &["daily-note", "search", "MILK"]).contains(&day));
    assert_eq!(call(&env, &["daily-note", "show", &day]).trim_end(), "- Buy oat milk");
    let listed = env.run("call daily-note");
    let search = "  search: func(text: string)";
    assert!(listed.code == 2 && listed.stderr.contains(search), "{listed}");
}

#[test]
fn daily_note_sees_one_directory() {
    let env = daily_note();
    fs::create_dir(env.path("Notes")).expect("made");
    env.run("extension revoke daily-note filesystem").ok();
    let refused = env.run("call daily-note add x");
    let grant = "sesame extension grant daily-note filesystem=write:~/Notes::/notes";
    assert!(refused.code == 1 && refused.stderr.contains(grant), "{refused}");
    env.run("extension grant daily-note filesystem=read:~/Notes::/notes").ok();
    let refused = env.run("call daily-note add x");
    assert!(refused.code == 5 && refused.stderr.contains("cannot write"), "{refused}");
    let grant = "hint: sesame extension grant daily-note 'filesystem=write:~/Notes::/notes'";
    assert!(refused.stderr.contains(grant), "{refused}");
    assert_eq!(fs::read_dir(env.path("Notes")).expect("read").count(), 0);
}

/// Each value that its author does not allow is refused with those that there are.
#[test]
fn daily_note_settings_are_checked() {
    let env = daily_note();
    let refused = env.run("extension set daily-note time=later");
    assert!(refused.code == 2 && refused.stderr.contains("`true` or `false`"), "{refused}");
    let listed = env.run("extension set daily-note --list").ok().text();
    for key in ["file", "heading", "time", "utc-offset"] {
        assert!(listed.lines().any(|line| line.split('\t').next() == Some(key)), "{listed}");
    }
}

/// Puts the built guest of an extension into its sources, and runs its own cases.
fn test_built(env: &TestEnv, name: &str) {
    let directory = env.path("work").join(name);
    copy_directory(&sources(name), &directory, &MADE);
    let manifest = fs::read_to_string(directory.join("extension.toml")).expect("there");
    env.write(&format!("work/{name}/built.wasm"), asking(&guest(name), &manifest));
    let mut command = env.command(["extension", "test", "built.wasm"]);
    command.current_dir(&directory);
    let tested = env.finish(command, b"").ok();
    assert!(tested.text().ends_with(" passed, 0 failed\n"), "{tested}");
}

#[test]
fn take_a_break_remembers_the_work() {
    let env = env();
    test_built(&env, "take-a-break");
    env.run("extension install take-a-break/built.wasm --name mine --grant-requested").ok();
    env.run("extension trigger mine time.every").ok();
    let since = env.run("extension storage mine get since").ok().text();
    assert!(since.trim().parse::<u64>().is_ok(), "{since}");
    env.run("extension trigger mine session.idle").ok();
    assert_eq!(env.run("extension storage mine get since").ok().text().trim(), "break");
}

/// It is woken where its user allows that.
#[test]
fn low_battery_is_woken() {
    let env = env();
    test_built(&env, "low-battery");
    env.run("extension install low-battery/built.wasm --name low-battery").ok();
    let trigger = "extension trigger low-battery power.battery percent=9";
    assert_eq!(env.run(trigger).code, 5);
    env.run("extension grant low-battery events=power.battery notification").ok();
    let events = env.run("extension events low-battery").ok().text();
    assert!(events.contains("below 20 %, not charging"), "{events}");
    // There is no desktop here, which only the handler finds out.
    let woken = env.run(trigger);
    assert!(woken.code == 1 && woken.stderr.contains("unavailable"), "{woken}");
}

#[test]
#[ignore = "needs npm and its registry"]
fn text_tools_are_called_and_run() {
    let env = env();
    publish_and_install(&env, "text-tools", "");
    assert_eq!(call(&env, &["text-tools", "change-case", "a big World", "kebab"]), "a-big-world\n");
    let digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(call(&env, &["text-tools", "sha256", "hello"]), format!("{digest}\n"));
    let program = |line: &str, input: &[u8]| {
        let words = format!("run text-tools -- {line}");
        env.run_with(words.split_whitespace(), input)
    };
    assert_eq!(program("sha256", b"hello").ok().text(), format!("{digest}\n"));
    assert_eq!(program("json", b"[1]").ok().text(), "[\n  1\n]\n");
    let bytes: Vec<_> = (0..=255).cycle().take(10_000).collect();
    let encoded = program("base64", &bytes).ok().stdout;
    assert_eq!(program("base64-decode", &encoded).ok().stdout, bytes);
    assert!(program("help", b"").ok().text().contains("base64-decode"));
    let wrong = program("json", b"[1");
    assert!(wrong.code == 1 && wrong.stderr.contains("text-tools: not JSON"), "{wrong}");
    assert_eq!(env.run("call text-tools decode-base64 ?").code, 1);
    // It asks for nothing, so there is nothing that it may use.
    assert!(!env.run("info text-tools").ok().text().contains("may use"));
}

#[test]
#[ignore = "needs componentize-py, from .ci/languages"]
fn weather_asks_where_it_may() {
    let env = env();
    publish_and_install(&env, "weather", "--grant config-read");
    let refused = env.run("call weather now");
    let grant = "sesame extension grant weather network=geocoding-api.open-meteo.com";
    assert!(refused.code == 5 && refused.stderr.contains(grant), "{refused}");

    let current =
        r#"{"current": {"temperature_2m": 3.4, "weather_code": 61, "wind_speed_10m": 4.1}}"#;
    let registry = MemoryRegistry::start_with(move |_| Some(response(200, &[], current)));
    let web = registry.expect("a server");
    let server = format!("http://{}", web.host());
    env.run(&format!("extension set weather place=Home forecast-api={server}")).ok();
    env.run("extension set weather latitude=59.9 longitude=10.7").ok();
    let refused = env.run("call weather now");
    let grant = format!("sesame extension grant weather network={server}");
    assert!(refused.code == 5 && refused.stderr.contains(&grant), "{refused}");
    env.run(&format!("extension grant weather network={server}")).ok();
    assert_eq!(call(&env, &["weather", "now"]), "Home: 3 °C, light rain, wind 4 m/s\n");
    let asked = web.seen().len();
    let offline = env.run("call weather now --offline");
    assert!(offline.code == 1 && offline.stderr.contains("cannot ask"), "{offline}");
    assert_eq!(web.seen().len(), asked, "the network was used");
    assert_eq!(env.run("extension set weather units=kelvin").code, 2);
}
