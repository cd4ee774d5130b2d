//! Output for programs: one object on standard output, whatever the outcome.

use serde_json::Value;

use test_support::TestEnv;

use crate::schemas::Schema;
use crate::support::{ECHO, HOSTILE, env, with_guest};

/// Returns the object that a command printed, beside which the other stream has no JSON in it.
fn object(env: &TestEnv, line: &str) -> (i32, Value) {
    let run = env.run(line);
    let (stdout, stderr) = (run.text(), run.stderr.clone());
    // The standard output of these is that of a program.
    let runs_program = ["extension run", "extension exec"].iter().any(|words| line.contains(words));
    let (text, other) = if runs_program { (stderr, stdout) } else { (stdout, stderr) };
    assert!(!other.contains('{'), "{line}: {run}");
    assert_eq!(text.lines().count(), 1, "{line}: {run}");
    (run.code, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{line}: {error}: {run}")))
}

/// Each failure is an object, whose code is the exit code.
#[test]
fn failure_is_an_object_on_stdout() {
    let env = with_guest("hostile", &HOSTILE);
    env.write("work/broken.wasm", "not wasm");
    env.write("work/list.toml", "[extensions");
    let schema = Schema::new("run");
    for line in [
        "extension call nobody greet",
        "extension call hostile absent",
        "extension call hostile spin 1",
        "extension call hostile panic boom",
        "extension call hostile exit 3",
        "extension call hostile long-string x",
        "extension run hostile",
        "extension run nobody",
        "extension info nobody",
        "extension install ./absent.wasm",
        "extension install ./broken.wasm",
        "extension install oci:absent --name x",
        "extension install --offline 127.0.0.1:1/my-org/x:1",
        "extension install 127.0.0.1:1/my-org/x:1",
        "extension install 127.0.0.1:1/my-org/x:1 --what",
        "extension install https://127.0.0.1:1/x.wasm",
        "extension install --name UPPER ./broken.wasm",
        "extension inspect ./broken.wasm",
        "extension inspect ./absent.wasm",
        "extension remove nobody",
        "extension enable nobody",
        "extension disable nobody",
        "extension grant nobody notification",
        "extension grant hostile nonsense",
        "extension grant hostile network=not/a/host",
        "extension revoke nobody notification",
        "extension rollback hostile",
        "extension history nobody",
        "extension logs nobody",
        "extension docs nobody",
        "extension update nobody",
        "extension pin nobody",
        "extension export nobody -o x.tar",
        "extension import ./absent.tar",
        "extension import ./broken.wasm",
        "extension sync ./list.toml",
        "extension sync ./absent.toml",
        "extension exec nobody -- true",
        "extension build",
        "extension publish 127.0.0.1:1/my-org/x:1 ./absent.wasm",
        "extension verify nobody",
        "extension why nobody",
        "trust add ./absent.pub --for ghcr.io",
        "registry tags 127.0.0.1:1/my-org/x",
        "nonsense",
        "extension",
        "extension call",
        "extension list --what",
    ] {
        let (code, object) = object(&env, &format!("--json {line}"));
        let error = &object["error"];
        assert!(code != 0 && error["code"] == code, "{line}: exit {code}: {object}");
        assert!(
            error["message"].as_str().is_some_and(|message| !message.is_empty()),
            "{line}: {object}"
        );
        for list in ["causes", "details", "hints", "refused"] {
            assert!(error[list].is_array(), "{line}: {list}: {object}");
        }
        schema.check(line, &object);
    }
}

/// The outcomes for several names, with the reasons of failures, are one object.
#[test]
fn partial_failure_is_one_object() {
    let env = with_guest("echo", &ECHO);
    let (code, object) = object(&env, "--json extension remove echo nobody");
    assert_eq!((code, object["removed"].as_array().map(Vec::len)), (3, Some(1)), "{object}");
    assert_eq!(object["errors"][0]["kind"], "not-found", "{object}");
}

#[test]
fn warnings_stand_in_the_object() {
    let env = with_guest("echo", &ECHO);
    let manifest = ".config/pds/extensions/echo.toml";
    env.write(manifest, env.read(manifest) + "\n[limit]\nmax_fuel = 1\n");
    let run = env.run("--json extension call echo echo-string x").ok();
    assert_eq!(run.stderr, "", "{run}");
    let object: Value = serde_json::from_slice(&run.stdout).expect("an object");
    assert!(
        object["warnings"][0].as_str().is_some_and(|warning| warning.contains("limit")),
        "{object}"
    );
    assert_eq!(object["result"], "x");
}

/// A program reads refusals as data and need not parse sentences.
#[test]
fn refusals_are_listed() {
    let env = env();
    env.write("work/desktop.wasm", test_support::guest("desktop"));
    env.run("extension install ./desktop.wasm").ok();
    let (code, object) =
        object(&env, "--json extension call desktop fetch https api.example.com /");
    assert_eq!(code, 5, "{object}");
    let named = object["error"]["refused"].as_array().is_some_and(|refused| !refused.is_empty());
    assert!(named || object["error"]["kind"] == "refused", "{object}");
}
