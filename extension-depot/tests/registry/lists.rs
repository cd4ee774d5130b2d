//! Lists of tags and referrers, and signatures found by them.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use extension_depot::registry::{
    Registry, RegistryError, Settings, SignatureForm, Timeouts, generate_key,
};
use extension_depot::serve::{Body, MemoryRegistry, Seen, response};
use extension_depot::{PublicKey, SecretKey, SignatureState, Verifier, media_type};
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::Frame;

use crate::support::{block_on, reference, resolve};
use crate::{MANIFEST, good, pieces};

/// Returns the tags of a repository whose list is answered by `answer`, by what stands behind
/// `tags/list`, and the number of requests.
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
                &[
                    ("Link", "</v2/first>; rel=first"),
                    ("link", r#"</v2/my-org/many/tags/list?t=a>; rel="prev next""#),
                ],
                r#"{"tags":["0.3.0","0.1.0"]}"#,
            ),
            // A page can have nothing on it, or something that came before.
            "?t=a" => response(200, &[("Link", relative)], r#"{"tags":null}"#),
            "?t=b%3D&n=3" => response(200, &[], r#"{"tags":["0.1.0","0.2.0"]}"#),
            _ => return None,
        })
    });
    assert_eq!(
        (tags.expect("tags"), requests),
        (["0.3.0", "0.1.0", "0.2.0"].map(str::to_owned).to_vec(), 3)
    );
}

#[test]
fn incomplete_tags_are_an_error() {
    let said = |answer: fn(&str, usize) -> (String, String)| {
        let asked = AtomicUsize::new(0);
        let (tags, requests) = tags_with(move |rest| {
            let (link, tags) = answer(rest, asked.fetch_add(1, Ordering::SeqCst));
            (link != "404")
                .then(|| response(200, &[("Link", &link)], format!(r#"{{"tags":[{tags}]}}"#)))
        });
        match tags.expect_err("incomplete") {
            RegistryError::Incomplete { reason, .. } => (reason, requests),
            other => panic!("{other:?}"),
        }
    };
    /// The link and the body of a page, by its address and number.
    type Page = fn(&str, usize) -> (String, String);
    let cases: [(Page, &str, usize); 8] = [
        (
            |_, at| (format!("<?page={at}>; rel=next"), r#""1""#.to_owned()),
            "page 2 repeats what came before it",
            2,
        ),
        (
            |_, at| ("<?n=1000>; rel=next".to_owned(), format!(r#""{at}""#)),
            "page 1 leads back to a page before it",
            1,
        ),
        (
            |_, at| (format!("<?at={}>; rel=next", at % 2), format!(r#""{at}""#)),
            "page 3 leads back to a page before it",
            3,
        ),
        (
            |_, at| (format!("<?at={at}>; rel=next"), format!(r#""{at}""#)),
            "it has more than 1000 pages",
            1_000,
        ),
        (
            |_, at| {
                (if at == 0 { "<?at=1>; rel=next" } else { "404" }.to_owned(), format!(r#""{at}""#))
            },
            "page 2 is missing",
            2,
        ),
        (
            |_, _| ("<http://169.254.169.254/latest>; rel=next".to_owned(), r#""1""#.to_owned()),
            "its next page is at `http://169.254.169.254`, outside the registry",
            1,
        ),
        (
            |_, at| {
                (format!("<?at={at}>; rel=next"), format!(r#""{at}"{}"#, " ".repeat(4_000_000)))
            },
            "it has more than 33554432 bytes",
            9,
        ),
        (
            |_, _| ("?at=1; rel=next".to_owned(), r#""1""#.to_owned()),
            "its header `Link` cannot be read",
            1,
        ),
    ];
    for (answer, reason, requests) in cases {
        assert_eq!(said(answer), (reason.to_owned(), requests));
    }
}

/// The error names the repository that was asked for, and not the tag of the connection.
#[tokio::test]
async fn missing_repository_is_named() {
    let registry = MemoryRegistry::start().expect("a registry");
    let query = format!("{}/my-org/none", registry.host()).parse().expect("a repository");
    let error = Registry::new(Settings::default()).tags(&query).await.expect_err("missing");
    assert_eq!(
        error.to_string(),
        format!("the registry does not have the repository `{}/my-org/none`", registry.host())
    );
}

#[tokio::test]
async fn malformed_tags_are_refused() {
    for body in
        [r#"{"tags":["../../x"]}"#, "{\"tags\":[\"a\\u001b[2J\"]}", r#"{"tags":"x"}"#, "<html>", ""]
    {
        let registry = MemoryRegistry::start_with(move |_| Some(response(200, &[], body)))
            .expect("a registry");
        let query = format!("{}/my-org/x", registry.host()).parse().expect("a repository");
        let error = Registry::new(Settings::default()).tags(&query).await.expect_err(body);
        assert!(matches!(error, RegistryError::Image(_)), "{body}: {error}");
    }
    let empty = MemoryRegistry::start_with(|_| Some(response(200, &[], r#"{"tags":null}"#)))
        .expect("a registry");
    let query = format!("{}/my-org/x", empty.host()).parse().expect("a repository");
    assert_eq!(Registry::new(Settings::default()).tags(&query).await.expect("none"), [""; 0]);
}

/// Returns the state of a signature where each request for one is answered by `answer`.
fn signature_with(
    answer: impl Fn(&Seen) -> Option<Response<Body>> + Send + Sync + 'static,
) -> (SignatureState, usize) {
    let is_about_signatures =
        |seen: &Seen| seen.path.contains("/referrers/") || seen.path.contains("/sha256-");
    let registry =
        MemoryRegistry::start_with(
            move |seen| if is_about_signatures(seen) { answer(seen) } else { None },
        );
    let registry = registry.expect("a registry");
    let pinned = resolve(&good(&registry)).expect("it is there").reference;
    let before = registry.seen().len();
    let timeouts = Timeouts {
        idle: Duration::from_millis(300),
        total: Duration::from_secs(2),
        ..Default::default()
    };
    let client = Registry::new(Settings { timeouts, ..Default::default() });
    let state = block_on(client.signature(&pinned, &[]));
    (state, registry.seen().len() - before)
}

/// A missing signature, an error, silence and an empty list are told apart.
#[test]
fn unsigned_differs_from_errors() {
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
        signature_with(move |seen| {
            seen.path.contains("/referrers/").then(|| response(200, &[], list))
        }),
    ];
    let said = states.map(|(state, _)| state.to_string());
    assert_eq!((said[0].as_str(), said[4].as_str()), ("unsigned", "unsigned"));
    for (state, why) in
        said[1..4].iter().zip(["answers 500", "denies anonymous access", "does not answer in time"])
    {
        assert!(state.starts_with("could not check: ") && state.contains(why), "{state}");
    }
}

/// Returns the state of an artifact that is signed in this form, at a registry that answers these
/// requests by itself.
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

/// Returns whether it is the registry's list of referrers.
fn is_list(seen: &Seen) -> bool {
    seen.path.contains("/referrers/")
}

/// Returns whether it is the tag that stands for such a list.
fn is_list_tag(seen: &Seen) -> bool {
    seen.path.contains("/manifests/sha256-") && !seen.path.contains('.')
}

/// Registries without a list of referrers answer anything at all.
#[test]
fn signature_counts_without_list() {
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
        let both = move |seen: &Seen| {
            (is_list(seen) || is_list_tag(seen)).then(|| response(status, &[], body))
        };
        let state = signed_at(SignatureForm::Classic, both);
        assert!(is_verified(&state), "{status} {body}: {state}");
        let state = signed_at(SignatureForm::Bundle, move |seen| {
            is_list(seen).then(|| response(status, &[], body))
        });
        assert!(is_verified(&state), "{status} {body}: {state}");
        // An empty list is one all the same.
        let is_real_list = body.contains("\"manifests\"");
        // Without a signature, what broke matters.
        let (state, _) =
            signature_with(move |seen| is_list(seen).then(|| response(status, &[], body)));
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
    let config = format!(
        r#"{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:{zeros}","size":2}}"#
    );
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
        let layer =
            format!(r#"{{"mediaType":"{bundle}","digest":"sha256:{zeros}","size":{size}}}"#);
        let (state, requests) = signature_of(vec![manifest(0, &layer)]);
        assert!(matches!(state, SignatureState::Unchecked { .. }), "{size}: {state}");
        assert!(requests <= 6, "{requests} requests");
    }
}

/// Returns the state where a list has these manifests, whose blobs never end.
fn signature_of(manifests: Vec<String>) -> (SignatureState, usize) {
    let scratch = MemoryRegistry::start().expect("a registry");
    let digest = |manifest: &String| scratch.put_blob(manifest.as_bytes()).to_string();
    let entry = |manifest: &String| {
        let (kind, size) = (media_type::MANIFEST, manifest.len());
        format!(r#"{{"mediaType":"{kind}","digest":"{}","size":{size}}}"#, digest(manifest))
    };
    let entries: Vec<_> = manifests.iter().map(entry).collect();
    let list = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
    let by_digest: BTreeMap<_, _> =
        manifests.into_iter().map(|manifest| (digest(&manifest), manifest)).collect();
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
    let state = block_on(Registry::new(Settings::default()).signature(&pinned, &[]));
    (state, registry.seen().len() - before)
}
