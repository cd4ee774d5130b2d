//! Manual pages. Those of commands are made from the arguments themselves, and those of files from
//! the pages of the book that describe them, so that both say the same.

mod page;
mod roff;

pub use self::page::{DOCUMENTS, of_command, of_document};
