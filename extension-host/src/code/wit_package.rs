//! Packages of WIT interfaces, from their text to the binary form that tools fetch.

use std::error::Error;
use std::fmt;
use std::path::Path;

use wit_parser::{PackageId, Resolve};

/// A package of interfaces and worlds, without code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitPackage {
    /// `namespace:name`.
    pub name: String,
    /// Its version, if it has one.
    pub version: Option<String>,
    /// The interfaces with their full names.
    pub interfaces: Vec<String>,
    /// The package in [its binary
    /// form](https://github.com/WebAssembly/component-model/blob/main/design/mvp/WIT.md#package-format):
    /// a component with types in it.
    pub binary: Vec<u8>,
}

/// Reads the package in a directory of `.wit` files, with its dependencies in `deps` below.
///
/// # Errors
/// When the text is wrong, or a dependency is missing.
pub fn encode_wit(directory: &Path) -> Result<WitPackage, WitError> {
    let (resolve, package) = parse(directory)?;
    let binary = wit_component::encode(&resolve, package)
        .map_err(|error| WitError::nowhere(&format!("{error:#}")))?;
    let package = &resolve.packages[package];
    let interfaces =
        package.interfaces.keys().map(|interface| package.name.interface_id(interface)).collect();
    Ok(WitPackage {
        name: format!("{}:{}", package.name.namespace, package.name.name),
        version: package.name.version.as_ref().map(ToString::to_string),
        interfaces,
        binary,
    })
}

/// Checks the package in a directory of `.wit` files, before other tools say less clearly why they
/// cannot read it.
///
/// # Errors
/// As [`encode_wit`].
pub fn check_wit(directory: &Path) -> Result<(), WitError> {
    parse(directory).map(drop)
}

pub(super) fn parse(directory: &Path) -> Result<(Resolve, PackageId), WitError> {
    let mut resolve = Resolve::default();
    match resolve.push_dir(directory) {
        Ok((package, _)) => Ok((resolve, package)),
        Err(error) => Err(WitError::new(error.root_cause(), &resolve.render_error(&error))),
    }
}

/// The text in front of the file, line and column in wit-parser's errors.
const PLACE: &str = "\n     --> ";

/// An error in a package of interfaces, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitError {
    message: String,
    /// The file, line and column, and the line itself.
    place: Option<(String, String)>,
}

impl WitError {
    fn new(cause: &dyn Error, rendered: &str) -> Self {
        let Some((_, behind)) = rendered.split_once(PLACE) else { return Self::nowhere(rendered) };
        let (place, excerpt) = behind.split_once('\n').unwrap_or((behind, ""));
        Self {
            message: one_line(&cause.to_string()),
            place: Some((place.to_owned(), excerpt.to_owned())),
        }
    }

    fn nowhere(message: &str) -> Self {
        Self { message: one_line(message), place: None }
    }

    /// Returns the place as `file:line:column`, if the error has one.
    pub fn place(&self) -> Option<&str> {
        self.place.as_ref().map(|(place, _)| place.as_str())
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for WitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            None => f.write_str(&self.message),
            Some((place, excerpt)) if excerpt.is_empty() => write!(f, "{place}: {}", self.message),
            Some((place, excerpt)) => write!(f, "{place}: {}\n{excerpt}", self.message),
        }
    }
}

impl Error for WitError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_package_round_trips() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/host");
        let package = encode_wit(&directory).expect("encoded");
        assert_eq!(
            (package.name.as_str(), package.version.as_deref()),
            ("open-sesame:host", Some("0.1.1"))
        );
        assert!(package.interfaces.contains(&"open-sesame:host/config-read@0.1.1".to_owned()));
        let decoded = wit_component::decode(&package.binary).expect("decoded");
        let read = &decoded.resolve().packages[decoded.package()];
        assert_eq!(read.interfaces.len(), package.interfaces.len());
        assert_eq!(
            encode_wit(&directory).expect("encoded"),
            package,
            "the same text makes the same bytes"
        );
    }

    #[test]
    fn text_that_is_wrong_is_said_to_be() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(encode_wit(directory.path()).is_err());
        std::fs::write(directory.path().join("x.wit"), "package a:b; interface i { f: func( }")
            .expect("written");
        let error = encode_wit(directory.path()).expect_err("refused").to_string();
        assert!(error.contains("expected"), "{error}");
    }

    /// Each error names its file, line and column.
    #[test]
    fn wit_error_names_its_place() {
        let cases = [
            ("x.wit", "package a:b;\n\ninterface i {\n  f: func(;\n}\n", "x.wit:4:11"),
            ("x.wit", "package a:b;\ninterface i {\n  f: func(x: nothing);\n}\n", "x.wit:3:14"),
            ("x.wit", "package a:b;\nworld w { import c:d/e; }\n", "x.wit:2:22"),
            ("x.wit", "package a:b;\ninterface i {}\ninterface i {}\n", "x.wit:3:11"),
            ("x.wit", "package a:b;\n$\n", "x.wit:2:1"),
            ("deps/c/d.wit", "package c:d;\ninterface { }\n", "deps/c/d.wit:2:11"),
        ];
        for (file, text, place) in cases {
            let directory = tempfile::tempdir().expect("a directory");
            std::fs::create_dir_all(directory.path().join("deps/c")).expect("made");
            std::fs::write(directory.path().join("x.wit"), "package a:b;\n").expect("written");
            std::fs::write(directory.path().join("deps/c/d.wit"), "package c:d;\n")
                .expect("written");
            std::fs::write(directory.path().join(file), text).expect("written");
            let error = check_wit(directory.path()).expect_err(text);
            assert!(error.place().is_some_and(|found| found.ends_with(place)), "{text}: {error}");
            assert!(!error.message.contains('\n') && error.to_string().contains(" | "), "{error}");
        }
        let directory = tempfile::tempdir().expect("a directory");
        assert!(
            check_wit(&directory.path().join("none"))
                .expect_err("refused")
                .to_string()
                .contains("none")
        );
    }
}
