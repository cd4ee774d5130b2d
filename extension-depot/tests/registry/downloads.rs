//! Downloads from registries that misbehave: nothing comes of them but an error.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use extension_depot::registry::{Registry, RegistryError, RegistrySettings, Settings};
use extension_depot::serve::{MemoryRegistry, Seen, response};
use extension_depot::{BlobError, Description, ImageError, Publication, Source, media_type};
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::Frame;

use crate::support::{
    block_on, component, home, install, manifest, name, publish, reference, resolve, stage,
    stage_with,
};
use crate::{
    MANIFEST, REPOSITORY, causes, dripping, good, impatient, is_blob, pieces, staged_with,
};

#[test]
fn missing_tag_is_not_found() {
    let registry = MemoryRegistry::start().expect("a registry");
    good(&registry);
    let error = resolve(&format!("{}/my-org/a:2", registry.host())).expect_err("no such tag");
    assert!(
        matches!(&error, RegistryError::MissingTag { nearest, .. } if nearest == &["1"]),
        "{error:?}"
    );
    let error =
        resolve(&format!("{}/my-org/b:1", registry.host())).expect_err("no such repository");
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error:?}");
}

/// A repository with one path part is asked for, listed and published as any other.
#[test]
fn one_part_repository_works() {
    let registry = MemoryRegistry::start().expect("a registry");
    let (home, client) = (home(), Registry::new(Settings::default()));
    let reference = reference(&format!("{}/one:1.0.0", registry.host()));
    let publication =
        Publication::cncf(component("a"), &Description::default()).expect("described");
    block_on(client.publish(&reference, publication, false)).expect("pushed");
    assert_eq!(block_on(client.tags(&reference.repository_query())).expect("tags"), ["1.0.0"]);
    install(&home, &reference.to_string()).expect("installed");
    let installed = home.depot.installed(&name("one")).expect("there");
    assert_eq!(installed.reference.identity().to_string(), format!("{}/one", registry.host()));
    assert!(
        registry.seen().iter().all(|seen| seen.path.starts_with("/v2/one/") || seen.path == "/v2/")
    );
    // The same name below it is another extension.
    publish(&registry, "one/one", "1.0.0", media_type::WASM, &component("b"));
    let error =
        install(&home, &format!("{}/one/one:1.0.0", registry.host())).expect_err("another source");
    assert!(error.to_string().contains("/one/one"), "{error}");
}

#[test]
fn pinned_digest_beats_tag() {
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
fn pinned_layer_is_recognised() {
    let registry = MemoryRegistry::start().expect("a registry");
    let text = good(&registry);
    let artifact = resolve(&text).expect("there").artifact;
    let error =
        resolve(&format!("{text}@{}", artifact.manifest.layers[0].digest)).expect_err("a layer");
    assert!(
        matches!(error, RegistryError::LayerPinned { manifest, .. } if manifest == artifact.digest),
        "{error:?}"
    );
}

#[test]
fn wrong_bytes_are_refused() {
    let error = staged_with(|seen| is_blob(seen).then(|| response(200, &[], vec![0; 12])))
        .expect_err("wrong");
    assert!(
        matches!(error, RegistryError::Blob(BlobError::Size { .. } | BlobError::Digest { .. })),
        "{error:?}"
    );
    let error = staged_with(|seen| is_blob(seen).then(|| response(200, &[], vec![0; 13])))
        .expect_err("wrong");
    assert!(matches!(error, RegistryError::Blob(BlobError::Digest { .. })), "{error:?}");
}

/// A header that lies about the digest is an error and another algorithm is none.
#[test]
fn lying_digest_header_is_error() {
    let with_header = |digest: &'static str| {
        let registry = MemoryRegistry::start_with(move |seen| {
            let manifest = seen.path.contains("/manifests/");
            manifest
                .then(|| response(200, &[("Docker-Content-Digest", digest)], MANIFEST.to_owned()))
        });
        let registry = registry.expect("a registry");
        resolve(&format!("{}/a/b:1", registry.host()))
    };
    let zeros: &'static str = Box::leak(format!("sha256:{}", "0".repeat(64)).into_boxed_str());
    assert!(matches!(with_header(zeros), Err(RegistryError::Blob(BlobError::Digest { .. }))));
    assert!(matches!(
        with_header("sha256:../../x"),
        Err(RegistryError::Image(ImageError::Malformed { .. }))
    ));
    assert!(with_header("sha512:00").is_ok() && with_header("").is_ok());
}

/// A mirror is asked first and the registry where it fails.
#[test]
fn failing_mirror_falls_back() {
    let (registry, mirror) = (
        MemoryRegistry::start().expect("on loopback"),
        MemoryRegistry::start().expect("on loopback"),
    );
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
    assert!(
        registry.seen().is_empty()
            && mirror.seen().iter().all(|seen| seen.path.contains("/cache/my-org/"))
    );
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

/// Some registries deliver OCI documents as Docker's, and the other way round.
#[test]
fn content_type_of_docker_is_taken() {
    let registry = MemoryRegistry::start().expect("a registry");
    let plain = manifest(&registry, media_type::WASM, &component("a"), "null");
    for written in [media_type::MANIFEST, media_type::DOCKER_MANIFEST] {
        let manifest = plain.replacen('{', &format!(r#"{{"mediaType":"{written}","#), 1);
        for sent in [
            media_type::MANIFEST,
            media_type::DOCKER_MANIFEST,
            media_type::INDEX,
            media_type::DOCKER_INDEX,
        ] {
            registry.put_manifest(REPOSITORY, "1", sent, manifest.as_bytes());
            let staged = stage(&home(), &format!("{}/{REPOSITORY}:1", registry.host())).map(drop);
            assert_eq!(
                staged.is_ok(),
                sent.contains("manifest.v"),
                "{written} as {sent}: {staged:?}"
            );
        }
    }
}

/// A registry with a weak moment is asked again.
#[test]
fn transient_error_is_retried() {
    let past = "Wed, 21 Oct 2015 07:28:00 GMT";
    for (status, after) in [(500, "0"), (503, "0"), (429, "0"), (429, past), (503, "soon")] {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let weak = move |_: &Seen| {
            let first = count.fetch_add(1, Ordering::SeqCst) < 2;
            first.then(|| response(status, &[("Retry-After", after)], ""))
        };
        staged_with(weak).unwrap_or_else(|error| panic!("{status}: {error:?}"));
        assert!(asked.load(Ordering::SeqCst) > 2);
    }
}

#[test]
fn broken_registry_is_given_up() {
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
    let error = staged_with(|_| Some(response(429, &[("Retry-After", "999999999")], "")))
        .expect_err("busy");
    assert!(
        matches!(error, RegistryError::Status { status: 429, .. })
            && patient.elapsed() < Duration::from_secs(5)
    );
}

#[test]
fn broken_download_restarts() {
    let broken = AtomicUsize::new(0);
    let half = move |seen: &Seen| {
        (is_blob(seen) && broken.fetch_add(1, Ordering::SeqCst) == 0)
            .then(|| response(200, &[("Content-Length", "2")], "{"))
    };
    staged_with(half).expect("the second time it works");
    let error =
        staged_with(|seen| is_blob(seen).then(|| response(200, &[], ""))).expect_err("never whole");
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

/// A pinned digest is not answered by another manifest.
#[test]
fn pin_refuses_other_manifest() {
    let registry = MemoryRegistry::start().expect("a registry");
    let text = good(&registry);
    let pinned = format!("{text}@sha256:{}", "de".repeat(32));
    let truth = resolve(&text).expect("there").reference;
    let name = truth.provenance().expect("pinned").to_string();
    let registry = MemoryRegistry::start_with(move |seen| {
        // Each request gets these bytes, with a header for them or for the request.
        let asked = seen.path.rsplit('/').next().unwrap_or_default().to_owned();
        let body = r#"{"schemaVersion":2,"config":{},"layers":[]}"#;
        let said = if asked.starts_with("sha256:de") { asked } else { name.clone() };
        seen.path
            .contains("/manifests/")
            .then(|| response(200, &[("Docker-Content-Digest", &said)], body))
    });
    let registry = registry.expect("a registry");
    let pinned = pinned.replace(text.split('/').next().expect("a host"), &registry.host());
    let error = stage(&home(), &pinned).map(drop).expect_err("another manifest");
    assert!(matches!(error, RegistryError::Blob(BlobError::Digest { .. })), "{error:?}");
}

#[test]
fn slow_drip_times_out() {
    let started = Instant::now();
    for part in ["/manifests/", "/blobs/"] {
        let registry = MemoryRegistry::start_with(move |seen| {
            seen.path.contains(part).then(|| Response::new(dripping()))
        });
        let registry = registry.expect("a registry");
        let error = stage_with(&home(), &good(&registry), impatient())
            .map(drop)
            .expect_err("it never ends");
        assert!(
            matches!(error, RegistryError::Timeout { .. } | RegistryError::Blob(_)),
            "{part}: {error:?}"
        );
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
    let reference = reference(&format!("{}/my-org/pushed:1.0.0", registry.host()));
    let publication =
        Publication::cncf(component("a"), &Description::default()).expect("described");
    let client = Registry::new(impatient());
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime
        .block_on(client.publish(&reference, publication, false))
        .expect_err("no token ever comes");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn timeout_of_a_registry_can_be_set() {
    let silence = |_: &Seen| {
        let nothing = futures_util::stream::pending::<Result<Frame<Bytes>, io::Error>>();
        Some(Response::new(StreamBody::new(nothing).boxed()))
    };
    let registry = MemoryRegistry::start_with(silence).expect("a registry");
    let own =
        RegistrySettings { timeout_seconds: std::num::NonZeroU32::new(1), ..Default::default() };
    let settings = Settings { registries: [(registry.host(), own)].into(), ..Default::default() };
    let started = Instant::now();
    let error = stage_with(&home(), &format!("{}/my-org/a:1", registry.host()), settings).map(drop);
    assert!(matches!(error, Err(RegistryError::Timeout { .. })), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn endless_bodies_end() {
    let endless = || pieces(std::iter::repeat_with(|| Bytes::from_static(&[b' '; 65536])));
    let error = staged_with(move |seen| is_blob(seen).then(|| Response::new(endless())))
        .expect_err("endless");
    assert!(matches!(error, RegistryError::Blob(BlobError::Size { .. })), "{error:?}");
    let error = staged_with(move |_| Some(Response::new(endless()))).expect_err("endless");
    assert!(matches!(error, RegistryError::TooLarge { .. }), "{error:?}");
    let error = staged_with(move |_| {
        let mut answer = Response::new(endless());
        *answer.status_mut() = hyper::StatusCode::IM_A_TEAPOT;
        Some(answer)
    });
    assert!(
        matches!(error, Err(RegistryError::Status { status: 418, source: None, .. })),
        "{error:?}"
    );
}

/// Redirects lead only where a registry may send us.
#[test]
fn redirects_are_restricted() {
    let elsewhere = MemoryRegistry::start().expect("another registry");
    good(&elsewhere);
    let to = elsewhere.host();
    let redirect = move |seen: &Seen| {
        is_blob(seen)
            .then(|| response(307, &[("Location", &format!("http://{to}{}", seen.path))], ""))
    };
    staged_with(redirect).expect("blobs may lie with somebody else");

    let looping = |seen: &Seen| Some(response(307, &[("Location", &seen.path)], ""));
    assert!(matches!(staged_with(looping), Err(RegistryError::Redirect { .. })));
    let file = |_: &Seen| Some(response(302, &[("Location", "file:///etc/passwd")], ""));
    assert!(matches!(staged_with(file), Err(RegistryError::Redirect { .. })));
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
fn silent_host_is_named() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("it")
        .port();
    let error = resolve(&format!("127.0.0.1:{port}/a/b:1")).expect_err("nobody there");
    assert_eq!(error.to_string(), format!("cannot reach the registry `127.0.0.1:{port}`"));
}
