//! The object of an outcome or a failure, on one line.

use std::io;

use serde::Serialize;

use super::envelope::{Failed, Object, SchemaVersion};
use super::error::ErrorObject;
use super::{extension, objects};
use crate::failure::Failure;
use crate::outcome::{Call, Outcome, Published, WorkloadReport, split_log_line};
use crate::terminal::is_active;

/// Formats an outcome as one object on one line, with the warnings. Progress and the output of a
/// program have none.
pub fn outcome(outcome: &Outcome, warnings: Vec<String>) -> io::Result<String> {
    match outcome {
        Outcome::PartialFailure { done, failures } => {
            self::done(done, Beside { warnings, errors: failures.iter().map(Into::into).collect() })
        }
        whole => done(whole, Beside { warnings, errors: Vec::new() }),
    }
}

/// What stands beside the members of a command.
struct Beside {
    warnings: Vec<String>,
    errors: Vec<ErrorObject>,
}

impl Beside {
    /// Formats the object, with its keys in order.
    fn with(self, members: impl Serialize) -> io::Result<String> {
        let Self { warnings, errors } = self;
        let object = Object { members, errors, schema_version: SchemaVersion, warnings };
        Ok(escaped(&format!("{}\n", serde_json::to_value(object)?)))
    }
}

fn done(outcome: &Outcome, beside: Beside) -> io::Result<String> {
    match outcome {
        Outcome::Installed(all) => {
            beside.with(objects::Installed { installed: all.as_slice().into() })
        }
        Outcome::Listed(extensions) => beside.with(objects::Listed { extensions }),
        Outcome::Called(call) => called(call, beside.warnings),
        Outcome::Info(info) => beside.with(objects::Known { extension: info.as_ref().into() }),
        Outcome::Settings(settings) => beside.with(objects::Settings {
            settings: &settings.rows,
            limits: extension::limits(&settings.limits, true),
        }),
        Outcome::Removed(removed) => beside.with(objects::Removed { removed }),
        Outcome::Changed(changes) => beside.with(objects::Changed { changes }),
        Outcome::Verified(verified) => beside.with(objects::Verified { verified }),
        Outcome::Learned(learned) => beside.with(objects::LearnedNeeds { learned }),
        Outcome::Secrets(secrets) => beside.with(objects::Secrets { secrets }),
        Outcome::Storage(storage) => beside.with(objects::Storage { storage }),
        Outcome::Stored { key, value } => {
            beside.with(objects::Stored { stored: objects::StoredObject::new(key, value) })
        }
        Outcome::ServiceInstalled(service) => beside.with(objects::Service { service }),
        Outcome::Orphans(orphans) => {
            beside.with(objects::Orphans { orphans: orphans.iter().map(Into::into).collect() })
        }
        Outcome::Activity(entries) => {
            beside.with(objects::Activity { activity: entries.iter().map(Into::into).collect() })
        }
        Outcome::ActivityVerified { lines, findings } => {
            let verified = objects::LogCheck { lines: *lines, findings };
            beside.with(objects::ActivityVerified { verified })
        }
        Outcome::Why { refused, .. } => beside.with(objects::Why { refused }),
        Outcome::Events(waking) => beside.with(objects::Events {
            events: &waking.events,
            deliveries: waking.deliveries.as_deref(),
        }),
        Outcome::Delivered(delivered) => beside.with(objects::Delivered { delivered }),
        Outcome::Session(service) => beside.with(objects::Session { service: service.as_deref() }),
        Outcome::Emitted(reached) => beside.with(objects::Emitted { reached: *reached }),
        Outcome::Stopped(stopped) => beside.with(objects::Stopped { stopped: *stopped }),
        Outcome::Outdated(outdated) => beside.with(objects::Outdated { outdated }),
        Outcome::Updated(updated) => beside.with(objects::Updated { updated }),
        Outcome::History(history) => beside.with(objects::History { history }),
        Outcome::RolledBack(rolled_back) => beside.with(objects::RolledBack { rolled_back }),
        Outcome::Collected(collected) => beside.with(objects::Collected { collected }),
        Outcome::Config { values, .. } => beside.with(objects::Configured { config: values }),
        Outcome::Validated(files) => beside.with(objects::Validated { files }),
        Outcome::Diagnosed(diagnoses) => beside.with(objects::Diagnosed { diagnoses }),
        Outcome::Logins(logins) => {
            beside.with(objects::Logins { logins: logins.iter().map(Into::into).collect() })
        }
        Outcome::Trust(trust) => beside.with(objects::Trusted { trust: trust.into() }),
        Outcome::Tags(tags) => beside.with(objects::Tags { tags }),
        Outcome::Synced { steps, .. } => beside.with(objects::Synced { steps }),
        Outcome::Created { written, .. } | Outcome::Written(written) => {
            beside.with(objects::Written { written })
        }
        other => made(other, beside),
    }
}

/// Formats the outcomes of authors' commands.
fn made(outcome: &Outcome, beside: Beside) -> io::Result<String> {
    match outcome {
        Outcome::Tested(tests) => beside.with(objects::Tested { tests }),
        Outcome::Published(published) => beside.with(self::published(published)?),
        Outcome::Docs(page) => beside.with(objects::Page {
            page: &page.page.path,
            text: &page.page.text,
            pages: &page.pages,
        }),
        Outcome::Pages(pages) => beside.with(objects::Pages { pages }),
        Outcome::Workload(report) => match report.as_ref() {
            WorkloadReport::Validated(problems) => beside
                .with(objects::Problems { problems: problems.iter().map(Into::into).collect() }),
            WorkloadReport::Changed { workload, .. } => {
                beside.with(objects::Workload { workload: workload.document() })
            }
            WorkloadReport::Deleted(error) => {
                beside.with(objects::Deleted { error: error.as_deref() })
            }
        },
        Outcome::Inspected(inspection) => {
            beside.with(objects::Inspected { inspection: inspection.as_ref().into() })
        }
        Outcome::Log { text, .. } => beside.with(log(text)),
        Outcome::Schemas(schemas) => beside.with(objects::Schemas { schemas }),
        Outcome::Schema(schema) => beside.with(objects::OneSchema { schema }),
        Outcome::Script(script) => {
            beside.with(objects::Script { script: &String::from_utf8_lossy(script) })
        }
        _ => Ok(String::new()),
    }
}

fn published(published: &Published) -> io::Result<objects::Published<'_>> {
    Ok(match published {
        Published::Now(published) => objects::Published {
            reference: &published.reference,
            already: Some(published.already),
            manifest: None,
        },
        Published::Planned { reference, manifest } => objects::Published {
            reference,
            already: None,
            manifest: Some(serde_json::from_str(manifest)?),
        },
    })
}

fn log(text: &[u8]) -> objects::Log<'_> {
    let entry = |line: &[u8]| {
        let (at, rest) = split_log_line(line)?;
        let text = String::from_utf8_lossy(rest);
        let text = text.strip_prefix(' ').unwrap_or(&text).to_owned();
        Some(objects::LogEntry { at: crate::terminal::moment::rfc3339(at), text })
    };
    objects::Log {
        log: String::from_utf8_lossy(text),
        entries: text.split(|byte| *byte == b'\n').filter_map(entry).collect(),
    }
}

/// Formats the result of a call, always with its use of resources.
fn called(call: &Call, warnings: Vec<String>) -> io::Result<String> {
    let usage = objects::UsageObject {
        elapsed_ms: call.usage.elapsed.as_secs_f64() * 1000.0,
        fuel: call.usage.fuel,
        memory_bytes: call.usage.memory_bytes,
        written_bytes: call.usage.written_bytes,
    };
    let called =
        objects::Called { result: &call.returned, schema_version: SchemaVersion, usage, warnings };
    Ok(escaped(&(serde_json::to_string(&called)? + "\n")))
}

/// Escapes characters that a terminal would act on, as JSON does.
fn escaped(json: &str) -> String {
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

/// Formats a failure as one object on one line, with the earlier warnings.
pub fn failure(failure: &Failure, warnings: Vec<String>) -> String {
    let object = Object::new(Failed { error: failure.into() }, warnings);
    // Text and numbers alone, which always have a form in JSON.
    let value = serde_json::to_value(object).unwrap_or_default();
    escaped(&format!("{value}\n"))
}
