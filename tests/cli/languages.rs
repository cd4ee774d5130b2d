//! Projects in every language, from `new` to a call, with the tools of `.ci/languages`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use extension_depot::serve::MemoryRegistry;
use test_support::guest;

use crate::guest_table::assert_row;
use crate::support::{Run, TestEnv, env, root};

/// The row in `docs/guests.md` of a language whose project is built, tested and called.
const GREETS: &str = "builds, passes its tests, `greet You` returns `Hello, You!`";
/// That of one whose module works on workloads.
const LABELS: &str = "builds, passes its tests";

/// The Rust toolchain that builds guests, from .ci/guest-toolchain.
fn toolchain() -> PathBuf {
    installed("SESAME_GUEST_TOOLCHAIN", ".cache/sesame-guest-toolchain").join("bin")
}

/// The tools of other languages, from .ci/languages.
fn languages() -> PathBuf {
    installed("SESAME_LANGUAGES", ".cache/sesame-languages")
}

fn installed(variable: &str, below_home: &str) -> PathBuf {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    std::env::var_os(variable).map_or_else(|| home.join(below_home), PathBuf::from)
}

/// Gives a command the tools of every language.
pub fn add_tools(command: &mut Command) {
    let ours = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{}:{ours}", toolchain().display(), languages().join("bin").display());
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    for (name, below) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        command.env(name, std::env::var_os(name).unwrap_or_else(|| home.join(below).into()));
    }
    command
        .env("PATH", path)
        // A project names the target that it needs. Without it rustup would replace the compiler of this
        // machine by a newer one.
        .env("RUSTUP_AUTO_INSTALL", "0")
        .env("WASI_SDK_PATH", languages().join("wasi-sdk"))
        // The modules of Go's bindings came with their generator.
        .env("GOPROXY", format!("file://{}", languages().join("go-modules").display()))
        .env("GOSUMDB", "off")
        .env("GOFLAGS", "-modcacherw")
        .env("GOCACHE", languages().join("go-build"));
}

/// Runs sesame in a directory, with the tools of every language.
pub fn with_tools(env: &TestEnv, directory: &Path, line: &str) -> Run {
    let mut command = env.command(line.split_whitespace());
    add_tools(command.current_dir(directory));
    env.finish(command, b"")
}

/// Makes a project and tests it. Returns its directory.
fn begin(env: &TestEnv, line: &str, name: &str) -> PathBuf {
    env.run(&format!("extension new {line}")).ok();
    let directory = env.path("work").join(name);
    share_target(env, &directory);
    passes(env, &directory);
    directory
}

/// Lets the projects in Rust of one test compile their dependencies once.
fn share_target(env: &TestEnv, directory: &Path) {
    if !directory.join("Cargo.toml").exists() || directory.join("target").exists() {
        return;
    }
    let shared = env.path("rust-target");
    std::fs::create_dir_all(&shared).expect("made");
    std::os::unix::fs::symlink(shared, directory.join("target")).expect("linked");
}

fn passes(env: &TestEnv, directory: &Path) {
    let tested = with_tools(env, directory, "extension test");
    assert_eq!(tested.code, 0, "{tested}");
    assert!(tested.text().ends_with(" passed, 0 failed\n"), "{tested}");
}

fn calls(env: &TestEnv, directory: &Path) -> Run {
    with_tools(env, directory, "extension dev --once --quiet greet You")
}

/// Makes, tests and calls a project, and compares the row of its language.
fn greets(env: &TestEnv, line: &str, name: &str, toolchain: &str) -> PathBuf {
    let directory = begin(env, line, name);
    greets_you(env, &directory, toolchain);
    directory
}

fn greets_you(env: &TestEnv, directory: &Path, toolchain: &str) {
    let called = calls(env, directory);
    assert!(called.text().ends_with("Hello, You!\n"), "{called}");
    assert_row(toolchain, "component", GREETS);
}

/// From nothing to an extension that is installed on another machine and called: five commands, and
/// less than two minutes of machine time where the packages are downloaded. CI prints the seconds. The
/// project is tested and called then, without another build.
#[expect(clippy::print_stdout, reason = "the figures are for the log of CI")]
fn greets_in_five_commands(env: &TestEnv, line: &str, name: &str, toolchain: &str) -> PathBuf {
    let user = crate::support::env();
    let registry = MemoryRegistry::start().expect("a registry");
    let reference = format!("{}/my-org/{name}:0.1.0", registry.host());
    let (begun, project) = (Instant::now(), format!("work/{name}"));
    // The second command is `cd NAME`.
    let seconds = [
        (env, "work", format!("extension new {line} --quiet")),
        (env, project.as_str(), format!("extension publish {reference}")),
        (&user, "work", format!("extension install {reference}")),
        (&user, "work", format!("extension call {name} greet World")),
    ];
    let directory = env.path(&project);
    let seconds = seconds.map(|(user, place, line)| {
        let seconds = machine_time(user, place, &line);
        share_target(env, &directory);
        seconds
    });
    let (all, elapsed) = (seconds.iter().sum::<f64>(), begun.elapsed().as_secs());
    println!("{name}: {all:.0} s of machine time ({seconds:.1?}), {elapsed} s by the clock");
    assert!(all < 120.0, "{name}: {seconds:?}");
    passes(env, &directory);
    greets_you(env, &directory, toolchain);
    directory
}

/// Puts a line into the function that greets, builds the project, and calls it in vain. Returns the
/// error.
fn crashes(env: &TestEnv, directory: &Path, source: &str, [before, line]: [&str; 2]) -> Run {
    let path = directory.join(source);
    let text = std::fs::read_to_string(&path).expect("its source");
    assert!(text.contains(before), "{text}");
    std::fs::write(path, text.replace(before, &format!("{line}{before}"))).expect("written");
    with_tools(env, directory, "extension build").ok();
    let name = directory.file_name().expect("a name").to_string_lossy().into_owned();
    with_tools(env, directory, &format!("extension install ./dist/{name}.wasm")).ok();
    let run = env.run(&format!("extension call {name} greet You"));
    assert_eq!(run.code, 7, "{run}");
    // Its runtime lists the directories at the start. That is not a request.
    assert!(!run.stderr.contains("filesystem"), "{run}");
    assert!(run.stderr.contains("the last lines of its stderr:"), "{run}");
    assert!(run.stderr.contains(&format!("hint: sesame extension logs {name}")), "{run}");
    run
}

/// Makes and tests a project that events wake: its cases deliver each of them.
fn wakes(env: &TestEnv, line: &str, name: &str) -> PathBuf {
    let events = "--event power.battery --event media.changed --event custom.build.done";
    begin(env, &format!("{line} {events}"), name)
}

/// A project in Rust is built, tested, installed and woken, with and without the SDK.
#[test]
#[ignore = "needs the toolchain of .ci/guest-toolchain, and crates.io"]
fn woken_rust_project_runs() {
    let env = env();
    let sdk = root().join("extension-sdk");
    wakes(&env, "plain", "plain");
    let directory = wakes(&env, &format!("with-sdk --sdk {}", sdk.display()), "with-sdk");
    // Their own tests run on this machine, which does not link the names of interfaces.
    for name in ["plain", "with-sdk"] {
        let mut tests = Command::new("cargo");
        add_tools(tests.arg("test").current_dir(env.path("work").join(name)));
        let output = tests.output().expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    with_tools(&env, &directory, "extension install ./dist/with-sdk.wasm --grant-requested").ok();
    let events = env.run("extension events with-sdk").ok().text();
    assert!(events.contains("power.battery  wakes it"), "{events}");
    // There is no desktop here, which only the handler finds out.
    let woken = env.run("extension trigger with-sdk power.battery percent=10");
    assert!(woken.code == 1 && woken.stderr.contains("unavailable"), "{woken}");
    env.run("extension revoke with-sdk events=power.battery").ok();
    assert_eq!(env.run("extension trigger with-sdk power.battery").code, 5);
}

/// A project in Rust is built, tested and called, with and without the SDK.
#[test]
#[ignore = "needs the toolchain of .ci/guest-toolchain, and crates.io"]
fn rust_project_builds_and_runs() {
    let env = env();
    const ROW: &str = "Rust, wit-bindgen and extension-sdk";
    let directory = greets_in_five_commands(&env, "plain", "plain", ROW);
    let sdk = root().join("extension-sdk");
    greets(&env, &format!("with-sdk --sdk {}", sdk.display()), "with-sdk", ROW);

    // A trial stays apart from installed extensions, and a compiler's errors keep their places.
    with_tools(&env, &directory, "extension install ./dist/plain.wasm").ok();
    env.write("work/plain/src/lib.rs", "fn f() {\n    no Rust\n}\n");
    let failed = calls(&env, &directory);
    assert!(failed.code == 1 && failed.stderr.contains("src/lib.rs:2:8"), "{failed}");
    assert_eq!(env.run("extension call plain greet You").ok().text(), "Hello, You!\n");
}

#[test]
#[ignore = "needs npm and its registry"]
fn js_and_ts_projects_build_and_run() {
    let env = env();
    const ROW: &str = "JavaScript, componentize-js";
    let directory = greets_in_five_commands(&env, "scripted --lang js", "scripted", ROW);
    npm(&directory, "check");
    let thrown = ["  const template", "  throw new Error(\"no such city\");\n"];
    let crash = crashes(&env, &directory, "src/index.js", thrown);
    assert!(crash.stderr.contains("no such city"), "{crash}");
    let directory = greets(&env, "typed --lang typescript", "typed", "TypeScript, componentize-js");
    npm(&directory, "check");
    npm(&wakes(&env, "woken --lang js", "woken"), "check");
    npm(&wakes(&env, "woken-typed --lang typescript", "woken-typed"), "check");
}

/// Runs a script of a project's `package.json`: types, lints and formatting.
fn npm(directory: &Path, script: &str) {
    let mut command = Command::new("npm");
    let output = command.args(["run", "--silent", script]).current_dir(directory).output();
    let output = output.expect("npm runs");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
#[ignore = "needs npm and its registry"]
fn as_projects_build_and_run() {
    let env = env();
    greets(&env, "small --lang assemblyscript", "small", "AssemblyScript");
    wakes(&env, "woken --lang assemblyscript", "woken");
    let directory = begin(&env, "labels --lang assemblyscript --kind workload", "labels");
    let done = with_tools(&env, &directory, "extension dev --once --quiet");
    assert!(done.text().ends_with("4 passed, 0 failed\n"), "{done}");
    assert_row("AssemblyScript", "core module for Suffiks", LABELS);
}

#[test]
#[ignore = "needs componentize-py, from .ci/languages"]
fn python_project_builds_and_runs() {
    let env = env();
    const ROW: &str = "Python, componentize-py";
    let directory = greets_in_five_commands(&env, "snake --lang python", "snake", ROW);
    // A second build replaces the bindings of the first.
    with_tools(&env, &directory, "extension build").ok();
    let raised = ["        template =", "        import missing_module\n"];
    let crash = crashes(&env, &directory, "app.py", raised);
    let said = "ModuleNotFoundError: No module named 'missing_module'";
    assert!(crash.stderr.contains(said) && crash.stderr.contains("app.py"), "{crash}");
    wakes(&env, "woken --lang python", "woken");
}

#[test]
#[ignore = "needs clang, wasi-libc and wit-bindgen, from .ci/languages"]
fn c_project_builds_and_runs() {
    let env = env();
    greets(&env, "spartan --lang c", "spartan", "C, WASI SDK and wit-bindgen");
    wakes(&env, "woken --lang c", "woken");
}

#[test]
#[ignore = "needs Go and wit-bindgen, from .ci/languages"]
fn go_projects_build_and_run() {
    let env = env();
    greets(&env, "gopher --lang go", "gopher", "Go, wit-bindgen");
    wakes(&env, "woken --lang go", "woken");
    begin(&env, "digger --lang go --kind workload", "digger");
    assert_row("Go, `GOOS=wasip1`", "core module for Suffiks", LABELS);
}

/// A Suffiks module in Rust passes the test files of the AssemblyScript template.
#[test]
fn rust_module_passes_shared_tests() {
    let env = env();
    env.run("extension new labels --lang assemblyscript --kind workload --quiet").ok();
    env.write("work/labels/labels-rs.wasm", guest("labels-rs"));
    let mut command = env.command(["wasi", "test", "labels-rs.wasm"]);
    command.current_dir(env.path("work/labels"));
    let tested = env.finish(command, b"");
    assert!(tested.code == 0 && tested.text().ends_with("4 passed, 0 failed\n"), "{tested}");
}

/// Every missing tool is named at once, with the exact command or address of its language's table.
/// Which of them depends on this machine's distribution.
#[test]
fn every_missing_tool_is_named() {
    let env = env();
    for (language, missing) in [
        ("rust", "`cargo` and `rustc for wasm32-wasip2` are missing"),
        ("javascript", "`npm` is missing"),
        ("typescript", "`npm` is missing"),
        ("python", "`componentize-py` is missing"),
        ("c", "`clang of the WASI SDK` and `wit-bindgen` are missing"),
        ("assemblyscript", "`npm` is missing"),
        ("go", "`go` and `wit-bindgen` are missing"),
        ("tinygo", "`tinygo` is missing"),
    ] {
        env.run(&format!("extension new in-{language} --lang {language} --quiet")).ok();
        let mut command = env.command(["extension", "build"]);
        command.current_dir(env.path("work").join(format!("in-{language}")));
        let run = env.finish(command_without_tools(command), b"");
        assert_eq!(run.code, 3, "{run}");
        assert!(run.stderr.starts_with(&format!("error: {missing}\n")), "{run}");
        assert!(run.stderr.contains("\nhint: install "), "{run}");
        for ways in ways_to_install(language) {
            assert!(ways.iter().any(|way| run.stderr.contains(way)), "{ways:?}: {run}");
        }
    }
    let refused = env.run("extension new w --lang python --kind workload");
    assert!(refused.code == 2 && refused.stderr.contains("Python does not make this"), "{refused}");
    assert!(!env.path("work/w").exists());
}

/// Returns the commands and addresses by which each tool of a language is installed.
fn ways_to_install(language: &str) -> Vec<Vec<String>> {
    let path = root().join(format!("sesame-cli/templates/{language}/language.toml"));
    let text = std::fs::read_to_string(path).expect(language);
    let table: toml::Table = text.parse().expect(language);
    let tools = table["tool"].as_array().expect("tools");
    let ways = |tool: &toml::Value| {
        let install = tool["install"].as_table().expect("ways to install");
        install.values().map(|way| way.as_str().expect("text").to_owned()).collect()
    };
    tools.iter().map(ways).collect()
}

fn command_without_tools(mut command: Command) -> Command {
    command.env("PATH", "/nowhere").env_remove("WASI_SDK_PATH");
    command
}

/// A project has a repository of its own, unless it is in one.
#[test]
fn new_begins_one_repository() {
    let env = env();
    let new = |line: &str| {
        let mut command = env.command(line.split_whitespace());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        env.finish(command, b"").ok()
    };
    new("extension new outer --quiet");
    assert!(env.path("work/outer/.git").is_dir());
    new("extension new inner --quiet --directory outer/inner");
    assert!(!env.path("work/outer/inner/.git").exists());
    // Without git, a project is as good.
    env.run("extension new plain --quiet").ok();
    assert!(!env.path("work/plain/.git").exists());
}

/// Runs sesame with the tools of every language. Returns the seconds that processors worked for it
/// and its children, whatever runs beside it.
fn machine_time(env: &TestEnv, directory: &str, line: &str) -> f64 {
    let mut command = Command::new("bash");
    command
        .args(["-c", "TIMEFORMAT='%U %S'; time \"$@\"", "time", env!("CARGO_BIN_EXE_sesame")])
        .args(line.split_whitespace())
        .env_clear()
        .env("HOME", env.home())
        .current_dir(env.path(directory));
    add_tools(&mut command);
    let run = env.finish(command, b"").ok();
    let times = run.stderr.lines().last().unwrap_or_default().split(' ');
    times.map(|seconds| seconds.parse::<f64>().expect("seconds")).sum()
}
