//! Builds the tests' components and modules from tests/guests and extensions.
//!
//! They are copied to the directory in `SESAME_GUESTS_OUT` (default: tests/guests/target/components),
//! and with `--update` also to tests/guests/built, beside the sources. The compiler is that of
//! .ci/guest-toolchain where it is installed (in `SESAME_GUEST_TOOLCHAIN`, by default
//! sesame-guest-toolchain in the user's cache), or else the cargo in PATH, which then needs the
//! targets of WebAssembly.

use std::env;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf, absolute};
use std::process::{Command, Stdio};

use crate::arguments::Arguments;
use crate::problem::{Problem, Result};
use crate::repository::{command, root, run as run_command};

/// The guests of one manifest: each file that cargo makes, with its name here.
struct Guests {
    manifest: &'static str,
    target: &'static str,
    files: &'static [(&'static str, &'static str)],
}

const IN_RUST: [Guests; 5] = [
    Guests {
        manifest: "tests/guests/Cargo.toml",
        target: "wasm32-wasip2",
        files: &[
            ("greeting_extension.wasm", "greeting.wasm"),
            ("greeting_sdk.wasm", "greeting-sdk.wasm"),
            ("echo.wasm", "echo.wasm"),
            ("hostile.wasm", "hostile.wasm"),
            ("desktop.wasm", "desktop.wasm"),
            ("probe.wasm", "probe.wasm"),
            ("probe_0_3.wasm", "probe-0-3.wasm"),
        ],
    },
    // The extensions for people that are in Rust.
    Guests {
        manifest: "extensions/daily-note/Cargo.toml",
        target: "wasm32-wasip2",
        files: &[("daily_note.wasm", "daily-note.wasm")],
    },
    Guests {
        manifest: "extensions/low-battery/Cargo.toml",
        target: "wasm32-wasip2",
        files: &[("low_battery.wasm", "low-battery.wasm")],
    },
    Guests {
        manifest: "extensions/take-a-break/Cargo.toml",
        target: "wasm32-wasip2",
        files: &[("take_a_break.wasm", "take-a-break.wasm")],
    },
    // The extension of Suffiks in Rust.
    Guests {
        manifest: "tests/guests/labels-rs/Cargo.toml",
        target: "wasm32-wasip1",
        files: &[("labels_rs.wasm", "labels-rs.wasm")],
    },
];

/// Variables of a calling cargo, which are about another build.
const FOREIGN: [&str; 8] = [
    "RUSTC",
    "RUSTDOC",
    "RUSTFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTUP_TOOLCHAIN",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_RUSTFLAGS",
];

/// Runs the task.
pub fn run(words: &[String]) -> Result<()> {
    let mut arguments = Arguments::new(words);
    let is_update = arguments.flag("--update");
    arguments.none()?;

    let directory = root().join("tests/guests");
    let target = directory.join("target");
    let mut built = Vec::new();
    for guests in &IN_RUST {
        run_command(cargo(guests, &target))?;
        let made = target.join(guests.target).join("release");
        built.extend(guests.files.iter().map(|(file, name)| (made.join(file), *name)));
    }
    built.extend(assembly_script(&directory.join("ingress-as"))?);
    let out =
        env::var_os("SESAME_GUESTS_OUT").map_or_else(|| target.join("components"), Into::into);
    put(&built, &absolute(out)?)?;
    if is_update { put(&built, &directory.join("built")) } else { Ok(()) }
}

/// Makes the command that builds the guests of a manifest.
fn cargo(guests: &Guests, target: &Path) -> Command {
    let root = root();
    let manifest = root.join(guests.manifest);
    let own = toolchain().join("bin/cargo");
    let program = if own.is_file() { own } else { PathBuf::from("cargo") };
    let mut command =
        command(program, &["build", "--locked", "--release", "--target", guests.target]);
    command.arg("--manifest-path").arg(manifest).current_dir(root.join("tests/guests"));
    for name in FOREIGN {
        command.env_remove(name);
    }
    command
        .env("RUSTC_WRAPPER", root.join(".ci/rustc-for-guests"))
        .env("CARGO_TARGET_DIR", target)
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            without_directories(&root, &in_home("CARGO_HOME", ".cargo")),
        );
    command
}

/// Returns the flags that leave out the directories of this machine: panics name their source file.
fn without_directories(root: &Path, cargo_home: &Path) -> OsString {
    let mut flags = OsString::new();
    for (from, to) in [(root, "/sesame"), (cargo_home, "/cargo")] {
        // The separator of flags.
        flags.push(if flags.is_empty() { "" } else { "\x1f" });
        flags.push("--remap-path-prefix=");
        flags.push(from);
        flags.push("=");
        flags.push(to);
    }
    flags
}

fn toolchain() -> PathBuf {
    let cache = || in_home("XDG_CACHE_HOME", ".cache").join("sesame-guest-toolchain");
    env::var_os("SESAME_GUEST_TOOLCHAIN").map_or_else(cache, PathBuf::from)
}

/// Returns the directory that a variable names, or one below the home directory.
fn in_home(variable: &str, default: &str) -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(default);
    env::var_os(variable).filter(|path| !path.is_empty()).map_or_else(home, PathBuf::from)
}

/// Builds the extension of Suffiks in AssemblyScript, where its compiler is available.
fn assembly_script(directory: &Path) -> Result<Option<(PathBuf, &'static str)>> {
    let found = Command::new("npm").arg("--version").stdout(Stdio::null()).status();
    if found.is_err() {
        eprintln!("npm is not there: ingress-as is not built");
        return Ok(None);
    }
    for arguments in
        [&["ci", "--silent", "--no-audit", "--no-fund"][..], &["run", "--silent", "build"]]
    {
        let mut command = command("npm", arguments);
        command.current_dir(directory);
        run_command(command)?;
    }
    Ok(Some((directory.join("build/release.wasm"), "ingress-as.wasm")))
}

/// Copies files to a directory, each under its name.
fn put(built: &[(PathBuf, &str)], directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    for (file, name) in built {
        let copied = directory.join(name);
        fs::copy(file, &copied).map_err(|error| Problem::of_file(file, &error))?;
        // Cargo's are executable.
        fs::set_permissions(&copied, Permissions::from_mode(0o644))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_not_in_guests() {
        let flags = without_directories(Path::new("/r"), Path::new("/c"));
        assert_eq!(flags, "--remap-path-prefix=/r=/sesame\x1f--remap-path-prefix=/c=/cargo");
    }

    #[test]
    fn files_have_their_names() {
        let directory = tempfile::tempdir().expect("a directory");
        let (made, to) = (directory.path().join("a_b.wasm"), directory.path().join("below/it"));
        fs::write(&made, "bytes").expect("written");
        fs::set_permissions(&made, Permissions::from_mode(0o755)).expect("ours");
        put(&[(made, "a-b.wasm")], &to).expect("copied");
        let copied = fs::metadata(to.join("a-b.wasm")).expect("there");
        assert_eq!(copied.permissions().mode() & 0o777, 0o644);
    }
}
