//! What stands beside `sesame extension`: registries, secrets, trust, configuration, the
//! demonstration.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use core_types::{ExtensionName, NameError, OciPrefix, OciQuery, SecretName};

use super::address;
use super::listing::ListingArguments;
use super::signer::IdentityArguments;
use crate::completion;
use crate::listing::{Logins, Secrets, Signers, Tags};

/// Whose signatures are meant: those of an extension, or of whatever a repository has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedSource {
    Extension(ExtensionName),
    Repository(OciQuery),
}

/// No name of an extension has a `/` in it, and every repository has.
impl FromStr for SignedSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('/') {
            address::repository(text).map(Self::Repository).map_err(|error| error.to_string())
        } else {
            text.parse().map(Self::Extension).map_err(|error: NameError| error.to_string())
        }
    }
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum SecretCommand {
    /// Store a secret for an extension, from standard input or a prompt that does not show it
    Set {
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
        secret: SecretName,
    },
    /// List the names of an extension's secrets
    #[command(visible_alias = "ls")]
    List {
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
        #[command(flatten)]
        listing: ListingArguments<Secrets>,
    },
    /// Forget a secret
    #[command(visible_alias = "rm")]
    Remove {
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
        secret: SecretName,
    },
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum RegistryCommand {
    /// Keep a login, in the Secret Service of this session unless said otherwise
    Login {
        /// `host` or `host:port`
        registry: String,
        /// Asked for on a terminal where it is left out
        #[arg(short, long)]
        username: Option<String>,
        /// Read the password from standard input, which is also done where no terminal can be asked
        #[arg(long)]
        password_stdin: bool,
        /// `secret-service`, or `file`: a file that only you can read, where the password is not
        /// encrypted
        #[arg(long, value_name = "WHERE", default_value = "secret-service")]
        store: StoreName,
        /// Keep the login without trying it
        #[arg(long)]
        no_verify: bool,
    },
    /// List the registries that logins are kept for
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        listing: ListingArguments<Logins>,
    },
    /// List the tags of a repository, the newest version first
    Tags {
        /// `registry/[principal/]scope`
        #[arg(value_parser = address::repository, add = ArgValueCompleter::new(completion::repositories))]
        repository: OciQuery,
        #[command(flatten)]
        listing: ListingArguments<Tags>,
    },
    /// Forget a login
    Logout {
        /// `host` or `host:port`
        registry: String,
    },
}

/// Where a login is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum StoreName {
    SecretService,
    File,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum TrustCommand {
    /// List whose signatures are trusted, and who signed first where something was installed from
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        listing: ListingArguments<Signers>,
    },
    /// Trust somebody for a place: the owner of a public key, or whoever certificates name
    Add {
        /// A file in PEM, such as `cosign.pub`
        #[arg(required_unless_present = "identity", conflicts_with = "identity")]
        key: Option<PathBuf>,
        #[command(flatten)]
        certificate: IdentityArguments,
        /// `registry[/principal[/scope]]`: that repository and all below it
        #[arg(long = "for", value_name = "PLACE")]
        place: OciPrefix,
    },
    /// Trust somebody no longer
    #[command(visible_alias = "rm")]
    Remove {
        /// The file of a key, its digest as `list` shows it, or an identity
        signer: String,
        /// Only for this place
        #[arg(long = "for", value_name = "PLACE")]
        place: Option<OciPrefix>,
    },
    /// Take the next version of an extension, whoever signed it
    Accept {
        /// The extension, or the repository of a list: `registry/[principal/]scope`
        #[arg(value_name = "NAME", add = ArgValueCompleter::new(completion::names))]
        of: SignedSource,
    },
    /// Make a pair of keys to sign with: `NAME.key` and `NAME.pub`
    ///
    /// On a terminal the password is asked for twice; it can come from SESAME_KEY_PASSWORD or
    /// COSIGN_PASSWORD as well. Without one the secret key is not encrypted. cosign reads both
    /// halves.
    Keygen {
        /// Where to; `.key` and `.pub` are put behind it as it is, dots and all
        #[arg(default_value = "sesame", value_name = "NAME")]
        to: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum ConfigCommand {
    /// Show every value that is configured
    Show {
        /// Name the file and line of each
        #[arg(long)]
        origin: bool,
    },
    /// Read every file of the configuration and every manifest, and say what is wrong in them
    Validate,
}

#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Keep the registry running until interrupted
    #[arg(long)]
    pub serve: bool,
}
