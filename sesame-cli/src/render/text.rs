//! Text for people; tab-separated lines where nobody is looking.

mod authoring;
mod report;
mod settings;
mod workload;

use std::fmt::Write;

use comfy_table::{ContentArrangement, Table, presets};
use core_types::{ExtensionName, Grant, Limits, OciReference};

use self::report::{
    activity, activity_verified, called, check, diagnosis, file_check, info, inspected, learned,
    login, setting, trusted, why,
};
use super::Rendered;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{
    Change, Collection, Denied, Direction, Freshness, Installation, Outcome, PastGeneration,
    Removal, Replaced, Rollback, Row, Step, StepState, Update,
};
use crate::terminal::{inert, inert_line};

/// An outcome as text.
pub fn outcome(context: &Context, outcome: &Outcome) -> Rendered {
    match outcome {
        Outcome::Installed(all) => {
            all.iter().map(installed).fold(Rendered::default(), |mut all, one| {
                all.data.extend(one.data);
                all.talk.push_str(&one.talk);
                all
            })
        }
        Outcome::Listed(rows) if context.terminal.shows_output() => table(context, rows),
        Outcome::Listed(rows) => data(rows.iter().map(plain_row).collect()),
        Outcome::Called(call) => called(context, call),
        Outcome::Info(known) => data(info(known)),
        Outcome::Settings(all) => data(settings::listed(context, all)),
        Outcome::Removed(removals) => data(removals.iter().map(removal).collect()),
        Outcome::Changed(changes) => data(changes.iter().map(change).collect()),
        Outcome::Verified(checks) => data(checks.iter().map(check).collect()),
        Outcome::Learned(needs) => learned(needs),
        Outcome::Secrets(names) => {
            data(names.iter().map(|name| format!("{}\n", inert_line(name))).collect())
        }
        Outcome::Activity(entries) => data(entries.iter().map(activity).collect()),
        Outcome::ActivityVerified { lines, findings } => data(activity_verified(*lines, findings)),
        Outcome::Why { name, refused } => why(name, refused),
        Outcome::Outdated(rows) => data(rows.iter().map(freshness).collect()),
        Outcome::Updated(updates) => data(updates.iter().map(update).collect()),
        Outcome::History(generations) => data(generations.iter().map(past_generation).collect()),
        Outcome::RolledBack(rollback) => rolled_back(rollback),
        Outcome::Collected(collection) => data(collected(collection)),
        Outcome::Config { values, with_origin } => {
            data(values.iter().map(|value| setting(value, *with_origin)).collect())
        }
        Outcome::Validated(files) => data(files.iter().map(file_check).collect()),
        Outcome::Diagnosed(all) => data(all.iter().map(diagnosis).collect()),
        Outcome::Logins(logins) => data(logins.iter().map(login).collect()),
        Outcome::Trust(trust) => data(trusted(trust)),
        Outcome::Tags(tags) => {
            data(tags.iter().map(|tag| format!("{}\n", inert_line(tag))).collect())
        }
        Outcome::Synced { steps, .. } => data(steps.iter().map(step).collect()),
        Outcome::Begun { directory, written } => authoring::begun(directory, written),
        Outcome::Tested(files) => authoring::tested(context, files),
        Outcome::Published(published) => authoring::published(published),
        Outcome::Docs(page) => authoring::page(context, page),
        Outcome::Pages(pages) => {
            data(pages.iter().map(|page| format!("{}\n", inert_line(page))).collect())
        }
        Outcome::Workload(report) => workload::reported(report),
        Outcome::Inspected(inspection) => data(inspected(inspection)),
        Outcome::Log { text, raw: true } => Rendered { data: text.clone(), ..Default::default() },
        Outcome::Log { text, raw: false } => data(inert(&String::from_utf8_lossy(text))),
        Outcome::Script(script) => Rendered { data: script.clone(), ..Default::default() },
        Outcome::Written(paths) => {
            data(paths.iter().map(|path| format!("{}\n", path.display())).collect())
        }
        Outcome::Ran(_) | Outcome::Partly { .. } | Outcome::Shown(_) => Rendered::default(),
    }
}

/// A failure as text: the error, its causes, what else helps, one hint.
pub fn failure(failure: &Failure) -> String {
    let mut text = format!("error: {}\n", failure.message);
    for cause in &failure.causes {
        let _ = writeln!(text, "caused by: {cause}");
    }
    for detail in &failure.details {
        let _ = writeln!(text, "{detail}");
    }
    if let Some(hint) = &failure.hint {
        let _ = writeln!(text, "hint: {hint}");
    }
    text
}

fn data(text: String) -> Rendered {
    Rendered { data: text.into_bytes(), ..Default::default() }
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
    let version = inert_line(version);
    let first = if *already { "already installed:" } else { "installed" };
    let mut talk = String::new();
    if let Some(signature) = signature {
        let _ = writeln!(talk, "signature: {}", inert_line(signature));
    }
    if let Some(Replaced { reference, direction }) = replaced {
        let what = match direction {
            Direction::Upgrade => "an upgrade",
            Direction::Downgrade => "a downgrade",
            Direction::Other => "other bytes",
        };
        let _ = writeln!(talk, "{what}: it takes the place of {}", shortened(reference));
    }
    for grant in granted {
        let own = if grant.capability() == core_types::Capability::ConfigRead {
            " (its own [config] only)"
        } else {
            ""
        };
        let _ = writeln!(talk, "granted: {grant}{own}");
    }
    for grant in for_session {
        let _ = writeln!(talk, "granted for this session: {grant}");
    }
    talk.push_str(&not_granted(name, denied));
    if let Some(what) = nothing_to_call {
        let _ = writeln!(talk, "warning: {what}");
    }
    Rendered {
        data: format!("{first} {name} {version} from {reference}\n").into_bytes(),
        talk,
        ..Default::default()
    }
}

fn not_granted(name: &ExtensionName, denied: &[Denied]) -> String {
    let line = |denied: &Denied| {
        let Denied { capability, grant, .. } = denied;
        match &denied.policy {
            Some(rule) => format!("not granted: {capability}; {}\n", inert_line(rule)),
            None => format!(
                "not granted: {capability}; allow it with: sesame extension grant {name} {grant}\n"
            ),
        }
    };
    denied.iter().map(line).collect()
}

fn table(context: &Context, rows: &[Row]) -> Rendered {
    if rows.is_empty() {
        let talk =
            "no extensions are installed\nhint: sesame extension install REFERENCE\n".to_owned();
        return Rendered { talk, ..Default::default() };
    }
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = context.terminal.width() {
        table.set_width(width);
    }
    table.set_header(["NAME", "VERSION", "REFERENCE", "CAPABILITIES", "LIMITS", "STATE"]);
    for row in rows {
        table.add_row(cells(row, true));
    }
    data(format!("{table}\n"))
}

/// The columns of a row, without anything that strangers could play tricks with.
fn cells(row: &Row, short: bool) -> [String; 6] {
    let reference = row
        .reference
        .as_ref()
        .map(|reference| if short { shortened(reference) } else { reference.to_string() });
    let capabilities: Vec<_> = row.capabilities.iter().map(ToString::to_string).collect();
    let state = match &row.problem {
        Some(problem) => format!("{}: {problem}", row.state.name()),
        None => row.state.name().to_owned(),
    };
    [
        row.name.to_string(),
        row.version.clone().unwrap_or_default(),
        reference.unwrap_or_default(),
        capabilities.join(" "),
        limits(&row.limits),
        state,
    ]
    .map(|cell| inert_line(&cell))
}

/// A reference with the beginning of its digest, which is enough to tell versions apart by eye.
fn shortened(reference: &OciReference) -> String {
    match reference.pinned_digest() {
        Ok(Some(digest)) => format!("{}@sha256:{}", reference.unpinned(), digest.short()),
        _ => reference.to_string(),
    }
}

fn limits(limits: &Limits) -> String {
    let written =
        limits.iter().filter_map(|(name, value)| Some(format!("{}={value}", name.key()?)));
    let written: Vec<_> = written.collect();
    if written.is_empty() { "defaults".to_owned() } else { written.join(" ") }
}

fn plain_row(row: &Row) -> String {
    cells(row, false).join("\t") + "\n"
}

fn removal(removal: &Removal) -> String {
    let Removal { name, kept_manifest, freed_bytes, secrets, already } = removal;
    let rest = match kept_manifest {
        Some(path) => format!(", its manifest is kept in {}", inert(&path.display().to_string())),
        None if secrets.is_empty() => ", nothing is kept".to_owned(),
        None => format!(", nothing is kept; forgotten secrets: {}", inert_line(&secrets.join(" "))),
    };
    if *already {
        return format!("already removed: {name}{rest}\n");
    }
    format!("removed {name}: {freed_bytes} bytes freed{rest}\n")
}

fn change(change: &Change) -> String {
    let already = if change.changed { "" } else { "already: " };
    format!("{already}{}\n", change.now)
}

fn step(step: &Step) -> String {
    let reference = step.reference.as_ref().map(shortened).unwrap_or_default();
    let problem = step.problem.as_ref().map(|problem| format!(": {problem}")).unwrap_or_default();
    let changes = capability_changes(step);
    let cells =
        [step.name.to_string(), reference, format!("{}{problem}{changes}", step.state.name())];
    cells.map(|cell| inert_line(&cell)).join("\t") + "\n"
}

/// What a step gives and withdraws. What is new was given what it has by being installed.
fn capability_changes(step: &Step) -> String {
    if step.state == StepState::Installed {
        return String::new();
    }
    let give = if step.state.is_over() { "granted" } else { "to be granted" };
    let withdraw =
        if step.state.is_over() || step.is_withdrawn { "withdrawn" } else { "to be withdrawn" };
    let changes = [(give, &step.grant), (withdraw, &step.withdraw)];
    let changes = changes.into_iter().filter(|(_, grants)| !grants.is_empty());
    changes.map(|(what, grants)| format!("; {what}: {}", grant_list(grants))).collect()
}

fn grant_list(grants: &[Grant]) -> String {
    grants.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn past_generation(generation: &PastGeneration) -> String {
    let PastGeneration { number, at, reason, version, reference, signer, is_current } = generation;
    let cells = [
        number.to_string(),
        at.clone(),
        reason.clone(),
        version.clone().unwrap_or_default(),
        reference.as_ref().map(shortened).unwrap_or_default(),
        signer.clone().unwrap_or_else(|| "signer not checked".to_owned()),
        if *is_current { "current".to_owned() } else { String::new() },
    ];
    cells.map(|cell| inert_line(&cell)).join("\t") + "\n"
}

fn rolled_back(rollback: &Rollback) -> Rendered {
    let Rollback { name, to, version, reference, granted, for_session, denied } = rollback;
    let mut given: String = granted.iter().map(|grant| format!("granted: {grant}\n")).collect();
    for grant in for_session {
        let _ = writeln!(given, "granted for this session: {grant}");
    }
    let data = format!(
        "rolled back {name} to generation {to}: {} from {reference}\n",
        inert_line(version)
    );
    Rendered {
        data: data.into_bytes(),
        talk: given + &not_granted(name, denied),
        ..Default::default()
    }
}

fn collected(collection: &Collection) -> String {
    let Collection { generations, blobs, compiled, bytes, is_dry_run } = collection;
    let done = if *is_dry_run { "would be removed" } else { "removed" };
    let mut text: String = generations
        .iter()
        .map(|(name, number)| format!("{name}: generation {number} {done}\n"))
        .collect();
    let (blobs, compiled) = (blobs.len(), compiled.len());
    let _ =
        writeln!(text, "{blobs} blobs and {compiled} files of compiled code {done}: {bytes} bytes");
    text
}

fn freshness(row: &Freshness) -> String {
    let Freshness { name, installed, newest, age } = row;
    let newest = newest.as_deref().unwrap_or_default();
    let cells = [
        name.to_string(),
        installed.revision().to_owned(),
        newest.to_owned(),
        age.name().to_owned(),
    ];
    cells.map(|cell| inert_line(&cell)).join("\t") + "\n"
}

fn update(update: &Update) -> String {
    let Update { name, from, to, age, asks_for, granted, for_session, moved, applied } = update;
    let state = match to {
        None => age.name().to_owned(),
        Some(_) if *applied => "updated".to_owned(),
        Some(_) => format!("would be updated: {}", age.name()),
    };
    let mut more: Vec<_> = granted.iter().map(ToString::to_string).collect();
    more.extend(for_session.iter().map(|grant| format!("{grant} for this session")));
    let asked = |denied: &Denied| match &denied.policy {
        Some(rule) => format!("{} ({rule})", denied.request()),
        None => denied.request().to_owned(),
    };
    let asks_for = asks_for.iter().map(asked).collect();
    let moved = moved.iter().map(ToString::to_string).collect();
    let listed = |title: &str, grants: Vec<String>| {
        if grants.is_empty() { String::new() } else { format!("; {title} {}", grants.join(", ")) }
    };
    let state = [
        state,
        listed("granted:", more),
        listed("it asks for", asks_for),
        listed("the same directory under another path:", moved),
    ];
    let cells = [
        name.to_string(),
        shortened(from),
        to.as_ref().map(shortened).unwrap_or_default(),
        state.concat(),
    ];
    cells.map(|cell| inert_line(&cell)).join("\t") + "\n"
}
