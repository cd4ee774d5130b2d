//! What was found out, as text.

use std::fmt::Write;

use core_types::{CallOutcome, ExtensionName, Limit, LimitName, Verdict};
use extension_depot::registry::{KeptLogin, LoginStore};
use extension_depot::{
    ActivityEntry, ActivityFinding, FirstUse, SignerProof, TrustedSigner, needs_text,
};
use extension_host::ExportedFunction;

use super::{data, failure};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{
    Asked, Call, Check, ConfigValue, DecidedImport, Diagnosis, FileCheck, Info, Inspection,
    Learned, RefusedThing, Trust,
};
use crate::render::Rendered;
use crate::terminal::{inert, inert_line};

pub(super) fn called(context: &Context, call: &Call) -> Rendered {
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
        Some(bytes) => bytes.into_owned(),
        None if call.returned.is_empty() => Vec::new(),
        None => (call.returned.to_text() + "\n").into_bytes(),
    };
    Rendered { data, talk, ..Default::default() }
}

/// What a call used, each against its limit.
pub(super) fn stats(call: &Call) -> String {
    let limit = |name: LimitName| {
        let limit: &Limit = call.limits.get(name);
        format!("{} ({})", limit.value_with_unit(), limit.origin)
    };
    let memory = call.usage.memory_bytes as f64 / f64::from(1 << 20);
    let written = call.usage.written_bytes as f64 / f64::from(1 << 20);
    let time = call.usage.elapsed.as_secs_f64() * 1000.0;
    format!(
        "fuel: {} of {}\nmemory: {memory:.1} MiB of {}\ntime: {time:.1} ms of {}\nwritten: {written:.1} MiB of {}\n",
        call.usage.fuel,
        limit(LimitName::Fuel),
        limit(LimitName::Memory),
        limit(LimitName::Timeout),
        limit(LimitName::Written),
    )
}

pub(super) fn info(info: &Info) -> String {
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
    if let Some(signature) = &info.signature {
        field("signer", &format!("{} ({})", signature.state, signature.checked_at));
    }
    if let Some((at, source)) = info.installed_at.as_ref().zip(info.source.as_ref()) {
        field("installed", &format!("{at}, as {source}"));
    }
    field("manifest", &info.manifest.display().to_string());
    let problem = info.problem.as_ref().map(|problem| format!(": {problem}")).unwrap_or_default();
    field("state", &format!("{}{problem}", info.state.name()));
    if info.pinned {
        field("pinned", "update leaves it at this version");
    }
    for grant in &info.capabilities {
        field("may use", &grant.to_string());
    }
    for (grant, until) in &info.timed {
        field("may use", &format!("{grant}, {until}"));
    }
    for (key, value) in info.config.iter() {
        field("setting", &format!("{key} = {value}"));
    }
    for limit in info.limits.iter() {
        field("limit", &format!("{} {} ({})", limit.name, limit.value_with_unit(), limit.origin));
    }
    for denied in &info.denied {
        let rule = denied.policy.as_deref().unwrap_or_default();
        field("may not use", &format!("{}, {rule}", denied.grant));
    }
    for DecidedImport { import, decided } in &info.imports {
        let decided = decided.map(|decided| format!(": {decided}")).unwrap_or_default();
        field("imports", &format!("{}{decided}", import.name));
    }
    for (label, function) in exports(&info.exports) {
        field(label, &function);
    }
    text
}

/// The functions with their labels: first those that can be called, then the others with the
/// reason.
fn exports(functions: &[ExportedFunction]) -> Vec<(&'static str, String)> {
    let callable = functions.iter().filter(|function| function.is_callable());
    let callable = callable.map(|function| ("exports", function.to_string()));
    let reason = |function: &ExportedFunction| {
        Some(format!("{function}: {}", function.uncallable.as_ref()?))
    };
    callable.chain(functions.iter().filter_map(reason).map(|line| ("not callable", line))).collect()
}

pub(super) fn check(check: &Check) -> String {
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

pub(super) fn learned(needs: &Learned) -> Rendered {
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
        let _ = writeln!(
            text,
            "# imported and not used in this call, but needed to start: {capability}"
        );
    }
    text.push_str(&needs_text(&needs.capabilities, &needs.limits));
    Rendered { data: text.into_bytes(), talk, ..Default::default() }
}

/// One call: when, who, what became of it, what it used, and everything that it touched.
pub(super) fn activity(entry: &ActivityEntry) -> String {
    let call = &entry.call;
    let touches = call.activity.touches.iter().map(|touch| {
        let refused = if touch.verdict == Verdict::Allow { "" } else { "refused " };
        let times = if touch.times > 1 { format!(" x{}", touch.times) } else { String::new() };
        format!("{refused}{}{times}", touch.what)
    });
    let missing = call.activity.missing.iter().map(|path| format!("missing {path}"));
    let mended = entry.mended.as_ref().map(|mended| format!("(before this line, {mended})"));
    let more = (call.activity.more > 0).then(|| format!("and {} more", call.activity.more));
    let cells = [
        entry.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        call.extension.clone(),
        call.function.clone(),
        outcome_name(call.outcome).to_owned(),
        format!("fuel {}", call.fuel),
        format!("{:.1} MiB", call.peak_memory_bytes as f64 / f64::from(1 << 20)),
        touches.chain(missing).chain(more).chain(mended).collect::<Vec<_>>().join(", "),
    ];
    cells.map(|cell| inert_line(&cell)).join("\t") + "\n"
}

pub(super) fn outcome_name(outcome: CallOutcome) -> &'static str {
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

pub(super) fn activity_verified(lines: usize, findings: &[ActivityFinding]) -> String {
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

pub(super) fn why(name: &ExtensionName, refused: &[RefusedThing]) -> Rendered {
    if refused.is_empty() {
        return Rendered {
            talk: format!("`{name}` was refused nothing lately\n"),
            ..Default::default()
        };
    }
    let mut text = String::new();
    for thing in refused {
        let at = thing.at.strftime("%Y-%m-%dT%H:%M:%SZ");
        let _ = writeln!(text, "{at}  {}: {}", inert_line(&thing.what), inert_line(&thing.rule));
        let _ = match &thing.grant {
            _ if thing.is_granted_now => writeln!(text, "  it is granted by now"),
            Some(grant) => {
                writeln!(text, "  allow it: sesame extension grant {name} {}", inert_line(grant))
            }
            None => writeln!(text, "  granting it is no help"),
        };
    }
    data(text)
}

pub(super) fn inspected(inspection: &Inspection) -> String {
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
    for (label, function) in exports(&inspection.exports) {
        field(label, &function);
    }
    for kind in &inspection.attached {
        field("attached", kind);
    }
    if let Some(what) = &inspection.nothing_to_call {
        field("warning", what);
    }
    text
}

pub(super) fn trusted(trust: &Trust) -> String {
    let signers = trust.signers.iter().map(|TrustedSigner { place, proof }| match proof {
        SignerProof::Key { fingerprint, .. } => format!("trusted\t{place}\t{fingerprint}\n"),
        SignerProof::Identity(rule) => {
            format!(
                "trusted\t{place}\t{}\t{}\n",
                inert_line(&rule.identity),
                inert_line(&rule.issuer)
            )
        }
    });
    let first = trust.first_uses.iter().map(|first| {
        let FirstUse { repository, signer, since, .. } = first;
        format!(
            "first\t{}\t{}\t{}\n",
            inert_line(&repository.to_string()),
            inert_line(&signer.to_string()),
            since
        )
    });
    signers.chain(first).collect()
}

pub(super) fn setting(value: &ConfigValue, with_origin: bool) -> String {
    let ConfigValue { key, value, origin } = value;
    let origin = if with_origin { format!("\t{}", inert_line(origin)) } else { String::new() };
    format!("{} = {}{origin}\n", inert_line(key), inert_line(value))
}

pub(super) fn file_check(file: &FileCheck) -> String {
    let path = inert_line(&file.path.display().to_string());
    let warnings = file.warnings.iter().map(|warning| format!("{path}: {}\n", inert_line(warning)));
    match &file.problem {
        // It names the file itself.
        Some(problem) => inert(problem.trim_end()) + "\n",
        None if file.warnings.is_empty() => format!("{path}: good\n"),
        None => warnings.collect(),
    }
}

pub(super) fn diagnosis(diagnosis: &Diagnosis) -> String {
    let Diagnosis { what, health, finding, mend } = diagnosis;
    let mend =
        mend.as_ref().map(|mend| format!("\n      {}", inert_line(mend))).unwrap_or_default();
    format!("{:<5} {}: {}{mend}\n", health.name(), inert_line(what), inert_line(finding))
}

pub(super) fn login(login: &KeptLogin) -> String {
    let place = match &login.store {
        LoginStore::SecretService => "the Secret Service".to_owned(),
        LoginStore::File(path) => path.display().to_string(),
    };
    format!("{}\t{}\n", inert_line(&login.registry), inert_line(&place))
}
