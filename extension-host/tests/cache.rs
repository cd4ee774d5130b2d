//! The code cache: code that another program could have touched never runs.

use crate::support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use core_types::Digest;
use extension_host::{
    CacheError, CodeCache, CodeKey, CompileError, CompilerCommand, Host, IntoCacheError,
};
use sha2::Digest as _;
use support::GREETING;
use wasmtime::{Config, Engine, ModuleVersionStrategy};

struct Cached {
    directory: tempfile::TempDir,
    cache: CodeCache,
    key: CodeKey,
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::from_sha256(sha2::Sha256::digest(bytes).into())
}

/// Makes a cache with something in it. Tests with it never load the content, so that it need not be
/// code.
fn cached() -> Cached {
    let directory = tempfile::tempdir().expect("a directory");
    let cache = CodeCache::new(directory.path().join("deep/cache"));
    let key = CodeKey::new(&digest(b"x"));
    store(&cache, &key).expect("stored");
    Cached { directory, cache, key }
}

fn store(cache: &CodeCache, key: &CodeKey) -> Result<fs::File, CacheError> {
    cache.store(key, |path| {
        fs::write(path, b"code").map_err(|source| CacheError::Io { path: path.into(), source })
    })
}

fn touch(path: &Path, change: impl Fn(&Path)) {
    // The clock of change times is coarse: a change within one tick of it is told apart by size or
    // inode.
    std::thread::sleep(std::time::Duration::from_millis(20));
    change(path);
}

#[test]
fn stored_code_is_private_and_unchanged() {
    let Cached { cache, key, directory: _directory } = cached();
    cache.open(&key).expect("there");
    cache.verify(&key).expect("whole");
    let path = cache.path(&key);
    let mode = |path: &Path| fs::metadata(path).expect("there").mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().expect("above"))), (0o600, 0o700));
    assert_eq!(
        fs::read_dir(path.parent().expect("above")).expect("read").count(),
        3,
        "the code, its stamp and the lock"
    );
    cache.remove(&key).expect("removed");
    assert!(matches!(cache.open(&key), Err(CacheError::Missing { .. })));
}

#[test]
fn key_covers_binary_and_engine() {
    assert_ne!(CodeKey::new(&digest(b"x")), CodeKey::new(&digest(b"y")));
}

#[test]
fn changed_file_is_not_used() {
    type Change = (&'static str, fn(&Path));
    let changes: [Change; 7] = [
        ("overwritten", |path| fs::write(path, b"evil").expect("written")),
        ("truncated", |path| fs::write(path, b"co").expect("written")),
        ("emptied", |path| fs::write(path, b"").expect("written")),
        ("replaced", |path| {
            fs::remove_file(path).expect("removed");
            fs::write(path, b"code").expect("written");
        }),
        ("with the old time", |path| {
            let times = fs::FileTimes::new()
                .set_modified(fs::metadata(path).expect("there").modified().expect("a time"));
            fs::write(path, b"evil").expect("written");
            fs::File::options()
                .write(true)
                .open(path)
                .expect("open")
                .set_times(times)
                .expect("set");
        }),
        ("renamed away and back", |path| {
            fs::rename(path, path.with_extension("x")).expect("renamed");
            fs::rename(path.with_extension("x"), path).expect("renamed");
        }),
        ("with other permissions", |path| {
            fs::set_permissions(path, PermissionsExt::from_mode(0o400)).expect("set")
        }),
    ];
    for (what, change) in changes {
        let Cached { cache, key, directory } = cached();
        touch(&cache.path(&key), change);
        assert!(matches!(cache.open(&key), Err(CacheError::Changed { .. })), "{what}");
        store(&cache, &key).expect("stored again");
        cache.open(&key).expect(what);
        drop(directory);
    }
}

/// A file or directory that is not the user's alone is not used.
#[test]
fn shared_file_or_directory_is_not_used() {
    let make_writable: [fn(&Path); 2] = [
        |path| fs::set_permissions(path, PermissionsExt::from_mode(0o666)).expect("set"),
        |path| {
            fs::set_permissions(path.parent().expect("above"), PermissionsExt::from_mode(0o777))
                .expect("set")
        },
    ];
    for change in make_writable {
        let Cached { cache, key, directory } = cached();
        touch(&cache.path(&key), change);
        assert!(matches!(cache.open(&key), Err(CacheError::NotOurs { .. })));
        drop(directory);
    }
    let Cached { cache, key, directory } = cached();
    let path = cache.path(&key);
    let elsewhere = directory.path().join("elsewhere");
    fs::rename(&path, &elsewhere).expect("moved");
    symlink(&elsewhere, &path).expect("linked");
    assert!(cache.open(&key).is_err(), "a link is not followed");
    fs::remove_file(&path).expect("removed");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .expect("made");
    assert!(cache.open(&key).is_err(), "a pipe is not waited for");
}

#[test]
#[ignore = "needs root, to give files away"]
fn file_of_other_user_is_not_used() {
    let Cached { cache, key, directory } = cached();
    std::os::unix::fs::chown(cache.path(&key), Some(65534), None).expect("given away");
    assert!(matches!(cache.open(&key), Err(CacheError::NotOurs { .. })));
    store(&cache, &key).expect("stored again");
    std::os::unix::fs::chown(directory.path().join("deep/cache"), Some(65534), None)
        .expect("given away");
    assert!(matches!(cache.open(&key), Err(CacheError::NotOurs { .. })));
    assert!(matches!(store(&cache, &key), Err(CacheError::NotOurs { .. })));
}

#[test]
fn damaged_stamp_is_a_change() {
    for stamp in ["", "0 0 0.0\n", "nonsense", "\u{0}"] {
        let Cached { cache, key, directory } = cached();
        fs::write(cache.path(&key).with_extension("stamp"), stamp).expect("written");
        assert!(matches!(cache.open(&key), Err(CacheError::Changed { .. })), "{stamp:?}");
        drop(directory);
    }
}

/// A file with a good stamp that is not code does not load.
#[test]
fn stamped_garbage_does_not_load() {
    let Cached { cache, key, directory: _directory } = cached();
    let host = Host::new().expect("a host");
    assert!(host.load(&cache, &key).is_err());
    for garbage in [
        &b""[..],
        b"\x7fELF",
        b"text",
        &GREETING,
        &fs::read("/proc/self/exe").expect("this program"),
    ] {
        store_as_code(&cache, &key, garbage);
        assert!(host.load(&cache, &key).is_err());
    }
}

/// Puts these bytes into the cache as if they had been compiled for the key.
fn store_as_code(cache: &CodeCache, key: &CodeKey, bytes: &[u8]) {
    let write = |path: &Path| {
        fs::write(path, bytes).map_err(|source| CacheError::Io { path: path.into(), source })
    };
    cache.store(key, write).expect("stored");
}

/// Compiles with another Wasmtime's name for the settings.
fn compiled_by_others(binary: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    type Change = fn(&mut Config) -> Option<&mut Config>;
    let changes: [(&str, Change); 4] = [
        ("as Wasmtime comes", |config| Some(config)),
        ("with fuel", |config| Some(config.consume_fuel(true))),
        ("of another version", |config| {
            config.module_version(ModuleVersionStrategy::Custom("48.0.7".into())).ok()
        }),
        ("of no version", |config| config.module_version(ModuleVersionStrategy::None).ok()),
    ];
    let compiled = changes.into_iter().map(|(name, change)| {
        let mut config = Config::new();
        change(&mut config).expect(name);
        (name, Engine::new(&config).expect(name).precompile_component(binary).expect(name))
    });
    compiled.collect()
}

/// Code of another Wasmtime does not load, even with a good stamp.
#[test]
fn code_of_other_wasmtime_is_refused() {
    let Cached { cache, key, directory: _directory } = cached();
    let host = Host::new().expect("a host");
    for (name, code) in compiled_by_others(&GREETING) {
        store_as_code(&cache, &key, &code);
        assert!(cache.open(&key).is_ok() && host.load(&cache, &key).is_err(), "{name}");
    }
}

#[test]
fn thousand_damaged_files_are_refused() {
    let Cached { cache, key, directory: _directory } = cached();
    let code: Vec<u8> = (0..4_096_u32).map(|byte| (byte % 251) as u8).collect();
    let mut dice = 1_u64;
    let mut roll = |sides: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(dice >> 33).expect("31 bits") % sides
    };
    for round in 0..1_000 {
        let store = |path: &Path| {
            fs::write(path, &code).map_err(|source| CacheError::Io { path: path.into(), source })
        };
        cache.store(&key, store).expect("stored");
        let (path, is_stamp) = match round % 4 {
            0 => (cache.path(&key).with_extension("stamp"), true),
            _ => (cache.path(&key), false),
        };
        let mut bytes = fs::read(&path).expect("there");
        let at = roll(bytes.len());
        match round % 3 {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << roll(8),
            _ => bytes.extend(vec![0; 1 + roll(64)]),
        }
        // Replaced, as a restored backup would be.
        fs::remove_file(&path).expect("removed");
        fs::write(&path, &bytes).expect("written");
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("set");
        let is_harmless = is_stamp && cache.verify(&key).is_ok();
        assert!(
            is_harmless || cache.open(&key).is_err() || cache.verify(&key).is_err(),
            "round {round}"
        );
        if !is_stamp {
            assert!(cache.open(&key).is_err(), "round {round}");
        }
    }
}

#[test]
fn leftovers_of_others_do_no_harm() {
    let Cached { cache, key, directory: _directory } = cached();
    let directory = cache.path(&key).parent().expect("above").to_owned();
    for name in [".new-abc", ".new-def.stamp", ".new-dir", "x.code.tmp"] {
        fs::write(directory.join(name), "half").expect("written");
    }
    fs::remove_file(directory.join(".new-dir")).expect("removed");
    fs::create_dir(directory.join(".new-dir")).expect("made");
    fs::write(directory.join(".new-dir/x"), "half").expect("written");
    let unnamed = || {
        let names =
            fs::read_dir(&directory).expect("read").map(|entry| entry.expect("there").file_name());
        names.filter(|name| name.to_string_lossy().starts_with(".new-")).count()
    };
    let at_work = fs::File::open(directory.join("lock")).expect("the lock");
    at_work.lock_shared().expect("locked");
    store(&cache, &key).expect("stored");
    cache.sweep();
    cache.open(&key).expect("there");
    let young = cache.unreferenced_files(std::slice::from_ref(&key)).expect("read");
    assert!(young.is_empty() && unnamed() == 3, "somebody may be at work on them: {young:?}");
    // Closing it would leave the lock to a child that another test has just forked.
    at_work.unlock().expect("unlocked");
    assert_eq!(
        cache.unreferenced_files(std::slice::from_ref(&key)).expect("read").len(),
        3,
        "nobody is"
    );
    store(&cache, &key).expect("stored");
    assert_eq!((unnamed(), directory.join("x.code.tmp").exists()), (0, true));
    cache.open(&key).expect("there");
}

/// Compiles with a shell script in the place of the compiler.
fn compile_with(script: &str) -> IntoCacheError {
    let cached = cached();
    let binary = cached.directory.path().join("x.wasm");
    fs::write(&binary, &*GREETING).expect("written");
    let compiler = CompilerCommand::new("/bin/sh".into(), vec!["-c".into(), script.into()]);
    let compiled =
        Host::new().expect("a host").compile_into(&cached.cache, &cached.key, &binary, &compiler);
    compiled.map(drop).expect_err("no code")
}

/// A signal from outside is not taken for a limit, and a limit not for a signal from outside.
#[test]
fn end_of_compiler_names_true_cause() {
    let killed = compile_with("kill -KILL $$");
    assert!(
        matches!(killed, IntoCacheError::Compile(CompileError::Killed { signal: 9 })),
        "{killed}"
    );
    let too_long = compile_with("kill -XCPU $$");
    assert!(
        matches!(too_long, IntoCacheError::Compile(CompileError::TooLong { .. })),
        "{too_long}"
    );
    insta::assert_snapshot!(compile_with("echo 'no such library' >&2; exit 127"), @"the compiler crashed (exit code 127): no such library");
}
