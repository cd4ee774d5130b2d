//! The text of an outcome or a failure.

use std::fmt::Write;

use core_types::{ExtensionName, grant_command};

use super::events::waking;
use super::extension::{info, inspected};
use super::parts::data;
use super::report::{activity_verified, called, file_check, learned, log, why};
use super::{authoring, session, session_files, workload};
use crate::context::Context;
use crate::outcome::{
    Change, Denied, Direction, Installation, Outcome, Removal, Replaced, Rollback,
};
use crate::render::cell::shortened;
use crate::render::screen::{Form, Screen};
use crate::render::{Rendered, json, listings};
use crate::terminal::{escape_control, escape_to_line};

/// Formats an outcome as text. The code for all other outcomes stays out of the pages that a call
/// needs.
pub fn outcome(context: &Context, screen: &Screen, outcome: &Outcome) -> Rendered {
    match outcome {
        Outcome::Called(call) => called(context, call),
        other => other_than_call(context, screen, other),
    }
}

/// Formats an outcome that is not that of a call.
#[inline(never)]
fn other_than_call(context: &Context, screen: &Screen, outcome: &Outcome) -> Rendered {
    match outcome {
        Outcome::Installed(all) => {
            all.iter().map(installed).fold(Rendered::default(), |mut all, one| {
                all.data.extend(one.data);
                all.stderr.push_str(&one.stderr);
                all
            })
        }
        Outcome::Listed(rows) => listings::extensions(screen, rows),
        Outcome::Called(_) => unreachable!("`outcome` has taken these"),
        Outcome::Info(known) => Rendered::text(screen, info(screen, known)),
        Outcome::Settings(all) => listings::settings(screen, all),
        Outcome::Removed(removals) => data(removals.iter().map(removal).collect()),
        Outcome::Changed(changes) => data(changes.iter().map(change).collect()),
        Outcome::Verified(checks) => listings::checks(screen, checks),
        Outcome::Learned(needs) => learned(needs),
        Outcome::Secrets(names) => listings::secrets(screen, names),
        Outcome::Storage(report) => listings::stored_keys(screen, report),
        Outcome::Stored { value, .. } => stored(screen, value),
        Outcome::ServiceInstalled(files) => session_files::installation(files),
        Outcome::Orphans(orphans) => listings::orphans(screen, orphans),
        Outcome::Activity(entries) => listings::activity(screen, entries),
        Outcome::ActivityVerified { lines, findings } => data(activity_verified(*lines, findings)),
        Outcome::Why { name, refused } => why(screen, name, refused),
        Outcome::Events(events) => waking(screen, events),
        Outcome::Delivered(delivered) => {
            data(format!("`{}` handled `{}`\n", delivered.extension, delivered.event))
        }
        Outcome::Session(service) => session::service(screen, service.as_deref()),
        Outcome::Emitted(reached) => data(format!("{reached}\n")),
        Outcome::Stopped(stopped) => session::stopped(*stopped),
        Outcome::Outdated(rows) => listings::freshness(screen, rows),
        Outcome::Updated(updates) => listings::updates(screen, updates),
        Outcome::History(generations) => listings::generations(screen, generations),
        Outcome::RolledBack(rollback) => rolled_back(rollback),
        Outcome::Collected(collection) => listings::collected(screen, collection),
        Outcome::Config { values, with_origin } => {
            listings::configuration(screen, values, *with_origin)
        }
        Outcome::Validated(files) => data(files.iter().map(file_check).collect()),
        Outcome::Diagnosed(all) => listings::diagnoses(screen, all),
        Outcome::Logins(logins) => listings::logins(screen, logins),
        Outcome::Trust(trust) => listings::signers(screen, trust),
        Outcome::Tags(tags) => listings::tags(screen, tags),
        Outcome::Synced { steps, .. } => listings::steps(screen, steps),
        Outcome::Created { directory, written } => authoring::created(directory, written),
        Outcome::Tested(files) => authoring::tested(context, files),
        Outcome::Published(published) => authoring::published(published),
        Outcome::Docs(page) => authoring::page(context, page),
        Outcome::Pages(pages) => {
            data(pages.iter().map(|page| format!("{}\n", escape_to_line(page))).collect())
        }
        Outcome::Workload(report) => workload::reported(report),
        Outcome::Inspected(inspection) => Rendered::text(screen, inspected(screen, inspection)),
        Outcome::Log { text, raw } => log(screen, text, *raw),
        Outcome::Schemas(names) => data(names.iter().map(|name| format!("{name}\n")).collect()),
        Outcome::Schema(schema) => Rendered::text(screen, json::schema_text(schema)),
        Outcome::Script(script) => Rendered { data: script.clone(), ..Default::default() },
        Outcome::Written(paths) => {
            data(paths.iter().map(|path| format!("{}\n", path.display())).collect())
        }
        Outcome::Ran(_) | Outcome::PartialFailure { .. } | Outcome::AlreadyPrinted(_) => {
            Rendered::default()
        }
    }
}

fn installed(installation: &Installation) -> Rendered {
    let Installation {
        name,
        version,
        reference,
        already,
        signature,
        replaced,
        granted,
        for_session,
        denied,
        nothing_to_call,
        ..
    } = installation;
    let version = escape_to_line(version);
    let first = if *already { "already installed:" } else { "installed" };
    let mut stderr = String::new();
    if let Some(signature) = signature {
        let _ = writeln!(stderr, "signature: {}", escape_to_line(signature));
    }
    if let Some(Replaced { reference, direction }) = replaced {
        let what = match direction {
            Direction::Upgrade => "an upgrade",
            Direction::Downgrade => "a downgrade",
            Direction::Other => "other bytes",
        };
        let _ = writeln!(stderr, "{what}: it replaces {}", shortened(reference));
    }
    for grant in granted {
        let own = if grant.capability() == core_types::Capability::ConfigRead {
            " (its own [config] only)"
        } else {
            ""
        };
        let _ = writeln!(stderr, "granted: {grant}{own}");
    }
    for grant in for_session {
        let _ = writeln!(stderr, "granted for this session: {grant}");
    }
    stderr.push_str(&not_granted(name, denied));
    if let Some(what) = nothing_to_call {
        let _ = writeln!(stderr, "warning: {what}");
    }
    Rendered {
        data: format!("{first} {name} {version} from {reference}\n").into_bytes(),
        stderr,
        ..Default::default()
    }
}

fn not_granted(name: &ExtensionName, denied: &[Denied]) -> String {
    let line = |denied: &Denied| {
        let Denied { capability, grant, .. } = denied;
        match &denied.policy {
            Some(rule) => format!("not granted: {capability}; {}\n", escape_to_line(rule)),
            None => format!(
                "not granted: {capability}; allow it with: {}\n",
                grant_command(name, [grant.as_str()])
            ),
        }
    };
    denied.iter().map(line).collect()
}

fn removal(removal: &Removal) -> String {
    let Removal { name, kept_manifest, freed_bytes, secrets, storage, already } = removal;
    let data = if *storage { ", its data is deleted" } else { "" };
    let rest = match kept_manifest {
        Some(path) => {
            format!(", its manifest is kept in {}", escape_control(&path.display().to_string()))
        }
        None if secrets.is_empty() => ", nothing is kept".to_owned(),
        None => {
            format!(", nothing is kept; forgotten secrets: {}", escape_to_line(&secrets.join(" ")))
        }
    };
    if *already {
        return format!("already removed: {name}{rest}\n");
    }
    format!("removed {name}: {freed_bytes} bytes freed{data}{rest}\n")
}

/// Prints a stored value, byte for byte where no terminal would act on it.
fn stored(screen: &Screen, value: &[u8]) -> Rendered {
    if screen.form() != Form::Table {
        return Rendered { data: value.to_vec(), ..Default::default() };
    }
    let text = escape_control(&String::from_utf8_lossy(value));
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    data(format!("{text}{end}"))
}

fn change(change: &Change) -> String {
    let already = if change.changed { "" } else { "already: " };
    format!("{already}{}\n", change.now)
}

fn rolled_back(rollback: &Rollback) -> Rendered {
    let Rollback { name, to, version, reference, granted, for_session, denied } = rollback;
    let mut given: String = granted.iter().map(|grant| format!("granted: {grant}\n")).collect();
    for grant in for_session {
        let _ = writeln!(given, "granted for this session: {grant}");
    }
    let data = format!(
        "rolled back {name} to generation {to}: {} from {reference}\n",
        escape_to_line(version)
    );
    Rendered {
        data: data.into_bytes(),
        stderr: given + &not_granted(name, denied),
        ..Default::default()
    }
}
