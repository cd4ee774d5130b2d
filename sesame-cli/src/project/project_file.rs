//! The directory of an extension's sources.

use std::path::{Path, PathBuf};

use core_types::event::AuthorEvents;
use core_types::{
    Capabilities, ConfigSchema, ExtensionName, Grant, Limits, RequestedCapabilities, TomlProblem,
    UnknownKey, parse_toml,
};
use extension_depot::read_regular;
use extension_host::unknown_keys_of_author;

use super::language::{Language, ProjectKind};

/// The file that makes a directory a project. It is carried in the component, to state the requests
/// of the extension.
pub const FILE: &str = "extension.toml";
/// The document of a module of Suffiks.
const WORKLOAD: &str = "ext.yaml";
/// The directory for built components.
const DIST: &str = "dist";
/// The directory of the interfaces.
const INTERFACES: &str = "wit";
/// The largest project file, in bytes: far more than a person writes.
const MAX_FILE: u64 = 64 << 10;

/// A project.
pub struct Project {
    directory: PathBuf,
    text: String,
    file: ProjectFile,
}

/// The file of a project.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct ProjectFile {
    /// The kind of extension.
    extension: Section,
    #[serde(default)]
    capabilities: RequestedCapabilities,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    build: Build,
    /// What users can set.
    #[serde(default)]
    #[expect(dead_code, reason = "read so that `build` names the mistakes in it")]
    config: Settings,
    /// What wakes it.
    #[serde(default)]
    events: AuthorEvents,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Section {
    name: ExtensionName,
    version: Option<String>,
    description: Option<String>,
}

/// How the extension is built.
#[derive(Default, serde::Deserialize, schemars::JsonSchema)]
struct Build {
    /// The language, where the files of the project do not say so.
    language: Option<Language>,
}

#[derive(Default, serde::Deserialize, schemars::JsonSchema)]
struct Settings {
    /// The settings with their types, defaults and descriptions.
    #[serde(default)]
    #[expect(dead_code, reason = "read so that `build` names the mistakes in it")]
    schema: ConfigSchema,
}

/// The reason why a directory is not a readable project.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The file exists and cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// The file exists and cannot be parsed.
    #[error("`{}` cannot be understood: {problem}", path.display())]
    Content { path: PathBuf, problem: Box<TomlProblem> },
}

/// Returns the version in the text of a project file, as far as it can be parsed.
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
    /// Returns the project in a directory, if there is one.
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

    /// Returns the directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the keys in the project file that mean nothing there, or belong to the manifest of a
    /// user.
    pub fn unknown_keys(&self) -> Vec<UnknownKey> {
        unknown_keys_of_author(&self.text)
    }

    /// Returns the path of the project file.
    pub fn path(&self) -> PathBuf {
        self.directory.join(FILE)
    }

    /// Returns the text of the project file.
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

    /// Returns the capabilities that the extension requests, the optional ones and its events
    /// included.
    pub fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.file.capabilities.all();
        let events = self.file.events.tables().iter();
        capabilities.extend(events.map(|(name, _)| Grant::of_event(name.clone())));
        capabilities
    }

    /// Returns the limits that the extension requests.
    pub fn limits(&self) -> &Limits {
        &self.file.limits
    }

    /// Returns the language: that of its file, or the one whose mark is there.
    pub fn language(&self) -> Option<Language> {
        let is_there = |mark: &str| self.directory.join(mark).is_file();
        let has_mark = |language: &Language| language.mark().is_some_and(is_there);
        self.file.build.language.or_else(|| Language::all().find(has_mark))
    }

    /// Returns the result of its build. Modules of Suffiks have a document of their own.
    pub fn kind(&self) -> ProjectKind {
        if self.directory.join(WORKLOAD).is_file() {
            ProjectKind::Workload
        } else {
            ProjectKind::Extension
        }
    }

    /// Returns the directory of the interfaces, whether it exists or not.
    pub fn interfaces(&self) -> PathBuf {
        // Without a leading `./`, so that places in it look as other tools print them.
        self.directory.strip_prefix(".").unwrap_or(&self.directory).join(INTERFACES)
    }

    /// Returns the path of the built binary.
    pub fn built(&self) -> PathBuf {
        self.directory.join(DIST).join(format!("{}.wasm", self.name()))
    }
}
