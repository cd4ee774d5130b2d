//! `sesame extension edit`

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use core_types::{ConfigSchema, ErrorKind, ExtensionName, Manifest};
use extension_depot::Depot;
use tempfile::NamedTempFile;

use crate::context::Context;
use crate::failure::Failure;
use crate::installed::schema;
use crate::outcome::{Change, Outcome};

/// Edits a copy of the manifest, and accepts the result if it is a manifest.
pub fn run(context: &Context, name: &ExtensionName) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let before = depot.manifest_text(name)?;
    // A broken manifest has to be editable: without a schema, any setting is accepted.
    let schema = schema(depot, name).unwrap_or_default();
    // Beside the original, so that it is on the same disk and as private.
    let mut copy = tempfile::Builder::new()
        .prefix(&format!(".{name}-"))
        .suffix(".toml")
        .tempfile_in(place(context)?)?;
    copy.write_all(before.as_bytes())?;
    loop {
        open(&context.editor(), name, copy.path())?;
        let after = fs::read_to_string(copy.path())
            .map_err(|error| Failure::unreadable(copy.path(), error))?;
        let kept = keep(depot, name, &schema, (&before, &after));
        match kept {
            Ok(changed) => {
                context.warn_unknown_keys(&depot.existing_manifest(name)?);
                let now = format!("`{name}` has the manifest that was edited");
                return Ok(Outcome::Changed(vec![Change::new(now, changed)]));
            }
            Err(failure) if wants_to_try_again(context, &failure)? => {}
            Err(failure) => return Err(rejected(copy, failure)),
        }
    }
}

/// Returns the directory for the copy.
fn place(context: &Context) -> Result<&Path, Failure> {
    let state = &context.places()?.state;
    fs::create_dir_all(state)?;
    Ok(state)
}

/// Runs the editor, which can have arguments of its own, as git does.
fn open(editor: &OsStr, name: &ExtensionName, file: &Path) -> Result<(), Failure> {
    let mut line = editor.to_owned();
    line.push(" \"$@\"");
    let shown = editor.to_string_lossy().into_owned();
    let status = Command::new("sh").arg("-c").arg(&line).arg(&shown).arg(file).status()?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::message(
        ErrorKind::Failure,
        format!("the editor `{shown}` failed, and nothing was changed"),
    )
    .with_hint(format!("name another: EDITOR=nano sesame extension edit {name}")))
}

fn keep(
    depot: &Depot,
    name: &ExtensionName,
    schema: &ConfigSchema,
    (before, after): (&str, &str),
) -> Result<bool, Failure> {
    let wrong = |problem: String| {
        Failure::message(ErrorKind::Failure, format!("the edited manifest is wrong: {problem}"))
    };
    let manifest =
        Manifest::parse(after, name).map_err(|problem| wrong(problem.to_string()))?.value;
    let mut settings = manifest.config.iter().filter(|(key, _)| schema.get(key).is_some());
    settings
        .try_for_each(|(key, value)| schema.check(key, value))
        .map_err(|error| wrong(error.to_string()))?;
    depot.lock()?.replace_manifest(name, before, after).map_err(Failure::from)
}

fn wants_to_try_again(context: &Context, failure: &Failure) -> Result<bool, Failure> {
    if !context.can_ask() {
        return Ok(false);
    }
    context.terminal.status(&format!("error: {}", failure.in_one_line()));
    Ok(context.terminal.confirm("edit it again?")?)
}

/// Adds the place of the rejected text, which is kept.
fn rejected(copy: NamedTempFile, failure: Failure) -> Failure {
    match copy.keep() {
        Ok((_, path)) => {
            let kept =
                format!("nothing was changed; what was edited is kept in {}", path.display());
            failure.with_detail(kept)
        }
        Err(_) => failure,
    }
}
