//! `sesame doctor`

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use core_types::{ErrorKind, ExtensionName, OciReference};
use extension_depot::registry::{LoginStore, kept_logins};
use extension_depot::{Depot, EffectiveConfig, InstalledError, Listed};
use extension_host::{CacheError, CodeCache, IntoCacheError, check_executable};
use extension_manager::environment;

use crate::context::Context;
use crate::failure::{Failure, LOCKS_HINT};
use crate::installed::{PolicyCheck, secrets::with_timeout};
use crate::outcome::{Diagnosis, Health, Outcome};
use crate::terminal::waiting;

/// Checks everything that sesame needs. Nothing is changed, and one problem does not hide another.
pub fn run(context: &Context) -> Result<Outcome, Failure> {
    let manager = context.manager_as_it_is()?;
    let depot = manager.depot();
    let mut all = directories(context, depot);
    all.push(lock(depot));
    all.extend(configuration(depot));
    all.extend(durability(depot));
    let listed = depot.list().unwrap_or_else(|error| {
        let failure = Failure::from(error);
        all.push(bad("extensions", failure.in_one_line(), failure.into_hint()));
        Vec::new()
    });
    let policies = PolicyCheck::new(context, depot);
    all.extend(listed.iter().map(|listed| extension(depot, &policies, listed)));
    all.push(cache(context)?);
    all.push(session(context, depot));
    all.push(keyring(context));
    all.extend(registries(context, listed));
    Ok(Outcome::Diagnosed(all))
}

fn good(what: impl Into<String>, finding: impl Into<String>) -> Diagnosis {
    Diagnosis { what: what.into(), health: Health::Good, finding: finding.into(), fix: None }
}

fn bad(what: impl Into<String>, finding: impl Into<String>, fix: Option<String>) -> Diagnosis {
    Diagnosis { what: what.into(), health: Health::Bad, finding: finding.into(), fix }
}

fn warning(what: impl Into<String>, finding: impl Into<String>, fix: Option<String>) -> Diagnosis {
    Diagnosis { what: what.into(), health: Health::Warning, finding: finding.into(), fix }
}

/// Checks that the directories exist, belong to this user and are writable by this user only.
fn directories(context: &Context, depot: &Depot) -> Vec<Diagnosis> {
    let places = depot.places();
    let named = [
        ("configuration", Some(&places.config)),
        ("extensions", Some(&places.extensions())),
        ("state", Some(&places.state)),
        ("cache", Some(&places.cache)),
        ("runtime directory", places.runtime.as_ref()),
    ]
    .map(|(what, path)| (what, path.cloned()));
    let user = context.user();
    named.into_iter().filter_map(|(what, path)| Some(directory(what, &path?, user))).collect()
}

fn directory(what: &str, path: &Path, user: u32) -> Diagnosis {
    let shown = path.display();
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            good(what, format!("{shown} is not there yet"))
        }
        Err(error) => bad(what, format!("{shown}: {error}"), None),
        Ok(metadata) if !metadata.is_dir() => bad(
            what,
            format!("{shown} is not a directory"),
            Some(format!("mv '{shown}' '{shown}.old'")),
        ),
        Ok(metadata) if metadata.uid() != user && metadata.uid() != 0 => {
            let fix = match user {
                0 => format!("run sesame as the user {}, and not as root", metadata.uid()),
                _ => format!("sudo chown -R \"$USER\" '{shown}'"),
            };
            bad(what, format!("{shown} belongs to another user"), Some(fix))
        }
        Ok(metadata) if metadata.mode() & 0o002 != 0 => bad(
            what,
            format!("{shown} can be written to by everybody"),
            Some(format!("chmod o-w '{shown}'")),
        ),
        Ok(metadata) if metadata.mode() & 0o020 != 0 => warning(
            what,
            format!("{shown} can be written to by its group"),
            Some(format!("chmod g-w '{shown}'")),
        ),
        Ok(_) => good(what, shown.to_string()),
    }
}

/// Returns a note if a file system cannot make names durable, such as CIFS and some of FUSE.
fn durability(depot: &Depot) -> Option<Diagnosis> {
    let unsynced = depot.unsynced_directories();
    let all: Vec<_> = unsynced.iter().map(|path| path.display().to_string()).collect();
    let finding = format!(
        "file systems that cannot sync directories; a power cut may undo changes: {}",
        all.join(", ")
    );
    (!all.is_empty()).then(|| warning("durability", finding, None))
}

fn lock(depot: &Depot) -> Diagnosis {
    let without: Vec<_> =
        depot.directories_without_locks().iter().map(|path| path.display().to_string()).collect();
    if !without.is_empty() {
        let finding = format!(
            "file systems without locks, where nothing can be changed: {}",
            without.join(", ")
        );
        return bad("lock", finding, Some(LOCKS_HINT.to_owned()));
    }
    match depot.lock_holder() {
        None => good("lock", "not held by another process"),
        Some(process) => warning(
            "lock",
            format!("process {process} is changing something"),
            Some(format!("if it does not end: ps -p {process}")),
        ),
    }
}

fn configuration(depot: &Depot) -> Vec<Diagnosis> {
    let checked = match EffectiveConfig::check(depot.places()) {
        Ok(checked) => checked,
        Err(error) => {
            return vec![bad(
                "configuration files",
                Failure::new(ErrorKind::Local, error).in_one_line(),
                None,
            )];
        }
    };
    let fix = || Some("sesame config validate".to_owned());
    let of_file = |(path, result): (PathBuf, Result<Vec<_>, _>)| match result {
        Err(error) => {
            bad("configuration file", Failure::new(ErrorKind::Local, error).in_one_line(), fix())
        }
        Ok(unknown) if !unknown.is_empty() => warning(
            "configuration file",
            format!("{} has keys that do nothing", path.display()),
            fix(),
        ),
        Ok(_) => good("configuration file", path.display().to_string()),
    };
    let mut all: Vec<_> = checked.into_iter().map(of_file).collect();
    if environment::is_safe_mode() {
        let fix = Some("unset SESAME_SAFE_MODE".to_owned());
        all.push(warning("safe mode", "no extension is called", fix));
    }
    all
}

fn extension(depot: &Depot, policies: &PolicyCheck<'_>, listed: &Listed) -> Diagnosis {
    let name = &listed.name;
    let what = format!("extension {name}");
    let failed = |failure: Failure| bad(what.clone(), failure.in_one_line(), failure.into_hint());
    let installed = match depot.installed(name) {
        Ok(installed) => installed,
        Err(error @ InstalledError::NotInstalled(_)) => {
            let failure = Failure::from(error);
            return warning(what, failure.in_one_line(), failure.into_hint());
        }
        Err(error) => return failed(error.into()),
    };
    if depot.installed_with_binary(name).is_none() {
        return bad(what, "its binary is missing", Some("sesame extension sync".to_owned()));
    }
    if let Err(error) = depot.record(name, &installed.artifact.digest) {
        return failed(error.into());
    }
    if let Err(error) = depot.history(name) {
        return failed(error.into());
    }
    // Policy is the administrator's choice, and not a problem.
    if let Some(stop) = policies.stop(&installed) {
        return warning(what, format!("stopped by policy: {}", stop.reason), stop.fix);
    }
    match &listed.quarantine {
        Some(quarantine) => {
            warning(what, quarantine.to_string(), Some(format!("sesame extension enable {name}")))
        }
        None => good(what, installed.reference.to_string()),
    }
}

fn cache(context: &Context) -> Result<Diagnosis, Failure> {
    let cache = context.code_cache()?;
    Ok(match cache.unreferenced_files(&[]) {
        Ok(files) => executable(&cache, files.len()),
        Err(error @ CacheError::NotOurs { .. }) => {
            let path = context.places()?.code();
            bad("compiled code", error.to_string(), Some(format!("rm -r '{}'", path.display())))
        }
        Err(error) => {
            bad("compiled code", Failure::new(ErrorKind::Local, error).in_one_line(), None)
        }
    })
}

/// Tries whether this process can run compiled code from the cache, as a call does.
fn executable(cache: &CodeCache, files: usize) -> Diagnosis {
    match check_executable(cache) {
        Ok(()) => good("compiled code", format!("{files} files")),
        // Code that is already there still runs.
        Err(IntoCacheError::Cache(error)) => {
            let error = Failure::new(ErrorKind::Local, error).in_one_line();
            warning(
                "compiled code",
                format!("{files} files, and no more can be kept: {error}"),
                None,
            )
        }
        Err(error) => {
            let failure = Failure::from(error);
            bad("compiled code", failure.in_one_line(), failure.into_hint())
        }
    }
}

fn session(context: &Context, depot: &Depot) -> Diagnosis {
    match (depot.places().runtime.is_some(), context.has_session_bus()) {
        (true, true) => good("session", "a runtime directory and a session bus"),
        (true, false) => warning(
            "session",
            "no session bus: no notifications, no messages, no keyring",
            Some(
                "start sesame from your desktop session, or set DBUS_SESSION_BUS_ADDRESS"
                    .to_owned(),
            ),
        ),
        (false, _) => warning(
            "session",
            "no runtime directory: timed grants are not possible",
            Some("set XDG_RUNTIME_DIR".to_owned()),
        ),
    }
}

fn keyring(context: &Context) -> Diagnosis {
    if !context.has_session_bus() {
        return warning("keyring", "not checked: no session bus", None);
    }
    let fix =
        Some("unlock your keyring, or start a Secret Service such as gnome-keyring".to_owned());
    match with_timeout(|| {
        kept_logins(&LoginStore::SecretService).map_err(|error| error.to_string())
    }) {
        Ok(logins) => {
            good("keyring", format!("it answers; logins kept for {} registries", logins.len()))
        }
        Err(reason) => warning("keyring", reason, fix),
    }
}

/// Checks whether each registry of an installed extension answers.
fn registries(context: &Context, listed: Vec<Listed>) -> Vec<Diagnosis> {
    let origin = |listed: Listed| -> Option<(ExtensionName, OciReference)> {
        Some((listed.name, listed.manifest.ok()?.manifest.extension.oci?))
    };
    let origins: BTreeMap<_, _> = listed
        .into_iter()
        .filter_map(origin)
        .filter(|(_, reference)| !reference.is_local())
        .map(|(_, reference)| (reference.registry().to_owned(), reference))
        .collect();
    let look = |(registry, reference): (String, OciReference)| {
        let what = format!("registry {registry}");
        if context.is_offline() {
            return warning(what, "not asked: sesame is offline", None);
        }
        match reach(context, &reference) {
            Ok(()) => good(what, "it answers"),
            Err(failure) => bad(what, failure.in_one_line(), failure.into_hint()),
        }
    };
    origins.into_iter().map(look).collect()
}

fn reach(context: &Context, reference: &OciReference) -> Result<(), Failure> {
    let reaching = context.registry()?.reach(reference);
    Ok(context.wait_for(waiting(
        context,
        format!("asking {}…", reference.registry()),
        reaching,
    ))??)
}
