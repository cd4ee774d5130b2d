//! The memory that a call needs. Wasmtime reserves the maximum of every memory, so that most
//! accesses need no check: a limit of the address space (`ulimit -v`) that suits other programs
//! leaves no room for a call. A limit of data (`ulimit -d`) counts what can be written to, and no
//! reservation.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit};

use crate::code::is_out_of_memory;

/// Wasmtime's reservation for one memory: 4 GiB and a guard of 32 MiB on either side.
const MEMORY_RESERVATION: u64 = (4 << 30) + 2 * (32 << 20);
/// The other mappings of a call, such as its stack, rounded up generously.
const SLACK: u64 = 64 << 20;

/// The process may not map as much memory as a call needs. The extension is not at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", text(*limit, *needed, *option))]
pub struct AddressSpaceTooSmall {
    /// The limit in bytes, if one is lower than the need.
    pub limit: Option<u64>,
    /// The hard limit, up to which the limit can be raised.
    pub maximum: Option<u64>,
    /// A sufficient limit in bytes.
    pub needed: u64,
    /// The option of `ulimit` that sets it: `v` for address space, `d` for data.
    pub option: char,
}

impl AddressSpaceTooSmall {
    /// Tells whether the error of a call is this one. Its code has so many memories, which have so
    /// many bytes at first.
    pub(crate) fn of(error: &wasmtime::Error, memories: u32, initial: u64) -> Option<Self> {
        if !is_out_of_memory(error) {
            return None;
        }
        let [space, data] = mapped_bytes();
        let space = space.saturating_add(reserved_bytes(memories));
        let space = Self::under('v', &getrlimit(Resource::As), space);
        let data = data.saturating_add(initial);
        let data = Self::under('d', &getrlimit(Resource::Data), data);
        let too_low = [space, data].into_iter().find(Self::is_too_low);
        Some(too_low.unwrap_or(Self { limit: None, maximum: None, ..space }))
    }

    fn under(option: char, limit: &Rlimit, needed: u64) -> Self {
        let needed = needed.saturating_add(SLACK);
        Self { limit: limit.current, maximum: limit.maximum, needed, option }
    }

    fn is_too_low(&self) -> bool {
        self.limit.is_some_and(|limit| limit < self.needed)
    }

    /// Returns a sufficient limit in the unit of `ulimit`.
    pub fn needed_kib(&self) -> u64 {
        self.needed.div_ceil(1024)
    }
}

fn text(limit: Option<u64>, needed: u64, option: char) -> String {
    let needed = needed >> 20;
    let what = if option == 'd' { "data" } else { "address space" };
    match limit.map(|limit| limit >> 20) {
        Some(limit) => format!(
            "the {what} of this process is limited to {limit} MiB (`ulimit -{option}`); a call of this extension needs \
             {needed} MiB"
        ),
        None => format!(
            "the system gave this process no memory; a call of this extension maps {needed} MiB"
        ),
    }
}

/// Returns the address space and the data that this process has mapped, memories of this call
/// included.
fn mapped_bytes() -> [u64; 2] {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let mut pages = text.split_whitespace().map(|pages| pages.parse::<u64>().unwrap_or_default());
    // The first number is that of all pages, and the sixth that of data and stack.
    let [space, data] = [pages.next(), pages.nth(4)].map(Option::unwrap_or_default);
    [space, data].map(|pages| pages.saturating_mul(rustix::param::page_size() as u64))
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
        let two_pages = code("(module (memory 1) (memory 2))");
        assert_eq!(two_pages.initial_memory(), 2 * 2 * 65_536);
        let limit = Rlimit { current: Some(4 << 30), maximum: None };
        let error = AddressSpaceTooSmall::under('v', &limit, (5 << 30) + 1 - SLACK);
        insta::assert_snapshot!(error, @"the address space of this process is limited to 4096 MiB (`ulimit -v`); a call of this extension needs 5120 MiB");
        assert_eq!((error.needed_kib(), error.is_too_low()), ((5 << 20) + 1, true));
        let error = AddressSpaceTooSmall::under('d', &limit, 1 << 30);
        insta::assert_snapshot!(error, @"the data of this process is limited to 4096 MiB (`ulimit -d`); a call of this extension needs 1088 MiB");
        assert!(!error.is_too_low());
    }

    /// The memory of this process is read.
    #[test]
    fn mapped_bytes_are_read() {
        let [space, data] = mapped_bytes();
        assert!(space > data && data > 65_536, "{space} {data}");
    }
}
