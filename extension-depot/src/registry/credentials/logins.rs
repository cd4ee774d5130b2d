//! Logins that sesame itself keeps: in the Secret Service of the session, or, where its user says
//! so, in a file.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core_types::canonical_registry;
use keyring::{Entry, Error};
use private_files::{remove_leftovers, with_timeout};
use serde::{Deserialize, Serialize};

use crate::files::lock::{Lock, LockError};
use crate::files::state_file::{self, StateFile, StateFileError};
use crate::registry::credentials::credential::Credential;

/// How the secrets are found by those who look through their keyring.
const SERVICE: &str = "sesame registry";

/// How long the Secret Service can take, with the time in which its user types the password of the
/// keyring.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Where a login is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginStore {
    /// The Secret Service of the session.
    SecretService,
    /// A file that only the user can read (0600), in which passwords stand as `docker login` writes
    /// them: encoded, not encrypted.
    File(PathBuf),
}

/// Why a login cannot be stored or forgotten.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The Secret Service is not there, locked, or refuses.
    #[error("the Secret Service of this session cannot be used")]
    SecretService(#[source] Error),
    /// Only names and passwords are stored.
    #[error("a login has a name and a password")]
    NoPassword,
    /// It cannot be written as JSON.
    #[error("cannot encode the login")]
    Encode(#[source] serde_json::Error),
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] StateFileError),
    /// Another process is at work on the file.
    #[error(transparent)]
    Lock(#[from] LockError),
}

/// A login that is kept, without its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptLogin {
    /// The registry.
    pub registry: String,
    /// Where it is kept.
    pub store: LoginStore,
}

#[derive(Serialize, Deserialize)]
struct Login {
    username: String,
    password: String,
}

/// The form of `docker login`, which the reader of other tools' files reads as well.
#[derive(Default, Serialize, Deserialize)]
struct LoginFile {
    auths: BTreeMap<String, EncodedLogin>,
}

#[derive(Serialize, Deserialize)]
struct EncodedLogin {
    auth: String,
}

impl StateFile for LoginFile {
    const FORMAT: u32 = 1;
}

fn connect() -> Result<(), LoginError> {
    // The reason is in the status; the error itself says only that there is none.
    let status = Entry::store_status().as_ref().map(drop);
    status.map_err(|error| {
        LoginError::SecretService(Error::PlatformFailure(error.to_string().into()))
    })
}

/// Asks the Secret Service, which may ask its user first.
fn ask_service<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, LoginError> + Send + 'static,
) -> Result<T, LoginError> {
    let silence = || LoginError::SecretService(Error::PlatformFailure("it does not answer".into()));
    with_timeout("sesame-keyring", ANSWER_TIMEOUT, ask).unwrap_or_else(|_| Err(silence()))
}

fn entry(registry: &str) -> Result<Entry, LoginError> {
    connect()?;
    Entry::new(SERVICE, &canonical_registry(registry)).map_err(LoginError::SecretService)
}

/// Returns the login for a registry in the Secret Service, if there is one.
pub(crate) fn login(registry: &str) -> Result<Option<Credential>, LoginError> {
    let secret = match entry(registry)?.get_secret() {
        Ok(secret) => secret,
        Err(Error::NoEntry) => return Ok(None),
        Err(error) => return Err(LoginError::SecretService(error)),
    };
    let login = serde_json::from_slice::<Login>(&secret).ok();
    Ok(login.map(|Login { username, password }| Credential::Password { username, password }))
}

/// Keeps a login where it is said to be kept, and nowhere else: when that fails, nothing is kept.
///
/// # Errors
/// When the Secret Service or the file cannot be used.
pub fn store_login(
    store: &LoginStore,
    registry: &str,
    credential: &Credential,
) -> Result<(), LoginError> {
    let Credential::Password { username, password } = credential else {
        return Err(LoginError::NoPassword);
    };
    match store {
        LoginStore::SecretService => {
            let login = Login { username: username.clone(), password: password.clone() };
            let secret = serde_json::to_vec(&login).map_err(LoginError::Encode)?;
            let registry = registry.to_owned();
            ask_service(move || {
                entry(&registry)?.set_secret(&secret).map_err(LoginError::SecretService)
            })
        }
        LoginStore::File(path) => {
            let auth = STANDARD.encode(format!("{username}:{password}"));
            change_file(path, |file| {
                file.auths.insert(canonical_registry(registry), EncodedLogin { auth })
            })
            .map(drop)
        }
    }
}

/// Forgets a login. Returns whether there was one.
///
/// # Errors
/// When the Secret Service or the file cannot be used.
pub fn forget_login(store: &LoginStore, registry: &str) -> Result<bool, LoginError> {
    match store {
        LoginStore::SecretService => {
            let registry = registry.to_owned();
            ask_service(move || {
                let as_typed = || Entry::new(SERVICE, &registry).map_err(LoginError::SecretService);
                let was_there = delete(&entry(&registry)?)?;
                // Earlier versions kept a login under the typed name.
                Ok((registry != canonical_registry(&registry) && delete(&as_typed()?)?)
                    || was_there)
            })
        }
        LoginStore::File(path) if !path.exists() => Ok(false),
        LoginStore::File(path) => {
            let wanted = canonical_registry(registry);
            change_file(path, |file| {
                let before = file.auths.len();
                file.auths.retain(|key, _| key != registry && canonical_registry(key) != wanted);
                file.auths.len() < before
            })
        }
    }
}

fn delete(entry: &Entry) -> Result<bool, LoginError> {
    match entry.delete_credential() {
        Ok(()) => Ok(true),
        Err(Error::NoEntry) => Ok(false),
        Err(error) => Err(LoginError::SecretService(error)),
    }
}

/// Returns the registries that logins are kept for in a place, in the order of their names.
///
/// # Errors
/// When the Secret Service or the file cannot be used.
pub fn kept_logins(store: &LoginStore) -> Result<Vec<KeptLogin>, LoginError> {
    let mut registries: Vec<_> = match store {
        LoginStore::SecretService => {
            let found = ask_service(|| {
                connect()?;
                keyring_core::Entry::search(&HashMap::from([("service", SERVICE)]))
                    .map_err(LoginError::SecretService)
            })?;
            found
                .into_iter()
                .filter_map(|entry| entry.get_specifiers())
                .map(|(_, registry)| registry)
                .collect()
        }
        LoginStore::File(path) => {
            state_file::read::<LoginFile>(path)?.unwrap_or_default().auths.into_keys().collect()
        }
    };
    registries.sort();
    Ok(registries
        .into_iter()
        .map(|registry| KeptLogin { registry, store: store.clone() })
        .collect())
}

fn change_file<T>(path: &Path, change: impl FnOnce(&mut LoginFile) -> T) -> Result<T, LoginError> {
    let _lock = Lock::acquire(&path.with_extension("lock"), &|| {})?;
    // The leftovers of a killed process have a password in them.
    path.parent().into_iter().for_each(remove_leftovers);
    let mut file = state_file::read::<LoginFile>(path)?.unwrap_or_default();
    let changed = change(&mut file);
    state_file::write(path, &file)?;
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A file of logins is private, and removed logins are gone from it.
    #[test]
    fn login_file_is_private() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("state/credentials.json");
        let store = LoginStore::File(path.clone());
        let login = Credential::Password { username: "u".to_owned(), password: "p".to_owned() };
        assert!(!forget_login(&store, "ghcr.io").expect("nothing"));
        for registry in ["quay.io", "ghcr.io"] {
            store_login(&store, registry, &login).expect("stored");
        }
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let registries = || -> Vec<_> {
            kept_logins(&store).expect("readable").into_iter().map(|login| login.registry).collect()
        };
        assert_eq!(registries(), ["ghcr.io", "quay.io"]);
        assert!(forget_login(&store, "quay.io").expect("forgotten"));
        assert_eq!(registries(), ["ghcr.io"]);
        // Earlier versions kept a login under the typed name.
        let typed = r#"{"format_version": 1, "auths": {"GHCR.io:443": {"auth": "dTpw"}, "ghcr.io:8443": {"auth": "dTpw"}}}"#;
        std::fs::write(&path, typed).expect("written");
        assert!(forget_login(&store, "ghcr.io").expect("forgotten"));
        assert_eq!(registries(), ["ghcr.io:8443"]);
    }
}
