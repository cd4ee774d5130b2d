//! Components and modules, as far as `sesame extension inspect` looks at them: what they ask for,
//! import and export. Those that are small are compiled as well, in this process; sesame compiles
//! in another, with bounds.
#![no_main]

use std::sync::LazyLock;

use extension_host::{Host, requested_by_author};
use libfuzzer_sys::fuzz_target;

/// The largest that is compiled here, in bytes.
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
