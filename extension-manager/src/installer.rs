//! What changes installed extensions.

use core_types::{ChangeKind, ExtensionName, Grant, OciReference};
use extension_depot::registry::Registry;
use extension_depot::{
    Depot, EffectiveConfig, FileError, LoadedManifest, PolicyRefusal, TransportError,
};
use extension_host::DirectoryRules;

use crate::consent::{Consent, DirectoryGrantError};
use crate::events::{Event, Events, Note, Phase, Warning, Work};
use crate::install::InstallError;
use crate::manager::Manager;
use crate::network::Network;

/// Changes installed extensions: a manager with further tools. Each operation reads the extension
/// once, decides, and commits the decision if nothing has changed meanwhile.
#[derive(Clone, Copy)]
pub struct Installer<'a> {
    /// The extensions.
    pub manager: &'a Manager,
    /// The configuration and every policy, for all operations of one command.
    pub config: &'a EffectiveConfig,
    /// The registries.
    pub network: Network<'a>,
    /// Answers what only a person can answer.
    pub consent: &'a dyn Consent,
}

impl Installer<'_> {
    pub(crate) fn depot(&self) -> &Depot {
        self.manager.depot()
    }

    pub(crate) fn events(&self) -> &dyn Events {
        self.manager.events()
    }

    pub(crate) fn registry(&self) -> &Registry {
        self.network.registry
    }

    pub(crate) fn directories(&self) -> &DirectoryRules {
        self.manager.directories()
    }

    pub(crate) fn warn(&self, warning: &Warning) {
        self.events().event(Event::Warning(warning));
    }

    /// Begins the work on an extension. It ends when the result is dropped.
    pub(crate) fn work_on(&self, name: &ExtensionName) -> Work<'_> {
        Work::on(name, self.events())
    }

    /// Reports that the work on an extension has come to this phase.
    pub(crate) fn phase(&self, name: &ExtensionName, phase: Phase) {
        self.events().event(Event::PhaseStarted { name, phase });
    }

    pub(crate) fn note(&self, note: &Note<'_>) {
        self.events().event(Event::Note(note));
    }

    /// Checks that every policy lets an extension come from there. A refusal is noted in the
    /// activity log, where an administrator looks for it.
    pub(crate) fn check_source(
        &self,
        kind: ChangeKind,
        reference: &OciReference,
    ) -> Result<(), PolicyRefusal> {
        self.config.check_source(reference).inspect_err(|refusal| {
            let (place, reason) = (reference.identity().to_string(), refusal.to_string());
            let name = reference.default_name().map(|name| name.to_string()).unwrap_or_default();
            if let Err(error) = self.depot().note_refusal(kind, &name, &place, &reason) {
                self.events().event(Event::ChangeNotLogged(&error));
            }
        })
    }

    /// Makes sure that something does not come without TLS after others of its repository came with
    /// it, as far as it is asked for over the network at all.
    pub(crate) fn check_transport(
        &self,
        reference: &OciReference,
        allow_plain_http: bool,
    ) -> Result<(), TransportError> {
        if allow_plain_http || reference.is_local() {
            return Ok(());
        }
        self.depot().check_transport(reference, self.registry().is_secure(reference))
    }

    /// Refuses to grant directories that no extension gets, or two under one path.
    pub(crate) fn check_directories(
        &self,
        name: &ExtensionName,
        loaded: Option<&LoadedManifest>,
        grants: &[Grant],
    ) -> Result<(), InstallError> {
        self.manager.check_directories(name, loaded, grants).map_err(|error| match error {
            DirectoryGrantError::Directory(source) => {
                InstallError::Directory { name: name.clone(), source: Box::new(source) }
            }
            DirectoryGrantError::TimedGrants(error) => error.into(),
        })
    }

    /// Returns the names of everything that is installed.
    ///
    /// # Errors
    /// When the manifests cannot be listed.
    pub fn installed_names(&self) -> Result<Vec<ExtensionName>, FileError> {
        let listed = self.depot().list()?.into_iter();
        Ok(listed.filter(|listed| listed.is_installed).map(|listed| listed.name).collect())
    }
}
