//! Every function of `open-sesame:host`, called as only a hand-made program calls: with any numbers
//! for pointers and lengths.

use crate::support;

use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use core_types::{LimitName, LimitOrigin, Owner};
use extension_host::{
    Arguments, BackendError, Backends, CallError, CallReport, Clipboard, Extension, Host,
    Notification, Notifier, Publisher, RateLimits, SecretStore,
};
use proptest::prelude::*;
use support::{assert_exceeded, permissions, wat};

static HOST: LazyLock<Host> = LazyLock::new(|| Host::new().expect("a host"));

const GRANTED: &str = r#"
    config-read = { keys = ["greeting.*"] }
    secret-read = ["token"]
    secret-write = ["token"]
    notification = true
    clipboard-write = true
    ipc-publish = ["greeting.*"]
"#;

/// Each row: an interface, the types that its functions need, a function and its type, and the
/// number of its lowered parameters.
const FUNCTIONS: [(&str, &str, &str, &str, usize); 10] = [
    ("config-read", "", "get", r#"(param "key" string) (result (option string))"#, 3),
    (
        "secret-read",
        ERROR,
        "get",
        r#"(param "name" string) (result (result string (error $error)))"#,
        3,
    ),
    (
        "secret-write",
        ERROR,
        "set",
        r#"(param "name" string) (param "value" string) (result (result (error $error)))"#,
        5,
    ),
    (
        "secret-write",
        ERROR,
        "remove",
        r#"(param "name" string) (result (result (error $error)))"#,
        3,
    ),
    (
        "notification",
        URGENT,
        "show",
        r#"(param "summary" string) (param "body" string) (param "urgency" $urgency) (result (result (error $error)))"#,
        6,
    ),
    (
        "clipboard-write",
        ERROR,
        "set-text",
        r#"(param "text" string) (result (result (error $error)))"#,
        3,
    ),
    (
        "ipc-publish",
        ERROR,
        "publish",
        r#"(param "topic" string) (param "payload" string) (result (result (error $error)))"#,
        5,
    ),
    ("log", LEVEL, "log", r#"(param "level" $level) (param "message" string)"#, 3),
    (
        "wasi:config/store@0.2.0-rc.1",
        STORE,
        "get",
        r#"(param "key" string) (result (result (option string) (error $error)))"#,
        3,
    ),
    (
        "wasi:config/store@0.2.0-rc.1",
        STORE,
        "get-all",
        r#"(result (result (list (tuple string string)) (error $error)))"#,
        1,
    ),
];
const ERROR: &str =
    r#"(alias outer 1 $error (type $outer)) (export "error" (type $error (eq $outer)))"#;
const URGENT: &str = r#"(alias outer 1 $error (type $outer)) (export "error" (type $error (eq $outer)))
    (type $u (enum "low" "normal")) (export "urgency" (type $urgency (eq $u)))"#;
const LEVEL: &str =
    r#"(type $l (enum "debug" "info" "warn" "error")) (export "level" (type $level (eq $l)))"#;
const STORE: &str = r#"(type $e (variant (case "upstream" string) (case "io" string))) (export "error" (type $error (eq $e)))"#;

/// Makes a component whose `f` puts bytes at the beginning of its memory, and calls a function of
/// the host with these numbers.
fn caller(at: usize, pages: u32) -> Vec<u8> {
    let (interface, types, function, ty, numbers) = FUNCTIONS[at];
    let import = if interface.contains(':') {
        interface.into()
    } else {
        format!("open-sesame:host/{interface}@0.1.0")
    };
    let given: String = (0..numbers).map(|number| format!(r#" (param "n{number}" u32)"#)).collect();
    let taken: String = (0..numbers).map(|number| format!(" (local.get {})", number + 2)).collect();
    wat(&format!(
        r#"(component
        (type $variant (variant (case "denied" string) (case "not-found") (case "unavailable" string)
            (case "too-large" u64) (case "too-many") (case "other" string)))
        (import "open-sesame:host/types@0.1.0" (instance $types (export "error" (type (eq $variant)))))
        (alias export $types "error" (type $error))
        (import "{import}" (instance $host {types} (export "{function}" (func {ty}))))
        (core module $libc
            (memory (export "memory") {pages})
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
        (core instance $libc (instantiate $libc))
        (core func $call (canon lower (func $host "{function}")
            (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
        (core module $m
            (import "" "call" (func $call (param {lowered})))
            (func (export "f") (param i32 i32 {lowered}) (call $call{taken})))
        (core instance $i (instantiate $m (with "" (instance (export "call" (func $call))))))
        (func (export "f") (param "bytes" (list u8)){given} (canon lift (core func $i "f")
            (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")))))"#,
        lowered = "i32 ".repeat(numbers)
    ))
}

/// The requests that reached a backend.
#[derive(Default)]
struct Desk(Mutex<Vec<(&'static str, String)>>);

impl Desk {
    fn reached(&self, what: &'static str, name: &str) -> Result<(), BackendError> {
        self.0.lock().expect("not poisoned").push((what, name.to_owned()));
        Ok(())
    }
}

impl SecretStore for Desk {
    fn read(&self, _: &Owner, name: &str) -> Result<String, BackendError> {
        self.reached("secret", name).map(|()| "value".to_owned())
    }

    fn store(&self, _: &Owner, name: &str, _: &str) -> Result<(), BackendError> {
        self.reached("secret", name)
    }

    fn remove(&self, _: &Owner, name: &str) -> Result<(), BackendError> {
        self.reached("secret", name)
    }

    fn names(&self, _: &Owner) -> Result<Vec<String>, BackendError> {
        Ok(Vec::new())
    }
}

impl Notifier for Desk {
    fn show(&self, _: &Owner, _: &Notification) -> Result<(), BackendError> {
        self.reached("notification", "")
    }
}

impl Clipboard for Desk {
    fn set_text(&self, _: &str, _: Instant) -> Result<(), BackendError> {
        self.reached("clipboard", "")
    }
}

impl Publisher for Desk {
    fn publish(&self, _: &Owner, topic: &str, _: &str) -> Result<(), BackendError> {
        self.reached("topic", topic)
    }
}

/// Links the caller of a function to backends that remember.
fn linked(at: usize, pages: u32, limits: &str) -> (Extension, Arc<Desk>) {
    let desk = Arc::new(Desk::default());
    let backends = Backends {
        secrets: desk.clone(),
        notifications: desk.clone(),
        clipboard: desk.clone(),
        publisher: desk.clone(),
        rates: Arc::new(RateLimits::default()),
        ..Backends::default()
    };
    let code = HOST
        .compile(&caller(at, pages))
        .unwrap_or_else(|error| panic!("{:?}: {error:?}", FUNCTIONS[at]));
    let permissions = permissions(GRANTED, limits);
    (HOST.clone().with_backends(backends).extension(&code, permissions).expect("it links"), desk)
}

fn call(extension: &Extension, bytes: &[u8], numbers: &[u32]) -> CallReport {
    let numbers: String = numbers.iter().map(|number| format!(", {number}")).collect();
    extension.call_blocking("f", &Arguments::Json(format!("[{bytes:?}{numbers}]")))
}

static LINKED: LazyLock<Vec<(Extension, Arc<Desk>)>> =
    LazyLock::new(|| (0..FUNCTIONS.len()).map(|at| linked(at, 1, "")).collect());

/// Makes places and lengths within the page, at its end, and anywhere.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0..64_u32, 2 => 65_500..65_600_u32, 1 => any::<u32>(), 1 => 0xffff_fff0..=u32::MAX]
}

fn memory() -> impl Strategy<Value = Vec<u8>> {
    let names =
        ["greeting.template", "token", "greeting.sent", "../token", "token\0", "\u{202e}token"];
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..64),
        proptest::sample::select(names.to_vec()).prop_map(|name| name.as_bytes().to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// Any numbers for any function of the host end in an answer or a trap.
    #[test]
    fn any_host_call_answers_or_traps(
        at in 0..FUNCTIONS.len(), bytes in memory(), numbers in [number(), number(), number(), number(), number(), number()],
    ) {
        let (extension, desk) = &LINKED[at];
        let report = call(extension, &bytes, &numbers[..FUNCTIONS[at].4]);
        prop_assert!(report.usage.elapsed < Duration::from_secs(2), "{:?}", report.usage.elapsed);
        let is_orderly = matches!(
            &report.outcome,
            Ok(_) | Err(CallError::Trap { .. } | CallError::Other(_) | CallError::Limit(_))
        );
        prop_assert!(is_orderly, "{:?}", report.outcome);
        for (what, name) in desk.0.lock().expect("not poisoned").drain(..) {
            let is_granted = match what {
                "secret" => name == "token",
                "topic" => name.starts_with("greeting."),
                _ => true,
            };
            prop_assert!(is_granted, "{what} {name:?}");
        }
    }
}

/// A value that is too large for the host ends the call of any function.
#[test]
fn oversized_value_ends_every_call() {
    for (at, (interface, _, function, _, numbers)) in FUNCTIONS.into_iter().enumerate() {
        let (extension, desk) = linked(at, 900, "max_memory_mib = 64");
        // The last text has the size; the one before it is a granted name.
        let name: &[u8] = if interface == "ipc-publish" { b"greeting.sent" } else { b"token" };
        let length = u32::try_from(name.len()).expect("short");
        let with_text_of = |size: u32| match (function, numbers) {
            ("get-all", _) => vec![1024],
            ("log", _) => vec![1, 0, size],
            ("show", _) => vec![0, length, 0, size, 1, 1024],
            (_, 3) => vec![0, size, 1024],
            _ => vec![0, length, 0, size, 1024],
        };
        let report = call(&extension, name, &with_text_of(length));
        assert!(report.outcome.is_ok(), "{interface} {function}: {:?}", report.outcome);
        let reached = desk.0.lock().expect("not poisoned").drain(..).count();
        assert_eq!(
            reached,
            usize::from(
                !["config-read", "log"].contains(&interface) && !interface.starts_with("wasi")
            )
        );
        if function == "get-all" {
            continue;
        }
        let report = call(&extension, name, &with_text_of(50 << 20));
        assert_exceeded(&report, LimitName::Transfer, 16, LimitOrigin::Default);
        assert!(desk.0.lock().expect("not poisoned").is_empty(), "{interface} {function}");
    }
}
