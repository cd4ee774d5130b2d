//! Sync: from manifests, and from a list.

use extension_manager::{
    InstallOptions, ListSource, Nobody, Step, StepProblem, StepState, SyncError, SyncOptions,
};

use crate::fixture::{Fixture, grants, new};
use crate::support::name;
use crate::support::registry::{component, install};

fn sync(fixture: &Fixture, list: Option<&str>, options: SyncOptions) -> Vec<Step> {
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let list = list.map(|text| ListSource::File(fixture.file("list.toml", text.as_bytes()).into()));
    installer.sync(list.as_ref(), &options).expect("planned")
}

fn states(steps: &[Step]) -> Vec<StepState> {
    steps.iter().map(|step| step.state).collect()
}

fn entry(fixture: &Fixture, rest: &str) -> String {
    format!("[a]\noci = \"{}\"\n", fixture.remote.reference(rest))
}

/// Manifests from another machine bring the same bytes here.
#[test]
fn manifests_restore_their_bytes() {
    let from = Fixture::new("");
    let installer = from.remote.installer(from.surroundings(), &Nobody);
    from.remote.publish("a:1.0.0", &component(1, ""));
    let source = from.remote.reference("a:1.0.0").to_string();
    new(install(&installer, &source, InstallOptions::default()));
    let manifest = std::fs::read(from.home.places().manifest(&name("a"))).expect("read");
    let fixture = Fixture { remote: from.remote, ..Fixture::new("") };
    let path = fixture.home.places().manifest(&name("a"));
    std::fs::create_dir_all(path.parent().expect("below")).expect("made");
    std::fs::write(&path, &manifest).expect("written");
    let plan = SyncOptions { plan_only: true, ..SyncOptions::default() };
    assert_eq!(states(&sync(&fixture, None, plan)), [StepState::ToFetch]);
    assert_eq!(states(&sync(&fixture, None, SyncOptions::default())), [StepState::Fetched]);
    assert_eq!(std::fs::read(&path).expect("read"), manifest, "to the byte");
    assert_eq!(states(&sync(&fixture, None, SyncOptions::default())), [StepState::Done]);
}

/// Settings of events in a list are the first ones of a new manifest, and grant nothing.
#[test]
fn list_brings_settings_of_events() {
    let fixture = Fixture::new("");
    fixture.remote.publish("a:1.0.0", &component(1, ""));
    let list = entry(&fixture, "a:1.0.0") + "events.\"time.every\".every = \"1h\"\n";
    let steps = sync(&fixture, Some(&list), SyncOptions::default());
    assert_eq!(states(&steps), [StepState::Installed]);
    let loaded = fixture.manager.depot().manifest(&name("a")).expect("readable");
    let manifest = loaded.expect("installed").manifest;
    let every = "time.every".parse().expect("a name");
    let table = manifest.events.get(&every).expect("a table");
    assert_eq!(table.every.map(|every| every.to_string()).as_deref(), Some("1h"));
    assert_eq!(fixture.granted("a"), [""; 0]);
}

/// A list installs, updates, and with `prune` removes its extensions.
#[test]
fn list_is_followed() {
    let fixture = Fixture::new("");
    fixture.remote.publish("a:1.0.0", &component(1, ""));
    fixture.remote.publish("a:2.0.0", &component(2, ""));
    let first = entry(&fixture, "a:1.0.0");
    let steps = sync(&fixture, Some(&first), SyncOptions::default());
    assert_eq!(states(&steps), [StepState::Installed]);
    let second = entry(&fixture, "a:2.0.0");
    assert_eq!(
        states(&sync(&fixture, Some(&second), SyncOptions::default())),
        [StepState::Updated]
    );
    let left = sync(&fixture, Some(""), SyncOptions::default());
    assert!(matches!(left[0].problem, Some(StepProblem::LeftOver)), "{left:?}");
    let prune = SyncOptions { prune: true, ..SyncOptions::default() };
    assert_eq!(states(&sync(&fixture, Some(""), prune)), [StepState::Removed]);
}

/// An extension that its user installed is not the list's to remove.
#[test]
fn users_extension_is_not_pruned() {
    let fixture = Fixture::new("");
    fixture.remote.publish("a:1.0.0", &component(1, ""));
    let source = fixture.remote.reference("a:1.0.0").to_string();
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    new(install(&installer, &source, InstallOptions::default()));
    let listed = entry(&fixture, "a:1.0.0");
    let prune = SyncOptions { prune: true, ..SyncOptions::default() };
    assert_eq!(states(&sync(&fixture, Some(&listed), prune)), [StepState::Done]);
    assert!(sync(&fixture, Some(""), prune).is_empty());
    assert!(fixture.manager.depot().installed_with_binary(&name("a")).is_some());
}

#[test]
fn lock_refuses_a_tag() {
    let fixture = Fixture::new("");
    fixture.remote.publish("a:1.0.0", &component(1, ""));
    let locked = SyncOptions { locked: true, ..SyncOptions::default() };
    let steps = sync(&fixture, Some(&entry(&fixture, "a:1.0.0")), locked);
    assert!(matches!(steps[0].problem, Some(StepProblem::Unpinned)), "{steps:?}");
}

#[test]
fn older_version_needs_a_word() {
    let fixture = Fixture::new("");
    for version in [1, 2] {
        fixture.remote.publish(&format!("a:{version}.0.0"), &component(version, ""));
    }
    sync(&fixture, Some(&entry(&fixture, "a:2.0.0")), SyncOptions::default());
    let older = entry(&fixture, "a:1.0.0");
    let steps = sync(&fixture, Some(&older), SyncOptions::default());
    let problem = steps[0].problem.as_ref().map(ToString::to_string).unwrap_or_default();
    assert_eq!(problem, "1.0.0 is older than the installed 2.0.0 of `a`");
    let allowed = SyncOptions { allow_downgrade: true, ..SyncOptions::default() };
    assert_eq!(states(&sync(&fixture, Some(&older), allowed)), [StepState::Updated]);
}

/// One extension that cannot be had stops none of the others.
#[test]
fn one_failure_stops_no_other() {
    let fixture = Fixture::new("");
    fixture.remote.publish("a:1.0.0", &component(1, ""));
    let missing = fixture.remote.reference("b:1.0.0");
    let list = entry(&fixture, "a:1.0.0") + &format!("[b]\noci = \"{missing}\"\n");
    let steps = sync(&fixture, Some(&list), SyncOptions::default());
    assert_eq!(states(&steps), [StepState::Installed, StepState::Failed]);
}

#[test]
fn wrong_list_changes_nothing() {
    let fixture = Fixture::new("");
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let list = ListSource::File(fixture.file("list.toml", b"[a]\noci = 1\n").into());
    let wrong = installer.sync(Some(&list), &SyncOptions::default());
    assert!(matches!(wrong, Err(SyncError::Content { .. })), "{wrong:?}");
    let missing = ListSource::File("/nowhere/list.toml".into());
    let read = installer.sync(Some(&missing), &SyncOptions::default());
    assert!(matches!(read, Err(SyncError::Read { .. })), "{read:?}");
}

/// A home with every kind of extension that a list can meet, and the list.
fn of_every_kind() -> (Fixture, String) {
    let fixture = Fixture::new("blocked_namespaces = [\"HOST/my-org/blocked\"]\n");
    let installer = fixture.installer(&Nobody);
    let mut list = String::new();
    for extension in ["done", "lost", "old", "new", "local", "planned", "broken", "blocked"] {
        let oci = |tag: &str| fixture.remote.reference(&format!("{extension}:{tag}")).to_string();
        if extension != "blocked" {
            let bytes = if extension == "lost" { 4 } else { 1 };
            fixture.publish(&format!("{extension}:1.0.0"), &component(bytes, ""));
        }
        if matches!(extension, "done" | "lost" | "old") {
            new(install(&installer, &oci("1.0.0"), InstallOptions::default()));
        }
        let tag = if extension == "old" { "2.0.0" } else { "1.0.0" };
        list += &format!("[{extension}]\noci = \"{}\"\n", oci(tag));
    }
    fixture.publish("old:2.0.0", &component(2, ""));
    let file = fixture.file("local.wasm", &component(3, ""));
    new(install(&installer, &file, InstallOptions::default()));
    fixture.write_manifest("planned", "[capabilities]\nnotification = true\n");
    fixture.write_manifest("broken", "[");
    let lost = fixture.manager.depot().installed(&name("lost")).expect("installed");
    let manifest = fixture.home.places().blob(&lost.artifact.digest);
    std::fs::remove_file(manifest).expect("there");
    (fixture, list)
}

/// The plan names what each entry of a list takes, and nothing has changed after it.
#[test]
fn plan_names_each_step() {
    use StepState::{Done, Failed, ToFetch, ToInstall, ToUpdate};
    let (fixture, list) = of_every_kind();
    let before = fixture.remote.requests();
    let plan = SyncOptions { plan_only: true, ..SyncOptions::default() };
    let steps = sync(&fixture, Some(&list), plan);
    let state = |extension: &str| {
        let step = steps.iter().find(|step| step.name == name(extension)).expect(extension);
        (step.state, step.problem.as_ref().map(ToString::to_string).unwrap_or_default())
    };
    for (extension, expected) in
        [("done", Done), ("lost", ToFetch), ("old", ToUpdate), ("new", ToInstall)]
    {
        assert_eq!(state(extension), (expected, String::new()), "{extension}");
    }
    for (extension, why) in [
        ("local", "is the name of an extension from"),
        ("planned", "a list does not say whose it is"),
        ("broken", ""),
        ("blocked", "policy does not let extensions come from"),
    ] {
        let (state, problem) = state(extension);
        assert!(state == Failed && problem.contains(why), "{extension}: {problem}");
    }
    assert_eq!(fixture.remote.requests(), before, "a plan asks no registry");
    assert_eq!(fixture.version("new"), None);
}

/// After it is followed, each entry that could be had is as the list wants it.
#[test]
fn plan_is_carried_out() {
    use StepState::{Done, Failed, Fetched, Installed, Updated};
    let (fixture, list) = of_every_kind();
    let steps = sync(&fixture, Some(&list), SyncOptions::default());
    let count = |state| steps.iter().filter(|step| step.state == state).count();
    assert_eq!([Done, Fetched, Installed, Updated, Failed].map(count), [1, 1, 1, 1, 4]);
    for (extension, version) in [("done", "1.0.0"), ("lost", "1.0.0"), ("old", "2.0.0")] {
        assert_eq!(fixture.version(extension).as_deref(), Some(version));
    }
    let again = sync(&fixture, Some(&list), SyncOptions::default());
    assert_eq!(again.iter().filter(|step| step.state == Done).count(), 4);
}

/// Without a list, each manifest takes what it lacks.
#[test]
fn manifests_are_planned() {
    let (fixture, _) = of_every_kind();
    let oci = fixture.remote.reference("new:1.0.0");
    fixture.write_manifest("new", &format!("[extension]\noci = \"{oci}\"\n"));
    let plan = SyncOptions { plan_only: true, ..SyncOptions::default() };
    let states: Vec<_> = sync(&fixture, None, plan)
        .iter()
        .map(|step| (step.name.to_string(), step.state.name()))
        .collect();
    let expected = [
        ("broken", "failed"),
        ("done", "as it should be"),
        ("local", "as it should be"),
        ("lost", "to be fetched"),
        ("new", "to be installed and pinned"),
        ("old", "as it should be"),
        ("planned", "failed"),
    ];
    assert_eq!(states, expected.map(|(name, state)| (name.to_owned(), state)));
    let steps = sync(&fixture, None, SyncOptions::default());
    let pinned = steps.iter().find(|step| step.name == name("new")).expect("planned");
    assert_eq!(pinned.state, StepState::Pinned, "{pinned:?}");
    let reference = fixture.manager.depot().installed(&name("new")).expect("installed").reference;
    assert!(reference.provenance().is_some());
}

/// Follows the published list.
fn follow(fixture: &Fixture, options: SyncOptions) -> Vec<Step> {
    let list = ListSource::Published(fixture.remote.reference("set:stable"));
    fixture.installer(&Nobody).sync(Some(&list), &options).expect("planned")
}

/// A published list grants what policy approves, and takes that back when it drops it.
#[test]
fn approved_grants_come_and_go() {
    let approved = "[[preapproved]]\nlist = \"HOST/my-org/set\"\ngrants = [\"notification\"]\n";
    let fixture = Fixture::new(approved);
    fixture.publish("a:1.0.0", &component(1, ""));
    let oci = fixture
        .remote
        .reference(&format!("a:1.0.0@{}", fixture.remote.publish("a:1.0.0", &component(1, ""))));
    let list = |capabilities: &str| {
        let text = format!("[a]\noci = \"{oci}\"\ncapabilities = {{ {capabilities} }}\n");
        fixture.remote.publish_list("set:stable", &text);
    };
    list("notification = true, clipboard-write = true");
    let steps = follow(&fixture, SyncOptions::default());
    assert_eq!(states(&steps), [StepState::Installed], "{steps:?}");
    assert_eq!(steps[0].grant, grants(&["notification"]), "the other is not approved");
    assert_eq!(fixture.granted("a"), ["notification"]);
    assert!(fixture.has_event("`a` is not granted clipboard-write"));
    list("");
    let plan = SyncOptions { plan_only: true, ..SyncOptions::default() };
    let steps = follow(&fixture, plan);
    assert_eq!(
        (states(&steps), &steps[0].withdraw[..]),
        (vec![StepState::ToAdjust], &grants(&["notification"])[..])
    );
    assert_eq!(fixture.granted("a"), ["notification"], "a plan takes nothing");
    assert_eq!(states(&follow(&fixture, SyncOptions::default())), [StepState::Adjusted]);
    assert_eq!(fixture.granted("a"), [""; 0]);
}

/// A grant that its user made or revoked is not the list's to change.
#[test]
fn users_decision_stays() {
    let approved = "[[preapproved]]\nlist = \"HOST/my-org/set\"\ngrants = [\"notification\"]\n";
    let fixture = Fixture::new(approved);
    let digest = fixture.remote.publish("a:1.0.0", &component(1, ""));
    let oci = fixture.remote.reference(&format!("a:1.0.0@{digest}"));
    let list = |capabilities: &str| {
        let text = format!("[a]\noci = \"{oci}\"\ncapabilities = {{ {capabilities} }}\n");
        fixture.remote.publish_list("set:stable", &text);
    };
    list("notification = true");
    follow(&fixture, SyncOptions::default());
    fixture.home.edit("a", |text| text.replace("notification = true", "clipboard-write = true"));
    assert_eq!(states(&follow(&fixture, SyncOptions::default())), [StepState::Done]);
    assert_eq!(fixture.granted("a"), ["clipboard-write"], "revoked and granted by its user");
    list("");
    follow(&fixture, SyncOptions::default());
    assert_eq!(fixture.granted("a"), ["clipboard-write"]);
}

/// A list may have its extensions removed where a policy names it, and is warned about elsewhere.
#[test]
fn list_prunes_where_policy_says_so() {
    for (policy, expected) in [
        ("", StepState::LeftOver),
        ("lists_that_prune = [\"HOST/my-org/set\"]\n", StepState::Removed),
    ] {
        let fixture = Fixture::new(policy);
        let digest = fixture.remote.publish("a:1.0.0", &component(1, ""));
        let oci = fixture.remote.reference(&format!("a:1.0.0@{digest}"));
        fixture.remote.publish_list("set:stable", &format!("[a]\noci = \"{oci}\"\n"));
        follow(&fixture, SyncOptions::default());
        fixture.remote.publish_list("set:stable", "[defaults]\nprune = true\n");
        assert_eq!(states(&follow(&fixture, SyncOptions::default())), [expected], "{policy}");
        assert_eq!(fixture.has_event("no policy names it"), expected == StepState::LeftOver);
        assert_eq!(fixture.version("a").is_some(), expected == StepState::LeftOver);
    }
}

/// A locked list is one that was followed before, and has not moved since.
#[test]
fn locked_list_does_not_move() {
    let fixture = Fixture::new("");
    let locked = SyncOptions { locked: true, ..SyncOptions::default() };
    let source = ListSource::Published(fixture.remote.reference("set:stable"));
    let installer = fixture.installer(&Nobody);
    fixture.remote.publish_list("set:stable", "");
    let unknown = installer.sync(Some(&source), &locked);
    assert!(matches!(unknown, Err(SyncError::ListUnpinned { .. })), "{unknown:?}");
    follow(&fixture, SyncOptions::default());
    assert!(follow(&fixture, locked).is_empty());
    fixture.remote.publish_list("set:stable", "# another\n");
    let moved = installer.sync(Some(&source), &locked);
    assert!(matches!(moved, Err(SyncError::ListMoved { is_locked: true, .. })), "{moved:?}");
    follow(&fixture, SyncOptions::default());
}
