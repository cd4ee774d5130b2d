//! Whether policy keeps an installed extension from being called, found out as a call finds it out.

use std::borrow::Cow;
use std::cell::OnceCell;

use core_types::{Capability, Request};
use extension_depot::{Depot, EffectiveConfig, Installed};
use extension_host::{CodeKey, Host};
use extension_manager::starts_without;

use crate::context::Context;
use crate::failure::Failure;

/// Checks extensions one after another, for commands that show them.
pub struct PolicyCheck<'a> {
    context: &'a Context,
    depot: &'a Depot,
    /// The configuration, or the reason why it cannot be read: then each call is refused. Unknown
    /// keys are not reported here.
    config: Result<Cow<'a, EffectiveConfig>, Stop>,
    /// Made for the first extension whose imports are checked.
    host: OnceCell<Option<Host>>,
}

/// The reason why an extension cannot be called.
#[derive(Debug, Clone)]
pub struct Stop {
    /// The policy's reason.
    pub reason: String,
    /// The hint, if there is one.
    pub fix: Option<String>,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self { reason: failure.in_one_line(), fix: failure.into_hint() }
    }
}

impl<'a> PolicyCheck<'a> {
    /// Makes a check by the present policies.
    pub fn new(context: &'a Context, depot: &'a Depot) -> Self {
        let config =
            EffectiveConfig::load(depot.places()).map_err(|error| Failure::from(error).into());
        Self { context, depot, config: config.map(Cow::Owned), host: OnceCell::new() }
    }

    /// Makes a check by a configuration and with a host that are there already.
    pub fn with(
        context: &'a Context,
        depot: &'a Depot,
        config: &'a EffectiveConfig,
        host: &Host,
    ) -> Self {
        let host = OnceCell::from(Some(host.clone()));
        Self { context, depot, config: Ok(Cow::Borrowed(config)), host }
    }

    /// Returns the configuration, if it can be read.
    pub fn config(&self) -> Option<&EffectiveConfig> {
        self.config.as_deref().ok()
    }

    /// Returns whether there is a policy that could stop an extension. An unreadable one stops all of
    /// them.
    pub fn can_stop(&self) -> bool {
        self.config.as_ref().map_or(true, |config| !config.policies.is_empty())
    }

    /// Returns why policy stops an extension, if it does. A policy that cannot be read stops every
    /// one.
    pub fn stop(&self, installed: &Installed) -> Option<Stop> {
        let config = match &self.config {
            Ok(config) => config,
            Err(stop) => return Some(stop.clone()),
        };
        match self.depot.check_policies(installed, config) {
            Err(error) => Some(Failure::from(error).into()),
            Ok(()) => self.denied_import(installed, config),
        }
    }

    /// Returns the first import that a policy denies, without which the extension does not start.
    fn denied_import(&self, installed: &Installed, config: &EffectiveConfig) -> Option<Stop> {
        if config.policies.iter().all(|(policy, _)| policy.deny.is_empty()) {
            return None;
        }
        let optional = OnceCell::new();
        let needs = |capability: &Capability| {
            !optional.get_or_init(|| starts_without(installed)).contains(capability)
        };
        let denied =
            |capability: Capability| config.denial(capability).filter(|_| needs(&capability));
        let decision = self.imported(installed).into_iter().find_map(denied)?;
        let place =
            decision.place().map(|place| format!("change `deny` in `{}`", place.path.display()));
        Some(Stop { reason: format!("{decision}, which it needs"), fix: place })
    }

    /// Returns the capabilities of its imports. Code that is not compiled yet is not compiled for
    /// this: the grants in its manifest stand in for it.
    fn imported(&self, installed: &Installed) -> Vec<Capability> {
        let host = self.host.get_or_init(|| Host::new().ok()).as_ref();
        let cache = self.context.code_cache().ok();
        let loaded = host.zip(cache).and_then(|(host, cache)| {
            let code = host.load(&cache, &CodeKey::new(&installed.binary().digest)).ok()?;
            Some(
                host.imports(&code)
                    .iter()
                    .filter_map(|import| Some(import.request()?.capability()))
                    .collect(),
            )
        });
        loaded.unwrap_or_else(|| {
            let granted = installed.loaded.manifest.granted().granted();
            granted.into_iter().filter(|capability| has_interface(*capability)).collect()
        })
    }
}

/// Returns whether the capability has an interface, without which an extension does not start.
fn has_interface(capability: Capability) -> bool {
    let interface = format!("open-sesame:host/{capability}@0.1.0");
    capability == Capability::Experimental || Request::of_import(&interface).is_some()
}
