//! `grant`, `revoke`, `enable`, `disable`, `info`, `remove`, `verify`

use crate::support::{ECHO, GREETING, env, manifest, registry, with_guest};

#[test]
fn grants_are_written_and_revoked() {
    let env = with_guest("greet", &GREETING);
    insta::assert_snapshot!(env.run("extension grant greet notification network=api.example.com config-read"), @r#"
    exit 0
    out: `greet` may use notification: show notifications, ten a minute at most
    out: `greet` may use network=api.example.com: send anything that it knows to this host, and read what the host answers
    out: already: `greet` may use config-read: read its own settings, which you write in its manifest
    "#);
    let before = env.files();
    insta::assert_snapshot!(env.run("extension grant greet notification"), @r#"
    exit 0
    out: already: `greet` may use notification: show notifications, ten a minute at most
    "#);
    assert_eq!(env.files(), before);
    insta::assert_snapshot!(env.run("extension revoke greet network config-read=greeting.*"), @r#"
    exit 5
    err: error: `greet` was not granted config-read=greeting.* as such
    err: these may cover it:
    err:   config-read
    err: hint: sesame extension revoke greet config-read
    "#);
    assert_eq!(env.files(), before);
    insta::assert_snapshot!(env.run("extension revoke greet network notification"), @r#"
    exit 0
    out: `greet` may not use network
    out: `greet` may not use notification
    "#);
    insta::assert_snapshot!(env.run("extension revoke greet network=api.example.com"), @r#"
    exit 0
    out: already: `greet` may not use network=api.example.com
    "#);
    assert!(env.read(&manifest("greet")).ends_with("[capabilities]\nconfig-read = true\n"));
    insta::assert_snapshot!(env.run("extension grant greet network"), @r#"
    exit 2
    err: error: invalid value 'network' for '<CAPABILITY[=SCOPE]>...': `network` needs a scope: `network=api.example.com`
    err: 
    err: For more information, try '--help'.
    "#);
    insta::assert_snapshot!(env.run("extension grant greet root"), @r#"
    exit 2
    err: error: invalid value 'root' for '<CAPABILITY[=SCOPE]>...': `root` is not a capability; there are `config-read`, `secret-read`, `secret-write`, `notification`, `clipboard-write`, `ipc-publish`, `storage`, `env`, `network`, `filesystem`, `exec-env`, `resources`, `events`, `experimental`
    err: 
    err: For more information, try '--help'.
    "#);
    insta::assert_snapshot!(env.run("extension grant nobody notification"), @r#"
    exit 3
    err: error: there is no extension `nobody`
    err: hint: sesame extension list
    "#);
}

#[test]
fn disabled_extension_is_not_called() {
    let env = with_guest("greet", &GREETING);
    insta::assert_snapshot!(env.run("extension disable greet"), @r#"
    exit 0
    out: `greet` is disabled
    "#);
    insta::assert_snapshot!(env.run("extension disable greet"), @r#"
    exit 0
    out: already: `greet` is disabled
    "#);
    insta::assert_snapshot!(env.run("extension call greet greet World"), @r#"
    exit 5
    err: error: `greet` is disabled
    err: hint: sesame extension enable greet
    "#);
    insta::assert_snapshot!(env.run("extension enable greet"), @r#"
    exit 0
    out: `greet` is enabled
    "#);
    assert_eq!(env.run("extension call greet greet World").ok().text(), "Hello, World!\n");
}

#[test]
fn info_shows_all_facts() {
    let env = with_guest("greet", &GREETING);
    let run = env.run("extension info greet").ok();
    let shown = run.to_string();
    let is_stable = |line: &&str| {
        !line.contains("installed  ") && !line.contains("wasi:") && !line.contains("binary  ")
    };
    let lines: Vec<_> = shown.lines().filter(is_stable).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    exit 0
    out: name         greet
    out: version      0.0.0
    out: reference    local/file/greet:0.0.0@sha256:DIGEST
    out: signer       unsigned (TIME)
    out: manifest     ~/.config/pds/extensions/greet.toml
    out: state        enabled
    out: may use      config-read
    out: asks for     config-read: read its own settings, which you write in its manifest; allowed, granted: config-read (~/.config/pds/extensions/greet.toml:7)
    out: limit        memory 64 MiB (the default)
    out: limit        fuel 1,000,000,000 (the default)
    out: limit        time 5,000 ms (the default)
    out: limit        table elements 20,000 (the default)
    out: limit        instances 64 (the default)
    out: limit        output 1,024 KiB (the default)
    out: limit        data passed to the host 16 MiB (the default)
    out: limit        data written to files 1,024 MiB (the default)
    out: limit        call stack 512 KiB (fixed by sesame)
    out: limit        resource handles 1,000 (fixed by sesame)
    out: imports      open-sesame:host/config-read@0.1.1: granted
    out: exports      greet: func(name: string) -> string
    "#);
    let json: serde_json::Value =
        serde_json::from_slice(&env.run("ext info greet --json").ok().stdout).expect("JSON");
    assert_eq!(json["extension"]["exports"][0]["signature"], "func(name: string) -> string");
    assert_eq!(json["extension"]["binary"]["size"], GREETING.len());
}

#[test]
fn remove_keeps_manifest_and_others() {
    let env = with_guest("greet", &GREETING);
    env.write("work/echo.wasm", &*ECHO);
    env.run("extension install ./echo.wasm").ok();
    let freed = GREETING.len();
    let run = env.run("extension remove greet").ok();
    assert!(run.text().starts_with("removed greet: "), "{run}");
    let bytes: usize =
        run.text().split(' ').nth(2).and_then(|bytes| bytes.parse().ok()).expect("a number");
    assert!((freed..freed + 2000).contains(&bytes), "{run}");
    assert!(
        env.read(".local/state/pds/extensions/removed/greet.toml").contains("config-read = true")
    );
    insta::assert_snapshot!(env.run("extension remove greet"), @r#"
    exit 0
    out: already removed: greet, its manifest is kept in ~/.local/state/pds/extensions/removed/greet.toml
    "#);
    insta::assert_snapshot!(env.run("extension remove ../echo"), @r#"
    exit 2
    err: error: invalid value '../echo' for '<NAMES>...': `../echo` is not an extension name: a name has 1 to 64 characters out of `a-z`, `0-9` and `-`, and starts with a letter or digit
    err: 
    err: For more information, try '--help'.
    "#);
    assert_eq!(env.run("extension call echo sum [1,2]").ok().text(), "3\n");
    insta::assert_snapshot!(env.run("extension verify"), @r#"
    exit 0
    out: echo	good		
    "#);
}

#[test]
fn verify_repairs_damage() {
    let (env, registry) = (env(), registry());
    env.run(&format!("extension install {}/my-org/greeting-extension:0.1.0", registry.host())).ok();
    insta::assert_snapshot!(env.run("extension verify greeting-extension"), @r#"
    exit 0
    out: greeting-extension	good		unsigned (TIME)
    "#);
    let blobs = env.path(".config/pds/extensions/blobs/sha256");
    let binary = std::fs::read_dir(&blobs).expect("there").flatten().find(|entry| {
        entry.metadata().is_ok_and(|metadata| metadata.len() == GREETING.len() as u64)
    });
    let binary = binary.expect("the binary").path();
    std::fs::write(&binary, b"rotten").expect("written");
    insta::assert_snapshot!(env.run("extension verify greeting-extension"), @r#"
    exit 9
    out: greeting-extension	damaged	wrong bytes: expected sha256:DIGEST, got sha256:DIGEST	unsigned (TIME)
    "#);
    assert_eq!(
        env.run("extension call greeting-extension greet World").ok().text(),
        "Hello, World!\n",
        "compiled code is whole"
    );
    let run = env.run("extension verify --repair greeting-extension").ok();
    assert!(run.text().starts_with("greeting-extension\trepaired\twrong bytes"), "{run}");
    insta::assert_snapshot!(env.run("extension verify"), @r#"
    exit 0
    out: greeting-extension	good		
    "#);
}

#[test]
fn missing_artifact_has_a_hint() {
    let (env, registry) = (env(), registry());
    env.run(&format!("extension install {}/my-org/greeting-extension:0.1.0", registry.host())).ok();
    std::fs::remove_dir_all(env.path(".config/pds/extensions/blobs")).expect("removed");
    let run = env.run("extension call greeting-extension greet World");
    insta::assert_snapshot!(run, @r#"
    exit 9
    err: error: the artifact of `greeting-extension` is missing or damaged
    err: caused by: the artifact is damaged
    err: caused by: the blob sha256:DIGEST is missing
    err: hint: sesame extension sync
    "#);
    env.run("extension verify --repair").ok();
    assert_eq!(
        env.run("extension call greeting-extension greet World").ok().text(),
        "Hello, World!\n"
    );
}

#[test]
fn unknown_name_stops_no_other() {
    let env = with_guest("echo", &ECHO);
    env.run("extension install ./echo.wasm --name other").ok();
    insta::assert_snapshot!(env.run("extension disable missing echo nowhere other"), @r#"
    exit 3
    out: `echo` is disabled
    out: `other` is disabled
    err: error: there is no extension `missing`
    err: hint: sesame extension list
    err: error: there is no extension `nowhere`
    err: hint: sesame extension list
    "#);
    assert!(env.run("extension list").ok().text().lines().all(|line| line.ends_with("disabled")));
    let run = env.run("extension remove other missing echo");
    assert!(run.code == 3 && run.stderr.contains("there is no extension `missing`"), "{run}");
    assert_eq!(env.run("extension list").ok().text(), "");
}

#[test]
fn shared_blobs_stay_while_needed() {
    let (env, registry) = (env(), registry());
    let reference = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    for purge in ["", "--purge"] {
        for name in ["one", "other"] {
            env.run(&format!("extension install {reference} --name {name}")).ok();
        }
        env.run(&format!("extension remove one {purge}")).ok();
        env.run("extension gc --keep 1").ok();
        std::fs::remove_dir_all(env.path(".cache")).expect("removed");
        env.run("extension verify").ok();
        assert_eq!(env.run("extension call other greet World").ok().text(), "Hello, World!\n");
        env.run("extension remove other --purge").ok();
    }
    env.run("extension gc --keep 1").ok();
    let blobs = std::fs::read_dir(env.path(".config/pds/extensions/blobs/sha256"))
        .map_or(0, Iterator::count);
    assert_eq!(blobs, 0, "nobody needs it any more");
}
