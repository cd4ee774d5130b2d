//! The tasks of this repository. `.ci/run` calls them, and so do people: `cargo xtask` lists them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for people and for CI")]

mod arguments;
mod benchmarks;
mod build_scripts;
mod check;
mod components;
mod digest;
mod fuzz;
mod guests;
mod links;
mod problem;
mod prose;
mod release;
mod repository;
mod security_tests;
mod words;

use std::process::ExitCode;

use problem::Result;

/// A task: its name, its arguments and its purpose, as the list of tasks shows them, and the
/// function that runs it.
struct Task {
    name: &'static str,
    usage: &'static str,
    purpose: &'static str,
    run: fn(&[String]) -> Result<()>,
}

const TASKS: [Task; 10] = [
    Task {
        name: "check",
        usage: "[--since COMMIT]",
        purpose: "Check formatting, lints and the unit tests of changed crates",
        run: check::run,
    },
    Task {
        name: "guests",
        usage: "[--update]",
        purpose: "Build the guests of the tests, and put them beside their sources",
        run: guests::run,
    },
    Task {
        name: "fuzz",
        usage: "[--shared] [--build | SECONDS [TARGET...]]",
        purpose: "Build the fuzzers, and run each for some seconds",
        run: fuzz::run,
    },
    Task {
        name: "links",
        usage: "",
        purpose: "Find broken links, stale file names and pages without a line in the book",
        run: links::run,
    },
    Task {
        name: "prose",
        usage: "[--list] [--check] [DIRECTORY]",
        purpose: "Count the figures of docs/style.md",
        run: prose::run,
    },
    Task {
        name: "security-tests",
        usage: "[--check [--listed]] LOG",
        purpose: "Write docs/security-tests.md from the rows and the output of the tests",
        run: security_tests::run,
    },
    Task {
        name: "benchmark-table",
        usage: "[--write] [--results FILE] [--criterion DIR] [--page FILE]",
        purpose: "Make the tables and the plot of docs/performance.md",
        run: benchmarks::run,
    },
    Task {
        name: "sbom",
        usage: "[--target TRIPLE] FILE | --check",
        purpose: "Write the components of the binary by cargo-cyclonedx, or only check them",
        run: components::run,
    },
    Task {
        name: "build-scripts",
        usage: "",
        purpose: "List the build scripts of the binary, and fail where one is unread",
        run: build_scripts::run,
    },
    Task {
        name: "release",
        usage: "--check | --dry-run [--binary FILE] | --notes",
        purpose: "Check that versions and changelog agree, make packages, list what is left",
        run: release::run,
    },
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = words.split_first() else {
        print!("{}", list());
        return ExitCode::from(2);
    };
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        eprint!("no task is called `{name}`\n\n{}", list());
        return ExitCode::from(2);
    };
    match (task.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// Lists the tasks.
fn list() -> String {
    let line = |task: &Task| format!("  {} {}\n      {}\n", task.name, task.usage, task.purpose);
    format!("Usage: cargo xtask TASK\n\n{}", TASKS.iter().map(line).collect::<String>())
}
