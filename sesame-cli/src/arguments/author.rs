//! Arguments for authors: publishing, and the commands for modules of Suffiks.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use core_types::event::EventName;
use core_types::{ExtensionName, OciReference};

use super::negative_numbers::argument;
use crate::completion;
use crate::project::{Language, ProjectKind};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum WasiCommand {
    /// Publish a module in the form of Suffiks, with its documentation
    Publish(WasiPublishArguments),
    /// Download a module and its documentation into files
    Download {
        /// `registry/[principal/]scope:revision[@digest]`
        reference: OciReference,
        /// Output directory (created if missing)
        #[arg(short, long, value_name = "DIRECTORY", default_value = ".")]
        output: PathBuf,
    },
    /// Run the test files of an extension of Suffiks
    Test {
        /// The module
        module: PathBuf,
        /// The directory with the test files; each `.yaml` below it is one
        #[arg(long, value_name = "DIRECTORY", default_value = "./tests")]
        tests: PathBuf,
        /// The extension's own document, with its configuration and rights
        #[arg(long, value_name = "FILE", default_value = "ext.yaml")]
        ext: PathBuf,
    },
}

#[derive(Debug, Args)]
pub struct WasiPublishArguments {
    /// The module
    pub module: PathBuf,
    /// The target: `registry/[principal/]scope[:revision]`; without a revision, `latest`
    #[arg(long, value_name = "REFERENCE")]
    pub tag: String,
    /// The directory with the pages of its documentation
    #[arg(long, value_name = "DIRECTORY")]
    pub docs: Option<PathBuf>,
    /// Replace different bytes that are published there
    #[arg(long)]
    pub overwrite: bool,
    /// Print the image manifest without publishing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct NewArguments {
    /// The extension's name
    pub name: ExtensionName,
    /// The language of the project
    #[arg(
        long = "lang",
        value_name = "LANGUAGE",
        default_value = "rust",
        value_parser = Language::parser()
    )]
    pub language: Language,
    /// What it makes: an extension for people, or a module of Suffiks
    #[arg(long, value_name = "KIND", default_value = "extension")]
    pub kind: ProjectKind,
    /// An event that wakes it, such as `power.battery`; repeatable
    #[arg(
        long = "event",
        value_name = "EVENT",
        add = ArgValueCompleter::new(completion::events)
    )]
    pub events: Vec<EventName>,
    /// For Rust: the directory of `extension-sdk`, to use instead of wit-bindgen alone
    #[arg(long, value_name = "PATH")]
    pub sdk: Option<PathBuf>,
    /// The project's directory, if not one of its name
    #[arg(long, value_name = "DIRECTORY")]
    pub directory: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct TestArguments {
    /// The component or module to test; without it, the project in this directory, which is built
    /// first if it has changed
    pub binary: Option<PathBuf>,
    /// The directory with the tests
    #[arg(long, value_name = "DIRECTORY", default_value = "tests")]
    pub tests: PathBuf,
}

#[derive(Debug, Args)]
pub struct DevArguments {
    /// The function to call each time; without it, the tests run
    pub function: Option<String>,
    /// Its arguments, as for `call`; with `--event` the values of the event as `KEY=VALUE`
    #[arg(allow_negative_numbers = true, value_parser = argument())]
    pub arguments: Vec<OsString>,
    /// The event to deliver each time, in place of a call
    #[arg(long, value_name = "EVENT", add = ArgValueCompleter::new(completion::events))]
    pub event: Option<EventName>,
    /// The temporary name, instead of the project's own with `-dev` behind it
    #[arg(long, value_name = "NAME")]
    pub name: Option<ExtensionName>,
    /// Build, install and call once, then exit
    #[arg(long)]
    pub once: bool,
}

#[derive(Debug, Args)]
pub struct PublishArguments {
    /// The target: `registry/[principal/]scope:revision`
    pub reference: OciReference,
    /// The component or module, or a directory of `.wit` files to publish as interfaces; without
    /// it, the project in this directory, which is built first if it has changed
    pub binary: Option<PathBuf>,
    /// Publish the file in `dist/` without building, for pipelines that built it
    #[arg(long)]
    pub no_build: bool,
    /// Publish under the version of the tag, even if the author states another
    #[arg(long)]
    pub version_from_tag: bool,
    /// The directory with the pages of its documentation
    #[arg(long, value_name = "DIRECTORY")]
    pub docs: Option<PathBuf>,
    /// Print the image manifest without publishing
    #[arg(long)]
    pub dry_run: bool,
    /// Replace different bytes that are published there
    #[arg(long)]
    pub overwrite: bool,
    /// Refuse an `extension.toml` with keys that do nothing
    #[arg(long)]
    pub strict: bool,
    /// Sign it with this key, as `sesame extension sign` does
    #[arg(long, value_name = "FILE")]
    pub sign_key: Option<PathBuf>,
}
