//! Runs cargo-cyclonedx, and reads its list.

use std::fs;

use serde::Deserialize;

use super::graph::Key;
use crate::problem::Result;
use crate::repository::{command, files_below, read, root, run};

/// The manifest of the binary, and the list that cargo-cyclonedx writes beside it.
const MANIFEST: &str = "sesame-cli/Cargo.toml";
const WRITTEN: &str = "sesame-cli/sesame_bin.cdx.json";

/// Makes the list. The same sources give the same bytes where `SOURCE_DATE_EPOCH` is set.
pub fn describe(target: &str) -> Result<String> {
    let arguments = [
        "cyclonedx",
        "--quiet",
        "--format",
        "json",
        "--spec-version",
        "1.5",
        "--describe",
        "binaries",
        "--target",
        target,
        "--manifest-path",
        MANIFEST,
    ];
    run(command("cargo", &arguments))?;
    let text = read(&root().join(WRITTEN));
    // It writes one for each other binary of the workspace as well.
    for ending in ["_bin.cdx.json", "_cdylib.cdx.json"] {
        files_below(&root(), ending)?.into_iter().try_for_each(fs::remove_file)?;
    }
    Ok(without_directory(&text?, &root().display().to_string()))
}

/// Removes the directory of the checkout, by which our own packages are known. The binary has the
/// same name for it.
fn without_directory(text: &str, root: &str) -> String {
    text.replace(&format!("path+file://{root}/"), "path+file:///sesame/")
}

/// The list, as far as it is checked.
#[derive(Deserialize)]
pub struct Bill {
    /// All packages but that of the binary.
    pub components: Vec<Component>,
}

/// A package.
#[derive(Deserialize)]
pub struct Component {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// The digest of its archive.
    #[serde(default)]
    pub hashes: Vec<Hash>,
    /// Its licences.
    #[serde(default)]
    pub licenses: Vec<serde_json::Value>,
}

impl Component {
    /// Returns the name and the version.
    pub fn key(&self) -> Key {
        (self.name.clone(), self.version.clone())
    }
}

/// The digest of an archive.
#[derive(Deserialize)]
pub struct Hash {
    /// The digest in hexadecimal digits.
    pub content: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directory_is_not_in_the_list() {
        let text = r#"{"bom-ref": "path+file:///home/ada/it/xtask#0.2.0", "a": "b"}"#;
        let wanted = r#"{"bom-ref": "path+file:///sesame/xtask#0.2.0", "a": "b"}"#;
        assert_eq!(without_directory(text, "/home/ada/it"), wanted);
    }
}
