//! The keys that each table of sesame's documents can have, to name the nearest one where a key is
//! misspelt.

use crate::capability::Capability;
use crate::event::{EventType, Setting, nearest_name};
use crate::limits::LimitName;

/// The keys of a policy, which stand at the top of its own file.
const POLICY: [&str; 13] = [
    "deny",
    "deny_events",
    "min_event_interval",
    "allowed_registries",
    "blocked_namespaces",
    "require_signature",
    "trusted_signers",
    "min_release_age",
    "preapproved",
    "lists_that_prune",
    "max_storage_kib",
    "session",
    "limits",
];
const EXTENSION: [&str; 6] = ["name", "version", "oci", "description", "enabled", "pinned"];
const REGISTRY: [&str; 6] =
    ["plain_http", "token_hosts", "mirrors", "ca", "allow-redirect-to", "timeout_seconds"];
/// The tables at the top of a manifest and of `config.toml`, and the keys of an entry of a list.
const TOP: [&str; 10] = [
    "extension",
    "capabilities",
    "limits",
    "config",
    "registries",
    "extensions",
    "oci",
    "events",
    "service",
    "session",
];
const SERVICE: [&str; 2] = ["functions", "sandboxed"];
const SESSION: [&str; 4] = ["enabled", "idle_exit", "consent", "max_parallel"];
/// Longer than every key, so that a longer text is near to none of them.
const MAX_KEY: usize = 64;
/// Half of the letters are the same: a key that is further off is rather another idea than a typing
/// error.
const MIN_SIMILARITY: f64 = 0.5;

/// Returns the nearest key that can stand where this one does, if one is near. `path` is the key
/// with its tables.
pub(crate) fn nearest(path: &str) -> Option<&'static str> {
    let (table, key) = path.rsplit_once('.').unwrap_or(("", path));
    if let Some(rest) = below_events(path) {
        return match event_of(rest) {
            Some(event) => nearest_of(key, settings_of(event)),
            None => nearest_name(rest),
        };
    }
    nearest_of(key, keys_of(table))
}

fn nearest_of(key: &str, known: Vec<&'static str>) -> Option<&'static str> {
    if key.len() > MAX_KEY {
        return None;
    }
    let similarity = |known: &&str| strsim::normalized_levenshtein(known, &key.to_lowercase());
    let known = known.into_iter().filter(|known| similarity(known) > MIN_SIMILARITY);
    known.max_by(|one, other| similarity(one).total_cmp(&similarity(other)))
}

/// Returns the rest of a path behind the table of events.
fn below_events(path: &str) -> Option<&str> {
    const EVENTS: &str = "events.";
    path.strip_prefix(EVENTS).or_else(|| path.split_once(".events.").map(|(_, rest)| rest))
}

/// Returns the event in whose table a path ends. Names of events have dots.
fn event_of(path: &str) -> Option<EventType> {
    let is_in = |event: &EventType| match event {
        EventType::Custom => path.starts_with("custom.") && !path.ends_with('.'),
        other => path.strip_prefix(other.spec().name).is_some_and(|rest| rest.starts_with('.')),
    };
    EventType::ALL.into_iter().find(is_in)
}

fn settings_of(event: EventType) -> Vec<&'static str> {
    let settings = Setting::ALL.into_iter().filter(|setting| event.has_setting(*setting));
    settings.map(Setting::key).collect()
}

/// Returns a remark on an unknown key that says more than the nearest one.
pub(crate) fn remark(path: &str) -> Option<String> {
    const OF_USER: &str = "it belongs to the manifest of the user";
    if path == "service" {
        return Some(OF_USER.to_owned());
    }
    let rest = below_events(path)?;
    let key = rest.rsplit('.').next().and_then(Setting::of_key);
    if event_of(rest).is_some() && key.is_some_and(Setting::is_of_user) {
        return Some(OF_USER.to_owned());
    }
    let is_family = EventType::ALL.into_iter().any(|event| event.spec().family() == rest);
    let example = nearest_name(rest).unwrap_or("custom.TOPIC");
    is_family.then(|| format!("quote the name of an event, as in `[events.\"{example}\"]`"))
}

/// Returns the keys of the table at this path; entries of lists are numbers in it.
fn keys_of(table: &str) -> Vec<&'static str> {
    let is_name = |part: &&str| part.parse::<usize>().is_err();
    match table.rsplit('.').find(is_name).unwrap_or_default() {
        "" => [&TOP[..], &POLICY].concat(),
        "policy" => POLICY.to_vec(),
        "extensions" => vec!["policy"],
        "extension" => EXTENSION.to_vec(),
        "limits" => LimitName::ALL.into_iter().filter_map(LimitName::key).collect(),
        "capabilities" => Capability::ALL.map(Capability::name).to_vec(),
        "config-read" => vec!["keys"],
        "storage" => vec!["max_kib"],
        "filesystem" => vec!["read", "write"],
        "read" | "write" => vec!["path", "guest"],
        "network" => vec!["host", "allow_private"],
        "preapproved" => vec!["list", "grants"],
        "defaults" => vec!["prune"],
        "service" => SERVICE.to_vec(),
        "session" => SESSION.to_vec(),
        _ if table.starts_with("registries.") => REGISTRY.to_vec(),
        _ => TOP.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_key_is_of_the_same_table() {
        for (path, key) in [
            ("deney", Some("deny")),
            ("extensions.policy.allow_registries", Some("allowed_registries")),
            ("extensions.polcy", Some("policy")),
            ("limits.max_fule", Some("max_fuel")),
            ("capabilities.notifications", Some("notification")),
            ("capabilities.filesystem.read.0.gest", Some("guest")),
            ("preapproved.1.grant", Some("grants")),
            ("registries.ghcr.io.mirror", Some("mirrors")),
            ("Require_Signature", Some("require_signature")),
            ("session.idle_exot", Some("idle_exit")),
            ("extensions.policy.sesion", Some("session")),
            ("events.power.batery", Some("power.battery")),
            ("events.power.battery.belo", Some("below")),
            ("weather.events.time.every.evry", Some("every")),
            ("events.session.locked.while_loked", Some("while_locked")),
            ("events.custom.build.enable", Some("enabled")),
            ("events.custom.", None),
            ("extension.deny", None),
            ("xyz", None),
        ] {
            assert_eq!(nearest(path), key, "{path}");
        }
        assert_eq!(nearest(&"deny".repeat(100_000)), None);
    }

    /// A mistake that is more than a typing error is explained.
    #[test]
    fn remark_explains_the_mistake() {
        for (path, said) in [
            ("events.power", Some("quote the name of an event, as in `[events.\"power.source\"]`")),
            (
                "events.custom",
                Some("quote the name of an event, as in `[events.\"custom.TOPIC\"]`"),
            ),
            ("events.time.at.while_locked", Some("it belongs to the manifest of the user")),
            ("service", Some("it belongs to the manifest of the user")),
            ("events.power.batery", None),
            ("limits.max_fule", None),
        ] {
            assert_eq!(remark(path).as_deref(), said, "{path}");
        }
    }

    /// A key that is documented and not listed here would never be named.
    #[test]
    fn every_key_of_the_samples_is_known() {
        let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../config-examples");
        for name in ["policy.toml", "config.toml", "greeting-extension.toml", "everything.toml"] {
            let text = std::fs::read_to_string(samples.join(name)).expect(name);
            let leaves = crate::toml_leaves(&text);
            assert!(!leaves.is_empty(), "{name}");
            let free =
                |keys: &&Vec<String>| !["config", "trusted_signers"].contains(&keys[0].as_str());
            for keys in leaves.iter().map(|leaf| &leaf.keys).filter(free) {
                assert_eq!(
                    nearest(&keys.join(".")),
                    keys.last().map(String::as_str),
                    "{name}: {keys:?}"
                );
            }
        }
    }
}
