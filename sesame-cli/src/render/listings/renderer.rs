//! What the listings share: a table, lines or names, and what stands below a table.

use crate::listing::{Column, Listing};
use crate::render::Rendered;
use crate::render::cell::Cell;
use crate::render::screen::{Form, Screen};
use crate::render::table;

/// Renders the rows of a listing, or a word to a person that there are none.
pub(super) fn listing<L: Listing>(screen: &Screen, rows: &[Vec<Cell>], empty: &str) -> Rendered {
    with_columns(screen, L::COLUMNS, rows, empty)
}

/// Renders a listing without its last column, unless the user chose columns.
pub(super) fn without_last<L: Listing>(
    screen: &Screen,
    rows: &[Vec<Cell>],
    empty: &str,
) -> Rendered {
    let shown = L::COLUMNS.len() - usize::from(!screen.has_chosen());
    with_columns(screen, &L::COLUMNS[..shown], rows, empty)
}

fn with_columns(
    screen: &Screen,
    columns: &'static [Column],
    rows: &[Vec<Cell>],
    empty: &str,
) -> Rendered {
    if rows.is_empty() && screen.form() == Form::Table {
        return Rendered { stderr: format!("{empty}\n"), ..Rendered::default() };
    }
    Rendered::text(screen, table::listing(screen, columns, rows))
}

/// Renders a listing whose last column is too long for a table. On a terminal it is below the table
/// instead, unless the user chose columns.
pub(super) fn with_text_below<L: Listing>(
    screen: &Screen,
    rows: &[Vec<Cell>],
    empty: &str,
    below: impl FnOnce() -> String,
) -> Rendered {
    if rows.is_empty() || screen.form() != Form::Table || screen.has_chosen() {
        return listing::<L>(screen, rows, empty);
    }
    let columns = &L::COLUMNS[..L::COLUMNS.len() - 1];
    Rendered::text(screen, table::listing(screen, columns, rows) + &below())
}
