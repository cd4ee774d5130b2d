//! `sesame doctor`

mod service;

use std::path::{Path, PathBuf};

use core_types::{ErrorKind, ExtensionName, OciReference};
use extension_depot::registry::{LoginStore, kept_logins};
use extension_depot::{Depot, EffectiveConfig, Listed, Places};
use extension_host::CacheError;
use extension_manager::{
    BrokenError, CodeState, DirectoryState, ExtensionState, Health, LockState, PolicyCheck,
    SessionState, environment, registries_of,
};

use crate::context::Context;
use crate::failure::{Failure, LOCKS_HINT};
use crate::installed::{Stop, secrets::with_timeout};
use crate::outcome::{Diagnosis, Outcome};
use crate::terminal::waiting;

/// Checks everything that sesame needs. Nothing is changed, and one problem does not hide another.
pub fn run(context: &Context) -> Result<Outcome, Failure> {
    let manager = context.manager_as_it_is()?;
    let depot = manager.depot();
    let mut all = directories(context, depot);
    all.push(lock(&LockState::of(depot)));
    all.extend(configuration(depot));
    all.extend(durability(depot));
    let listed = depot.list().unwrap_or_else(|error| {
        all.push(failed("extensions", Health::Bad, Failure::from(error)));
        Vec::new()
    });
    let policies = PolicyCheck::new(depot);
    let extension =
        |listed: &Listed| extension(&listed.name, ExtensionState::of(depot, &policies, listed));
    all.extend(listed.iter().map(extension));
    all.push(cache(context.places()?, CodeState::of(&context.code_cache()?)));
    let has_runtime_directory = depot.places().runtime.is_some();
    all.push(session(SessionState::of(has_runtime_directory, context.has_session_bus())));
    all.extend(service::rows(context));
    all.push(keyring(context));
    all.extend(registries(context, listed));
    Ok(Outcome::Diagnosed(all))
}

/// Diagnoses one thing by its state.
fn diagnosis(what: &str, health: Health, finding: String, fix: Option<String>) -> Diagnosis {
    Diagnosis { what: what.to_owned(), health, finding, fix }
}

/// Diagnoses one thing by the failure that a command would have.
fn failed(what: &str, health: Health, failure: Failure) -> Diagnosis {
    diagnosis(what, health, failure.in_one_line(), failure.into_hint())
}

fn directories(context: &Context, depot: &Depot) -> Vec<Diagnosis> {
    let places = depot.places();
    let named = [
        ("configuration", Some(places.config.clone())),
        ("extensions", Some(places.extensions())),
        ("state", Some(places.state.clone())),
        ("cache", Some(places.cache.clone())),
        ("runtime directory", places.runtime.clone()),
    ];
    let user = context.user();
    named.into_iter().filter_map(|(what, path)| Some(directory(what, &path?, user))).collect()
}

fn directory(what: &str, path: &Path, user: u32) -> Diagnosis {
    let (state, shown) = (DirectoryState::of(path, user), path.display());
    let (finding, fix) = match &state {
        DirectoryState::Own => (shown.to_string(), None),
        DirectoryState::Missing => (format!("{shown} is not there yet"), None),
        DirectoryState::Unreadable(error) => (format!("{shown}: {error}"), None),
        DirectoryState::NotDirectory => {
            (format!("{shown} is not a directory"), Some(format!("mv '{shown}' '{shown}.old'")))
        }
        DirectoryState::OfAnother(owner) => {
            let fix = match user {
                0 => format!("run sesame as the user {owner}, and not as root"),
                _ => format!("sudo chown -R \"$USER\" '{shown}'"),
            };
            (format!("{shown} belongs to another user"), Some(fix))
        }
        DirectoryState::WritableByAll => {
            let finding = format!("{shown} can be written to by everybody");
            (finding, Some(format!("chmod o-w '{shown}'")))
        }
        DirectoryState::WritableByGroup => {
            let finding = format!("{shown} can be written to by its group");
            (finding, Some(format!("chmod g-w '{shown}'")))
        }
    };
    diagnosis(what, state.health(), finding, fix)
}

/// Returns a note if a file system cannot make names durable, such as CIFS and some of FUSE.
fn durability(depot: &Depot) -> Option<Diagnosis> {
    let unsynced = depot.unsynced_directories();
    let all: Vec<_> = unsynced.iter().map(|path| path.display().to_string()).collect();
    let finding = format!(
        "file systems that cannot sync directories; a power cut may undo changes: {}",
        all.join(", ")
    );
    (!all.is_empty()).then(|| Diagnosis::warning("durability", finding, None))
}

fn lock(state: &LockState) -> Diagnosis {
    let (finding, fix) = match state {
        LockState::Free => ("not held by another process".to_owned(), None),
        LockState::Held(process) => (
            format!("process {process} is changing something"),
            Some(format!("if it does not end: ps -p {process}")),
        ),
        LockState::Impossible(without) => {
            let without: Vec<_> = without.iter().map(|path| path.display().to_string()).collect();
            let finding = format!(
                "file systems without locks, where nothing can be changed: {}",
                without.join(", ")
            );
            (finding, Some(LOCKS_HINT.to_owned()))
        }
    };
    diagnosis("lock", state.health(), finding, fix)
}

fn configuration(depot: &Depot) -> Vec<Diagnosis> {
    let checked = match EffectiveConfig::check(depot.places()) {
        Ok(checked) => checked,
        Err(error) => {
            return vec![Diagnosis::bad(
                "configuration files",
                Failure::new(ErrorKind::Local, error).in_one_line(),
                None,
            )];
        }
    };
    let fix = || Some("sesame config validate".to_owned());
    let of_file = |(path, result): (PathBuf, Result<Vec<_>, _>)| match result {
        Err(error) => Diagnosis::bad(
            "configuration file",
            Failure::new(ErrorKind::Local, error).in_one_line(),
            fix(),
        ),
        Ok(unknown) if !unknown.is_empty() => Diagnosis::warning(
            "configuration file",
            format!("{} has keys that do nothing", path.display()),
            fix(),
        ),
        Ok(_) => Diagnosis::good("configuration file", path.display().to_string()),
    };
    let mut all: Vec<_> = checked.into_iter().map(of_file).collect();
    if environment::is_safe_mode() {
        let fix = Some("unset SESAME_SAFE_MODE".to_owned());
        all.push(Diagnosis::warning("safe mode", "no extension is called", fix));
    }
    all
}

fn extension(name: &ExtensionName, state: ExtensionState<'_>) -> Diagnosis {
    let (what, health) = (format!("extension {name}"), state.health());
    let (finding, fix) = match state {
        ExtensionState::Whole(installed) => (installed.reference.to_string(), None),
        ExtensionState::NotInstalled(error) => return failed(&what, health, error.into()),
        ExtensionState::Broken(BrokenError::Installed(error)) => {
            return failed(&what, health, (*error).into());
        }
        ExtensionState::Broken(BrokenError::Record(error)) => {
            return failed(&what, health, error.into());
        }
        ExtensionState::Broken(BrokenError::History(error)) => {
            return failed(&what, health, error.into());
        }
        ExtensionState::WithoutBinary => {
            ("its binary is missing".to_owned(), Some("sesame extension sync".to_owned()))
        }
        ExtensionState::Stopped(stop) => {
            let Stop { reason, fix } = Stop::new(&stop);
            (format!("stopped by policy: {reason}"), fix)
        }
        ExtensionState::Quarantined(quarantine) => {
            (quarantine.to_string(), Some(format!("sesame extension enable {name}")))
        }
    };
    diagnosis(&what, health, finding, fix)
}

fn cache(places: &Places, state: CodeState) -> Diagnosis {
    let (what, health) = ("compiled code", state.health());
    let local = |error: CacheError| Failure::new(ErrorKind::Local, error);
    match state {
        CodeState::Usable(files) => Diagnosis::good(what, format!("{files} files")),
        CodeState::Full(files, error) => {
            let error = local(error).in_one_line();
            Diagnosis::warning(
                what,
                format!("{files} files, and no more can be kept: {error}"),
                None,
            )
        }
        CodeState::NotExecutable(error) => failed(what, health, error.into()),
        CodeState::Unusable(error @ CacheError::NotOurs { .. }) => {
            let fix = format!("rm -r '{}'", places.code().display());
            diagnosis(what, health, error.to_string(), Some(fix))
        }
        CodeState::Unusable(error) => failed(what, health, local(error)),
    }
}

fn session(state: SessionState) -> Diagnosis {
    let (finding, fix) = match state {
        SessionState::Complete => ("a runtime directory and a session bus", None),
        SessionState::WithoutBus => (
            "no session bus: no notifications, no messages, no keyring",
            Some("start sesame from your desktop session, or set DBUS_SESSION_BUS_ADDRESS"),
        ),
        SessionState::WithoutRuntimeDirectory => (
            "no private runtime directory: timed grants are not possible",
            Some("set XDG_RUNTIME_DIR to a directory that only you own and can write to"),
        ),
    };
    diagnosis("session", state.health(), finding.to_owned(), fix.map(str::to_owned))
}

fn keyring(context: &Context) -> Diagnosis {
    if !context.has_session_bus() {
        return Diagnosis::warning("keyring", "not checked: no session bus", None);
    }
    let fix =
        Some("unlock your keyring, or start a Secret Service such as gnome-keyring".to_owned());
    match with_timeout(|| {
        kept_logins(&LoginStore::SecretService).map_err(|error| error.to_string())
    }) {
        Ok(logins) => Diagnosis::good(
            "keyring",
            format!("it answers; logins kept for {} registries", logins.len()),
        ),
        Err(reason) => Diagnosis::warning("keyring", reason, fix),
    }
}

/// Checks whether each registry of an installed extension answers.
fn registries(context: &Context, listed: Vec<Listed>) -> Vec<Diagnosis> {
    let look = |(registry, reference): (String, OciReference)| {
        let what = format!("registry {registry}");
        if context.is_offline() {
            return Diagnosis::warning(what, "not asked: sesame is offline", None);
        }
        match reach(context, &reference) {
            Ok(()) => Diagnosis::good(what, "it answers"),
            Err(failure) => failed(&what, Health::Bad, failure),
        }
    };
    registries_of(listed).into_iter().map(look).collect()
}

fn reach(context: &Context, reference: &OciReference) -> Result<(), Failure> {
    let reaching = context.registry()?.reach(reference);
    Ok(context.wait_for(waiting(
        context,
        format!("asking {}…", reference.registry()),
        reaching,
    ))??)
}
