//! Environments, guests and servers that these tests share.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use core_types::Digest;
use extension_depot::registry::{Registry, Settings};
use extension_depot::serve::MemoryRegistry;
use extension_depot::{Description, Publication};
use rustix::process::{Pid, Signal, kill_process};
use test_support::{Guest, component, guest};
pub use test_support::{Run, TestEnv, asking};

pub static GREETING: Guest = Guest::new("greeting");
pub static ECHO: Guest = Guest::new("echo");
pub static HOSTILE: Guest = Guest::new("hostile");

pub fn env() -> TestEnv {
    TestEnv::new(env!("CARGO_BIN_EXE_sesame"))
}

/// Copies an environment without its compiled code, which is for the very file that was written.
pub fn copy_of(from: &TestEnv) -> TestEnv {
    let to = env();
    let copied = Command::new("cp").arg("-a").arg(from.path(".")).arg(to.home()).status();
    assert!(copied.expect("cp runs").success());
    let cache = to.path(".cache");
    if cache.exists() {
        std::fs::remove_dir_all(cache).expect("removed");
    }
    to
}

/// Starts a registry with the greeting extension in it.
pub fn registry() -> MemoryRegistry {
    let registry = MemoryRegistry::start().expect("a registry");
    publish(&registry, "my-org/greeting-extension:0.1.0", &GREETING, &[]);
    registry
}

/// Publishes a binary as its author would.
pub fn publish(
    registry: &MemoryRegistry,
    to: &str,
    binary: &[u8],
    annotations: &[(&str, &str)],
) -> Digest {
    let reference = format!("{}/{to}", registry.host()).parse().expect("a reference");
    let annotations =
        annotations.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let description = Description {
        title: "x.wasm".to_owned(),
        annotations: annotations.collect(),
        ..Description::default()
    };
    let publication = Publication::cncf(binary.to_vec(), &description).expect("described");
    let digest = publication.digest();
    let client = Registry::new(Settings::default());
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(client.publish(&reference, publication, true)).expect("pushed");
    digest
}

/// Sends a signal to a process of the test.
pub fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("sent");
}

/// Makes a component of a few bytes, whose function `f` returns its version. Nearly all of its cost
/// is sesame's own.
pub fn small(version: u8) -> Vec<u8> {
    bare(version, "[capabilities]\nnotification = true\n")
}

/// Makes the same component with requests of an author.
pub fn bare(version: u8, manifest: &str) -> Vec<u8> {
    asking(&component(version), manifest)
}

/// Makes an environment in which a guest is installed from a file under its name.
pub fn with_guest(name: &str, binary: &[u8]) -> TestEnv {
    let env = env();
    env.write(&format!("work/{name}.wasm"), binary);
    env.run(&format!("extension install ./{name}.wasm")).ok();
    env
}

/// Gives each answer to a command on a terminal after its question, since text that is typed before
/// a question is discarded.
pub fn answering(env: &TestEnv, command: Command, question: &str, answers: &[&str]) -> Run {
    let dialogue: Vec<_> = answers.iter().map(|answer| (question, *answer)).collect();
    answering_each(env, command, &dialogue)
}

/// Runs a program that asks these questions, and answers each when it stands on the screen.
pub fn answering_each(env: &TestEnv, mut command: Command, dialogue: &[(&str, &str)]) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let (mut keys, mut screen) =
        (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
    let mut seen = Vec::new();
    for (question, answer) in dialogue {
        let (from, mut byte) = (seen.len(), [0]);
        while !String::from_utf8_lossy(&seen[from..]).contains(question)
            && screen.read(&mut byte).is_ok_and(|n| n > 0)
        {
            seen.push(byte[0]);
        }
        let screen = String::from_utf8_lossy(&seen[from..]);
        assert!(screen.contains(question), "{question} is never asked: {screen}");
        keys.write_all(answer.as_bytes()).expect("it is read");
    }
    drop(keys);
    screen.read_to_end(&mut seen).expect("readable");
    let output = child.wait_with_output().expect("it ends");
    env.seen(Output { stdout: seen, ..output })
}

/// Grants for each import of the guest `desktop`, each as narrow as it can be.
pub const DESKTOP_GRANTS: &str = "--grant secret-read=token --grant secret-write=token --grant notification --grant clipboard-write \
     --grant ipc-publish=greeting.*";

/// Makes an environment in which the guest with every capability is installed.
pub fn desktop() -> TestEnv {
    let env = env();
    env.write("work/desktop.wasm", guest("desktop"));
    env.run(&format!("extension install ./desktop.wasm {DESKTOP_GRANTS}")).ok();
    env
}

/// Returns the servers and clients that .ci/test-servers installs.
pub fn server_tools() -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    std::env::var_os("SESAME_TEST_SERVERS")
        .map_or_else(|| home.join(".cache/sesame-test-servers/bin"), PathBuf::from)
}

/// Runs oras in a directory, and returns its output.
pub fn oras(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(server_tools().join("oras"));
    let output = command
        .args(arguments)
        .current_dir(directory)
        .env("HOME", directory)
        .output()
        .expect("oras runs");
    assert!(
        output.status.success(),
        "oras {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Returns the path of an extension's manifest below the home directory.
pub fn manifest(name: &str) -> String {
    format!(".config/pds/extensions/{name}.toml")
}

/// Returns the directory of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
