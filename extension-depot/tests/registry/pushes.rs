//! Pushes to registries of all manners.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use extension_depot::registry::{
    PushError, Registry, RegistryError, RegistrySettings, Settings, SignatureForm, generate_key,
};
use extension_depot::serve::{MemoryRegistry, response};
use extension_depot::{Description, Docs, Publication, SecretKey};
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::Frame;
use test_support::odd_registry::{Keeps, Manners, OddRegistry};

use crate::support::{block_on, component, home, reference, stage};
use crate::{GOOD, closed_for_writing, logged_in, published};

#[test]
fn what_is_pushed_can_be_pulled() {
    let registry = MemoryRegistry::start().expect("a registry");
    let text = format!("{}/my-org/pushed:1.0.0", registry.host());
    let annotations = [("org.opencontainers.image.version".to_owned(), "1.0.0".to_owned())].into();
    let client = extension_depot::registry::Registry::new(Settings::default());
    let (to, description) = (
        reference(&text),
        Description { title: "a.wasm".to_owned(), annotations, ..Default::default() },
    );
    let publish = |binary: &[u8], overwrite| {
        let publication = Publication::cncf(binary.to_vec(), &description).expect("described");
        block_on(client.publish(&to, publication, overwrite))
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

/// Pages are published beside an artifact and found again.
#[test]
fn published_pages_are_found() {
    let registry = MemoryRegistry::start().expect("a registry");
    let to = reference(&format!("{}/my-org/pushed:1.0.0", registry.host()));
    let client = extension_depot::registry::Registry::new(Settings::default());
    let publication =
        Publication::cncf(component("a"), &Description::default()).expect("described");
    let pinned = block_on(client.publish(&to, publication, false)).expect("pushed").reference;
    assert_eq!(block_on(client.docs(&pinned)).expect("asked"), None);
    for text in ["# Old", "# New"] {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("index.md"), text).expect("written");
        let archive = Docs::read(directory.path()).expect("pages").pack().expect("packed");
        block_on(client.publish_docs(&pinned, archive)).expect("pushed");
    }
    let docs = block_on(client.docs(&pinned)).expect("asked").expect("pages");
    assert_eq!(docs.first().expect("a page").text, "# New");
}

/// An upload is waited for as long as the registry's own timeout says.
#[test]
fn registry_timeout_bounds_pushes() {
    let registry = MemoryRegistry::start_with(|seen| {
        let nothing = futures_util::stream::pending::<Result<Frame<Bytes>, io::Error>>();
        (seen.method == "POST").then(|| {
            std::thread::sleep(Duration::from_secs(3));
            Response::new(StreamBody::new(nothing).boxed())
        })
    });
    let registry = registry.expect("a registry");
    let own =
        RegistrySettings { timeout_seconds: std::num::NonZeroU32::new(1), ..Default::default() };
    let settings = Settings { registries: [(registry.host(), own)].into(), ..Default::default() };
    let error = published(&registry, settings).expect_err("silent");
    let PushError::Push { source, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(**source, RegistryError::Timeout { .. }), "{error:?}");
}

#[test]
fn upload_answers_its_own_challenge() {
    for (challenge, expected) in [
        ("Basic realm=\"x\"", "Basic dTpnb29k"),
        ("Bearer realm=\"http://HOST/token\"", "Bearer good"),
    ] {
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
        assert!(
            matches!(error, PushError::Registry(RegistryError::Unauthorized { .. })),
            "{error:?}"
        );
    }
}

/// An upload is refused with the helper that failed, wherever the registry refuses it.
#[test]
fn push_names_missing_helper() {
    for challenge in ["Basic", "Bearer realm=\"http://HOST/token\""] {
        let registry = closed_for_writing(challenge, "Basic never");
        let (settings, file) = logged_in(&registry.host(), "{}");
        std::fs::write(file.path(), r#"{"credsStore": "is-not-there"}"#).expect("written");
        let error = published(&registry, settings).expect_err("refused");
        let PushError::Registry(RegistryError::Unauthorized { source: Some(source), .. }) = &error
        else {
            panic!("{error:?}")
        };
        assert!(source.to_string().contains("docker-credential-is-not-there"), "{source}");
    }
}

/// A registry that takes blobs in one piece and knows no PATCH, or the other way round.
#[test]
fn push_falls_back_to_the_other_way() {
    let no_patch =
        MemoryRegistry::start_with(|seen| (seen.method == "PATCH").then(|| response(405, &[], "")));
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

/// An upload that the registry took and does not have afterwards is not published.
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
    assert!(
        put.path
            .starts_with("/v2/my-org/pushed/blobs/uploads/uploads/7?state=a%2Fb&digest=sha256%3A"),
        "{put:?}"
    );
}

/// `me:SECRET` in base64, which odd registries know.
const KNOWN: &str = r#"{"auth": "bWU6U0VDUkVU"}"#;

fn odd(manners: Manners) -> OddRegistry {
    OddRegistry::start(manners).expect("a registry")
}

/// What publishing so many bytes at a registry of these manners ends in.
fn published_at(registry: &OddRegistry, size: usize) -> Result<(), PushError> {
    let (settings, _file) = logged_in(&registry.host(), KNOWN);
    let to = reference(&format!("{}/my-org/pushed:1.0.0", registry.host()));
    let publication = Publication::cncf(large(size), &Description::default()).expect("described");
    block_on(Registry::new(settings).publish(&to, publication, true)).map(drop)
}

/// Returns the smallest component, with a custom section of so many bytes.
fn large(size: usize) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0\0".to_vec();
    let mut rest = size + 2;
    while rest >= 0x80 {
        bytes.push(u8::try_from(rest & 0x7f).expect("seven bits") | 0x80);
        rest >>= 7;
    }
    bytes.push(u8::try_from(rest).expect("seven bits"));
    bytes.extend_from_slice(b"\x01p");
    bytes.resize(bytes.len() + size, 7);
    bytes
}

fn reason(error: PushError) -> RegistryError {
    match error {
        PushError::Push { source, .. } => *source,
        other => panic!("{other:?}"),
    }
}

/// Whatever way a registry takes uploads, they arrive, and only that registry gets the login.
#[test]
fn push_suits_the_registry() {
    let chunks = Manners { takes_whole: false, takes_chunks: true, ..Manners::default() };
    for manners in [
        Manners::default(),
        chunks,
        Manners { max_request: 200 << 10, ..chunks },
        Manners { max_request: 200 << 10, takes_whole: true, ..chunks },
        Manners { min_chunk: 64 << 20, ..chunks },
        Manners { loses_answers: true, ..Manners::default() },
        Manners { loses_answers: true, ..chunks },
    ] {
        let registry = odd(manners);
        published_at(&registry, 500 << 10).unwrap_or_else(|error| panic!("{manners:?}: {error:?}"));
        stage(&home(), &format!("{}/my-org/pushed:1.0.0", registry.host())).expect("there");
        let seen = registry.seen();
        assert!(
            seen.iter().all(|request| request.method != "GET" || request.authorization.is_none()),
            "{manners:?}"
        );
    }
}

/// Chunks are as large as the registry says that they have to be.
#[test]
fn chunks_have_the_stated_size() {
    let registry = odd(Manners {
        takes_whole: false,
        takes_chunks: true,
        min_chunk: 9 << 20,
        ..Manners::default()
    });
    published_at(&registry, 17 << 20).expect("pushed");
    let sizes: Vec<_> = registry
        .seen()
        .iter()
        .filter(|seen| seen.method == "PATCH")
        .map(|seen| seen.body.len())
        .collect();
    assert!(sizes.contains(&(9 << 20)) && !sizes.contains(&(8 << 20)), "{sizes:?}");
}

/// A registry that lies about the uploads that it took has published nothing.
#[test]
fn broken_keeping_is_not_published() {
    for keeps in [Keeps::Nothing, Keeps::Others] {
        let error =
            published_at(&odd(Manners { keeps, ..Manners::default() }), 10).expect_err("not kept");
        assert!(matches!(reason(error), RegistryError::NotKept { .. }), "{keeps:?}");
    }
    let registry = odd(Manners { keeps: Keeps::OldTags, ..Manners::default() });
    published_at(&registry, 10).expect("a new tag");
    let error = published_at(&registry, 20).expect_err("a tag that stays where it was");
    assert!(matches!(reason(error), RegistryError::NotTagged { .. }));
}

/// An upload that goes on at another host gets the bytes and not the login.
#[test]
fn upload_elsewhere_has_no_login() {
    let store = MemoryRegistry::start().expect("somebody else");
    let to = format!("http://{}/v2/a/blobs/uploads/1?x=1", store.host());
    let registry =
        MemoryRegistry::start_with(move |seen| match (seen.method.as_str(), &seen.authorization) {
            ("GET" | "HEAD", _) => None,
            (_, None) => Some(response(401, &[("WWW-Authenticate", "Basic")], "")),
            ("POST", Some(_)) => Some(response(202, &[("Location", &to)], "")),
            (_, Some(_)) => None,
        });
    let registry = registry.expect("a registry");
    let (settings, _file) = logged_in(&registry.host(), GOOD);
    published(&registry, settings).expect_err("the store knows no such upload");
    let seen = store.seen();
    assert!(
        seen.iter().any(|seen| seen.method == "PUT" && seen.path.contains("?x=1&digest=sha256%3A")),
        "{seen:?}"
    );
    assert!(seen.iter().all(|seen| seen.authorization.is_none()), "{seen:?}");
    assert!(registry.seen().iter().any(|seen| seen.authorization.is_some()));
}

/// A blob that the registry keeps in a store elsewhere is looked for there, without the login.
#[test]
fn kept_elsewhere_is_found() {
    for is_there in [true, false] {
        let store = MemoryRegistry::start().expect("somebody else");
        let to = store.host();
        let registry = MemoryRegistry::start_with(move |seen| {
            let is_blob = matches!(seen.method.as_str(), "GET" | "HEAD")
                && seen.path.contains("/blobs/sha256");
            is_blob
                .then(|| response(307, &[("Location", &format!("http://{to}{}", seen.path))], ""))
        });
        let registry = registry.expect("a registry");
        if is_there {
            published(&store, Settings::default()).expect("the same");
        }
        let published = published(&registry, Settings::default());
        assert_eq!(published.is_ok(), is_there, "{published:?}");
        assert!(store.seen().iter().all(|seen| seen.authorization.is_none()));
    }
}

/// A registry that has the list of referrers and leaves ours out of it is told in the other way
/// too.
#[test]
fn missing_referrer_goes_to_tag() {
    let empty = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    let registry = MemoryRegistry::start_with(move |seen| {
        let index = [("Content-Type", "application/vnd.oci.image.index.v1+json")];
        seen.path.contains("/referrers/").then(|| response(200, &index, empty))
    });
    let registry = registry.expect("a registry");
    published(&registry, Settings::default()).expect("pushed");
    let to = reference(&format!("{}/my-org/pushed:1.0.0", registry.host()));
    let directory = tempfile::tempdir().expect("a directory");
    let secret = directory.path().join("a.key");
    generate_key(&secret, &directory.path().join("a.pub"), None).expect("a key");
    let secret = SecretKey::from_pem(&std::fs::read(secret).expect("read"), None).expect("a key");
    let client = Registry::new(Settings::default());
    let pinned = block_on(client.sign(&to, &secret, SignatureForm::Bundle)).expect("signed");
    let found = block_on(client.referrers(&pinned)).expect("found");
    assert_eq!(found.len(), 1, "{found:?}");
}
