//! Documents name only tests that exist, and each test file is compiled.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use test_support::rust_files;

use crate::support::root;

#[test]
fn promised_tests_exist() {
    let root = root();
    let promises = fs::read_to_string(root.join("SECURITY.md")).expect("SECURITY.md");
    let promises =
        promises.split("## Promises").nth(1).and_then(|rest| rest.split("## Not promised").next());
    let quoted = promises.expect("the promises").split('`').skip(1).step_by(2);
    let named: BTreeSet<_> =
        quoted.filter(|text| text.contains('_') && !text.contains(' ')).collect();
    assert!(named.len() > 50, "the tests are found: {named:?}");
    let mut sources = String::new();
    for directory in [
        "tests/cli",
        "core-types",
        "extension-host",
        "extension-depot",
        "extension-manager",
        "extension-session",
        "extension-capi",
        "private-files",
        "sesame-cli/src",
    ] {
        sources += &source_text(&root.join(directory));
    }
    let missing: Vec<_> =
        named.iter().filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "SECURITY.md names tests that are not there: {missing:?}");
}

/// The samples of the book are the commented files of `config-examples`, which a test loads.
#[test]
fn samples_in_the_book_are_current() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect(path);
    let everything = read("config-examples/everything.toml");
    let capabilities = everything.split("\n[").find(|table| table.starts_with("capabilities]"));
    let samples = [
        ("policy", read("config-examples/policy.toml")),
        ("configuration", read("config-examples/config.toml")),
        ("manifest", format!("[{}", capabilities.expect("capabilities"))),
    ];
    for (page, sample) in samples {
        let text = read(&format!("docs/reference/{page}.md"));
        let block = format!("```toml\n{}\n```", sample.trim_end());
        assert!(text.contains(&block), "{page}: {sample}");
    }
}

/// The policy in the packages is the example, as comments alone, behind a header of its own.
#[test]
fn packaged_policy_is_the_example() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect(path);
    let as_comment = |line: &str| match line {
        line if line.is_empty() || line.starts_with("# ") || line.starts_with("#:") => {
            line.to_owned()
        }
        line => format!("#{line}"),
    };
    let example = read("config-examples/policy.toml");
    let mut expected: Vec<_> = example.lines().map(as_comment).collect();
    let packaged = read("packaging/policy.toml");
    let header: Vec<_> = packaged.lines().skip(1).take(2).map(str::to_owned).collect();
    assert!(header[0].starts_with("# Everything here is a comment"), "{header:?}");
    expected.splice(1..1, header);
    assert_eq!(packaged.lines().collect::<Vec<_>>(), expected);
}

/// A user looks for the message as it was printed, so each heading has to be one of ours.
#[test]
fn troubleshooting_quotes_messages() {
    let page = fs::read_to_string(root().join("docs/troubleshooting.md")).expect("a page");
    let headings = page.lines().filter_map(|line| line.strip_prefix("### `")?.split_once('`'));
    let messages: Vec<_> = headings.map(|(message, _)| message).collect();
    assert!(messages.len() > 20, "{messages:?}");
    let mut sources = String::new();
    for package in
        ["core-types", "extension-host", "extension-depot", "extension-manager", "sesame-cli"]
    {
        sources += &source_text(&root().join(package).join("src"));
    }
    let is_ours = |message: &str| message.split('…').all(|part| sources.contains(part));
    let foreign: Vec<_> = messages.iter().filter(|message| !is_ours(message)).collect();
    assert!(foreign.is_empty(), "docs/troubleshooting.md quotes unknown messages: {foreign:?}");
}

/// A file outside of every program is never compiled, and its tests never run.
#[test]
fn test_files_are_all_compiled() {
    let root = root();
    for (directory, manifest) in
        [("tests/cli", "sesame-cli"), ("extension-host/tests", "extension-host")]
    {
        let main = fs::read_to_string(root.join(directory).join("main.rs")).expect("main.rs");
        let manifest =
            fs::read_to_string(root.join(manifest).join("Cargo.toml")).expect("Cargo.toml");
        for entry in fs::read_dir(root.join(directory)).expect("a directory").flatten() {
            let path = entry.path();
            let name = path.file_stem().and_then(|name| name.to_str()).expect("text");
            let program = format!("[[test]]\nname = \"{name}\"\n");
            let is_compiled =
                main.contains(&format!("mod {name};\n")) || manifest.contains(&program);
            assert!(name == "main" || is_compiled, "{} is not a module of main.rs", path.display());
        }
    }
}

/// Returns the text of all Rust files of a directory.
fn source_text(directory: &Path) -> String {
    let read = |path: &PathBuf| fs::read_to_string(path).expect("a source");
    rust_files(directory).iter().map(read).collect()
}
