//! What authors type: publishing, and the commands for modules of Suffiks.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use core_types::{ExtensionName, OciReference};

use serde::Deserialize;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum WasiCommand {
    /// Publish a module in the form of Suffiks, with its documentation
    Publish(WasiPublishArguments),
    /// Fetch the module of an artifact, and its documentation, into files
    Download {
        /// `registry/[principal/]scope:revision[@digest]`
        reference: OciReference,
        /// Where to; it is made if it is not there
        #[arg(short, long, value_name = "DIRECTORY", default_value = ".")]
        output: PathBuf,
    },
    /// Run the test files of an extension of Suffiks
    Test {
        /// The module
        module: PathBuf,
        /// Every `.yaml` file below it is a test
        #[arg(long, value_name = "DIRECTORY", default_value = "./tests")]
        tests: PathBuf,
        /// The extension's own document: what it is given and what it may do
        #[arg(long, value_name = "FILE", default_value = "ext.yaml")]
        ext: PathBuf,
    },
}

#[derive(Debug, Args)]
pub struct WasiPublishArguments {
    /// The module
    pub module: PathBuf,
    /// Where to: `registry/[principal/]scope[:revision]`; without a revision it is `latest`
    #[arg(long, value_name = "REFERENCE")]
    pub tag: String,
    /// The directory with the pages of its documentation
    #[arg(long, value_name = "DIRECTORY")]
    pub docs: Option<PathBuf>,
    /// Replace other bytes that are there
    #[arg(long)]
    pub overwrite: bool,
    /// Print the image manifest, and publish nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What an extension can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    Rust,
    Js,
    Python,
    C,
    Assemblyscript,
    Tinygo,
}

#[derive(Debug, Args)]
pub struct NewArguments {
    /// What it is called
    pub name: ExtensionName,
    /// What it is written in
    #[arg(long = "lang", value_name = "LANGUAGE", default_value = "rust")]
    pub language: Language,
    /// For Rust: the directory of `extension-sdk`, to use instead of wit-bindgen alone
    #[arg(long, value_name = "PATH")]
    pub sdk: Option<PathBuf>,
    /// Where to, if not in a directory of its name
    #[arg(long, value_name = "DIRECTORY")]
    pub directory: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct TestArguments {
    /// The component or module to test; without it, the project in this directory is tested, and
    /// built first if anything in it has changed
    pub binary: Option<PathBuf>,
    /// Where the tests are
    #[arg(long, value_name = "DIRECTORY", default_value = "tests")]
    pub tests: PathBuf,
}

#[derive(Debug, Args)]
pub struct DevArguments {
    /// The function to call each time; without it, the tests are run
    pub function: Option<String>,
    /// Its arguments, as for `call`
    #[arg(allow_negative_numbers = true)]
    pub arguments: Vec<OsString>,
    /// The name that it is installed under until the command ends, instead of its own with `-dev`
    /// behind it
    #[arg(long, value_name = "NAME")]
    pub name: Option<ExtensionName>,
    /// Build, install and call once, and end
    #[arg(long)]
    pub once: bool,
}

#[derive(Debug, Args)]
pub struct PublishArguments {
    /// Where to: `registry/[principal/]scope:revision`
    pub reference: OciReference,
    /// The component or module, or a directory of `.wit` files to publish as a package of
    /// interfaces; without it, the project in this directory, which is built first if anything in
    /// it has changed
    pub binary: Option<PathBuf>,
    /// Publish what lies in `dist/` as it is, for pipelines that have built it
    #[arg(long)]
    pub no_build: bool,
    /// Publish it as the version that the tag says, whatever the author's own says
    #[arg(long)]
    pub version_from_tag: bool,
    /// The directory with the pages of its documentation
    #[arg(long, value_name = "DIRECTORY")]
    pub docs: Option<PathBuf>,
    /// Print the image manifest, and publish nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Replace other bytes that are there
    #[arg(long)]
    pub overwrite: bool,
    /// Sign it with this key, as `sesame extension sign` does
    #[arg(long, value_name = "FILE")]
    pub sign_key: Option<PathBuf>,
}
