//! The header `WWW-Authenticate`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = extension_depot::fuzzing::challenge(text);
});
