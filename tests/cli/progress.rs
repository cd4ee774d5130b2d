//! Progress: a line for each extension on a terminal, and nothing elsewhere.

use std::time::Duration;

use extension_depot::serve::MemoryRegistry;

use crate::on_a_terminal::on_terminal_with;
use crate::support::{Run, TestEnv, bare, env, publish};

/// Longer than a wait that is not mentioned.
const SLOW: Duration = Duration::from_millis(400);

/// A registry that takes its time for every answer, with these extensions.
fn slow_registry(names: &[&str]) -> MemoryRegistry {
    let registry = MemoryRegistry::start_with(|_| {
        std::thread::sleep(SLOW);
        None
    });
    let registry = registry.expect("a registry");
    for (number, name) in (1..).zip(names) {
        publish(&registry, &format!("my-org/{name}:1.0.0"), &bare(number, ""), &[]);
    }
    registry
}

fn on_terminal(env: &TestEnv, line: &str) -> Run {
    on_terminal_with(env, &line.split(' ').collect::<Vec<_>>(), b"").ok()
}

/// The line of an extension has its name, the step, bytes, rate and time.
#[test]
fn install_shows_each_step() {
    let (env, registry) = (env(), slow_registry(&["weather"]));
    let reference = format!("{}/my-org/weather:1.0.0", registry.host());
    let text = on_terminal(&env, &format!("extension install {reference}")).text();
    for shown in [&format!("resolving {reference}"), "weather  downloading 0 B/", " left", "/s"] {
        assert!(text.contains(shown), "{shown}: {text:?}");
    }
    assert!(text.contains("compiling"), "{text:?}");
    let last = text.lines().last().unwrap_or_default();
    assert!(last.contains("installed weather 1.0.0"), "the lines are gone: {text:?}");
}

/// Extensions that are fetched at once have a line each.
#[test]
fn sync_shows_extensions_at_once() {
    let names = ["weather", "daily-note"];
    let (env, registry) = (env(), slow_registry(&names));
    for name in names {
        let manifest = format!("[extension]\noci = \"{}/my-org/{name}:1.0.0\"\n", registry.host());
        env.write(&format!(".config/pds/extensions/{name}.toml"), manifest);
    }
    let text = on_terminal(&env, "extension sync").text();
    for name in names {
        assert!(text.contains(&format!("{name}  downloading 0 B/")), "{name}: {text:?}");
    }
    assert!(text.contains("\u{1b}[1A"), "two lines at once: {text:?}");
    publish(&registry, "my-org/weather:1.1.0", &bare(7, ""), &[]);
    let text = on_terminal(&env, "extension update --all").text();
    assert!(text.contains("weather  downloading") && text.contains("daily-note  "), "{text:?}");
}

/// A pipe has no progress, and neither have `--quiet` and `--json` on a terminal.
#[test]
fn nobody_watching_sees_no_progress() {
    let (env, registry) = (env(), slow_registry(&["weather"]));
    let reference = format!("{}/my-org/weather:1.0.0", registry.host());
    let install = format!("extension install {reference}");
    let piped = env.run(&install).ok();
    env.run("extension remove weather --purge").ok();
    let quiet = on_terminal(&env, &format!("--quiet {install}"));
    env.run("extension remove weather --purge").ok();
    let json = on_terminal(&env, &format!("--json {install}"));
    for run in [piped, quiet, json] {
        let text = format!("{}{}", run.text(), run.stderr);
        for shown in ["resolving", "downloading", "compiling", "\u{1b}"] {
            assert!(!text.contains(shown), "{shown}: {text:?}");
        }
    }
}
