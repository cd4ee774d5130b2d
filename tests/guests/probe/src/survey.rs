//! Streams, terminals, arguments, clocks and polls: what is there, and what using them wrongly
//! does.

use wasip2::cli::{
    environment, stderr, stdin, stdout, terminal_stderr, terminal_stdin, terminal_stdout,
};
use wasip2::clocks::{monotonic_clock, wall_clock};
use wasip2::filesystem::preopens::get_directories;
use wasip2::io::poll::poll;
use wasip2::io::streams::StreamError;
use wasip2::random::{insecure, insecure_seed, random};

pub fn survey() -> Vec<(String, String)> {
    let stream = |result: Result<String, StreamError>| match result {
        Ok(text) => text,
        Err(StreamError::Closed) => "closed".to_owned(),
        Err(StreamError::LastOperationFailed(error)) => error.to_debug_string(),
    };
    let (input, output) = (stdin::get_stdin(), stdout::get_stdout());
    let answers = [
        ("arguments", format!("{:?}", environment::get_arguments())),
        ("working directory", format!("{:?}", environment::initial_cwd())),
        ("environment", format!("{:?}", environment::get_environment())),
        ("directories", get_directories().len().to_string()),
        (
            "terminals",
            [
                terminal_stdin::get_terminal_stdin().is_some(),
                terminal_stdout::get_terminal_stdout().is_some(),
                terminal_stderr::get_terminal_stderr().is_some(),
            ]
            .map(|there| there.to_string())
            .join(","),
        ),
        ("input read", stream(input.read(10).map(|bytes| bytes.len().to_string()))),
        (
            "input read, waiting",
            stream(input.blocking_read(10).map(|bytes| bytes.len().to_string())),
        ),
        ("input skipped", stream(input.blocking_skip(10).map(|count| count.to_string()))),
        (
            "input into output",
            stream(output.blocking_splice(&input, 10).map(|count| count.to_string())),
        ),
        (
            "output written and flushed",
            stream(output.blocking_write_and_flush(b"out\n").map(|()| "done".to_owned())),
        ),
        (
            "zeroes written",
            stream(output.blocking_write_zeroes_and_flush(4).map(|()| "done".to_owned())),
        ),
        ("room in output", stream(output.check_write().map(|room| (room > 0).to_string()))),
        (
            "output polled",
            poll(&[&output.subscribe(), &stderr::get_stderr().subscribe()]).len().to_string(),
        ),
        ("waiting for the past", format!("{:?}", monotonic_clock::subscribe_instant(0).block())),
        ("clock goes on", (monotonic_clock::now() <= monotonic_clock::now()).to_string()),
        (
            "clocks tell",
            (monotonic_clock::resolution() > 0 && wall_clock::now().seconds > 0).to_string(),
        ),
        ("random bytes", random::get_random_bytes(7).len().to_string()),
        (
            "random numbers differ",
            (random::get_random_u64() != random::get_random_u64()).to_string(),
        ),
        (
            "insecure bytes and seed",
            (insecure::get_insecure_random_bytes(7).len() == 7
                && insecure_seed::insecure_seed() != (0, 0))
                .to_string(),
        ),
    ];
    answers.into_iter().map(|(what, answer)| (what.to_owned(), answer)).collect()
}

pub fn misuse(what: &str) {
    match what {
        "poll-nothing" => drop(poll(&[])),
        "read-too-much" => drop(stdin::get_stdin().blocking_read(u64::MAX)),
        "write-unchecked" => drop(stdout::get_stdout().write(&vec![b'x'; 1 << 20])),
        "zeroes-unchecked" => drop(stdout::get_stdout().write_zeroes(u64::MAX)),
        "splice-unchecked" => drop(stdout::get_stdout().splice(&stdin::get_stdin(), u64::MAX)),
        "sleep-for-ever" => monotonic_clock::subscribe_instant(u64::MAX).block(),
        "random-without-end" => loop {
            insecure::get_insecure_random_bytes(1 << 16);
        },
        "pollables-without-end" => {
            let mut pollables = Vec::new();
            loop {
                pollables.push(monotonic_clock::subscribe_duration(u64::MAX));
            }
        }
        _ => panic!("no misuse: {what}"),
    }
}
