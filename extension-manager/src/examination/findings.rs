//! The needs and requests of a binary.

use core_types::{Authority, Capability, ExtensionName};
use extension_depot::{Binary, BlobError, Installed, MAX_BLOB, read_blob, read_regular};
use extension_host::{
    Code, CodeKind, DeclaredEvents, Host, HostError, Purpose, boot_time, declared_events,
    requested_by_author,
};

use super::author::{declared_by, requested_by};
use super::error::ExamineError;
use super::events::{EventsMismatch, mismatch, wider};
use super::linked::Linked;
use crate::consent::Requests;
use crate::manager::Manager;

/// What there is to say about a binary before it is installed.
pub struct Findings {
    /// The host that it was linked by.
    pub host: Host,
    /// Its code.
    pub code: Code,
    /// Its requests.
    pub requests: Requests,
    /// What its author says about events.
    pub events: DeclaredEvents,
    /// Why it could never start here.
    pub refusal: Option<HostError>,
    /// Why it could never be woken as its author says.
    pub mismatch: Option<EventsMismatch>,
    /// The purpose.
    pub purpose: Purpose,
}

impl Manager {
    /// Compiles and links the binary of an extension, and reads its requests. None of its code
    /// runs.
    ///
    /// # Errors
    /// When it does not compile or cannot be read. That it could never start is a finding.
    pub fn examine(&self, name: &ExtensionName, binary: &Binary) -> Result<Findings, ExamineError> {
        let read = read_blob(&binary.path, &binary.digest, MAX_BLOB);
        self.find(name, binary, read)
    }

    /// Examines a binary that this process hashed as it arrived. The compiler hashes it again: a
    /// third time would find nothing.
    pub(crate) fn examine_arrived(
        &self,
        name: &ExtensionName,
        binary: &Binary,
    ) -> Result<Findings, ExamineError> {
        let read = read_regular(&binary.path, MAX_BLOB);
        let of_binary = |source| BlobError::Io { path: binary.path.clone(), source };
        self.find(name, binary, read.map_err(of_binary))
    }

    /// Examines the arrived successor of an installed extension, which has to be able to start. Its
    /// requests are those that the installed one does not have, and events that it is granted and
    /// that would come more often or for more.
    pub(crate) fn examine_update(
        &self,
        from: &Installed,
        to: &Binary,
    ) -> Result<Findings, ExamineError> {
        let before = self.examine(&from.name, from.binary())?;
        let after = self.examine_arrived(&from.name, to)?.startable(&from.name)?;
        let manifest = &from.loaded.manifest;
        let mut requests = after.requests.under(&manifest.events);
        requests.wider = wider(&manifest.events, &before.events.tables, &after.events.tables);
        let granted = self.authority_of(from);
        let granted = granted.in_force(boot_time());
        requests.wider.retain(|grant| granted.covers(grant));
        Ok(Findings { requests: requests.beyond(&before.requests), ..after })
    }

    /// Returns the grants of an installed extension, with those that end. Policies are left out:
    /// they deny at the delivery, and can change. Timed grants that cannot be read do not hold.
    fn authority_of(&self, installed: &Installed) -> Authority {
        let identity = installed.reference.identity();
        let timed = self.depot().timed_grants(&installed.name, &identity).unwrap_or_default();
        Authority { timed, ..Authority::of(installed.loaded.manifest.granted()) }
    }

    fn find(
        &self,
        name: &ExtensionName,
        binary: &Binary,
        read: Result<Vec<u8>, BlobError>,
    ) -> Result<Findings, ExamineError> {
        let of_name = |source| ExamineError::Damaged { name: name.clone(), source };
        let bytes = read.map_err(of_name)?;
        let Linked { host, code, refusal } = Linked::new(self, name, binary, &bytes)?;
        let events = declared_events(&bytes)?;
        let requests = Requests::new(imported(&host, &code), requested_by_author(&bytes)?)
            .with_events(events.tables.clone());
        let purpose = host.purpose(&code);
        let mismatch = mismatch(name, &events, (&host, &code));
        Ok(Findings { host, code, requests, events, refusal, mismatch, purpose })
    }
}

impl Findings {
    /// Returns the same, unless it could never start here.
    ///
    /// # Errors
    /// When it could never start here.
    pub fn startable(self, name: &ExtensionName) -> Result<Self, ExamineError> {
        if let Some(refusal) = self.refusal {
            return Err(ExamineError::of_host(name, refusal));
        }
        self.mismatch.clone().map_or(Ok(self), |mismatch| Err(mismatch.into()))
    }
}

/// Returns the requests of an installed extension, from its code and from its author.
pub fn requests_of(installed: &Installed, host: &Host, code: &Code) -> Requests {
    let events = installed.loaded.manifest.events.over(&declared_by(installed).tables);
    Requests::new(imported(host, code), requested_by(installed)).with_events(events)
}

/// Returns the capabilities that the imports of code stand for. A module gets its configuration as
/// environment and imports nothing for it.
fn imported(host: &Host, code: &Code) -> Vec<Capability> {
    let mut imported: Vec<_> =
        host.imports(code).iter().filter_map(|import| import.capability).collect();
    if code.kind() == CodeKind::Module {
        imported.push(Capability::ConfigRead);
    }
    imported
}
