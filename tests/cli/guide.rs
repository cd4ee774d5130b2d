//! The guide for authors, executed from top to bottom in one home directory.

use std::fs;
use std::path::Path;
use std::process::Command;

use extension_depot::serve::MemoryRegistry;

use crate::languages::add_tools;
use crate::support::env;

const GUIDE: &str = "../docs/writing-extensions.md";

/// The lines of each block of commands: those without the name of a language.
fn commands(guide: &str) -> Vec<&str> {
    let blocks = guide.split("\n```").skip(1).step_by(2);
    let commands = blocks.filter_map(|block| block.strip_prefix('\n'));
    commands.flat_map(str::lines).collect()
}

/// Writes the script of the guide. A person leaves `dev` running and calls the trial from another
/// terminal; the script ends it at the first line about something else.
fn script(lines: &[&str]) -> String {
    let mut script = "set -ex\n".to_owned();
    let mut is_running = false;
    for line in lines {
        if line.starts_with("sesame extension dev ") {
            let wait = "until grep -q 'waiting for a change' ../dev.log; do sleep 0.1; done";
            script += &format!("{line} >../dev.log 2>&1 & dev=$!\n{wait}\n");
            is_running = true;
            continue;
        }
        if is_running && !line.contains("-dev ") {
            script += "kill -INT $dev; wait $dev || true\n";
            is_running = false;
        }
        script += line;
        script.push('\n');
    }
    script
}

#[test]
#[ignore = "needs the toolchain of .ci/guest-toolchain, and crates.io"]
fn authors_guide_runs_through() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join(GUIDE);
    let guide = fs::read_to_string(guide).expect("the guide");
    let lines = commands(&guide);
    assert!(lines.len() > 15, "the commands are found: {lines:?}");
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    let script = script(&lines).replace("ghcr.io", &registry.host().to_string());
    let mut command = Command::new("bash");
    command.args(["-c", &script]).env_clear().env("HOME", env.home());
    add_tools(command.current_dir(env.path("work")));
    let of_tools = command.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, path)| path);
    let of_tools = of_tools.expect("a path").to_string_lossy().into_owned();
    let sesame = Path::new(env!("CARGO_BIN_EXE_sesame")).parent().expect("a directory");
    command.env("PATH", format!("{}:{of_tools}", sesame.display()));
    let run = env.finish(command, b"");
    assert_eq!(run.code, 0, "{run}");
    let greeted = run.text().lines().filter(|line| *line == "Hello, World!").count();
    assert_eq!(greeted, 2, "the file and the artifact are called: {run}");
    assert!(run.text().contains("Ahoy,Ada!\n"), "{run}");
}

#[test]
fn blocks_of_commands_are_found() {
    let guide = "a\n\n```\none\ntwo\n```\n\n```toml\nx = 1\n```\nb `c`\n\n```\nthree\n```\n";
    assert_eq!(commands(guide), ["one", "two", "three"]);
    let script = script(&["sesame extension dev f", "sesame call x-dev f", "ls"]);
    let lines: Vec<_> = script.lines().collect();
    assert_eq!(lines[3..], ["sesame call x-dev f", "kill -INT $dev; wait $dev || true", "ls"]);
}
