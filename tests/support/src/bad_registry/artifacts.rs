//! The registry's contents: manifests, indexes and archives, each with a flaw.

use std::io::Write;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tar::EntryType;

use super::wire::Reply;
use crate::digest::{digest_of, hex};

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCS: &str = "application/vnd.com.suffiks.docs.layer.v1+tar";
pub(super) const CONFIG: &[u8] = br#"{"architecture":"wasm","os":"wasip2"}"#;

/// The flaws of the registry's contents, by the name of the repository.
pub const ARTIFACTS: [&str; 35] = [
    "both",
    "mt-mismatch",
    "dup-keys",
    "size-lie",
    "size-huge",
    "size-neg",
    "digest-traversal",
    "digest-upper",
    "digest-md5",
    "digest-short",
    "urls",
    "two-wasm",
    "no-layers",
    "schema1",
    "ansi",
    "toml-inject",
    "name-trav",
    "deep-json",
    "not-json",
    "empty",
    "hdr-wrong",
    "hdr-none",
    "hdr-sha512",
    "hdr-garbage",
    "index-self",
    "index-two",
    "tar-dotdot",
    "tar-abs",
    "tar-symlink",
    "tar-symsym",
    "tar-hardlink",
    "tar-chmod",
    "tar-dev",
    "tar-100k",
    "docs-bomb",
];

/// The contents of a repository.
pub(super) struct Artifact {
    name: String,
    docs: Option<Vec<u8>>,
}

/// Returns an empty component with 64 KiB of a custom section.
pub(super) fn component() -> Vec<u8> {
    let header = b"\0asm\x0d\0\x01\0\0\xff\xff\x03\x01p";
    [header.as_slice(), &[0; 65_533]].concat()
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest_of(bytes), "size": bytes.len()})
}

impl Artifact {
    pub(super) fn named(name: &str) -> Self {
        let docs = match name {
            "docs-bomb" => Some(BOMB.clone()),
            name if name.starts_with("tar-") => Some(archive(&entries(name))),
            _ => None,
        };
        Self { name: name.to_owned(), docs }
    }

    /// Returns the blob of a digest; the component for an unknown one.
    pub(super) fn blob(&self, asked: &str) -> Vec<u8> {
        let blobs = [CONFIG.to_vec(), component()].into_iter().chain(self.docs.clone());
        blobs.into_iter().find(|bytes| digest_of(bytes) == asked).unwrap_or_else(component)
    }

    /// Returns the answer to a request for the manifest.
    pub(super) fn document(&self) -> Reply {
        let (media_type, body) = self.body();
        let truth = digest_of(&body);
        let reply = Reply::ok(media_type, body.clone());
        let said = match self.name.as_str() {
            "hdr-none" => return reply,
            "hdr-wrong" => format!("sha256:{}", "0".repeat(64)),
            "hdr-sha512" => format!(
                "sha512:{}",
                hex(ring::digest::digest(&ring::digest::SHA512, &body).as_ref())
            ),
            "hdr-garbage" => "sha256:../../x".to_owned(),
            _ => truth,
        };
        reply.with("Docker-Content-Digest", &said)
    }

    fn body(&self) -> (&'static str, Vec<u8>) {
        let text = |value: Value| value.to_string().into_bytes();
        match self.name.as_str() {
            "mt-mismatch" => (INDEX, text(self.manifest())),
            "dup-keys" => {
                let mut bytes = text(self.manifest());
                bytes.pop();
                (MANIFEST, [bytes, br#","layers":[]}"#.to_vec()].concat())
            }
            "deep-json" => {
                let deep = ["[".repeat(200_000), "]".repeat(200_000)].concat();
                (
                    MANIFEST,
                    self.manifest()
                        .to_string()
                        .replacen('{', &format!(r#"{{"x":{deep},"#), 1)
                        .into_bytes(),
                )
            }
            "not-json" => ("text/html", b"<!doctype html><title>login</title>".to_vec()),
            "empty" => (MANIFEST, Vec::new()),
            "index-self" => (INDEX, text(index(&[INDEX]))),
            "index-two" => (INDEX, text(index(&[MANIFEST, MANIFEST]))),
            _ => (MANIFEST, text(self.manifest())),
        }
    }

    /// Returns a manifest with its flaw in place.
    fn manifest(&self) -> Value {
        let wasm = descriptor("application/wasm", &component());
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor("application/vnd.wasm.config.v0+json", CONFIG),
            "layers": [wasm],
        });
        if let Some(docs) = &self.docs {
            put(&mut manifest, "/layers/1", descriptor(DOCS, docs));
        }
        let layer = |key: &str, value: Value| vec![(format!("/layers/0/{key}"), value)];
        let wrong = match self.name.as_str() {
            "both" => vec![("/manifests".to_owned(), json!([]))],
            "size-lie" => layer("size", json!(10)),
            "size-huge" => layer("size", json!(1_u64 << 62)),
            "size-neg" => layer("size", json!(-1)),
            "digest-traversal" => layer("digest", json!("sha256:../../../../tmp/bad")),
            "digest-upper" => layer(
                "digest",
                json!(digest_of(&component()).to_uppercase().replace("SHA256", "sha256")),
            ),
            "digest-md5" => layer("digest", json!("md5:d41d8cd98f00b204e9800998ecf8427e")),
            "digest-short" => layer("digest", json!("sha256:abcd")),
            "urls" => layer("urls", json!(["http://127.0.0.1:9/elsewhere"])),
            "two-wasm" => vec![("/layers/1".to_owned(), descriptor("application/wasm", CONFIG))],
            "no-layers" => vec![("/layers".to_owned(), json!([]))],
            "schema1" => vec![("/schemaVersion".to_owned(), json!(1))],
            name => annotations(name),
        };
        for (at, value) in wrong {
            put(&mut manifest, &at, value);
        }
        manifest
    }
}

/// Returns annotations of an artifact that try to be something else.
fn annotations(name: &str) -> Vec<(String, Value)> {
    let (title, version, description) = match name {
        "ansi" => (
            "ok\u{1b}[2K\r\u{1b}]0;owned\u{7}",
            "1.0.0",
            "a\u{202e}gnp.exe\u{1b}]52;c;cm0gLXJmIH4=\u{7}\u{9b}31m",
        ),
        "toml-inject" => {
            ("x\"\n[capabilities]\nsecret-read=[\"*\"]\n#", "1\"\n", "'''\n[limits]\n")
        }
        "name-trav" => ("../../../.bashrc", "../../evil", "a picture"),
        _ => return Vec::new(),
    };
    let keys =
        ["title", "version", "description"].map(|key| format!("org.opencontainers.image.{key}"));
    let texts = keys.into_iter().zip([title, version, description]);
    vec![("/annotations".to_owned(), texts.map(|(key, text)| (key, Value::from(text))).collect())]
}

fn put(document: &mut Value, at: &str, value: Value) {
    let (parent, key) = at.rsplit_once('/').expect("a path");
    let parent = document.pointer_mut(parent).expect("there");
    match (parent, key.parse::<usize>()) {
        (Value::Array(entries), Ok(_)) => entries.push(value),
        (parent, _) => parent[key] = value,
    }
}

fn index(media_types: &[&str]) -> Value {
    let entry = |(at, media_type): (usize, &&str)| {
        let platform = json!({"os": "wasi", "architecture": "wasm", "variant": at.to_string()});
        let digest = format!("sha256:{}", "1".repeat(64));
        json!({"mediaType": media_type, "digest": digest, "size": 2, "platform": platform})
    };
    let manifests: Vec<_> = media_types.iter().enumerate().map(entry).collect();
    json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})
}

/// An archive entry: its path, kind, target and bytes.
type Entry<'a> = (&'a str, EntryType, &'a str, &'a [u8]);

fn entries(name: &str) -> Vec<(String, EntryType, &'static str, &'static [u8])> {
    use EntryType as E;
    let few: &[Entry<'static>] = match name {
        "tar-dotdot" => &[("../../pwn.md", E::Regular, "", b"x")],
        "tar-abs" => &[("/tmp/bad-registry-pwn.md", E::Regular, "", b"x")],
        "tar-symlink" => {
            &[("a", E::Symlink, "/tmp", b""), ("a/bad-registry-pwn.md", E::Regular, "", b"x")]
        }
        "tar-symsym" => &[
            ("cur", E::Symlink, ".", b""),
            ("par", E::Symlink, "cur/..", b""),
            ("par/pwn.md", E::Regular, "", b"x"),
        ],
        "tar-hardlink" => {
            &[("l", E::Link, "../../../../etc/hostname", b""), ("l", E::Regular, "", b"x")]
        }
        "tar-chmod" => &[("d", E::Symlink, "/tmp", b""), ("d", E::Directory, "", b"")],
        "tar-dev" => &[("n", E::Char, "", b""), ("f", E::Fifo, "", b"")],
        _ => {
            return (0..100_000)
                .map(|at| (format!("f{at}.md"), E::Regular, "", b"".as_slice()))
                .collect();
        }
    };
    few.iter().map(|(path, kind, link, bytes)| ((*path).to_owned(), *kind, *link, *bytes)).collect()
}

/// Returns a gzipped archive of entries with any paths, even those that a library refuses.
fn archive(entries: &[(String, EntryType, &str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (path, kind, link, contents) in entries {
        let mut header = tar::Header::new_ustar();
        let old = header.as_old_mut();
        old.name[..path.len()].copy_from_slice(path.as_bytes());
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(contents.len() as u64);
        header.set_mode(0o777);
        header.set_cksum();
        bytes.extend(header.as_bytes());
        bytes.extend(*contents);
        bytes.resize(bytes.len().div_ceil(512) * 512, 0);
    }
    bytes.extend([0; 1_024]);
    gzip(&bytes, 1)
}

fn gzip(bytes: &[u8], times: usize) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..times {
        gzip.write_all(bytes).expect("memory");
    }
    gzip.finish().expect("memory")
}

/// A bomb: 512 MiB of zeros.
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| gzip(&vec![0; 1 << 20], 512));
