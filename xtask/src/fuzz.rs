//! Runs the fuzzers of fuzz/ over their corpora, then on new inputs for a while.
//!
//! With `--shared` they take the dependencies of the tests, which have no coverage: they are built in
//! two minutes instead of twenty, and find their way through a parser of somebody else by chance
//! alone. Without it everything is instrumented and optimised.
//!
//! Inputs with new coverage go to fuzz/found/TARGET, and an input that breaks something to
//! fuzz/broken/TARGET-*. 0 seconds only run the corpora, and `--build` only builds. One target runs
//! for each processor at a time, since each has one thread.
//!
//! It does the same as `cargo fuzz run`, with the project's own compiler: LLVM itself adds the
//! coverage. On a nightly compiler, `cargo fuzz run TARGET` adds the address sanitizer.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use crate::arguments::Arguments;
use crate::problem::{Problem, Result};
use crate::repository::{command, output, read, root, run as run_command};

/// The time of each target for new inputs, in seconds.
const DEFAULT_SECONDS: u32 = 20;

/// The bounds of one input.
#[derive(Clone, Copy)]
struct Bounds {
    seconds: u32,
    mebibytes: u32,
}

/// A parser has one second for an input, and little memory.
const PARSER: Bounds = Bounds { seconds: 1, mebibytes: 256 };
/// Unpacking, compiling and calling have ten, and a gibibyte.
const WHOLE: Bounds = Bounds { seconds: 10, mebibytes: 1024 };

/// The fuzzers, each with its bounds.
const TARGETS: [(&str, Bounds); 10] = [
    ("reference", PARSER),
    ("manifest", PARSER),
    ("events", PARSER),
    ("image", PARSER),
    ("challenge", PARSER),
    ("docs", WHOLE),
    ("signature", PARSER),
    ("component", WHOLE),
    ("modules", WHOLE),
    ("arguments", WHOLE),
];

/// The lines of libFuzzer that say how it went.
const TOLD: [&str; 8] = [
    "ERROR",
    "SUMMARY",
    "panicked",
    "DONE",
    "stat::number_of_executed_units",
    "stat::peak_rss_mb",
    "artifact_prefix",
    "Test unit",
];

/// The flags of LLVM that add coverage.
const COVERAGE: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Runs the task.
pub fn run(words: &[String]) -> Result<()> {
    let mut arguments = Arguments::new(words);
    let (is_shared, is_build) = (arguments.flag("--shared"), arguments.flag("--build"));
    let seconds = seconds(arguments.word())?;
    let targets = targets(arguments)?;
    let programs = if is_shared { build_shared()? } else { build_instrumented()? };
    if is_build { Ok(()) } else { run_all(&programs, &targets, seconds) }
}

fn seconds(word: Option<String>) -> Result<u32> {
    let Some(word) = word else { return Ok(DEFAULT_SECONDS) };
    word.parse().map_err(|_| Problem::new(format!("`{word}` is not a number of seconds")))
}

/// Returns the targets that are named, or all of them.
fn targets(mut arguments: Arguments) -> Result<Vec<(&'static str, Bounds)>> {
    let mut named = Vec::new();
    while let Some(word) = arguments.word() {
        let target = TARGETS.into_iter().find(|(name, _)| *name == word);
        named.push(target.ok_or_else(|| Problem::new(format!("no fuzzer is called `{word}`")))?);
    }
    Ok(if named.is_empty() { TARGETS.into() } else { named })
}

/// Builds the fuzzers over the dependencies of the tests, and returns their directory. The whole
/// workspace is named, so that dependencies have the features that they have in the tests.
fn build_shared() -> Result<PathBuf> {
    let mut build = command("cargo", &["build", "--quiet", "--workspace", "--locked"]);
    build.args(["--features", "sesame-fuzz/libfuzzer"]);
    build.args(TARGETS.iter().flat_map(|(name, _)| ["--bin", name]));
    build.env("SESAME_COVERAGE", COVERAGE.join(" "));
    build.env("RUSTC_WORKSPACE_WRAPPER", root().join(".ci/rustc-for-fuzzers"));
    run_command(build)?;
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    Ok(root().join(target).join("debug"))
}

/// Builds everything with coverage, and returns the directory of the fuzzers. It is built for a named
/// target, so that build scripts and procedural macros stay without.
fn build_instrumented() -> Result<PathBuf> {
    let compiler = output(command("rustc", &["-vV"]))?;
    let host = compiler.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or_else(|| Problem::new("rustc does not name its host"))?;
    let target = root().join("fuzz/target");
    let mut build = command("cargo", &["build", "--quiet", "--locked", "--target", host]);
    build.args(["--package", "sesame-fuzz", "--features", "libfuzzer", "--profile", "fuzz"]);
    build.env("RUSTFLAGS", format!("{} --cfg fuzzing", COVERAGE.join(" ")));
    build.env("CARGO_TARGET_DIR", &target);
    run_command(build)?;
    Ok(target.join(host).join("fuzz"))
}

/// Runs targets, one for each processor at a time, and fails where one of them fails.
fn run_all(programs: &Path, targets: &[(&'static str, Bounds)], seconds: u32) -> Result<()> {
    let (waiting, broken) = (Mutex::new(targets.iter()), Mutex::new(Vec::new()));
    let next = || waiting.lock().ok()?.next();
    let work = || {
        while let Some(&(name, bounds)) = next() {
            if let Err(problem) = run_one(programs, (name, bounds), seconds)
                && let Ok(mut broken) = broken.lock()
            {
                broken.push(format!("{name}: {problem}"));
            }
        }
    };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..processors).for_each(|_| drop(scope.spawn(work))));
    let broken = broken.into_inner().unwrap_or_default();
    if broken.is_empty() { Ok(()) } else { Err(Problem::new(broken.join("\n"))) }
}

/// Runs a target, and tells how it went. Its whole output goes to fuzz/found/TARGET.log.
fn run_one(programs: &Path, (name, bounds): (&str, Bounds), seconds: u32) -> Result<()> {
    let directory = root().join("fuzz");
    for made in [format!("found/{name}"), "broken".to_owned()] {
        fs::create_dir_all(directory.join(made))?;
    }
    let log = directory.join(format!("found/{name}.log"));
    let mut fuzzer = command(programs.join(name), &[]);
    fuzzer.current_dir(&directory).args(flags(name, bounds, seconds));
    let file = File::create(&log)?;
    fuzzer.stdout(file.try_clone()?).stderr(file);
    let ran = run_command(fuzzer);
    for line in read(&log)?.lines().filter(|line| TOLD.iter().any(|told| line.contains(told))) {
        println!("{name}: {line}");
    }
    ran
}

fn flags(name: &str, bounds: Bounds, seconds: u32) -> Vec<String> {
    let mut flags = vec![
        format!("found/{name}"),
        format!("corpus/{name}"),
        if seconds == 0 { "-runs=0".to_owned() } else { format!("-max_total_time={seconds}") },
        format!("-timeout={}", bounds.seconds),
        format!("-rss_limit_mb={}", bounds.mebibytes),
        "-max_len=65536".to_owned(),
        format!("-artifact_prefix=broken/{name}-"),
        "-print_final_stats=1".to_owned(),
    ];
    if name == "modules" {
        // A generator makes next to nothing of a few bytes, its default first inputs.
        flags.push("-len_control=0".to_owned());
    }
    flags
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn named(line: &str) -> Result<Vec<&'static str>> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        Ok(targets(Arguments::new(&words))?.into_iter().map(|(name, _)| name).collect())
    }

    #[test]
    fn every_fuzzer_is_run() {
        let files = fs::read_dir(root().join("fuzz/fuzz_targets")).expect("there");
        let names =
            |path: PathBuf| path.file_stem().map(|name| name.to_string_lossy().into_owned());
        let there: BTreeSet<_> = files.flatten().filter_map(|file| names(file.path())).collect();
        let known: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(there, known);
        assert_eq!(named("").expect("all").len(), TARGETS.len());
    }

    #[test]
    fn words_choose_targets_and_time() {
        assert_eq!(named("docs events").expect("known"), ["docs", "events"]);
        assert!(named("nothing").is_err());
        assert_eq!(seconds(Some("0".to_owned())).expect("a number"), 0);
        assert_eq!(seconds(None).expect("a default"), DEFAULT_SECONDS);
        assert!(seconds(Some("docs".to_owned())).is_err());
    }

    #[test]
    fn no_time_runs_the_corpus_alone() {
        let flags = |seconds| flags("modules", WHOLE, seconds).join(" ");
        assert!(flags(0).contains("corpus/modules -runs=0 -timeout=10 -rss_limit_mb=1024"));
        assert!(flags(15).contains("-max_total_time=15") && flags(15).ends_with("-len_control=0"));
    }
}
