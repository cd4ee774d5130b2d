//! `sesame extension logs`, and the writing of what it shows

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use core_types::ExtensionName;
use extension_depot::{Places, read_plain};
use extension_host::CallReport;

use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// When a log is larger, it becomes the old one and a new one is begun.
const MAX_SIZE: u64 = 4 << 20;

/// Shows the last lines.
pub fn run(context: &Context, name: &ExtensionName, lines: usize) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    depot.existing_manifest(name).map_err(|error| Failure::of_extension(name, &error))?;
    let path = depot.places().log(name);
    let mut text = Vec::new();
    for path in [path.with_extension("log.old"), path] {
        match read_plain(&path, 2 * MAX_SIZE) {
            Ok(bytes) => text.extend(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let message = format!("cannot read `{}`", path.display());
                return Err(Failure::message(ExitCode::Local, message).caused_by(&error));
            }
        }
    }
    Ok(Outcome::Log(last_lines(&text, lines)))
}

fn last_lines(text: &[u8], lines: usize) -> Vec<u8> {
    let all: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').collect();
    all[all.len().saturating_sub(lines)..].concat()
}

/// Adds what a call printed, if it printed anything. A log that cannot be written keeps nobody from calling.
pub fn append<T>(context: &Context, places: &Places, name: &ExtensionName, function: &str, report: &CallReport<T>) {
    let failed = report.outcome.as_ref().err().filter(|_| !report.usage.elapsed.is_zero());
    if report.output.is_empty() && failed.is_none() {
        return;
    }
    let path = places.log(name);
    let text = entry(function, &report.output, failed.map(ToString::to_string));
    if let Err(error) = write(&path, text.as_bytes()) {
        context.warn(&format!("cannot write `{}`: {error}", path.display()));
    }
}

/// Each line with the time and the function, so that nothing that a guest prints looks like another entry.
fn entry(function: &str, output: &[u8], failure: Option<String>) -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let function = function.escape_debug();
    let output = String::from_utf8_lossy(output);
    let lines = output.lines().map(str::to_owned).chain(failure.map(|failure| format!("({failure})")));
    lines.map(|line| format!("{seconds} {function}: {line}\n")).collect()
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let mut log = open(path)?;
    if log.metadata()?.len() > MAX_SIZE {
        fs::rename(path, path.with_extension("log.old"))?;
        log = open(path)?;
    }
    log.write_all(text)
}

fn open(path: &Path) -> io::Result<File> {
    // A pipe in its place does not make a call wait, and a link leads nowhere.
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(path)
}
