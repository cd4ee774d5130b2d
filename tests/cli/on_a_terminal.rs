//! Untrusted text reaches a terminal as text and as nothing else, through each channel.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use extension_depot::serve::{MemoryRegistry, response};
use test_support::guest;

use crate::support::{HOSTILE, Run, TestEnv, answering, bare, env, publish};

/// Writes to the clipboard, clears the screen, sets the title, turns text around, hides and joins
/// it.
const EVIL: &str = "x\u{1b}]52;c;cm0gLXJmIH4=\u{7}\u{1b}[2J\u{1b}]0;owned\u{1b}\\\u{9b}31m\u{9d}0;t\u{9c}\u{202e}gnp\u{2066}\u{200b}\u{feff}\r\u{8}\u{7f}y";

/// Runs a command on a terminal of its own, with `NO_COLOR`, so that sesame itself writes no
/// escapes.
fn on_terminal(env: &TestEnv, words: &[&str]) -> Run {
    on_terminal_with(env, words, b"")
}

pub fn on_terminal_with(env: &TestEnv, words: &[&str], input: &[u8]) -> Run {
    env.finish(terminal_command(env, words), input)
}

fn terminal_command(env: &TestEnv, words: &[&str]) -> Command {
    let quoted = words.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''")));
    let mut command = env.on_terminal(&quoted.collect::<Vec<_>>().join(" "));
    command.env("TERM", "xterm-256color").env("PAGER", "cat");
    command
}

/// A new password is typed twice. An empty one is an answer too, and its meaning is printed.
#[test]
fn keygen_asks_for_a_password_twice() {
    let env = env();
    let keygen = |name: &str, answers: &[&str]| {
        answering(&env, terminal_command(&env, &["trust", "keygen", name]), "(not shown)", answers)
    };
    for (name, answers) in
        [("a.b", &["pass\n", "pass\n"][..]), ("again", &["pass\n", "word\n", "pass\n", "pass\n"])]
    {
        let run = keygen(name, answers);
        assert!(run.code == 0 && run.text().contains("encrypted with the password"), "{run}");
        assert!(env.read(&format!("work/{name}.key")).starts_with("-----BEGIN ENCRYPTED"), "{run}");
    }
    let empty = keygen("empty", &["\n"]);
    assert!(empty.code == 0 && empty.text().contains("is not encrypted"), "{empty}");
    assert!(env.read("work/empty.key").starts_with("-----BEGIN PRIVATE KEY"), "{empty}");
    let never = keygen("never", &["a\n", "b\n"].repeat(3));
    assert!(never.code == 2 && never.text().contains("nothing was written"), "{never}");
    assert!(!env.path("work/never.key").exists() && !env.path("work/never.pub").exists());
}

/// Keys that were pressed before a question answer none.
#[test]
fn typed_ahead_answers_grant_nothing() {
    let env = env();
    env.write("work/desktop.wasm", guest("desktop"));
    let words = ["extension", "install", "./desktop.wasm", "--name", "desk"];
    let run = on_terminal_with(&env, &words, "n\n".repeat(20).as_bytes());
    assert!(run.code == 5 && run.text().contains("does not say how far it has to reach"), "{run}");
    assert!(run.text().contains("no answer is a no"), "{run}");
    assert!(!env.path(".config/pds/extensions/desk.toml").exists(), "nothing is installed");
}

/// Checks that the output has neither the raw text nor any part that a terminal acts upon.
#[track_caller]
fn is_inert(what: &str, run: &Run) {
    // Progress overwrites its own line.
    let text = run.text().replace("\r\u{1b}[2K", "");
    for sequence in ["\u{1b}]52", "\u{1b}[2J", "\u{1b}]0;owned"] {
        assert!(!text.contains(sequence), "{what}: {sequence:?} in {text:?}");
    }
    let acts = |c: &char| matches!(c, '\u{1b}' | '\u{7}' | '\u{8}' | '\u{7f}'..='\u{9f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    assert_eq!(text.chars().find(acts), None, "{what}: {text:?}");
    // The only carriage returns are those with which a terminal ends lines.
    assert!(
        text.split('\r').skip(1).all(|rest| rest.starts_with(['\n', '\r']) || rest.is_empty()),
        "{what}: {text:?}"
    );
    assert!(![101, 134, 139].contains(&run.code), "{what}: {text}");
}

/// Runs each of these on a terminal, and checks that the untrusted text is shown at all.
fn all_inert(env: &TestEnv, lines: &[&[&str]]) {
    let mut shown = 0;
    for words in lines {
        let run = on_terminal(env, words);
        is_inert(&words.join(" "), &run);
        shown +=
            usize::from(run.text().contains("52;c;cm0gLXJmIH4=") || run.text().contains("gnp"));
    }
    assert!(shown > 0, "the text is shown nowhere: {lines:?}");
}

/// A silent registry is named during the wait, and with its setting afterwards.
#[test]
fn silent_registry_is_named() {
    let silent = MemoryRegistry::start_with(|_| {
        std::thread::sleep(Duration::from_secs(3));
        None
    });
    let (env, silent) = (env(), silent.expect("a registry"));
    let host = silent.host();
    env.write(".config/pds/config.toml", format!("[registries.\"{host}\"]\ntimeout_seconds = 1\n"));
    let run = on_terminal(&env, &["extension", "install", &format!("{host}/my-org/x:1.0.0")]);
    let text = run.text();
    assert_eq!(run.code, 8, "{text}");
    assert!(text.contains(&format!("resolving {host}/my-org/x:1.0.0…")), "{text}");
    assert!(text.contains(&format!("`{host}` does not answer in time")), "{text}");
    assert!(
        text.contains(&format!("`timeout_seconds = 120` under [registries.\"{host}\"]")),
        "{text}"
    );
}

/// Each request to a registry says on whom the command waits.
#[test]
fn commands_name_what_they_wait_for() {
    let is_silent = Arc::new(AtomicBool::new(false));
    let silence = Arc::clone(&is_silent);
    let registry = MemoryRegistry::start_with(move |_| {
        if silence.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1_100));
        }
        None
    });
    let (env, registry) = (env(), registry.expect("a registry"));
    let host = registry.host();
    publish(&registry, "my-org/x:1.0.0", &bare(1, ""), &[]);
    let reference = format!("{host}/my-org/x:1.0.0");
    env.write(".config/pds/config.toml", format!("[registries.\"{host}\"]\ntimeout_seconds = 1\n"));
    env.write("work/x.wasm", bare(2, ""));
    env.run(&format!("extension install {reference}")).ok();
    env.run("trust keygen mine").ok();
    is_silent.store(true, Ordering::SeqCst);
    let tag = format!("{host}/my-org/y:1.0.0");
    for words in [
        &["extension", "install", &tag][..],
        &["extension", "inspect", &tag],
        &["extension", "update", "x"],
        &["extension", "outdated"],
        &["extension", "docs", "x"],
        &["extension", "verify", &reference, "--key", "mine.pub"],
        &["extension", "sign", &reference, "--key", "mine.key"],
        &["extension", "publish", &tag, "x.wasm"],
        &["extension", "sync", &format!("{host}/my-org/list:1")],
        &["registry", "tags", &format!("{host}/my-org/x")],
        &["doctor"],
    ] {
        let text = on_terminal(&env, words).text();
        let is_said = ["resolving", "publishing", "asking"]
            .iter()
            .any(|verb| text.contains(&format!("0s {verb} ")));
        assert!(is_said, "{words:?}: {text}");
    }
}

#[test]
fn publisher_text_is_escaped() {
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    let keys = ["title", "version", "description", "authors", "source", "licenses"];
    let keys = keys.map(|key| format!("org.opencontainers.image.{key}"));
    // Text that is not valid is refused; text that only looks odd is accepted and shown escaped.
    let odd = "a picture, \u{202e}gnp\u{2066}\u{200b}\u{feff}";
    let mut annotations: Vec<_> = keys.iter().map(|key| (key.as_str(), EVIL)).collect();
    annotations[2].1 = odd;
    publish(&registry, "my-org/x:1.0.0", &bare(1, ""), &annotations);
    publish(
        &registry,
        "my-org/x:1.1.0",
        &bare(2, "[capabilities]\nnetwork = [\"api.example.com\"]\n"),
        &annotations,
    );
    let reference = format!("{}/my-org/x:1.0.0", registry.host());
    all_inert(
        &env,
        &[
            &["extension", "inspect", &reference],
            &["extension", "install", &reference],
            &["extension", "list"],
            &["extension", "info", "x"],
            &["extension", "outdated"],
            &["extension", "update", "x"],
            &["extension", "history", "x"],
            &["extension", "verify"],
            &["--json", "extension", "info", "x"],
            &["doctor", "--offline"],
        ],
    );
}

#[test]
fn requests_and_exports_are_escaped() {
    let env = env();
    let name = EVIL.escape_unicode().to_string();
    let module = wat::parse_str(format!(
        r#"(module (import "{name}" "{name}" (func)) (memory (export "memory") 1) (func (export "{name}")))"#
    ));
    env.write("work/m.wasm", module.expect("valid text"));
    let plain = wat::parse_str(format!(
        r#"(module (memory (export "memory") 1) (func (export "{name}")))"#
    ));
    env.write("work/plain.wasm", plain.expect("valid text"));
    env.write(
        "work/asks.wasm",
        bare(1, &format!("[extension]\nname = \"x\"\n[capabilities]\nroot = true # {EVIL}\n")),
    );
    env.write("work/bad.wasm", EVIL);
    all_inert(
        &env,
        &[
            &["extension", "inspect", "./m.wasm"],
            &["extension", "install", "./m.wasm"],
            &["extension", "install", "./plain.wasm"],
            &["extension", "info", "plain"],
            &["extension", "call", "plain", "nothing"],
            &["extension", "call", "plain", EVIL],
            &["extension", "inspect", "./asks.wasm"],
            &["extension", "install", "./bad.wasm"],
            &["extension", "install", EVIL],
            &["extension", EVIL],
            &["registry", "login", EVIL, "--username", EVIL],
        ],
    );
}

/// The output, the results and the errors of a guest are escaped for a terminal.
#[test]
fn guest_output_is_escaped() {
    let env = crate::support::with_guest("echo", &crate::support::ECHO);
    env.write("work/hostile.wasm", &*HOSTILE);
    env.run("extension install ./hostile.wasm").ok();
    env.write("work/prints.wasm", printing());
    env.run("extension install ./prints.wasm").ok();
    all_inert(
        &env,
        &[
            &["extension", "call", "echo", "echo-string", EVIL],
            &["extension", "call", "prints", "f", "1", "--verbose"],
            &["extension", "call", "prints", "f", "2", "--verbose"],
            &["extension", "logs", "prints"],
            &["extension", "activity"],
            &["extension", "why", "prints"],
            &["extension", "call", "hostile", "panic", EVIL],
            &["--json", "extension", "call", "echo", "echo-string", EVIL],
        ],
    );
}

/// Makes a module that prints hostile text and crashes.
fn printing() -> Vec<u8> {
    let bytes: String = EVIL.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let printing = wat::parse_str(format!(
        r#"(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1) (data (i32.const 64) "{bytes}")
            (func (export "f") (param i32)
                (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const {}))
                (drop (call $write (local.get 0) (i32.const 0) (i32.const 1) (i32.const 32))) unreachable))"#,
        EVIL.len()
    ));
    printing.expect("valid text")
}

/// A pipe may end at a terminal, so only `--raw` passes each byte.
#[test]
fn pipe_is_raw_only_when_asked() {
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    env.write("work/prints.wasm", printing());
    env.run("extension install ./prints.wasm").ok();
    assert_eq!(env.run("extension call prints f 1").code, 7);
    env.write("work/x.wasm", bare(1, ""));
    env.write("work/docs/index.md", format!("# Page\r\n\n{EVIL}\n"));
    let reference = format!("{}/my-org/x:1.0.0", registry.host());
    env.run(&format!("extension publish {reference} x.wasm --docs docs")).ok();
    env.run(&format!("extension install {reference}")).ok();
    for command in ["extension logs prints", "extension docs x"] {
        let run = env.run(command).ok();
        is_inert(command, &run);
        assert!(run.text().contains("52;c;cm0gLXJmIH4="), "{run}");
        let raw = env.run(&format!("{command} --raw")).ok();
        assert!(raw.text().contains("\u{1b}]52;c;cm0gLXJmIH4=\u{7}"), "{raw}");
        is_inert(
            command,
            &on_terminal(&env, &[&command.split(' ').collect::<Vec<_>>()[..], &["--raw"]].concat()),
        );
    }
    assert!(env.run("extension docs x").ok().text().starts_with("# Page\n\n"));
}

#[test]
fn registry_text_is_escaped() {
    let registry = MemoryRegistry::start().expect("a registry");
    let env = env();
    env.write("work/x.wasm", bare(1, ""));
    let page = format!(
        "# {EVIL}\n\n[{EVIL}](javascript:{EVIL})\n\n```\n{EVIL}\n```\n\n| {EVIL} | b |\n|---|---|\n| {EVIL} | `{EVIL}` |\n\n\
         <b onclick=\"{EVIL}\">{EVIL}</b> ![{EVIL}](file:///etc/passwd)\n\n* {EVIL}\n\n> {EVIL}\n"
    );
    env.write("work/docs/index.md", &page);
    let reference = format!("{}/my-org/x:1.0.0", registry.host());
    env.run(&format!("extension publish {reference} x.wasm --docs docs")).ok();
    env.run(&format!("extension install {reference}")).ok();
    let before = registry.seen().len();
    all_inert(
        &env,
        &[
            &["extension", "docs", "x"],
            &["extension", "docs", "x", "index"],
            &["extension", "docs", "x", "index", "--raw"],
            &["--json", "extension", "docs", "x", "index"],
            &["extension", "docs", "x", EVIL],
        ],
    );
    let asked = registry.seen().split_off(before);
    assert!(
        asked.iter().all(|seen| seen.path.starts_with("/v2/my-org/x/")),
        "a page makes nothing be fetched: {asked:?}"
    );

    let text = serde_json::json!({"errors": [{"code": EVIL, "message": EVIL}]}).to_string();
    for status in [400, 403, 404, 418, 500] {
        let text = text.clone();
        let registry =
            MemoryRegistry::start_with(move |_| Some(response(status, &[], text.clone())))
                .expect("a registry");
        let reference = format!("{}/my-org/x:1.0.0", registry.host());
        is_inert(
            &format!("status {status}"),
            &on_terminal(&env, &["extension", "install", &reference]),
        );
        is_inert(
            &format!("status {status}"),
            &on_terminal(&env, &["registry", "tags", &reference]),
        );
    }
}
