//! How a listing is printed: `--output` and `--columns`.

use std::marker::PhantomData;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::{
    Command, ConfigCommand, EverydayCommand, ExtensionCommand, RegistryCommand, SecretCommand,
    TrustCommand,
};
use crate::listing::{Column, Listing};

/// The form of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputForm {
    /// Columns for a person, as on a terminal
    Table,
    /// A line each with tabs between the values, as in a pipe
    Tsv,
    /// The names alone, one on each line
    Name,
}

// The options of a command that prints this listing. A doc comment would be the command's help.
#[derive(Debug, Args)]
pub struct ListingArguments<L: Listing> {
    /// A table, values with tabs between them, or names alone
    #[arg(short, long, value_name = "FORM", conflicts_with = "json")]
    output: Option<OutputForm>,
    /// Only these columns, in this order
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        conflicts_with = "json",
        ignore_case = true,
        value_parser = PossibleValuesParser::new(names(L::COLUMNS))
    )]
    columns: Vec<String>,
    #[arg(skip)]
    listing: PhantomData<L>,
}

fn names(columns: &'static [Column]) -> impl Iterator<Item = &'static str> {
    columns.iter().map(|column| column.name)
}

/// How the listing of a command is to be printed; of no meaning where it prints none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presentation {
    /// The form, if one is asked for.
    pub form: Option<OutputForm>,
    /// The columns; empty for all.
    pub columns: Vec<String>,
}

impl<L: Listing> From<&ListingArguments<L>> for Presentation {
    fn from(arguments: &ListingArguments<L>) -> Self {
        Self { form: arguments.output, columns: arguments.columns.clone() }
    }
}

impl Command {
    /// How its listing is to be printed.
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
}

fn of_everyday(command: &EverydayCommand) -> Presentation {
    match command {
        EverydayCommand::List(listing) => listing.into(),
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
        _ => Presentation::default(),
    }
}
