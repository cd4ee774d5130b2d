//! `sesame extension sync`

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use extension_depot::serve::{MemoryRegistry, response};

use crate::support::{ECHO, GREETING, TestEnv, env, manifest, publish, registry};

/// Another machine, to which nothing but the manifests was copied.
fn copied(from: &TestEnv, names: &[&str]) -> TestEnv {
    let to = env();
    for name in names {
        to.write(&manifest(name), from.read(&manifest(name)));
    }
    to
}

#[test]
fn manifests_alone_bring_back_the_same_bytes() {
    let (first, registry) = (env(), registry());
    publish(&registry, "my-org/echo:2.0.0", &ECHO, &[]);
    for reference in ["my-org/greeting-extension:0.1.0", "my-org/echo:2.0.0"] {
        first.run(&format!("extension install {}/{reference}", registry.host())).ok();
    }
    // The tags move on; the pins do not.
    publish(&registry, "my-org/greeting-extension:0.1.0", &ECHO, &[]);
    let text = format!("# mine\n{}", first.read(&manifest("greeting-extension")).replace("\"0.1.0\"", "'0.1.0'"));
    first.write(&manifest("greeting-extension"), text);
    let second = copied(&first, &["greeting-extension", "echo"]);
    insta::assert_snapshot!(second.run("extension call greeting-extension greet World"), @r#"
    exit 9
    err: error: the artifact of `greeting-extension` is missing or damaged
    err: caused by: the artifact is damaged
    err: caused by: the blob sha256:DIGEST is missing
    err: hint: sesame extension sync
    "#);
    insta::assert_snapshot!(second.run("extension sync --check").hiding_registry(&registry), @r#"
    exit 1
    out: echo	REGISTRY/my-org/echo:2.0.0@sha256:SHORT	to be fetched
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:SHORT	to be fetched
    "#);
    let before = second.files();
    insta::assert_snapshot!(second.run("extension sync --dry-run").hiding_registry(&registry), @r#"
    exit 0
    out: echo	REGISTRY/my-org/echo:2.0.0@sha256:SHORT	to be fetched
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:SHORT	to be fetched
    "#);
    assert_eq!(second.files(), before);
    insta::assert_snapshot!(second.run("extension sync").hiding_registry(&registry), @r#"
    exit 0
    out: echo	REGISTRY/my-org/echo:2.0.0@sha256:SHORT	fetched
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:SHORT	fetched
    "#);
    let blobs = |env: &TestEnv| -> Vec<_> {
        let below = env.path(".config/pds/extensions");
        let relative =
            |(path, bytes): (std::path::PathBuf, Vec<u8>)| Some((path.strip_prefix(&below).ok()?.to_owned(), bytes));
        env.files().into_iter().filter_map(relative).collect()
    };
    assert!(blobs(&second) == blobs(&first), "manifests, index and blobs are the same, byte for byte");
    assert_eq!(second.run("extension call greeting-extension greet World").ok().text(), "Hello, World!\n");
    insta::assert_snapshot!(second.run("extension sync --check").hiding_registry(&registry), @r#"
    exit 0
    out: echo	REGISTRY/my-org/echo:2.0.0@sha256:SHORT	as it should be
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:SHORT	as it should be
    "#);
    let asked = registry.seen().len();
    second.run("--offline extension sync").ok();
    assert_eq!(registry.seen().len(), asked, "nothing to do takes no connection");
}

#[test]
fn one_manifest_that_cannot_be_followed_stops_no_other() {
    let (first, registry) = (env(), registry());
    first.run(&format!("extension install {}/my-org/greeting-extension:0.1.0", registry.host())).ok();
    first.write("work/echo.wasm", &*ECHO);
    first.run("extension install ./echo.wasm").ok();
    let second = copied(&first, &["greeting-extension", "echo"]);
    second.write(&manifest("broken"), "[broken");
    second.write(&manifest("nowhere"), "[capabilities]\nconfig-read = true\n");
    let oci = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    second.write(&manifest("by-tag"), format!("[extension]\noci = \"{oci}\"\n\n[capabilities]\nconfig-read = true\n"));
    insta::assert_snapshot!(second.run("extension sync --locked --dry-run").hiding_registry(&registry), @r#"
    exit 1
    out: broken		failed: the manifest `~/.config/pds/extensions/broken.toml` is wrong: line 1, column 8: unclosed table, expected `]`
    out: by-tag	REGISTRY/my-org/greeting-extension:0.1.0	failed: its manifest is not pinned to a digest
    out: echo	local/file/echo:0.0.0@sha256:SHORT	to be fetched
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:SHORT	to be fetched
    out: nowhere		failed: its manifest has no `oci` to install from
    "#);
    insta::assert_snapshot!(second.run("extension sync").hiding_registry(&registry), @r#"
    exit 1
    out: broken		failed: the manifest `~/.config/pds/extensions/broken.toml` is wrong: line 1, column 8: unclosed table, expected `]`
    out: by-tag	REGISTRY/my-org/greeting-extension:0.1.0	installed and pinned
    out: echo	local/file/echo:0.0.0@sha256:SHORT	failed: it came from a file: install it from its file once more
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:SHORT	fetched
    out: nowhere		failed: its manifest has no `oci` to install from
    "#);
    assert_eq!(second.run("extension call by-tag greet World").ok().text(), "Hello, World!\n");
    assert!(second.read(&manifest("by-tag")).contains("@sha256:"));
    assert_eq!(second.run("extension call greeting-extension greet World").ok().text(), "Hello, World!\n");
}

#[test]
fn other_bytes_behind_a_pin_are_refused() {
    let is_evil = Arc::new(AtomicBool::new(false));
    let evil = is_evil.clone();
    let registry = MemoryRegistry::start_with(move |seen| {
        let is_blob = evil.load(Ordering::SeqCst) && seen.method == "GET" && seen.path.contains("/blobs/");
        is_blob.then(|| response(200, &[], GREETING.repeat(2)))
    })
    .expect("a registry");
    publish(&registry, "my-org/greeting-extension:0.1.0", &GREETING, &[]);
    let first = env();
    first.run(&format!("extension install {}/my-org/greeting-extension:0.1.0", registry.host())).ok();
    let second = copied(&first, &["greeting-extension"]);
    is_evil.store(true, Ordering::SeqCst);
    let run = second.run("extension sync").hiding_registry(&registry);
    assert!(run.code == 1 && run.text().contains("failed: "), "{run}");
    assert_eq!(second.run("extension call greeting-extension greet World").code, 9);
    is_evil.store(false, Ordering::SeqCst);
    second.run("extension sync").ok();
    second.run("extension call greeting-extension greet World").ok();
}
