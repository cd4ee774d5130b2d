//! The owner of grants and secrets: a registry's repository or a file's bytes, and never the claim
//! of a bundle.

use std::process::Command;

use extension_depot::serve::MemoryRegistry;

use crate::on_a_terminal::on_terminal_with;
use crate::support::{
    GREETING, TestEnv, answering, asking, bare, env, manifest, publish, registry, small,
};

/// Makes two files of one name. The first is installed and has a grant.
fn two_files() -> TestEnv {
    let env = env();
    env.write("work/mine/weather.wasm", small(1));
    env.write("work/Downloads/weather.wasm", small(2));
    env.run("extension install ./mine/weather.wasm --grant notification").ok();
    env
}

/// Another file of the same name takes over nothing without an option for it.
#[test]
fn file_of_one_name_is_another() {
    let env = two_files();
    let before = env.read(&manifest("weather"));
    insta::assert_snapshot!(env.run("extension install ./Downloads/weather.wasm"), @r#"
    exit 5
    err: error: `weather` is the name of other bytes, which are installed as `local/file/weather@sha256:DIGEST`
    err: replacing them keeps their grants, settings and secrets; to keep both, choose another `--name`
    err: hint: sesame extension install ./Downloads/weather.wasm --replace weather
    "#);
    assert_eq!(env.read(&manifest("weather")), before);
    // The hint has the command that installs it, and the installed bytes have not changed.
    assert_eq!(env.run("extension call weather f").ok().text(), "1\n");
    env.run("extension install ./mine/weather.wasm").ok();
    env.run("extension install ./Downloads/weather.wasm --name other").ok();
    assert!(!env.read(&manifest("other")).contains("notification"));
    // `inspect` takes it, and shows the grants that it would get by itself.
    let inspected = env.run("extension inspect ./Downloads/weather.wasm").ok().text();
    assert!(!inspected.contains("(granted"), "{inspected}");
    let sha256 = |bytes: &[u8]| {
        use sha2::Digest as _;
        core_types::Digest::from_sha256(sha2::Sha256::digest(bytes).into()).hex()
    };
    let run = env
        .run(&format!("extension install ./Downloads/weather.wasm --sha256 {}", sha256(&small(2))));
    assert!(run.code == 5 && run.stderr.contains("--sha256 sha256:"), "{run}");
}

/// `--replace` gives the new bytes the grants of the old ones, again and again.
#[test]
fn replaced_file_keeps_grants() {
    let env = two_files();
    let identity = |env: &TestEnv| {
        let text = env.read(&manifest("weather"));
        text.lines()
            .find_map(|line| line.strip_prefix("oci = \""))
            .expect("installed")
            .trim_matches('"')
            .to_owned()
    };
    let first = identity(&env);
    let (_, digest) = first.split_once("@sha256:").expect("pinned");
    let replaced = env.run("extension install ./Downloads/weather.wasm --replace weather").ok();
    let kept =
        format!("it keeps its settings, and the secrets of `local/file/weather@sha256:{digest}`");
    assert!(
        replaced.stderr.contains("it keeps: notification\n") && replaced.stderr.contains(&kept),
        "{replaced}"
    );
    assert_eq!(env.run("extension call weather f").ok().text(), "2\n");
    assert!(env.read(&manifest("weather")).contains("notification = true"));
    let continued = format!("local/file/{digest}/weather:0.0.0@sha256:");
    assert!(identity(&env).starts_with(&continued), "{}", identity(&env));
    // The author's loop: a repeated build installs as the same extension.
    env.write("work/Downloads/weather.wasm", small(3));
    env.run("extension install ./Downloads/weather.wasm --replace weather").ok();
    let again = env.run("extension install ./Downloads/weather.wasm").ok();
    assert!(again.text().starts_with("already installed: "), "{again}");
    assert!(identity(&env).starts_with(&continued));
    env.run("extension rollback weather").ok();
    assert_eq!(env.run("extension call weather f").ok().text(), "2\n");
    env.run("extension verify").ok();
}

/// A person at a terminal sees the grants that are taken over, and is asked.
#[test]
fn replacement_is_asked_about() {
    let env = two_files();
    let line = "extension install ./Downloads/weather.wasm --replace weather";
    let run = answering(&env, env.on_terminal(line), "[y/N]", &["n\n"]);
    let shown = run.text();
    assert!(
        run.code == 5
            && shown.contains("it keeps: notification")
            && shown.contains("the secrets of `local/file/weather@"),
        "{run}"
    );
    assert_eq!(env.run("extension call weather f").ok().text(), "1\n");
    assert_eq!(answering(&env, env.on_terminal(line), "[y/N]", &["y\n"]).code, 0);
    assert_eq!(env.run("extension call weather f").ok().text(), "2\n");
}

/// An extension from a registry neither replaces a file nor is replaced by one.
#[test]
fn only_files_replace_files() {
    let (env, registry) = (env(), registry());
    let reference = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    env.write("work/greeting-extension.wasm", small(1));
    env.run(&format!("extension install {reference}")).ok();
    let run = env.run("extension install ./greeting-extension.wasm --replace greeting-extension");
    assert_eq!(run.code, 5, "{run}");
    assert_eq!(env.run("extension install ./greeting-extension.wasm").code, 5);
    let run = env.run(&format!("extension install {reference} --replace greeting-extension"));
    assert_eq!(run.code, 2, "{run}");
    // The reference of a file does not lead to a host of that name.
    for line in ["install local/file/x:1", "inspect local/file/x:1", "install LOCAL/file/x"] {
        let run = env.run(&format!("extension {line}"));
        assert!(run.code == 2, "{line}: {run}");
    }
}

/// Two layouts of one name are two extensions as well.
#[test]
fn layouts_of_one_name_are_two() {
    let env = two_files();
    env.write("work/one/x.wasm", small(1));
    for (directory, bytes) in [("a", small(1)), ("b", small(2))] {
        let maker = crate::support::with_guest("it", &bytes);
        maker.run("extension export it -o it.tar").ok();
        env.write(
            &format!("work/{directory}/it.tar"),
            std::fs::read(maker.path("work/it.tar")).expect("there"),
        );
    }
    env.run("extension install oci:./a/it.tar --grant notification").ok();
    let run = env.run("extension install oci:./b/it.tar");
    assert!(
        run.code == 5
            && run.stderr.contains("sesame extension install oci:./b/it.tar --replace it"),
        "{run}"
    );
    env.run("extension install oci:./b/it.tar --replace it").ok();
    assert_eq!(env.run("extension call it f").ok().text(), "2\n");
}

/// Makes a bundle in a directory, whose only entry is a file of this name with a claimed origin.
fn forged(to: &TestEnv, name: &str, binary: &[u8], claim: &str) {
    let maker = crate::support::with_guest(name, binary);
    maker.run(&format!("extension export {name} -o bundle.tar")).ok();
    std::fs::create_dir_all(to.path("work/forged")).expect("made");
    let mut tar = Command::new("tar");
    tar.arg("-xf").arg(maker.path("work/bundle.tar")).arg("-C").arg(to.path("work/forged"));
    assert!(tar.status().expect("tar runs").success());
    let index = to.read("work/forged/index.json");
    let said = format!("local/file/{name}:0.0.0");
    assert!(index.contains(&said), "{index}");
    to.write("work/forged/index.json", index.replace(&said, claim));
}

fn asking_for_secrets() -> Vec<u8> {
    bare(7, "[capabilities]\nsecret-read = [\"token\"]\nsecret-write = [\"token\"]\n")
}

/// Makes an environment with `x` from a registry, and a bundle with a `y` that claims the same
/// origin.
fn attacked() -> (TestEnv, MemoryRegistry) {
    let (env, registry) = (env(), registry());
    let repository = format!("{}/my-org/greeting-extension", registry.host());
    env.run(&format!("extension install {repository}:0.1.0 --name x")).ok();
    forged(&env, "y", &asking_for_secrets(), &format!("{repository}:0.1.0"));
    (env, registry)
}

/// The claimed origin of a bundle gives no identity, whether an extension from there is installed
/// or was removed.
#[test]
fn claimed_origin_is_no_identity() {
    for is_removed in [false, true] {
        let (env, registry) = attacked();
        if is_removed {
            env.run("extension remove x").ok();
        }
        let run = env.run("extension import forged --grant secret-read=token").ok();
        assert!(
            run.text().starts_with("installed y 0.1.0 from local/bundle/y:0.1.0@sha256:"),
            "{run}"
        );
        let warned = format!(
            "it is not confirmed that `y` came from `{}/my-org/greeting-extension`",
            registry.host()
        );
        assert!(run.stderr.contains(&warned), "{run}");
        // The claim does not pin a signer for any place.
        let first = env.run("trust list --json").ok().text();
        assert!(!first.contains("local/bundle"), "{first}");
        // The registry does not have these bytes, so nothing confirms the claim.
        let update = env.run("extension update y").ok();
        assert!(update.stderr.contains("stays what its bytes are"), "{update}");
        assert!(env.read(&manifest("y")).contains("oci = \"local/bundle/y:0.1.0@sha256:"));
    }
}

/// The question about a secret names the owner of the secrets.
#[test]
fn question_says_whose_secrets() {
    let (env, _registry) = attacked();
    let run = on_terminal_with(&env, &["extension", "import", "forged"], b"");
    assert!(run.text().contains("secrets of `local/bundle/y@sha256:"), "{run}");
}

/// A claim takes nothing over from its place, and nothing from another bundle without an option for
/// it.
#[test]
fn claim_replaces_nothing() {
    let (env, registry) = attacked();
    let claim = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    forged(&env, "x", &asking_for_secrets(), &claim);
    let before = env.read(&manifest("x"));
    for line in ["extension import forged", "extension import forged --replace"] {
        let run = env.run(line);
        assert!(run.code == 6 && env.read(&manifest("x")) == before, "{run}");
    }
    forged(&env, "y", &small(1), "local/file/y:0.0.0");
    env.run("extension import forged --grant notification").ok();
    forged(&env, "y", &small(2), "local/file/y:0.0.0");
    let run = env.run("extension import forged");
    assert!(
        run.code == 5 && run.stderr.contains("sesame extension import forged y --replace"),
        "{run}"
    );
    env.run("extension import forged y --replace").ok();
    assert_eq!(env.run("extension call y f").ok().text(), "2\n");
    assert!(env.read(&manifest("y")).contains("notification = true"));
}

/// Carries an extension of a registry to another machine in a bundle.
fn carried(registry: &MemoryRegistry) -> TestEnv {
    let (from, to) = (env(), env());
    from.run(&format!("extension install {}/my-org/greeting-extension:0.1.0", registry.host()))
        .ok();
    from.run("extension export greeting-extension -o bundle.tar").ok();
    to.write("work/bundle.tar", std::fs::read(from.path("work/bundle.tar")).expect("there"));
    to
}

/// A registry that has the very bytes confirms the origin in a bundle.
#[test]
fn registry_confirms_the_claim() {
    let registry = registry();
    let env = carried(&registry);
    env.run("--offline extension import bundle.tar").ok();
    let run = env.run("extension update greeting-extension").ok();
    assert!(run.stderr.contains("it has that identity now"), "{run}");
    let oci = format!("oci = \"{}/my-org/greeting-extension:0.1.0@sha256:", registry.host());
    assert!(env.read(&manifest("greeting-extension")).contains(&oci));
    assert!(
        env.run("extension history greeting-extension").ok().text().contains("origin confirmed")
    );
    env.run("extension call greeting-extension greet World").ok();
    publish(&registry, "my-org/greeting-extension:0.2.0", &asking(&GREETING, "# new\n"), &[]);
    env.run("extension update greeting-extension").ok();
    assert!(env.read(&manifest("greeting-extension")).contains(":0.2.0@sha256:"));
}

/// An extension gets the secrets of its confirmed origin only after a yes.
#[test]
fn confirmation_asks_about_secrets() {
    let registry = registry();
    let env = carried(&registry);
    env.run("extension import bundle.tar --grant secret-read=token").ok();
    let run = env.run("extension update greeting-extension");
    assert!(run.code == 5 && run.stderr.contains("--accept-new-capabilities"), "{run}");
    assert!(env.read(&manifest("greeting-extension")).contains("local/bundle/"));
    env.run("extension update greeting-extension --accept-new-capabilities").ok();
    assert!(!env.read(&manifest("greeting-extension")).contains("local/bundle/"));
}

/// Bytes that the registry has under one version do not confirm another version.
#[test]
fn other_tag_confirms_nothing() {
    let registry = registry();
    let env = carried(&registry);
    let mut tar = Command::new("tar");
    std::fs::create_dir_all(env.path("work/forged")).expect("made");
    tar.arg("-xf").arg(env.path("work/bundle.tar")).arg("-C").arg(env.path("work/forged"));
    assert!(tar.status().expect("tar runs").success());
    let index = env.read("work/forged/index.json").replace(":0.1.0@", ":9.0.0@");
    env.write("work/forged/index.json", index);
    env.run("extension import forged").ok();
    for _ in 0..2 {
        env.run("extension update greeting-extension").ok();
        assert!(env.read(&manifest("greeting-extension")).contains("local/bundle/"));
        publish(&registry, "my-org/greeting-extension:9.0.0", &asking(&GREETING, "# other\n"), &[]);
    }
}

/// Manifests that come along name the owner of the bytes, without a network.
#[test]
fn carried_manifest_confirms_claim() {
    let registry = registry();
    let env = carried(&registry);
    env.run("extension import bundle.tar").ok();
    let text = env.read(&manifest("greeting-extension")).replace(
        "local/bundle/greeting-extension",
        &format!("{}/my-org/greeting-extension", registry.host()),
    );
    env.run("extension remove greeting-extension").ok();
    env.write(&manifest("greeting-extension"), &text);
    env.run("--offline extension import bundle.tar").ok();
    assert_eq!(env.read(&manifest("greeting-extension")), text);
    env.run("--offline extension call greeting-extension greet World").ok();
}
