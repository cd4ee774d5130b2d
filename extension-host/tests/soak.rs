//! A program that calls extensions all day. It is alone in its process, so that what it holds can be counted.

mod support;

use std::fs;

use extension_host::{Arguments, Host};
use support::{ECHO, HOSTILE, permissions};

/// The open files of this process.
fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("readable").count()
}

/// What this process has in memory, and in how many threads it runs.
fn memory_and_threads() -> (u64, u64) {
    let status = fs::read_to_string("/proc/self/status").expect("readable");
    let number = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).expect(key);
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number")
    };
    (number("VmRSS:"), number("Threads:"))
}

#[test]
#[allow(clippy::print_stdout, reason = "how many there are is counted by .ci/security-tests")]
fn ten_thousand_calls_leave_no_descriptor_no_thread_and_no_memory() {
    let host = Host::new().expect("a host");
    let code = [&*ECHO, &*HOSTILE].map(|binary| host.compile(binary).expect("it compiles"));
    let link = |which: usize, limits: &str| host.extension(&code[which], permissions("", limits)).expect("it links");
    // What returns, what is stopped and what ends itself, each linked for its call.
    let round = || {
        let (none, words) = (Arguments::words([""; 0]), |word: &str| Arguments::words([word.to_owned()]));
        assert!(link(0, "").call_blocking("echo-string", &words("hello")).outcome.is_ok());
        assert!(link(1, "max_fuel = 10_000").call_blocking("spin", &none).outcome.is_err());
        assert!(link(1, "timeout_ms = 1").call_blocking("sleep", &words("50")).outcome.is_err());
        assert!(link(1, "").call_blocking("panic", &words("on purpose")).outcome.is_err());
        assert!(link(1, "").call_blocking("no-such-function", &none).outcome.is_err());
    };
    (0..100).for_each(|_| round());
    let (files, (memory, threads)) = (descriptors(), memory_and_threads());
    (0..2_000).for_each(|_| round());
    let (files_after, (memory_after, threads_after)) = (descriptors(), memory_and_threads());
    assert_eq!(files_after, files);
    assert_eq!(threads_after, threads);
    assert!(memory_after < memory + 8 * 1024, "{memory} KiB before, {memory_after} KiB after");
    println!("cases: {}", 2_000 * 5);
}
