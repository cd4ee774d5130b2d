//! From a demand for authentication to a header that answers it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core_types::OciReference;
use reqwest::Url;
use serde::Deserialize;

use super::challenge::Challenge;
use super::credentials::{self, Credential};
use super::error::RegistryError;
use super::http::{Clients, read_capped};
use super::settings::{Settings, api_host};

/// The largest answer of a token service, in bytes.
const MAX_TOKEN: u64 = 64 * 1024;

/// What goes into the header `Authorization`, for the registry's own origin and nobody else.
#[derive(Clone)]
pub(crate) struct Authorization {
    pub(crate) header: String,
    /// The token in it, if it is one.
    pub(crate) token: Option<String>,
}

/// What a token service answers; both names are in use.
#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Access {
    Pull,
    Push,
}

impl Access {
    fn scope(self, repository: &str) -> String {
        match self {
            Self::Pull => format!("repository:{repository}:pull"),
            Self::Push => format!("repository:{repository}:pull,push"),
        }
    }
}

/// Answers a demand. Credentials are looked up only now, so that anonymous registries cost nothing.
pub(crate) async fn answer(
    settings: &Settings,
    clients: &Clients,
    reference: &OciReference,
    challenge: &str,
    access: Access,
) -> Result<Authorization, RegistryError> {
    let registry = reference.registry();
    let credential = credentials::find(settings, reference);
    match Challenge::parse(challenge) {
        Some(Challenge::Basic) => match credential {
            Some(Credential::Password { username, password }) => Ok(basic(&username, &password)),
            _ => Err(unauthorized(reference, None)),
        },
        Some(Challenge::Bearer { realm, service }) => {
            let realm = checked_realm(settings, registry, &realm)?;
            let request = TokenRequest { realm, service, scope: access.scope(&reference.repository()), credential };
            request.send(clients, reference).await
        }
        None => Err(RegistryError::Challenge {
            registry: registry.to_owned(),
            challenge: challenge.chars().take(100).collect(),
        }),
    }
}

fn basic(username: &str, password: &str) -> Authorization {
    Authorization { header: format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))), token: None }
}

pub(crate) fn unauthorized(reference: &OciReference, who: Option<&str>) -> RegistryError {
    RegistryError::Unauthorized {
        registry: reference.registry().to_owned(),
        repository: reference.repository(),
        who: who.map_or_else(|| "strangers".to_owned(), |who| format!("`{who}`")),
    }
}

/// A token service that may be asked: at the registry's own origin, or at a host that is paired with it, over TLS.
fn checked_realm(settings: &Settings, registry: &str, realm: &str) -> Result<Url, RegistryError> {
    let refused = |host: &str| RegistryError::Realm { registry: registry.to_owned(), realm: host.to_owned() };
    let url = Url::parse(realm).map_err(|_| refused(&realm.chars().take(100).collect::<String>()))?;
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

struct TokenRequest {
    realm: Url,
    service: Option<String>,
    scope: String,
    credential: Option<Credential>,
}

impl TokenRequest {
    async fn send(self, clients: &Clients, reference: &OciReference) -> Result<Authorization, RegistryError> {
        let registry = reference.registry();
        let client = clients.for_url(&self.realm, registry)?;
        let username = match &self.credential {
            Some(Credential::Password { username, .. }) => Some(username.clone()),
            Some(Credential::RefreshToken(_)) => Some("<token>".to_owned()),
            None => None,
        };
        // No redirect is followed from here: a token service answers or it does not.
        let response = self.request(&client).send().await.map_err(|source| RegistryError::network(registry, source))?;
        match response.status().as_u16() {
            200 => {}
            400 | 401 | 403 | 404 => return Err(unauthorized(reference, username.as_deref())),
            status => {
                return Err(RegistryError::Status {
                    registry: registry.to_owned(),
                    status,
                    message: Some("its token service does not answer".to_owned()),
                    retry_after: None,
                });
            }
        }
        let bytes = read_capped(response, registry, MAX_TOKEN).await?;
        let token =
            serde_json::from_slice::<TokenAnswer>(&bytes).ok().and_then(|answer| answer.token.or(answer.access_token));
        let token = token.filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
        let token = token.ok_or_else(|| unauthorized(reference, username.as_deref()))?;
        Ok(Authorization { header: format!("Bearer {token}"), token: Some(token) })
    }

    /// As the [Docker token specification](https://distribution.github.io/distribution/spec/auth/token/) has it: a GET,
    /// or a POST where a refresh token is exchanged.
    fn request(&self, client: &reqwest::Client) -> reqwest::RequestBuilder {
        let service = self.service.as_deref().unwrap_or_default();
        let mut url = self.realm.clone();
        match &self.credential {
            Some(Credential::RefreshToken(token)) => {
                let fields = [
                    ("grant_type", "refresh_token"),
                    ("refresh_token", token),
                    ("client_id", "sesame"),
                    ("service", service),
                    ("scope", &self.scope),
                ];
                let mut body = Url::parse("http://form/").unwrap_or_else(|_| unreachable!("a constant address"));
                body.query_pairs_mut().extend_pairs(fields);
                let body = body.query().unwrap_or_default().to_owned();
                client.post(url).header("Content-Type", "application/x-www-form-urlencoded").body(body)
            }
            other => {
                if !service.is_empty() {
                    url.query_pairs_mut().append_pair("service", service);
                }
                url.query_pairs_mut().append_pair("scope", &self.scope);
                let request = client.get(url);
                match other {
                    Some(Credential::Password { username, password }) => {
                        request.header("Authorization", basic(username, password).header)
                    }
                    _ => request,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn realm(registry: &str, realm: &str) -> bool {
        checked_realm(&Settings::default(), registry, realm).is_ok()
    }

    #[test]
    fn a_token_is_asked_of_the_registry_itself_or_of_its_pair_and_of_nobody_else() {
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
