//! `sesame extension history`, `rollback` and `gc`

use extension_depot::serve::MemoryRegistry;

use crate::support::{GREETING, TestEnv, asking, env, manifest, publish, registry};

/// Makes two versions of the greeting extension. The second may also notify, and is installed.
fn two_versions() -> (TestEnv, MemoryRegistry) {
    let (env, registry) = (env(), registry());
    let asks = "[capabilities]\nnotification = true\n";
    publish(&registry, "my-org/greeting-extension:0.2.0", &asking(&GREETING, asks), &[]);
    env.run(&format!("extension install {}/my-org/greeting-extension:0.1.0", registry.host())).ok();
    env.run("extension update greeting-extension --accept-new-capabilities").ok();
    (env, registry)
}

fn history(env: &TestEnv, registry: &MemoryRegistry) -> String {
    env.run("extension history greeting-extension").ok().hiding_registry(registry).to_string()
}

/// Every change is a generation, and so is an edit by hand.
#[test]
fn each_change_is_a_generation() {
    let (env, registry) = two_versions();
    env.run("extension disable greeting-extension").ok();
    env.run("extension disable greeting-extension").ok();
    env.write(
        &manifest("greeting-extension"),
        format!("# mine\n{}", env.read(&manifest("greeting-extension"))),
    );
    env.run("extension enable greeting-extension").ok();
    insta::assert_snapshot!(history(&env, &registry), @r#"
    exit 0
    out: 5	TIME	enabled	0.2.0	REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST	unsigned	current
    out: 4	TIME	edited by hand	0.2.0	REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST	unsigned	
    out: 3	TIME	disabled	0.2.0	REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST	unsigned	
    out: 2	TIME	updated	0.2.0	REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST	unsigned	
    out: 1	TIME	installed	0.1.0	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	unsigned
    "#);
    let json = env.run("--json extension history greeting-extension").ok().text();
    assert!(
        json.contains("\"reason\":\"edited by hand\"") && json.contains("\"is_current\":true"),
        "{json}"
    );
    assert_eq!(env.run("extension history missing").code, 3);
}

/// A rollback needs no network and restores no grant that was revoked.
#[test]
fn rollback_is_offline() {
    let (env, registry) = two_versions();
    let first = env.read(&manifest("greeting-extension")).replace("notification = true\n", "");
    env.run("extension revoke greeting-extension notification").ok();
    insta::assert_snapshot!(env.run("--offline extension rollback greeting-extension").hiding_registry(&registry), @r#"
    exit 0
    out: rolled back greeting-extension to generation 1: 0.1.0 from REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST
    "#);
    let text = env.read(&manifest("greeting-extension"));
    assert!(text.contains(":0.1.0@sha256:") && text.contains("version = \"0.1.0\""), "{text}");
    assert_eq!(
        env.run("extension call greeting-extension greet World").ok().text(),
        "Hello, World!\n"
    );
    insta::assert_snapshot!(env.run("extension rollback greeting-extension 2").hiding_registry(&registry), @r#"
    exit 0
    out: rolled back greeting-extension to generation 2: 0.2.0 from REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST
    err: not granted: notification; allow it with: sesame extension grant greeting-extension notification
    "#);
    assert_eq!(env.read(&manifest("greeting-extension")), first);
    let accepted = env.run("extension rollback greeting-extension 2 --accept-new-capabilities");
    insta::assert_snapshot!(accepted.hiding_registry(&registry), @r#"
    exit 0
    out: rolled back greeting-extension to generation 2: 0.2.0 from REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST
    err: granted: notification
    "#);
    assert!(env.read(&manifest("greeting-extension")).contains("notification = true\n"));
    insta::assert_snapshot!(env.run("extension rollback greeting-extension 99"), @r#"
    exit 3
    err: error: `greeting-extension` has no generation 99
    err: hint: sesame extension history greeting-extension
    "#);
    insta::assert_snapshot!(history(&env, &registry), @r#"
    exit 0
    out: 6	TIME	rolled back to 2	0.2.0	REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST	unsigned	current
    out: 5	TIME	rolled back to 2	0.2.0	REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST	unsigned	
    out: 4	TIME	rolled back to 1	0.1.0	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	unsigned	
    out: 3	TIME	revoked	0.2.0	REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST	unsigned	
    out: 2	TIME	updated	0.2.0	REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST	unsigned	
    out: 1	TIME	installed	0.1.0	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	unsigned
    "#);
    env.run("extension verify").ok();
}

#[test]
fn broken_manifest_is_rolled_back() {
    let (env, registry) = two_versions();
    env.write(&manifest("greeting-extension"), "[extension");
    assert_eq!(env.run("extension call greeting-extension greet World").code, 9);
    env.run("extension rollback greeting-extension").ok();
    assert!(
        env.read(&manifest("greeting-extension")).contains(":0.2.0@"),
        "{}",
        history(&env, &registry)
    );
    env.run("extension call greeting-extension greet World").ok();
    assert!(
        history(&env, &registry).contains("3\tTIME\tedited by hand"),
        "what was broken is not lost"
    );
}

#[test]
fn gc_keeps_reachable_generations() {
    let (env, registry) = two_versions();
    for minor in 3..=5 {
        let binary = asking(&GREETING, &format!("# version {minor}\n"));
        publish(&registry, &format!("my-org/greeting-extension:0.{minor}.0"), &binary, &[]);
        env.run("extension update greeting-extension").ok();
    }
    env.run("extension call greeting-extension greet World").ok();
    let before = env.files();
    let planned = env.run("extension gc --keep 2 --dry-run").ok().stderr;
    assert!(env.files() == before, "nothing changes");
    let size = |text: &str| text.split_whitespace().rev().nth(1).map(str::to_owned);
    let collected = env.run("extension gc --keep 2").ok();
    assert_eq!(size(&collected.stderr), size(&planned));
    let row = "greeting-extension\t3\tremoved\n";
    assert!(collected.text().lines().count() == 3 && collected.text().contains(row), "{collected}");
    assert!(collected.stderr.contains("files of compiled code removed"), "{collected}");
    assert_eq!(env.run("extension history greeting-extension").ok().text().lines().count(), 2);
    assert_eq!(
        std::fs::read_dir(env.path(".config/pds/extensions/blobs/sha256")).expect("there").count(),
        6
    );
    assert_eq!(std::fs::read_dir(env.path(".cache/pds/extensions")).expect("there").count(), 5);
    env.run("extension verify").ok();
    let warm = env.run("-v extension call greeting-extension greet World").ok();
    assert!(!warm.stderr.contains("compiling"), "{warm}");
    env.run("extension rollback greeting-extension").ok();
    env.run("extension call greeting-extension greet World").ok();
    insta::assert_snapshot!(env.run("extension gc"), @r#"
    exit 0
    err: 0 blobs and 0 files of compiled code removed: 0 bytes
    "#);
}

/// A rollback to damaged bytes is refused and changes nothing.
#[test]
fn damaged_generation_is_refused() {
    let (env, _registry) = two_versions();
    let blobs = env.path(".config/pds/extensions/blobs/sha256");
    let current = env.read(&manifest("greeting-extension"));
    env.run("extension rollback greeting-extension").ok();
    let old = env.read(&manifest("greeting-extension"));
    env.run("extension rollback greeting-extension --accept-new-capabilities").ok();
    assert_eq!(env.read(&manifest("greeting-extension")), current);
    let digest = old.split("sha256:").nth(1).expect("pinned")[..64].to_owned();
    std::fs::write(blobs.join(digest), "{}").expect("damaged");
    insta::assert_snapshot!(env.run("extension rollback greeting-extension"), @r#"
    exit 9
    err: error: the bytes of generation 3 of `greeting-extension` are not there any more
    err: hint: see the generations: sesame extension history greeting-extension
    "#);
    assert_eq!(env.read(&manifest("greeting-extension")), current);
    env.run("extension call greeting-extension greet World").ok();
}

/// A file that a newer sesame wrote is neither read nor lost.
#[test]
fn newer_format_is_kept_unread() {
    let (env, _registry) = two_versions();
    let path = ".local/state/pds/extensions/history/greeting-extension/000002.json";
    let newer = env.read(path).replace("\"format_version\": 1", "\"format_version\": 7");
    env.write(path, &newer);
    insta::assert_snapshot!(env.run("extension history greeting-extension"), @r#"
    exit 9
    err: error: `~/.local/state/pds/extensions/history/greeting-extension/000002.json` was written by a newer sesame: its format is 7, and this one knows 1
    err: hint: use the newer sesame that wrote it
    "#);
    let before = env.read(&manifest("greeting-extension"));
    assert_eq!(env.run("extension disable greeting-extension").code, 9);
    assert_eq!((env.read(path), env.read(&manifest("greeting-extension"))), (newer, before));
    env.run("extension call greeting-extension greet World").ok();
}

#[test]
fn a_purge_leaves_nothing() {
    let (env, _registry) = two_versions();
    env.run("extension remove greeting-extension").ok();
    assert!(env.path(".local/state/pds/extensions/removed/greeting-extension.toml").exists());
    insta::assert_snapshot!(env.run("extension remove greeting-extension --purge"), @r#"
    exit 0
    out: removed greeting-extension: 0 bytes freed, nothing is kept
    "#);
    let named = |path: &std::path::Path| path.to_string_lossy().contains("greeting-extension");
    let left: Vec<_> = env.files().into_iter().filter(|(path, _)| named(path)).collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(env.run("extension remove greeting-extension --purge").code, 3);
}
