//! `sesame extension sync`: a plan for every extension first, then what it takes

mod drift;
mod list;

use core_types::{ErrorKind, ExtensionEntry, ExtensionName, Grant, OciReference};
use extension_depot::{Depot, DepotError, Listed, LoadedManifest, Staged, UserConfig};
use extension_host::{Binary, compile_many};

use self::list::List;
use super::change::grant_for_a_while;
use super::install::{Terms, check_direction, install};
use super::list::listed;
use super::trust;
use super::update::replace;
use crate::arguments::SyncArguments;
use crate::consent::Decision;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Denied, Outcome, Step, StepState};
use crate::progress::DownloadBar;

/// What one extension takes.
struct Planned {
    step: Step,
    /// What the list says of it, if there is a list that names it.
    entry: Option<ExtensionEntry>,
    /// Whether there was nothing of this name before.
    is_new: bool,
}

impl Planned {
    /// Whether it is on the list, or came from there and is still there.
    fn is_from_list(&self, name: &ExtensionName) -> bool {
        let is_left = matches!(self.step.state, StepState::LeftOver | StepState::Failed);
        self.step.name == *name && (self.entry.is_some() || is_left)
    }
}

/// Makes installed what the manifests or a list say, and nothing else.
pub fn run(context: &Context, arguments: &SyncArguments) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let list = arguments
        .list
        .as_ref()
        .map(|source| List::read(context, &depot, source, arguments))
        .transpose()?;
    let mut plan = match &list {
        None => plan_of_manifests(context, &depot)?,
        Some(list) => plan_of_list(context, &depot, list, arguments)?,
    };
    if arguments.locked {
        plan.iter_mut().for_each(|planned| refuse_unpinned(&mut planned.step));
    }
    if let Some(list) = &list {
        plan.extend(drift::leftovers(context, &depot, list, arguments)?);
    }
    if !arguments.check && !arguments.dry_run {
        apply(context, &depot, &mut plan, list.as_ref(), arguments)?;
    }
    let steps = plan.into_iter().map(|planned| planned.step).collect();
    Ok(Outcome::Synced { steps, is_check: arguments.check })
}

fn plan_of_manifests(context: &Context, depot: &Depot) -> Result<Vec<Planned>, Failure> {
    let planned = |listed: Listed| {
        let mut step = step_of_manifest(depot, listed);
        let reference = step.reference.as_ref().filter(|_| step.state.is_to_do());
        if let Some(Err(failure)) = reference.map(|reference| context.check_source(reference)) {
            step.end(Err(failure.in_one_line()));
        }
        Planned { step, entry: None, is_new: false }
    };
    Ok(listed(depot)?.into_iter().map(planned).collect())
}

/// What one manifest takes.
fn step_of_manifest(depot: &Depot, listed: Listed) -> Step {
    let Listed { name, manifest, .. } = listed;
    let failed = |problem: String| {
        let mut step = Step::new(&name, None, StepState::Failed);
        step.problem = Some(problem);
        step
    };
    let loaded = match manifest {
        Ok(loaded) => loaded,
        Err(error) => return failed(crate::render::first_line(&error.to_string())),
    };
    let Some(reference) = loaded.manifest.extension.oci.clone() else {
        return failed("its manifest has no `oci` to install from".to_owned());
    };
    let state = match loaded.pinned() {
        None => StepState::ToPin,
        Some(_) if depot.whole(&name).is_some() => StepState::Done,
        Some(_) => StepState::ToFetch,
    };
    Step::new(&name, Some(reference), state)
}

fn plan_of_list(
    context: &Context,
    depot: &Depot,
    list: &List,
    arguments: &SyncArguments,
) -> Result<Vec<Planned>, Failure> {
    let config = context.config()?;
    let prunes = list.prunes(config, arguments);
    let planned = |(name, entry): (ExtensionName, ExtensionEntry)| {
        // What it brought from elsewhere goes first.
        let is_replaced = prunes && list.replaces(depot, &name);
        plan_of_entry(config, depot, list, (name, entry), is_replaced)
    };
    Ok(list.extensions.clone().into_entries().map(planned).collect())
}

/// What one entry of a list takes. A manifest that is there already decides what the extension may
/// do, but for what the list brought into it.
fn plan_of_entry(
    config: &UserConfig,
    depot: &Depot,
    list: &List,
    (name, entry): (ExtensionName, ExtensionEntry),
    is_replaced: bool,
) -> Planned {
    let mut step = Step::new(&name, Some(entry.oci.clone()), StepState::Done);
    let there = || depot.check_name(&name, &entry.oci).and_then(|()| Ok(depot.manifest(&name)?));
    let loaded = if is_replaced { Ok(None) } else { there() };
    let is_new = matches!(loaded, Ok(None));
    let state = loaded.and_then(|loaded| {
        let state = state_of_entry(depot, &name, &entry, loaded.as_ref());
        check_policies(config, depot, &name, &entry, state)?;
        Ok((state, loaded))
    });
    match state {
        Err(error) => step.end(Err(Failure::of_extension(&name, &error).in_one_line())),
        Ok((None, _)) => {
            // What somebody is to be given is not given to whoever a list names.
            step.end(Err(
                "its manifest has no `oci`, and a list does not say whose it is".to_owned()
            ));
        }
        Ok((Some(state), loaded)) => {
            step.state = state;
            let known = loaded
                .as_ref()
                .and_then(|loaded| Some((list.provenance(depot, &name, loaded)?, loaded)));
            if let Some((known, loaded)) = known {
                drift::find_changes(config, list, &entry, &known, loaded, &mut step);
            }
        }
    }
    Planned { step, entry: Some(entry), is_new }
}

/// What has to be done for what is installed to be what the list wants; nothing where the manifest
/// does not say whose it is.
fn state_of_entry(
    depot: &Depot,
    name: &ExtensionName,
    entry: &ExtensionEntry,
    loaded: Option<&LoadedManifest>,
) -> Option<StepState> {
    let Some(loaded) = loaded else { return Some(StepState::ToInstall) };
    loaded.manifest.extension.oci.as_ref()?;
    Some(match loaded.pinned() {
        None => StepState::ToInstall,
        Some((pinned, _)) if !is_same(&pinned, &entry.oci) => StepState::ToUpdate,
        Some(_) if depot.whole(name).is_some() => StepState::Done,
        Some(_) => StepState::ToFetch,
    })
}

/// Makes sure that policy lets an extension come from where the list has it, and be called where it
/// is there already: what policy stops is not as it should be.
fn check_policies(
    config: &UserConfig,
    depot: &Depot,
    name: &ExtensionName,
    entry: &ExtensionEntry,
    state: Option<StepState>,
) -> Result<(), DepotError> {
    config.check_source(&entry.oci)?;
    match depot.whole(name) {
        Some(installed) if state == Some(StepState::Done) => {
            depot.check_policies(&installed, config)
        }
        _ => Ok(()),
    }
}

/// Whether what is installed is what a list wants: the same bytes, or, where the list names none,
/// the same tag.
fn is_same(pinned: &OciReference, wanted: &OciReference) -> bool {
    match wanted.provenance() {
        Some(provenance) => pinned.provenance() == Some(provenance),
        None => pinned.unpinned() == *wanted,
    }
}

/// What is not pinned can be another thing tomorrow.
fn refuse_unpinned(step: &mut Step) {
    let is_pinned =
        step.reference.as_ref().is_some_and(|reference| reference.provenance().is_some());
    if step.state != StepState::Failed && !is_pinned {
        step.state = StepState::Failed;
        step.problem = Some("its manifest is not pinned to a digest".to_owned());
    }
}

/// Changes what takes no network first. Then fetches some at a time, compiles what has come with
/// all processors, puts each into place, and notes what came from the list.
fn apply(
    context: &Context,
    depot: &Depot,
    plan: &mut [Planned],
    list: Option<&List>,
    arguments: &SyncArguments,
) -> Result<(), Failure> {
    for Planned { step, .. } in plan.iter_mut() {
        drift::adjust(context, depot, step);
        list.into_iter().for_each(|list| drift::prune(depot, list, step));
    }
    let arrived = stage(context, depot, plan, arguments.allow_plain_http)?;
    let (fetched, other): (Vec<_>, Vec<_>) =
        arrived.into_iter().partition(|(at, _)| plan[*at].step.state == StepState::ToFetch);
    put_back(depot, plan, &fetched)?;
    for (at, staged) in other {
        match put_in_place(context, depot, &plan[at], &staged, list, arguments) {
            Ok((state, granted)) => {
                plan[at].step.grant = granted;
                plan[at].step.end(Ok(state));
            }
            Err(failure) => plan[at].step.end(Err(failure.in_one_line())),
        }
    }
    list.map_or(Ok(()), |list| drift::note(context, depot, list, plan))
}

/// Fetches and compiles what has to be fetched. What cannot be had or compiled is noted in the
/// plan.
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
    let (cache, compiler, registry) =
        (context.code_cache()?, context.compiler(), context.registry()?);
    let bar = DownloadBar::new(context);
    let (staged, failed) = compile_many(&cache, &compiler, references.len(), |queue| {
        let arrived = |place: usize, staged: &Staged| {
            let binary = Binary {
                place: places[place],
                path: staged.binary.path.clone(),
                digest: staged.binary.digest,
            };
            // Who compiles is there for as long as this goes on.
            let _ = queue.send(binary);
        };
        let report = |progress| bar.update(progress);
        let staging = registry.stage_all(depot, &references, &report, &arrived);
        context.wait_for(bar.waiting(
            context,
            format!("resolving {} references…", references.len()),
            staging,
        ))
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
    for (at, planned) in
        plan.iter_mut().enumerate().filter(|(_, planned)| planned.step.state.is_to_do())
    {
        let Some(reference) = planned.step.reference.clone() else { continue };
        let allowed = if reference.is_local() {
            Err("it came from a file: install it from its file once more".to_owned())
        } else {
            let name = &planned.step.name;
            let checked = context.check_source(&reference);
            let secure =
                || trust::check_transport(context, depot, name, &reference, allow_plain_http);
            checked.and_then(|()| secure()).map_err(|failure| failure.in_one_line())
        };
        match allowed {
            Ok(()) => wanted.push((at, reference)),
            Err(problem) => planned.step.end(Err(problem)),
        }
    }
    wanted
}

/// Puts the bytes of manifests that are there already back into place, all at once. The manifests
/// stay as they are, to the byte.
fn put_back(
    depot: &Depot,
    plan: &mut [Planned],
    fetched: &[(usize, Staged)],
) -> Result<(), Failure> {
    if fetched.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = fetched.iter().map(|(at, _)| plan[*at].step.name.clone()).collect();
    let all: Vec<_> = names.iter().zip(fetched).map(|(name, (_, staged))| (name, staged)).collect();
    let repaired =
        depot.lock()?.repair(&all).map_err(|error| Failure::new(ErrorKind::Local, &error))?;
    for (((at, _), name), result) in fetched.iter().zip(&names).zip(repaired) {
        let done = result.map(|()| StepState::Fetched);
        plan[*at].step.end(done.map_err(|error| Failure::of_extension(name, &error).in_one_line()));
    }
    Ok(())
}

/// Installs or updates one extension. A list asks on behalf of its extensions; what policy lets it
/// have needs no question. Returns also what it was given because the list asks for it.
fn put_in_place(
    context: &Context,
    depot: &Depot,
    planned: &Planned,
    staged: &Staged,
    list: Option<&List>,
    arguments: &SyncArguments,
) -> Result<(StepState, Vec<Grant>), Failure> {
    let Planned { step: Step { name, state, grant, .. }, entry, is_new } = planned;
    let asks = |grant: &Grant| entry.as_ref().is_some_and(|entry| entry.capabilities.covers(grant));
    if *state == StepState::ToUpdate {
        let decision = update_to(context, depot, name, staged, grant, arguments)?;
        return Ok((StepState::Updated, decision.granted.into_iter().filter(asks).collect()));
    }
    let published = list.and_then(|list| list.published.as_ref());
    let approved = entry
        .as_ref()
        .map(|entry| Ok::<_, Failure>(drift::approved(context.config()?, published, entry)));
    let grant = approved.transpose()?.unwrap_or_default();
    // What a manifest named already is its user's.
    let source = match list {
        Some(list) if *is_new => list.words.clone(),
        _ => staged.reference.unpinned().to_string(),
    };
    let terms = Terms {
        source,
        grant: &grant,
        grant_requested: arguments.grant_requested,
        entry: entry.as_ref(),
        evidence: None,
        claimed: None,
        signer: None,
        allow_downgrade: arguments.allow_downgrade,
        names_bytes: true,
        replaces: false,
    };
    let installation = install(context, depot, staged, name, &terms)?;
    installation.denied.iter().for_each(|denied| context.say(&not_granted(name, denied)));
    let state = if *state == StepState::ToPin { StepState::Pinned } else { StepState::Installed };
    Ok((state, installation.granted.into_iter().filter(asks).collect()))
}

fn not_granted(name: &ExtensionName, Denied { capability, grant, policy, .. }: &Denied) -> String {
    match policy {
        Some(rule) => format!("`{name}` is not granted {capability}: {rule}"),
        None => {
            format!("`{name}` is not granted {capability}: sesame extension grant {name} {grant}")
        }
    }
}

/// Puts the version of a list in the place of the installed one.
fn update_to(
    context: &Context,
    depot: &Depot,
    name: &ExtensionName,
    staged: &Staged,
    grant: &[Grant],
    arguments: &SyncArguments,
) -> Result<Decision, Failure> {
    let of_extension = |error| Failure::of_extension(name, &error);
    let installed = depot.installed(name).map_err(of_extension)?;
    let basis = depot.basis_of(&installed).map_err(of_extension)?;
    check_direction(
        name,
        Some(&installed.reference),
        &staged.reference,
        arguments.allow_downgrade,
    )?;
    let decision =
        replace(context, depot, (&installed, &basis), staged, grant, arguments.grant_requested)?;
    if !decision.for_session.is_empty() {
        grant_for_a_while(context, name, Some(&staged.reference), &decision.for_session, None)?;
    }
    Ok(decision)
}
