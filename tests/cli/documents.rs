//! Documents name only tests that exist, and each test file is compiled.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn promised_tests_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
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
        "sesame-cli/src",
    ] {
        collect(&root.join(directory), &mut sources);
    }
    let missing: Vec<_> =
        named.iter().filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "SECURITY.md names tests that are not there: {missing:?}");
}

/// A file outside of every program is never compiled, and its tests never run.
#[test]
fn test_files_are_all_compiled() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
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

fn collect(directory: &Path, sources: &mut String) {
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(&path).expect("a source"));
        }
    }
}
