//! Real registries and other people's tools.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use extension_depot::serve::{MemoryRegistry, response};

use test_support::tls::{Certified, TlsServer};

use crate::support::{GREETING, TestEnv, env, manifest, oras, server_tools};

/// A command of the test servers that runs as long as this lives.
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
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the registry starts");
        let mut lines = std::io::BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut line = || lines.next().expect("a line").expect("readable");
        let address = line();
        let authority = Some(line()).filter(|line| !line.is_empty()).map(PathBuf::from);
        Self { child, address, authority }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its input closes, and with it the registry ends.
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

/// A registry that lets in nobody but `me` with the password `SECRET`.
fn guarded() -> MemoryRegistry {
    let registry = MemoryRegistry::start_with(|seen| {
        let is_known = seen.authorization.as_deref() == Some("Basic bWU6U0VDUkVU");
        (!is_known).then(|| response(401, &[("WWW-Authenticate", "Basic")], ""))
    });
    registry.expect("a registry")
}

#[test]
fn a_proxy_of_the_environment_is_used_and_not_for_this_machine() {
    let (env, registry) = (env(), crate::support::registry());
    env.write(".config/pds/config.toml", "[registries.\"registry.example\"]\nplain_http = true\n");
    let install = |reference: &str, except: &str| {
        let mut command = env.command(["extension", "install", reference, "--name", "greet"]);
        command.env("http_proxy", format!("http://{}", registry.host())).env("NO_PROXY", except);
        env.finish(command, b"")
    };
    install("registry.example/my-org/greeting-extension:0.1.0", "").ok();
    assert!(registry.seen().iter().any(|seen| seen.path == "/v2/my-org/greeting-extension/manifests/0.1.0"));
    let run = install("registry.example/my-org/greeting-extension:0.1.1", "registry.example");
    assert_eq!(run.code, 8, "the name is looked up, and there is none: {run}");
    let nobody = install("127.0.0.1:1/my-org/greeting-extension:0.1.0", "");
    assert_ne!(nobody.code, 0, "{nobody}");
}

#[test]
fn a_credential_helper_is_asked_and_one_that_fails_is_no_obstacle() {
    let (env, registry) = (env(), guarded());
    let manifest = br#"{"schemaVersion":2,"config":{},"layers":[]}"#;
    registry.put_manifest("my-org/x", "1", "application/vnd.oci.image.manifest.v1+json", manifest);
    let helper = env.write(
        "bin/docker-credential-test",
        "#!/bin/sh\ncat >/dev/null\necho '{\"Username\":\"me\",\"Secret\":\"SECRET\"}'\n",
    );
    std::fs::set_permissions(&helper, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    let install = |helper: &str| {
        env.write(".docker/config.json", format!(r#"{{"credHelpers": {{"{}": "{helper}"}}}}"#, registry.host()));
        let mut command = env.command(["extension", "install", &format!("{}/my-org/x:1", registry.host())]);
        command.env("PATH", format!("{}:/usr/bin:/bin", env.path("bin").display()));
        env.finish(command, b"")
    };
    let run = install("test");
    assert!(run.code == 6 && !run.to_string().contains("SECRET"), "let in, to what is no artifact: {run}");
    assert_eq!(install("missing").code, 4);
}

/// A slow helper is waited for and asked once, whatever is asked of the registry.
#[test]
fn slow_helper_is_asked_once() {
    let (env, registry) = (env(), guarded());
    let host = registry.host();
    let script = format!(
        "#!/bin/sh\nread server\necho \"$server\" >> {}\nsleep 2.5\necho '{}'\n",
        env.path("asked").display(),
        r#"{"Username":"me","Secret":"SECRET"}"#
    );
    let helper = env.write("bin/docker-credential-slow", script);
    std::fs::set_permissions(&helper, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    env.write(".docker/config.json", r#"{"credsStore": "slow"}"#);
    let install = |options: &[&str]| {
        let reference = format!("{host}/my-org/nothing:1");
        let mut command = env.command(["extension", "install", &reference].iter().chain(options));
        command.env("PATH", format!("{}:/usr/bin:/bin", env.path("bin").display()));
        env.finish(command, b"")
    };
    let run = install(&[]);
    assert_eq!(run.code, 3, "let in: {run}");
    assert!(run.to_string().contains("waiting for the credential helper `docker-credential-slow`"), "{run}");
    assert_eq!(env.read("asked"), format!("{host}\n"));
    assert!(!install(&["--quiet"]).to_string().contains("waiting"));
}

#[test]
#[ignore = "needs docker-registry and oras, from .ci/test-servers"]
fn what_oras_pushes_as_in_the_guide_is_installed_and_called() {
    let (server, env) = (Server::start(&[]), env());
    let reference = push_as_in_the_guide(&env, &["--plain-http"], &server.address);
    let digest = oras(&env.path("work"), &["resolve", "--plain-http", &reference]);
    env.run(&format!("extension install {reference}")).ok();
    assert!(env.read(&manifest("greeting-extension")).contains(&format!("{reference}@{}", digest.trim())));
    assert_eq!(env.run("extension call greeting-extension greet World").ok().text(), "Hello, World!\n");
}

#[test]
#[ignore = "needs docker-registry and oras, from .ci/test-servers"]
fn a_registry_with_passwords_lets_in_who_is_logged_in() {
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
        env.files()
            .iter()
            .all(|(path, bytes)| path.ends_with("config.json") || !bytes.windows(6).any(|w| w == b"SECRET"))
    );
}

#[test]
#[ignore = "needs docker-registry and oras, from .ci/test-servers"]
fn a_certificate_authority_can_be_added_and_none_is_believed_without() {
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
    // For one registry, and for what is asked in its place.
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
    err: error: what came from `REGISTRY/my-org/greeting-extension` came over TLS so far, and now would not
    err: hint: remove `plain_http` for it from config.toml, or, if it is meant, add `--allow-plain-http`
    "#);
    assert_eq!(env.run("extension update by-file").code, 6);
    assert_eq!(env.run("extension sync").code, 0, "there is nothing to fetch");
    let meant = env.run("extension update by-file --allow-plain-http");
    assert_eq!(meant.code, 8, "the registry speaks nothing but TLS: {meant}");
    env.write(".config/pds/config.toml", settings);
    env.run("trust keygen mine").ok();
    env.run(&format!("extension sign {reference} --key mine.key")).ok();
    let verified = env.run(&format!("extension verify {reference} --key mine.pub")).ok().text();
    assert!(verified.contains("signature: verified"), "{verified}");
    env.run("extension install ghcr.invalid/my-org/greeting-extension:0.1.0 --name mirrored").ok();
    assert!(env.read(&manifest("mirrored")).contains("ghcr.invalid/my-org/greeting-extension:0.1.0@sha256:"));
}

#[test]
#[ignore = "needs docker-registry, oras, cosign and skopeo, from .ci/test-servers and Debian"]
fn what_other_tools_publish_and_copy_is_installed() {
    let (server, env) = (Server::start(&[]), env());
    let (work, host) = (env.path("work"), &server.address);
    env.write("work/greeting.wasm", &*GREETING);
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        let output = command.args(arguments).current_dir(&work).env("HOME", env.home()).output().expect("it runs");
        assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let cosign = server_tools().join("cosign");
    let uploaded = format!("{host}/my-org/uploaded:1.0.0");
    run(&cosign.to_string_lossy(), &["upload", "wasm", "--allow-insecure-registry", "-f", "greeting.wasm", &uploaded]);
    let (from, to) = (format!("docker://{uploaded}"), format!("docker://{host}/my-org/copied:1.0.0"));
    run("skopeo", &["copy", "--src-tls-verify=false", "--dest-tls-verify=false", &from, &to]);
    run("skopeo", &["copy", "--src-tls-verify=false", &from, "oci:layout:1.0.0"]);
    for source in [uploaded.clone(), format!("{host}/my-org/copied:1.0.0"), "oci:layout:1.0.0".to_owned()] {
        let name = source.split(['/', ':']).rev().nth(1).expect("a name").to_owned();
        env.run(&format!("extension install {source} --name {name}")).ok();
        assert_eq!(env.run(&format!("extension call {name} greet World")).ok().text(), "Hello, World!\n");
    }
}

#[test]
#[ignore = "needs oras, from .ci/test-servers"]
fn oras_reads_the_layout_of_installed_extensions_and_pulls_from_our_registry() {
    let (env, registry) = (env(), crate::support::registry());
    let reference = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    env.run(&format!("extension install {reference}")).ok();
    let work = env.path("work");
    let layout = format!("{}:greeting-extension", env.path(".config/pds/extensions").display());
    let manifest = oras(&work, &["manifest", "fetch", "--oci-layout", &layout]);
    assert!(manifest.contains("application/wasm"), "{manifest}");
    oras(&work, &["cp", "--from-oci-layout", &layout, "--to-oci-layout", "copy:greeting-extension"]);
    env.run("extension install oci:copy:greeting-extension --name copied").ok();
    oras(&work, &["pull", "--plain-http", &reference]);
    assert_eq!(std::fs::read(work.join("x.wasm")).expect("pulled"), *GREETING);
}

#[test]
#[ignore = "needs a Secret Service, from .ci/test-servers"]
fn a_login_lives_in_the_secret_service_and_nowhere_else() {
    let (env, guarded) = (env(), guarded());
    let script = r#"
        printf SECRET | "$sesame" registry login "$registry" --username me --password-stdin
        "$sesame" extension install "$registry/my-org/nothing:1"; echo "install $?"
        "$sesame" registry logout "$registry"
        "$sesame" registry logout "$registry"
        "$sesame" extension install "$registry/my-org/nothing:1"; echo "install $?""#;
    let mut command = Command::new(server_tools().join("with-secret-service"));
    command.args(["sh", "-c", script]).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", env.home());
    command.env("sesame", env!("CARGO_BIN_EXE_sesame")).env("registry", guarded.host());
    let run = env.finish(command, b"").ok().hiding_registry(&guarded);
    insta::assert_snapshot!(run.text().replace(&guarded.host(), "REGISTRY"), @r#"
    logged in to `REGISTRY`
    install 3
    logged out of `REGISTRY`
    logged out of `REGISTRY` already
    install 4
    "#);
    assert!(env.files().iter().all(|(_, bytes)| !bytes.windows(6).any(|window| window == b"SECRET")));
}

#[test]
fn a_login_can_be_kept_in_a_file_that_is_its_users_alone() {
    let (env, guarded) = (env(), guarded());
    let host = guarded.host();
    let login = ["registry", "login", &host, "--username", "me", "--store", "file"];
    insta::assert_snapshot!(env.run_with(login, b"SECRET\n").hiding_registry(&guarded), @r#"
    exit 0
    out: logged in to `REGISTRY`
    "#);
    let path = env.path(".local/state/pds/credentials.json");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).expect("there").permissions());
    assert_eq!(mode & 0o777, 0o600);
    let install = format!("extension install {host}/my-org/nothing:1");
    assert_eq!(env.run(&install).code, 3, "let in");
    insta::assert_snapshot!(env.run("registry list").hiding_registry(&guarded), @r#"
    exit 0
    out: REGISTRY	~/.local/state/pds/credentials.json
    "#);
    insta::assert_snapshot!(env.run(&format!("registry logout {host}")).hiding_registry(&guarded), @r#"
    exit 0
    out: logged out of `REGISTRY`
    "#);
    insta::assert_snapshot!(env.run(&format!("registry logout {host}")).hiding_registry(&guarded), @r#"
    exit 0
    out: logged out of `REGISTRY` already
    "#);
    assert_eq!(env.run(&install).code, 4, "out again");
}

#[test]
fn a_login_of_the_environment_is_for_the_registry_that_it_names_and_for_no_other() {
    let guarded = || {
        let refuse = |_: &extension_depot::serve::Seen| Some(response(401, &[("WWW-Authenticate", "Basic")], ""));
        MemoryRegistry::start_with(refuse).expect("a registry")
    };
    let (env, named, other) = (env(), guarded(), guarded());
    for registry in [&named, &other] {
        let mut command = env.command(["extension", "install", &format!("{}/my-org/x:1", registry.host())]);
        command.env("SESAME_REGISTRY", named.host());
        command.env("SESAME_REGISTRY_USERNAME", "me").env("SESAME_REGISTRY_PASSWORD", "SECRET");
        let run = env.finish(command, b"");
        assert!(run.code == 4 && !run.to_string().contains("SECRET"), "{run}");
    }
    let told = |registry: &MemoryRegistry| registry.seen().iter().any(|seen| seen.authorization.is_some());
    assert!(told(&named) && !told(&other));
    // And for once, with the password on standard input.
    let asked = other.seen().len();
    let reference = format!("{}/my-org/x:1", other.host());
    let run = env.run_with(["extension", "install", &reference, "-u", "me", "--password-stdin"], b"SECRET\n");
    assert_eq!(run.code, 4, "{run}");
    assert!(other.seen()[asked..].iter().any(|seen| seen.authorization.is_some()));
    assert!(env.files().iter().all(|(_, bytes)| !bytes.windows(6).any(|window| window == b"SECRET")));
}

#[test]
fn without_a_secret_service_a_login_is_refused_and_written_nowhere() {
    let env = env();
    let run = env.run_with(["registry", "login", "ghcr.io", "--username", "me", "--password-stdin"], b"SECRET\n");
    assert_eq!(run.code, 9, "{run}");
    assert!(!run.to_string().contains("SECRET"), "{run}");
    assert_eq!(env.files(), []);
}

#[test]
fn a_certificate_that_is_wrong_in_any_way_ends_it_and_nothing_is_said_without_tls() {
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
        env.write(".config/pds/config.toml", format!("[registries.\"{}\"]\nplain_http = false\n", server.host()));
        let mut command = env.command(["extension", "install", &format!("{}/my-org/x:1.0.0", server.host())]);
        command.env("SESAME_CA_FILE", env.path("authority.pem")).env("SESAME_REGISTRY", server.host());
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

/// A login is kept for the host as references have it, and only after the registry has taken it.
#[test]
fn login_is_tried_before_it_is_kept() {
    let (env, guarded) = (env(), guarded());
    let host = guarded.host();
    let login = |registry: &str, password: &[u8]| {
        env.run_with(["registry", "login", registry, "--username", "me", "--store", "file"], password)
    };
    insta::assert_snapshot!(login(&host, b"WRONG").hiding_registry(&guarded), @r#"
    exit 4
    err: error: the registry `REGISTRY` refuses the login of `me`
    err: hint: check the user name and the password, or add `--no-verify` to keep the login untried
    "#);
    assert_eq!(login("localhost:1", b"SECRET").code, 8);
    assert_eq!(env.run("registry list").ok().text(), "");
    for spelled in [format!("oci://{host}"), format!("https://{host}/")] {
        login(&spelled, b"SECRET").ok();
        assert_eq!(env.run(&format!("extension install {host}/my-org/nothing:1")).code, 3, "let in");
        env.run(&format!("registry logout {spelled}")).ok();
        assert_eq!(env.run("registry list").ok().text(), "");
    }
}

/// A proxy that sesame cannot speak to is an error that names the variable.
#[test]
fn unusable_proxy_names_its_variable() {
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    env.write(".config/pds/config.toml", "[registries.\"registry.example\"]\nplain_http = true\n");
    let mut command = env.command(["extension", "install", "registry.example/my-org/x:0.1.0"]);
    command.env("ALL_PROXY", format!("socks5h://{}", registry.host()));
    insta::assert_snapshot!(env.finish(command, b""), @r#"
    exit 8
    err: error: cannot use the proxy of the scheme `socks5h` that `ALL_PROXY` names
    err: hint: set `ALL_PROXY` to the `http://` address of a proxy, or name the host in NO_PROXY
    "#);
    assert!(registry.seen().is_empty());
}
