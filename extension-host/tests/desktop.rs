//! Every desktop capability: granted and used, granted for something else, and not granted.

use crate::support;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use core_types::{
    Activity, ActivityRecord, Authority, BootTime, CallOutcome, CallRecord, Capability, Document,
    EnvName, Owner, TimedGrant, TimedGrants, Verdict, parse_toml,
};
use extension_host::{
    Arguments, BackendError, Backends, CallReport, Clipboard, Code, Environment, Extension, Host,
    HostError, Notification, Notifier, Permissions, Publisher, RateLimits, SecretStore, boot_time,
};
use support::{permissions, wat};

static HOST: LazyLock<Host> = LazyLock::new(|| Host::new().expect("a host"));
static DESKTOP: LazyLock<Code> =
    LazyLock::new(|| HOST.compile(&support::DESKTOP).expect("it compiles"));

/// Grants for all imports of the guest, each as narrow as possible.
const GRANTED: &str = r#"
    config-read = { keys = ["greeting.*"] }
    secret-read = ["token"]
    secret-write = ["written", "large"]
    notification = true
    clipboard-write = true
    ipc-publish = ["greeting.*"]
    env = ["LANG", "MISSING"]
"#;

/// A desktop that remembers its requests.
#[derive(Default)]
struct Desk {
    secrets: Mutex<BTreeMap<(String, String), String>>,
    said: Mutex<Vec<String>>,
}

impl Desk {
    fn say(&self, what: String) -> Result<(), BackendError> {
        self.said.lock().expect("not poisoned").push(what);
        Ok(())
    }

    fn key(owner: &Owner, name: &str) -> (String, String) {
        (owner.identity.to_string(), name.to_owned())
    }
}

impl SecretStore for Desk {
    fn read(&self, owner: &Owner, name: &str) -> Result<String, BackendError> {
        let secrets = self.secrets.lock().expect("not poisoned");
        secrets.get(&Self::key(owner, name)).cloned().ok_or(BackendError::NotFound)
    }

    fn store(&self, owner: &Owner, name: &str, value: &str) -> Result<(), BackendError> {
        self.secrets.lock().expect("not poisoned").insert(Self::key(owner, name), value.to_owned());
        Ok(())
    }

    fn remove(&self, owner: &Owner, name: &str) -> Result<(), BackendError> {
        let removed = self.secrets.lock().expect("not poisoned").remove(&Self::key(owner, name));
        removed.map(drop).ok_or(BackendError::NotFound)
    }

    fn names(&self, _: &Owner) -> Result<Vec<String>, BackendError> {
        Ok(Vec::new())
    }
}

impl Notifier for Desk {
    fn show(&self, owner: &Owner, notification: &Notification) -> Result<(), BackendError> {
        self.say(format!("{}: {} / {}", owner.name, notification.summary, notification.body))
    }
}

impl Clipboard for Desk {
    fn set_text(&self, text: &str, _: Instant) -> Result<(), BackendError> {
        self.say(format!("copied {} bytes", text.len()))
    }
}

impl Publisher for Desk {
    fn publish(&self, owner: &Owner, topic: &str, payload: &str) -> Result<(), BackendError> {
        self.say(format!("{} {topic}={payload}", owner.identity))
    }
}

impl Environment for Desk {
    fn variable(&self, name: &EnvName) -> Option<String> {
        (name.as_str() != "MISSING").then(|| format!("the {name}"))
    }
}

/// A backend that never answers.
struct Silent;

impl SecretStore for Silent {
    fn read(&self, _: &Owner, _: &str) -> Result<String, BackendError> {
        std::thread::sleep(Duration::from_secs(600));
        Err(BackendError::NotFound)
    }

    fn store(&self, _: &Owner, _: &str, _: &str) -> Result<(), BackendError> {
        self.read(&Owner::default(), "").map(drop)
    }

    fn remove(&self, _: &Owner, _: &str) -> Result<(), BackendError> {
        self.read(&Owner::default(), "").map(drop)
    }

    fn names(&self, _: &Owner) -> Result<Vec<String>, BackendError> {
        self.read(&Owner::default(), "").map(|_| Vec::new())
    }
}

fn backends(desk: &Arc<Desk>) -> Backends {
    Backends {
        secrets: desk.clone(),
        notifications: desk.clone(),
        clipboard: desk.clone(),
        publisher: desk.clone(),
        environment: desk.clone(),
        rates: Arc::new(RateLimits::default()),
        ..Backends::default()
    }
}

fn linked(desk: &Arc<Desk>, permissions: Permissions) -> Extension {
    let host = HOST.clone().with_backends(backends(desk));
    host.extension(&DESKTOP, permissions).expect("it links")
}

fn desktop(desk: &Arc<Desk>) -> Extension {
    linked(desk, permissions(GRANTED, ""))
}

fn call(extension: &Extension, line: &str) -> CallReport {
    let mut words = line.split(' ');
    let function = words.next().expect("a function");
    extension.call_blocking(function, &Arguments::words(words))
}

/// Returns the text of the value or of the guest's error.
fn said(extension: &Extension, line: &str) -> String {
    call(extension, line).outcome.unwrap_or_else(|error| panic!("{line}: {error:?}")).to_text()
}

fn refused(activity: &ActivityRecord) -> Vec<&str> {
    let refused = activity.touches.iter().filter(|touch| touch.verdict != Verdict::Allow);
    refused.map(|touch| touch.what.as_str()).collect()
}

/// A granted request reaches the backend in the name of the extension.
#[test]
fn granted_request_reaches_backend() {
    let desk = Arc::new(Desk::default());
    let desktop = desktop(&desk);
    assert_eq!(said(&desktop, "read-secret token"), "not found");
    desk.store(&Owner::default(), "token", "s3cr3t").expect("stored");
    assert_eq!(said(&desktop, "read-secret token"), "s3cr3t");
    assert_eq!(said(&desktop, "write-secret written value"), "");
    assert_eq!(desk.read(&Owner::default(), "written").as_deref(), Ok("value"));
    assert_eq!(
        (said(&desktop, "remove-secret written"), said(&desktop, "remove-secret written")),
        (String::new(), "not found".to_owned())
    );
    assert_eq!(said(&desktop, "notify Hello <b>World</b>"), "");
    assert_eq!(said(&desktop, "copy-text hello"), "");
    assert_eq!(said(&desktop, "publish-message greeting.sent x"), "");
    let everything =
        ["extension: Hello / <b>World</b>", "copied 5 bytes", "embedded/extension greeting.sent=x"];
    assert_eq!(*desk.said.lock().expect("not poisoned"), everything);
}

/// A request outside of the granted scope is denied, and does not reach the backend.
#[test]
fn out_of_scope_request_is_denied() {
    let desk = Arc::new(Desk::default());
    desk.store(&Owner::default(), "other", "hidden").expect("stored");
    let desktop = desktop(&desk);
    for (line, request, grant) in [
        ("read-secret other", "secret-read=other", "secret-read=other"),
        ("read-secret written", "secret-read=written", "secret-read=written"),
        ("read-secret ../token", "secret-read=../token", "secret-read=github-token"),
        ("read-secret TOKEN", "secret-read=TOKEN", "secret-read=TOKEN"),
        ("write-secret token x", "secret-write=token", "secret-write=token"),
        ("remove-secret token", "secret-write=token", "secret-write=token"),
        ("publish-message greetings x", "ipc-publish=greetings", "ipc-publish=greetings"),
        ("publish-message greeting x", "ipc-publish=greeting", "ipc-publish=greeting"),
        ("publish-message greeting.* x", "ipc-publish=greeting.*", "ipc-publish=greeting.*"),
    ] {
        let report = call(&desktop, line);
        let text = report.outcome.expect("the guest goes on").to_text();
        assert_eq!(text, format!("denied: {request} is not granted"), "{line}");
        assert_eq!(refused(&ActivityRecord::from(&report.activity)), [request], "{line}");
        assert_eq!(report.activity.touches[0].grant().as_deref(), Some(grant), "{line}");
    }
    assert!(desk.said.lock().expect("not poisoned").is_empty());
}

#[test]
fn ungranted_interface_stops_start() {
    for capability in [
        "config-read",
        "secret-read",
        "secret-write",
        "notification",
        "clipboard-write",
        "ipc-publish",
    ] {
        let component = wat(&format!(
            "(component (import \"open-sesame:host/{capability}@0.1.0\" (instance (export \"f\" (func)))))"
        ));
        let seen: Arc<Mutex<Vec<CallRecord>>> = Arc::default();
        let observer = seen.clone();
        let host = HOST
            .clone()
            .observed_by(move |call| observer.lock().expect("not poisoned").push(call.clone()));
        let code = host.compile(&component).expect("it compiles");
        let granted_other = permissions(
            GRANTED
                .lines()
                .find(|line| !line.contains(capability) && line.contains('='))
                .expect("one"),
            "",
        );
        for permissions in [Permissions::default(), granted_other] {
            let Err(HostError::Refused(refusals)) = host.extension(&code, permissions) else {
                panic!("{capability}")
            };
            let expected = format!(
                "`open-sesame:host/{capability}@0.1.0` needs the capability `{capability}`, which is not granted"
            );
            assert_eq!(refusals[0].to_string(), expected);
        }
        let seen = seen.lock().expect("not poisoned");
        assert!(seen.iter().all(|call| call.outcome == CallOutcome::Refused), "{seen:?}");
        assert_eq!(refused(&seen[0].activity), [capability]);
    }
}

#[test]
fn unused_grants_change_nothing() {
    let desk = Arc::new(Desk::default());
    let host = HOST.clone().with_backends(backends(&desk));
    let echo = host.compile(&support::ECHO).expect("it compiles");
    for permissions in [permissions(GRANTED, ""), Permissions::default()] {
        let extension =
            host.extension(&echo, permissions).expect("it imports nothing that needs a grant");
        let report = call(&extension, "print hello");
        assert!(
            report.outcome.is_ok() && report.activity == Activity::default(),
            "{:?}",
            report.activity
        );
    }
    assert!(desk.said.lock().expect("not poisoned").is_empty());
}

#[test]
fn policy_overrides_manifest() {
    let mut permissions = permissions(GRANTED, "");
    let policy = parse_toml("deny = [\"notification\"]").expect("valid").value;
    permissions.authority.policies = vec![(
        policy,
        Document {
            path: "/etc/pds/policy.toml".into(),
            text: "deny = [\"notification\"]".to_owned(),
        },
    )];
    let refusals =
        HOST.extension(&DESKTOP, permissions.clone()).err().expect("refused").to_string();
    assert!(
        refusals.contains("policy denies `notification` (/etc/pds/policy.toml:1)"),
        "{refusals}"
    );
    let desk = Arc::new(Desk::default());
    let host = HOST.clone().with_backends(backends(&desk));
    let learning =
        host.extension_to_learn_from(&DESKTOP, permissions).expect("linked all the same");
    let report = call(&learning, "notify a b");
    let touch = &report.activity.touches[0];
    assert_eq!(
        touch.refusal.as_ref().map(ToString::to_string).as_deref(),
        Some("policy denies `notification` (/etc/pds/policy.toml:1)")
    );
    assert_eq!((touch.verdict, touch.grant()), (Verdict::Deny, None));
    assert!(desk.said.lock().expect("not poisoned").is_empty());
}

#[test]
fn timed_grant_ends_within_a_call() {
    let desk = Arc::new(Desk::default());
    let without = GRANTED.replace("notification = true", "");
    let timed = |until: BootTime| {
        let mut permissions = permissions(&without, "");
        let mut grants = TimedGrants::default();
        grants.add(
            TimedGrant { grant: "notification".parse().expect("a grant"), until: Some(until) },
            BootTime::default(),
        );
        permissions.authority.timed = grants;
        permissions
    };
    LazyLock::force(&DESKTOP);
    let soon = boot_time().after(Duration::from_millis(1500));
    let desktop = linked(&desk, timed(soon));
    assert_eq!(said(&desktop, "notify a b"), "");
    std::thread::sleep(Duration::from_millis(1550));
    assert_eq!(said(&desktop, "notify a b"), "denied: notification is not granted");
    assert!(HOST.extension(&DESKTOP, timed(soon)).is_err(), "and it does not start any more");
}

#[test]
fn floods_and_huge_values_are_refused() {
    let desk = Arc::new(Desk::default());
    let desktop = desktop(&desk);
    assert_eq!(said(&desktop, "notify-often 10000"), "10");
    assert_eq!(said(&desktop, "notify a b"), "too many requests in too little time");
    assert_eq!(said(&desktop, "copy-large-text 1048576"), "");
    assert_eq!(said(&desktop, "copy-large-text 1048577"), "too large: 1048576 bytes are the most");
    assert_eq!(said(&desktop, "write-large-secret 65536"), "");
    assert_eq!(said(&desktop, "write-large-secret 65537"), "too large: 65536 bytes are the most");
    let long = "x".repeat(5_000);
    let large = |line: String| said(&linked(&Arc::default(), permissions(GRANTED, "")), &line);
    assert_eq!(large(format!("notify {long} b")), "too large: 256 bytes are the most");
    assert_eq!(large(format!("notify a {long}")), "too large: 4096 bytes are the most");
    assert_eq!(
        large(format!("publish-message greeting.x {}", "x".repeat(70_000))),
        "too large: 65536 bytes are the most"
    );
}

/// A backend that never answers is abandoned after four seconds.
#[test]
fn silent_backend_times_out() {
    let backends = Backends { secrets: Arc::new(Silent), ..Backends::default() };
    let permissions = permissions(GRANTED, "");
    let silent =
        HOST.clone().with_backends(backends).extension(&DESKTOP, permissions).expect("it links");
    let started = Instant::now();
    let text = said(&silent, "read-secret token");
    assert!(
        text.starts_with("unavailable: the keyring did not answer within four seconds"),
        "{text}"
    );
    assert!(
        (Duration::from_secs(4)..Duration::from_secs(5)).contains(&started.elapsed()),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn missing_backends_are_reported() {
    let bare = HOST.extension(&DESKTOP, permissions(GRANTED, "")).expect("it links");
    for (line, what) in [
        ("read-secret token", "secrets"),
        ("notify a b", "notifications"),
        ("copy-text a", "clipboard"),
        ("publish-message greeting.x a", "messages"),
    ] {
        assert_eq!(said(&bare, line), format!("unavailable: this program offers no {what}"));
    }
}

#[test]
fn secrets_of_two_origins_never_meet() {
    let desk = Arc::new(Desk::default());
    let of = |identity: &str| {
        let reference: core_types::OciReference =
            format!("{identity}:1").parse().expect("a reference");
        let owner =
            Owner { name: "greeting".parse().expect("a name"), identity: reference.identity() };
        linked(
            &desk,
            Permissions {
                owner,
                ..permissions(
                    "secret-read = [\"token\"]\nsecret-write = [\"token\"]\nnotification = true\nclipboard-write = true\nconfig-read = true\nipc-publish = [\"a\"]",
                    "",
                )
            },
        )
    };
    let (ours, evil) = (of("ghcr.io/my-org/greeting"), of("evil.io/my-org/greeting"));
    assert_eq!(said(&ours, "write-secret token mine"), "");
    assert_eq!(said(&evil, "read-secret token"), "not found");
    assert_eq!(said(&ours, "read-secret token"), "mine");
}

/// Only listed variables are seen, and configuration comes first.
#[test]
fn only_listed_variables_are_seen() {
    let desk = Arc::new(Desk::default());
    let config = parse_toml("greeting.template = \"x\"\nother = \"hidden\"").expect("valid").value;
    let granted = GRANTED.replace("\"MISSING\"", "\"MISSING\", \"GREETING_TEMPLATE\"");
    let desktop = linked(&desk, Permissions { config, ..permissions(&granted, "") });
    let report = call(&desktop, "variables");
    let text = report.outcome.expect("returns").to_text();
    assert_eq!(text, r#"[("GREETING_TEMPLATE", "x"), ("LANG", "the LANG")]"#);
    let none = linked(&desk, permissions(&GRANTED.replace("env", "#"), ""));
    assert_eq!(said(&none, "variables"), "[]");
}

#[test]
fn wasi_config_equals_config_read() {
    let desk = Arc::new(Desk::default());
    let config = parse_toml("greeting.template = \"x\"\nother = \"hidden\"").expect("valid").value;
    let desktop = linked(&desk, Permissions { config, ..permissions(GRANTED, "") });
    assert_eq!(said(&desktop, "store-value greeting.template"), "some(\"x\")");
    assert_eq!(said(&desktop, "store-value other"), "none");
    assert_eq!(said(&desktop, "store-all"), "[(\"greeting.template\", \"x\")]");
    assert_eq!(said(&desktop, "config-value other"), "none");
}

#[test]
#[expect(clippy::print_stdout, reason = "counted by cargo xtask security-tests")]
fn invented_config_key_is_missing() {
    let config = "greeting.template = \"x\"\nother = \"hidden\"\n\"greeting\" = \"bare\"";
    let config =
        parse_toml(&config.replace("\"greeting\" = \"bare\"", "greetings.template = \"hidden\""))
            .expect("valid")
            .value;
    let desktop = linked(&Arc::default(), Permissions { config, ..permissions(GRANTED, "") });
    let long = format!("greeting.{}", "x".repeat(1 << 20));
    let keys = [
        "",
        ".",
        "..",
        "*",
        "greeting",
        "greeting.",
        ".greeting.template",
        "greeting..template",
        "greeting.*",
        "greeting.template.",
        "greeting.template.x",
        "GREETING.TEMPLATE",
        "Greeting.template",
        "greeting.template ",
        " greeting.template",
        "greeting/template",
        "greeting\\.template",
        "greeting.template\0",
        "\0greeting.template",
        "greeting.t\u{435}mplate",
        "greeting.template\u{200b}",
        "other",
        "greetings.template",
        "greeting.../other",
        "greeting.*.other",
        "GREETING_TEMPLATE",
        "config.greeting.template",
        "\"greeting.template\"",
        "[greeting]",
        &long,
    ];
    for key in keys {
        for face in ["config-value", "store-value"] {
            let report = desktop.call_blocking(face, &Arguments::words([key]));
            assert_eq!(report.outcome.expect("returns").to_text(), "none", "{face} {key:?}");
        }
    }
    assert_eq!(said(&desktop, "config-value greeting.template"), "some(\"x\")");
    println!("cases: {}", keys.len() * 2);
}

/// The observer gets every call, even one that its caller dropped.
#[test]
fn observer_gets_every_call() {
    let seen: Arc<Mutex<Vec<CallRecord>>> = Arc::default();
    let observer = seen.clone();
    let host = HOST
        .clone()
        .with_backends(Backends { secrets: Arc::new(Silent), ..backends(&Arc::default()) })
        .observed_by(move |call| observer.lock().expect("not poisoned").push(call.clone()));
    let desktop = host.extension(&DESKTOP, permissions(GRANTED, "")).expect("it links");
    call(&desktop, "notify a b");
    call(&desktop, "no-such-function");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let arguments = Arguments::words(["token"]);
        let cancelled = tokio::time::timeout(
            Duration::from_millis(300),
            desktop.call("read-secret", &arguments),
        );
        assert!(cancelled.await.is_err(), "nobody waited");
    });
    runtime.shutdown_background();
    let seen = seen.lock().expect("not poisoned");
    let ended: Vec<_> = seen
        .iter()
        .map(|call| (call.function.as_str(), call.outcome, call.activity.touches.len()))
        .collect();
    let expected = [
        ("notify", CallOutcome::Returned, 1),
        ("no-such-function", CallOutcome::Failed, 0),
        ("read-secret", CallOutcome::Cancelled, 1),
    ];
    assert_eq!(ended, expected);
    assert!(seen[0].fuel > 0 && seen[0].peak_memory_bytes > 0 && !seen[0].elapsed.is_zero());
}

/// Learning links everything and allows nothing more.
#[test]
fn learning_links_all_allows_nothing() {
    let desk = Arc::new(Desk::default());
    let host = HOST.clone().with_backends(backends(&desk));
    let learning = host.extension_to_learn_from(&DESKTOP, Permissions::default()).expect("linked");
    let report = call(&learning, "everything World");
    assert!(report.outcome.expect("returns").is_err());
    assert_eq!(
        refused(&ActivityRecord::from(&report.activity)),
        ["config-read=greeting.template", "secret-read=token"]
    );
    assert!(desk.said.lock().expect("not poisoned").is_empty());
    assert!(
        Capability::ALL.into_iter().all(|capability| !Authority::default()
            .in_force(BootTime::default())
            .grants(capability))
    );
}

/// An import that the extension works without is linked, and each of its functions answers
/// `denied`, also where a policy denies it. The others still keep it from starting.
#[test]
fn optional_import_answers_denied() {
    let desk = Arc::new(Desk::default());
    let host = HOST.clone().with_backends(backends(&desk));
    let linked = |permissions, optional: &[Capability]| {
        let is_optional = |capability| optional.contains(&capability);
        host.extension_with_optional(&DESKTOP, permissions, &is_optional)
    };
    let without = linked(Permissions::default(), &Capability::ALL).expect("linked");
    assert_eq!(said(&without, "notify a b"), "denied: notification is not granted");
    let mut denied = permissions(GRANTED, "");
    let policy = parse_toml("deny = [\"notification\"]").expect("valid").value;
    denied.authority.policies = vec![(policy, Document::default())];
    let by_policy = linked(denied, &[Capability::Notification]).expect("linked");
    assert_eq!(said(&by_policy, "notify a b"), "denied: notification is denied by policy");
    assert!(desk.said.lock().expect("not poisoned").is_empty());
    let refused = linked(Permissions::default(), &[Capability::Notification]);
    let refused = refused.err().expect("refused").to_string();
    assert!(refused.contains("secret-read") && !refused.contains("`notification`"), "{refused}");
}
