//! `sesame extension storage`

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use core_types::{ExtensionName, StorageKey};

use super::listing::ListingArguments;
use crate::completion;
use crate::listing::StoredKeys;

#[derive(Debug, Args)]
pub struct StorageArguments {
    /// The name of an installed extension
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// Delete all of it, even if it is damaged
    #[arg(long)]
    pub reset: bool,
    #[command(flatten)]
    pub listing: ListingArguments<StoredKeys>,
    #[command(subcommand)]
    pub command: Option<StorageCommand>,
}

#[derive(Debug, Subcommand)]
pub enum StorageCommand {
    /// Print the value of a key
    Get {
        /// A key, such as `answers/oslo`
        key: StorageKey,
    },
    /// Set the value of a key from standard input
    Set {
        /// A key, such as `answers/oslo`
        key: StorageKey,
    },
    /// Remove a key
    #[command(visible_alias = "rm")]
    Remove {
        /// A key, such as `answers/oslo`
        key: StorageKey,
    },
}
