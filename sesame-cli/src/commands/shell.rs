//! `sesame completions` and `sesame man`

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// The script that a shell sources.
pub fn completions(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "sesame", &mut script);
    Outcome::Script(script)
}

/// Writes one page for each command.
pub fn manual(directory: &Path) -> Result<Outcome, Failure> {
    let write = || -> io::Result<Vec<PathBuf>> {
        fs::create_dir_all(directory)?;
        let mut command = Arguments::command();
        command.build();
        pages(&command, directory)
    };
    write().map(Outcome::Written).map_err(|error| {
        let mut failure = Failure::message(ExitCode::Local, format!("cannot write to `{}`", directory.display()));
        failure.causes.push(error.to_string());
        failure
    })
}

/// The page of a command and those of what is below it. What is hidden has none.
fn pages(command: &clap::Command, directory: &Path) -> io::Result<Vec<PathBuf>> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let path = directory.join(format!("{name}.1"));
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).title(name.to_uppercase()).render(&mut page)?;
    fs::write(&path, page)?;
    let mut written = vec![path];
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        written.extend(pages(below, directory)?);
    }
    Ok(written)
}
