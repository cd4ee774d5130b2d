//! Trying a login before it is kept.

use core_types::OciReference;

use crate::registry::auth::demand::Access;
use crate::registry::auth::session::Authorization;
use crate::registry::client::Registry;
use crate::registry::credentials::credential::{Credential, CredentialFiles};
use crate::registry::error::RegistryError;
use crate::registry::http::connection::Connection;
use crate::registry::settings::{ExplicitLogin, Settings};

/// The result of trying a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginCheck {
    /// It takes the login.
    Accepted,
    /// It answers everybody, so that the login was not tried.
    NotAsked,
}

impl Registry {
    /// Tries a login for the registry of a reference at the root of its API.
    ///
    /// # Errors
    /// [`RegistryError::LoginRefused`] when the registry does not take it; when it cannot be
    /// reached.
    pub async fn check_login(
        &self,
        reference: &OciReference,
        credential: Credential,
    ) -> Result<LoginCheck, RegistryError> {
        let registry = reference.registry().to_owned();
        let username = credential.username().to_owned();
        let login = Some(ExplicitLogin { registry: registry.clone(), credential });
        let credentials = CredentialFiles::default();
        let settings =
            Settings { login, credentials, secret_service: false, ..self.settings.clone() };
        let registry_with_login = Self::new(settings);
        let checked = registry_with_login.connect(reference)?.check_login().await;
        checked.map_err(|error| match error {
            RegistryError::Unauthorized { source, .. } => {
                let source = source.and_then(|problem| problem.into_refusal());
                RegistryError::LoginRefused { registry, username, source }
            }
            RegistryError::NotFound { source, .. } => RegistryError::Status {
                registry,
                status: 404,
                message: None,
                retry_after: None,
                source,
            },
            other => other,
        })
    }
}

impl Connection<'_> {
    async fn check_login(&self) -> Result<LoginCheck, RegistryError> {
        let probe = async |authorization: Option<&Authorization>| self.probe(authorization).await;
        let response = self.authenticated(Access::Login, probe).await?;
        self.check_status(response).await?;
        let was_asked = self.session.known(&self.reference, Access::Login).is_some();
        Ok(if was_asked { LoginCheck::Accepted } else { LoginCheck::NotAsked })
    }
}
