//! The files of a new project.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use core_types::ExtensionName;
use core_types::event::EventName;

use super::event_sample;
use super::language::{Build, Language, ProjectKind, templates};
use super::words::fill;

/// The version of wit-bindgen in new projects, which is the SDK's.
const WIT_BINDGEN: &str = "0.63";
/// The end of the names of folders with files that replace others where the SDK is used.
const WITH_SDK: &str = "-with-sdk";

/// A project that is to be made.
pub struct NewProject<'a> {
    /// The name of the extension.
    pub name: &'a ExtensionName,
    pub language: Language,
    pub kind: ProjectKind,
    /// The directory of `extension-sdk`, if the project uses it.
    pub sdk: Option<&'a Path>,
    /// The events that wake it, each once. Without them, an extension for people greets.
    pub events: &'a [EventName],
}

impl NewProject<'_> {
    /// Returns the folders of its files. A file of a later one replaces those of its name.
    fn folders(&self) -> Vec<String> {
        let kind = self.kind.folder().to_owned();
        if self.kind == ProjectKind::Workload {
            return vec![kind];
        }
        let purpose = if self.events.is_empty() { "greeting" } else { "events" };
        let with_sdk = self.sdk.map(|_| format!("{purpose}{WITH_SDK}"));
        [kind, purpose.to_owned()].into_iter().chain(with_sdk).collect()
    }

    fn description(&self) -> String {
        if self.events.is_empty() {
            "Greets people".to_owned()
        } else {
            format!("Tells about {}", event_sample::listed(self.events))
        }
    }

    /// Returns the line of commands that tries the project.
    fn trial(&self) -> String {
        let (words, does) = match self.events.first() {
            None => ("greet You".to_owned(), "calls"),
            Some(event) => (format!("--event {event}"), "wakes"),
        };
        format!(
            "sesame extension dev {words}  # builds, installs and {does} it again on every change"
        )
    }
}

/// Returns the name of an extension's crate: cargo takes none that begins with a digit.
pub fn crate_name(name: &ExtensionName) -> String {
    let prefix = if name.as_str().starts_with(|c: char| c.is_ascii_digit()) { "ext-" } else { "" };
    format!("{prefix}{name}")
}

/// Returns the files of a new project: paths below its directory, and texts. A language that does
/// not make this kind of project has none.
pub fn files(project: &NewProject<'_>) -> Option<Vec<(PathBuf, String)>> {
    let NewProject { language, kind, .. } = *project;
    let build = language.build(kind)?;
    let words = words(project, build);
    let mut all: BTreeMap<_, _> = BTreeMap::new();
    for folder in project.folders() {
        all.extend(templates(format!("{folder}/")));
        all.extend(language.templates(&folder));
    }
    let mut files: Vec<_> =
        all.into_iter().map(|(path, text)| (PathBuf::from(path), fill(text, &words))).collect();
    files.push((PathBuf::from(".gitignore"), ignored(language)));
    files.sort();
    Some(files)
}

/// Returns the words that stand for the values of an extension, in templates and in commands.
pub fn words_of_build(name: &ExtensionName) -> [(&'static str, String); 3] {
    let crate_name = crate_name(name);
    [
        ("@NAME@", name.to_string()),
        ("@CRATE_FILE@", crate_name.replace('-', "_")),
        ("@CRATE@", crate_name),
    ]
}

fn words(project: &NewProject<'_>, build: &Build) -> Vec<(&'static str, String)> {
    let language = project.language;
    let dependency = match project.sdk {
        Some(path) => format!("extension-sdk = {{ path = {:?} }}", path.display().to_string()),
        None => format!("wit-bindgen = {WIT_BINDGEN:?}"),
    };
    let arms = language.events();
    let source = arms.source.as_ref().filter(|_| !project.events.is_empty());
    let arm = arms.with_sdk.as_ref().filter(|_| project.sdk.is_some()).unwrap_or(&arms.arm);
    let of_project = [
        ("@DESCRIPTION@", project.description()),
        ("@TRY@", project.trial()),
        ("@SOURCE@", source.unwrap_or(&build.source).clone()),
    ];
    let of_language = [
        ("@LANGUAGE@", language.name().to_owned()),
        ("@TITLE@", language.title().to_owned()),
        ("@NEEDS@", language.needs().to_owned()),
        ("@SETUP@", language.setup().to_owned()),
        ("@MEMORY@", build.memory_mib()),
        ("@DEPENDENCY@", dependency),
    ];
    let of_events = event_sample::words(project.events, arm);
    let of_events = of_events.into_iter().chain(of_project).chain(of_language);
    of_events.chain(words_of_build(project.name)).collect()
}

/// Returns the `.gitignore` of a project: the directories that tools make, and keys for signing.
fn ignored(language: Language) -> String {
    let mut text = "*.key\n\n# The directories that tools make.\n/dist/\n/build/\n".to_owned();
    for directory in language.makes() {
        let _ = writeln!(text, "/{directory}/");
    }
    for directory in language.makes_anywhere() {
        let _ = writeln!(text, "{directory}/");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every language of every kind, with and without the SDK and events.
    fn each(check: impl Fn(&NewProject<'_>, &Build)) {
        let name: ExtensionName = "a-b".parse().expect("a name");
        let events = ["power.battery", "time.at"].map(|name| name.parse().expect(name));
        for language in Language::all() {
            for kind in [ProjectKind::Extension, ProjectKind::Workload] {
                for (sdk, events) in [
                    (None, &[][..]),
                    (None, &events[..]),
                    (Some(Path::new("/sdk")), &[][..]),
                    (Some(Path::new("/sdk")), &events[..]),
                ] {
                    if kind == ProjectKind::Workload && !events.is_empty() {
                        continue;
                    }
                    let project = NewProject { name: &name, language, kind, sdk, events };
                    match language.build(kind) {
                        Some(build) => check(&project, build),
                        None => assert!(files(&project).is_none()),
                    }
                }
            }
        }
    }

    #[test]
    fn every_word_is_filled_in() {
        each(|project, build| {
            let files = files(project).expect("files");
            let has = |path: &str| files.iter().any(|(there, _)| there == Path::new(path));
            for path in ["extension.toml", "docs/index.md", "README.md", ".gitignore"] {
                assert!(has(path), "{:?} {path}", project.language);
            }
            let mark = project.language.mark().is_none_or(has);
            let words = words(project, build);
            let source = words.iter().find(|(word, _)| *word == "@SOURCE@").expect("a source");
            assert!(has(&source.1) && mark, "{:?} {}", project.language, source.1);
            for (path, text) in &files {
                let open = text
                    .split('@')
                    .skip(1)
                    .find(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
                assert_eq!(open, None, "{:?} {}", project.language, path.display());
            }
        });
    }

    #[test]
    fn no_path_is_written_twice() {
        each(|project, _| {
            let files = files(project).expect("files");
            assert!(files.windows(2).all(|pair| pair[0].0 < pair[1].0), "{:?}", project.language);
        });
    }

    #[test]
    fn new_projects_use_the_version_of_the_sdk() {
        let workspace = include_str!("../../../Cargo.toml");
        assert!(workspace.contains(&format!("wit-bindgen = {WIT_BINDGEN:?}")));
    }
}
