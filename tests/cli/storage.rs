//! `extension storage`, and what extensions keep from one call to the next.

use test_support::files_below;

use crate::bus_session::{limit, wait_for};
use crate::support::{GREETING, TestEnv, env, manifest, with_guest};

/// A guest that uses every function. It says in its head what its numbers mean.
const GUEST: &str = include_str!("../guests/storage.wat");

/// Makes an environment in which the guest is installed and may keep data.
fn keeper(grant: &str) -> TestEnv {
    let env = env();
    env.write("work/keeper.wasm", wat::parse_str(GUEST).expect("valid text"));
    env.run(&format!("extension install ./keeper.wasm --grant {grant}")).ok();
    env
}

/// Returns the files of all storages.
fn storages(env: &TestEnv) -> Vec<String> {
    let named = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
    let files = env.files().into_iter().map(|(path, _)| named(path));
    files.filter(|path| path.contains("extensions/storage/")).collect()
}

/// Each call finds what the one before kept, and a person sees and changes it.
#[test]
fn data_is_kept_and_changed() {
    let env = keeper("storage");
    assert!(storages(&env).is_empty());
    insta::assert_snapshot!(env.run("extension storage keeper"), @"exit 0");
    assert_eq!(env.run("call keeper count").ok().text(), "1001\n");
    assert_eq!(env.run("call keeper count").ok().text(), "1002\n");
    insta::assert_snapshot!(env.run("extension storage keeper"), @r#"
    exit 0
    out: count	2
    "#);
    insta::assert_snapshot!(env.run_with(["extension", "storage", "keeper", "set", "place"], b"Oslo"), @r#"
    exit 0
    out: `keeper` keeps a value under place
    "#);
    insta::assert_snapshot!(env.run("extension storage keeper get place"), @r#"
    exit 0
    out: Oslo
    "#);
    insta::assert_snapshot!(env.run("extension storage keeper get place --json"), @r#"
    exit 0
    out: {"schema_version":1,"stored":{"key":"place","text":"Oslo"}}
    "#);
    insta::assert_snapshot!(env.run("extension storage keeper --json"), @r#"
    exit 0
    out: {"schema_version":1,"storage":{"keys":[{"key":"count","size":2},{"key":"place","size":4}],"max_bytes":262144,"size_bytes":16}}
    "#);
    insta::assert_snapshot!(env.run("extension storage keeper remove place"), @r#"
    exit 0
    out: `keeper` keeps nothing under place
    "#);
    insta::assert_snapshot!(env.run("extension storage keeper remove place"), @r#"
    exit 0
    out: already: `keeper` keeps nothing under place
    "#);
    insta::assert_snapshot!(env.run("extension storage keeper get place"), @r#"
    exit 3
    err: error: the storage of `keeper` has no key `place`
    err: hint: sesame extension storage keeper
    "#);
    insta::assert_snapshot!(env.run("extension storage keeper get ../place"), @r#"
    exit 2
    err: error: invalid value '../place' for '<KEY>': `../place` is not a key of storage, such as `answers/oslo`: 1 to 128 characters of `a-z`, `0-9`, `.`, `_`, `-` and `/`, beginning with a letter or digit
    err: 
    err: For more information, try '--help'.
    "#);
    insta::assert_snapshot!(env.run("extension storage keeper get place --reset"), @r#"
    exit 2
    err: error: unexpected argument '--reset' found
    err: 
    err:   tip: to pass '--reset' as a value, use '-- --reset'
    err: 
    err: Usage: sesame extension storage <NAME> get <KEY>
    err: 
    err: For more information, try '--help'.
    "#);
    insta::assert_snapshot!(env.run("extension storage nobody"), @r#"
    exit 3
    err: error: there is no extension `nobody`
    err: hint: sesame extension list
    "#);
}

/// A call that does not use its storage opens no file of it.
#[test]
fn unused_storage_is_not_opened() {
    let env = with_guest("greet", &GREETING);
    env.run("extension grant greet storage").ok();
    env.run("call greet greet World").ok();
    assert!(!env.path(".local/state/pds/extensions/storage").exists());
}

/// A call that is stopped keeps nothing, and one that returns an error does.
#[test]
fn stopped_call_keeps_nothing() {
    let env = keeper("storage");
    assert_eq!(env.run("call keeper set-then a 1 2").code, 7);
    assert_eq!(env.run("extension storage keeper get a").code, 3);
    assert_eq!(env.run("call keeper set-then a 1 1").code, 1);
    env.run("extension storage keeper get a").ok();
}

/// A second call waits for the storage within its own time, and is told that it did not get it; one
/// with more time gets it after the first.
#[test]
fn call_waits_for_the_storage() {
    let env = keeper("storage");
    let storage = env.path(".local/state/pds/extensions/storage");
    let in_use = || storage.exists() && files_below(&storage).iter().any(|it| it.ends_with("lock"));
    limit(&env, "keeper", 10_000);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| env.run("call keeper set-then a 1 3"));
        wait_for(|| in_use() || first.is_finished(), || "no storage is in use".to_owned());
        limit(&env, "keeper", 1_500);
        // The third case of the error of storage.
        assert_eq!(env.run("call keeper count").ok().text(), "3\n");
        limit(&env, "keeper", 60_000);
        assert!(!first.is_finished(), "the first call has the storage all the time");
        assert_eq!(env.run("call keeper count").ok().text(), "1001\n");
        assert_eq!(first.join().expect("no panic").code, 7);
    });
}

/// The limit is that of the grant and of every policy, and `why` names a grant with more.
#[test]
fn limit_comes_from_grant_and_policy() {
    let env = keeper("storage=1KiB");
    let long = "x".repeat(1100);
    let call = |env: &TestEnv| env.run_with(["call", "keeper", "set", "a", &long], b"").ok();
    insta::assert_snapshot!(call(&env), @r#"
    exit 0
    out: 4
    err: warning: `keeper` may not use storage: not granted (~/.config/pds/extensions/keeper.toml:6); allow it with: sesame extension grant keeper storage
    "#);
    insta::assert_snapshot!(env.run("extension why keeper"), @r#"
    exit 0
    out: TIME  storage: not granted (~/.config/pds/extensions/keeper.toml:6)
    out:   allow it: sesame extension grant keeper storage
    "#);
    env.run("extension grant keeper storage=2MiB").ok();
    insta::assert_snapshot!(call(&env), @r#"
    exit 0
    out: 0
    "#);
    assert!(env.read(&manifest("keeper")).contains("storage = { max_kib = 2048 }"));
    env.write(".config/pds/config.toml", "[extensions.policy]\nmax_storage_kib = 1\n");
    insta::assert_snapshot!(env.run_with(["extension", "storage", "keeper", "set", "b"], long.as_bytes()), @r#"
    exit 2
    err: error: `b` does not fit into the storage
    err: caused by: all keys and values have at most 1024 bytes, and would have 2202
    "#);
    env.write(".config/pds/config.toml", "[extensions.policy]\ndeny = [\"storage\"]\n");
    insta::assert_snapshot!(env.run("call keeper get a"), @r#"
    exit 5
    err: error: policy denies `keeper` the capability `storage`, which it needs
    err: hint: `deny` in `~/.config/pds/config.toml` lists the denied capabilities
    "#);
}

/// A damaged file is said, set aside and not used before a reset.
#[test]
fn damaged_data_waits_for_reset() {
    let env = keeper("storage");
    env.run("call keeper set a 1").ok();
    let file = storages(&env).into_iter().find(|path| path.ends_with("values")).expect("a file");
    std::fs::write(&file, "damaged").expect("written");
    insta::assert_snapshot!(env.run("call keeper get a"), @r#"
    exit 0
    out: 3
    err: warning: the storage of `keeper` is damaged and not used; to begin with an empty one: sesame extension storage keeper --reset
    "#);
    insta::assert_snapshot!(env.run("extension storage keeper"), @r#"
    exit 9
    err: error: the storage is damaged: its file is now `~/.local/state/pds/extensions/storage/81d480baf42eccf79291bfca4e8246e216c291183d89380a3e9c10fb0779b18e/damaged`
    err: hint: sesame extension storage keeper --reset
    "#);
    assert!(storages(&env).iter().any(|path| path.ends_with("damaged")));
    insta::assert_snapshot!(env.run("extension storage keeper --reset"), @r#"
    exit 0
    out: the storage of `keeper` is empty
    "#);
    insta::assert_snapshot!(env.run("call keeper set a 1"), @r#"
    exit 0
    out: 0
    "#);
}

/// Data stays without its extension until a purge, and is shown meanwhile.
#[test]
fn data_stays_until_purge() {
    let env = keeper("storage");
    env.run("call keeper set a 1").ok();
    env.run("extension gc").ok();
    insta::assert_snapshot!(env.run("extension list --orphans"), @"exit 0");
    env.run("extension remove keeper").ok();
    assert!(!storages(&env).is_empty());
    insta::assert_snapshot!(env.run("extension list --orphans -o name"), @r#"
    exit 0
    out: local/file/keeper@sha256:DIGEST
    "#);
    env.run("extension install ./keeper.wasm --grant storage").ok();
    assert_eq!(env.run("call keeper get a").ok().text(), "1049\n");
    insta::assert_snapshot!(env.run("extension remove keeper --purge"), @r#"
    exit 0
    out: removed keeper: 2473 bytes freed, its data is deleted, nothing is kept
    "#);
    assert!(storages(&env).is_empty());
}

/// Data that an earlier removal left goes with a later purge.
#[test]
fn purge_after_removal_takes_data() {
    let env = keeper("storage");
    env.run("call keeper set a 1").ok();
    env.run("extension remove keeper").ok();
    insta::assert_snapshot!(env.run("extension remove keeper --purge"), @r#"
    exit 0
    out: removed keeper: 0 bytes freed, its data is deleted, nothing is kept
    "#);
    assert!(storages(&env).is_empty());
}

/// Data go into a bundle only where a person says so, and out of it as well; they replace none, and
/// belong to the extension of the bundle alone.
#[test]
fn data_go_with_a_bundle_where_asked() {
    let first = keeper("storage");
    first.run("call keeper count").ok();
    first.run("extension export keeper -o without.tar").ok();
    first.run("extension export keeper -o with.tar --with-storage").ok();
    let has_data =
        |bundle: &str| first.read_bytes(bundle).windows(14).any(|bytes| bytes == b"sesame storage");
    assert!(has_data("work/with.tar") && !has_data("work/without.tar"));

    let second = env();
    for bundle in ["with.tar", "without.tar"] {
        second.write(&format!("work/{bundle}"), first.read_bytes(&format!("work/{bundle}")));
    }
    second.run("extension import with.tar --grant storage").ok();
    assert_eq!(second.run("extension storage keeper").text(), "", "nobody asked for the data");
    second.run("extension import with.tar --with-storage").ok();
    insta::assert_snapshot!(second.run("extension storage keeper"), @r#"
    exit 0
    out: count	1
    "#);
    second.run("extension import with.tar --with-storage").ok();
    assert_eq!(second.run("call keeper count").ok().text(), "1002\n");
    insta::assert_snapshot!(second.run("extension import with.tar --with-storage"), @r#"
    exit 5
    err: error: `keeper` keeps data here already
    err: without --with-storage it is imported and keeps its own data
    err: hint: to lose its own data: sesame extension storage keeper --reset
    "#);
    second.run("extension import without.tar --with-storage").ok();
    assert_eq!(second.run("call keeper count").ok().text(), "1003\n", "it had none to give");
}

/// Damaged data of a bundle are refused before anything is installed.
#[test]
fn damaged_data_of_a_bundle_install_nothing() {
    let env = keeper("storage");
    env.run("call keeper count").ok();
    env.run("extension export keeper -o with.tar --with-storage").ok();
    let mut bundle = env.read_bytes("work/with.tar");
    let at = bundle.windows(14).position(|it| it == b"sesame storage").expect("its data");
    bundle[at + 60] ^= 1;
    let other = crate::support::env();
    other.write("work/with.tar", bundle);
    insta::assert_snapshot!(other.run("extension import with.tar --with-storage --grant storage"), @r#"
    exit 6
    err: error: the artifact is damaged
    err: caused by: wrong bytes: expected sha256:DIGEST, got sha256:DIGEST
    "#);
    assert_eq!(other.run("list --json").ok().text().matches("keeper").count(), 0);
}
