//! Granted directories, and every known way out of them.
#![expect(
    clippy::print_stdout,
    reason = "how many cases there are is counted by cargo xtask security-tests"
)]

use crate::support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};

use extension_host::{Backends, CallError, CallReport, Code, DirectoryRules, Extension, Host};
use support::{call, permissions, said};
use tempfile::TempDir;

pub(crate) static HOST: LazyLock<Host> = LazyLock::new(|| Host::new().expect("a host"));
static DESKTOP: LazyLock<Code> =
    LazyLock::new(|| HOST.compile(&support::DESKTOP).expect("it compiles"));
static PROBE: LazyLock<Code> =
    LazyLock::new(|| HOST.compile(&support::PROBE).expect("it compiles"));

/// Grants for the guest's imports beside files.
const OTHERS: &str = "config-read = true\nsecret-read = [\"a\"]\nsecret-write = [\"a\"]\nnotification = true\n\
     clipboard-write = true\nipc-publish = [\"a\"]\nexperimental = [\"wasi-0.3\"]\n";

/// A home directory with something to read, something to write, and something private.
pub(crate) struct Home {
    directory: TempDir,
    root: PathBuf,
}

impl Home {
    pub(crate) fn new() -> Self {
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
        DirectoryRules {
            home: Some(self.directory.path().to_owned()),
            protected: vec![self.root.join(".config/pds")],
        }
    }

    fn guest(&self, filesystem: &str) -> Extension {
        self.running(&DESKTOP, filesystem, "")
    }

    /// Links the guest that calls WASI itself.
    fn probe(&self) -> Extension {
        self.running(&PROBE, BOTH, "max_fuel = 1_000_000_000_000\ntimeout_ms = 120_000")
    }

    pub(crate) fn running(&self, code: &Code, filesystem: &str, limits: &str) -> Extension {
        let backends = Backends { directories: Arc::new(self.rules()), ..Backends::default() };
        let permissions = permissions(&format!("{OTHERS}filesystem = {filesystem}"), limits);
        HOST.clone().with_backends(backends).extension(code, permissions).expect("it links")
    }

    pub(crate) fn path(&self, below: &str) -> String {
        self.root.join(below).to_str().expect("text").to_owned()
    }

    fn text(&self, below: &str) -> String {
        fs::read_to_string(self.root.join(below)).expect(below)
    }

    /// Returns everything below a directory: its kind, its change time and its content.
    pub(crate) fn state(&self, below: &str) -> BTreeMap<PathBuf, (SystemTime, String)> {
        let mut state = BTreeMap::new();
        let mut left = vec![self.root.join(below)];
        while let Some(path) = left.pop() {
            let metadata = fs::symlink_metadata(&path).expect("there");
            let what = if metadata.is_dir() {
                left.extend(
                    fs::read_dir(&path)
                        .expect("readable")
                        .map(|entry| entry.expect("an entry").path()),
                );
                "a directory".to_owned()
            } else if metadata.is_symlink() {
                format!("a link to {}", fs::read_link(&path).expect("a link").display())
            } else {
                fs::read_to_string(&path).expect("text")
            };
            state.insert(path, (metadata.modified().expect("a time"), what));
        }
        state
    }
}

pub(crate) const BOTH: &str = "{ read = [\"~/read\"], write = [\"~/write\"] }";

/// A granted directory can be read or written under its own path.
#[test]
fn granted_directory_has_its_own_path() {
    let home = Home::new();
    let guest = home.guest(BOTH);
    assert_eq!(said(&guest, "read-text", &[&home.path("read/note")]), Ok("readable".to_owned()));
    assert_eq!(said(&guest, "read-text", &[&home.path("read/within")]), Ok("readable".to_owned()));
    assert_eq!(said(&guest, "write-text", &[&home.path("write/new"), "mine"]), Ok(String::new()));
    assert_eq!(home.text("write/new"), "mine");
    assert_eq!(said(&guest, "list-names", &[&home.path("write")]), Ok("[\"new\"]".to_owned()));
    assert_eq!(said(&guest, "delete-file", &[&home.path("write/new")]), Ok(String::new()));
    let touches = call(&guest, "list-names", &[&home.path("read")]).activity.touches;
    let noted: Vec<_> = touches.iter().map(|touch| touch.request.to_string()).collect();
    assert_eq!(noted, ["filesystem=read:~/read", "filesystem=write:~/write"]);
}

#[test]
fn nothing_leads_out_of_the_grant() {
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
    for path in [
        "/etc/passwd",
        "/proc/self/environ",
        "/proc/self/fd/0",
        "etc/passwd",
        "",
        ".",
        "..",
        "/",
        "//",
    ] {
        assert!(said(&guest, "read-text", &[path]).is_err(), "{path:?}");
    }
    assert!(said(&guest, "list-names", &["/"]).is_err());
}

#[test]
fn read_only_directory_is_unchangeable() {
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

/// A refused write is noted with the directory that may only be read, so that the user learns why
/// nothing was saved. Reading, and a way out of a directory to write, ask for no such grant.
#[test]
fn refused_write_is_noted() {
    assert_refused_writes_are_noted(&PROBE);
    let noted = |call: &str, path: &str| refusals(&preview1_report(&Home::new(), call, path, ""));
    for call in ["write", "create", "create new", "truncate"] {
        assert_eq!(noted(call, "read/note"), ["filesystem=write:~/read"], "{call}");
    }
    for (call, path) in
        [("read", "read/note"), ("create", "write/../secret/new"), ("create", "write/a/b")]
    {
        assert_eq!(noted(call, path), [""; 0], "{call} {path}");
    }
}

/// Lets a guest open files in every way, below directories within each other and under other paths.
pub(crate) fn assert_refused_writes_are_noted(probe: &Code) {
    let home = Home::new();
    let granted = "{ read = [\"~/read\", \"~/read/deep::/deep\"], write = [\"~/write\"] }";
    let probe = home.running(probe, granted, "");
    let noted = |path: &str, how: &str| refusals(&call(&probe, "open", &[path, how]));
    for how in ["w", "rw", "t", "c", "rc", "wcx", "wcxf"] {
        assert_eq!(noted(&home.path("read/new"), how), ["filesystem=write:~/read"], "{how}");
    }
    assert_eq!(noted("/deep/new", "wc"), ["filesystem=write:~/read/deep::/deep"]);
    assert_eq!(noted(&home.path("read/../secret/key"), "w"), ["filesystem=write:~/read"]);
    for (path, how) in [
        ("read/note", "r"),
        ("read/missing", "r"),
        ("read/deep", "rd"),
        ("write/../secret/key", "w"),
        ("write/new", "wc"),
        ("write/missing/new", "wc"),
    ] {
        assert_eq!(noted(&home.path(path), how), [""; 0], "{path} {how}");
    }
}

/// A directory that is granted for reading within one that is granted for writing can be written.
#[test]
fn reading_takes_no_writing_away() {
    let home = Home::new();
    let granted = format!("{{ read = [\"{}\"], write = [\"~/read\"] }}", home.path("read/deep"));
    let within = home.guest("{ read = [\"~/read/deep\"], write = [\"~/read\"] }");
    let new = home.path("read/deep/new");
    assert_eq!(said(&within, "write-text", &[&new, "mine"]), Ok(String::new()));
    assert_eq!(home.text("read/deep/new"), "mine");
    // By another spelling both are there, and the deeper one decides.
    let report = call(&home.guest(&granted), "write-text", &[&new, "mine"]);
    assert_eq!(refusals(&report), [format!("filesystem=write:{}", home.path("read/deep"))]);
}

fn refusals(report: &CallReport) -> Vec<String> {
    report.activity.refused().map(|touch| touch.request.to_string()).collect()
}

#[test]
fn own_links_of_guest_lead_nowhere() {
    let home = Home::new();
    let guest = home.guest(BOTH);
    let link = home.path("write/link");
    for target in ["/etc/passwd", "../secret/key", "../secret", &home.path("secret/key")] {
        // A link to an absolute path cannot even be made.
        let is_made = said(&guest, "symbolic-link", &[target, &link]).is_ok();
        assert_eq!(is_made, !target.starts_with('/'), "{target}");
        assert!(said(&guest, "read-text", &[&link]).is_err(), "{target}");
        assert!(said(&guest, "read-text", &[&home.path("write/link/key")]).is_err(), "{target}");
        assert!(!is_made || said(&guest, "write-text", &[&link, "x"]).is_err(), "{target}");
        let _ = fs::remove_file(&link);
    }
    assert_eq!(home.text("secret/key"), "hidden");
}

/// A grant is refused where it would reach sesame's own files or was replaced.
#[test]
fn grant_to_own_files_is_refused() {
    let home = Home::new();
    let error = |filesystem: &str| match call(&home.guest(filesystem), "list-names", &["/"]).outcome
    {
        Err(error @ CallError::Directory(_)) => error.to_string(),
        other => panic!("{filesystem}: {other:?}"),
    };
    for filesystem in [
        "{ read = [\"~\"] }",
        "{ write = [\"~/.config\"] }",
        "{ read = [\"/\"] }",
        "{ read = [\"/proc\"] }",
    ] {
        assert!(error(filesystem).contains("which no extension gets"), "{filesystem}");
    }
    assert!(error("{ read = [\"~/read/abroad\"] }").contains("leads through a link"));
    assert!(error("{ read = [\"~/read/note\"] }").contains("cannot be opened"));
    assert!(error("{ read = [\"~/.config/pds/missing\"] }").contains("which no extension gets"));
    symlink("missing", home.root.join("dangling")).expect("made");
    assert!(error("{ read = [\"~/dangling\"] }").contains("leads through a link"));
    let guest = home.guest(BOTH);
    fs::rename(home.root.join("write"), home.root.join("aside")).expect("moved");
    symlink("secret", home.root.join("write")).expect("made");
    let report = call(&guest, "read-text", &[&home.path("write/key")]);
    assert!(matches!(report.outcome, Err(CallError::Directory(_))), "{:?}", report.outcome);
}

/// Every runtime lists directories before anything else, so that a listing says nothing of the
/// guest's needs.
#[test]
fn listing_is_not_a_refusal() {
    let home = Home::new();
    let guest = home.guest("{}");
    let report = call(&guest, "read-text", &[&home.path("read/note")]);
    assert!(report.outcome.expect("returns").is_err());
    assert_eq!(report.activity.touches, []);
}

/// A directory with a path for the guest exists under that path, and under no other.
#[test]
fn guest_path_leads_to_directory() {
    let home = Home::new();
    let guest = home.guest(
        "{ read = [{ path = \"~/read\", guest = \"/notes\" }], write = [\"~/write::out/deep\"] }",
    );
    assert_eq!(said(&guest, "read-text", &["/notes/note"]), Ok("readable".to_owned()));
    assert_eq!(said(&guest, "write-text", &["/out/deep/new", "mine"]), Ok(String::new()));
    assert_eq!(home.text("write/new"), "mine");
    for path in [
        &home.path("read/note"),
        "/notes/../secret/key",
        "/notes/out",
        "/note",
        "/out/new",
        "/read/note",
    ] {
        assert!(said(&guest, "read-text", &[path]).is_err(), "{path}");
    }
    assert!(said(&guest, "write-text", &["/notes/note", "changed"]).is_err());
    let touches = call(&guest, "list-names", &["/notes"]).activity.touches;
    let noted: Vec<_> = touches.iter().map(|touch| touch.request.to_string()).collect();
    assert_eq!(noted, ["filesystem=read:~/read::/notes", "filesystem=write:~/write::out/deep"]);
}

/// A harmless grant is refused by the next call once sesame's own directory leads there.
#[test]
fn later_link_refuses_call() {
    let home = Home::new();
    let guest = home.guest(BOTH);
    assert_eq!(said(&guest, "read-text", &[&home.path("read/note")]), Ok("readable".to_owned()));
    symlink(home.root.join("write"), home.root.join(".config/pds/extensions")).expect("made");
    let outcome = call(&guest, "read-text", &[&home.path("read/note")]).outcome;
    let error = outcome.expect_err("the directory is sesame's own").to_string();
    assert!(error.contains("~/write") && error.contains("which no extension gets"), "{error}");
}

/// Protection and links are checked by the path on the host, whatever the path for the guest is.
#[test]
fn guest_path_opens_no_protected() {
    let home = Home::new();
    for (path, why) in [
        ("~", "no extension gets"),
        ("~/.config", "no extension gets"),
        ("~/read/abroad", "leads through a link"),
    ] {
        let guest =
            home.guest(&format!("{{ read = [{{ path = \"{path}\", guest = \"/data\" }}] }}"));
        let outcome = call(&guest, "list-names", &["/data"]).outcome;
        assert!(
            matches!(&outcome, Err(CallError::Directory(error)) if error.to_string().contains(why)),
            "{outcome:?}"
        );
    }
}

/// `~` can make two paths one for the guest; then neither directory is open.
#[test]
fn same_guest_path_refuses_the_call() {
    let home = Home::new();
    let own_path = home.directory.path().join("read");
    let guest = home.guest(&format!(
        "{{ read = [\"~/read\"], write = [\"~/write::{}\"] }}",
        own_path.display()
    ));
    let error = call(&guest, "list-names", &["/"]).outcome.expect_err("refused").to_string();
    assert!(error.contains("`~/read` and `~/write::/"), "{error}");
}

/// A guest that opens a relative path looks for it in the directory that is called `.`.
#[test]
fn relative_paths_work_in_dot() {
    let home = Home::new();
    let here = "{ read = [{ path = \"~/read\", guest = \".\" }] }";
    let guest = home.guest(here);
    for path in ["note", "./note", "deep/../note"] {
        assert_eq!(said(&guest, "read-text", &[path]), Ok("readable".to_owned()), "{path}");
    }
    for path in ["../secret/key", "out", "abroad/key", &home.path("read/note")] {
        assert!(said(&guest, "read-text", &[path]).is_err(), "{path}");
    }
    let probe = home.running(&PROBE, here, "");
    assert_eq!(
        said(&probe, "open", &["./note", "r"]),
        Ok("DescriptorType::RegularFile: readable".to_owned())
    );
    let module = HOST.compile(&support::wat(PREVIEW_1_HERE)).expect("it compiles");
    assert_eq!(support::text(&home.running(&module, here, ""), "f", &[]), "0");
}

/// A module of preview 1 whose only directory is called `.`, and that opens `note` in it. Returns 0
/// when all of that succeeds.
const PREVIEW_1_HERE: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_prestat_get" (func $get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $name (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "note")
    (func (export "f") (result i32)
        (if (call $get (i32.const 3) (i32.const 0)) (then (return (i32.const 101))))
        (if (i32.ne (i32.load (i32.const 4)) (i32.const 1)) (then (return (i32.const 102))))
        (if (call $name (i32.const 3) (i32.const 16) (i32.const 1)) (then (return (i32.const 103))))
        (if (i32.ne (i32.load8_u (i32.const 16)) (i32.const 0x2e)) (then (return (i32.const 104))))
        (if (i32.eqz (call $get (i32.const 4) (i32.const 0))) (then (return (i32.const 105))))
        (call $open (i32.const 3) (i32.const 1) (i32.const 64) (i32.const 4) (i32.const 0) (i64.const 2) (i64.const 2)
            (i32.const 0) (i32.const 32))))"#;

/// A directory that does not exist stops no call; a guest that looks for it finds nothing, and the
/// reason is noted.
#[test]
fn missing_directory_stops_no_call() {
    let home = Home::new();
    let guest =
        home.guest("{ read = [\"~/read\", \"~/missing\"], write = [\"~/missing/out::/out\"] }");
    assert_eq!(said(&guest, "read-text", &[&home.path("read/note")]), Ok("readable".to_owned()));
    for path in [&home.path("missing"), &home.path("missing/x"), "/out", "/out/x"] {
        assert!(said(&guest, "read-text", &[path]).is_err(), "{path}");
        assert!(said(&guest, "list-names", &[path]).is_err(), "{path}");
        assert!(said(&guest, "write-text", &[path, "x"]).is_err(), "{path}");
    }
    let activity = call(&guest, "read-text", &["/out/x"]).activity;
    assert_eq!(activity.missing, ["~/missing", "~/missing/out"]);
    assert_eq!(activity.refused().count(), 0);
    let noted: Vec<_> = activity.touches.iter().map(|touch| touch.request.to_string()).collect();
    assert_eq!(noted, ["filesystem=read:~/read"]);
    fs::create_dir_all(home.root.join("missing/out")).expect("made");
    assert_eq!(
        said(&guest, "write-text", &["/out/x", "mine"]),
        Ok(String::new()),
        "the next call finds it"
    );
    assert_eq!(home.text("missing/out/x"), "mine");
}

/// Modules of preview 1 run as well, and one that asks for no directory misses none.
#[test]
fn missing_directory_is_noted() {
    let home = Home::new();
    let missing = |text: &str| {
        let module = HOST.compile(&support::wat(text)).expect("it compiles");
        let report =
            support::call(&home.running(&module, "{ read = [\"~/missing::.\"] }", ""), "f", &[]);
        (report.outcome.expect("it returns").to_text(), report.activity.missing)
    };
    assert_eq!(missing(PREVIEW_1_HERE), ("101".to_owned(), vec!["~/missing".to_owned()]));
    assert_eq!(
        missing(r#"(module (func (export "f") (result i32) (i32.const 7)))"#),
        ("7".to_owned(), Vec::new())
    );
}

/// Every call of preview 2 that changes something, with a second path where it takes one.
const CHANGES: [(&str, &str); 15] = [
    ("create-in-opened", ""),
    ("create-directory", ""),
    ("remove-directory", ""),
    ("unlink-file", ""),
    ("symlink", "note"),
    ("set-times", ""),
    ("followed set-times", ""),
    ("set-times-of-opened", ""),
    ("set-size-of-opened", ""),
    ("write-to-opened", ""),
    ("append-to-opened", ""),
    ("rename", "write/taken"),
    ("rename", "read/taken"),
    ("link", "write/taken"),
    ("followed link", "write/taken"),
];

#[test]
fn no_wasi_call_changes_read_only() {
    let home = Home::new();
    let probe = home.probe();
    let before = home.state("");
    let mut cases = 0;
    for path in [
        "read/note",
        "read/deep",
        "read/within",
        "read/new",
        "read/note/",
        "read/deep/",
        "read/.",
        "read",
    ] {
        for how in [
            "w", "rw", "t", "rt", "wt", "rwt", "c", "rc", "wc", "cx", "rcxf", "m", "rm", "dm",
            "rdm", "wf", "rtf",
        ] {
            let told = said(&probe, "open", &[&home.path(path), how]);
            // Announcing a change of a directory changes nothing yet.
            let is_change = how.contains(['w', 't']) || path == "read/new";
            assert!(told.is_err() || !is_change, "{path} {how}: {told:?}");
            cases += 1;
        }
        for (change, other) in CHANGES {
            let other = if other.contains('/') { home.path(other) } else { other.to_owned() };
            let told = said(&probe, "act", &[change, &home.path(path), &other]);
            assert!(told.is_err(), "{change} {path}: {told:?}");
            cases += 1;
        }
        assert_eq!(home.state(""), before, "{path}");
    }
    assert_eq!(
        said(&probe, "open", &[&home.path("read/note"), "r"]),
        Ok("DescriptorType::RegularFile: readable".into())
    );
    println!("cases: {cases}");
}

/// Links that loop or dangle make nothing and show nothing.
#[test]
fn dangling_links_are_harmless() {
    let home = Home::new();
    assert_links_are_harmless(&home, &home.probe());
}

/// Lets a guest open links of every kind in every way.
pub(crate) fn assert_links_are_harmless(home: &Home, probe: &Extension) {
    let links = [
        ("loop", "loop"),
        ("round", "about"),
        ("about", "round"),
        ("new", "../secret/new"),
        ("abroad", "../secret"),
        ("key", "../secret/key"),
        ("up", ".."),
        ("root", "/"),
        ("far", "deep/../../secret/key"),
        ("self", "/proc/self/root"),
    ];
    fs::create_dir(home.root.join("write/deep")).expect("made");
    for (link, target) in links {
        symlink(target, home.root.join("write").join(link)).expect("made");
    }
    let before = home.state("");
    let mut cases = 0;
    for (link, _) in links {
        for end in ["", "/", "/.", "/key", "/../secret/key", "//key"] {
            let path = home.path(&format!("write/{link}{end}"));
            for how in ["rf", "wf", "rwcf", "wctf", "wcxf", "df", "rdmf", "r", "wc", "wt"] {
                let told = said(probe, "open", &[&path, how]);
                // A link whose name ends in a slash has to lead to a directory, and its target is
                // not here.
                assert!(told.is_err(), "{path} {how}: {told:?}");
                cases += 1;
            }
            for call in ["followed stat", "followed metadata-hash", "followed set-times"] {
                let told = said(probe, "act", &[call, &path, ""]);
                assert!(told.is_err(), "{call} {path}: {told:?}");
                cases += 1;
            }
            let aside = home.path("write/aside");
            for call in ["followed link", "create-directory", "remove-directory"] {
                let told = said(probe, "act", &[call, &path, &aside]);
                assert!(told.is_err(), "{call} {path}: {told:?}");
                cases += 1;
            }
        }
    }
    for path in ["write/abroad/key", "write/up/secret/key", "write/abroad/"] {
        for call in ["unlink-file", "rename", "link", "remove-directory", "set-times"] {
            let told = said(probe, "act", &[call, &home.path(path), &home.path("write/aside")]);
            assert!(told.is_err(), "{call} {path}: {told:?}");
            cases += 1;
        }
    }
    assert_eq!(home.state(""), before);
    println!("cases: {cases}");
}

/// Returns the answer to a module of preview 1 for a call on its granted directories.
fn preview1(home: &Home, call: &str, first: &str, second: &str) -> String {
    let outcome = preview1_report(home, call, first, second).outcome;
    outcome.unwrap_or_else(|error| panic!("{call} {first}: {error:?}")).to_text()
}

/// Lets a module of preview 1 make a call on its granted directories: 3 to read, 4 to write.
fn preview1_report(home: &Home, call: &str, first: &str, second: &str) -> CallReport {
    let directory = |path: &str| if path.starts_with("read") { 3 } else { 4 };
    let below = |path: &str| path.split_once('/').map_or("", |(_, below)| below).to_owned();
    let (from, to) = (below(first), below(second));
    let (at, length) = (
        format!("(i32.const {})", directory(first)),
        format!("(i32.const 64) (i32.const {})", from.len()),
    );
    let there =
        format!("(i32.const {}) (i32.const 256) (i32.const {})", directory(second), to.len());
    let open = |rights: u64, flags: u32| {
        format!(
            "(call $path_open {at} (i32.const 1) {length} (i32.const {flags}) (i64.const {rights}) (i64.const {rights}) (i32.const 0) (i32.const 0))"
        )
    };
    let opened = |then: &str| {
        format!("(if (result i32) (local.tee 0 {}) (then (local.get 0)) (else {then}))", open(2, 0))
    };
    const DESCRIPTOR: &str = "(i32.load (i32.const 0))";
    const TIMES: &str = "(i64.const 1) (i64.const 1) (i32.const 5)";
    let body = match call {
        "read" => opened(&format!(
            "(i32.store (i32.const 8) (i32.const 1024)) (i32.store (i32.const 12) (i32.const 64)) (call $fd_read {DESCRIPTOR} (i32.const 8) (i32.const 1) (i32.const 16))"
        )),
        "write" => open(1 << 6, 0),
        "create" => open(1 << 6, 1),
        "create new" => open(1 << 6, 1 | 4),
        "truncate" => open(1 << 6, 8),
        "list" => open(1 << 14, 2),
        "set size" => opened(&format!("(call $fd_filestat_set_size {DESCRIPTOR} (i64.const 0))")),
        "set times" => {
            format!("(call $path_filestat_set_times {at} (i32.const 1) {length} {TIMES})")
        }
        "stat" => format!("(call $path_filestat_get {at} (i32.const 1) {length} (i32.const 512))"),
        "make directory" => format!("(call $path_create_directory {at} {length})"),
        "remove directory" => format!("(call $path_remove_directory {at} {length})"),
        "unlink" => format!("(call $path_unlink_file {at} {length})"),
        "rename" => format!("(call $path_rename {at} {length} {there})"),
        "link" => format!("(call $path_link {at} (i32.const 0) {length} {there})"),
        "symlink" => {
            format!("(call $path_symlink (i32.const 256) (i32.const {}) {at} {length})", to.len())
        }
        _ => panic!("{call}"),
    };
    let import = |name: &str, parameters: &str| {
        format!(
            r#"(import "wasi_snapshot_preview1" "{name}" (func ${name} (param {parameters}) (result i32)))"#
        )
    };
    let imports = [
        import("path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32"),
        import("fd_read", "i32 i32 i32 i32"),
        import("fd_filestat_set_size", "i32 i64"),
        import("path_filestat_set_times", "i32 i32 i32 i32 i64 i64 i32"),
        import("path_filestat_get", "i32 i32 i32 i32 i32"),
        import("path_create_directory", "i32 i32 i32"),
        import("path_remove_directory", "i32 i32 i32"),
        import("path_unlink_file", "i32 i32 i32"),
        import("path_rename", "i32 i32 i32 i32 i32 i32"),
        import("path_link", "i32 i32 i32 i32 i32 i32 i32"),
        import("path_symlink", "i32 i32 i32 i32 i32"),
    ]
    .join("\n");
    let module = support::wat(&format!(
        r#"(module {imports} (memory (export "memory") 1)
        (data (i32.const 64) "{from}") (data (i32.const 256) "{to}") (func (export "f") (result i32) (local i32) {body}))"#
    ));
    let module = HOST.compile(&module).expect("it compiles");
    support::call(&home.running(&module, BOTH, ""), "f", &[])
}

#[test]
fn preview_1_does_not_lead_out() {
    let home = Home::new();
    for (link, target) in [
        ("loop", "loop"),
        ("new", "../secret/new"),
        ("abroad", "../secret"),
        ("key", "../secret/key"),
    ] {
        symlink(target, home.root.join("write").join(link)).expect("made");
    }
    const DONE: &str = "0";
    assert_eq!(preview1(&home, "read", "read/note", ""), DONE);
    assert_eq!(preview1(&home, "create", "write/own", ""), DONE);
    let (secret, read) = (home.state("secret"), home.state("read"));
    let mut cases = 0;
    let ways_out = [
        "../secret/key",
        "abroad/key",
        "/etc/passwd",
        "./../secret/key",
        "abroad/../secret/key",
        "key",
        "loop",
        "new",
    ];
    for (directory, path) in
        ["read", "write"].iter().flat_map(|directory| ways_out.map(|path| (directory, path)))
    {
        for call in [
            "read",
            "write",
            "create",
            "truncate",
            "list",
            "set size",
            "set times",
            "stat",
            "make directory",
            "remove directory",
        ] {
            let path = format!("{directory}/{path}");
            // The directory to read lacks these names, so that its own new names are tried below.
            assert_ne!(preview1(&home, call, &path, ""), DONE, "{call} {path}");
            cases += 1;
        }
    }
    for path in ["../secret/key", "abroad/key", "/etc/passwd", "abroad/../secret/key"] {
        for (call, other) in
            [("unlink", ""), ("rename", "write/x"), ("link", "write/x"), ("symlink", "x/own")]
        {
            let path = format!("write/{path}");
            assert_ne!(preview1(&home, call, &path, other), DONE, "{call} {path}");
            cases += 1;
        }
    }
    for (call, other) in [
        ("write", ""),
        ("create new", ""),
        ("truncate", ""),
        ("set size", ""),
        ("set times", ""),
        ("make directory", ""),
        ("remove directory", ""),
        ("unlink", ""),
        ("rename", "write/x"),
        ("rename", "read/x"),
        ("link", "write/x"),
        ("symlink", "x/note"),
    ] {
        for path in ["read/note", "read/deep", "read/fresh"] {
            assert_ne!(preview1(&home, call, path, other), DONE, "{call} {path}");
            cases += 1;
        }
    }
    assert_ne!(preview1(&home, "rename", "write/own", "read/x"), DONE);
    assert_ne!(preview1(&home, "link", "write/own", "read/x"), DONE);
    assert_eq!((home.state("secret"), home.state("read")), (secret, read));
    println!("cases: {}", cases + 4);
}

#[test]
fn link_race_is_never_won() {
    let home = Home::new();
    assert_race_is_lost(&home, &home.probe());
}

/// Lets a guest open a file again and again while a link takes the place of its directory.
pub(crate) fn assert_race_is_lost(home: &Home, probe: &Extension) {
    const SWAPS: u32 = 100_000;
    fs::create_dir(home.root.join("write/swap")).expect("made");
    fs::write(home.root.join("write/swap/key"), "mine").expect("written");
    let (swap, aside) = (home.root.join("write/swap"), home.root.join("write/aside"));
    let secret = home.state("secret");
    let (stop, swaps) = (AtomicBool::new(false), AtomicU32::new(0));
    let good: u64 = std::thread::scope(|scope| {
        scope.spawn(|| swap_until(&stop, &swaps, &swap, &aside, &home.root.join("secret")));
        let until_here = Stop(&stop);
        let mut good = 0;
        // A busy machine gives the guest less of a turn between two swaps.
        let until = Instant::now() + Duration::from_secs(60);
        while swaps.load(Ordering::Relaxed) < SWAPS || (good <= 1_000 && Instant::now() < until) {
            let told =
                said(probe, "hammer", &[&home.path("write/swap"), "200"]).expect("it returns");
            let (strange, count) =
                told.trim_matches(['(', ')']).rsplit_once(", ").expect("two values");
            assert_eq!(strange, "[]");
            good += count.parse::<u64>().expect("a number");
        }
        drop(until_here);
        good
    });
    assert!(good > 1_000, "only {good} calls found the directory in its place");
    assert_eq!(home.state("secret"), secret);
    println!("cases: {SWAPS}");
}

/// Stops the swapping, also when the race is won.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Puts a link in the place of a directory and back, over and over.
fn swap_until(stop: &AtomicBool, swaps: &AtomicU32, swap: &Path, aside: &Path, target: &Path) {
    while !stop.load(Ordering::Relaxed) {
        let _ = fs::rename(swap, aside);
        let _ = symlink(target, swap);
        let _ = fs::remove_file(swap);
        let _ = fs::rename(aside, swap);
        swaps.fetch_add(1, Ordering::Relaxed);
    }
}
