//! The settings of a registry.

use std::num::NonZeroU32;
use std::path::PathBuf;

use core_types::OciPrefix;
use serde::Deserialize;

use crate::config::redirect_host::RedirectHost;

/// The settings of one registry: `[registries."host:port"]`.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RegistrySettings {
    /// `plain_http`: whether to talk HTTP without TLS. Default: only with loopback addresses.
    pub plain_http: Option<bool>,
    /// `token_hosts`: hosts that may be given this registry's credentials for a token. Default:
    /// none beside the registry itself and the pairs that are built in.
    pub token_hosts: Vec<String>,
    /// `mirrors`: where the same repositories are asked for first, as `host[:port][/path in front
    /// of the repository]`. The registry itself is asked where every mirror fails. A mirror is
    /// believed about tags as the registry is; bytes are checked against digests all the same.
    /// Default: none.
    pub mirrors: Vec<OciPrefix>,
    /// `allow-redirect-to`: private addresses, as `host:port`, to which the registry may redirect,
    /// as to a store of blobs on the same network. Every other rule for redirects stays. Default:
    /// none.
    #[serde(rename = "allow-redirect-to")]
    pub allow_redirect_to: Vec<RedirectHost>,
    /// `timeout_seconds`: how long is waited for the registry to connect and for the next bytes of
    /// an answer. A whole answer has at least twenty times as long. Default: 10 seconds to connect,
    /// 30 for the next bytes, 10 minutes in all.
    pub timeout_seconds: Option<NonZeroU32>,
    /// `ca`: a file with certificate authorities (PEM) that are trusted beside the system's while
    /// this registry is talked to. Default: none.
    pub ca: Option<PathBuf>,
}
