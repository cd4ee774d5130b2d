//! Bundles: their contents, and the owner of an imported extension.

use extension_depot::Bundle;
use extension_manager::{
    BundlesError, ExportOptions, ImportOptions, InstallOptions, Installation, Nobody, UpdateError,
    UpdateOptions,
};

use crate::fixture::{Fixture, new};
use crate::support::name;

/// Another file may be replaced.
const REPLACING: ExportOptions = ExportOptions { replace: true, with_storage: false };
use crate::support::person::Person;
use crate::support::registry::{component, install};

/// A home with `a` from a registry, and a bundle of it.
fn exported() -> (Fixture, std::path::PathBuf) {
    let fixture = Fixture::new("");
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    fixture.remote.publish("a:1.0.0", &component(1, ""));
    let source = fixture.remote.reference("a:1.0.0").to_string();
    new(install(&installer, &source, InstallOptions::default()));
    let to = fixture.home.path("bundle.tar");
    installer.export(&[name("a")], &to, ExportOptions::default()).expect("written");
    (fixture, to)
}

fn import(fixture: &Fixture, path: &std::path::Path) -> Result<Installation, BundlesError> {
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let bundle = Bundle::open(path).expect("a bundle");
    let install = InstallOptions { names_bytes: true, ..InstallOptions::default() };
    let options = ImportOptions { bundle: &bundle, path, install: &install, with_storage: false };
    installer.import(options.chosen(&[])?[0], &options)
}

#[test]
fn bundle_is_not_overwritten() {
    let (fixture, to) = exported();
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let refused = installer.export(&[name("a")], &to, ExportOptions::default());
    assert!(matches!(refused, Err(BundlesError::Write(_))), "{refused:?}");
    installer.export(&[name("a")], &to, REPLACING).expect("replaced");
    let nothing = installer.export(&[], &to, REPLACING);
    assert!(matches!(nothing, Err(BundlesError::NothingToExport)));
}

#[test]
fn unknown_entry_is_named() {
    let (fixture, to) = exported();
    let bundle = Bundle::open(&to).expect("a bundle");
    let install = InstallOptions::default();
    let options =
        ImportOptions { bundle: &bundle, path: &to, install: &install, with_storage: false };
    let refused = options.chosen(&[name("a"), name("b")]).expect_err("there is no `b`");
    assert!(matches!(&refused, BundlesError::NotInBundle { name, .. } if name.as_str() == "b"));
    let all: Vec<_> = options.chosen(&[]).expect("all").iter().map(|it| it.name.clone()).collect();
    assert_eq!(all, [name("a")]);
    drop(fixture);
}

/// Without a signature, the claim of a bundle is warned of and gives no identity; the registry
/// confirms it later.
#[test]
fn claim_is_confirmed_by_the_registry() {
    let (from, to) = exported();
    let fixture = Fixture { remote: from.remote, ..Fixture::new("") };
    let committed = new(import(&fixture, &to).map_err(|error| panic!("{error}")));
    assert!(committed.reference.is_bundled(), "{}", committed.reference);
    let events = fixture.home.events();
    assert!(events.iter().any(|event| event.starts_with("it is not confirmed that `a` came from")));
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    installer.update(&name("a"), &UpdateOptions::default()).expect("looked for");
    let installed = fixture.manager.depot().installed(&name("a")).expect("installed");
    assert_eq!(installed.reference.unpinned(), fixture.remote.reference("a:1.0.0"));
}

/// A manifest that is pinned to the bytes says whose they are.
#[test]
fn pinned_manifest_gives_the_identity() {
    let (fixture, to) = exported();
    let again = import(&fixture, &to).expect("installed");
    assert!(matches!(again, Installation::Already { .. }));
}

/// A home in which the name `a` is taken by this file, and a bundle that has it.
fn taken_by(policy: &str) -> (Fixture, std::path::PathBuf) {
    let (from, to) = exported();
    let fixture = Fixture::beside(from.remote, policy);
    let kept = fixture.home.path("bundle.tar");
    std::fs::copy(to, &kept).expect("copied");
    let file = fixture.file("a.wasm", &component(9, ""));
    new(install(&fixture.installer(&Nobody), &file, InstallOptions::default()));
    (fixture, kept)
}

/// A name that is taken is not given to a bundle that only claims to be somebody.
#[test]
fn taken_name_is_kept() {
    let (fixture, to) = taken_by("");
    let before = fixture.manager.depot().installed(&name("a")).expect("installed").reference;
    let refused = import(&fixture, &to);
    assert!(matches!(refused, Err(BundlesError::UnprovenOrigin { .. })));
    let after = fixture.manager.depot().installed(&name("a")).expect("installed").reference;
    assert_eq!(after, before);
}

/// A bundle of a file: other local bytes of the name stay, and so does a manifest without bytes.
#[test]
fn file_of_a_bundle_takes_no_name() {
    let from = Fixture::new("");
    let file = from.file("a.wasm", &component(1, ""));
    new(install(&from.installer(&Nobody), &file, InstallOptions::default()));
    let to = from.home.path("bundle.tar");
    from.installer(&Nobody).export(&[name("a")], &to, ExportOptions::default()).expect("written");
    let free = Fixture::new("");
    let committed = new(import(&free, &to).map_err(|error| panic!("{error}")));
    assert!(committed.reference.is_local());
    assert!(free.has_event("`a` has an identity of its own"), "{:?}", free.home.events());
    let (taken, _) = taken_by("");
    let refused = import(&taken, &to);
    assert!(matches!(refused, Err(BundlesError::OtherBytes { .. })));
    let planned = Fixture::new("");
    planned.write_manifest("a", "[extension]\noci = \"ghcr.io/o/a:1.0.0\"\n");
    let refused = import(&planned, &to);
    assert!(matches!(refused, Err(BundlesError::OtherManifest { .. })));
}

/// A policy that restricts sources takes no bundle that does not prove its own.
#[test]
fn restricted_sources_want_a_proof() {
    let (from, to) = exported();
    let fixture = Fixture::beside(from.remote, "allowed_registries = [\"HOST\"]\n");
    let refused = import(&fixture, &to);
    assert!(matches!(refused, Err(BundlesError::UnprovenOrigin { .. })));
    assert_eq!(fixture.version("a"), None);
}

/// An update asks before an extension with secrets gets those of its origin, and a registry that
/// does not have the bytes confirms nothing.
#[test]
fn secrets_of_the_origin_are_asked_about() {
    let (from, to) = exported();
    let fixture = Fixture::beside(from.remote, "");
    new(import(&fixture, &to).map_err(|error| panic!("{error}")));
    fixture.home.edit("a", |text| text + "secret-read = [\"token\"]\n");
    let person = Person::refusing();
    let refused = fixture.installer(&person).update(&name("a"), &UpdateOptions::default());
    assert!(matches!(refused, Err(UpdateError::SecretsOfOrigin { .. })), "{refused:?}");
    let identity = fixture.remote.reference("a:1.0.0").identity();
    assert_eq!(person.shown(), [format!("a gets the secrets of {identity}")]);
    let dry_run = UpdateOptions { dry_run: true, ..UpdateOptions::default() };
    let looked = fixture.installer(&Nobody).update(&name("a"), &dry_run).expect("looked at");
    assert!(!looked.is_applied && looked.from.is_bundled());
    fixture.publish("a:1.0.0", &component(7, ""));
    fixture.installer(&Nobody).update(&name("a"), &UpdateOptions::default()).expect("looked for");
    assert!(fixture.has_event("does not have them"), "{:?}", fixture.home.events());
    let installed = fixture.manager.depot().installed(&name("a")).expect("installed");
    assert!(installed.reference.is_bundled());
}

/// An export in offline mode leaves out what refers to an extension, with a warning.
#[test]
fn offline_export_leaves_signatures_out() {
    let (fixture, _) = exported();
    let offline = fixture.home.manager_with(|options| options.backends.is_offline = true);
    let installer = fixture.remote.installer((&offline, &fixture.config), &Nobody);
    let before = fixture.remote.requests();
    let to = fixture.home.path("offline.tar");
    installer.export(&[name("a")], &to, ExportOptions::default()).expect("written");
    assert_eq!(fixture.remote.requests(), before);
    assert!(fixture.has_event("sesame is offline"));
    let missing =
        installer.export(&[name("b")], &fixture.home.path("b.tar"), ExportOptions::default());
    assert!(matches!(missing, Err(BundlesError::Install(_))), "{missing:?}");
    assert!(!fixture.home.path("b.tar").exists());
}
