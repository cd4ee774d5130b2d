//! Builds extensions from their sources, with the ordinary tools of each language.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::arguments::Language;
use crate::context::Context;
use crate::project::Project;
use crate::template::crate_name;

/// The way to build a project: commands, one after another, and their output file.
pub struct Recipe {
    steps: Vec<Step>,
    made: PathBuf,
}

/// One command.
struct Step {
    program: PathBuf,
    arguments: Vec<String>,
    /// Variables beside those of this process.
    environment: &'static [(&'static str, &'static str)],
    /// The way to install its program.
    install: &'static str,
}

/// The reason why nothing was built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The language of the project is unknown.
    #[error("the language of this project is unknown")]
    NoLanguage,
    /// A program is missing.
    #[error("`{program}` is not there")]
    MissingTool { program: String, install: &'static str },
    /// A part of a toolchain is missing.
    #[error("Rust cannot build for `{target}` here")]
    MissingTarget { target: &'static str },
    /// A program failed, after printing the reason.
    #[error("`{command}` failed")]
    Failed { command: String },
    /// A program cannot be run.
    #[error("cannot run `{command}`")]
    Run { command: String, source: io::Error },
    /// The output file is missing.
    #[error("the build made no `{}`", path.display())]
    NothingMade { path: PathBuf },
    /// The output is not a component and cannot become one.
    #[error("the module cannot become a component: {0}")]
    Componentize(String),
}

/// The target whose output is a component without further tools.
const RUST_TARGET: &str = "wasm32-wasip2";
const NODE: &str = "apt install nodejs npm";
const RUST: &str = "https://rustup.rs";

impl Recipe {
    /// Returns the recipe of a project.
    pub fn of(context: &Context, project: &Project) -> Result<Self, BuildError> {
        let name = project.name().as_str();
        // Not the place of the finished binary, which stays until the new one is complete.
        let made = format!("build/{name}.wasm");
        Ok(
            match project
                .language()
                .or_else(|| guess(project.directory()))
                .ok_or(BuildError::NoLanguage)?
            {
                Language::Rust => Self::rust(project)?,
                Language::Js | Language::Assemblyscript => Self::node(project, made),
                Language::Python => Self::python(made),
                Language::C => Self::c(context)?,
                Language::Tinygo => Self { steps: vec![go(&made)], made: made.into() },
            },
        )
    }

    fn rust(project: &Project) -> Result<Self, BuildError> {
        check_rust_target(project.directory())?;
        let file = crate_name(project.name()).replace('-', "_");
        let build = ["build", "--release", "--target", RUST_TARGET, "--target-dir", "target"];
        Ok(Self {
            steps: vec![Step::new("cargo", &build, RUST)],
            made: format!("target/{RUST_TARGET}/release/{file}.wasm").into(),
        })
    }

    fn node(project: &Project, made: String) -> Self {
        let installed = project.directory().join("node_modules").is_dir();
        let install =
            (!installed).then(|| Step::new("npm", &["install", "--no-audit", "--no-fund"], NODE));
        let build = Step::new("npm", &["run", "--silent", "build"], NODE);
        Self { steps: install.into_iter().chain([build]).collect(), made: made.into() }
    }

    fn python(made: String) -> Self {
        let build = ["-d", "wit", "-w", "extension", "componentize", "app", "-o", &made];
        Self {
            steps: vec![Step::new("componentize-py", &build, "pip install componentize-py")],
            made: made.into(),
        }
    }

    fn c(context: &Context) -> Result<Self, BuildError> {
        const SDK: &str = "unpack the newest https://github.com/WebAssembly/wasi-sdk/releases and set WASI_SDK_PATH to it";
        let clang = context
            .wasi_sdk()
            .map(|sdk| sdk.join("bin/clang"))
            .filter(|clang| clang.is_file())
            .ok_or(BuildError::MissingTool {
                program: "clang of the WASI SDK".to_owned(),
                install: SDK,
            })?;
        let bind = ["c", "wit", "--world", "extension", "--out-dir", "gen"];
        let compile = [
            "--target=wasm32-wasip1",
            "-mexec-model=reactor",
            "-Os",
            "-D_GNU_SOURCE",
            "-o",
            "build/core.wasm",
            "extension.c",
            "gen/extension.c",
            "gen/extension_component_type.o",
        ];
        Ok(Self {
            steps: vec![
                Step::new("wit-bindgen", &bind, "cargo install wit-bindgen-cli"),
                Step { program: clang, ..Step::new("clang", &compile, SDK) },
            ],
            made: "build/core.wasm".into(),
        })
    }

    /// Runs all commands in the project's directory, with their output on standard error. Returns
    /// the output file.
    pub fn run(&self, directory: &Path) -> Result<PathBuf, BuildError> {
        // The output of an earlier build must not pass for that of this one.
        let stale = directory.join(&self.made);
        let cleared = fs::create_dir_all(stale.parent().unwrap_or(directory)).and_then(|()| {
            match fs::remove_file(&stale) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        });
        cleared.map_err(|source| BuildError::Run {
            command: format!("rm {}", stale.display()),
            source,
        })?;
        self.steps.iter().try_for_each(|step| step.run(directory))?;
        let made = directory.join(&self.made);
        if made.is_file() { Ok(made) } else { Err(BuildError::NothingMade { path: made }) }
    }
}

impl Step {
    fn new(program: &str, arguments: &[&str], install: &'static str) -> Self {
        let arguments = arguments.iter().map(|text| (*text).to_owned()).collect();
        Self { program: program.into(), arguments, environment: &[], install }
    }

    fn run(&self, directory: &Path) -> Result<(), BuildError> {
        let command = format!("{} {}", self.program.display(), self.arguments.join(" "));
        let mut process = Command::new(&self.program);
        process
            .args(&self.arguments)
            .envs(self.environment.iter().copied())
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(io::stderr());
        match process.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err(BuildError::Failed { command }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(BuildError::MissingTool {
                program: self.program.display().to_string(),
                install: self.install,
            }),
            Err(source) => Err(BuildError::Run { command, source }),
        }
    }
}

/// Builds with TinyGo, or with Go itself if only that is installed: its modules are forty times as
/// large.
fn go(made: &str) -> Step {
    const INSTALL: &str = "https://tinygo.org/getting-started/install";
    let is_there = |program: &str| {
        let asked = Command::new(program)
            .arg("version")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        asked.is_ok_and(|status| status.success())
    };
    if is_there("go") && !is_there("tinygo") {
        let build = Step::new("go", &["build", "-buildmode=c-shared", "-o", made, "."], INSTALL);
        return Step { environment: &[("GOOS", "wasip1"), ("GOARCH", "wasm")], ..build };
    }
    Step::new(
        "tinygo",
        &["build", "-o", made, "-target=wasip1", "-buildmode=c-shared", "."],
        INSTALL,
    )
}

/// Reports a missing target before cargo does, with an error for each crate.
fn check_rust_target(directory: &Path) -> Result<(), BuildError> {
    let mut ask = Command::new("rustc");
    ask.args(["--print", "target-libdir", "--target", RUST_TARGET])
        .current_dir(directory)
        .stderr(Stdio::null());
    let missing = || BuildError::MissingTool { program: "rustc".to_owned(), install: RUST };
    let output = ask.output().map_err(|_| missing())?;
    let path =
        Path::new(OsStr::new(std::str::from_utf8(&output.stdout).unwrap_or_default().trim()));
    if path.is_dir() { Ok(()) } else { Err(BuildError::MissingTarget { target: RUST_TARGET }) }
}

/// Guesses the language of a project from its files.
fn guess(directory: &Path) -> Option<Language> {
    let marks = [
        ("Cargo.toml", Language::Rust),
        ("asconfig.json", Language::Assemblyscript),
        ("package.json", Language::Js),
        ("app.py", Language::Python),
        ("go.mod", Language::Tinygo),
        ("extension.c", Language::C),
    ];
    marks
        .into_iter()
        .find_map(|(file, language)| directory.join(file).is_file().then_some(language))
}
