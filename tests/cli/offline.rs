//! `--offline`, and commands that never use the network.

use std::process::Command;

use crate::support::{GREETING, TestEnv, env, publish, registry};

/// Makes an environment with one thing of each kind, and the registry that it came from.
fn furnished() -> (TestEnv, extension_depot::serve::MemoryRegistry) {
    let (env, registry) = (env(), registry());
    env.run(&format!(
        "extension install {}/my-org/greeting-extension:0.1.0 --name greeting",
        registry.host()
    ))
    .ok();
    env.run("--offline extension export greeting -o bundle.tar").ok();
    env.write("work/file.wasm", &*GREETING);
    (env, registry)
}

/// The commands that work without a network, each run in a fresh copy of the environment.
const NEED_NONE: [&str; 16] = [
    "extension list",
    "extension call greeting greet World",
    "extension info greeting",
    "extension inspect greeting",
    "extension history greeting",
    "extension activity",
    "extension verify",
    "extension disable greeting",
    "extension enable greeting",
    "extension grant greeting notification",
    "extension sync",
    "extension gc",
    "extension install ./file.wasm --name other",
    "extension remove other",
    "config show",
    "registry list",
];

/// Offline, sesame opens sockets only to services of this machine.
#[test]
#[ignore = "needs strace"]
fn offline_opens_no_remote_socket() {
    let (env, registry) = furnished();
    let host = registry.host();
    let refused = [
        format!("extension install {host}/my-org/x:1"),
        "extension update --all".to_owned(),
        "extension outdated".to_owned(),
        format!("registry tags {host}/my-org/x"),
        format!("extension sync {host}/my-org/set:stable"),
        format!("extension inspect {host}/my-org/x:1"),
        "extension export greeting -o x.tar".to_owned(),
        "extension import bundle.tar".to_owned(),
        "doctor".to_owned(),
    ];
    let asked = registry.seen().len();
    for line in NEED_NONE.iter().map(|line| (*line).to_owned()).chain(refused) {
        let trace = env.path("trace");
        let mut command = Command::new("strace");
        command
            .args(["-f", "-qq", "-e", "trace=socket", "-e", "signal=none", "-o"])
            .arg(&trace)
            .arg(env!("CARGO_BIN_EXE_sesame"));
        command
            .args(line.split(' '))
            .env_clear()
            .env("HOME", env.home())
            .env("SESAME_OFFLINE", "1");
        command.current_dir(env.path("work"));
        let run = env.finish(command, b"");
        assert!(matches!(run.code, 0 | 8), "{line}: {run}");
        let sockets = std::fs::read_to_string(trace).expect("traced");
        // A call that another thread interrupts has a second line, which does not begin with its name.
        let mut opened = sockets.lines().filter(|line| line.contains("socket("));
        assert!(opened.all(|line| line.contains("AF_UNIX")), "{line}: {sockets}");
    }
    assert_eq!(registry.seen().len(), asked, "nobody was asked");
}

/// Without a network, local commands work and the others fail at once.
#[test]
#[ignore = "needs unshare and network namespaces"]
fn no_network_fails_fast() {
    let (env, registry) = furnished();
    let alone = |line: &str| {
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--net", env!("CARGO_BIN_EXE_sesame")])
            .args(line.split(' '));
        command.env_clear().env("HOME", env.home()).current_dir(env.path("work"));
        env.finish(command, b"")
    };
    for line in NEED_NONE {
        alone(line).ok();
    }
    let begun = std::time::Instant::now();
    for line in [
        format!("extension install {}/my-org/x:1", registry.host()),
        "extension update --all".to_owned(),
    ] {
        let run = alone(&line);
        assert_eq!(run.code, 8, "{line}: {run}");
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(30));
}

/// An installed extension works, whatever becomes of its registry.
#[test]
fn lost_registry_breaks_no_call() {
    let (env, registry) = furnished();
    publish(&registry, "my-org/greeting-extension:0.2.0", &GREETING, &[]);
    drop(registry);
    for line in NEED_NONE {
        env.run(line).ok();
    }
    assert_eq!(env.run("extension update greeting").code, 8);
}
