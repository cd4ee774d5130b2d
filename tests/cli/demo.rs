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
    let refusal = between(&text, "extension why greeting-extension\n", "  config-read");
    let directory = between(&text, "not granted (", "/config/extensions/").to_owned();
    run.stdout = text
        .replace(log, "LOG\n")
        .replace(refusal, "TIME")
        .replace(&format!("- {note} Milk"), "- HH:MM Milk")
        .into_bytes();
    let run = run.hiding(format!("127.0.0.1:{port}"), "REGISTRY").hiding(notes, "NOTES");
    let run = run.hiding(directory, "DIRECTORY");
    insta::assert_snapshot!(run, @r#"
    exit 0
    out: A registry runs on REGISTRY, with three extensions in it.
    out: 
    out: # The main job: install an extension, look at it, call it.
    out: $ sesame extension install REGISTRY/my-org/greeting-extension:0.1.0
    out: installed greeting-extension 0.1.0 from REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST
    out: 
    out: $ sesame extension list
    out: greeting-extension	0.1.0	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	config-read	defaults	enabled
    out: 
    out: $ sesame extension call greeting-extension greet World
    out: Hello, World!
    out: 
    out: # Take a permission away: the next call is refused.
    out: $ sesame extension revoke greeting-extension config-read
    out: `greeting-extension` may not use config-read
    out: 
    out: $ sesame call greeting-extension greet World
    out: 
    out: # The refusal is remembered, with the command that allows it.
    out: $ sesame extension why greeting-extension
    out: TIME  config-read: not granted (DIRECTORY/config/extensions/greeting-extension.toml:7)
    out:   allow it: sesame extension grant greeting-extension config-read
    out: 
    out: $ sesame extension grant greeting-extension config-read
    out: `greeting-extension` may use config-read: read its own settings, which you write in its manifest
    out: 
    out: $ sesame call greeting-extension greet World
    out: Hello, World!
    out: 
    out: # Two more. This one needs no permission.
    out: $ sesame install REGISTRY/my-org/list-tools:1.0.0
    out: installed list-tools 1.0.0 from REGISTRY/my-org/list-tools:1.0.0@sha256:DIGEST
    out: 
    out: $ sesame call list-tools sum [19,23]
    out: 42
    out: 
    out: # This one asks for a directory, and gets none by itself.
    out: $ sesame install REGISTRY/my-org/daily-note:0.1.0
    out: installed daily-note 0.1.0 from REGISTRY/my-org/daily-note:0.1.0@sha256:DIGEST
    out: 
    out: # One directory, here a temporary one, and nothing else.
    out: $ sesame extension grant daily-note filesystem=write:NOTES::/notes
    out: `daily-note` may use filesystem=write:NOTES::/notes: read everything in this directory, and with `write` change and delete it; it finds `NOTES` as `/notes`
    out: 
    out: $ sesame call daily-note add Milk
    out: - HH:MM Milk
    out: 
    out: # The next version asks for the network as well. It is refused, and the old one stays.
    out: $ sesame update daily-note
    out: 
    out: # You can accept that, and go back without a network.
    out: $ sesame update daily-note --accept-new-capabilities
    out: daily-note	REGISTRY/my-org/daily-note:0.1.0@sha256:DIGEST	REGISTRY/my-org/daily-note:0.2.0@sha256:DIGEST	updated; granted: network=notes.example.com
    out: 
    out: $ sesame extension rollback daily-note --offline
    out: rolled back daily-note to generation 2: 0.1.0 from REGISTRY/my-org/daily-note:0.1.0@sha256:DIGEST
    out: 
    out: # Each call is in the activity log.
    out: $ sesame extension activity
    out: LOG
    out: 
    out: Next, with a registry of yours:
    out:   sesame extension install ghcr.io/my-org/greeting-extension:0.1.0
    out: or keep this one running:
    out:   sesame demo --serve
    err: signature: unsigned
    err: granted: config-read (its own [config] only)
    err: error: the imports of `greeting-extension` are not satisfied
    err: `open-sesame:host/config-read@0.1.1` needs the capability `config-read`, which is not granted
    err: hint: sesame extension grant greeting-extension config-read
    err: signature: unsigned
    err: signature: unsigned
    err: granted: config-read (its own [config] only)
    err: not granted: filesystem; allow it with: sesame extension grant daily-note 'filesystem=write:~/Notes::/notes'
    err: error: `daily-note` 0.2.0 requests more than the installed version, which stays
    err: it asks for network=notes.example.com
    err: hint: sesame extension update daily-note --accept-new-capabilities
    "#);
    assert_eq!(env.files(), [], "the home is untouched");
}
