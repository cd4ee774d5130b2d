//! Text for people; tab-separated lines where nobody is looking.

use std::fmt::Write;

use comfy_table::{ContentArrangement, Table, presets};
use core_types::{CallOutcome, ExtensionName, Limit, LimitName, Limits, OciReference, Verdict};
use extension_depot::registry::{KeptLogin, LoginStore};
use extension_depot::{ActivityEntry, ActivityFinding, FirstUse, needs_text};

use super::Rendered;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{
    Asked, Call, Change, Check, Collection, ConfigValue, Denied, Diagnosis, Direction, FileCheck, Freshness, Info,
    Inspection, Installation, Learned, Outcome, PastGeneration, RefusedThing, Removal, Replaced, Rollback, Row, Step,
    Trust, Update,
};
use crate::terminal::{inert, inert_line};

/// An outcome as text.
pub fn outcome(context: &Context, outcome: &Outcome) -> Rendered {
    match outcome {
        Outcome::Installed(all) => all.iter().map(installed).fold(Rendered::default(), |mut all, one| {
            all.data.extend(one.data);
            all.talk.push_str(&one.talk);
            all
        }),
        Outcome::Listed(rows) if context.terminal.shows_output() => table(context, rows),
        Outcome::Listed(rows) => data(rows.iter().map(plain_row).collect()),
        Outcome::Called(call) => called(context, call),
        Outcome::Info(known) => data(info(known)),
        Outcome::Removed(removals) => data(removals.iter().map(removal).collect()),
        Outcome::Changed(changes) => data(changes.iter().map(change).collect()),
        Outcome::Verified(checks) => data(checks.iter().map(check).collect()),
        Outcome::Learned(needs) => learned(needs),
        Outcome::Secrets(names) => data(names.iter().map(|name| format!("{}\n", inert_line(name))).collect()),
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
        Outcome::Tags(tags) => data(tags.iter().map(|tag| format!("{}\n", inert_line(tag))).collect()),
        Outcome::Synced { steps, .. } => data(steps.iter().map(step).collect()),
        Outcome::Inspected(inspection) => data(inspected(inspection)),
        Outcome::Log(text) => Rendered { data: text.clone(), ..Default::default() },
        Outcome::Script(script) => Rendered { data: script.clone(), ..Default::default() },
        Outcome::Written(paths) => data(paths.iter().map(|path| format!("{}\n", path.display())).collect()),
        Outcome::Partly { .. } | Outcome::Shown(_) => Rendered::default(),
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
    let Installation { name, version, reference, already, signature, replaced, granted, for_session, denied, .. } =
        installation;
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
        let own =
            if grant.capability() == core_types::Capability::ConfigRead { " (its own [config] only)" } else { "" };
        let _ = writeln!(talk, "granted: {grant}{own}");
    }
    for grant in for_session {
        let _ = writeln!(talk, "granted for this session: {grant}");
    }
    talk.push_str(&not_granted(name, denied));
    Rendered { data: format!("{first} {name} {version} from {reference}\n").into_bytes(), talk }
}

fn not_granted(name: &ExtensionName, denied: &[Denied]) -> String {
    let line = |denied: &Denied| {
        let Denied { capability, grant } = denied;
        format!("not granted: {capability}; allow it with: sesame extension grant {name} {grant}\n")
    };
    denied.iter().map(line).collect()
}

fn table(context: &Context, rows: &[Row]) -> Rendered {
    if rows.is_empty() {
        let talk = "no extensions are installed\nhint: sesame extension install REFERENCE\n".to_owned();
        return Rendered { talk, ..Default::default() };
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
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
    let reference =
        row.reference.as_ref().map(|reference| if short { shortened(reference) } else { reference.to_string() });
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
    let written = limits.iter().filter_map(|(name, value)| Some(format!("{}={value}", name.key()?)));
    let written: Vec<_> = written.collect();
    if written.is_empty() { "defaults".to_owned() } else { written.join(" ") }
}

fn plain_row(row: &Row) -> String {
    cells(row, false).join("\t") + "\n"
}

fn called(context: &Context, call: &Call) -> Rendered {
    let mut talk = String::new();
    if context.global.verbose {
        talk.push_str(&String::from_utf8_lossy(&call.output));
    }
    if call.with_stats {
        talk.push_str(&stats(call));
    }
    if call.returned.is_err() {
        talk.push_str(&failure(&Failure::returned_error(&call.returned)));
        return Rendered { talk, ..Default::default() };
    }
    let data = match call.returned.bytes() {
        Some(bytes) => bytes,
        None if call.returned.is_empty() => Vec::new(),
        None => (call.returned.to_text() + "\n").into_bytes(),
    };
    Rendered { data, talk }
}

/// What a call used, each against its limit.
fn stats(call: &Call) -> String {
    let limit = |name: LimitName| {
        let limit: &Limit = call.limits.get(name);
        format!("{} ({})", limit.value_with_unit(), limit.origin)
    };
    let memory = call.usage.memory_bytes as f64 / f64::from(1 << 20);
    let time = call.usage.elapsed.as_secs_f64() * 1000.0;
    format!(
        "fuel: {} of {}\nmemory: {memory:.1} MiB of {}\ntime: {time:.1} ms of {}\n",
        call.usage.fuel,
        limit(LimitName::Fuel),
        limit(LimitName::Memory),
        limit(LimitName::Timeout),
    )
}

fn info(info: &Info) -> String {
    let mut text = String::new();
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<13}{}", inert_line(value));
    };
    field("name", info.name.as_str());
    field("version", info.version.as_deref().unwrap_or_default());
    if let Some(description) = &info.description {
        field("description", description);
    }
    field("reference", &info.reference.to_string());
    field("binary", &format!("{}, {} bytes", info.binary, info.binary_size));
    if let Some((at, source)) = info.installed_at.as_ref().zip(info.source.as_ref()) {
        field("installed", &format!("{at}, as {source}"));
    }
    field("manifest", &info.manifest.display().to_string());
    let problem = info.problem.as_ref().map(|problem| format!(": {problem}")).unwrap_or_default();
    field("state", &format!("{}{problem}", info.state.name()));
    if info.pinned {
        field("pinned", "update leaves it at this version");
    }
    for grant in info.capabilities.grants_in_full() {
        field("may use", &grant.to_string());
    }
    for (grant, until) in &info.timed {
        field("may use", &format!("{grant}, {until}"));
    }
    for limit in info.limits.iter() {
        field("limit", &format!("{} {} ({})", limit.name, limit.value_with_unit(), limit.origin));
    }
    for import in &info.imports {
        let granted = match import.capability {
            Some(capability) if info.capabilities.grants(capability) => ": granted",
            Some(_) => ": not granted",
            None => "",
        };
        field("imports", &format!("{}{granted}", import.name));
    }
    for (name, signature) in &info.exports {
        field("exports", &format!("{name}: {signature}"));
    }
    text
}

fn removal(removal: &Removal) -> String {
    let Removal { name, kept_manifest, freed_bytes, secrets } = removal;
    let rest = match kept_manifest {
        Some(path) => format!(", its manifest is kept in {}", inert(&path.display().to_string())),
        None if secrets.is_empty() => ", nothing is kept".to_owned(),
        None => format!(", nothing is kept; forgotten secrets: {}", inert_line(&secrets.join(" "))),
    };
    format!("removed {name}: {freed_bytes} bytes freed{rest}\n")
}

fn change(change: &Change) -> String {
    if change.changed { format!("{}\n", change.now) } else { format!("{} already\n", change.now) }
}

fn check(check: &Check) -> String {
    let name = inert_line(&check.name);
    let mut text = String::new();
    for repaired in &check.repaired {
        let _ = writeln!(text, "{name}: repaired: {}", inert(repaired));
    }
    for finding in &check.findings {
        let _ = writeln!(text, "{name}: {}", inert(finding));
    }
    if text.is_empty() {
        let _ = writeln!(text, "{name}: good");
    }
    if let Some(signature) = &check.signature {
        let _ = writeln!(text, "{name}: signature: {}", inert_line(signature));
    }
    text
}

fn learned(needs: &Learned) -> Rendered {
    let mut talk = match &needs.result {
        Ok(text) => format!("result: {}\n", inert_line(text)),
        Err(error) => format!("the call failed: {}\n", inert_line(error)),
    };
    if needs.written {
        let _ = writeln!(talk, "written into the manifest of `{}`", needs.name);
    }
    let mut text = String::new();
    for touch in &needs.refused {
        let _ = writeln!(text, "# refused in this call: {}", inert_line(&touch.what));
    }
    for capability in &needs.unscoped {
        let _ = writeln!(text, "# imported and not used in this call, but needed to start: {capability}=SCOPE");
    }
    text.push_str(&needs_text(&needs.capabilities, &needs.limits));
    Rendered { data: text.into_bytes(), talk }
}

/// One call: when, who, what became of it, what it used, and everything that it touched.
fn activity(entry: &ActivityEntry) -> String {
    let call = &entry.call;
    let touches = call.activity.touches.iter().map(|touch| {
        let refused = if touch.verdict == Verdict::Allow { "" } else { "refused " };
        let times = if touch.times > 1 { format!(" x{}", touch.times) } else { String::new() };
        format!("{refused}{}{times}", touch.what)
    });
    let mended = entry.mended.as_ref().map(|mended| format!("(before this line, {mended})"));
    let more = (call.activity.more > 0).then(|| format!("and {} more", call.activity.more));
    let cells = [
        entry.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        call.extension.clone(),
        call.function.clone(),
        outcome_name(call.outcome).to_owned(),
        format!("fuel {}", call.fuel),
        format!("{:.1} MiB", call.peak_memory_bytes as f64 / f64::from(1 << 20)),
        touches.chain(more).chain(mended).collect::<Vec<_>>().join(", "),
    ];
    cells.map(|cell| inert_line(&cell)).join("\t") + "\n"
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

fn activity_verified(lines: usize, findings: &[ActivityFinding]) -> String {
    if findings.is_empty() {
        return format!("{lines} lines, each as it was written\n");
    }
    let line = |finding: &ActivityFinding| {
        let ActivityFinding { file, line, problem } = finding;
        let place = if *line == 0 { String::new() } else { format!(":{line}") };
        format!("{}{place}: {}\n", inert(&file.display().to_string()), inert_line(problem))
    };
    findings.iter().map(line).collect()
}

fn why(name: &ExtensionName, refused: &[RefusedThing]) -> Rendered {
    if refused.is_empty() {
        return Rendered { talk: format!("`{name}` was refused nothing lately\n"), ..Default::default() };
    }
    let mut text = String::new();
    for thing in refused {
        let at = thing.at.strftime("%Y-%m-%dT%H:%M:%SZ");
        let _ = writeln!(text, "{at}  {}: {}", inert_line(&thing.what), inert_line(&thing.rule));
        let _ = match &thing.grant {
            _ if thing.is_granted_now => writeln!(text, "  it is granted by now"),
            Some(grant) => writeln!(text, "  allow it: sesame extension grant {name} {}", inert_line(grant)),
            None => writeln!(text, "  granting it is no help"),
        };
    }
    data(text)
}

fn inspected(inspection: &Inspection) -> String {
    let mut text = String::new();
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<13}{}", inert_line(value));
    };
    field("name", inspection.name.as_str());
    field("version", &inspection.version);
    if let Some(description) = &inspection.description {
        field("description", description);
    }
    field("reference", &inspection.reference.to_string());
    field("binary", &format!("{}, {} bytes", inspection.binary, inspection.binary_size));
    for Asked { what, verdict, rule } in &inspection.asks_for {
        let verdict = match verdict {
            Verdict::Allow => "allowed",
            Verdict::Deny => "refused",
            Verdict::Ask => "would be asked",
        };
        field("asks for", &format!("{what}: {verdict}, {rule}"));
    }
    for import in &inspection.imports {
        field("imports", &import.name);
    }
    for (name, signature) in &inspection.exports {
        field("exports", &format!("{name}: {signature}"));
    }
    text
}

fn step(step: &Step) -> String {
    let reference = step.reference.as_ref().map(shortened).unwrap_or_default();
    let problem = step.problem.as_ref().map(|problem| format!(": {problem}")).unwrap_or_default();
    let cells = [step.name.to_string(), reference, format!("{}{problem}", step.state.name())];
    cells.map(|cell| inert_line(&cell)).join("\t") + "\n"
}

fn trusted(trust: &Trust) -> String {
    let signers = trust.signers.iter().map(|signer| format!("trusted\t{}\t{}\n", signer.place, signer.fingerprint));
    let first = trust.first_uses.iter().map(|first| {
        let FirstUse { repository, signer, since } = first;
        format!("first\t{}\t{}\t{}\n", inert_line(repository), inert_line(&signer.to_string()), inert_line(since))
    });
    signers.chain(first).collect()
}

fn setting(value: &ConfigValue, with_origin: bool) -> String {
    let ConfigValue { key, value, origin } = value;
    let origin = if with_origin { format!("\t{}", inert_line(origin)) } else { String::new() };
    format!("{} = {}{origin}\n", inert_line(key), inert_line(value))
}

fn file_check(file: &FileCheck) -> String {
    let path = inert_line(&file.path.display().to_string());
    let warnings = file.warnings.iter().map(|warning| format!("{path}: {}\n", inert_line(warning)));
    match &file.problem {
        // It names the file itself.
        Some(problem) => inert(problem.trim_end()) + "\n",
        None if file.warnings.is_empty() => format!("{path}: good\n"),
        None => warnings.collect(),
    }
}

fn diagnosis(diagnosis: &Diagnosis) -> String {
    let Diagnosis { what, health, finding, mend } = diagnosis;
    let mend = mend.as_ref().map(|mend| format!("\n      {}", inert_line(mend))).unwrap_or_default();
    format!("{:<5} {}: {}{mend}\n", health.name(), inert_line(what), inert_line(finding))
}

fn login(login: &KeptLogin) -> String {
    let place = match &login.store {
        LoginStore::SecretService => "the Secret Service".to_owned(),
        LoginStore::File(path) => path.display().to_string(),
    };
    format!("{}\t{}\n", inert_line(&login.registry), inert_line(&place))
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
    let Rollback { name, to, version, reference, granted, denied } = rollback;
    let granted: String = granted.iter().map(|grant| format!("granted: {grant}\n")).collect();
    let data = format!("rolled back {name} to generation {to}: {} from {reference}\n", inert_line(version));
    Rendered { data: data.into_bytes(), talk: granted + &not_granted(name, denied) }
}

fn collected(collection: &Collection) -> String {
    let Collection { generations, blobs, compiled, bytes, is_dry_run } = collection;
    let done = if *is_dry_run { "would be removed" } else { "removed" };
    let mut text: String =
        generations.iter().map(|(name, number)| format!("{name}: generation {number} {done}\n")).collect();
    let (blobs, compiled) = (blobs.len(), compiled.len());
    let _ = writeln!(text, "{blobs} blobs and {compiled} files of compiled code {done}: {bytes} bytes");
    text
}

fn freshness(row: &Freshness) -> String {
    let Freshness { name, installed, newest, age } = row;
    let newest = newest.as_deref().unwrap_or_default();
    let cells = [name.to_string(), installed.revision().to_owned(), newest.to_owned(), age.name().to_owned()];
    cells.map(|cell| inert_line(&cell)).join("\t") + "\n"
}

fn update(update: &Update) -> String {
    let Update { name, from, to, age, asks_for, granted, for_session, applied } = update;
    let state = match to {
        None => age.name().to_owned(),
        Some(_) if *applied => "updated".to_owned(),
        Some(_) => format!("would be updated: {}", age.name()),
    };
    let mut more: Vec<_> = granted.iter().map(ToString::to_string).collect();
    more.extend(for_session.iter().map(|grant| format!("{grant} for this session")));
    let more = match (more.is_empty(), asks_for.is_empty()) {
        (false, _) => format!("; granted: {}", more.join(", ")),
        (true, false) => {
            let asks_for: Vec<_> = asks_for.iter().map(|denied| denied.grant.as_str()).collect();
            format!("; it asks for {}", asks_for.join(", "))
        }
        (true, true) => String::new(),
    };
    let cells = [name.to_string(), shortened(from), to.as_ref().map(shortened).unwrap_or_default(), state + &more];
    cells.map(|cell| inert_line(&cell)).join("\t") + "\n"
}
