//! The installation of `sesame extension dev`: a project under a temporary name, until the command
//! ends.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError as Held};
use std::thread;
use std::time::{Duration, Instant};

use core_types::{ErrorKind, ExtensionName};
use extension_depot::{Depot, RemoveError};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::arguments::GlobalArguments;
use crate::authoring::read_binary;
use crate::consent::TerminalConsent;
use crate::context::Context;
use crate::failure::Failure;
use crate::installed::secrets;
use crate::outcome::Installation;
use crate::project::Project;
use crate::terminal::interrupt;

/// The suffix of a temporary name.
const SUFFIX: &str = "-dev";
/// The longest name of an extension, as `ExtensionName` checks it.
const MAX_NAME: usize = 64;
/// The time that a signal waits for a running installation. Its last steps take milliseconds.
const GRACE: Duration = Duration::from_secs(2);
/// The interval of looking whether the installation has ended.
const LOOK: Duration = Duration::from_millis(10);

/// A project under its temporary name.
pub struct Development {
    name: ExtensionName,
    /// Held during an installation, so that a signal removes it afterwards and not before.
    installing: Arc<Mutex<()>>,
    /// Held as long as this exists, so that no other process takes the same project.
    _lock: Option<File>,
}

impl Development {
    /// Takes a name for a project, and removes the leftovers of a killed command under it.
    pub fn begin(
        context: &Context,
        project: &Project,
        name: Option<&ExtensionName>,
    ) -> Result<Self, Failure> {
        let lock = lock(project.directory())?;
        let name = name.cloned().unwrap_or_else(|| name_of(project.name()));
        let depot = context.depot()?;
        if is_development(depot, &name)? == Some(false) {
            return Err(Failure::name_taken_for_dev(&name));
        }
        if remove(context, &name)? {
            context.status(&format!("`{name}` was still there and is begun anew"));
        }
        let development = Self { name, installing: Arc::default(), _lock: lock };
        development.end_on_signal(context.global.clone())?;
        Ok(development)
    }

    /// Returns the temporary name.
    pub fn name(&self) -> &ExtensionName {
        &self.name
    }

    /// Installs the built component with all of its author's requests. Does nothing if it is
    /// already installed.
    pub fn install(
        &self,
        context: &Context,
        project: &Project,
        built: &Path,
    ) -> Result<Option<Installation>, Failure> {
        let consent = TerminalConsent::new(context);
        let installer = context.installer(&consent)?;
        let binary = read_binary(built)?;
        // Compiled before the lock, so that others do not wait.
        let prepared = installer.prepare_tryout(&self.name, binary, project.version())?;
        let Some(prepared) = prepared else { return Ok(None) };
        let grant: Vec<_> = project.capabilities().iter().cloned().collect();
        let _installing = self.installing.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Some(installer.install_tryout(prepared, &grant)?.into()))
    }

    /// Removes the extension with all its files.
    pub fn end(self, context: &Context) {
        end(context, &self.name);
    }

    /// Removes the extension on a signal, after which this process ends by that signal.
    fn end_on_signal(&self, global: GlobalArguments) -> Result<(), Failure> {
        let mut signals = Signals::new(interrupt::ENDING)?;
        let (name, installing) = (self.name.clone(), self.installing.clone());
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let Some(signal) = signals.forever().next() else { return };
            // Held to the end, so that nothing is installed any more.
            let _installing = wait_for(&installing);
            end(&Context::new(global), &name);
            let _ = emulate_default_handler(signal);
        })?;
        Ok(())
    }
}

/// Waits for a running installation, but not for a question without an answer.
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

/// Returns the temporary name of a project.
fn name_of(project: &ExtensionName) -> ExtensionName {
    let kept = &project.as_str()[..project.as_str().len().min(MAX_NAME - SUFFIX.len())];
    // A name has one byte for each character.
    format!("{kept}{SUFFIX}").parse().unwrap_or_else(|_| project.clone())
}

/// Locks a project directory against another `dev`. Without locks in the file system, two cannot be
/// told apart.
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

/// Returns whether the extension of this name is temporary; nothing if there is none.
fn is_development(depot: &Depot, name: &ExtensionName) -> Result<Option<bool>, Failure> {
    let Some(loaded) = depot.manifest(name)? else { return Ok(None) };
    let reference = loaded.manifest.extension.oci;
    Ok(Some(reference.is_some_and(|reference| reference.is_development())))
}

fn end(context: &Context, name: &ExtensionName) {
    match remove(context, name) {
        Ok(true) => context.status(&format!("`{name}` was removed")),
        Ok(false) => {}
        Err(failure) => context.warn(&format!(
            "`{name}` is still there: {}; remove it with: sesame extension remove --purge {name}",
            failure.in_one_line()
        )),
    }
}

/// Removes a temporary extension and nothing else. Returns whether it existed.
fn remove(context: &Context, name: &ExtensionName) -> Result<bool, Failure> {
    let depot = context.depot()?;
    if is_development(depot, name)? != Some(true) {
        return Ok(false);
    }
    secrets::forget_all(context, name);
    let removed = depot.lock()?.remove(name, true);
    match removed {
        Ok(_) => Ok(true),
        Err(RemoveError::NotFound(_)) => Ok(false),
        Err(error) => Err(error.into()),
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
