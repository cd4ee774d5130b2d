//! Bundles have the bounds of registries.

mod support;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use core_types::{Digest, OciReference};
use extension_depot::{ArtifactError, Bundle, ImageError, SourceError, media_type};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::{Home, component, home, install_staged, name};
use test_support::files_below;

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A bundle in the making.
struct Maker {
    directory: tempfile::TempDir,
    entries: Vec<Value>,
}

impl Maker {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(directory.path().join("layout/blobs/sha256")).expect("made");
        Self { directory, entries: Vec::new() }
    }

    fn layout(&self) -> PathBuf {
        self.directory.path().join("layout")
    }

    fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::from_sha256(Sha256::digest(bytes).into());
        fs::write(self.layout().join("blobs/sha256").join(digest.hex()), bytes).expect("written");
        json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    }

    /// Adds an extension, and returns its descriptor.
    fn extension(&mut self, called: &str, layer: Value) -> Value {
        let config = self.blob(media_type::EMPTY, b"{}");
        let manifest =
            json!({ "schemaVersion": 2, "config": config, "layers": [layer] }).to_string();
        let mut entry = self.blob(media_type::MANIFEST, manifest.as_bytes());
        let digest = entry["digest"].as_str().expect("a digest").to_owned();
        let described = entry.clone();
        entry["annotations"] = json!({
            "org.opencontainers.image.ref.name": called,
            "open-sesame.reference": format!("ghcr.io/my-org/{called}:1@{digest}"),
        });
        self.entries.push(entry);
        described
    }

    fn attach(&mut self, subject: &Value, layer: Value) {
        let config = self.blob(media_type::EMPTY, b"{}");
        let manifest =
            json!({ "schemaVersion": 2, "config": config, "layers": [layer], "subject": subject });
        let entry = self.blob(media_type::MANIFEST, manifest.to_string().as_bytes());
        self.entries.push(entry);
    }

    /// Returns the bundle as a tar.
    fn tar(&self) -> PathBuf {
        let index = json!({ "schemaVersion": 2, "manifests": self.entries }).to_string();
        fs::write(self.layout().join("index.json"), index).expect("written");
        let path = self.directory.path().join("bundle.tar");
        let mut builder = tar::Builder::new(File::create(&path).expect("created"));
        builder.append_dir_all(".", self.layout()).expect("packed");
        builder.finish().expect("packed");
        path
    }
}

fn staged(home: &Home, bundle: &Path) -> Result<(), SourceError> {
    let bundle = Bundle::open(bundle)?;
    let bundled = &bundle.extensions()[0];
    let staged = home.depot.stage_bundled(&bundle, bundled)?;
    install_staged(home, &staged, &bundled.name).expect("installed");
    Ok(())
}

/// Thousands of attachments are looked at once, and no more of them are taken than of a registry.
#[test]
fn many_attachments_are_read() {
    let mut maker = Maker::new();
    let layer = maker.blob(media_type::WASM, &component("a"));
    let subject = maker.extension("a", layer);
    for number in 0..5_000 {
        let layer = maker.blob(BUNDLE, format!("{{\"number\":{number}}}").as_bytes());
        maker.attach(&subject, layer);
    }
    let path = maker.tar();
    let bundle = Bundle::open(&path).expect("a bundle");
    let attachments = bundle.signatures(&bundle.extensions()[0].claimed).expect("read");
    assert_eq!(attachments.len(), 64);
    staged(&home(), &path).expect("staged");
}

/// Layers, documents and signatures of a bundle have the sizes that they could have in a registry.
#[test]
fn bundle_bounds_as_registries() {
    let refused = |make: &dyn Fn(&mut Maker)| {
        let mut maker = Maker::new();
        make(&mut maker);
        staged(&home(), &maker.tar()).expect_err("refused")
    };
    // Files with holes: files that are too large are not read.
    let large = refused(&|maker| {
        let mut layer = maker.blob(media_type::WASM, &component("large"));
        layer["size"] = json!((64 << 20) + 1);
        maker.extension("a", layer);
    });
    assert!(
        matches!(large, SourceError::Artifact(ArtifactError::Image(ImageError::TooLarge { .. }))),
        "{large:?}"
    );
    let other = refused(&|maker| {
        let mut layer = maker.blob(media_type::WASM, &component("other"));
        layer["size"] = json!(7);
        maker.extension("a", layer);
    });
    assert!(matches!(other, SourceError::Artifact(ArtifactError::Blob(_))), "{other:?}");
    let document = refused(&|maker| {
        let layer = maker.blob(media_type::WASM, &component("document"));
        maker.extension("a", layer);
        let padding = "x".repeat(5 << 20);
        maker
            .entries
            .push(json!({ "mediaType": padding, "digest": maker.entries[0]["digest"], "size": 1 }));
    });
    assert!(matches!(document, SourceError::TooLarge { most: 4_194_304, .. }), "{document:?}");
    let mut maker = Maker::new();
    let layer = maker.blob(media_type::WASM, &component("a"));
    let subject = maker.extension("a", layer);
    let layer = maker.blob(BUNDLE, &vec![b' '; 5 << 20]);
    maker.attach(&subject, layer);
    let bundle = Bundle::open(&maker.tar()).expect("a bundle");
    let signature = bundle.signatures(&bundle.extensions()[0].claimed).expect_err("too large");
    assert!(matches!(signature, SourceError::Artifact(ArtifactError::Image(_))), "{signature:?}");
}

/// An index that repeats its entries comes to an end.
#[test]
fn repeated_entries_are_bounded() {
    let mut maker = Maker::new();
    let layer = maker.blob(media_type::WASM, &component("a"));
    let subject = maker.extension("a", layer);
    // Were it read for each entry, that would be 80 GiB.
    let padded =
        json!({ "schemaVersion": 2, "subject": subject, "padding": "x".repeat(4_000_000) })
            .to_string();
    let entry = maker.blob(media_type::MANIFEST, padded.as_bytes());
    maker.entries.extend(std::iter::repeat_n(entry, 20_000));
    let bundle = Bundle::open(&maker.tar()).expect("a bundle");
    assert!(
        bundle.signatures(&bundle.extensions()[0].claimed).is_err(),
        "too many bytes to be signatures"
    );
    let extension = maker.entries[0].clone();
    maker.entries = std::iter::repeat_n(extension, 1_001).collect();
    let error = Bundle::open(&maker.tar()).err().expect("too many extensions");
    assert!(error.to_string().contains("it has 1001 extensions"), "{error}");
}

/// The bytes of the storage of an extension from there, with one value.
fn storage_of(called: &str) -> Vec<u8> {
    let home = home();
    let reference: OciReference = format!("ghcr.io/my-org/{called}:1").parse().expect("valid");
    let locked = home.depot.storage(&reference.identity()).lock(Duration::ZERO).expect("locked");
    let mut values = locked.read().expect("read");
    values.set("city".parse().expect("a key"), b"Oslo".to_vec(), 1024).expect("it fits");
    locked.write(&values).expect("written");
    let files = files_below(home.directory.path());
    let file = files.into_iter().find(|path| path.ends_with("values")).expect("its file");
    fs::read(file).expect("readable")
}

/// Data go to the extension that they are of and to no other, and are bounded and whole.
#[test]
fn data_of_another_are_refused() {
    let read = |bytes: &[u8]| {
        let mut maker = Maker::new();
        let layer = maker.blob(media_type::WASM, &component("a"));
        maker.extension("a", layer);
        let mut entry = maker.blob("application/vnd.open-sesame.storage.v1", bytes);
        entry["annotations"] = json!({ "open-sesame.storage-of": "a" });
        maker.entries.push(entry);
        let bundle = Bundle::open(&maker.tar()).expect("a bundle");
        assert!(bundle.signatures(&bundle.extensions()[0].claimed).expect("read").is_empty());
        bundle.storage(&bundle.extensions()[0])
    };
    let own = read(&storage_of("a")).expect("whole").expect("there");
    assert_eq!(own.get("city"), Some(&b"Oslo"[..]));
    let other = read(&storage_of("b")).expect_err("of another").to_string();
    assert!(other.contains("of another extension"), "{other}");
    let mut cut = storage_of("a");
    cut.pop();
    for bytes in [&cut[..], b"", &vec![b' '; 17 << 20]] {
        assert!(read(bytes).is_err(), "{} bytes", bytes.len());
    }
}

/// Schedules of a bundle say when events of the clock come. A bundle with a setting of the user
/// alone, another setting or an unknown one is refused.
#[test]
fn schedules_of_a_bundle_are_times() {
    let open = |schedules: &str| {
        let mut maker = Maker::new();
        let layer = maker.blob(media_type::WASM, &component("a"));
        maker.extension("a", layer);
        maker.entries[0]["annotations"]["open-sesame.schedules"] = json!(schedules);
        Bundle::open(&maker.tar())
    };
    let bundle = open("[\"time.every\"]\nevery = \"5m\"\n").expect("a bundle");
    let every = bundle.extensions()[0].schedules.to_toml();
    assert_eq!(every, "[\"time.every\"]\nevery = \"5m\"\n");
    assert!(open("").expect("none").extensions()[0].schedules.is_empty());
    for (refused, said) in [
        ("[\"time.every\"]\nevery = \"5m\"\nwhile_locked = true", "`time.every.while_locked`"),
        ("[\"time.every\"]\nenabled = true", "`time.every.enabled`"),
        ("[\"time.at\"]\nat = [\"08:00\"]\nholidays = false", "`time.at.holidays`"),
        ("[\"time.never\"]", "`time.never`"),
        ("[\"file.changed\"]\npaths = [\"~/.ssh\"]", "other settings"),
        ("[\"time.every\"]\nevery = \"0s\"", "a length of time"),
        ("\u{1b}[31m", "schedules of `a`"),
    ] {
        let error = open(refused).err().expect(refused).to_string();
        assert!(error.contains(said) && !error.contains('\u{1b}'), "{refused}: {error}");
    }
}

/// An entry is known by its bytes and its name, whatever it says of its origin.
#[test]
fn entry_has_a_reference_of_its_own() {
    let mut maker = Maker::new();
    let layer = maker.blob(media_type::WASM, &component("a"));
    maker.extension("a", layer);
    let bundle = Bundle::open(&maker.tar()).expect("a bundle");
    let bundled = &bundle.extensions()[0];
    let own = bundled.own_reference().expect("a reference");
    assert_eq!(own.to_string(), format!("local/bundle/a:1@{}", bundled.digest));
    assert!(own.is_bundled() && own.is_local() && own.identity() != bundled.claimed.identity());
    assert_eq!(own.default_name().expect("a name"), name("a"));
}
