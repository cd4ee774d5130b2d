//! The address space that a call needs. Wasmtime reserves the maximum of every memory, so that most
//! accesses need no check: a limit of the address space (`ulimit -v`) that suits other programs
//! leaves no room for a call.

use std::fs;

use rustix::process::{Resource, getrlimit};

use crate::code::is_out_of_memory;

/// Wasmtime's reservation for one memory: 4 GiB and a guard of 32 MiB on either side.
const MEMORY_RESERVATION: u64 = (4 << 30) + 2 * (32 << 20);
/// The other mappings of a call, such as its stack, rounded up generously.
const SLACK: u64 = 64 << 20;

/// The process may not map as much address space as a call needs. The extension is not at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", text(*limit, *needed))]
pub struct AddressSpaceTooSmall {
    /// The limit in bytes (`ulimit -v`), if there is one.
    pub limit: Option<u64>,
    /// The hard limit, up to which the limit can be raised.
    pub maximum: Option<u64>,
    /// A sufficient limit in bytes.
    pub needed: u64,
}

impl AddressSpaceTooSmall {
    /// Tells whether the error of a call is this one.
    pub(crate) fn of(error: &wasmtime::Error, memories: u32) -> Option<Self> {
        if !is_out_of_memory(error) {
            return None;
        }
        let limit = getrlimit(Resource::As);
        let needed = mapped_bytes().saturating_add(reserved_bytes(memories)).saturating_add(SLACK);
        Some(Self { limit: limit.current, maximum: limit.maximum, needed })
    }

    /// Returns a sufficient limit in the unit of `ulimit -v`.
    pub fn needed_kib(&self) -> u64 {
        self.needed.div_ceil(1024)
    }
}

fn text(limit: Option<u64>, needed: u64) -> String {
    let needed = needed >> 20;
    match limit.map(|limit| limit >> 20) {
        Some(limit) => format!(
            "the address space of this process is limited to {limit} MiB (`ulimit -v`); a call of this extension needs \
             {needed} MiB"
        ),
        None => format!(
            "the system gave this process no memory; a call of this extension maps {needed} MiB"
        ),
    }
}

/// Returns the address space that this process has mapped, memories of this call included.
fn mapped_bytes() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm");
    let pages = pages.ok().and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    pages.unwrap_or_default().saturating_mul(rustix::param::page_size() as u64)
}

/// Returns the reservation for this many memories.
fn reserved_bytes(memories: u32) -> u64 {
    MEMORY_RESERVATION.saturating_mul(u64::from(memories))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Host;

    /// The need of a component grows with its memories.
    #[test]
    fn memories_need_their_reservation() {
        let host = Host::new().expect("a host");
        let two = "(component (core module $m (memory 1)) (core instance (instantiate $m)) (core instance (instantiate $m)))";
        let code =
            |wat: &str| host.compile(&wat::parse_str(wat).expect("valid")).expect("compiles");
        assert_eq!(reserved_bytes(code(two).memories()), 2 * MEMORY_RESERVATION);
        assert_eq!(reserved_bytes(code("(module (memory 1))").memories()), MEMORY_RESERVATION);
        let error =
            AddressSpaceTooSmall { limit: Some(4 << 30), maximum: None, needed: (5 << 30) + 1 };
        insta::assert_snapshot!(error, @"the address space of this process is limited to 4096 MiB (`ulimit -v`); a call of this extension needs 5120 MiB");
        assert_eq!(error.needed_kib(), (5 << 20) + 1);
    }
}
