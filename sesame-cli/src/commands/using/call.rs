//! `sesame extension call`

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;

use core_types::ExtensionName;
use extension_host::{Arguments, CallReport, Host, Word};
use extension_manager::{CallMode, Callable};

use crate::arguments::CallArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::installed::{learn, warn_of_refusals, worth_telling};
use crate::outcome::{Call, Outcome};

/// Calls one function in a new instance.
pub fn run(context: &Context, arguments: CallArguments) -> Result<Outcome, Failure> {
    let CallArguments { name, function, arguments, data, json_args, bytes, stats, learn, write } =
        arguments;
    let Some(function) = function else { return Err(without_function(context, &name)?) };
    let mode = if learn { CallMode::Learning } else { CallMode::Ordinary };
    let callable = context.manager()?.callable(&name, mode)?;
    let arguments = match json_args {
        Some(json) => Arguments::Json(json),
        None => {
            let data = data.into_iter().map(|word| Word::typed(word.into_vec()));
            let words = read_words(arguments)?.into_iter().chain(data);
            if bytes {
                Arguments::Bytes(words.map(Word::into_bytes).collect())
            } else {
                Arguments::Words(words.collect())
            }
        }
    };
    context.terminal.limit_waiting(callable.extension().limits().timeout());
    let report = callable.call_blocking(&function, &arguments);
    if learn {
        return learn::learn(context, &callable, report, write);
    }
    returned(context, &callable, report, stats)
}

/// Lists the callable functions for a call without one. This is a failure: a script that lost a
/// word must notice.
fn without_function(context: &Context, name: &ExtensionName) -> Result<Failure, Failure> {
    let installed = context.depot()?.installed(name)?;
    let host = Host::new().map_err(|error| Failure::of_host(name, error))?;
    let code = context.manager()?.code(&host, installed.binary())?;
    Ok(Failure::without_function(name, &host.exports(&code), host.purpose(&code)))
}

/// Shows the result of a call.
fn returned(
    context: &Context,
    callable: &Callable<'_>,
    report: CallReport,
    with_stats: bool,
) -> Result<Outcome, Failure> {
    let opened = callable.opened();
    let CallReport { outcome, usage, output, stderr_tail, activity } = report;
    let refused = worth_telling(&activity);
    let print_output = || context.verbose(String::from_utf8_lossy(&output).trim_end());
    match outcome {
        Ok(returned)
            if returned.is_err() && !(refused.is_empty() && activity.missing.is_empty()) =>
        {
            print_output();
            Err(Failure::returned_error(&returned)
                .with_refusals(&opened.installed.name, &refused)
                .with_missing(&activity.missing))
        }
        Ok(returned) => {
            warn_of_refusals(context, opened, &refused);
            let limits = callable.extension().limits().clone();
            Ok(Outcome::Called(Box::new(Call { returned, usage, limits, output, with_stats })))
        }
        Err(error) => {
            print_output();
            let failure = Failure::of_call(opened, error, &stderr_tail, &refused);
            Err(failure.with_missing(&activity.missing))
        }
    }
}

/// Reads the arguments, with the first `-` replaced by standard input.
fn read_words(words: Vec<OsString>) -> Result<Vec<Word>, Failure> {
    let mut is_read = false;
    let read = |word: OsString| {
        if word != "-" || std::mem::replace(&mut is_read, true) {
            return Ok(Word::typed(word.into_vec()));
        }
        let mut input = Vec::new();
        std::io::stdin().lock().read_to_end(&mut input)?;
        Ok(Word::read(input))
    };
    words.into_iter().map(read).collect()
}
