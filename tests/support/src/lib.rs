//! The parts that sesame's end-to-end tests share: a sealed environment for the binary, and output
//! that is the same everywhere.

pub mod bad_registry;
mod component;
mod digest;
mod files;
mod import_circles;
pub mod odd_registry;
pub mod sigstore;
pub mod tls;
pub mod token_server;
mod wakeable;

use std::ffi::OsStr;
use std::fmt;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::ops::Deref;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

pub use component::{asking, component};
pub use digest::digest_of;
use extension_depot::serve::MemoryRegistry;
pub use files::{copy_directory, files_below, rust_files};
pub use import_circles::import_circles;
use tempfile::TempDir;
pub use wakeable::{OnEvent, wakeable};

/// Returns the committed component of a guest, or one from the folder that `SESAME_BUILT_GUESTS`
/// names.
pub fn guest(name: &str) -> Vec<u8> {
    note_guest_test();
    read_guest(name)
}

fn read_guest(name: &str) -> Vec<u8> {
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/built");
    let folder =
        std::env::var_os("SESAME_BUILT_GUESTS").map_or_else(|| committed.into(), PathBuf::from);
    std::fs::read(folder.join(format!("{name}.wasm"))).expect(name)
}

/// A guest that many tests load: read once, and dereferenced to its bytes.
pub struct Guest {
    name: &'static str,
    bytes: OnceLock<Vec<u8>>,
}

impl Guest {
    /// Names a guest without reading it.
    pub const fn new(name: &'static str) -> Self {
        Self { name, bytes: OnceLock::new() }
    }
}

impl Deref for Guest {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        note_guest_test();
        self.bytes.get_or_init(|| read_guest(self.name))
    }
}

/// Adds the running test to the file that `SESAME_GUEST_TESTS` names. CI runs these tests once
/// more, with other guests.
fn note_guest_test() {
    let Some(path) = std::env::var_os("SESAME_GUEST_TESTS") else { return };
    // A test runs on a thread of its name. One of its own threads has no name, which CI takes for
    // any test.
    let thread = std::thread::current();
    let line = format!("{}\n", thread.name().unwrap_or_default());
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(line.as_bytes()))
        .expect("SESAME_GUEST_TESTS can be written");
}

/// A home for one test, without anything of the machine's environment.
pub struct TestEnv {
    binary: PathBuf,
    directory: TempDir,
}

/// The outcome of a command, displayed as exit code, output and errors. Text that differs between
/// runs is replaced by names.
pub struct Run {
    /// The exit code; 128 and the signal for one that was killed.
    pub code: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
    replacements: Vec<(String, &'static str)>,
}

impl TestEnv {
    /// Makes a new home for this binary.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        let directory =
            tempfile::Builder::new().prefix("sesame-test-").tempdir().expect("a directory");
        std::fs::create_dir(directory.path().join("work")).expect("made");
        Self { binary: binary.into(), directory }
    }

    /// Returns the home directory.
    pub fn home(&self) -> &Path {
        self.directory.path()
    }

    /// Returns a path below the home directory.
    pub fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    /// Makes the runtime directory of a session, `run` below the home directory, as a login does. One
    /// that is there stays.
    pub fn make_runtime_directory(&self) {
        self.make_private("run");
    }

    /// Makes a directory that nobody else can read.
    pub fn make_private(&self, below: &str) {
        DirBuilder::new().mode(0o700).recursive(true).create(self.path(below)).expect("made");
    }

    /// Writes a file below the home directory, with the directories above it.
    pub fn write(&self, below: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().expect("below")).expect("made");
        std::fs::write(&path, contents).expect("written");
        path
    }

    /// Reads a file below the home directory.
    pub fn read(&self, below: &str) -> String {
        std::fs::read_to_string(self.path(below)).unwrap_or_else(|error| panic!("{below}: {error}"))
    }

    /// Reads the bytes of a file below the home directory.
    pub fn read_bytes(&self, below: &str) -> Vec<u8> {
        std::fs::read(self.path(below)).unwrap_or_else(|error| panic!("{below}: {error}"))
    }

    /// Makes a command of the binary, not started yet.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).env_clear().env("HOME", self.home()).current_dir(self.path("work"));
        command
    }

    /// Makes a command of `sesame` with these words on a terminal of its own, where questions can
    /// be answered. It writes no colours.
    pub fn on_terminal(&self, words: &str) -> Command {
        self.shell_on_terminal(&format!("{} {words}", self.binary.display()))
    }

    /// Makes the same command of a line for the shell.
    pub fn shell_on_terminal(&self, line: &str) -> Command {
        let mut command = Command::new("script");
        command.args(["-qec", line, "/dev/null"]).env_clear().current_dir(self.path("work"));
        command.env("HOME", self.home()).env("PATH", "/usr/bin:/bin").env("SHELL", "/bin/bash");
        command.env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1");
        command
    }

    /// Runs `sesame` with these words, without input.
    #[must_use]
    pub fn run(&self, line: &str) -> Run {
        self.run_with(line.split_whitespace(), b"")
    }

    /// Runs `sesame` with these arguments and this input.
    #[must_use]
    pub fn run_with<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: &[u8],
    ) -> Run {
        self.finish(self.command(arguments), input)
    }

    /// Runs a prepared command with this input.
    #[must_use]
    pub fn finish(&self, mut command: Command, input: &[u8]) -> Run {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("piped");
        let input = input.to_owned();
        // A command that does not read its input must not block us.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().expect("it ends");
        writer.join().expect("no panic");
        self.seen(output)
    }

    /// Returns the outcome of a command of this home that was run in another way.
    #[must_use]
    pub fn seen(&self, output: Output) -> Run {
        use std::os::unix::process::ExitStatusExt;
        let code = output
            .status
            .code()
            .unwrap_or_else(|| 128 + output.status.signal().unwrap_or_default());
        let home = self.home().display().to_string();
        Run {
            code,
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            replacements: vec![(home, "~")],
        }
    }

    /// Returns each file below the home directory with its contents, to find changes. The lock is
    /// left out: it holds the process that had it last.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = files_below(self.home());
        files.retain(|path| path.file_name().is_none_or(|name| name != "lock"));
        let read = |path: PathBuf| (path.clone(), std::fs::read(path).unwrap_or_default());
        files.into_iter().map(read).collect()
    }
}

impl Run {
    /// Shows a text under another name.
    pub fn hiding(mut self, text: impl Into<String>, name: &'static str) -> Self {
        self.replacements.push((text.into(), name));
        self
    }

    /// Shows the registry's host as `REGISTRY`.
    pub fn hiding_registry(self, registry: &MemoryRegistry) -> Self {
        self.hiding(registry.host(), "REGISTRY")
    }

    /// Returns the output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Returns the same run after a check that it succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self}");
        self
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("exit {}\n", self.code);
        for (name, stream) in [("out", self.text()), ("err", self.stderr.clone())] {
            for line in stream.lines() {
                text.push_str(&format!("{name}: {line}\n"));
            }
        }
        for (from, to) in &self.replacements {
            text = text.replace(from, to);
        }
        f.write_str(&hide_times(&hide_digests(&text)))
    }
}

/// Replaces times in UTC, to the second.
fn hide_times(text: &str) -> String {
    const FORM: &[u8] = b"0000-00-00T00:00:00Z";
    let is_time = |bytes: &[u8]| {
        bytes
            .iter()
            .zip(FORM)
            .all(|(byte, form)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form })
    };
    let mut shown = text.as_bytes().to_vec();
    while let Some(at) = shown.windows(FORM.len()).position(is_time) {
        shown.splice(at..at + FORM.len(), *b"TIME");
    }
    String::from_utf8_lossy(&shown).into_owned()
}

/// Replaces digests, which change with each compiler that builds a guest.
pub fn hide_digests(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("sha256:") {
        let (before, digest) = rest.split_at(at + "sha256:".len());
        let hex = digest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digest.len());
        shown.push_str(before);
        shown.push_str(match hex {
            12 => "SHORT",
            64 => "DIGEST",
            _ => &digest[..hex],
        });
        rest = &digest[hex..];
    }
    shown + rest
}
