//! `sesame completions` and `sesame man`

use std::process::Command;

use crate::support::env;

#[test]
fn completions_are_scripts_that_know_the_commands() {
    let env = env();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = env.run(&format!("completions {shell}")).ok().text();
        for word in ["install", "accept-new-capabilities", "outdated"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let path = env.write("script", env.run("completions bash").text());
    let checked = Command::new("bash").arg("-n").arg(path).status().expect("bash runs");
    assert!(checked.success());
    assert_eq!(env.run("completions csh").code, 2);
}

#[test]
fn every_command_has_a_page_and_what_is_hidden_has_none() {
    let env = env();
    let written = env.run("man pages").ok().text();
    for page in ["sesame.1", "sesame-extension.1", "sesame-extension-install.1", "sesame-secret-set.1"] {
        assert!(written.lines().any(|line| line == format!("pages/{page}")), "{page}: {written}");
    }
    assert!(!written.contains("compile-extension") && !written.contains("hold-clipboard"), "{written}");
    let page = env.read("work/pages/sesame-extension-install.1");
    assert!(page.starts_with(".ie") && page.contains("SESAME\\-EXTENSION\\-INSTALL") || page.contains(".TH"), "{page}");
    env.write("work/file", "");
    assert_eq!(env.run("man file/below").code, 9);
}
