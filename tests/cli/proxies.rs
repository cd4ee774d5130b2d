//! Proxies from the environment are never bypassed.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use extension_depot::serve::MemoryRegistry;

use crate::support::env;

/// A proxy of the environment is used, but not for this machine.
#[test]
fn environment_proxy_is_used() {
    let (env, registry) = (env(), crate::support::registry());
    env.write(".config/pds/config.toml", "[registries.\"registry.example\"]\nplain_http = true\n");
    let install = |reference: &str, except: &str| {
        let mut command = env.command(["extension", "install", reference, "--name", "greet"]);
        command.env("http_proxy", format!("http://{}", registry.host())).env("NO_PROXY", except);
        env.finish(command, b"")
    };
    install("registry.example/my-org/greeting-extension:0.1.0", "").ok();
    assert!(
        registry
            .seen()
            .iter()
            .any(|seen| seen.path == "/v2/my-org/greeting-extension/manifests/0.1.0")
    );
    let run = install("registry.example/my-org/greeting-extension:0.1.1", "registry.example");
    assert_eq!(run.code, 8, "the name is looked up, and there is none: {run}");
    let nobody = install("127.0.0.1:1/my-org/greeting-extension:0.1.0", "");
    assert_ne!(nobody.code, 0, "{nobody}");
}

/// A proxy of an unsupported kind is an error that names the variable.
#[test]
fn unusable_proxy_names_variable() {
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

/// No spelling of a variable and no odd value bypasses the proxy, but an exception does.
#[test]
fn proxy_is_never_bypassed() {
    let (env, registry) = (env(), crate::support::registry());
    let host = format!("registry.example:{}", registry.host().rsplit(':').next().expect("a port"));
    env.write(".config/pds/config.toml", format!("[registries.\"{host}\"]\nplain_http = true\n"));
    let install = |variables: &[(&str, &OsStr)]| {
        let mut command =
            env.command(["extension", "install", &format!("{host}/my-org/greeting-extension:9")]);
        command.envs(variables.iter().copied());
        env.finish(command, b"")
    };
    let proxy = format!("http://{}", registry.host());
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        let seen = registry.seen().len();
        assert_eq!(
            install(&[(name, OsStr::new(&proxy))]).code,
            3,
            "the proxy says that it is not there"
        );
        assert!(registry.seen().len() > seen, "{name}");
    }
    let odd: [&[u8]; 6] = [
        b"socks5://127.0.0.1:1",
        b"socks4a://127.0.0.1:1",
        b"htp://p:1",
        b"http://",
        b"\xff\xfe",
        b"://p",
    ];
    for value in odd {
        let run = install(&[("ALL_PROXY", OsStr::from_bytes(value))]);
        assert!(run.code == 8 && run.stderr.contains("`ALL_PROXY`"), "{value:?}: {run}");
    }
    // The name does not resolve, so a direct connection would fail in another way.
    for except in
        ["registry.example", ".example", "*.example", "*", &host, "other.example, registry.example"]
    {
        let run =
            install(&[("http_proxy", OsStr::new("socks5://p")), ("no_proxy", OsStr::new(except))]);
        assert!(run.code == 8 && run.stderr.contains("cannot reach"), "{except}: {run}");
    }
    let run = install(&[
        ("http_proxy", OsStr::new("socks5://p")),
        ("no_proxy", OsStr::new("registry.example:1")),
    ]);
    assert!(run.stderr.contains("`http_proxy`"), "another port: {run}");
}
