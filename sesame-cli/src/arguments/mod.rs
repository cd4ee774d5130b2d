//! The command line as it is typed. Nothing here reads anything but the text.
//!
//! [`Arguments`] is the whole line. The other files have the commands below it, one file for each
//! group of them, and the types of their options. `help/` answers questions and errors.

mod address;
mod author;
mod command_line;
mod extension;
mod help;
mod listing;
mod negative_numbers;
mod presentation;
mod service;
mod setting;
mod sharing;
mod signer;
mod using;
mod workload;

pub use address::{reference as typed_reference, source as typed_source};
pub use author::{
    DevArguments, NewArguments, PublishArguments, TestArguments, WasiCommand, WasiPublishArguments,
};
pub use command_line::{Arguments, Command, GlobalArguments, wants_json};
pub use extension::{
    ActivityArguments, ActivityCommand, EverydayCommand, ExtensionCommand, GrantArguments,
    InstallArguments, Revocation, RollbackArguments, SetArguments, UpdateArguments,
};
pub use help::{MAX_WIDTH, answer, everyday_form, full_command};
pub use listing::{OutputForm, Presentation};
pub use service::{
    ConfigCommand, DemoArguments, RegistryCommand, SecretCommand, SessionCommand, SignedSource,
    StoreName, TrustCommand,
};
pub use setting::{SettingKey, TypedSetting};
pub use sharing::{ExportArguments, FormName, ImportArguments, SignArguments, SyncArguments};
pub use signer::GivenSigner;
pub use using::{
    BarFormat, CallArguments, DocsArguments, ExecArguments, RunArguments, StorageArguments,
    StorageCommand, TriggerArguments, TypedValue, WatchArguments,
};
pub use workload::{ValidationType, WorkloadArguments, WorkloadCommand};
