//! The files in which `docker login` and `podman login` keep logins
//! (<https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md>).

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use core_types::{OciReference, canonical_registry};
use private_files::read_regular_text;
use serde::Deserialize;

use crate::registry::credentials::credential::{Credential, LoginProblem};

/// The largest file of credentials, in bytes: tokens have some kilobytes.
const MAX_FILE: u64 = 1 << 20;
/// The key under which Docker keeps the login for its own registry.
const DOCKER_KEY: &str = "https://index.docker.io/v1/";

/// A file of logins.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoginFile {
    auths: Option<BTreeMap<String, Option<Entry>>>,
    cred_helpers: Option<BTreeMap<String, Option<String>>>,
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

/// An entry of a file for a repository.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The login itself.
    Login(Credential),
    /// A helper, and the server that it knows the login by.
    Helper { helper: String, server: String },
}

impl LoginFile {
    /// Reads a file. One that does not exist is empty.
    pub(crate) fn read(path: &Path) -> Result<Self, LoginProblem> {
        let failed = |reason: String| LoginProblem::File { path: path.to_owned(), reason };
        let text = match read_regular_text(path, MAX_FILE) {
            Ok(text) => text,
            Err(_) if !path.exists() => return Ok(Self::default()),
            Err(error) => return Err(failed(error.to_string())),
        };
        // Some editors begin a file with a byte order mark.
        let text = text.trim_start_matches('\u{feff}');
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(text).map_err(|error| failed(error.to_string()))
    }

    /// Returns the entries of a file for a repository, the longest path first. A store for all
    /// registries is asked once, for the registry's host, unless the file lists another key for the
    /// repository.
    pub(crate) fn entries(&self, reference: &OciReference) -> Result<Vec<Found>, String> {
        let mut found = Vec::new();
        for address in addresses(reference) {
            found.extend(self.helper_of(&address));
            found.extend(self.entry_of(&address)?);
        }
        if found.is_empty() {
            let of_store = |helper: &String| {
                let servers = servers_of(reference.registry()).into_iter();
                servers
                    .map(|server| Found::Helper { helper: helper.clone(), server })
                    .collect::<Vec<_>>()
            };
            found.extend(self.store().into_iter().flat_map(of_store));
        }
        Ok(found)
    }

    /// Returns the helper for all registries. An empty name is none.
    fn store(&self) -> Option<&String> {
        self.creds_store.as_ref().filter(|helper| !helper.is_empty())
    }

    fn helper_of(&self, address: &str) -> Option<Found> {
        let helpers = self.cred_helpers.as_ref()?;
        let (server, helper) = named(helpers, address)?;
        let helper = helper.clone().filter(|helper| !helper.is_empty())?;
        Some(Found::Helper { helper, server: server.clone() })
    }

    fn entry_of(&self, address: &str) -> Result<Option<Found>, String> {
        let found = self.auths.as_ref().and_then(|auths| named(auths, address));
        let Some((key, Some(entry))) = found else { return Ok(None) };
        if let Some(login) =
            entry.login().map_err(|reason| format!("the entry `{key}` {reason}"))?
        {
            return Ok(Some(Found::Login(login)));
        }
        let from_store =
            |helper: &String| Found::Helper { helper: helper.clone(), server: key.clone() };
        Ok(self.store().map(from_store))
    }
}

impl Entry {
    /// Returns the login that stands in the entry; nothing when it is empty, as it is beside a
    /// credential store.
    fn login(&self) -> Result<Option<Credential>, &'static str> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(token) = given(&self.identitytoken) {
            return Ok(Some(Credential::RefreshToken(token)));
        }
        if let Some(auth) = given(&self.auth) {
            let (username, password) = decode(&auth).ok_or("is not `NAME:PASSWORD` in base64")?;
            return Ok((!username.is_empty()).then(|| Credential::of_helper(username, password)));
        }
        let (username, password) = (given(&self.username), self.password.clone());
        Ok(username
            .zip(password)
            .map(|(username, password)| Credential::of_helper(username, password)))
    }
}

/// Splits the value of `auth`. Line ends come from those who wrote it with `base64` by hand.
fn decode(auth: &str) -> Option<(String, String)> {
    let encoded: String = auth.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let decoded = STANDARD_NO_PAD.decode(encoded.trim_end_matches('=')).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let text = text.trim_end_matches(['\r', '\n']);
    text.split_once(':').map(|(username, password)| (username.to_owned(), password.to_owned()))
}

/// Returns the keys under which files have credentials for a repository, the longest first.
fn addresses(reference: &OciReference) -> Vec<String> {
    let registry = reference.registry();
    let path = format!("{registry}/{}", reference.repository());
    let ends = path.char_indices().rev().filter(|(_, c)| *c == '/').map(|(at, _)| at);
    let mut addresses: Vec<_> =
        std::iter::once(path.len()).chain(ends).map(|end| path[..end].to_owned()).collect();
    if canonical_registry(registry) == "docker.io" {
        addresses.extend(["index.docker.io", "registry-1.docker.io"].map(str::to_owned));
    }
    addresses
}

/// Returns the names by which helpers know a registry: as it is written, and in its one form.
fn servers_of(registry: &str) -> Vec<String> {
    let canonical = canonical_registry(registry);
    if canonical == "docker.io" {
        return vec![DOCKER_KEY.to_owned()];
    }
    let mut servers = vec![registry.to_owned(), canonical];
    servers.dedup();
    servers
}

/// Returns the entry of a file for an address: under the address as it is written, or under another
/// spelling of its registry.
fn named<'a, T>(map: &'a BTreeMap<String, T>, address: &str) -> Option<(&'a String, &'a T)> {
    let wanted = canonical_address(address);
    let is_it = |key: &str| canonical_address(bare(key)).eq_ignore_ascii_case(&wanted);
    map.iter()
        .find(|(key, _)| bare(key).eq_ignore_ascii_case(address))
        .or_else(|| map.iter().find(|(key, _)| is_it(key)))
}

/// Returns an address with its registry in its one form.
fn canonical_address(address: &str) -> String {
    let (registry, path) = address.split_at(address.find('/').unwrap_or(address.len()));
    canonical_registry(registry) + path
}

/// Returns the registry of a key: the key itself, or the host of a web address, as Docker wrote it
/// once.
fn bare(key: &str) -> &str {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let bare = bare.trim_end_matches('/');
    let versioned =
        bare.strip_suffix("/v1").or_else(|| bare.strip_suffix("/v2")).filter(|_| bare != key);
    versioned.unwrap_or(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str, reference: &str) -> Vec<Found> {
        let file: LoginFile = serde_json::from_str(text).expect(text);
        file.entries(&reference.parse().expect(reference)).expect("readable")
    }

    fn helper(helper: &str, server: &str) -> Found {
        Found::Helper { helper: helper.to_owned(), server: server.to_owned() }
    }

    /// A helper is asked for the key that the file lists, and for nothing but the host
    /// where it lists none.
    #[test]
    fn helper_gets_the_listed_key() {
        let plugin = "ghcr.io/my-org/plugin:1";
        for (text, reference, expected) in [
            (r#"{"credsStore": "x"}"#, plugin, vec![helper("x", "ghcr.io")]),
            (
                r#"{"credsStore": "x", "auths": {"ghcr.io": {}}}"#,
                plugin,
                vec![helper("x", "ghcr.io")],
            ),
            (
                r#"{"credsStore": "x", "auths": {"quay.io": {}}}"#,
                plugin,
                vec![helper("x", "ghcr.io")],
            ),
            (
                r#"{"credsStore": "x", "auths": {"ghcr.io/my-org/plugin": {}}}"#,
                plugin,
                vec![helper("x", "ghcr.io/my-org/plugin")],
            ),
            (r#"{"credHelpers": {"ghcr.io": "y"}}"#, plugin, vec![helper("y", "ghcr.io")]),
            (r#"{"credHelpers": {"quay.io": "y"}}"#, plugin, vec![]),
            (r#"{"credsStore": "x"}"#, "docker.io/a/b:1", vec![helper("x", DOCKER_KEY)]),
            (r#"{"credsStore": "x"}"#, "docker.io:443/a/b:1", vec![helper("x", DOCKER_KEY)]),
            (
                r#"{"credsStore": "x"}"#,
                "ghcr.io:443/a/b:1",
                vec![helper("x", "ghcr.io:443"), helper("x", "ghcr.io")],
            ),
            (r#"{"credHelpers": {"GHCR.io:443": "y"}}"#, plugin, vec![helper("y", "GHCR.io:443")]),
            (
                r#"{"credHelpers": {"a.example:443": "x", "a.example:80": "y"}}"#,
                "a.example:80/b/c:1",
                vec![helper("y", "a.example:80")],
            ),
        ] {
            assert_eq!(entries(text, reference), expected, "{text}");
        }
    }
}
