//! Bundles: their contents, and the owner of an imported extension.

use extension_depot::Bundle;
use extension_manager::{
    BundlesError, ImportOptions, InstallOptions, Installation, Nobody, UpdateOptions,
};

use crate::fixture::{Fixture, new};
use crate::support::name;
use crate::support::registry::{component, install};

/// A home with `a` from a registry, and a bundle of it.
fn exported() -> (Fixture, std::path::PathBuf) {
    let fixture = Fixture::new("");
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    fixture.remote.publish("a:1.0.0", &component(1, ""));
    let source = fixture.remote.reference("a:1.0.0").to_string();
    new(install(&installer, &source, InstallOptions::default()));
    let to = fixture.home.path("bundle.tar");
    installer.export(&[name("a")], &to, false).expect("written");
    (fixture, to)
}

fn import(fixture: &Fixture, path: &std::path::Path) -> Result<Installation, BundlesError> {
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let bundle = Bundle::open(path).expect("a bundle");
    let install = InstallOptions { names_bytes: true, ..InstallOptions::default() };
    let options = ImportOptions { bundle: &bundle, path, install: &install };
    installer.import(options.chosen(&[])?[0], &options)
}

#[test]
fn bundle_is_not_overwritten() {
    let (fixture, to) = exported();
    let installer = fixture.remote.installer(fixture.surroundings(), &Nobody);
    let refused = installer.export(&[name("a")], &to, false);
    assert!(matches!(refused, Err(BundlesError::Write(_))), "{refused:?}");
    installer.export(&[name("a")], &to, true).expect("replaced");
    let nothing = installer.export(&[], &to, true);
    assert!(matches!(nothing, Err(BundlesError::NothingToExport)));
}

#[test]
fn unknown_entry_is_named() {
    let (fixture, to) = exported();
    let bundle = Bundle::open(&to).expect("a bundle");
    let install = InstallOptions::default();
    let options = ImportOptions { bundle: &bundle, path: &to, install: &install };
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
