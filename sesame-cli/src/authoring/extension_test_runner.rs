//! Runs an author's test cases in the real host, with the answers that they bring.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use core_types::event::{EventName, Occurrence};
use core_types::{
    Capabilities, Capability, Config, EffectiveLimits, EnvName, Limits, Owner, Request, StorageKey,
    StorageSize, StoredValues,
};
use extension_host::{
    Arguments, BackendError, Backends, CallReport, Clipboard, Code, Environment, Host, HostError,
    MemoryStorage, Notification, Notifier, Permissions, Publisher, RecordedAnswer, RecordedWeb,
    SecretStore,
};
use serde::Deserialize;

use super::case_directory::{CaseDirectories, CaseDirectory};
use crate::outcome::TestedCase;

/// A file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    #[serde(default, rename = "case")]
    pub cases: Vec<Case>,
}

/// A call, with its surroundings and the expected outcome.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The property that the case shows.
    pub name: String,
    #[serde(default)]
    function: String,
    /// The event that is delivered in place of a call, such as `power.battery`.
    event: Option<EventName>,
    /// Values of the event; those that are not here are examples.
    #[serde(default)]
    values: BTreeMap<String, CaseValue>,
    #[serde(default)]
    arguments: Vec<String>,
    /// All arguments as one JSON array, in place of `arguments`.
    json: Option<String>,
    /// Whether the arguments are bytes in the memory of a module.
    #[serde(default)]
    bytes: bool,
    #[serde(default)]
    config: Config,
    /// The grants; without them, all requests of the extension. Directories are never among them:
    /// see the next key.
    capabilities: Option<Capabilities>,
    /// Temporary directories that the extension can read or write, with their files.
    #[serde(default)]
    directories: Vec<CaseDirectory>,
    /// The answers of the host. Nothing of this session is used.
    #[serde(default)]
    answers: Answers,
    /// The expected result, as `call` prints it.
    expect: Option<String>,
    /// The expected error, or a part of the message about a crash or a limit.
    expect_error: Option<String>,
    /// The expected refusal, such as `network=https://example.org:443`, or a capability for any
    /// part of it.
    expect_denied: Option<String>,
    /// A bound on the fuel of the call.
    max_fuel: Option<u64>,
    /// The expected notifications, as `title: text`.
    expect_notifications: Option<Vec<String>>,
    /// The expected text on the clipboard afterwards.
    expect_clipboard: Option<String>,
    /// The expected messages, as `topic: payload`.
    expect_published: Option<Vec<String>>,
    /// The expected storage afterwards, as far as it is text.
    expect_storage: Option<BTreeMap<String, String>>,
}

/// A value of an event as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a text, a number, `true` or `false`")]
enum CaseValue {
    Truth(bool),
    Whole(i64),
    Number(f64),
    Text(String),
}

impl fmt::Display for CaseValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truth(is_so) => is_so.fmt(f),
            Self::Whole(number) => number.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// The moment of an event in a case, in milliseconds since 1970: the same in each run.
const CASE_TIME: u64 = 1_767_225_600_000;

/// The answers of the host in a test.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    #[serde(default)]
    secrets: BTreeMap<String, String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    http: Vec<HttpAnswer>,
    /// The values that the extension has kept before.
    #[serde(default)]
    storage: BTreeMap<StorageKey, String>,
}

/// The answer of a web server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpAnswer {
    /// The method and the address, such as `GET https://api.example.com/users`.
    request: String,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    body: String,
}

fn ok() -> u16 {
    200
}

impl Case {
    /// Makes the directories of the case. Requests for directories of this machine are not met.
    fn make_directories(&self) -> Result<CaseDirectories<'_>, String> {
        if self.capabilities.as_ref().is_some_and(|granted| granted.grants(Capability::Filesystem))
        {
            return Err(OF_THIS_MACHINE.to_owned());
        }
        CaseDirectories::make(&self.directories)
    }

    /// Returns the event of a case that delivers one.
    fn occurrence(&self) -> Result<Option<Occurrence>, String> {
        let Some(name) = &self.event else {
            return match (self.function.is_empty(), self.values.is_empty()) {
                (true, _) => Err("a case needs a `function` or an `event`".to_owned()),
                (_, false) => Err("`values` are those of an `event`".to_owned()),
                (false, true) => Ok(None),
            };
        };
        if !self.function.is_empty() || !self.arguments.is_empty() || self.json.is_some() {
            return Err("a case has a `function` with arguments, or an `event`".to_owned());
        }
        let values: Vec<_> =
            self.values.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
        let made = Occurrence::made_up(name.clone(), &values, CASE_TIME);
        made.map(Some).map_err(|error| error.to_string())
    }
}

/// The reason why a case cannot have an existing directory.
const OF_THIS_MACHINE: &str = "this machine's directories are not a case's to open: give it one of its own with [[case.directories]]";

/// The tools that cases are run with.
pub struct Bench<'a> {
    pub host: &'a Host,
    pub code: &'a Code,
    /// The grants of a case without its own.
    pub capabilities: &'a Capabilities,
    pub limits: &'a Limits,
}

impl Bench<'_> {
    /// Runs a case.
    pub fn run(&self, case: &Case) -> TestedCase {
        let desk = Arc::new(Desk::new(case.answers.clone()));
        let tested = |problem, printed| TestedCase { name: case.name.clone(), problem, printed };
        let directories = match case.make_directories() {
            Ok(directories) => directories,
            Err(problem) => return tested(Some(problem), String::new()),
        };
        let event = match case.occurrence() {
            Ok(event) => event,
            Err(problem) => return tested(Some(problem), String::new()),
        };
        match self.call(case, event.as_ref(), (&desk, &directories)) {
            Err(error) => tested(Some(error.to_string()), String::new()),
            Ok(report) => {
                let printed = String::from_utf8_lossy(&report.output).into_owned();
                let checked = check(case, &report, &desk).and_then(|()| directories.check());
                tested(checked.err(), printed)
            }
        }
    }

    fn call(
        &self,
        case: &Case,
        event: Option<&Occurrence>,
        (desk, directories): (&Arc<Desk>, &CaseDirectories<'_>),
    ) -> Result<CallReport, HostError> {
        let asked = case.capabilities.as_ref().unwrap_or(self.capabilities);
        let mut capabilities = asked.clone();
        capabilities.deny(Capability::Filesystem);
        capabilities.extend(directories.granted.iter().cloned());
        let host = self.host.clone().with_backends(desk.backends());
        let permissions = Permissions {
            config: case.config.clone(),
            limits: EffectiveLimits::new(self.limits, &[]),
            ..Permissions::of(capabilities)
        };
        // A denied interface is linked and refuses, so that a case can expect that.
        let extension = host.extension_to_learn_from(self.code, permissions)?;
        if let Some(event) = event {
            return Ok(extension.deliver_blocking(event));
        }
        let words = || case.arguments.iter().map(|word| word.clone().into_bytes()).collect();
        let arguments = match &case.json {
            Some(json) => Arguments::Json(json.clone()),
            None if case.bytes => Arguments::Bytes(words()),
            None => Arguments::words(words()),
        };
        Ok(extension.call_blocking(&case.function, &arguments))
    }
}

/// Compares the outcome with the expected one. The error is for a person.
fn check(case: &Case, report: &CallReport, desk: &Desk) -> Result<(), String> {
    check_outcome(case, report)?;
    check_fuel(case, report)?;
    let done = desk.done.lock().unwrap_or_else(PoisonError::into_inner);
    same("notifications", case.expect_notifications.as_ref(), &done.notifications)?;
    same("messages", case.expect_published.as_ref(), &done.published)?;
    same("storage", case.expect_storage.as_ref(), &desk.stored())?;
    match &case.expect_clipboard {
        Some(_) => same("clipboard", Some(&case.expect_clipboard), &done.clipboard),
        None => Ok(()),
    }
}

fn check_outcome(case: &Case, report: &CallReport) -> Result<(), String> {
    let refused: Vec<_> =
        report.activity.refused().map(|touch| touch.request.to_string()).collect();
    if let Some(expected) = &case.expect_denied {
        let is_it = |request: &Request| {
            request.capability().name() == expected || request.to_string() == *expected
        };
        if !report.activity.refused().any(|touch| is_it(&touch.request)) {
            return Err(format!("`{expected}` is not refused; refused is {}", listed(&refused)));
        }
    }
    let (found, is_error) = match &report.outcome {
        Ok(returned) => (
            returned.bytes().map_or_else(
                || returned.to_text(),
                |bytes| String::from_utf8_lossy(&bytes).into_owned(),
            ),
            returned.is_err(),
        ),
        Err(error) => (error.to_string(), true),
    };
    match (&case.expect, &case.expect_error, is_error) {
        (Some(expected), _, false) => same("result", Some(expected), &found),
        (None, None, false) => Ok(()),
        (_, Some(expected), true) if found.contains(expected.as_str()) => Ok(()),
        (_, Some(expected), _) => {
            Err(format!("expected the error `{expected}`, and got `{found}`"))
        }
        // A case that expects a refusal may expect nothing else of the call.
        (None, None, true) if case.expect_denied.is_some() => Ok(()),
        (_, None, true) if refused.is_empty() => Err(format!("it failed: {found}")),
        (_, None, true) => Err(format!("it failed: {found}\nrefused is {}", listed(&refused))),
    }
}

fn check_fuel(case: &Case, report: &CallReport) -> Result<(), String> {
    match case.max_fuel {
        Some(most) if report.usage.fuel > most => {
            Err(format!("it took {} units of fuel, more than {most}", report.usage.fuel))
        }
        _ => Ok(()),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    expected: Option<&T>,
    found: &T,
) -> Result<(), String> {
    match expected {
        Some(expected) if expected != found => Err(format!(
            "{what}: expected {expected:?}\n{:width$}  got      {found:?}",
            "",
            width = what.len()
        )),
        _ => Ok(()),
    }
}

fn listed(refused: &[String]) -> String {
    if refused.is_empty() { "nothing".to_owned() } else { refused.join(", ") }
}

/// A desktop for one case, which gives the case's answers and records its effects.
struct Desk {
    answers: Answers,
    storage: MemoryStorage,
    done: Mutex<Done>,
}

#[derive(Default)]
struct Done {
    notifications: Vec<String>,
    published: Vec<String>,
    clipboard: Option<String>,
    stored: BTreeMap<String, Option<String>>,
}

impl Desk {
    fn new(answers: Answers) -> Self {
        let (storage, mut values) = (MemoryStorage::default(), StoredValues::default());
        for (key, value) in &answers.storage {
            // What does not fit, no extension can have kept.
            let _ = values.set(key.clone(), value.clone().into_bytes(), StorageSize::MAX.bytes());
        }
        storage.set_values(&Owner::default(), values);
        Self { answers, storage, done: Mutex::default() }
    }

    /// Returns the storage as text.
    fn stored(&self) -> BTreeMap<String, String> {
        let values = self.storage.values(&Owner::default());
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        values.iter().map(|(key, value)| (key.to_string(), text(value))).collect()
    }

    fn backends(self: &Arc<Self>) -> Backends {
        Backends {
            secrets: self.clone(),
            notifications: self.clone(),
            clipboard: self.clone(),
            publisher: self.clone(),
            storage: Arc::new(self.storage.clone()),
            environment: self.clone(),
            is_offline: true,
            recorded_web: Some(self.clone()),
            ..Backends::default()
        }
    }

    fn change(&self, change: impl FnOnce(&mut Done)) -> Result<(), BackendError> {
        change(&mut self.done.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }
}

impl SecretStore for Desk {
    fn read(&self, _: &Owner, name: &str) -> Result<String, BackendError> {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let found = done
            .stored
            .get(name)
            .cloned()
            .unwrap_or_else(|| self.answers.secrets.get(name).cloned());
        found.ok_or(BackendError::NotFound)
    }

    fn store(&self, _: &Owner, name: &str, value: &str) -> Result<(), BackendError> {
        self.change(|done| drop(done.stored.insert(name.to_owned(), Some(value.to_owned()))))
    }

    fn remove(&self, _: &Owner, name: &str) -> Result<(), BackendError> {
        self.change(|done| drop(done.stored.insert(name.to_owned(), None)))
    }

    fn names(&self, _: &Owner) -> Result<Vec<String>, BackendError> {
        Ok(self.answers.secrets.keys().cloned().collect())
    }
}

impl Notifier for Desk {
    fn show(&self, _: &Owner, notification: &Notification) -> Result<(), BackendError> {
        self.change(|done| {
            done.notifications.push(format!("{}: {}", notification.summary, notification.body))
        })
    }
}

impl Clipboard for Desk {
    fn set_text(&self, text: &str, _: Instant) -> Result<(), BackendError> {
        self.change(|done| done.clipboard = Some(text.to_owned()))
    }
}

impl Publisher for Desk {
    fn publish(&self, _: &Owner, topic: &str, payload: &str) -> Result<(), BackendError> {
        self.change(|done| done.published.push(format!("{topic}: {payload}")))
    }
}

impl RecordedWeb for Desk {
    fn answer(&self, method: &str, address: &str) -> Option<RecordedAnswer> {
        let asked = format!("{method} {address}");
        let answer = self.answers.http.iter().find(|answer| answer.request == asked)?;
        Some(RecordedAnswer { status: answer.status, body: answer.body.clone().into_bytes() })
    }
}

impl Environment for Desk {
    fn variable(&self, name: &EnvName) -> Option<String> {
        self.answers.env.get(name.as_str()).cloned()
    }
}
