//! Image manifests and indexes, as registries serve them. The first byte selects the declared type.
#![no_main]

use libfuzzer_sys::fuzz_target;

const DECLARED: [Option<&str>; 4] = [
    None,
    Some("application/vnd.oci.image.manifest.v1+json"),
    Some("application/vnd.oci.image.index.v1+json"),
    Some("application/json"),
];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let _ =
        extension_depot::fuzzing::document(rest, DECLARED[usize::from(*first) % DECLARED.len()]);
    let _ = extension_depot::fuzzing::document(bytes, None);
});
