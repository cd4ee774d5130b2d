//! How a listing is printed: `--output` and `--columns`.

use std::marker::PhantomData;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

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
