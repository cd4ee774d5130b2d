//! `sesame workload`: what is typed.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use clap_complete::ArgValueCompleter;
use core_types::ExtensionName;

use crate::completion;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum WorkloadCommand {
    /// Ask an extension what is wrong with a workload
    Validate {
        #[command(flatten)]
        arguments: WorkloadArguments,
        /// What happens to the workload: by default an update where there is an old one, and else
        /// it is created
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<ValidationType>,
    },
    /// Let an extension fill in what a workload leaves out, and print the workload
    Default(WorkloadArguments),
    /// Let an extension add what it has for a workload, and print the workload
    Sync(WorkloadArguments),
    /// Let an extension clean up after a workload
    Delete(WorkloadArguments),
}

#[derive(Debug, Args)]
pub struct WorkloadArguments {
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// The workload, YAML or JSON; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub workload: PathBuf,
    /// What the workload was before
    #[arg(long, value_name = "FILE")]
    pub old: Option<PathBuf>,
    /// What the workload has around it: a directory with a file for each resource, which is changed
    /// as the extension says
    #[arg(long, value_name = "DIRECTORY")]
    pub resources: Option<PathBuf>,
    /// The extension's own document, as Suffiks has it: it says which keys of `spec` the extension
    /// is given. Without it, all
    #[arg(long, value_name = "FILE")]
    pub ext: Option<PathBuf>,
}

/// What happens to a workload that is validated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ValidationType {
    Create,
    Update,
    Delete,
}
