//! Completion, as real shells ask for it.

use std::path::Path;
use std::process::Command;

use crate::support::{GREETING, Run, TestEnv, asking, env, publish, registry, with_guest};

/// Asks for capabilities and settings, so that completion has candidates for both.
const ASKS: &str = r#"
[capabilities]
network = ["api.example.com", "*.example.org"]
[config.schema]
units = { enum = ["metric", "imperial"], description = "Which units" }
"#;

/// Returns the candidates that a shell offers for the end of a line.
type Offer = fn(&TestEnv, &str) -> Vec<String>;

fn shell(env: &TestEnv, program: &str, script: &str) -> Run {
    let bin = Path::new(env!("CARGO_BIN_EXE_sesame"))
        .parent()
        .expect("a directory")
        .display()
        .to_string();
    let mut command = Command::new(program);
    match program {
        "bash" => command.args(["--norc", "--noprofile", "-c"]),
        "zsh" => command.args(["-f", "-c"]),
        _ => command.args(["--no-config", "-c"]),
    };
    command.arg(script).env_clear().env("HOME", env.home()).current_dir(env.path("work"));
    command
        .env("PATH", format!("{bin}:/usr/bin:/bin"))
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "dumb");
    env.finish(command, b"")
}

fn lines(run: Run) -> Vec<String> {
    run.ok().text().lines().map(str::to_owned).filter(|line| !line.is_empty()).collect()
}

/// Splits the line as bash does, at `:` and `=` as well, and passes the word that it would replace.
fn bash(env: &TestEnv, line: &str) -> Vec<String> {
    let part = line.rsplit([' ', ':', '=']).next().unwrap_or_default();
    let script = format!(
        "source <(sesame completions bash 2>/dev/null); compopt() {{ :; }}; COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}; \
         _sesame sesame '{part}' ''; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let kept = &line[line.rfind(' ').map_or(0, |at| at + 1)..line.len() - part.len()];
    lines(shell(env, "bash", &script))
        .into_iter()
        .map(|word| format!("{kept}{word}").replace('\\', ""))
        .collect()
}

fn fish(env: &TestEnv, line: &str) -> Vec<String> {
    let script =
        format!("sesame completions fish 2>/dev/null | source; complete --do-complete '{line}'");
    lines(shell(env, "fish", &script))
        .into_iter()
        .map(|line| line.split('\t').next().unwrap_or_default().to_owned())
        .collect()
}

/// Stands in for zsh's line editor, whose functions exist only in a line: their arguments matter.
fn zsh(env: &TestEnv, line: &str) -> Vec<String> {
    let script = format!(
        "compdef() {{ :; }}; _describe() {{ local name; for name in ${{argv[@]}}; do case $name in ended|open) print -rl -- \
         ${{(P)name}};; esac; done }}; source <(sesame completions zsh 2>/dev/null); words=(${{(z)1}}); \
         line='{line}'; words=(${{(s: :)line}}); [[ $line == *' ' ]] && words+=(''); CURRENT=${{#words}}; _sesame"
    );
    let unescaped = |line: String| {
        line.replace("\\:", "\u{0}").split(':').next().unwrap_or_default().replace('\u{0}', ":")
    };
    lines(shell(env, "zsh", &script)).into_iter().map(unescaped).collect()
}

/// Returns each shell that is installed; bash always is.
fn shells() -> Vec<(&'static str, Offer)> {
    let all: [(&str, Offer); 3] = [("bash", bash), ("zsh", zsh), ("fish", fish)];
    all.into_iter().filter(|(shell, _)| Path::new("/usr/bin").join(shell).exists()).collect()
}

#[test]
fn shells_offer_candidates() {
    let env = with_guest("greeting", &asking(&GREETING, ASKS));
    env.write("work/weather.wasm", "");
    env.write("work/notes.txt", "");
    env.run("extension grant greeting network=api.example.com notification").ok();
    for (shell, offer) in shells() {
        let is = |line: &str, expected: &[&str]| {
            assert_eq!(offer(&env, line), expected, "{shell}: {line}")
        };
        is("sesame call gr", &["greeting"]);
        is("sesame call greeting gr", &["greet"]);
        is("sesame install ./", &["./greeting.wasm", "./weather.wasm"]);
        is("sesame install ./w", &["./weather.wasm"]);
        is("sesame extension grant greeting not", &["notification"]);
        is("sesame extension grant greeting net", &["network="]);
        is(
            "sesame extension grant greeting network=",
            &["network=*.example.org", "network=api.example.com"],
        );
        is("sesame extension grant greeting network=api", &["network=api.example.com"]);
        is(
            "sesame extension grant greeting filesystem=",
            &["filesystem=read:", "filesystem=write:"],
        );
        is("sesame extension revoke greeting ne", &["network", "network=api.example.com"]);
        is("sesame extension set greeting un", &["units="]);
        is("sesame extension set greeting units=", &["units=metric", "units=imperial"]);
        is("sesame call ", &["greeting"]);
        is("sesame extension new mine --event power.b", &["power.battery"]);
        assert!(offer(&env, "sesame call --").contains(&"--stats".to_owned()), "{shell}");
        assert!(
            offer(&env, "sesame extension call missing ").iter().all(|word| word.starts_with('-')),
            "{shell}"
        );
    }
}

/// A function of a module is called by an odd name, and a name of which a shell would run a part is
/// not put into a line.
#[test]
fn odd_function_names_are_not_offered() {
    let env = env();
    let odd = r#"(module (func (export "f$1") (result i32) i32.const 1)
        (func (export "f;reboot")) (func (export "fine")))"#;
    env.write("work/odd.wasm", wat::parse_str(odd).expect("valid"));
    env.run("extension install ./odd.wasm").ok();
    assert_eq!(env.run("call odd f$1").ok().text(), "1\n");
    for (shell, offer) in shells() {
        assert_eq!(offer(&env, "sesame call odd f"), ["fine"], "{shell}");
    }
}

/// Tags come from the last listing; the registry is not asked.
#[test]
fn tags_come_from_last_listing() {
    let (env, registry) = (env(), registry());
    publish(&registry, "my-org/greeting-extension:0.2.0", &GREETING, &[]);
    let place = format!("{}/my-org/greeting-extension", registry.host());
    for (shell, offer) in shells() {
        assert!(
            offer(&env, &format!("sesame install {place}:")).is_empty(),
            "{shell}: nothing was listed"
        );
    }
    env.run(&format!("registry tags {place}")).ok();
    let asked = registry.seen().len();
    for (shell, offer) in shells() {
        let tags = offer(&env, &format!("sesame install {place}:"));
        assert_eq!(tags, [format!("{place}:0.2.0"), format!("{place}:0.1.0")], "{shell}");
        let places = offer(&env, &format!("sesame registry tags {}", &place[..place.len() - 3]));
        assert_eq!(places, std::slice::from_ref(&place), "{shell}");
    }
    assert_eq!(registry.seen().len(), asked);
}

#[test]
fn completion_script_is_installed() {
    let env = env();
    let with_shell = |shell: &str, words: &[&str]| {
        let mut command = env.command([&["completions"], words].concat());
        command.env("SHELL", shell);
        env.finish(command, b"")
    };
    insta::assert_snapshot!(with_shell("/usr/bin/zsh", &["--install"]), @r#"
    exit 0
    out: ~/.local/share/zsh/site-functions/_sesame
    err: put this into ~/.zshrc, before `compinit`: fpath=(~/.local/share/zsh/site-functions $fpath)
    "#);
    for (shell, path) in [
        ("/bin/bash", ".local/share/bash-completion/completions/sesame"),
        ("/usr/bin/fish", ".config/fish/completions/sesame.fish"),
    ] {
        let printed = with_shell(shell, &[]).ok();
        assert!(printed.stderr.contains(path) && printed.stderr.contains("--install"), "{printed}");
        for _ in 0..2 {
            with_shell(shell, &["--install"]).ok();
            assert_eq!(env.read(path), printed.text());
        }
    }
    assert_eq!(with_shell("/bin/csh", &[]).code, 2);
    assert_eq!(with_shell("", &["bash"]).code, 0);
    env.write(".config/fish/completions/sesame.fish", "# mine\n");
    assert_eq!(with_shell("/usr/bin/fish", &["--install"]).code, 9);
}
