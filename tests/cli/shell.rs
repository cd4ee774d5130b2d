//! `sesame completions` and `sesame man`

use std::process::Command;

use crate::support::{ECHO, GREETING, TestEnv, env, manifest, with_guest};

/// Returns the candidates for the last of these words.
fn offered(env: &TestEnv, words: &[&str]) -> Vec<String> {
    let mut command = env.command([&["--", "sesame"], words].concat());
    command.env("SESAME_COMPLETE", "zsh");
    let offered = env.finish(command, b"").ok().text();
    offered.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn completion_scripts_ask_the_binary() {
    let env = env();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = env.run(&format!("completions {shell}")).ok().text();
        assert!(
            script.contains("SESAME_COMPLETE") && script.contains("sesame"),
            "{shell}: {script}"
        );
    }
    let path = env.write("script", env.run("completions bash").text());
    let checked = Command::new("bash").arg("-n").arg(path).status().expect("bash runs");
    assert!(checked.success());
    assert_eq!(env.run("completions csh").code, 2);
}

/// Completion offers commands, options, installed names and their functions.
#[test]
fn completion_offers_all_kinds() {
    let env = with_guest("greeting", &GREETING);
    env.write("work/echo.wasm", &*ECHO);
    env.run("extension install ./echo.wasm").ok();
    env.write(&manifest("broken"), "[");
    assert_eq!(offered(&env, &["extension", "ins"]), ["install", "inspect"]);
    assert!(
        offered(&env, &["extension", "update", "--acc"])
            .contains(&"--accept-new-capabilities".to_owned())
    );
    assert_eq!(offered(&env, &["extension", "call", "gre"]), ["greeting"]);
    assert_eq!(offered(&env, &["extension", "remove", "greeting", "e"]), ["echo"]);
    assert!(
        offered(&env, &["ext", "info", ""]).starts_with(&["broken".to_owned(), "echo".to_owned()])
    );
    assert!(offered(&env, &["extension", "call", "greeting", "gr"]).contains(&"greet".to_owned()));
    assert!(
        offered(&env, &["extension", "call", "--stats", "echo", "text"])
            .iter()
            .all(|name| name.starts_with("text"))
    );
    assert!(offered(&env, &["extension", "call", "missing", "x"]).is_empty());
    assert_eq!(offered(&env, &["help", "ext"]), ["extension"]);
    assert_eq!(offered(&env, &["help", "extension", "gr"]), ["grant"]);
}

#[test]
fn command_reference_is_current() {
    let committed = include_str!("../../docs/commands.md");
    let made = env().run("command-reference").ok().text();
    assert!(
        made == committed,
        "docs/commands.md is stale: cargo run -- command-reference > docs/commands.md"
    );
}

#[test]
fn visible_commands_have_man_pages() {
    let env = env();
    let written = env.run("man pages").ok().text();
    for page in
        ["sesame.1", "sesame-extension.1", "sesame-extension-install.1", "sesame-secret-set.1"]
    {
        assert!(written.lines().any(|line| line == format!("pages/{page}")), "{page}: {written}");
    }
    assert!(
        !written.contains("compile-extension") && !written.contains("hold-clipboard"),
        "{written}"
    );
    let page = env.read("work/pages/sesame-extension-install.1");
    assert!(
        page.starts_with(".ie") && page.contains("SESAME\\-EXTENSION\\-INSTALL")
            || page.contains(".TH"),
        "{page}"
    );
    let written = env.run("man share/man/man1").ok().text();
    for page in ["man1/sesame.1", "man5/sesame-extension.toml.5", "man5/sesame-policy.toml.5"] {
        assert!(written.lines().any(|line| line == format!("share/man/{page}")), "{written}");
    }
    env.write("work/file", "");
    assert_eq!(env.run("man file/below").code, 9);
}
