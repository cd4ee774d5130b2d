//! From a demand for authentication to a header that answers it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Instant;

use core_types::{OciReference, canonical_registry};
use tokio::sync::Mutex;

use crate::registry::auth::challenge::{Challenge, Challenges};
use crate::registry::auth::demand::{Access, Demand, basic, refused, unauthorized};
use crate::registry::auth::token_service::{Token, TokenService};
use crate::registry::credentials::credential::{Credential, FoundLogin, LoginProblem, Notice};
use crate::registry::credentials::lookup::Lookups;
use crate::registry::error::RegistryError;
use crate::registry::settings::Settings;

/// The different challenges of one request that are answered. Registries ask once, or twice with
/// another scope.
const MAX_CHALLENGES: usize = 3;

/// The value of the header `Authorization`, for the registry's own origin only.
#[derive(Clone)]
pub(crate) struct Authorization {
    pub(crate) header: String,
    /// The login behind it; nothing where access is anonymous.
    pub(crate) login: Option<FoundLogin>,
    /// The challenges that it answers.
    challenges: Challenges,
    /// When a token runs out, where its service says so.
    expires: Option<Instant>,
}

impl Authorization {
    fn is_expired(&self) -> bool {
        self.expires.is_some_and(|expires| expires <= Instant::now())
    }
}

/// The sessions of a command, by scheme and registry, for every connection to that registry.
#[derive(Default)]
pub(crate) struct Sessions(RefCell<BTreeMap<(&'static str, String), Rc<Session>>>);

impl Sessions {
    /// Returns the session of a registry. However the registry is written, it has one; a token that
    /// came over TLS is not sent over plain HTTP.
    pub(crate) fn of(&self, settings: &Settings, registry: &str) -> Rc<Session> {
        let key = (settings.scheme(registry), canonical_registry(registry));
        self.0.borrow_mut().entry(key).or_default().clone()
    }
}

/// The logins and tokens of one registry within a command.
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
    tokens: BTreeMap<[String; 4], Token>,
    /// The repositories whose login was refused, which are read anonymously from then on.
    refused: BTreeSet<String>,
    told: Vec<Notice>,
}

/// The challenges that one request has met.
#[derive(Default)]
pub(crate) struct Attempts {
    answered: Vec<Challenges>,
    /// The values of `Authorization` that were refused.
    rejected: Vec<String>,
    /// Whether the last answer was a token from before, which the registry may not take any more.
    is_reused: bool,
    /// The login that was refused before access became anonymous.
    refused: Option<FoundLogin>,
}

impl Attempts {
    /// Returns whether answering these challenges again would change nothing.
    fn is_exhausted_by(&self, challenges: &Challenges) -> bool {
        let is_repeated = self.answered.contains(challenges) && !self.is_reused;
        is_repeated || self.answered.len() >= MAX_CHALLENGES
    }
}

impl Session {
    /// Returns the authorization that worked last for such a request.
    pub(crate) fn known(&self, reference: &OciReference, access: Access) -> Option<Authorization> {
        self.known.borrow().get(&(reference.repository(), access)).cloned()
    }

    /// Returns the authorization to begin a request with. A token that has run out is replaced
    /// first, so that no upload is sent for nothing. Where that fails, the request's own challenge
    /// says why.
    pub(crate) async fn current(&self, demand: &Demand<'_>) -> Option<Authorization> {
        let known = self.known(demand.reference, demand.access)?;
        if !known.is_expired() {
            return Some(known);
        }
        let renewed =
            self.next(demand, &known.challenges, Some(&known), &mut Attempts::default()).await;
        Some(renewed.unwrap_or(known))
    }

    /// Returns the authorization to try after `challenges`, which a request with `used` has met.
    /// The same challenges are answered once, and once more where the answer was a token from
    /// before; what is read is then tried without the login.
    ///
    /// # Errors
    /// When nothing is left to try.
    pub(crate) async fn next(
        &self,
        demand: &Demand<'_>,
        challenges: &Challenges,
        used: Option<&Authorization>,
        attempts: &mut Attempts,
    ) -> Result<Authorization, RegistryError> {
        let login = used.and_then(|used| used.login.clone());
        let challenges = match used {
            Some(used) if challenges.text().is_empty() => &used.challenges,
            _ => challenges,
        };
        attempts.rejected.extend(used.map(|used| used.header.clone()));
        let mut state = self.state.lock().await;
        if attempts.is_exhausted_by(challenges) {
            let problems = state.lookups.problems(demand.reference);
            let refusal = || {
                unauthorized(
                    demand.reference,
                    login.as_ref().or(attempts.refused.as_ref()),
                    problems,
                )
            };
            let can_be_anonymous = login.is_some() && demand.access == Access::Pull;
            if !can_be_anonymous || !challenges.has_bearer() {
                return Err(refusal());
            }
            state.refused.insert(demand.reference.repository());
            attempts.refused = login;
        }
        let answer = state.answer(demand, challenges, attempts).await;
        attempts.answered.push(challenges.clone());
        let authorization = answer.map_err(|error| match (error, &attempts.refused) {
            (RegistryError::Unauthorized { .. }, Some(login)) => {
                unauthorized(demand.reference, Some(login), &[])
            }
            (other, _) => other,
        })?;
        let key = (demand.reference.repository(), demand.access);
        self.known.borrow_mut().insert(key, authorization.clone());
        Ok(authorization)
    }
}

impl State {
    /// Answers the strongest challenge that can be answered. Logins are looked up only now, so that
    /// anonymous registries cost nothing.
    async fn answer(
        &mut self,
        demand: &Demand<'_>,
        challenges: &Challenges,
        attempts: &mut Attempts,
    ) -> Result<Authorization, RegistryError> {
        let mut failure = None;
        for challenge in challenges.known() {
            match self.answer_one(demand, challenge, attempts).await {
                Ok((token, login)) => {
                    let Token { header, expires } = token;
                    return Ok(Authorization {
                        header,
                        login,
                        challenges: challenges.clone(),
                        expires,
                    });
                }
                // A registry that takes a name and a password as well is asked with them.
                Err(error @ (RegistryError::Realm { .. } | RegistryError::Unauthorized { .. })) => {
                    failure.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(failure.unwrap_or_else(|| not_answered(demand.reference, challenges)))
    }

    async fn answer_one(
        &mut self,
        demand: &Demand<'_>,
        challenge: &Challenge,
        attempts: &mut Attempts,
    ) -> Result<(Token, Option<FoundLogin>), RegistryError> {
        match challenge {
            Challenge::Basic => self.basic(demand, attempts).await,
            Challenge::Bearer { realm, service, scope } => {
                let service =
                    TokenService::new(demand, realm, service.as_deref(), scope.as_deref())?;
                self.bearer(demand, &service, attempts).await
            }
        }
    }

    async fn basic(
        &mut self,
        demand: &Demand<'_>,
        attempts: &mut Attempts,
    ) -> Result<(Token, Option<FoundLogin>), RegistryError> {
        let lookup = self.lookups.find(demand.settings, demand.reference).await;
        let Some(login) = lookup.login else {
            return Err(unauthorized(demand.reference, None, &lookup.problems));
        };
        let header = match &login.credential {
            Credential::Password { username, password } => basic(username, password),
            Credential::RefreshToken(_) => {
                return Err(unauthorized(demand.reference, Some(&login), &[]));
            }
        };
        if attempts.rejected.contains(&header) {
            return Err(unauthorized(demand.reference, Some(&login), &[]));
        }
        attempts.is_reused = false;
        Ok((Token { header, expires: None }, Some(login)))
    }

    /// Returns a token for the login, or an anonymous one without a login, or where the login is
    /// refused and nothing is written.
    async fn bearer(
        &mut self,
        demand: &Demand<'_>,
        service: &TokenService,
        attempts: &mut Attempts,
    ) -> Result<(Token, Option<FoundLogin>), RegistryError> {
        let (repository, is_pull) = (demand.reference.repository(), demand.access == Access::Pull);
        let lookup = self.lookups.find(demand.settings, demand.reference).await;
        let mut problems = lookup.problems;
        let mut refusal = None;
        if let Some(login) = lookup.login {
            let is_refused = is_pull && self.refused.contains(&repository);
            if !is_refused {
                match self.token(demand, service, Some(&login), &problems, attempts).await {
                    Ok(token) => return Ok((token, Some(login))),
                    Err(error @ RegistryError::Unauthorized { .. }) if is_pull => {
                        refusal = Some(error)
                    }
                    Err(error) => return Err(error),
                }
                self.refused.insert(repository);
            }
            problems.insert(0, refused(demand.reference, &login));
        }
        match self.token(demand, service, None, &problems, attempts).await {
            Ok(token) => {
                for problem in problems {
                    self.tell(demand.settings, Notice::Anonymous(problem));
                }
                Ok((token, None))
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

    /// Returns a token that was had before, unless it has expired or was refused, or a new one.
    async fn token(
        &mut self,
        demand: &Demand<'_>,
        service: &TokenService,
        login: Option<&FoundLogin>,
        problems: &[LoginProblem],
        attempts: &mut Attempts,
    ) -> Result<Token, RegistryError> {
        let who = login
            .map(|login| format!("{} {}", login.credential.username(), login.place))
            .unwrap_or_default();
        let key = service.key(who);
        let is_good =
            |token: &&Token| !token.is_expired() && !attempts.rejected.contains(&token.header);
        if let Some(token) = self.tokens.get(&key).filter(is_good) {
            attempts.is_reused = true;
            return Ok(token.clone());
        }
        let asking = service.ask(demand, login, problems);
        let registry = demand.reference.registry();
        let timeout = |_| RegistryError::Timeout { registry: registry.to_owned() };
        let token = tokio::time::timeout(demand.settings.timeouts_of(registry).idle, asking)
            .await
            .map_err(timeout)??;
        attempts.is_reused = false;
        self.tokens.insert(key, token.clone());
        Ok(token)
    }
}

/// Returns the error for a refused request whose challenges cannot be answered.
fn not_answered(reference: &OciReference, challenges: &Challenges) -> RegistryError {
    if challenges.text().is_empty() {
        return unauthorized(reference, None, &[]);
    }
    let challenge = challenges.text().chars().take(100).collect();
    RegistryError::Challenge { registry: reference.registry().to_owned(), challenge }
}
