//! `sesame completions` and `sesame man`

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::Shell;
use extension_depot::OutputDirectory;

use crate::arguments::Arguments;
use crate::completion;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// The mode of pages, which are for everybody, less what the user's mask takes away.
const PAGE_MODE: u32 = 0o666;

/// The script that a shell sources.
pub fn completions(shell: Shell) -> Result<Outcome, Failure> {
    Ok(Outcome::Script(completion::script(shell)?))
}

/// Every command with its help, as one document.
pub fn reference() -> Outcome {
    let mut command = Arguments::command();
    command.build();
    let mut text = "# Commands\n\nMade by `sesame command-reference`; a test compares the two.\n".to_owned();
    describe(&mut command, &mut text);
    Outcome::Script(text.into_bytes())
}

fn describe(command: &mut clap::Command, text: &mut String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    let help = command.render_long_help().to_string();
    let help: Vec<_> = help.lines().map(str::trim_end).collect();
    let _ = write!(text, "\n## `{name}`\n\n```\n{}\n```\n", help.join("\n").trim_end());
    for below in command.get_subcommands_mut().filter(|below| !below.is_hide_set()) {
        describe(below, text);
    }
}

/// Writes one page for each command.
pub fn manual(directory: &Path) -> Result<Outcome, Failure> {
    let write = || -> io::Result<Vec<PathBuf>> {
        let directory = OutputDirectory::create(directory)?;
        let mut command = Arguments::command();
        command.build();
        pages(&command, &directory)
    };
    write().map(Outcome::Written).map_err(|error| {
        Failure::message(ExitCode::Local, format!("cannot write to `{}`", directory.display())).caused_by(&error)
    })
}

/// The page of a command and those of what is below it. What is hidden has none.
fn pages(command: &clap::Command, directory: &OutputDirectory) -> io::Result<Vec<PathBuf>> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).title(name.to_uppercase()).render(&mut page)?;
    let mut written = vec![directory.write(format!("{name}.1").as_ref(), PAGE_MODE, &page)?];
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        written.extend(pages(below, directory)?);
    }
    Ok(written)
}
