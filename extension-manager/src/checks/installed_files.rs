//! Whether the files of an installed extension are as they were, and repairs of those that are not.

use core_types::{ExtensionName, OciReference};
use extension_depot::{ExtensionNotFound, Finding, Verification};
use extension_host::{CacheError, CodeKey, Host, HostError};

use crate::error::CodeError;
use crate::manager::Manager;

/// Fetches the pinned bytes of an extension again and puts them into place.
pub type Restore<'a, E> = dyn Fn(&ExtensionName, &OciReference) -> Result<(), E> + 'a;

/// What is wrong with the files of an installed extension. `E` is why bytes were not fetched.
#[derive(Debug)]
pub enum Damage<E> {
    /// The manifest, a document or the binary.
    Artifact(Finding),
    /// The bytes did not come from a registry, so they cannot be fetched again.
    FromFile,
    /// The bytes cannot be fetched again.
    NotRestored(E),
    /// Compiled code.
    Code(CacheError),
    /// Compiled code cannot be made again.
    NotCompiled(CodeRepairError),
}

/// Why compiled code is not made again.
#[derive(Debug, thiserror::Error)]
pub enum CodeRepairError {
    /// The wrong code cannot be removed.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// This machine does not run code.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The binary does not compile.
    #[error(transparent)]
    Code(#[from] CodeError),
}

/// What checking every file of an extension found.
///
/// ```no_run
/// use extension_manager::{Manager, Restore};
///
/// # fn check(manager: &Manager) -> Result<(), Box<dyn std::error::Error>> {
/// let repair: Option<&Restore<'_, ()>> = None;
/// let checked = manager.check_files(&"greeting-extension".parse()?, repair)?;
/// assert!(checked.is_sound(), "{:?}", checked.damage);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct CheckedFiles<E> {
    /// The damage that is left.
    pub damage: Vec<Damage<E>>,
    /// The damage that was repaired.
    pub repaired: Vec<Damage<E>>,
}

impl<E> CheckedFiles<E> {
    /// Returns whether nothing was wrong, or nothing is any more.
    pub fn is_sound(&self) -> bool {
        self.damage.is_empty()
    }
}

impl Manager {
    /// Reads and hashes each file of an extension, the compiled code included. With `restore`,
    /// damage is repaired: bytes of a registry are fetched again, and code is compiled again.
    ///
    /// # Errors
    /// When there is no such extension.
    pub fn check_files<E>(
        &self,
        name: &ExtensionName,
        restore: Option<&Restore<'_, E>>,
    ) -> Result<CheckedFiles<E>, ExtensionNotFound> {
        let mut checked = CheckedFiles { damage: Vec::new(), repaired: Vec::new() };
        let verification = self.depot().verify(name)?;
        if !verification.findings.is_empty() {
            checked.add_artifact(verification, restore);
        }
        // What is compiled of damaged bytes says nothing.
        if checked.damage.is_empty() {
            self.check_code(name, restore.is_some(), &mut checked);
        }
        Ok(checked)
    }

    /// Checks compiled code. Only wrong code is damage; missing code is compiled when it is needed.
    fn check_code<E>(&self, name: &ExtensionName, repair: bool, checked: &mut CheckedFiles<E>) {
        let Ok(installed) = self.depot().installed(name) else { return };
        let key = CodeKey::new(&installed.binary().digest);
        let error = match self.code_cache().verify(&key) {
            Ok(()) | Err(CacheError::Missing { .. }) => return,
            Err(error) => error,
        };
        if !repair {
            return checked.damage.push(Damage::Code(error));
        }
        let compile_again = || -> Result<(), CodeRepairError> {
            self.code_cache().remove(&key)?;
            self.code(&Host::new()?, installed.binary())?;
            Ok(())
        };
        match compile_again() {
            Ok(()) => checked.repaired.push(Damage::Code(error)),
            Err(again) => {
                checked.damage.extend([Damage::Code(error), Damage::NotCompiled(again)]);
            }
        }
    }
}

impl<E> CheckedFiles<E> {
    fn add_artifact(&mut self, verification: Verification, restore: Option<&Restore<'_, E>>) {
        let Verification { name, reference, findings } = verification;
        let findings = findings.into_iter().map(Damage::Artifact);
        match (reference, restore) {
            (Some(reference), Some(_)) if reference.is_local() => {
                self.damage.extend(findings);
                self.damage.push(Damage::FromFile);
            }
            (Some(reference), Some(restore)) if reference.provenance().is_some() => {
                match restore(&name, &reference) {
                    Ok(()) => self.repaired.extend(findings),
                    Err(error) => {
                        self.damage.extend(findings);
                        self.damage.push(Damage::NotRestored(error));
                    }
                }
            }
            _ => self.damage.extend(findings),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use extension_depot::BlobError;

    use super::*;

    /// Adds one finding about an extension of this reference. Returns the numbers of damages left
    /// and repaired, and how often bytes were fetched.
    fn added(reference: Option<&str>, restored: Option<Result<(), ()>>) -> (usize, usize, usize) {
        let fetched = Cell::new(0);
        let restore = |_: &ExtensionName, _: &OciReference| {
            fetched.set(fetched.get() + 1);
            restored.unwrap_or(Ok(()))
        };
        let path = std::path::PathBuf::from("blobs/x");
        let finding = BlobError::Io { path, source: std::io::ErrorKind::NotFound.into() };
        let verification = Verification {
            name: "x".parse().expect("a name"),
            reference: reference.map(|text| text.parse().expect(text)),
            findings: vec![Finding::Blob(finding)],
        };
        let mut checked = CheckedFiles { damage: Vec::new(), repaired: Vec::new() };
        let restore: Option<&Restore<'_, ()>> = restored.is_some().then_some(&restore);
        checked.add_artifact(verification, restore);
        (checked.damage.len(), checked.repaired.len(), fetched.get())
    }

    #[test]
    fn bytes_of_a_registry_are_repaired() {
        let digest = "a".repeat(64);
        let pinned = format!("ghcr.io/o/x:1.0.0@sha256:{digest}");
        let local = format!("local/file/x:0.0.0@sha256:{digest}");
        assert_eq!(added(Some(&pinned), None), (1, 0, 0), "not asked for");
        assert_eq!(added(Some(&pinned), Some(Ok(()))), (0, 1, 1));
        assert_eq!(added(Some(&pinned), Some(Err(()))), (2, 0, 1), "the reason is damage too");
        assert_eq!(added(Some(&local), Some(Ok(()))), (2, 0, 0), "only its file has them");
        assert_eq!(added(Some("ghcr.io/o/x:1.0.0"), Some(Ok(()))), (1, 0, 0), "other bytes by now");
        assert_eq!(added(None, Some(Ok(()))), (1, 0, 0));
    }
}
