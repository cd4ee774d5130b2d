//! `sesame extension call`

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;

use core_types::ExtensionName;
use extension_depot::Installed;
use extension_host::{Arguments, Extension, Host, HostError, Refusal};

use super::logs;
use crate::arguments::CallArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Call, Outcome};
use crate::ready;

/// Calls one function in a new instance.
pub fn run(context: &Context, arguments: CallArguments) -> Result<Outcome, Failure> {
    let CallArguments { name, function, arguments, data, json_args, stats } = arguments;
    let depot = context.depot()?;
    let installed = depot.installed(&name).map_err(|error| Failure::of_extension(&name, &error))?;
    let extension = extension(context, &installed)?;
    let arguments = match json_args {
        Some(json) => Arguments::Json(json),
        None => {
            let data = data.into_iter().map(OsString::into_vec);
            Arguments::Words(read_words(arguments)?.into_iter().chain(data).collect())
        }
    };
    let report = extension.call_blocking(&function, &arguments);
    logs::append(context, depot.places(), &name, &function, &report);
    let output = report.output;
    match report.outcome {
        Ok(returned) => Ok(Outcome::Called(Box::new(Call {
            returned,
            usage: report.usage,
            limits: extension.limits().clone(),
            output,
            with_stats: stats,
        }))),
        Err(error) => {
            context.explain(String::from_utf8_lossy(&output).trim_end());
            Err(Failure::of_call(&name, &error, &installed.loaded.path))
        }
    }
}

/// An installed extension, linked to what is in force for it.
fn extension(context: &Context, installed: &Installed) -> Result<Extension, Failure> {
    let name: &ExtensionName = &installed.name;
    context.warn_unknown_keys(&installed.loaded);
    if !installed.loaded.manifest.extension.enabled {
        return Err(Failure::disabled(name));
    }
    let permissions = context.permissions(&installed.loaded.manifest)?;
    let host = Host::new().map_err(|error| Failure::of_host(name, &error))?;
    let wasm = &installed.artifact.wasm.digest;
    let code = ready::code(context, &host, &context.places()?.blob(wasm), wasm)?;
    host.extension(&code, permissions)
        .map_err(|error| denied_by_policy(context, installed, &error).unwrap_or_else(|| Failure::of_host(name, &error)))
}

/// Whether the host refuses only what the manifest grants and a policy denies; then granting it again is no help.
fn denied_by_policy(context: &Context, installed: &Installed, error: &HostError) -> Option<Failure> {
    let HostError::Refused(refusals) = error else { return None };
    let granted = installed.loaded.manifest.granted();
    refusals.iter().find_map(|refusal| match refusal {
        Refusal::NotGranted { capability, .. } if granted.grants(*capability) => {
            let policies = &context.config().ok()?.policies;
            let (_, path) = policies.iter().find(|(policy, _)| policy.deny.contains(capability))?;
            Some(Failure::denied_by_policy(&installed.name, *capability, path))
        }
        _ => None,
    })
}

/// The arguments as bytes, with the first `-` replaced by standard input.
fn read_words(words: Vec<OsString>) -> Result<Vec<Vec<u8>>, Failure> {
    let mut is_read = false;
    let read = |word: OsString| {
        if word != "-" || std::mem::replace(&mut is_read, true) {
            return Ok(word.into_vec());
        }
        let mut input = Vec::new();
        std::io::stdin().lock().read_to_end(&mut input)?;
        Ok(input)
    };
    words.into_iter().map(read).collect()
}
