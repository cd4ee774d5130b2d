//! Each listing: its rows, from the outcome of a command.

use core_types::{
    ActivityEvent, CallOutcome, CallRecord, ChangeOutcome, ChangeRecord, Limits, Verdict,
};
use extension_depot::registry::{KeptLogin, LoginStore};
use extension_depot::{ActivityEntry, PinnedSigner, TrustAnchor, TrustedSigner};
use extension_manager::Age;

use super::Rendered;
use super::cell::Cell;
use super::screen::{Form, Screen};
use super::table;
use crate::listing::{
    Activity, Checks, Collected, Diagnoses, Extensions, Freshness as FreshnessListing, Generations,
    Listing, Logins, Secrets, Signers, Steps, Tags, Updates,
};
use crate::outcome::{
    Check, Collection, Denied, Diagnosis, Freshness, Health, PastGeneration, Row, State, Step,
    StepState, Trust, Update,
};
use crate::terminal::{Style, escape_to_line};

/// Renders the rows of a listing, or a word to a person that there are none.
pub(super) fn listing<L: Listing>(screen: &Screen, rows: &[Vec<Cell>], empty: &str) -> Rendered {
    if rows.is_empty() && screen.form() == Form::Table {
        return Rendered { stderr: format!("{empty}\n"), ..Rendered::default() };
    }
    Rendered::text(screen, table::listing(screen, L::COLUMNS, rows))
}

/// Lists extensions: `list`
pub(super) fn extensions(screen: &Screen, rows: &[Row]) -> Rendered {
    let empty = "no extensions are installed\nhint: sesame install REFERENCE";
    listing::<Extensions>(screen, &rows.iter().map(extension).collect::<Vec<_>>(), empty)
}

fn extension(row: &Row) -> Vec<Cell> {
    let capabilities: Vec<_> = row.capabilities.iter().map(ToString::to_string).collect();
    let (state, state_style) = self::state(row.state, row.problem.as_deref());
    let limits = limits(&row.limits);
    let limit_style = if limits == DEFAULTS { Style::Faint } else { Style::Attention };
    vec![
        row.name.as_str().into(),
        row.version.as_deref().into(),
        row.reference.as_ref().into(),
        capabilities.join(" ").into(),
        Cell::new(&limits).styled(limit_style),
        Cell::new(&state).styled(state_style),
    ]
}

/// Returns the text for unchanged limits.
const DEFAULTS: &str = "defaults";

fn limits(limits: &Limits) -> String {
    let written =
        limits.iter().filter_map(|(name, value)| Some(format!("{}={value}", name.key()?)));
    let written: Vec<_> = written.collect();
    if written.is_empty() { DEFAULTS.to_owned() } else { written.join(" ") }
}

/// Returns a state with its problem, and the style of both.
pub(super) fn state(state: State, problem: Option<&str>) -> (String, Style) {
    let style = match state {
        State::Enabled if problem.is_none() => Style::Good,
        State::Enabled | State::Disabled | State::NotInstalled => Style::Attention,
        State::Quarantined | State::StoppedByPolicy | State::Broken => Style::Bad,
    };
    let problem = problem.map(|problem| format!(": {problem}")).unwrap_or_default();
    (format!("{}{problem}", state.name()), style)
}

/// Lists generations: `history`
pub(super) fn generations(screen: &Screen, generations: &[PastGeneration]) -> Rendered {
    let row = |generation: &PastGeneration| {
        let PastGeneration { number, at, reason, version, reference, signer, is_current } =
            generation;
        vec![
            number.to_string().into(),
            Cell::written_time(at, screen.now()),
            reason.as_str().into(),
            version.as_deref().into(),
            reference.as_ref().into(),
            signer.as_deref().unwrap_or("signer not checked").into(),
            Cell::new(if *is_current { "current" } else { "" }).styled(Style::Good),
        ]
    };
    let rows: Vec<_> = generations.iter().map(row).collect();
    listing::<Generations>(screen, &rows, "there are no generations yet")
}

/// Lists newer versions: `outdated`
pub(super) fn freshness(screen: &Screen, rows: &[Freshness]) -> Rendered {
    let row = |row: &Freshness| {
        let Freshness { name, installed, newest, age } = row;
        vec![
            name.as_str().into(),
            installed.revision().into(),
            newest.as_deref().into(),
            Cell::new(age.name()).styled(of_age(*age)),
        ]
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    listing::<FreshnessListing>(screen, &rows, "no extensions are installed")
}

fn of_age(age: Age) -> Style {
    match age {
        Age::Newest => Style::Good,
        Age::Moved | Age::Withdrawn => Style::Bad,
        Age::Outdated | Age::TooNew => Style::Attention,
        Age::NoVersion | Age::Local | Age::Pinned => Style::Plain,
    }
}

/// Lists updates: `update`
pub(super) fn updates(screen: &Screen, updates: &[Update]) -> Rendered {
    let row = |update: &Update| {
        vec![
            update.name.as_str().into(),
            (&update.from).into(),
            update.to.as_ref().into(),
            Cell::new(&update_state(update)).styled(match update.applied {
                true => Style::Good,
                false => of_age(update.age),
            }),
        ]
    };
    let rows: Vec<_> = updates.iter().map(row).collect();
    listing::<Updates>(screen, &rows, "nothing is installed that could be updated")
}

fn update_state(update: &Update) -> String {
    let Update { to, age, asks_for, granted, for_session, moved, applied, .. } = update;
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
    [
        state,
        listed("granted:", more),
        listed("it asks for", asks_for),
        listed("the same directory under another path:", moved),
    ]
    .concat()
}

/// Lists steps: `sync`
pub(super) fn steps(screen: &Screen, steps: &[Step]) -> Rendered {
    let row = |step: &Step| {
        let problem =
            step.problem.as_ref().map(|problem| format!(": {problem}")).unwrap_or_default();
        let state = format!("{}{problem}{}", step.state.name(), capability_changes(step));
        vec![
            step.name.as_str().into(),
            step.reference.as_ref().into(),
            Cell::new(&state).styled(of_step(step.state)),
        ]
    };
    let rows: Vec<_> = steps.iter().map(row).collect();
    listing::<Steps>(screen, &rows, "there is nothing to do")
}

fn of_step(state: StepState) -> Style {
    match state {
        StepState::Failed => Style::Bad,
        StepState::Done => Style::Good,
        state if state.is_over() => Style::Good,
        _ => Style::Attention,
    }
}

/// Formats the grants and withdrawals of a step. A new extension got its grants at the install.
fn capability_changes(step: &Step) -> String {
    if step.state == StepState::Installed {
        return String::new();
    }
    let give = if step.state.is_over() { "granted" } else { "to be granted" };
    let withdraw =
        if step.state.is_over() || step.is_withdrawn { "withdrawn" } else { "to be withdrawn" };
    let changes = [(give, &step.grant), (withdraw, &step.withdraw)];
    let changes = changes.into_iter().filter(|(_, grants)| !grants.is_empty());
    let grants = |grants: &[core_types::Grant]| {
        grants.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    changes.map(|(what, given)| format!("; {what}: {}", grants(given))).collect()
}

/// Lists calls: `activity`
pub(super) fn activity(screen: &Screen, entries: &[ActivityEntry]) -> Rendered {
    let row = |entry: &ActivityEntry| {
        let mut cells = vec![Cell::time(entry.at, screen.now())];
        cells.extend(match &entry.event {
            ActivityEvent::Call(call) => call_cells(call, entry.mended.as_deref()),
            ActivityEvent::Change(change) => change_cells(change, entry.mended.as_deref()),
        });
        cells
    };
    let rows: Vec<_> = entries.iter().map(row).collect();
    listing::<Activity>(screen, &rows, "nothing has happened yet")
}

fn call_cells(call: &CallRecord, mended: Option<&str>) -> [Cell; 7] {
    let touches = call.activity.touches.iter().map(|touch| {
        let refused = if touch.verdict == Verdict::Allow { "" } else { "refused " };
        let times = if touch.times > 1 { format!(" x{}", touch.times) } else { String::new() };
        format!("{refused}{}{times}", touch.what)
    });
    let missing = call.activity.missing.iter().map(|path| format!("missing {path}"));
    let more = (call.activity.more > 0).then(|| format!("and {} more", call.activity.more));
    let touched: Vec<_> = touches.chain(missing).chain(more).chain(note_of(mended)).collect();
    let is_refused = call.activity.touches.iter().any(|touch| touch.verdict != Verdict::Allow);
    [
        call.extension.as_str().into(),
        call.function.as_str().into(),
        Cell::new(outcome_name(call.outcome)).styled(of_outcome(call.outcome)),
        format!("fuel {}", call.fuel).into(),
        format!("{:.1} MiB", call.peak_memory_bytes as f64 / f64::from(1 << 20)).into(),
        Cell::new(&touched.join(", ")).styled(if is_refused { Style::Bad } else { Style::Plain }),
        "call".into(),
    ]
}

/// Returns the repair of the log before a line.
fn note_of(mended: Option<&str>) -> Option<String> {
    mended.map(|mended| format!("(before this line, {mended})"))
}

fn change_cells(change: &ChangeRecord, mended: Option<&str>) -> [Cell; 7] {
    let ChangeRecord { kind, extension, identity, outcome, .. } = change;
    let (outcome, style) = match outcome {
        ChangeOutcome::Done => ("done", Style::Good),
        ChangeOutcome::Refused => ("refused", Style::Bad),
    };
    let mut details = vec![change.reference.as_ref().unwrap_or(identity).clone()];
    details.extend(change.signer.clone());
    details.extend(change.granted.iter().map(|grant| format!("granted {grant}")));
    details.extend(change.revoked.iter().map(|grant| format!("revoked {grant}")));
    details.extend(change.reason.clone());
    details.extend(note_of(mended));
    details.retain(|detail| !detail.is_empty());
    [
        extension.as_str().into(),
        Cell::default(),
        Cell::new(outcome).styled(style),
        Cell::default(),
        Cell::default(),
        details.join(", ").into(),
        kind.name().into(),
    ]
}

fn outcome_name(outcome: CallOutcome) -> &'static str {
    match outcome {
        CallOutcome::Returned => "returned",
        CallOutcome::Error => "error",
        CallOutcome::Crashed => "crashed",
        CallOutcome::Limit => "limit",
        CallOutcome::Refused => "refused",
        CallOutcome::Cancelled => "cancelled",
        CallOutcome::Failed => "failed",
    }
}

fn of_outcome(outcome: CallOutcome) -> Style {
    match outcome {
        CallOutcome::Returned => Style::Good,
        CallOutcome::Limit | CallOutcome::Cancelled => Style::Attention,
        CallOutcome::Error | CallOutcome::Crashed | CallOutcome::Refused | CallOutcome::Failed => {
            Style::Bad
        }
    }
}

/// Lists checks: `verify`
pub(super) fn checks(screen: &Screen, checks: &[Check]) -> Rendered {
    let row = |check: &Check| {
        let (state, style) = match (check.findings.is_empty(), check.repaired.is_empty()) {
            (true, true) => ("good", Style::Good),
            (true, false) => ("repaired", Style::Attention),
            (false, _) => ("damaged", Style::Bad),
        };
        let findings: Vec<_> =
            check.repaired.iter().chain(&check.findings).map(String::as_str).collect();
        vec![
            check.name.as_str().into(),
            Cell::new(state).styled(style),
            findings.join("; ").into(),
            signature(screen, check).into(),
        ]
    };
    let rows: Vec<_> = checks.iter().map(row).collect();
    listing::<Checks>(screen, &rows, "no extensions are installed")
}

fn signature(screen: &Screen, check: &Check) -> Option<String> {
    let signature = check.signature.as_ref()?;
    let at = check.checked_at.as_ref().map(|at| format!(" ({})", screen.written_time(at)));
    Some(format!("{signature}{}", at.unwrap_or_default()))
}

/// Lists diagnoses: `doctor`. On a terminal the fixes follow the table, each on a line that can be
/// pasted.
pub(super) fn diagnoses(screen: &Screen, diagnoses: &[Diagnosis]) -> Rendered {
    let row = |diagnosis: &Diagnosis| {
        let Diagnosis { what, health, finding, fix } = diagnosis;
        let style = match health {
            Health::Good => Style::Good,
            Health::Warning => Style::Attention,
            Health::Bad => Style::Bad,
        };
        vec![
            what.as_str().into(),
            Cell::new(health.name()).styled(style),
            finding.as_str().into(),
            fix.as_deref().into(),
        ]
    };
    let rows: Vec<_> = diagnoses.iter().map(row).collect();
    if screen.form() != Form::Table || screen.has_chosen() {
        return listing::<Diagnoses>(screen, &rows, "");
    }
    let without_fix = &Diagnoses::COLUMNS[..Diagnoses::COLUMNS.len() - 1];
    let mut text = table::listing(screen, without_fix, &rows);
    let fixes = diagnoses.iter().filter_map(|one| Some((&one.what, one.fix.as_ref()?)));
    for (what, fix) in fixes {
        text.push_str(&format!("fix {}: {}\n", escape_to_line(what), escape_to_line(fix)));
    }
    Rendered::text(screen, text)
}

/// Lists removed generations: `gc`. The files are a note below them.
pub(super) fn collected(screen: &Screen, collection: &Collection) -> Rendered {
    let Collection { generations, blobs, compiled, bytes, is_dry_run } = collection;
    let done = if *is_dry_run { "would be removed" } else { "removed" };
    let row = |(name, number): &(core_types::ExtensionName, u32)| {
        vec![name.as_str().into(), number.to_string().into(), done.into()]
    };
    let rows: Vec<_> = generations.iter().map(row).collect();
    let listed = listing::<Collected>(screen, &rows, "every generation is kept");
    let (blobs, compiled) = (blobs.len(), compiled.len());
    let files =
        format!("{blobs} blobs and {compiled} files of compiled code {done}: {bytes} bytes\n");
    Rendered { stderr: listed.stderr + &files, ..listed }
}

/// Lists signers: `trust list`
pub(super) fn signers(screen: &Screen, trust: &Trust) -> Rendered {
    let trusted = trust.signers.iter().map(|TrustedSigner { place, proof }| {
        let (signer, issuer) = match proof {
            TrustAnchor::Key { fingerprint, .. } => (fingerprint.to_string(), None),
            TrustAnchor::Identity(rule) => (rule.identity.clone(), Some(rule.issuer.as_str())),
        };
        let kind = Cell::new("trusted").styled(Style::Good);
        vec![kind, place.to_string().into(), signer.into(), issuer.into(), Cell::default()]
    });
    let first = trust.first_uses.iter().map(|first| {
        let PinnedSigner { repository, signer, since, .. } = first;
        let (signer, since) = (signer.to_string(), Cell::time(*since, screen.now()));
        let place = repository.to_string();
        vec!["first".into(), place.into(), signer.into(), Cell::default(), since]
    });
    let rows: Vec<_> = trusted.chain(first).collect();
    listing::<Signers>(screen, &rows, "no signers are trusted, and none is pinned")
}

/// Lists logins: `registry list`
pub(super) fn logins(screen: &Screen, logins: &[KeptLogin]) -> Rendered {
    let row = |login: &KeptLogin| {
        let store = match &login.store {
            LoginStore::SecretService => "the Secret Service".to_owned(),
            LoginStore::File(path) => path.display().to_string(),
        };
        vec![login.registry.as_str().into(), store.into()]
    };
    let rows: Vec<_> = logins.iter().map(row).collect();
    listing::<Logins>(screen, &rows, "no logins are kept")
}

/// Lists tags: `registry tags`
pub(super) fn tags(screen: &Screen, tags: &[String]) -> Rendered {
    listing::<Tags>(screen, &single(tags), "the repository has no tags")
}

/// Lists the names of secrets: `secret list`
pub(super) fn secrets(screen: &Screen, names: &[String]) -> Rendered {
    listing::<Secrets>(screen, &single(names), "no secrets are kept")
}

fn single(texts: &[String]) -> Vec<Vec<Cell>> {
    texts.iter().map(|text| vec![text.as_str().into()]).collect()
}
