//! From a registry, a file or a layout to an installed extension and back.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use core_types::{Capability, Grant};
use extension_depot::serve::MemoryRegistry;
use extension_depot::{
    ArtifactError, BlobError, CommitError, FindError, InstalledError, Reason, RemoveError,
    media_type,
};
use support::{component, home, install, install_staged, name, publish, reference, stage};

fn files(directory: &Path) -> Vec<String> {
    let mut found: Vec<_> = walk(directory)
        .into_iter()
        .map(|path| path.strip_prefix(directory).expect("below").display().to_string())
        .collect();
    found.sort();
    found
}

fn walk(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .flat_map(
            |entry| if entry.path().is_dir() { walk(&entry.path()) } else { vec![entry.path()] },
        )
        .collect()
}

#[test]
fn every_form_installs_pinned() {
    let registry = MemoryRegistry::start().expect("a registry");
    for (at, layer_type) in media_type::WASM_LAYERS.into_iter().enumerate() {
        let home = home();
        let binary = component(layer_type);
        let digest = publish(&registry, &format!("my-org/form-{at}"), "0.1.0", layer_type, &binary);
        let text = format!("{}/my-org/form-{at}:0.1.0", registry.host());
        install(&home, &text).expect(layer_type);
        let installed = home.depot.installed(&name(&format!("form-{at}"))).expect("installed");
        assert_eq!(installed.reference, reference(&text).pinned_to(digest));
        assert_eq!(installed.loaded.manifest.extension.version.as_deref(), Some("0.1.0"));
        let blob = fs::read(&installed.binary().path).expect("there");
        assert_eq!(blob, binary);
        assert!(home.depot.verify(&installed.name).expect("there").findings.is_empty());
    }
}

#[test]
fn installed_is_an_oci_layout() {
    let registry = MemoryRegistry::start().expect("a registry");
    let home = home();
    publish(&registry, "my-org/a", "1", media_type::WASM, &component("a"));
    install(&home, &format!("{}/my-org/a:1", registry.host())).expect("installed");
    let root = home.depot.places().extensions();
    assert_eq!(
        fs::read_to_string(root.join("oci-layout")).expect("there"),
        r#"{"imageLayoutVersion":"1.0.0"}"#
    );
    assert_eq!(files(&root).iter().filter(|file| file.starts_with("blobs/sha256/")).count(), 3);
    assert_eq!(files(&root).len(), 3 + 3, "{:?}", files(&root));
    for path in walk(home.directory.path()) {
        assert_eq!(
            fs::metadata(&path).expect("there").permissions().mode() & 0o777,
            0o600,
            "{}",
            path.display()
        );
        let parent = path.parent().expect("a directory");
        assert_eq!(
            fs::metadata(parent).expect("there").permissions().mode() & 0o777,
            0o700,
            "{}",
            parent.display()
        );
    }
}

/// An index is followed to its wasm entry and pinned as the index.
#[test]
fn index_is_followed_and_pinned() {
    let registry = MemoryRegistry::start().expect("a registry");
    let home = home();
    let manifest = support::manifest(&registry, media_type::WASM, &component("i"), "{}");
    let child =
        registry.put_manifest("my-org/i", "child", media_type::MANIFEST, manifest.as_bytes());
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{}","digest":"{child}","size":{},"platform":{{"architecture":"wasm","os":"wasip2"}}}}]}}"#,
        media_type::MANIFEST,
        manifest.len()
    );
    let digest = registry.put_manifest("my-org/i", "1", media_type::INDEX, index.as_bytes());
    install(&home, &format!("{}/my-org/i:1", registry.host())).expect("installed");
    let installed = home.depot.installed(&name("i")).expect("installed");
    assert_eq!((installed.artifact.digest, installed.artifact.manifest_digest), (digest, child));
}

/// An index that leads to an index or to nothing installs nothing.
#[test]
fn nested_index_installs_nothing() {
    let registry = MemoryRegistry::start().expect("a registry");
    let home = home();
    let manifest = support::manifest(&registry, media_type::WASM, &component("i"), "{}");
    let child =
        registry.put_manifest("my-org/i", "child", media_type::MANIFEST, manifest.as_bytes());
    let entry = |media_type: &str, digest: &dyn std::fmt::Display, size: usize| {
        format!(
            r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size},"platform":{{"architecture":"wasm","os":"wasip2"}}}}"#
        )
    };
    let index = |entries: &[String]| {
        format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","))
    };
    let good = index(&[entry(media_type::MANIFEST, &child, manifest.len())]);
    let nested = registry.put_manifest("my-org/i", "nested", media_type::INDEX, good.as_bytes());
    let missing = format!("sha256:{}", "0".repeat(64));
    let indexes = [
        // Its manifest is an index.
        index(&[entry(media_type::MANIFEST, &nested, good.len())]),
        index(&[entry(media_type::INDEX, &nested, good.len())]),
        index(&[entry(media_type::MANIFEST, &missing, manifest.len())]),
        // Of another size than it says.
        index(&[entry(media_type::MANIFEST, &child, manifest.len() + 1)]),
        index(&[
            entry(media_type::MANIFEST, &child, manifest.len()),
            entry(media_type::MANIFEST, &nested, good.len()),
        ]),
        index(&[]),
    ];
    for (at, index) in indexes.iter().enumerate() {
        registry.put_manifest("my-org/i", "1", media_type::INDEX, index.as_bytes());
        let refused = install(&home, &format!("{}/my-org/i:1", registry.host()));
        assert!(refused.is_err(), "{at}: {index}");
        assert!(files(home.directory.path()).iter().all(|file| !file.ends_with(".toml")), "{at}");
    }
    registry.put_manifest("my-org/i", "1", media_type::INDEX, good.as_bytes());
    install(&home, &format!("{}/my-org/i:1", registry.host())).expect("the good one");
}

/// A manifest that was there first is honoured.
#[test]
fn existing_manifest_is_honoured() {
    let registry = MemoryRegistry::start().expect("a registry");
    let home = home();
    publish(&registry, "my-org/a", "1", media_type::WASM, &component("a"));
    let path = home.depot.places().manifest(&name("a"));
    fs::create_dir_all(path.parent().expect("a directory")).expect("made");
    fs::write(
        &path,
        "# mine\n[capabilities]\nnotification = true # yes\n\n[limits]\nmax_fuel = 1_000\n",
    )
    .expect("written");
    let staged = stage(&home, &format!("{}/my-org/a:1", registry.host())).expect("staged");
    install_staged(&home, &staged, &name("a")).expect("installed");
    let text = fs::read_to_string(&path).expect("there");
    assert!(
        text.starts_with(
            "# mine\n[capabilities]\nnotification = true # yes\n\n[limits]\nmax_fuel = 1_000\n"
        ),
        "{text}"
    );
    let manifest = home.depot.installed(&name("a")).expect("installed").loaded.manifest;
    assert_eq!(manifest.granted().granted(), [Capability::Notification]);
}

#[test]
fn name_stays_with_its_owner() {
    let registry = MemoryRegistry::start().expect("a registry");
    let home = home();
    for owner in ["my-org", "evil-org"] {
        publish(&registry, &format!("{owner}/a"), "1", media_type::WASM, &component(owner));
    }
    install(&home, &format!("{}/my-org/a:1", registry.host())).expect("installed");
    let before = files(home.directory.path());
    let error =
        install(&home, &format!("{}/evil-org/a:1", registry.host())).expect_err("another's");
    assert!(matches!(error.downcast_ref(), Some(CommitError::OtherSource(_))), "{error}");
    assert_eq!(files(home.directory.path()), before);
}

/// Removing keeps shared blobs and the manifests text.
#[test]
fn removal_keeps_shared_blobs() {
    let registry = MemoryRegistry::start().expect("a registry");
    let home = home();
    for other in ["a", "b"] {
        publish(&registry, &format!("my-org/{other}"), "1", media_type::WASM, &component(other));
        install(&home, &format!("{}/my-org/{other}:1", registry.host())).expect("installed");
    }
    let removed = home.depot.lock().expect("free").remove(&name("a"), false).expect("removed");
    assert!(
        removed.freed > 0
            && fs::read_to_string(removed.kept_manifest.expect("kept"))
                .expect("kept")
                .contains("my-org/a:1")
    );
    assert!(matches!(
        home.depot.installed(&name("a")),
        Err(InstalledError::Find(FindError::NotFound(_)))
    ));
    assert!(
        home.depot.verify(&name("b")).expect("there").findings.is_empty(),
        "the empty configuration is shared"
    );
    home.depot.lock().expect("free").remove(&name("b"), false).expect("removed");
    let blobs = home.depot.places().extensions().join("blobs/sha256");
    assert_eq!(fs::read_dir(blobs).expect("there").count(), 0);
    assert!(matches!(
        home.depot.lock().expect("free").remove(&name("b"), false),
        Err(RemoveError::NotFound(_))
    ));
}

/// A removal that was killed is finished by the next.
#[test]
fn killed_removal_is_finished() {
    let registry = MemoryRegistry::start().expect("a registry");
    let home = home();
    for other in ["a", "b"] {
        publish(&registry, &format!("my-org/{other}"), "1", media_type::WASM, &component(other));
        install(&home, &format!("{}/my-org/{other}:1", registry.host())).expect("installed");
    }
    let places = home.depot.places();
    let index = || fs::read_to_string(places.index()).expect("there");
    for path in [places.manifest(&name("a")), places.manifest(&name("b"))] {
        fs::remove_file(path).expect("removed");
    }
    fs::write(places.extensions().join(".new-x7"), "half").expect("written");
    assert!(
        home.depot.lock().expect("free").remove(&name("a"), false).expect("finished").freed > 0
    );
    assert!(!index().contains("ref.name"), "the index forgets what has no manifest: {}", index());
    home.depot
        .lock()
        .expect("free")
        .remove(&name("b"), false)
        .expect("its records are still there");
    assert!(matches!(
        home.depot.lock().expect("free").remove(&name("b"), false),
        Err(RemoveError::NotFound(_))
    ));
    assert!(!places.extensions().join(".new-x7").exists(), "what a killed change left goes");
}

/// Nothing is collected while a manifest cannot be read.
#[test]
fn gc_stops_at_broken_manifest() {
    let registry = MemoryRegistry::start().expect("a registry");
    let home = home();
    for other in ["a", "b"] {
        publish(&registry, &format!("my-org/{other}"), "1", media_type::WASM, &component(other));
        install(&home, &format!("{}/my-org/{other}:1", registry.host())).expect("installed");
    }
    let path = home.depot.places().manifest(&name("b"));
    let good = fs::read(&path).expect("there");
    fs::write(&path, "[broken").expect("written");
    let listed = home.depot.list().expect("listed");
    assert!(listed[0].manifest.is_ok() && listed[0].is_installed && listed[1].manifest.is_err());
    assert_eq!(
        home.depot.lock().expect("free").remove(&name("a"), false).expect("removed").freed,
        0
    );
    fs::write(&path, good).expect("written");
    assert!(home.depot.verify(&name("b")).expect("there").findings.is_empty());
}

/// An unreadable directory is not an empty one: its files may need the blobs that would be deleted.
#[test]
fn unreadable_stops_deletion() {
    let registry = MemoryRegistry::start().expect("a registry");
    let home = home();
    for other in ["a", "b"] {
        publish(&registry, &format!("my-org/{other}"), "1", media_type::WASM, &component(other));
        install(&home, &format!("{}/my-org/{other}:1", registry.host())).expect("installed");
    }
    let places = home.depot.places();
    let histories = places.history(&name("b")).parent().expect("above").to_owned();
    for directory in [
        places.history(&name("b")),
        histories,
        places.records(&name("b")).parent().expect("above").into(),
    ] {
        let away = home.directory.path().join("away");
        fs::rename(&directory, &away).expect("moved");
        // Root can read it whatever its mode is; a file cannot be listed.
        fs::write(&directory, "").expect("written");
        let before = files(home.directory.path());
        let what = directory.display();
        assert!(home.depot.lock().expect("free").remove(&name("a"), false).is_err(), "{what}");
        assert!(
            home.depot.lock().expect("free").collect(1, true).is_err()
                || directory.ends_with("records"),
            "{what}"
        );
        assert!(
            home.depot
                .lock()
                .expect("free")
                .change_capabilities(&name("b"), Reason::Granted, |all| all.add(&notification()))
                .is_err(),
            "{what}"
        );
        assert_eq!(files(home.directory.path()), before, "{what}");
        fs::remove_file(&directory).expect("removed");
        fs::rename(&away, &directory).expect("moved back");
    }
    home.depot.lock().expect("free").remove(&name("a"), false).expect("removed");
    assert!(home.depot.verify(&name("b")).expect("there").findings.is_empty());
}

fn notification() -> Grant {
    "notification".parse().expect("a grant")
}

#[test]
fn damage_is_found_and_named() {
    let registry = MemoryRegistry::start().expect("a registry");
    let home = home();
    let text = format!("{}/my-org/a:1", registry.host());
    publish(&registry, "my-org/a", "1", media_type::WASM, &component("a"));
    install(&home, &text).expect("installed");
    let installed = home.depot.installed(&name("a")).expect("installed");
    let document = home.depot.places().blob(&installed.artifact.digest);
    for path in [installed.binary().path.clone(), document] {
        let good = fs::read(&path).expect("there");
        for bad in [
            &b""[..],
            &good[..good.len() / 2],
            &[good.as_slice(), b"x"].concat(),
            &vec![0; good.len()],
        ] {
            fs::write(&path, bad).expect("written");
            assert_eq!(home.depot.verify(&name("a")).expect("there").findings.len(), 1);
        }
        fs::remove_file(&path).expect("removed");
        assert_eq!(home.depot.verify(&name("a")).expect("there").findings.len(), 1);
        fs::create_dir(&path).expect("a directory instead");
        assert_eq!(home.depot.verify(&name("a")).expect("there").findings.len(), 1);
        fs::remove_dir(&path).expect("removed");
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .expect("a pipe instead");
        assert_eq!(
            home.depot.verify(&name("a")).expect("there").findings.len(),
            1,
            "and nobody waits for it"
        );
        fs::remove_file(&path).expect("removed");
        fs::write(&path, good).expect("written");
    }
    fs::write(home.depot.places().blob(&installed.artifact.digest), "{}").expect("written");
    let error = home.depot.installed(&name("a")).expect_err("damaged");
    assert!(
        matches!(
            error,
            InstalledError::Artifact { source: ArtifactError::Blob(BlobError::Digest { .. }), .. }
        ),
        "{error:?}"
    );
    install(&home, &text).expect("installing again mends it");
    assert!(home.depot.verify(&name("a")).expect("there").findings.is_empty());
}

/// The same file gives the same digest and a layout of it installs too.
#[test]
fn same_file_same_digest() {
    let (one, two) = (home(), home());
    let file = one.directory.path().join("weather.component.wasm");
    fs::write(&file, component("w")).expect("written");
    let staged = one.depot.stage_expected_file(&file, None, &name("weather")).expect("staged");
    let again = two.depot.stage_expected_file(&file, None, &name("weather")).expect("staged");
    assert_eq!(staged.reference, again.reference);
    let digest = staged.reference.provenance().expect("pinned");
    assert_eq!(staged.reference.identity().to_string(), format!("local/file/weather@{digest}"));
    install_staged(&one, &staged, &name("weather")).expect("installed");

    let layout = one.depot.places().extensions();
    let staged = two.depot.stage_layout(&layout, Some("weather"), &name("copy")).expect("staged");
    assert_eq!(staged.binary().digest, again.binary().digest);
    assert!(staged.reference.identity().as_str().starts_with("local/layout/copy@sha256:"));
    let error =
        two.depot.stage_layout(&layout, Some("other"), &name("copy")).err().expect("no such entry");
    assert!(
        error.to_string().ends_with("has no single entry `other`; it has `weather`"),
        "{error}"
    );
    let error =
        two.depot.stage_layout(one.directory.path(), None, &name("copy")).err().expect("no layout");
    assert!(error.to_string().ends_with("is not an OCI image layout"), "{error}");

    let tar = one.directory.path().join("bundle.tar");
    let mut builder = tar::Builder::new(fs::File::create(&tar).expect("created"));
    builder.append_dir_all(".", &layout).expect("packed");
    builder.finish().expect("packed");
    let staged = two.depot.stage_layout(&tar, None, &name("copy")).expect("staged");
    assert_eq!(staged.binary().digest, again.binary().digest);
}

#[test]
fn leftovers_go_with_next_change() {
    let registry = MemoryRegistry::start().expect("a registry");
    let home = home();
    publish(&registry, "my-org/a", "1", media_type::WASM, &component("a"));
    let text = format!("{}/my-org/a:1", registry.host());
    let staging = home.depot.places().staging();
    let abandoned = staging.join("new-abandoned");
    fs::create_dir_all(&abandoned).expect("made");
    fs::write(abandoned.join(".lock"), "").expect("written");
    let unlocked = staging.join("new-unlocked");
    fs::create_dir(&unlocked).expect("made");
    let in_use = stage(&home, &text).expect("staged");
    install(&home, &text).expect("installed");
    assert!(!abandoned.exists() && !unlocked.exists());
    assert!(in_use.binary().path.exists(), "what is in use stays");
    drop(in_use);
    assert_eq!(fs::read_dir(staging).expect("there").count(), 0);
}
