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
    out: aaa-broken				defaults	broken: the manifest `~/.config/pds/extensions/aaa-broken.toml` is wrong: line 2, column 12: invalid type: string "lots", expected a whole number from 1 to 9,223,372,036,854,775,807
    out: greet	0.0.0	local/file/greet:0.0.0@sha256:DIGEST	config-read	defaults	enabled
    out: waiting		ghcr.io/my-org/waiting:1		max_fuel=7	not installed
    "#);
    insta::assert_snapshot!(env.run("extension call aaa-broken greet"), @r#"
    exit 9
    err: error: the manifest `~/.config/pds/extensions/aaa-broken.toml` is wrong: line 2, column 12: invalid type: string "lots", expected a whole number from 1 to 9,223,372,036,854,775,807
    err:   |
    err: 2 | max_fuel = "lots"
    err:   |            ^^^^^^
    err: hint: mend `~/.config/pds/extensions/aaa-broken.toml` with an editor
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
    let mut command = std::process::Command::new("script");
    let line = format!("{} extension list", env!("CARGO_BIN_EXE_sesame"));
    command
        .args(["-qec", &line, "/dev/null"])
        .env_clear()
        .env("HOME", env.home())
        .env("PATH", "/usr/bin:/bin");
    let run = env.finish(command, b"").ok();
    let text = run.text();
    assert!(
        text.contains("CAPABILITIES") && text.contains('─') && text.contains("greet"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "{text:?}");
}
