//! Signatures by certificate: `install --identity`, `verify`, `trust`, and the requirements of
//! policy.

use core_types::Digest;
use extension_depot::serve::MemoryRegistry;
use serde_json::{Value, json};
use test_support::sigstore::{Signing, Sigstore};

use crate::support::{GREETING, TestEnv, asking, env, publish};
use crate::trust::Cosign;

const REPOSITORY: &str = "my-org/greeting-extension";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const MAKER: &str = "maker@example.com";
const LOGIN: &str = "https://login.example";
const WANTED: &str =
    "--identity maker@example.com --issuer https://login.example --trusted-root root.json";

/// Attaches a bundle to an artifact as its referrer, as `cosign sign` does.
fn attach(registry: &MemoryRegistry, to: &Digest, bundle: &Value) {
    let bundle = bundle.to_string().into_bytes();
    let blob = |media_type: &str, bytes: &[u8]| json!({ "mediaType": media_type, "digest": registry.put_blob(bytes), "size": bytes.len() });
    let referrer = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": BUNDLE,
        "config": blob("application/vnd.oci.empty.v1+json", b"{}"),
        "layers": [blob(BUNDLE, &bundle)],
        "subject": { "mediaType": MANIFEST, "digest": to, "size": 0 },
    });
    registry.put_manifest(
        REPOSITORY,
        &format!("{}-bundle", to.hex()),
        MANIFEST,
        referrer.to_string().as_bytes(),
    );
}

/// Publishes a version of the greeting, signed with this identity at a Sigstore.
fn release(registry: &MemoryRegistry, version: &str, sigstore: &Sigstore, identity: Option<&str>) {
    let binary = asking(&GREETING, &format!("# {version}\n"));
    let digest = publish(registry, &format!("{REPOSITORY}:{version}"), &binary, &[]);
    if let Some(identity) = identity {
        attach(registry, &digest, &sigstore.sign(Signing::of(&digest.hex(), identity, LOGIN)));
    }
}

fn start(sigstore: &Sigstore) -> (TestEnv, MemoryRegistry, String) {
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    release(&registry, "0.1.0", sigstore, Some(MAKER));
    env.write("work/root.json", sigstore.trusted_root());
    let reference = format!("{}/{REPOSITORY}:0.1.0", registry.host());
    (env, registry, reference)
}

/// A publisher is known by a certificate, and another signer does not take their place.
#[test]
fn certificate_pins_the_publisher() {
    let sigstore = Sigstore::default();
    let (env, registry, reference) = start(&sigstore);
    let run = |line: &str| env.run(line).hiding_registry(&registry);
    insta::assert_snapshot!(run(&format!("extension verify {reference}")), @r#"
    exit 0
    out: REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	good		signed, not trusted: its certificate names `maker@example.com` of `https://login.example`
    "#);
    insta::assert_snapshot!(run(&format!("extension verify {reference} {WANTED}")), @r#"
    exit 0
    out: REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	good		verified, signed by `maker@example.com` of `https://login.example`
    "#);
    let other = WANTED.replace("maker@", "other@");
    insta::assert_snapshot!(run(&format!("extension install {reference} {other}")), @r#"
    exit 6
    err: error: `REGISTRY/my-org/greeting-extension` has to be signed by `other@example.com` of `https://login.example`, and it is: signed, not trusted: its certificate names `maker@example.com` of `https://login.example`
    err: hint: if you have the publisher's key: sesame trust add KEY.pub --for REGISTRY/my-org/greeting-extension; then, if it is installed: sesame extension verify greeting-extension
    "#);
    run(&format!("extension install {reference} {WANTED}")).ok();
    insta::assert_snapshot!(run("trust list"), @r#"
    exit 0
    out: trusted	REGISTRY/my-org/greeting-extension	maker@example.com	https://login.example	
    out: first	REGISTRY/my-org/greeting-extension	signed by `maker@example.com` of `https://login.example`		TIME
    "#);
    release(&registry, "0.2.0", &sigstore, None);
    insta::assert_snapshot!(run("extension update greeting-extension"), @r#"
    exit 6
    err: error: the signer of `REGISTRY/my-org/greeting-extension` changed: first signed by `maker@example.com` of `https://login.example`, now unsigned
    err: hint: if the publisher announced the change: sesame trust accept greeting-extension
    "#);
    release(&registry, "0.3.0", &sigstore, Some("other@example.com"));
    insta::assert_snapshot!(run("extension update greeting-extension"), @r#"
    exit 6
    err: error: the signer of `REGISTRY/my-org/greeting-extension` changed: first signed by `maker@example.com` of `https://login.example`, now signed, not trusted: its certificate names `other@example.com` of `https://login.example`
    err: hint: if the publisher announced the change: sesame trust accept greeting-extension
    "#);
    release(&registry, "0.4.0", &Sigstore::default(), Some(MAKER));
    assert_eq!(
        run("extension update greeting-extension").code,
        6,
        "of an authority that nobody trusts"
    );
    release(&registry, "0.5.0", &sigstore, Some(MAKER));
    run("extension update greeting-extension").ok();
    insta::assert_snapshot!(run("trust remove maker@example.com"), @r#"
    exit 0
    out: `maker@example.com` is not trusted
    "#);
    release(&registry, "0.6.0", &sigstore, Some(MAKER));
    assert_eq!(
        run("extension update greeting-extension").code,
        6,
        "nobody vouches for them any more"
    );
}

/// Each call checks the signature that policy requires, against the trusted root that it names.
#[test]
fn each_call_checks_policy_signature() {
    let sigstore = Sigstore::default();
    let (env, registry, reference) = start(&sigstore);
    let place = format!("{}/my-org", registry.host());
    let policy = |identity: &str, root: &str| {
        let root = env.path(&format!("work/{root}")).display().to_string();
        let rule = format!(
            "{{ identity = \"{identity}\", issuer = \"{LOGIN}\", trusted_root = \"{root}\" }}"
        );
        let text = format!("[extensions.policy.trusted_signers]\n\"{place}\" = [{rule}]\n");
        env.write(".config/pds/config.toml", text);
    };
    let call = || env.run("--offline extension call greeting-extension greet World");
    env.write("work/other-root.json", Sigstore::default().trusted_root());
    policy("other@example.com", "root.json");
    assert_eq!(env.run(&format!("extension install {reference} {WANTED}")).code, 6);
    policy(MAKER, "root.json");
    env.run(&format!("extension install {reference}")).ok();
    call().ok();
    policy("other@example.com", "root.json");
    insta::assert_snapshot!(call().hiding_registry(&registry), @r#"
    exit 6
    err: error: `REGISTRY/my-org/greeting-extension` has to be signed by one of `trusted_signers` in `~/.config/pds/config.toml`: other@example.com of https://login.example, and it is: verified, signed by `maker@example.com` of `https://login.example`
    err: hint: if you have the publisher's key: sesame trust add KEY.pub --for REGISTRY/my-org/greeting-extension; then, if it is installed: sesame extension verify greeting-extension
    "#);
    policy(MAKER, "other-root.json");
    assert_eq!(call().code, 6, "the same names, by another authority");
    // A changed trusted root leads to another check.
    policy(MAKER, "root.json");
    env.write("work/root.json", sigstore.trusted_root() + "\n");
    assert_eq!(call().code, 6);
    env.run("extension verify greeting-extension").ok();
    call().ok();
}

#[test]
fn removed_signer_is_not_trusted() {
    let sigstore = Sigstore::default();
    let (env, registry, reference) = start(&sigstore);
    env.write(".config/pds/config.toml", "[extensions.policy]\nrequire_signature = true\n");
    assert_eq!(env.run(&format!("extension install {reference}")).code, 6);
    env.run(&format!("trust add --for {} {WANTED}", registry.host())).ok();
    env.run(&format!("extension install {reference}")).ok();
    let call = || env.run("--offline extension call greeting-extension greet World");
    call().ok();
    env.run("trust remove maker@example.com").ok();
    insta::assert_snapshot!(call().hiding_registry(&registry), @r#"
    exit 6
    err: error: `REGISTRY/my-org/greeting-extension` has to be signed by a trusted signer (`require_signature` in `~/.config/pds/config.toml`), and it is: verified, signed by `maker@example.com` of `https://login.example`
    err: hint: if you have the publisher's key: sesame trust add KEY.pub --for REGISTRY/my-org/greeting-extension; then, if it is installed: sesame extension verify greeting-extension
    "#);
    env.run(&format!("trust add --for {} {WANTED}", registry.host())).ok();
    call().ok();
    // A bundle brings the certificate along, and the network is not used.
    env.run("extension export greeting-extension -o bundle.tar").ok();
    env.run("extension remove greeting-extension").ok();
    env.run("--offline extension import bundle.tar").ok();
    call().ok();
}

/// A signature of a trusted signer of the claimed place confirms the claim; it confirms the version
/// only if the signed bytes name it.
#[test]
fn signer_confirms_the_claim() {
    let sigstore = Sigstore::default();
    let (env, registry, reference) = start(&sigstore);
    let versioned = |version: &str| {
        let binary = asking(&GREETING, &format!("# {version} says so\n"));
        let said = [("org.opencontainers.image.version", version)];
        let digest = publish(&registry, &format!("{REPOSITORY}:{version}"), &binary, &said);
        attach(&registry, &digest, &sigstore.sign(Signing::of(&digest.hex(), MAKER, LOGIN)));
    };
    env.run(&format!("extension install {reference}")).ok();
    env.run("extension export greeting-extension -o old.tar").ok();
    versioned("0.2.0");
    env.run(&format!("extension install {}/{REPOSITORY}:0.2.0 --name new", registry.host())).ok();
    env.run("extension export new -o new.tar").ok();
    env.run("extension remove new").ok();
    // No signer is trusted for the place.
    let unconfirmed =
        |run: test_support::Run| run.ok().text().contains("from local/bundle/new:0.2.0@");
    assert!(unconfirmed(env.run("--offline extension import new.tar")));
    env.run("extension remove new --purge").ok();
    env.run(&format!("trust add --for {}/my-org/another {WANTED}", registry.host())).ok();
    assert!(unconfirmed(env.run("--offline extension import new.tar")));
    env.run("extension remove new --purge").ok();
    env.run(&format!("trust add --for {} {WANTED}", registry.host())).ok();
    let confirmed = env.run("--offline extension import new.tar").ok();
    assert!(
        confirmed.text().contains(&format!("from {}/{REPOSITORY}:0.2.0@", registry.host())),
        "{confirmed}"
    );
    // Bytes without a version, under a tag of the forger's choice, do not take another version's
    // place.
    std::fs::create_dir_all(env.path("work/forged")).expect("made");
    let mut tar = std::process::Command::new("tar");
    tar.arg("-xf").arg(env.path("work/old.tar")).arg("-C").arg(env.path("work/forged"));
    assert!(tar.status().expect("tar runs").success());
    let index = env
        .read("work/forged/index.json")
        .replace("greeting-extension:0.1.0@", "greeting-extension:9.0.0@");
    env.write("work/forged/index.json", index.replace("\"greeting-extension\"", "\"new\""));
    let refused = env.run("--offline extension import forged");
    assert!(
        refused.code == 6 && refused.stderr.contains("does not prove that `new` came from"),
        "{refused}"
    );
    // Bytes that name one version are not another, wherever they are imported.
    let index = env.read("work/forged/index.json");
    assert!(index.contains(":9.0.0@"), "{index}");
    env.run("extension remove new --purge").ok();
    std::fs::remove_dir_all(env.path("work/forged")).expect("removed");
    std::fs::create_dir_all(env.path("work/forged")).expect("made");
    let mut tar = std::process::Command::new("tar");
    tar.arg("-xf").arg(env.path("work/new.tar")).arg("-C").arg(env.path("work/forged"));
    assert!(tar.status().expect("tar runs").success());
    let index = env.read("work/forged/index.json").replace(":0.2.0@", ":9.0.0@");
    env.write("work/forged/index.json", index);
    let own = env.run("--offline extension import forged").ok();
    assert!(own.text().contains("from local/bundle/new:9.0.0@"), "{own}");
}

/// An invalid trusted root and an identity without its issuer are refused.
#[test]
fn incomplete_signers_are_refused() {
    let env = env();
    env.write("work/root.json", "{}");
    let add = |line: &str| env.run(&format!("trust add --for ghcr.io {line}"));
    insta::assert_snapshot!(add(WANTED), @r#"
    exit 2
    err: error: `~/work/root.json` cannot be used as a trusted root: failed to parse JSON: missing field `mediaType` at line 1 column 2
    "#);
    insta::assert_snapshot!(add(&WANTED.replace("root.json", "missing.json")), @r#"
    exit 3
    err: error: cannot read `~/work/missing.json`
    err: caused by: No such file or directory (os error 2)
    "#);
    assert_eq!(add("--identity maker@example.com").code, 2);
    assert_eq!(add("--issuer https://login.example --trusted-root root.json").code, 2);
    assert_eq!(add("").code, 2);
    assert!(env.run("trust list").ok().text().is_empty());
    env.write(
        ".config/pds/trust.toml",
        "[[signer]]\nfor = \"ghcr.io\"\nidentity = \"maker@example.com\"\n",
    );
    insta::assert_snapshot!(env.run("trust list"), @r#"
    exit 9
    err: error: a signer for `ghcr.io` in `~/.config/pds/trust.toml` needs either `key`, or all of `identity`, `issuer` and `trusted_root`
    err: hint: fix `~/.config/pds/trust.toml` in an editor
    "#);
}

/// cosign verifies the signatures of `tests/support/src/sigstore.rs`.
#[test]
#[ignore = "needs cosign, from .ci/test-servers"]
fn cosign_accepts_test_signatures() {
    let sigstore = Sigstore::default();
    let (env, _registry, reference) = start(&sigstore);
    let cosign = Cosign { env: &env, classic: false };
    let identity = ["--certificate-identity", MAKER, "--certificate-oidc-issuer", LOGIN];
    let options = ["verify", "--trusted-root", "root.json", "--allow-http-registry"];
    cosign.run(&[&options[..], &identity, &[&reference]].concat());
    env.run(&format!("extension verify {reference} {WANTED}")).ok();
}
