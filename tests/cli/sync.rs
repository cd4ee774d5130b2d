//! `sesame extension sync`

use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use extension_depot::serve::{MemoryRegistry, response};

use crate::support::{ECHO, GREETING, TestEnv, asking, env, manifest, publish, registry};

/// Makes another machine, to which only the manifests were copied.
fn copied(from: &TestEnv, names: &[&str]) -> TestEnv {
    let to = env();
    for name in names {
        to.write(&manifest(name), from.read(&manifest(name)));
    }
    to
}

/// Manifests of home-manager are links to read-only files, and have no version. They sync and hold as
/// others do, and sesame leaves them as they are.
#[test]
fn linked_manifests_sync() {
    let (env, registry) = (env(), registry());
    let reference = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    let inspected = env.run(&format!("extension inspect {reference} --json")).ok().text();
    let inspected: serde_json::Value = serde_json::from_str(&inspected).expect("JSON");
    let pinned = inspected["inspection"]["reference"].as_str();
    let pinned = pinned.unwrap_or_else(|| panic!("{inspected}"));
    let text = format!(
        "[capabilities]\nconfig-read = true\n[config.greeting]\ntemplate = \"Hej, {{}}!\"\n\
         [extension]\nname = \"greeting\"\noci = \"{pinned}\"\n"
    );
    let stored = env.write("store/greeting.toml", &text);
    std::fs::set_permissions(&stored, std::fs::Permissions::from_mode(0o444)).expect("set");
    std::fs::create_dir_all(env.path(".config/pds/extensions")).expect("made");
    symlink(&stored, env.path(&manifest("greeting"))).expect("linked");
    env.run("extension sync").ok();
    assert_eq!(env.run("call greeting greet World").ok().text(), "Hej, World!\n");
    env.run("extension sync --check").ok();
    env.run("update --all").ok();
    assert_eq!(env.run("extension grant greeting notification").code, 9);
    assert_eq!(std::fs::read_link(env.path(&manifest("greeting"))).expect("a link"), stored);
    assert_eq!(env.read("store/greeting.toml"), text);
}

#[test]
fn sync_restores_from_manifests() {
    let (first, registry) = (env(), registry());
    publish(&registry, "my-org/echo:2.0.0", &ECHO, &[]);
    for reference in ["my-org/greeting-extension:0.1.0", "my-org/echo:2.0.0"] {
        first.run(&format!("extension install {}/{reference}", registry.host())).ok();
    }
    // The tags move on; the pins do not.
    publish(&registry, "my-org/greeting-extension:0.1.0", &ECHO, &[]);
    let text = format!(
        "# mine\n{}",
        first.read(&manifest("greeting-extension")).replace("\"0.1.0\"", "'0.1.0'")
    );
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
    out: echo	REGISTRY/my-org/echo:2.0.0@sha256:DIGEST	to be fetched
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	to be fetched
    "#);
    let before = second.files();
    insta::assert_snapshot!(second.run("extension sync --dry-run").hiding_registry(&registry), @r#"
    exit 0
    out: echo	REGISTRY/my-org/echo:2.0.0@sha256:DIGEST	to be fetched
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	to be fetched
    "#);
    assert_eq!(second.files(), before);
    insta::assert_snapshot!(second.run("extension sync").hiding_registry(&registry), @r#"
    exit 0
    out: echo	REGISTRY/my-org/echo:2.0.0@sha256:DIGEST	fetched
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	fetched
    "#);
    let blobs = |env: &TestEnv| -> Vec<_> {
        let below = env.path(".config/pds/extensions");
        let relative = |(path, bytes): (std::path::PathBuf, Vec<u8>)| {
            Some((path.strip_prefix(&below).ok()?.to_owned(), bytes))
        };
        env.files().into_iter().filter_map(relative).collect()
    };
    assert!(
        blobs(&second) == blobs(&first),
        "manifests, index and blobs are the same, byte for byte"
    );
    assert_eq!(
        second.run("extension call greeting-extension greet World").ok().text(),
        "Hello, World!\n"
    );
    insta::assert_snapshot!(second.run("extension sync --check").hiding_registry(&registry), @r#"
    exit 0
    out: echo	REGISTRY/my-org/echo:2.0.0@sha256:DIGEST	as it should be
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	as it should be
    "#);
    let asked = registry.seen().len();
    second.run("--offline extension sync").ok();
    assert_eq!(registry.seen().len(), asked, "nothing to do takes no connection");
}

#[test]
fn bad_manifest_stops_no_other_sync() {
    let (first, registry) = (env(), registry());
    first
        .run(&format!("extension install {}/my-org/greeting-extension:0.1.0", registry.host()))
        .ok();
    first.write("work/echo.wasm", &*ECHO);
    first.run("extension install ./echo.wasm").ok();
    let second = copied(&first, &["greeting-extension", "echo"]);
    second.write(&manifest("broken"), "[broken");
    second.write(&manifest("nowhere"), "[capabilities]\nconfig-read = true\n");
    let oci = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    second.write(
        &manifest("by-tag"),
        format!("[extension]\noci = \"{oci}\"\n\n[capabilities]\nconfig-read = true\n"),
    );
    insta::assert_snapshot!(second.run("extension sync --locked --dry-run").hiding_registry(&registry), @r#"
    exit 1
    out: broken		failed: the manifest `~/.config/pds/extensions/broken.toml` is wrong: line 1, column 8: unclosed table, expected `]`
    out: by-tag	REGISTRY/my-org/greeting-extension:0.1.0	failed: its manifest is not pinned to a digest
    out: echo	local/file/echo:0.0.0@sha256:DIGEST	to be fetched
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	to be fetched
    out: nowhere		failed: its manifest has no `oci` to install from
    "#);
    insta::assert_snapshot!(second.run("extension sync").hiding_registry(&registry), @r#"
    exit 1
    out: broken		failed: the manifest `~/.config/pds/extensions/broken.toml` is wrong: line 1, column 8: unclosed table, expected `]`
    out: by-tag	REGISTRY/my-org/greeting-extension:0.1.0	installed and pinned
    out: echo	local/file/echo:0.0.0@sha256:DIGEST	failed: it came from a file: install it from its file once more
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	fetched
    out: nowhere		failed: its manifest has no `oci` to install from
    "#);
    assert_eq!(second.run("extension call by-tag greet World").ok().text(), "Hello, World!\n");
    assert!(second.read(&manifest("by-tag")).contains("@sha256:"));
    assert_eq!(
        second.run("extension call greeting-extension greet World").ok().text(),
        "Hello, World!\n"
    );
}

#[test]
fn sync_refuses_changed_bytes() {
    let is_evil = Arc::new(AtomicBool::new(false));
    let evil = is_evil.clone();
    let other_bytes = GREETING.repeat(2);
    let registry = MemoryRegistry::start_with(move |seen| {
        let is_blob =
            evil.load(Ordering::SeqCst) && seen.method == "GET" && seen.path.contains("/blobs/");
        is_blob.then(|| response(200, &[], other_bytes.clone()))
    })
    .expect("a registry");
    publish(&registry, "my-org/greeting-extension:0.1.0", &GREETING, &[]);
    let first = env();
    first
        .run(&format!("extension install {}/my-org/greeting-extension:0.1.0", registry.host()))
        .ok();
    let second = copied(&first, &["greeting-extension"]);
    is_evil.store(true, Ordering::SeqCst);
    let run = second.run("extension sync").hiding_registry(&registry);
    assert!(run.code == 1 && run.text().contains("failed: "), "{run}");
    assert_eq!(second.run("extension call greeting-extension greet World").code, 9);
    is_evil.store(false, Ordering::SeqCst);
    second.run("extension sync").ok();
    second.run("extension call greeting-extension greet World").ok();
}

/// Publishes a list of extensions, as `oras push` does it.
fn publish_list(registry: &MemoryRegistry, tag: &str, text: &str) {
    publish_list_as(registry, "my-org/desktop-set", tag, text);
}

/// Publishes a list in another repository.
pub fn publish_list_as(registry: &MemoryRegistry, repository: &str, tag: &str, text: &str) {
    let (config, layer) = (registry.put_blob(b"{}"), registry.put_blob(text.as_bytes()));
    let manifest = format!(
        r#"{{"schemaVersion":2,"artifactType":"application/vnd.open-sesame.extension-list.v1+toml","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2}},"layers":[{{"mediaType":"application/vnd.open-sesame.extension-list.v1+toml","digest":"{layer}","size":{}}}]}}"#,
        text.len()
    );
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    registry.put_manifest(repository, tag, media_type, manifest.as_bytes());
}

/// Returns the reference of a version, pinned as a list has to pin it.
pub fn pinned(registry: &MemoryRegistry, tag: &str) -> String {
    let env = env();
    env.run(&format!("extension install {}/my-org/greeting-extension:{tag}", registry.host())).ok();
    let text = env.read(&manifest("greeting-extension"));
    text.split('"').find(|text| text.contains("@sha256:")).expect("pinned").to_owned()
}

/// A fleet follows one tag, with the grants that policy approved.
#[test]
fn fleet_follows_a_tag() {
    let (env, registry) = (env(), registry());
    publish(&registry, "my-org/greeting-extension:0.2.0", &asking(&GREETING, "# other\n"), &[]);
    let list = |tag: &str| {
        let asks = "{ config-read = true, notification = true, clipboard-write = true }";
        format!(
            "[greeter]\noci = \"{}\"\ncapabilities = {asks}\nlimits.max_memory_mib = 32\nconfig.greeting.template = \"Moin, {{}}!\"\n",
            pinned(&registry, tag)
        )
    };
    let sync = format!("extension sync {}/my-org/desktop-set:stable", registry.host());
    publish_list(&registry, "stable", &list("0.1.0"));
    let approve = format!(
        "[[extensions.policy.preapproved]]\nlist = \"{}/my-org/desktop-set\"\ngrants = [\"notification\"]\n",
        registry.host()
    );
    env.write(".config/pds/config.toml", approve);
    insta::assert_snapshot!(env.run(&format!("{sync} --check")).hiding_registry(&registry), @r#"
    exit 1
    out: greeter	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	to be installed	config-read: read its own settings, which you write in its manifest; would be asked, not decided yet; notification: show notifications, ten a minute at most; allowed, a policy approves it for this list; clipboard-write: replace the contents of your clipboard; it cannot read them; would be asked, not decided yet
    "#);
    insta::assert_snapshot!(env.run(&sync).hiding_registry(&registry), @r#"
    exit 0
    out: greeter	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	installed
    err: `greeter` is not granted clipboard-write: sesame extension grant greeter clipboard-write
    "#);
    insta::assert_snapshot!(env.read(&manifest("greeter")).replace(&registry.host(), "REGISTRY").replace(&pinned(&registry, "0.1.0").split(':').next_back().expect("hex").to_owned(), "DIGEST"), @r#"
    [extension]
    name = "greeter"
    version = "0.1.0"
    oci = "REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST"

    [limits]
    max_memory_mib = 32

    [config]
    "greeting.template" = "Moin, {}!"

    [capabilities]
    config-read = true
    notification = true
    "#);
    assert_eq!(env.run("extension call greeter greet World").ok().text(), "Moin, World!\n");
    env.run(&format!("{sync} --check")).ok();
    publish_list(&registry, "stable", &list("0.2.0"));
    insta::assert_snapshot!(env.run(&format!("{sync} --dry-run")).hiding_registry(&registry), @r#"
    exit 0
    out: greeter	REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST	to be updated	clipboard-write: replace the contents of your clipboard; it cannot read them; would be asked, not decided yet
    "#);
    insta::assert_snapshot!(env.run(&sync).hiding_registry(&registry), @r#"
    exit 0
    out: greeter	REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST	updated
    "#);
    assert_eq!(env.run("extension call greeter greet World").ok().text(), "Moin, World!\n");
    // A list alone cannot go back to a version with known faults.
    publish_list(&registry, "stable", &list("0.1.0"));
    let refused = env.run(&sync);
    assert!(
        refused.code == 1 && refused.text().contains("0.1.0 is older than the installed 0.2.0"),
        "{refused}"
    );
    env.run(&format!("{sync} --allow-downgrade")).ok();
    env.run("extension rollback greeter").ok();
}

/// A list grants nothing by itself and replaces no other extension.
#[test]
fn list_grants_nothing_by_itself() {
    let (env, registry) = (env(), registry());
    env.write("work/echo.wasm", &*ECHO);
    env.run("extension install ./echo.wasm").ok();
    let oci = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    let entry = |name: &str| {
        format!("[{name}]\noci = \"{oci}\"\ncapabilities = {{ notification = true }}\n")
    };
    env.write("work/list.toml", format!("{}{}", entry("echo"), entry("greeter")));
    insta::assert_snapshot!(env.run("extension sync ./list.toml --locked --dry-run").hiding_registry(&registry), @r#"
    exit 1
    out: echo	REGISTRY/my-org/greeting-extension:0.1.0	failed: `echo` is the name of an extension from `local/file/echo@sha256:DIGEST`, not from `REGISTRY/my-org/greeting-extension`
    out: greeter	REGISTRY/my-org/greeting-extension:0.1.0	failed: its manifest is not pinned to a digest
    "#);
    insta::assert_snapshot!(env.run("extension sync list.toml").hiding_registry(&registry), @r#"
    exit 1
    out: echo	REGISTRY/my-org/greeting-extension:0.1.0	failed: `echo` is the name of an extension from `local/file/echo@sha256:DIGEST`, not from `REGISTRY/my-org/greeting-extension`
    out: greeter	REGISTRY/my-org/greeting-extension:0.1.0	installed
    err: `greeter` is not granted notification: sesame extension grant greeter notification
    "#);
    assert!(!env.read(&manifest("greeter")).contains("notification"));
    env.write("work/wrong.toml", "[greeter]\noci = 1\n");
    insta::assert_snapshot!(env.run("extension sync ./wrong.toml"), @r#"
    exit 1
    err: error: the list `./wrong.toml` is wrong: line 2, column 7: expected a text, found `1`
    err:   |
    err: 2 | oci = 1
    err:   |       ^
    "#);
    // A list cannot use the grants that were planned for a name.
    env.write(&manifest("planned"), "[capabilities]\nnotification = true\n");
    env.write("work/planned.toml", entry("planned"));
    let refused = env.run("extension sync planned.toml");
    assert!(refused.code == 1 && refused.text().contains("its manifest has no `oci`"), "{refused}");
    // A published list has to pin each extension, and has to be a list.
    publish_list(&registry, "loose", &entry("greeter"));
    let run = |tag: &str| {
        env.run(&format!("extension sync {}/my-org/{tag}", registry.host()))
            .hiding_registry(&registry)
    };
    insta::assert_snapshot!(run("desktop-set:loose"), @r#"
    exit 1
    err: error: the list `REGISTRY/my-org/desktop-set:loose` is wrong: line 2, column 7: `greeter` is not pinned to a digest, as a published list has to
    err:   |
    err: 2 | oci = "REGISTRY/my-org/greeting-extension:0.1.0"
    err:   |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
    insta::assert_snapshot!(run("greeting-extension:0.1.0"), @r#"
    exit 6
    err: error: the image manifest cannot be understood: not a list of extensions but `application/vnd.wasm.config.v0+json` with the layers `application/wasm`
    "#);
    assert_eq!(run("desktop-set:missing").code, 3);
}

#[test]
fn uncompilable_stops_no_other() {
    let (first, registry) = (env(), registry());
    for (name, binary) in [("echo", &*ECHO), ("greeter", &*GREETING)] {
        publish(&registry, &format!("my-org/{name}:1.0.0"), binary, &[]);
        first.run(&format!("extension install {}/my-org/{name}:1.0.0", registry.host())).ok();
    }
    let second = copied(&first, &["echo", "greeter"]);
    publish(&registry, "my-org/bomb:1.0.0", b"\0asm\x0d\0\x01\0nonsense", &[]);
    let oci = format!("{}/my-org/bomb:1.0.0", registry.host());
    second.write(&manifest("bomb"), format!("[extension]\noci = \"{oci}\"\n"));
    let run = second.run("extension sync").hiding_registry(&registry);
    assert!(
        run.code == 1
            && run.text().lines().next().expect("a line").contains("failed: cannot compile"),
        "{run}"
    );
    assert_eq!(run.text().matches("\tfetched\n").count(), 2, "{run}");
    second.run("extension call greeter greet World").ok();
    assert!(!second.read(&manifest("bomb")).contains("sha256"), "nothing was changed");
}
