//! `sesame demo`

use crate::support::env;

/// The part of a text between these two.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).expect(before);
    rest.split_once(after).expect(after).0
}

#[test]
fn demo_cleans_up_after_itself() {
    let env = env();
    let mut command = env.command(["demo"]);
    command.env("HTTP_PROXY", "http://127.0.0.1:1").env("http_proxy", "http://127.0.0.1:1");
    let mut run = env.finish(command, b"").ok();
    let text = run.text();
    let port = between(&text, "127.0.0.1:", ",").to_owned();
    let notes = between(&text, "filesystem=write:", "::/notes").to_owned();
    // The log has the time of each call, and a note that of its writing.
    let log = between(&text, "$ sesame extension activity\n", "\nNext, ");
    assert_eq!(log.lines().filter(|line| line.ends_with("\tcall")).count(), 5, "{log}");
    let note = between(&text, "add Milk\n- ", " Milk\n");
    run.stdout = text.replace(log, "LOG\n").replace(note, "HH:MM").into_bytes();
    let run = run.hiding(format!("127.0.0.1:{port}"), "REGISTRY").hiding(notes, "NOTES");
    insta::assert_snapshot!(run, @"");
    assert_eq!(env.files(), [], "the home is untouched");
}
