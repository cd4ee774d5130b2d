//! What registries say when they refuse.

use std::sync::Arc;
use std::time::{Duration, Instant};

use extension_depot::registry::{Credential, Registry, RegistryError, Settings};
use extension_depot::serve::{MemoryRegistry, response};
use hyper::Response;

use crate::support::{block_on, home, reference, stage_with};
use crate::{GOOD, causes, dripping, good, impatient, logged_in, published, staged_with};

const DENIED: &str =
    r#"{"errors": [{"code": "DENIED", "message": "requested access to the resource is denied"}]}"#;
const DENIED_SHOWN: &str = "the registry says: DENIED: requested access to the resource is denied";

#[test]
fn pull_shows_error_document() {
    for status in [400, 403, 404, 418] {
        let error = staged_with(move |_| Some(response(status, &[], DENIED))).expect_err("refused");
        assert_eq!(causes(&error), [DENIED_SHOWN], "{status}");
    }
}

#[test]
fn push_shows_error_document() {
    for status in [400, 403, 405] {
        let registry = MemoryRegistry::start_with(move |seen| {
            let is_read = ["GET", "HEAD"].contains(&seen.method.as_str());
            (!is_read).then(|| response(status, &[], DENIED))
        });
        let error =
            published(&registry.expect("a registry"), Settings::default()).expect_err("refused");
        assert_eq!(
            causes(&error).last().map(String::as_str),
            Some(DENIED_SHOWN),
            "{status}: {error:?}"
        );
    }
}

/// The message of the token service comes before the problem with the login.
#[test]
fn token_shows_error_document() {
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
    let login =
        format!("the login for `{}` from `{}` is refused", registry.host(), file.path().display());
    assert_eq!(causes(&error), [DENIED_SHOWN, &login]);
}

#[test]
fn login_shows_error_document() {
    let challenge = [("WWW-Authenticate", "Basic")];
    let registry = MemoryRegistry::start_with(move |_| Some(response(401, &challenge, DENIED)))
        .expect("a registry");
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
    let large = format!(
        r#"{{"errors": [{{"code": "DENIED", "message": "{}"}}]}}"#,
        "\\u001b]52;c;".repeat(900_000)
    );
    assert!(large.len() > 10_000_000);
    for body in [page, large] {
        let error =
            staged_with(move |_| Some(response(400, &[], body.clone()))).expect_err("refused");
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
fn hostile_refusal_is_one_line() {
    let body = r#"{"errors": [{"code": "A\u001b[2J", "message": "\nerror: b\u202e"}]}"#;
    let error = staged_with(move |_| Some(response(400, &[], body))).expect_err("refused");
    assert_eq!(causes(&error), [r"the registry says: A\u{1b}[2J: error: b\u{202e}"]);
}
