//! What `sesame extension dev` installs: a project under a name of its own, as long as the command
//! runs.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError as Held};
use std::thread;
use std::time::{Duration, Instant};

use core_types::{ErrorKind, ExtensionName};
use extension_depot::{Depot, DepotError};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::install::{Terms, examine, install};
use super::publish::read_binary;
use super::secret;
use crate::arguments::GlobalArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::interrupt;
use crate::outcome::Installation;
use crate::project::Project;

/// What stands behind the name of a project that is tried.
const SUFFIX: &str = "-dev";
/// The longest name of an extension.
const MAX_NAME: usize = 64;
/// How long a signal waits for an installation that has begun: what comes after is a matter of
/// milliseconds.
const GRACE: Duration = Duration::from_secs(2);
/// How often it looks whether that has ended.
const LOOK: Duration = Duration::from_millis(10);

/// A project that is being tried.
pub struct Development {
    name: ExtensionName,
    /// Held while something is installed, so that a signal removes it afterwards and not before.
    installing: Arc<Mutex<()>>,
    /// Held as long as this is, so that no other process tries the same project.
    _lock: Option<File>,
}

impl Development {
    /// Takes a name for a project, and removes what an earlier command that was killed has left
    /// under it.
    pub fn begin(
        context: &Context,
        project: &Project,
        name: Option<&ExtensionName>,
    ) -> Result<Self, Failure> {
        let lock = lock(project.directory())?;
        let name = name.cloned().unwrap_or_else(|| name_of(project.name()));
        let depot = context.depot()?;
        if is_development(&depot, &name)? == Some(false) {
            return Err(Failure::name_taken_for_dev(&name));
        }
        if remove(context, &name)? {
            context.say(&format!("`{name}` was still there and is begun anew"));
        }
        let development = Self { name, installing: Arc::default(), _lock: lock };
        development.end_on_signal(context.global.clone())?;
        Ok(development)
    }

    /// The name under which it can be called.
    pub fn name(&self) -> &ExtensionName {
        &self.name
    }

    /// Installs what was built, with all that its author asks for. Nothing comes of it if exactly
    /// that is installed.
    pub fn install(
        &self,
        context: &Context,
        project: &Project,
        built: &Path,
    ) -> Result<Option<Installation>, Failure> {
        let depot = context.depot()?;
        let staged = depot.stage_development(read_binary(built)?, &self.name, project.version())?;
        context.check_source(&staged.reference)?;
        if depot.whole(&self.name).is_some_and(|installed| installed.reference == staged.reference)
        {
            return Ok(None);
        }
        // Compiled before the others have to wait.
        examine(context, &staged.binary, &self.name)?;
        let terms = Terms {
            source: "sesame extension dev".to_owned(),
            // What was added since the first time is not asked for any more, so it is said.
            grant: &project.capabilities().grants_in_full(),
            grant_requested: true,
            entry: None,
            evidence: None,
            claimed: None,
            signer: None,
            allow_downgrade: true,
            names_bytes: true,
            replaces: false,
        };
        let _installing = self.installing.lock().unwrap_or_else(PoisonError::into_inner);
        install(context, &depot, &staged, &self.name, &terms).map(Some)
    }

    /// Removes it with all that it has left.
    pub fn end(self, context: &Context) {
        end(context, &self.name);
    }

    /// Removes it when a person or the session ends this process, which then ends as the signal
    /// would have it.
    fn end_on_signal(&self, global: GlobalArguments) -> Result<(), Failure> {
        let mut signals = Signals::new(interrupt::ENDING)?;
        let (name, installing) = (self.name.clone(), self.installing.clone());
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let Some(signal) = signals.forever().next() else { return };
            // Kept to the end: nothing is installed any more.
            let _installing = wait_for(&installing);
            end(&Context::new(global), &name);
            let _ = emulate_default_handler(signal);
        })?;
        Ok(())
    }
}

/// Waits until nothing is being installed, but not for a question that nobody answers.
fn wait_for(installing: &Mutex<()>) -> Option<MutexGuard<'_, ()>> {
    let begun = Instant::now();
    loop {
        match installing.try_lock() {
            Ok(held) => return Some(held),
            Err(Held::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(Held::WouldBlock) if begun.elapsed() > GRACE => return None,
            Err(Held::WouldBlock) => thread::sleep(LOOK),
        }
    }
}

/// The name under which a project is tried.
fn name_of(project: &ExtensionName) -> ExtensionName {
    let kept = &project.as_str()[..project.as_str().len().min(MAX_NAME - SUFFIX.len())];
    // A name has one byte for each character.
    format!("{kept}{SUFFIX}").parse().unwrap_or_else(|_| project.clone())
}

/// Makes sure that this is the only process that tries the project in a directory. Where a file
/// system has no locks, nobody can know.
fn lock(directory: &Path) -> Result<Option<File>, Failure> {
    let Ok(file) = File::open(directory) else { return Ok(None) };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            let message = "another `sesame extension dev` runs in this directory";
            Err(Failure::message(ErrorKind::Local, message).with_hint("end that one with Ctrl-C"))
        }
        Err(TryLockError::Error(_)) => Ok(None),
        Ok(()) => Ok(Some(file)),
    }
}

/// Whether what has this name is a project that is or was being tried; nothing if nothing has it.
fn is_development(depot: &Depot, name: &ExtensionName) -> Result<Option<bool>, Failure> {
    let Some(loaded) = depot.manifest(name)? else { return Ok(None) };
    let reference = loaded.manifest.extension.oci;
    Ok(Some(reference.is_some_and(|reference| reference.is_development())))
}

fn end(context: &Context, name: &ExtensionName) {
    match remove(context, name) {
        Ok(true) => context.say(&format!("`{name}` is gone again")),
        Ok(false) => {}
        Err(failure) => context.warn(&format!(
            "`{name}` is still there: {}; remove it with: sesame extension remove --purge {name}",
            failure.in_one_line()
        )),
    }
}

/// Removes a project that is or was being tried, and nothing else. Returns whether it was there.
fn remove(context: &Context, name: &ExtensionName) -> Result<bool, Failure> {
    let depot = context.depot()?;
    if is_development(&depot, name)? != Some(true) {
        return Ok(false);
    }
    secret::forget_all(context, name);
    let removed = depot.lock()?.remove(name, true);
    match removed {
        Ok(_) => Ok(true),
        Err(DepotError::NotFound { .. }) => Ok(false),
        Err(error) => Err(Failure::of_extension(name, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dev_name_is_a_name_of_its_own() {
        let name = |text: &str| name_of(&text.parse().expect(text)).to_string();
        assert_eq!(name("weather"), "weather-dev");
        assert_eq!(name(&"a".repeat(64)), format!("{}-dev", "a".repeat(60)));
        assert_eq!(name("weather-dev"), "weather-dev-dev");
    }
}
