//! The way of an author from an empty directory to a published extension.

use std::path::{Path, PathBuf};

use extension_depot::serve::MemoryRegistry;
use test_support::guest;

use crate::support::{Run, TestEnv, env, oras, root};

/// The answers of a case reach the extension only where the case grants the capability.
#[test]
fn case_answers_need_a_grant() {
    let env = env();
    let case = |capabilities: &str, expected: &str| {
        format!(
            "[[case]]\nname = \"x\"\nfunction = \"fetch\"\narguments = [\"https\", \"api.example.com\", \"/users\"]\n\
             capabilities = {{ {capabilities} }}\n{expected}\n[[case.answers.http]]\n\
             request = \"GET https://api.example.com/users\"\nstatus = 200\nbody = \"Ada\"\n"
        )
    };
    let granted = "secret-read = [\"token\"], network = [\"api.example.com\"]";
    let directory = project(&env, "", &case(granted, "expect = '''(200, \"Ada\")'''"));
    insta::assert_snapshot!(within(&env, &directory, "extension test desktop.wasm"), @r#"
    exit 0
    out: tests/cases.toml
    out:   ok      x
    out: 1 passed, 0 failed
    "#);
    env.write(
        "work/mine/tests/cases.toml",
        case("secret-read = [\"token\"]", "expect_denied = \"network\""),
    );
    insta::assert_snapshot!(within(&env, &directory, "extension test desktop.wasm"), @r#"
    exit 0
    out: tests/cases.toml
    out:   ok      x
    out: 1 passed, 0 failed
    "#);
    env.write("work/mine/tests/cases.toml", case("filesystem = { read = [\"/etc\"] }", ""));
    insta::assert_snapshot!(within(&env, &directory, "extension test desktop.wasm"), @r#"
    exit 1
    out: tests/cases.toml
    out:   FAILED  x
    out:           this machine's directories are not a case's to open: give it one of its own with [[case.directories]]
    out: 0 passed, 1 failed
    "#);
}

/// `new` never writes over a project, and names the tools that are missing.
#[test]
fn new_keeps_existing_files() {
    let env = env();
    insta::assert_snapshot!(env.run("extension new mine --lang python"), @r#"
    exit 0
    out: mine/.github/workflows/release.yml
    out: mine/.gitignore
    out: mine/README.md
    out: mine/app.py
    out: mine/docs/index.md
    out: mine/extension.toml
    out: mine/pyproject.toml
    out: mine/tests/greet.toml
    out: mine/wit/deps/open-sesame-host/clipboard-write.wit
    out: mine/wit/deps/open-sesame-host/config-read.wit
    out: mine/wit/deps/open-sesame-host/ipc-publish.wit
    out: mine/wit/deps/open-sesame-host/log.wit
    out: mine/wit/deps/open-sesame-host/notification.wit
    out: mine/wit/deps/open-sesame-host/package.wit
    out: mine/wit/deps/open-sesame-host/secret-read.wit
    out: mine/wit/deps/open-sesame-host/secret-write.wit
    out: mine/wit/deps/open-sesame-host/storage.wit
    out: mine/wit/deps/open-sesame-host/types.wit
    out: mine/wit/world.wit
    err: next: cd mine && sesame extension build && sesame extension test
    "#);
    insta::assert_snapshot!(env.run("extension new mine"), @r#"
    exit 9
    err: error: cannot make `mine`
    err: caused by: File exists (os error 17)
    err: hint: name another directory with `--directory`; nothing was changed
    "#);
    insta::assert_snapshot!(env.run("extension new Mine"), @r#"
    exit 2
    err: error: invalid value 'Mine' for '<NAME>': `Mine` is not an extension name: a name has 1 to 64 characters out of `a-z`, `0-9` and `-`, and starts with a letter or digit
    err: 
    err: For more information, try '--help'.
    "#);
    insta::assert_snapshot!(env.run("extension build"), @r#"
    exit 3
    err: error: there is no `extension.toml` in this directory
    err: hint: begin a project: sesame extension new NAME
    "#);
}

/// A project that is woken has the table, the handler and the cases of each event, and its requests.
#[test]
fn new_writes_a_woken_project() {
    let env = env();
    insta::assert_snapshot!(env.run("extension new low-battery --event power.battery"), @r#"
    exit 0
    out: low-battery/.github/workflows/release.yml
    out: low-battery/.gitignore
    out: low-battery/Cargo.toml
    out: low-battery/README.md
    out: low-battery/docs/index.md
    out: low-battery/extension.toml
    out: low-battery/rust-toolchain.toml
    out: low-battery/rustfmt.toml
    out: low-battery/src/lib.rs
    out: low-battery/tests/events.toml
    out: low-battery/wit/deps/open-sesame-extension/events.wit
    out: low-battery/wit/deps/open-sesame-extension/package.wit
    out: low-battery/wit/deps/open-sesame-host/clipboard-write.wit
    out: low-battery/wit/deps/open-sesame-host/config-read.wit
    out: low-battery/wit/deps/open-sesame-host/ipc-publish.wit
    out: low-battery/wit/deps/open-sesame-host/log.wit
    out: low-battery/wit/deps/open-sesame-host/notification.wit
    out: low-battery/wit/deps/open-sesame-host/package.wit
    out: low-battery/wit/deps/open-sesame-host/secret-read.wit
    out: low-battery/wit/deps/open-sesame-host/secret-write.wit
    out: low-battery/wit/deps/open-sesame-host/storage.wit
    out: low-battery/wit/deps/open-sesame-host/types.wit
    out: low-battery/wit/world.wit
    err: next: cd low-battery && sesame extension build && sesame extension test
    "#);
    insta::assert_snapshot!(env.read("work/low-battery/extension.toml"), @r#"
    #:schema https://raw.githubusercontent.com/open-sesame/sesame/main/schemas/extension.toml.json
    # The name, the requests and the events of this extension. A request is not a grant: the user decides
    # at install. `sesame extension build` puts this file into the component.

    [extension]
    name = "low-battery"
    version = "0.1.0"
    description = "Tells about power.battery"

    [capabilities]
    notification = true                     # the only thing that it does

    # when the charge of the battery begins to meet a condition
    [events."power.battery"]
    below = 20
    charging = false

    [limits]                                # for `sesame extension test`; users set their own
    max_memory_mib = 16

    [build]
    language = "rust"
    "#);
    insta::assert_snapshot!(env.read("work/low-battery/tests/events.toml"), @r#"
    # Run with: sesame extension test

    [[case]]
    name = "tells about power.battery"
    event = "power.battery"
    values = { percent = 15, charging = false }
    expect_notifications = ["Battery: 15 % left"]
    "#);
    insta::assert_snapshot!(env.read("work/low-battery/src/lib.rs"), @r#"
    //! Tells about power.battery.

    wit_bindgen::generate!({ world: "local:extension/extension", path: "wit", generate_all });

    use exports::open_sesame::extension::events::{Event, Guest, Value};
    use open_sesame::host::notification::{self, Urgency};

    pub struct Extension;

    impl Guest for Extension {
        fn handle(event: Event) -> Result<(), String> {
            let (title, text) = match event.name.as_str() {
                "power.battery" => ("Battery", "{percent} % left"),
                // One that this version does not know.
                _ => return Ok(()),
            };
            let text = filled(text, &event.values);
            notification::show(title, &text, Urgency::Normal).map_err(|error| error.to_string())
        }
    }

    /// Puts values into a text: `{percent}` stands for that of `percent`.
    fn filled(text: &str, values: &[(String, Value)]) -> String {
        values.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), &in_words(value))
        })
    }

    fn in_words(value: &Value) -> String {
        match value {
            Value::Text(text) => text.clone(),
            Value::Whole(number) => number.to_string(),
            Value::Number(number) => number.to_string(),
            Value::Truth(is_so) => is_so.to_string(),
        }
    }

    // On this machine, where its own tests run, linkers do not take the names of interfaces.
    #[cfg(target_family = "wasm")]
    export!(Extension);

    #[cfg(test)]
    mod tests {
        use super::{Value, filled};

        #[test]
        fn values_are_put_into_the_text() {
            let values = [("percent".to_owned(), Value::Whole(9))];
            assert_eq!(filled("{percent} % left", &values), "9 % left");
        }
    }
    "#);
    let many = "--event file.changed --event custom.build.done --event file.changed";
    let sdk = root().join("extension-sdk");
    let line = format!("extension new many {many} --sdk {} --quiet", sdk.display());
    env.run(&line).ok();
    insta::assert_snapshot!(env.read("work/many/src/lib.rs"), @r#"
    //! Tells about file.changed and custom.build.done.

    use extension_sdk::{event, notification};

    extension_sdk::events! {
        event::File => |event| notification::show("Documents", &format!("{}: {}", event.path, event.kind)),
        event::Custom => |event| notification::show("Message", &event.payload),
    }
    "#);
    let manifest = env.read("work/many/extension.toml");
    let reads = "filesystem = { read = [\"~/Documents\"] }";
    assert!(manifest.contains(reads) && manifest.matches("[events.").count() == 2, "{manifest}");
}

#[test]
fn new_refuses_wrong_events() {
    let env = env();
    insta::assert_snapshot!(env.run("extension new mine --event power.batery"), @r#"
    exit 2
    err: error: invalid value 'power.batery' for '--event <EVENT>': `power.batery` is not an event; the nearest is `power.battery`
    err: 
    err: For more information, try '--help'.
    "#);
    insta::assert_snapshot!(
        env.run("extension new mine --lang go --kind workload --event power.battery"),
        @r#"
    exit 2
    err: error: events do not wake modules of Suffiks
    err: hint: make an extension for people: leave out `--kind workload`
    "#
    );
    assert!(!env.path("work/mine").exists());
}

/// Writes a project around a component that is built already.
fn project(env: &TestEnv, manifest: &str, cases: &str) -> PathBuf {
    env.write(
        "work/mine/extension.toml",
        format!("[extension]\nname = \"mine\"\nversion = \"1.2.3\"\ndescription = \"Greets\"\n{manifest}"),
    );
    env.write("work/mine/tests/cases.toml", cases);
    env.write("work/mine/docs/index.md", "# Mine\n");
    env.write("work/mine/dist/mine.wasm", guest("greeting"));
    env.write("work/mine/desktop.wasm", guest("desktop"));
    env.path("work/mine")
}

fn within(env: &TestEnv, directory: &Path, line: &str) -> Run {
    let mut command = env.command(line.split_whitespace());
    command.current_dir(directory);
    env.finish(command, b"")
}

/// A failed case shows the expected and the actual outcome; its answers are its own.
#[test]
fn failed_cases_show_the_difference() {
    let env = env();
    let directory = project(
        &env,
        "",
        r#"
[[case]]
name = "reads a secret, shows and publishes"
function = "everything"
arguments = ["World"]
capabilities = { config-read = true, secret-read = ["token"], notification = true, ipc-publish = ["greeting.*"], clipboard-write = true }
answers = { secrets = { token = "t0ps3cret" } }
expect_error = "nothing of the kind"

[[case]]
name = "is refused what it is not granted"
function = "everything"
arguments = ["World"]
capabilities = {}
expect_denied = "secret-read"

[[case]]
name = "is refused something else"
function = "everything"
arguments = ["World"]
capabilities = {}
expect_denied = "network"

[[case]]
name = "has no such function"
function = "nothing"
expect = ""
"#,
    );
    insta::assert_snapshot!(within(&env, &directory, "extension test desktop.wasm"), @r#"
    exit 1
    out: tests/cases.toml
    out:   FAILED  reads a secret, shows and publishes
    out:           expected the error `nothing of the kind`, and got `Hello, World! (9 characters of token)`
    out:   ok      is refused what it is not granted
    out:   FAILED  is refused something else
    out:           `network` is not refused; refused is config-read=greeting.template, secret-read=token
    out:   FAILED  has no such function
    out:           it failed: there is no function `nothing`
    out: 1 passed, 3 failed
    "#);
    let hungry = "[[case]]\nname = \"x\"\nfunction = \"everything\"\narguments = [\"a\"]\ncapabilities = {}\n\
        expect_denied = \"secret-read\"\nmax_fuel = 10\n";
    env.write("work/mine/tests/cases.toml", hungry);
    let run = within(&env, &directory, "extension test desktop.wasm");
    assert!(run.code == 1 && run.text().contains(" units of fuel, more than 10"), "{run}");
    env.write(
        "work/mine/tests/cases.toml",
        "[[case]]\nname = \"x\"\nfunction = \"greet\"\nexpekt = 1\n",
    );
    insta::assert_snapshot!(within(&env, &directory, "extension test desktop.wasm"), @r#"
    exit 2
    err: error: `tests/cases.toml` cannot be understood: line 4, column 1: unknown key `expekt`; expected one of `name`, `function`, `event`, `values`, `arguments`, `json`, `bytes`, `config`, `capabilities`, `directories`, `answers`, `expect`, `expect_error`, `expect_denied`, `max_fuel`, `expect_notifications`, `expect_clipboard`, `expect_published`, `expect_storage`
    err:   |
    err: 4 | expekt = 1
    err:   | ^^^^^^
    "#);
    insta::assert_snapshot!(within(&env, &directory, "extension test desktop.wasm --tests nowhere"), @r#"
    exit 3
    err: error: cannot read `nowhere`
    err: caused by: No such file or directory (os error 2)
    "#);
}

/// A published artifact carries the author's requests, and the same sources give the same bytes.
#[test]
fn publish_is_reproducible() {
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    let directory = project(&env, "[capabilities]\nconfig-read = true\nnotification = true\n", "");
    let publish = |rest: &str| {
        let line =
            format!("extension publish {}/my-org/mine:1.2.3 --no-build {rest}", registry.host());
        let mut command = env.command(line.split_whitespace());
        command.current_dir(&directory).env("SOURCE_DATE_EPOCH", "1700000000");
        env.finish(command, b"").hiding_registry(&registry)
    };
    let planned = publish("--dry-run").ok();
    assert!(planned.stderr.starts_with("nothing is published; it would be "), "{planned}");
    let planned: serde_json::Value = serde_json::from_slice(&planned.stdout).expect("JSON");
    assert_eq!(
        planned["annotations"],
        serde_json::json!({
            "org.opencontainers.image.description": "Greets",
            "org.opencontainers.image.title": "mine",
            "org.opencontainers.image.version": "1.2.3",
        })
    );
    assert_eq!(publish("--dry-run").stdout, publish("--dry-run").stdout);
    assert!(registry.seen().is_empty(), "nothing was asked");
    insta::assert_snapshot!(publish("--docs docs"), @r#"
    exit 0
    out: published REGISTRY/my-org/mine:1.2.3@sha256:DIGEST
    "#);
    insta::assert_snapshot!(publish("--docs docs"), @r#"
    exit 0
    out: already published: REGISTRY/my-org/mine:1.2.3@sha256:DIGEST
    "#);
    env.write("work/mine/dist/mine.wasm", guest("greeting-sdk"));
    insta::assert_snapshot!(publish(""), @r#"
    exit 1
    err: error: `REGISTRY/my-org/mine:1.2.3` already has other bytes: sha256:DIGEST, not sha256:DIGEST
    err: hint: publish it under another version, or replace the old bytes with `--overwrite`
    "#);
    insta::assert_snapshot!(publish("--overwrite --docs docs"), @r#"
    exit 0
    out: published REGISTRY/my-org/mine:1.2.3@sha256:DIGEST
    "#);
    let reference = format!("{}/my-org/mine:1.2.3", registry.host());
    insta::assert_snapshot!(env.run(&format!("extension install {reference}")).hiding_registry(&registry), @r#"
    exit 0
    out: installed mine 1.2.3 from REGISTRY/my-org/mine:1.2.3@sha256:DIGEST
    err: signature: unsigned
    err: granted: config-read (its own [config] only)
    err: not granted: notification; allow it with: sesame extension grant mine notification
    "#);
    insta::assert_snapshot!(env.run("extension call mine greet World"), @r#"
    exit 0
    out: Hello, World!
    "#);
    insta::assert_snapshot!(env.run("extension docs mine"), @r#"
    exit 0
    out: # Mine
    "#);
    insta::assert_snapshot!(env.run("extension docs mine --offline"), @r#"
    exit 3
    err: error: `mine` has no documentation
    err: hint: see its functions: sesame extension info mine
    "#);
}

#[test]
fn publish_refuses_invalid_projects() {
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    let publish = |rest: &str| {
        let line = format!("extension publish {}/my-org/mine:1.2.3 {rest}", registry.host());
        env.run(&line).hiding_registry(&registry)
    };
    insta::assert_snapshot!(publish(""), @r#"
    exit 2
    err: error: there is nothing to publish: this directory has no `extension.toml`
    err: hint: name the file: sesame extension publish REFERENCE FILE.wasm
    "#);
    insta::assert_snapshot!(publish("none.wasm"), @r#"
    exit 3
    err: error: cannot read `none.wasm`
    err: caused by: No such file or directory (os error 2)
    "#);
    env.write("work/text.wasm", "no WebAssembly");
    insta::assert_snapshot!(publish("text.wasm"), @r#"
    exit 1
    err: error: not an extension: it is something that begins with `no WebAssembly`
    "#);
    env.write("work/greeting.wasm", guest("greeting"));
    std::fs::create_dir(env.path("work/empty")).expect("made");
    insta::assert_snapshot!(publish("greeting.wasm --docs empty"), @r#"
    exit 3
    err: error: `empty` has no pages: their names end in `.md`
    "#);
    env.write(
        "work/extension.toml",
        "[extension]\nname = \"mine\"\n[capabilities]\nroot = true\nnotification = 1\n",
    );
    insta::assert_snapshot!(publish("greeting.wasm"), @r#"
    exit 2
    err: error: `./extension.toml` cannot be understood: line 5, column 16: expected `true` or `false`, found `1`
    err:   |
    err: 5 | notification = 1
    err:   |                ^
    "#);
    assert_eq!(
        registry.seen().iter().filter(|seen| seen.method != "GET").count(),
        0,
        "nothing was sent"
    );
}

#[test]
fn interfaces_publish_as_a_package() {
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    let interfaces = root().join("wit/host");
    let line = format!("extension publish {}/wit/open-sesame/host:0.1.1", registry.host());
    let publish = |rest: &str| {
        let mut command = env.command(line.split_whitespace());
        command.arg(&interfaces).args(rest.split_whitespace());
        env.finish(command, b"").hiding_registry(&registry)
    };
    let planned: serde_json::Value =
        serde_json::from_slice(&publish("--dry-run").ok().stdout).expect("JSON");
    assert_eq!(planned["annotations"]["org.opencontainers.image.title"], "open-sesame:host");
    assert_eq!(planned["layers"][0]["mediaType"], "application/wasm");
    insta::assert_snapshot!(publish(""), @r#"
    exit 0
    out: published REGISTRY/wit/open-sesame/host:0.1.1@sha256:DIGEST
    "#);
    insta::assert_snapshot!(publish(""), @r#"
    exit 0
    out: already published: REGISTRY/wit/open-sesame/host:0.1.1@sha256:DIGEST
    "#);
    env.write("work/bad/x.wit", "package a");
    insta::assert_snapshot!(env.run("extension publish localhost:1/a/b/c:1 bad"), @r#"
    exit 2
    err: error: `bad` is not a package of interfaces
    err: caused by: bad/x.wit:1:10: expected ':', found eof
    err:       |
    err:     1 | package a
    err:       |          ^
    "#);
}

#[test]
#[ignore = "needs oras, from .ci/test-servers"]
fn other_tools_read_what_we_publish() {
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    let directory = project(&env, "", "");
    let reference = format!("{}/my-org/mine:1.2.3", registry.host());
    within(&env, &directory, &format!("extension publish {reference} --no-build --docs docs")).ok();
    oras(env.home(), &["pull", "--plain-http", "--output", "pulled", &reference]);
    assert!(env.path("pulled/mine.wasm").exists());
    let manifest = oras(env.home(), &["manifest", "fetch", "--plain-http", &reference]);
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
    assert_eq!(manifest["layers"][0]["mediaType"], "application/wasm");
    let config = oras(env.home(), &["manifest", "fetch-config", "--plain-http", &reference]);
    let config: serde_json::Value = serde_json::from_str(&config).expect("JSON");
    assert_eq!(
        (config["architecture"].as_str(), config["os"].as_str()),
        (Some("wasm"), Some("wasip2"))
    );
    assert_eq!(config["component"]["exports"], serde_json::json!(["greet"]));
    assert!(
        config["component"]["imports"]
            .as_array()
            .expect("a list")
            .contains(&"open-sesame:host/config-read@0.1.1".into())
    );
    let referrers = oras(env.home(), &["discover", "--plain-http", "--format", "json", &reference]);
    assert!(referrers.contains("application/vnd.open-sesame.docs.v1"), "{referrers}");
}
