//! How the session service is started. It is not started for this.

use std::path::Path;

use core_types::{SESSION_UNIT, with_causes};
use extension_depot::SessionConsent;
use extension_session::{
    NotificationPrompt, ServiceProgram, StartFile, StartState, is_activatable, is_running,
    present_sources,
};

use crate::context::Context;
use crate::outcome::Diagnosis;

const SERVICE: &str = "session service";
const UNIT: &str = "session unit";
const QUESTIONS: &str = "session questions";
const SOURCES: &str = "session sources";
/// What writes missing files, and lets the bus read them.
const INSTALL: &str = "sesame session install";

/// Diagnoses the file by which the bus starts the service, and the unit of systemd.
pub fn rows(context: &Context) -> Vec<Diagnosis> {
    let Some(places) = Context::service_places() else { return Vec::new() };
    let (bus_file, unit) = (places.bus_file_in_force(), places.unit_in_force());
    if bus_file.is_none() && unit.is_none() {
        let finding = format!("not started by itself; to change that: {INSTALL}");
        let mut rows = vec![Diagnosis::good(SERVICE, finding)];
        // A service that somebody started by hand has the same needs.
        if context.has_session_bus() && is_running().unwrap_or(false) {
            rows.extend(of_needs(context));
        }
        return rows;
    }
    let program = match context.service_program() {
        Ok(program) => program,
        Err(error) => return vec![Diagnosis::warning(SERVICE, error.to_string(), None)],
    };
    let unit = match unit {
        Some(unit) => Some(of_unit(&unit, &program)),
        None => context.unit_manager().map(|_| missing(UNIT, "systemd has no unit for it")),
    };
    let bus_file = match bus_file {
        Some(file) => of_bus_file(context, &file, &program),
        None => missing(SERVICE, "the session bus has no file for it"),
    };
    std::iter::once(bus_file).chain(unit).chain(of_needs(context)).collect()
}

/// Diagnoses the needs of the service.
fn of_needs(context: &Context) -> impl Iterator<Item = Diagnosis> {
    of_questions(context).into_iter().chain([of_sources()])
}

/// Diagnoses whether an extension can ask for a permission that it lacks. Nothing is shown for this.
fn of_questions(context: &Context) -> Option<Diagnosis> {
    let consent = context.config().ok()?.session_consent();
    if consent == SessionConsent::Never {
        return Some(Diagnosis::good(QUESTIONS, "none: `session.consent` is `never`".to_owned()));
    }
    if !context.has_session_bus() {
        return None;
    }
    Some(match NotificationPrompt::default().check() {
        Ok(()) => Diagnosis::good(QUESTIONS, "by notification".to_owned()),
        Err(error) => {
            let finding = format!("extensions cannot ask for permissions: {}", with_causes(&error));
            Diagnosis::warning(QUESTIONS, finding, None)
        }
    })
}

/// Diagnoses which services tell of events. A machine need not have all of them.
fn of_sources() -> Diagnosis {
    let sources = match present_sources() {
        Ok(sources) => sources,
        Err(error) => {
            let finding = format!("no event of power, network or the lock comes: {error}");
            return Diagnosis::warning(SOURCES, finding, None);
        }
    };
    let named = |is_there: bool| {
        let names: Vec<_> =
            sources.iter().filter(|source| source.1 == is_there).map(|source| source.0).collect();
        names.join(", ")
    };
    let finding = match (named(true), named(false)) {
        (present, absent) if absent.is_empty() => format!("{present} can be heard"),
        (present, absent) if present.is_empty() => format!("the machine has none of {absent}"),
        (present, absent) => format!("{present} can be heard; the machine does not have {absent}"),
    };
    Diagnosis::good(SOURCES, finding)
}

fn missing(what: &str, finding: &str) -> Diagnosis {
    Diagnosis::warning(what, finding, Some(INSTALL.to_owned()))
}

fn of_bus_file(context: &Context, file: &StartFile, program: &ServiceProgram) -> Diagnosis {
    if let Some(problem) = problem(SERVICE, file, program) {
        return problem;
    }
    let path = file.path.display();
    if !context.has_session_bus() {
        return Diagnosis::good(SERVICE, format!("{path}; no session bus is there to read it"));
    }
    match is_activatable() {
        Ok(true) => Diagnosis::good(SERVICE, format!("the session bus starts it by {path}")),
        Ok(false) => missing(SERVICE, &format!("the session bus does not know {path} yet")),
        Err(error) => Diagnosis::warning(SERVICE, error.to_string(), None),
    }
}

fn of_unit(file: &StartFile, program: &ServiceProgram) -> Diagnosis {
    let found = || Diagnosis::good(UNIT, format!("{} runs this program", file.path.display()));
    problem(UNIT, file, program).unwrap_or_else(found)
}

/// Returns what is wrong with a file, if anything is.
fn problem(what: &str, file: &StartFile, program: &ServiceProgram) -> Option<Diagnosis> {
    let path = file.path.display();
    // Only the user's own files can be written anew.
    let install = || file.is_own.then(|| INSTALL.to_owned());
    let not_this = |program: &Path, rest: &str| format!("{path} runs {}{rest}", program.display());
    let (finding, fix) = match file.state(program) {
        StartState::This if file.is_hiding => {
            let finding = format!("{path} hides the file of the package");
            (finding, Some(format!("{INSTALL} --remove")))
        }
        StartState::This => return None,
        StartState::Other(other) => (not_this(&other, ", and not this program"), install()),
        StartState::Gone(gone) => (not_this(&gone, ", which is not there"), install()),
        StartState::Masked => {
            let fix = format!("systemctl --user unmask {SESSION_UNIT}");
            (format!("{path} is masked"), Some(fix))
        }
        StartState::Unknown => (format!("{path} does not say what it runs"), None),
    };
    Some(Diagnosis::warning(what, finding, fix))
}
