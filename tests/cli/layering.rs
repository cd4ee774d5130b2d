//! The allowed dependencies between crates. docs/architecture.md has the picture.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use test_support::{import_circles, rust_files};

use crate::support::root;

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
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(|line| line.replace('_', "-")).collect()
}

#[test]
fn crates_depend_only_downwards() {
    let rules: [(&str, &[&str]); 8] = [
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
        ("extension-session", &["clap", "rpassword", "indicatif", "sesame"]),
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

/// The largest number of files in a room, with its `mod.rs`: a dozen, and a little more for the commands that
/// are used every day.
const MAX_FILES: usize = 14;

/// The circles of files that stay, by crate: each is of things that are one for a reader.
const CIRCLES: [(&str, &[&[&str]]); 7] = [
    // A reference and its shorter form.
    ("core-types", &[&["reference::oci_reference", "reference::query"]]),
    ("extension-host", &[]),
    ("extension-depot", &[]),
    // A proposal has what is asked and what is denied of the same requests; a step of a sync has
    // what will be asked about it.
    (
        "extension-manager",
        &[
            &["consent::denied", "consent::proposal"],
            &["sync::drift", "sync::prospect", "sync::step"],
        ],
    ),
    ("extension-session", &[]),
    ("private-files", &[]),
    // A context shows events and progress, and they ask it what the user wants to see.
    (
        "sesame-cli",
        &[&["context", "terminal::events", "terminal::progress", "terminal::service_events"]],
    ),
];

#[test]
fn files_import_without_new_circles() {
    for (package, known) in CIRCLES {
        let source = root().join(package).join("src");
        assert_eq!(import_circles(&source), known, "{package}");
    }
}

/// Commands import the libraries and the rooms of the binary, and never each other. The lists
/// of the rooms and the dispatcher are not commands.
#[test]
fn commands_import_no_command() {
    let commands = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/commands"));
    let mut files = rust_files(commands);
    files.retain(|path| !path.ends_with("mod.rs") && !path.ends_with("commands/dispatch.rs"));
    assert!(files.len() > 30, "{files:?}");
    for path in files {
        let text = std::fs::read_to_string(&path).expect("text");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for edge in ["super::", "crate::commands"] {
            assert!(!code.contains(edge), "{path:?} has {edge}");
        }
    }
}

/// A room that a reader can look over: about a dozen files, whose `mod.rs` says what it is for and
/// lists what it has.
#[test]
fn rooms_hold_about_a_dozen_files() {
    let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let mut rooms = BTreeMap::<PathBuf, usize>::new();
    for path in rust_files(source) {
        if path.ends_with("mod.rs") {
            let text = std::fs::read_to_string(&path).expect("text");
            assert!(text.starts_with("//! "), "{path:?} does not say what it is for");
            for item in ["fn ", "struct ", "enum ", "impl ", "const ", "trait "] {
                let has_item = text.lines().any(|line| line.starts_with(item));
                assert!(!has_item && !text.contains(&format!("\npub {item}")), "{path:?}: {item}");
            }
        }
        *rooms.entry(path.parent().expect("a room").to_owned()).or_default() += 1;
    }
    for (room, files) in rooms {
        assert!(files <= MAX_FILES, "{room:?} has {files} files");
    }
}
