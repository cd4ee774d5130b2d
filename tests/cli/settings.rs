//! `set`, `unset` and `edit`

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::{GREETING, Run, TestEnv, asking, env, manifest, with_guest};

const SCHEMA: &str = r#"
[config.schema]
"greeting.template" = { description = "What is said", default = "Hello, {}!" }
days = { type = "integer", default = 3, description = "How many days" }
loud = { type = "boolean" }
units = { enum = ["metric", "imperial"], default = "metric", description = "Which units" }
"#;

fn declaring() -> TestEnv {
    with_guest("greeting", &asking(&GREETING, SCHEMA))
}

#[test]
fn set_keeps_what_the_user_wrote() {
    let env = declaring();
    let path = manifest("greeting");
    let mine = env.read(&path) + "\n[config] # mine\ndays = 3 # a few\n";
    env.write(&path, mine);
    insta::assert_snapshot!(env.run_with(["extension", "set", "greeting", "days=5", "greeting.template=Hi, {}!", "limits.max_fuel=2_000_000", "loud=true"], b""), @r#"
    exit 0
    out: `greeting` has days = 5
    out: `greeting` has greeting.template = Hi, {}!
    out: `greeting` has limits.max_fuel = 2000000
    out: `greeting` has loud = true
    "#);
    let text = env.read(&path);
    assert!(
        text.contains("[config] # mine\ndays = 5 # a few\n") && text.contains("loud = true"),
        "{text}"
    );
    assert!(text.contains("max_fuel = 2000000"), "{text}");
    assert_eq!(env.run("call greeting greet World").ok().text(), "Hi, World!\n");
    assert!(env.run("extension set greeting days=5").ok().text().starts_with("already: "));
    insta::assert_snapshot!(env.run("extension unset greeting loud limits.max_fuel loud"), @r#"
    exit 0
    out: loud of `greeting` is unset
    out: limits.max_fuel of `greeting` is unset
    out: loud of `greeting` is unset
    "#);
    assert!(env.run("extension history greeting").ok().text().contains("settings changed"));
}

#[test]
fn wrong_settings_are_refused() {
    let env = declaring();
    let before = env.read(&manifest("greeting"));
    insta::assert_snapshot!(env.run("extension set greeting days=many"), @r#"
    exit 2
    err: error: `days` is a whole number, and `many` is not
    err: hint: see its settings: sesame extension set greeting --list
    "#);
    for (setting, said) in [
        ("town=Oslo", "the settings are `days`, `greeting.template`, `loud`, `units`"),
        ("units=kelvin", "`units` is one of `metric`, `imperial`"),
        ("loud=yes", "`true` or `false`"),
        ("limits.max_fuel=lots", "`limits.max_fuel` is a whole number"),
        ("limits.fuel=1", "`limits.max_fuel`"),
        ("days", "`days=VALUE`"),
    ] {
        let run = env.run(&format!("extension set greeting loud=true {setting}"));
        assert!(run.code == 2 && run.stderr.contains(said), "{setting}: {run}");
    }
    assert_eq!(env.run("extension unset greeting town").code, 2);
    assert_eq!(env.read(&manifest("greeting")), before);
    assert_eq!(env.run("extension set missing a=b").code, 3);
    let env = with_guest("greeting", &GREETING);
    env.run("extension set greeting greeting.template=x").ok();
    let run = env.run("extension set greeting greeting=y");
    assert!(
        run.code == 2 && run.stderr.contains("take the setting `greeting.template` away"),
        "{run}"
    );
}

#[test]
fn settings_show_their_meaning() {
    let env = declaring();
    env.run("extension set greeting units=imperial limits.timeout_ms=2000").ok();
    insta::assert_snapshot!(env.run("extension set greeting --list"), @r#"
    exit 0
    out: days		integer	3	How many days
    out: greeting.template		string	Hello, {}!	What is said
    out: loud		boolean		
    out: units	imperial	metric|imperial	metric	Which units
    out: limits.max_memory_mib	64	integer		the default
    out: limits.max_fuel	1000000000	integer		the default
    out: limits.timeout_ms	2000	integer		set in the manifest
    out: limits.max_table_elements	20000	integer		the default
    out: limits.max_instances	64	integer		the default
    out: limits.max_output_kib	1024	integer		the default
    out: limits.max_transfer_mib	16	integer		the default
    out: limits.max_written_mib	1024	integer		the default
    "#);
    let json: serde_json::Value =
        serde_json::from_str(&env.run("--json extension set greeting").ok().text()).expect("JSON");
    assert_eq!(json["settings"][3]["declared"]["enum"][1], "imperial", "{json}");
    let info = env.run("info greeting").ok().text();
    assert!(
        info.contains("setting      units = imperial") && info.contains("(set in the manifest)"),
        "{info}"
    );
}

#[test]
fn setting_without_effect_is_named() {
    let env = with_guest("greeting", &GREETING);
    env.run("extension revoke greeting config-read").ok();
    let run = env.run("extension set greeting any.key=x").ok();
    assert!(run.stderr.contains("sesame extension grant greeting config-read=any.key"), "{run}");
    env.write(".config/pds/config.toml", "[extensions.policy.limits]\nmax_fuel = 1000\n");
    let run = env.run("extension set greeting limits.max_fuel=2000").ok();
    assert!(run.stderr.contains("`limits.max_fuel` stays at 1000 while policy"), "{run}");
}

/// A schema that contradicts itself is refused, like any other invalid request of an author.
#[test]
fn wrong_schema_is_not_installed() {
    let env = env();
    env.write(
        "work/x.wasm",
        asking(&GREETING, "[config.schema]\ndays = { type = \"integer\", default = \"x\" }\n"),
    );
    let run = env.run("install ./x.wasm");
    assert!(run.code == 1 && run.stderr.contains("`days` is a whole number"), "{run}");
}

/// Runs `edit` with a program as the editor.
fn edited(env: &TestEnv, script: &str) -> Run {
    let editor = env.write("editor", format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).expect("executable");
    let mut command: Command = env.command(["extension", "edit", "greeting"]);
    command
        .env("EDITOR", format!("{} --with-an-option", editor.display()))
        .env("PATH", "/usr/bin:/bin");
    env.finish(command, b"")
}

#[test]
fn edit_keeps_only_a_manifest() {
    let env = declaring();
    let before = env.read(&manifest("greeting"));
    let run = edited(
        &env,
        "test \"$1\" = --with-an-option && printf '\\n[config]\\ndays = 4 # four\\n' >> \"$2\"",
    )
    .ok();
    assert_eq!(run.text(), "`greeting` has the manifest that was edited\n");
    let text = env.read(&manifest("greeting"));
    assert!(text.starts_with(&before) && text.ends_with("days = 4 # four\n"), "{text}");
    assert!(edited(&env, "true").ok().text().starts_with("already: "));
    for (script, said) in [
        ("printf 'days = [' >> \"$2\"", "the edited manifest is wrong: line"),
        ("sed -i 's/days = 4/days = \"many\"/' \"$2\"", "`days` is a whole number"),
    ] {
        let run = edited(&env, script);
        assert!(
            run.code == 1 && run.stderr.contains(said) && run.stderr.contains("is kept in"),
            "{run}"
        );
        assert_eq!(env.read(&manifest("greeting")), text);
    }
    let run = edited(&env, "exit 3");
    assert!(run.code == 1 && run.stderr.contains("nothing was changed"), "{run}");
    assert!(run.stderr.contains("EDITOR=nano sesame extension edit greeting"), "{run}");
    let run = edited(&env, "sed -i 's/^days/dys/' \"$2\" && printf '[extnsion]\n' >> \"$2\"").ok();
    assert!(run.stderr.contains("unknown key `extnsion` does nothing"), "{run}");
    let copies = std::fs::read_dir(env.path(".local/state/pds")).expect("a directory").flatten();
    let copies =
        copies.filter(|entry| entry.file_name().to_string_lossy().starts_with(".greeting-"));
    assert_eq!(copies.count(), 2, "only what was rejected is kept");
}

/// `edit` opens a manifest that cannot be read any more.
#[test]
fn broken_manifest_can_be_edited() {
    let env = declaring();
    let whole = env.read(&manifest("greeting"));
    env.write(&manifest("greeting"), format!("{whole}oops\n"));
    assert_eq!(env.run("call greeting greet x").code, 9);
    edited(&env, "sed -i '/oops/d' \"$2\"").ok();
    assert_eq!(env.read(&manifest("greeting")), whole);
}

/// A concurrent change of the manifest is not overwritten by the editor's.
#[test]
fn edit_does_not_undo_others() {
    let env = declaring();
    let sesame = env!("CARGO_BIN_EXE_sesame");
    let run = edited(
        &env,
        &format!("{sesame} extension disable greeting >/dev/null; echo '# mine' >> \"$2\""),
    );
    assert!(run.code == 9 && run.stderr.contains("changed by another program"), "{run}");
    assert!(env.read(&manifest("greeting")).contains("enabled = false"));
}
