//! `sesame extension inspect`

use std::path::Path;

use core_types::{Authority, Digest, Document, ExtensionName, OciReference, Owner};
use extension_depot::{Artifact, Binary, Depot, Installed, Source};
use extension_manager::{ExamineError, Findings, InstallError, Nobody, SourceForm, check_form};

use crate::arguments::typed_source;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Asked, Inspection, Outcome, nothing_to_call};
use crate::terminal::waiting;

/// Shows an extension without installing or running it: its imports, its requests, and the
/// decisions on them.
pub fn run(context: &Context, what: &str, sha256: Option<&Digest>) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    if let Ok(name) = what.parse::<ExtensionName>() {
        if sha256.is_some() {
            let form = SourceForm::DigestOfNoFile { origin: name.to_string() };
            return Err(Failure::of_form(form, "inspect"));
        }
        return installed(context, depot, &name);
    }
    let source = typed_source(what).map_err(|error| Failure::mistyped(what, &error))?;
    check_form(&source, sha256).map_err(|error| Failure::of_form(error, "inspect"))?;
    let (name, no_name) = match source.default_name() {
        Ok(name) => (name, None),
        // The facts need no name, and what else is refused says more than that `install` wants one.
        Err(error) => (ExtensionName::default(), Some(InstallError::NoName(error))),
    };
    let inspected = of_source(context, &source, sha256, &name)?;
    let refusal = inspected.refusal.or_else(|| no_name.map(Failure::from));
    Ok(Outcome::Inspected(Box::new(Inspection { refusal, ..inspected })))
}

/// Shows the extension of a source under this name.
fn of_source(
    context: &Context,
    source: &Source,
    sha256: Option<&Digest>,
    name: &ExtensionName,
) -> Result<Inspection, Failure> {
    let depot = context.depot()?;
    if let Some(there) = installed_from(depot, source, name) {
        let bytes = (&there.artifact, there.binary());
        return inspection(context, depot, name, &there.reference, bytes);
    }
    // Inspecting trusts no signer, and an extension of the same name does not matter.
    let staged = context.installer(&Nobody)?.fetch_from(source, sha256, name)?;
    let bytes = (&staged.artifact, staged.binary());
    let inspected = inspection(context, depot, name, &staged.reference, bytes)?;
    let attached = attached(context, &staged.reference)?;
    Ok(Inspection { attached, ..inspected })
}

/// Returns the installed extension if the source names exactly its bytes, which saves a download.
fn installed_from(depot: &Depot, source: &Source, name: &ExtensionName) -> Option<Installed> {
    let Source::Registry(reference) = source else { return None };
    depot.installed_with_binary(name).filter(|installed| installed.reference == *reference)
}

/// Shows the extension that is installed under this name.
fn installed(context: &Context, depot: &Depot, name: &ExtensionName) -> Result<Outcome, Failure> {
    let installed = depot.installed(name).map_err(|error| {
        let failure = Failure::from(error);
        let file = Path::new(name.as_str());
        // A name means the installed extension, even if a file has the same name.
        if file.is_file() {
            failure.with_first_hint(format!("for the file: sesame extension inspect ./{name}"))
        } else {
            failure
        }
    })?;
    let bytes = (&installed.artifact, installed.binary());
    let inspected = inspection(context, depot, name, &installed.reference, bytes)?;
    Ok(Outcome::Inspected(Box::new(inspected)))
}

fn inspection(
    context: &Context,
    depot: &Depot,
    name: &ExtensionName,
    reference: &OciReference,
    (artifact, binary): (&Artifact, &Binary),
) -> Result<Inspection, Failure> {
    let Findings { host, code, requests, refusal, mismatch, purpose, .. } =
        context.manager()?.examine(name, binary)?;
    let refusal = refusal.map(|error| Failure::of_host(name, error));
    let refusal = refusal.or_else(|| mismatch.map(|error| ExamineError::from(error).into()));
    let authority = authority(context, depot, name, reference)?;
    let owner = Owner { name: name.clone(), identity: reference.identity() };
    Ok(Inspection {
        name: name.clone(),
        version: artifact.version(reference),
        description: artifact.description().map(str::to_owned),
        reference: reference.clone(),
        binary: binary.digest,
        binary_size: binary.size,
        imports: host.imports(&code),
        asks_for: Asked::all(&requests, &owner, &authority),
        exports: host.exports(&code),
        attached: Vec::new(),
        nothing_to_call: nothing_to_call(name, purpose),
        refusal,
    })
}

/// Returns the referrers in the registry, or nothing if it cannot be reached.
fn attached(context: &Context, reference: &OciReference) -> Result<Vec<String>, Failure> {
    if reference.is_local() || context.is_offline() {
        return Ok(Vec::new());
    }
    let looking = context.registry()?.referrer_types(reference);
    Ok(context.wait_for(waiting(
        context,
        format!("resolving the referrers of {reference}…"),
        looking,
    ))??)
}

/// Returns the rules for a call under this name now. Without a manifest nothing is decided yet; the
/// manifest of another extension does not count.
fn authority(
    context: &Context,
    depot: &Depot,
    name: &ExtensionName,
    reference: &OciReference,
) -> Result<Authority, Failure> {
    let policies = context.config()?.policies.clone();
    // The grants of another extension with this name say nothing about this one. A broken manifest
    // of that name matters only for an install.
    let loaded =
        depot.manifest(name).ok().flatten().filter(|_| depot.check_name(name, reference).is_ok());
    Ok(Authority {
        capabilities: loaded.as_ref().and_then(|loaded| loaded.manifest.capabilities.clone()),
        manifest: loaded.as_ref().map(Document::from).unwrap_or_default(),
        timed: depot.timed_grants(name, &reference.identity())?,
        policies,
    })
}
