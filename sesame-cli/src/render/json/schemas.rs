//! The JSON Schemas of every command's object and of every document, made from the types.

use core_types::{ExtensionList, Manifest, Policy};
use extension_depot::EffectiveConfig;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::envelope::{Failed, Object};
use super::objects::*;
use crate::project::ProjectFile;

/// The directory in which the schemas are published, for editors and for `$id`.
const PUBLISHED: &str = "https://raw.githubusercontent.com/open-sesame/sesame/main/schemas";

/// Commands and the objects that they print, one of which it is each time.
struct CommandRow {
    /// The commands, with `-` between their words.
    names: &'static [&'static str],
    objects: fn(&mut SchemaGenerator) -> Vec<Schema>,
}

/// A document that people write.
struct DocumentRow {
    name: &'static str,
    title: &'static str,
    schema: fn(&mut SchemaGenerator) -> Schema,
}

macro_rules! command_rows {
    ($($($name:literal)|+ => [$($object:ty),*];)+) => {
        &[$(CommandRow {
            names: &[$($name),+],
            objects: |_generator| vec![$(_generator.subschema_for::<$object>()),*],
        },)+]
    };
}

/// Every command. What `run` and `exec` print is a program's own; `dev` and `demo` print an object
/// on each line.
const COMMANDS: &[CommandRow] = command_rows! {
    "list" => [Object<Listed<'static>>, Object<Orphans<'static>>];
    "install" | "import" => [Object<Installed<'static>>];
    "call" => [Called<'static>, Object<LearnedNeeds<'static>>];
    "info" => [Object<Known<'static>>];
    "inspect" => [Object<Inspected<'static>>];
    "update" => [Object<Updated<'static>>];
    "outdated" => [Object<Outdated<'static>>];
    "remove" => [Object<Removed<'static>>];
    "enable" | "disable" | "grant" | "revoke" | "pin" | "unpin" | "unset" | "edit" | "sign"
        | "secret-set" | "secret-remove" | "trust-add" | "trust-remove" | "trust-accept"
        | "registry-login" | "registry-logout" => [Object<Changed<'static>>];
    "set" => [Object<Changed<'static>>, Object<Settings<'static>>];
    "verify" => [Object<Verified<'static>>];
    "events" => [Object<Events<'static>>];
    "trigger" => [Object<Delivered<'static>>];
    "why" => [Object<Why<'static>>];
    "activity" => [Object<Activity<'static>>];
    "activity-verify" => [Object<ActivityVerified<'static>>];
    "history" => [Object<History<'static>>];
    "rollback" => [Object<RolledBack<'static>>];
    "gc" => [Object<Collected<'static>>];
    "sync" => [Object<Synced<'static>>];
    "docs" => [Object<Page<'static>>, Object<Pages<'static>>];
    "logs" => [Object<Log<'static>>];
    "new" | "build" | "export" | "man" | "trust-keygen" | "wasi-download"
        => [Object<Written<'static>>];
    "test" | "wasi-test" => [Object<Tested<'static>>];
    "publish" | "wasi-publish" => [Object<Published<'static>>];
    "dev" => [
        Object<Installed<'static>>, Called<'static>, Object<Tested<'static>>
    ];
    "demo" => [
        Object<Installed<'static>>, Object<Listed<'static>>, Called<'static>,
        Object<Changed<'static>>, Object<Why<'static>>, Object<Updated<'static>>,
        Object<RolledBack<'static>>, Object<Activity<'static>>
    ];
    "completions" => [Object<Script<'static>>, Object<Written<'static>>];
    "storage" => [Object<Storage<'static>>, Object<Changed<'static>>];
    "storage-get" => [Object<Stored<'static>>];
    "storage-set" | "storage-remove" => [Object<Changed<'static>>];
    "session-install" => [Object<Service<'static>>];
    "secret-list" => [Object<Secrets<'static>>];
    "trust-list" => [Object<Trusted<'static>>];
    "registry-list" => [Object<Logins<'static>>];
    "registry-tags" => [Object<Tags<'static>>];
    "config-show" => [Object<Configured<'static>>];
    "config-validate" => [Object<Validated<'static>>];
    "doctor" => [Object<Diagnosed<'static>>];
    "workload-validate" => [Object<Problems<'static>>];
    "workload-default" | "workload-sync" => [Object<Workload<'static>>];
    "workload-delete" => [Object<Deleted<'static>>];
    "schema" => [Object<Schemas<'static>>, Object<OneSchema<'static>>];
    "session-status" => [Object<Session<'static>>];
    "session-emit" => [Object<Emitted>];
    "session-stop" => [Object<Stopped>];
    "run" | "exec" | "session-run" | "watch" => [];
};

const DOCUMENTS: &[DocumentRow] = &[
    DocumentRow {
        name: "manifest.toml",
        title: "The manifest of an extension: ~/.config/pds/extensions/NAME.toml",
        schema: Manifest::json_schema,
    },
    DocumentRow {
        name: "extension.toml",
        title: "The project of an extension's author",
        schema: ProjectFile::json_schema,
    },
    DocumentRow {
        name: "config.toml",
        title: "The configuration of a user: ~/.config/pds/config.toml",
        schema: EffectiveConfig::json_schema,
    },
    DocumentRow {
        name: "policy.toml",
        title: "The policy of the system: /etc/pds/policy.toml",
        schema: Policy::json_schema,
    },
    DocumentRow {
        name: "list.toml",
        title: "A list of extensions, for `sync`",
        schema: ExtensionList::json_schema,
    },
];

/// Returns the names of all schemas: documents, then commands.
pub fn names() -> impl Iterator<Item = &'static str> {
    let documents = DOCUMENTS.iter().map(|document| document.name);
    documents.chain(COMMANDS.iter().flat_map(|row| row.names.iter().copied()))
}

/// Returns the schema of this name, if there is one.
pub fn schema(name: &str) -> Option<Value> {
    let document = DOCUMENTS.iter().find(|document| document.name == name).map(of_document);
    let row = COMMANDS.iter().find(|row| row.names.contains(&name));
    document.or_else(|| row.map(|row| of_command(name, row)))
}

fn of_document(document: &DocumentRow) -> Value {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    let mut generator = settings.into_generator();
    let schema = (document.schema)(&mut generator);
    let mut schema = schema.to_value();
    schema["title"] = document.title.into();
    complete(document.name, schema, generator)
}

fn of_command(name: &str, row: &CommandRow) -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut objects = (row.objects)(&mut generator);
    objects.push(generator.subschema_for::<Object<Failed>>());
    let words = name.replace('-', " ");
    let schema = json!({
        "title": format!("The object of `sesame {words} --json`"),
        "anyOf": objects,
    });
    complete(name, schema, generator)
}

/// Adds what every schema has: its dialect, its address and the definitions that it refers to.
fn complete(name: &str, mut schema: Value, mut generator: SchemaGenerator) -> Value {
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["$id"] = format!("{PUBLISHED}/{name}.json").into();
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        schema["$defs"] = definitions.into();
    }
    shorten_descriptions(&mut schema);
    schema
}

/// Keeps the first paragraph of each description: doc comments go on with what concerns Rust.
fn shorten_descriptions(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(text)) = members.get_mut("description") {
                let first = text.split("\n\n").next().unwrap_or_default();
                *text = first.replace('\n', " ");
            }
            members.values_mut().for_each(shorten_descriptions);
        }
        Value::Array(items) => items.iter_mut().for_each(shorten_descriptions),
        _ => {}
    }
}

/// Returns a schema as it is published.
pub fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;
    use clap::CommandFactory;

    fn directory() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas")
    }

    /// The files in `schemas/` are what the types say. With `SESAME_WRITE_SCHEMAS` they are
    /// written.
    #[test]
    fn published_schemas_are_current() {
        let write = std::env::var_os("SESAME_WRITE_SCHEMAS").is_some();
        for name in names() {
            let path = directory().join(format!("{name}.json"));
            let text = text(&schema(name).expect(name));
            if write {
                std::fs::write(&path, &text).expect(name);
            }
            let published = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                published == text,
                "{name}: write it anew with SESAME_WRITE_SCHEMAS=1 cargo test published_schemas"
            );
        }
        let known: BTreeSet<_> = names().map(|name| format!("{name}.json")).collect();
        let files = std::fs::read_dir(directory()).expect("there").flatten();
        for file in files.map(|file| file.file_name().to_string_lossy().into_owned()) {
            assert!(known.contains(&file), "{file}: there is no such schema");
        }
    }

    /// Adds the names of all commands below one, with `-` between their words.
    fn add_commands(command: &clap::Command, prefix: &str, found: &mut BTreeSet<String>) {
        for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
            let name = format!("{prefix}{}", below.get_name());
            let has_more = below.get_subcommands().next().is_some();
            let prefix = if name == "extension" { String::new() } else { format!("{name}-") };
            if !has_more || ["activity", "storage"].contains(&below.get_name()) {
                found.insert(name.clone());
            }
            add_commands(below, &prefix, found);
        }
    }

    /// A command without a schema would print what no program can rely on.
    #[test]
    fn every_command_has_a_schema() {
        let mut command = crate::arguments::Arguments::command();
        command.build();
        let mut found = BTreeSet::new();
        add_commands(&command, "", &mut found);
        // It prints text that another command was asked for with `--help`.
        found.remove("help");
        let known = COMMANDS.iter().flat_map(|row| row.names).map(|name| (*name).to_owned());
        let known: BTreeSet<_> = known.collect();
        assert_eq!(found, known);
    }
}
