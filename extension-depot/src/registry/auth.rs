//! From a demand for authentication to a header that answers it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core_types::OciReference;
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::challenge::Challenge;
use super::credentials::{Credential, FoundLogin, LoginProblem, Lookups, Notice};
use super::error::RegistryError;
use super::http::{Clients, read_capped};
use super::refusal::{AccessProblem, explain};
use super::settings::{Settings, api_host};

/// The largest answer of a token service, in bytes.
const MAX_TOKEN: u64 = 64 * 1024;
/// How many different challenges of one request are answered.
const MAX_CHALLENGES: usize = 3;

/// The value of the header `Authorization`, for the registry's own origin only.
#[derive(Clone)]
pub(crate) struct Authorization {
    pub(crate) header: String,
    /// The login behind it; nothing where access is anonymous.
    pub(crate) login: Option<FoundLogin>,
    /// The challenge that it answers.
    challenge: String,
}

/// The answer of a token service; both names are in use.
#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

/// What a request wants to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Access {
    Pull,
    Push,
    /// Nothing but to be let in.
    Login,
}

impl Access {
    fn scope(self, repository: &str) -> String {
        match self {
            Self::Pull => format!("repository:{repository}:pull"),
            Self::Push => format!("repository:{repository}:pull,push"),
            Self::Login => String::new(),
        }
    }
}

/// What a command has learned about the authentication of one registry.
#[derive(Default)]
pub(crate) struct Session {
    /// By repository: a path of a registry can have a login of its own.
    known: RefCell<BTreeMap<(String, Access), Authorization>>,
    /// Several downloads wait here for one login and one token.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lookups: Lookups,
    /// By realm, service, scope and login.
    tokens: BTreeMap<[String; 4], String>,
    /// The repositories whose login was refused, which are read anonymously from then on.
    refused: BTreeSet<String>,
    told: Vec<Notice>,
}

/// A challenge that is to be answered.
#[derive(Clone, Copy)]
pub(crate) struct Demand<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) clients: &'a Clients,
    pub(crate) reference: &'a OciReference,
    pub(crate) access: Access,
}

/// The challenges that one request has met.
#[derive(Default)]
pub(crate) struct Attempts {
    answered: Vec<Option<Challenge>>,
    /// The login that was refused before access became anonymous.
    refused: Option<FoundLogin>,
}

impl Session {
    /// The authorization that worked last for such a request.
    pub(crate) fn known(&self, reference: &OciReference, access: Access) -> Option<Authorization> {
        self.known.borrow().get(&(reference.repository(), access)).cloned()
    }

    /// The authorization to try after `challenge`, which a request with `used` has met. Each challenge is answered once;
    /// what is read is then tried without the login.
    ///
    /// # Errors
    /// When nothing is left to try.
    pub(crate) async fn next(
        &self,
        demand: &Demand<'_>,
        challenge: &str,
        used: Option<&Authorization>,
        attempts: &mut Attempts,
    ) -> Result<Authorization, RegistryError> {
        let login = used.and_then(|used| used.login.clone());
        let challenge = match used {
            Some(used) if challenge.is_empty() => &used.challenge,
            _ => challenge,
        };
        let parsed = Challenge::parse(challenge);
        let mut state = self.state.lock().await;
        if attempts.answered.contains(&parsed) || attempts.answered.len() >= MAX_CHALLENGES {
            let problems = state.lookups.problems(demand.reference);
            let refusal = || unauthorized(demand.reference, login.as_ref().or(attempts.refused.as_ref()), problems);
            let can_be_anonymous = login.is_some() && demand.access == Access::Pull;
            if !can_be_anonymous || !matches!(parsed, Some(Challenge::Bearer { .. })) {
                return Err(refusal());
            }
            state.refused.insert(demand.reference.repository());
            attempts.refused = login;
        }
        let answer = state.answer(demand, challenge, parsed.as_ref(), used).await;
        attempts.answered.push(parsed);
        let authorization = answer.map_err(|error| match (error, &attempts.refused) {
            (RegistryError::Unauthorized { .. }, Some(login)) => unauthorized(demand.reference, Some(login), &[]),
            (other, _) => other,
        })?;
        let key = (demand.reference.repository(), demand.access);
        self.known.borrow_mut().insert(key, authorization.clone());
        Ok(authorization)
    }
}

impl State {
    /// Answers a challenge. Logins are looked up only now, so that anonymous registries cost nothing.
    async fn answer(
        &mut self,
        demand: &Demand<'_>,
        challenge: &str,
        parsed: Option<&Challenge>,
        used: Option<&Authorization>,
    ) -> Result<Authorization, RegistryError> {
        let reference = demand.reference;
        match parsed {
            Some(Challenge::Basic) => {
                let lookup = self.lookups.find(demand.settings, reference).await;
                let Some(login) = lookup.login else {
                    return Err(unauthorized(reference, None, &lookup.problems));
                };
                let header = match &login.credential {
                    Credential::Password { username, password } => basic(username, password),
                    Credential::RefreshToken(_) => return Err(unauthorized(reference, Some(&login), &[])),
                };
                if used.is_some_and(|used| used.header == header) {
                    return Err(unauthorized(reference, Some(&login), &[]));
                }
                Ok(Authorization { header, login: Some(login), challenge: challenge.to_owned() })
            }
            Some(Challenge::Bearer { realm, service, scope }) => {
                let service = TokenService {
                    realm: checked_realm(demand.settings, reference.registry(), realm)?,
                    service: service.clone().unwrap_or_default(),
                    scope: scope.clone().unwrap_or_else(|| demand.access.scope(&reference.repository())),
                };
                let (header, login) = self.bearer(demand, &service, used).await?;
                Ok(Authorization { header, login, challenge: challenge.to_owned() })
            }
            None if challenge.is_empty() => Err(unauthorized(reference, None, &[])),
            None => Err(RegistryError::Challenge {
                registry: reference.registry().to_owned(),
                challenge: challenge.chars().take(100).collect(),
            }),
        }
    }

    /// A token for the login, or an anonymous one where there is no login, or where it is refused and nothing is written.
    async fn bearer(
        &mut self,
        demand: &Demand<'_>,
        service: &TokenService,
        used: Option<&Authorization>,
    ) -> Result<(String, Option<FoundLogin>), RegistryError> {
        let (repository, is_pull) = (demand.reference.repository(), demand.access == Access::Pull);
        let lookup = self.lookups.find(demand.settings, demand.reference).await;
        let mut problems = lookup.problems;
        let mut refusal = None;
        if let Some(login) = lookup.login {
            let is_refused = is_pull && self.refused.contains(&repository);
            if !is_refused {
                match self.token(demand, service, Some(&login), &problems, used).await {
                    Ok(header) => return Ok((header, Some(login))),
                    Err(error @ RegistryError::Unauthorized { .. }) if is_pull => refusal = Some(error),
                    Err(error) => return Err(error),
                }
                self.refused.insert(repository);
            }
            problems = vec![refused(demand.reference, &login)];
        }
        match self.token(demand, service, None, &problems, used).await {
            Ok(header) => {
                for problem in problems {
                    self.tell(demand.settings, Notice::Anonymous(problem));
                }
                Ok((header, None))
            }
            Err(error) => Err(refusal.unwrap_or(error)),
        }
    }

    /// Tells the user once.
    fn tell(&mut self, settings: &Settings, notice: Notice) {
        if !self.told.contains(&notice) {
            settings.notices.tell(&notice);
            self.told.push(notice);
        }
    }

    /// A token that was had before, unless it is the one that is no longer taken, or a new one.
    async fn token(
        &mut self,
        demand: &Demand<'_>,
        service: &TokenService,
        login: Option<&FoundLogin>,
        problems: &[LoginProblem],
        used: Option<&Authorization>,
    ) -> Result<String, RegistryError> {
        let TokenService { realm, service: name, scope } = service;
        let who = login.map(|login| format!("{} {}", login.username(), login.place)).unwrap_or_default();
        let key = [realm.to_string(), name.clone(), scope.clone(), who];
        let is_fresh = |header: &&String| used.is_none_or(|used| used.header != **header);
        if let Some(header) = self.tokens.get(&key).filter(is_fresh) {
            return Ok(header.clone());
        }
        let asking = service.ask(demand, login, problems);
        let registry = demand.reference.registry();
        let timeout = |_| RegistryError::Timeout { registry: registry.to_owned() };
        let header =
            tokio::time::timeout(demand.settings.patience_of(registry).idle, asking).await.map_err(timeout)??;
        self.tokens.insert(key, header.clone());
        Ok(header)
    }
}

fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}

fn refused(reference: &OciReference, login: &FoundLogin) -> LoginProblem {
    LoginProblem::Refused { registry: reference.registry().to_owned(), place: login.place.clone() }
}

/// The error for a refused request: whom the registry refused, and what is wrong with the login.
pub(crate) fn unauthorized(
    reference: &OciReference,
    login: Option<&FoundLogin>,
    problems: &[LoginProblem],
) -> RegistryError {
    let problem = login.map(|login| refused(reference, login)).or_else(|| problems.first().cloned());
    RegistryError::Unauthorized {
        registry: reference.registry().to_owned(),
        repository: reference.repository(),
        who: login.map_or_else(|| "strangers".to_owned(), |login| format!("`{}`", login.username())),
        source: problem.map(AccessProblem::Login).map(Box::new),
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

/// A token service, and what it is asked for.
struct TokenService {
    realm: Url,
    service: String,
    scope: String,
}

impl TokenService {
    /// Asks for a token. Returns the header with it.
    async fn ask(
        &self,
        demand: &Demand<'_>,
        login: Option<&FoundLogin>,
        problems: &[LoginProblem],
    ) -> Result<String, RegistryError> {
        let registry = demand.reference.registry();
        let client = demand.clients.for_url(&self.realm, registry)?;
        let refused = || unauthorized(demand.reference, login, problems);
        // No redirect is followed from here: a token service answers or it does not.
        let request = self.request(&client, login.map(|login| &login.credential));
        let response = request.send().await.map_err(|source| RegistryError::network(registry, source))?;
        let error = match response.status().as_u16() {
            200 => None,
            400 | 401 | 403 | 404 => Some(refused()),
            status => Some(RegistryError::Status {
                registry: registry.to_owned(),
                status,
                message: Some("its token service does not answer"),
                retry_after: None,
                source: None,
            }),
        };
        if let Some(error) = error {
            return Err(explain(error, response, registry, demand.settings.patience_of(registry)).await);
        }
        let bytes = read_capped(response, registry, MAX_TOKEN).await?;
        let token =
            serde_json::from_slice::<TokenAnswer>(&bytes).ok().and_then(|answer| answer.token.or(answer.access_token));
        let token = token.filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
        token.map(|token| format!("Bearer {token}")).ok_or_else(refused)
    }

    /// As the [Docker token specification](https://distribution.github.io/distribution/spec/auth/token/) has it: a GET,
    /// or a POST where a refresh token is exchanged.
    fn request(&self, client: &reqwest::Client, credential: Option<&Credential>) -> reqwest::RequestBuilder {
        let mut url = self.realm.clone();
        if let Some(Credential::RefreshToken(token)) = credential {
            let fields = [
                ("grant_type", "refresh_token"),
                ("refresh_token", token),
                ("client_id", "sesame"),
                ("service", &self.service),
                ("scope", &self.scope),
            ];
            let mut body = Url::parse("http://form/").unwrap_or_else(|_| unreachable!("a constant address"));
            body.query_pairs_mut().extend_pairs(fields);
            let body = body.query().unwrap_or_default().to_owned();
            return client.post(url).header("Content-Type", "application/x-www-form-urlencoded").body(body);
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
