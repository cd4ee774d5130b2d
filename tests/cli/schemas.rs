//! The JSON Schemas hold for what the program prints and for what people write.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use test_support::{TestEnv, guest};

use crate::support::{bare, env, publish, registry, root, with_guest};

fn directory(name: &str) -> PathBuf {
    root().join(name)
}

/// A published schema, ready to check values against.
pub struct Schema {
    name: String,
    schemas: boon::Schemas,
    index: boon::SchemaIndex,
}

impl Schema {
    pub fn new(name: &str) -> Self {
        let path = directory("schemas").join(format!("{name}.json"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let schema: Value = serde_json::from_str(&text).expect(name);
        let address = schema["$id"].as_str().expect("an address").to_owned();
        let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        compiler.enable_format_assertions();
        compiler.add_resource(&address, schema).expect(name);
        let index = compiler.compile(&address, &mut schemas).expect(name);
        Self { name: name.to_owned(), schemas, index }
    }

    #[track_caller]
    pub fn check(&self, line: &str, value: &Value) {
        let checked = self.schemas.validate(value, self.index);
        if let Err(error) = checked {
            panic!("{} of `{line}`: {error}\n{value}", self.name);
        }
    }

    fn allows(&self, value: &Value) -> bool {
        self.schemas.validate(value, self.index).is_ok()
    }
}

/// The name of the schema of a command line: its words up to the first that is not a command.
fn schema_of(line: &str) -> String {
    let words: Vec<_> = line
        .split_whitespace()
        .filter(|word| !word.starts_with('-') && !matches!(*word, "extension"))
        .collect();
    match words.as_slice() {
        ["secret" | "trust" | "registry" | "config" | "workload" | "wasi", below, ..] => {
            format!("{}-{below}", words[0])
        }
        ["activity", "verify", ..] => "activity-verify".to_owned(),
        [command, ..] => (*command).to_owned(),
        [] => panic!("{line}: there is no command"),
    }
}

/// Runs a command with `--json`, and checks each line that it prints.
#[track_caller]
fn check(env: &TestEnv, line: &str) {
    let schema = Schema::new(&schema_of(line));
    let run = env.run(&format!("--json {line}"));
    let text = run.text();
    assert!(!text.is_empty(), "{line}: {run}");
    for object in text.lines() {
        let object = serde_json::from_str(object)
            .unwrap_or_else(|error| panic!("{line}: {error}: {object}"));
        schema.check(line, &object);
    }
    assert!(!run.stderr.contains("{\""), "{line}: {run}");
}

/// Each of these, in a home where there is something to tell.
#[test]
fn output_matches_schemas() {
    let (env, registry) = (env(), registry());
    let host = registry.host();
    publish(&registry, "my-org/greeting-extension:0.2.0", &guest("greeting"), &[]);
    env.write("work/echo.wasm", guest("echo"));
    env.write("work/wide.wasm", bare(1, "[capabilities]\nnetwork = [\"api.example.com\"]\n"));
    env.write("work/list.toml", "[gone]\noci = \"127.0.0.1:1/my-org/gone:1\"\n");
    env.write(".config/pds/config.toml", "[extensions.policy]\ndeny = [\"clipboard-write\"]\n");
    for line in [
        &format!("install {host}/my-org/greeting-extension:0.1.0"),
        "install ./echo.wasm --name echo",
        "install ./wide.wasm --name wide --grant network=api.example.com",
        "install ./wide.wasm --name wide",
        "list",
        "info greeting-extension",
        "inspect greeting-extension",
        "inspect ./wide.wasm",
        "call greeting-extension greet World",
        "call echo echo-bytes x",
        "call echo echo-string x --learn",
        "call echo absent",
        "extension grant greeting-extension notification",
        "extension revoke greeting-extension notification",
        "extension disable echo",
        "extension enable echo",
        "extension set echo limits.max_fuel=1000000",
        "extension set echo --list",
        "extension unset echo limits.max_fuel",
        "extension why greeting-extension",
        "extension activity",
        "extension activity verify",
        "extension verify",
        "extension outdated",
        "update greeting-extension --dry-run",
        "update greeting-extension",
        "extension pin echo",
        "extension unpin echo",
        "extension history greeting-extension",
        "extension rollback greeting-extension",
        "extension gc --dry-run",
        "extension sync --check",
        "extension sync ./list.toml --dry-run",
        "extension docs greeting-extension",
        "extension logs echo",
        "extension export echo --output out.tar",
        "remove echo",
        "extension import out.tar",
        "extension new made",
        "extension build",
        "extension test",
        &format!("extension publish {host}/my-org/wide:1.0.0 ./wide.wasm --dry-run"),
        &format!("extension publish {host}/my-org/wide:1.0.0 ./wide.wasm"),
        "trust keygen key",
        "trust add key.pub --for ghcr.io/my-org",
        "trust list",
        "trust remove key.pub",
        "trust accept greeting-extension",
        &format!("registry tags {host}/my-org/greeting-extension"),
        "registry list",
        &format!("registry logout {host}"),
        "secret list echo",
        "config show --origin",
        "config validate",
        "doctor --offline",
        "completions bash",
        "man pages",
        "schema",
        "schema policy.toml",
        "demo",
        "wasi test ./wide.wasm",
        &format!("wasi download {host}/my-org/wide:1.0.0 --output downloaded"),
        "workload validate echo --workload none.yaml",
        "workload delete echo --workload none.yaml",
        "remove greeting-extension nobody",
    ] {
        check(&env, line);
    }
}

/// The signers, the log of refusals and a broken manifest have objects too.
#[test]
fn rare_output_matches_schemas() {
    let env = with_guest("hostile", &guest("hostile"));
    env.write(".config/pds/extensions/broken.toml", "[limits]\nmax_fuel = \"lots\"\n");
    for line in [
        "list",
        "doctor --offline",
        "config validate",
        "call hostile spin 1",
        "call hostile panic boom",
        "extension activity hostile",
        "extension logs hostile",
        "extension verify",
        "extension sync",
    ] {
        check(&env, line);
    }
}

/// A TOML document as the JSON that its schema is for.
fn json_of(text: &str) -> Option<Value> {
    fn value(found: toml::Value) -> Value {
        match found {
            toml::Value::Table(table) => {
                table.into_iter().map(|(key, below)| (key, value(below))).collect()
            }
            toml::Value::Array(list) => list.into_iter().map(value).collect(),
            toml::Value::String(text) => text.into(),
            toml::Value::Integer(number) => number.into(),
            toml::Value::Float(number) => number.into(),
            toml::Value::Boolean(is) => is.into(),
            toml::Value::Datetime(time) => time.to_string().into(),
        }
    }
    text.parse::<toml::Table>().ok().map(|table| value(toml::Value::Table(table)))
}

fn samples(below: &str) -> Vec<(String, String)> {
    let files = fs::read_dir(directory(below)).expect("there").flatten();
    let mut files: Vec<_> = files
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("text");
            (name, text)
        })
        .collect();
    files.sort();
    files
}

/// The name of the schema that a sample names in its first line.
fn named_schema(name: &str, text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let address = first.strip_prefix("#:schema ").unwrap_or_else(|| panic!("{name}: {first}"));
    let schema = address.rsplit('/').next().and_then(|file| file.strip_suffix(".json"));
    schema.unwrap_or_else(|| panic!("{name}: {address}")).to_owned()
}

#[test]
fn samples_match_the_schemas_they_name() {
    let all = samples("config-examples");
    assert!(all.len() > 4, "{}", all.len());
    for (name, text) in all {
        let schema = named_schema(&name, &text);
        Schema::new(&schema).check(&name, &json_of(&text).expect(&name));
    }
}

/// What a schema cannot say: it compares no values with each other, measures no lengths of time, and
/// knows no file names.
const BEYOND_SCHEMAS: [&str; 4] = [
    "config-collision.toml",
    "event-every-too-long.toml",
    "filesystem-same-guest-path.toml",
    "name-of-another-file.toml",
];

#[test]
fn invalid_samples_match_no_schema() {
    let schema = Schema::new("manifest.toml");
    let allowed = |(_, text): &(String, String)| {
        json_of(text).is_some_and(|document| schema.allows(&document))
    };
    let allowed: Vec<_> = samples("config-examples/invalid")
        .into_iter()
        .filter(allowed)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(allowed, BEYOND_SCHEMAS);
}
