//! `sesame extension watch`

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::thread;

use core_types::ErrorKind;
use extension_host::Arguments;
use extension_manager::{CallMode, OpenError};
use extension_session::{BusClient, ClientError, WatchRequest};

use crate::arguments::WatchArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::installed::worth_telling;
use crate::outcome::Outcome;
use crate::render::{Bar, BarLine};
use crate::terminal::interrupt::end_with_reader;

/// Prints a line for each new result, until this process is told to end. A call that fails does not
/// end it: the next one may not fail.
pub fn run(context: &Context, arguments: WatchArguments) -> Result<Outcome, Failure> {
    let WatchArguments { name, function, arguments, every, on, format } = arguments;
    let words = arguments.into_iter().map(OsString::into_vec);
    // Also the check that there is such a function, and that it takes them.
    let callable = context.manager()?.callable(&name, CallMode::Ordinary)?;
    let checked = callable.extension().arguments_in_json(&function, &Arguments::words(words));
    let arguments =
        checked.map_err(|error| Failure::of_call(callable.opened(), error, &[], &[]))?;
    let request = WatchRequest { name, function, arguments, every, on };
    end_with_reader()?;
    let mut lines = Lines { context, bar: Bar::of(format, &request.name), last: None };
    match BusClient::connect(None).and_then(|client| client.watch(&request)) {
        Ok(values) => {
            for value in values {
                lines.show(BarLine::of(&serde_json::from_str(&value).unwrap_or_default()))?;
            }
            context.warn("the session service has ended");
        }
        Err(ClientError::NoBus(_) | ClientError::NotRunning) => {}
        Err(error) => return Err(error.into()),
    }
    by_timer(context, &request, &mut lines)
}

/// Calls the function in this process.
fn by_timer(
    context: &Context,
    request: &WatchRequest,
    lines: &mut Lines<'_>,
) -> Result<Outcome, Failure> {
    let Some(every) = request.every.filter(|_| request.on.is_empty()) else {
        let message = "only the session service knows of events, and it does not run";
        return Err(Failure::message(ErrorKind::Local, message).with_hint("sesame session run"));
    };
    loop {
        lines.show(line(context, request)?)?;
        thread::sleep(every);
    }
}

/// Calls the function, with the permissions of this moment. A failure of the call is a line.
fn line(context: &Context, request: &WatchRequest) -> Result<BarLine, Failure> {
    let problem = |failure: Failure| Ok(BarLine::of_problem(failure.in_one_line()));
    let callable = match context.manager()?.callable(&request.name, CallMode::Ordinary) {
        // Without a configuration that can be read, nothing will be called.
        Err(error @ OpenError::Config(_)) => return Err(error.into()),
        Err(error) => return problem(error.into()),
        Ok(callable) => callable,
    };
    let arguments = Arguments::Json(request.arguments.clone());
    let report = callable.call_blocking(&request.function, &arguments);
    match report.outcome {
        Ok(returned) => Ok(BarLine::of_result(&returned.to_json())),
        Err(error) => {
            let refused = worth_telling(&report.activity);
            problem(Failure::of_call(callable.opened(), error, &[], &refused))
        }
    }
}

/// The lines that were printed.
struct Lines<'a> {
    context: &'a Context,
    bar: Bar,
    last: Option<BarLine>,
}

impl Lines<'_> {
    /// Prints a line, if it is another one.
    fn show(&mut self, line: BarLine) -> Result<(), Failure> {
        if self.last.as_ref() == Some(&line) {
            return Ok(());
        }
        if let Some(problem) = &line.problem {
            self.context.warn(problem);
        }
        if let Some(text) = self.bar.line(&line) {
            self.context.terminal.data(text.as_bytes())?;
        }
        self.last = Some(line);
        Ok(())
    }
}
