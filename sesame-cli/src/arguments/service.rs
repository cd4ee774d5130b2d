//! Commands beside `sesame extension`: registries, secrets, trust, configuration, the
//! demonstration.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use core_types::{ExtensionName, NameError, OciPrefix, OciQuery, SecretName};

use super::address;
use super::listing::ListingArguments;
use super::signer::IdentityArguments;
use super::using::duration;
use crate::completion;
use crate::listing::{Configuration, Logins, Secrets, Signers, Tags};

/// A source of signatures: an extension, or all of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedSource {
    Extension(ExtensionName),
    Repository(OciQuery),
}

/// A repository has a `/` and the name of an extension does not.
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
    /// Store a secret, from a hidden prompt or standard input
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
    /// Delete a secret
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
    /// Log in to a registry, and keep the login
    Login {
        /// `host` or `host:port`
        registry: String,
        /// The user name; without it, a terminal is asked
        #[arg(short, long)]
        username: Option<String>,
        /// Read the password from standard input (the default without a terminal)
        #[arg(long)]
        password_stdin: bool,
        /// `secret-service`, or `file`: a private file, where the password is not encrypted
        #[arg(long, value_name = "WHERE", default_value = "secret-service")]
        store: StoreName,
        /// Keep the login without verifying it
        #[arg(long)]
        no_verify: bool,
    },
    /// List the registries with logins
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
    /// Delete a login
    Logout {
        /// `host` or `host:port`
        registry: String,
    },
}

/// The store of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum StoreName {
    SecretService,
    File,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum TrustCommand {
    /// List trusted and pinned signers
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        listing: ListingArguments<Signers>,
    },
    /// Trust a public key or an identity for a place
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
    /// Stop trusting a signer
    #[command(visible_alias = "rm")]
    Remove {
        /// The file of a key, its digest as in `list`, or an identity
        signer: String,
        /// Only for this place
        #[arg(long = "for", value_name = "PLACE")]
        place: Option<OciPrefix>,
    },
    /// Accept another signer for the next version of an extension
    Accept {
        /// The extension, or the repository of a list: `registry/[principal/]scope`
        #[arg(value_name = "NAME", add = ArgValueCompleter::new(completion::names))]
        of: SignedSource,
    },
    /// Create a pair of keys for signing: `NAME.key` and `NAME.pub`
    ///
    /// On a terminal the password is asked for twice; SESAME_KEY_PASSWORD or COSIGN_PASSWORD can
    /// hold it as well. Without a password the secret key is not encrypted. cosign reads both
    /// files.
    Keygen {
        /// The files' path; `.key` and `.pub` are appended to it, whatever dots it has
        #[arg(default_value = "sesame", value_name = "NAME")]
        to: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum ConfigCommand {
    /// Show all configured values
    Show {
        /// Show the file and line of each
        #[arg(long)]
        origin: bool,
        #[command(flatten)]
        listing: ListingArguments<Configuration>,
    },
    /// Check all files of the configuration and all manifests
    Validate,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum SessionCommand {
    /// Wake extensions by events, until this is interrupted
    ///
    /// Delivers the events that extensions were granted: times, changes of files and of their own
    /// settings. Each delivery is decided about like a call, runs within the limits of a call, and
    /// is in the activity log. Changes of grants and manifests are seen within a second.
    ///
    /// Where there is a session bus, programs call and watch extensions through it as
    /// `org.opensesame.Extensions1`, and emit events.
    Run {
        /// End after this time without anything to do, when no event may wake an extension
        #[arg(long, value_name = "TIME", value_parser = duration)]
        idle_exit: Option<Duration>,
        /// End the service that runs, after its calls, and go on in its place
        #[arg(long)]
        replace: bool,
    },
    /// Show whether the session service runs, with the events that it waits for
    Status,
    /// Emit an event `custom.TOPIC`, and print the number of extensions that it reaches
    Emit {
        /// The topic, such as `build.done`
        topic: String,
        /// The text that the event carries; `-` reads it from standard input
        payload: Option<String>,
    },
    /// End the session service after the calls that run
    Stop,
    /// Let systemd and the session bus start the service
    ///
    /// Writes a unit for systemd and a file for the session bus, both for this user and with the
    /// path of this program. The service then starts with the first call, with a change after which
    /// an event may wake an extension, and at login where `systemctl --user enable` says so. Where a
    /// package has both files, nothing is written.
    Install {
        /// Remove the files instead
        #[arg(long)]
        remove: bool,
        /// Replace or remove files that were edited
        #[arg(short, long)]
        force: bool,
    },
}

#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Keep the registry running until interrupted
    #[arg(long)]
    pub serve: bool,
    /// Do not pause between the steps
    #[arg(long)]
    pub fast: bool,
}
