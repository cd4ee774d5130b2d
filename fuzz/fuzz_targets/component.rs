//! Components and modules, as `sesame extension inspect` reads them: their requests, imports and
//! exports. Small ones are compiled as well, in this process; sesame compiles in another, with
//! bounds.
#![no_main]

use std::sync::LazyLock;

use extension_host::{Host, requested_by_author};
use libfuzzer_sys::fuzz_target;

/// The largest binary that is compiled here, in bytes: compiling is slow beside a fuzzer's parsing.
const SMALL: usize = 2_048;

static HOST: LazyLock<Host> = LazyLock::new(|| Host::new().expect("a host"));

fuzz_target!(|bytes: &[u8]| {
    let _ = requested_by_author(bytes);
    if bytes.len() > SMALL {
        return;
    }
    if let Ok(code) = HOST.compile(bytes) {
        let _ = (HOST.imports(&code), HOST.exports(&code), HOST.takes_workloads(&code));
    }
});
