//! Who is told a login, and what becomes of one that is refused.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use extension_depot::registry::{
    CredentialFiles, Registry, RegistryError, RegistrySettings, Settings,
};
use extension_depot::serve::{MemoryRegistry, response};

use crate::support::{block_on, home, reference, stage, stage_with};
use crate::{GOOD, PASSWORD, good, guarded, logged_in, noticed, with_tokens};

/// A password is given to the registry that asks for it.
#[test]
fn password_goes_to_its_registry() {
    let registry = guarded(|_| r#"Basic realm="x""#.to_owned(), "Basic dTpTRUNSRVQ=");
    let text = good(&registry);
    let (settings, _file) = logged_in(&registry.host(), PASSWORD);
    stage_with(&home(), &text, settings).expect("let in");
    assert_eq!(registry.seen()[0].authorization, None, "not before it asks");
    let error = stage(&home(), &text).map(drop).expect_err("a stranger");
    assert!(matches!(error, RegistryError::Unauthorized { .. }), "{error:?}");
}

/// A token is fetched with a password, an identity token, or anonymously.
#[test]
fn token_by_each_credential() {
    for (entry, shown) in [
        (PASSWORD, Some("Basic dTpTRUNSRVQ=")),
        (r#"{"auth": "", "identitytoken": "t"}"#, None),
        (r#"{}"#, None),
    ] {
        let host = Arc::new(OnceLock::<String>::new());
        let own = host.clone();
        let registry = guarded(
            move |_| {
                format!(r#"Bearer realm="http://{}/token",service="me""#, own.get().expect("set"))
            },
            "Bearer good",
        );
        host.set(registry.host()).expect("once");
        let text = good(&registry);
        let (settings, _file) = logged_in(&registry.host(), entry);
        stage_with(&home(), &text, settings).unwrap_or_else(|error| panic!("{entry}: {error:?}"));
        let asked = registry
            .seen()
            .into_iter()
            .find(|seen| seen.path.starts_with("/token"))
            .expect("asked");
        assert_eq!(asked.authorization.as_deref(), shown);
        assert_eq!(asked.method, if entry.contains("identitytoken") { "POST" } else { "GET" });
    }
}

#[test]
fn credentials_stay_at_their_host() {
    let evil = MemoryRegistry::start().expect("somebody else");
    let realm = format!("http://{}/token", evil.host());
    for scheme in ["Bearer", "bearer"] {
        let realm = realm.clone();
        let registry = guarded(move |_| format!(r#"{scheme} realm="{realm}""#), "never");
        let text = good(&registry);
        let (settings, _file) = logged_in(&registry.host(), PASSWORD);
        let error = stage_with(&home(), &text, settings).map(drop).expect_err("not paired");
        assert!(
            matches!(&error, RegistryError::Realm { realm, .. } if realm.contains(&evil.host())),
            "{error:?}"
        );
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

/// A paired token host is asked over TLS only.
#[test]
fn paired_token_host_needs_tls() {
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
    let unauthenticated =
        registry.seen().iter().filter(|seen| seen.authorization.is_none()).count();
    assert_eq!(unauthenticated, 1, "only the first request is sent without the token");
}

/// However a registry is written, its token is asked for once.
#[test]
fn spellings_share_a_token() {
    let registry = with_tokens(false);
    let text = good(&registry);
    let (settings, _file) = logged_in(&registry.host(), GOOD);
    let client = Registry::new(settings);
    for text in [text.clone(), text.replace("127.0.0.1", "127.1")] {
        block_on(client.resolve(&reference(&text))).expect(&text);
    }
    assert_eq!(asked_for_tokens(&registry), 1);
}

/// An expired login does not block public artifacts.
#[test]
fn stale_login_reads_anonymously() {
    let registry = with_tokens(true);
    let text = good(&registry);
    let (settings, file) = logged_in(&registry.host(), PASSWORD);
    let (staged, told) =
        noticed(settings, |settings| stage_with(&home(), &text, settings).map(drop));
    staged.expect("public");
    let (host, path) = (registry.host(), file.path().display());
    assert_eq!(
        told,
        [format!("the login for `{host}` from `{path}` is refused; access is anonymous")]
    );
    assert_eq!(asked_for_tokens(&registry), 2);
}

#[test]
fn stale_login_names_its_place() {
    let registry = with_tokens(false);
    let text = good(&registry);
    let (settings, file) = logged_in(&registry.host(), PASSWORD);
    let error = stage_with(&home(), &text, settings).map(drop).expect_err("private");
    let RegistryError::Unauthorized { who, source: Some(source), .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(who, "`u`");
    assert!(source.to_string().contains(&file.path().display().to_string()), "{source}");
}

/// A token of a login that is good for other repositories only does not block a public one.
#[test]
fn denied_token_reads_anonymously() {
    let host = Arc::new(OnceLock::<String>::new());
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
    let (staged, told) =
        noticed(settings, |settings| stage_with(&home(), &text, settings).map(drop));
    staged.expect("public");
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn token_has_challenge_scope() {
    let host = Arc::new(OnceLock::<String>::new());
    let own = host.clone();
    let challenge = move |_: &str| {
        format!(r#"Bearer realm="http://{}/token",scope="a:b:c d:e:f""#, own.get().expect("set"))
    };
    let registry = guarded(challenge, "Bearer good");
    host.set(registry.host()).expect("once");
    stage(&home(), &good(&registry)).expect("let in");
    assert!(
        registry.seen().iter().any(|seen| seen.path == "/token?scope=a%3Ab%3Ac&scope=d%3Ae%3Af")
    );
}

/// A credential helper that is missing is named, whether the registry lets us in without it or not.
#[test]
fn missing_helper_is_named() {
    for is_public in [true, false] {
        let registry = with_tokens(is_public);
        let text = good(&registry);
        let (mut settings, file) = logged_in(&registry.host(), "{}");
        let config = format!(
            r#"{{"auths": {{"{}": {{}}}}, "credsStore": "is-not-there"}}"#,
            registry.host()
        );
        std::fs::write(file.path(), config).expect("written");
        settings.credentials = CredentialFiles(vec![file.path().to_owned()]);
        let (staged, told) =
            noticed(settings, |settings| stage_with(&home(), &text, settings).map(drop));
        let said = match staged {
            Ok(()) => told.concat(),
            Err(RegistryError::Unauthorized { source: Some(source), .. }) => source.to_string(),
            Err(error) => panic!("{error:?}"),
        };
        assert!(said.contains("docker-credential-is-not-there"), "{said}");
        assert_eq!(told.len(), usize::from(is_public));
    }
}

/// Returns a registry whose manifests and tags want tokens of their own scopes. Tokens carry the
/// number of `generation`, and older ones are refused.
fn with_scopes(generation: Arc<AtomicUsize>, expires_in: &'static str) -> MemoryRegistry {
    let host = Arc::new(OnceLock::<String>::new());
    let own = host.clone();
    let registry = MemoryRegistry::start_with(move |seen| {
        let now = generation.load(Ordering::SeqCst);
        if let Some((_, scope)) = seen.path.split_once("/token?scope=") {
            return Some(response(
                200,
                &[],
                format!(r#"{{"access_token": "{scope}{now}"{expires_in}}}"#),
            ));
        }
        let scope = if seen.path.contains("/tags/") { "tags" } else { "rest" };
        let is_known = seen.authorization == Some(format!("Bearer {scope}{now}"));
        let challenge =
            format!(r#"Bearer realm="http://{}/token",scope="{scope}""#, own.get().expect("set"));
        (!is_known).then(|| response(401, &[("WWW-Authenticate", &challenge)], ""))
    });
    let registry = registry.expect("a registry");
    host.set(registry.host()).expect("once");
    registry
}

/// Each scope has one token, and one that is refused is replaced in the middle of a command.
#[test]
fn tokens_kept_until_refused() {
    let generation = Arc::new(AtomicUsize::new(0));
    let registry = with_scopes(generation.clone(), "");
    let (reference, client) = (reference(&good(&registry)), Registry::new(Settings::default()));
    let read_both = || {
        for _ in 0..3 {
            block_on(client.resolve(&reference)).expect("let in");
            block_on(client.tags(&reference.repository_query())).expect("let in");
        }
    };
    read_both();
    assert_eq!(asked_for_tokens(&registry), 2);
    generation.fetch_add(1, Ordering::SeqCst);
    read_both();
    assert_eq!(asked_for_tokens(&registry), 4);
}

/// A token that has run out by the word of its service is replaced before it is refused.
#[test]
fn expired_token_is_replaced_first() {
    let registry = with_scopes(Arc::default(), r#", "expires_in": 1"#);
    let (reference, client) = (reference(&good(&registry)), Registry::new(Settings::default()));
    for _ in 0..2 {
        block_on(client.resolve(&reference)).expect("let in");
        std::thread::sleep(Duration::from_secs(1));
    }
    assert_eq!(asked_for_tokens(&registry), 2);
    let strangers = registry.seen().into_iter().filter(|seen| seen.authorization.is_none());
    assert_eq!(strangers.filter(|seen| !seen.path.starts_with("/token")).count(), 1);
}

/// Of several demands in several headers, the one that can be answered is.
#[test]
fn answerable_challenge_is_found() {
    for challenges in [
        &["Negotiate", "Basic realm=\"a, b\""][..],
        &["Negotiate oYG/a+b==, BASIC realm=\"x\""],
        &[r#"Bearer realm="https://elsewhere.example/token""#, "basic"],
        &["Digest realm=\"x\", nonce=\"Bearer\"", "Basic realm=\"x\", charset=\"UTF-8\""],
    ] {
        let registry = MemoryRegistry::start_with(move |seen| {
            let headers: Vec<_> =
                challenges.iter().map(|challenge| ("WWW-Authenticate", *challenge)).collect();
            let is_known = seen.authorization.as_deref() == Some("Basic dTpnb29k");
            (!is_known).then(|| response(401, &headers, ""))
        });
        let registry = registry.expect("a registry");
        let (settings, _file) = logged_in(&registry.host(), GOOD);
        stage_with(&home(), &good(&registry), settings)
            .unwrap_or_else(|error| panic!("{challenges:?}: {error:?}"));
    }
}

/// A refusal without a demand is explained at the root of the registry, whose scope is not that of
/// the token.
#[test]
fn silent_refusal_asks_the_root() {
    let host = Arc::new(OnceLock::<String>::new());
    let own = host.clone();
    let registry = MemoryRegistry::start_with(move |seen| {
        let realm = || {
            format!(
                r#"Bearer realm="http://{}/token",scope="repository:x:pull""#,
                own.get().expect("set")
            )
        };
        match seen.path.as_str() {
            "/v2/" => Some(response(401, &[("WWW-Authenticate", &realm())], "")),
            "/token?scope=repository%3Amy-org%2Fa%3Apull" => {
                Some(response(200, &[], r#"{"token": "good"}"#))
            }
            _ if seen.authorization.as_deref() == Some("Bearer good") => None,
            _ => Some(response(403, &[], "")),
        }
    });
    let registry = registry.expect("a registry");
    host.set(registry.host()).expect("once");
    stage(&home(), &good(&registry)).expect("let in");
}
