//! `sesame extension update`

use extension_depot::serve::MemoryRegistry;

use crate::support::{
    ECHO, GREETING, HOSTILE, TestEnv, asking, bare, env, manifest, publish, registry,
};

fn installed(registry: &MemoryRegistry) -> TestEnv {
    let env = env();
    env.run(&format!("extension install {}/my-org/greeting-extension:0.1.0", registry.host())).ok();
    env
}

#[test]
fn update_replaces_the_version() {
    let registry = registry();
    let env = installed(&registry);
    publish(&registry, "my-org/greeting-extension:0.2.0", &asking(&GREETING, "# new\n"), &[]);
    let text = env.read(&manifest("greeting-extension"));
    env.write(
        &manifest("greeting-extension"),
        format!("# mine\n{text}\n[limits]\nmax_fuel = 5_000_000 # enough\n"),
    );
    let before = env.files();
    insta::assert_snapshot!(env.run("extension update greeting-extension --dry-run").hiding_registry(&registry), @r#"
    exit 0
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST	would be updated: there is a newer one
    "#);
    let outside_the_cache = |files: Vec<(std::path::PathBuf, Vec<u8>)>| -> Vec<_> {
        files.into_iter().filter(|(path, _)| !path.starts_with(env.path(".cache"))).collect()
    };
    assert!(outside_the_cache(env.files()) == outside_the_cache(before), "nothing changes");
    insta::assert_snapshot!(env.run("extension update greeting-extension").hiding_registry(&registry), @r#"
    exit 0
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST	updated
    "#);
    let text = env.read(&manifest("greeting-extension"));
    assert!(
        text.starts_with("# mine\n")
            && text.contains("version = \"0.2.0\"")
            && text.contains("# enough"),
        "{text}"
    );
    assert_eq!(
        env.run("extension call greeting-extension greet World").ok().text(),
        "Hello, World!\n"
    );
    insta::assert_snapshot!(env.run("extension update --all").hiding_registry(&registry), @r#"
    exit 0
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST		the newest
    "#);
    env.run("extension verify").ok();
}

#[test]
fn running_call_keeps_its_code() {
    let (env, registry) = (env(), registry());
    publish(&registry, "my-org/hostile:0.1.0", &HOSTILE, &[]);
    env.run(&format!("extension install {}/my-org/hostile:0.1.0", registry.host())).ok();
    publish(&registry, "my-org/hostile:0.2.0", &GREETING, &[]);
    let mut running =
        env.command(["extension", "call", "hostile", "sleep", "3000"]).spawn().expect("it starts");
    std::thread::sleep(std::time::Duration::from_secs(1));
    env.run("extension update hostile --accept-new-capabilities").ok();
    env.run("extension gc --keep 1").ok();
    assert!(
        env.run("extension call hostile sleep 1").code == 3,
        "the new version has no such function"
    );
    let is_over = running.try_wait().expect("asked").is_some();
    assert!(
        running.wait().expect("it ends").success() && !is_over,
        "the old one was still there to end well"
    );
}

/// One addition to each capability.
const MORE: [&str; 12] = [
    "config-read = true",
    "secret-read = [\"token\"]",
    "secret-write = [\"token\"]",
    "notification = true",
    "clipboard-write = true",
    "ipc-publish = [\"greeting.*\"]",
    "network = [\"api.example.com\"]",
    "env = [\"LANG\"]",
    "exec-env = [\"FOO\"]",
    "filesystem = { read = [\"/usr/share\"] }",
    "filesystem = { write = [\"/var/tmp\"] }",
    "experimental = [\"wasi-0.3\"]",
];

/// An update grants nothing new, of any kind of capability.
#[test]
#[expect(clippy::print_stdout, reason = "counted by cargo xtask security-tests")]
fn update_grants_nothing_new() {
    for more in MORE {
        let registry = MemoryRegistry::start().expect("a registry");
        publish(&registry, "my-org/x:0.1.0", &bare(1, ""), &[]);
        let env = env();
        env.run(&format!("extension install {}/my-org/x:0.1.0", registry.host())).ok();
        publish(&registry, "my-org/x:0.2.0", &bare(2, &format!("[capabilities]\n{more}\n")), &[]);
        let run = env.run("extension update x");
        assert_eq!(run.code, 5, "{more}: {run}");
        assert_eq!(env.run("extension call x f").ok().text(), "1\n", "{more}");
    }
    println!("cases: {}", MORE.len());
}

/// A version with further requests leaves the old one in place until they are decided.
#[test]
fn update_with_requests_keeps_old() {
    let registry = registry();
    let env = installed(&registry);
    let asks = "[capabilities]\nnetwork = [\"api.example.com\"]\n";
    publish(&registry, "my-org/greeting-extension:0.2.0", &asking(&GREETING, asks), &[]);
    let before = env.read(&manifest("greeting-extension"));
    let planned = env.run("extension update greeting-extension --dry-run").ok().text();
    let said = "there is a newer one; it asks for network=api.example.com\tnetwork=api.example.com: \
                send anything that it knows to this host, and read what the host answers; \
                would be asked, not decided yet\n";
    assert!(planned.ends_with(said), "{planned}");
    insta::assert_snapshot!(env.run("extension update greeting-extension").hiding_registry(&registry), @r#"
    exit 5
    err: error: `greeting-extension` 0.2.0 requests more than the installed version, which stays
    err: it asks for network=api.example.com
    err: hint: sesame extension update greeting-extension --accept-new-capabilities
    "#);
    assert_eq!(env.read(&manifest("greeting-extension")), before);
    assert_eq!(
        env.run("extension call greeting-extension greet World").ok().text(),
        "Hello, World!\n"
    );
    let accepted = env.run("extension update greeting-extension --accept-new-capabilities");
    insta::assert_snapshot!(accepted.hiding_registry(&registry), @r#"
    exit 0
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST	updated; granted: network=api.example.com
    "#);
    let text = env.read(&manifest("greeting-extension"));
    assert!(text.contains("network = [\"api.example.com\"]") && text.contains("0.2.0"), "{text}");
    // A request that was denied once is not repeated by the next version.
    env.run("extension revoke greeting-extension network").ok();
    publish(
        &registry,
        "my-org/greeting-extension:0.3.0",
        &asking(&GREETING, &format!("{asks}# more\n")),
        &[],
    );
    env.run("extension update greeting-extension").ok();
    assert!(!env.read(&manifest("greeting-extension")).contains("network"));
}

/// Another guest path is not a further grant: the update reports it without a question.
#[test]
fn update_shows_new_guest_path() {
    let registry = registry();
    let env = installed(&registry);
    std::fs::create_dir_all(env.path("notes")).expect("made");
    env.run("extension grant greeting-extension filesystem=read:~/notes::/notes").ok();
    let asks =
        "[capabilities]\nfilesystem = { read = [{ path = \"~/notes\", guest = \"/data\" }] }\n";
    publish(&registry, "my-org/greeting-extension:0.2.0", &asking(&GREETING, asks), &[]);
    let planned = env.run("extension update greeting-extension --dry-run").ok().text();
    assert!(
        planned
            .ends_with("the same directory under another path: filesystem=read:~/notes::/data\n"),
        "{planned}"
    );
    let updated = env.run("extension update greeting-extension").ok().text();
    assert!(
        updated
            .ends_with("the same directory under another path: filesystem=read:~/notes::/data\n"),
        "{updated}"
    );
    let text = env.read(&manifest("greeting-extension"));
    assert!(text.contains("{ path = \"~/notes\", guest = \"/data\" }"), "{text}");
    let more =
        "[capabilities]\nfilesystem = { write = [{ path = \"~/notes\", guest = \"/data\" }] }\n";
    publish(&registry, "my-org/greeting-extension:0.3.0", &asking(&GREETING, more), &[]);
    let refused = env.run("extension update greeting-extension");
    assert!(
        refused.code == 5 && refused.stderr.contains("filesystem=write:~/notes::/data"),
        "{refused}"
    );
}

/// The tag of a version stays; another tag is followed, unless it is locked.
#[test]
fn update_follows_moving_tags_only() {
    let (env, registry) = (env(), registry());
    publish(&registry, "my-org/follow:stable", &GREETING, &[]);
    for reference in ["my-org/greeting-extension:0.1.0", "my-org/follow:stable"] {
        env.run(&format!("extension install {}/{reference}", registry.host())).ok();
        publish(&registry, reference, &asking(&GREETING, "# other\n"), &[]);
    }
    let asked = registry.seen().len();
    insta::assert_snapshot!(env.run("extension update greeting-extension").hiding_registry(&registry), @r#"
    exit 0
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST		the newest
    "#);
    assert_eq!(
        registry.seen().len() - asked,
        1,
        "nothing new costs one request: {:?}",
        registry.seen()
    );
    insta::assert_snapshot!(env.run("extension update follow --locked").hiding_registry(&registry), @r#"
    exit 6
    err: error: the tag `stable` of `follow` has moved
    err: hint: install the new digest without `--locked`: sesame extension update follow
    "#);
    insta::assert_snapshot!(env.run("extension update follow --dry-run").hiding_registry(&registry), @r#"
    exit 0
    out: follow	REGISTRY/my-org/follow:stable@sha256:DIGEST	REGISTRY/my-org/follow:stable@sha256:DIGEST	would be updated: the tag has moved
    "#);
    env.run("extension update follow").ok();
    let asked = registry.seen().len();
    insta::assert_snapshot!(env.run("extension update --all").hiding_registry(&registry), @r#"
    exit 0
    out: follow	REGISTRY/my-org/follow:stable@sha256:DIGEST		the tag is not a version
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST		the newest
    "#);
    assert_eq!(registry.seen().len() - asked, 2, "one request for each");
}

#[test]
fn unstartable_update_keeps_old() {
    let registry = registry();
    let env = installed(&registry);
    let unknown = wat::parse_str(
        "(component (import \"acme:db/store@1.0.0\" (instance (export \"f\" (func)))))",
    );
    publish(&registry, "my-org/greeting-extension:9.0.0", &unknown.expect("valid"), &[]);
    let before = env.read(&manifest("greeting-extension"));
    let refused = env.run("extension update greeting-extension");
    assert!(refused.code == 5 && refused.stderr.contains("acme:db/store@1.0.0"), "{refused}");
    assert_eq!(env.read(&manifest("greeting-extension")), before);
    assert_eq!(
        env.run("extension call greeting-extension greet World").ok().text(),
        "Hello, World!\n"
    );
    assert_eq!(env.run("extension update").code, 2);
}

#[test]
fn pinned_extension_stays() {
    let registry = registry();
    let env = installed(&registry);
    publish(&registry, "my-org/greeting-extension:0.2.0", &ECHO, &[]);
    insta::assert_snapshot!(env.run("extension pin greeting-extension"), @r#"
    exit 0
    out: `greeting-extension` stays at its version
    "#);
    let asked = registry.seen().len();
    insta::assert_snapshot!(env.run("extension update --all").hiding_registry(&registry), @r#"
    exit 0
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST		pinned
    "#);
    assert_eq!(registry.seen().len(), asked, "nobody is asked");
    insta::assert_snapshot!(env.run("extension pin greeting-extension"), @r#"
    exit 0
    out: already: `greeting-extension` stays at its version
    "#);
    insta::assert_snapshot!(env.run("extension unpin greeting-extension"), @r#"
    exit 0
    out: `greeting-extension` can be updated
    "#);
    let updated = env.run("extension update --all").ok().text();
    assert!(updated.ends_with("updated\n"), "{updated}");
}

/// A release is held back by the time since this machine first saw it.
#[test]
fn young_release_is_held_back() {
    let registry = registry();
    let env = installed(&registry);
    env.write(".config/pds/config.toml", "[extensions.policy]\nmin_release_age = \"6s\"\n");
    publish(&registry, "my-org/greeting-extension:0.2.0", &asking(&GREETING, "# new\n"), &[]);
    insta::assert_snapshot!(env.run("extension update greeting-extension").hiding_registry(&registry), @r#"
    exit 0
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST		there is a newer one, too new for `min_release_age`
    "#);
    insta::assert_snapshot!(env.run("extension outdated").hiding_registry(&registry), @r#"
    exit 0
    out: greeting-extension	0.1.0	0.1.0	there is a newer one, too new for `min_release_age`
    "#);
    std::thread::sleep(std::time::Duration::from_millis(6_100));
    // A newer release that was never seen before does not hold back one that is old enough.
    publish(&registry, "my-org/greeting-extension:0.3.0", &ECHO, &[]);
    // Nor does the age of a tag count for other bytes behind it.
    publish(&registry, "my-org/greeting-extension:0.2.5", &ECHO, &[]);
    let updated = env.run("extension update greeting-extension").ok().text();
    assert!(updated.contains(":0.2.0@") && updated.ends_with("updated\n"), "{updated}");
    let forced =
        env.run("extension update greeting-extension --now --accept-new-capabilities").ok().text();
    assert!(forced.contains(":0.3.0@"), "{forced}");
}
