//! Tests, publications and pages of documentation, as text.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::parts::data;
use crate::context::Context;
use crate::outcome::{DocsPage, Published, TestedCase, TestedFile};
use crate::render::{Rendered, markdown};
use crate::terminal::{escape_control, escape_to_line};

pub(super) fn created(directory: &Path, written: &[PathBuf]) -> Rendered {
    let paths = written.iter().map(|path| format!("{}\n", escape_to_line(&path.to_string_lossy())));
    let next = format!(
        "next: cd {} && sesame extension build && sesame extension test\n",
        directory.display()
    );
    Rendered { data: paths.collect::<String>().into_bytes(), stderr: next, ..Rendered::default() }
}

/// Formats test results. The output of an extension is shown for a failed test, and with
/// `--verbose`.
pub(super) fn tested(context: &Context, files: &[TestedFile]) -> Rendered {
    let mut text = String::new();
    for file in files {
        let _ = writeln!(text, "{}", escape_to_line(&file.path.to_string_lossy()));
        for case in &file.cases {
            text.push_str(&tested_case(case));
            if context.is_verbose() || case.problem.is_some() {
                text.push_str(&indented("        | ", &case.printed));
            }
        }
    }
    let all = || files.iter().flat_map(|file| &file.cases);
    let failed = all().filter(|case| case.problem.is_some()).count();
    let _ = writeln!(text, "{} passed, {failed} failed", all().count() - failed);
    data(text)
}

fn tested_case(case: &TestedCase) -> String {
    let name = escape_to_line(&case.name);
    match &case.problem {
        None => format!("  ok      {name}\n"),
        Some(problem) => format!("  FAILED  {name}\n{}", indented("          ", problem)),
    }
}

fn indented(before: &str, text: &str) -> String {
    escape_control(text).lines().map(|line| format!("{before}{line}\n")).collect()
}

pub(super) fn published(published: &Published) -> Rendered {
    match published {
        Published::Now(published) => {
            let first = if published.already { "already published:" } else { "published" };
            data(format!("{first} {}\n", published.reference))
        }
        Published::Planned { reference, manifest } => {
            let stderr = format!("nothing is published; it would be {reference}\n");
            Rendered { data: format!("{manifest}\n").into_bytes(), stderr, ..Rendered::default() }
        }
    }
}

/// Formats a page. On a terminal it is laid out; in a pipe it is as written, but escaped, since the
/// pipe may end at a terminal. `--raw` passes each byte.
pub(super) fn page(context: &Context, page: &DocsPage) -> Rendered {
    let others: Vec<_> = page
        .pages
        .iter()
        .filter(|path| **path != page.page.path)
        .map(|path| escape_to_line(path))
        .collect();
    let stderr = match others.as_slice() {
        [] => String::new(),
        others => format!("more pages: {}\n", others.join(", ")),
    };
    if page.raw {
        return Rendered {
            data: page.page.text.clone().into_bytes(),
            stderr,
            ..Rendered::default()
        };
    }
    if !context.terminal.shows_output() {
        // The line ends of other systems are not terminal controls.
        let text = escape_control(&page.page.text.replace("\r\n", "\n"));
        return Rendered { data: text.into_bytes(), stderr, ..Rendered::default() };
    }
    Rendered {
        paged: markdown::laid_out(
            &page.page.text,
            context.terminal.width(),
            context.terminal.has_styles(),
        ),
        stderr,
        ..Rendered::default()
    }
}
