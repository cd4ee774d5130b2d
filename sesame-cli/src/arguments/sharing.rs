//! `sesame extension sync`, `sign`, `export` and `import`

use std::path::PathBuf;

use clap::{Args, ValueHint};
use clap_complete::ArgValueCompleter;
use core_types::{ExtensionName, Grant, OciReference};
use extension_manager::ListSource;

use super::address::{self, Mistyped};
use super::listing::ListingArguments;
use crate::completion;
use crate::listing::Steps;

#[derive(Debug, Args)]
pub struct SyncArguments {
    /// A list instead of the manifests: `./list.toml`, or a published one as
    /// `registry/[principal/]scope:revision`
    #[arg(value_parser = list_source)]
    pub list: Option<ListSource>,
    /// Change nothing, and exit with 1 if anything has to change or is left over
    #[arg(long)]
    pub check: bool,
    /// Print the changes without making them
    #[arg(long)]
    pub dry_run: bool,
    /// Refuse entries without a digest, and a list whose tag has moved since the last run
    #[arg(long)]
    pub locked: bool,
    /// Remove extensions of the list that are not on it any more
    #[arg(long, requires = "list")]
    pub prune: bool,
    /// Grant everything that newly installed extensions request
    #[arg(long)]
    pub grant_requested: bool,
    /// Install versions that are older than the installed ones, where a list names them
    #[arg(long)]
    pub allow_downgrade: bool,
    /// Fetch without TLS even if it was fetched with TLS before
    #[arg(long)]
    pub allow_plain_http: bool,
    #[command(flatten)]
    pub listing: ListingArguments<Steps>,
}

/// Reads a list: a file, or one that is published.
fn list_source(text: &str) -> Result<ListSource, Mistyped> {
    let is_path =
        text.ends_with(".toml") || ["./", "../", "/"].iter().any(|start| text.starts_with(start));
    if is_path {
        Ok(ListSource::File(text.into()))
    } else {
        address::reference(text).map(ListSource::Published)
    }
}

#[derive(Debug, Args)]
pub struct SignArguments {
    /// `registry/[principal/]scope:revision[@digest]`
    pub reference: OciReference,
    /// A private key in PEM: PKCS #8, or as cosign encrypts it. Its password comes from
    /// `SESAME_KEY_PASSWORD` or `COSIGN_PASSWORD`, a prompt, or standard input
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// `bundle`, or `classic` for older versions of cosign
    #[arg(long, default_value = "bundle")]
    pub form: FormName,
}

/// The form of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum FormName {
    Bundle,
    Classic,
}

#[derive(Debug, Args)]
pub struct ExportArguments {
    /// The names of installed extensions
    #[arg(required_unless_present = "all", add = ArgValueCompleter::new(completion::names))]
    pub names: Vec<ExtensionName>,
    /// Export all installed extensions
    #[arg(long, conflicts_with = "names")]
    pub all: bool,
    /// The output file, an OCI image layout as a tar
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
    /// Replace an existing file
    #[arg(short, long)]
    pub force: bool,
    /// Put the data that the extensions keep into the file as well
    #[arg(long)]
    pub with_storage: bool,
}

#[derive(Debug, Args)]
pub struct ImportArguments {
    /// The exported file
    #[arg(value_hint = ValueHint::FilePath)]
    pub bundle: PathBuf,
    /// Only these; without any, all in the file
    pub names: Vec<ExtensionName>,
    /// Grant this to each; can be repeated
    #[arg(long, value_name = "CAPABILITY[=SCOPE]")]
    pub grant: Vec<Grant>,
    /// Grant everything that the extensions request
    #[arg(long)]
    pub grant_requested: bool,
    /// Replace extensions of the same names from other files and bundles, and keep their grants,
    /// settings and secrets
    #[arg(long)]
    pub replace: bool,
    /// Take the data in the file for extensions that keep none here
    #[arg(long)]
    pub with_storage: bool,
}
