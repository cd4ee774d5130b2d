//! The languages that extensions are written in: one folder of `templates` each, whose
//! `language.toml` has everything that sesame knows about it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use core_types::parse_toml;
use serde::Deserialize;
use serde::de::{self, Deserializer};

include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// The document of a language in its folder.
const DOCUMENT: &str = "/language.toml";

/// Every language, in the order of their names.
static LANGUAGES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let documents = TEMPLATES
        .iter()
        .filter_map(|(path, text)| path.strip_suffix(DOCUMENT).map(|name| (name, *text)));
    documents.map(|(name, text)| Entry { name, table: parsed(name, text) }).collect()
});

/// A folder and its document.
struct Entry {
    name: &'static str,
    table: Table,
}

/// A language that extensions are written in.
#[derive(Clone, Copy)]
pub struct Language(&'static Entry);

impl schemars::JsonSchema for Language {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Language".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let aliases = |entry: &'static Entry| entry.table.aliases.iter().map(String::as_str);
        let words = LANGUAGES.iter().flat_map(|entry| aliases(entry).chain([entry.name]));
        schemars::json_schema!({
            "type": "string",
            "description": "A language that extensions are written in",
            "enum": words.collect::<std::collections::BTreeSet<_>>(),
        })
    }
}

/// The result of a project's build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ProjectKind {
    /// An extension for people: a component that is called.
    Extension,
    /// A module of Suffiks, which works on workloads.
    Workload,
}

/// A document of a language.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    title: String,
    #[serde(default)]
    aliases: Vec<String>,
    needs: String,
    mark: Option<String>,
    #[serde(default)]
    makes: Vec<String>,
    #[serde(default)]
    makes_anywhere: Vec<String>,
    #[serde(default)]
    locks: Vec<String>,
    #[serde(default)]
    setup: String,
    #[serde(rename = "tool")]
    tools: Vec<Tool>,
    extension: Option<Build>,
    workload: Option<Build>,
    events: Arms,
}

/// How a handler of events is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Arms {
    /// The file that an author edits, where it is not the same as without events.
    pub source: Option<String>,
    /// The part of the handler for one event.
    pub arm: String,
    /// The same with the SDK.
    #[serde(rename = "arm-with-sdk")]
    pub with_sdk: Option<String>,
}

/// A tool of a language.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tool {
    /// The program, in `PATH` or as a path.
    pub program: String,
    /// The name for people, where the program's is not enough.
    pub title: Option<String>,
    /// A target that this rustc needs.
    pub target: Option<String>,
    /// The only kind of project that needs it.
    #[serde(rename = "for")]
    kind: Option<String>,
    /// The command that installs it, for each distribution; for others a command or an address.
    pub install: BTreeMap<String, String>,
}

/// The build of one kind of project.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Build {
    /// The file that an author edits.
    pub source: String,
    memory_mib: u32,
    /// The binary that the steps make.
    pub result: String,
    /// The encoding of texts, where the compiler does not know the world of the project.
    pub encoding: Option<Encoding>,
    /// The commands, one after another.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// How the texts of a module are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Encoding {
    /// As in most languages.
    #[serde(rename = "utf-8")]
    Utf8,
    /// As in those that come from JavaScript.
    #[serde(rename = "utf-16")]
    Utf16,
}

/// A command of a build.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Step {
    pub program: String,
    pub arguments: Vec<String>,
    /// Variables beside those of this process.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// A path that makes the step unnecessary.
    pub unless: Option<String>,
    /// A directory that the program makes anew, and would not replace.
    pub clears: Option<String>,
}

impl Language {
    /// Returns every language.
    pub fn all() -> impl Iterator<Item = Self> {
        LANGUAGES.iter().map(Self)
    }

    /// Returns the language with this name or alias.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|language| {
            language.name() == name || language.0.table.aliases.iter().any(|alias| alias == name)
        })
    }

    /// Returns the names and aliases for the command line.
    pub fn parser() -> impl TypedValueParser<Value = Self> {
        let value = |language: Self| {
            PossibleValue::new(language.name())
                .aliases(language.0.table.aliases.iter().map(String::as_str))
        };
        let names = PossibleValuesParser::new(Self::all().map(value).collect::<Vec<_>>());
        names.try_map(|name| Self::named(&name).ok_or("not a language"))
    }

    /// Returns the name on the command line and in `extension.toml`.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Returns the name for people.
    pub fn title(self) -> &'static str {
        &self.0.table.title
    }

    /// Returns the tools in a phrase.
    pub fn needs(self) -> &'static str {
        &self.0.table.needs
    }

    /// Returns a file that marks projects in this language and in no other.
    pub fn mark(self) -> Option<&'static str> {
        self.0.table.mark.as_deref()
    }

    /// Returns the directories that its tools make at the top of a project.
    pub fn makes(self) -> &'static [String] {
        &self.0.table.makes
    }

    /// Returns the directories that its tools make, wherever they are.
    pub fn makes_anywhere(self) -> &'static [String] {
        &self.0.table.makes_anywhere
    }

    /// Returns the files in which its tools write the versions that they chose.
    pub fn locks(self) -> &'static [String] {
        &self.0.table.locks
    }

    /// Returns the steps that install its tools in a workflow of GitHub.
    pub fn setup(self) -> &'static str {
        self.0.table.setup.trim_start_matches('\n')
    }

    /// Returns the tools that a kind of project needs.
    pub fn tools(self, kind: ProjectKind) -> impl Iterator<Item = &'static Tool> {
        let tools = self.0.table.tools.iter();
        tools.filter(move |tool| tool.kind.as_deref().is_none_or(|only| only == kind.folder()))
    }

    /// Returns the build of a kind of project, where the language makes it.
    pub fn build(self, kind: ProjectKind) -> Option<&'static Build> {
        match kind {
            ProjectKind::Extension => self.0.table.extension.as_ref(),
            ProjectKind::Workload => self.0.table.workload.as_ref(),
        }
    }

    /// Returns how a handler of events is written.
    pub fn events(self) -> &'static Arms {
        &self.0.table.events
    }

    /// Returns the files of one of its folders: paths in the project, and texts.
    pub fn templates(self, folder: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
        templates(format!("{}/{folder}/", self.name()))
    }
}

/// Returns the files below a folder of `templates`: paths below it, and texts.
pub fn templates(folder: String) -> impl Iterator<Item = (&'static str, &'static str)> {
    TEMPLATES.iter().filter_map(move |(path, text)| Some((path.strip_prefix(&folder)?, *text)))
}

impl ProjectKind {
    /// Returns the name of its folders in `templates`.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Extension => "extension",
            Self::Workload => "workload",
        }
    }
}

impl Build {
    /// Returns the memory that a new project asks for.
    pub fn memory_mib(&self) -> String {
        self.memory_mib.to_string()
    }
}

impl std::fmt::Debug for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| {
            let names: Vec<_> = Self::all().map(Self::name).collect();
            de::Error::custom(format!("unknown language `{name}`, expected {}", names.join(", ")))
        })
    }
}

/// Parses a document, which a test has read before.
fn parsed(name: &str, text: &str) -> Table {
    match parse_toml(text) {
        Ok(document) => document.value,
        Err(problem) => panic!("templates/{name}{DOCUMENT}: {problem}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::distribution::{OTHER, is_key};
    use super::*;

    /// Also that every language is complete: whatever a folder adds is checked here.
    #[test]
    fn every_folder_is_a_language() {
        let names: Vec<_> = Language::all().map(Language::name).collect();
        for name in ["go", "javascript", "typescript", "python", "rust", "c", "assemblyscript"] {
            assert!(names.contains(&name), "{names:?}");
        }
        for language in Language::all() {
            for kind in [ProjectKind::Extension, ProjectKind::Workload] {
                let Some(build) = language.build(kind) else { continue };
                assert!(!build.steps.is_empty(), "{language:?}");
                assert!(language.tools(kind).next().is_some(), "{language:?}");
                let is_known =
                    |step: &Step| language.tools(kind).any(|tool| tool.program == step.program);
                assert!(build.steps.iter().all(is_known), "{language:?}: a tool is not listed");
            }
            let tools = language.0.table.tools.iter();
            let keys = tools.clone().flat_map(|tool| tool.install.keys());
            assert!(
                keys.clone().all(|key| is_key(key)),
                "{language:?}: {:?}",
                keys.collect::<Vec<_>>()
            );
            assert!(tools.clone().all(|tool| tool.install.contains_key(OTHER)), "{language:?}");
        }
    }

    #[test]
    fn aliases_name_one_language() {
        let all = || Language::all().flat_map(|one| one.0.table.aliases.iter());
        for alias in all() {
            assert_eq!(all().filter(|other| *other == alias).count(), 1, "{alias}");
            assert!(Language::all().all(|language| language.name() != alias), "{alias}");
        }
        assert_eq!(Language::named("js").map(Language::name), Some("javascript"));
    }
}
