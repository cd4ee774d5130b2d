//! From the Markdown of the book to the language of manual pages (man(7)).

use std::fmt::Write as _;

/// A part of a page.
enum Block<'a> {
    /// A heading with its level.
    Heading(usize, &'a str),
    /// The lines of a fenced block.
    Code(Vec<&'a str>),
    /// The cells of each row, the row with the headings first.
    Table(Vec<Vec<&'a str>>),
    /// A point of a list.
    Item(String),
    Paragraph(String),
}

/// Returns a page as sections of a manual page: its headings of the second level are sections.
pub fn sections(markdown: &str) -> String {
    format!(".SH DESCRIPTION\n{}", converted(markdown, 2))
}

/// Returns a page as one section of a manual page.
pub fn section(title: &str, markdown: &str) -> String {
    format!(".SH {title}\n{}", converted(markdown, 1))
}

/// Returns lines as they stand, indented.
pub fn verbatim(lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| from_line_start(&literal(line)) + "\n").collect();
    format!(".PP\n.RS 4\n.nf\n{lines}.fi\n.RE\n")
}

/// Converts a page without its title. Headings down to the level of sections are sections.
fn converted(markdown: &str, section_level: usize) -> String {
    blocks(markdown).iter().map(|block| converted_block(block, section_level)).collect()
}

fn converted_block(block: &Block<'_>, section_level: usize) -> String {
    match block {
        Block::Heading(1, _) => String::new(),
        Block::Heading(level, text) if *level <= section_level => {
            format!(".SH {}\n", inline(text).to_uppercase())
        }
        Block::Heading(_, text) => format!(".SS {}\n", inline(text)),
        Block::Code(lines) => verbatim(lines),
        Block::Table(rows) => table(rows),
        Block::Item(text) => format!(".IP \\(bu 2\n{}\n", from_line_start(&inline(text))),
        Block::Paragraph(text) => format!(".PP\n{}\n", from_line_start(&inline(text))),
    }
}

/// Makes an entry of each row: its first cell, and below it the others, those from the third on behind
/// the heading of their column.
fn table(rows: &[Vec<&str>]) -> String {
    let [headings, rows @ ..] = rows else { return String::new() };
    let mut roff = String::new();
    for row in rows {
        let [first, others @ ..] = row.as_slice() else { continue };
        let mut text = others.first().map(|cell| inline(cell)).unwrap_or_default();
        for (cell, heading) in others.iter().zip(headings.iter().skip(1)).skip(1) {
            if !cell.is_empty() {
                let _ = write!(text, " ({}: {})", inline(heading), inline(cell));
            }
        }
        let first = from_line_start(&inline(first));
        let _ = writeln!(roff, ".TP\n{first}\n{}", from_line_start(&text));
    }
    roff
}

fn blocks(markdown: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    let mut is_open = false;
    while let Some(line) = lines.next() {
        let was_open = std::mem::replace(&mut is_open, !line.is_empty());
        if line.starts_with("```") {
            blocks.push(Block::Code(lines.by_ref().take_while(|line| *line != "```").collect()));
            is_open = false;
        } else if let Some(cells) = cells(line) {
            add_row(&mut blocks, cells, was_open);
        } else if let Some(text) = line.strip_prefix("- ") {
            blocks.push(Block::Item(text.to_owned()));
        } else if line.starts_with('#') {
            let text = line.trim_start_matches('#');
            blocks.push(Block::Heading(line.len() - text.len(), text.trim()));
            is_open = false;
        } else if !line.is_empty() {
            add_text(&mut blocks, line.trim_start(), was_open);
        }
    }
    blocks
}

/// Splits a line of a table into its cells.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

/// Adds a row to the table that is open, or begins one. The line below the headings says nothing.
fn add_row<'a>(blocks: &mut Vec<Block<'a>>, cells: Vec<&'a str>, is_open: bool) {
    let is_rule =
        cells.iter().all(|cell| !cell.is_empty() && cell.trim_matches(['-', ':']).is_empty());
    match blocks.last_mut() {
        Some(Block::Table(rows)) if is_open && !is_rule => rows.push(cells),
        Some(Block::Table(_)) if is_rule => {}
        _ => blocks.push(Block::Table(vec![cells])),
    }
}

/// Adds a line to the paragraph or point that is open, or begins a paragraph.
fn add_text(blocks: &mut Vec<Block<'_>>, line: &str, is_open: bool) {
    match blocks.last_mut() {
        Some(Block::Paragraph(text) | Block::Item(text)) if is_open => {
            text.push(' ');
            text.push_str(line);
        }
        _ => blocks.push(Block::Paragraph(line.to_owned())),
    }
}

/// Converts code, emphasis and links. Of a link its text stays.
fn inline(text: &str) -> String {
    let mut roff = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*', '[']) {
        roff.push_str(&escaped(&rest[..at]));
        rest = &rest[at..];
        let marked = code(rest).or_else(|| emphasis(rest)).or_else(|| link(rest));
        let (piece, after) = marked.unwrap_or_else(|| (escaped(&rest[..1]), &rest[1..]));
        roff.push_str(&piece);
        rest = after;
    }
    roff + &escaped(rest)
}

/// What a mark at the beginning of a text became, and the text behind it.
type Marked<'a> = Option<(String, &'a str)>;

fn code(text: &str) -> Marked<'_> {
    let (inner, after) = text.strip_prefix('`')?.split_once('`')?;
    Some((format!("\\fB{}\\fR", literal(inner)), after))
}

fn emphasis(text: &str) -> Marked<'_> {
    let (mark, font) = if text.starts_with("**") { ("**", 'B') } else { ("*", 'I') };
    let (inner, after) = text.strip_prefix(mark)?.split_once(mark)?;
    Some((format!("\\f{font}{}\\fR", escaped(inner)), after))
}

fn link(text: &str) -> Marked<'_> {
    let (inner, after) = text.strip_prefix('[')?.split_once("](")?;
    let (_, after) = after.split_once(')')?;
    Some((inline(inner), after))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\e")
}

/// Escapes a text to be copied: its dashes stay dashes.
fn literal(text: &str) -> String {
    escaped(text).replace('-', "\\-")
}

/// Protects a text at the beginning of a line, where a dot or quote would be a command.
fn from_line_start(roff: &str) -> String {
    if roff.starts_with(['.', '\'']) { format!("\\&{roff}") } else { roff.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_becomes_sections() {
        let page = "# Title\n\nOne `--flag` and\na [link](x.md).\n\n## Keys\n\n| key | meaning | default |\n\
                    |---|---|---|\n| `a` | *first* | 1 |\n| `b` | second | |\n\n- a point\n  goes on\n- **another**\n";
        insta::assert_snapshot!(sections(page), @r"
        .SH DESCRIPTION
        .PP
        One \fB\-\-flag\fR and a link.
        .SH KEYS
        .TP
        \fBa\fR
        \fIfirst\fR (default: 1)
        .TP
        \fBb\fR
        second
        .IP \(bu 2
        a point goes on
        .IP \(bu 2
        \fBanother\fR
        ");
    }

    /// A dot or a quote that begins a line, and a backslash, are characters and not commands.
    #[test]
    fn commands_of_roff_are_text() {
        let page = "## A\n\n.SH not a section\n\n```\n.nf\n'x\n\\fB\n```\n";
        insta::assert_snapshot!(section("FILES", page), @r"
        .SH FILES
        .SS A
        .PP
        \&.SH not a section
        .PP
        .RS 4
        .nf
        \&.nf
        \&'x
        \efB
        .fi
        .RE
        ");
    }

    #[test]
    fn unfinished_marks_are_text() {
        assert_eq!(inline("a * b [c] `d"), "a * b [c] `d");
    }
}
