//! `sesame session run`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use core_types::{ErrorKind, ExtensionName, with_causes};
use extension_depot::{BegunRunning, EffectiveConfig, RunningExtensions};
use extension_manager::Manager;
use extension_session::{
    BusEnd, BusParts, BusService, Changes, Engine, EventMemory, Files, Installed, LoginSession,
    NotificationPrompt, Parts, Publications, Source, SourceState, StartError, Status, SystemClock,
    begin_running, session_bus_sources, system_bus_sources,
};

use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::service::{
    Bus, ServiceObserver, Words, notify_quarantined, start_for_woken, take_place,
};
use crate::terminal::interrupt::{end_service, wait_for_end};

/// The time for calls of programs to end. Deliveries have as long.
const GRACE: Duration = Duration::from_millis(4_500);

/// Why a service ends.
enum End {
    /// The session, or a person, by a signal.
    Signal,
    /// By the bus.
    Bus(BusEnd),
    /// Nothing may wake an extension, and nobody asked for anything.
    Idle,
}

/// What the main thread waits for.
enum Notice {
    /// The end.
    End(End),
    /// The engine looked anew at what may wake an extension.
    Look,
}

/// Wakes extensions by events, and answers programs on the session bus, until this process is told
/// to end.
pub fn run(
    context: &Context,
    idle_exit: Option<Duration>,
    replace: bool,
) -> Result<Outcome, Failure> {
    let publications = Publications::default();
    let manager = Arc::new(context.service_manager(Arc::new(publications.clone()))?);
    let Some(claim) = take_place(context, manager.depot(), replace)? else {
        return Ok(Outcome::AlreadyPrinted(ExitCode::Done));
    };
    let (notices, noticed) = channel();
    let signalled = notices.clone();
    wait_for_end()?.then(move || drop(signalled.send(Notice::End(End::Signal))))?;
    let bus = Bus::default();
    let config = manager.config()?;
    let running = running(context, &manager);
    let installed = Installed::of(manager.clone())
        .publishing_to(publications.clone())
        .tracked_by(running.clone())
        .observed_by(observer(context, &bus, notices.clone()));
    let engine = Engine::start(parts(context, &manager, installed)?)
        .map_err(|error| Failure::new(ErrorKind::Local, error))?;
    publications.deliver_to(engine.inbox());
    let parts = bus_parts(context, manager.clone(), &engine, (publications, running.clone()));
    start_bus(context, &bus, parts, notices)?;
    if let Ok(status) = engine.status() {
        tell_start(context, &config, &status);
    }
    // A person at the terminal ends it; elsewhere the bus starts it again.
    let is_left_alone = bus.get().is_some() && !context.terminal.is_interactive();
    let idle_exit = idle_exit.or_else(|| is_left_alone.then(|| config.session_idle_exit()));
    let end = wait(&noticed, idle_exit, &bus, &engine);
    running.end();
    end_service(ExitCode::Done);
    if let Some(bus) = bus.get() {
        bus.stop(GRACE);
    }
    engine.stop();
    drop(claim);
    if matches!(end, End::Idle) {
        // For a grant that came too late for this service and too early for the next.
        start_for_woken(context, &manager);
    }
    outcome(&end)
}

fn outcome(end: &End) -> Result<Outcome, Failure> {
    match end {
        End::Bus(BusEnd::BusGone) => {
            Err(Failure::message(ErrorKind::Local, "the session bus has ended"))
        }
        End::Signal | End::Idle | End::Bus(BusEnd::Asked) => {
            Ok(Outcome::AlreadyPrinted(ExitCode::Done))
        }
    }
}

fn parts(
    context: &Context,
    manager: &Arc<Manager>,
    installed: Installed,
) -> Result<Parts, Failure> {
    let places = manager.depot().places();
    let home = Context::base_directories().map(|base| base.home_dir().to_owned());
    let changes = Changes::of(places.decisive());
    let showing = installed.clone();
    let show = move |name: &ExtensionName, path: &Path, at| showing.show_change(name, path, at);
    let files = Files::new(home.unwrap_or_default(), show);
    let mut sources: Vec<Box<dyn Source>> = vec![Box::new(changes), Box::new(files)];
    let memory = Arc::new(EventMemory::of(manager.clone()));
    sources.extend(system_bus_sources(None, LoginSession { id: context.login_session(), memory }));
    sources.extend(session_bus_sources(None));
    Ok(Parts {
        deliver: Arc::new(installed.clone()),
        subscribers: Box::new(installed),
        sources,
        clock: Box::new(SystemClock::new()),
        memory: Box::new(EventMemory::of(manager.clone())),
        max_parallel: manager.config()?.session_max_parallel(),
    })
}

/// Begins to record which extensions run, and tells of those that are quarantined because the service
/// crashed with them.
fn running(context: &Context, manager: &Manager) -> Arc<RunningExtensions> {
    let BegunRunning { running, quarantined, problem } = begin_running(manager);
    for (name, quarantine) in quarantined {
        context.warn(&format!("`{name}` is quarantined: {quarantine}"));
        notify_quarantined(&name, &quarantine);
    }
    if let Some(problem) = problem {
        context.warn(&format!("crashes are not counted: {}", with_causes(&problem)));
    }
    Arc::new(running)
}

fn observer(context: &Context, bus: &Bus, notices: Sender<Notice>) -> ServiceObserver {
    ServiceObserver {
        terminal: (!context.global.quiet).then(|| context.terminal.clone()),
        bus: bus.clone(),
        looked: Box::new(move || drop(notices.send(Notice::Look))),
    }
}

fn bus_parts(
    context: &Context,
    manager: Arc<Manager>,
    engine: &Engine,
    (publications, running): (Publications, Arc<RunningExtensions>),
) -> BusParts {
    BusParts {
        manager,
        inbox: engine.inbox(),
        explain: Arc::new(Words),
        prompt: Arc::new(NotificationPrompt::default()),
        publications,
        running,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        executable: path_text(context.program_path()),
        address: None,
    }
}

fn path_text(path: PathBuf) -> String {
    path.display().to_string()
}

/// Takes the name on the bus. Without a bus, events are delivered all the same.
fn start_bus(
    context: &Context,
    bus: &Bus,
    parts: BusParts,
    notices: Sender<Notice>,
) -> Result<(), Failure> {
    let tell = move |end| drop(notices.send(Notice::End(End::Bus(end))));
    match BusService::start(parts, tell) {
        Ok(service) => {
            let _ = bus.set(service);
            Ok(())
        }
        Err(error @ StartError::NoBus(_)) => {
            context.warn(&format!(
                "programs cannot call extensions through this service: {}",
                with_causes(&error)
            ));
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Waits for the end. As long as an event may wake an extension no timer runs, so that a service
/// without work does not wake at all.
fn wait(
    noticed: &Receiver<Notice>,
    idle_exit: Option<Duration>,
    bus: &Bus,
    engine: &Engine,
) -> End {
    // A look that finds the same does not put the end off: files can change all the time.
    let mut asleep_since = None;
    loop {
        let is_asleep = || engine.status().is_ok_and(|status| status.extensions.is_empty());
        let notice = match idle_exit.filter(|_| is_asleep()) {
            Some(time) => {
                let since = *asleep_since.get_or_insert_with(Instant::now);
                let since = since.max(last_answered(bus).unwrap_or(since));
                noticed.recv_timeout(time.saturating_sub(since.elapsed()))
            }
            None => {
                asleep_since = None;
                noticed.recv().map_err(|_| RecvTimeoutError::Disconnected)
            }
        };
        match notice {
            Ok(Notice::End(end)) => return end,
            Ok(Notice::Look) => {}
            Err(RecvTimeoutError::Timeout) if !is_idle(bus, engine) => asleep_since = None,
            Err(RecvTimeoutError::Timeout) if was_asked(bus, idle_exit) => {}
            Err(RecvTimeoutError::Timeout) => return End::Idle,
            Err(RecvTimeoutError::Disconnected) => return End::Signal,
        }
    }
}

/// Returns when the last message of a program was answered.
fn last_answered(bus: &Bus) -> Option<Instant> {
    bus.get().and_then(BusService::last_answered)
}

/// Returns whether a program asked for something within this time, while the end was waited for.
fn was_asked(bus: &Bus, within: Option<Duration>) -> bool {
    last_answered(bus).zip(within).is_some_and(|(answered, time)| answered.elapsed() < time)
}

/// Returns whether no event may wake an extension, and nothing runs.
fn is_idle(bus: &Bus, engine: &Engine) -> bool {
    let is_asleep =
        engine.status().is_ok_and(|status| status.extensions.is_empty() && status.running == 0);
    is_asleep && bus.get().is_none_or(BusService::is_idle)
}

/// Names the extensions that wait, and each source with a problem.
fn tell_start(context: &Context, config: &EffectiveConfig, status: &Status) {
    if let Some(place) = config.session_switch() {
        let path = place.path.display();
        context.warn(&format!("the session service is switched off by `{path}`"));
    }
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
