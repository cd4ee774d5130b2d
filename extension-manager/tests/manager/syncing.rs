//! Sync: from manifests, and from a list.

use extension_manager::{
    InstallOptions, ListSource, Nobody, Step, StepProblem, StepState, SyncError, SyncOptions,
};

use crate::fixture::{Fixture, new};
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
