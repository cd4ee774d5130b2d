//! Options for a signer, as `install`, `verify` and `trust` take them.

use std::path::{Path, PathBuf};

use clap::Args;

// The signer: the owner of a key, or an identity in a certificate. A doc comment here would become
// the help of each command that flattens it.
#[derive(Debug, Default, Args)]
pub struct SignerArguments {
    /// Require a signature by the owner of this public key
    #[arg(long, value_name = "FILE", conflicts_with = "identity")]
    pub key: Option<PathBuf>,
    #[command(flatten)]
    pub certificate: IdentityArguments,
}

// The signer that a certificate names; without a doc comment for the same reason.
#[derive(Debug, Default, Args)]
pub struct IdentityArguments {
    /// The identity in the certificate: an address, or the URL of a workflow
    #[arg(
        long,
        value_name = "ID",
        alias = "certificate-identity",
        requires = "issuer",
        requires = "trusted_root"
    )]
    pub identity: Option<String>,
    /// The identity's provider: the URL of an OpenID Connect issuer
    #[arg(long, value_name = "URL", alias = "certificate-oidc-issuer", requires = "identity")]
    pub issuer: Option<String>,
    /// The certificate authorities and logs to trust: a `trusted_root.json` of Sigstore
    #[arg(long, value_name = "FILE", requires = "identity")]
    pub trusted_root: Option<PathBuf>,
}

/// A signer as given.
#[derive(Debug, Clone, Copy)]
pub enum GivenSigner<'a> {
    Key(&'a Path),
    Identity { identity: &'a str, issuer: &'a str, trusted_root: &'a Path },
}

impl SignerArguments {
    /// Returns the signer, if one was given.
    pub fn given(&self) -> Option<GivenSigner<'_>> {
        self.key.as_deref().map(GivenSigner::Key).or_else(|| self.certificate.given())
    }
}

impl IdentityArguments {
    /// Returns the identity, if one was given.
    pub fn given(&self) -> Option<GivenSigner<'_>> {
        let Self { identity, issuer, trusted_root } = self;
        Some(GivenSigner::Identity {
            identity: identity.as_deref()?,
            issuer: issuer.as_deref()?,
            trusted_root: trusted_root.as_deref()?,
        })
    }
}
