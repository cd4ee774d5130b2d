//! `sesame extension update`

use core_types::ExtensionName;
use extension_manager::{Installer, UpdateOptions};

use crate::arguments::UpdateArguments;
use crate::consent::TerminalConsent;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Outcome, Update};

/// Installs newer versions, each by itself.
pub fn run(context: &Context, arguments: &UpdateArguments) -> Result<Outcome, Failure> {
    let consent = TerminalConsent::new(context);
    let installer = context.installer(&consent)?;
    let options = UpdateOptions {
        accept: arguments.accept_new_capabilities,
        allow_plain_http: arguments.allow_plain_http,
        locked: arguments.locked,
        now: arguments.now,
        dry_run: arguments.dry_run,
    };
    // Looking changes nothing, so it needs no question.
    let names = match arguments.names.as_slice() {
        [] if arguments.all || arguments.dry_run => installed(&installer)?,
        [] => choose(context, &installer, &options)?,
        names => names.to_vec(),
    };
    let update = |name: &ExtensionName| {
        let updated = installer.update(name, &options)?;
        Ok(Update::new(name, updated))
    };
    Outcome::of_each(&names, update, Outcome::Updated)
}

fn installed(installer: &Installer<'_>) -> Result<Vec<ExtensionName>, Failure> {
    installer.installed_names().map_err(Failure::from)
}

/// Returns the extensions with newer versions, if a person agrees. Without a person, an option has
/// to say so.
fn choose(
    context: &Context,
    installer: &Installer<'_>,
    options: &UpdateOptions,
) -> Result<Vec<ExtensionName>, Failure> {
    if !context.can_ask() {
        return Err(Failure::nothing_to_update());
    }
    let mut newer = Vec::new();
    for name in installed(installer)? {
        match newer_line(installer, &name, options) {
            Ok(Some(line)) => {
                context.terminal.status(&line);
                newer.push(name);
            }
            Ok(None) => {}
            Err(failure) => {
                context.warn(&format!("`{name}` is left out: {}", failure.in_one_line()))
            }
        }
    }
    let question = match newer.len() {
        0 => {
            context.status("everything is up to date");
            return Ok(newer);
        }
        1 => "update it?".to_owned(),
        count => format!("update these {count} extensions?"),
    };
    if context.terminal.confirm(&question)? { Ok(newer) } else { Err(Failure::not_updated()) }
}

/// Formats a planned update in a line; nothing if there is none.
fn newer_line(
    installer: &Installer<'_>,
    name: &ExtensionName,
    options: &UpdateOptions,
) -> Result<Option<String>, Failure> {
    let available = installer.newer(name, options)?;
    let from = available.installed.revision().to_owned();
    Ok(available.target.map(|target| format!("{name}: {from} -> {}", target.revision())))
}
