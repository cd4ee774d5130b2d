//! Files as sources: by address, with a digest, and references that only resemble them.

use core_types::Digest;
use extension_depot::serve::{MemoryRegistry, response};
use sha2::{Digest as _, Sha256};
use test_support::tls::{Certified, TlsServer};

use crate::support::{ECHO, GREETING, TestEnv, env, manifest};

/// Starts a server that has only the greeting extension as a file, and redirects `/moved`.
fn server() -> MemoryRegistry {
    let greeting = GREETING.clone();
    let server = MemoryRegistry::start_with(move |seen| {
        Some(match seen.path.as_str() {
            "/dl/greeting.wasm" | "/dl/greeting.wasm?token=SECRET" => {
                response(200, &[], greeting.clone())
            }
            "/moved/greeting.wasm" => response(302, &[("Location", "/dl/greeting.wasm")], ""),
            "/outside/greeting.wasm" => response(302, &[("Location", "file:///etc/passwd")], ""),
            _ => response(404, &[], ""),
        })
    });
    server.expect("a server")
}

fn digest(bytes: &[u8]) -> String {
    Digest::from_sha256(Sha256::digest(bytes).into()).hex()
}

fn install(env: &TestEnv, server: &MemoryRegistry, path: &str, options: &str) -> test_support::Run {
    env.run(&format!("extension install http://{}{path} {options}", server.host()))
        .hiding_registry(server)
}

#[test]
fn file_address_works_like_a_path() {
    let env = env();
    let file =
        env.write("work/a b/greeting.wasm", &*GREETING).display().to_string().replace(' ', "%20");
    env.run(&format!("extension install file://{file}")).ok();
    env.run("extension call greeting greet World").ok();
    insta::assert_snapshot!(env.run("extension install file://elsewhere/x.wasm"), @r#"
    exit 2
    err: error: invalid value 'file://elsewhere/x.wasm' for '<SOURCE>': `file://elsewhere/x.wasm` cannot be used as the address of a file: a file lies on this machine: write `file:///` and its path
    err: 
    err: For more information, try '--help'.
    "#);
}

/// An address of another scheme is answered with the kinds of sources, and not as a missing file.
#[test]
fn other_schemes_name_the_sources() {
    let env = env();
    insta::assert_snapshot!(env.run("extension install ftp://example.com/x.wasm"), @r#"
    exit 2
    err: error: invalid value 'ftp://example.com/x.wasm' for '<SOURCE>': `ftp://example.com/x.wasm` cannot be used as the address of a file: only `https://` with `--sha256`, `file://`, a path, `oci:PATH` and a reference to a registry are sources
    err: 
    err: For more information, try '--help'.
    "#);
    insta::assert_snapshot!(env.run("extension inspect s3://bucket/x"), @r#"
    exit 2
    err: error: `s3://bucket/x`: `s3://bucket/x` cannot be used as the address of a file: only `https://` with `--sha256`, `file://`, a path, `oci:PATH` and a reference to a registry are sources
    "#);
    insta::assert_snapshot!(env.run("extension inspect file:./x.wasm"), @r#"
    exit 2
    err: error: `file:./x.wasm`: `file:./x.wasm` cannot be used as the address of a file: write `file://` and an absolute path, or the path alone
    "#);
    for (source, answer) in [
        ("s3://bucket/x", "are sources"),
        ("git://example.com/x", "are sources"),
        ("ssh://example.com/x.wasm", "are sources"),
        ("git+ssh://example.com/x.wasm", "are sources"),
        ("ftp://example.com/x.wasm", "are sources"),
        ("file:./x.wasm", "write `file://` and an absolute path, or the path alone"),
        ("file:/abs/x.wasm", "write `file://` and an absolute path, or the path alone"),
    ] {
        for verb in ["install", "inspect"] {
            let run = env.run(&format!("extension {verb} {source}"));
            assert!(run.code == 2 && run.stderr.contains(answer), "{run}");
        }
    }
}

/// The name of a file without a path is answered with the path.
#[test]
fn file_name_is_answered_with_a_path() {
    let env = env();
    env.write("work/x.wat", "( module )");
    insta::assert_snapshot!(env.run("extension install x.wat"), @r#"
    exit 2
    err: error: invalid value 'x.wat' for '<SOURCE>': the path of a file begins with `./`: type `./x.wat`
    err: 
    err: For more information, try '--help'.
    "#);
    insta::assert_snapshot!(env.run("extension inspect x.wat"), @r#"
    exit 2
    err: error: `x.wat`: the path of a file begins with `./`: type `./x.wat`
    "#);
    insta::assert_snapshot!(env.run("extension inspect bundle.tar"), @r#"
    exit 2
    err: error: `bundle.tar`: a tar is an OCI layout or a bundle: type `oci:bundle.tar`, or `sesame extension import bundle.tar`
    "#);
    insta::assert_snapshot!(env.run("extension inspect list.toml"), @r#"
    exit 2
    err: error: `list.toml`: a list of extensions is installed with `sesame extension sync list.toml`
    "#);
    for verb in ["install", "inspect"] {
        let run = env.run(&format!("extension {verb} ./x.wat"));
        assert!(run.code == 1 && run.stderr.contains("in its text form"), "{run}");
    }
    // The ending `.wasm` is that of a file in any case.
    env.write("work/greeting.wasm", &*GREETING);
    env.run("extension inspect greeting.wasm").ok();
    env.run("extension install greeting.wasm").ok();
}

#[test]
fn download_needs_its_digest() {
    let (env, server) = (env(), server());
    insta::assert_snapshot!(install(&env, &server, "/dl/greeting.wasm", ""), @r#"
    exit 2
    err: error: cannot download `http://REGISTRY/dl/greeting.wasm` without its digest
    err: download it yourself, then: sesame extension install ./greeting.wasm
    err: hint: add the expected digest: sesame extension install http://REGISTRY/dl/greeting.wasm --sha256 DIGEST
    "#);
    insta::assert_snapshot!(env.run("extension inspect https://ghcr.io/my-org/x"), @r#"
    exit 2
    err: error: cannot download `https://ghcr.io/my-org/x` without its digest
    err: download it yourself, then: sesame extension inspect ./x
    err: if it is a repository: sesame extension inspect ghcr.io/my-org/x
    err: hint: add the expected digest: sesame extension inspect https://ghcr.io/my-org/x --sha256 DIGEST
    "#);
    assert!(server.seen().is_empty(), "nothing is asked for");
}

#[test]
fn download_is_recorded_as_file() {
    let (env, server) = (env(), server());
    let sha256 = format!("--sha256 {}", digest(&GREETING));
    for path in ["/dl/greeting.wasm?token=SECRET", "/moved/greeting.wasm"] {
        install(&env, &server, path, &sha256).ok();
    }
    assert!(env.read(&manifest("greeting")).contains("\"local/file/greeting:0.0.0@sha256:"));
    let info = env.run("extension info greeting").ok();
    assert!(info.text().contains(&format!("http://{}/dl/greeting.wasm", server.host())), "{info}");
    let kept =
        env.files().iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains("SECRET"));
    assert!(!kept, "a query can have a secret in it");
    env.run("extension call greeting greet World").ok();
    let inspect = format!("extension inspect http://{}/dl/greeting.wasm {sha256}", server.host());
    env.run(&inspect).ok();
}

#[test]
fn refused_downloads_leave_nothing() {
    let (env, server) = (env(), server());
    let (right, wrong) = (digest(&GREETING), digest(&ECHO));
    insta::assert_snapshot!(install(&env, &server, "/dl/greeting.wasm", &format!("--sha256 sha256:{wrong}")), @r#"
    exit 6
    err: error: cannot download `http://REGISTRY/dl/greeting.wasm`
    err: caused by: the registry does not send what was asked for
    err: caused by: wrong bytes: expected sha256:DIGEST, got sha256:DIGEST
    "#);
    insta::assert_snapshot!(install(&env, &server, "/none/greeting.wasm", &format!("--sha256 {right}")), @r#"
    exit 3
    err: error: cannot download `http://REGISTRY/none/greeting.wasm`
    err: caused by: the registry `REGISTRY` answers 404
    "#);
    assert_eq!(
        install(&env, &server, "/outside/greeting.wasm", &format!("--sha256 {right}")).code,
        8
    );
    assert_eq!(install(&env, &server, "/dl/greeting.wasm", "--sha256 abcd").code, 2);
    assert_eq!(
        env.run(&format!("extension install http://example.com/x.wasm --sha256 {right}")).code,
        2
    );
    assert_eq!(
        env.run(&format!(
            "--offline extension install https://example.com/x.wasm --sha256 {right}"
        ))
        .code,
        8
    );
    let policy =
        "[extensions.policy]\nblocked_namespaces = [\"127.0.0.1/dl\", \"example.com/dl\"]\n";
    env.write(".config/pds/config.toml", policy);
    let blocked =
        env.run(&format!("extension install https://example.com/%64l/x.wasm --sha256 {right}"));
    assert_eq!(blocked.code, 5, "{blocked}");
    assert!(!env.path(&manifest("greeting")).exists());
}

/// Only servers with a valid certificate are contacted, as with a registry.
#[test]
fn download_needs_a_certificate() {
    for (certified, code) in
        [(Certified::Well, 3), (Certified::Alone, 8), (Certified::Otherwise, 8)]
    {
        let (env, server) = (env(), TlsServer::start(certified).expect("a server"));
        server.write_authority(&env.path("authority.pem")).expect("written");
        let address = format!("https://{}/x.wasm", server.host());
        let mut command =
            env.command(["extension", "install", &address, "--sha256", &digest(&GREETING)]);
        command.env("SESAME_CA_FILE", env.path("authority.pem"));
        let run = env.finish(command, b"");
        assert_eq!(run.code, code, "{certified:?}: {run}");
    }
}

/// A file that comes over TLS with its digest is installed like any other, and its origin is kept.
#[test]
fn download_over_tls_is_recorded() {
    let (env, server) = (env(), TlsServer::of_file(&GREETING).expect("a server"));
    server.write_authority(&env.path("authority.pem")).expect("written");
    let address = format!("https://{}/dl/greeting.wasm", server.host());
    for verb in ["inspect", "install"] {
        let mut command =
            env.command(["extension", verb, &address, "--sha256", &digest(&GREETING)]);
        command.env("SESAME_CA_FILE", env.path("authority.pem"));
        env.finish(command, b"").ok();
    }
    assert!(env.read(&manifest("greeting")).contains("\"local/file/greeting:0.0.0@sha256:"));
    assert!(env.run("extension info greeting").ok().text().contains(&address));
    assert_eq!(env.run("extension call greeting greet World").ok().text(), "Hello, World!\n");
}

#[test]
fn digest_option_is_for_files() {
    let env = env();
    env.write("work/greeting.wasm", &*GREETING);
    let (right, wrong) = (digest(&GREETING), digest(&ECHO));
    insta::assert_snapshot!(env.run(&format!("extension install ./greeting.wasm --sha256 {wrong}")), @r#"
    exit 6
    err: error: `./greeting.wasm` does not match the expected digest
    err: caused by: wrong bytes: expected sha256:DIGEST, got sha256:DIGEST
    "#);
    env.run(&format!("extension install ./greeting.wasm --sha256 {}", right.to_uppercase())).ok();
    for source in ["ghcr.io/my-org/x:1", "oci:layout"] {
        assert_eq!(
            env.run(&format!("extension install {source} --sha256 {right}")).code,
            2,
            "{source}"
        );
    }
    insta::assert_snapshot!(env.run(&format!("extension inspect greeting --sha256 {right}")), @r#"
    exit 2
    err: error: `--sha256` is the digest of a file, and `greeting` is not a file
    err: hint: pin a reference with the digest of its manifest instead: REFERENCE@sha256:DIGEST
    "#);
}

#[test]
fn reference_with_scheme_has_a_hint() {
    insta::assert_snapshot!(env().run("extension install https://ghcr.io/o/x:1"), @r#"
    exit 2
    err: error: `https://ghcr.io/o/x:1` is a reference to a registry, not the address of a file
    err: hint: sesame extension install ghcr.io/o/x:1
    "#);
    let run = env().run("extension inspect http://localhost:5000/one:1");
    assert!(
        run.code == 2 && run.stderr.contains("hint: sesame extension inspect localhost:5000/one:1"),
        "{run}"
    );
}
