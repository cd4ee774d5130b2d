//! The command line as it is typed. Nothing here looks at anything but the text.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::{ArgValueCompleter, Shell};
use core_types::{Capability, ExtensionName, Grant, OciPrefix, OciQuery, OciReference, Period, SecretName, VersionReq};
use extension_depot::Source;
use extension_host::Display;

use crate::completion;
use crate::exit_code::TABLE;

/// Extensions for the desktop session: WebAssembly from OCI registries, with exactly the capabilities you grant.
#[derive(Debug, Parser)]
#[command(name = "sesame", version, after_help = TABLE, max_term_width = 100, disable_help_subcommand = true)]
pub struct Arguments {
    #[command(flatten)]
    pub global: GlobalArguments,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Clone, Default, Args)]
pub struct GlobalArguments {
    /// Print data as JSON: one object with `schema_version`
    #[arg(long, global = true)]
    pub json: bool,
    /// Print no notes and no progress
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more: what the extension prints, why code is compiled again
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Open no connection
    #[arg(long, global = true)]
    pub offline: bool,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Command {
    /// Install, look at, restrict and call extensions
    #[command(subcommand, visible_alias = "ext")]
    Extension(ExtensionCommand),
    /// Log in to registries
    #[command(subcommand)]
    Registry(RegistryCommand),
    /// Keep secrets for extensions in your keyring
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Say whose signatures count
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Show and check the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look at everything that sesame needs, and say how to mend what is wrong
    Doctor,
    /// Show the main job: a registry, an extension, a greeting; nothing outside a temporary directory is touched
    Demo(DemoArguments),
    /// Print a script that completes commands and options in your shell
    Completions {
        /// `bash`, `zsh`, `fish`, `elvish` or `powershell`
        shell: Shell,
    },
    /// Write the manual pages
    Man {
        /// Where to; it is made if it is not there
        directory: PathBuf,
    },
    /// Print the reference of all commands, as it stands in `docs/commands.md`
    #[command(hide = true, name = "command-reference")]
    Reference,
    /// What a bounded child process does for `install`
    #[command(hide = true)]
    CompileExtension { jobs: Vec<OsString> },
    /// What a child process does for `clipboard-write`
    #[command(hide = true)]
    HoldClipboard { display: Display },
}

#[derive(Debug, Subcommand)]
// Only the arguments of the command that was typed are built: the tree is most of what happens before a call.
#[command(defer = true)]
pub enum ExtensionCommand {
    /// Install an extension from a registry, a file or an OCI layout
    #[command(visible_alias = "add")]
    Install(InstallArguments),
    /// List the installed extensions
    #[command(visible_alias = "ls")]
    List,
    /// Call a function of an extension
    #[command(visible_alias = "run")]
    Call(CallArguments),
    /// Show all that is known of an extension
    #[command(visible_alias = "show")]
    Info {
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
    },
    /// Remove extensions. Their manifests, logs and secrets are kept
    #[command(visible_alias = "rm")]
    Remove {
        #[arg(required = true, add = ArgValueCompleter::new(completion::names))]
        names: Vec<ExtensionName>,
        /// Keep neither the manifest nor the log nor the secrets
        #[arg(long)]
        purge: bool,
    },
    /// Let extensions be called again
    Enable {
        #[arg(required = true, add = ArgValueCompleter::new(completion::names))]
        names: Vec<ExtensionName>,
    },
    /// Keep extensions from being called
    Disable {
        #[arg(required = true, add = ArgValueCompleter::new(completion::names))]
        names: Vec<ExtensionName>,
    },
    /// Allow an extension something
    Grant(GrantArguments),
    /// Take a permission away from an extension
    Revoke {
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
        /// A whole capability, or one scope of it
        #[arg(required = true, value_name = "CAPABILITY[=SCOPE]")]
        grants: Vec<Revocation>,
    },
    /// Show what an extension, installed or not, asks for and what would be decided. Nothing is installed or run
    Inspect {
        /// A name, `registry/principal/scope:revision[@digest]`, `./file.wasm` or `oci:PATH[:TAG]`
        what: String,
    },
    /// Show what an extension was refused lately, and the command that would allow it
    Why {
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
    },
    /// Show what extensions touched
    Activity(ActivityArguments),
    /// Read and hash everything that is installed, and show who signed it
    Verify {
        /// Names, or references of what is not installed; all that is installed, if none is given
        #[arg(add = ArgValueCompleter::new(completion::names))]
        what: Vec<String>,
        /// Look at the signatures that the registry has now, and want that of the owner of this key
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// Fetch what is damaged again, and compile what is stale
        #[arg(long)]
        repair: bool,
    },
    /// Show which extensions have a newer version, or a tag that has moved
    Outdated {
        /// All of them, if none is named
        #[arg(add = ArgValueCompleter::new(completion::names))]
        names: Vec<ExtensionName>,
    },
    /// Install newer versions, without giving them more than their predecessors had
    #[command(visible_alias = "upgrade")]
    Update(UpdateArguments),
    /// Keep extensions at their versions: `update` leaves them alone
    Pin {
        #[arg(required = true, add = ArgValueCompleter::new(completion::names))]
        names: Vec<ExtensionName>,
    },
    /// Let extensions be updated again
    Unpin {
        #[arg(required = true, add = ArgValueCompleter::new(completion::names))]
        names: Vec<ExtensionName>,
    },
    /// Show what an extension was before
    History {
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
    },
    /// Go back to what an extension was before. Nothing is fetched
    Rollback(RollbackArguments),
    /// Remove what nobody goes back to: old generations, their artifacts and compiled code
    Gc {
        /// How many versions of each extension stay, the installed one included
        #[arg(long, default_value_t = 3, value_name = "N")]
        keep: usize,
        /// Change nothing, and print what would be removed
        #[arg(long)]
        dry_run: bool,
    },
    /// Install what the manifests or a list say, such as after copying them to another machine
    Sync(SyncArguments),
    /// Sign what you have published, as cosign does
    Sign(SignArguments),
    /// Put extensions into one file that other machines and other tools can take in
    Export(ExportArguments),
    /// Install what is in such a file. Nothing is fetched
    Import(ImportArguments),
    /// Show what an extension printed and logged
    Logs {
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
        /// How many of the last lines
        #[arg(short = 'n', long, default_value_t = 100)]
        lines: usize,
    },
}

#[derive(Debug, Args)]
pub struct InstallArguments {
    /// `registry/principal/scope:revision[@digest]`, `./file.wasm` or `oci:PATH[:TAG]`. Without a revision it is the newest
    /// version, never the tag `latest`
    pub source: Source,
    /// The newest version within a range, such as `^1.2` or `<2`
    #[arg(long, value_name = "RANGE")]
    pub version: Option<VersionReq>,
    /// The name to install it under, instead of the last part of the source
    #[arg(long)]
    pub name: Option<ExtensionName>,
    /// Allow this; can be given several times
    #[arg(long, value_name = "CAPABILITY[=SCOPE]")]
    pub grant: Vec<Grant>,
    /// Allow all that the extension asks for
    #[arg(long)]
    pub grant_requested: bool,
    /// Only if the owner of this public key signed it; the key is trusted for its repository from now on
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
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
pub struct CallArguments {
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// `greet`, or `ns:pkg/interface#greet` when several have it
    #[arg(add = ArgValueCompleter::new(completion::functions))]
    pub function: String,
    /// Texts as they are; numbers, `true`, enums; WAVE for the rest; `-` reads standard input. After `--` all is data
    #[arg(allow_negative_numbers = true)]
    pub arguments: Vec<OsString>,
    /// Arguments that are nothing but data, `-` included
    #[arg(last = true, value_name = "DATA")]
    pub data: Vec<OsString>,
    /// All arguments as one JSON array
    #[arg(long, value_name = "JSON", conflicts_with_all = ["arguments", "data"])]
    pub json_args: Option<String>,
    /// Print what the call used, against its limits
    #[arg(long)]
    pub stats: bool,
    /// Print the least `[capabilities]` and `[limits]` that the call needed. What is not granted stays refused
    #[arg(long)]
    pub learn: bool,
    /// With `--learn`: put them into the manifest
    #[arg(long, requires = "learn")]
    pub write: bool,
}

#[derive(Debug, Args)]
pub struct GrantArguments {
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// `config-read`, `network=api.example.com`, `filesystem=read:~/Documents` ...
    #[arg(required = true, value_name = "CAPABILITY[=SCOPE]")]
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
    #[arg(required_unless_present = "all", add = ArgValueCompleter::new(completion::names))]
    pub names: Vec<ExtensionName>,
    /// Update everything that came from a registry
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
    /// A list to follow instead of the manifests: `./list.toml`, or a published one as `registry/principal/scope:revision`
    pub list: Option<ListSource>,
    /// Change nothing, and exit with 1 if something would have to be done
    #[arg(long)]
    pub check: bool,
    /// Change nothing, and print what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Refuse what is not pinned to a digest
    #[arg(long)]
    pub locked: bool,
    /// Allow all that newly installed extensions ask for
    #[arg(long)]
    pub grant_requested: bool,
}

#[derive(Debug, Args)]
pub struct SignArguments {
    /// `registry/principal/scope:revision[@digest]`
    pub reference: OciReference,
    /// A private key in PEM: PKCS #8, or as cosign encrypts it. Its password comes from `SESAME_KEY_PASSWORD` or
    /// `COSIGN_PASSWORD`, a prompt, or standard input
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
    #[arg(required = true, add = ArgValueCompleter::new(completion::names))]
    pub names: Vec<ExtensionName>,
    /// The file, an OCI image layout as a tar; it replaces another
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

#[derive(Debug, Args)]
pub struct ImportArguments {
    /// The file
    pub bundle: PathBuf,
    /// All that are in it, if none is named
    pub names: Vec<ExtensionName>,
    /// Allow this to each; can be given several times
    #[arg(long, value_name = "CAPABILITY[=SCOPE]")]
    pub grant: Vec<Grant>,
    /// Allow all that the extensions ask for
    #[arg(long)]
    pub grant_requested: bool,
}

/// Where a list of extensions lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListSource {
    File(PathBuf),
    Published(OciReference),
}

impl std::str::FromStr for ListSource {
    type Err = core_types::ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_path = text.ends_with(".toml") || ["./", "../", "/"].iter().any(|start| text.starts_with(start));
        if is_path { Ok(Self::File(text.into())) } else { text.parse().map(Self::Published) }
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
    #[command(subcommand)]
    pub command: Option<ActivityCommand>,
}

#[derive(Debug, Subcommand)]
pub enum ActivityCommand {
    /// Find out whether the log was changed
    Verify,
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
        #[arg(short, long)]
        username: String,
        /// Read the password from standard input, which is also done where no terminal can be asked
        #[arg(long)]
        password_stdin: bool,
        /// `secret-service`, or `file`: a file that only you can read, where the password is not encrypted
        #[arg(long, value_name = "WHERE", default_value = "secret-service")]
        store: StoreName,
    },
    /// List the registries that logins are kept for
    #[command(visible_alias = "ls")]
    List,
    /// List the tags of a repository, the newest version first
    Tags {
        /// `registry/principal/scope`
        repository: OciQuery,
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
    /// List the keys that are trusted, and who signed first where something was installed from
    #[command(visible_alias = "ls")]
    List,
    /// Trust a public key for a place
    Add {
        /// A file in PEM, such as `cosign.pub`
        key: PathBuf,
        /// `registry[/principal[/scope]]`
        #[arg(long = "for", value_name = "PLACE")]
        place: OciPrefix,
    },
    /// Trust a key no longer
    #[command(visible_alias = "rm")]
    Remove {
        /// Its file, or its digest as `list` shows it
        key: String,
        /// Only for this place
        #[arg(long = "for", value_name = "PLACE")]
        place: Option<OciPrefix>,
    },
    /// Take the next version of an extension, whoever signed it
    Accept {
        #[arg(add = ArgValueCompleter::new(completion::names))]
        name: ExtensionName,
    },
    /// Make a pair of keys to sign with: `NAME.key` and `NAME.pub`
    Keygen {
        /// Where to, without an ending
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

/// What `revoke` takes away: a whole capability, or one grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// Every part of it.
    Whole(Capability),
    /// One part.
    Part(Grant),
}

impl std::str::FromStr for Revocation {
    type Err = core_types::GrantError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains('=') { text.parse().map(Self::Part) } else { Ok(Self::Whole(text.parse()?)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn options_of_ours_may_stand_anywhere_before_the_dashes() {
        let parse = |line: &str| Arguments::try_parse_from(line.split(' ')).expect(line);
        for line in ["sesame extension call --stats x f -5 a", "sesame extension call x f -5 a --stats"] {
            let Command::Extension(ExtensionCommand::Call(call)) = parse(line).command else { panic!("{line}") };
            assert!(call.stats && call.arguments == ["-5", "a"], "{line}: {call:?}");
        }
        let Command::Extension(ExtensionCommand::Call(call)) = parse("sesame ext call x f -- --stats -").command else {
            panic!("a call");
        };
        assert!(!call.stats && call.arguments.is_empty() && call.data == ["--stats", "-"]);
    }
}
