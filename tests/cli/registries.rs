//! Real registries and tools of others.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use extension_depot::media_type;
use serde_json::json;
use test_support::odd_registry::{Manners, OddRegistry};
use test_support::tls::{Certified, TlsServer};
use test_support::token_server::TokenServer;
use test_support::{digest_of, guest};

use crate::guest_table::archive;
use crate::support::{GREETING, TestEnv, env, manifest, oras, server_tools};

/// A command of the test servers that runs until it is dropped.
struct Server {
    child: Child,
    address: String,
    authority: Option<PathBuf>,
}

impl Server {
    fn start(options: &[&str]) -> Self {
        use std::io::BufRead;
        let mut command = Command::new(server_tools().join("with-registry"));
        command.args(options).args([
            "sh",
            "-c",
            "echo \"$SESAME_TEST_REGISTRY\"; echo \"$SESAME_TEST_REGISTRY_CA\"; exec cat >&2",
        ]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the registry starts");
        let mut lines = std::io::BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut line = || lines.next().expect("a line").expect("readable");
        let address = line();
        let authority = Some(line()).filter(|line| !line.is_empty()).map(PathBuf::from);
        Self { child, address, authority }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its input closes, which ends the registry.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn push_as_in_the_guide(env: &TestEnv, options: &[&str], registry: &str) -> String {
    env.write("work/greeting.component.wasm", &*GREETING);
    let reference = format!("{registry}/my-org/greeting-extension:0.1.0");
    let file = "greeting.component.wasm:application/vnd.wasm.component.v1+wasm";
    oras(&env.path("work"), &[&["push"], options, &[&reference, file]].concat());
    reference
}

#[test]
#[ignore = "needs docker-registry and oras, from .ci/test-servers"]
fn oras_push_of_the_guide_installs() {
    let (server, env) = (Server::start(&[]), env());
    let reference = push_as_in_the_guide(&env, &["--plain-http"], &server.address);
    let digest = oras(&env.path("work"), &["resolve", "--plain-http", &reference]);
    env.run(&format!("extension install {reference}")).ok();
    assert!(
        env.read(&manifest("greeting-extension"))
            .contains(&format!("{reference}@{}", digest.trim()))
    );
    assert_eq!(
        env.run("extension call greeting-extension greet World").ok().text(),
        "Hello, World!\n"
    );
}

#[test]
#[ignore = "needs docker-registry and oras, from .ci/test-servers"]
fn password_registry_needs_login() {
    let (server, env) = (Server::start(&["--user", "me:SECRET"]), env());
    let push = ["--plain-http", "--username", "me", "--password", "SECRET"];
    let reference = push_as_in_the_guide(&env, &push, &server.address);
    let run = env.run(&format!("extension install {reference}"));
    assert_eq!(run.code, 4, "{run}");
    // "me:SECRET" in base64, where `podman login` and `docker login` put it.
    let auths = format!(r#"{{"auths": {{"{}": {{"auth": "bWU6U0VDUkVU"}}}}}}"#, server.address);
    env.write(".config/containers/auth.json", &auths);
    env.run(&format!("extension install {reference} --name by-podman")).ok();
    std::fs::remove_file(env.path(".config/containers/auth.json")).expect("removed");
    env.write(".docker/config.json", &auths);
    env.run(&format!("extension install {reference}")).ok();
    assert!(
        env.files().iter().all(|(path, bytes)| path.ends_with("config.json")
            || !bytes.windows(6).any(|w| w == b"SECRET"))
    );
}

/// A certificate authority can be added; without it, its certificates are refused.
#[test]
#[ignore = "needs docker-registry and oras, from .ci/test-servers"]
fn own_certificate_authority_works() {
    let (server, env) = (Server::start(&["--tls"]), env());
    let authority = server.authority.as_ref().expect("with --tls").display().to_string();
    let reference = push_as_in_the_guide(&env, &["--ca-file", &authority], &server.address);
    let settings = format!("[registries.\"{}\"]\nplain_http = false\n", server.address);
    env.write(".config/pds/config.toml", settings);
    let run = env.run(&format!("extension install {reference}"));
    assert_eq!(run.code, 8, "{run}");
    let mut command = env.command(["extension", "install", &reference, "--name", "by-variable"]);
    command.env("SESAME_CA_FILE", &authority);
    env.finish(command, b"").ok();
    // For one registry, and for the hosts in its place.
    let settings = format!(
        "[registries.\"{0}\"]\nplain_http = false\nca = \"{authority}\"\n\n[registries.\"ghcr.invalid\"]\nmirrors = [\"{0}\"]\n",
        server.address
    );
    env.write(".config/pds/config.toml", &settings);
    env.run(&format!("extension install {reference} --name by-file")).ok();
    let plain = settings.replace("plain_http = false", "plain_http = true");
    env.write(".config/pds/config.toml", plain);
    insta::assert_snapshot!(env.run(&format!("extension install {reference} --name by-http")).hiding(server.address.clone(), "REGISTRY"), @r#"
    exit 6
    err: error: `REGISTRY/my-org/greeting-extension` was fetched over TLS before, and would not be now
    err: hint: remove `plain_http` for it from config.toml, or, to do it anyway, add `--allow-plain-http`
    "#);
    assert_eq!(env.run("extension update by-file").code, 6);
    assert_eq!(env.run("extension sync").code, 0, "there is nothing to fetch");
    let meant = env.run("extension update by-file --allow-plain-http");
    assert_eq!(meant.code, 8, "the registry speaks nothing but TLS: {meant}");
    env.write(".config/pds/config.toml", settings);
    env.run("trust keygen mine").ok();
    env.run(&format!("extension sign {reference} --key mine.key")).ok();
    let verified = env.run(&format!("extension verify {reference} --key mine.pub")).ok().text();
    assert!(verified.contains("\tverified, signed by "), "{verified}");
    env.run("extension install ghcr.invalid/my-org/greeting-extension:0.1.0 --name mirrored").ok();
    assert!(
        env.read(&manifest("mirrored"))
            .contains("ghcr.invalid/my-org/greeting-extension:0.1.0@sha256:")
    );
}

#[test]
#[ignore = "needs docker-registry, oras, cosign and skopeo, from .ci/test-servers and Debian"]
fn artifacts_of_other_tools_install() {
    let (server, env) = (Server::start(&[]), env());
    let (work, host) = (env.path("work"), &server.address);
    env.write("work/greeting.wasm", &*GREETING);
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        let output = command
            .args(arguments)
            .current_dir(&work)
            .env("HOME", env.home())
            .output()
            .expect("it runs");
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let cosign = server_tools().join("cosign");
    let uploaded = format!("{host}/my-org/uploaded:1.0.0");
    run(
        &cosign.to_string_lossy(),
        &["upload", "wasm", "--allow-insecure-registry", "-f", "greeting.wasm", &uploaded],
    );
    let (from, to) =
        (format!("docker://{uploaded}"), format!("docker://{host}/my-org/copied:1.0.0"));
    run("skopeo", &["copy", "--src-tls-verify=false", "--dest-tls-verify=false", &from, &to]);
    run("skopeo", &["copy", "--src-tls-verify=false", &from, "oci:layout:1.0.0"]);
    let untyped = format!("{host}/my-org/untyped:1.0.0");
    oras(&work, &["push", "--plain-http", &untyped, "greeting.wasm"]);
    for source in [
        uploaded.clone(),
        format!("{host}/my-org/copied:1.0.0"),
        "oci:layout:1.0.0".to_owned(),
        untyped,
    ] {
        let name = source.split(['/', ':']).rev().nth(1).expect("a name").to_owned();
        env.run(&format!("extension install {source} --name {name}")).ok();
        assert_eq!(
            env.run(&format!("extension call {name} greet World")).ok().text(),
            "Hello, World!\n"
        );
    }
}

/// Writes an image for `wasi/wasm` as container tools build it `FROM scratch`, with its attestation, as
/// a layout.
fn write_image(env: &TestEnv, layout: &str) {
    let put = |media_type: &str, bytes: &[u8]| {
        let digest = digest_of(bytes);
        env.write(&format!("{layout}/blobs/{}", digest.replace(':', "/")), bytes);
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    };
    let image = |os: &str, media_type: &str, layer: &[u8]| {
        let rootfs = json!({"type": "layers", "diff_ids": [digest_of(layer)]});
        let config = json!({"architecture": "wasm", "os": os, "rootfs": rootfs});
        let manifest = json!({"schemaVersion": 2, "mediaType": media_type::MANIFEST,
            "config": put(media_type::IMAGE_CONFIG, config.to_string().as_bytes()),
            "layers": [put(media_type, layer)]});
        put(media_type::MANIFEST, manifest.to_string().as_bytes())
    };
    let mut wasi = image("wasi", "application/vnd.oci.image.layer.v1.tar", &archive(&GREETING));
    wasi["platform"] = json!({"architecture": "wasm", "os": "wasi"});
    let mut attestation = image("unknown", "application/vnd.in-toto+json", b"{}");
    attestation["platform"] = json!({"architecture": "unknown", "os": "unknown"});
    attestation["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": wasi["digest"]});
    let index = json!({"schemaVersion": 2, "mediaType": media_type::INDEX, "manifests": [wasi, attestation]});
    let mut tagged = put(media_type::INDEX, index.to_string().as_bytes());
    tagged["annotations"] = json!({"org.opencontainers.image.ref.name": "1.0.0"});
    env.write(
        &format!("{layout}/index.json"),
        json!({"schemaVersion": 2, "manifests": [tagged]}).to_string(),
    );
    env.write(&format!("{layout}/oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#);
}

/// An image with its attestation installs from an index, and in Docker's own form, as registries and
/// older tools make it.
#[test]
#[ignore = "needs docker-registry and skopeo, from Debian"]
fn container_images_install() {
    let (server, env) = (Server::start(&[]), env());
    write_image(&env, "work/image");
    let host = &server.address;
    let push = |name: &str, options: &[&str]| {
        let to = format!("docker://{host}/my-org/{name}:1.0.0");
        let mut command = Command::new("skopeo");
        command.args(["copy", "--dest-tls-verify=false"]).args(options);
        command.args(["oci:image:1.0.0", &to]).current_dir(env.path("work"));
        let output = command.env("HOME", env.home()).output().expect("skopeo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let wasi = ["--override-os", "wasi", "--override-arch", "wasm"];
    push("index", &["--all"]);
    push("docker", &[&["--format", "v2s2"], &wasi[..]].concat());
    push("zstd", &[&["--dest-compress-format", "zstd"], &wasi[..]].concat());
    let sources = ["index", "docker", "zstd"].map(|name| format!("{host}/my-org/{name}:1.0.0"));
    for source in sources.iter().map(String::as_str).chain(["oci:image:1.0.0"]) {
        let name = source.split(['/', ':']).rev().nth(1).expect("a name");
        env.run(&format!("extension inspect {source}")).ok();
        env.run(&format!("extension install {source} --name {name}")).ok();
        let run = env.run(&format!("extension call {name} greet World")).ok();
        assert_eq!(run.text(), "Hello, World!\n");
    }
}

#[test]
#[ignore = "needs oras, from .ci/test-servers"]
fn oras_reads_our_layout_and_registry() {
    let (env, registry) = (env(), crate::support::registry());
    let reference = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    env.run(&format!("extension install {reference}")).ok();
    let work = env.path("work");
    let layout = format!("{}:greeting-extension", env.path(".config/pds/extensions").display());
    let manifest = oras(&work, &["manifest", "fetch", "--oci-layout", &layout]);
    assert!(manifest.contains("application/wasm"), "{manifest}");
    oras(
        &work,
        &["cp", "--from-oci-layout", &layout, "--to-oci-layout", "copy:greeting-extension"],
    );
    env.run("extension install oci:copy:greeting-extension --name copied").ok();
    oras(&work, &["pull", "--plain-http", &reference]);
    assert_eq!(std::fs::read(work.join("x.wasm")).expect("pulled"), *GREETING);
}

/// A certificate that is wrong in any way ends the connection, and nothing is sent without TLS.
#[test]
fn bad_certificate_is_refused() {
    let all = [
        (Certified::Well, 3),
        (Certified::Otherwise, 8),
        (Certified::Formerly, 8),
        (Certified::Someday, 8),
        (Certified::Alone, 8),
        (Certified::Plain, 8),
    ];
    for (certified, code) in all {
        let (env, server) = (env(), TlsServer::start(certified).expect("a server"));
        server.write_authority(&env.path("authority.pem")).expect("written");
        env.write(
            ".config/pds/config.toml",
            format!("[registries.\"{}\"]\nplain_http = false\n", server.host()),
        );
        let mut command =
            env.command(["extension", "install", &format!("{}/my-org/x:1.0.0", server.host())]);
        command
            .env("SESAME_CA_FILE", env.path("authority.pem"))
            .env("SESAME_REGISTRY", server.host());
        command.env("SESAME_REGISTRY_USERNAME", "me").env("SESAME_REGISTRY_PASSWORD", "SECRET");
        let run = env.finish(command, b"");
        assert_eq!(run.code, code, "{certified:?}: {run}");
        assert_eq!(
            server.requests().is_empty(),
            certified != Certified::Well,
            "{certified:?}: {:?}",
            server.requests()
        );
    }
}

/// Makes an environment with the files and the key of an author.
fn author() -> TestEnv {
    let env = env();
    env.write("work/greeting.wasm", &*GREETING);
    env.write("work/release.wasm", guest("ingress-as"));
    env.run("trust keygen mine").ok();
    env
}

fn log_in(env: &TestEnv, host: &str) {
    env.run_with(
        ["registry", "login", host, "--username", "me", "--store", "file", "--password-stdin"],
        b"SECRET",
    )
    .ok();
}

/// Does all of it with a registry: publish, sign in both forms, verify, list, install, publish in
/// the form of Suffiks.
fn go_around(env: &TestEnv, host: &str) {
    let repository = format!("{host}/my-org/greeting-extension");
    for version in ["0.1.0", "0.2.0", "0.10.0", "0.3.0", "0.4.0"] {
        env.run(&format!("extension publish {repository}:{version} greeting.wasm")).ok();
    }
    for (version, form) in [("0.1.0", "classic"), ("0.10.0", "bundle")] {
        env.run(&format!("extension sign {repository}:{version} --key mine.key --form {form}"))
            .ok();
        let verified =
            env.run(&format!("extension verify {repository}:{version} --key mine.pub")).ok().text();
        assert!(verified.contains("\tverified, signed by "), "{form}: {verified}");
    }
    let tags = env.run(&format!("registry tags {repository}")).ok().text();
    assert_eq!(tags, "0.10.0\n0.4.0\n0.3.0\n0.2.0\n0.1.0\n");
    env.run(&format!("extension install {repository} --key mine.pub")).ok();
    assert!(
        env.read(&manifest("greeting-extension")).contains(&format!("{repository}:0.10.0@sha256:"))
    );
    assert_eq!(
        env.run("extension call greeting-extension greet World").ok().text(),
        "Hello, World!\n"
    );
    let module = format!("{host}/my-org/wasi/ingress-as:v0.1.0");
    env.run(&format!("wasi publish --tag {module} release.wasm")).ok();
    env.run(&format!("extension install {module}")).ok();
}

/// Checks that each writing command tells an anonymous user that writing is denied, with the host.
fn strangers_may_not_write(host: &str) {
    let env = author();
    for line in [
        format!("extension publish {host}/my-org/other:1.0.0 greeting.wasm"),
        format!("wasi publish --tag {host}/my-org/wasi/other:v1 release.wasm"),
        format!("extension sign {host}/my-org/greeting-extension:0.2.0 --key mine.key"),
    ] {
        let run = env.run(&line);
        assert!(
            run.code == 4 && run.stderr.contains(&format!("registry `{host}`")),
            "{line}: {run}"
        );
    }
}

/// A registry with the manners of Nexus, Harbor, Gitea and zot, for each kind of upload.
#[test]
fn odd_registry_is_served() {
    let chunks = Manners { takes_whole: false, takes_chunks: true, ..Manners::default() };
    for manners in [Manners::default(), chunks] {
        let (registry, env) = (OddRegistry::start(manners).expect("a registry"), author());
        let host = registry.host();
        env.run_with(
            ["registry", "login", &host, "--username", "me", "--store", "file", "--no-verify"],
            b"SECRET",
        )
        .ok();
        go_around(&env, &host);
        let reads = registry
            .seen()
            .into_iter()
            .filter(|seen| matches!(seen.method.as_str(), "GET" | "HEAD"));
        assert_eq!(
            reads.filter(|seen| seen.authorization.is_some()).count(),
            0,
            "what is open is read without the login"
        );
        strangers_may_not_write(&host);
    }
}

#[test]
#[ignore = "needs docker-registry, from .ci/test-servers"]
fn docker_registry_is_served() {
    let (server, env) = (Server::start(&[]), author());
    go_around(&env, &server.address);
}

#[test]
#[ignore = "needs docker-registry, from .ci/test-servers"]
fn docker_registry_takes_passwords() {
    let (server, env) = (Server::start(&["--user", "me:SECRET"]), author());
    log_in(&env, &server.address);
    go_around(&env, &server.address);
    strangers_may_not_write(&server.address);
    let wrong = env.run_with(
        ["registry", "login", &server.address, "--username", "me", "--store", "file"],
        b"WRONG",
    );
    assert_eq!(wrong.code, 4, "{wrong}");
}

#[test]
#[ignore = "needs docker-registry, from .ci/test-servers"]
fn docker_registry_takes_tokens() {
    let (tokens, env) = (TokenServer::start().expect("a token service"), author());
    let [authority, signer] = ["authority.pem", "signer.pem"].map(|name| env.path(name));
    tokens.write_authority(&authority).expect("written");
    tokens.write_signer(&signer).expect("written");
    let server = Server::start(&["--token", &tokens.realm(), &signer.display().to_string()]);
    let host = &server.address;
    let not_paired = env.run(&format!("registry tags {host}/my-org/greeting-extension"));
    assert!(not_paired.code == 8 && not_paired.stderr.contains("not paired with"), "{not_paired}");
    let config = format!(
        "[registries.\"{host}\"]\ntoken_hosts = [\"{}\"]\nca = \"{}\"\n",
        tokens.host(),
        authority.display()
    );
    env.write(".config/pds/config.toml", &config);
    let wrong =
        env.run_with(["registry", "login", host, "--username", "me", "--store", "file"], b"WRONG");
    assert_eq!(wrong.code, 4, "{wrong}");
    log_in(&env, host);
    go_around(&env, host);
    // Anonymous users read public artifacts, and an expired login does not hinder them.
    let public = format!("{host}/public/greeting:0.1.0");
    env.run(&format!("extension publish {public} greeting.wasm")).ok();
    let stranger = author();
    stranger.write(".config/pds/config.toml", &config);
    stranger.run(&format!("extension install {public} --name anonymous")).ok();
    // `me:EXPIRED` in base64.
    stranger.write(
        ".docker/config.json",
        format!(r#"{{"auths": {{"{host}": {{"auth": "bWU6RVhQSVJFRA=="}}}}}}"#),
    );
    let expired = stranger.run(&format!("extension install {public} --name expired"));
    assert!(
        expired.stderr.contains(".docker/config.json` is refused; access is anonymous"),
        "{expired}"
    );
    expired.ok();
    let refused =
        stranger.run(&format!("extension publish {host}/public/other:1.0.0 greeting.wasm"));
    let private = stranger
        .run(&format!("extension install {host}/my-org/greeting-extension:0.1.0 --name private"));
    assert_eq!((refused.code, private.code), (4, 4), "{refused} {private}");
}

/// cosign verifies sesame's signatures in a registry with a login, and the other way round.
#[test]
#[ignore = "needs docker-registry, oras and cosign, from .ci/test-servers"]
fn cosign_agrees_behind_a_login() {
    let (server, env) = (Server::start(&["--user", "me:SECRET"]), author());
    let host = &server.address;
    log_in(&env, host);
    // "me:SECRET" in base64, where cosign looks for it.
    env.write(
        ".docker/config.json",
        format!(r#"{{"auths": {{"{host}": {{"auth": "bWU6U0VDUkVU"}}}}}}"#),
    );
    let cosign = |arguments: &[&str]| {
        let mut command = Command::new(server_tools().join("cosign"));
        command
            .args(arguments)
            .current_dir(env.path("work"))
            .env("HOME", env.home())
            .env("COSIGN_PASSWORD", "");
        let output = command.env("COSIGN_YES", "true").output().expect("it runs");
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    for (version, form) in [("0.1.0", "classic"), ("0.2.0", "bundle")] {
        let reference = format!("{host}/my-org/greeting-extension:{version}");
        env.run(&format!("extension publish {reference} greeting.wasm")).ok();
        env.run(&format!("extension sign {reference} --key mine.key --form {form}")).ok();
        cosign(&["verify", "--key", "mine.pub", "--insecure-ignore-tlog", &reference]);
    }
    cosign(&["generate-key-pair"]);
    for (version, form) in [("0.3.0", "false"), ("0.4.0", "true")] {
        let reference = format!("{host}/my-org/greeting-extension:{version}");
        env.run(&format!("extension publish {reference} greeting.wasm")).ok();
        let login = ["--plain-http", "--username", "me", "--password", "SECRET"];
        let digest = oras(&env.path("work"), &[&["resolve"], &login[..], &[&reference]].concat());
        let pinned = format!("{host}/my-org/greeting-extension@{}", digest.trim());
        let form = format!("--new-bundle-format={form}");
        cosign(&[
            "sign",
            "--key",
            "cosign.key",
            "--tlog-upload=false",
            "--use-signing-config=false",
            &form,
            &pinned,
        ]);
        let verified =
            env.run(&format!("extension verify {reference} --key cosign.pub")).ok().text();
        assert!(verified.contains("\tverified, signed by "), "{form}: {verified}");
    }
}
