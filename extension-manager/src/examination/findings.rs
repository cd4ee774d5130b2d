//! The needs and requests of a binary.

use core_types::{Capability, ExtensionName};
use extension_depot::{Binary, BlobError, Installed, MAX_BLOB, read_blob, read_regular};
use extension_host::{Code, CodeKind, Host, HostError, Purpose, requested_by_author};

use super::author::requested_by;
use super::error::ExamineError;
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
    /// Why it could never start here.
    pub refusal: Option<HostError>,
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
    /// requests are those that the installed one does not have.
    pub(crate) fn examine_update(
        &self,
        from: &Installed,
        to: &Binary,
    ) -> Result<Findings, ExamineError> {
        let before = self.examine(&from.name, from.binary())?.requests;
        let after = self.examine_arrived(&from.name, to)?.startable(&from.name)?;
        Ok(Findings { requests: after.requests.beyond(&before), ..after })
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
        let requests = Requests::new(imported(&host, &code), requested_by_author(&bytes)?);
        let purpose = host.purpose(&code);
        Ok(Findings { host, code, requests, refusal, purpose })
    }
}

impl Findings {
    /// Returns the same, unless it could never start here.
    ///
    /// # Errors
    /// When it could never start here.
    pub fn startable(self, name: &ExtensionName) -> Result<Self, ExamineError> {
        match self.refusal {
            Some(refusal) => Err(ExamineError::of_host(name, refusal)),
            None => Ok(self),
        }
    }
}

/// Returns the requests of an installed extension, from its code and from its author.
pub fn requests_of(installed: &Installed, host: &Host, code: &Code) -> Requests {
    Requests::new(imported(host, code), requested_by(installed))
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
