//! Traces of a command that other users and programs can see: its arguments, its environment, its
//! files.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use test_support::bad_registry::{BadRegistry, Guard};

use crate::bad_registry::quick_behaviours;
use crate::support::{GREETING, TestEnv, env, send};

/// A password that stands out in any file or memory.
const CANARY: &str = "c4n4ry-pa55word";

/// Returns the processes of a tree, as the system lists them.
fn tree(root: u32) -> Vec<PathBuf> {
    let children =
        std::fs::read_to_string(format!("/proc/{root}/task/{root}/children")).unwrap_or_default();
    let below = children.split_whitespace().filter_map(|pid| pid.parse().ok()).flat_map(tree);
    std::iter::once(PathBuf::from(format!("/proc/{root}"))).chain(below).collect()
}

/// A login is neither in the arguments nor in the environment of any process.
#[test]
fn login_is_not_in_proc() {
    let (env, registry) = (env(), BadRegistry::start(Some(Guard::Basic)).expect("a registry"));
    // An unverified login, so that the registry hears of it only during the install.
    let line = format!(
        "registry login {} --username me --store file --password-stdin --no-verify",
        registry.host()
    );
    env.run_with(line.split(' '), format!("{CANARY}\n").as_bytes()).ok();
    let reference = format!("{}/bad/extension/stall:1.0.0", registry.host());
    let mut command = env.command(["extension", "install", &reference, "--name", "x"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
    let told = || registry.asked().iter().any(|request| request.headers.contains("bWU6YzRuNHJ5"));
    let (mut looked, mut rounds) = (0, 0);
    let started = Instant::now();
    // Until the registry has heard of it, and a while longer.
    while rounds < 50 && started.elapsed() < Duration::from_secs(25) {
        rounds += usize::from(told());
        for process in tree(child.id()) {
            for file in ["cmdline", "environ"] {
                let bytes = std::fs::read(process.join(file)).unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes);
                assert!(
                    !text.contains(CANARY) && !text.contains("bWU6YzRuNHJ5"),
                    "{} {file}",
                    process.display()
                );
                looked += usize::from(!bytes.is_empty());
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert!(looked > 100 && told(), "{looked} looks, and the registry was told: {}", told());
}

#[test]
fn abort_leaves_no_core_dump() {
    use std::os::unix::process::ExitStatusExt;
    let (env, registry) = (env(), BadRegistry::start(Some(Guard::Basic)).expect("a registry"));
    let reference = format!("{}/bad/extension/stall:1.0.0", registry.host());
    let script = format!(
        "ulimit -c unlimited; exec {} extension install {reference} --name x",
        env!("CARGO_BIN_EXE_sesame")
    );
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script]).env_clear().env("HOME", env.home()).current_dir(env.path("work"));
    command.env("SESAME_REGISTRY", registry.host()).env("SESAME_REGISTRY_USERNAME", "me");
    command.env("SESAME_REGISTRY_PASSWORD", CANARY);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
    let started = Instant::now();
    while !registry.asked().iter().any(|request| request.headers.contains("bWU6YzRuNHJ5")) {
        assert!(started.elapsed() < Duration::from_secs(25), "the registry was not told");
        std::thread::sleep(Duration::from_millis(5));
    }
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).expect("readable");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    let words: Vec<_> = core.split_whitespace().collect();
    assert!(words[4] == "0" && words[5] != "0", "no image, where there could be one: {core}");
    send(&child, rustix::process::Signal::ABORT);
    let status = child.wait().expect("ended");
    assert!(status.signal() == Some(6) && !status.core_dumped(), "{status}");
    assert_eq!(std::fs::read_dir(env.path("work")).expect("there").count(), 0);
}

/// Runs a script that sees the whole machine and does not change it: its writes appear below
/// `written`.
fn on_an_overlay(env: &TestEnv, script: &str) -> (test_support::Run, Vec<(PathBuf, Vec<u8>)>) {
    let (layer, written) = (env.path("layer"), env.path("layer/written"));
    std::fs::create_dir(&layer).expect("made");
    std::fs::write(env.path("script"), script).expect("written");
    let mount = "mount -t tmpfs t $1 && cd $1 && mkdir upper below all && mount -t overlay o -o lowerdir=/,upperdir=upper,workdir=below all \
         && mount --rbind /proc all/proc && mount --rbind /dev all/dev && chroot all env -C $HOME/work sh $HOME/script; code=$?; \
         cd upper && tar cf - . > $1.tar; exit $code";
    let mut command = std::process::Command::new("unshare");
    command.args(["-m", "sh", "-c", mount, "sh"]).arg(&layer).env_clear().env("HOME", env.home());
    command
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
        .env("sesame", env!("CARGO_BIN_EXE_sesame"));
    let run = env.finish(command, b"");
    std::fs::create_dir(&written).expect("made");
    let unpacked = std::process::Command::new("tar")
        .arg("xf")
        .arg(env.path("layer.tar"))
        .arg("-C")
        .arg(&written)
        .status();
    assert!(unpacked.expect("tar runs").success());
    let files = env.files().into_iter().filter_map(|(path, bytes)| {
        Some((Path::new("/").join(path.strip_prefix(&written).ok()?), bytes))
    });
    (run, files.collect())
}

/// Only sesame's own files are written, and none of them has a secret in it.
#[test]
#[ignore = "needs root, and /tmp and the build on the root file system, to see everything that is written"]
#[expect(clippy::print_stdout, reason = "counted by cargo xtask security-tests")]
fn secrets_are_in_no_file() {
    let (env, registry) = (env(), BadRegistry::start(Some(Guard::Basic)).expect("a registry"));
    env.write("work/desktop.wasm", test_support::guest("desktop"));
    let behaviours = quick_behaviours();
    let script = format!(
        "export SESAME_REGISTRY={host} SESAME_REGISTRY_USERNAME=me SESAME_REGISTRY_PASSWORD={CANARY} SESAME_KEY_PASSWORD={CANARY} \
             HTTPS_PROXY=http://me:{CANARY}@127.0.0.1:1 TOKEN={CANARY}
         $sesame extension install ./desktop.wasm --grant secret-read=token --grant secret-write=token --grant notification \
             --grant clipboard-write --grant ipc-publish=greeting.* --grant env=TOKEN --quiet || exit 99
         $sesame extension call desktop variables >/dev/null || exit 99
         $sesame extension call desktop write-secret token {CANARY}
         $sesame trust keygen key || exit 99
         $sesame doctor
         $sesame config list
         for behaviour in {behaviours}; do
             $sesame -v extension install {host}/bad/extension/$behaviour:1.0.0 --name $behaviour
             $sesame -v extension docs $behaviour
         done
         $sesame extension install {host}/bad/extension/ok:1.0.0 --name x && $sesame extension verify && $sesame extension activity",
        host = registry.host(),
        behaviours = behaviours.join(" "),
    );
    let (run, files) = on_an_overlay(&env, &script);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.text().contains("installed x")
            && !format!("{}{}", run.text(), run.stderr).contains(CANARY),
        "{run}"
    );
    let own = [".config/pds", ".local/state/pds", ".cache/pds", "work/key.key", "work/key.pub"]
        .map(|place| env.path(place));
    assert!(files.len() > 10, "{files:?}");
    for (path, bytes) in &files {
        assert!(own.iter().any(|own| path.starts_with(own)), "{} was written", path.display());
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains(CANARY) && !text.contains("bWU6YzRuNHJ5"), "{}", path.display());
    }
    println!("cases: {}", behaviours.len() * 2 + 8);
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
        "registry login localhost:1 --username me --store file --password-stdin --no-verify",
        "extension remove g",
        "extension import out.tar",
    ];
    for line in LINES {
        let mut command = std::process::Command::new("sh");
        command
            .args(["-c", &format!("umask {umask}; exec {} {line}", env!("CARGO_BIN_EXE_sesame"))]);
        command
            .env_clear()
            .env("HOME", env.home())
            .env("XDG_RUNTIME_DIR", env.path("run"))
            .current_dir(env.path("work"));
        let run = env.finish(command, b"secret\n");
        assert_eq!(run.code, 0, "{umask}: {line}: {run}");
    }
    let is_ours =
        |path: &Path| path.starts_with(env.path(".config")) || path.starts_with(env.path(".local"));
    for (path, _) in env
        .files()
        .into_iter()
        .filter(|(path, _)| is_ours(path) || path.starts_with(env.path(".cache")))
    {
        let mode =
            |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600, "umask {umask}: {}", path.display());
        assert_eq!(mode(path.parent().expect("above")), 0o700, "umask {umask}: {}", path.display());
    }
    let key =
        std::fs::metadata(env.path("work/key.key")).expect("made").permissions().mode() & 0o777;
    assert_eq!(key, 0o600, "umask {umask}");
}

#[test]
fn written_files_are_private() {
    for umask in ["000", "022", "077"] {
        let env = env();
        env.make_runtime_directory();
        env.write("work/g.wasm", &*GREETING);
        modes(&env, umask);
    }
}
