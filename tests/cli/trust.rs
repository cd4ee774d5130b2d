//! Signatures: `install --key`, `verify`, `trust`, and the requirements of policy.

use std::process::Command;

use extension_depot::serve::{MemoryRegistry, Seen, response};

use crate::support::{GREETING, TestEnv, asking, env, oras, publish, registry, server_tools};

#[test]
fn keys_are_trusted_and_removed() {
    let env = env();
    insta::assert_snapshot!(env.run("trust keygen mine"), @r#"
    exit 0
    out: mine.key
    out: mine.pub
    err: `mine.key` is your secret key and is not encrypted: its readers can sign as you. SESAME_KEY_PASSWORD encrypts a new one
    err: `mine.pub` is the public key, for those who install what you sign
    "#);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(env.path("work/mine.key")).expect("there").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(env.run("trust keygen mine").code, 9, "what is there stays");
    insta::assert_snapshot!(env.run("trust add mine.pub --for ghcr.io/my-org"), @r#"
    exit 0
    out: the key sha256:DIGEST is trusted for `ghcr.io/my-org`
    "#);
    insta::assert_snapshot!(env.run("trust add mine.pub --for ghcr.io/my-org"), @r#"
    exit 0
    out: already: the key sha256:DIGEST is trusted for `ghcr.io/my-org`
    "#);
    let listed = env.run("trust list").ok();
    insta::assert_snapshot!(listed, @r#"
    exit 0
    out: trusted	ghcr.io/my-org	sha256:DIGEST
    "#);
    env.run("trust add mine.pub --for ghcr.io/other").ok();
    env.run("trust remove mine.pub --for ghcr.io/other").ok();
    assert_eq!(env.run("trust list").ok().to_string(), listed.to_string());
    let fingerprint = listed.text().split_whitespace().last().expect("a digest").to_owned();
    env.run(&format!("trust remove {fingerprint}")).ok();
    assert!(env.run("trust list").ok().text().is_empty());
    insta::assert_snapshot!(env.run("trust remove mine.pub"), @r#"
    exit 0
    out: already: the key sha256:DIGEST is not trusted
    "#);
    insta::assert_snapshot!(env.run("trust add mine.key --for ghcr.io"), @r#"
    exit 2
    err: error: `mine.key` cannot be used as a key
    err: caused by: not a public key in PEM (`-----BEGIN PUBLIC KEY-----`)
    "#);
    insta::assert_snapshot!(env.run("trust add missing.pub --for ghcr.io"), @r#"
    exit 3
    err: error: cannot read `missing.pub`
    err: caused by: No such file or directory (os error 2)
    "#);
    env.write(".config/pds/trust.toml", "[[signer]]\nfor = \"ghcr.io\"\nkey = 1\n");
    insta::assert_snapshot!(env.run("trust list"), @r#"
    exit 9
    err: error: the trusted signers in `~/.config/pds/trust.toml` are wrong: line 3, column 7: expected a text, found `1`
    err:   |
    err: 3 | key = 1
    err:   |       ^
    err: hint: fix `~/.config/pds/trust.toml` in an editor
    "#);
}

const NO_REFERRERS: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
/// A manifest of signatures without any signature.
const NO_SIGNATURES: &str = r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;

/// Starts a registry that answers questions about signatures like this.
pub fn with_signatures(answer: fn(&Seen) -> Option<(u16, &'static str)>) -> MemoryRegistry {
    let registry = MemoryRegistry::start_with(move |seen| {
        let is_signature =
            seen.path.contains("/referrers/") || seen.path.contains("/manifests/sha256-");
        let (status, body) =
            if is_signature && seen.method == "GET" { answer(seen)? } else { return None };
        Some(response(
            status,
            &[("content-type", "application/vnd.oci.image.manifest.v1+json")],
            body,
        ))
    });
    let registry = registry.expect("a registry");
    publish(&registry, "my-org/greeting-extension:0.1.0", &GREETING, &[]);
    registry
}

/// A missing signature and a silent registry are told apart, and both fail where a signature is
/// required.
#[test]
fn required_signature_is_enforced() {
    let states = [
        with_signatures(|_| Some((404, "no"))),
        with_signatures(|_| Some((500, "no"))),
        with_signatures(|_| Some((403, "no"))),
        with_signatures(|seen| seen.path.contains("/referrers/").then_some((200, "no"))),
        with_signatures(|seen| {
            Some(if seen.path.contains("/referrers/") { (200, NO_REFERRERS) } else { (404, "no") })
        }),
        with_signatures(|seen| {
            Some(if seen.path.ends_with(".sig") { (200, NO_SIGNATURES) } else { (404, "no") })
        }),
    ]
    .map(|registry| {
        let env = env();
        let reference = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
        let verified = env.run(&format!("extension verify {reference}")).ok().text();
        env.run(&format!("extension install {reference}")).ok();
        env.run("extension remove greeting-extension").ok();
        env.write(".config/pds/config.toml", "[extensions.policy]\nrequire_signature = true\n");
        let refused = env.run(&format!("extension install {reference}"));
        assert_eq!(refused.code, 6, "{refused}");
        verified.rsplit('\t').next().expect("a state").replace(&registry.host(), "REGISTRY")
    });
    insta::assert_snapshot!(states.concat(), @r#"
    unsigned
    could not check: the registry `REGISTRY` answers 500
    could not check: the registry `REGISTRY` denies anonymous access to `my-org/greeting-extension`
    could not check: the image manifest cannot be understood: the list of referrers: expected ident at line 1 column 2
    unsigned
    unsigned
    "#);
}

/// cosign's signatures verify in both forms, and another signer does not take the publisher's
/// place.
#[test]
#[ignore = "needs cosign and docker-registry, from .ci/test-servers"]
fn cosign_signatures_verify() {
    for form in ["classic", "bundle"] {
        let (env, registry) = (env(), registry());
        let cosign = Cosign { env: &env, classic: form == "classic" };
        let reference = |tag: &str| format!("{}/my-org/greeting-extension:{tag}", registry.host());
        cosign.make_key("maker");
        cosign.make_key("other");
        cosign.sign("maker", &reference("0.1.0"));
        let state = |line: &str| {
            let run = env.run(line);
            let text = run.text();
            let cells: Vec<_> = text.trim_end().split('\t').collect();
            assert!(cells.len() == 4 && text.lines().count() == 1, "{run}");
            (run.code, cells[3].to_owned())
        };
        let verify = format!("extension verify {}", reference("0.1.0"));
        assert_eq!(state(&verify), (0, "signed, not trusted".to_owned()), "{form}");
        let (code, verified) = state(&format!("{verify} --key maker.pub"));
        assert!(code == 0 && verified.starts_with("verified, "), "{form}: {verified:?}");
        assert_eq!(env.run(&format!("{verify} --key other.pub")).code, 6, "{form}");
        let install = |tag: &str, more: &str| {
            env.run(&format!("extension install {} {more}", reference(tag)))
        };
        assert_eq!(install("0.1.0", "--key other.pub").code, 6);
        install("0.1.0", "--key maker.pub").ok();
        assert!(env.run("trust list").ok().text().contains("signed by the key sha256:"));
        let (_, installed) = state("extension verify greeting-extension");
        assert!(installed.starts_with("verified, "), "{form}: {installed}");
        // The signature that policy requires is there, and verified without a network.
        let policy = |key: &str| {
            let place = format!("{}/my-org", registry.host());
            let key = env.path(&format!("work/{key}.pub")).display().to_string();
            let text = format!("[extensions.policy.trusted_signers]\n\"{place}\" = [\"{key}\"]\n");
            env.write(".config/pds/config.toml", text);
        };
        policy("maker");
        env.run("--offline extension call greeting-extension greet World").ok();
        env.run("extension export greeting-extension -o bundle.tar").ok();
        policy("other");
        assert_eq!(env.run("extension call greeting-extension greet World").code, 6);
        env.write(".config/pds/config.toml", "");
        // The next version is unsigned, then another signer's, then the publisher's.
        publish(&registry, "my-org/greeting-extension:0.2.0", &asking(&GREETING, "# new\n"), &[]);
        let unsigned = env.run("extension update greeting-extension");
        assert!(
            unsigned.code == 6 && unsigned.stderr.contains("changed: first signed by the key"),
            "{form}: {unsigned}"
        );
        cosign.sign("other", &reference("0.2.0"));
        assert_eq!(env.run("extension update greeting-extension").code, 6, "{form}");
        cosign.sign("maker", &reference("0.2.0"));
        env.run("extension update greeting-extension").ok();
        publish(&registry, "my-org/greeting-extension:0.3.0", &asking(&GREETING, "# newer\n"), &[]);
        assert_eq!(env.run("extension update greeting-extension").code, 6, "{form}");
        env.run("trust accept greeting-extension").ok();
        env.run("extension update greeting-extension").ok();
        carried(&env, form, &registry.host());
    }
}

/// cosign and sesame verify sesame's signatures in both forms.
#[test]
#[ignore = "needs cosign, from .ci/test-servers"]
fn our_signatures_verify_everywhere() {
    let (env, registry) = (env(), registry());
    let reference = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    let cosign = Cosign { env: &env, classic: false };
    cosign.make_key("encrypted");
    env.run("trust keygen plain").ok();
    let verify = |key: &str| {
        cosign.run(&[
            "verify",
            "--key",
            key,
            "--insecure-ignore-tlog",
            "--allow-http-registry",
            &reference,
        ]);
        let verified = env.run(&format!("extension verify {reference} --key {key}")).ok().text();
        assert!(verified.contains("\tverified, "), "{verified}");
    };
    env.run(&format!("extension sign {reference} --key plain.key --form classic")).ok();
    verify("plain.pub");
    env.run_with(["extension", "sign", &reference, "--key", "encrypted.key"], b"\n").ok();
    verify("encrypted.pub");
    // A further signature of each form leaves the earlier ones.
    env.run_with(
        ["extension", "sign", &reference, "--key", "encrypted.key", "--form", "classic"],
        b"",
    )
    .ok();
    env.run(&format!("extension sign {reference} --key plain.key")).ok();
    verify("plain.pub");
    verify("encrypted.pub");
    let wrong = env.run_with(["extension", "sign", &reference, "--key", "encrypted.key"], b"wrong");
    insta::assert_snapshot!(wrong, @r#"
    exit 2
    err: error: `encrypted.key` cannot be signed with
    err: caused by: the password does not decrypt it
    "#);
    assert_eq!(env.run(&format!("extension sign {reference} --key plain.pub")).code, 2);
    assert!(env.files().iter().all(|(path, bytes)| path.ends_with("plain.key")
        || !bytes.windows(11).any(|part| part == b"PRIVATE KEY")
        || path.ends_with("encrypted.key")));
}

#[test]
#[ignore = "needs cosign and openssl, from .ci/test-servers and Debian"]
fn all_key_kinds_verify() {
    let kinds: [(&str, &[&str]); 4] = [
        ("p256", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
        ("p384", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
        ("ed25519", &["-algorithm", "ED25519"]),
        ("rsa", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"]),
    ];
    for classic in [false, true] {
        for (kind, options) in kinds {
            let (env, registry) = (env(), registry());
            let cosign = Cosign { env: &env, classic };
            let pem = format!("{kind}.pem");
            let mut openssl = Command::new("openssl");
            openssl.arg("genpkey").args(options).args(["-out", &pem]).current_dir(env.path("work"));
            assert!(openssl.output().expect("openssl runs").status.success());
            cosign.run(&["import-key-pair", "--key", &pem, "--output-key-prefix", "maker"]);
            let reference = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
            cosign.sign("maker", &reference);
            let verified =
                env.run(&format!("extension verify {reference} --key maker.pub")).to_string();
            assert!(verified.contains("\tverified, "), "{kind} {classic}: {verified}");
            env.run("trust keygen other").ok();
            assert_eq!(
                env.run(&format!("extension verify {reference} --key other.pub")).code,
                6,
                "{kind}"
            );
            if ["p256", "ed25519"].contains(&kind) {
                let signed = publish(&registry, "my-org/ours:1.0.0", &GREETING, &[]);
                let ours = format!("{}/my-org/ours@{signed}", registry.host());
                let form = if classic { "classic" } else { "bundle" };
                let sign = [
                    "extension",
                    "sign",
                    &ours.replace('@', ":1.0.0@"),
                    "--key",
                    "maker.key",
                    "--form",
                    form,
                ];
                env.run_with(sign, b"").ok();
                cosign.run(&[
                    "verify",
                    "--key",
                    "maker.pub",
                    "--insecure-ignore-tlog",
                    "--allow-http-registry",
                    &ours,
                ]);
            }
        }
    }
}

/// Attestations are listed and exported, and do not count as signatures.
#[test]
#[ignore = "needs cosign and oras, from .ci/test-servers"]
fn attestation_is_not_a_signature() {
    let (env, registry) = (env(), registry());
    let reference = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    let cosign = Cosign { env: &env, classic: false };
    cosign.make_key("maker");
    env.write("work/provenance.json", "{}");
    env.write("work/parts.spdx.json", "{}");
    let attest = [
        "attest",
        "--key",
        "maker.key",
        "--type",
        "slsaprovenance1",
        "--predicate",
        "provenance.json",
    ];
    let without_log =
        ["--tlog-upload=false", "--use-signing-config=false", "--allow-http-registry", &reference];
    cosign.run(&[&attest[..], &without_log].concat());
    cosign.run(&[&attest[..], &["--new-bundle-format=false"], &without_log].concat());
    let attach = ["attach", "--plain-http", "--artifact-type", "application/spdx+json", &reference];
    oras(&env.path("work"), &[&attach[..], &["parts.spdx.json:application/spdx+json"]].concat());
    let inspected = env.run(&format!("extension inspect {reference}")).ok().text();
    let mut attached: Vec<_> =
        inspected.lines().filter_map(|line| line.strip_prefix("attached     ")).collect();
    attached.sort_unstable();
    let provenance = "https://slsa.dev/provenance/v1";
    assert_eq!(attached, ["application/spdx+json", provenance, provenance], "{inspected}");
    let verified = env.run(&format!("extension verify {reference} --key maker.pub"));
    assert!(verified.code == 6 && verified.stderr.contains("and it is: unsigned"), "{verified}");
    env.run(&format!("extension install {reference}")).ok();
    env.run("extension export greeting-extension -o bundle.tar").ok();
    let carried =
        String::from_utf8_lossy(&std::fs::read(env.path("work/bundle.tar")).expect("there"))
            .into_owned();
    assert!(carried.contains("application/spdx+json") && carried.contains(provenance));
}

/// A bundle carries its signature, which counts where no registry can be reached.
fn carried(from: &TestEnv, form: &str, host: &str) {
    let to = env();
    for file in ["bundle.tar", "maker.pub", "other.pub"] {
        to.write(
            &format!("work/{file}"),
            std::fs::read(from.path(&format!("work/{file}"))).expect("there"),
        );
    }
    to.write(".config/pds/config.toml", "[extensions.policy]\nrequire_signature = true\n");
    to.run(&format!("trust add other.pub --for {host}")).ok();
    assert_eq!(to.run("--offline extension import bundle.tar").code, 6, "{form}");
    to.run(&format!("trust add maker.pub --for {host}/my-org")).ok();
    to.run("--offline extension import bundle.tar").ok();
    to.run("--offline extension call greeting-extension greet World").ok();
}

pub struct Cosign<'a> {
    pub env: &'a TestEnv,
    pub classic: bool,
}

impl Cosign<'_> {
    pub fn run(&self, arguments: &[&str]) {
        let mut command = Command::new(server_tools().join("cosign"));
        command.args(arguments).current_dir(self.env.path("work")).env("HOME", self.env.home());
        let output = command
            .env("COSIGN_PASSWORD", "")
            .env("COSIGN_YES", "true")
            .output()
            .expect("cosign runs");
        assert!(
            output.status.success(),
            "cosign {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn make_key(&self, name: &str) {
        self.run(&["generate-key-pair", "--output-key-prefix", name]);
    }

    fn sign(&self, key: &str, reference: &str) {
        let key = format!("{key}.key");
        let mut arguments =
            vec!["sign", "--key", &key, "--tlog-upload=false", "--use-signing-config=false"];
        if self.classic {
            arguments.push("--new-bundle-format=false");
        }
        self.run(&[&arguments[..], &[reference]].concat());
    }
}
