//! `sesame extension install`

use std::os::unix::fs::PermissionsExt;

use extension_depot::serve::MemoryRegistry;
use extension_host::{TextEncoding, embed_world};

use crate::support::{
    ECHO, GREETING, Run, TestEnv, asking, env, manifest, publish, registry, with_guest,
};

fn install(env: &TestEnv, registry: &MemoryRegistry, rest: &str) -> Run {
    env.run(&format!("extension install {}/{rest}", registry.host())).hiding_registry(registry)
}

/// An install names its grants; the same install again writes nothing.
#[test]
fn second_install_writes_nothing() {
    let (env, registry) = (env(), registry());
    insta::assert_snapshot!(install(&env, &registry, "my-org/greeting-extension:0.1.0"), @r#"
    exit 0
    out: installed greeting-extension 0.1.0 from REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST
    err: signature: unsigned
    err: granted: config-read (its own [config] only)
    "#);
    let before = env.files();
    insta::assert_snapshot!(install(&env, &registry, "my-org/greeting-extension:0.1.0"), @r#"
    exit 0
    out: already installed: greeting-extension 0.1.0 from REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST
    "#);
    assert_eq!(env.files(), before);
    assert_eq!(
        registry
            .seen()
            .iter()
            .filter(|seen| seen.path.contains("/blobs/sha256") && seen.method == "GET")
            .count(),
        2
    );
}

/// A plain registry has repositories with one path part; each command that takes a source accepts
/// them.
#[test]
fn one_part_repository_works() {
    let (env, registry) = (env(), registry());
    publish(&registry, "greeting:0.1.0", &GREETING, &[]);
    insta::assert_snapshot!(install(&env, &registry, "greeting"), @r#"
    exit 0
    out: installed greeting 0.1.0 from REGISTRY/greeting:0.1.0@sha256:DIGEST
    err: signature: unsigned
    err: granted: config-read (its own [config] only)
    "#);
    for line in [
        "call greeting greet World",
        "verify greeting",
        "outdated",
        "export greeting -o bundle.tar",
        "sync",
    ] {
        env.run(&format!("extension {line}")).ok();
    }
}

#[test]
fn files_are_private_for_any_umask() {
    let (env, registry) = (env(), registry());
    let reference = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    let mut command = std::process::Command::new("sh");
    command.args([
        "-c",
        "umask 000; exec \"$0\" extension install \"$1\"",
        env!("CARGO_BIN_EXE_sesame"),
        &reference,
    ]);
    command.env_clear().env("HOME", env.home());
    env.finish(command, b"").ok();
    for (path, _) in env.files() {
        let mode = |path: &std::path::Path| {
            std::fs::metadata(path).expect("there").permissions().mode() & 0o777
        };
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        assert_eq!(mode(path.parent().expect("above")), 0o700, "{}", path.display());
    }
}

/// A pinned reference installs the pinned bytes, wherever the tag points.
#[test]
fn pinned_reference_ignores_the_tag() {
    let (env, registry) = (env(), registry());
    install(&env, &registry, "my-org/greeting-extension:0.1.0").ok();
    let text = env.read(&manifest("greeting-extension"));
    let digest = text.split('@').nth(1).expect("pinned").split('"').next().expect("it").to_owned();
    publish(&registry, "my-org/greeting-extension:0.1.0", &ECHO, &[]);
    let second = self::env();
    install(&second, &registry, &format!("my-org/greeting-extension:0.1.0@{digest}")).ok();
    assert_eq!(second.read(&manifest("greeting-extension")), text);
}

/// A moved tag is refused until the new digest is named.
#[test]
fn moved_tag_needs_its_digest() {
    let (env, registry) = (env(), registry());
    install(&env, &registry, "my-org/greeting-extension:0.1.0").ok();
    let (before, before_text) = (env.files(), env.read(&manifest("greeting-extension")));
    publish(&registry, "my-org/greeting-extension:0.1.0", &ECHO, &[]);
    let refused = install(&env, &registry, "my-org/greeting-extension:0.1.0");
    insta::assert_snapshot!(refused, @r#"
    exit 6
    err: error: the tag `0.1.0` has moved since `greeting-extension` was installed
    err: installed: REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST
    err: found:     REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST
    err: hint: if the publisher announced the change, install the new digest: sesame extension install REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST
    "#);
    assert_eq!(env.files(), before);
    let again =
        env.run(&format!("extension install {}/my-org/greeting-extension:0.1.0", registry.host()));
    let command = again
        .stderr
        .split("install the new digest: sesame ")
        .nth(1)
        .expect("a command")
        .trim()
        .to_owned();
    env.run(&command).ok();
    assert_ne!(env.read(&manifest("greeting-extension")), before_text);
}

#[test]
fn invalid_reference_says_why() {
    let (env, registry) = (env(), registry());
    insta::assert_snapshot!(install(&env, &registry, "my-org/greeting-extension:9"), @r#"
    exit 3
    err: error: the registry does not have `REGISTRY/my-org/greeting-extension:9`
    err: the nearest tags are: 0.1.0
    err: hint: see all tags: sesame registry tags REGISTRY/my-org/greeting-extension
    "#);
    insta::assert_snapshot!(install(&env, &registry, "my-org/other:9"), @r#"
    exit 3
    err: error: the registry does not have `REGISTRY/my-org/other:9`
    err: caused by: the registry says: MANIFEST_UNKNOWN
    err: hint: check the spelling of the registry, repository and tag
    "#);
    insta::assert_snapshot!(install(&env, &registry, "my-org/greeting-extension:0.1.0@sha256:abcdef1234567890"), @r#"
    exit 6
    err: error: the reference cannot be pinned
    err: caused by: `sha256:abcdef1234567890` is not a whole digest: 64 lower-case hexadecimal digits must follow `sha256:`, not 16 characters of which 16 fit
    err: hint: give the whole digest, or none
    "#);
    insta::assert_snapshot!(env.run("extension install my-org/greeting-extension"), @r#"
    exit 2
    err: error: invalid value 'my-org/greeting-extension' for '<SOURCE>': the registry is missing, as in `ghcr.io/my-org/greeting-extension`; the path of a file begins with `./`
    err: 
    err: For more information, try '--help'.
    "#);
    insta::assert_snapshot!(env.run("extension install ./missing.wasm"), @r#"
    exit 3
    err: error: cannot read `./missing.wasm`
    err: caused by: No such file or directory (os error 2)
    "#);
    insta::assert_snapshot!(env.run("extension install oci:missing:1"), @r#"
    exit 3
    err: error: cannot read `missing`
    err: caused by: No such file or directory (os error 2)
    "#);
    insta::assert_snapshot!(env.run("--offline extension install ghcr.io/my-org/x:1"), @r#"
    exit 8
    err: error: cannot contact ghcr.io in offline mode
    err: hint: leave out `--offline` and unset SESAME_OFFLINE
    "#);
    env.write("work/text.wasm", "hello");
    insta::assert_snapshot!(env.run("extension install ./text.wasm"), @r#"
    exit 1
    err: error: not an extension: it is something that begins with `hello`
    "#);
    env.write("work/é.wasm", &*GREETING);
    insta::assert_snapshot!(env.run("extension install ./é.wasm"), @r#"
    exit 2
    err: error: `é` is not an extension name: a name has 1 to 64 characters out of `a-z`, `0-9` and `-`, and starts with a letter or digit
    err: hint: choose a name: add `--name NAME` to `install`
    "#);
    env.write("work/broken.wasm", &GREETING[..GREETING.len() / 2]);
    let run = env.run("extension install ./broken.wasm");
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.starts_with("error: cannot compile the extension: "), "{run}");
    assert!(!env.path(".config/pds/extensions").join("broken.toml").exists());
}

#[test]
fn docker_image_is_named_as_such() {
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    let blob = registry.put_blob(b"x");
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{blob}","size":1}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{blob}","size":1}}]}}"#
    );
    registry.put_manifest(
        "library/debian",
        "12",
        "application/vnd.oci.image.manifest.v1+json",
        manifest.as_bytes(),
    );
    insta::assert_snapshot!(install(&env, &registry, "library/debian:12"), @r#"
    exit 1
    err: error: not an extension: it is a container image without WebAssembly (`application/vnd.oci.image.config.v1+json` with the layers `application/vnd.oci.image.layer.v1.tar+gzip`)
    "#);
}

/// A layer that is larger than an extension may be is told as that of a container image. The exit
/// code is that of all sizes beyond the caps.
#[test]
fn large_image_is_named_as_such() {
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    let blob = registry.put_blob(b"x");
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"{blob}","size":1}},"layers":[{{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","digest":"{blob}","size":70000000}}]}}"#
    );
    registry.put_manifest(
        "library/fedora",
        "42",
        "application/vnd.docker.distribution.manifest.v2+json",
        manifest.as_bytes(),
    );
    let run = install(&env, &registry, "library/fedora:42");
    insta::assert_snapshot!(run, @r#"
    exit 6
    err: error: too large for an extension: a container image whose layer sha256:DIGEST has 70000000 bytes, where the limit is 67108864; an extension is an image with one WebAssembly file: `FROM scratch` and one `COPY`
    "#);
    let inspect = env
        .run(&format!("extension inspect {}/library/fedora:42", registry.host()))
        .hiding_registry(&registry);
    assert_eq!((inspect.code, inspect.stderr), (run.code, run.stderr));
}

#[test]
fn unknown_import_fails_install() {
    let env = env();
    let component = wat::parse_str(
        r#"(component (import "open-sesame:host/teleport@0.1.0" (instance (export "go" (func)))))"#,
    );
    env.write("work/future.wasm", component.expect("valid"));
    insta::assert_snapshot!(env.run("extension install ./future.wasm"), @r#"
    exit 5
    err: error: the imports of `future` are not satisfied
    err: `open-sesame:host/teleport@0.1.0` is not provided by sesame; the nearest that it has is `open-sesame:host/log@0.1.1`
    err: hint: ask its author for a build with the interfaces of this sesame
    "#);
    assert!(!env.path(&manifest("future")).exists());
}

/// Without a person to ask, the requests of an author stay denied.
#[test]
fn requests_stay_denied_unasked() {
    let env = env();
    let asks = "[capabilities]\nconfig-read = true\nnotification = true\nnetwork = [\"api.example.com\"]\n";
    env.write("work/asks.wasm", asking(&GREETING, asks));
    insta::assert_snapshot!(env.run("extension install ./asks.wasm"), @r#"
    exit 0
    out: installed asks 0.0.0 from local/file/asks:0.0.0@sha256:DIGEST
    err: signature: unsigned
    err: granted: config-read (its own [config] only)
    err: not granted: notification; allow it with: sesame extension grant asks notification
    err: not granted: network; allow it with: sesame extension grant asks network=api.example.com
    "#);
    assert!(env.read(&manifest("asks")).ends_with("[capabilities]\nconfig-read = true\n"));
    env.run("extension remove asks").ok();
    let inspected = env.run("extension inspect ./asks.wasm").ok().text();
    let asked = "network=api.example.com: send anything that it knows to this host, and read what \
                 the host answers; would be asked, not decided yet";
    assert!(inspected.contains(asked), "{inspected}");
    env.run("extension install ./asks.wasm --grant notification").ok();
    assert!(
        env.read(&manifest("asks"))
            .ends_with("[capabilities]\nconfig-read = true\nnotification = true\n")
    );
    env.run("extension remove asks").ok();
    env.run("extension install ./asks.wasm --grant-requested").ok();
    assert!(env.read(&manifest("asks")).contains("network = [\"api.example.com\"]\n"));
    env.write("work/nonsense.wasm", asking(&GREETING, "[capabilities]\nnotification = 1"));
    insta::assert_snapshot!(env.run("extension install ./nonsense.wasm"), @r#"
    exit 1
    err: error: the custom section `open-sesame:manifest` is not a manifest: line 2, column 16: expected `true` or `false`, found `1`
    err:   |
    err: 2 | notification = 1
    err:   |                ^
    "#);
}

#[test]
fn each_request_is_asked_once() {
    let env = env();
    let asks = "[capabilities]\nnotification = true\nclipboard-write = true\n\
                network = [{ host = \"api.example.com\", optional = true }]\n";
    env.write("work/asks.wasm", asking(&GREETING, asks));
    let mut command = env.on_terminal("extension install ./asks.wasm");
    env.make_runtime_directory();
    command.env("XDG_RUNTIME_DIR", env.path("run"));
    let run = crate::support::answering(&env, command, "[N]o:", &["c\n", "a\n", "s\n", "n\n"]).ok();
    let text = run.text();
    let question =
        "`asks` asks for notification: it could show notifications, ten a minute at most.";
    assert!(
        text.contains(question) && text.contains("Allow it? [a]lways, for this [s]ession, [N]o:"),
        "{text}"
    );
    assert!(
        text.contains("`asks` asks for network=api.example.com: it could send anything"),
        "{text}"
    );
    assert!(
        text.contains("granted: notification") && text.contains("not granted: network"),
        "{text}"
    );
    assert!(text.contains("granted for this session: clipboard-write"), "{text}");
    assert!(!env.read(&manifest("asks")).contains("clipboard"));
    assert!(env.read("run/pds/grants/asks.toml").contains("what = \"clipboard-write\""));
    assert!(!env.read(&manifest("asks")).contains("network"));
}

/// A manifest that exists before the install is kept, with its comments and limits.
#[test]
fn existing_manifest_is_kept() {
    let (env, registry) = (env(), registry());
    let text = "# mine\n[capabilities]\n# nothing yet\n\n[limits]\nmax_fuel = 1_000 # little\nmax_fule = 2\n";
    env.write(&manifest("greeting-extension"), text);
    insta::assert_snapshot!(install(&env, &registry, "my-org/greeting-extension:0.1.0"), @r#"
    exit 0
    out: installed greeting-extension 0.1.0 from REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST
    err: warning: `~/.config/pds/extensions/greeting-extension.toml`, line 7: unknown key `limits.max_fule` does nothing; the nearest is `max_fuel`
    err: signature: unsigned
    err: not granted: config-read; allow it with: sesame extension grant greeting-extension config-read
    "#);
    assert!(env.read(&manifest("greeting-extension")).starts_with(text));
    insta::assert_snapshot!(env.run("extension call greeting-extension greet World"), @r#"
    exit 5
    err: warning: `~/.config/pds/extensions/greeting-extension.toml`, line 7: unknown key `limits.max_fule` does nothing; the nearest is `max_fuel`
    err: error: the imports of `greeting-extension` are not satisfied
    err: `open-sesame:host/config-read@0.1.1` needs the capability `config-read`, which is not granted
    err: hint: sesame extension grant greeting-extension config-read
    "#);
    env.run("extension grant greeting-extension config-read").ok();
    insta::assert_snapshot!(env.run("-q extension call greeting-extension greet World"), @r#"
    exit 7
    err: error: the extension went over its limit of fuel: 1,000 (set in the manifest)
    err: hint: raise `max_fuel` under [limits] in `~/.config/pds/extensions/greeting-extension.toml`
    "#);
}

/// A name stays with its source; `--name` chooses another.
#[test]
fn name_stays_with_its_source() {
    let (env, registry) = (env(), registry());
    publish(&registry, "evil-org/greeting-extension:0.1.0", &ECHO, &[]);
    install(&env, &registry, "my-org/greeting-extension:0.1.0").ok();
    insta::assert_snapshot!(install(&env, &registry, "evil-org/greeting-extension:0.1.0"), @r#"
    exit 5
    err: error: `greeting-extension` is the name of an extension from `REGISTRY/my-org/greeting-extension`, not from `REGISTRY/evil-org/greeting-extension`
    err: hint: install it beside the other: add `--name NAME`
    "#);
    install(&env, &registry, "evil-org/greeting-extension:0.1.0 --name other").ok();
    assert_eq!(
        env.run("extension call greeting-extension greet World").ok().text(),
        "Hello, World!\n"
    );
    assert_eq!(env.run("extension call other sum [1,2]").ok().text(), "3\n");
}

#[test]
fn publisher_text_stays_data() {
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    let evil = [
        ("org.opencontainers.image.version", "1\"\n[capabilities]\nsecret-read = [\"*\"]\n#"),
        ("org.opencontainers.image.description", "a\u{1b}[2Jb"),
    ];
    publish(&registry, "my-org/evil:2", &GREETING, &evil);
    install(&env, &registry, "my-org/evil:2").ok();
    let text = env.read(&manifest("evil"));
    assert!(
        text.contains("version = \"2\"\n")
            && !text.contains("secret")
            && !text.contains("description"),
        "{text}"
    );
}

#[test]
fn depot_is_an_installable_layout() {
    let first = with_guest("echo", &ECHO);
    let second = env();
    let layout = first.path(".config/pds/extensions");
    second.run(&format!("extension install oci:{}:echo --name echo", layout.display())).ok();
    assert_eq!(second.run("extension call echo sum [1,2]").ok().text(), "3\n");
}

#[test]
fn policy_limits_sources() {
    let (env, registry) = (env(), registry());
    let policy =
        |text: &str| env.write(".config/pds/config.toml", format!("[extensions.policy]\n{text}\n"));
    policy("allowed_registries = [\"ghcr.io/my-org\"]");
    insta::assert_snapshot!(install(&env, &registry, "my-org/greeting-extension:0.1.0"), @r#"
    exit 5
    err: error: policy does not let extensions come from `REGISTRY/my-org/greeting-extension`: it is none of the places in `allowed_registries`
    err: hint: the policy is `~/.config/pds/config.toml`
    "#);
    let is_document = |method: &str, path: &str| method == "GET" && path.contains("manifests");
    let documents =
        || registry.seen().iter().filter(|seen| is_document(&seen.method, &seen.path)).count();
    assert_eq!(documents(), 2, "whoever published it looked whether it is there, before and after");
    policy(&format!("blocked_namespaces = [\"{}/my-org\"]", registry.host()));
    insta::assert_snapshot!(install(&env, &registry, "my-org/greeting-extension:0.1.0"), @r#"
    exit 5
    err: error: policy does not let extensions come from `REGISTRY/my-org/greeting-extension`: `blocked_namespaces` names `REGISTRY/my-org`
    err: hint: the policy is `~/.config/pds/config.toml`
    "#);
    policy("require_signature = true");
    insta::assert_snapshot!(install(&env, &registry, "my-org/greeting-extension:0.1.0"), @r#"
    exit 6
    err: error: `REGISTRY/my-org/greeting-extension` has to be signed by a trusted signer (`require_signature` in `~/.config/pds/config.toml`), and it is: unsigned
    err: hint: if you have the publisher's key: sesame trust add KEY.pub --for REGISTRY/my-org/greeting-extension; then, if it is installed: sesame extension verify greeting-extension
    "#);
    assert!(env.run("extension list").ok().text().is_empty(), "nothing was installed");
}

/// A tightened policy holds at once for installed extensions.
#[test]
fn tightened_policy_holds_at_once() {
    let (env, registry) = (env(), registry());
    install(&env, &registry, "my-org/greeting-extension:0.1.0").ok();
    let policy =
        |text: &str| env.write(".config/pds/config.toml", format!("[extensions.policy]\n{text}\n"));
    for (text, code) in [
        ("allowed_registries = []".to_owned(), 5),
        (format!("blocked_namespaces = [\"{}\"]", registry.host()), 5),
        ("require_signature = true".to_owned(), 6),
        (
            format!(
                "[extensions.policy.trusted_signers]\n\"{}/my-org\" = [\"k.pub\"]",
                registry.host()
            ),
            6,
        ),
    ] {
        policy(&text);
        let run = env.run("extension call greeting-extension greet World");
        assert!(run.code == code, "call under {text}: {run}");
        let why = if code == 5 { "policy does not let" } else { "has to be signed by" };
        assert!(run.stderr.contains(why), "{text}: {run}");
        let updated = env.run("extension update greeting-extension");
        assert_eq!(
            updated.code,
            if code == 5 { 5 } else { 0 },
            "nothing is newer, {text}: {updated}"
        );
        env.run("extension list").ok();
    }
    policy("");
    env.run("extension call greeting-extension greet World").ok();
}

#[test]
fn upgrade_and_downgrade_are_named() {
    let (env, registry) = (env(), registry());
    for tag in ["0.2.0", "stable"] {
        publish(
            &registry,
            &format!("my-org/greeting-extension:{tag}"),
            &asking(&GREETING, "# other\n"),
            &[],
        );
    }
    install(&env, &registry, "my-org/greeting-extension:0.1.0").ok();
    insta::assert_snapshot!(install(&env, &registry, "my-org/greeting-extension:0.2.0"), @r#"
    exit 0
    out: installed greeting-extension 0.2.0 from REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST
    err: signature: unsigned
    err: an upgrade: it replaces REGISTRY/my-org/greeting-extension:0.1.0@sha256:SHORT
    "#);
    insta::assert_snapshot!(install(&env, &registry, "my-org/greeting-extension:0.1.0"), @r#"
    exit 6
    err: error: 0.1.0 is older than the installed 0.2.0 of `greeting-extension`
    err: hint: to do it anyway, add `--allow-downgrade`, or: sesame extension rollback greeting-extension
    "#);
    publish(
        &registry,
        "my-org/greeting-extension:v0.2.0",
        &asking(&GREETING, "# in another spelling\n"),
        &[],
    );
    insta::assert_snapshot!(install(&env, &registry, "my-org/greeting-extension:v0.2.0"), @r#"
    exit 6
    err: error: the tag `0.2.0` has moved since `greeting-extension` was installed
    err: installed: REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST
    err: found:     REGISTRY/my-org/greeting-extension:v0.2.0@sha256:DIGEST
    err: hint: if the publisher announced the change, install the new digest: sesame extension install REGISTRY/my-org/greeting-extension:v0.2.0@sha256:DIGEST
    "#);
    publish(
        &registry,
        "my-org/greeting-extension:0.2.0-rc.1",
        &asking(&GREETING, "# before it was done\n"),
        &[],
    );
    insta::assert_snapshot!(install(&env, &registry, "my-org/greeting-extension:0.2.0-rc.1"), @r#"
    exit 6
    err: error: 0.2.0-rc.1 is older than the installed 0.2.0 of `greeting-extension`
    err: hint: to do it anyway, add `--allow-downgrade`, or: sesame extension rollback greeting-extension
    "#);
    let json = env.run(&format!(
        "--json extension install {}/my-org/greeting-extension:stable",
        registry.host()
    ));
    assert!(json.ok().text().contains("\"direction\":\"other\""));
}

/// Without a tag, the newest version is installed, and never `latest`.
#[test]
fn bare_repository_means_newest() {
    let (env, registry) = (env(), registry());
    for tag in ["0.9.0", "0.10.0", "1.0.0-rc.1", "latest"] {
        publish(&registry, &format!("my-org/greeting-extension:{tag}"), &GREETING, &[]);
    }
    publish(&registry, "my-org/unversioned:latest", &GREETING, &[]);
    insta::assert_snapshot!(install(&env, &registry, "my-org/greeting-extension"), @r#"
    exit 0
    out: installed greeting-extension 0.10.0 from REGISTRY/my-org/greeting-extension:0.10.0@sha256:DIGEST
    err: signature: unsigned
    err: granted: config-read (its own [config] only)
    "#);
    insta::assert_snapshot!(install(&env, &registry, "my-org/greeting-extension --name old --version <0.10"), @r#"
    exit 0
    out: installed old 0.9.0 from REGISTRY/my-org/greeting-extension:0.9.0@sha256:DIGEST
    err: signature: unsigned
    err: granted: config-read (its own [config] only)
    "#);
    insta::assert_snapshot!(install(&env, &registry, "my-org/greeting-extension --name new --version ^2"), @r#"
    exit 3
    err: error: `REGISTRY/my-org/greeting-extension` has no version in `^2`
    err: its tags are: 1.0.0-rc.1 0.10.0 0.9.0 0.1.0 latest
    err: hint: name a tag: sesame extension install REGISTRY/my-org/greeting-extension:0.10.0
    "#);
    insta::assert_snapshot!(install(&env, &registry, "my-org/unversioned"), @r#"
    exit 3
    err: error: `REGISTRY/my-org/unversioned` has no version
    err: its tags are: latest
    err: hint: name a tag: sesame extension install REGISTRY/my-org/unversioned:latest
    "#);
    insta::assert_snapshot!(install(&env, &registry, "my-org/greeting-extension:0.9.0 --version ^2"), @r#"
    exit 2
    err: error: `--version` selects a tag of a repository, and `REGISTRY/my-org/greeting-extension:0.9.0` already names one version
    err: hint: leave out the tag, or `--version`
    "#);
    let inspected = env
        .run(&format!("extension inspect {}/my-org/greeting-extension", registry.host()))
        .ok()
        .text();
    assert!(inspected.contains(":0.10.0@sha256:"), "{inspected}");
}

/// A module that carries its world, as toolchains make before `wasm-tools component new`, is inspected,
/// installed and called as the component that it describes, from a file and from a registry alike. One
/// that needs more than WASI's first version is refused with the command that makes it a component.
#[test]
fn module_with_world_is_its_component() {
    let (env, registry) = (env(), registry());
    env.write(
        "work/wit/x.wit",
        "package local:x; world x { export add: func(a: u32, b: u32) -> u32; }",
    );
    let adds = r#"(module (memory (export "memory") 1)
        (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"#;
    let adds = wat::parse_str(adds).expect("valid");
    let module = embed_world(&adds, &env.path("work/wit"), TextEncoding::Utf8).expect("embedded");
    env.write("work/adds.wasm", &module);
    publish(&registry, "my-org/adds:0.1.0", &module, &[]);
    let reference = format!("{}/my-org/adds:0.1.0", registry.host());
    for (source, name) in [("./adds.wasm", "adds"), (reference.as_str(), "other")] {
        let inspected = env.run(&format!("extension inspect {source}")).ok();
        assert!(inspected.text().contains("add: func(a: u32, b: u32) -> u32"), "{inspected}");
        env.run(&format!("extension install {source} --name {name}")).ok();
        assert_eq!(env.run(&format!("call {name} add 2 3")).ok().text(), "5\n");
    }
    let needs = r#"(module (import "env" "log" (func)) (memory (export "memory") 1)
        (func (export "add") (param i32 i32) (result i32) (local.get 0)))"#;
    let needs = wat::parse_str(needs).expect("valid");
    let module = embed_world(&needs, &env.path("work/wit"), TextEncoding::Utf8).expect("embedded");
    env.write("work/needs.wasm", module);
    for command in ["install", "inspect"] {
        let run = env.run(&format!("extension {command} ./needs.wasm"));
        let words = "error: cannot compile the extension: this module is meant to be a component and is not one yet: ";
        assert!(run.code == 1 && run.stderr.starts_with(words), "{run}");
        let hint = ": wasm-tools component new MODULE --adapt ADAPTER -o COMPONENT\n";
        assert!(run.stderr.ends_with(hint), "{run}");
    }
}

/// Another version of sesame is the way out of a newer interface of its own, and of nothing else.
#[test]
fn newer_sesame_is_named_where_it_helps() {
    let env = env();
    for (import, helps) in [
        ("open-sesame:host/log@0.9.0", true),
        ("wasi:filesystem/types@0.2.99", false),
        ("acme:db/store@1.0.0", false),
        ("open-sesame:host/teleport@0.1.0", false),
    ] {
        let text = format!(r#"(component (import "{import}" (instance (export "go" (func)))))"#);
        env.write("work/needs.wasm", wat::parse_str(text).expect("valid"));
        for line in ["extension install ./needs.wasm", "extension inspect ./needs.wasm"] {
            let run = env.run(line);
            let is_named = run.to_string().contains("another version of sesame");
            assert_eq!(is_named, helps, "{import}: {run}");
        }
    }
}
