//! Help for the command line itself, and errors about it.

use std::ffi::OsString;
use std::fmt::Write;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory, FromArgMatches};

use super::{examples, groups, meaning};
use crate::arguments::Arguments;
use crate::exit_code::ExitCode;

/// The code of a wrong command line. clap has kinds of errors as well.
const USAGE: ExitCode = ExitCode::Failed(core_types::ErrorKind::Usage);

/// Longer lines are hard to read, however wide the terminal is.
pub const MAX_WIDTH: usize = 100;

/// The output of `sesame` alone. An incomplete command is wrong usage, as in `uv`: a script that
/// lost its words must fail.
const BEGINNING: &str = "\
sesame installs and runs extensions of the desktop session, each with exactly the permissions you grant.

Begin with:
  sesame demo                       see what it does; touches nothing outside a temporary directory
  sesame install SOURCE             install an extension, such as ghcr.io/OWNER/NAME or ./NAME.wasm
  sesame list                       list what is installed
  sesame call NAME                  list the functions of an extension; with one of them, call it
  sesame info NAME                  show what an extension is, may do and may use

Read on:
  sesame --help                     all commands
  sesame help COMMAND               one command, with examples
  sesame extension new NAME         write an extension of your own
";

/// The answer to a command line that is not run.
pub struct Answer {
    pub text: String,
    /// Whether it is the requested output, and not an error.
    pub is_data: bool,
    pub code: ExitCode,
}

/// Answers words that a parser refused or that ask for help.
pub fn answer(words: &[OsString], error: clap::Error, width: usize) -> Answer {
    let is_bare = words.iter().skip(1).all(|word| word.as_encoded_bytes().starts_with(b"-"));
    let wants_command = matches!(
        error.kind(),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand
    );
    if is_bare && wants_command {
        return Answer { text: BEGINNING.to_owned(), is_data: true, code: USAGE };
    }
    let mut command = full_command(width);
    let mut error = error;
    let spelled_out = spelled_out(words);
    if error.kind() == ErrorKind::InvalidSubcommand {
        suggest(&mut error, words, &command);
    } else if let Err(again) = command
        .try_get_matches_from_mut(&spelled_out)
        .and_then(|found| Arguments::from_arg_matches(&found))
    {
        // The same error, from the parser with full help.
        error = again;
    }
    let is_data = !error.use_stderr();
    let code = if is_data { ExitCode::Done } else { USAGE };
    Answer { text: error.render().to_string(), is_data, code }
}

/// Turns `sesame help COMMAND` into `sesame COMMAND --help`.
fn spelled_out(words: &[OsString]) -> Vec<OsString> {
    let mut words = words.to_vec();
    if words.iter().any(|word| word == "--help" || word == "-h") {
        return words;
    }
    let command = words.iter().skip(1).position(|word| !word.as_encoded_bytes().starts_with(b"-"));
    if let Some(at) = command.map(|at| at + 1).filter(|at| words[*at] == "help") {
        words.remove(at);
        words.push("--help".into());
    }
    words
}

/// Adds a suggestion for a word that is not a command.
fn suggest(error: &mut clap::Error, words: &[OsString], command: &Command) {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand).cloned()
    else {
        return;
    };
    let typed: Vec<_> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let behind =
        typed.iter().position(|typed| *typed == word).map_or(&[][..], |at| &typed[at + 1..]);
    if let Some(instead) = meaning::instead_of(&word, behind, command) {
        error.remove(ContextKind::SuggestedSubcommand);
        error.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![StyledStr::from(instead)]),
        );
    }
}

/// Returns all commands with their full help, for lines of this many columns. A parser of command
/// lines does without, since this is slow.
pub fn full_command(width: usize) -> Command {
    let mut command = Arguments::command();
    command.build();
    with_help(command, "", width)
}

/// Adds groups and examples to a command and all below it.
fn with_help(command: Command, path: &str, width: usize) -> Command {
    let path = format!("{path}{}", command.get_name());
    let mut command = command
        .term_width(width)
        .mut_subcommands(|below| with_help(below, &format!("{path} "), width));
    let groups = groups::of(&command);
    if !groups.is_empty() {
        let listed = listed(&command, &groups, width);
        command = command.help_template(format!(
            "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{listed}Options:\n{{options}}{{after-help}}"
        ));
    }
    if let Some(examples) = examples::of(&path) {
        let lines: String = examples.iter().map(|line| format!("\n  {line}")).collect();
        command = command.after_help(format!("Examples:{lines}"));
    }
    command
}

/// Formats groups of commands with their summaries, in two columns.
fn listed(command: &Command, groups: &[(&str, Vec<String>)], width: usize) -> String {
    let longest =
        groups.iter().flat_map(|(_, words)| words).map(String::len).max().unwrap_or_default();
    let mut text = String::new();
    for (title, words) in groups {
        let _ = writeln!(text, "{title}:");
        for word in words {
            let summary = summary(command, word).unwrap_or_default();
            let indent = longest + 4;
            let lines =
                wrapped(&summary, width.saturating_sub(indent)).join(&format!("\n{:indent$}", ""));
            let _ = writeln!(text, "  {word:longest$}  {lines}");
        }
        text.push('\n');
    }
    text
}

/// Returns the summary of a command, with its aliases.
fn summary(command: &Command, words: &str) -> Option<String> {
    let found =
        words.split(' ').try_fold(command, |command, name| command.find_subcommand(name))?;
    let aliases: Vec<_> = found.get_visible_aliases().collect();
    let about = found.get_about().map(ToString::to_string).unwrap_or_default();
    let title = match aliases.len() {
        0 => return Some(about),
        1 => "alias",
        _ => "aliases",
    };
    Some(format!("{about} [{title}: {}]", aliases.join(", ")))
}

/// Breaks a text between words into lines of at most this many columns.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str, width: usize) -> Answer {
        let words: Vec<_> = line.split(' ').map(OsString::from).collect();
        let error = Arguments::read(&words).expect_err(line);
        answer(&words, error, width)
    }

    #[test]
    fn help_fits_the_terminal() {
        let mut command = full_command(60);
        let mut all = vec![command.render_long_help().to_string()];
        let mut waiting: Vec<_> = command.get_subcommands().cloned().collect();
        while let Some(mut command) = waiting.pop() {
            all.push(command.render_help().to_string());
            waiting.extend(command.get_subcommands().cloned());
        }
        for line in all.iter().flat_map(|help| help.lines()) {
            // An example is for pasting, so it stays on its line.
            let is_example = line.starts_with("  sesame ")
                || line.starts_with("Usage: ")
                || line.starts_with("       ");
            let cannot_break = line.rsplit(' ').next().is_some_and(|word| word.len() > 30);
            assert!(line.chars().count() <= 60 || is_example || cannot_break, "{line:?}");
        }
    }

    #[test]
    fn groups_name_each_command_once() {
        let command = full_command(100);
        for grouped in [&command, command.find_subcommand("extension").expect("there")] {
            let mut words: Vec<_> =
                groups::of(grouped).into_iter().flat_map(|(_, words)| words).collect();
            for word in &words {
                assert!(
                    summary(grouped, word).is_some_and(|summary| !summary.is_empty()),
                    "{word}"
                );
            }
            for below in grouped.get_subcommands().filter(|below| !below.is_hide_set()) {
                assert!(words.iter().any(|word| word == below.get_name()), "{}", below.get_name());
            }
            let count = words.len();
            words.sort();
            words.dedup();
            assert_eq!(words.len(), count);
        }
    }

    #[test]
    fn help_of_a_command_is_its_help() {
        for (asked, same) in [
            ("sesame help", "sesame --help"),
            ("sesame help install", "sesame install --help"),
            ("sesame help extension grant", "sesame extension grant --help"),
            ("sesame help ls", "sesame list --help"),
            ("sesame help help", "sesame help --help"),
        ] {
            let (asked, same) = (said(asked, 80), said(same, 80));
            assert_eq!(asked.text, same.text);
            assert!(asked.is_data && asked.code == ExitCode::Done, "{}", asked.text);
        }
        let wrong = said("sesame help delete", 80);
        assert!(wrong.text.contains("sesame remove") && wrong.code == USAGE, "{}", wrong.text);
    }

    #[test]
    fn no_command_shows_where_to_begin() {
        for line in ["sesame", "sesame --json", "sesame -q --offline"] {
            let answer = said(line, 80);
            assert!(answer.is_data && answer.text == BEGINNING && answer.code == USAGE, "{line}");
        }
        assert!(!said("sesame extension", 80).is_data);
    }
}
