//! How registries are talked to.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use core_types::{OciReference, canonical_registry};
use reqwest::Url;

pub use crate::config::registry_settings::RegistrySettings;
use crate::registry::credentials::credential::{Credential, CredentialFiles, Notice};
use crate::registry::http::proxies::Proxies;

/// The settings of a [`super::Registry`]. The default is anonymous, with no proxy and the system's
/// certificates.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Settings by registry, as `host` or `host:port`.
    pub registries: BTreeMap<String, RegistrySettings>,
    /// A login that comes before all others.
    pub login: Option<ExplicitLogin>,
    /// Where credentials may lie.
    pub credentials: CredentialFiles,
    /// Whether logins of `sesame registry login` are looked up in the Secret Service.
    pub secret_service: bool,
    /// Proxies.
    pub proxies: Proxies,
    /// Files with certificate authorities (PEM) that are trusted beside the system's.
    pub authorities: Vec<PathBuf>,
    /// How long is waited for registries.
    pub timeouts: Timeouts,
    /// Opens no connection at all.
    pub offline: bool,
    /// The receiver of notices.
    pub notices: Notices,
}

/// A receiver of notices. The default drops them.
#[derive(Clone, Default)]
pub struct Notices(Option<Arc<Receiver>>);

type Receiver = dyn Fn(&Notice) + Send + Sync;

impl Notices {
    /// Calls `tell` with each notice.
    pub fn new(tell: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    pub(crate) fn tell(&self, notice: &Notice) {
        if let Some(tell) = &self.0 {
            tell(notice);
        }
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notices")
    }
}

/// How long is waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timeouts {
    /// For a connection. Default: 10 seconds.
    pub connect: Duration,
    /// For the next bytes of an answer. Default: 30 seconds.
    pub idle: Duration,
    /// For a whole answer, retries included. Default: 10 minutes.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(10), idle: seconds(30), total: seconds(600) }
    }
}

/// A login for one registry that its user gave to this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplicitLogin {
    /// The registry that may be told, and no other.
    pub registry: String,
    /// The credential.
    pub credential: Credential,
}

/// Registries whose token service is another host, by their own account.
const TOKEN_HOSTS: &[(&str, &str)] =
    &[("docker.io", "auth.docker.io"), ("registry.gitlab.com", "gitlab.com")];

impl Settings {
    /// Returns the settings of a registry, however either is written. A setting for port 80 alone
    /// does not hold for HTTPS: it could be that it is plain.
    fn of(&self, registry: &str) -> Option<&RegistrySettings> {
        let wanted = canonical_registry(registry);
        let is_it = |key: &str| {
            canonical_registry(key) == wanted && (!is_port_80(key) || is_port_80(registry))
        };
        let spelled =
            || self.registries.iter().find(|(key, _)| is_it(key)).map(|(_, settings)| settings);
        self.registries.get(registry).or_else(spelled)
    }

    /// `http` or `https`.
    pub(crate) fn scheme(&self, registry: &str) -> &'static str {
        let configured = self.of(registry).and_then(|settings| settings.plain_http);
        if configured.unwrap_or_else(|| is_loopback(host(&canonical_registry(registry)))) {
            "http"
        } else {
            "https"
        }
    }

    /// Returns where a reference is looked for, in the order in which it is tried: the mirrors,
    /// then the registry itself.
    pub(crate) fn places(&self, reference: &OciReference) -> Vec<OciReference> {
        let mirrors = self
            .of(reference.registry())
            .map(|settings| settings.mirrors.as_slice())
            .unwrap_or_default();
        let mirrored = mirrors.iter().filter_map(|mirror| {
            format!("{mirror}/{}:{}", reference.repository(), reference.revision())
                .parse::<OciReference>()
                .ok()
        });
        mirrored.chain(std::iter::once(reference.clone())).collect()
    }

    /// Returns how long is waited for a registry.
    pub(crate) fn timeouts_of(&self, registry: &str) -> Timeouts {
        let configured = self.of(registry).and_then(|settings| settings.timeout_seconds);
        let Some(seconds) = configured else { return self.timeouts };
        let timeout = Duration::from_secs(seconds.get().into());
        // As many times the wait for the next bytes as by default.
        Timeouts { connect: timeout, idle: timeout, total: self.timeouts.total.max(timeout * 20) }
    }

    /// Returns the files with certificate authorities for a registry beside those for all.
    pub(crate) fn authorities_of(&self, registry: &str) -> Option<&Path> {
        self.of(registry)?.ca.as_deref()
    }

    /// Returns whether a registry may redirect to this address, though it is a private one.
    pub(crate) fn allows_redirect(&self, registry: &str, to: &Url) -> bool {
        let default_port = if to.scheme() == "http" { 80 } else { 443 };
        let host = to.host_str().unwrap_or_default();
        self.of(registry).is_some_and(|settings| {
            settings
                .allow_redirect_to
                .iter()
                .any(|allowed| allowed.is(host, to.port(), default_port))
        })
    }

    /// Returns whether a token host belongs to a registry.
    pub(crate) fn is_paired(&self, registry: &str, token_host: &str) -> bool {
        let built_in = TOKEN_HOSTS.contains(&(canonical_registry(registry).as_str(), token_host));
        built_in
            || self
                .of(registry)
                .is_some_and(|settings| settings.token_hosts.iter().any(|host| host == token_host))
    }
}

/// Returns where the registry's API is. Docker's name for its registry is not the registry's host.
pub(crate) fn api_host(registry: &str) -> &str {
    if canonical_registry(registry) == "docker.io" { "registry-1.docker.io" } else { registry }
}

fn is_port_80(registry: &str) -> bool {
    registry.rsplit_once(':').is_some_and(|(_, port)| port.trim_start_matches('0') == "80")
}

/// Returns the host of `host[:port]`.
pub(crate) fn host(authority: &str) -> &str {
    if authority.starts_with('[') {
        return authority.split(']').next().unwrap_or_default().trim_start_matches('[');
    }
    authority.split(':').next().unwrap_or_default()
}

/// Returns whether a host is this machine by its name or address alone.
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let proxies =
            Proxies { http: Some("http://me:PASS@proxy".to_owned()), ..Proxies::default() };
        let credential =
            Credential::Password { username: "me".to_owned(), password: "PASS".to_owned() };
        let login = Some(ExplicitLogin { registry: "ghcr.io".to_owned(), credential });
        let shown = format!("{:?}", Settings { proxies, login, ..Settings::default() });
        assert!(shown.contains("ghcr.io") && !shown.contains("PASS"), "{shown}");
        let token = format!("{:?}", Credential::RefreshToken("PASS".to_owned()));
        assert!(!token.contains("PASS"), "{token}");
    }

    #[test]
    fn only_loopback_is_plain() {
        let mut settings = Settings::default();
        let scheme = |settings: &Settings, registry| settings.scheme(registry);
        for registry in ["localhost", "localhost:5000", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000"]
        {
            assert_eq!(scheme(&settings, registry), "http", "{registry}");
        }
        for registry in
            ["ghcr.io", "localhost.evil.com", "127.0.0.1.evil.com", "10.0.0.1", "[::2]:5000"]
        {
            assert_eq!(scheme(&settings, registry), "https", "{registry}");
        }
        let plain =
            |plain_http| RegistrySettings { plain_http: Some(plain_http), ..Default::default() };
        settings.registries.insert("10.0.0.1".to_owned(), plain(true));
        settings.registries.insert("localhost".to_owned(), plain(false));
        assert_eq!(
            (scheme(&settings, "10.0.0.1"), scheme(&settings, "localhost")),
            ("http", "https")
        );
    }

    /// A setting holds for a registry and not for one spelling of it.
    #[test]
    fn settings_hold_for_every_spelling() {
        let mut settings = Settings::default();
        let mirrors = vec!["m.example/ghcr".parse().expect("a place")];
        settings
            .registries
            .insert("GHCR.io:443".to_owned(), RegistrySettings { mirrors, ..Default::default() });
        let plain = RegistrySettings { plain_http: Some(true), ..Default::default() };
        settings.registries.insert("r.example:80".to_owned(), plain);
        for registry in ["ghcr.io", "ghcr.io:443", "ghcr.io:0443", "GHCR.IO"] {
            let places =
                settings.places(&format!("{registry}/a/b:1").parse().expect("a reference"));
            assert_eq!(places[0].to_string(), "m.example/ghcr/a/b:1", "{registry}");
        }
        assert_eq!(
            (settings.scheme("R.example:080"), settings.scheme("r.example")),
            ("http", "https")
        );
    }

    #[test]
    fn timeout_is_set_per_registry() {
        let seconds = Duration::from_secs;
        let own = RegistrySettings {
            timeout_seconds: std::num::NonZeroU32::new(90),
            ..Default::default()
        };
        let settings = Settings {
            registries: [("slow.example".to_owned(), own)].into(),
            ..Default::default()
        };
        let slow = Timeouts { connect: seconds(90), idle: seconds(90), total: seconds(1_800) };
        assert_eq!(settings.timeouts_of("slow.example"), slow);
        assert_eq!(settings.timeouts_of("ghcr.io"), Timeouts::default());
    }

    /// Mirrors come before the registry and only for it.
    #[test]
    fn mirrors_come_first() {
        let mut settings = Settings::default();
        let mirrors =
            ["m.example/ghcr", "n.example"].map(|text| text.parse().expect(text)).to_vec();
        settings
            .registries
            .insert("ghcr.io".to_owned(), RegistrySettings { mirrors, ..Default::default() });
        let places = |text: &str| {
            let places = settings.places(&text.parse().expect(text)).into_iter();
            places.map(|place| place.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            places("ghcr.io/a/b:1"),
            ["m.example/ghcr/a/b:1", "n.example/a/b:1", "ghcr.io/a/b:1"]
        );
        assert_eq!(
            places("ghcr.io/one:1"),
            ["m.example/ghcr/one:1", "n.example/one:1", "ghcr.io/one:1"]
        );
        assert_eq!(places("ghcr.io.evil/a/b:1"), ["ghcr.io.evil/a/b:1"]);
    }

    #[test]
    fn token_hosts_are_paired_exactly() {
        let settings = Settings::default();
        assert!(settings.is_paired("docker.io", "auth.docker.io"));
        for (registry, host) in [
            ("docker.io", "auth.docker.io.evil.com"),
            ("evil.io", "auth.docker.io"),
            ("docker.io", "docker.io:8080"),
        ] {
            assert!(!settings.is_paired(registry, host), "{registry} {host}");
        }
    }
}
