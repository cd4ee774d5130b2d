//! Fetching from OCI registries over the
//! [distribution API](https://github.com/opencontainers/distribution-spec/blob/main/spec.md).
//!
//! A registry is not trusted. Its responses are bounded in size and time, counted and hashed as it
//! arrives, and trusted only as far as digests reach. Credentials go to the registry itself and to
//! the token hosts that it is paired with, and nowhere else; places that a document names outside
//! the registry are never asked.

pub(crate) mod auth;
mod client;
mod credentials;
mod download;
mod error;
mod http;
mod push;
pub(crate) mod referrers;
mod settings;
mod tags;

pub use crate::trust::signature::{KeygenError, generate_key};
pub use client::{Progress, Registry, Resolved};
pub use credentials::{
    Credential, CredentialFiles, KeptLogin, LoginCheck, LoginError, LoginPlace, LoginProblem,
    LoginStore, Notice, forget_login, kept_logins, store_login,
};
pub use download::DownloadError;
pub use error::RegistryError;
pub use http::{AccessProblem, NetworkFault, Proxies, Refusal};
pub use push::{Published, PushError, SignatureForm};
pub use settings::{ExplicitLogin, Notices, RegistrySettings, Settings, Timeouts};
