//! The allowed dependencies between crates. docs/architecture.md has the picture.

use std::path::Path;
use std::process::Command;

use test_support::import_circles;

fn tree(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{lib}",
            "--package",
            package,
        ])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(|line| line.replace('_', "-")).collect()
}

#[test]
fn crates_depend_only_downwards() {
    let rules: [(&str, &[&str]); 7] = [
        (
            "core-types",
            &[
                "tokio",
                "reqwest",
                "wasmtime",
                "extension-host",
                "extension-depot",
                "private-files",
                "clap",
            ],
        ),
        (
            "extension-host",
            &["extension-depot", "oci-client", "reqwest", "clap", "directories", "rpassword"],
        ),
        ("extension-depot", &["extension-host", "wasmtime", "clap"]),
        ("private-files", &["core-types", "tokio", "serde", "extension-depot", "extension-host"]),
        ("extension-manager", &["clap", "rpassword", "indicatif", "sesame"]),
        ("extension-capi", &["clap", "rpassword", "indicatif", "sesame"]),
        ("extension-sdk", &["extension-host", "extension-depot", "core-types", "wasmtime"]),
    ];
    for (package, forbidden) in rules {
        let known = tree(package);
        assert!(known.iter().any(|line| line == package), "{known:?}");
        for other in forbidden {
            assert!(
                !known.iter().any(|line| line == other),
                "{package} must not depend on {other}"
            );
        }
    }
}

/// The circles of files that stay, by crate: each is of things that are one for a reader.
const CIRCLES: [(&str, &[&[&str]]); 5] = [
    // A reference and its shorter form.
    ("core-types", &[&["reference::oci_reference", "reference::query"]]),
    ("extension-host", &[]),
    ("extension-depot", &[]),
    ("extension-manager", &[]),
    ("private-files", &[]),
];

#[test]
fn files_import_without_new_circles() {
    for (package, known) in CIRCLES {
        let source =
            Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(package).join("src");
        assert_eq!(import_circles(&source), known, "{package}");
    }
}

/// Commands import the libraries and the rooms of the binary, and never each other.
#[test]
fn commands_import_no_command() {
    let commands = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/commands"));
    let mut files: Vec<_> =
        std::fs::read_dir(commands).expect("commands").map(|entry| entry.expect("read")).collect();
    files.retain(|entry| entry.path().is_file() && entry.file_name() != "mod.rs");
    assert!(files.len() > 30, "{files:?}");
    for entry in files {
        let text = std::fs::read_to_string(entry.path()).expect("text");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for edge in ["super::", "crate::commands"] {
            assert!(!code.contains(edge), "{entry:?} has {edge}");
        }
    }
}
