//! JSON Schemas (draft 2020-12) of the values that are one text, and of the tables that are read
//! key by key. The other types derive theirs.
//!
//! A pattern refuses nothing that the parser takes. What no pattern can say, such as a path that
//! two directories share, is left to the parser.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::capability::{
    Capabilities, Capability, EnvName, ExecEnv, Feature, Grant, GrantedPath, MAX_REASON,
    NetworkRule, Pattern, RequestedCapabilities, ResourceRule, ScopeKind, SecretName, StorageSize,
};
use crate::documents::{ApplicationId, Config};
use crate::event::{
    AuthorEvents, EventName, EventPattern, EventTables, EventType, Interval, MAX_PATHS, MAX_SSIDS,
    MAX_TIMES, Setting, Weekday,
};
use crate::limits::{LimitName, Limits};
use crate::policy::Period;
use crate::reference::{Digest, ExtensionName, Identity, OciPrefix, OciQuery, OciReference};
use crate::storage::StorageKey;

/// Implements the schema of a type whose values are texts of this pattern.
macro_rules! text_schema {
    ($($type:ident: $description:literal, $pattern:expr;)+) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "description": $description,
                    "pattern": $pattern,
                })
            }
        }
    )+};
}

/// Implements the schema of a type that is read as another.
macro_rules! schema_as {
    ($type:ident, $written:ty) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                <$written as schemars::JsonSchema>::json_schema(generator)
            }
        }
    };
}
pub(crate) use schema_as;

/// A part of a path that is neither `.` nor `..`, or nothing.
const PART: &str = r"([^/.][^/]*|\.[^/.][^/]*|\.\.[^/]+)";

/// A reference: where the registry could be taken for a path, the repository has two parts.
const REFERENCE: &str = r"^(oci://)?(([^/@]*[.:][^/@]*|localhost|local)/[^:@]+|[^/@]+/[^/:@]+/[^:@]+):[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(@[^@]+)?$";

text_schema! {
    ExtensionName: "The name of an extension", "^[a-z0-9][a-z0-9-]{0,63}$";
    SecretName: "The name of a secret", "^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$";
    StorageKey: "The key of a value", "^[a-z0-9][a-z0-9._/-]{0,127}$";
    EnvName: "The name of an environment variable", "^[A-Za-z_][A-Za-z0-9_]{0,127}$";
    ExecEnv: "The name of an environment variable, or the beginning of several, such as `APP_*`",
        r"^[A-Za-z_][A-Za-z0-9_]{0,127}$|^[A-Za-z_][A-Za-z0-9_]+_\*$";
    Pattern: "A dotted name, or `greeting.*` for all below `greeting`",
        r"^(\*|[^\s./*]+(\.[^\s./*]+)*(\.\*)?)$";
    Digest: "The digest of exact bytes", "^sha256:[0-9a-f]{64}$";
    Period: "A length of time, such as `90s`, `1h 30m` or `7d`",
        r"^\s*[0-9]+[wdhms](\s+[0-9]+[wdhms])*\s*$";
    Interval: "A length of time from `1s` to `30d`, such as `15m`",
        r"^\s*[0-9]+[wdhms](\s+[0-9]+[wdhms])*\s*$";
    EventName: "The name of an event, such as `power.battery` or `custom.build.done`",
        r"^[^\s./*]+(\.[^\s./*]+)+$";
    EventPattern: "The name of an event, or `power.*` for all below `power` that are not private",
        r"^[^\s./*]+(\.[^\s./*]+)*(\.\*)?$";
    ApplicationId: "The id of an application of Flatpak or Snap", "^[A-Za-z0-9_.-]{1,255}$";
    Grant: "A permission: a capability, and its scope where it has one", "^[a-z-]+(=.+)?$";
    ResourceRule: "A kind of resource and its methods, such as `v1/configmaps:get`",
        "^[^:]+/[^:]+:(get|create|update|delete)(,(get|create|update|delete))*$";
    OciReference: "`registry/principal/scope:revision[@digest]`",
        REFERENCE;
    Identity: "The origin of an extension: `registry/principal/scope`", "^.+$";
    OciQuery: "A reference, possibly without its revision", "^[^/]+/.+$";
    OciPrefix: "`registry[/principal[/scope]]`: all that comes from there", "^[^/]+(/.+)?$";
}

impl JsonSchema for Capability {
    fn schema_name() -> Cow<'static, str> {
        "Capability".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "The name of a capability",
            "enum": Self::ALL.map(Self::name),
        })
    }
}

impl JsonSchema for Feature {
    fn schema_name() -> Cow<'static, str> {
        "Feature".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A feature that may still change or go",
            "enum": Self::ALL.map(Self::name),
        })
    }
}

impl JsonSchema for StorageSize {
    fn schema_name() -> Cow<'static, str> {
        "StorageSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer",
            "description": "How much data an extension can keep, in KiB",
            "minimum": 1,
            "maximum": Self::MAX.kib(),
        })
    }
}

impl JsonSchema for GrantedPath {
    fn schema_name() -> Cow<'static, str> {
        "GrantedPath".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let host = format!("~|(~/|/){PART}?(/{PART}?)*");
        let guest = format!(r"\.|/|/?{PART}(/{PART})*");
        let text = json_schema!({
            "type": "string",
            "description": "A directory, possibly with `::` and its path for the extension",
            "pattern": format!("^({host})(::({guest}))?$"),
        });
        if generator.contract().is_serialize() {
            return text;
        }
        json_schema!({
            "anyOf": [text, {
                "type": "object",
                "properties": {
                    "path": { "type": "string", "pattern": format!("^({host})$") },
                    "guest": { "type": "string", "pattern": format!("^({guest})$") },
                },
                "required": ["path"],
                "additionalProperties": false,
            }],
        })
    }
}

impl JsonSchema for NetworkRule {
    fn schema_name() -> Cow<'static, str> {
        "NetworkRule".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = json_schema!({
            "type": "string",
            "description": "`[scheme://]host[:port][+private]`",
            "pattern": r"^(https?://)?(\*\.)?[^\s/*]+$",
        });
        if generator.contract().is_serialize() {
            return text;
        }
        json_schema!({
            "anyOf": [text, {
                "type": "object",
                "properties": { "host": text, "allow_private": { "type": "boolean" } },
                "required": ["host"],
                "additionalProperties": false,
            }],
        })
    }
}

impl JsonSchema for Capabilities {
    fn schema_name() -> Cow<'static, str> {
        "Capabilities".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let properties = properties(of_scope, generator);
        let table = json_schema!({
            "type": "object",
            "description": "What an extension may do; nothing else is possible",
            "properties": properties,
        });
        closed(table, generator)
    }
}

/// Returns a property for each capability, with the form of its scope.
fn properties(
    form: fn(ScopeKind, &mut SchemaGenerator) -> Schema,
    generator: &mut SchemaGenerator,
) -> serde_json::Map<String, Value> {
    let property = |capability: Capability| {
        let mut schema = form(capability.spec().scope, generator);
        schema.insert("description".to_owned(), capability.spec().meaning.into());
        (capability.name().to_owned(), schema.to_value())
    };
    Capability::ALL.into_iter().map(property).collect()
}

/// The form of a capability whose grants reach this far.
fn of_scope(scope: ScopeKind, generator: &mut SchemaGenerator) -> Schema {
    match scope {
        ScopeKind::Whole => json_schema!({ "type": "boolean" }),
        ScopeKind::Keys => {
            let keys = list::<Pattern>(generator);
            let table = json_schema!({
                "type": "object",
                "properties": { "keys": keys },
                "required": ["keys"],
            });
            json_schema!({ "anyOf": [{ "type": "boolean" }, closed(table, generator)] })
        }
        ScopeKind::Size => {
            let size = generator.subschema_for::<StorageSize>();
            let table = json_schema!({
                "type": "object",
                "properties": { "max_kib": size },
                "required": ["max_kib"],
            });
            json_schema!({ "anyOf": [{ "type": "boolean" }, closed(table, generator)] })
        }
        ScopeKind::Directories => {
            let paths = list::<GrantedPath>(generator);
            let table = json_schema!({
                "type": "object",
                "properties": { "read": paths, "write": paths },
            });
            closed(table, generator)
        }
        ScopeKind::Topics => list::<Pattern>(generator),
        ScopeKind::Secrets => list::<SecretName>(generator),
        ScopeKind::Variables => list::<EnvName>(generator),
        ScopeKind::Hosts => list::<NetworkRule>(generator),
        ScopeKind::CommandVariables => list::<ExecEnv>(generator),
        ScopeKind::Resources => list::<ResourceRule>(generator),
        ScopeKind::Events => list::<EventPattern>(generator),
        ScopeKind::Features => list::<Feature>(generator),
    }
}

impl JsonSchema for RequestedCapabilities {
    fn schema_name() -> Cow<'static, str> {
        "RequestedCapabilities".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let properties = properties(of_request, generator);
        json_schema!({
            "type": "object",
            "description": "What the extension asks for; the user decides",
            "properties": properties,
            "additionalProperties": false,
        })
    }
}

/// The form of a request, which can say that it is optional, and why it is made.
fn of_request(scope: ScopeKind, generator: &mut SchemaGenerator) -> Schema {
    match scope {
        ScopeKind::Whole => {
            json_schema!({ "anyOf": [{ "type": "boolean" }, asked(json!({}), &[])] })
        }
        ScopeKind::Keys => {
            let keys = asked(json!({ "keys": list::<Pattern>(generator) }), &["keys"]);
            json_schema!({ "anyOf": [{ "type": "boolean" }, keys] })
        }
        ScopeKind::Size => {
            let size = asked(json!({ "max_kib": generator.subschema_for::<StorageSize>() }), &[]);
            json_schema!({ "anyOf": [{ "type": "boolean" }, size] })
        }
        ScopeKind::Directories => {
            let path = generator.subschema_for::<GrantedPath>();
            let table = asked(json!({ "path": path, "guest": { "type": "string" } }), &["path"]);
            let paths = json!({ "type": "array", "items": { "anyOf": [path, table] } });
            asked(json!({ "read": paths, "write": paths }), &[])
        }
        ScopeKind::Hosts => {
            let host = generator.subschema_for::<NetworkRule>();
            let private = json!({ "type": "boolean" });
            let table = asked(json!({ "host": host, "allow_private": private }), &["host"]);
            json_schema!({ "type": "array", "items": { "anyOf": [host, table] } })
        }
        ScopeKind::Topics => named::<Pattern>(generator),
        ScopeKind::Secrets => named::<SecretName>(generator),
        ScopeKind::Variables => named::<EnvName>(generator),
        ScopeKind::CommandVariables => named::<ExecEnv>(generator),
        ScopeKind::Resources => named::<ResourceRule>(generator),
        ScopeKind::Events => named::<EventPattern>(generator),
        ScopeKind::Features => named::<Feature>(generator),
    }
}

/// A list of texts, or of tables that have the text under `name`.
fn named<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let name = generator.subschema_for::<T>();
    let table = asked(json!({ "name": name }), &["name"]);
    json_schema!({ "type": "array", "items": { "anyOf": [name, table] } })
}

/// A table with these members beside those of a request.
fn asked(mut properties: Value, required: &[&str]) -> Schema {
    properties["optional"] = json!({
        "type": "boolean",
        "description": "Whether the extension works without it",
    });
    properties["reason"] = json!({
        "type": "string",
        "description": "Why it asks, in one line",
        "maxLength": MAX_REASON,
    });
    json_schema!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// Forbids other members in what people write, where they are mistakes. Output may have more in a
/// later version.
fn closed(mut table: Schema, generator: &SchemaGenerator) -> Schema {
    if generator.contract().is_deserialize() {
        table.insert("additionalProperties".to_owned(), false.into());
    }
    table
}

fn list<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": generator.subschema_for::<T>() })
}

impl JsonSchema for Limits {
    fn schema_name() -> Cow<'static, str> {
        "Limits".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let keys = LimitName::ALL.into_iter().filter_map(|name| Some((name, name.key()?)));
        let properties: serde_json::Map<_, _> = keys
            .map(|(name, key)| {
                let spec = name.spec();
                let limit = serde_json::json!({
                    "type": "integer",
                    "description": spec.meaning,
                    "minimum": spec.lowest,
                    "maximum": spec.ceiling,
                    "default": spec.default,
                });
                (key.to_owned(), limit)
            })
            .collect();
        let table = json_schema!({
            "type": "object",
            "description": "The limits of one call",
            "properties": properties,
        });
        closed(table, generator)
    }
}

impl JsonSchema for Config {
    fn schema_name() -> Cow<'static, str> {
        "Config".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = if generator.contract().is_serialize() {
            json_schema!({ "type": "string" })
        } else {
            generator.subschema_for::<ConfigValue>()
        };
        json_schema!({
            "type": "object",
            "description": "Settings: dotted keys, or tables of them",
            "additionalProperties": value,
        })
    }
}

/// A value of `[config]` as it is written: a scalar, or a table of more.
struct ConfigValue;

impl JsonSchema for ConfigValue {
    fn schema_name() -> Cow<'static, str> {
        "ConfigValue".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer", "number", "boolean", "object"],
            "additionalProperties": generator.subschema_for::<Self>(),
        })
    }
}

impl JsonSchema for EventTables {
    fn schema_name() -> Cow<'static, str> {
        "EventTables".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        events(generator, |_| true)
    }
}

impl JsonSchema for AuthorEvents {
    fn schema_name() -> Cow<'static, str> {
        "AuthorEvents".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        events(generator, |setting| !setting.is_of_user())
    }
}

/// Returns a table for each event, with those settings that can stand there.
fn events(generator: &mut SchemaGenerator, is_there: fn(Setting) -> bool) -> Schema {
    let mut table_of = |event: EventType| {
        let settings = Setting::ALL.into_iter().filter(|setting| event.has_setting(*setting));
        let properties: serde_json::Map<_, _> = settings
            .filter(|setting| is_there(*setting))
            .map(|setting| (setting.key().to_owned(), setting_form(setting, generator).to_value()))
            .collect();
        let table = json_schema!({
            "type": "object",
            "description": event.spec().meaning,
            "properties": properties,
        });
        closed(table, generator).to_value()
    };
    let known = EventType::ALL.into_iter().filter(|event| *event != EventType::Custom);
    let properties: serde_json::Map<_, _> =
        known.map(|event| (event.spec().name.to_owned(), table_of(event))).collect();
    let custom = table_of(EventType::Custom);
    let table = json_schema!({
        "type": "object",
        "description": "What wakes the extension, with settings for each event",
        "properties": properties,
        "patternProperties": { r"^custom\.[^\s./*]+(\.[^\s./*]+)*$": custom },
    });
    closed(table, generator)
}

/// Returns the form of a setting.
fn setting_form(setting: Setting, generator: &mut SchemaGenerator) -> Schema {
    let several = |most: usize, item: Value| {
        // Duplicates count once, so that a longer list can be one of so many.
        let description = format!("At most {most} different ones");
        json_schema!({ "type": "array", "minItems": 1, "items": item, "description": description })
    };
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    match setting {
        Setting::Every => generator.subschema_for::<Interval>(),
        Setting::At => several(MAX_TIMES, text("^([01][0-9]|2[0-3]):[0-5][0-9]$")),
        Setting::Days => several(
            Weekday::ALL.len(),
            json!({ "type": "string", "enum": Weekday::ALL.map(Weekday::name) }),
        ),
        Setting::Below | Setting::Above => {
            json_schema!({ "type": "integer", "minimum": 0, "maximum": 100 })
        }
        Setting::Ssid => several(MAX_SSIDS, json!({ "type": "string", "minLength": 1 })),
        Setting::Player => {
            json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9_.-]{1,128}$" })
        }
        Setting::Paths => several(MAX_PATHS, text("^[~/]")),
        Setting::Exact
        | Setting::CatchUp
        | Setting::Charging
        | Setting::WhileLocked
        | Setting::Enabled => json_schema!({ "type": "boolean" }),
    }
}
