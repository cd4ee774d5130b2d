//! `sesame extension verify`

use core_types::ExtensionName;
use extension_depot::{Depot, Verification};
use extension_host::{CacheError, CodeKey, Host};

use super::install::reinstall;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::{Check, Outcome};
use crate::ready;

/// Reads and hashes everything, the compiled code included, and mends what it can if asked to.
pub fn run(context: &Context, names: Vec<ExtensionName>, repair: bool) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let names = if names.is_empty() { all(&depot)? } else { names };
    Ok(Outcome::Verified(names.iter().map(|name| check(context, &depot, name, repair)).collect()))
}

fn all(depot: &Depot) -> Result<Vec<ExtensionName>, Failure> {
    let listed = depot.list().map_err(|error| Failure::new(ExitCode::Local, &error))?;
    Ok(listed.into_iter().map(|listed| listed.name).collect())
}

fn check(context: &Context, depot: &Depot, name: &ExtensionName, repair: bool) -> Check {
    let mut check = Check { name: name.clone(), findings: Vec::new(), repaired: Vec::new() };
    let verification = depot.verify(name);
    if !verification.findings.is_empty() {
        check_artifact(context, depot, &verification, repair, &mut check);
    }
    if check.findings.is_empty() {
        check_code(context, depot, name, repair, &mut check);
    }
    check
}

fn check_artifact(context: &Context, depot: &Depot, verification: &Verification, repair: bool, check: &mut Check) {
    let name = &verification.name;
    let findings: Vec<_> = verification.findings.iter().map(ToString::to_string).collect();
    match &verification.reference {
        Some(reference) if repair && reference.is_local() => {
            check.findings.extend(findings);
            check.findings.push("it did not come from a registry: install it from its file once more".to_owned());
        }
        Some(reference) if repair && reference.provenance().is_some() => {
            match reinstall(context, depot, name, reference) {
                Ok(()) => check.repaired.extend(findings),
                Err(failure) => {
                    check.findings.extend(findings);
                    check.findings.push(format!("cannot fetch it again: {}", failure.message));
                }
            }
        }
        _ => check.findings.extend(findings),
    }
}

/// Compiled code is worth a finding only when it is there and wrong; what is missing is made when it is needed.
fn check_code(context: &Context, depot: &Depot, name: &ExtensionName, repair: bool, check: &mut Check) {
    let Ok(installed) = depot.installed(name) else { return };
    let Ok(cache) = context.code_cache() else { return };
    let wasm = &installed.artifact.wasm.digest;
    let key = CodeKey::new(wasm);
    let error = match cache.verify(&key) {
        Ok(()) | Err(CacheError::Missing { .. }) => return,
        Err(error) => error.to_string(),
    };
    if !repair {
        return check.findings.push(error);
    }
    let compiled = cache.remove(&key).map_err(|error| error.to_string()).and_then(|()| {
        let host = Host::new().map_err(|error| error.to_string())?;
        ready::code(context, &host, &depot.places().blob(wasm), wasm).map(drop).map_err(|failure| failure.message)
    });
    match compiled {
        Ok(()) => check.repaired.push(error),
        Err(again) => check.findings.extend([error, again]),
    }
}
