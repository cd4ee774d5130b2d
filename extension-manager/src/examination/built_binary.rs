//! Binaries that an author has built, before they are published or tested.

use std::io::{self, Write};

use core_types::ExtensionName;
use extension_depot::{Binary, digest_of};
use extension_host::{Code, Host, declared_events};

use super::error::ExamineError;
use super::events::mismatch;
use super::linked::Linked;
use crate::error::CodeError;
use crate::manager::Manager;

/// A binary that is known to start here.
pub struct BuiltBinary {
    /// Its bytes.
    pub binary: Vec<u8>,
    /// Its code.
    pub code: Code,
    /// The host that it was linked by.
    pub host: Host,
    /// The interfaces that it imports.
    pub imports: Vec<String>,
    /// The interfaces and functions that it exports.
    pub exports: Vec<String>,
}

impl Manager {
    /// Compiles a binary and links it to everything that it imports. None of its code runs.
    ///
    /// # Errors
    /// When it could not start here, or could not be woken as its author says.
    pub fn examine_built(
        &self,
        name: &ExtensionName,
        binary: Vec<u8>,
    ) -> Result<BuiltBinary, ExamineError> {
        let file = written(&binary).map_err(CodeError::Temporary)?;
        let written = Binary {
            path: file.path().to_owned(),
            digest: digest_of(&binary),
            size: binary.len() as u64,
        };
        let Linked { host, code, refusal } = Linked::new(self, name, &written, &binary)?;
        if let Some(refusal) = refusal {
            return Err(ExamineError::of_host(name, refusal));
        }
        if let Some(mismatch) = mismatch(name, &declared_events(&binary)?, (&host, &code)) {
            return Err(mismatch.into());
        }
        let imports = host.imports(&code).into_iter().map(|import| import.name).collect();
        let exports = exports(&host, &code);
        Ok(BuiltBinary { binary, code, host, imports, exports })
    }
}

/// Writes a binary where a compiler in another process can read it.
fn written(binary: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(binary)?;
    Ok(file)
}

/// Returns the interfaces that are exported, and the functions outside of any, each once.
fn exports(host: &Host, code: &Code) -> Vec<String> {
    let functions = host.exports(code).into_iter();
    let mut exports: Vec<_> =
        functions.map(|function| function.interface.unwrap_or(function.name)).collect();
    exports.sort();
    exports.dedup();
    exports
}
