//! What other users and other programs see of a command at work: its arguments, its environment, its files.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use test_support::bad_registry::{BadRegistry, Guard};

use crate::support::{GREETING, TestEnv, env};

const CANARY: &str = "c4n4ry-pa55word";

/// The processes of a tree, as the system lists them.
fn tree(root: u32) -> Vec<PathBuf> {
    let children = std::fs::read_to_string(format!("/proc/{root}/task/{root}/children")).unwrap_or_default();
    let below = children.split_whitespace().filter_map(|pid| pid.parse().ok()).flat_map(tree);
    std::iter::once(PathBuf::from(format!("/proc/{root}"))).chain(below).collect()
}

#[test]
fn a_login_is_in_no_argument_or_environment_of_any_process() {
    let (env, registry) = (env(), BadRegistry::start(Some(Guard::Basic)).expect("a registry"));
    let login = ["registry", "login", &registry.host(), "--username", "me", "--store", "file", "--password-stdin"];
    env.run_with(login, format!("{CANARY}\n").as_bytes()).ok();
    let reference = format!("{}/bad/extension/stall:1.0.0", registry.host());
    let mut command = env.command(["extension", "install", &reference, "--name", "x"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
    let told = || registry.asked().iter().any(|request| request.headers.contains("bWU6YzRuNHJ5"));
    let (mut looked, mut rounds) = (0, 0);
    let started = Instant::now();
    // Until it has told the registry, and a while longer.
    while rounds < 50 && started.elapsed() < Duration::from_secs(25) {
        rounds += usize::from(told());
        for process in tree(child.id()) {
            for file in ["cmdline", "environ"] {
                let bytes = std::fs::read(process.join(file)).unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes);
                assert!(!text.contains(CANARY) && !text.contains("bWU6YzRuNHJ5"), "{} {file}", process.display());
                looked += usize::from(!bytes.is_empty());
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert!(looked > 100 && told(), "{looked} looks, and the registry was told: {}", told());
}

fn modes(env: &TestEnv, umask: &str) {
    const LINES: [&str; 14] = [
        "extension install ./g.wasm",
        "extension call g greet x",
        "extension grant g notification",
        "extension grant g notification --for 5m",
        "extension disable g",
        "extension enable g",
        "extension export g --output out.tar",
        "extension sync",
        "extension gc",
        "trust keygen key",
        "trust add key.pub --for ghcr.io/my-org",
        "registry login localhost:1 --username me --store file --password-stdin",
        "extension remove g",
        "extension import out.tar",
    ];
    for line in LINES {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &format!("umask {umask}; exec {} {line}", env!("CARGO_BIN_EXE_sesame"))]);
        command
            .env_clear()
            .env("HOME", env.home())
            .env("XDG_RUNTIME_DIR", env.path("run"))
            .current_dir(env.path("work"));
        let run = env.finish(command, b"secret\n");
        assert_eq!(run.code, 0, "{umask}: {line}: {run}");
    }
    let is_ours = |path: &Path| path.starts_with(env.path(".config")) || path.starts_with(env.path(".local"));
    for (path, _) in env.files().into_iter().filter(|(path, _)| is_ours(path) || path.starts_with(env.path(".cache"))) {
        let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600, "umask {umask}: {}", path.display());
        assert_eq!(mode(path.parent().expect("above")), 0o700, "umask {umask}: {}", path.display());
    }
    let key = std::fs::metadata(env.path("work/key.key")).expect("made").permissions().mode() & 0o777;
    assert_eq!(key, 0o600, "umask {umask}");
}

#[test]
fn whatever_a_command_writes_is_private() {
    for umask in ["000", "022", "077"] {
        let env = env();
        std::fs::create_dir(env.path("run")).expect("made");
        env.write("work/g.wasm", &*GREETING);
        modes(&env, umask);
    }
}
