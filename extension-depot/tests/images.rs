//! Artifacts whose media types do not say which bytes are the binary: what plain tools push, and
//! container images.

mod support;

use std::error::Error;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use core_types::Digest;
use extension_depot::registry::RegistryError;
use extension_depot::serve::MemoryRegistry;
use extension_depot::{
    Bundle, BundleContents, ImageError, InstalledError, UnpackError, media_type,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use support::{Home, component, home, install, install_staged, name, publish, stage};

const TAR: &str = "application/vnd.oci.image.layer.v1.tar";
const TAR_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const DOCKER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, path, *bytes).expect("in memory");
    }
    tar.into_inner().expect("in memory")
}

/// Makes a tar of directories alone, padded with zeros to a size.
fn directories(paths: &[&str], size: usize) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for path in paths {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_size(0);
        tar.append_data(&mut header, path, &b""[..]).expect("in memory");
    }
    let mut bytes = tar.into_inner().expect("in memory");
    bytes.resize(bytes.len().max(size), 0);
    bytes
}

/// One Zstandard frame of one raw block.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    let size = u32::try_from(bytes.len()).expect("short");
    let block = (size << 3 | 1).to_le_bytes();
    [b"\x28\xb5\x2f\xfd\xa0".as_slice(), &size.to_le_bytes(), &block[..3], bytes].concat()
}

/// A layer: its media type, its bytes and its title, if it has one.
type Layer<'a> = (&'a str, &'a [u8], &'a str);

/// Puts an image manifest with these layers into a registry.
fn image(registry: &MemoryRegistry, repository: &str, layers: &[Layer<'_>]) -> Digest {
    let config = registry.put_blob(b"{}");
    let layer = |(media_type, bytes, title): &Layer<'_>| {
        let (digest, size) = (registry.put_blob(bytes), bytes.len());
        let titled = format!(r#"{{"org.opencontainers.image.title":"{title}"}}"#);
        let annotations = if title.is_empty() { "{}" } else { &titled };
        format!(
            r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size},"annotations":{annotations}}}"#
        )
    };
    let layers: Vec<_> = layers.iter().map(layer).collect();
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"{}","digest":"{config}","size":2}},"layers":[{}]}}"#,
        media_type::IMAGE_CONFIG,
        layers.join(",")
    );
    registry.put_manifest(repository, "1", media_type::MANIFEST, manifest.as_bytes())
}

/// Returns the refusal of an artifact.
fn refusal(registry: &MemoryRegistry, repository: &str) -> String {
    let home = home();
    let error =
        stage(&home, &format!("{}/{repository}:1", registry.host())).err().expect("refused");
    let left = fs::read_dir(home.depot.places().staging()).map_or(0, Iterator::count);
    assert_eq!(left, 0, "nothing is left of it");
    error.to_string()
}

/// Returns an image with a binary in its one layer, installed as `plugin`.
fn packed(registry: &MemoryRegistry) -> (Home, String) {
    let (home, layer) =
        (home(), gzip(&tar(&[("etc/os-release", b"x"), ("plugin.wasm", &component("p"))])));
    image(registry, "o/plugin", &[(TAR_GZIP, &layer, "")]);
    let text = format!("{}/o/plugin:1", registry.host());
    install(&home, &text).expect("installed");
    (home, text)
}

#[test]
fn raw_binary_by_magic_bytes() {
    let registry = MemoryRegistry::start().expect("a registry");
    for layer_type in [TAR, TAR_GZIP, "application/octet-stream", "application/x-unheard-of"] {
        let (home, binary) = (home(), component(layer_type));
        let layers = [
            ("text/markdown", b"# Read me".as_slice(), "README.md"),
            (layer_type, &binary, "add.wasm"),
        ];
        let digest = image(&registry, "o/add", &layers);
        install(&home, &format!("{}/o/add:1", registry.host())).expect(layer_type);
        let installed = home.depot.installed(&name("add")).expect("installed");
        assert_eq!(installed.artifact.digest, digest, "the pin is the manifest's");
        assert_eq!(fs::read(&installed.binary().path).expect("there"), binary);
        assert!(home.depot.verify(&name("add")).expect("there").findings.is_empty());
    }
}

/// Publishers push a list of components, an attestation, a signature or the provenance of a chart
/// beside a binary.
#[test]
fn raw_binary_beside_known_layers() {
    let registry = MemoryRegistry::start().expect("a registry");
    for side in [
        "application/spdx+json",
        "application/vnd.cyclonedx+json",
        "application/vnd.in-toto+json",
        "application/vnd.dev.cosign.simplesigning.v1+json",
        "application/vnd.cncf.helm.chart.provenance.v1.prov",
    ] {
        for layer_type in [TAR, "application/octet-stream", "application/vnd.unknown.layer.v1+x"] {
            let (home, binary) = (home(), component(side));
            let layers = [(side, b"{}".as_slice(), ""), (layer_type, &binary, "")];
            image(&registry, "o/add", &layers);
            install(&home, &format!("{}/o/add:1", registry.host())).expect(side);
            let installed = home.depot.installed(&name("add")).expect("installed");
            assert_eq!(fs::read(&installed.binary().path).expect("there"), binary, "{side}");
            assert!(home.depot.verify(&name("add")).expect("there").findings.is_empty());
        }
    }
}

/// Without WebAssembly, the known kind of one layer is that of the artifact.
#[test]
fn known_layer_names_other_artifacts() {
    let registry = MemoryRegistry::start().expect("a registry");
    let elf = gzip(&tar(&[("bin/sh", b"\x7fELF")]));
    let spdx = ("application/spdx+json", b"{}".as_slice(), "");
    let toto = ("application/vnd.in-toto+json", b"{}".as_slice(), "");
    image(&registry, "text", &[("application/octet-stream", b"hello", ""), spdx]);
    image(&registry, "image", &[(TAR_GZIP, &elf, ""), toto]);
    image(&registry, "layers", &[(TAR_GZIP, &elf, ""), (DOCKER, &elf, ""), toto]);
    insta::assert_snapshot!(refusal(&registry, "text"), @"not an extension: it is a list of components (SBOM) (`application/vnd.oci.image.config.v1+json` with the layers `application/octet-stream`, `application/spdx+json`)");
    insta::assert_snapshot!(refusal(&registry, "image"), @"not an extension: it is an attestation (`application/vnd.oci.image.config.v1+json` with the layers `application/vnd.oci.image.layer.v1.tar+gzip`, `application/vnd.in-toto+json`)");
    insta::assert_snapshot!(refusal(&registry, "layers"), @"not an extension: it is an attestation (`application/vnd.oci.image.config.v1+json` with the layers `application/vnd.oci.image.layer.v1.tar+gzip`, `application/vnd.docker.image.rootfs.diff.tar.gzip`, `application/vnd.in-toto+json`)");
}

/// `FROM scratch`, `WORKDIR /app` and `COPY x.wasm .` make a layer of directories and one with a
/// file. Docker pads a tar to two blocks, and `tar` to twenty.
#[test]
fn layers_without_files_are_empty() {
    const TAR_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
    let registry = MemoryRegistry::start().expect("a registry");
    let binary = component("workdir");
    let copied = tar(&[("app/x.wasm", &binary)]);
    for empty in [
        directories(&["app/"], 0),
        directories(&["app/"], 10_240),
        directories(&["srv/", "srv/app/"], 0),
        directories(&[], 10_240),
        directories(&[], 20_480),
    ] {
        let forms = [
            (TAR, empty.clone(), copied.clone()),
            (TAR_GZIP, gzip(&empty), gzip(&copied)),
            (DOCKER, gzip(&empty), gzip(&copied)),
            (TAR_ZSTD, zstd(&empty), zstd(&copied)),
        ];
        for (layer_type, empty, copied) in forms {
            let home = home();
            let layers =
                [(layer_type, &*empty, ""), (layer_type, &*copied, ""), (TAR, &*empty, "")];
            image(&registry, "o/x", &layers);
            install(&home, &format!("{}/o/x:1", registry.host())).expect(layer_type);
            let installed = home.depot.installed(&name("x")).expect("installed");
            assert_eq!(fs::read(&installed.binary().path).expect("there"), binary);
            assert!(home.depot.verify(&name("x")).expect("there").findings.is_empty());
        }
    }
}

/// A second layer with a file is not an empty one, whatever directories it begins with.
#[test]
fn second_layer_with_files_is_refused() {
    let registry = MemoryRegistry::start().expect("a registry");
    let copied = gzip(&tar(&[("app/x.wasm", &component("x"))]));
    let with_file = [directories(&["app/"], 0)[..512].to_vec(), tar(&[("app/README.md", b"# x")])];
    let refused = |second: &[u8]| {
        image(&registry, "o/x", &[(TAR_GZIP, &copied, ""), (TAR_GZIP, second, "")]);
        refusal(&registry, "o/x")
    };
    let second = refused(&gzip(&tar(&[("README.md", b"# x")])));
    insta::assert_snapshot!(second, @"not an extension: it is a container image with files in several archives, where one is expected; build it `FROM scratch` with one `COPY` of the WebAssembly file alone (`application/vnd.oci.image.config.v1+json` with the layers `application/vnd.oci.image.layer.v1.tar+gzip`, `application/vnd.oci.image.layer.v1.tar+gzip`)");
    assert_eq!(refused(&gzip(&with_file.concat())), second);
    // Directories alone, and not a binary anywhere.
    let empty = gzip(&directories(&["app/"], 0));
    image(&registry, "o/x", &[(TAR_GZIP, &empty, ""), (TAR_GZIP, &empty, "")]);
    insta::assert_snapshot!(refusal(&registry, "o/x"), @"not an extension: it is a container image without WebAssembly (`application/vnd.oci.image.config.v1+json` with the layers `application/vnd.oci.image.layer.v1.tar+gzip`, `application/vnd.oci.image.layer.v1.tar+gzip`)");
}

#[test]
fn packed_binary_is_unpacked() {
    let registry = MemoryRegistry::start().expect("a registry");
    let binary = component("packed");
    let archive = tar(&[("README.md", b"# x"), ("app/plugin.wasm", &binary)]);
    let empty = gzip(&[0; 1024]);
    let cases = [
        vec![(TAR, archive.clone(), "")],
        vec![(TAR_GZIP, gzip(&archive), "")],
        vec![(DOCKER, gzip(&archive), "")],
        vec![("application/vnd.oci.image.layer.v1.tar+zstd", zstd(&archive), "")],
        vec![
            ("application/wasm+gzip", gzip(&binary), "plugin.wasm.gz"),
            ("text/x", gzip(b"notes"), ""),
        ],
        // A layer with nothing in it, as `WORKDIR /` makes it, packed or not.
        vec![(TAR_GZIP, empty, ""), (TAR_GZIP, gzip(&archive), "")],
        vec![(TAR, vec![0; 1024], ""), (TAR, archive.clone(), "")],
    ];
    for layers in cases {
        let (home, kind) = (home(), layers[0].0);
        let layers: Vec<_> =
            layers.iter().map(|(kind, bytes, title)| (*kind, bytes.as_slice(), *title)).collect();
        let digest = image(&registry, "o/plugin", &layers);
        install(&home, &format!("{}/o/plugin:1", registry.host())).expect(kind);
        let installed = home.depot.installed(&name("plugin")).expect(kind);
        assert_eq!(installed.artifact.digest, digest, "the pin is the manifest's");
        assert_eq!(fs::read(&installed.binary().path).expect("there"), binary);
        assert_eq!(installed.binary().size, binary.len() as u64);
        let mode = fs::metadata(&installed.binary().path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "private as every file");
        assert!(home.depot.verify(&name("plugin")).expect("there").findings.is_empty(), "{kind}");
    }
}

#[test]
fn index_skips_attestation() {
    let registry = MemoryRegistry::start().expect("a registry");
    let child =
        image(&registry, "o/i", &[(TAR_GZIP, &gzip(&tar(&[("p.wasm", &component("i"))])), "")]);
    let size = registry_size(&registry, "o/i");
    let attested = image(&registry, "o/i", &[("application/vnd.in-toto+json", b"{}", "")]);
    let entry = |digest: &Digest, size: usize, os: &str, architecture: &str, annotations: &str| {
        let platform = format!(r#"{{"os":"{os}","architecture":"{architecture}"}}"#);
        let kind = media_type::MANIFEST;
        format!(
            r#"{{"mediaType":"{kind}","digest":"{digest}","size":{size},"platform":{platform},"annotations":{annotations}}}"#
        )
    };
    let attestation = r#"{"vnd.docker.reference.type":"attestation-manifest"}"#;
    for (os, architecture) in [("wasi", "wasm"), ("wasip1", "wasm"), ("linux", "amd64")] {
        let entries = [
            entry(&child, size, os, architecture, "{}"),
            entry(&attested, 500, "unknown", "unknown", attestation),
            entry(&attested, 500, "unknown", "unknown", "{}"),
        ];
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
        let digest = registry.put_manifest("o/i", "1", media_type::INDEX, index.as_bytes());
        let home = home();
        install(&home, &format!("{}/o/i:1", registry.host())).expect(os);
        let installed = home.depot.installed(&name("i")).expect("installed");
        assert_eq!(
            (installed.artifact.digest, installed.artifact.manifest_digest),
            (digest, child)
        );
    }
}

/// Returns the size of the manifest that a tag leads to.
fn registry_size(registry: &MemoryRegistry, repository: &str) -> usize {
    let resolved = support::resolve(&format!("{}/{repository}:1", registry.host())).expect("there");
    usize::try_from(resolved.artifact.manifest_size).expect("short")
}

#[test]
fn other_artifacts_are_named() {
    let registry = MemoryRegistry::start().expect("a registry");
    let elf = gzip(&tar(&[("bin/sh", b"\x7fELF"), ("etc/passwd", b"root")]));
    let two = gzip(&tar(&[("a.wasm", &component("a")), ("lib/b.wasm", &component("b"))]));
    let cases: [(&str, &[Layer<'_>]); 6] = [
        ("image", &[(TAR_GZIP, &elf, "")]),
        ("layers", &[(TAR_GZIP, &elf, ""), (DOCKER, &elf, "")]),
        ("files", &[(TAR_GZIP, &two, "")]),
        ("raw", &[(TAR, &component("a"), "a.wasm"), (TAR, &component("b"), "b.wasm")]),
        ("chart", &[("application/vnd.cncf.helm.chart.content.v1.tar+gzip", &elf, "")]),
        ("text", &[("text/plain", b"hello", "hello.txt")]),
    ];
    for (repository, layers) in cases {
        image(&registry, repository, layers);
    }
    insta::assert_snapshot!(refusal(&registry, "image"), @"not an extension: it is a container image without WebAssembly (layer `application/vnd.oci.image.layer.v1.tar+gzip`)");
    insta::assert_snapshot!(refusal(&registry, "layers"), @"not an extension: it is a container image with files in several archives, where one is expected; build it `FROM scratch` with one `COPY` of the WebAssembly file alone (`application/vnd.oci.image.config.v1+json` with the layers `application/vnd.oci.image.layer.v1.tar+gzip`, `application/vnd.docker.image.rootfs.diff.tar.gzip`)");
    insta::assert_snapshot!(refusal(&registry, "files"), @"not an extension: its layer has several WebAssembly files, `a.wasm`, `lib/b.wasm`; one is expected");
    insta::assert_snapshot!(refusal(&registry, "raw"), @"not an extension: 2 layers are WebAssembly (`a.wasm`, `b.wasm`); one is expected");
    insta::assert_snapshot!(refusal(&registry, "chart"), @"not an extension: it is a Helm chart (`application/vnd.oci.image.config.v1+json` with the layers `application/vnd.cncf.helm.chart.content.v1.tar+gzip`)");
    insta::assert_snapshot!(refusal(&registry, "text"), @"not an extension: it is a container image without WebAssembly (`application/vnd.oci.image.config.v1+json` with the layers `text/plain`)");
}

#[test]
fn other_layer_is_not_unpacked() {
    let registry = MemoryRegistry::start_with(|seen| {
        seen.path
            .contains("/blobs/sha256")
            .then(|| extension_depot::serve::response(200, &[], vec![0; 2]))
    });
    let registry = registry.expect("a registry");
    image(&registry, "o/x", &[(TAR_GZIP, b"xx", "")]);
    let error = stage(&home(), &format!("{}/o/x:1", registry.host())).err().expect("wrong bytes");
    assert!(matches!(error, RegistryError::Blob(_)), "{error:?}");
}

#[test]
fn bomb_leaves_nothing() {
    let registry = MemoryRegistry::start().expect("a registry");
    let bomb = gzip(&tar(&[("zeros", &vec![0; 16 << 20]), ("p.wasm", &component("p"))]));
    image(&registry, "o/bomb", &[(TAR_GZIP, &bomb, "")]);
    assert!(refusal(&registry, "o/bomb").contains("too large when unpacked"));
    let home = home();
    let error = stage(&home, &format!("{}/o/bomb:1", registry.host())).err().expect("refused");
    assert!(matches!(error, RegistryError::Unpack(UnpackError::TooLarge { .. })), "{error:?}");
}

/// Unpacked binary survives gc and goes last.
#[test]
fn unpacked_binary_survives_gc() {
    let registry = MemoryRegistry::start().expect("a registry");
    let (home, text) = packed(&registry);
    let first = home.depot.installed(&name("plugin")).expect("installed").binary().clone();
    home.depot.lock().expect("free").collect(1, true).expect("collected");
    assert!(first.path.exists() && home.depot.installed_with_binary(&name("plugin")).is_some());

    // An older version stays as long as one can go back to it.
    image(&registry, "o/plugin", &[(TAR_GZIP, &gzip(&tar(&[("p.wasm", &component("new"))])), "")]);
    install(&home, &text).expect("the newer one");
    let second = home.depot.installed(&name("plugin")).expect("installed").binary().clone();
    home.depot.lock().expect("free").collect(2, true).expect("collected");
    assert!(first.path.exists() && second.path.exists() && first != second);
    let history = home.depot.history(&name("plugin")).expect("a history");
    let before =
        history.before(&home.depot.installed(&name("plugin")).expect("installed").artifact.digest);
    let basis = home
        .depot
        .basis_of(&home.depot.installed(&name("plugin")).expect("installed"))
        .expect("readable");
    home.depot
        .lock()
        .expect("free")
        .roll_back(&basis, before.expect("one"), &Default::default())
        .expect("rolled back");
    assert_eq!(home.depot.installed(&name("plugin")).expect("installed").binary(), &first);
    home.depot.lock().expect("free").collect(1, true).expect("collected");
    assert!(first.path.exists() && !second.path.exists());
    home.depot.lock().expect("free").remove(&name("plugin"), false).expect("removed");
    assert_eq!(fs::read_dir(home.depot.places().blobs()).expect("there").count(), 0);
}

/// A damaged unpacked binary is found and repaired.
#[test]
fn unpacked_binary_is_repaired() -> Result<(), Box<dyn Error>> {
    let registry = MemoryRegistry::start()?;
    let (home, text) = packed(&registry);
    let binary = home.depot.installed(&name("plugin"))?.binary().clone();
    let record = home
        .depot
        .places()
        .record(&name("plugin"), &home.depot.installed(&name("plugin"))?.artifact.digest);
    let good = fs::read_to_string(&record)?;
    let another = publish(&registry, "o/other", "1", media_type::WASM, &component("other"));
    let damages: [&dyn Fn() -> std::io::Result<()>; 4] = [
        &|| fs::write(&binary.path, "x"),
        &|| fs::remove_file(&binary.path),
        &|| fs::remove_file(&record),
        // Another binary than the layer has is not believed, whatever the record says.
        &|| fs::write(&record, good.replace(&binary.digest.to_string(), &another.to_string())),
    ];
    for damage in damages {
        damage()?;
        assert_eq!(home.depot.verify(&name("plugin"))?.findings.len(), 1);
        let staged = stage(&home, &format!("{text}@{}", pin(&good)))?;
        home.depot.lock().expect("free").repair(&[(&name("plugin"), &staged)])?.remove(0)?;
        assert!(home.depot.verify(&name("plugin"))?.findings.is_empty());
        assert_eq!(home.depot.installed(&name("plugin"))?.binary(), &binary);
    }
    fs::remove_file(&record)?;
    let error = home.depot.installed(&name("plugin")).expect_err("which binary is not known");
    assert!(matches!(error, InstalledError::Artifact { .. }), "{error:?}");
    Ok(())
}

/// Returns the digest that a record says that the manifest is pinned to.
fn pin(record: &str) -> String {
    let (_, rest) = record.split_once("\"pinned\": \"").expect("pinned");
    rest.split('"').next().expect("a digest").to_owned()
}

#[test]
fn exported_image_is_unpacked_again() {
    let registry = MemoryRegistry::start().expect("a registry");
    let (home, _) = packed(&registry);
    let installed = home.depot.installed(&name("plugin")).expect("installed");
    let bundle = home.directory.path().join("bundle.tar");
    let extensions = std::slice::from_ref(&installed);
    let contents = BundleContents { extensions, ..BundleContents::default() };
    home.depot.export(&contents, &bundle, false).expect("exported");
    let other = support::home();
    let bundle = Bundle::open(&bundle).expect("a bundle");
    let staged = other.depot.stage_bundled(&bundle, &bundle.extensions()[0]).expect("staged");
    install_staged(&other, &staged, &name("plugin")).expect("installed");
    let imported = other.depot.installed(&name("plugin")).expect("installed");
    assert_eq!(imported.binary().digest, installed.binary().digest);
    assert!(other.depot.verify(&name("plugin")).expect("there").findings.is_empty());
}

/// Several binaries are told apart from none.
#[test]
fn several_binaries_are_named() {
    let registry = MemoryRegistry::start().expect("a registry");
    image(&registry, "o/x", &[("a/b", &component("a"), ""), ("a/b", &component("b"), "")]);
    let error = stage(&home(), &format!("{}/o/x:1", registry.host())).err().expect("refused");
    let RegistryError::Unpack(UnpackError::Image(error)) = error else { panic!("{error:?}") };
    assert!(matches!(error, ImageError::SeveralWasm { count: 2, .. }), "{error:?}");
}

/// Go writes `null` for an empty map or list, in layouts as well.
#[test]
fn layout_with_nulls_is_staged() {
    let (registry, home, layout) =
        (MemoryRegistry::start().expect("a registry"), home(), tempfile::tempdir());
    let (layout, binary) = (layout.expect("a directory"), component("a"));
    let manifest = support::manifest(&registry, media_type::WASM, &binary, "null");
    let blobs = layout.path().join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("made");
    for bytes in [manifest.as_bytes(), b"{}", &binary] {
        fs::write(blobs.join(registry.put_blob(bytes).hex()), bytes).expect("written");
    }
    let entry = format!(
        r#"{{"mediaType":"{}","digest":"{}","size":{},"annotations":null,"platform":null,"urls":null}}"#,
        media_type::MANIFEST,
        registry.put_blob(manifest.as_bytes()),
        manifest.len()
    );
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":null,"manifests":[{entry}],"annotations":null}}"#
    );
    fs::write(layout.path().join("index.json"), index).expect("written");
    home.depot.stage_layout(layout.path(), None, &name("a")).map(drop).expect("staged");
}
