//! `sesame extension verify`

use core_types::{ExtensionName, OciReference};
use extension_depot::{Depot, Installed, Listed, TrustAnchor, Verification};
use extension_host::{CacheError, CodeKey, Host};
use extension_manager::Nobody;

use crate::arguments::{GivenSigner, typed_reference};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Check, Outcome};
use crate::signing::proof;
use crate::terminal::waiting;

/// Reads and hashes each file, the compiled code included, repairs damage on request, and shows the
/// signers. References that are not installed are verified in their registry.
pub fn run(
    context: &Context,
    what: &[String],
    repair: bool,
    signer: Option<GivenSigner<'_>>,
) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let wanted = signer.map(proof).transpose()?;
    if what.is_empty() {
        // An extension that another process has removed meanwhile need not be verified.
        let check_one = |listed: Listed| check(context, depot, &listed.name, repair).ok();
        let listed = depot.list()?;
        return Ok(Outcome::Verified(listed.into_iter().filter_map(check_one).collect()));
    }
    let verify = |what: &String| match what.parse::<ExtensionName>() {
        Ok(name) => verify_installed(context, depot, &name, repair, wanted.as_ref()),
        Err(_) => verify_reference(context, what, wanted.as_ref()),
    };
    Outcome::of_each(what, verify, Outcome::Verified)
}

/// Verifies an installed extension. Its signer is the one from the install; the registry is asked
/// again if a signer is required or present policies want another one.
fn verify_installed(
    context: &Context,
    depot: &Depot,
    name: &ExtensionName,
    repair: bool,
    wanted: Option<&TrustAnchor>,
) -> Result<Check, Failure> {
    let mut check = check(context, depot, name, repair)?;
    let Ok(installed) = depot.installed(name) else { return Ok(check) };
    let Installed { reference, artifact, .. } = &installed;
    if wanted.is_some() || depot.check_recorded_signature(&installed, context.config()?).is_err() {
        let evidence = context.installer(&Nobody)?.verify_signer(name, reference, wanted)?;
        depot.lock()?.note_signature(&installed, &evidence)?;
        check.signature = Some(evidence.signature.to_string());
        return Ok(check);
    }
    let record = depot.record(name, &artifact.digest)?;
    if let Some(recorded) = record.and_then(|record| record.signature) {
        check.signature = Some(recorded.state.to_string());
        check.checked_at = Some(recorded.checked_at.to_string());
    }
    Ok(check)
}

fn verify_reference(
    context: &Context,
    what: &str,
    wanted: Option<&TrustAnchor>,
) -> Result<Check, Failure> {
    let reference = typed_reference(what).map_err(|error| Failure::mistyped(what, &error))?;
    let resolving = waiting(
        context,
        format!("resolving {reference}…"),
        context.registry()?.resolve_signable(&reference),
    );
    let resolved = context.wait_for(resolving)??;
    let name = resolved.default_name().unwrap_or_default();
    let evidence = context.installer(&Nobody)?.verify_signer(&name, &resolved, wanted)?;
    let signature = Some(evidence.signature.to_string());
    Ok(Check { signature, ..Check::of(resolved.to_string()) })
}

fn check(
    context: &Context,
    depot: &Depot,
    name: &ExtensionName,
    repair: bool,
) -> Result<Check, Failure> {
    let mut check = Check::of(name.to_string());
    let verification = depot.verify(name)?;
    if !verification.findings.is_empty() {
        check_artifact(context, &verification, repair, &mut check);
    }
    if check.findings.is_empty() {
        check_code(context, depot, name, repair, &mut check);
    }
    Ok(check)
}

fn check_artifact(context: &Context, verification: &Verification, repair: bool, check: &mut Check) {
    let name = &verification.name;
    let findings: Vec<_> = verification.findings.iter().map(ToString::to_string).collect();
    match &verification.reference {
        Some(reference) if repair && reference.is_local() => {
            check.findings.extend(findings);
            check.findings.push(
                "it did not come from a registry: install it from its file once more".to_owned(),
            );
        }
        Some(reference) if repair && reference.provenance().is_some() => {
            match restore(context, name, reference) {
                Ok(()) => check.repaired.extend(findings),
                Err(failure) => {
                    check.findings.extend(findings);
                    check.findings.push(format!("cannot fetch it again: {failure}"));
                }
            }
        }
        _ => check.findings.extend(findings),
    }
}

/// Checks compiled code. Only wrong code is a finding; missing code is compiled when it is needed.
fn check_code(
    context: &Context,
    depot: &Depot,
    name: &ExtensionName,
    repair: bool,
    check: &mut Check,
) {
    let Ok(installed) = depot.installed(name) else { return };
    let Ok(cache) = context.code_cache() else { return };
    let key = CodeKey::new(&installed.binary().digest);
    let error = match cache.verify(&key) {
        Ok(()) | Err(CacheError::Missing { .. }) => return,
        Err(error) => error.to_string(),
    };
    if !repair {
        return check.findings.push(error);
    }
    let compiled = cache.remove(&key).map_err(|error| error.to_string()).and_then(|()| {
        let host = Host::new().map_err(|error| error.to_string())?;
        let code =
            context.manager().and_then(|manager| Ok(manager.code(&host, installed.binary())?));
        code.map(drop).map_err(|failure| failure.to_string())
    });
    match compiled {
        Ok(()) => check.repaired.push(error),
        Err(again) => check.findings.extend([error, again]),
    }
}

/// Fetches the pinned bytes of an extension again.
fn restore(
    context: &Context,
    name: &ExtensionName,
    reference: &OciReference,
) -> Result<(), Failure> {
    Ok(context.installer(&Nobody)?.restore(name, reference)?)
}
