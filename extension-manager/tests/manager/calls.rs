//! Calls through the manager: whatever holds for `sesame` holds for them.

use std::time::Duration;

use core_types::{CallOutcome, Capability, LimitName, TimedGrant, TimedGrants};
use extension_depot::OpenExtensionError;
use extension_host::{Arguments, CallError, CompilerCommand, boot_time};
use extension_manager::{
    CallMode, CodeError, Manager, OpenError, Options, Session, SessionError, difference,
};

use crate::support::{Home, name, words};

#[test]
fn call_is_logged() {
    let home = Home::new("");
    home.install("greeting", &["config-read"]);
    let manager = home.manager();
    let report = manager
        .callable(&name("greeting"), CallMode::Ordinary)
        .expect("callable")
        .call_blocking("greet", &words(["World"]));
    assert_eq!(report.outcome.expect("a value").to_text(), "Hello, World!");
    let entries = manager.depot().activity().entries();
    let [_, entry] = &*entries else { panic!("an install and a call: {entries:?}") };
    let call = entry.event.call().expect("a call");
    assert_eq!((call.extension.as_str(), call.outcome), ("greeting", CallOutcome::Returned));
}

/// Code is loaded once; permissions are read at each call.
#[test]
fn revoked_grant_is_felt() {
    let home = Home::new("");
    home.install("greeting", &["config-read"]);
    let manager = home.manager();
    manager.callable(&name("greeting"), CallMode::Ordinary).expect("callable");
    home.edit("greeting", |text| text.replace("config-read = true", ""));
    let error =
        manager.callable(&name("greeting"), CallMode::Ordinary).err().expect("nothing is granted");
    assert!(matches!(error, OpenError::Host { .. }), "{error:?}");
}

#[test]
fn policy_denial_is_named() {
    let home = Home::new("deny = [\"config-read\"]\n");
    home.install("greeting", &["config-read"]);
    match home.manager().callable(&name("greeting"), CallMode::Ordinary).err() {
        Some(OpenError::DeniedByPolicy { capability, policy, .. }) => {
            assert_eq!((capability, policy), (Capability::ConfigRead, home.places().system_policy));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn unreadable_policy_allows_nothing() {
    let home = Home::new("deny = \"config-read\"\n");
    home.install("greeting", &["config-read"]);
    let error = home.manager().callable(&name("greeting"), CallMode::Ordinary).err();
    assert!(matches!(error, Some(OpenError::Config(_))), "{error:?}");
}

#[test]
fn safe_mode_calls_nothing() {
    let home = Home::new("");
    home.install("greeting", &["config-read"]);
    let manager = home.manager_with(|options| options.is_safe_mode = true);
    let error = manager.callable(&name("greeting"), CallMode::Ordinary).err();
    assert!(matches!(error, Some(OpenError::SafeMode)), "{error:?}");
}

#[test]
fn failing_extension_is_quarantined() {
    let home = Home::new("");
    home.install("hostile", &[]);
    let manager = home.manager();
    for _ in 0..5 {
        let callable = manager.callable(&name("hostile"), CallMode::Ordinary).expect("callable");
        callable.call_blocking("panic", &words(["boom"])).outcome.expect_err("it crashes");
    }
    assert!(
        home.events().iter().any(|event| event.contains("`hostile` is quarantined")),
        "{:?}",
        home.events()
    );
    let error = manager.callable(&name("hostile"), CallMode::Ordinary).err();
    let Some(OpenError::Extension { source, .. }) = error else { panic!("{error:?}") };
    assert!(matches!(*source, OpenExtensionError::Quarantined { .. }), "{source:?}");
}

#[test]
fn guest_output_is_logged() {
    let home = Home::new("");
    home.install("hostile", &[]);
    let manager = home.manager();
    let callable = manager.callable(&name("hostile"), CallMode::Ordinary).expect("callable");
    callable.call_blocking("panic", &words(["boom"])).outcome.expect_err("it crashes");
    let log =
        String::from_utf8(manager.guest_log(&name("hostile"), 100).expect("a log")).expect("text");
    assert!(log.lines().all(|line| line.contains(" panic: ")) && log.contains("boom"), "{log}");
    let last = manager.guest_log(&name("hostile"), 1).expect("a log");
    assert!(String::from_utf8_lossy(&last).contains("(the extension crashed"), "{log}");
    manager.guest_log(&name("absent"), 1).expect_err("there is none");
}

/// A program of a person may take its time, unless a deadline is set.
#[test]
fn attended_program_has_no_default_deadline() {
    let home = Home::new("");
    home.install("hostile", &[]);
    let manager = home.manager();
    let timeout = |mode| {
        let callable = manager.callable(&name("hostile"), mode).expect("callable");
        callable.extension().limits().get(LimitName::Timeout).value
    };
    assert!(timeout(CallMode::Attended) > 1_000 * timeout(CallMode::Ordinary));
    home.edit("hostile", |text| format!("{text}\n[limits]\ntimeout_ms = 77\n"));
    assert_eq!((timeout(CallMode::Attended), timeout(CallMode::Ordinary)), (77, 77));
}

#[test]
fn learning_call_shows_needs() {
    let home = Home::new("");
    home.install("greeting", &[]);
    let manager = home.manager();
    let callable = manager.callable(&name("greeting"), CallMode::Learning).expect("callable");
    let report = callable.call_blocking("greet", &words(["World"]));
    let before = callable.opened().installed.loaded.manifest.granted();
    let needs = callable.needs(&report);
    assert!(needs.capabilities.grants(Capability::ConfigRead), "{needs:?}");
    let [('+', grant)] = &*difference(&before, &needs.capabilities) else { panic!("{needs:?}") };
    assert_eq!(grant.capability(), Capability::ConfigRead);
}

/// Without a command line for a compiler, a damaged binary is an error and is never run.
#[test]
fn damaged_binary_is_not_compiled() {
    let home = Home::new("");
    home.install("greeting", &["config-read"]);
    let manager = home.manager();
    let installed = manager.depot().installed(&name("greeting")).expect("installed");
    let mut bytes = std::fs::read(&installed.binary().path).expect("a binary");
    bytes[100] ^= 1;
    std::fs::write(&installed.binary().path, bytes).expect("written");
    let error = manager.callable(&name("greeting"), CallMode::Ordinary).err();
    let Some(OpenError::Code(error)) = error else { panic!("{error:?}") };
    assert!(matches!(*error, CodeError::Binary(_)), "{error:?}");
}

#[test]
fn misspelt_key_is_an_event() {
    let home = Home::new("");
    home.install("greeting", &["config-read"]);
    home.edit("greeting", |text| format!("{text}\n[limit]\nmax_fuel = 1\n"));
    home.manager().callable(&name("greeting"), CallMode::Ordinary).expect("callable");
    assert!(home.events().iter().any(|event| event.contains("`limit`")), "{:?}", home.events());
}

#[test]
fn calls_at_once_do_not_meet() {
    let home = Home::new("");
    home.install("hostile", &[]);
    let manager = home.manager();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let callable = manager.callable(&name("hostile"), CallMode::Ordinary).expect("callable");
        let (arguments, none) = (words(["3"]), Arguments::words(["boom"]));
        let (good, bad) =
            tokio::join!(callable.call("long-string", &arguments), callable.call("panic", &none));
        assert_eq!(good.outcome.expect("a value").to_text(), "xxx");
        assert!(matches!(bad.outcome, Err(CallError::Trap { .. })));
    });
}

/// A session tells a wrong name, an extension that is not there and a failed call apart.
#[test]
fn session_tells_outcomes_apart() {
    let home = Home::new("");
    home.install("greeting", &["config-read"]);
    home.install("hostile", &[]);
    let session = Session::of(home.manager());
    let greeting = session.call("greeting", "greet", ["World"]).expect("a value");
    assert_eq!(greeting.to_text(), "Hello, World!");
    let json = Arguments::Json("[\"Moon\"]".to_owned());
    let greeting = session.call_with("greeting", "greet", &json).expect("a value");
    assert_eq!(greeting.to_text(), "Hello, Moon!");
    for (extension, function, expected) in [
        ("Über", "greet", "name"),
        ("absent", "greet", "open"),
        ("greeting", "absent", "call"),
        ("hostile", "panic", "call"),
    ] {
        let found = match session.call(extension, function, ["x"]) {
            Err(SessionError::Name(_)) => "name",
            Err(SessionError::Open(_)) => "open",
            Err(SessionError::Call(_)) => "call",
            other => panic!("{extension}: {other:?}"),
        };
        assert_eq!(found, expected, "{extension}");
    }
}

/// Code is compiled once for all calls of a manager, and again for other bytes.
#[test]
fn code_is_loaded_once() {
    let home = Home::new("");
    home.install("greeting", &["config-read"]);
    let manager = home.manager();
    let compiled = || {
        let events = home.events();
        events.iter().filter(|event| event.starts_with("compiling: ")).count()
    };
    for _ in 0..3 {
        manager.callable(&name("greeting"), CallMode::Ordinary).expect("callable");
    }
    assert_eq!(compiled(), 1);
    home.install("hostile", &[]);
    manager.callable(&name("hostile"), CallMode::Ordinary).expect("callable");
    assert_eq!(compiled(), 2);
}

/// A compiler that fails ends the call, and its end is an event as well.
#[test]
fn failed_compiler_is_an_error() {
    let home = Home::new("");
    home.install("greeting", &["config-read"]);
    let manager = home.manager_with(|options| {
        options.compiler = Some(|| CompilerCommand::new("/bin/false".into(), Vec::new()));
    });
    let error = manager.callable(&name("greeting"), CallMode::Ordinary).err();
    let Some(OpenError::Code(error)) = error else { panic!("{error:?}") };
    assert!(matches!(*error, CodeError::Compile(_)), "{error:?}");
    let events = home.events();
    assert_eq!(events.last().map(String::as_str), Some("compiled"), "{events:?}");
}

/// A grant that ends with the session is in force without being in the manifest, and ends in time.
#[test]
fn timed_grant_is_in_force_for_its_time() {
    let home = Home::new("");
    home.install("greeting", &[]);
    let manager = home.manager();
    let now = boot_time();
    let grant = |until| {
        let reference = manager.depot().installed(&name("greeting")).expect("there").reference;
        let grant = "config-read".parse().expect("a grant");
        let timed = TimedGrant { grant, until };
        let add = |all: &mut TimedGrants| {
            all.retain(|_| false);
            all.add(timed.clone(), now);
            true
        };
        let locked = manager.depot().lock().expect("free");
        locked.change_timed_grants(&name("greeting"), Some(&reference), add).expect("written");
    };
    let is_callable = || manager.callable(&name("greeting"), CallMode::Ordinary).is_ok();
    assert!(!is_callable());
    grant(None);
    assert!(is_callable(), "until the session ends");
    grant(Some(boot_time().after(Duration::from_secs(30))));
    assert!(is_callable(), "for half a minute");
    grant(Some(boot_time()));
    assert!(!is_callable(), "it is over");
}

/// Directories that others can write to are not relied on; to find out what is wrong, they are.
#[test]
fn writable_places_are_refused() {
    let home = Home::new("");
    let places = home.places();
    std::fs::create_dir(&places.config).expect("made");
    let open_to_all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(&places.config, open_to_all).expect("set");
    assert!(Manager::open(places.clone(), Options::default()).is_err());
    let manager = Manager::open_as_it_is(places, Options::default());
    assert!(manager.depot().list().expect("listed").is_empty());
}
