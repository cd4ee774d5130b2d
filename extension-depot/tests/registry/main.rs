//! Registries of all manners, good and bad, and what sesame makes of them.

mod downloads;
mod lists;
mod logins;
mod pushes;
mod refusals;
#[path = "../support/mod.rs"]
mod support;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use extension_depot::registry::{
    CredentialFiles, Notices, PushError, Registry, RegistryError, Settings, Timeouts,
};
use extension_depot::serve::{Body, MemoryRegistry, Seen, response};
use extension_depot::{Description, Publication, media_type};
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::Frame;

use support::{block_on, component, home, publish, reference, stage};

const REPOSITORY: &str = "my-org/a";

fn good(registry: &MemoryRegistry) -> String {
    publish(registry, REPOSITORY, "1", media_type::WASM, &component("a"));
    format!("{}/{REPOSITORY}:1", registry.host())
}

/// What staging gives when each request for a blob or document is answered by `answer`.
fn staged_with(
    answer: impl Fn(&Seen) -> Option<Response<Body>> + Send + Sync + 'static,
) -> Result<(), RegistryError> {
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

/// Returns a body of pieces, and of nothing but waiting after them.
fn pieces(pieces: impl IntoIterator<Item = Bytes, IntoIter: Send + Sync + 'static>) -> Body {
    let frames = pieces.into_iter().map(|piece| Ok::<_, io::Error>(Frame::data(piece)));
    StreamBody::new(futures_util::stream::iter(frames)).boxed()
}

/// Settings with `u:SECRET` for this registry, in a file as `docker login` writes it.
fn logged_in(host: &str, entry: &str) -> (Settings, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), format!(r#"{{"auths": {{"{host}": {entry}}}}}"#)).expect("written");
    (
        Settings {
            credentials: CredentialFiles(vec![file.path().to_owned()]),
            ..Default::default()
        },
        file,
    )
}

/// `u:SECRET` in base64.
const PASSWORD: &str = r#"{"auth": "dTpTRUNSRVQ="}"#;

/// Demands authentication and takes `expected` for it; answers a token service at `/token`.
fn guarded(
    challenge: impl Fn(&str) -> String + Send + Sync + 'static,
    expected: &'static str,
) -> MemoryRegistry {
    MemoryRegistry::start_with(move |seen| {
        if seen.path.starts_with("/token") {
            return Some(response(200, &[], r#"{"token": "good"}"#));
        }
        let known = seen.authorization.as_deref() == Some(expected);
        (!known).then(|| response(401, &[("WWW-Authenticate", &challenge(&seen.path))], ""))
    })
    .expect("a registry")
}

/// Returns a registry with a token service at its own origin, which gives `full` to `u:good` and,
/// where it is public, `anon` to those without a login.
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
        let realm =
            format!(r#"Bearer realm="http://{}/token",service="r""#, own.get().expect("set"));
        let is_known = matches!(seen.authorization.as_deref(), Some("Bearer anon" | "Bearer full"));
        (!is_known).then(|| response(401, &[("WWW-Authenticate", &realm)], ""))
    });
    let registry = registry.expect("a registry");
    host.set(registry.host()).expect("once");
    registry
}

/// `u:good` in base64.
const GOOD: &str = r#"{"auth": "dTpnb29k"}"#;

/// Returns the notices that come while `work` runs with these settings.
fn noticed<T>(mut settings: Settings, work: impl FnOnce(Settings) -> T) -> (T, Vec<String>) {
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let telling = told.clone();
    settings.notices =
        Notices::new(move |notice| telling.lock().expect("alone").push(notice.to_string()));
    let result = work(settings);
    let told = told.lock().expect("alone").clone();
    (result, told)
}

/// Returns the causes of an error, as the command line prints them.
fn causes(error: &dyn std::error::Error) -> Vec<String> {
    std::iter::successors(error.source(), |cause| cause.source()).map(ToString::to_string).collect()
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
        let is_closed = seen.method != "GET"
            && seen.method != "HEAD"
            && seen.authorization.as_deref() != Some(expected);
        let challenge = challenge.replace("HOST", own.get().expect("set"));
        is_closed.then(|| response(401, &[("WWW-Authenticate", &challenge)], ""))
    });
    let registry = registry.expect("a registry");
    host.set(registry.host()).expect("once");
    registry
}

const MANIFEST: &str = r#"{"schemaVersion":2,"config":{"mediaType":"a","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0},"layers":[{"mediaType":"application/wasm","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0}]}"#;

/// Bytes that come one by one, and slower than any timeout.
fn dripping() -> Body {
    let drips = futures_util::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Some((Ok::<_, io::Error>(Frame::data(Bytes::from_static(b" "))), ()))
    });
    BodyExt::boxed(StreamBody::new(drips))
}

fn impatient() -> Settings {
    let timeouts = Timeouts {
        connect: Duration::from_secs(1),
        idle: Duration::from_millis(300),
        total: Duration::from_secs(1),
    };
    Settings { timeouts, ..Settings::default() }
}
