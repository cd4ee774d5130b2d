//! `sesame session run`

use std::sync::Arc;

use core_types::{ErrorKind, with_causes};
use extension_depot::ClaimError;
use extension_manager::{DeliveryOutcome, Manager};
use extension_session::{
    Changes, Delivery, Engine, EventMemory, Files, Installed, LoginSession, Outcome as Delivered,
    Parts, Source, SourceState, Status, SystemClock, session_bus_sources, system_bus_sources,
};

use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::terminal::Terminal;
use crate::terminal::interrupt::wait_for_end;

/// The number of extensions that run at once: a third one waits, so that a storm of events leaves
/// the machine usable.
const MAX_PARALLEL: usize = 2;

/// Wakes extensions by events until this process is told to end.
pub fn run(context: &Context) -> Result<Outcome, Failure> {
    let manager = Arc::new(context.service_manager()?);
    let _claim = match manager.depot().claim_session() {
        Ok(claim) => claim,
        Err(error @ ClaimError::Taken) => {
            context.status(&error.to_string());
            return Ok(Outcome::AlreadyPrinted(ExitCode::Done));
        }
        Err(error @ ClaimError::Io { .. }) => return Err(Failure::new(ErrorKind::Local, error)),
    };
    let signals = wait_for_end()?;
    let engine = Engine::start(parts(context, manager))
        .map_err(|error| Failure::new(ErrorKind::Local, error))?;
    if let Ok(status) = engine.status() {
        tell_start(context, &status);
    }
    signals.wait();
    engine.stop();
    Ok(Outcome::AlreadyPrinted(ExitCode::Done))
}

fn parts(context: &Context, manager: Arc<Manager>) -> Parts {
    let places = manager.depot().places();
    let home = Context::base_directories().map(|base| base.home_dir().to_owned());
    let changes = Changes::of(places.decisive());
    let readable = manager.clone();
    let may_show = move |name: &_, path: &_| readable.may_read(name, path);
    let files = Files::new(home.unwrap_or_default(), may_show);
    let terminal = (!context.global.quiet).then(|| context.terminal.clone());
    let installed = Installed::of(manager.clone()).observed_by(move |delivery, outcome| {
        if let Some(terminal) = &terminal {
            tell(terminal, delivery, outcome);
        }
    });
    let mut sources: Vec<Box<dyn Source>> = vec![Box::new(changes), Box::new(files)];
    let memory = Box::new(EventMemory::of(manager.clone()));
    sources.extend(system_bus_sources(None, LoginSession { id: context.login_session(), memory }));
    sources.extend(session_bus_sources(None));
    Parts {
        deliver: Arc::new(installed.clone()),
        subscribers: Box::new(installed),
        sources,
        clock: Box::new(SystemClock::new()),
        memory: Box::new(EventMemory::of(manager)),
        max_parallel: MAX_PARALLEL,
    }
}

/// Names the extensions that wait, and each source with a problem.
fn tell_start(context: &Context, status: &Status) {
    let names: Vec<_> = status.extensions.iter().map(|load| load.name.to_string()).collect();
    context.status(&match names.is_empty() {
        true => "no event may wake an extension yet: waiting for one that is granted".to_owned(),
        false => format!("waiting for events of {}", names.join(", ")),
    });
    for (name, state) in &status.sources {
        if let SourceState::Absent(reason) = state {
            context.warn(&format!("the source `{name}` is not complete: {reason}"));
        }
    }
    if let Some(problem) = &status.problem {
        context.warn(problem);
    }
}

/// Says how a delivery ended. The output of the guest is in its log alone.
fn tell(terminal: &Terminal, delivery: &Delivery, outcome: &Delivered) {
    let ended = match outcome.as_ref().map(|delivered| &delivered.outcome) {
        Ok(DeliveryOutcome::Handled) => "handled".to_owned(),
        Ok(DeliveryOutcome::ReturnedError(_)) => "returned an error".to_owned(),
        Ok(DeliveryOutcome::Refused(error) | DeliveryOutcome::Failed(error)) => with_causes(error),
        Err(error) => with_causes(error),
    };
    terminal.status(&format!("{}: {}: {ended}", delivery.name, delivery.occurrence.name));
}
