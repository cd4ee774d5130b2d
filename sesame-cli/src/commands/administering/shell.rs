//! `sesame completions` and `sesame man`

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use core_types::ErrorKind;

use clap_complete::Shell;
use extension_depot::OutputDirectory;

use crate::arguments::{MAX_WIDTH, everyday_form, full_command};
use crate::completion::{self, Place};
use crate::context::Context;
use crate::failure::Failure;
use crate::manual::{DOCUMENTS, of_command, of_document};
use crate::outcome::Outcome;

/// The mode of files for shells and `man`, which are public, before the user's mask.
const PAGE_MODE: u32 = 0o666;

/// Prints the script that a shell sources, with a note on its place, or installs it.
pub fn completions(
    context: &Context,
    shell: Option<Shell>,
    install: bool,
) -> Result<Outcome, Failure> {
    let guessed = || context.login_shell().and_then(|path| completion::shell_of(&path));
    let shell = shell.or_else(guessed).ok_or_else(|| {
        Failure::message(ErrorKind::Usage, "`SHELL` does not say which shell this is for")
            .with_hint("name it: sesame completions bash")
    })?;
    let (script, place) = (completion::script(shell)?, place(shell));
    match place {
        Some(place) if install => install_script(context, &place, &script),
        Some(place) => {
            context.status(&format!(
                "this goes to {}; to put it there: sesame completions {shell} --install",
                place.path.display()
            ));
            Ok(Outcome::Script(script))
        }
        None if install => Err(Failure::message(
            ErrorKind::Usage,
            format!("{shell} has no place for such scripts"),
        )
        .with_hint(format!("source it when the shell starts: sesame completions {shell} > FILE"))),
        None => Ok(Outcome::Script(script)),
    }
}

fn place(shell: Shell) -> Option<Place> {
    let base = Context::base_directories()?;
    completion::place_of(shell, base.data_dir(), base.config_dir())
}

/// Writes the script, unless a foreign file is in its place.
fn install_script(context: &Context, place: &Place, script: &[u8]) -> Result<Outcome, Failure> {
    let path = &place.path;
    match fs::read(path) {
        Ok(there) if !completion::is_script(&there) => {
            return Err(Failure::message(
                ErrorKind::Local,
                format!("`{}` is there and not sesame's", path.display()),
            )
            .with_hint("move it away"));
        }
        _ => {}
    }
    let write = || -> io::Result<PathBuf> {
        let directory = OutputDirectory::create(path.parent().unwrap_or(Path::new(".")))?;
        directory.write(path.file_name().unwrap_or_default(), PAGE_MODE, script)
    };
    write().map_err(|error| Failure::unwritable(path, error))?;
    context.status(
        place.more.as_deref().unwrap_or("it holds in every shell that is started from now on"),
    );
    Ok(Outcome::Written(vec![path.clone()]))
}

/// Returns all commands with their help, as one document.
pub fn reference() -> Outcome {
    let mut command = full_command(MAX_WIDTH);
    let mut text =
        "# Commands\n\nMade by `sesame command-reference`; a test compares the two.\n".to_owned();
    describe(&mut command, &mut text);
    Outcome::Script(text.into_bytes())
}

fn describe(command: &mut clap::Command, text: &mut String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    if let Some(everyday) = everyday_form(&name) {
        let _ = write!(
            text,
            "\n## `{name}`\n\nThe same as [`{everyday}`](#{}).\n",
            everyday.replace(' ', "-")
        );
        return;
    }
    let help = command.render_long_help().to_string();
    let help: Vec<_> = help.lines().map(str::trim_end).collect();
    let _ = write!(text, "\n## `{name}`\n\n```\n{}\n```\n", help.join("\n").trim_end());
    for below in command.get_subcommands_mut().filter(|below| !below.is_hide_set()) {
        describe(below, text);
    }
}

/// Writes one page for each command, and one for each file that has a page.
pub fn manual(directory: &Path) -> Result<Outcome, Failure> {
    let write = || -> io::Result<Vec<PathBuf>> {
        let of_commands = OutputDirectory::create(directory)?;
        let mut written = pages(&full_command(MAX_WIDTH), &of_commands)?;
        let of_files = OutputDirectory::create(&beside_commands(directory))?;
        for document in &DOCUMENTS {
            let (name, page) = (format!("{}.5", document.name), of_document(document));
            written.push(of_files.write(name.as_ref(), PAGE_MODE, page.as_bytes())?);
        }
        Ok(written)
    };
    write().map(Outcome::Written).map_err(|error| {
        Failure::message(ErrorKind::Local, format!("cannot write to `{}`", directory.display()))
            .caused_by(error)
    })
}

/// Returns the directory for the pages of files. `man` looks for them in `man5`, and for those of
/// commands in `man1`.
fn beside_commands(directory: &Path) -> PathBuf {
    if directory.ends_with("man1") {
        directory.with_file_name("man5")
    } else {
        directory.to_owned()
    }
}

/// Writes the pages of a command and of those below it. Hidden commands do not have one.
fn pages(command: &clap::Command, directory: &OutputDirectory) -> io::Result<Vec<PathBuf>> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let command = &or_pointer(command);
    let page = of_command(command, &name)?;
    let mut written = vec![directory.write(format!("{name}.1").as_ref(), PAGE_MODE, &page)?];
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        written.extend(pages(below, directory)?);
    }
    Ok(written)
}

/// Returns the command itself; for one with an everyday form, a pointer to that.
fn or_pointer(command: &clap::Command) -> clap::Command {
    let everyday = command.get_bin_name().and_then(everyday_form);
    let Some(everyday) = everyday else { return command.clone() };
    clap::Command::new("sesame")
        .display_name(command.get_display_name().unwrap_or_default().to_owned())
        .bin_name(command.get_bin_name().unwrap_or_default().to_owned())
        .about(format!("The same as `{everyday}`: see {}(1)", everyday.replace(' ', "-")))
        .disable_help_flag(true)
}
