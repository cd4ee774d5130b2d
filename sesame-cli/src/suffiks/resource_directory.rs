//! A directory with the resources around a workload: one YAML or JSON file for each.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use extension_depot::OutputDirectory;
use extension_host::{ResourceName, Resources, Workload, plural_of};
use serde_json::Value;

use crate::suffiks::document::{self, DocumentError, Form};

/// The mode of a resource's file, which is private, since it may hold a password.
const FILE_MODE: u32 = 0o600;

/// A directory, with the file of each resource.
pub struct ResourceDirectory {
    path: PathBuf,
    files: BTreeMap<ResourceName, PathBuf>,
    resources: Resources,
}

/// The reason why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ResourceDirectoryError {
    /// A file in it.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A document that is not a resource.
    #[error("`{}` is not a resource: {problem}", path.display())]
    NoResource { path: PathBuf, problem: String },
    /// Two files with the same resource.
    #[error("`{}` and `{}` are the same resource", first.display(), second.display())]
    Twice { first: PathBuf, second: PathBuf },
    /// A system error.
    #[error("cannot use `{}`", path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl ResourceDirectory {
    /// Reads every `.yaml`, `.yml` and `.json` file in a directory.
    pub fn read(path: &Path) -> Result<Self, ResourceDirectoryError> {
        let unreadable = |source| ResourceDirectoryError::Io { path: path.to_owned(), source };
        let entries = fs::read_dir(path).map_err(unreadable)?;
        let mut paths: Vec<_> = entries
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<_>>()
            .map_err(unreadable)?;
        paths.sort();
        let mut read =
            Self { path: path.to_owned(), files: BTreeMap::new(), resources: Resources::default() };
        for file in paths.into_iter().filter(|file| is_document(file)) {
            read.add(file)?;
        }
        Ok(read)
    }

    fn add(&mut self, file: PathBuf) -> Result<(), ResourceDirectoryError> {
        let resource: Value = document::read(&file)?;
        let name = name_of(&resource).map_err(|problem| ResourceDirectoryError::NoResource {
            path: file.clone(),
            problem,
        })?;
        if let Some(first) = self.files.insert(name.clone(), file.clone()) {
            return Err(ResourceDirectoryError::Twice { first, second: file });
        }
        self.resources.insert(name, resource);
        Ok(())
    }

    /// Returns the resources.
    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    /// Writes the resources. Each file is old or new, never half of both.
    pub fn write(&self, now: &Resources) -> Result<(), ResourceDirectoryError> {
        for (_, file) in self.files.iter().filter(|(name, _)| now.get(name).is_none()) {
            fs::remove_file(file)
                .map_err(|source| ResourceDirectoryError::Io { path: file.clone(), source })?;
        }
        for (name, resource) in
            now.iter().filter(|(name, resource)| self.resources.get(name) != Some(*resource))
        {
            match self.files.get(name) {
                Some(file) => self.write_one(file, resource, true)?,
                None => self.write_one(&self.new_file(name), resource, false)?,
            }
        }
        Ok(())
    }

    /// Returns the path for a new resource: a name that no file has. No part of a resource's name
    /// can be a path.
    fn new_file(&self, name: &ResourceName) -> PathBuf {
        let ResourceName { kind, namespace, name } = name;
        let stem = format!("{}.{namespace}.{name}", kind.to_string().replace('/', "_"));
        let numbered = (2..).map(|number| format!("{stem}.{number}.yaml"));
        let mut names = std::iter::once(format!("{stem}.yaml"))
            .chain(numbered)
            .map(|name| self.path.join(name));
        let is_free = |path: &PathBuf| fs::symlink_metadata(path).is_err();
        names.find(is_free).unwrap_or_else(|| unreachable!("there is always another number"))
    }

    fn write_one(
        &self,
        file: &Path,
        resource: &Value,
        replace: bool,
    ) -> Result<(), ResourceDirectoryError> {
        let (text, name) = (Form::of(file).write(resource), file.file_name().unwrap_or_default());
        let write = || -> io::Result<PathBuf> {
            let directory = OutputDirectory::open(&self.path)?;
            match replace {
                true => directory.write(name, FILE_MODE, text.as_bytes()),
                false => directory.write_new(name, FILE_MODE, text.as_bytes()),
            }
        };
        write()
            .map(drop)
            .map_err(|source| ResourceDirectoryError::Io { path: file.to_owned(), source })
    }
}

fn is_document(file: &Path) -> bool {
    let is_hidden = file.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    let extension = file.extension().and_then(|extension| extension.to_str());
    !is_hidden && matches!(extension, Some("yaml" | "yml" | "json")) && file.is_file()
}

/// Returns the name of a resource, from its `apiVersion`, `kind` and `metadata`.
pub fn name_of(resource: &Value) -> Result<ResourceName, String> {
    let workload = Workload::new(resource.clone()).map_err(|error| error.to_string())?;
    let text = |pointer| {
        workload.document().pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let (api_version, kind) = (text("/apiVersion"), text("/kind"));
    let kind = plural_of(&api_version, &kind)
        .ok_or_else(|| format!("`{api_version}` and `{kind}` name no kind"))?;
    Ok(ResourceName {
        kind,
        namespace: workload.namespace().to_owned(),
        name: text("/metadata/name"),
    })
}
