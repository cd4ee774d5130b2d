//! Events: what installs declare of them, what updates may change, and deliveries.

use core_types::event::Occurrence;
use core_types::{CallOutcome, TimedGrant, TimedGrants, Verdict};
use extension_depot::Bundle;
use extension_host::{CallError, boot_time};
use extension_manager::{
    Answer, Delivered, Delivery, DeliveryOutcome, ExamineError, ExportOptions, ImportOptions,
    InstallError, InstallOptions, ListSource, Nobody, OpenError, SyncOptions, UpdateError,
    UpdateOptions,
};
use test_support::{OnEvent, asking, component, wakeable};

use crate::fixture::{Fixture, grants, new};
use crate::support::name;
use crate::support::person::Person;
use crate::support::registry::install;

const HOURLY: &str = "[events.\"time.every\"]\nevery = \"1h\"\n";

/// A home with an extension of this behaviour, which is granted these.
fn home(policy: &str, on_event: OnEvent, granted: &[&str]) -> Fixture {
    let fixture = Fixture::new(policy);
    let declared = "[events.\"power.battery\"]\nbelow = 20\n[events.\"custom.a\"]\n";
    let binary = asking(&wakeable(1, on_event), declared);
    let source = fixture.publish("a:1.0.0", &binary);
    let grant = grants(granted);
    let options = InstallOptions { grant: &grant, ..InstallOptions::default() };
    new(install(&fixture.installer(&Nobody), &source, options));
    fixture
}

fn deliver(fixture: &Fixture, event: &str) -> Result<Delivered, OpenError> {
    let event = Occurrence::made_up(event.parse().expect(event), &[], 7).expect("an event");
    fixture.manager.deliver_blocking(&Delivery { extension: name("a"), event })
}

fn outcome(fixture: &Fixture, event: &str) -> DeliveryOutcome {
    deliver(fixture, event).expect("callable").outcome
}

/// Returns the last line of the activity log as its cause and outcome.
fn last_call(fixture: &Fixture) -> (Option<String>, CallOutcome) {
    let entries = fixture.manager.depot().activity().entries();
    let call = entries.last().and_then(|entry| entry.event.call().cloned()).expect("a call");
    (call.cause.map(|cause| cause.what), call.outcome)
}

#[test]
fn granted_event_is_delivered() {
    let fixture = home("", OnEvent::Handles, &["events=power.*"]);
    assert!(matches!(outcome(&fixture, "power.battery"), DeliveryOutcome::Handled));
    assert_eq!(
        last_call(&fixture),
        (Some("event:power.battery".to_owned()), CallOutcome::Returned)
    );
}

/// An event that comes without a grant is noted once an hour for `why`, with the grant that it lacks or
/// the policy that denies it, and told each time; one that is granted is not.
#[test]
fn event_without_a_grant_is_noted() {
    for (policy, granted, refused) in [
        ("", &[][..], Some("not granted")),
        (
            "deny_events = [\"custom.a\"]\n",
            &["events=custom.a"][..],
            Some("policy denies the event"),
        ),
        ("", &["events=custom.a"][..], None),
    ] {
        let fixture = home(policy, OnEvent::Handles, granted);
        let event = "custom.a".parse().expect("an event");
        let by = "custom.a".parse().expect("a pattern");
        let lines = || fixture.manager.depot().activity().entries().len();
        let before = lines();
        for _ in 0..2 {
            let told = fixture.manager.note_refused_event(&name("a"), &event, &by).is_some();
            assert_eq!(told, refused.is_some(), "{policy}");
        }
        assert_eq!(lines() - before, usize::from(refused.is_some()), "once an hour");
        if let Some(rule) = refused {
            assert_eq!(
                last_call(&fixture),
                (Some("event:custom.a".to_owned()), CallOutcome::Refused)
            );
            let entries = fixture.manager.depot().activity().entries();
            let call = entries.last().and_then(|entry| entry.event.call()).expect("a call");
            let touch = call.activity.touches.first().expect("the event");
            assert!(touch.rule.as_deref().is_some_and(|it| it.contains(rule)), "{touch:?}");
        }
    }
}

/// A refused event runs nothing, and is noted for `why` with the grant that allows it.
#[test]
fn ungranted_event_is_refused() {
    let fixture = home("", OnEvent::Crashes, &["events=power.*"]);
    let refused = outcome(&fixture, "custom.a");
    assert!(matches!(refused, DeliveryOutcome::Refused(CallError::NotWoken(_))), "{refused:?}");
    assert_eq!(last_call(&fixture), (Some("event:custom.a".to_owned()), CallOutcome::Refused));
    let entries = fixture.manager.depot().activity().entries();
    let call = entries.last().and_then(|entry| entry.event.call()).expect("a call");
    let touch = &call.activity.touches[0];
    assert_eq!((touch.what.as_str(), touch.verdict), ("events=custom.a", Verdict::Deny));
    assert_eq!(touch.grant.as_deref(), Some("events=custom.a"));
}

/// A policy comes first: by the capability, by the event, and by a pattern of private ones.
#[test]
fn policy_denies_the_event() {
    for policy in ["deny = [\"events\"]\n", "deny_events = [\"power.*\"]\n"] {
        let fixture = home(policy, OnEvent::Crashes, &["events=power.battery"]);
        let refused = outcome(&fixture, "power.battery");
        let DeliveryOutcome::Refused(CallError::NotWoken(refusal)) = refused else {
            panic!("{policy}: {refused:?}");
        };
        assert!(refusal.is_by_policy && refusal.rule.contains("policy.toml"), "{refusal}");
    }
}

/// A revoked grant is felt by the next delivery.
#[test]
fn revoked_event_does_not_come() {
    let fixture = home("", OnEvent::Handles, &["events=power.battery"]);
    assert!(matches!(outcome(&fixture, "power.battery"), DeliveryOutcome::Handled));
    fixture.home.edit("a", |text| text.replace("power.battery", "power.source"));
    assert!(matches!(outcome(&fixture, "power.battery"), DeliveryOutcome::Refused(_)));
}

/// Crashes and limits are counted for the quarantine, and returned errors are not.
#[test]
fn quarantine_counts_crashes_alone() {
    let fixture = home("", OnEvent::Returns, &["events=power.battery"]);
    for _ in 0..6 {
        let returned = outcome(&fixture, "power.battery");
        let DeliveryOutcome::ReturnedError(error) = returned else { panic!("{returned:?}") };
        assert_eq!(error, "power.battery");
    }
    let log = fixture.manager.guest_log(&name("a"), 1).expect("a log");
    assert!(String::from_utf8_lossy(&log).ends_with(" events#handle: power.battery\n"), "{log:?}");
    let fixture = home("", OnEvent::Crashes, &["events=power.battery"]);
    for _ in 0..5 {
        assert!(matches!(outcome(&fixture, "power.battery"), DeliveryOutcome::Failed(_)));
    }
    assert!(matches!(deliver(&fixture, "power.battery"), Err(OpenError::Extension { .. })));
}

/// The values of an event arrive as they were given.
#[test]
fn values_reach_the_handler() {
    let fixture = home("", OnEvent::Echoes, &["events=custom.a"]);
    let payload = "fünf \"Grad\"\n\u{202e}";
    let given = [("payload".to_owned(), payload.to_owned())];
    let event = Occurrence::made_up("custom.a".parse().expect("a name"), &given, 7);
    let delivery = Delivery { extension: name("a"), event: event.expect("an event") };
    let delivered = fixture.manager.deliver_blocking(&delivery).expect("callable");
    let DeliveryOutcome::ReturnedError(error) = delivered.outcome else { panic!("{delivered:?}") };
    assert_eq!(error, payload);
}

/// A delivery has the limits of a call.
#[test]
fn endless_handler_meets_its_limit() {
    let fixture = home("", OnEvent::Spins, &["events=power.battery"]);
    fixture.home.edit("a", |text| text + "\n[limits]\nmax_fuel = 100_000\n");
    let failed = outcome(&fixture, "power.battery");
    assert!(matches!(failed, DeliveryOutcome::Failed(CallError::Limit(_))), "{failed:?}");
}

/// What the author declares and what the code exports have to agree.
#[test]
fn declared_and_exported_agree() {
    let module = wat::parse_str("(module (func (export \"f\")))").expect("valid");
    let fixture = Fixture::new("");
    for (tag, binary, said) in [
        (
            "1",
            asking(&component(1), HOURLY),
            ["`time.every`", "open-sesame:extension/events@0.1.0"],
        ),
        ("2", wakeable(2, OnEvent::Handles), ["open-sesame:extension/events@0.1.0", "[events."]),
        ("3", asking(&module, HOURLY), ["`time.every`", "open-sesame:extension/events@0.1.0"]),
    ] {
        let source = fixture.publish(&format!("a:{tag}"), &binary);
        let refused =
            install(&fixture.installer(&Nobody), &source, InstallOptions::default()).map(drop);
        let Err(InstallError::Examine(error)) = refused else { panic!("{refused:?}") };
        assert!(matches!(error, ExamineError::Events(_)), "{error:?}");
        assert!(said.iter().all(|part| error.to_string().contains(part)), "{error}");
    }
    assert_eq!(fixture.version("a"), None);
}

/// An update that is woken more often is refused like one with a new request, and less is silent.
#[test]
fn more_events_need_consent() {
    let declaring = |version: u8, rest: &str| asking(&wakeable(version, OnEvent::Handles), rest);
    let often = "[events.\"time.every\"]\nevery = \"5s\"\n";
    let update = |fixture: &Fixture, accept| {
        let options = UpdateOptions { accept, ..UpdateOptions::default() };
        fixture.installer(&Nobody).update(&name("a"), &options)
    };
    let fixture = Fixture::new("");
    let source = fixture.publish("a:1.0.0", &declaring(1, HOURLY));
    let options = InstallOptions { grant_requested: true, ..InstallOptions::default() };
    new(install(&fixture.installer(&Nobody), &source, options));
    fixture.publish("a:2.0.0", &declaring(2, often));
    let refused = update(&fixture, false);
    let Err(UpdateError::Install(error)) = refused else { panic!("{refused:?}") };
    let InstallError::AsksForMore { missing, .. } = *error else { panic!("{error:?}") };
    let missing: Vec<_> = missing.iter().map(|denied| denied.grant.as_str()).collect();
    assert_eq!(missing, ["events=time.every"]);
    assert_eq!(fixture.version("a").as_deref(), Some("1.0.0"));
    assert!(update(&fixture, true).expect("accepted").is_applied);
    fixture.publish("a:3.0.0", &declaring(3, HOURLY));
    assert!(update(&fixture, false).expect("less is silent").is_applied);
    // Whoever has an interval of their own is not asked: it stays.
    fixture.home.edit("a", |text| text + "\n[events.\"time.every\"]\nevery = \"1d\"\n");
    fixture.publish("a:4.0.0", &declaring(4, often));
    assert!(update(&fixture, false).expect("the user's wins").is_applied);
}

/// An event that is granted until the session ends comes no more often without consent either.
#[test]
fn timed_grant_is_not_widened() {
    let fixture = Fixture::new("");
    let every = |version: u8, every: &str| {
        let declared = format!("[events.\"time.every\"]\nevery = \"{every}\"\n");
        asking(&wakeable(version, OnEvent::Handles), &declared)
    };
    let source = fixture.publish("a:1.0.0", &every(1, "1h"));
    let grant = grants(&["notification"]);
    let options = InstallOptions { grant: &grant, ..InstallOptions::default() };
    let reference = new(install(&fixture.installer(&Nobody), &source, options)).reference;
    let add = |timed: &mut TimedGrants| {
        let grant = "events=time.every".parse().expect("a grant");
        timed.add(TimedGrant { grant, until: None }, boot_time());
        true
    };
    let locked = fixture.manager.depot().lock().expect("free");
    locked.change_timed_grants(&name("a"), Some(&reference), add).expect("written");
    drop(locked);
    fixture.publish("a:2.0.0", &every(2, "5s"));
    let refused = fixture.installer(&Nobody).update(&name("a"), &UpdateOptions::default());
    assert!(matches!(refused, Err(UpdateError::Install(_))), "{refused:?}");
    assert_eq!(fixture.version("a").as_deref(), Some("1.0.0"));
    fixture.publish("a:3.0.0", &every(3, "2h"));
    let less = fixture.installer(&Nobody).update(&name("a"), &UpdateOptions::default());
    assert!(less.expect("less is silent").is_applied);
}

/// The question says when an event will come: as the author says, or as a bundle or a list does.
#[test]
fn question_says_the_schedule() {
    let fixture = Fixture::new("");
    let source = fixture.publish("a:1.0.0", &asking(&wakeable(1, OnEvent::Handles), HOURLY));
    let asked = |ask: &dyn Fn(&Person<'_>)| {
        let person = Person::answering(&[Answer::Always]);
        ask(&person);
        person.shown().concat()
    };
    let of_author = asked(&|person| {
        new(install(&fixture.installer(person), &source, InstallOptions::default()));
    });
    assert!(of_author.ends_with("events=time.every (every 1h)"), "{of_author}");
    fixture.home.edit("a", |text| text + "\n[events.\"time.every\"]\nevery = \"5m\"\n");
    let to = fixture.home.path("bundle.tar");
    fixture
        .installer(&Nobody)
        .export(&[name("a")], &to, ExportOptions::default())
        .expect("written");
    let bundle = Bundle::open(&to).expect("a bundle");
    let importing = Fixture::new("");
    let of_bundle = asked(&|person| {
        let install = InstallOptions { names_bytes: true, ..InstallOptions::default() };
        let options =
            ImportOptions { bundle: &bundle, path: &to, install: &install, with_storage: false };
        let bundled = &bundle.extensions()[0];
        importing.installer(person).import(bundled, &options).expect("installed");
    });
    assert!(of_bundle.ends_with("events=time.every (every 5m)"), "{of_bundle}");
    let listing = Fixture { remote: fixture.remote, ..Fixture::new("") };
    let text = format!("[a]\noci = \"{source}\"\nevents.\"time.every\".every = \"10m\"\n");
    let list = ListSource::File(listing.file("list.toml", text.as_bytes()).into());
    let of_list = asked(&|person| {
        let installer = listing.remote.installer(listing.surroundings(), person);
        installer.sync(Some(&list), &SyncOptions::default()).expect("planned");
    });
    assert!(of_list.ends_with("events=time.every (every 10m)"), "{of_list}");
}

/// The list of what wakes an extension has settings of both, and the rule of each.
#[test]
fn waking_events_name_their_rule() {
    let fixture = home("", OnEvent::Handles, &["events=power.*", "events=network.*"]);
    fixture.home.edit("a", |text| {
        text + "\n[events.\"power.battery\"]\ncharging = false\nwhile_locked = true\n\
                [events.\"network.wifi\"]\nenabled = false\n[events.\"time.every\"]\n"
    });
    let events = fixture.manager.waking_events(&name("a")).expect("installed");
    let shown: Vec<_> = events
        .iter()
        .map(|event| {
            let settings =
                event.settings.as_ref().map_or_else(ToString::to_string, |it| it.to_string());
            format!("{} [{settings}] {} {}", event.event, event.is_granted, event.is_declared)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "time.every [`time.every` needs the setting `every`] false false",
            "power.battery [below 20 %, not charging] true true",
            "network.wifi [] false false",
            "custom.a [] false true",
        ]
    );
    assert!(events[1].is_while_locked && !events[2].is_enabled);
    let private = "not granted: it is private, which `network.*` does not cover";
    assert_eq!(events[2].rule, private);
    assert!(events[1].rule.starts_with("granted: events=power.* ("), "{}", events[1].rule);
}
