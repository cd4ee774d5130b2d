//! Fourth stage: the needs and requests of the code.

use core_types::{Capability, ExtensionName};
use extension_depot::{Binary, BlobError, MAX_BLOB, read_blob, read_regular};
use extension_host::{
    Code, CodeKind, Host, HostError, Permissions, Purpose, RequestError, check_binary,
    requested_by_author,
};

use super::error::InstallError;
use super::operation::Operation;
use super::verified::Verified;
use crate::compiled_code::CodeError;
use crate::consent::Requests;
use crate::installer::Installer;
use crate::manager::Manager;

/// An extension that is compiled, links, and whose requests are known.
pub(crate) struct Examined {
    pub(super) verified: Verified,
    /// Its requests; for an update, those that its predecessor did not have.
    pub(super) requests: Requests,
    /// The purpose.
    pub(super) purpose: Purpose,
}

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

/// Why nothing can be said about a binary, or why it could never start here.
#[derive(Debug, thiserror::Error)]
pub enum ExamineError {
    /// Its bytes are missing or damaged.
    #[error("the binary of `{name}` is damaged")]
    Damaged {
        /// The extension.
        name: ExtensionName,
        /// The problem.
        source: BlobError,
    },
    /// It does not compile or link.
    #[error("`{name}` does not start here")]
    Host {
        /// The extension.
        name: ExtensionName,
        /// The problem.
        source: Box<HostError>,
    },
    /// It does not compile.
    #[error(transparent)]
    Code(Box<CodeError>),
    /// The author's requests cannot be parsed.
    #[error(transparent)]
    Requests(#[from] RequestError),
}

/// Where the bytes of a binary were verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bytes {
    /// As they arrived, by this process.
    Fresh,
    /// In an earlier process.
    Kept,
}

impl Verified {
    /// Compiles the code, links it against its imports, and reads its requests and the author's.
    /// None of the code runs.
    pub(super) fn examine(
        self,
        installer: &Installer<'_>,
        operation: &Operation<'_>,
    ) -> Result<Examined, InstallError> {
        let (name, manager) = (&self.staged.name, installer.manager);
        let before = match operation {
            Operation::Update(update) => {
                Some(manager.examine(name, update.from.binary())?.requests)
            }
            Operation::Install(_) | Operation::RollBack(_) => None,
        };
        let bytes = match operation {
            Operation::RollBack(_) => Bytes::Kept,
            Operation::Install(_) | Operation::Update(_) => Bytes::Fresh,
        };
        let findings = manager.examine_bytes(name, self.staged.binary(), bytes)?;
        let Findings { mut requests, purpose, .. } = findings.startable(name)?;
        if let Some(before) = before {
            requests = requests.beyond(&before);
        }
        if let Operation::Install(options) = operation
            && let Some(entry) = options.entry
        {
            requests.add(entry.capabilities.iter().cloned().collect());
        }
        Ok(Examined { verified: self, requests, purpose })
    }
}

impl Manager {
    /// Compiles and links the binary of an extension, and reads its requests. None of its code
    /// runs.
    ///
    /// # Errors
    /// When it does not compile or cannot be read. That it could never start is a finding.
    pub fn examine(&self, name: &ExtensionName, binary: &Binary) -> Result<Findings, ExamineError> {
        self.examine_bytes(name, binary, Bytes::Kept)
    }

    fn examine_bytes(
        &self,
        name: &ExtensionName,
        binary: &Binary,
        bytes: Bytes,
    ) -> Result<Findings, ExamineError> {
        let of_host = |source| ExamineError::of_host(name, source);
        let bytes = read(name, binary, bytes)?;
        check_binary(&bytes).map_err(of_host)?;
        let host = Host::new().map_err(of_host)?;
        let code = self.code(&host, binary)?;
        let refusal = host.extension_to_learn_from(&code, Permissions::default()).err();
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

impl ExamineError {
    pub(crate) fn of_host(name: &ExtensionName, source: HostError) -> Self {
        Self::Host { name: name.clone(), source: Box::new(source) }
    }
}

impl From<CodeError> for ExamineError {
    fn from(error: CodeError) -> Self {
        Self::Code(Box::new(error))
    }
}

/// Reads a binary. It was hashed on arrival, and the compiler hashes it again: a third time would
/// find nothing.
fn read(name: &ExtensionName, binary: &Binary, bytes: Bytes) -> Result<Vec<u8>, ExamineError> {
    let read = match bytes {
        Bytes::Kept => read_blob(&binary.path, &binary.digest, MAX_BLOB),
        Bytes::Fresh => read_regular(&binary.path, MAX_BLOB)
            .map_err(|source| BlobError::Io { path: binary.path.clone(), source }),
    };
    read.map_err(|source| ExamineError::Damaged { name: name.clone(), source })
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
