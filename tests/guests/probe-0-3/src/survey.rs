//! Streams, terminals, arguments and clocks: what is there.

use wasip3::cli::{environment, stdin, terminal_stderr, terminal_stdin, terminal_stdout};
use wasip3::clocks::{monotonic_clock, system_clock};
use wasip3::filesystem::preopens::get_directories;
use wasip3::random::{insecure, insecure_seed, random};

pub async fn survey() -> Vec<(String, String)> {
    let (input, input_result) = stdin::read_via_stream();
    let read = input.collect().await.len();
    let printed = crate::output::print(b"out\n".to_vec()).await;
    monotonic_clock::wait_until(0).await;
    let answers = [
        ("arguments", format!("{:?}", environment::get_arguments())),
        ("working directory", format!("{:?}", environment::get_initial_cwd())),
        ("environment", format!("{:?}", environment::get_environment())),
        ("directories", get_directories().len().to_string()),
        ("terminals", terminals()),
        ("input read", format!("{read}, {:?}", input_result.await)),
        ("output written", format!("{printed:?}")),
        ("clock goes on", (monotonic_clock::now() <= monotonic_clock::now()).to_string()),
        (
            "clocks tell",
            (monotonic_clock::get_resolution() > 0 && system_clock::now().seconds > 0).to_string(),
        ),
        ("random bytes", random::get_random_bytes(7).len().to_string()),
        (
            "random numbers differ",
            (random::get_random_u64() != random::get_random_u64()).to_string(),
        ),
        ("insecure bytes", insecure::get_insecure_random_bytes(7).len().to_string()),
        ("seed", (insecure_seed::get_insecure_seed() != (0, 0)).to_string()),
    ];
    answers.into_iter().map(|(what, answer)| (what.to_owned(), answer)).collect()
}

fn terminals() -> String {
    let there = [
        terminal_stdin::get_terminal_stdin().is_some(),
        terminal_stdout::get_terminal_stdout().is_some(),
        terminal_stderr::get_terminal_stderr().is_some(),
    ];
    there.map(|there| there.to_string()).join(",")
}
