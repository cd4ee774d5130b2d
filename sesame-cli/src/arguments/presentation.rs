//! The presentation that a command asks for: its options for a listing, if it prints one.

use super::command_line::Command;
use super::extension::{EverydayCommand, ExtensionCommand};
use super::listing::Presentation;
use super::service::{ConfigCommand, RegistryCommand, SecretCommand, TrustCommand};

impl Command {
    /// Returns the form in which its listing is printed.
    pub fn presentation(&self) -> Presentation {
        match self {
            Self::Everyday(command) => of_everyday(command),
            Self::Extension(command) => of_extension(command),
            Self::Registry(RegistryCommand::List { listing }) => listing.into(),
            Self::Registry(RegistryCommand::Tags { listing, .. }) => listing.into(),
            Self::Secret(SecretCommand::List { listing, .. }) => listing.into(),
            Self::Trust(TrustCommand::List { listing }) => listing.into(),
            Self::Doctor(listing) => listing.into(),
            Self::Config(ConfigCommand::Show { listing, .. }) => listing.into(),
            _ => Presentation::default(),
        }
    }

    /// Tells whether standard output is that of a program which the command runs.
    pub fn runs_program(&self) -> bool {
        match self {
            Self::Everyday(command) => matches!(**command, EverydayCommand::Run(_)),
            Self::Extension(command) => matches!(
                **command,
                ExtensionCommand::Exec(_) | ExtensionCommand::Everyday(EverydayCommand::Run(_))
            ),
            _ => false,
        }
    }
}

fn of_everyday(command: &EverydayCommand) -> Presentation {
    match command {
        EverydayCommand::List(arguments) => (&arguments.listing).into(),
        EverydayCommand::Update(arguments) => (&arguments.listing).into(),
        _ => Presentation::default(),
    }
}

fn of_extension(command: &ExtensionCommand) -> Presentation {
    match command {
        ExtensionCommand::Everyday(command) => of_everyday(command),
        ExtensionCommand::Activity(arguments) => (&arguments.listing).into(),
        ExtensionCommand::Verify { listing, .. } => listing.into(),
        ExtensionCommand::Outdated { listing, .. } => listing.into(),
        ExtensionCommand::History { listing, .. } => listing.into(),
        ExtensionCommand::Gc { listing, .. } => listing.into(),
        ExtensionCommand::Sync(arguments) => (&arguments.listing).into(),
        ExtensionCommand::Set(arguments) => (&arguments.listing).into(),
        ExtensionCommand::Storage(arguments) => (&arguments.listing).into(),
        _ => Presentation::default(),
    }
}
