//! The arguments of `sesame workload`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use clap_complete::ArgValueCompleter;
use core_types::ExtensionName;

use crate::completion;

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum WorkloadCommand {
    /// Let an extension validate a workload
    Validate {
        #[command(flatten)]
        arguments: WorkloadArguments,
        /// The operation on the workload; by default an update if an old one is given, and
        /// otherwise its creation
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<ValidationType>,
    },
    /// Print a workload with the defaults of an extension
    Default(WorkloadArguments),
    /// Print a workload with the additions of an extension
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
    /// The workload before the change
    #[arg(long, value_name = "FILE")]
    pub old: Option<PathBuf>,
    /// The resources around the workload: a directory with one file for each, which is updated as
    /// the extension says
    #[arg(long, value_name = "DIRECTORY")]
    pub resources: Option<PathBuf>,
    /// The extension's own document, in the format of Suffiks; it selects the keys of `spec` that
    /// the extension sees. Without it, all
    #[arg(long, value_name = "FILE")]
    pub ext: Option<PathBuf>,
}

/// The operation on a workload that is validated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ValidationType {
    Create,
    Update,
    Delete,
}
