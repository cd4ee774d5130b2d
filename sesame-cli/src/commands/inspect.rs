//! `sesame extension inspect`

use core_types::{Authority, Document, ExtensionName, Grant, OciReference, Request, decide};
use extension_depot::{Depot, Installed, Source, Staged};
use extension_host::{Host, boot_time};

use super::install::{Arrival, StageOrder, binary_of, requests_of, stage};
use crate::consent::Requests;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::{Asked, Inspection, Outcome};
use crate::ready;

/// Looks at an extension without installing or running it: what it imports, what it asks for, and what would be decided.
pub fn run(context: &Context, what: &str) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    if let Ok(name) = what.parse::<ExtensionName>() {
        let installed = depot.installed(&name).map_err(|error| Failure::of_extension(&name, &error))?;
        let binary = depot.places().blob(&installed.artifact.wasm.digest);
        let inspected = inspection(context, &depot, &name, &installed.reference, &installed.artifact, &binary)?;
        return Ok(Outcome::Inspected(Box::new(inspected)));
    }
    let source: Source = what.parse().map_err(|error| Failure::new(ExitCode::Usage, &error))?;
    let name = source.default_name().unwrap_or_default();
    // Nothing is trusted by being looked at.
    let order = StageOrder { source: &source, wanted: None, allow_plain_http: true };
    match stage(context, &depot, &name, &order)? {
        Arrival::Already(installed) => {
            let binary = depot.places().blob(&installed.artifact.wasm.digest);
            let Installed { reference, artifact, .. } = &*installed;
            let inspected = inspection(context, &depot, &name, reference, artifact, &binary)?;
            Ok(Outcome::Inspected(Box::new(inspected)))
        }
        Arrival::Staged(staged) => {
            let Staged { artifact, reference, .. } = &*staged;
            let inspected = inspection(context, &depot, &name, reference, artifact, &staged.binary())?;
            let attached = attached(context, reference)?;
            Ok(Outcome::Inspected(Box::new(Inspection { attached, ..inspected })))
        }
    }
}

fn inspection(
    context: &Context,
    depot: &Depot,
    name: &ExtensionName,
    reference: &OciReference,
    artifact: &extension_depot::Artifact,
    binary: &std::path::Path,
) -> Result<Inspection, Failure> {
    let host = Host::new().map_err(|error| Failure::of_host(name, &error))?;
    let code = ready::code(context, &host, binary, &artifact.wasm.digest)?;
    let imports = host.imports(&code);
    let requests = requests_of(&host, &code, &binary_of(binary, &artifact.wasm.digest, name)?)?;
    let authority = authority(context, depot, name, reference)?;
    Ok(Inspection {
        name: name.clone(),
        version: artifact.version(reference),
        description: artifact.description().map(str::to_owned),
        reference: reference.clone(),
        binary: artifact.wasm.digest,
        binary_size: artifact.wasm.size,
        imports,
        asks_for: asked(&requests, &authority),
        exports: host.exports(&code),
        attached: Vec::new(),
    })
}

/// What its registry has that refers to it. Where nobody can be asked, nothing is said.
fn attached(context: &Context, reference: &OciReference) -> Result<Vec<String>, Failure> {
    if reference.is_local() || context.is_offline() {
        return Ok(Vec::new());
    }
    Ok(context.wait_for(context.registry()?.referrer_types(reference))??)
}

/// What would decide if it were called under this name now. Without a manifest, nobody has decided yet.
fn authority(
    context: &Context,
    depot: &Depot,
    name: &ExtensionName,
    reference: &OciReference,
) -> Result<Authority, Failure> {
    let policies = context.config()?.policies.clone();
    let loaded = depot.manifest(name)?;
    Ok(Authority {
        capabilities: loaded.as_ref().and_then(|loaded| loaded.manifest.capabilities.clone()),
        manifest: loaded.as_ref().map(Document::from).unwrap_or_default(),
        timed: depot.timed_grants(name, &reference.identity())?,
        policies,
    })
}

fn asked(requests: &Requests, authority: &Authority) -> Vec<Asked> {
    let asked = |what: String, request: &Request| {
        let decision = decide(request, authority, boot_time());
        Asked { what, verdict: decision.verdict, rule: decision.to_string() }
    };
    let scoped = requests.grants.iter().map(|grant| asked(grant.to_string(), &request(grant)));
    let unscoped = requests
        .without_scope
        .iter()
        .map(|capability| asked(format!("{capability}=SCOPE"), &Request::Import(*capability)));
    scoped.chain(unscoped).collect()
}

/// The first thing that a grant would be used for. A grant of a pattern is asked about by its capability.
fn request(grant: &Grant) -> Request {
    match grant {
        Grant::SecretRead(name) => Request::ReadSecret(name.to_string()),
        Grant::SecretWrite(name) => Request::WriteSecret(name.to_string()),
        Grant::Env(name) => Request::ReadVariable(name.clone()),
        Grant::FilesystemRead(path) => Request::OpenDirectory { path: path.clone(), write: false },
        Grant::FilesystemWrite(path) => Request::OpenDirectory { path: path.clone(), write: true },
        other => Request::Import(other.capability()),
    }
}
