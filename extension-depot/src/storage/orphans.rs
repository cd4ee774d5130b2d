//! The storage of extensions that are gone.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use core_types::Identity;
use private_files::{FileError, names_in};

use super::{file, file_format};
use crate::store::Depot;

/// A storage whose extension is not installed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Orphan {
    /// The identity of the extension; nothing where the storage is damaged.
    pub identity: Option<String>,
    /// Its directory.
    pub path: PathBuf,
    /// The bytes of its files.
    pub size: u64,
}

impl Depot {
    /// Returns the storages whose extensions are not installed, in the order of their identities.
    ///
    /// # Errors
    /// When a directory cannot be read.
    pub fn orphaned_storages(&self) -> Result<Vec<Orphan>, FileError> {
        let directory = self.places().storages();
        let names = names_in(&directory)?;
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let used: HashSet<_> =
            self.identities()?.iter().map(|identity| self.storage(identity).name()).collect();
        let gone = names.into_iter().filter(|name| !used.contains(name));
        let mut orphans: Vec<_> = gone.map(|name| orphan(directory.join(name))).collect();
        orphans.sort();
        Ok(orphans)
    }

    /// Returns the identities of all installed extensions, as far as their manifests can be read.
    pub(crate) fn identities(&self) -> Result<Vec<Identity>, FileError> {
        let references = self.list()?.into_iter().filter_map(|listed| {
            listed.manifest.ok().and_then(|loaded| loaded.manifest.extension.oci)
        });
        Ok(references.map(|reference| reference.identity()).collect())
    }
}

fn orphan(path: PathBuf) -> Orphan {
    let files = names_in(&path).unwrap_or_default();
    let size = |file: &OsString| path.join(file).symlink_metadata().map_or(0, |it| it.len());
    Orphan { identity: identity_in(&path), size: files.iter().map(size).sum(), path }
}

fn identity_in(directory: &Path) -> Option<String> {
    let bytes = file::read_values(directory).ok()?;
    file_format::decode(&bytes).ok().map(|(identity, _)| identity)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use core_types::{ExtensionName, StoredValues};

    use super::*;
    use crate::config::Places;

    /// What is of no installed extension is listed, damaged or not.
    #[test]
    fn storage_without_extension_is_orphaned() {
        let root = tempfile::tempdir().expect("a directory");
        let depot = Depot::new(Places::below(root.path()));
        assert_eq!(depot.orphaned_storages().expect("nothing yet"), []);
        let name: ExtensionName = "gone".parse().expect("a name");
        let identity = Identity::embedded(&name);
        let write = |identity: &Identity| {
            let locked = depot.storage(identity).lock(Duration::ZERO).expect("locked");
            locked.write(&StoredValues::default()).expect("written");
        };
        write(&identity);
        let found = depot.orphaned_storages().expect("listed");
        let [orphan] = &found[..] else { panic!("{found:?}") };
        assert_eq!(orphan.identity.as_deref(), Some(identity.as_str()));
        fs::write(orphan.path.join("values"), "damaged").expect("written");
        let found = depot.orphaned_storages().expect("listed");
        assert_eq!((found[0].identity.as_deref(), found[0].size), (None, 7));

        let reference: core_types::OciReference = "r.example/org/x:1".parse().expect("a reference");
        write(&reference.identity());
        assert_eq!(depot.orphaned_storages().expect("listed").len(), 2);
        let manifest = depot.places().manifest(&"x".parse().expect("a name"));
        fs::create_dir_all(manifest.parent().expect("a parent")).expect("made");
        fs::write(manifest, format!("[extension]\nname = \"x\"\noci = \"{reference}\"\n"))
            .expect("written");
        assert_eq!(depot.orphaned_storages().expect("listed").len(), 1, "it is installed");
    }
}
