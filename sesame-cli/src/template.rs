//! The projects of `sesame extension new`.

use std::path::{Path, PathBuf};

use core_types::ExtensionName;

use crate::arguments::Language;

/// A file of a new project: its path and its contents.
type File = (&'static str, &'static str);

macro_rules! file {
    ($path:literal from $source:literal) => {
        ($path, include_str!(concat!("../templates/", $source)))
    };
}

/// The files of each project.
const COMMON: [File; 2] = [
    file!("extension.toml" from "common/extension.toml"),
    file!(".gitignore" from "common/gitignore"),
];

/// The files of a component: its world and those of the host, a test and a page.
const COMPONENT: [File; 13] = [
    file!("README.md" from "common/README.md"),
    file!("wit/world.wit" from "common/world.wit"),
    file!("tests/greet.toml" from "common/greet.toml"),
    file!("docs/index.md" from "common/index.md"),
    file!("wit/deps/open-sesame-host/clipboard-write.wit" from "../../wit/host/clipboard-write.wit"),
    file!("wit/deps/open-sesame-host/config-read.wit" from "../../wit/host/config-read.wit"),
    file!("wit/deps/open-sesame-host/ipc-publish.wit" from "../../wit/host/ipc-publish.wit"),
    file!("wit/deps/open-sesame-host/log.wit" from "../../wit/host/log.wit"),
    file!("wit/deps/open-sesame-host/notification.wit" from "../../wit/host/notification.wit"),
    file!("wit/deps/open-sesame-host/package.wit" from "../../wit/host/package.wit"),
    file!("wit/deps/open-sesame-host/secret-read.wit" from "../../wit/host/secret-read.wit"),
    file!("wit/deps/open-sesame-host/secret-write.wit" from "../../wit/host/secret-write.wit"),
    file!("wit/deps/open-sesame-host/types.wit" from "../../wit/host/types.wit"),
];

/// The files of a module of Suffiks: its own document, a test and a page.
const SUFFIKS: [File; 4] = [
    file!("README.md" from "common/suffiks-README.md"),
    file!("ext.yaml" from "common/ext.yaml"),
    file!("tests/extension.yaml" from "common/suffiks.yaml"),
    file!("docs/index.md" from "common/suffiks.md"),
];

const RUST: [File; 2] =
    [file!("Cargo.toml" from "rust/Cargo.toml.in"), file!("src/lib.rs" from "rust/lib.rs")];
const RUST_WITH_SDK: [File; 2] =
    [file!("Cargo.toml" from "rust/Cargo.toml.in"), file!("src/lib.rs" from "rust/lib.sdk.rs")];
const JS: [File; 3] = [
    file!("package.json" from "js/package.json"),
    file!("build.mjs" from "js/build.mjs"),
    file!("index.js" from "js/index.js"),
];
const PYTHON: [File; 1] = [file!("app.py" from "python/app.py")];
const C: [File; 1] = [file!("extension.c" from "c/extension.c")];
const ASSEMBLYSCRIPT: [File; 4] = [
    file!("package.json" from "assemblyscript/package.json"),
    file!("asconfig.json" from "assemblyscript/asconfig.json"),
    file!("assembly/index.ts" from "assemblyscript/index.ts"),
    file!("assembly/runtime.ts" from "../../tests/guests/ingress-as/assembly/runtime.ts"),
];
const TINYGO: [File; 4] = [
    file!("go.mod" from "tinygo/go.mod"),
    file!("main.go" from "tinygo/main.go"),
    file!("runtime.go" from "tinygo/runtime.go"),
    file!("memory.go" from "tinygo/memory.go"),
];

/// The version of wit-bindgen in new projects, which is the SDK's.
const WIT_BINDGEN: &str = "0.63";

impl Language {
    /// Returns the files that only projects in this language have.
    fn files(self, with_sdk: bool) -> &'static [File] {
        match self {
            Self::Rust if with_sdk => &RUST_WITH_SDK,
            Self::Rust => &RUST,
            Self::Js => &JS,
            Self::Python => &PYTHON,
            Self::C => &C,
            Self::Assemblyscript => &ASSEMBLYSCRIPT,
            Self::Tinygo => &TINYGO,
        }
    }

    /// Returns whether the result is a module of Suffiks instead of a component.
    pub fn makes_suffiks(self) -> bool {
        matches!(self, Self::Assemblyscript | Self::Tinygo)
    }

    fn key(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Js => "js",
            Self::Python => "python",
            Self::C => "c",
            Self::Assemblyscript => "assemblyscript",
            Self::Tinygo => "tinygo",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Js => "JavaScript",
            Self::Python => "Python",
            Self::C => "C",
            Self::Assemblyscript => "AssemblyScript",
            Self::Tinygo => "Go",
        }
    }

    fn tools(self) -> &'static str {
        match self {
            Self::Rust => "Rust with `rustup target add wasm32-wasip2`",
            Self::Js | Self::Assemblyscript => "Node.js with npm",
            Self::Python => "`pip install componentize-py`",
            Self::C => "the WASI SDK in `WASI_SDK_PATH`, and `cargo install wit-bindgen-cli`",
            Self::Tinygo => {
                "TinyGo (https://tinygo.org), or Go 1.24 (https://go.dev/dl), whose modules are larger"
            }
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::Rust => "src/lib.rs",
            Self::Js => "index.js",
            Self::Python => "app.py",
            Self::C => "extension.c",
            Self::Assemblyscript => "assembly/index.ts",
            Self::Tinygo => "main.go",
        }
    }

    /// Returns the memory limit: Python and JavaScript bring an interpreter.
    fn memory_mib(self) -> &'static str {
        if matches!(self, Self::Js | Self::Python) { "64" } else { "16" }
    }
}

/// Returns the name of the crate: cargo accepts none that begins with a digit.
pub fn crate_name(name: &ExtensionName) -> String {
    let prefix = if name.as_str().starts_with(|c: char| c.is_ascii_digit()) { "ext-" } else { "" };
    format!("{prefix}{name}")
}

/// Returns the files of a new project: paths below its directory, and contents.
pub fn files(
    name: &ExtensionName,
    language: Language,
    sdk: Option<&Path>,
) -> Vec<(PathBuf, String)> {
    let of_kind: &[File] = if language.makes_suffiks() { &SUFFIKS } else { &COMPONENT };
    let all = COMMON.iter().chain(of_kind).chain(language.files(sdk.is_some()));
    let dependency = match sdk {
        Some(path) => format!("extension-sdk = {{ path = {:?} }}", path.display().to_string()),
        None => format!("wit-bindgen = {WIT_BINDGEN:?}"),
    };
    let crate_name = crate_name(name);
    let words = [
        ("@NAME@", name.as_str()),
        ("@CRATE@", crate_name.as_str()),
        ("@LANGUAGE@", language.key()),
        ("@LANGUAGE_NAME@", language.title()),
        ("@TOOLS@", language.tools()),
        ("@SOURCE@", language.source()),
        ("@MEMORY@", language.memory_mib()),
        ("@DEPENDENCY@", dependency.as_str()),
    ];
    let fill = |text: &str| {
        words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
    };
    all.map(|(path, text)| (PathBuf::from(path), fill(text))).collect()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn no_word_is_left_open_and_every_project_is_one() {
        let name: ExtensionName = "a-b".parse().expect("a name");
        for language in Language::value_variants() {
            for sdk in [None, Some(Path::new("/sdk"))] {
                let files = files(&name, *language, sdk);
                let has = |path: &str| files.iter().any(|(there, _)| there == Path::new(path));
                assert!(
                    has("extension.toml")
                        && has("docs/index.md")
                        && has("README.md")
                        && has(language.source())
                );
                for (path, text) in &files {
                    let open = text
                        .split('@')
                        .skip(1)
                        .find(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
                    assert_eq!(open, None, "{language:?} {}", path.display());
                }
            }
        }
    }

    #[test]
    fn new_projects_use_the_version_of_the_sdk() {
        let workspace = include_str!("../../Cargo.toml");
        assert!(workspace.contains(&format!("wit-bindgen = {WIT_BINDGEN:?}")));
    }
}
