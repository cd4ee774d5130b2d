//! The storage of extensions: what each function answers, and which ends of a call keep what.

use crate::support;

use std::sync::Arc;
use std::time::Duration;

use core_types::{Document, Owner, Policy, StoredValues, Verdict, parse_toml};
use extension_host::{
    BackendError, Backends, CallError, Extension, Host, MemoryStorage, Permissions, Storage,
    TakenStorage,
};
use support::{call, permissions, text, wat};

/// A guest that uses every function. It says in its head what its numbers mean.
const GUEST: &str = include_str!("../../tests/guests/storage.wat");

/// Links the guest with this storage behind it.
fn linked(storage: impl Storage + 'static, permissions: Permissions) -> Extension {
    let backends = Backends { storage: Arc::new(storage), ..Backends::default() };
    let host = Host::new().expect("a host").with_backends(backends);
    let code = host.compile(&wat(GUEST)).expect("it compiles");
    host.extension_to_learn_from(&code, permissions).expect("it links")
}

/// Links the guest with this grant and storage in memory.
fn granted(capabilities: &str) -> (Extension, MemoryStorage) {
    let storage = MemoryStorage::default();
    (linked(storage.clone(), permissions(capabilities, "timeout_ms = 600")), storage)
}

fn stored(storage: &MemoryStorage, key: &str) -> Option<Vec<u8>> {
    storage.values(&Owner::default()).get(key).map(<[u8]>::to_vec)
}

/// What one call keeps, the next one finds.
#[test]
fn values_are_there_in_the_next_call() {
    let (extension, storage) = granted("storage = true");
    assert_eq!(text(&extension, "get", &["a"]), "999");
    assert_eq!(text(&extension, "set", &["a", "*"]), "0");
    assert_eq!(text(&extension, "set", &["b/1", "x"]), "0");
    assert_eq!(text(&extension, "get", &["a"]), (1000 + u32::from(b'*')).to_string());
    assert_eq!(text(&extension, "keys", &[""]), "1002");
    assert_eq!(text(&extension, "keys", &["b"]), "1001");
    assert_eq!(text(&extension, "keys", &["../"]), "1000");
    assert_eq!(text(&extension, "remove", &["a"]), "0");
    assert_eq!(text(&extension, "remove", &["a"]), "0");
    assert_eq!(storage.values(&Owner::default()).len(), 1);
}

/// A call that ended by itself keeps its changes, and one that was stopped keeps none.
#[test]
fn only_ended_calls_keep_changes() {
    for (how, is_kept) in
        [("0", true), ("1", true), ("2", false), ("3", false), ("4", true), ("5", true)]
    {
        let (extension, storage) = granted("storage = true");
        assert_eq!(text(&extension, "set", &["old", "1"]), "0");
        let report = call(&extension, "set-then", &["a", "*", how]);
        match how {
            "0" | "1" => assert_eq!(report.outcome.expect("returned").is_err(), how == "1"),
            "2" => assert!(matches!(report.outcome, Err(CallError::Trap { .. }))),
            "3" => assert!(matches!(report.outcome, Err(CallError::Limit(_)))),
            _ => assert!(matches!(report.outcome, Err(CallError::Exited { .. }))),
        }
        assert_eq!(stored(&storage, "a").is_some(), is_kept, "{how}");
        assert_eq!(stored(&storage, "old"), Some(b"1".to_vec()), "{how}");
        assert_eq!(text(&extension, "keys", &[""]), if is_kept { "1002" } else { "1001" });
    }
}

/// A call that its caller dropped keeps nothing, and lets the next one have the storage.
#[test]
fn dropped_call_keeps_nothing() {
    let (extension, storage) = granted("storage = true");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let words = extension_host::Arguments::words(["a", "*", "3"]);
        let call = extension.call("set-then", &words);
        assert!(tokio::time::timeout(Duration::from_millis(100), call).await.is_err());
    });
    assert_eq!(stored(&storage, "a"), None);
    assert_eq!(text(&extension, "set", &["a", "*"]), "0");
}

/// Bad keys are `other`, what is too large is `too-large`, and nothing changes.
#[test]
fn bad_values_change_nothing() {
    let (extension, storage) = granted("storage = { max_kib = 70 }");
    for bad in ["", "A", "../x", ".a", "a b", &"a".repeat(129)] {
        for (function, arguments) in [("get", &[bad][..]), ("set", &[bad, "*"]), ("remove", &[bad])]
        {
            assert_eq!(text(&extension, function, arguments), "6", "{function} {bad:?}");
        }
    }
    let (most, over) = ("x".repeat(64 * 1024), "x".repeat(64 * 1024 + 1));
    assert_eq!(text(&extension, "set", &["a", &over]), "4");
    assert_eq!(text(&extension, "set", &["a", &most]), "0");
    let rest = "x".repeat(6 * 1024 - 2);
    assert_eq!(text(&extension, "set", &["b", &format!("{rest}x")]), "4", "70 KiB and a byte");
    assert_eq!(storage.values(&Owner::default()).len(), 1);
    assert_eq!(text(&extension, "set", &["b", &rest]), "0", "70 KiB");
}

/// A key beyond 1,024 is too many.
#[test]
fn keys_are_bounded() {
    let (extension, storage) = granted("storage = true");
    let mut values = StoredValues::default();
    for at in 0..1024 {
        values.set(at.to_string().parse().expect("a key"), Vec::new(), u64::MAX).expect("it fits");
    }
    storage.set_values(&Owner::default(), values);
    assert_eq!(text(&extension, "set", &["x", "*"]), "4");
    assert_eq!(text(&extension, "set", &["7", "*"]), "0");
    assert_eq!(text(&extension, "keys", &[""]), "2024");
}

/// A refused use is noted, and names the grant that allows it; so is a size that would be needed.
#[test]
fn refusals_name_their_grant() {
    let (extension, storage) = granted("");
    let report = call(&extension, "set", &["a", "*"]);
    assert_eq!(report.outcome.expect("returned").to_text(), "1");
    let refused: Vec<_> = report.activity.refused().map(|touch| touch.grant()).collect();
    assert_eq!(refused, [Some("storage".to_owned())]);
    assert!(storage.values(&Owner::default()).is_empty());

    let (extension, _) = granted("storage = { max_kib = 1 }");
    let report = call(&extension, "set", &["a", &"x".repeat(1024)]);
    let of = |verdict| report.activity.touches.iter().filter(move |it| it.verdict == verdict);
    assert_eq!(of(Verdict::Allow).count(), 1);
    let refused: Vec<_> = of(Verdict::Deny).map(|touch| touch.grant()).collect();
    assert_eq!(refused, [Some("storage".to_owned())]);
}

/// A policy denies the capability, or lowers what a manifest grants.
#[test]
fn policy_is_a_ceiling() {
    let with_policy = |policy: &str| {
        let mut permissions = permissions("storage = true", "");
        let policy: Policy = parse_toml(policy).expect(policy).value;
        permissions.authority.policies = vec![(policy, Document::default())];
        linked(MemoryStorage::default(), permissions)
    };
    assert_eq!(text(&with_policy("deny = [\"storage\"]"), "set", &["a", "*"]), "1");
    let lowered = with_policy("max_storage_kib = 1");
    assert_eq!(text(&lowered, "set", &["a", &"x".repeat(1023)]), "0");
    assert_eq!(text(&lowered, "set", &["a", &"x".repeat(1024)]), "4");
}

/// Calls of one extension change the storage one after the other, and no change is lost.
#[test]
fn no_change_is_lost() {
    let storage = MemoryStorage::default();
    let extension = linked(storage.clone(), permissions("storage = true", ""));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let number: u32 = text(&extension, "count", &[]).parse().expect("a number");
                    assert!(number > 1000, "{number}");
                }
            });
        }
    });
    assert_eq!(stored(&storage, "count").map(|value| value.len()), Some(100));
}

/// A call that finds the storage in use waits within its deadline, and gets an answer before that.
#[test]
fn second_call_waits_and_is_told() {
    let (extension, storage) = granted("storage = true");
    let held = storage.take(&Owner::default()).expect("usable").expect("free");
    let report = call(&extension, "get", &["a"]);
    assert_eq!(report.outcome.expect("within its time").to_text(), "3");
    assert!(report.usage.elapsed >= Duration::from_millis(400), "{:?}", report.usage.elapsed);
    drop(held);
    assert_eq!(text(&extension, "get", &["a"]), "999");
}

/// Storage that fails when it is written.
struct Full;

impl Storage for Full {
    fn take(&self, _: &Owner) -> Result<Option<Box<dyn TakenStorage>>, BackendError> {
        Ok(Some(Box::new(Self)))
    }
}

impl TakenStorage for Full {
    fn read(&self) -> Result<StoredValues, BackendError> {
        Ok(StoredValues::default())
    }

    fn commit(&self, _: &StoredValues) -> Result<(), BackendError> {
        Err(BackendError::Unavailable("the disk is full".to_owned()))
    }
}

/// Changes that cannot be written fail the call. One that only reads writes nothing.
#[test]
fn lost_changes_fail_the_call() {
    let extension = linked(Full, permissions("storage = true", ""));
    assert_eq!(text(&extension, "get", &["a"]), "999");
    assert_eq!(text(&extension, "remove", &["a"]), "0", "it was not there");
    for (function, arguments) in [("set", &["a", "*"][..]), ("set-then", &["a", "*", "4"])] {
        let report = call(&extension, function, arguments);
        assert!(matches!(report.outcome, Err(CallError::Storage(_))), "{:?}", report.outcome);
    }
}

/// A program that offers no storage says so.
#[test]
fn absent_storage_is_unavailable() {
    let host = Host::new().expect("a host");
    let code = host.compile(&wat(GUEST)).expect("it compiles");
    let extension = host.extension(&code, permissions("storage = true", "")).expect("it links");
    assert_eq!(text(&extension, "get", &["a"]), "3");
    let refused = host.extension(&code, permissions("", ""));
    assert!(refused.is_err_and(|error| error.to_string().contains("capability `storage`")));
}
