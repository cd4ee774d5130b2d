//! Packages of interfaces, from the text that people write to the form that tools fetch.

use std::path::Path;

use wit_parser::Resolve;

use crate::componentize::ComponentizeError;

/// A package of interfaces and worlds, and no code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitPackage {
    /// `namespace:name`.
    pub name: String,
    /// Its version, if it says one.
    pub version: Option<String>,
    /// The interfaces, with their full names.
    pub interfaces: Vec<String>,
    /// The package in [its binary form](https://github.com/WebAssembly/component-model/blob/main/design/mvp/WIT.md#package-format):
    /// a component with types in it.
    pub binary: Vec<u8>,
}

/// Reads the package in a directory of `.wit` files; what it refers to lies in `deps` below.
///
/// # Errors
/// When the text is wrong, or refers to what is not there.
pub fn encode_wit(directory: &Path) -> Result<WitPackage, ComponentizeError> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(directory).map_err(|error| ComponentizeError::new(&format!("{error:#}")))?;
    let binary =
        wit_component::encode(&resolve, package).map_err(|error| ComponentizeError::new(&format!("{error:#}")))?;
    let package = &resolve.packages[package];
    let interfaces = package.interfaces.keys().map(|interface| package.name.interface_id(interface)).collect();
    Ok(WitPackage {
        name: format!("{}:{}", package.name.namespace, package.name.name),
        version: package.name.version.as_ref().map(ToString::to_string),
        interfaces,
        binary,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_of_the_host_is_encoded_and_read_back() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/host");
        let package = encode_wit(&directory).expect("encoded");
        assert_eq!((package.name.as_str(), package.version.as_deref()), ("open-sesame:host", Some("0.1.0")));
        assert!(package.interfaces.contains(&"open-sesame:host/config-read@0.1.0".to_owned()));
        let decoded = wit_component::decode(&package.binary).expect("decoded");
        let read = &decoded.resolve().packages[decoded.package()];
        assert_eq!(read.interfaces.len(), package.interfaces.len());
        assert_eq!(encode_wit(&directory).expect("encoded"), package, "the same text makes the same bytes");
    }

    #[test]
    fn text_that_is_wrong_is_said_to_be() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(encode_wit(directory.path()).is_err());
        std::fs::write(directory.path().join("x.wit"), "package a:b; interface i { f: func( }").expect("written");
        let error = encode_wit(directory.path()).expect_err("refused").to_string();
        assert!(error.contains("expected"), "{error}");
    }
}
