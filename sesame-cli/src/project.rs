//! The directory in which an author makes an extension.

use std::path::{Path, PathBuf};

use core_types::{Capabilities, ExtensionName, Limits, TomlProblem, parse_toml};
use extension_depot::read_regular;

use crate::arguments::Language;

/// The file by which a project is known. It is carried in the component, so that it says what the
/// extension asks for.
pub const FILE: &str = "extension.toml";
/// The directory that built components are put into.
const DIST: &str = "dist";
/// The directory of its interfaces.
const INTERFACES: &str = "wit";
/// The largest such file, in bytes.
const MAX_FILE: u64 = 64 << 10;

/// A project.
pub struct Project {
    directory: PathBuf,
    text: String,
    file: ProjectFile,
}

#[derive(serde::Deserialize)]
struct ProjectFile {
    extension: Section,
    #[serde(default)]
    capabilities: Capabilities,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    build: Build,
}

#[derive(serde::Deserialize)]
struct Section {
    name: ExtensionName,
    version: Option<String>,
    description: Option<String>,
}

#[derive(Default, serde::Deserialize)]
struct Build {
    language: Option<Language>,
}

/// Why there is no project.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The file is there and cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// The file is there and cannot be understood.
    #[error("`{}` cannot be understood: {problem}", path.display())]
    Content { path: PathBuf, problem: Box<TomlProblem> },
}

/// The version that a text like that of a project's file says, as far as it can be understood.
pub fn version_in(text: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Stated {
        extension: Option<Version>,
    }
    #[derive(serde::Deserialize)]
    struct Version {
        version: Option<String>,
    }
    parse_toml::<Stated>(text).ok()?.value.extension?.version
}

impl Project {
    /// The project in a directory, if there is one.
    pub fn find(directory: &Path) -> Result<Option<Self>, ProjectError> {
        let path = directory.join(FILE);
        let bytes = match read_regular(&path, MAX_FILE) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(ProjectError::Read { path, source }),
        };
        let text = String::from_utf8(bytes).map_err(|error| ProjectError::Read {
            path: path.clone(),
            source: std::io::Error::other(error),
        })?;
        let parsed = parse_toml(&text)
            .map_err(|problem| ProjectError::Content { path, problem: Box::new(problem) })?;
        Ok(Some(Self { directory: directory.to_owned(), file: parsed.value, text }))
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The text of its file.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn name(&self) -> &ExtensionName {
        &self.file.extension.name
    }

    pub fn version(&self) -> Option<&str> {
        self.file.extension.version.as_deref()
    }

    pub fn description(&self) -> Option<&str> {
        self.file.extension.description.as_deref()
    }

    /// What it asks for.
    pub fn capabilities(&self) -> &Capabilities {
        &self.file.capabilities
    }

    /// The limits that it asks for.
    pub fn limits(&self) -> &Limits {
        &self.file.limits
    }

    /// What it is written in, as its file says.
    pub fn language(&self) -> Option<Language> {
        self.file.build.language
    }

    /// Where its interfaces are, if it has any.
    pub fn interfaces(&self) -> PathBuf {
        // Without `./` in front, so that places in it read as other tools write them.
        self.directory.strip_prefix(".").unwrap_or(&self.directory).join(INTERFACES)
    }

    /// Where what was built of it lies.
    pub fn built(&self) -> PathBuf {
        self.directory.join(DIST).join(format!("{}.wasm", self.name()))
    }
}
