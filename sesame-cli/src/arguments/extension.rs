//! `sesame extension`

use std::str::FromStr;

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use core_types::{
    Capability, Digest, DigestError, ExtensionName, Grant, GrantError, Period, VersionReq,
};
use extension_depot::Source;

use super::address;
use super::author::{DevArguments, NewArguments, PublishArguments, TestArguments};
use super::listing::ListingArguments;
use super::setting::{SettingKey, TypedSetting};
use super::sharing::{ExportArguments, ImportArguments, SignArguments, SyncArguments};
use super::signer::SignerArguments;
use super::using::{
    CallArguments, DocsArguments, ExecArguments, RunArguments, StorageArguments, TriggerArguments,
    WatchArguments,
};
use crate::completion;
use crate::listing::{
    Activity, Checks, Collected, Extensions, Freshness, Generations, Settings, Updates,
};

/// The everyday commands. They are at the top, as `sesame install`, and below `sesame extension`.
#[derive(Debug, Subcommand)]
// Builds only the arguments of the typed command: the tree is most of the work before a call.
#[command(defer = true)]
pub enum EverydayCommand {
    /// Install an extension from a registry, a file or an OCI layout
    #[command(visible_alias = "add")]
    Install(Box<InstallArguments>),
    /// List the installed extensions
    #[command(visible_alias = "ls")]
    List(ListArguments),
    /// Call a function of an extension, or list its functions
    Call(CallArguments),
    /// Run an extension that is a program
    Run(RunArguments),
    /// Show everything about an installed extension
    #[command(visible_alias = "show")]
    Info {
        /// The name of an installed extension
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
    },
    /// Update extensions without granting more permissions
    #[command(visible_alias = "upgrade")]
    Update(UpdateArguments),
    /// Remove extensions; manifests, logs and data are kept
    #[command(visible_aliases = ["uninstall", "rm"])]
    Remove(RemoveArguments),
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum ExtensionCommand {
    #[command(flatten)]
    Everyday(EverydayCommand),
    /// Enable extensions
    Enable {
        /// The names of installed extensions
        #[arg(required = true, add = ArgValueCompleter::new(completion::names))]
        names: Vec<ExtensionName>,
    },
    /// Disable extensions
    Disable {
        /// The names of installed extensions
        #[arg(required = true, add = ArgValueCompleter::new(completion::names))]
        names: Vec<ExtensionName>,
    },
    /// Grant permissions to an extension
    Grant(GrantArguments),
    /// Revoke permissions of an extension
    Revoke {
        /// The name of an installed extension
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
        /// A whole capability, or one scope of it
        #[arg(required = true, value_name = "CAPABILITY[=SCOPE]", add = ArgValueCompleter::new(completion::revocations))]
        grants: Vec<Revocation>,
    },
    /// Show the requests of an extension without installing it
    Inspect {
        /// A name, `registry/[principal/]scope:revision[@digest]`, `./file.wasm`,
        /// `https://HOST/file.wasm` or `oci:PATH[:TAG]`
        #[arg(add = ArgValueCompleter::new(completion::inspectable))]
        what: String,
        /// The digest of the file; required for a download from a web server
        #[arg(long, value_name = "DIGEST", value_parser = sha256)]
        sha256: Option<Digest>,
    },
    /// Show recent refusals and the commands that allow them
    Why {
        /// The name of an installed extension
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
    },
    /// Show the resources that extensions used
    Activity(ActivityArguments),
    /// Show what wakes an extension
    Events {
        /// The name of an installed extension
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
        /// Show the last deliveries too
        #[arg(long)]
        log: bool,
    },
    /// Verify installed files, and show their signers
    Verify {
        /// Names, or references of artifacts that are not installed; without any, all installed
        /// extensions
        #[arg(add = ArgValueCompleter::new(completion::names))]
        what: Vec<String>,
        /// The required signer, by the registry's current signatures
        #[command(flatten)]
        signer: SignerArguments,
        /// Fetch damaged files again, and compile stale code
        #[arg(long)]
        repair: bool,
        #[command(flatten)]
        listing: ListingArguments<Checks>,
    },
    /// List extensions with newer versions or moved tags
    Outdated {
        /// Only these; without any, all
        #[arg(add = ArgValueCompleter::new(completion::names))]
        names: Vec<ExtensionName>,
        #[command(flatten)]
        listing: ListingArguments<Freshness>,
    },
    /// Keep extensions at their versions
    Pin {
        /// The names of installed extensions
        #[arg(required = true, add = ArgValueCompleter::new(completion::names))]
        names: Vec<ExtensionName>,
    },
    /// Allow updates of extensions again
    Unpin {
        /// The names of installed extensions
        #[arg(required = true, add = ArgValueCompleter::new(completion::names))]
        names: Vec<ExtensionName>,
    },
    /// Show earlier generations of an extension
    History {
        /// The name of an installed extension
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
        #[command(flatten)]
        listing: ListingArguments<Generations>,
    },
    /// Restore an earlier generation (works offline)
    Rollback(RollbackArguments),
    /// Delete old generations and unreferenced files
    Gc {
        /// The number of versions to keep of each extension, with the installed one
        #[arg(long, default_value_t = 3, value_name = "N")]
        keep: usize,
        /// Print the files to remove without removing them
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        listing: ListingArguments<Collected>,
    },
    /// Install the extensions of the manifests or of a list
    Sync(SyncArguments),
    /// Show the documentation of an extension
    Docs(DocsArguments),
    /// Print the result of a function each time it changes
    ///
    /// The function is called by the session service where it runs, and by this process elsewhere.
    Watch(WatchArguments),
    /// Deliver a made-up event to an extension
    ///
    /// It is decided about like a call, and has the limits of a call.
    Trigger(TriggerArguments),
    /// Run a command in the environment that an extension adds
    Exec(ExecArguments),
    /// Create a project for an extension
    #[command(visible_alias = "init")]
    New(NewArguments),
    /// Build the extension in this directory
    Build,
    /// Run the tests of the extension in this directory
    Test(TestArguments),
    /// Build, install and call the project on every change
    ///
    /// The project gets a temporary name, such as `greeting-extension-dev`, and all that it
    /// requests, but neither settings nor grants nor secrets of an installed extension. Other
    /// terminals can call it. It is removed when the command ends.
    Dev(DevArguments),
    /// Publish an extension in a registry
    Publish(PublishArguments),
    /// Sign a published artifact, as cosign does
    Sign(SignArguments),
    /// Export extensions into one file, for other machines
    Export(ExportArguments),
    /// Install the extensions of an exported file (works offline)
    Import(ImportArguments),
    /// Change settings and limits of an extension, or list them
    Set(SetArguments),
    /// Reset settings and limits to their defaults
    Unset {
        /// The name of an installed extension
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
        /// A key of `[config]`, or `limits.` and a key of `[limits]`
        #[arg(required = true, value_name = "KEY", add = ArgValueCompleter::new(completion::set_keys))]
        keys: Vec<SettingKey>,
    },
    /// Edit the manifest of an extension in your editor
    Edit {
        /// The name of an installed extension
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
    },
    /// Show and change the data that an extension keeps
    ///
    /// Without a command its keys are listed with their sizes.
    Storage(StorageArguments),
    /// Show the output and the log of an extension
    Logs {
        /// The name of an installed extension
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
        /// The number of lines, from the end
        #[arg(short = 'n', long, default_value_t = 100)]
        lines: usize,
        /// Print raw bytes; without it, terminal controls are escaped, in a pipe as well
        #[arg(long)]
        raw: bool,
    },
}

/// Parses a digest as `sha256sum` prints it, with or without its algorithm in front.
fn sha256(text: &str) -> Result<Digest, DigestError> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    format!("sha256:{}", hex.to_ascii_lowercase()).parse()
}

#[derive(Debug, Args)]
pub struct InstallArguments {
    /// `registry/[principal/]scope:revision[@digest]`, `./file.wasm`, `https://HOST/file.wasm` or
    /// `oci:PATH[:TAG]`. Without a revision, the newest version, never the tag `latest`
    #[arg(value_parser = address::source, add = ArgValueCompleter::new(completion::sources))]
    pub source: Source,
    /// The digest of the file; required for a download from a web server
    #[arg(long, value_name = "DIGEST", value_parser = sha256)]
    pub sha256: Option<Digest>,
    /// The newest version within a range, such as `^1.2` or `<2`
    #[arg(long, value_name = "RANGE")]
    pub version: Option<VersionReq>,
    /// The name to install it under, instead of the last part of the source
    #[arg(long)]
    pub name: Option<ExtensionName>,
    /// Replace the extension of this name from another file, and keep its grants, settings and
    /// secrets
    #[arg(long, value_name = "NAME", conflicts_with = "name", add = ArgValueCompleter::new(completion::names))]
    pub replace: Option<ExtensionName>,
    /// Grant this; can be repeated
    #[arg(long, value_name = "CAPABILITY[=SCOPE]", add = ArgValueCompleter::new(completion::capabilities))]
    pub grant: Vec<Grant>,
    /// Grant everything that the extension requests
    #[arg(long)]
    pub grant_requested: bool,
    /// The required signer, who is trusted for the repository from now on
    #[command(flatten)]
    pub signer: SignerArguments,
    /// Fetch without TLS even if the repository was fetched with TLS before
    #[arg(long)]
    pub allow_plain_http: bool,
    /// Install a version that is older than the installed one
    #[arg(long)]
    pub allow_downgrade: bool,
    /// Log in to the registry for this command; the password comes from standard input
    #[arg(short, long, requires = "password_stdin")]
    pub username: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "username")]
    pub password_stdin: bool,
}

#[derive(Debug, Args)]
pub struct ListArguments {
    /// List data that extensions kept which are not installed any more
    #[arg(long)]
    pub orphans: bool,
    #[command(flatten)]
    pub listing: ListingArguments<Extensions>,
}

#[derive(Debug, Args)]
pub struct RemoveArguments {
    /// The names of installed extensions
    #[arg(required = true, add = ArgValueCompleter::new(completion::names))]
    pub names: Vec<ExtensionName>,
    /// Delete the manifest, the log, the secrets and the storage as well
    #[arg(long)]
    pub purge: bool,
}

#[derive(Debug, Args)]
pub struct SetArguments {
    /// The name of an installed extension
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// A key of `[config]`, or `limits.` and a key of `[limits]`, with its value; without any, all
    /// are listed
    #[arg(value_name = "KEY=VALUE", add = ArgValueCompleter::new(completion::settings))]
    pub settings: Vec<TypedSetting>,
    /// List the possible settings: keys, values and the author's descriptions
    #[arg(long, conflicts_with = "settings")]
    pub list: bool,
    #[command(flatten)]
    pub listing: ListingArguments<Settings>,
}

#[derive(Debug, Args)]
pub struct GrantArguments {
    /// The name of an installed extension
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// `config-read`, `network=api.example.com`, `filesystem=read:~/Documents`, or
    /// `filesystem=read:~/notes::/notes` for a directory that the extension sees as `/notes`
    #[arg(required = true, value_name = "CAPABILITY[=SCOPE]", add = ArgValueCompleter::new(completion::grants))]
    pub grants: Vec<Grant>,
    /// Only for this time, such as `90s`, `30m` or `1h`, and at most until logout
    #[arg(long = "for", value_name = "TIME", conflicts_with = "until")]
    pub period: Option<Period>,
    /// Only until logout
    #[arg(long, value_name = "logout", value_parser = ["logout"])]
    pub until: Option<String>,
}

#[derive(Debug, Args)]
pub struct UpdateArguments {
    /// Without a name, all extensions with newer versions, after one question
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub names: Vec<ExtensionName>,
    /// Update everything from registries without a question
    #[arg(long, conflicts_with = "names")]
    pub all: bool,
    /// Fetch and compare without changing anything
    #[arg(long)]
    pub dry_run: bool,
    /// Grant the further requests of a newer version
    #[arg(long)]
    pub accept_new_capabilities: bool,
    /// Ignore `min_release_age`
    #[arg(long)]
    pub now: bool,
    /// Refuse tags that have moved since the install
    #[arg(long)]
    pub locked: bool,
    /// Fetch without TLS even if it was fetched with TLS before
    #[arg(long)]
    pub allow_plain_http: bool,
    #[command(flatten)]
    pub listing: ListingArguments<Updates>,
}

#[derive(Debug, Args)]
pub struct RollbackArguments {
    /// The name of an installed extension
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// The generation, as `history` numbers them; without it, the newest of another version
    pub generation: Option<u32>,
    /// Restore the grants of that generation that were revoked since
    #[arg(long)]
    pub accept_new_capabilities: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ActivityArguments {
    /// Only these; without any, all
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub names: Vec<ExtensionName>,
    /// Only from the last time, such as `30m`, `1h` or `2d`
    #[arg(long, value_name = "TIME")]
    pub since: Option<Period>,
    #[command(flatten)]
    pub listing: ListingArguments<Activity>,
    #[command(subcommand)]
    pub command: Option<ActivityCommand>,
}

#[derive(Debug, Subcommand)]
pub enum ActivityCommand {
    /// Check the log for changes
    Verify,
}

/// A permission to revoke: a whole capability, or one grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// Each part of it.
    Whole(Capability),
    /// One part.
    Part(Grant),
}

impl FromStr for Revocation {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains('=') {
            text.parse().map(Self::Part)
        } else {
            Ok(Self::Whole(text.parse()?))
        }
    }
}
