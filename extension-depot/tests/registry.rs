//! Registries that misbehave, and what they can do about it: nothing but fail.

mod support;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use extension_depot::media_type;
use extension_depot::registry::{
    Credential, CredentialFiles, Notices, Patience, PushError, Registry, RegistryError, RegistrySettings, Settings,
    SignatureForm, generate_key,
};
use extension_depot::serve::{Body, MemoryRegistry, Seen, response};
use extension_depot::{
    BlobError, Description, Docs, ImageError, PublicKey, Publication, SecretKey, SignatureState, Source, Verifier,
};
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::Frame;
use support::{block_on, component, home, install, name, publish, reference, resolve, stage, stage_with};

const REPOSITORY: &str = "my-org/a";

fn good(registry: &MemoryRegistry) -> String {
    publish(registry, REPOSITORY, "1", media_type::WASM, &component("a"));
    format!("{}/{REPOSITORY}:1", registry.host())
}

/// What staging gives when each request for a blob or document is answered by `answer`.
fn staged_with(answer: impl Fn(&Seen) -> Option<Response<Body>> + Send + Sync + 'static) -> Result<(), RegistryError> {
    let registry = MemoryRegistry::start_with(answer).expect("a registry");
    let home = home();
    let text = good(&registry);
    let staged = stage(&home, &text).map(drop);
    let left = std::fs::read_dir(home.depot.places().staging()).map_or(0, Iterator::count);
    assert_eq!(left, 0, "nothing is left of a download that failed");
    staged
}

fn is_blob(seen: &Seen) -> bool {
    seen.path.contains("/blobs/sha256")
}

/// A body of pieces, and of nothing but waiting after them.
fn pieces(pieces: impl IntoIterator<Item = Bytes, IntoIter: Send + Sync + 'static>) -> Body {
    let frames = pieces.into_iter().map(|piece| Ok::<_, io::Error>(Frame::data(piece)));
    StreamBody::new(futures_util::stream::iter(frames)).boxed()
}

#[test]
fn a_missing_tag_or_repository_is_not_found() {
    let registry = MemoryRegistry::start().expect("a registry");
    good(&registry);
    let error = resolve(&format!("{}/my-org/a:2", registry.host())).expect_err("no such tag");
    assert!(matches!(&error, RegistryError::MissingTag { nearest, .. } if nearest == &["1"]), "{error:?}");
    let error = resolve(&format!("{}/my-org/b:1", registry.host())).expect_err("no such repository");
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error:?}");
}

/// A repository with one path part is asked for, listed and published as any other.
#[test]
fn one_part_repository_works_like_any() {
    let registry = MemoryRegistry::start().expect("a registry");
    let (home, client) = (home(), Registry::new(Settings::default()));
    let reference = reference(&format!("{}/one:1.0.0", registry.host()));
    let publication = Publication::cncf(component("a"), &Description::default()).expect("described");
    block_on(client.publish(&reference, publication, false)).expect("pushed");
    assert_eq!(block_on(client.tags(&reference.repository_query())).expect("tags"), ["1.0.0"]);
    install(&home, &reference.to_string()).expect("installed");
    let installed = home.depot.installed(&name("one")).expect("there");
    assert_eq!(installed.reference.identity().to_string(), format!("{}/one", registry.host()));
    assert!(registry.seen().iter().all(|seen| seen.path.starts_with("/v2/one/") || seen.path == "/v2/"));
    // The same name below it is another extension.
    publish(&registry, "one/one", "1.0.0", media_type::WASM, &component("b"));
    let error = install(&home, &format!("{}/one/one:1.0.0", registry.host())).expect_err("another source");
    assert!(error.to_string().contains("/one/one"), "{error}");
}

#[test]
fn a_pinned_digest_wins_over_whatever_the_tag_says() {
    let registry = MemoryRegistry::start().expect("a registry");
    let first = publish(&registry, REPOSITORY, "1", media_type::WASM, &component("one"));
    publish(&registry, REPOSITORY, "1", media_type::WASM, &component("two"));
    let text = format!("{}/{REPOSITORY}:1@{first}", registry.host());
    assert_eq!(resolve(&text).expect("there").artifact.digest, first);

    let missing = format!("{}/{REPOSITORY}:1@sha256:{}", registry.host(), "0".repeat(64));
    assert!(matches!(resolve(&missing), Err(RegistryError::NotFound { .. })));
    let shortened = format!("{}/{REPOSITORY}:1@sha256:abcdef", registry.host());
    assert!(matches!(resolve(&shortened), Err(RegistryError::Pin(_))));
}

#[test]
fn the_digest_of_the_layer_is_recognised() {
    let registry = MemoryRegistry::start().expect("a registry");
    let text = good(&registry);
    let artifact = resolve(&text).expect("there").artifact;
    let error = resolve(&format!("{text}@{}", artifact.manifest.layers[0].digest)).expect_err("a layer");
    assert!(matches!(error, RegistryError::LayerPinned { manifest, .. } if manifest == artifact.digest), "{error:?}");
}

#[test]
fn other_bytes_than_asked_for_are_refused() {
    let error = staged_with(|seen| is_blob(seen).then(|| response(200, &[], vec![0; 12]))).expect_err("wrong");
    assert!(matches!(error, RegistryError::Blob(BlobError::Size { .. } | BlobError::Digest { .. })), "{error:?}");
    let error = staged_with(|seen| is_blob(seen).then(|| response(200, &[], vec![0; 13]))).expect_err("wrong");
    assert!(matches!(error, RegistryError::Blob(BlobError::Digest { .. })), "{error:?}");
}

#[test]
fn a_header_that_lies_about_the_digest_is_an_error_and_another_algorithm_is_none() {
    let with_header = |digest: &'static str| {
        let registry = MemoryRegistry::start_with(move |seen| {
            let manifest = seen.path.contains("/manifests/");
            manifest.then(|| response(200, &[("Docker-Content-Digest", digest)], MANIFEST.to_owned()))
        });
        let registry = registry.expect("a registry");
        resolve(&format!("{}/a/b:1", registry.host()))
    };
    let zeros: &'static str = Box::leak(format!("sha256:{}", "0".repeat(64)).into_boxed_str());
    assert!(matches!(with_header(zeros), Err(RegistryError::Blob(BlobError::Digest { .. }))));
    assert!(matches!(with_header("sha256:../../x"), Err(RegistryError::Image(ImageError::Malformed { .. }))));
    assert!(with_header("sha512:00").is_ok() && with_header("").is_ok());
}

#[test]
fn a_mirror_is_asked_first_and_the_registry_where_it_fails() {
    let (registry, mirror) =
        (MemoryRegistry::start().expect("on loopback"), MemoryRegistry::start().expect("on loopback"));
    let home = home();
    publish(&registry, REPOSITORY, "1", "application/wasm", &component("a"));
    publish(&mirror, &format!("cache/{REPOSITORY}"), "1", "application/wasm", &component("a"));
    let mirrors = vec![format!("{}/cache", mirror.host()).parse().expect("a prefix")];
    let settings = || {
        let own = RegistrySettings { mirrors: mirrors.clone(), ..Default::default() };
        Settings { registries: [(registry.host(), own)].into(), ..Default::default() }
    };
    let text = format!("{}/{REPOSITORY}:1", registry.host());
    let staged = stage_with(&home, &text, settings()).expect("from the mirror");
    assert_eq!(staged.reference.registry(), registry.host(), "it is known by where it belongs");
    assert!(registry.seen().is_empty() && mirror.seen().iter().all(|seen| seen.path.contains("/cache/my-org/")));
    publish(&registry, REPOSITORY, "2", "application/wasm", &component("b"));
    let newer = format!("{}/{REPOSITORY}:2", registry.host());
    stage_with(&home, &newer, settings()).expect("from the registry itself");
    drop(mirror);
    stage_with(&home, &text, settings()).expect("without the mirror");
}

#[test]
fn odd_references_say_what_is_wrong() {
    let said = |text: &str| text.parse::<Source>().expect_err(text).to_string();
    let pinned = said(&format!("ghcr.io/my-org/a@sha256:{}", "0".repeat(64)));
    assert!(pinned.contains("column 17: the revision is missing"), "{pinned}");
    for text in ["docker://ghcr.io/my-org/a:1", "oci://docker://ghcr.io/my-org/a:1"] {
        assert!(said(text).contains("a reference does not begin with a scheme"), "{text}");
    }
}

const MANIFEST: &str = r#"{"schemaVersion":2,"config":{"mediaType":"a","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0},"layers":[{"mediaType":"application/wasm","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0}]}"#;

/// Some registries deliver what is OCI's as Docker's, and the other way round.
#[test]
fn content_type_of_docker_is_taken() {
    let registry = MemoryRegistry::start().expect("a registry");
    let plain = support::manifest(&registry, media_type::WASM, &component("a"), "null");
    for written in [media_type::MANIFEST, media_type::DOCKER_MANIFEST] {
        let manifest = plain.replacen('{', &format!(r#"{{"mediaType":"{written}","#), 1);
        for sent in [media_type::MANIFEST, media_type::DOCKER_MANIFEST, media_type::INDEX, media_type::DOCKER_INDEX] {
            registry.put_manifest(REPOSITORY, "1", sent, manifest.as_bytes());
            let staged = stage(&home(), &format!("{}/{REPOSITORY}:1", registry.host())).map(drop);
            assert_eq!(staged.is_ok(), sent.contains("manifest.v"), "{written} as {sent}: {staged:?}");
        }
    }
}

#[test]
fn a_registry_with_a_weak_moment_is_asked_again() {
    for status in [500, 503, 429] {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let weak = move |_: &Seen| {
            let first = count.fetch_add(1, Ordering::SeqCst) < 2;
            first.then(|| response(status, &[("Retry-After", "0")], ""))
        };
        staged_with(weak).unwrap_or_else(|error| panic!("{status}: {error:?}"));
        assert!(asked.load(Ordering::SeqCst) > 2);
    }
}

#[test]
fn a_registry_that_stays_broken_is_given_up_with_what_it_said() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let error = staged_with(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Some(response(500, &[], r#"{"errors":[{"code":"UNKNOWN","message":"boom"}]}"#))
    });
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    let error = error.expect_err("broken");
    assert!(matches!(&error, RegistryError::Status { status: 500, .. }), "{error:?}");
    assert_eq!(causes(&error), ["the registry says: UNKNOWN: boom"]);

    let patient = Instant::now();
    let error = staged_with(|_| Some(response(429, &[("Retry-After", "999999999")], ""))).expect_err("busy");
    assert!(matches!(error, RegistryError::Status { status: 429, .. }) && patient.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_download_that_breaks_off_starts_again() {
    let broken = AtomicUsize::new(0);
    let half = move |seen: &Seen| {
        (is_blob(seen) && broken.fetch_add(1, Ordering::SeqCst) == 0)
            .then(|| response(200, &[("Content-Length", "2")], "{"))
    };
    staged_with(half).expect("the second time it works");
    let error = staged_with(|seen| is_blob(seen).then(|| response(200, &[], ""))).expect_err("never whole");
    assert!(matches!(error, RegistryError::Blob(BlobError::Size { found: 0, .. })), "{error:?}");
}

#[test]
fn one_wrong_bit_anywhere_is_found() {
    let binary = component("a");
    for at in 0..200 {
        let place = at * binary.len() / 200;
        let mut wrong = binary.clone();
        wrong[place] ^= 1 << (at % 8);
        let answer = move |seen: &Seen| is_blob(seen).then(|| response(200, &[], wrong.clone()));
        let error = staged_with(answer).expect_err("another bit");
        assert!(matches!(error, RegistryError::Blob(_)), "{place}: {error:?}");
    }
}

#[test]
fn a_pinned_digest_is_not_answered_by_another_manifest() {
    let registry = MemoryRegistry::start().expect("a registry");
    let text = good(&registry);
    let pinned = format!("{text}@sha256:{}", "de".repeat(32));
    let truth = resolve(&text).expect("there").reference;
    let name = truth.provenance().expect("pinned").to_string();
    let registry = MemoryRegistry::start_with(move |seen| {
        // Whatever is asked for, it is this, with a header that says so or what was asked for.
        let asked = seen.path.rsplit('/').next().unwrap_or_default().to_owned();
        let body = r#"{"schemaVersion":2,"config":{},"layers":[]}"#;
        let said = if asked.starts_with("sha256:de") { asked } else { name.clone() };
        seen.path.contains("/manifests/").then(|| response(200, &[("Docker-Content-Digest", &said)], body))
    });
    let registry = registry.expect("a registry");
    let pinned = pinned.replace(text.split('/').next().expect("a host"), &registry.host());
    let error = stage(&home(), &pinned).map(drop).expect_err("another manifest");
    assert!(matches!(error, RegistryError::Blob(BlobError::Digest { .. })), "{error:?}");
}

/// Bytes that come one by one, and slower than anybody would wait for.
fn dripping() -> Body {
    let drips = futures_util::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Some((Ok::<_, io::Error>(Frame::data(Bytes::from_static(b" "))), ()))
    });
    BodyExt::boxed(StreamBody::new(drips))
}

fn impatient() -> Settings {
    let patience =
        Patience { connect: Duration::from_secs(1), idle: Duration::from_millis(300), total: Duration::from_secs(1) };
    Settings { patience, ..Settings::default() }
}

#[test]
fn what_drips_is_given_up_wherever_it_drips() {
    let started = Instant::now();
    for part in ["/manifests/", "/blobs/"] {
        let registry =
            MemoryRegistry::start_with(move |seen| seen.path.contains(part).then(|| Response::new(dripping())));
        let registry = registry.expect("a registry");
        let error = stage_with(&home(), &good(&registry), impatient()).map(drop).expect_err("it never ends");
        assert!(matches!(error, RegistryError::Timeout { .. } | RegistryError::Blob(_)), "{part}: {error:?}");
    }
    let host = Arc::new(std::sync::OnceLock::<String>::new());
    let own = host.clone();
    let registry = MemoryRegistry::start_with(move |seen| {
        let realm = format!(r#"Bearer realm="http://{}/token""#, own.get().expect("set"));
        let answer = if seen.path.starts_with("/token") {
            Response::new(dripping())
        } else {
            response(401, &[("WWW-Authenticate", &realm)], "")
        };
        Some(answer)
    });
    let registry = registry.expect("a registry");
    host.set(registry.host()).expect("once");
    let reference = support::reference(&format!("{}/my-org/pushed:1.0.0", registry.host()));
    let publication = Publication::cncf(component("a"), &Description::default()).expect("described");
    let client = Registry::new(impatient());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(client.publish(&reference, publication, false)).expect_err("no token ever comes");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn timeout_of_a_registry_can_be_set() {
    let silence = |_: &Seen| {
        let nothing = futures_util::stream::pending::<Result<Frame<Bytes>, io::Error>>();
        Some(Response::new(StreamBody::new(nothing).boxed()))
    };
    let registry = MemoryRegistry::start_with(silence).expect("a registry");
    let own = RegistrySettings { timeout_seconds: std::num::NonZeroU32::new(1), ..Default::default() };
    let settings = Settings { registries: [(registry.host(), own)].into(), ..Default::default() };
    let started = Instant::now();
    let error = stage_with(&home(), &format!("{}/my-org/a:1", registry.host()), settings).map(drop);
    assert!(matches!(error, Err(RegistryError::Timeout { .. })), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn endless_bodies_end() {
    let endless = || pieces(std::iter::repeat_with(|| Bytes::from_static(&[b' '; 65536])));
    let error = staged_with(move |seen| is_blob(seen).then(|| Response::new(endless()))).expect_err("endless");
    assert!(matches!(error, RegistryError::Blob(BlobError::Size { .. })), "{error:?}");
    let error = staged_with(move |_| Some(Response::new(endless()))).expect_err("endless");
    assert!(matches!(error, RegistryError::TooLarge { .. }), "{error:?}");
    let error = staged_with(move |_| {
        let mut answer = Response::new(endless());
        *answer.status_mut() = hyper::StatusCode::IM_A_TEAPOT;
        Some(answer)
    });
    assert!(matches!(error, Err(RegistryError::Status { status: 418, source: None, .. })), "{error:?}");
}

#[test]
fn redirects_lead_only_where_a_registry_may_send_us() {
    let elsewhere = MemoryRegistry::start().expect("another registry");
    good(&elsewhere);
    let to = elsewhere.host();
    let redirect = move |seen: &Seen| {
        is_blob(seen).then(|| response(307, &[("Location", &format!("http://{to}{}", seen.path))], ""))
    };
    staged_with(redirect).expect("blobs may lie with somebody else");

    let looping = |seen: &Seen| Some(response(307, &[("Location", &seen.path)], ""));
    assert!(matches!(staged_with(looping), Err(RegistryError::Redirect { .. })));
    let file = |_: &Seen| Some(response(302, &[("Location", "file:///etc/passwd")], ""));
    assert!(matches!(staged_with(file), Err(RegistryError::Redirect { .. })));
}

/// Settings with `u:SECRET` for this registry, in a file as `docker login` writes it.
fn logged_in(host: &str, entry: &str) -> (Settings, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), format!(r#"{{"auths": {{"{host}": {entry}}}}}"#)).expect("written");
    (Settings { credentials: CredentialFiles(vec![file.path().to_owned()]), ..Default::default() }, file)
}

/// `u:SECRET` in base64.
const PASSWORD: &str = r#"{"auth": "dTpTRUNSRVQ="}"#;

/// Demands authentication and takes `expected` for it; answers a token service at `/token`.
fn guarded(challenge: impl Fn(&str) -> String + Send + Sync + 'static, expected: &'static str) -> MemoryRegistry {
    MemoryRegistry::start_with(move |seen| {
        if seen.path.starts_with("/token") {
            return Some(response(200, &[], r#"{"token": "good"}"#));
        }
        let known = seen.authorization.as_deref() == Some(expected);
        (!known).then(|| response(401, &[("WWW-Authenticate", &challenge(&seen.path))], ""))
    })
    .expect("a registry")
}

#[test]
fn a_password_is_given_to_the_registry_that_asks_for_it() {
    let registry = guarded(|_| r#"Basic realm="x""#.to_owned(), "Basic dTpTRUNSRVQ=");
    let text = good(&registry);
    let (settings, _file) = logged_in(&registry.host(), PASSWORD);
    stage_with(&home(), &text, settings).expect("let in");
    assert_eq!(registry.seen()[0].authorization, None, "not before it asks");
    let error = stage(&home(), &text).map(drop).expect_err("a stranger");
    assert!(matches!(error, RegistryError::Unauthorized { .. }), "{error:?}");
}

#[test]
fn a_token_is_had_with_a_password_an_identity_token_or_nothing() {
    for (entry, shown) in
        [(PASSWORD, Some("Basic dTpTRUNSRVQ=")), (r#"{"auth": "", "identitytoken": "t"}"#, None), (r#"{}"#, None)]
    {
        let host = Arc::new(std::sync::OnceLock::<String>::new());
        let own = host.clone();
        let registry = guarded(
            move |_| format!(r#"Bearer realm="http://{}/token",service="me""#, own.get().expect("set")),
            "Bearer good",
        );
        host.set(registry.host()).expect("once");
        let text = good(&registry);
        let (settings, _file) = logged_in(&registry.host(), entry);
        stage_with(&home(), &text, settings).unwrap_or_else(|error| panic!("{entry}: {error:?}"));
        let asked = registry.seen().into_iter().find(|seen| seen.path.starts_with("/token")).expect("asked");
        assert_eq!(asked.authorization.as_deref(), shown);
        assert_eq!(asked.method, if entry.contains("identitytoken") { "POST" } else { "GET" });
    }
}

#[test]
fn no_credential_leaves_for_another_host() {
    let evil = MemoryRegistry::start().expect("somebody else");
    let realm = format!("http://{}/token", evil.host());
    for scheme in ["Bearer", "bearer"] {
        let realm = realm.clone();
        let registry = guarded(move |_| format!(r#"{scheme} realm="{realm}""#), "never");
        let text = good(&registry);
        let (settings, _file) = logged_in(&registry.host(), PASSWORD);
        let error = stage_with(&home(), &text, settings).map(drop).expect_err("not paired");
        assert!(matches!(&error, RegistryError::Realm { realm, .. } if realm.contains(&evil.host())), "{error:?}");
    }
    let to = evil.host();
    let registry = MemoryRegistry::start_with(move |seen| match seen.authorization.as_deref() {
        None => Some(response(401, &[("WWW-Authenticate", "Basic")], "")),
        Some(_) => Some(response(307, &[("Location", &format!("http://{to}{}", seen.path))], "")),
    });
    let registry = registry.expect("a registry");
    let text = good(&registry);
    good(&evil);
    let (settings, _file) = logged_in(&registry.host(), PASSWORD);
    stage_with(&home(), &text, settings).map(drop).expect("a redirect without the password");
    assert!(
        !evil.seen().is_empty() && evil.seen().iter().all(|seen| seen.authorization.is_none()),
        "{:?}",
        evil.seen()
    );
}

#[test]
fn a_paired_token_host_is_asked_over_tls_only() {
    let evil = MemoryRegistry::start().expect("a token host");
    let realm = format!("http://{}/token", evil.host());
    let registry = guarded(move |_| format!(r#"Bearer realm="{realm}""#), "never");
    let text = good(&registry);
    let (mut settings, _file) = logged_in(&registry.host(), PASSWORD);
    let paired = RegistrySettings { token_hosts: vec![evil.host()], ..Default::default() };
    settings.registries.insert(registry.host(), paired);
    assert!(matches!(stage_with(&home(), &text, settings), Err(RegistryError::Realm { .. })));
    assert_eq!(evil.seen(), []);
}

#[test]
fn offline_opens_no_connection() {
    let registry = MemoryRegistry::start().expect("a registry");
    let text = good(&registry);
    let settings = Settings { offline: true, ..Default::default() };
    assert!(matches!(stage_with(&home(), &text, settings), Err(RegistryError::Offline { .. })));
    assert_eq!(registry.seen(), []);
}

#[test]
fn a_host_that_does_not_answer_is_named() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it").port();
    let error = resolve(&format!("127.0.0.1:{port}/a/b:1")).expect_err("nobody there");
    assert_eq!(error.to_string(), format!("cannot reach the registry `127.0.0.1:{port}`"));
}

#[test]
fn what_is_pushed_can_be_pulled() {
    let registry = MemoryRegistry::start().expect("a registry");
    let text = format!("{}/my-org/pushed:1.0.0", registry.host());
    let annotations = [("org.opencontainers.image.version".to_owned(), "1.0.0".to_owned())].into();
    let client = extension_depot::registry::Registry::new(Settings::default());
    let (to, description) =
        (support::reference(&text), Description { title: "a.wasm".to_owned(), annotations, ..Default::default() });
    let publish = |binary: &[u8], overwrite| {
        let publication = Publication::cncf(binary.to_vec(), &description).expect("described");
        support::block_on(client.publish(&to, publication, overwrite))
    };
    let first = publish(&component("a"), false).expect("pushed");
    let pinned = stage(&home(), &text).expect("pulled").reference;
    assert_eq!((&first.reference, first.already), (&pinned, false));
    assert!(publish(&component("a"), false).expect("nothing to do").already);
    let other = publish(&component("b"), false);
    assert!(
        matches!(other, Err(PushError::Taken { there, .. }) if Some(there) == pinned.pinned_digest().expect("a digest"))
    );
    assert!(!publish(&component("b"), true).expect("pushed").already);
}

#[test]
fn pages_are_published_beside_an_artifact_and_found_again() {
    let registry = MemoryRegistry::start().expect("a registry");
    let to = support::reference(&format!("{}/my-org/pushed:1.0.0", registry.host()));
    let client = extension_depot::registry::Registry::new(Settings::default());
    let publication = Publication::cncf(component("a"), &Description::default()).expect("described");
    let pinned = support::block_on(client.publish(&to, publication, false)).expect("pushed").reference;
    assert_eq!(support::block_on(client.docs(&pinned)).expect("asked"), None);
    for text in ["# Old", "# New"] {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("index.md"), text).expect("written");
        let archive = Docs::read(directory.path()).expect("pages").pack().expect("packed");
        support::block_on(client.publish_docs(&pinned, archive)).expect("pushed");
    }
    let docs = support::block_on(client.docs(&pinned)).expect("asked").expect("pages");
    assert_eq!(docs.first().expect("a page").text, "# New");
}

/// The tags of a repository whose list is answered by `answer`, by what stands behind `tags/list`, and the number of requests.
fn tags_with(
    answer: impl Fn(&str) -> Option<Response<Body>> + Send + Sync + 'static,
) -> (Result<Vec<String>, RegistryError>, usize) {
    let registry = MemoryRegistry::start_with(move |seen| {
        let rest = seen.path.strip_prefix("/v2/my-org/many/tags/list")?;
        answer(rest).or_else(|| Some(response(404, &[], "")))
    });
    let registry = registry.expect("a registry");
    let many = format!("{}/my-org/many", registry.host()).parse().expect("a repository");
    let tags = block_on(Registry::new(Settings::default()).tags(&many));
    (tags, registry.seen().len())
}

/// Pages are named by opaque tokens, in the forms in which registries write their links.
#[test]
fn tags_follow_the_links_of_pages() {
    let relative = r#"<b>; rel="last", <list?t=b%3D&n=3> ; title="a; rel=prev, <c>" ; REL=Next"#;
    let (tags, requests) = tags_with(move |rest| {
        Some(match rest {
            "?n=1000" => response(
                200,
                &[("Link", "</v2/first>; rel=first"), ("link", r#"</v2/my-org/many/tags/list?t=a>; rel="prev next""#)],
                r#"{"tags":["0.3.0","0.1.0"]}"#,
            ),
            // A page can have nothing on it, or something that came before.
            "?t=a" => response(200, &[("Link", relative)], r#"{"tags":null}"#),
            "?t=b%3D&n=3" => response(200, &[], r#"{"tags":["0.1.0","0.2.0"]}"#),
            _ => return None,
        })
    });
    assert_eq!((tags.expect("tags"), requests), (["0.3.0", "0.1.0", "0.2.0"].map(str::to_owned).to_vec(), 3));
}

#[test]
fn incomplete_tags_are_an_error() {
    let said = |answer: fn(&str, usize) -> (String, String)| {
        let asked = AtomicUsize::new(0);
        let (tags, requests) = tags_with(move |rest| {
            let (link, tags) = answer(rest, asked.fetch_add(1, Ordering::SeqCst));
            (link != "404").then(|| response(200, &[("Link", &link)], format!(r#"{{"tags":[{tags}]}}"#)))
        });
        match tags.expect_err("incomplete") {
            RegistryError::Incomplete { reason, .. } => (reason, requests),
            other => panic!("{other:?}"),
        }
    };
    /// The link and the body of a page, by its address and number.
    type Page = fn(&str, usize) -> (String, String);
    let cases: [(Page, &str, usize); 8] = [
        (|_, at| (format!("<?page={at}>; rel=next"), r#""1""#.to_owned()), "page 2 repeats what came before it", 2),
        (|_, at| ("<?n=1000>; rel=next".to_owned(), format!(r#""{at}""#)), "page 1 leads back to a page before it", 1),
        (
            |_, at| (format!("<?at={}>; rel=next", at % 2), format!(r#""{at}""#)),
            "page 3 leads back to a page before it",
            3,
        ),
        (|_, at| (format!("<?at={at}>; rel=next"), format!(r#""{at}""#)), "it has more than 1000 pages", 1_000),
        (
            |_, at| (if at == 0 { "<?at=1>; rel=next" } else { "404" }.to_owned(), format!(r#""{at}""#)),
            "page 2 is missing",
            2,
        ),
        (
            |_, _| ("<http://169.254.169.254/latest>; rel=next".to_owned(), r#""1""#.to_owned()),
            "its next page is at `http://169.254.169.254`, outside the registry",
            1,
        ),
        (
            |_, at| (format!("<?at={at}>; rel=next"), format!(r#""{at}"{}"#, " ".repeat(4_000_000))),
            "it has more than 33554432 bytes",
            9,
        ),
        (|_, _| ("?at=1; rel=next".to_owned(), r#""1""#.to_owned()), "its header `Link` cannot be read", 1),
    ];
    for (answer, reason, requests) in cases {
        assert_eq!(said(answer), (reason.to_owned(), requests));
    }
}

#[tokio::test]
async fn malformed_tags_are_refused() {
    for body in [r#"{"tags":["../../x"]}"#, "{\"tags\":[\"a\\u001b[2J\"]}", r#"{"tags":"x"}"#, "<html>", ""] {
        let registry = MemoryRegistry::start_with(move |_| Some(response(200, &[], body))).expect("a registry");
        let query = format!("{}/my-org/x", registry.host()).parse().expect("a repository");
        let error = Registry::new(Settings::default()).tags(&query).await.expect_err(body);
        assert!(matches!(error, RegistryError::Image(_)), "{body}: {error}");
    }
    let empty = MemoryRegistry::start_with(|_| Some(response(200, &[], r#"{"tags":null}"#))).expect("a registry");
    let query = format!("{}/my-org/x", empty.host()).parse().expect("a repository");
    assert_eq!(Registry::new(Settings::default()).tags(&query).await.expect("none"), [""; 0]);
}

/// What is known of a signature where each request for one is answered by `answer`.
fn signature_with(answer: impl Fn(&Seen) -> Option<Response<Body>> + Send + Sync + 'static) -> (SignatureState, usize) {
    let is_about_signatures = |seen: &Seen| seen.path.contains("/referrers/") || seen.path.contains("/sha256-");
    let registry = MemoryRegistry::start_with(move |seen| if is_about_signatures(seen) { answer(seen) } else { None });
    let registry = registry.expect("a registry");
    let pinned = resolve(&good(&registry)).expect("it is there").reference;
    let before = registry.seen().len();
    let patience = Patience { idle: Duration::from_millis(300), total: Duration::from_secs(2), ..Default::default() };
    let client = Registry::new(Settings { patience, ..Default::default() });
    let state = support::block_on(client.signature(&pinned, &[]));
    (state, registry.seen().len() - before)
}

#[test]
fn no_signature_an_error_silence_and_an_empty_list_are_told_apart() {
    let list = r#"{"schemaVersion":2,"manifests":[]}"#;
    let silence = || {
        let nothing = futures_util::stream::pending::<Result<Frame<Bytes>, io::Error>>();
        Response::new(StreamBody::new(nothing).boxed())
    };
    let states = [
        signature_with(|_| Some(response(404, &[], ""))),
        signature_with(|_| Some(response(500, &[], ""))),
        signature_with(|_| Some(response(403, &[], ""))),
        signature_with(move |_| Some(silence())),
        signature_with(move |seen| seen.path.contains("/referrers/").then(|| response(200, &[], list))),
    ];
    let said = states.map(|(state, _)| state.to_string());
    assert_eq!((said[0].as_str(), said[4].as_str()), ("unsigned", "unsigned"));
    for (state, why) in said[1..4].iter().zip(["answers 500", "does not let strangers", "does not answer in time"]) {
        assert!(state.starts_with("could not check: ") && state.contains(why), "{state}");
    }
}

/// What is known of an artifact that is signed in this form, at a registry that answers these requests by itself.
fn signed_at(
    form: SignatureForm,
    answer: impl Fn(&Seen) -> Option<Response<Body>> + Send + Sync + 'static,
) -> SignatureState {
    let directory = tempfile::tempdir().expect("a directory");
    let (secret, public) = (directory.path().join("a.key"), directory.path().join("a.pub"));
    generate_key(&secret, &public, None).expect("a key");
    let key = SecretKey::from_pem(&std::fs::read(&secret).expect("read"), None).expect("a key");
    let public = PublicKey::from_pem(&std::fs::read(&public).expect("read")).expect("a key");
    let registry = MemoryRegistry::start_with(answer).expect("a registry");
    let (text, client) = (good(&registry), Registry::new(Settings::default()));
    let pinned = block_on(client.sign(&reference(&text), &key, form)).expect("signed");
    block_on(client.signature(&pinned, &[Verifier::Key(public)]))
}

fn is_verified(state: &SignatureState) -> bool {
    matches!(state, SignatureState::Verified { .. })
}

/// Whether it is the registry's list of referrers.
fn is_list(seen: &Seen) -> bool {
    seen.path.contains("/referrers/")
}

/// Whether it is the tag that stands for such a list.
fn is_list_tag(seen: &Seen) -> bool {
    seen.path.contains("/manifests/sha256-") && !seen.path.contains('.')
}

/// Registries without a list of referrers answer anything at all.
#[test]
fn signature_counts_whatever_lists_answer() {
    let another_schema = r#"{"schemaVersion":1,"name":"x","fsLayers":[]}"#;
    let answers = [
        (200, "<html>"),
        (200, ""),
        (200, "null"),
        (200, r#"{"schemaVersion":2,"manifests":null}"#),
        (200, another_schema),
        (200, MANIFEST),
        (400, ""),
        (403, ""),
        (405, "no"),
        (500, ""),
        (501, ""),
    ];
    for (status, body) in answers {
        let both = move |seen: &Seen| (is_list(seen) || is_list_tag(seen)).then(|| response(status, &[], body));
        let state = signed_at(SignatureForm::Classic, both);
        assert!(is_verified(&state), "{status} {body}: {state}");
        let state = signed_at(SignatureForm::Bundle, move |seen| is_list(seen).then(|| response(status, &[], body)));
        // A list that is one, and empty, is taken for what it is: signing adds to no other.
        let is_real_list = body.contains("\"manifests\"");
        assert!(is_verified(&state) != is_real_list, "{status} {body}: {state}");
        // Without a signature, what broke matters.
        let (state, _) = signature_with(move |seen| is_list(seen).then(|| response(status, &[], body)));
        assert_eq!(state == SignatureState::Unsigned, is_real_list, "{status} {body}: {state}");
    }
}

#[test]
fn signature_on_page_two_counts() {
    let first = r#"{"schemaVersion":2,"manifests":[{"mediaType":"a","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0}]}"#;
    let state = signed_at(SignatureForm::Bundle, move |seen| {
        let is_first = is_list(seen) && !seen.path.contains("page=2");
        is_first.then(|| response(200, &[("Link", "<?page=2>; rel=next")], first))
    });
    assert!(is_verified(&state), "{state}");
}

#[test]
fn signature_fetch_is_capped() {
    let bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let zeros = "0".repeat(64);
    let config = format!(r#"{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:{zeros}","size":2}}"#);
    let manifest = |number: usize, layers: &str| {
        let annotations = format!(r#"{{"number":"{number}"}}"#);
        format!(
            r#"{{"schemaVersion":2,"artifactType":"{bundle}","config":{config},"layers":[{layers}],"annotations":{annotations}}}"#
        )
    };
    let (state, requests) = signature_of((0..10_000).map(|number| manifest(number, "")).collect());
    let SignatureState::Unchecked { reason } = state else { panic!("{state}") };
    assert!(reason.contains("more than 64 referrers"), "{reason}");
    assert!(requests < 80, "{requests} requests");
    let (state, requests) = signature_of(vec![manifest(0, ""); 10_000]);
    assert_eq!(state, SignatureState::Unsigned, "it is one referrer, and there is nothing in it");
    assert!(requests < 10, "{requests} requests");
    for size in [2_u64 << 30, 100] {
        let layer = format!(r#"{{"mediaType":"{bundle}","digest":"sha256:{zeros}","size":{size}}}"#);
        let (state, requests) = signature_of(vec![manifest(0, &layer)]);
        assert!(matches!(state, SignatureState::Unchecked { .. }), "{size}: {state}");
        assert!(requests <= 6, "{requests} requests");
    }
}

/// What is known where a list has these manifests, whose blobs never end.
fn signature_of(manifests: Vec<String>) -> (SignatureState, usize) {
    let scratch = MemoryRegistry::start().expect("a registry");
    let digest = |manifest: &String| scratch.put_blob(manifest.as_bytes()).to_string();
    let entry = |manifest: &String| {
        let (kind, size) = (media_type::MANIFEST, manifest.len());
        format!(r#"{{"mediaType":"{kind}","digest":"{}","size":{size}}}"#, digest(manifest))
    };
    let entries: Vec<_> = manifests.iter().map(entry).collect();
    let list = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
    let by_digest: BTreeMap<_, _> = manifests.into_iter().map(|manifest| (digest(&manifest), manifest)).collect();
    let registry = MemoryRegistry::start_with(move |seen| {
        let endless = || std::iter::repeat_with(|| Bytes::from_static(&[b' '; 1 << 16]));
        match &seen.path {
            path if path.contains("/referrers/") => Some(response(200, &[], list.clone())),
            path if path.contains(&"0".repeat(64)) => Some(Response::new(pieces(endless()))),
            path => {
                let manifest = by_digest.get(path.rsplit('/').next()?)?;
                Some(response(200, &[], manifest.clone()))
            }
        }
    });
    let registry = registry.expect("a registry");
    let pinned = resolve(&good(&registry)).expect("it is there").reference;
    let before = registry.seen().len();
    let state = support::block_on(Registry::new(Settings::default()).signature(&pinned, &[]));
    (state, registry.seen().len() - before)
}

/// A registry with a token service at its own origin, which gives `full` to `u:good` and, where it is public, `anon` to
/// those without a login.
fn with_tokens(is_public: bool) -> MemoryRegistry {
    let host = Arc::new(std::sync::OnceLock::<String>::new());
    let own = host.clone();
    let registry = MemoryRegistry::start_with(move |seen| {
        if seen.path.starts_with("/token") {
            return Some(match seen.authorization.as_deref() {
                None if is_public => response(200, &[], r#"{"token": "anon"}"#),
                Some("Basic dTpnb29k") => response(200, &[], r#"{"token": "full"}"#),
                _ => response(401, &[], ""),
            });
        }
        let realm = format!(r#"Bearer realm="http://{}/token",service="r""#, own.get().expect("set"));
        let is_known = matches!(seen.authorization.as_deref(), Some("Bearer anon" | "Bearer full"));
        (!is_known).then(|| response(401, &[("WWW-Authenticate", &realm)], ""))
    });
    let registry = registry.expect("a registry");
    host.set(registry.host()).expect("once");
    registry
}

/// `u:good` in base64.
const GOOD: &str = r#"{"auth": "dTpnb29k"}"#;

/// The notices that come while `work` runs with these settings.
fn noticed<T>(mut settings: Settings, work: impl FnOnce(Settings) -> T) -> (T, Vec<String>) {
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let telling = told.clone();
    settings.notices = Notices::new(move |notice| telling.lock().expect("alone").push(notice.to_string()));
    let result = work(settings);
    let told = told.lock().expect("alone").clone();
    (result, told)
}

fn asked_for_tokens(registry: &MemoryRegistry) -> usize {
    registry.seen().iter().filter(|seen| seen.path.starts_with("/token")).count()
}

/// An installation asks for one token: resolving, downloading and looking for signatures share it.
#[test]
fn install_asks_for_one_token() {
    let registry = with_tokens(false);
    let (text, home) = (good(&registry), home());
    let (settings, _file) = logged_in(&registry.host(), GOOD);
    let client = Registry::new(settings);
    block_on(async {
        let resolved = client.resolve(&reference(&text)).await.expect("there");
        client.stage(&home.depot, &resolved, &|_| {}).await.expect("fetched");
        client.signature(&resolved.reference, &[]).await;
    });
    assert_eq!(asked_for_tokens(&registry), 1);
    let unauthenticated = registry.seen().iter().filter(|seen| seen.authorization.is_none()).count();
    assert_eq!(unauthenticated, 1, "only the first request is sent without the token");
}

/// However a registry is written, its token is asked for once.
#[test]
fn spellings_of_a_registry_share_a_token() {
    let registry = with_tokens(false);
    let text = good(&registry);
    let (settings, _file) = logged_in(&registry.host(), GOOD);
    let client = Registry::new(settings);
    for text in [text.clone(), text.replace("127.0.0.1", "127.1")] {
        block_on(client.resolve(&reference(&text))).expect(&text);
    }
    assert_eq!(asked_for_tokens(&registry), 1);
}

/// An upload is waited for as long as the registry's own timeout says.
#[test]
fn timeout_of_a_registry_holds_for_pushes() {
    let registry = MemoryRegistry::start_with(|seen| {
        let nothing = futures_util::stream::pending::<Result<Frame<Bytes>, io::Error>>();
        (seen.method == "POST").then(|| {
            std::thread::sleep(Duration::from_secs(3));
            Response::new(StreamBody::new(nothing).boxed())
        })
    });
    let registry = registry.expect("a registry");
    let own = RegistrySettings { timeout_seconds: std::num::NonZeroU32::new(1), ..Default::default() };
    let settings = Settings { registries: [(registry.host(), own)].into(), ..Default::default() };
    let error = published(&registry, settings).expect_err("silent");
    let PushError::Push { source, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(**source, RegistryError::Timeout { .. }), "{error:?}");
}

/// A login that has expired does not block what is public.
#[test]
fn stale_login_falls_back_to_anonymous() {
    let registry = with_tokens(true);
    let text = good(&registry);
    let (settings, file) = logged_in(&registry.host(), PASSWORD);
    let (staged, told) = noticed(settings, |settings| stage_with(&home(), &text, settings).map(drop));
    staged.expect("public");
    let (host, path) = (registry.host(), file.path().display());
    assert_eq!(told, [format!("the login for `{host}` from `{path}` is refused; access is anonymous")]);
    assert_eq!(asked_for_tokens(&registry), 2);
}

#[test]
fn stale_login_error_names_its_place() {
    let registry = with_tokens(false);
    let text = good(&registry);
    let (settings, file) = logged_in(&registry.host(), PASSWORD);
    let error = stage_with(&home(), &text, settings).map(drop).expect_err("private");
    let RegistryError::Unauthorized { who, source: Some(source), .. } = &error else { panic!("{error:?}") };
    assert_eq!(who, "`u`");
    assert!(source.to_string().contains(&file.path().display().to_string()), "{source}");
}

/// A token of a login that is good for other repositories only does not block a public one.
#[test]
fn denied_token_falls_back_to_anonymous() {
    let host = Arc::new(std::sync::OnceLock::<String>::new());
    let own = host.clone();
    let registry = MemoryRegistry::start_with(move |seen| {
        let is_token = seen.path.starts_with("/token");
        match (is_token, seen.authorization.as_deref()) {
            (true, None) => Some(response(200, &[], r#"{"token": "anon"}"#)),
            (true, Some(_)) => Some(response(200, &[], r#"{"token": "mine"}"#)),
            (false, Some("Bearer anon")) => None,
            (false, Some(_)) => Some(response(403, &[], "")),
            (false, None) => {
                let realm = format!(r#"Bearer realm="http://{}/token""#, own.get().expect("set"));
                Some(response(401, &[("WWW-Authenticate", &realm)], ""))
            }
        }
    });
    let registry = registry.expect("a registry");
    host.set(registry.host()).expect("once");
    let text = good(&registry);
    let (settings, _file) = logged_in(&registry.host(), GOOD);
    let (staged, told) = noticed(settings, |settings| stage_with(&home(), &text, settings).map(drop));
    staged.expect("public");
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn token_has_the_scope_of_the_challenge() {
    let host = Arc::new(std::sync::OnceLock::<String>::new());
    let own = host.clone();
    let challenge =
        move |_: &str| format!(r#"Bearer realm="http://{}/token",scope="a:b:c d:e:f""#, own.get().expect("set"));
    let registry = guarded(challenge, "Bearer good");
    host.set(registry.host()).expect("once");
    stage(&home(), &good(&registry)).expect("let in");
    assert!(registry.seen().iter().any(|seen| seen.path == "/token?scope=a%3Ab%3Ac&scope=d%3Ae%3Af"));
}

/// A credential helper that is missing is named, whether the registry lets us in without it or not.
#[test]
fn missing_helper_is_named() {
    for is_public in [true, false] {
        let registry = with_tokens(is_public);
        let text = good(&registry);
        let (mut settings, file) = logged_in(&registry.host(), "{}");
        let config = format!(r#"{{"auths": {{"{}": {{}}}}, "credsStore": "is-not-there"}}"#, registry.host());
        std::fs::write(file.path(), config).expect("written");
        settings.credentials = CredentialFiles(vec![file.path().to_owned()]);
        let (staged, told) = noticed(settings, |settings| stage_with(&home(), &text, settings).map(drop));
        let said = match staged {
            Ok(()) => told.concat(),
            Err(RegistryError::Unauthorized { source: Some(source), .. }) => source.to_string(),
            Err(error) => panic!("{error:?}"),
        };
        assert!(said.contains("docker-credential-is-not-there"), "{said}");
        assert_eq!(told.len(), usize::from(is_public));
    }
}

/// The causes of an error, as the command line prints them.
fn causes(error: &dyn std::error::Error) -> Vec<String> {
    std::iter::successors(error.source(), |cause| cause.source()).map(ToString::to_string).collect()
}

const DENIED: &str = r#"{"errors": [{"code": "DENIED", "message": "requested access to the resource is denied"}]}"#;
const DENIED_SHOWN: &str = "the registry says: DENIED: requested access to the resource is denied";

#[test]
fn refused_pull_shows_error_document() {
    for status in [400, 403, 404, 418] {
        let error = staged_with(move |_| Some(response(status, &[], DENIED))).expect_err("refused");
        assert_eq!(causes(&error), [DENIED_SHOWN], "{status}");
    }
}

#[test]
fn refused_push_shows_error_document() {
    for status in [400, 403, 405] {
        let registry = MemoryRegistry::start_with(move |seen| {
            let is_read = ["GET", "HEAD"].contains(&seen.method.as_str());
            (!is_read).then(|| response(status, &[], DENIED))
        });
        let error = published(&registry.expect("a registry"), Settings::default()).expect_err("refused");
        assert_eq!(causes(&error).last().map(String::as_str), Some(DENIED_SHOWN), "{status}: {error:?}");
    }
}

/// What the token service says comes before the problem with the login.
#[test]
fn refused_token_shows_error_document() {
    let host = Arc::new(std::sync::OnceLock::<String>::new());
    let own = host.clone();
    let registry = MemoryRegistry::start_with(move |seen| {
        let realm = format!(r#"Bearer realm="http://{}/token""#, own.get().expect("set"));
        let is_token = seen.path.starts_with("/token");
        let unauthorized = r#"{"errors": [{"code": "UNAUTHORIZED"}]}"#;
        Some(match is_token {
            true => response(403, &[], DENIED),
            false => response(401, &[("WWW-Authenticate", &realm)], unauthorized),
        })
    });
    let registry = registry.expect("a registry");
    host.set(registry.host()).expect("once");
    let text = good(&registry);
    let error = stage_with(&home(), &text, Settings::default()).map(drop).expect_err("refused");
    assert_eq!(causes(&error), [DENIED_SHOWN]);
    let (settings, file) = logged_in(&registry.host(), GOOD);
    let error = stage_with(&home(), &text, settings).map(drop).expect_err("refused");
    let login = format!("the login for `{}` from `{}` is refused", registry.host(), file.path().display());
    assert_eq!(causes(&error), [DENIED_SHOWN, &login]);
}

#[test]
fn refused_login_shows_error_document() {
    let challenge = [("WWW-Authenticate", "Basic")];
    let registry = MemoryRegistry::start_with(move |_| Some(response(401, &challenge, DENIED))).expect("a registry");
    let client = Registry::new(Settings::default());
    let to = reference(&format!("{}/my-org/a:1", registry.host()));
    let credential = Credential::Password { username: "u".to_owned(), password: "bad".to_owned() };
    let error = block_on(client.check_login(&to, credential)).expect_err("refused");
    assert!(matches!(error, RegistryError::LoginRefused { .. }), "{error:?}");
    assert_eq!(causes(&error), [DENIED_SHOWN]);
}

/// A page of a proxy, 10 MB, and a body that never ends: the status alone is shown, and soon.
#[test]
fn other_refusals_show_status_alone() {
    let page = "<html><body>Access denied</body></html>".to_owned();
    let large = format!(r#"{{"errors": [{{"code": "DENIED", "message": "{}"}}]}}"#, "\\u001b]52;c;".repeat(900_000));
    assert!(large.len() > 10_000_000);
    for body in [page, large] {
        let error = staged_with(move |_| Some(response(400, &[], body.clone()))).expect_err("refused");
        assert_eq!(causes(&error), [""; 0]);
        assert!(error.to_string().ends_with("answers 400"), "{error}");
    }
    let registry = MemoryRegistry::start_with(|_| {
        let mut answer = Response::new(dripping());
        *answer.status_mut() = hyper::StatusCode::FORBIDDEN;
        Some(answer)
    });
    let (started, registry) = (Instant::now(), registry.expect("a registry"));
    let text = format!("{}/my-org/a:1", registry.host());
    let error = stage_with(&home(), &text, impatient()).map(drop).expect_err("refused");
    assert!(matches!(error, RegistryError::Unauthorized { source: None, .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn hostile_refusal_stays_on_one_line() {
    let body = r#"{"errors": [{"code": "A\u001b[2J", "message": "\nerror: b\u202e"}]}"#;
    let error = staged_with(move |_| Some(response(400, &[], body))).expect_err("refused");
    assert_eq!(causes(&error), [r"the registry says: A\u{1b}[2J: error: b\u{202e}"]);
}

fn publication() -> Publication {
    Publication::cncf(component("a"), &Description::default()).expect("described")
}

fn published(registry: &MemoryRegistry, settings: Settings) -> Result<(), PushError> {
    let to = reference(&format!("{}/my-org/pushed:1.0.0", registry.host()));
    block_on(Registry::new(settings).publish(&to, publication(), false)).map(drop)
}

/// Strangers read, `/v2/` is open, and whoever writes is challenged.
fn closed_for_writing(challenge: &'static str, expected: &'static str) -> MemoryRegistry {
    let host = Arc::new(std::sync::OnceLock::<String>::new());
    let own = host.clone();
    let registry = MemoryRegistry::start_with(move |seen| {
        if seen.path.starts_with("/token") {
            return Some(response(200, &[], r#"{"token": "good"}"#));
        }
        let is_closed =
            seen.method != "GET" && seen.method != "HEAD" && seen.authorization.as_deref() != Some(expected);
        let challenge = challenge.replace("HOST", own.get().expect("set"));
        is_closed.then(|| response(401, &[("WWW-Authenticate", &challenge)], ""))
    });
    let registry = registry.expect("a registry");
    host.set(registry.host()).expect("once");
    registry
}

#[test]
fn upload_answers_its_own_challenge() {
    for (challenge, expected) in
        [("Basic realm=\"x\"", "Basic dTpnb29k"), ("Bearer realm=\"http://HOST/token\"", "Bearer good")]
    {
        let registry = closed_for_writing(challenge, expected);
        let (settings, _file) = logged_in(&registry.host(), GOOD);
        published(&registry, settings).expect(challenge);
        stage(&home(), &format!("{}/my-org/pushed:1.0.0", registry.host())).expect("there");
    }
}

#[test]
fn refused_push_is_unauthorized() {
    let registry = closed_for_writing("Basic", "Basic never");
    let (settings, _file) = logged_in(&registry.host(), GOOD);
    for settings in [settings, Settings::default()] {
        let error = published(&registry, settings).expect_err("refused");
        assert!(matches!(error, PushError::Registry(RegistryError::Unauthorized { .. })), "{error:?}");
    }
}

/// What is not read is refused with the helper that failed, wherever the registry refuses it.
#[test]
fn refused_push_names_the_missing_helper() {
    for challenge in ["Basic", "Bearer realm=\"http://HOST/token\""] {
        let registry = closed_for_writing(challenge, "Basic never");
        let (settings, file) = logged_in(&registry.host(), "{}");
        std::fs::write(file.path(), r#"{"credsStore": "is-not-there"}"#).expect("written");
        let error = published(&registry, settings).expect_err("refused");
        let PushError::Registry(RegistryError::Unauthorized { source: Some(source), .. }) = &error else {
            panic!("{error:?}")
        };
        assert!(source.to_string().contains("docker-credential-is-not-there"), "{source}");
    }
}

/// A registry that takes blobs in one piece and knows no PATCH, or the other way round.
#[test]
fn push_falls_back_to_the_other_way() {
    let no_patch = MemoryRegistry::start_with(|seen| (seen.method == "PATCH").then(|| response(405, &[], "")));
    published(&no_patch.expect("a registry"), Settings::default()).expect("in one piece");
    let patched = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let chunks_only = MemoryRegistry::start_with(move |seen| match seen.method.as_str() {
        "PATCH" => {
            patched.store(true, Ordering::SeqCst);
            None
        }
        "PUT" if seen.path.contains("/uploads/") => {
            let was_patched = patched.swap(false, Ordering::SeqCst);
            (!was_patched).then(|| response(400, &[], ""))
        }
        _ => None,
    });
    published(&chunks_only.expect("a registry"), Settings::default()).expect("piece by piece");
}

/// What a registry says that it took and does not have afterwards is not published.
#[test]
fn lost_upload_is_an_error() {
    for lost in ["/blobs/", "/manifests/sha256"] {
        let registry = MemoryRegistry::start_with(move |seen| {
            let is_lost = seen.path.contains(lost) && !seen.path.contains("/uploads/");
            (is_lost && seen.method != "PUT").then(|| response(404, &[], ""))
        });
        let registry = registry.expect("a registry");
        let error = published(&registry, Settings::default()).expect_err(lost);
        let PushError::Push { source, .. } = &error else { panic!("{error:?}") };
        assert!(matches!(**source, RegistryError::NotKept { .. }), "{error:?}");
    }
}

/// `200` for `201`, and a relative `Location` with a query.
#[test]
fn upload_location_keeps_its_query() {
    let registry = MemoryRegistry::start_with(|seen| {
        let is_start = seen.method == "POST";
        is_start.then(|| response(200, &[("Location", "uploads/7?state=a%2Fb")], ""))
    });
    let registry = registry.expect("a registry");
    published(&registry, Settings::default()).expect_err("this registry has no such upload");
    let put = registry.seen().into_iter().find(|seen| seen.method == "PUT").expect("sent");
    assert!(put.path.starts_with("/v2/my-org/pushed/blobs/uploads/uploads/7?state=a%2Fb&digest=sha256%3A"), "{put:?}");
}
