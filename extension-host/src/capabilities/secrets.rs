//! `open-sesame:host/secret-read` and `secret-write`: secrets in the keyring of the session,
//! separate for each extension.

use core_types::Request;

use crate::bindings::open_sesame::host::types::Error;
use crate::bindings::open_sesame::host::{secret_read, secret_write};
use crate::calling::{CallState, Size};

/// The maximum of a secret, in bytes: keys and tokens fit many times over, files do not belong
/// there.
pub const MAX_SECRET: usize = 64 * 1024;

impl secret_read::Host for CallState {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, Error>> {
        let request = Request::ReadSecret(name.clone());
        self.ask_backend(request, Size::NONE, move |backends, owner| {
            backends.secrets.read(owner, &name)
        })
        .await
    }
}

impl secret_write::Host for CallState {
    async fn set(&mut self, name: String, value: String) -> wasmtime::Result<Result<(), Error>> {
        let request = Request::WriteSecret(name.clone());
        let size = Size { bytes: value.len(), max: MAX_SECRET };
        self.ask_backend(request, size, move |backends, owner| {
            backends.secrets.store(owner, &name, &value)
        })
        .await
    }

    async fn remove(&mut self, name: String) -> wasmtime::Result<Result<(), Error>> {
        let request = Request::WriteSecret(name.clone());
        self.ask_backend(request, Size::NONE, move |backends, owner| {
            backends.secrets.remove(owner, &name)
        })
        .await
    }
}

#[cfg(feature = "secrets")]
pub use service::SecretService;

#[cfg(feature = "secrets")]
mod service {
    use std::collections::HashMap;
    use std::fmt::Display;

    use core_types::{Owner, plain_message};
    use keyring::{Entry, Error};

    use crate::capabilities::{BackendError, SecretStore};

    /// The Secret Service of the session
    /// (<https://specifications.freedesktop.org/secret-service-spec>), such as GNOME Keyring. There
    /// is no other place: without it, nothing is stored.
    ///
    /// A secret has two attributes, the identity of its extension and its name, so that two pairs
    /// never collide. The name of the extension is not among them.
    #[derive(Debug, Clone, Copy, Default)]
    pub struct SecretService;

    /// Returns the attribute that all secrets of an extension share. The identities of registries,
    /// files and programs never collide.
    fn service(owner: &Owner) -> String {
        format!("sesame extension {}", owner.identity)
    }

    fn entry(owner: &Owner, name: &str) -> Result<Entry, BackendError> {
        connect()?;
        Entry::new(&service(owner), name).map_err(backend_error)
    }

    fn connect() -> Result<(), BackendError> {
        let status = Entry::store_status().as_ref();
        let unavailable = |error| {
            BackendError::Unavailable(format!("this session has no keyring: {}", plain(error)))
        };
        status.copied().map_err(unavailable)
    }

    /// Returns the reason without the names of the library's layers.
    fn plain(error: &impl Display) -> String {
        plain_message(&error.to_string())
    }

    fn backend_error(error: Error) -> BackendError {
        match error {
            Error::NoEntry => BackendError::NotFound,
            Error::NoStorageAccess(why) => {
                BackendError::Unavailable(format!("the keyring is locked: {}", plain(&why)))
            }
            other => BackendError::Unavailable(format!("the keyring refuses: {}", plain(&other))),
        }
    }

    impl SecretStore for SecretService {
        fn read(&self, owner: &Owner, name: &str) -> Result<String, BackendError> {
            entry(owner, name)?.get_password().map_err(backend_error)
        }

        fn store(&self, owner: &Owner, name: &str, value: &str) -> Result<(), BackendError> {
            entry(owner, name)?.set_password(value).map_err(backend_error)
        }

        fn remove(&self, owner: &Owner, name: &str) -> Result<(), BackendError> {
            entry(owner, name)?.delete_credential().map_err(backend_error)
        }

        fn names(&self, owner: &Owner) -> Result<Vec<String>, BackendError> {
            connect()?;
            let service = service(owner);
            let found =
                keyring_core::Entry::search(&HashMap::from([("service", service.as_str())]));
            let specifiers = found
                .map_err(backend_error)?
                .into_iter()
                .filter_map(|entry| entry.get_specifiers());
            let mut names: Vec<_> = specifiers.map(|(_, name)| name).collect();
            names.sort();
            Ok(names)
        }
    }
}
