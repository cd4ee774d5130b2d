//! The one renderer of listings: a table for a person, lines with tabs for a program, or names.

use comfy_table::{
    Attribute, Cell as Drawn, Color, ColumnConstraint, ContentArrangement, LineStyle, Table,
    TableStyle, Width, presets,
};
use unicode_width::UnicodeWidthStr;

use super::cell::Cell;
use super::screen::{Form, Screen};
use crate::listing::{Column, Fit};
use crate::terminal::{Style, middle};

/// The blanks between two columns: the padding of one, and the place of the line between them.
const GAP: usize = 2;
/// The blanks behind a column.
const PADDING: u16 = 1;
/// The columns that a cell of words or a reference keeps at least: fewer say nothing.
const MIN_WORDS: usize = 20;
const MIN_MIDDLE: usize = 24;
/// The lines of a table: one below the titles.
const LINES: TableStyle =
    presets::NOTHING.header_separator(LineStyle::none().fill('─').junction('─'));

/// A column of one table, with its cells.
struct Drawing<'a> {
    column: &'static Column,
    cells: Vec<&'a Cell>,
    width: usize,
}

/// Renders the rows of a listing, each with as many cells as there are columns.
pub fn listing(screen: &Screen, columns: &'static [Column], rows: &[Vec<Cell>]) -> String {
    let chosen = chosen(screen, columns);
    match screen.form() {
        Form::Name => lines(rows, &[0], false),
        Form::Tsv => lines(rows, &chosen, screen.has_styles()),
        Form::Table => {
            let mut drawn = drawings(columns, rows, &chosen);
            if let Some(width) = screen.width() {
                fit(&mut drawn, width, screen.has_chosen());
            }
            draw(&drawn, rows.len(), screen.has_styles())
        }
    }
}

/// Returns the chosen columns, or all.
fn chosen(screen: &Screen, columns: &[Column]) -> Vec<usize> {
    let find =
        |name: &String| columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
    if screen.has_chosen() {
        screen.columns().iter().filter_map(find).collect()
    } else {
        (0..columns.len()).collect()
    }
}

fn lines(rows: &[Vec<Cell>], chosen: &[usize], has_styles: bool) -> String {
    let cell = |row: &Vec<Cell>, at: usize| {
        row.get(at).map(|cell| cell.style().paint(cell.full(), has_styles)).unwrap_or_default()
    };
    let line = |row| chosen.iter().map(|at| cell(row, *at)).collect::<Vec<_>>().join("\t") + "\n";
    rows.iter().map(line).collect()
}

fn drawings<'a>(
    columns: &'static [Column],
    rows: &'a [Vec<Cell>],
    chosen: &[usize],
) -> Vec<Drawing<'a>> {
    let drawing = |at: &usize| {
        let column = columns.get(*at)?;
        let cells: Vec<_> = rows.iter().filter_map(|row| row.get(*at)).collect();
        Some(Drawing { width: natural(column, &cells), column, cells })
    };
    chosen.iter().filter_map(drawing).collect()
}

/// Returns the width with which a column shows everything.
fn natural(column: &Column, cells: &[&Cell]) -> usize {
    let widest = cells.iter().map(|cell| cell.widest().width()).max().unwrap_or_default();
    widest.max(column.name.width())
}

/// Makes columns narrower until the table fits, and leaves columns out where that is not enough,
/// but never one that the user chose.
fn fit(drawn: &mut Vec<Drawing<'_>>, width: usize, is_chosen: bool) {
    while least_width(drawn, width) > width && !is_chosen {
        let Some(last) = drawn
            .iter()
            .enumerate()
            .filter(|(_, drawing)| drawing.column.rank > 0)
            .max_by_key(|(_, drawing)| drawing.column.rank)
            .map(|(at, _)| at)
        else {
            break;
        };
        drawn.remove(last);
    }
    share(drawn, width);
}

fn gaps(drawn: &[Drawing<'_>]) -> usize {
    drawn.len().saturating_sub(1) * GAP
}

fn least_width(drawn: &[Drawing<'_>], width: usize) -> usize {
    drawn.iter().map(|drawing| drawing.least(width)).sum::<usize>() + gaps(drawn)
}

/// Gives each column the least that it needs, and the rest to the columns that want more: those
/// that stay longest first.
fn share(drawn: &mut [Drawing<'_>], width: usize) {
    let mut left = width.saturating_sub(least_width(drawn, width));
    let mut order: Vec<_> = (0..drawn.len()).collect();
    let prose_last = |at: &usize| (drawn[*at].column.fit == Fit::Words, drawn[*at].column.rank);
    order.sort_by_key(prose_last);
    for at in order {
        let drawing = &mut drawn[at];
        let (least, natural) = (drawing.least(width), drawing.width);
        drawing.width = natural.min(least + left);
        left -= drawing.width.saturating_sub(least);
    }
}

impl Drawing<'_> {
    /// Returns the least width of the column on a terminal of this width.
    fn least(&self, terminal: usize) -> usize {
        let title = self.column.name.width();
        let least = match self.column.fit {
            Fit::Whole => self.width.min(title.max(terminal / 3)),
            Fit::Middle => self.width.min(MIN_MIDDLE),
            Fit::Words => self.width.min(MIN_WORDS),
        };
        least.max(title)
    }

    fn text(&self, cell: &Cell) -> String {
        match self.column.fit {
            Fit::Words => wrapped(cell.widest(), self.width).join("\n"),
            Fit::Whole | Fit::Middle => {
                let fitting = cell.forms().find(|form| form.width() <= self.width);
                fitting.map_or_else(|| middle(cell.shortest(), self.width), str::to_owned)
            }
        }
    }
}

/// Shortens words to this width, so that lines break only between words.
fn fit_words(text: &str, width: usize) -> String {
    let words = text.split(' ').map(|word| middle(word, width));
    words.collect::<Vec<_>>().join(" ")
}

/// Breaks a text into lines between words: a word that is too wide loses its middle.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in fit_words(text, width).split(' ') {
        let is_full = lines
            .last()
            .is_some_and(|line| !line.is_empty() && line.width() + 1 + word.width() > width);
        if is_full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

fn draw(drawn: &[Drawing<'_>], rows: usize, has_styles: bool) -> String {
    let mut table = Table::new();
    table.load_style(LINES).set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
    table.style_text_only();
    if has_styles {
        table.enforce_styling();
    }
    let title = |drawing: &Drawing<'_>| {
        styled(Drawn::new(drawing.column.name.to_ascii_uppercase()), Style::Title)
    };
    table.set_header(drawn.iter().map(title));
    for row in 0..rows {
        let cell = |drawing: &Drawing<'_>| {
            let (cell, text) = (drawing.cells[row], drawing.text(drawing.cells[row]));
            // A style around nothing would leave blanks behind the end of the line.
            let style = if text.is_empty() { Style::Plain } else { cell.style() };
            styled(Drawn::new(text), style)
        };
        table.add_row(drawn.iter().map(cell));
    }
    for (column, drawing) in table.column_iter_mut().zip(drawn) {
        let width = u16::try_from(drawing.width).unwrap_or(u16::MAX);
        column.set_padding((0, PADDING));
        let padded = width.saturating_add(PADDING);
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(padded)));
    }
    trimmed(&table)
}

/// Trims the ends of lines, and the last gap below the titles.
fn trimmed(table: &Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        let line = line.trim_end();
        let line = line.strip_suffix("──").map_or(line.to_owned(), |rest| format!("{rest}─"));
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn styled(cell: Drawn, style: Style) -> Drawn {
    match style {
        Style::Plain => cell,
        Style::Title => cell.add_attribute(Attribute::Bold),
        Style::Good => cell.fg(Color::DarkGreen),
        Style::Attention => cell.fg(Color::DarkYellow),
        Style::Bad => cell.fg(Color::DarkRed),
        Style::Faint => cell.add_attribute(Attribute::Dim),
    }
}
