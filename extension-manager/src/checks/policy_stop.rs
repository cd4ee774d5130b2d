//! Whether policy keeps an installed extension from being called, found out as a call finds it out.

use std::borrow::Cow;
use std::cell::OnceCell;

use core_types::{Capability, Decision, Request};
use extension_depot::{ConfigFileError, Depot, EffectiveConfig, Installed, PolicyCheckError};
use extension_host::{CodeCache, CodeKey, Host};

use crate::examination::starts_without;

/// Checks extensions one after another, for whoever shows them.
///
/// ```
/// use extension_depot::{Depot, Places};
/// use extension_manager::PolicyCheck;
/// # let directory = tempfile::tempdir()?;
///
/// let depot = Depot::new(Places::below(directory.path()));
/// let policies = PolicyCheck::new(&depot);
/// assert!(!policies.can_stop(), "there is no policy");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct PolicyCheck<'a> {
    depot: &'a Depot,
    /// The configuration, or the reason why it cannot be read: then each call is refused. Unknown
    /// keys are not reported here.
    config: Result<Cow<'a, EffectiveConfig>, ConfigFileError>,
    /// Made for the first extension whose imports are checked.
    host: OnceCell<Option<Host>>,
}

/// Why policy keeps an extension from being called.
#[derive(Debug)]
pub enum PolicyStop<'a> {
    /// The configuration or a policy cannot be read: nothing is allowed then.
    Unreadable(&'a ConfigFileError),
    /// A policy refuses its source or its signer.
    Refused(Box<PolicyCheckError>),
    /// A policy denies an import without which it does not start.
    DeniedImport(Decision<'a>),
}

impl<'a> PolicyCheck<'a> {
    /// Makes a check by the present policies.
    pub fn new(depot: &'a Depot) -> Self {
        let config = EffectiveConfig::load(depot.places()).map(Cow::Owned);
        Self { depot, config, host: OnceCell::new() }
    }

    /// Makes a check by a configuration and with a host that are there already.
    pub fn with(depot: &'a Depot, config: &'a EffectiveConfig, host: &Host) -> Self {
        Self { depot, config: Ok(Cow::Borrowed(config)), host: OnceCell::from(Some(host.clone())) }
    }

    /// Returns the configuration, if it can be read.
    pub fn config(&self) -> Option<&EffectiveConfig> {
        self.config.as_deref().ok()
    }

    /// Returns whether there is a policy that could stop an extension. An unreadable one stops all
    /// of them.
    pub fn can_stop(&self) -> bool {
        self.config.as_ref().map_or(true, |config| !config.policies.is_empty())
    }

    /// Returns why policy stops an extension, if it does. A policy that cannot be read stops every
    /// one.
    pub fn stop(&self, installed: &Installed) -> Option<PolicyStop<'_>> {
        let config = match &self.config {
            Ok(config) => config,
            Err(error) => return Some(PolicyStop::Unreadable(error)),
        };
        match self.depot.check_policies(installed, config) {
            Err(error) => Some(PolicyStop::Refused(Box::new(error))),
            Ok(()) => self.denied_import(installed, config).map(PolicyStop::DeniedImport),
        }
    }

    /// Returns the denial of the first import that a policy denies and without which the extension
    /// does not start.
    fn denied_import<'c>(
        &self,
        installed: &Installed,
        config: &'c EffectiveConfig,
    ) -> Option<Decision<'c>> {
        if config.policies.iter().all(|(policy, _)| policy.deny.is_empty()) {
            return None;
        }
        let optional = OnceCell::new();
        let needs = |capability: &Capability| {
            !optional.get_or_init(|| starts_without(installed)).contains(capability)
        };
        let mut imported = self.imported(installed).into_iter();
        imported.find_map(|capability| config.denial(capability).filter(|_| needs(&capability)))
    }

    /// Returns the capabilities of its imports. Code that is not compiled yet is not compiled for
    /// this: the grants in its manifest stand in for it.
    fn imported(&self, installed: &Installed) -> Vec<Capability> {
        self.imports_of_code(installed).unwrap_or_else(|| {
            let granted = installed.loaded.manifest.granted().granted();
            granted.into_iter().filter(|capability| has_interface(*capability)).collect()
        })
    }

    fn imports_of_code(&self, installed: &Installed) -> Option<Vec<Capability>> {
        let host = self.host.get_or_init(|| Host::new().ok()).as_ref()?;
        let cache = CodeCache::new(self.depot.places().code());
        let code = host.load(&cache, &CodeKey::new(&installed.binary().digest)).ok()?;
        let imports = host.imports(&code);
        let requests = imports.iter().filter_map(|import| import.request());
        Some(requests.map(|request| request.capability()).collect())
    }
}

/// Returns whether the capability has an interface, without which an extension does not start.
fn has_interface(capability: Capability) -> bool {
    let interface = format!("open-sesame:host/{capability}@0.1.0");
    capability == Capability::Experimental || Request::of_import(&interface).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grant of a capability without an interface says nothing about the imports.
    #[test]
    fn interfaces_are_told_from_grants() {
        for capability in [
            Capability::ConfigRead,
            Capability::Notification,
            Capability::SecretRead,
            Capability::Experimental,
        ] {
            assert!(has_interface(capability), "{capability}");
        }
        for capability in [Capability::Filesystem, Capability::Env, Capability::Network] {
            assert!(!has_interface(capability), "{capability}");
        }
    }
}
