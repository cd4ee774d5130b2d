//! `sesame extension call`

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;

use core_types::{Capability, ExtensionName, Touch};
use extension_depot::Opened;
use extension_host::{Arguments, CallReport, Extension, Host, HostError, Purpose, Refusal, Word};

use super::{learn, logs};
use crate::arguments::CallArguments;
use crate::context::Context;
use crate::failure::{Failure, refusal};
use crate::outcome::{Call, Outcome};
use crate::ready;

/// Calls one function in a new instance.
pub fn run(context: &Context, arguments: CallArguments) -> Result<Outcome, Failure> {
    let CallArguments { name, function, arguments, data, json_args, bytes, stats, learn, write } = arguments;
    if context.is_safe_mode() {
        return Err(Failure::safe_mode());
    }
    let Some(function) = function else { return Err(without_function(context, &name)?) };
    let depot = context.depot()?;
    let opened = depot.open(&name, context.config()?).map_err(|error| Failure::of_extension(&name, &error))?;
    let extension = extension(context, &opened, learn)?;
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
    let report = extension.call_blocking(&function, &arguments);
    logs::append(context, depot.places(), &name, &function, &report);
    if learn {
        return learn::run(context, &depot, &opened, &extension, report, write);
    }
    returned(context, &opened, &extension, report, stats)
}

/// What can be called, for somebody who did not say what. That is no success: a script that lost a word must notice.
fn without_function(context: &Context, name: &ExtensionName) -> Result<Failure, Failure> {
    let installed = context.depot()?.installed(name).map_err(|error| Failure::of_extension(name, &error))?;
    let host = Host::new().map_err(|error| Failure::of_host(name, &error))?;
    let code = ready::code(context, &host, &installed.binary)?;
    Ok(Failure::without_function(name, &host.exports(&code), host.purpose(&code) == Purpose::Program))
}

/// What the user sees of a call.
fn returned(
    context: &Context,
    opened: &Opened,
    extension: &Extension,
    report: CallReport,
    with_stats: bool,
) -> Result<Outcome, Failure> {
    let (name, limits_file) = (&opened.installed.name, &opened.installed.loaded.path);
    let CallReport { outcome, usage, output, stderr_tail, activity } = report;
    let refused: Vec<_> = activity.refused().filter(|touch| is_worth_telling(touch)).collect();
    let explain = || context.explain(String::from_utf8_lossy(&output).trim_end());
    match outcome {
        Ok(returned) if returned.is_err() && !(refused.is_empty() && activity.missing.is_empty()) => {
            explain();
            Err(Failure::returned_error(&returned).with_refusals(name, &refused).with_missing(&activity.missing))
        }
        Ok(returned) => {
            refused.iter().for_each(|touch| warn_of_refusal(context, opened, touch));
            let limits = extension.limits().clone();
            Ok(Outcome::Called(Box::new(Call { returned, usage, limits, output, with_stats })))
        }
        Err(error) => {
            explain();
            let failure = Failure::of_call(name, &error, limits_file, &stderr_tail).with_refusals(name, &refused);
            Err(failure.with_missing(&activity.missing))
        }
    }
}

/// An own setting that is kept from an extension is kept on purpose, and extensions ask for settings that nobody made.
pub fn is_worth_telling(touch: &Touch) -> bool {
    !touch.what.starts_with(Capability::ConfigRead.name())
}

pub fn warn_of_refusal(context: &Context, opened: &Opened, touch: &Touch) {
    let name = &opened.installed.name;
    let grant = touch.grant.as_ref().map(|grant| format!("; allow it with: sesame extension grant {name} {grant}"));
    context.warn(&format!("{}{}", refusal(name, touch), grant.unwrap_or_default()));
}

/// The extension, linked to what is in force for it at this moment.
pub fn extension(context: &Context, opened: &Opened, learn: bool) -> Result<Extension, Failure> {
    let installed = &opened.installed;
    context.warn_unknown_keys(&installed.loaded);
    let host = ready::session_host(context, installed)?;
    let code = ready::code(context, &host, &installed.binary)?;
    let permissions = opened.permissions.clone();
    let linked =
        if learn { host.extension_to_learn_from(&code, permissions) } else { host.extension(&code, permissions) };
    linked
        .map_err(|error| denied_by_policy(opened, &error).unwrap_or_else(|| Failure::of_host(&installed.name, &error)))
}

/// Whether the host refuses only what the manifest grants and a policy denies; then granting it again is no help.
fn denied_by_policy(opened: &Opened, error: &HostError) -> Option<Failure> {
    let HostError::Refused(refusals) = error else { return None };
    let authority = &opened.permissions.authority;
    refusals.iter().find_map(|refusal| match refusal {
        Refusal::NotGranted { capability, .. } => {
            let (_, document) = authority.policies.iter().find(|(policy, _)| policy.deny.contains(capability))?;
            Some(Failure::denied_by_policy(&opened.installed.name, *capability, &document.path))
        }
        _ => None,
    })
}

/// The arguments, with the first `-` replaced by standard input.
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
