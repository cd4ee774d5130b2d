//! Long sequences of commands against a model of the installed extensions, some of them cut short;
//! none of them leaves files behind.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use extension_depot::serve::MemoryRegistry;

use crate::support::{TestEnv, env, publish, small};

const NAMES: [&str; 3] = ["a", "b", "c"];

/// The state of each name: its version, and whether it can be called.
type Model = BTreeMap<&'static str, (u8, bool)>;

#[derive(Debug, Clone, Copy)]
enum Step {
    Install(u8),
    Update,
    Remove,
    Disable,
    Enable,
    Verify,
    Collect,
}

const STEPS: [Step; 8] = [
    Step::Install(1),
    Step::Install(2),
    Step::Update,
    Step::Remove,
    Step::Disable,
    Step::Enable,
    Step::Verify,
    Step::Collect,
];

/// A generator of numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }
}

fn line(registry: &MemoryRegistry, name: &str, step: Step) -> String {
    match step {
        Step::Install(version) => {
            format!(
                "extension install {}/my-org/{name}:{version}.0.0 --allow-downgrade --quiet",
                registry.host()
            )
        }
        Step::Update => format!("extension update {name} --quiet"),
        Step::Remove => format!("extension remove {name} --purge --quiet"),
        Step::Disable => format!("extension disable {name} --quiet"),
        Step::Enable => format!("extension enable {name} --quiet"),
        Step::Verify => "extension verify".to_owned(),
        Step::Collect => "extension gc --keep 1 --quiet".to_owned(),
    }
}

/// Applies a step to the model, and returns the expected exit code.
fn step(model: &mut Model, name: &'static str, step: Step) -> i32 {
    const NOT_FOUND: i32 = 3;
    let entry = model.get_mut(name);
    match (step, entry) {
        (Step::Install(version), Some(entry)) => entry.0 = version,
        (Step::Install(version), None) => {
            model.insert(name, (version, true));
        }
        (Step::Update, Some(entry)) => entry.0 = 2,
        (Step::Disable, Some(entry)) => entry.1 = false,
        (Step::Enable, Some(entry)) => entry.1 = true,
        (Step::Remove, Some(_)) => {
            model.remove(name);
        }
        (Step::Verify | Step::Collect, _) => {}
        (Step::Update | Step::Disable | Step::Enable | Step::Remove, None) => return NOT_FOUND,
    }
    0
}

/// Returns the state as a user finds it.
fn seen(env: &TestEnv) -> Model {
    let listed = env.run("extension list").ok().text();
    let call = |name: &&'static str| {
        let run = env.run(&format!("extension call {name} f"));
        let row =
            listed.lines().find(|line| line.split_whitespace().next() == Some(name))?.to_owned();
        let version =
            row.split_whitespace().find_map(|word| word.strip_suffix(".0.0")?.parse().ok())?;
        assert!(run.code != 0 || run.text() == format!("{version}\n"), "{row}: {run}");
        Some((*name, (version, run.code == 0)))
    };
    NAMES.iter().filter_map(call).collect()
}

fn registry() -> MemoryRegistry {
    let registry = MemoryRegistry::start().expect("a registry");
    for name in NAMES {
        for version in [1, 2] {
            publish(&registry, &format!("my-org/{name}:{version}.0.0"), &small(version), &[]);
        }
    }
    registry
}

/// Each sequence of commands leaves the state that a model predicts.
#[test]
#[expect(clippy::print_stdout, reason = "counted by cargo xtask security-tests")]
fn sequences_match_the_model() {
    let registry = registry();
    let sequences = if std::env::var_os("SESAME_SWEEP").is_some() { 1_000 } else { 10 };
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let seeds = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
                seeds
                    .take_while(|seed| *seed < sequences)
                    .for_each(|seed| sequence(&registry, seed));
            });
        }
    });
    println!("cases: {}", sequences * LENGTH);
}

/// The number of steps in a sequence: enough for each step to meet each other one.
const LENGTH: u64 = 20;

fn sequence(registry: &MemoryRegistry, seed: u64) {
    let (env, mut dice, mut model) = (env(), Dice(seed), Model::new());
    let mut done = Vec::new();
    for _ in 0..LENGTH {
        let (name, next) = (NAMES[dice.roll(NAMES.len())], STEPS[dice.roll(STEPS.len())]);
        let line = line(registry, name, next);
        let expected = step(&mut model, name, next);
        let run = env.run(&line);
        done.push(line);
        assert_eq!(run.code, expected, "{run}\n{}", done.join("\n"));
        assert_eq!(seen(&env), model, "{}", done.join("\n"));
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "counted by cargo xtask security-tests")]
fn killed_step_is_done_or_undone() {
    let registry = registry();
    let (env, mut dice, mut model) = (env(), Dice(42), Model::new());
    for _ in 0..80 {
        let (name, next) = (NAMES[dice.roll(NAMES.len())], STEPS[dice.roll(STEPS.len())]);
        let before = model.clone();
        step(&mut model, name, next);
        let mut command = env.command(line(&registry, name, next).split_whitespace());
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        std::thread::sleep(Duration::from_millis(dice.roll(40) as u64));
        child.kill().expect("killed");
        child.wait().expect("ended");
        let found = seen(&env);
        assert!(
            found == model || found == before,
            "{name} {next:?}: {found:?}, and not {before:?} or {model:?}"
        );
        env.run("extension verify").ok();
        model = found;
    }
    println!("cases: 80");
}

#[test]
fn hundred_rounds_leave_nothing_behind() {
    let (env, registry) = (env(), registry());
    let round = || {
        env.run(&line(&registry, "a", Step::Install(1))).ok();
        env.run("extension call a f").ok();
        env.run(&line(&registry, "a", Step::Remove)).ok();
        env.run("extension gc --keep 1 --quiet").ok();
    };
    // The activity log grows by a line each time, up to its bound.
    let grown = || {
        let files = env
            .files()
            .into_iter()
            .filter(|(path, _)| !path.to_string_lossy().contains("activity"));
        files.fold((0, 0), |(count, size), (_, bytes)| (count + 1, size + bytes.len()))
    };
    round();
    let once = grown();
    for _ in 0..99 {
        round();
    }
    let often = grown();
    assert!(
        often.0 <= once.0 && often.1 <= once.1 + 256,
        "{once:?} files and bytes after one, {often:?} after a hundred"
    );
}
