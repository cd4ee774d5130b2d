//! `sesame demo`

mod shelf;
mod story;

use std::thread;
use std::time::Duration;

use clap::Parser;
use core_types::ErrorKind;
use extension_depot::serve::MemoryRegistry;

use crate::arguments::{Arguments, DemoArguments};
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::Outcome;

use self::story::{STORY, Step};

/// How long a person has for reading before the next command: with all steps less than a minute.
const READING_TIME: Duration = Duration::from_secs(2);

/// Plays the story as a person would type it, with a registry in this process and in a temporary
/// home.
pub fn run(context: &Context, arguments: &DemoArguments) -> Result<Outcome, Failure> {
    let registry = MemoryRegistry::start()?;
    shelf::fill(context, &registry)?;
    registry.seal();
    say(context, &format!("A registry runs on {}, with three extensions in it.", registry.host()))?;
    play(context, arguments, &registry.host())?;
    say(context, &next_steps(&registry.host(), arguments.serve))?;
    if arguments.serve {
        registry.wait();
    }
    Ok(Outcome::AlreadyPrinted(ExitCode::Done))
}

/// Plays every step. The directories are gone afterwards: they must not outlive this process if a
/// registry that keeps running is interrupted.
fn play(context: &Context, arguments: &DemoArguments, host: &str) -> Result<(), Failure> {
    let home = tempfile::tempdir()?;
    // Not in the home: an extension never gets a directory that sesame's own files lie in.
    let notes = tempfile::tempdir()?;
    let there = context.below(home.path()).without_questions();
    let is_slow = context.terminal.shows_output() && !arguments.fast && !context.global.json;
    for step in &STORY {
        take(&there, step, &step.words(host, &notes.path().display().to_string()))?;
        if is_slow {
            thread::sleep(READING_TIME);
        }
    }
    Ok(())
}

/// Types one command, which has to end as the story wants.
fn take(context: &Context, step: &Step, words: &[String]) -> Result<(), Failure> {
    let heading = if step.says.is_empty() { String::new() } else { format!("\n# {}", step.says) };
    say(context, &format!("{heading}\n$ {}", words.join(" ")))?;
    match crate::run(context, Arguments::parse_from(words).command) {
        code if code == step.ends => Ok(()),
        ExitCode::Failed(kind) => Err(another_end(kind, words)),
        ExitCode::Done | ExitCode::Passed(_) => Err(another_end(ErrorKind::Failure, words)),
    }
}

fn another_end(kind: ErrorKind, words: &[String]) -> Failure {
    Failure::message(kind, format!("`{}` did not end as in the story", words.join(" ")))
}

fn next_steps(host: &str, serve: bool) -> String {
    let install = "Next, with a registry of yours:\n  sesame extension install ghcr.io/my-org/greeting-extension:0.1.0";
    if !serve {
        return format!("\n{install}\nor keep this one running:\n  sesame demo --serve");
    }
    let reference = format!("{host}/my-org/greeting-extension:0.1.0");
    format!(
        "\nThe registry keeps running. In another terminal:\n  sesame extension install {reference}\n  oras pull --plain-http {reference}\nEnd it with Ctrl-C."
    )
}

/// The story of the demonstration is its data.
fn say(context: &Context, text: &str) -> Result<(), Failure> {
    if !context.global.json {
        context.terminal.data(format!("{text}\n").as_bytes())?;
    }
    Ok(())
}
