//! `sesame extension sync`: a plan for every extension first, then what it takes

use core_types::{ExtensionEntry, ExtensionList, ExtensionName, Grant, OciReference};
use extension_depot::{Depot, Listed, Staged};
use extension_host::{Binary, compile_many};

use super::change::grant_for_a_while;
use super::install::{Terms, check_direction, install};
use super::list::listed;
use super::trust;
use super::update::replace;
use crate::arguments::{ListSource, SyncArguments};
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::{Outcome, Step, StepState};
use crate::progress::{DownloadBar, waiting};

/// What one extension takes.
struct Planned {
    step: Step,
    /// What the list says of it, if there is a list.
    entry: Option<ExtensionEntry>,
}

/// What a list says, and where it was published, if it was.
struct List {
    extensions: ExtensionList,
    published: Option<OciReference>,
}

/// Makes installed what the manifests or a list say, and nothing else.
pub fn run(context: &Context, arguments: &SyncArguments) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let list = arguments.list.as_ref().map(|source| read_list(context, source)).transpose()?;
    let published = list.as_ref().and_then(|list| list.published.clone());
    let mut plan = match list {
        None => plan_of_manifests(&depot)?,
        Some(list) => list.extensions.into_entries().map(|(name, entry)| plan_of_entry(&depot, name, entry)).collect(),
    };
    if arguments.locked {
        plan.iter_mut().for_each(|planned| refuse_unpinned(&mut planned.step));
    }
    if !arguments.check && !arguments.dry_run {
        apply(context, &depot, &mut plan, published.as_ref(), arguments)?;
    }
    let steps = plan.into_iter().map(|planned| planned.step).collect();
    Ok(Outcome::Synced { steps, is_check: arguments.check })
}

fn read_list(context: &Context, source: &ListSource) -> Result<List, Failure> {
    let (text, published, place) = match source {
        ListSource::File(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                Failure::message(ExitCode::Local, format!("cannot read `{}`", path.display())).caused_by(&error)
            })?;
            (text, None, path.display().to_string())
        }
        ListSource::Published(reference) => {
            context.check_source(reference)?;
            let listing = waiting(context, format!("resolving {reference}…"), context.registry()?.list(reference));
            let (pinned, text) = context.wait_for(listing)??;
            (text, Some(pinned), reference.to_string())
        }
    };
    let parsed = ExtensionList::parse(&text, published.is_some())
        .map_err(|problem| Failure::message(ExitCode::Failure, format!("the list `{place}` is wrong: {problem}")))?;
    context.warn_of_keys(parsed.unknown_keys.iter().map(|key| (place.clone(), key)));
    Ok(List { extensions: parsed.value, published })
}

fn plan_of_manifests(depot: &Depot) -> Result<Vec<Planned>, Failure> {
    Ok(listed(depot)?
        .into_iter()
        .map(|listed| Planned { step: step_of_manifest(depot, listed), entry: None })
        .collect())
}

/// What one manifest takes.
fn step_of_manifest(depot: &Depot, listed: Listed) -> Step {
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

/// What one entry of a list takes. A manifest that is there already decides what the extension may do.
fn plan_of_entry(depot: &Depot, name: ExtensionName, entry: ExtensionEntry) -> Planned {
    let reference = entry.oci.clone();
    let step = |state, problem| Step { name: name.clone(), reference: Some(reference.clone()), state, problem };
    let failed = |failure: Failure| step(StepState::Failed, Some(failure.in_one_line()));
    let step = match depot.check_name(&name, &reference).and_then(|()| Ok(depot.manifest(&name)?)) {
        Err(error) => failed(Failure::of_extension(&name, &error)),
        Ok(None) => step(StepState::ToInstall, None),
        // What somebody is to be given is not given to whoever a list names.
        Ok(Some(loaded)) if loaded.manifest.extension.oci.is_none() => {
            step(StepState::Failed, Some("its manifest has no `oci`, and a list does not say whose it is".to_owned()))
        }
        Ok(Some(loaded)) => match loaded.pinned() {
            None => step(StepState::ToInstall, None),
            Some((pinned, _)) if !is_same(&pinned, &reference) => step(StepState::ToUpdate, None),
            Some(_) if depot.whole(&name).is_some() => step(StepState::Done, None),
            Some(_) => step(StepState::ToFetch, None),
        },
    };
    Planned { step, entry: Some(entry) }
}

/// Whether what is installed is what a list wants: the same bytes, or, where the list names none, the same tag.
fn is_same(pinned: &OciReference, wanted: &OciReference) -> bool {
    match wanted.provenance() {
        Some(provenance) => pinned.provenance() == Some(provenance),
        None => pinned.unpinned() == *wanted,
    }
}

/// What is not pinned can be another thing tomorrow.
fn refuse_unpinned(step: &mut Step) {
    let is_pinned = step.reference.as_ref().is_some_and(|reference| reference.provenance().is_some());
    if step.state != StepState::Failed && !is_pinned {
        step.state = StepState::Failed;
        step.problem = Some("its manifest is not pinned to a digest".to_owned());
    }
}

/// Fetches some at a time, compiles what has come with all processors, and then puts each into place.
fn apply(
    context: &Context,
    depot: &Depot,
    plan: &mut [Planned],
    published: Option<&OciReference>,
    arguments: &SyncArguments,
) -> Result<(), Failure> {
    let arrived = stage(context, depot, plan, arguments.allow_plain_http)?;
    let (fetched, other): (Vec<_>, Vec<_>) =
        arrived.into_iter().partition(|(at, _)| plan[*at].step.state == StepState::ToFetch);
    put_back(depot, plan, &fetched)?;
    for (at, staged) in other {
        let done = put_in_place(context, depot, &plan[at], &staged, published, arguments);
        plan[at].step.end(done.map_err(|failure| failure.in_one_line()));
    }
    Ok(())
}

/// Fetches and compiles what has to be fetched. What cannot be had or compiled is noted in the plan.
fn stage(
    context: &Context,
    depot: &Depot,
    plan: &mut [Planned],
    allow_plain_http: bool,
) -> Result<Vec<(usize, Staged)>, Failure> {
    let wanted = wanted(context, depot, plan, allow_plain_http);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let (places, references): (Vec<_>, Vec<_>) = wanted.into_iter().unzip();
    let (cache, compiler, registry) = (context.code_cache()?, context.compiler(), context.registry()?);
    let bar = DownloadBar::new(context);
    let (staged, failed) = compile_many(&cache, &compiler, references.len(), |queue| {
        let arrived = |place: usize, staged: &Staged| {
            let binary =
                Binary { place: places[place], path: staged.binary.path.clone(), digest: staged.binary.digest };
            // Who compiles is there for as long as this goes on.
            let _ = queue.send(binary);
        };
        context.wait_for(registry.stage_all(depot, &references, &|progress| bar.update(progress), &arrived))
    });
    let mut arrived = Vec::new();
    for (at, result) in places.into_iter().zip(staged?) {
        match result {
            Ok(staged) => arrived.push((at, staged)),
            Err(error) => plan[at].step.end(Err(Failure::from(error).in_one_line())),
        }
    }
    for (at, error) in failed {
        arrived.retain(|(place, _)| *place != at);
        plan[at].step.end(Err(Failure::from(error).in_one_line()));
    }
    Ok(arrived)
}

/// What has to be fetched and may come from where it lies, by its place in the plan.
fn wanted(
    context: &Context,
    depot: &Depot,
    plan: &mut [Planned],
    allow_plain_http: bool,
) -> Vec<(usize, OciReference)> {
    let mut wanted = Vec::new();
    for (at, planned) in plan.iter_mut().enumerate().filter(|(_, planned)| planned.step.state.is_to_do()) {
        let Some(reference) = planned.step.reference.clone() else { continue };
        let allowed = if reference.is_local() {
            Err("it came from a file: install it from its file once more".to_owned())
        } else {
            let name = &planned.step.name;
            let checked = context.check_source(&reference);
            let secure = || trust::check_transport(context, depot, name, &reference, allow_plain_http);
            checked.and_then(|()| secure()).map_err(|failure| failure.in_one_line())
        };
        match allowed {
            Ok(()) => wanted.push((at, reference)),
            Err(problem) => planned.step.end(Err(problem)),
        }
    }
    wanted
}

/// Puts the bytes of manifests that are there already back into place, all at once. The manifests stay as they are, to
/// the byte.
fn put_back(depot: &Depot, plan: &mut [Planned], fetched: &[(usize, Staged)]) -> Result<(), Failure> {
    if fetched.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = fetched.iter().map(|(at, _)| plan[*at].step.name.clone()).collect();
    let all: Vec<_> = names.iter().zip(fetched).map(|(name, (_, staged))| (name, staged)).collect();
    let repaired = depot.repair(&all).map_err(|error| Failure::new(ExitCode::Local, &error))?;
    for (((at, _), name), result) in fetched.iter().zip(&names).zip(repaired) {
        let done = result.map(|()| StepState::Fetched);
        plan[*at].step.end(done.map_err(|error| Failure::of_extension(name, &error).in_one_line()));
    }
    Ok(())
}

/// Installs or updates one extension. A list asks on behalf of its extensions; what policy lets it have needs no question.
fn put_in_place(
    context: &Context,
    depot: &Depot,
    planned: &Planned,
    staged: &Staged,
    published: Option<&OciReference>,
    arguments: &SyncArguments,
) -> Result<StepState, Failure> {
    let SyncArguments { grant_requested, allow_downgrade, .. } = *arguments;
    let Planned { step: Step { name, state, .. }, entry } = planned;
    let grant = preapproved(context, entry.as_ref(), published)?;
    if *state == StepState::ToUpdate {
        update_to(context, depot, name, staged, &grant, arguments)?;
        return Ok(StepState::Updated);
    }
    let list = published.map_or_else(|| "a list".to_owned(), |list| format!("the list {list}"));
    let source = if entry.is_some() { list } else { staged.reference.unpinned().to_string() };
    let terms = Terms {
        source,
        grant: &grant,
        grant_requested,
        entry: entry.as_ref(),
        evidence: None,
        claimed: None,
        signer: None,
        allow_downgrade,
        names_bytes: true,
        replaces: false,
    };
    let installation = install(context, depot, staged, name, &terms)?;
    for denied in &installation.denied {
        context.say(&format!(
            "`{name}` is not granted {}: sesame extension grant {name} {}",
            denied.capability, denied.grant
        ));
    }
    Ok(if *state == StepState::ToPin { StepState::Pinned } else { StepState::Installed })
}

/// Puts the version of a list in the place of the installed one.
fn update_to(
    context: &Context,
    depot: &Depot,
    name: &ExtensionName,
    staged: &Staged,
    grant: &[Grant],
    arguments: &SyncArguments,
) -> Result<(), Failure> {
    let of_extension = |error| Failure::of_extension(name, &error);
    let installed = depot.installed(name).map_err(of_extension)?;
    let basis = depot.basis_of(&installed).map_err(of_extension)?;
    check_direction(name, Some(&installed.reference), &staged.reference, arguments.allow_downgrade)?;
    let decision = replace(context, depot, (&installed, &basis), staged, grant, arguments.grant_requested)?;
    if decision.for_session.is_empty() {
        return Ok(());
    }
    grant_for_a_while(context, name, Some(&staged.reference), &decision.for_session, None).map(drop)
}

fn preapproved(
    context: &Context,
    entry: Option<&ExtensionEntry>,
    published: Option<&OciReference>,
) -> Result<Vec<Grant>, Failure> {
    let Some((entry, list)) = entry.zip(published) else { return Ok(Vec::new()) };
    let config = context.config()?;
    let asked = entry.capabilities.grants_in_full();
    Ok(asked.into_iter().filter(|grant| config.preapproves(list, grant)).collect())
}
