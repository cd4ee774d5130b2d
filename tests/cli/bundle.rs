//! `sesame extension export` and `import`

use std::process::Command;

use extension_depot::serve::MemoryRegistry;

use crate::support::{
    ECHO, GREETING, TestEnv, asking, env, manifest, oras, publish, registry, with_guest,
};

/// Makes a bundle of two extensions, of which one came from a file.
fn bundled() -> (TestEnv, MemoryRegistry) {
    let registry = registry();
    let env = with_guest("echo", &ECHO);
    env.run(&format!("extension install {}/my-org/greeting-extension:0.1.0", registry.host())).ok();
    env.run("extension export greeting-extension echo --output bundle.tar").ok();
    (env, registry)
}

/// Copies the bundle to another machine.
fn carried(from: &TestEnv) -> TestEnv {
    let to = env();
    to.write("work/bundle.tar", std::fs::read(from.path("work/bundle.tar")).expect("there"));
    to
}

/// An exported extension installs on another machine without a network.
#[test]
fn export_installs_without_network() {
    let (first, registry) = bundled();
    let before = std::fs::read(first.path("work/bundle.tar")).expect("there");
    first.run("extension export greeting-extension echo -o bundle.tar --force").ok();
    assert!(
        std::fs::read(first.path("work/bundle.tar")).expect("there") == before,
        "the same makes the same bytes"
    );
    // With its manifest it is the same extension, with the same secrets and updates.
    let second = carried(&first);
    second.write(&manifest("greeting-extension"), first.read(&manifest("greeting-extension")));
    insta::assert_snapshot!(second.run("--offline extension import bundle.tar").hiding_registry(&registry), @r#"
    exit 0
    out: installed greeting-extension 0.1.0 from REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST
    out: installed echo 0.0.0 from local/bundle/echo:0.0.0@sha256:DIGEST
    err: warning: `echo` has an identity of its own: a bundle cannot give it that of another machine's file
    err: signature: unsigned
    err: signature: unsigned
    "#);
    assert_eq!(
        second.run("extension call greeting-extension greet World").ok().text(),
        "Hello, World!\n"
    );
    assert_eq!(
        second.read(&manifest("greeting-extension")),
        first.read(&manifest("greeting-extension"))
    );
    insta::assert_snapshot!(second.run("extension import bundle.tar echo").hiding_registry(&registry), @r#"
    exit 0
    out: already installed: echo 0.0.0 from local/bundle/echo:0.0.0@sha256:DIGEST
    "#);
    insta::assert_snapshot!(second.run("extension import bundle.tar missing"), @r#"
    exit 3
    err: error: the bundle `bundle.tar` has no extension `missing`
    "#);
    // Its origin is confirmed, so a newer version there is found.
    publish(&registry, "my-org/greeting-extension:0.2.0", &asking(&GREETING, "# new\n"), &[]);
    assert!(
        second
            .run("extension outdated greeting-extension")
            .ok()
            .text()
            .contains("there is a newer one")
    );
    second.run("extension install oci:bundle.tar:greeting-extension --name other").ok();
    second.run("extension verify").ok();
    // Without the manifest, the origin in the bundle is only a claim.
    let third = carried(&first);
    insta::assert_snapshot!(third.run("--offline extension import bundle.tar").hiding_registry(&registry), @r#"
    exit 0
    out: installed greeting-extension 0.1.0 from local/bundle/greeting-extension:0.1.0@sha256:DIGEST
    out: installed echo 0.0.0 from local/bundle/echo:0.0.0@sha256:DIGEST
    err: warning: it is not confirmed that `greeting-extension` came from `REGISTRY/my-org/greeting-extension`: it has an identity of its own, without the secrets of that place, until this confirms it: sesame extension update greeting-extension
    err: warning: `echo` has an identity of its own: a bundle cannot give it that of another machine's file
    err: signature: unsigned
    err: granted: config-read (its own [config] only)
    err: signature: unsigned
    "#);
}

/// The origin that a bundle claims gives it neither the secrets nor the grants of another
/// extension.
#[test]
fn claimed_origin_grants_nothing() {
    let (first, registry) = bundled();
    let second = carried(&first);
    publish(&registry, "my-org/greeting-extension:0.2.0", &asking(&GREETING, "# other\n"), &[]);
    second
        .run(&format!("extension install {}/my-org/greeting-extension:0.2.0", registry.host()))
        .ok();
    let before = second.read(&manifest("greeting-extension"));
    insta::assert_snapshot!(second.run("extension import bundle.tar greeting-extension").hiding_registry(&registry), @r#"
    exit 6
    err: error: the bundle does not prove that `greeting-extension` came from `REGISTRY/my-org/greeting-extension`
    err: hint: install it from there: sesame extension install REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST
    "#);
    assert_eq!(second.read(&manifest("greeting-extension")), before);
    // Nor does it get the grants that were planned for the claimed origin.
    let planned = carried(&first);
    let oci = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    let text =
        format!("[extension]\noci = \"{oci}\"\n\n[capabilities]\nsecret-read = [\"token\"]\n");
    planned.write(&manifest("greeting-extension"), text);
    assert_eq!(planned.run("extension import bundle.tar greeting-extension").code, 6);
    let third = carried(&first);
    let policy = format!("[extensions.policy]\nallowed_registries = [\"{}\"]\n", registry.host());
    third.write(".config/pds/config.toml", policy);
    let refused = third.run("extension import bundle.tar greeting-extension");
    assert_eq!(refused.code, 6, "{refused}");
    // A manifest that pins these very bytes says that they are wanted.
    third.write(&manifest("greeting-extension"), first.read(&manifest("greeting-extension")));
    third.run("extension import bundle.tar greeting-extension").ok();
}

#[test]
fn damaged_bundle_installs_nothing() {
    let (first, _registry) = bundled();
    let bytes = std::fs::read(first.path("work/bundle.tar")).expect("there");
    let at =
        bytes.windows(8).position(|window| window == b"\0asm\x0d\0\x01\0").expect("a component");
    let mut flipped = bytes.clone();
    flipped[at + 5_000] ^= 1;
    for (name, damaged) in
        [("flipped", &flipped[..]), ("short", &bytes[..at]), ("empty", &[]), ("text", b"no bundle")]
    {
        let env = env();
        env.write("work/bundle.tar", damaged);
        let run = env.run("extension import bundle.tar greeting-extension");
        assert!(matches!(run.code, 1 | 6 | 9), "{name}: {run}");
        assert!(env.run("extension list").ok().text().is_empty(), "{name}");
    }
}

/// Other tools read a bundle as an OCI layout, and the signatures are in it.
#[test]
#[ignore = "needs oras, skopeo and docker-registry, from .ci/test-servers"]
fn bundle_is_a_layout_with_signatures() {
    let (env, registry) = bundled();
    let (host, work) = (registry.host(), env.path("work"));
    let oras = |arguments: &[&str]| oras(&work, arguments);
    env.write("work/note.txt", "a bill of materials");
    let reference = format!("{host}/my-org/greeting-extension:0.1.0");
    oras(&[
        "attach",
        "--plain-http",
        "--artifact-type",
        "text/plain",
        &reference,
        "note.txt:text/plain",
    ]);
    let digest = oras(&["resolve", "--plain-http", &reference]);
    let signature =
        format!("{host}/my-org/greeting-extension:{}.sig", digest.trim().replace(':', "-"));
    oras(&[
        "push",
        "--plain-http",
        &signature,
        "note.txt:application/vnd.dev.cosign.simplesigning.v1+json",
    ]);
    let inspected = TestEnv::new(env!("CARGO_BIN_EXE_sesame"))
        .run(&format!("extension inspect {reference}"))
        .ok()
        .text();
    assert!(inspected.contains("attached     text/plain\n"), "{inspected}");
    env.run("extension export greeting-extension -o bundle.tar --force").ok();
    assert!(
        oras(&["manifest", "fetch", "--oci-layout", "bundle.tar:greeting-extension"])
            .contains("application/wasm")
    );
    assert!(
        oras(&["discover", "--oci-layout", "bundle.tar:greeting-extension"]).contains("text/plain")
    );
    let tag = format!("bundle.tar:{}.sig", digest.trim().replace(':', "-"));
    assert!(oras(&["manifest", "fetch", "--oci-layout", &tag]).contains("simplesigning"));
    let skopeo = Command::new("skopeo")
        .args(["inspect", "--raw", "oci-archive:bundle.tar:greeting-extension"])
        .current_dir(&work)
        .output();
    let skopeo = skopeo.expect("skopeo runs");
    assert!(
        skopeo.status.success()
            && String::from_utf8_lossy(&skopeo.stdout).contains("application/wasm"),
        "{skopeo:?}"
    );
}

/// A file that is not a bundle may be one that its user keeps secret: none of its lines are shown.
#[test]
fn failed_import_shows_no_content() {
    let env = env();
    for text in ["password=hunter2\n".repeat(100), "hunter2".repeat(200), "hunter2\0".repeat(99)] {
        env.write("work/secrets.tar", text);
        for line in ["extension import secrets.tar", "--json extension import secrets.tar"] {
            let run = env.run(line);
            assert!(run.to_string().contains("cannot"), "{line}: {run}");
            assert!(run.code == 9 && !run.to_string().contains("hunter2"), "{line}: {run}");
        }
    }
}
