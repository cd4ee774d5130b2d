//! Answers the scripts of shells that ask for candidates, and the scripts themselves.

use std::ffi::OsString;
use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, CompletionCandidate, Shell, engine};

use super::line;
use crate::arguments::Arguments;
use crate::context::Context;
use crate::terminal::escape_to_line;

/// The variable by which the shell's script asks.
const VARIABLE: &str = "SESAME_COMPLETE";

/// Answers a shell that asks for candidates. Returns whether one did.
pub fn answer() -> bool {
    let Some(shell) = Context::completing_shell(VARIABLE) else { return false };
    let typed: Vec<_> = std::env::args_os().skip_while(|word| word != "--").skip(1).collect();
    // A shell that has ended does not need the answer.
    let _ = match shell.to_str() {
        Some("bash") => answer_bash(&typed),
        Some("zsh" | "fish") => answer_words(typed),
        _ => answer_other(&typed),
    };
    true
}

/// Returns the candidates for the last of these words. Options are offered after a dash, or where
/// nothing else is.
fn offered(words: Vec<OsString>) -> io::Result<Vec<CompletionCandidate>> {
    line::remember(&words);
    let directory = std::env::current_dir().ok();
    let current = words.last().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    let (at, is_empty) = (words.len().saturating_sub(1), current.is_empty());
    let mut command = Arguments::command();
    let mut offered = engine::complete(&mut command, words.clone(), at, directory.as_deref())?;
    let command = command_of(&command, &words[..at]);
    offered = offered.into_iter().map(|candidate| by_name(command, candidate, &current)).collect();
    let is_option = |candidate: &CompletionCandidate| {
        candidate.get_value().as_encoded_bytes().starts_with(b"-")
    };
    if is_empty && !offered.iter().all(is_option) {
        offered.retain(|candidate| !is_option(candidate));
    }
    Ok(offered)
}

/// Returns the command that the words lead to.
fn command_of<'c>(command: &'c clap::Command, words: &[OsString]) -> &'c clap::Command {
    words
        .iter()
        .skip(1)
        .fold(command, |command, word| command.find_subcommand(word).unwrap_or(command))
}

/// Finds a command by its name, or else by an alias.
fn by_name(
    command: &clap::Command,
    candidate: CompletionCandidate,
    current: &str,
) -> CompletionCandidate {
    let named = candidate.get_value().to_str().and_then(|value| command.find_subcommand(value));
    match named.map(clap::Command::get_name).filter(|name| name.starts_with(current)) {
        Some(name) => CompletionCandidate::new(name).help(candidate.get_help().cloned()),
        None => candidate,
    }
}

/// Answers bash: it passes the line up to the cursor, and the part of the last word that it
/// replaces, which begins behind a `:` or `=`.
fn answer_bash(typed: &[OsString]) -> io::Result<()> {
    let [line, part] = typed else { return Ok(()) };
    let words = line::split(&line.to_string_lossy());
    let last = words.last().cloned().unwrap_or_default();
    let kept = last.strip_suffix(&*part.to_string_lossy()).unwrap_or_default().to_owned();
    let mut stdout = io::stdout().lock();
    for candidate in offered(words.into_iter().map(OsString::from).collect())? {
        let value = candidate.get_value().to_string_lossy();
        writeln!(stdout, "{}", escaped(value.strip_prefix(&kept).unwrap_or(&value)))?;
    }
    Ok(())
}

/// Quotes a word for bash. The typed one may have an open quote.
fn escaped(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:%+=@,~#".contains(c);
    word.chars()
        .flat_map(|c| (!is_plain(c)).then_some('\\').into_iter().chain(std::iter::once(c)))
        .collect()
}

/// Answers zsh and fish: they pass the words up to the cursor. Each candidate is a line, with its
/// description behind a tab.
fn answer_words(words: Vec<OsString>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for candidate in offered(words)? {
        let help = candidate
            .get_help()
            .map(|help| escape_to_line(help.to_string().lines().next().unwrap_or_default()));
        let help = help
            .filter(|help| !help.is_empty())
            .map(|help| format!("\t{help}"))
            .unwrap_or_default();
        writeln!(stdout, "{}{help}", escape_to_line(&candidate.get_value().to_string_lossy()))?;
    }
    Ok(())
}

/// Answers the other shells, for which clap's own engine is enough.
fn answer_other(typed: &[OsString]) -> io::Result<()> {
    line::remember(typed);
    let directory = std::env::current_dir().ok();
    let complete = CompleteEnv::with_factory(Arguments::command).var(VARIABLE).bin("sesame");
    complete
        .try_complete(std::env::args_os(), directory.as_deref())
        .map(drop)
        .map_err(io::Error::other)
}

/// Returns the script for a shell to source.
pub fn script(shell: Shell) -> io::Result<Vec<u8>> {
    let mut script = Vec::new();
    match shell {
        Shell::Bash => script.extend_from_slice(include_bytes!("sesame.bash")),
        Shell::Zsh => script.extend_from_slice(include_bytes!("sesame.zsh")),
        other => {
            if let Some(completer) = Shells::builtins().completer(&other.to_string()) {
                completer.write_registration(
                    VARIABLE,
                    "sesame",
                    "sesame",
                    "sesame",
                    &mut script,
                )?;
            }
        }
    }
    Ok(script)
}

/// Returns whether a file is our own script, which another may replace.
pub fn is_script(text: &[u8]) -> bool {
    String::from_utf8_lossy(text).contains(VARIABLE)
}
