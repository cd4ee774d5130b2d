//! Logins to registries: kept, found, tried, refused.

use std::process::Command;

use extension_depot::serve::{MemoryRegistry, response};

use crate::support::{env, server_tools};

/// Starts a registry that lets in only `me` with the password `SECRET`.
fn guarded() -> MemoryRegistry {
    let registry = MemoryRegistry::start_with(|seen| {
        let is_known = seen.authorization.as_deref() == Some("Basic bWU6U0VDUkVU");
        (!is_known).then(|| response(401, &[("WWW-Authenticate", "Basic")], ""))
    });
    registry.expect("a registry")
}

/// A credential helper is asked, and one that fails does not stop anonymous access.
#[test]
fn credential_helper_is_asked() {
    let (env, registry) = (env(), guarded());
    let manifest = br#"{"schemaVersion":2,"config":{},"layers":[]}"#;
    registry.put_manifest("my-org/x", "1", "application/vnd.oci.image.manifest.v1+json", manifest);
    let helper = env.write(
        "bin/docker-credential-test",
        "#!/bin/sh\ncat >/dev/null\necho '{\"Username\":\"me\",\"Secret\":\"SECRET\"}'\n",
    );
    std::fs::set_permissions(&helper, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("set");
    let install = |helper: &str| {
        env.write(
            ".docker/config.json",
            format!(r#"{{"credHelpers": {{"{}": "{helper}"}}}}"#, registry.host()),
        );
        let mut command =
            env.command(["extension", "install", &format!("{}/my-org/x:1", registry.host())]);
        command.env("PATH", format!("{}:/usr/bin:/bin", env.path("bin").display()));
        env.finish(command, b"")
    };
    let run = install("test");
    assert!(
        run.code == 6 && !run.to_string().contains("SECRET"),
        "let in, to what is no artifact: {run}"
    );
    assert_eq!(install("missing").code, 4);
}

/// A slow helper is waited for and asked once for all requests to a registry.
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
    std::fs::set_permissions(&helper, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("set");
    env.write(".docker/config.json", r#"{"credsStore": "slow"}"#);
    let install = |options: &[&str]| {
        let reference = format!("{host}/my-org/nothing:1");
        let mut command = env.command(["extension", "install", &reference].iter().chain(options));
        command.env("PATH", format!("{}:/usr/bin:/bin", env.path("bin").display()));
        env.finish(command, b"")
    };
    let run = install(&[]);
    assert_eq!(run.code, 3, "let in: {run}");
    assert!(
        run.to_string().contains("waiting for the credential helper `docker-credential-slow`"),
        "{run}"
    );
    assert_eq!(env.read("asked"), format!("{host}\n"));
    assert!(!install(&["--quiet"]).to_string().contains("waiting"));
}

#[test]
#[ignore = "needs a Secret Service, from .ci/test-servers"]
fn login_is_in_secret_service_only() {
    let (env, guarded) = (env(), guarded());
    let script = r#"
        printf SECRET | "$sesame" registry login "$registry" --username me --password-stdin
        "$sesame" extension install "$registry/my-org/nothing:1"; echo "install $?"
        "$sesame" registry logout "$registry"
        "$sesame" registry logout "$registry"
        "$sesame" extension install "$registry/my-org/nothing:1"; echo "install $?""#;
    let mut command = Command::new(server_tools().join("with-secret-service"));
    command
        .args(["sh", "-c", script])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", env.home());
    command.env("sesame", env!("CARGO_BIN_EXE_sesame")).env("registry", guarded.host());
    let run = env.finish(command, b"").ok().hiding_registry(&guarded);
    insta::assert_snapshot!(run.text().replace(&guarded.host(), "REGISTRY"), @r#"
    logged in to `REGISTRY`
    install 3
    logged out of `REGISTRY`
    already: logged out of `REGISTRY`
    install 4
    "#);
    assert!(
        env.files().iter().all(|(_, bytes)| !bytes.windows(6).any(|window| window == b"SECRET"))
    );
}

#[test]
fn login_file_is_private() {
    let (env, guarded) = (env(), guarded());
    let host = guarded.host();
    let login = ["registry", "login", &host, "--username", "me", "--store", "file"];
    insta::assert_snapshot!(env.run_with(login, b"SECRET\n").hiding_registry(&guarded), @r#"
    exit 0
    out: logged in to `REGISTRY`
    "#);
    let path = env.path(".local/state/pds/credentials.json");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(path).expect("there").permissions(),
    );
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
    out: already: logged out of `REGISTRY`
    "#);
    assert_eq!(env.run(&install).code, 4, "out again");
}

/// A login from the environment goes only to the registry that it names.
#[test]
fn environment_login_is_for_one_host() {
    let guarded = || {
        let refuse = |_: &extension_depot::serve::Seen| {
            Some(response(401, &[("WWW-Authenticate", "Basic")], ""))
        };
        MemoryRegistry::start_with(refuse).expect("a registry")
    };
    let (env, named, other) = (env(), guarded(), guarded());
    for registry in [&named, &other] {
        let mut command =
            env.command(["extension", "install", &format!("{}/my-org/x:1", registry.host())]);
        command.env("SESAME_REGISTRY", named.host());
        command.env("SESAME_REGISTRY_USERNAME", "me").env("SESAME_REGISTRY_PASSWORD", "SECRET");
        let run = env.finish(command, b"");
        assert!(run.code == 4 && !run.to_string().contains("SECRET"), "{run}");
    }
    let told =
        |registry: &MemoryRegistry| registry.seen().iter().any(|seen| seen.authorization.is_some());
    assert!(told(&named) && !told(&other));
    // A login for one command, with the password on standard input.
    let asked = other.seen().len();
    let reference = format!("{}/my-org/x:1", other.host());
    let run = env.run_with(
        ["extension", "install", &reference, "-u", "me", "--password-stdin"],
        b"SECRET\n",
    );
    assert_eq!(run.code, 4, "{run}");
    assert!(other.seen()[asked..].iter().any(|seen| seen.authorization.is_some()));
    assert!(
        env.files().iter().all(|(_, bytes)| !bytes.windows(6).any(|window| window == b"SECRET"))
    );
}

/// Without a Secret Service a login is refused and written nowhere.
#[test]
fn login_needs_a_secret_service() {
    let env = env();
    let run = env.run_with(
        ["registry", "login", "ghcr.io", "--username", "me", "--password-stdin"],
        b"SECRET\n",
    );
    assert_eq!(run.code, 9, "{run}");
    assert!(!run.to_string().contains("SECRET"), "{run}");
    assert!(!run.stderr.contains("Platform failure"), "{run}");
    assert_eq!(run.stderr.matches("caused by: ").count(), 1, "said once: {run}");
    assert_eq!(env.files(), []);
}

/// A login is kept for the host as references have it, and only after the registry accepted it.
#[test]
fn login_is_tried_before_it_is_kept() {
    let (env, guarded) = (env(), guarded());
    let host = guarded.host();
    let login = |registry: &str, password: &[u8]| {
        env.run_with(
            ["registry", "login", registry, "--username", "me", "--store", "file"],
            password,
        )
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
        assert_eq!(
            env.run(&format!("extension install {host}/my-org/nothing:1")).code,
            3,
            "let in"
        );
        env.run(&format!("registry logout {spelled}")).ok();
        assert_eq!(env.run("registry list").ok().text(), "");
    }
}

/// A failing helper is named with its message and without its secret. Public artifacts work without
/// it; the error for others has both causes.
#[test]
fn failing_helper_is_named() {
    let (env, open, closed) = (env(), crate::support::registry(), guarded());
    let helper = env.write(
        "bin/docker-credential-broken",
        "#!/bin/sh\nif grep -q other; then echo '{\"Username\":\"me\",\"Secret\":\"SECRET\"}'; else echo 'keychain is locked'; fi\nexit 1\n",
    );
    std::fs::set_permissions(&helper, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("set");
    let install = |host: &str, key: &str| {
        env.write(
            ".docker/config.json",
            format!(r#"{{"credHelpers": {{"{host}/{key}": "broken"}}}}"#),
        );
        let mut command = env.command([
            "extension",
            "install",
            &format!("{host}/{key}/greeting-extension:0.1.0"),
            "--name",
            key,
        ]);
        command.env("PATH", format!("{}:/usr/bin:/bin", env.path("bin").display()));
        env.finish(command, b"")
    };
    install(&open.host(), "my-org").ok();
    let locked = install(&closed.host(), "mine");
    assert!(locked.code == 4 && locked.stderr.contains("keychain is locked"), "{locked}");
    assert!(
        locked.stderr.contains("docker-credential-broken")
            && locked.stderr.contains(&closed.host()),
        "{locked}"
    );
    let crashed = install(&closed.host(), "other");
    assert!(crashed.code == 4 && !crashed.to_string().contains("SECRET"), "{crashed}");
}
