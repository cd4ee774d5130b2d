//! `sesame extension update`

use extension_depot::serve::MemoryRegistry;

use crate::support::{ECHO, GREETING, TestEnv, env, manifest, publish, registry};

/// The guest with a custom section in which its author asks for this.
fn asking(binary: &[u8], manifest: &str) -> Vec<u8> {
    let name = b"open-sesame:manifest";
    let mut section = vec![u8::try_from(name.len()).expect("short")];
    section.extend_from_slice(name);
    section.extend_from_slice(manifest.as_bytes());
    let mut bytes = binary.to_vec();
    // A custom section: its number, its size in LEB128, its contents.
    bytes.push(0);
    let mut size = section.len();
    while size >= 0x80 {
        bytes.push(u8::try_from(size & 0x7f).expect("seven bits") | 0x80);
        size >>= 7;
    }
    bytes.push(u8::try_from(size).expect("seven bits"));
    bytes.extend(section);
    bytes
}

fn installed(registry: &MemoryRegistry) -> TestEnv {
    let env = env();
    env.run(&format!("extension install {}/my-org/greeting-extension:0.1.0", registry.host())).ok();
    env
}

#[test]
fn a_newer_version_takes_the_place_of_the_old_one() {
    let registry = registry();
    let env = installed(&registry);
    publish(&registry, "my-org/greeting-extension:0.2.0", &asking(&GREETING, "# new\n"), &[]);
    let text = env.read(&manifest("greeting-extension"));
    env.write(&manifest("greeting-extension"), format!("# mine\n{text}\n[limits]\nmax_fuel = 5_000_000 # enough\n"));
    let before = env.files();
    insta::assert_snapshot!(env.run("extension update greeting-extension --dry-run").hiding_registry(&registry), @r#"
    exit 0
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:SHORT	REGISTRY/my-org/greeting-extension:0.2.0@sha256:SHORT	would be updated: there is a newer one
    "#);
    let outside_the_cache = |files: Vec<(std::path::PathBuf, Vec<u8>)>| -> Vec<_> {
        files.into_iter().filter(|(path, _)| !path.starts_with(env.path(".cache"))).collect()
    };
    assert!(outside_the_cache(env.files()) == outside_the_cache(before), "nothing changes");
    insta::assert_snapshot!(env.run("extension update greeting-extension").hiding_registry(&registry), @r#"
    exit 0
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:SHORT	REGISTRY/my-org/greeting-extension:0.2.0@sha256:SHORT	updated
    "#);
    let text = env.read(&manifest("greeting-extension"));
    assert!(
        text.starts_with("# mine\n") && text.contains("version = \"0.2.0\"") && text.contains("# enough"),
        "{text}"
    );
    assert_eq!(env.run("extension call greeting-extension greet World").ok().text(), "Hello, World!\n");
    insta::assert_snapshot!(env.run("extension update --all").hiding_registry(&registry), @r#"
    exit 0
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.2.0@sha256:SHORT		the newest
    "#);
    env.run("extension verify").ok();
}

#[test]
fn a_version_that_asks_for_more_leaves_the_old_one_in_place() {
    let registry = registry();
    let env = installed(&registry);
    let asks = "[capabilities]\nnetwork = [\"api.example.com\"]\n";
    publish(&registry, "my-org/greeting-extension:0.2.0", &asking(&GREETING, asks), &[]);
    let before = env.read(&manifest("greeting-extension"));
    let planned = env.run("extension update greeting-extension --dry-run").ok().text();
    assert!(planned.ends_with("there is a newer one; it asks for network=api.example.com\n"), "{planned}");
    insta::assert_snapshot!(env.run("extension update greeting-extension").hiding_registry(&registry), @r#"
    exit 5
    err: error: `greeting-extension` 0.2.0 asks for more than the installed version; that one stays
    err: it asks for network=api.example.com
    err: hint: sesame extension update greeting-extension --accept-new-capabilities
    "#);
    assert_eq!(env.read(&manifest("greeting-extension")), before);
    assert_eq!(env.run("extension call greeting-extension greet World").ok().text(), "Hello, World!\n");
    let accepted = env.run("extension update greeting-extension --accept-new-capabilities");
    insta::assert_snapshot!(accepted.hiding_registry(&registry), @r#"
    exit 0
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:SHORT	REGISTRY/my-org/greeting-extension:0.2.0@sha256:SHORT	updated; granted: network=api.example.com
    "#);
    let text = env.read(&manifest("greeting-extension"));
    assert!(text.contains("network = [\"api.example.com\"]") && text.contains("0.2.0"), "{text}");
    // What was asked for once and denied is not asked for again by the next version.
    env.run("extension revoke greeting-extension network").ok();
    publish(&registry, "my-org/greeting-extension:0.3.0", &asking(&GREETING, &format!("{asks}# more\n")), &[]);
    env.run("extension update greeting-extension").ok();
    assert!(!env.read(&manifest("greeting-extension")).contains("network"));
}

#[test]
fn a_tag_that_moved_is_followed_and_a_version_that_cannot_start_is_not() {
    let registry = registry();
    let env = installed(&registry);
    publish(&registry, "my-org/greeting-extension:0.1.0", &ECHO, &[]);
    let run = env.run("extension update greeting-extension --dry-run").hiding_registry(&registry);
    assert!(run.text().contains("would be updated: the tag has moved"), "{run}");
    let unknown = wat::parse_str("(component (import \"acme:db/store@1.0.0\" (instance (export \"f\" (func)))))");
    publish(&registry, "my-org/greeting-extension:9.0.0", &unknown.expect("valid"), &[]);
    let before = env.read(&manifest("greeting-extension"));
    let refused = env.run("extension update greeting-extension");
    assert!(refused.code == 5 && refused.stderr.contains("acme:db/store@1.0.0"), "{refused}");
    assert_eq!(env.read(&manifest("greeting-extension")), before);
    assert_eq!(env.run("extension call greeting-extension greet World").ok().text(), "Hello, World!\n");
    assert_eq!(env.run("extension update").code, 2);
}
