//! `sesame extension call`, `run`, `watch`, `docs`, `exec` and `storage`

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use core_types::event::{EventName, Interval};
use core_types::{ExtensionName, StorageKey};

use super::listing::ListingArguments;
use super::negative_numbers::argument;
use crate::completion;
use crate::listing::StoredKeys;

#[derive(Debug, Args)]
pub struct CallArguments {
    /// The name of an installed extension
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// `greet`, or `ns:pkg/interface#greet` for a name of several interfaces. Without it, the
    /// functions are listed
    #[arg(add = ArgValueCompleter::new(completion::functions))]
    pub function: Option<String>,
    /// Text as it is; numbers, `true`, enums; WAVE for the rest; `-` reads standard input. After
    /// `--` everything is data
    ///
    /// `none` leaves out any option; `%none` leaves out an option of text or bytes (write the text
    /// `%none` as `%%none`).
    ///
    /// A newline at the end of standard input counts only for strings, bytes and a lone character.
    #[arg(allow_negative_numbers = true, value_parser = argument(), add = ArgValueCompleter::new(completion::arguments))]
    pub arguments: Vec<OsString>,
    /// Arguments that are data, even `-`
    #[arg(last = true, value_name = "DATA")]
    pub data: Vec<OsString>,
    /// All arguments as one JSON array
    #[arg(long, value_name = "JSON", conflicts_with_all = ["arguments", "data"])]
    pub json_args: Option<String>,
    /// Pass the arguments to a module as bytes in its memory, and read a 64-bit result as bytes
    #[arg(long, conflicts_with = "json_args")]
    pub bytes: bool,
    /// Print the resources that the call used, with their limits
    #[arg(long)]
    pub stats: bool,
    /// Print the least `[capabilities]` and `[limits]` for this call; refusals stay in force
    #[arg(long)]
    pub learn: bool,
    /// With `--learn`: write them into the manifest
    #[arg(long, requires = "learn")]
    pub write: bool,
}

impl CallArguments {
    /// Makes those of a call without options.
    pub fn plain(name: ExtensionName, function: Option<String>, arguments: Vec<OsString>) -> Self {
        Self {
            name,
            function,
            arguments,
            data: Vec::new(),
            json_args: None,
            bytes: false,
            stats: false,
            learn: false,
            write: false,
        }
    }
}

#[derive(Debug, Args)]
pub struct WatchArguments {
    /// The name of an installed extension
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// The function, as for `call`
    #[arg(add = ArgValueCompleter::new(completion::functions))]
    pub function: String,
    /// Its arguments, as for `call`
    #[arg(allow_negative_numbers = true, value_parser = argument(), add = ArgValueCompleter::new(completion::arguments))]
    pub arguments: Vec<OsString>,
    /// Call the function each time that this has passed: `1s` to `30d`
    #[arg(long, value_name = "TIME", value_parser = duration, required_unless_present = "on")]
    pub every: Option<Duration>,
    /// Call the function after the extension was woken by this event; needs the session service
    #[arg(long, value_name = "EVENT")]
    pub on: Vec<EventName>,
    /// The form of each line
    #[arg(long, value_name = "FORM", default_value = "plain")]
    pub format: BarFormat,
}

/// The form of a line for a status bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum BarFormat {
    /// The text itself, for polybar, tmux and scripts
    Plain,
    /// An object for a custom module of Waybar
    Waybar,
    /// The protocol of i3bar and swaybar
    I3bar,
}

/// Reads a time, such as `60s` or `15m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    text.parse::<Interval>().map(Interval::duration).map_err(|error| error.to_string())
}

#[derive(Debug, Args)]
pub struct RunArguments {
    /// The name of an installed extension
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// The arguments of the program; after `--` they may begin with a dash
    pub arguments: Vec<OsString>,
    /// Arguments of the program that may begin with a dash
    #[arg(last = true, value_name = "ARG")]
    pub data: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct TriggerArguments {
    /// The name of an installed extension
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// The event, such as `power.battery` or `custom.build.done`
    #[arg(add = ArgValueCompleter::new(completion::events))]
    pub event: EventName,
    /// Values of the event; those that are not given are examples
    #[arg(value_name = "KEY=VALUE", add = ArgValueCompleter::new(completion::event_values))]
    pub values: Vec<TypedValue>,
}

/// A value of an event as it is typed: `percent=10`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedValue(pub (String, String));

impl FromStr for TypedValue {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| "write `KEY=VALUE`, such as `percent=10`".to_owned())?;
        Ok(Self((key.to_owned(), value.to_owned())))
    }
}

#[derive(Debug, Args)]
pub struct DocsArguments {
    /// The name of an installed extension
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// The page, with or without `.md`; without it, the first
    pub page: Option<String>,
    /// Print raw bytes; without it, terminal controls are escaped, in a pipe as well
    #[arg(long)]
    pub raw: bool,
    /// List the pages
    #[arg(long, conflicts_with_all = ["page", "raw"])]
    pub list: bool,
}

#[derive(Debug, Args)]
pub struct ExecArguments {
    /// The name of an installed extension
    #[arg(add = ArgValueCompleter::new(completion::names))]
    pub name: ExtensionName,
    /// The workload for the extension, YAML or JSON; without it, one that names the command
    #[arg(long, value_name = "FILE")]
    pub workload: Option<PathBuf>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

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
        #[arg(add = ArgValueCompleter::new(completion::stored_keys))]
        key: StorageKey,
    },
    /// Set the value of a key from standard input
    Set {
        /// A key, such as `answers/oslo`
        #[arg(add = ArgValueCompleter::new(completion::stored_keys))]
        key: StorageKey,
    },
    /// Remove a key
    #[command(visible_alias = "rm")]
    Remove {
        /// A key, such as `answers/oslo`
        #[arg(add = ArgValueCompleter::new(completion::stored_keys))]
        key: StorageKey,
    },
}
