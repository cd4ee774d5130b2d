//! The keys that each table of sesame's documents can have, to name the nearest one where a key is
//! misspelt.

use crate::capability::Capability;
use crate::limits::LimitName;

/// The keys of a policy, which stand at the top of its own file.
const POLICY: [&str; 10] = [
    "deny",
    "allowed_registries",
    "blocked_namespaces",
    "require_signature",
    "trusted_signers",
    "min_release_age",
    "preapproved",
    "lists_that_prune",
    "max_storage_kib",
    "limits",
];
const EXTENSION: [&str; 6] = ["name", "version", "oci", "description", "enabled", "pinned"];
const REGISTRY: [&str; 6] =
    ["plain_http", "token_hosts", "mirrors", "ca", "allow-redirect-to", "timeout_seconds"];
/// The tables at the top of a manifest and of `config.toml`, and the keys of an entry of a list.
const TOP: [&str; 7] =
    ["extension", "capabilities", "limits", "config", "registries", "extensions", "oci"];
/// Longer than every key, so that a longer text is near to none of them.
const MAX_KEY: usize = 64;
/// Half of the letters are the same: a key that is further off is rather another idea than a typing
/// error.
const MIN_SIMILARITY: f64 = 0.5;

/// Returns the nearest key that can stand where this one does, if one is near. `path` is the key
/// with its tables.
pub(crate) fn nearest(path: &str) -> Option<&'static str> {
    let (table, key) = path.rsplit_once('.').unwrap_or(("", path));
    if key.len() > MAX_KEY {
        return None;
    }
    let similarity = |known: &&str| strsim::normalized_levenshtein(known, &key.to_lowercase());
    let known = keys_of(table).into_iter().filter(|known| similarity(known) > MIN_SIMILARITY);
    known.max_by(|one, other| similarity(one).total_cmp(&similarity(other)))
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
            ("extension.deny", None),
            ("xyz", None),
        ] {
            assert_eq!(nearest(path), key, "{path}");
        }
        assert_eq!(nearest(&"deny".repeat(100_000)), None);
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
