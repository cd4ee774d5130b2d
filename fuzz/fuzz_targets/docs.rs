//! Archives of pages. Input that is not gzipped counts as the archive itself, so that the fuzzer
//! need not learn to compress.
#![no_main]

use extension_depot::Docs;
use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use std::io::Write;

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::none());
    gzip.write_all(bytes).expect("memory");
    gzip.finish().expect("memory")
}

fuzz_target!(|bytes: &[u8]| {
    let docs = if bytes.starts_with(&[0x1f, 0x8b]) {
        Docs::unpack(bytes)
    } else {
        Docs::unpack(&gzipped(bytes))
    };
    let Ok(docs) = docs else { return };
    for page in docs.pages() {
        let path = std::path::Path::new(&page.path);
        let is_below =
            path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        assert!(is_below && !page.path.chars().any(char::is_control), "{:?}", page.path);
    }
    let packed = docs.pack().expect("it was unpacked");
    assert_eq!(Docs::unpack(&packed).expect("it was packed"), docs);
});
