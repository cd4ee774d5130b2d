//! One call, from a message to its answer.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_io::Timer;
use core_types::{ErrorKind, ExtensionName, Touch, with_causes};
use extension_depot::RunningExtensions;
use extension_host::{Arguments, CallReport, Returned, Usage};
use extension_manager::{Callable, Manager, OpenError, OutsideCall};
use futures_lite::future;
use serde::Serialize;

use super::explain::{Explain, Explained};
use crate::asking::{Asker, Withdrawn};
use crate::bus::bus_error::BusError;
use crate::bus::callers::{Caller, Standing};
use crate::installed::Publications;

/// The largest arguments and the largest result, in bytes of JSON: more belongs into a file.
const MAX_JSON: usize = 1 << 20;
/// The longest arguments in a hint, in bytes: a line or two of a terminal.
const MAX_SHOWN: usize = 200;
/// The longest name of a function, in bytes.
const MAX_FUNCTION: usize = 1 << 10;

/// A call that a program asks for.
#[derive(Debug, Clone)]
pub(in crate::bus) struct CallRequest {
    pub name: ExtensionName,
    pub function: String,
    pub arguments: Arguments,
    /// The time that the caller waits.
    pub wait: Option<Duration>,
    /// Whether a person may be asked for a missing permission.
    pub is_interactive: bool,
    /// The moment at which it came.
    pub asked: Instant,
}

/// The result of a call.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::bus) struct Answer {
    /// The result as JSON.
    pub result: String,
    /// Its usage.
    pub report: Report,
}

/// The usage of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::bus) struct Report {
    pub fuel: u64,
    pub memory: u64,
    pub millis: u64,
}

/// Told of each permission that a call was refused.
type Refusals = dyn Fn(&ExtensionName, &Touch) + Send + Sync;

/// Runs calls.
#[derive(Clone)]
pub(in crate::bus) struct Runner {
    pub manager: Arc<Manager>,
    pub explain: Arc<dyn Explain>,
    pub refusals: Arc<Refusals>,
    pub running: Arc<RunningExtensions>,
    pub publications: Publications,
    pub asker: Asker,
}

/// A result as the bus carries it.
#[derive(Serialize)]
struct ResultObject<'a> {
    result: &'a Returned,
}

impl CallRequest {
    /// Reads a message. Its arguments are a JSON array.
    pub(in crate::bus) fn read(
        name: &str,
        function: String,
        arguments: String,
    ) -> Result<Self, BusError> {
        let name = name.parse().map_err(|error| BusError::usage(format!("the name: {error}")))?;
        if function.len() > MAX_FUNCTION || function.contains('\0') {
            return Err(BusError::usage("this is not the name of a function"));
        }
        if arguments.len() > MAX_JSON {
            return Err(BusError::usage("the arguments are over 1 MiB: pass a file"));
        }
        let (arguments, asked) = (Arguments::Json(arguments), Instant::now());
        Ok(Self { name, function, arguments, wait: None, is_interactive: false, asked })
    }

    /// Returns the command that makes the same call. Long arguments are left to the reader.
    fn as_command(&self) -> String {
        let Self { name, function, arguments, .. } = self;
        let arguments = match arguments {
            Arguments::Json(json) if json.len() <= MAX_SHOWN && !json.contains(is_not_shown) => {
                format!(" --json-args '{json}'")
            }
            _ => String::new(),
        };
        format!("sesame extension call {name} '{}'{arguments}", function.replace(is_not_shown, ""))
    }

    /// Returns the time that its caller still waits; an error once that is over.
    fn rest(&self) -> Result<Option<Duration>, BusError> {
        let Some(wait) = self.wait else { return Ok(None) };
        match wait.checked_sub(self.asked.elapsed()) {
            Some(rest) if !rest.is_zero() => Ok(Some(rest)),
            _ => Err(BusError::limit("the time that the caller waits (`timeout-ms`) is over")),
        }
    }
}

impl Runner {
    /// Runs a call and waits for it, or for the end of `cancelled`.
    pub(in crate::bus) fn run(
        &self,
        request: &CallRequest,
        caller: &Caller,
        cancelled: impl Future<Output = ()> + Send,
    ) -> Result<Answer, BusError> {
        self.admit(request, caller)?;
        let mut cancelled = pin!(cancelled);
        let callable = self.open(request, caller, cancelled.as_mut())?;
        ensure_open(&callable, caller, &request.function)?;
        let call =
            || callable.call_until_blocking(&request.function, &request.arguments, cancelled);
        let call = || self.running.track(&request.name, call);
        let report = match &caller.standing {
            Standing::Outside => call(),
            // The program led to its messages, and may cause no question.
            Standing::Sandboxed(_) => self.publications.during(&request.name, 0, call),
        };
        let report = report.ok_or_else(|| BusError::unavailable("the call was cancelled"))?;
        self.tell_refusals(&request.name, &report);
        if may_ask(request, caller) {
            self.asker.ask_later(&callable.opened().installed, report.activity.refused());
        }
        self.answer(&callable, request, report)
    }

    /// Opens an extension. Where it lacks a permission, a person may be asked first, before any code
    /// runs.
    fn open(
        &self,
        request: &CallRequest,
        caller: &Caller,
        cancelled: Withdrawn<'_>,
    ) -> Result<Callable<'_>, BusError> {
        let outside = || Ok(OutsideCall { caller: caller.described(), wait: request.rest()? });
        let refused = match self.manager.callable_for(&request.name, &outside()?) {
            Ok(callable) => return Ok(callable),
            Err(error) => error,
        };
        let rest = request.rest()?;
        let late = async {
            rest.map_or_else(Timer::never, Timer::after).await;
        };
        let withdrawn = pin!(future::or(cancelled, late));
        let asked = may_ask(request, caller)
            .then(|| self.asker.ask_to_link(&request.name, &refused, withdrawn));
        match asked.flatten() {
            Some(Ok(())) => self
                .manager
                .callable_for(&request.name, &outside()?)
                .map_err(|error| self.unopened(&request.name, error)),
            Some(Err(why)) => Err(self.unopened(&request.name, refused).noting(&with_causes(&why))),
            None => Err(self.unopened(&request.name, refused)),
        }
    }

    fn unopened(&self, name: &ExtensionName, error: OpenError) -> BusError {
        let Explained { kind, text } = self.explain.unopened(name, error);
        BusError::of_kind(kind, text)
    }

    fn tell_refusals(&self, name: &ExtensionName, report: &CallReport) {
        report.activity.refused().for_each(|touch| (self.refusals)(name, touch));
    }

    /// Refuses a caller in a sandbox before anything is opened, by the manifest as it is now.
    pub(in crate::bus) fn admit(
        &self,
        request: &CallRequest,
        caller: &Caller,
    ) -> Result<(), BusError> {
        if caller.standing == Standing::Outside {
            return Ok(());
        }
        let loaded = self.manager.depot().manifest(&request.name).ok().flatten();
        let service = loaded.map(|loaded| loaded.manifest.service);
        let is_open = service.is_some_and(|service| caller.reaches(&service));
        if is_open { Ok(()) } else { Err(Caller::refusal()) }
    }

    fn answer(
        &self,
        callable: &Callable<'_>,
        request: &CallRequest,
        report: CallReport,
    ) -> Result<Answer, BusError> {
        let opened = callable.opened();
        let used = Report::of(&report.usage);
        let returned = report.outcome.map_err(|error| {
            let explained = self.explain.failed(opened, error, &report.activity);
            BusError::of_kind(explained.kind, explained.text)
        })?;
        let result = serde_json::to_string(&ResultObject { result: &returned })
            .map_err(|error| BusError::of_kind(ErrorKind::Failure, error.to_string()))?;
        if result.len() > MAX_JSON {
            return Err(BusError::limit(format!(
                "the result is over 1 MiB, which is too much for the bus\nhint: {}",
                request.as_command()
            )));
        }
        Ok(Answer { result, report: used })
    }
}

/// Tells whether a character does not stand for itself between single quotes of a shell.
fn is_not_shown(character: char) -> bool {
    character == '\'' || character.is_control()
}

/// Tells whether a person may be asked. A caller in a sandbox cannot let questions appear.
fn may_ask(request: &CallRequest, caller: &Caller) -> bool {
    request.is_interactive && caller.standing == Standing::Outside
}

/// Refuses a function that is not open to a caller in a sandbox.
fn ensure_open(callable: &Callable<'_>, caller: &Caller, function: &str) -> Result<(), BusError> {
    if caller.standing == Standing::Outside {
        return Ok(());
    }
    let service = &callable.opened().installed.loaded.manifest.service;
    let exports = callable.extension().exports();
    let named = exports.iter().filter(|it| it.name == function || it.qualified_name() == function);
    let mut is_there = false;
    for function in named {
        is_there = true;
        if !caller.may_call_exported(service, function) {
            return Err(Caller::refusal());
        }
    }
    if is_there { Ok(()) } else { Err(Caller::refusal()) }
}

impl Report {
    fn of(usage: &Usage) -> Self {
        Self {
            fuel: usage.fuel,
            memory: usage.memory_bytes as u64,
            millis: u64::try_from(usage.elapsed.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Writes an error as the value of a watch.
pub(in crate::bus) fn json_error(error: &BusError) -> String {
    serde_json::json!({ "error": { "kind": error.kind(), "message": error.text() } }).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{CallRequest, MAX_JSON};

    #[test]
    fn wrong_names_run_nothing() {
        let kind = |name: &str, function: &str, arguments: String| {
            CallRequest::read(name, function.to_owned(), arguments).map_err(|error| error.kind())
        };
        let long = "a".repeat(10 << 10);
        for name in ["../x", "a\0", "A", "", long.as_str()] {
            assert_eq!(
                kind(name, "f", "[]".to_owned()).expect_err("an error"),
                "Usage",
                "{name:?}"
            );
        }
        for function in ["a\0", long.as_str()] {
            assert_eq!(kind("a", function, "[]".to_owned()).expect_err("an error"), "Usage");
        }
        assert_eq!(kind("a", "f", "x".repeat(MAX_JSON + 1)).expect_err("an error"), "Usage");
        assert!(kind("a", "f", "x".repeat(MAX_JSON)).is_ok(), "its function reads it");
    }

    /// The time in the queue counts.
    #[test]
    fn waiting_counts_as_time() {
        let mut request =
            CallRequest::read("a", "f".to_owned(), "[]".to_owned()).expect("a request");
        assert_eq!(request.rest(), Ok(None));
        request.wait = Some(Duration::from_secs(60));
        assert!(request.rest().expect("time left").is_some_and(|rest| rest.as_secs() >= 50));
        request.asked = Instant::now().checked_sub(Duration::from_secs(61)).expect("before");
        assert_eq!(request.rest().expect_err("an error").kind(), "Limit");
    }
}
