//! `sesame session install`

use core_types::SESSION_UNIT;
use extension_manager::environment::NoPlaces;
use extension_session::{
    Fleeting, InstalledFiles, RemovedFiles, ServicePlaces, ServiceProgram, reload_bus, reload_units,
};

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Outcome, ServiceInstallation, ServiceState};

/// Writes or removes the files by which systemd and the session bus start the service.
pub fn run(context: &Context, remove: bool, force: bool) -> Result<Outcome, Failure> {
    context.places()?;
    let places = Context::service_places().ok_or(NoPlaces::NoHome)?;
    let mut installation = if remove {
        removed(places.remove(force)?)
    } else {
        let program = context.service_program()?;
        let files = places.install(&program, force)?;
        warn_of_fleeting(context, &program, &files);
        installed(context, &places, &program, files)
    };
    if installation.state != ServiceState::AlreadyRemoved {
        reload(context, &mut installation);
    }
    Ok(Outcome::ServiceInstalled(Box::new(installation)))
}

fn installed(
    context: &Context,
    places: &ServicePlaces,
    program: &ServiceProgram,
    files: InstalledFiles,
) -> ServiceInstallation {
    let own = Some(program.path().to_owned());
    let next = Some(next_step(context));
    match files {
        InstalledFiles::Written(files) => {
            ServiceInstallation { program: own, next, ..of(ServiceState::Installed, files) }
        }
        InstalledFiles::Already(files) => {
            ServiceInstallation { program: own, next, ..of(ServiceState::AlreadyInstalled, files) }
        }
        InstalledFiles::Packaged { files, shadowing } => {
            let in_force = places.bus_file_in_force();
            let next = match shadowing.is_empty() {
                true => next,
                false => Some("to use the package: sesame session install --remove".to_owned()),
            };
            ServiceInstallation {
                program: in_force.and_then(|file| file.program),
                hiding: shadowing,
                next,
                ..of(ServiceState::OfPackage, files)
            }
        }
    }
}

fn removed(removed: RemovedFiles) -> ServiceInstallation {
    let RemovedFiles { files, left } = removed;
    let (state, next) = match files.is_empty() {
        true => (ServiceState::AlreadyRemoved, None),
        false => {
            let next = "a service that runs goes on; to end it: sesame session stop";
            (ServiceState::Removed, Some(next.to_owned()))
        }
    };
    ServiceInstallation { left, next, ..of(state, files) }
}

fn of(state: ServiceState, files: Vec<std::path::PathBuf>) -> ServiceInstallation {
    ServiceInstallation {
        state,
        program: None,
        files,
        hiding: Vec::new(),
        left: Vec::new(),
        systemd_reloaded: false,
        bus_reloaded: false,
        next: None,
    }
}

fn next_step(context: &Context) -> String {
    let first = "the service starts when it is needed";
    match context.program("systemctl") {
        Some(_) => {
            format!(
                "{first}; to start it at each login: systemctl --user enable --now {SESSION_UNIT}"
            )
        }
        None => first.to_owned(),
    }
}

fn warn_of_fleeting(context: &Context, program: &ServiceProgram, files: &InstalledFiles) {
    if matches!(files, InstalledFiles::Packaged { .. }) {
        return;
    }
    let what = match program.fleeting() {
        None => return,
        Some(Fleeting::Build) => "a directory of builds, which the next build replaces",
        Some(Fleeting::Temporary) => "a directory for temporary files",
    };
    context.warn(&format!("`{}` is in {what}", program.path().display()));
}

/// Lets systemd and the bus read the files. Both also do so at the next login.
fn reload(context: &Context, installation: &mut ServiceInstallation) {
    if let Some(systemctl) = context.unit_manager() {
        match reload_units(&systemctl) {
            Ok(()) => installation.systemd_reloaded = true,
            Err(error) => context.warn(&format!("systemd did not read its units anew: {error}")),
        }
    }
    if context.has_session_bus() {
        match reload_bus() {
            Ok(()) => installation.bus_reloaded = true,
            Err(error) => context.warn(&error.to_string()),
        }
    }
}
