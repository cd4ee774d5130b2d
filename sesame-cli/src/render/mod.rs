//! From outcomes and failures to what people and programs read. Data goes to standard output,
//! messages to standard error.
//!
//! `show` chooses between `json/` and `text/`. Listings are tables of cells on a screen, whose width
//! and colours decide how they look.

mod bar;
mod cell;
mod json;
mod listings;
mod markdown;
mod screen;
mod show;
mod table;
mod text;

pub use bar::{Bar, BarLine};
pub use json::{schema, schema_names};
pub use show::{Rendered, failure, failure_beside_program, outcome, wrong_command_line};
pub use text::failure as failure_text;
