//! The pages as wholes.

use std::io;

use clap::Command;
use clap_mangen::Man;

use super::roff;

/// A page of the book that is a manual page of a file.
pub struct Document {
    /// The name of the manual page.
    pub name: &'static str,
    summary: &'static str,
    text: &'static str,
}

/// Every manual page of a file.
pub const DOCUMENTS: [Document; 2] = [
    Document {
        name: "sesame-extension.toml",
        summary: "manifest of an extension",
        text: include_str!("../../../docs/reference/manifest.md"),
    },
    Document {
        name: "sesame-policy.toml",
        summary: "ceiling on all extensions",
        text: include_str!("../../../docs/reference/policy.md"),
    },
];

/// The sections of sesame(1) that are pages of the book.
const OF_SESAME: [(&str, &str); 3] = [
    ("FILES", include_str!("../../../docs/reference/files.md")),
    ("ENVIRONMENT", include_str!("../../../docs/reference/environment.md")),
    ("EXIT STATUS", include_str!("../../../docs/reference/exit-codes.md")),
];

/// The first steps, for sesame(1). Every other command has examples of its own.
const FIRST_STEPS: [&str; 5] = [
    "sesame install ghcr.io/my-org/greeting-extension:0.1.0",
    "sesame call greeting-extension greet World",
    "sesame extension why greeting-extension",
    "sesame extension revoke greeting-extension config-read",
    "sesame extension rollback greeting-extension",
];

/// Where the book is.
const BOOK: &str = "https://github.com/open-sesame/sesame/blob/main/docs/index.md";

/// Returns the manual page of a file.
pub fn of_document(document: &Document) -> String {
    let Document { name, summary, text } = document;
    format!(
        ".TH \"{}\" 5 \"\" \"sesame {}\" \"File formats\"\n.SH NAME\n{} \\- {summary}\n{}",
        name.to_uppercase(),
        env!("CARGO_PKG_VERSION"),
        name.replace('-', "\\-"),
        roff::sections(text)
    )
}

/// Returns the manual page of a command.
pub fn of_command(command: &Command, name: &str) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone()).title(name.to_uppercase());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(&mut page)?;
    }
    if command.get_subcommands().any(|below| !below.is_hide_set()) {
        man.render_subcommands_section(&mut page)?;
    }
    let more = if name == "sesame" { of_sesame() } else { of_other(command) };
    page.extend_from_slice(more.as_bytes());
    Ok(page)
}

fn of_sesame() -> String {
    let examples = format!(".SH EXAMPLES\n{}", roff::verbatim(&FIRST_STEPS));
    let sections = OF_SESAME.iter().map(|(title, text)| roff::section(title, text));
    let see_also: String =
        DOCUMENTS.iter().map(|document| reference(document.name, 5) + ",\n").collect();
    let see_also =
        format!(".SH SEE ALSO\n.BR sesame\\-extension (1),\n{see_also}the book: {BOOK}\n");
    std::iter::once(examples).chain(sections).chain(std::iter::once(see_also)).collect()
}

fn of_other(command: &Command) -> String {
    // Written by `arguments::full_command`, with a heading of its own.
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let examples: Vec<_> = after.lines().skip(1).map(str::trim).collect();
    let examples = if examples.is_empty() {
        String::new()
    } else {
        format!(".SH EXAMPLES\n{}", roff::verbatim(&examples))
    };
    let documents: Vec<_> = DOCUMENTS.iter().map(|document| reference(document.name, 5)).collect();
    format!(
        "{examples}.SH EXIT STATUS\nThe codes of\n{}\n.SH SEE ALSO\n{},\n{}\n",
        reference("sesame", 1) + ".",
        reference("sesame", 1),
        documents.join(",\n")
    )
}

fn reference(name: &str, section: u8) -> String {
    format!(".BR {} ({section})", name.replace('-', "\\-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{MAX_WIDTH, full_command};

    const EVERY: [&str; 5] = ["EXAMPLES", "FILES", "ENVIRONMENT", "EXIT STATUS", "SEE ALSO"];

    #[track_caller]
    fn assert_has(page: &str, sections: &[&str]) {
        for section in sections {
            assert!(page.contains(&format!("\n.SH {section}\n")), "{section} is missing:\n{page}");
        }
    }

    #[test]
    fn main_pages_have_every_section() {
        let sesame = of_command(&full_command(MAX_WIDTH), "sesame").expect("a page");
        assert_has(&String::from_utf8(sesame).expect("text"), &EVERY);
        for document in &DOCUMENTS {
            assert_has(&of_document(document), &EVERY);
        }
    }

    #[test]
    fn command_pages_have_examples() {
        let command = full_command(MAX_WIDTH);
        let install = command.find_subcommand("install").expect("a command");
        let page = of_command(install, "sesame-install").expect("a page");
        let page = String::from_utf8(page).expect("text");
        assert_has(&page, &["OPTIONS", "EXAMPLES", "EXIT STATUS", "SEE ALSO"]);
        assert!(page.contains("sesame install ./weather.wasm"), "{page}");
    }
}
