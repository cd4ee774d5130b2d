//! `sesame extension`

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueHint};
use clap_complete::ArgValueCompleter;
use core_types::{
    Capability, Digest, DigestError, ExtensionName, Grant, GrantError, OciReference, Period,
    VersionReq,
};
use extension_depot::Source;

use super::address::{self, Mistyped};
use super::author::{DevArguments, NewArguments, PublishArguments, TestArguments};
use super::listing::ListingArguments;
use super::setting::{SettingKey, TypedSetting};
use super::signer::SignerArguments;
use crate::completion;
use crate::listing::{
    Activity, Checks, Collected, Extensions, Freshness, Generations, Steps, Updates,
};

/// What people type every day. It stands at the top, as `sesame install`, and below `sesame
/// extension`.
#[derive(Debug, Subcommand)]
// Only the arguments of the command that was typed are built: the tree is most of what happens
// before a call.
#[command(defer = true)]
pub enum EverydayCommand {
    /// Install an extension from a registry, a file or an OCI layout
    #[command(visible_alias = "add")]
    Install(Box<InstallArguments>),
    /// List the installed extensions
    #[command(visible_alias = "ls")]
    List(ListingArguments<Extensions>),
    /// Call a function of an extension, or list its functions
    Call(CallArguments),
    /// Run an extension that is a program
    Run(RunArguments),
    /// Show everything about an installed extension
    #[command(visible_alias = "show")]
    Info {
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
    },
    /// Update extensions, without giving them more permissions
    #[command(visible_alias = "upgrade")]
    Update(UpdateArguments),
    /// Remove extensions; manifests, logs and secrets are kept
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
        #[arg(required = true, add = ArgValueCompleter::new(completion::names))]
        names: Vec<ExtensionName>,
    },
    /// Disable extensions
    Disable {
        #[arg(required = true, add = ArgValueCompleter::new(completion::names))]
        names: Vec<ExtensionName>,
    },
    /// Grant permissions to an extension
    Grant(GrantArguments),
    /// Revoke permissions of an extension
    Revoke {
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
        /// A whole capability, or one scope of it
        #[arg(required = true, value_name = "CAPABILITY[=SCOPE]", add = ArgValueCompleter::new(completion::revocations))]
        grants: Vec<Revocation>,
    },
    /// Show what an extension asks for; nothing is installed or run
    Inspect {
        /// A name, `registry/[principal/]scope:revision[@digest]`, `./file.wasm`,
        /// `https://HOST/file.wasm` or `oci:PATH[:TAG]`
        #[arg(add = ArgValueCompleter::new(completion::inspectable))]
        what: String,
        /// The digest that a file has to have; a file of a web server is not downloaded without
        #[arg(long, value_name = "DIGEST", value_parser = sha256)]
        sha256: Option<Digest>,
    },
    /// Show recent refusals, and the commands that would allow them
    Why {
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
    },
    /// Show what extensions touched
    Activity(ActivityArguments),
    /// Verify installed files, and show who signed them
    Verify {
        /// Names, or references of what is not installed; all that is installed, if none is given
        #[arg(add = ArgValueCompleter::new(completion::names))]
        what: Vec<String>,
        /// Whoever has to have signed it, by the signatures that the registry has now
        #[command(flatten)]
        signer: SignerArguments,
        /// Fetch what is damaged again, and compile what is stale
        #[arg(long)]
        repair: bool,
        #[command(flatten)]
        listing: ListingArguments<Checks>,
    },
    /// List extensions with newer versions or moved tags
    Outdated {
        /// All of them, if none is named
        #[arg(add = ArgValueCompleter::new(completion::names))]
        names: Vec<ExtensionName>,
        #[command(flatten)]
        listing: ListingArguments<Freshness>,
    },
    /// Keep extensions at their versions
    Pin {
        #[arg(required = true, add = ArgValueCompleter::new(completion::names))]
        names: Vec<ExtensionName>,
    },
    /// Let extensions be updated again
    Unpin {
        #[arg(required = true, add = ArgValueCompleter::new(completion::names))]
        names: Vec<ExtensionName>,
    },
    /// Show earlier generations of an extension
    History {
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
        #[command(flatten)]
        listing: ListingArguments<Generations>,
    },
    /// Restore an earlier generation (works offline)
    Rollback(RollbackArguments),
    /// Delete old generations and unreferenced files
    Gc {
        /// How many versions of each extension stay, the installed one included
        #[arg(long, default_value_t = 3, value_name = "N")]
        keep: usize,
        /// Change nothing, and print what would be removed
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        listing: ListingArguments<Collected>,
    },
    /// Install what the manifests or a list name
    Sync(SyncArguments),
    /// Show the documentation of an extension
    Docs(DocsArguments),
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
    /// It is installed under a name of its own, such as `greeting-extension-dev`, with all that it
    /// asks for, and with no settings, grants or secrets of what is installed. Other terminals can
    /// call it. It is gone when the command ends.
    Dev(DevArguments),
    /// Publish an extension in a registry
    Publish(PublishArguments),
    /// Sign what you have published, as cosign does
    Sign(SignArguments),
    /// Export extensions into one file, for other machines
    Export(ExportArguments),
    /// Install the extensions of an exported file (works offline)
    Import(ImportArguments),
    /// Change settings and limits of an extension, or list them
    Set(SetArguments),
    /// Let the defaults of settings and limits hold again
    Unset {
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
        /// A key of `[config]`, or `limits.` and a key of `[limits]`
        #[arg(required = true, value_name = "KEY", add = ArgValueCompleter::new(completion::set_keys))]
        keys: Vec<SettingKey>,
    },
    /// Edit the manifest of an extension, in the editor that `VISUAL` or `EDITOR` names
    Edit {
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
    },
    /// Show what an extension printed and logged
    Logs {
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
        /// How many of the last lines
        #[arg(short = 'n', long, default_value_t = 100)]
        lines: usize,
        /// Print it as it was printed. Otherwise what a terminal would act on is shown as its code,
        /// in a pipe as well
        #[arg(long)]
        raw: bool,
    },
}

/// A digest as `sha256sum` prints it, with or without its algorithm in front.
fn sha256(text: &str) -> Result<Digest, DigestError> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    format!("sha256:{}", hex.to_ascii_lowercase()).parse()
}

#[derive(Debug, Args)]
pub struct InstallArguments {
    /// `registry/[principal/]scope:revision[@digest]`, `./file.wasm`, `https://HOST/file.wasm` or
    /// `oci:PATH[:TAG]`. Without a revision it is the newest version, never the tag `latest`
    #[arg(value_parser = address::source, add = ArgValueCompleter::new(completion::sources))]
    pub source: Source,
    /// The digest that a file has to have; a file of a web server is not downloaded without
    #[arg(long, value_name = "DIGEST", value_parser = sha256)]
    pub sha256: Option<Digest>,
    /// The newest version within a range, such as `^1.2` or `<2`
    #[arg(long, value_name = "RANGE")]
    pub version: Option<VersionReq>,
    /// The name to install it under, instead of the last part of the source
    #[arg(long)]
    pub name: Option<ExtensionName>,
    /// Replace the extension of this name, which came from another file, and keep its grants,
    /// settings and secrets
    #[arg(long, value_name = "NAME", conflicts_with = "name", add = ArgValueCompleter::new(completion::names))]
    pub replace: Option<ExtensionName>,
    /// Allow this; can be given several times
    #[arg(long, value_name = "CAPABILITY[=SCOPE]", add = ArgValueCompleter::new(completion::capabilities))]
    pub grant: Vec<Grant>,
    /// Allow all that the extension asks for
    #[arg(long)]
    pub grant_requested: bool,
    /// Whoever has to have signed it; they are trusted for its repository from now on
    #[command(flatten)]
    pub signer: SignerArguments,
    /// Fetch it without TLS, where others of its repository came over TLS
    #[arg(long)]
    pub allow_plain_http: bool,
    /// Take an older version than the one that is installed
    #[arg(long)]
    pub allow_downgrade: bool,
    /// Log in to its registry for this once; the password comes from standard input
    #[arg(short, long, requires = "password_stdin")]
    pub username: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "username")]
    pub password_stdin: bool,
}

#[derive(Debug, Args)]
pub struct RemoveArguments {
    #[arg(required = true, add = ArgValueCompleter::new(completion::names))]
    pub names: Vec<ExtensionName>,
    /// Keep neither the manifest nor the log nor the secrets
    #[arg(long)]
    pub purge: bool,
}

#[derive(Debug, Args)]
pub struct SetArguments {
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// A key of `[config]`, or `limits.` and a key of `[limits]`, with its value; without any, all
    /// are listed
    #[arg(value_name = "KEY=VALUE", add = ArgValueCompleter::new(completion::settings))]
    pub settings: Vec<TypedSetting>,
    /// List what can be set: keys, values and what the author says of them
    #[arg(long, conflicts_with = "settings")]
    pub list: bool,
}

#[derive(Debug, Args)]
pub struct CallArguments {
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// `greet`, or `ns:pkg/interface#greet` when several have it. Without it, the functions are
    /// listed
    #[arg(add = ArgValueCompleter::new(completion::functions))]
    pub function: Option<String>,
    /// Texts as they are; numbers, `true`, enums; WAVE for the rest; `-` reads standard input.
    /// After `--` all is data
    ///
    /// `none` leaves out an option anywhere, `%none` an option of text or bytes (the text `%none`
    /// is then `%%none`).
    ///
    /// The newline at the end of standard input counts only for strings, bytes and a lone
    /// character.
    #[arg(allow_negative_numbers = true, add = ArgValueCompleter::new(completion::arguments))]
    pub arguments: Vec<OsString>,
    /// Arguments that are nothing but data, `-` included
    #[arg(last = true, value_name = "DATA")]
    pub data: Vec<OsString>,
    /// All arguments as one JSON array
    #[arg(long, value_name = "JSON", conflicts_with_all = ["arguments", "data"])]
    pub json_args: Option<String>,
    /// Hand the arguments to a module as bytes in its memory, and take a 64-bit result for bytes
    #[arg(long, conflicts_with = "json_args")]
    pub bytes: bool,
    /// Print what the call used, against its limits
    #[arg(long)]
    pub stats: bool,
    /// Print the least `[capabilities]` and `[limits]` that the call needed. What is not granted
    /// stays refused
    #[arg(long)]
    pub learn: bool,
    /// With `--learn`: put them into the manifest
    #[arg(long, requires = "learn")]
    pub write: bool,
}

#[derive(Debug, Args)]
pub struct RunArguments {
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// The arguments of the program; after `--` they may begin with a dash
    pub arguments: Vec<OsString>,
    /// Arguments of the program that may begin with a dash
    #[arg(last = true, value_name = "ARG")]
    pub data: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct DocsArguments {
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// The page, with or without `.md`; without it, the first
    pub page: Option<String>,
    /// Print the page as it was written. Otherwise what a terminal would act on is shown as its
    /// code, in a pipe as well
    #[arg(long)]
    pub raw: bool,
    /// List the pages
    #[arg(long, conflicts_with_all = ["page", "raw"])]
    pub list: bool,
}

#[derive(Debug, Args)]
pub struct ExecArguments {
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// The workload that the extension is given, YAML or JSON; without it, one that names the
    /// command
    #[arg(long, value_name = "FILE")]
    pub workload: Option<PathBuf>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct GrantArguments {
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// `config-read`, `network=api.example.com`, `filesystem=read:~/Documents`, or
    /// `filesystem=read:~/notes::/notes` for a directory that the extension finds as `/notes` ...
    #[arg(required = true, value_name = "CAPABILITY[=SCOPE]", add = ArgValueCompleter::new(completion::grants))]
    pub grants: Vec<Grant>,
    /// Only for so long, such as `90s`, `30m` or `1h`, and not beyond this login session
    #[arg(long = "for", value_name = "TIME", conflicts_with = "until")]
    pub period: Option<Period>,
    /// Only as long as this login session
    #[arg(long, value_name = "logout", value_parser = ["logout"])]
    pub until: Option<String>,
}

#[derive(Debug, Args)]
pub struct UpdateArguments {
    /// Without a name, everything that has a newer version, after one question
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub names: Vec<ExtensionName>,
    /// Update everything that came from a registry, without a question
    #[arg(long, conflicts_with = "names")]
    pub all: bool,
    /// Fetch and compare, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Allow what a newer version asks for and its predecessor did not
    #[arg(long)]
    pub accept_new_capabilities: bool,
    /// Take versions however new they are, whatever `min_release_age` says
    #[arg(long)]
    pub now: bool,
    /// Refuse tags that lead to other bytes than those that are installed
    #[arg(long)]
    pub locked: bool,
    /// Fetch without TLS what came over TLS before
    #[arg(long)]
    pub allow_plain_http: bool,
    #[command(flatten)]
    pub listing: ListingArguments<Updates>,
}

#[derive(Debug, Args)]
pub struct RollbackArguments {
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// The generation, as `history` numbers them; without it, the newest with another version
    pub generation: Option<u32>,
    /// Allow again what it was allowed then and is not now
    #[arg(long)]
    pub accept_new_capabilities: bool,
}

#[derive(Debug, Args)]
pub struct SyncArguments {
    /// A list to follow instead of the manifests: `./list.toml`, or a published one as
    /// `registry/[principal/]scope:revision`
    pub list: Option<ListSource>,
    /// Change nothing, and exit with 1 if something would have to be done or is left over
    #[arg(long)]
    pub check: bool,
    /// Change nothing, and print what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Refuse what is not pinned to a digest, and a list whose tag leads to other bytes than when
    /// it was followed last
    #[arg(long)]
    pub locked: bool,
    /// Remove what came from the list and is not on it any more
    #[arg(long, requires = "list")]
    pub prune: bool,
    /// Allow all that newly installed extensions ask for
    #[arg(long)]
    pub grant_requested: bool,
    /// Take older versions than those that are installed, where a list names them
    #[arg(long)]
    pub allow_downgrade: bool,
    /// Fetch without TLS what came over TLS before
    #[arg(long)]
    pub allow_plain_http: bool,
    #[command(flatten)]
    pub listing: ListingArguments<Steps>,
}

#[derive(Debug, Args)]
pub struct SignArguments {
    /// `registry/[principal/]scope:revision[@digest]`
    pub reference: OciReference,
    /// A private key in PEM: PKCS #8, or as cosign encrypts it. Its password comes from
    /// `SESAME_KEY_PASSWORD` or `COSIGN_PASSWORD`, a prompt, or standard input
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// `bundle`, or `classic`, which older versions of cosign read as well
    #[arg(long, default_value = "bundle")]
    pub form: FormName,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum FormName {
    Bundle,
    Classic,
}

#[derive(Debug, Args)]
pub struct ExportArguments {
    #[arg(required_unless_present = "all", add = ArgValueCompleter::new(completion::names))]
    pub names: Vec<ExtensionName>,
    /// Export everything that is installed
    #[arg(long, conflicts_with = "names")]
    pub all: bool,
    /// The file, an OCI image layout as a tar
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
    /// Replace a file that is there
    #[arg(short, long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct ImportArguments {
    /// The file
    #[arg(value_hint = ValueHint::FilePath)]
    pub bundle: PathBuf,
    /// All that are in it, if none is named
    pub names: Vec<ExtensionName>,
    /// Allow this to each; can be given several times
    #[arg(long, value_name = "CAPABILITY[=SCOPE]")]
    pub grant: Vec<Grant>,
    /// Allow all that the extensions ask for
    #[arg(long)]
    pub grant_requested: bool,
    /// Replace what came from other files and bundles under the same names, and keep its grants,
    /// settings and secrets
    #[arg(long)]
    pub replace: bool,
}

/// Where a list of extensions lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListSource {
    File(PathBuf),
    Published(OciReference),
}

impl FromStr for ListSource {
    type Err = Mistyped;

    fn from_str(text: &str) -> Result<Self, Mistyped> {
        let is_path = text.ends_with(".toml")
            || ["./", "../", "/"].iter().any(|start| text.starts_with(start));
        if is_path {
            Ok(Self::File(text.into()))
        } else {
            address::reference(text).map(Self::Published)
        }
    }
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ActivityArguments {
    /// All of them, if none is named
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub names: Vec<ExtensionName>,
    /// Only of the last time, such as `30m`, `1h` or `2d`
    #[arg(long, value_name = "TIME")]
    pub since: Option<Period>,
    #[command(flatten)]
    pub listing: ListingArguments<Activity>,
    #[command(subcommand)]
    pub command: Option<ActivityCommand>,
}

#[derive(Debug, Subcommand)]
pub enum ActivityCommand {
    /// Find out whether the log was changed
    Verify,
}

/// What `revoke` takes away: a whole capability, or one grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// Every part of it.
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
