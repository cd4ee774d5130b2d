//! A cache that is missing, stale, damaged or another user's neither crashes sesame nor runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use core_types::Digest;
use extension_host::{CacheError, CodeCache, CodeKey};

use crate::support::{GREETING, TestEnv, small, with_guest};

fn code(env: &TestEnv) -> PathBuf {
    let entries = fs::read_dir(env.path(".cache/pds/extensions"))
        .expect("there")
        .flatten()
        .map(|entry| entry.path());
    let mut code: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "code"))
        .collect();
    assert_eq!(code.len(), 1);
    code.remove(0)
}

#[track_caller]
fn greets(env: &TestEnv) -> String {
    let run = env.run("-v extension call greet greet World").ok();
    assert_eq!(run.text(), "Hello, World!\n");
    run.stderr
}

#[test]
fn warm_cache_is_used() {
    let env = with_guest("greet", &GREETING);
    assert_eq!(greets(&env), "");
    fs::remove_dir_all(env.path(".cache")).expect("removed");
    assert_eq!(greets(&env), "compiling: there is no compiled code yet\n");
    assert_eq!(greets(&env), "");
}

#[test]
fn changed_code_is_compiled_again() {
    let changes: [fn(&PathBuf); 4] = [
        |path| fs::write(path, b"").expect("written"),
        |path| {
            let bytes = fs::read(path).expect("there");
            fs::write(path, &bytes[..bytes.len() / 2]).expect("written");
        },
        |path| {
            let mut bytes = fs::read(path).expect("there");
            let middle = bytes.len() / 2;
            bytes[middle..].fill(0xcc);
            fs::write(path, bytes).expect("written");
        },
        |path| fs::set_permissions(path, PermissionsExt::from_mode(0o666)).expect("set"),
    ];
    for change in changes {
        let env = with_guest("greet", &GREETING);
        std::thread::sleep(std::time::Duration::from_millis(20));
        change(&code(&env));
        assert!(greets(&env).starts_with("compiling: "));
        assert_eq!(greets(&env), "");
    }
}

/// Replaces compiled code by other bytes, with a stamp as good as that of our own compiler.
fn replace_code(env: &TestEnv, name: &str, bytes: &[u8]) {
    let manifest = env.read(&crate::support::manifest(name));
    let pinned = manifest.split("sha256:").nth(1).expect("pinned");
    let document = env.read(&format!(".config/pds/extensions/blobs/sha256/{}", &pinned[..64]));
    // The configuration comes first, then the only layer.
    let layer = document.split("sha256:").nth(2).expect("a layer");
    let digest: Digest = format!("sha256:{}", &layer[..64]).parse().expect("a digest");
    let write = |path: &Path| {
        fs::write(path, bytes).map_err(|source| CacheError::Io { path: path.into(), source })
    };
    CodeCache::new(env.path(".cache/pds/extensions"))
        .store(&CodeKey::new(&digest), write)
        .expect("stored");
}

/// A file that sesame did not compile is compiled again, however good its stamp is.
#[test]
fn foreign_code_is_never_loaded() {
    let env = with_guest("greet", &GREETING);
    let good = fs::read(code(&env)).expect("there");
    let sesame = fs::read(env!("CARGO_BIN_EXE_sesame")).expect("there");
    for bytes in
        [&b""[..], b"text", &sesame[..4096], &GREETING, &good[..good.len() / 2], &good[..64]]
    {
        replace_code(&env, "greet", bytes);
        assert!(greets(&env).starts_with("compiling: "), "{} bytes", bytes.len());
        assert_eq!(greets(&env), "");
    }
}

/// Code of another kind or of another extension gets only what the manifest grants.
#[test]
fn swapped_code_gains_no_grant() {
    let env = with_guest("greet", &GREETING);
    let desktop = crate::support::desktop();
    let stranger = fs::read(code(&desktop)).expect("there");
    let module = wat::parse_str(r#"(module (func (export "f") (result i32) (i32.const 7)))"#)
        .expect("valid");
    for (name, binary) in
        [("module", module.clone()), ("small", small(1)), ("greeting", GREETING.clone())]
    {
        env.write(&format!("work/{name}.wasm"), binary);
        env.run(&format!("extension install ./{name}.wasm")).ok();
        replace_code(&env, name, &stranger);
        // It needs a grant that none of them has, so it does not even link.
        let run = env.run(&format!("extension call {name} read-secret token"));
        assert_eq!(run.code, 5, "{run}");
    }
    let module = with_guest("module", &module);
    replace_code(&env, "greeting", &fs::read(code(&module)).expect("there"));
    let run = env.run("extension call greeting greet World");
    assert!(
        run.code == 3 && run.stderr.contains("no function `greet`"),
        "the module has no such function: {run}"
    );
}

#[test]
fn shared_cache_directory_is_unused() {
    let env = with_guest("greet", &GREETING);
    let directory = env.path(".cache/pds/extensions");
    fs::set_permissions(&directory, PermissionsExt::from_mode(0o777)).expect("set");
    assert!(greets(&env).contains("warning: compiled code is not kept: "));
    fs::remove_dir_all(&directory).expect("removed");
    fs::write(&directory, "").expect("a file instead");
    assert!(greets(&env).contains("warning: compiled code is not kept: "));
}

#[test]
fn verify_finds_silent_corruption() {
    let env = with_guest("greet", &GREETING);
    let stamp = code(&env).with_extension("stamp");
    let text = fs::read_to_string(&stamp).expect("there");
    let (first, digest) = text.split_once('\n').expect("two lines");
    let rotten = digest.replace(|c: char| c.is_ascii_digit(), "0");
    fs::write(&stamp, format!("{first}\n{rotten}")).expect("written");
    let run = env.run("extension verify greet");
    assert_eq!(run.code, 9, "{run}");
    assert!(run.text().contains("has changed since it was written"), "{run}");
    env.run("extension verify --repair greet").ok();
    env.run("extension verify greet").ok();
}

#[test]
fn compile_bomb_is_bounded() {
    // One function of many nested blocks over a large table of targets takes a compiler long.
    let blocks = 40_000;
    let nested = format!(
        "{}(br_table {} (i32.const 0)){}",
        "(block ".repeat(blocks),
        "0 ".repeat(blocks),
        ")".repeat(blocks)
    );
    let text = format!("(component (core module (func {nested})))");
    let env = crate::support::env();
    env.write("work/bomb.wasm", wat::parse_str(&text).expect("valid text format"));
    let run = env.run("extension install ./bomb.wasm");
    assert!([0, 1, 7].contains(&run.code), "{run}");
}

/// The leftovers of a killed compiler go with the next change, unless another command is at work.
#[test]
fn next_change_removes_leftovers() {
    let env = with_guest("greet", &GREETING);
    let cache = env.path(".cache/pds/extensions");
    let left = || {
        fs::write(cache.join(".new-code"), "half").expect("written");
        fs::create_dir_all(cache.join(".new-many/x")).expect("made");
    };
    let is_there = || [".new-code", ".new-many"].map(|name| cache.join(name).exists());
    for line in
        ["extension disable greet", "extension enable greet", "extension pin greet", "extension gc"]
    {
        left();
        env.run(line).ok();
        assert_eq!(is_there(), [false, false], "{line}");
    }
    left();
    let at_work = fs::File::open(cache.join("lock")).expect("the lock");
    at_work.lock_shared().expect("locked");
    for line in ["extension unpin greet", "extension gc"] {
        env.run(line).ok();
        assert_eq!(is_there(), [true, true], "{line}: they may be somebody's");
    }
    // Closing it would leave the lock to a child that another test has just forked.
    at_work.unlock().expect("unlocked");
    for line in ["extension list", "extension call greet greet World", "extension gc --dry-run"] {
        env.run(line).ok();
        assert_eq!(is_there(), [true, true], "{line} changes nothing");
    }
    env.run("extension remove greet").ok();
    assert_eq!(is_there(), [false, false]);
}
