//! Logins that sesame itself keeps: one secret per registry in the Secret Service of the session.

use keyring::{Entry, Error};
use serde::{Deserialize, Serialize};

use super::credentials::Credential;

/// How the secrets are found by those who look through their keyring.
const SERVICE: &str = "sesame registry";

/// Why a login cannot be stored or forgotten.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The Secret Service is not there, locked, or refuses.
    #[error("the Secret Service of this session cannot be used")]
    SecretService(#[source] Error),
    /// Only names and passwords are stored.
    #[error("a login has a name and a password")]
    NoPassword,
}

#[derive(Serialize, Deserialize)]
struct Login {
    username: String,
    password: String,
}

fn entry(registry: &str) -> Result<Entry, LoginError> {
    if let Err(error) = Entry::store_status() {
        // The reason is in the status; the error itself says only that there is none.
        return Err(LoginError::SecretService(Error::PlatformFailure(error.to_string().into())));
    }
    Entry::new(SERVICE, registry).map_err(LoginError::SecretService)
}

/// The login for a registry, if there is one.
pub(crate) fn login(registry: &str) -> Result<Option<Credential>, LoginError> {
    let secret = match entry(registry)?.get_secret() {
        Ok(secret) => secret,
        Err(Error::NoEntry) => return Ok(None),
        Err(error) => return Err(LoginError::SecretService(error)),
    };
    let login = serde_json::from_slice::<Login>(&secret).ok();
    Ok(login.map(|Login { username, password }| Credential::Password { username, password }))
}

/// Keeps a login in the Secret Service. There is no other place: without the service this fails.
///
/// # Errors
/// When the Secret Service cannot be used.
pub fn store_login(registry: &str, credential: &Credential) -> Result<(), LoginError> {
    let Credential::Password { username, password } = credential else { return Err(LoginError::NoPassword) };
    let login = Login { username: username.clone(), password: password.clone() };
    let secret = serde_json::to_vec(&login).unwrap_or_default();
    entry(registry)?.set_secret(&secret).map_err(LoginError::SecretService)
}

/// Forgets a login. Gives back whether there was one.
///
/// # Errors
/// When the Secret Service cannot be used.
pub fn forget_login(registry: &str) -> Result<bool, LoginError> {
    match entry(registry)?.delete_credential() {
        Ok(()) => Ok(true),
        Err(Error::NoEntry) => Ok(false),
        Err(error) => Err(LoginError::SecretService(error)),
    }
}
