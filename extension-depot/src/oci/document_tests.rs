//! Documents that are good, ambiguous, or none.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn descriptor(media_type: &str, extra: &str) -> String {
    format!(r#"{{"mediaType":"{media_type}","digest":"{DIGEST}","size":3{extra}}}"#)
}

fn manifest(layers: &[String]) -> String {
    let config = descriptor("application/vnd.oci.empty.v1+json", "");
    format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{}]}}"#, layers.join(","))
}

fn wasm_layer(text: &str) -> Result<String, String> {
    match Document::parse(text.as_bytes(), None).map_err(|error| error.to_string())? {
        Document::Manifest(manifest) => {
            let layer = manifest.wasm_layer().map_err(|error| error.to_string())?;
            Ok(layer
                .map_or_else(|| "the bytes decide".to_owned(), |layer| layer.media_type.clone()))
        }
        Document::Index(index) => index
            .wasm_entry()
            .map(|entry| entry.media_type.clone())
            .map_err(|error| error.to_string()),
    }
}

/// The layer of every producer is found wherever it stands.
#[test]
fn every_wasm_layer_is_found() {
    for media_type in media_type::WASM_LAYERS {
        let docs = descriptor("application/vnd.com.suffiks.docs.layer.v1+tar", "");
        let text = manifest(&[docs, descriptor(media_type, "")]);
        assert_eq!(wasm_layer(&text).as_deref(), Ok(media_type));
    }
}

#[test]
fn other_kinds_are_named() {
    let error = |text: &str| wasm_layer(text).expect_err(text);
    let layer = |extra| descriptor("application/wasm", extra);
    insta::assert_snapshot!(error(&manifest(&[])), @"not an extension: it is an artifact without WebAssembly (`application/vnd.oci.empty.v1+json` with the layers none)");
    insta::assert_snapshot!(error(&manifest(&[descriptor("application/vnd.in-toto+json", "")])), @"not an extension: it is an attestation (`application/vnd.oci.empty.v1+json` with the layers `application/vnd.in-toto+json`)");
    let undecided =
        manifest(&[descriptor("application/octet-stream", ""), descriptor("text/plain", "")]);
    assert_eq!(wasm_layer(&undecided).as_deref(), Ok("the bytes decide"));
    insta::assert_snapshot!(error(&manifest(&[layer(""), layer("")])), @"not an extension: 2 layers are WebAssembly; one is expected");
    insta::assert_snapshot!(error(&manifest(&[layer(r#","urls":["http://x"]"#)])), @"the blob sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 would be fetched from a place outside the registry, which sesame does not do");
    insta::assert_snapshot!(error(&manifest(&[layer("").replace(":3", ":999999999")])), @"the blob sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 has 999999999 bytes; the limit is 67108864");
    insta::assert_snapshot!(error("<!doctype html>"), @"the image manifest cannot be understood: it is a web page; is there a log-in page in front of the registry?");
    insta::assert_snapshot!(error(""), @"the image manifest cannot be understood: it is empty");
    insta::assert_snapshot!(error(r#"{"schemaVersion":1,"layers":[]}"#), @"the image manifest cannot be understood: schema version 1 is not supported");
    insta::assert_snapshot!(error(r#"{"schemaVersion":2,"layers":[],"manifests":[]}"#), @"the image manifest cannot be understood: it is a manifest and an index at once");
    insta::assert_snapshot!(error(r#"{"schemaVersion":2}"#), @"the image manifest cannot be understood: it has neither layers nor manifests");
    insta::assert_snapshot!(error(r#"{"schemaVersion":2,"layers":[],"layers":[]}"#), @"the image manifest cannot be understood: duplicate field `layers` at line 1 column 39");
    insta::assert_snapshot!(error(r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","layers":[]}"#), @"the image manifest cannot be understood: it says that it is `application/vnd.oci.image.index.v1+json` and is not");
    insta::assert_snapshot!(error(r#"{"schemaVersion":2,"manifests":[]}"#), @"not an extension: the image index does not have a single WebAssembly entry; it has none at all");
}

/// A large layer of a container image is not called a blob.
#[test]
fn large_image_is_named() {
    let tar = "application/vnd.oci.image.layer.v1.tar+gzip";
    let image = |layer_type: &str, config: &str| {
        let layer = descriptor(layer_type, "").replace(":3", ":70000000");
        let text = manifest(&[layer]).replacen(media_type::EMPTY, config, 1);
        wasm_layer(&text).expect_err("too large")
    };
    insta::assert_snapshot!(image(tar, media_type::IMAGE_CONFIG), @"too large for an extension: a container image whose layer sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 has 70000000 bytes, where the limit is 67108864; an extension is an image with one WebAssembly file: `FROM scratch` and one `COPY`");
    assert_eq!(image(tar, media_type::DOCKER_CONFIG), image(tar, media_type::IMAGE_CONFIG));
    let blob = format!("the blob {DIGEST} has 70000000 bytes; the limit is 67108864");
    assert_eq!(image(tar, media_type::EMPTY), blob);
    assert_eq!(image(media_type::WASM, media_type::IMAGE_CONFIG), blob);
    assert_eq!(image("application/octet-stream", media_type::IMAGE_CONFIG), blob);
}

/// Digests and sizes that are none are refused.
#[test]
fn bad_digests_and_sizes_refused() {
    for (from, to) in [
        (DIGEST, "sha256:../../../../tmp/x"),
        (DIGEST, "md5:d41d8cd98f00b204e9800998ecf8427e"),
        (DIGEST, &DIGEST.to_uppercase()),
        ("\"size\":3", "\"size\":-1"),
        ("\"size\":3", "\"size\":4611686018427387904000"),
        ("\"size\":3", "\"size\":1e3"),
        ("\"size\":3", "\"size\":\"3\""),
    ] {
        let text = manifest(&[descriptor("application/wasm", "")]).replace(from, to);
        assert!(wasm_layer(&text).is_err(), "{to} must be refused");
    }
}

/// An index gives its wasm entry or its only one.
#[test]
fn index_gives_wasm_or_only_entry() {
    let entry = |os: &str, architecture: &str| {
        let platform = format!(r#","platform":{{"os":"{os}","architecture":"{architecture}"}}"#);
        descriptor(media_type::MANIFEST, &platform)
    };
    let index = |entries: &[String]| {
        format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","))
    };
    assert!(wasm_layer(&index(&[entry("linux", "amd64"), entry("wasip2", "wasm")])).is_ok());
    assert!(wasm_layer(&index(&[entry("linux", "amd64")])).is_ok());
    let attested = [entry("linux", "amd64"), entry("unknown", "unknown")];
    assert!(wasm_layer(&index(&attested)).is_ok(), "what attests does not count");
    insta::assert_snapshot!(wasm_layer(&index(&[entry("linux", "amd64"), entry("linux", "arm64")])).expect_err("two"), @"not an extension: the image index does not have a single WebAssembly entry; it has `linux/amd64`, `linux/arm64`");
    assert!(
        wasm_layer(&index(&[descriptor(media_type::INDEX, "")])).is_err(),
        "an index in an index"
    );
}

#[test]
fn schema_violations_are_refused() {
    let good = manifest(&[descriptor("application/wasm", "")]);
    assert!(wasm_layer(&good).is_ok(), "{good}");
    let changes = [
        (r#""schemaVersion":2"#, r#""schemaVersion":"2""#),
        (r#""schemaVersion":2"#, r#""schemaVersion":null"#),
        (r#""schemaVersion":2"#, r#""schemaVersion":1"#),
        (r#""schemaVersion":2,"#, ""),
        (r#""size":3"#, r#""size":"3""#),
        (r#""size":3"#, r#""size":3.5"#),
        (r#""size":3"#, r#""size":-1"#),
        (r#""size":3"#, r#""size":18446744073709551616"#),
        (r#""size":3"#, r#""size":null"#),
        (r#","size":3"#, ""),
        (r#""digest":"sha256:e3"#, r#""digest":"sha256:E3"#),
        (r#""digest":"sha256:"#, r#""digest":"sha512:"#),
        (r#""mediaType":"application/wasm","#, ""),
        (r#""mediaType":"application/wasm""#, r#""mediaType":7"#),
        (r#""layers":["#, r#""layers":[7,"#),
        (r#""layers":["#, r#""layers":[null,"#),
        (r#"{"schemaVersion""#, r#"{"annotations":{"a":1},"schemaVersion""#),
        (r#"{"schemaVersion""#, r#"{"annotations":[],"schemaVersion""#),
        (r#"{"schemaVersion""#, r#"{"mediaType":{},"schemaVersion""#),
        (r#"{"schemaVersion""#, r#"{"subject":{},"schemaVersion""#),
        (r#"{"schemaVersion""#, r#"{"schemaVersion":2,"schemaVersion""#),
        (r#"{"schemaVersion""#, r#"{"config":{},"schemaVersion""#),
        (r#"{"schemaVersion""#, r#"{"layers":[],"schemaVersion""#),
    ];
    for (from, to) in changes {
        assert!(good.contains(from), "{from}");
        let changed = good.replacen(from, to, 1);
        assert!(wasm_layer(&changed).is_err(), "{changed}");
    }
    for part in [r#""config""#, r#""layers""#] {
        assert!(wasm_layer(&good.replace(part, r#""other""#)).is_err(), "without {part}");
    }
}

#[test]
fn null_is_absent() {
    let nulls = r#","urls":null,"artifactType":null,"platform":null,"annotations":{"a":null,"b":"c"},"data":null"#;
    let optional = r#"{"mediaType":null,"artifactType":null,"subject":null,"annotations":null,"manifests":null,"#;
    let text = manifest(&[descriptor("application/wasm", nulls)]).replacen('{', optional, 1);
    assert_eq!(wasm_layer(&text).as_deref(), Ok("application/wasm"));
    let Ok(Document::Manifest(parsed)) = Document::parse(text.as_bytes(), None) else {
        panic!("{text}")
    };
    assert_eq!(parsed.layers[0].annotations, BTreeMap::from([("b".to_owned(), "c".to_owned())]));
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":null,"config":null,"layers":null,"annotations":null,"manifests":[{}]}}"#,
        descriptor(media_type::MANIFEST, nulls)
    );
    assert_eq!(wasm_layer(&index).as_deref(), Ok(media_type::MANIFEST));
    let index = r#"{"schemaVersion":2,"manifests":null}"#;
    assert_eq!(serde_json::from_str::<ImageIndex>(index).expect("an index").manifests, []);
    assert!(
        serde_json::from_str::<ImageIndex>(r#"{"schemaVersion":2}"#).is_err(),
        "not an index at all"
    );
    let empty = manifest(&[]).replace(r#""layers":[]"#, r#""layers":null"#);
    assert!(wasm_layer(&empty).is_err_and(|error| error.starts_with("not an extension")));
}

#[test]
fn mislabelled_document_is_refused() {
    let written =
        manifest(&[]).replacen('{', &format!(r#"{{"mediaType":"{}","#, media_type::MANIFEST), 1);
    let parse = |text: &str, declared| Document::parse(text.as_bytes(), Some(declared));
    assert!(
        parse(&written, media_type::MANIFEST).is_ok()
            && parse(&written, "application/vnd.x+json").is_ok()
    );
    assert!(parse(&written, media_type::DOCKER_MANIFEST).is_ok(), "it is the same form");
    for other in [media_type::INDEX, media_type::DOCKER_INDEX] {
        assert!(parse(&written, other).is_err(), "{other}");
    }
    let odd = manifest(&[]).replacen('{', r#"{"mediaType":"application/x","#, 1);
    assert!(parse(&odd, media_type::MANIFEST).is_err(), "another type altogether");
    assert!(parse(&manifest(&[]), media_type::DOCKER_MANIFEST).is_ok(), "it says nothing itself");
}

#[test]
fn what_is_no_json_is_refused() {
    let good = manifest(&[descriptor("application/wasm", "")]);
    let broken = [
        "",
        " ",
        "{",
        "}",
        "[]",
        "null",
        "1",
        "\"x\"",
        "{]",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1,}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":1.}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":tru}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\ud800\"}",
        "{} {}",
        "//\n{}",
        "\u{feff}{}",
    ];
    for text in broken {
        assert!(Document::parse(text.as_bytes(), None).is_err(), "{text}");
    }
    for bytes in [b"{\"a\":\"\xff\"}".as_slice(), b"\xff\xfe{\0}\0", b"{\0}", b"\0"] {
        assert!(Document::parse(bytes, None).is_err());
    }
    for behind in ["x", "{}", "]", "\0"] {
        assert!(Document::parse(format!("{good}{behind}").as_bytes(), None).is_err(), "{behind}");
    }
}

#[test]
fn deep_nesting_is_an_error() {
    let whole = manifest(&[descriptor("application/wasm", "")]);
    let with = |levels: usize| {
        let value = ["[".repeat(levels), "]".repeat(levels)].concat();
        Document::parse(
            whole.replacen('{', &format!(r#"{{"x":{value},"y":"[[[\"[","#), 1).as_bytes(),
            None,
        )
    };
    assert!(with(MAX_DEPTH - 1).is_ok());
    insta::assert_snapshot!(with(MAX_DEPTH).expect_err("deep"), @"the image manifest cannot be understood: it is nested more than 64 levels deep");
    assert!(with(200_000).is_err());
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, cut in 0..400usize) {
        let _ = Document::parse(&bytes, None);
        let text = manifest(&[descriptor("application/wasm", "")]);
        let _ = Document::parse(&text.as_bytes()[..cut.min(text.len())], Some("x"));
    }
}
