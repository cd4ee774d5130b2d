//! Bundles and classic signatures.
#![no_main]

use libfuzzer_sys::fuzz_target;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fuzz_target!(|bytes: &[u8]| {
    let reference = format!("ghcr.io/my-org/x:1.0.0@{DIGEST}").parse().expect("a reference");
    let _ =
        extension_depot::fuzzing::signature(bytes, &reference, &DIGEST.parse().expect("a digest"));
});
