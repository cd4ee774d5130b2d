//! Surroundings that lack something: a home, room, rights to open files, a correct clock.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::Command;

use test_support::Run;

use crate::support::{GREETING, TestEnv, env};

/// The commands of a first day.
const DAY: [&str; 7] = [
    "extension install ./greeting.wasm --name g --quiet",
    "extension list",
    "extension call g greet World",
    "--json extension info g",
    "doctor",
    "extension disable g --quiet",
    "extension remove g --quiet",
];

/// Surroundings: variables that are set, or removed where there is no value.
type Variables = Vec<(&'static str, Option<OsString>)>;

fn with_guest() -> TestEnv {
    let env = env();
    env.write("work/greeting.wasm", &*GREETING);
    env
}

/// Runs all of them. No command panics, is killed or leaves a file in the working directory, and
/// each failure says why.
fn live_through(name: &str, env: &TestEnv, start: impl Fn(&str) -> Command) -> Vec<Run> {
    let runs = DAY.iter().map(|line| {
        let run = env.finish(start(line), b"");
        let is_orderly = [0, 2, 3, 5, 9].contains(&run.code) && !run.stderr.contains("panicked");
        assert!(is_orderly, "{name}: {line}: {run}");
        // With `--json` the error is the object on standard output.
        let said = if line.contains("--json") {
            run.text().contains("\"error\":")
        } else {
            run.stderr.contains("error")
        };
        assert!(run.code == 0 || said || *line == "doctor", "{name}: {line}: {run}");
        let left: Vec<_> = std::fs::read_dir(env.path("work")).expect("there").flatten().collect();
        assert_eq!(left.len(), 1, "{name}: {line}: {left:?}");
        run
    });
    runs.collect()
}

fn with_variables(name: &str, variables: &Variables) -> Vec<Run> {
    let env = with_guest();
    live_through(name, &env, |line| {
        let mut command = env.command(line.split_whitespace());
        for (variable, value) in variables {
            match value {
                Some(value) => command.env(variable, value),
                None => command.env_remove(variable),
            };
        }
        command
    })
}

fn all_work(runs: &[Run]) -> bool {
    runs.iter().all(|run| run.code == 0) && runs[2].text() == "Hello, World!\n"
}

/// Makes a directory of any name.
fn home(root: &TestEnv, name: impl AsRef<OsStr>) -> OsString {
    let path = root.home().join(name.as_ref());
    std::fs::create_dir_all(&path).expect("made");
    path.into_os_string()
}

/// A home with an odd path works; one that is not a directory is named.
#[test]
fn odd_home_works_and_bad_is_named() {
    let root = env();
    let long = (0..14).map(|_| "x".repeat(250)).collect::<PathBuf>();
    for name in [
        OsStr::new("a b"),
        OsStr::new("a\nb"),
        OsStr::new("'\"$(id)"),
        OsStr::new("é"),
        long.as_os_str(),
    ] {
        let runs = with_variables("strange", &vec![("HOME", Some(home(&root, name)))]);
        assert!(all_work(&runs), "{name:?}: {}", runs[2]);
    }
    let not_text = home(&root, OsStr::from_bytes(b"\xff"));
    let far_too_long = OsString::from(format!("/{}", "x/".repeat(2_500)));
    for value in [
        not_text,
        far_too_long,
        "relative".into(),
        "/dev/null".into(),
        "/proc/nowhere".into(),
        "".into(),
    ] {
        let variables: Variables = vec![("HOME", Some(value.clone()))];
        let runs = with_variables("no home", &variables);
        assert_eq!(runs[0].code, 9, "{value:?}: {}", runs[0]);
    }
}

#[test]
fn nonsense_variables_are_ignored() {
    let bytes = || Some(OsStr::from_bytes(b"\xff\xfe=\n").to_owned());
    let named = [
        "LANG",
        "LC_ALL",
        "TERM",
        "PATH",
        "PAGER",
        "EDITOR",
        "NO_COLOR",
        "COLUMNS",
        "XDG_RUNTIME_DIR",
        "TMPDIR",
    ];
    for name in named {
        for value in
            [bytes(), Some("relative/path".into()), Some("".into()), Some("-1".into()), None]
        {
            assert!(
                all_work(&with_variables(name, &vec![(name, value.clone())])),
                "{name} {value:?}"
            );
        }
    }
    for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"] {
        for value in ["relative", "", "./x", "../x"] {
            assert!(
                all_work(&with_variables(name, &vec![(name, Some(value.into()))])),
                "{name} {value:?}"
            );
        }
        with_variables(name, &vec![(name, bytes())]);
        with_variables(name, &vec![(name, Some("/dev/full".into()))]);
    }
    let own = [
        "SESAME_OFFLINE",
        "SESAME_SAFE_MODE",
        "SESAME_CA_FILE",
        "SESAME_REGISTRY",
        "SOURCE_DATE_EPOCH",
    ];
    for name in own {
        with_variables(name, &vec![(name, bytes())]);
    }
}

/// Runs the same under limits of the shell.
fn with_limits(limits: &str) -> Vec<Run> {
    let env = with_guest();
    live_through(limits, &env, |line| {
        let mut command = Command::new("bash");
        let script = format!("ulimit {limits} && exec {} {line}", env!("CARGO_BIN_EXE_sesame"));
        command
            .args(["-c", &script])
            .env_clear()
            .env("HOME", env.home())
            .current_dir(env.path("work"));
        command
    })
}

#[test]
fn tiny_limits_work_or_are_named() {
    for limits in
        ["-n 32", "-n 12", "-n 8", "-n 5", "-f 0", "-f 1", "-f 64", "-c 0 -s 512", "-m 1000"]
    {
        with_limits(limits);
    }
    assert!(all_work(&with_limits("-n 64")));
}

/// A clock that steps back during a call does not extend its time limit.
#[test]
#[ignore = "needs faketime, which .ci/run installs"]
fn clock_step_lengthens_no_limit() {
    let env = with_guest();
    env.write("work/hostile.wasm", &*crate::support::HOSTILE);
    env.run("extension install ./hostile.wasm").ok();
    let manifest = crate::support::manifest("hostile");
    env.write(&manifest, env.read(&manifest) + "\n[limits]\ntimeout_ms = 1500\n");
    env.run("extension call hostile sleep 1").ok();
    let clock = env.write("clock", "2030-01-01 00:00:00");
    let mut command = Command::new("faketime");
    // The variable of faketime wins over its file, and only the file can change.
    command.args([
        "-m",
        "2030-01-01 00:00:00",
        "sh",
        "-c",
        "unset FAKETIME; exec \"$@\"",
        "sh",
        env!("CARGO_BIN_EXE_sesame"),
    ]);
    command.args(["extension", "call", "hostile", "sleep", "60000"]).env_clear();
    command
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", env.home())
        .env("TZ", "UTC")
        .current_dir(env.path("work"));
    // Only the wall clock is faked, and read anew each time.
    command
        .env("DONT_FAKE_MONOTONIC", "1")
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_TIMESTAMP_FILE", &clock);
    let started = std::time::Instant::now();
    let run = std::thread::scope(|scope| {
        let running = scope.spawn(|| env.finish(command, b""));
        std::thread::sleep(std::time::Duration::from_millis(700));
        std::fs::write(&clock, "1999-01-01 00:00:00").expect("written");
        running.join().expect("no panic")
    });
    assert!(run.code == 7 && run.stderr.contains("1,500 ms"), "{run}");
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    let log = env.run("extension activity hostile").ok().text();
    let calls = log.lines().filter(|line| line.ends_with("\tcall"));
    assert_eq!((calls.count(), log.lines().count()), (2, 3), "{log}");
    assert!(log.contains("1999-01-01T00:00:0"), "it was there when the clock stepped back: {log}");
    env.run("extension activity verify").ok();
}

#[test]
fn file_times_do_not_matter() {
    let env = with_guest();
    env.run(DAY[0]).ok();
    for time in
        ["1901-12-14 00:00:00", "1970-01-01 00:00:00", "2106-02-07 06:28:16", "2400-01-01 00:00:00"]
    {
        let touch = Command::new("find")
            .arg(env.home())
            .args(["-exec", "touch", "-h", "-d", time, "{}", "+"])
            .status();
        assert!(touch.expect("find runs").success(), "{time}");
        assert_eq!(
            env.run("extension call g greet World").ok().text(),
            "Hello, World!\n",
            "{time}"
        );
        for line in [
            "extension list",
            "extension verify",
            "extension activity",
            "extension gc",
            "doctor --offline",
        ] {
            let run = env.run(line);
            assert_eq!(run.code, 0, "{time}: {line}: {run}");
        }
    }
}

#[test]
#[ignore = "needs faketime, which .ci/run installs"]
fn wrong_clock_changes_no_answer() {
    for time in ["1970-01-01 00:00:01", "2106-02-07 06:28:16", "2038-01-19 03:14:08"] {
        let env = with_guest();
        let runs = live_through(time, &env, |line| {
            let mut command = Command::new("faketime");
            command.args([time, env!("CARGO_BIN_EXE_sesame")]).args(line.split_whitespace());
            command
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("TZ", "UTC")
                .env("HOME", env.home());
            command.current_dir(env.path("work"));
            command
        });
        assert!(all_work(&runs), "{time}: {}", runs[2]);
    }
}
