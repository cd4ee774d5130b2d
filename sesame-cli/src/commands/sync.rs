//! `sesame extension sync`

use core_types::{ExtensionName, OciReference};
use extension_depot::{Depot, Listed, Source};
use extension_host::Host;

use super::install::{self, reinstall};
use crate::arguments::{InstallArguments, SyncArguments};
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::{Outcome, Step, StepState};
use crate::ready;

/// Makes installed what the manifests say, and nothing else: a plan for every manifest first, then what it takes.
pub fn run(context: &Context, arguments: &SyncArguments) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let listed = depot.list().map_err(|error| Failure::new(ExitCode::Local, &error))?;
    let mut steps: Vec<_> = listed.into_iter().map(|listed| plan(&depot, listed)).collect();
    if arguments.locked {
        steps.iter_mut().for_each(refuse_unpinned);
    }
    if arguments.check || arguments.dry_run {
        return Ok(Outcome::Synced { steps, is_check: arguments.check });
    }
    for step in &mut steps {
        apply(context, &depot, step);
    }
    Ok(Outcome::Synced { steps, is_check: false })
}

/// What one manifest takes.
fn plan(depot: &Depot, listed: Listed) -> Step {
    let Listed { name, manifest, .. } = listed;
    let step = |reference, state, problem| Step { name: name.clone(), reference, state, problem };
    let loaded = match manifest {
        Ok(loaded) => loaded,
        Err(error) => return step(None, StepState::Failed, Some(crate::render::first_line(&error.to_string()))),
    };
    let Some(reference) = loaded.manifest.extension.oci.clone() else {
        return step(None, StepState::Failed, Some("its manifest has no `oci` to install from".to_owned()));
    };
    let state = match loaded.pinned() {
        None => StepState::ToPin,
        Some(_) if depot.whole(&name).is_some() => StepState::Done,
        Some(_) => StepState::ToFetch,
    };
    step(Some(reference), state, None)
}

/// What is not pinned can be another thing tomorrow.
fn refuse_unpinned(step: &mut Step) {
    if step.state == StepState::ToPin {
        step.state = StepState::Failed;
        step.problem = Some("its manifest is not pinned to a digest".to_owned());
    }
}

fn apply(context: &Context, depot: &Depot, step: &mut Step) {
    let Some(reference) = step.reference.clone() else { return };
    let applied = match step.state {
        StepState::ToFetch => fetch(context, depot, &step.name, &reference).map(|()| StepState::Fetched),
        StepState::ToPin => pin(context, &step.name, reference).map(|()| StepState::Pinned),
        _ => return,
    };
    match applied {
        Ok(state) => step.state = state,
        Err(failure) => {
            step.state = StepState::Failed;
            step.problem = Some(failure.in_one_line());
        }
    }
}

/// Fetches exactly what the manifest is pinned to. The manifest stays as it is, to the byte.
fn fetch(context: &Context, depot: &Depot, name: &ExtensionName, reference: &OciReference) -> Result<(), Failure> {
    if reference.is_local() {
        return Err(Failure::message(ExitCode::NotFound, "it came from a file: install it from its file once more"));
    }
    reinstall(context, depot, name, reference)?;
    let host = Host::new().map_err(|error| Failure::of_host(name, &error))?;
    let installed = depot.installed(name).map_err(|error| Failure::of_extension(name, &error))?;
    let wasm = &installed.artifact.wasm.digest;
    ready::code(context, &host, &depot.places().blob(wasm), wasm).map(drop)
}

/// Installs what the manifest names without a digest, which pins it.
fn pin(context: &Context, name: &ExtensionName, reference: OciReference) -> Result<(), Failure> {
    let source = Source::Registry(reference);
    let (grant, name) = (Vec::new(), Some(name.clone()));
    let arguments = InstallArguments { source, version: None, name, grant, grant_requested: false };
    install::run(context, &arguments).map(drop)
}
