//! A directory with the resources around a workload: one file each, YAML or JSON.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use extension_host::{ResourceName, Resources, Workload, plural_of};
use rustix::io::Errno;
use serde_json::Value;
use tempfile::{NamedTempFile, PersistError};

use crate::document::{self, DocumentError, Form};

/// A directory, and which file of it has which resource.
pub struct ResourceDirectory {
    path: PathBuf,
    files: BTreeMap<ResourceName, PathBuf>,
    resources: Resources,
}

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ResourceDirectoryError {
    /// A file in it.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A document that is no resource.
    #[error("`{}` is no resource: {problem}", path.display())]
    NoResource { path: PathBuf, problem: String },
    /// Two files with the same resource.
    #[error("`{}` and `{}` are the same resource", first.display(), second.display())]
    Twice { first: PathBuf, second: PathBuf },
    /// The system refuses.
    #[error("cannot use `{}`", path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl ResourceDirectory {
    /// Reads every `.yaml`, `.yml` and `.json` file in a directory.
    pub fn read(path: &Path) -> Result<Self, ResourceDirectoryError> {
        let unreadable = |source| ResourceDirectoryError::Io { path: path.to_owned(), source };
        let entries = fs::read_dir(path).map_err(unreadable)?;
        let mut paths: Vec<_> =
            entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>().map_err(unreadable)?;
        paths.sort();
        let mut read = Self { path: path.to_owned(), files: BTreeMap::new(), resources: Resources::default() };
        for file in paths.into_iter().filter(|file| is_document(file)) {
            read.add(file)?;
        }
        Ok(read)
    }

    fn add(&mut self, file: PathBuf) -> Result<(), ResourceDirectoryError> {
        let resource: Value = document::read(&file)?;
        let name =
            name_of(&resource).map_err(|problem| ResourceDirectoryError::NoResource { path: file.clone(), problem })?;
        if let Some(first) = self.files.insert(name.clone(), file.clone()) {
            return Err(ResourceDirectoryError::Twice { first, second: file });
        }
        self.resources.insert(name, resource);
        Ok(())
    }

    /// What is in it.
    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    /// Makes the files what the resources are now. Each file is old or new, never half of both.
    pub fn write(&self, now: &Resources) -> Result<(), ResourceDirectoryError> {
        for (_, file) in self.files.iter().filter(|(name, _)| now.get(name).is_none()) {
            fs::remove_file(file).map_err(|source| ResourceDirectoryError::Io { path: file.clone(), source })?;
        }
        for (name, resource) in now.iter().filter(|(name, resource)| self.resources.get(name) != Some(*resource)) {
            match self.files.get(name) {
                Some(file) => self.write_one(file, resource, true)?,
                None => self.write_one(&self.new_file(name), resource, false)?,
            }
        }
        Ok(())
    }

    /// Where a new resource will be: a name that no file has, whatever is in it. No part of a resource's name can be a path.
    fn new_file(&self, name: &ResourceName) -> PathBuf {
        let ResourceName { kind, namespace, name } = name;
        let stem = format!("{}.{namespace}.{name}", kind.to_string().replace('/', "_"));
        let numbered = (2..).map(|number| format!("{stem}.{number}.yaml"));
        let mut names = std::iter::once(format!("{stem}.yaml")).chain(numbered).map(|name| self.path.join(name));
        let is_free = |path: &PathBuf| fs::symlink_metadata(path).is_err();
        names.find(is_free).unwrap_or_else(|| unreachable!("there is always another number"))
    }

    fn write_one(&self, file: &Path, resource: &Value, replace: bool) -> Result<(), ResourceDirectoryError> {
        let write = || -> io::Result<()> {
            let mut temporary = tempfile::Builder::new().prefix(".new-").tempfile_in(&self.path)?;
            temporary.write_all(Form::of(file).write(resource).as_bytes())?;
            temporary.as_file().sync_all()?;
            let placed = if replace { temporary.persist(file) } else { persist_new(temporary, file) };
            placed.map(drop).map_err(|error| error.error)
        };
        write().map_err(|source| ResourceDirectoryError::Io { path: file.to_owned(), source })
    }
}

/// Gives a file a name that no other has. Some file systems can neither rename without replacing nor link: there the name is
/// taken by an empty file first.
fn persist_new(temporary: NamedTempFile, file: &Path) -> Result<File, PersistError> {
    let refused = match temporary.persist_noclobber(file) {
        Err(refused) if is_unsupported(&refused.error) => refused,
        placed => return placed,
    };
    match OpenOptions::new().write(true).create_new(true).open(file) {
        Ok(_) => refused.file.persist(file),
        Err(error) => Err(PersistError { error, ..refused }),
    }
}

/// `vfat` and some of FUSE say `EPERM` to links.
fn is_unsupported(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(errno, Some(Errno::PERM | Errno::NOTSUP | Errno::NOSYS | Errno::INVAL))
}

fn is_document(file: &Path) -> bool {
    let is_hidden = file.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    let extension = file.extension().and_then(|extension| extension.to_str());
    !is_hidden && matches!(extension, Some("yaml" | "yml" | "json")) && file.is_file()
}

/// What a resource is called, by its `apiVersion`, `kind` and `metadata`.
pub fn name_of(resource: &Value) -> Result<ResourceName, String> {
    let workload = Workload::new(resource.clone()).map_err(|error| error.to_string())?;
    let text = |pointer| workload.document().pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (api_version, kind) = (text("/apiVersion"), text("/kind"));
    let kind = plural_of(&api_version, &kind).ok_or_else(|| format!("`{api_version}` and `{kind}` name no kind"))?;
    Ok(ResourceName { kind, namespace: workload.namespace().to_owned(), name: text("/metadata/name") })
}
