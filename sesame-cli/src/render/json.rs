//! JSON for programs: one object with `schema_version`.

use std::io;

use core_types::{IdentityRule, LimitOrigin};
use extension_depot::registry::{KeptLogin, LoginStore};
use extension_depot::{SignerProof, TrustedSigner};
use extension_host::{ExportedFunction, Import, Returned};
use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::outcome::{
    Call, DecidedImport, DocsPage, Info, Inspection, Outcome, Published, Settings, Trust,
    WorkloadReport,
};
use crate::terminal::is_active;

/// Raised when something is taken away or means something else. Additions do not count.
const SCHEMA_VERSION: u32 = 1;

/// An outcome as one object on one line, with the warnings that came up. What is shown while it
/// happens, or is the output of a program, has none.
pub fn outcome(outcome: &Outcome, warnings: Vec<String>) -> io::Result<String> {
    match outcome {
        Outcome::Called(call) => called(call, warnings),
        Outcome::Ran(_) | Outcome::Shown(_) => Ok(String::new()),
        other => Ok(with_warnings(members(other)?, warnings)),
    }
}

/// The names and values of an object.
type Members = Vec<(&'static str, Value)>;

fn members(outcome: &Outcome) -> io::Result<Members> {
    let (key, value) = match outcome {
        Outcome::Installed(all) => match all.as_slice() {
            [installation] => ("installed", to_value(installation)?),
            all => ("installed", to_value(&all)?),
        },
        Outcome::Listed(rows) => ("extensions", to_value(rows)?),
        Outcome::Info(known) => ("extension", info(known)?),
        Outcome::Settings(settings) => return self::settings(settings),
        Outcome::Removed(removals) => ("removed", to_value(removals)?),
        Outcome::Changed(changes) => ("changes", to_value(changes)?),
        Outcome::Verified(checks) => ("verified", to_value(checks)?),
        Outcome::Learned(needs) => ("learned", to_value(needs)?),
        Outcome::Secrets(names) => ("secrets", to_value(names)?),
        Outcome::Activity(entries) => ("activity", to_value(entries)?),
        Outcome::ActivityVerified { lines, findings } => {
            ("verified", json!({ "lines": lines, "findings": to_value(findings)? }))
        }
        Outcome::Why { refused, .. } => ("refused", to_value(refused)?),
        Outcome::Outdated(rows) => ("outdated", to_value(rows)?),
        Outcome::Updated(updates) => ("updated", to_value(updates)?),
        Outcome::History(generations) => ("history", to_value(generations)?),
        Outcome::RolledBack(rollback) => ("rolled_back", to_value(rollback)?),
        Outcome::Collected(collection) => ("collected", to_value(collection)?),
        Outcome::Config { values, .. } => ("config", to_value(values)?),
        Outcome::Validated(files) => ("files", to_value(files)?),
        Outcome::Diagnosed(all) => ("diagnoses", to_value(all)?),
        Outcome::Logins(logins) => ("logins", logins.iter().map(login).collect()),
        Outcome::Trust(trust) => ("trust", trusted(trust)?),
        Outcome::Tags(tags) => ("tags", to_value(tags)?),
        Outcome::Synced { steps, .. } => ("steps", to_value(steps)?),
        Outcome::Begun { written, .. } => ("written", to_value(written)?),
        Outcome::Tested(files) => ("tests", to_value(files)?),
        Outcome::Published(published) => return self::published(published),
        Outcome::Docs(page) => return Ok(docs_page(page)),
        Outcome::Pages(pages) => ("pages", to_value(pages)?),
        Outcome::Workload(report) => workload(report)?,
        Outcome::Inspected(inspection) => ("inspection", inspected(inspection)),
        Outcome::Log { text, .. } => ("log", String::from_utf8_lossy(text).into()),
        Outcome::Script(script) => ("script", String::from_utf8_lossy(script).into()),
        Outcome::Written(paths) => ("written", to_value(paths)?),
        Outcome::Partly { done, failures } => {
            let mut members = members(done)?;
            members.push(("errors", failures.iter().map(error).collect()));
            return Ok(members);
        }
        Outcome::Called(_) | Outcome::Ran(_) | Outcome::Shown(_) => return Ok(Members::new()),
    };
    Ok(vec![(key, value)])
}

fn published(published: &Published) -> io::Result<Members> {
    Ok(match published {
        Published::Now(published) => {
            vec![
                ("reference", to_value(&published.reference)?),
                ("already", published.already.into()),
            ]
        }
        Published::Planned { reference, manifest } => {
            vec![("reference", to_value(reference)?), ("manifest", serde_json::from_str(manifest)?)]
        }
    })
}

fn docs_page(DocsPage { page, pages, .. }: &DocsPage) -> Members {
    vec![
        ("page", page.path.as_str().into()),
        ("text", page.text.as_str().into()),
        ("pages", pages.clone().into()),
    ]
}

fn workload(report: &WorkloadReport) -> io::Result<(&'static str, Value)> {
    Ok(match report {
        WorkloadReport::Validated(problems) => ("problems", to_value(problems)?),
        WorkloadReport::Changed { workload, .. } => ("workload", workload.document().clone()),
        WorkloadReport::Deleted(error) => ("error", to_value(error)?),
    })
}

fn to_value(value: &impl Serialize) -> io::Result<Value> {
    Ok(serde_json::to_value(value)?)
}

fn with_warnings(mut members: Members, warnings: Vec<String>) -> String {
    if !warnings.is_empty() {
        members.push(("warnings", warnings.into()));
    }
    let mut object = json!({ "schema_version": SCHEMA_VERSION });
    for (key, value) in members {
        object[key] = value;
    }
    inert(&format!("{object}\n"))
}

/// What a terminal would act on, written as JSON writes characters, so that it stays JSON.
fn inert(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if is_active(character) {
            let mut units = [0; 2];
            text.extend(
                character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")),
            );
        } else {
            text.push(character);
        }
    }
    text
}

/// The object of a call. It is serialized at once, since bytes as values would take many times
/// their size.
#[derive(Serialize)]
struct Called<'a> {
    result: &'a Returned,
    schema_version: u32,
    usage: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// The result of a call; what it used is part of it, asked for or not.
fn called(call: &Call, warnings: Vec<String>) -> io::Result<String> {
    let usage = json!({
        "fuel": call.usage.fuel,
        "memory_bytes": call.usage.memory_bytes,
        "written_bytes": call.usage.written_bytes,
        "elapsed_ms": call.usage.elapsed.as_secs_f64() * 1000.0,
    });
    let called = Called { result: &call.returned, schema_version: SCHEMA_VERSION, usage, warnings };
    Ok(inert(&(serde_json::to_string(&called)? + "\n")))
}

fn settings(settings: &Settings) -> io::Result<Members> {
    let limits =
        settings.limits.iter().filter(|limit| limit.name.key().is_some()).map(limit).collect();
    Ok(vec![("settings", to_value(&settings.rows)?), ("limits", limits)])
}

fn limit(limit: &core_types::Limit) -> Value {
    let origin = match &limit.origin {
        LimitOrigin::Policy(path) => json!({ "policy": path }),
        LimitOrigin::Default => "default".into(),
        LimitOrigin::Manifest => "manifest".into(),
        LimitOrigin::Fixed => "fixed".into(),
    };
    let name = limit.name.key().map_or_else(|| limit.name.to_string(), str::to_owned);
    json!({ "name": name, "value": limit.value, "origin": origin })
}

fn info(info: &Info) -> io::Result<Value> {
    Ok(json!({
        "name": info.name,
        "version": info.version,
        "description": info.description,
        "reference": info.reference,
        "binary": { "digest": info.binary, "size": info.binary_size },
        "installed_at": info.installed_at,
        "source": info.source,
        "manifest": info.manifest,
        "state": info.state,
        "pinned": info.pinned,
        "problem": info.problem,
        "capabilities": info.capabilities,
        "timed": info.timed.iter().map(|(grant, until)| json!({ "grant": grant, "until": until })).collect::<Vec<_>>(),
        "denied": info.denied,
        "limits": info.limits.iter().map(limit).collect::<Vec<_>>(),
        "config": info.config,
        "signature": info.signature,
        "imports": info.imports.iter().map(decided_import).collect::<Vec<_>>(),
        "exports": exports(&info.exports),
    }))
}

fn trusted(trust: &Trust) -> io::Result<Value> {
    let signer = |TrustedSigner { place, proof }: &TrustedSigner| match proof {
        SignerProof::Key { fingerprint, .. } => json!({ "key": fingerprint, "for": place }),
        SignerProof::Identity(IdentityRule { identity, issuer, trusted_root }) => {
            json!({ "identity": identity, "issuer": issuer, "trusted_root": trusted_root, "for": place })
        }
    };
    let signers: Vec<_> = trust.signers.iter().map(signer).collect();
    Ok(json!({ "signers": signers, "first_uses": to_value(&trust.first_uses)? }))
}

fn login(login: &KeptLogin) -> Value {
    let file = match &login.store {
        LoginStore::SecretService => None,
        LoginStore::File(path) => Some(path),
    };
    json!({ "registry": login.registry, "file": file })
}

fn decided_import(DecidedImport { import, decided }: &DecidedImport) -> Value {
    json!({ "name": import.name, "capability": import.capability, "decided": decided })
}

fn imports(imports: &[Import]) -> Value {
    imports
        .iter()
        .map(|import| json!({ "name": import.name, "capability": import.capability }))
        .collect()
}

fn exports(exports: &[ExportedFunction]) -> Value {
    let export = |function: &ExportedFunction| {
        json!({
            "name": function.qualified_name(),
            "signature": function.signature(),
            "uncallable": function.uncallable.as_ref().map(ToString::to_string),
        })
    };
    exports.iter().map(export).collect()
}

fn inspected(inspection: &Inspection) -> Value {
    json!({
        "name": inspection.name,
        "version": inspection.version,
        "description": inspection.description,
        "reference": inspection.reference,
        "binary": { "digest": inspection.binary, "size": inspection.binary_size },
        "asks_for": inspection.asks_for,
        "imports": imports(&inspection.imports),
        "exports": exports(&inspection.exports),
        "attached": inspection.attached,
        "nothing_to_call": inspection.nothing_to_call,
        "refusal": inspection.refusal.as_ref().map(error),
    })
}

/// A failure as one object on one line, with the warnings that came up before.
pub fn failure(failure: &Failure, warnings: Vec<String>) -> String {
    with_warnings(vec![("error", error(failure))], warnings)
}

fn error(failure: &Failure) -> Value {
    json!({
        "kind": failure.code.name(),
        "code": failure.code.number(),
        "message": failure.message,
        "causes": failure.causes,
        "details": failure.details,
        "hints": failure.hint.iter().collect::<Vec<_>>(),
        "refused": failure.about.refused,
    })
}
