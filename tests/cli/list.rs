//! `sesame extension list`

use crate::support::{GREETING, env, manifest, with_guest};

#[test]
fn an_empty_list_is_empty() {
    insta::assert_snapshot!(env().run("extension list"), @"exit 0");
}

#[test]
fn broken_manifest_is_one_row() {
    let env = with_guest("greet", &GREETING);
    env.write(&manifest("aaa-broken"), "[limits]\nmax_fuel = \"lots\"\n");
    env.write(
        &manifest("waiting"),
        "[extension]\noci = \"ghcr.io/my-org/waiting:1\"\n[limits]\nmax_fuel = 7\n",
    );
    env.write(&manifest("Not A Name"), "");
    insta::assert_snapshot!(env.run("extension list"), @r#"
    exit 0
    out: aaa-broken				defaults	broken: the manifest `~/.config/pds/extensions/aaa-broken.toml` is wrong: line 2, column 12: expected a whole number from 1 to 9,223,372,036,854,775,807, found "lots"
    out: greet	0.0.0	local/file/greet:0.0.0@sha256:DIGEST	config-read	defaults	enabled
    out: waiting		ghcr.io/my-org/waiting:1		max_fuel=7	not installed
    "#);
    insta::assert_snapshot!(env.run("extension call aaa-broken greet"), @r#"
    exit 9
    err: error: the manifest `~/.config/pds/extensions/aaa-broken.toml` is wrong: line 2, column 12: expected a whole number from 1 to 9,223,372,036,854,775,807, found "lots"
    err:   |
    err: 2 | max_fuel = "lots"
    err:   |            ^^^^^^
    err: hint: fix `~/.config/pds/extensions/aaa-broken.toml` in an editor
    "#);
    insta::assert_snapshot!(env.run("extension call waiting greet"), @r#"
    exit 3
    err: error: `waiting` has a manifest but is not installed
    err: hint: sesame extension install ghcr.io/my-org/waiting:1
    "#);
    assert_eq!(env.run("extension call greet greet World").ok().text(), "Hello, World!\n");
}

#[test]
fn json_list_is_complete() {
    let env = with_guest("greet", &GREETING);
    env.write(&manifest("broken"), "[");
    let object: serde_json::Value =
        serde_json::from_slice(&env.run("ext ls --json").ok().stdout).expect("JSON");
    assert_eq!(object["schema_version"], 1);
    assert_eq!(
        (&object["extensions"][0]["state"], &object["extensions"][1]["state"]),
        (&"broken".into(), &"enabled".into())
    );
    assert_eq!(object["extensions"][1]["capabilities"], serde_json::json!(["config-read"]));
    assert!(
        object["extensions"][1]["reference"]
            .as_str()
            .is_some_and(|text| text.starts_with("local/file/greet:0.0.0@sha256:"))
    );
}

#[test]
fn terminal_shows_a_table() {
    let env = with_guest("greet", &GREETING);
    let mut command = env.on_terminal("extension list");
    // Without `TERM` nothing says that the terminal has colours.
    command.env_remove("NO_COLOR");
    let run = env.finish(command, b"").ok();
    let text = run.text();
    assert!(
        text.contains("CAPABILITIES") && text.contains('─') && text.contains("greet"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

/// On a terminal of 60 columns no line is wider; colours and the width come from the terminal.
#[test]
fn narrow_terminal_has_narrow_table() {
    let env = with_guest("greet", &GREETING);
    let shown = |columns: u16, colour: &str| {
        let sesame = env!("CARGO_BIN_EXE_sesame");
        let line = format!("stty cols {columns}; {colour} {sesame} list");
        let mut command = env.shell_on_terminal(&line);
        command.env("TERM", "xterm-256color").env_remove("NO_COLOR");
        env.finish(command, b"").ok().text()
    };
    let narrow = shown(60, "NO_COLOR=1");
    assert!(narrow.lines().all(|line| line.trim_end().chars().count() <= 60), "{narrow}");
    assert!(narrow.contains("NAME") && narrow.contains("enabled"), "{narrow}");
    assert!(!narrow.contains('\u{1b}'), "{narrow:?}");
    assert!(shown(120, "").contains("\u{1b}["), "colours are on a terminal");
    assert!(!shown(120, "CLICOLOR=0").contains('\u{1b}'));
}

/// A script takes the names alone, or the columns that it asks for.
#[test]
fn output_is_chosen() {
    let env = with_guest("greet", &GREETING);
    assert_eq!(env.run("list -o name").ok().text(), "greet\n");
    assert_eq!(env.run("list --columns state,NAME").ok().text(), "enabled\tgreet\n");
    assert!(env.run("list --output table").ok().text().starts_with("NAME "));
    let unknown = env.run("list --columns state,size");
    assert!(unknown.code == 2 && unknown.stderr.contains("capabilities"), "{unknown}");
    assert_eq!(env.run("--json list -o name").code, 2);
    let mut coloured = env.command(["list", "--columns", "state"]);
    coloured.env("CLICOLOR_FORCE", "1");
    assert_eq!(env.finish(coloured, b"").ok().text(), "\u{1b}[32menabled\u{1b}[0m\n");
}
