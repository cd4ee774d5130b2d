//! Demands of registries for authentication, and the error where they refuse.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core_types::OciReference;

use crate::registry::credentials::credential::{FoundLogin, LoginProblem};
use crate::registry::error::RegistryError;
use crate::registry::http::clients::Clients;
use crate::registry::http::refusal::AccessProblem;
use crate::registry::settings::Settings;

/// The access that a request needs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Access {
    Pull,
    Push,
    /// Nothing but to be let in.
    Login,
}

impl Access {
    pub(crate) fn scope(self, repository: &str) -> String {
        match self {
            Self::Pull => format!("repository:{repository}:pull"),
            Self::Push => format!("repository:{repository}:pull,push"),
            Self::Login => String::new(),
        }
    }
}

/// A challenge that is to be answered.
#[derive(Clone, Copy)]
pub(crate) struct Demand<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) clients: &'a Clients,
    pub(crate) reference: &'a OciReference,
    pub(crate) access: Access,
}

pub(crate) fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}

pub(crate) fn refused(reference: &OciReference, login: &FoundLogin) -> LoginProblem {
    LoginProblem::Refused { registry: reference.registry().to_owned(), place: login.place.clone() }
}

/// Returns the error for a refused request: the refused user, and the problem with the login.
pub(crate) fn unauthorized(
    reference: &OciReference,
    login: Option<&FoundLogin>,
    problems: &[LoginProblem],
) -> RegistryError {
    let problem =
        login.map(|login| refused(reference, login)).or_else(|| problems.first().cloned());
    RegistryError::Unauthorized {
        registry: reference.registry().to_owned(),
        repository: reference.repository(),
        who: login.map_or_else(
            || "anonymous".to_owned(),
            |login| format!("`{}`", login.credential.username()),
        ),
        source: problem.map(AccessProblem::Login).map(Box::new),
    }
}
