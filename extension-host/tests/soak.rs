//! A program that calls extensions all day. It is alone in its process, so that its resources can
//! be counted.

mod support;

use std::fs;
use std::sync::{Mutex, PoisonError};

use extension_host::{Arguments, Host};
use support::{ECHO, HOSTILE, permissions};

/// Held by each test, so that they count one after the other.
static ALONE: Mutex<()> = Mutex::new(());

/// Returns the number of open files of this process.
fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("readable").count()
}

/// Returns the memory and the threads of this process.
fn memory_and_threads() -> (u64, u64) {
    let status = fs::read_to_string("/proc/self/status").expect("readable");
    let number = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).expect(key);
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number")
    };
    (number("VmRSS:"), number("Threads:"))
}

/// Checks that calls leave no descriptor, thread or memory behind, however often they are made.
#[expect(clippy::print_stdout, reason = "counted by cargo xtask security-tests")]
fn assert_nothing_leaks(calls: usize, round: impl Fn()) {
    (0..100).for_each(|_| round());
    let (files, (memory, threads)) = (descriptors(), memory_and_threads());
    (0..2_000).for_each(|_| round());
    let (files_after, (memory_after, threads_after)) = (descriptors(), memory_and_threads());
    assert_eq!(files_after, files);
    assert_eq!(threads_after, threads);
    assert!(memory_after < memory + 8 * 1024, "{memory} KiB before, {memory_after} KiB after");
    println!("cases: {}", 2_000 * calls);
}

/// Ten thousand calls, some of which are stopped.
#[test]
fn ten_thousand_calls_leak_nothing() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let host = Host::new().expect("a host");
    let code = [&*ECHO, &*HOSTILE].map(|binary| host.compile(binary).expect("it compiles"));
    let link = |which: usize, limits: &str| {
        host.extension(&code[which], permissions("", limits)).expect("it links")
    };
    // Calls that return, are stopped or exit, each linked anew.
    let round = || {
        let (none, words) =
            (Arguments::words([""; 0]), |word: &str| Arguments::words([word.to_owned()]));
        assert!(link(0, "").call_blocking("echo-string", &words("hello")).outcome.is_ok());
        assert!(link(1, "max_fuel = 10_000").call_blocking("spin", &none).outcome.is_err());
        assert!(link(1, "timeout_ms = 1").call_blocking("sleep", &words("50")).outcome.is_err());
        assert!(link(1, "").call_blocking("panic", &words("on purpose")).outcome.is_err());
        assert!(link(1, "").call_blocking("no-such-function", &none).outcome.is_err());
    };
    assert_nothing_leaks(5, round);
}

/// The same for tasks and streams of WASI 0.3.
#[cfg(feature = "wasi-0-3")]
#[test]
fn asynchronous_calls_leak_nothing() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let host = Host::new().expect("a host");
    let code = host.compile(&support::PROBE_0_3).expect("it compiles");
    let call = |limits: &str, function: &str, words: &[&str]| {
        let permissions = permissions("experimental = [\"wasi-0.3\"]", limits);
        let probe = host.extension(&code, permissions).expect("it links");
        let words = Arguments::words(words.iter().map(|word| (*word).to_owned()));
        probe.call_blocking(function, &words).outcome
    };
    let stopped = "max_fuel = 9_000_000_000_000_000_000\ntimeout_ms = 10";
    assert_nothing_leaks(5, || {
        assert!(call("", "greet", &["World"]).is_ok());
        assert!(call("", "open", &["/etc/passwd", "r"]).is_ok_and(|returned| returned.is_err()));
        assert!(call("", "survey", &[]).is_ok(), "it reads and writes streams");
        assert!(call("max_fuel = 100", "greet", &["World"]).is_err());
        let ended = call(stopped, "misuse", &["sleep-for-ever"]).expect_err("it sleeps");
        assert!(ended.to_string().contains("10 ms"), "{ended}");
    });
}

/// Returns the peak memory of this process during some work, in MiB, beyond the memory before it.
#[cfg(feature = "wasi-0-3")]
fn peak_mib(work: impl FnOnce()) -> u64 {
    // Resets the peak.
    fs::write("/proc/self/clear_refs", "5").expect("writable");
    let (before, _) = memory_and_threads();
    work();
    let status = fs::read_to_string("/proc/self/status").expect("readable");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let peak: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    peak.saturating_sub(before) / 1024
}

/// The guest has 64 MiB of its own; the host's memory for it is bounded as well, in every way that
/// it can grow.
#[cfg(feature = "wasi-0-3")]
#[test]
fn async_guest_memory_is_bounded() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let host = Host::new().expect("a host");
    let code = host.compile(&support::PROBE_0_3).expect("it compiles");
    let limits = "max_fuel = 9_000_000_000_000_000_000\ntimeout_ms = 5_000";
    let probe = host
        .extension(&code, permissions("experimental = [\"wasi-0.3\"]", limits))
        .expect("it links");
    let mut peaks = Vec::new();
    for way in support::WAYS_TO_GROW {
        let peak = peak_mib(|| drop(probe.call_blocking("grow", &Arguments::words([way]))));
        peaks.push(format!("{way}: {peak} MiB"));
        assert!(peak < 192, "{peaks:?}");
    }
}
