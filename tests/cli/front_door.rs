//! First steps of a user: the everyday verbs, half a command, a wrong word.

use std::process::Command;

use crate::support::{
    ECHO, GREETING, TestEnv, answering, bare, env, publish, registry, with_guest,
};

/// Makes a command on a terminal of its own, where questions can be answered.
fn on_terminal(env: &TestEnv, line: &str) -> Command {
    let mut command = env.on_terminal(line);
    command.env("TERM", "xterm").env_remove("NO_COLOR");
    command
}

#[test]
fn everyday_verbs_are_at_the_top() {
    let env = env();
    env.write("work/greeting.wasm", &*GREETING);
    env.run("install ./greeting.wasm").ok();
    assert_eq!(env.run("list").ok().text(), env.run("extension list").ok().text());
    assert_eq!(env.run("ls").ok().text(), env.run("ext ls").ok().text());
    assert_eq!(env.run("call greeting greet World").ok().text(), "Hello, World!\n");
    assert_eq!(
        env.run("show greeting").ok().text(),
        env.run("extension info greeting").ok().text()
    );
    assert_eq!(env.run("update greeting").code, env.run("extension upgrade greeting").code);
    env.run("uninstall greeting").ok();
}

/// Suggests at most two commands: whole lines, and the shortest form of each possible group.
#[test]
fn wrong_word_gets_a_suggestion() {
    insta::assert_snapshot!(env().run("delete greeting"), @r#"
    exit 2
    err: error: unrecognized subcommand 'delete'
    err: 
    err:   tip: did you mean `sesame remove greeting`?
    err: 
    err: Usage: sesame [OPTIONS] <COMMAND>
    err: 
    err: For more information, try '--help'.
    "#);
    insta::assert_snapshot!(env().run("search weather"), @r#"
    exit 2
    err: error: unrecognized subcommand 'search'
    err: 
    err:   tip: there is no index to search; an extension's page says its reference, as in `sesame install ghcr.io/OWNER/NAME`
    err: 
    err: Usage: sesame [OPTIONS] <COMMAND>
    err: 
    err: For more information, try '--help'.
    "#);
    let run = env().run("extension allow greeting notification");
    assert!(
        run.code == 2 && run.stderr.contains("sesame extension grant greeting notification"),
        "{run}"
    );
    insta::assert_snapshot!(env().run("instal ./x.wasm"), @r#"
    exit 2
    err: error: unrecognized subcommand 'instal'
    err: 
    err:   tip: did you mean `sesame install ./x.wasm`?
    err: 
    err: Usage: sesame [OPTIONS] <COMMAND>
    err: 
    err: For more information, try '--help'.
    "#);
}

/// A script that lost its words fails.
#[test]
fn sesame_alone_shows_the_beginning() {
    insta::assert_snapshot!(env().run(""), @r#"
    exit 2
    out: sesame installs and runs extensions of the desktop session, each with exactly the permissions you grant.
    out: 
    out: Begin with:
    out:   sesame demo                       see what it does; touches nothing outside a temporary directory
    out:   sesame install SOURCE             install an extension, such as ghcr.io/OWNER/NAME or ./NAME.wasm
    out:   sesame list                       list what is installed
    out:   sesame call NAME                  list the functions of an extension; with one of them, call it
    out:   sesame info NAME                  show what an extension is, may do and may use
    out: 
    out: Read on:
    out:   sesame --help                     all commands
    out:   sesame help COMMAND               one command, with examples
    out:   sesame extension new NAME         write an extension of your own
    "#);
    let help = env().run("help").ok().text();
    assert_eq!(help, env().run("--help").ok().text());
    assert!(
        help.find("Suffiks:") > help.find("Administer:") && help.contains("extension grant"),
        "{help}"
    );
    assert_eq!(
        env().run("help extension grant").ok().text(),
        env().run("extension grant --help").ok().text()
    );
}

#[test]
fn bare_call_lists_functions() {
    let env = with_guest("echo", &ECHO);
    insta::assert_snapshot!(env.run("call echo"), @r#"
    exit 2
    err: error: name the function of `echo` to call
    err: these can be called:
    err:   test:echo/echo@0.1.0#echo-bool: func(value: bool) -> bool
    err:   test:echo/echo@0.1.0#echo-u8: func(value: u8) -> u8
    err:   test:echo/echo@0.1.0#echo-u16: func(value: u16) -> u16
    err:   test:echo/echo@0.1.0#echo-u32: func(value: u32) -> u32
    err:   test:echo/echo@0.1.0#echo-u64: func(value: u64) -> u64
    err:   test:echo/echo@0.1.0#echo-s8: func(value: s8) -> s8
    err:   test:echo/echo@0.1.0#echo-s16: func(value: s16) -> s16
    err:   test:echo/echo@0.1.0#echo-s32: func(value: s32) -> s32
    err:   test:echo/echo@0.1.0#echo-s64: func(value: s64) -> s64
    err:   test:echo/echo@0.1.0#echo-f32: func(value: f32) -> f32
    err:   test:echo/echo@0.1.0#echo-f64: func(value: f64) -> f64
    err:   test:echo/echo@0.1.0#echo-char: func(value: char) -> char
    err:   test:echo/echo@0.1.0#echo-string: func(value: string) -> string
    err:   test:echo/echo@0.1.0#echo-bytes: func(value: list<u8>) -> list<u8>
    err:   test:echo/echo@0.1.0#echo-strings: func(value: list<string>) -> list<string>
    err:   test:echo/echo@0.1.0#echo-lists: func(value: list<list<u32>>) -> list<list<u32>>
    err:   test:echo/echo@0.1.0#echo-option: func(value: option<string>) -> option<string>
    err:   test:echo/echo@0.1.0#echo-option-option: func(value: option<option<u32>>) -> option<option<u32>>
    err:   test:echo/echo@0.1.0#echo-result: func(value: result<u32, string>) -> result<u32, string>
    err:   test:echo/echo@0.1.0#echo-result-ok: func(value: result<u32>) -> result<u32>
    err:   test:echo/echo@0.1.0#echo-result-err: func(value: result<_, string>) -> result<_, string>
    err:   test:echo/echo@0.1.0#echo-result-empty: func(value: result) -> result
    err:   test:echo/echo@0.1.0#echo-tuple: func(value: tuple<u8, string>) -> tuple<u8, string>
    err:   test:echo/echo@0.1.0#echo-record: func(value: record { name: string, age: u8, home: record { street: string, lines: list<string>, postcode: option<u32> }, nickname: option<string>, tags: list<string> }) -> record { name: string, age: u8, home: record { street: string, lines: list<string>, postcode: option<u32> }, nickname: option<string>, tags: list<string> }
    err:   test:echo/echo@0.1.0#echo-variant: func(value: variant { nothing, circle(f64), rectangle(tuple<f64, f64>), at(record { street: string, lines: list<string>, postcode: option<u32> }), named(option<string>) }) -> variant { nothing, circle(f64), rectangle(tuple<f64, f64>), at(record { street: string, lines: list<string>, postcode: option<u32> }), named(option<string>) }
    err:   test:echo/echo@0.1.0#echo-enum: func(value: enum { red, green, blue }) -> enum { red, green, blue }
    err:   test:echo/echo@0.1.0#echo-flags: func(value: flags { read, write, execute, create, delete, rename, share, manage, audit, lock }) -> flags { read, write, execute, create, delete, rename, share, manage, audit, lock }
    err:   test:echo/echo@0.1.0#echo-deep: func(value: list<option<result<tuple<string, list<variant { nothing, circle(f64), rectangle(tuple<f64, f64>), at(record { street: string, lines: list<string>, postcode: option<u32> }), named(option<string>) }>>, option<record { name: string, age: u8, home: record { street: string, lines: list<string>, postcode: option<u32> }, nickname: option<string>, tags: list<string> }>>>>) -> list<option<result<tuple<string, list<variant { nothing, circle(f64), rectangle(tuple<f64, f64>), at(record { street: string, lines: list<string>, postcode: option<u32> }), named(option<string>) }>>, option<record { name: string, age: u8, home: record { street: string, lines: list<string>, postcode: option<u32> }, nickname: option<string>, tags: list<string> }>>>>
    err:   test:echo/echo@0.1.0#fail: func(message: string) -> result<string, string>
    err:   test:echo/echo@0.1.0#print: func(text: string)
    err:   test:echo/echo@0.1.0#join: func(parts: list<string>, separator: option<string>) -> string
    err:   test:echo/echo@0.1.0#sum: func(numbers: list<s64>) -> s64
    err:   test:echo/echo@0.1.0#log-it: func(message: string)
    err:   test:echo/echo@0.1.0#environment: func() -> list<tuple<string, string>>
    err:   test:echo/echo@0.1.0#read-file: func(path: string) -> result<string, string>
    err: hint: sesame extension call echo echo-bool true
    "#);
    let run = env.run("call echo sun [1,2]");
    assert!(run.code == 3 && run.stderr.contains("did you mean `sum`?"), "{run}");
    assert!(run.stderr.contains("hint: sesame extension call echo sum"), "{run}");
    insta::assert_snapshot!(env.run("info ecko"), @r#"
    exit 3
    err: error: there is no extension `ecko`
    err: did you mean `echo`?
    err: hint: sesame extension list
    "#);
    let run = env.run("remove ecko echo");
    assert!(run.code == 3 && run.text().starts_with("removed echo: "), "{run}");
    assert!(env.run("call nothing-alike").stderr.contains("hint: sesame extension list"));
}

#[test]
fn mistyped_source_has_a_hint() {
    let env = env();
    for (source, said) in [
        ("weather", "ghcr.io/OWNER/weather"),
        ("weather@1.2", "ghcr.io/OWNER/weather:1.2"),
        ("weather:1.2", "ghcr.io/OWNER/weather:1.2"),
        ("ghcr.io/O/X:1", "type `ghcr.io/o/x:1`"),
        ("ghcr.io/o/x@1.2.0", "did you mean `ghcr.io/o/x:1.2.0`?"),
        ("https://github.com/O/X", "did you mean `ghcr.io/o/x`?"),
        ("o/x", "ghcr.io/o/x"),
    ] {
        for command in ["install", "extension inspect"] {
            let run = env.run(&format!("{command} {source}"));
            let is_name = command == "extension inspect" && source == "weather";
            assert!(
                is_name || run.code == 2 && run.stderr.contains(said),
                "{command} {source}: {run}"
            );
            assert!(!run.stderr.contains("column"), "{run}");
        }
    }
    let (env, registry) = (self::env(), registry());
    let place = format!("{}/my-org/greeting-extension", registry.host());
    env.run(&format!("install docker://{place}:0.1.0")).ok();
    env.run(&format!("install oci://{place}/")).ok();
    assert_eq!(env.run("extension verify ghcr.io/O/X:1").code, 2);
}

#[test]
fn update_of_all_asks_once() {
    let registry = registry();
    let env = env();
    for name in ["one", "two"] {
        publish(&registry, &format!("my-org/{name}:0.1.0"), &bare(1, ""), &[]);
        env.run(&format!("install {}/my-org/{name}:0.1.0", registry.host())).ok();
    }
    insta::assert_snapshot!(env.run("update"), @r#"
    exit 2
    err: error: name the extensions to update, or update all of them
    err: hint: sesame extension update --all
    "#);
    let nothing = answering(&env, on_terminal(&env, "update"), "?", &[]);
    assert!(nothing.code == 0 && nothing.text().contains("everything is up to date"), "{nothing}");
    publish(&registry, "my-org/one:0.2.0", &bare(2, ""), &[]);
    let refused = answering(&env, on_terminal(&env, "update"), "[y/N]", &["n\n"]);
    assert!(refused.code == 1 && refused.text().contains("one: 0.1.0 -> 0.2.0"), "{refused}");
    assert_eq!(env.run("call one f").ok().text(), "1\n");
    env.run("update --dry-run").ok();
    let agreed = answering(&env, on_terminal(&env, "update"), "[y/N]", &["y\n"]);
    assert!(agreed.code == 0 && !agreed.text().contains("two:"), "{agreed}");
    assert_eq!(env.run("call one f").ok().text(), "2\n");
}

#[test]
fn export_keeps_existing_files() {
    let env = with_guest("greeting", &GREETING);
    env.write("work/mine.tar", "mine");
    insta::assert_snapshot!(env.run("extension export greeting -o mine.tar"), @r#"
    exit 9
    err: error: `mine.tar` already exists
    err: hint: replace it: add `--force`
    "#);
    assert_eq!(env.read("work/mine.tar"), "mine");
    env.run("extension export --all -o mine.tar --force").ok();
    env.run("remove greeting --purge").ok();
    env.run("extension import mine.tar").ok();
    assert_eq!(env.run("extension export --all greeting -o x.tar").code, 2);
}

/// A repeated change says that it holds already; an unknown name is not found.
#[test]
fn second_time_says_already() {
    let env = with_guest("greeting", &GREETING);
    env.run("extension grant greeting network=a.example network=*.b.example network=c.d.example")
        .ok();
    for _ in 0..2 {
        env.run("extension revoke greeting network=a.example").ok();
    }
    let already = env.run("extension revoke greeting network=a.example").ok();
    assert!(already.text().contains("already"), "{already}");
    for covered in ["network=x.b.example", "network=*.d.example"] {
        assert_eq!(env.run(&format!("extension revoke greeting {covered}")).code, 5, "{covered}");
    }
    env.run("remove greeting").ok();
    insta::assert_snapshot!(env.run("remove greeting"), @r#"
    exit 0
    out: already removed: greeting, its manifest is kept in ~/.local/state/pds/extensions/removed/greeting.toml
    "#);
    env.run("remove greeting --purge").ok();
    assert_eq!(env.run("remove greeting").code, 3);
    assert_eq!(env.run("remove never").code, 3);
}
