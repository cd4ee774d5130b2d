//! Directories that are granted, and every way out of them that there was.

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use extension_host::{Arguments, Backends, CallError, CallReport, Code, DirectoryRules, Extension, Host};
use support::permissions;
use tempfile::TempDir;

static HOST: LazyLock<Host> = LazyLock::new(|| Host::new().expect("a host"));
static DESKTOP: LazyLock<Code> = LazyLock::new(|| HOST.compile(&support::DESKTOP).expect("it compiles"));

/// What the guest imports beside files.
const OTHERS: &str = "config-read = true\nsecret-read = [\"a\"]\nsecret-write = [\"a\"]\nnotification = true\n\
     clipboard-write = true\nipc-publish = [\"a\"]\n";

/// A home directory with something to read, something to write, and something that is nobody's business.
struct Home {
    directory: TempDir,
    root: PathBuf,
}

impl Home {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let root = fs::canonicalize(directory.path()).expect("there");
        for below in ["read/deep", "write", "secret", ".config/pds"] {
            fs::create_dir_all(root.join(below)).expect("made");
        }
        fs::write(root.join("read/note"), "readable").expect("written");
        fs::write(root.join("secret/key"), "hidden").expect("written");
        symlink("../secret/key", root.join("read/out")).expect("made");
        symlink(root.join("secret"), root.join("read/abroad")).expect("made");
        symlink("note", root.join("read/within")).expect("made");
        Self { directory, root }
    }

    fn rules(&self) -> DirectoryRules {
        DirectoryRules { home: Some(self.directory.path().to_owned()), protected: vec![self.root.join(".config/pds")] }
    }

    fn guest(&self, filesystem: &str) -> Extension {
        let backends = Backends { directories: Arc::new(self.rules()), ..Backends::default() };
        let permissions = permissions(&format!("{OTHERS}filesystem = {filesystem}"), "");
        HOST.clone().with_backends(backends).extension(&DESKTOP, permissions).expect("it links")
    }

    fn path(&self, below: &str) -> String {
        self.root.join(below).to_str().expect("text").to_owned()
    }

    fn text(&self, below: &str) -> String {
        fs::read_to_string(self.root.join(below)).expect(below)
    }
}

const BOTH: &str = "{ read = [\"~/read\"], write = [\"~/write\"] }";

fn call(extension: &Extension, function: &str, arguments: &[&str]) -> CallReport {
    extension.call_blocking(function, &Arguments::words(arguments.iter().copied()))
}

/// The value, or what the guest was told.
fn said(extension: &Extension, function: &str, arguments: &[&str]) -> Result<String, String> {
    let returned = call(extension, function, arguments).outcome.unwrap_or_else(|error| panic!("{function}: {error:?}"));
    if returned.is_err() { Err(returned.to_text()) } else { Ok(returned.to_text()) }
}

#[test]
fn what_is_granted_can_be_read_or_written_under_its_own_path() {
    let home = Home::new();
    let guest = home.guest(BOTH);
    assert_eq!(said(&guest, "read-text", &[&home.path("read/note")]), Ok("readable".to_owned()));
    assert_eq!(said(&guest, "read-text", &[&home.path("read/within")]), Ok("readable".to_owned()));
    assert_eq!(said(&guest, "write-text", &[&home.path("write/new"), "mine"]), Ok(String::new()));
    assert_eq!(home.text("write/new"), "mine");
    assert_eq!(said(&guest, "list-names", &[&home.path("write")]), Ok("[\"new\"]".to_owned()));
    assert_eq!(said(&guest, "delete-file", &[&home.path("write/new")]), Ok(String::new()));
    let touches = call(&guest, "list-names", &[&home.path("read")]).activity.touches;
    let noted: Vec<_> = touches.iter().map(|touch| touch.what.as_str()).collect();
    assert_eq!(noted, ["filesystem=read:~/read", "filesystem=write:~/write"]);
}

#[test]
fn nothing_leads_out_of_what_is_granted() {
    let home = Home::new();
    let guest = home.guest(BOTH);
    for path in [
        "secret/key",
        "read/../secret/key",
        "read/deep/../../secret/key",
        "read/out",
        "read/out/",
        "read/abroad/key",
        "read/abroad/../secret/key",
        "read//../secret//key",
        "read/./../secret/./key",
        "read/deep/../../../etc/hostname",
        "write/../secret/key",
        ".config/pds",
    ] {
        let told = said(&guest, "read-text", &[&home.path(path)]);
        assert!(told.is_err(), "{path}: {told:?}");
        let listed = said(&guest, "list-names", &[&home.path(path)]);
        assert!(listed.is_err(), "{path}: {listed:?}");
    }
    for path in ["/etc/passwd", "/proc/self/environ", "/proc/self/fd/0", "etc/passwd", "", ".", "..", "/", "//"] {
        assert!(said(&guest, "read-text", &[path]).is_err(), "{path:?}");
    }
    assert!(said(&guest, "list-names", &["/"]).is_err());
}

#[test]
fn a_directory_to_read_cannot_be_changed_in_any_way() {
    let home = Home::new();
    let guest = home.guest(BOTH);
    let note = home.path("read/note");
    for (function, arguments) in [
        ("write-text", vec![note.as_str(), "changed"]),
        ("write-text", vec![&home.path("read/new"), "new"]),
        ("append-text", vec![&note, "more"]),
        ("truncate-file", vec![&note]),
        ("delete-file", vec![&note]),
        ("rename-file", vec![&note, &home.path("read/other")]),
        ("rename-file", vec![&note, &home.path("write/moved")]),
        ("rename-file", vec![&home.path("write/x"), &home.path("read/x")]),
        ("hard-link", vec![&note, &home.path("write/linked")]),
        ("symbolic-link", vec!["/etc/passwd", &home.path("read/link")]),
    ] {
        let told = said(&guest, function, &arguments);
        assert!(told.is_err(), "{function} {arguments:?}: {told:?}");
    }
    assert_eq!(home.text("read/note"), "readable");
    assert!(!home.root.join("write/linked").exists() && !home.root.join("write/moved").exists());
    assert!(!home.root.join("read/new").exists() && !home.root.join("read/other").exists());
}

#[test]
fn links_that_a_guest_makes_lead_nowhere_either() {
    let home = Home::new();
    let guest = home.guest(BOTH);
    let link = home.path("write/link");
    for target in ["/etc/passwd", "../secret/key", "../secret", &home.path("secret/key")] {
        // One that leads to an absolute path cannot even be made.
        let is_made = said(&guest, "symbolic-link", &[target, &link]).is_ok();
        assert_eq!(is_made, !target.starts_with('/'), "{target}");
        assert!(said(&guest, "read-text", &[&link]).is_err(), "{target}");
        assert!(said(&guest, "read-text", &[&home.path("write/link/key")]).is_err(), "{target}");
        assert!(!is_made || said(&guest, "write-text", &[&link, "x"]).is_err(), "{target}");
        let _ = fs::remove_file(&link);
    }
    assert_eq!(home.text("secret/key"), "hidden");
}

#[test]
fn a_grant_is_refused_where_it_would_reach_sesame_or_was_replaced() {
    let home = Home::new();
    let error = |filesystem: &str| match call(&home.guest(filesystem), "list-names", &["/"]).outcome {
        Err(error @ CallError::Directory(_)) => error.to_string(),
        other => panic!("{filesystem}: {other:?}"),
    };
    for filesystem in
        ["{ read = [\"~\"] }", "{ write = [\"~/.config\"] }", "{ read = [\"/\"] }", "{ read = [\"/proc\"] }"]
    {
        assert!(error(filesystem).contains("which no extension gets"), "{filesystem}");
    }
    assert!(error("{ read = [\"~/read/abroad\"] }").contains("leads through a link"));
    assert!(error("{ read = [\"~/missing\"] }").contains("cannot be opened"));
    let guest = home.guest(BOTH);
    fs::rename(home.root.join("write"), home.root.join("aside")).expect("moved");
    symlink("secret", home.root.join("write")).expect("made");
    let report = call(&guest, "read-text", &[&home.path("write/key")]);
    assert!(matches!(report.outcome, Err(CallError::Directory(_))), "{:?}", report.outcome);
}

#[test]
fn without_a_grant_looking_for_files_is_noted() {
    let home = Home::new();
    let guest = home.guest("{}");
    let report = call(&guest, "read-text", &[&home.path("read/note")]);
    assert!(report.outcome.expect("returns").is_err());
    let touch = &report.activity.touches[0];
    assert_eq!((touch.what.as_str(), touch.grant.as_deref()), ("filesystem", Some("filesystem=read:DIRECTORY")));
}

#[test]
fn a_race_between_a_directory_and_a_link_is_never_won() {
    let home = Home::new();
    fs::create_dir(home.root.join("write/swap")).expect("made");
    fs::write(home.root.join("write/swap/key"), "mine").expect("written");
    let (swap, aside) = (home.root.join("write/swap"), home.root.join("write/aside"));
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| swap_until(&stop, &swap, &aside, &home.root.join("secret")));
        let guest = home.guest(BOTH);
        for _ in 0..300 {
            if let Ok(text) = said(&guest, "read-text", &[&home.path("write/swap/key")]) {
                assert_eq!(text, "mine");
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

/// Puts a link in the place of a directory and back, over and over.
fn swap_until(stop: &std::sync::atomic::AtomicBool, swap: &Path, aside: &Path, target: &Path) {
    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
        let _ = fs::rename(swap, aside);
        let _ = symlink(target, swap);
        let _ = fs::remove_file(swap);
        let _ = fs::rename(aside, swap);
    }
}
