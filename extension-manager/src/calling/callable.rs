//! Installed extensions that can be called, with their present permissions.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::time::Duration;

use core_types::event::EventName;
use core_types::{Cause, EffectiveLimits, ExtensionName, LimitName, LimitOrigin, Place};
use extension_depot::{EffectiveConfig, Opened};
use extension_host::{
    Arguments, CallReport, Extension, HostError, Program, Refusal, WorkloadOutcome, WorkloadRequest,
};

use super::guest_log;
use super::learn::Needs;
use crate::error::OpenError;
use crate::events::Event;
use crate::examination::starts_without;
use crate::manager::{Loaded, Manager};
use crate::retry::{Round, until_it_holds};

/// The purpose for which an extension is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallMode {
    /// A call by a program or a script.
    #[default]
    Ordinary,
    /// A program that a person watches, who may take their time: where nothing sets a deadline,
    /// only the ceilings of policies hold.
    Attended,
    /// A call to learn what the extension needs. Each import is linked, and a denied permission is
    /// refused at its use.
    Learning,
}

/// A call that another program asks for.
///
/// ```
/// use std::time::Duration;
/// use extension_manager::OutsideCall;
///
/// let call = OutsideCall { caller: ":1.42".to_owned(), wait: Some(Duration::from_secs(1)) };
/// assert!(call.wait.is_some_and(|wait| wait.as_secs() == 1));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutsideCall {
    /// The program, in words for the activity log.
    pub caller: String,
    /// The time that it waits, waiting for other calls of the extension included. By default the
    /// time that the limits give.
    pub wait: Option<Duration>,
}

/// An extension, linked to its present permissions. A later revocation, disabling or end is seen by
/// the next one that is opened: opening costs a fraction of a call.
///
/// ```no_run
/// use extension_host::Arguments;
/// use extension_manager::{CallMode, Manager};
///
/// # fn greet(manager: &Manager) -> Result<(), Box<dyn std::error::Error>> {
/// let callable = manager.callable(&"greeting-extension".parse()?, CallMode::Ordinary)?;
/// let report = callable.call_blocking("greet", &Arguments::words(["World"]));
/// println!("{} with {} of fuel", report.outcome?.to_text(), report.usage.fuel);
/// # Ok(())
/// # }
/// ```
pub struct Callable<'a> {
    manager: &'a Manager,
    opened: Opened,
    extension: Extension,
}

impl Manager {
    /// Opens an extension for calls: within every policy, with the grants of its manifest and of
    /// the login session.
    ///
    /// # Errors
    /// When it is not installed whole, disabled, quarantined, refused by a policy, or imports what
    /// it does not get.
    pub fn callable(
        &self,
        name: &ExtensionName,
        mode: CallMode,
    ) -> Result<Callable<'_>, OpenError> {
        self.callable_as(name, mode, |opened, config| {
            if mode == CallMode::Attended {
                opened.permissions.limits = without_default_deadline(opened, config);
            }
            Ok(())
        })
    }

    /// Opens an extension for a call of another program. What holds for a call of the user's holds
    /// for it, and the program can only shorten it.
    ///
    /// # Errors
    /// As for [`Manager::callable`].
    pub fn callable_for(
        &self,
        name: &ExtensionName,
        call: &OutsideCall,
    ) -> Result<Callable<'_>, OpenError> {
        self.callable_as(name, CallMode::Ordinary, |Opened { permissions, .. }, config| {
            ensure_session(config)?;
            permissions.cause = Some(Cause::bus(call.caller.clone()));
            if let Some(wait) = call.wait {
                permissions.limits = permissions.limits.clone().waited_for(wait);
            }
            Ok(())
        })
    }

    /// Opens an extension for the delivery of an event.
    pub(super) fn callable_by(
        &self,
        name: &ExtensionName,
        event: &EventName,
    ) -> Result<Callable<'_>, OpenError> {
        self.callable_as(name, CallMode::Ordinary, |opened, config| {
            ensure_session(config)?;
            opened.permissions.cause = Some(Cause::event(event));
            Ok(())
        })
    }

    fn callable_as(
        &self,
        name: &ExtensionName,
        mode: CallMode,
        adjust: impl FnOnce(&mut Opened, &EffectiveConfig) -> Result<(), OpenError>,
    ) -> Result<Callable<'_>, OpenError> {
        if self.is_safe_mode() {
            return Err(OpenError::SafeMode);
        }
        let config = self.config()?;
        let (mut opened, loaded) = self.open_and_load(name, &config)?;
        adjust(&mut opened, &config)?;
        let loaded_manifest = &opened.installed.loaded;
        self.warn_of_unknown_keys(&loaded_manifest.path, &loaded_manifest.unknown_keys);
        let permissions = opened.permissions.clone();
        let linked = match mode {
            CallMode::Learning => loaded.host.extension_to_learn_from(&loaded.code, permissions),
            CallMode::Ordinary | CallMode::Attended => {
                let optional = OnceCell::new();
                let is_optional = |capability| {
                    optional.get_or_init(|| starts_without(&opened.installed)).contains(&capability)
                };
                loaded.host.extension_with_optional(&loaded.code, permissions, &is_optional)
            }
        };
        let extension = linked.map_err(|error| refusal(&opened, error))?;
        Ok(Callable { manager: self, opened, extension })
    }

    /// Opens an extension and loads its code. If another process replaces the extension meanwhile,
    /// its binary may be gone before the compilation, and the new one is opened.
    fn open_and_load(
        &self,
        name: &ExtensionName,
        config: &EffectiveConfig,
    ) -> Result<(Opened, Loaded), OpenError> {
        let of_extension = |error| OpenError::of_extension(name, error);
        let round = || {
            let opened = self.depot().open(name, config).map_err(of_extension)?;
            match self.loaded(&opened.installed) {
                Ok(loaded) => Ok(Round::Done((opened, loaded))),
                Err(error) => {
                    let basis = self.depot().basis_of(&opened.installed)?;
                    match basis.still_holds(self.depot())? {
                        true => Err(error),
                        false => Ok(Round::Changed),
                    }
                }
            }
        };
        until_it_holds(name, round)
    }
}

impl Callable<'_> {
    /// Learns from a call what the extension needs.
    pub fn needs(&self, report: &CallReport) -> Needs {
        let before = self.opened.installed.loaded.manifest.granted();
        Needs::of(&self.extension, report, &before)
    }

    /// Returns the installed extension with its permissions.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Returns the linked extension for inspection. A call through it is in the activity log, but
    /// its output is in no log.
    pub fn extension(&self) -> &Extension {
        &self.extension
    }

    /// Calls a function in a new instance. Needs a tokio runtime with time enabled; dropping the
    /// future ends the call.
    pub async fn call(&self, function: &str, arguments: &Arguments) -> CallReport {
        let report = self.extension.call(function, arguments).await;
        self.log(function, &report);
        report
    }

    /// Calls a function in a new instance and waits for it.
    ///
    /// # Panics
    /// Within a tokio runtime, where [`Callable::call`] is to be used.
    pub fn call_blocking(&self, function: &str, arguments: &Arguments) -> CallReport {
        let report = self.extension.call_blocking(function, arguments);
        self.log(function, &report);
        report
    }

    /// Calls a function in a new instance and waits for it, or for `interrupted`, with which it
    /// ends: then nothing is returned.
    ///
    /// # Panics
    /// Within a Tokio runtime.
    pub fn call_until_blocking(
        &self,
        function: &str,
        arguments: &Arguments,
        interrupted: impl Future<Output = ()>,
    ) -> Option<CallReport> {
        let report = self.extension.call_until_blocking(function, arguments, interrupted)?;
        self.log(function, &report);
        Some(report)
    }

    /// Runs the extension as a program and waits for it, or for `interrupted`, with which it ends:
    /// then nothing is returned.
    ///
    /// # Panics
    /// Within a tokio runtime.
    pub fn run_program_blocking(
        &self,
        program: Program,
        interrupted: impl Future<Output = ()>,
    ) -> Option<CallReport<i32>> {
        let function =
            self.extension.program().map(|program| program.qualified_name()).unwrap_or_default();
        let report = self.extension.run_program_blocking(program, interrupted)?;
        self.log(&function, &report);
        Some(report)
    }

    /// Asks an extension of Suffiks about a workload and waits for the answer.
    ///
    /// # Panics
    /// Within a tokio runtime.
    pub fn call_workload_blocking(&self, request: WorkloadRequest) -> CallReport<WorkloadOutcome> {
        let function = request.action.function();
        let report = self.extension.call_workload_blocking(request);
        self.log(function, &report);
        report
    }

    /// Adds the output of a call to the log of the guest. A failure to write the log does not fail
    /// the call.
    pub(super) fn log<T>(&self, function: &str, report: &CallReport<T>) {
        let path = self.manager.depot().places().log(&self.opened.installed.name);
        if let Err(error) = guest_log::append(&path, function, report) {
            self.manager.events().event(Event::OutputNotLogged { path, error: &error });
        }
    }
}

/// Refuses calls and deliveries of a session service that is switched off.
fn ensure_session(config: &EffectiveConfig) -> Result<(), OpenError> {
    if config.session_enabled() {
        return Ok(());
    }
    let unknown = || Place { path: PathBuf::new(), line: None };
    Err(OpenError::SessionOff(config.session_switch().unwrap_or_else(unknown)))
}

fn without_default_deadline(opened: &Opened, config: &EffectiveConfig) -> EffectiveLimits {
    let limits = &opened.permissions.limits;
    if limits.get(LimitName::Timeout).origin != LimitOrigin::Default {
        return limits.clone();
    }
    let written = opened.installed.loaded.manifest.limits.with_longest_time();
    EffectiveLimits::new(&written, &config.ceilings())
}

/// Converts a refusal to link. A denial by policy is an error of its own, since a grant does not
/// help.
fn refusal(opened: &Opened, error: HostError) -> OpenError {
    let name = &opened.installed.name;
    let HostError::Refused(refusals) = &error else { return OpenError::of_host(name, error) };
    let denied = refusals.iter().find_map(|refusal| match refusal {
        Refusal::Denied { capability, policy, .. } => Some((*capability, policy.clone())),
        _ => None,
    });
    match denied {
        Some((capability, policy)) => {
            OpenError::DeniedByPolicy { name: name.clone(), capability, policy }
        }
        None => OpenError::of_host(name, error),
    }
}
