//! How an extension is built of its sources, with the ordinary tools of its language.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use extension_host::TextEncoding;

use super::distribution::{self, OTHER};
use super::language::{Build, Encoding, Language, ProjectKind, Step, Tool};
use super::project_file::Project;
use super::template::words_of_build;
use super::words::fill;
use crate::context::Context;

/// The commands of a project's build, and the file that they make.
pub struct Recipe {
    build: &'static Build,
    words: Vec<(&'static str, String)>,
}

/// A missing tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingTool {
    /// Its name for people.
    pub title: String,
    /// The command that installs it on this machine, or the address where that is explained.
    pub install: &'static str,
}

/// Why nothing was built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Neither the project nor its files name a language.
    #[error("the language of this project is unknown")]
    NoLanguage,
    /// The language does not make such a project.
    #[error("{} does not make this kind of project", .0.title())]
    NoKind(Language),
    /// Programs or parts of a toolchain are missing.
    #[error("{} {} missing", titles(.0), if .0.len() == 1 { "is" } else { "are" })]
    MissingTools(Vec<MissingTool>),
    /// A program failed, and has said why.
    #[error("`{command}` failed")]
    Failed { command: String },
    /// A program cannot be run.
    #[error("cannot run `{command}`")]
    Run { command: String, source: io::Error },
    /// The commands succeeded without the file.
    #[error("the build did not make `{}`", path.display())]
    NothingMade { path: PathBuf },
    /// The binary is a module that does not fit its world.
    #[error("the module cannot become a component: {0}")]
    Componentize(String),
}

fn titles(missing: &[MissingTool]) -> String {
    let quoted: Vec<_> = missing.iter().map(|tool| format!("`{}`", tool.title)).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

impl Recipe {
    /// Returns the recipe of a project, if every tool is there. All that are missing are named at
    /// once, before anything runs.
    pub fn of(context: &Context, project: &Project) -> Result<Self, BuildError> {
        let language = project.language().ok_or(BuildError::NoLanguage)?;
        let kind = project.kind();
        let build = language.build(kind).ok_or(BuildError::NoKind(language))?;
        let mut words = words_of_build(project.name()).to_vec();
        // Not in `dist`: the finished binary stays until the new one is complete.
        words.push(("@RESULT@", fill(&build.result, &words)));
        // Without a value the word stays, and there is no such program.
        words.extend(context.wasi_sdk().map(|sdk| ("@WASI_SDK@", sdk.display().to_string())));
        let recipe = Self { build, words };
        recipe.check_tools(context, project, language, kind)?;
        Ok(recipe)
    }

    fn check_tools(
        &self,
        context: &Context,
        project: &Project,
        language: Language,
        kind: ProjectKind,
    ) -> Result<(), BuildError> {
        let distribution = distribution::this_machine();
        let tools = language.tools(kind).filter(|tool| !self.has(context, project, tool));
        let missing: Vec<_> = tools.map(|tool| missing(tool, distribution)).collect();
        if missing.is_empty() { Ok(()) } else { Err(BuildError::MissingTools(missing)) }
    }

    fn has(&self, context: &Context, project: &Project, tool: &Tool) -> bool {
        let program = fill(&tool.program, &self.words);
        let Some(program) = context.program(&program) else { return false };
        match &tool.target {
            // Without a compiler there is nothing to ask; that one is missing as well.
            Some(target) => has_target(&program, target, project.directory()),
            None => true,
        }
    }

    /// Returns the encoding of the module's texts, where its world is added here.
    pub fn encoding(&self) -> Option<TextEncoding> {
        self.build.encoding.map(|encoding| match encoding {
            Encoding::Utf8 => TextEncoding::Utf8,
            Encoding::Utf16 => TextEncoding::Utf16,
        })
    }

    /// Runs every command in the project's directory, with its output on standard error. Returns
    /// the file.
    pub fn run(&self, directory: &Path) -> Result<PathBuf, BuildError> {
        let result = directory.join(fill(&self.build.result, &self.words));
        // The result of an earlier build must not pass for that of this one.
        clear(&result, directory)?;
        for step in &self.build.steps {
            self.run_step(step, directory)?;
        }
        if result.is_file() { Ok(result) } else { Err(BuildError::NothingMade { path: result }) }
    }

    fn run_step(&self, step: &Step, directory: &Path) -> Result<(), BuildError> {
        if step.unless.as_ref().is_some_and(|path| directory.join(path).exists()) {
            return Ok(());
        }
        if let Some(cleared) = &step.clears {
            remove(&directory.join(cleared))?;
        }
        let program = fill(&step.program, &self.words);
        let arguments: Vec<_> = step.arguments.iter().map(|it| fill(it, &self.words)).collect();
        let command = format!("{program} {}", arguments.join(" "));
        let mut process = Command::new(&program);
        process
            .args(&arguments)
            .envs(&step.environment)
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(io::stderr());
        match process.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err(BuildError::Failed { command }),
            Err(source) => Err(BuildError::Run { command, source }),
        }
    }
}

fn missing(tool: &'static Tool, distribution: &str) -> MissingTool {
    let title = match (&tool.title, &tool.target) {
        (Some(title), _) => title.clone(),
        (None, Some(target)) => format!("{} for {target}", tool.program),
        (None, None) => tool.program.clone(),
    };
    let install = tool.install.get(distribution).or_else(|| tool.install.get(OTHER));
    MissingTool { title, install: install.map_or("", String::as_str) }
}

/// Removes an earlier result, and makes the directory for the next.
fn clear(result: &Path, directory: &Path) -> Result<(), BuildError> {
    let parent = result.parent().unwrap_or(directory);
    fs::create_dir_all(parent).map_err(|source| BuildError::Run {
        command: format!("mkdir {}", parent.display()),
        source,
    })?;
    remove(result)
}

/// Removes a file or a directory, if it is there.
fn remove(path: &Path) -> Result<(), BuildError> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(BuildError::Run { command: format!("rm -r {}", path.display()), source })
        }
        _ => Ok(()),
    }
}

/// Returns whether a rustc has the standard library of a target. Cargo would report it with an
/// error for each crate. The directory can have a toolchain of its own.
fn has_target(rustc: &Path, target: &str, directory: &Path) -> bool {
    let mut ask = Command::new(rustc);
    ask.args(["--print", "target-libdir", "--target", target])
        .current_dir(directory)
        .stderr(Stdio::null());
    let Ok(output) = ask.output() else { return false };
    let path = std::str::from_utf8(&output.stdout).unwrap_or_default().trim();
    Path::new(OsStr::new(path)).is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_named_together() {
        let tool = |title: &str| MissingTool { title: title.to_owned(), install: "" };
        let said = |titles: &[&str]| {
            let missing = titles.iter().map(|title| tool(title)).collect();
            BuildError::MissingTools(missing).to_string()
        };
        assert_eq!(said(&["npm"]), "`npm` is missing");
        assert_eq!(said(&["a", "b"]), "`a` and `b` are missing");
        assert_eq!(said(&["a", "b", "c"]), "`a`, `b` and `c` are missing");
    }

    #[test]
    fn install_command_fits_the_machine() {
        let rust = Language::named("rust").expect("a language");
        let tools: Vec<_> = rust.tools(ProjectKind::Extension).collect();
        let installed = |distribution| missing(tools[0], distribution).install;
        assert_eq!(installed("debian"), "sudo apt install rustup && rustup default stable");
        assert_eq!(installed("fedora"), "sudo dnf install rustup && rustup-init -y");
        assert_eq!(installed(OTHER), "https://rustup.rs");
        let target = missing(tools[1], "debian");
        assert_eq!(target.title, "rustc for wasm32-wasip2");
        assert_eq!(target.install, "rustup target add wasm32-wasip2");
    }
}
