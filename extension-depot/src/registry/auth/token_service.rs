//! Token services, which hand out what registries ask for
//! (<https://distribution.github.io/distribution/spec/auth/token/>).

use std::time::{Duration, Instant};

use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;

use crate::registry::auth::demand::{Demand, basic, unauthorized};
use crate::registry::credentials::credential::{Credential, FoundLogin, LoginProblem};
use crate::registry::error::RegistryError;
use crate::registry::http::response::{explain, read_capped};
use crate::registry::http::retry::retry_after;
use crate::registry::settings::{Settings, api_host};

/// The largest answer of a token service, in bytes: tokens have some kilobytes.
const MAX_TOKEN: u64 = 64 * 1024;
/// The longest life of a token that is believed, in seconds: a day, which no command outlasts.
const MAX_LIFE: u64 = 86_400;

/// The value of the header `Authorization` with a token in it.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) header: String,
    /// When it runs out, where its service says so.
    pub(crate) expires: Option<Instant>,
}

impl Token {
    pub(crate) fn is_expired(&self) -> bool {
        self.expires.is_some_and(|expires| expires <= Instant::now())
    }
}

/// The answer of a token service; both names are in use.
#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    /// Seconds, as a number or as text.
    expires_in: Option<Value>,
}

impl TokenAnswer {
    fn into_token(self) -> Option<Token> {
        let is_token =
            |token: &String| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        let token = [self.token, self.access_token].into_iter().flatten().find(is_token)?;
        let stated = self.expires_in.as_ref().and_then(seconds).filter(|seconds| *seconds > 0);
        // A tenth earlier: a request takes its time to arrive.
        let life = stated.map(|seconds| Duration::from_millis(seconds.min(MAX_LIFE) * 900));
        Some(Token {
            header: format!("Bearer {token}"),
            expires: life.map(|life| Instant::now() + life),
        })
    }
}

fn seconds(stated: &Value) -> Option<u64> {
    stated.as_u64().or_else(|| stated.as_str()?.trim().parse().ok())
}

/// Returns a token service that may be asked: at the registry's own origin, or at a host that is
/// paired with it, over TLS.
fn checked_realm(settings: &Settings, registry: &str, realm: &str) -> Result<Url, RegistryError> {
    let refused =
        |host: &str| RegistryError::Realm { registry: registry.to_owned(), realm: host.to_owned() };
    let url =
        Url::parse(realm).map_err(|_| refused(&realm.chars().take(100).collect::<String>()))?;
    let own = format!("{}://{}", settings.scheme(registry), api_host(registry));
    let is_own = Url::parse(&own).is_ok_and(|own| own.origin() == url.origin());
    let host = url.host_str().unwrap_or_default();
    let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let is_paired = url.scheme() == "https" && settings.is_paired(registry, &authority);
    let has_userinfo = !url.username().is_empty() || url.password().is_some();
    if (is_own || is_paired) && !has_userinfo {
        Ok(url)
    } else {
        Err(refused(&format!("{}://{authority}", url.scheme())))
    }
}

/// A token service, with the service and scope of a token.
pub(crate) struct TokenService {
    realm: Url,
    service: String,
    scope: String,
}

impl TokenService {
    /// Creates the token service that a challenge names.
    ///
    /// # Errors
    /// When it is one that must not be asked.
    pub(crate) fn new(
        demand: &Demand<'_>,
        realm: &str,
        service: Option<&str>,
        scope: Option<&str>,
    ) -> Result<Self, RegistryError> {
        let own_scope = || demand.access.scope(&demand.reference.repository());
        Ok(Self {
            realm: checked_realm(demand.settings, demand.reference.registry(), realm)?,
            service: service.unwrap_or_default().to_owned(),
            scope: scope.map_or_else(own_scope, str::to_owned),
        })
    }

    /// Returns the key of a token: the realm, the service, the scope and the login.
    pub(crate) fn key(&self, who: String) -> [String; 4] {
        [self.realm.to_string(), self.service.clone(), self.scope.clone(), who]
    }

    /// Asks for a token.
    pub(crate) async fn ask(
        &self,
        demand: &Demand<'_>,
        login: Option<&FoundLogin>,
        problems: &[LoginProblem],
    ) -> Result<Token, RegistryError> {
        let registry = demand.reference.registry();
        let client = demand.clients.for_url(&self.realm, registry)?;
        let refused = || unauthorized(demand.reference, login, problems);
        // No redirect is followed from here: a token service answers or it does not.
        let request = self.request(&client, login.map(|login| &login.credential));
        let response =
            request.send().await.map_err(|source| RegistryError::network(registry, source))?;
        let error = match response.status().as_u16() {
            200..=299 => None,
            400 | 401 | 403 | 404 => Some(refused()),
            status => Some(RegistryError::Status {
                registry: registry.to_owned(),
                status,
                message: Some("its token service does not answer"),
                retry_after: retry_after(response.headers()),
                source: None,
            }),
        };
        if let Some(error) = error {
            return Err(
                explain(error, response, registry, demand.settings.timeouts_of(registry)).await
            );
        }
        let bytes = read_capped(response, registry, MAX_TOKEN).await?;
        let answer: Option<TokenAnswer> = serde_json::from_slice(&bytes).ok();
        answer.and_then(TokenAnswer::into_token).ok_or_else(refused)
    }

    /// Returns a GET, or a POST where a refresh token is exchanged.
    fn request(
        &self,
        client: &reqwest::Client,
        credential: Option<&Credential>,
    ) -> reqwest::RequestBuilder {
        let mut url = self.realm.clone();
        if let Some(Credential::RefreshToken(token)) = credential {
            let fields = [
                ("grant_type", "refresh_token"),
                ("refresh_token", token),
                ("client_id", "sesame"),
                ("service", &self.service),
                ("scope", &self.scope),
            ];
            let mut body =
                Url::parse("http://form/").unwrap_or_else(|_| unreachable!("a constant address"));
            body.query_pairs_mut().extend_pairs(fields);
            let body = body.query().unwrap_or_default().to_owned();
            return client
                .post(url)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(body);
        }
        if !self.service.is_empty() {
            url.query_pairs_mut().append_pair("service", &self.service);
        }
        // Each of several scopes is a parameter of its own.
        for scope in self.scope.split(' ').filter(|scope| !scope.is_empty()) {
            url.query_pairs_mut().append_pair("scope", scope);
        }
        let request = client.get(url);
        match credential {
            Some(Credential::Password { username, password }) => {
                request.header("Authorization", basic(username, password))
            }
            _ => request,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn realm(registry: &str, realm: &str) -> bool {
        checked_realm(&Settings::default(), registry, realm).is_ok()
    }

    /// Either name of the token, and a life that is stated in any way or not at all.
    #[test]
    fn token_answers_are_read_leniently() {
        let token = |text: &str| serde_json::from_str::<TokenAnswer>(text).ok()?.into_token();
        for (text, has_life) in [
            (r#"{"token": "t"}"#, false),
            (r#"{"access_token": "t"}"#, false),
            (r#"{"token": "", "access_token": "t", "expires_in": 60}"#, true),
            (r#"{"token": null, "access_token": "t", "expires_in": "300", "scope": "x"}"#, true),
            (r#"{"token": "t", "expires_in": 0}"#, false),
            (r#"{"token": "t", "expires_in": -5}"#, false),
            (r#"{"token": "t", "expires_in": null, "issued_at": "2026-01-01T00:00:00Z"}"#, false),
            (r#"{"token": "t", "expires_in": 18446744073709551615}"#, true),
        ] {
            let token = token(text).expect(text);
            assert_eq!(
                (token.header.as_str(), token.expires.is_some()),
                ("Bearer t", has_life),
                "{text}"
            );
            assert!(!token.is_expired(), "{text}");
        }
        for text in
            ["{}", r#"{"token": ""}"#, r#"{"token": "a b"}"#, r#"{"token": 1}"#, "null", "<html>"]
        {
            assert!(token(text).is_none(), "{text}");
        }
    }

    #[test]
    fn token_realm_is_own_or_paired() {
        assert!(realm("ghcr.io", "https://ghcr.io/token"));
        assert!(realm("ghcr.io", "https://ghcr.io:443/token"));
        assert!(realm("docker.io", "https://auth.docker.io/token"));
        assert!(realm("docker.io", "https://registry-1.docker.io/token"));
        assert!(realm("127.0.0.1:5000", "http://127.0.0.1:5000/token"));
        for (registry, evil) in [
            ("ghcr.io", "http://ghcr.io/token"),
            ("ghcr.io", "https://ghcr.io.evil.com/token"),
            ("ghcr.io", "https://evil.com/ghcr.io"),
            ("ghcr.io", "https://ghcr.io@evil.com/token"),
            ("ghcr.io", "https://user:pass@ghcr.io/token"),
            ("ghcr.io", "https://ghcr.io:8443/token"),
            ("ghcr.io", "file:///etc/passwd"),
            ("ghcr.io", "http://169.254.169.254/latest"),
            ("ghcr.io", "/token"),
            ("ghcr.io", ""),
            ("docker.io", "http://auth.docker.io/token"),
            ("docker.io", "https://auth.docker.io:444/token"),
            ("127.0.0.1:5000", "http://127.0.0.1:5001/token"),
            ("127.0.0.1:5000", "http://localhost:5000/token"),
        ] {
            assert!(!realm(registry, evil), "{registry} {evil}");
        }
    }
}
