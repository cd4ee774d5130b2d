//! Timed grants, refusals with their reasons, and the activity log.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use test_support::{guest, hide_digests};

use crate::support::{DESKTOP_GRANTS, HOSTILE, Run, TestEnv, desktop, env, manifest, with_guest};

/// Runs with a runtime directory, as login sessions have one.
fn in_session(env: &TestEnv, line: &str) -> Run {
    env.make_runtime_directory();
    with_variable(env, "XDG_RUNTIME_DIR", env.path("run").to_str().expect("text"), line)
}

fn with_variable(env: &TestEnv, name: &str, value: &str, line: &str) -> Run {
    let mut command: Command = env.command(line.split(' '));
    command.env(name, value);
    env.finish(command, b"")
}

/// Variables that an extension must not see, and some that resemble the granted one.
const SURROUNDINGS: [&str; 28] = [
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "LD_AUDIT",
    "GLIBC_TUNABLES",
    "DBUS_SESSION_BUS_ADDRESS",
    "DBUS_SYSTEM_BUS_ADDRESS",
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "GPG_AGENT_INFO",
    "GITHUB_TOKEN",
    "GITLAB_TOKEN",
    "NPM_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "AZURE_CLIENT_SECRET",
    "VAULT_TOKEN",
    "SESAME_KEY_PASSWORD",
    "COSIGN_PASSWORD",
    "SESAME_REGISTRY_PASSWORD",
    "HTTPS_PROXY",
    "PATH",
    "USER",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "lang",
    "Lang",
    "LANG_",
    "LANGUAGE",
    "XLANG",
];

/// Of the environment, only granted variables reach an extension.
#[test]
#[expect(clippy::print_stdout, reason = "counted by cargo xtask security-tests")]
fn only_granted_variables_are_seen() {
    use std::os::unix::ffi::OsStrExt;
    let env = desktop();
    env.run("extension grant desktop env=LANG env=EMPTY env=NOT_TEXT env=MISSING").ok();
    let mut command = env.command(["extension", "call", "desktop", "variables"]);
    for name in SURROUNDINGS {
        command.env(name, "c4n4ry");
    }
    command
        .env("LANG", "C.UTF-8")
        .env("EMPTY", "")
        .env("NOT_TEXT", std::ffi::OsStr::from_bytes(b"\xff"));
    let run = env.finish(command, b"").ok();
    assert_eq!(run.text(), "[(\"EMPTY\", \"\"), (\"LANG\", \"C.UTF-8\")]\n");
    println!("cases: {}", SURROUNDINGS.len() + 4);
}

/// A denial names the extension, the capability and the command that grants it.
#[test]
fn denial_names_the_grant_command() {
    let env = desktop();
    for (line, grant) in [
        ("read-secret other", "secret-read=other"),
        ("write-secret other x", "secret-write=other"),
        ("publish-message elsewhere x", "ipc-publish=elsewhere"),
        ("fetch https api.example.com /", "network=api.example.com"),
        ("fetch http 169.254.169.254 /", "network=http://169.254.169.254"),
    ] {
        let run = env.run(&format!("extension call desktop {line}"));
        assert_eq!(run.code, 5, "{run}");
        let hint = format!("hint: sesame extension grant desktop {grant}\n");
        assert!(
            run.stderr.contains("`desktop` may not use ") && run.stderr.ends_with(&hint),
            "{run}"
        );
    }
    for capability in ["notification", "clipboard-write"] {
        env.run(&format!("extension revoke desktop {capability}")).ok();
        let run = env.run("extension call desktop variables");
        assert!(
            run.code == 5 && run.stderr.contains(&format!("grant desktop {capability}")),
            "{run}"
        );
        env.run(&format!("extension grant desktop {capability}")).ok();
    }
    insta::assert_snapshot!(env.run("extension call desktop read-secret other"), @r#"
    exit 5
    err: error: the extension returned an error: denied: secret-read=other is not granted
    err: `desktop` may not use secret-read=other: not granted (~/.config/pds/extensions/desktop.toml:6)
    err: hint: sesame extension grant desktop secret-read=other
    "#);
}

#[test]
fn refusals_show_the_grant_command() {
    let env = desktop();
    insta::assert_snapshot!(env.run("extension why desktop"), @r#"
    exit 0
    err: nothing was refused to `desktop` recently
    "#);
    assert_eq!(env.run("extension call desktop read-secret other").code, 5);
    assert_eq!(env.run("extension call desktop fetch https api.example.com /").code, 5);
    env.run("extension grant desktop secret-read=other").ok();
    let run = env.run("extension why desktop").ok();
    let lines: Vec<_> = run
        .text()
        .lines()
        .map(|line| line.split_once("Z  ").map_or(line.to_owned(), |(_, rest)| rest.to_owned()))
        .collect();
    insta::assert_snapshot!(lines.join("\n").replace(env.home().to_str().expect("text"), "~"), @r#"
    network=https://api.example.com:443: not granted (~/.config/pds/extensions/desktop.toml:6)
      allow it: sesame extension grant desktop network=api.example.com
    secret-read=other: not granted (~/.config/pds/extensions/desktop.toml:6)
      it is granted by now
    "#);
    env.write(".config/pds/config.toml", "[extensions.policy]\ndeny = [\n  \"network\",\n]\n");
    assert_eq!(env.run("extension call desktop fetch https api.example.com /").code, 5);
    let run =
        env.run("extension why desktop").text().replace(env.home().to_str().expect("text"), "~");
    assert!(
        run.contains("policy denies `network` (~/.config/pds/config.toml:3)")
            && run.contains("a grant does not help"),
        "{run}"
    );
}

/// A timed grant holds, ends and can be revoked.
#[test]
fn timed_grant_ends() {
    let env = desktop();
    insta::assert_snapshot!(env.run("extension grant desktop network=api.example.com --for 1h"), @r#"
    exit 9
    err: error: this session has no private runtime directory for timed grants
    err: hint: leave out `--for` and `--until`, or set XDG_RUNTIME_DIR to a directory that only you own and can write to
    "#);
    insta::assert_snapshot!(in_session(&env, "extension grant desktop secret-read=other --for 1h"), @r#"
    exit 0
    out: `desktop` may use secret-read=other for 60 min: read a secret that you keep for it in your keyring, where secrets of `local/file/desktop@sha256:DIGEST` are kept
    "#);
    insta::assert_snapshot!(in_session(&env, "extension grant desktop env=LANG --until logout"), @r#"
    exit 0
    out: `desktop` may use env=LANG until you log out: see a variable of your session's environment
    "#);
    assert!(!env.read(&manifest("desktop")).contains("other"));
    let read = || in_session(&env, "extension call desktop read-secret other").stderr;
    assert!(read().contains("unavailable"), "it is allowed, and there is no keyring: {}", read());
    let info = in_session(&env, "extension info desktop").ok().text();
    assert!(
        info.contains("secret-read=other, for 60 min")
            && info.contains("env=LANG, until you log out"),
        "{info}"
    );
    assert!(
        env.run("extension call desktop read-secret other").code == 5,
        "another session has it not"
    );
    insta::assert_snapshot!(in_session(&env, "extension revoke desktop secret-read=other"), @r#"
    exit 0
    out: `desktop` may not use secret-read=other
    "#);
    assert!(read().contains("denied"), "{}", read());
    in_session(&env, "extension grant desktop secret-read=other --for 3s").ok();
    assert!(read().contains("unavailable"));
    std::thread::sleep(std::time::Duration::from_millis(3100));
    assert!(read().contains("denied"));
    in_session(&env, "extension grant desktop secret-read=other --until logout").ok();
    in_session(&env, "extension remove desktop").ok();
    env.run(&format!("extension install ./desktop.wasm {DESKTOP_GRANTS}")).ok();
    assert!(read().contains("denied"), "who is removed has no grants left");
    env.write("run/pds/grants/desktop.toml", "[[grant]]\nwhat = \"everything\"\n");
    insta::assert_snapshot!(in_session(&env, "extension call desktop variables"), @r#"
    exit 9
    err: error: the grants in `~/run/pds/grants/desktop.toml` are wrong: line 2, column 8: `everything` is not a capability; there are `config-read`, `secret-read`, `secret-write`, `notification`, `clipboard-write`, `ipc-publish`, `storage`, `env`, `network`, `filesystem`, `exec-env`, `resources`, `events`, `experimental`
    err:   |
    err: 2 | what = "everything"
    err:   |        ^^^^^^^^^^^^
    err: hint: remove `~/run/pds/grants/desktop.toml`: the timed grants in it are lost
    "#);
}

/// Where others can write to the runtime directory, no grant in it counts, and none is made.
#[test]
fn planted_grant_does_not_count() {
    let env = desktop();
    in_session(&env, "extension grant desktop secret-read=other --until logout").ok();
    let read = || in_session(&env, "extension call desktop read-secret other");
    assert!(read().stderr.contains("unavailable"), "it is allowed: {}", read());
    let everybody = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(env.path("run"), everybody).expect("set");
    assert!(read().stderr.contains("denied"), "{}", read());
    let grant = in_session(&env, "extension grant desktop env=LANG --until logout");
    assert!(grant.code == 9 && grant.stderr.contains("no private runtime directory"), "{grant}");
    // It counts again once it is private, so that no extension may write there meanwhile.
    let write = in_session(&env, "extension grant desktop filesystem=write:~/run");
    assert!(write.code == 5 && write.stderr.contains("no extension gets"), "{write}");
}

#[test]
fn sesames_files_cannot_be_granted() {
    let env = desktop();
    std::fs::create_dir_all(env.path("Documents")).expect("made");
    std::os::unix::fs::symlink(env.path(".config"), env.path("innocent")).expect("made");
    env.run("extension grant desktop filesystem=read:~/Documents").ok();
    for path in [
        "~",
        "~/.config",
        "~/.config/pds/extensions",
        "~/.local/state/pds",
        "~/.local",
        "/",
        "/proc",
        "~/innocent",
    ] {
        let run = env.run(&format!("extension grant desktop filesystem=write:{path}"));
        assert!(run.code == 5 && run.stderr.contains("which no extension gets"), "{run}");
    }
    std::fs::create_dir_all(env.path(".local/share/keyrings")).expect("made");
    assert_eq!(env.run("extension grant desktop filesystem=read:~/.local/share/keyrings").code, 5);
    let text = env.read(&manifest("desktop")).replace("~/Documents", "~/.config");
    env.write(&manifest("desktop"), text);
    insta::assert_snapshot!(env.run("extension call desktop variables"), @r#"
    exit 5
    err: error: `~/.config` is, contains or lies in `~/.config/pds`, which no extension gets
    err: hint: see its grants: sesame extension info desktop
    "#);
}

/// The user of an extension that may read and tries to save learns why it fails, and what helps.
#[test]
fn refused_write_names_its_grant() {
    let env = desktop();
    std::fs::create_dir_all(env.path("notes")).expect("made");
    env.run("extension grant desktop filesystem=read:~/notes::/notes").ok();
    let save = "extension call desktop write-text /notes/a mine";
    insta::assert_snapshot!(env.run(save), @r#"
    exit 5
    err: error: the extension returned an error: Operation not permitted (os error 63)
    err: `desktop` may not use filesystem=write:~/notes::/notes: not granted (~/.config/pds/extensions/desktop.toml:6)
    err: hint: sesame extension grant desktop 'filesystem=write:~/notes::/notes'
    "#);
    insta::assert_snapshot!(env.run("extension why desktop"), @r#"
    exit 0
    out: TIME  filesystem=write:~/notes::/notes: not granted (~/.config/pds/extensions/desktop.toml:6)
    out:   allow it: sesame extension grant desktop 'filesystem=write:~/notes::/notes'
    "#);
    let activity = env.run("extension activity desktop").ok().text();
    assert!(activity.contains("filesystem=write:~/notes::/notes"), "{activity}");
    env.run("extension grant desktop filesystem=write:~/notes::/notes").ok();
    env.run(save).ok();
    assert_eq!(env.read("notes/a"), "mine");
}

/// A module that tries to write a file. As a program it exits with the number of its arguments.
const WRITER: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "new")
    (func $try (export "try") (result i32)
        (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 3) (i32.const 1) (i64.const 64)
            (i64.const 64) (i32.const 0) (i32.const 0)))
    (func (export "_start")
        (drop (call $try))
        (drop (call $args (i32.const 0) (i32.const 4)))
        (call $exit (i32.sub (i32.load (i32.const 0)) (i32.const 1)))))"#;

/// A refused write is told after a failure. A call that succeeds neither tells nor learns it: many
/// open a file for writing first and for reading then.
#[test]
fn refused_write_is_told_after_a_failure() {
    let env = env();
    env.write("work/writer.wasm", wat::parse_str(WRITER).expect("valid text"));
    std::fs::create_dir_all(env.path("notes")).expect("made");
    env.run("extension install ./writer.wasm --grant filesystem=read:~/notes").ok();
    let grant = "sesame extension grant writer 'filesystem=write:~/notes'";
    let failed = env.run("run writer -- one");
    assert!(failed.code == 1 && failed.stderr.contains(grant), "{failed}");
    for succeeding in ["run writer", "call writer try"] {
        let succeeded = env.run(succeeding).ok();
        assert_eq!(succeeded.stderr, "", "{succeeding}");
    }
    let learned = env.run("call writer try --learn").ok().text();
    assert!(!learned.contains("write ="), "{learned}");
    assert!(env.run("extension why writer").ok().text().contains(grant));
}

/// Both paths are shown with the grant, and either revokes it.
#[test]
fn guest_path_is_shown_and_revoked() {
    let env = desktop();
    std::fs::create_dir_all(env.path("notes")).expect("made");
    env.write("notes/a", "found");
    let granted = env.run("extension grant desktop filesystem=read:~/notes::/data").ok();
    assert!(granted.stderr.is_empty(), "{granted}");
    let text = env.read(&manifest("desktop"));
    assert!(
        text.contains(r#"filesystem = { read = [{ path = "~/notes", guest = "/data" }] }"#),
        "{text}"
    );
    assert_eq!(env.run("extension call desktop read-text /data/a").ok().text(), "found\n");
    assert!(
        env.run("extension info desktop").ok().text().contains("filesystem=read:~/notes::/data")
    );
    assert!(
        env.run("extension activity desktop")
            .ok()
            .text()
            .contains("filesystem=read:~/notes::/data")
    );
    let install = format!(
        "extension install ./desktop.wasm --name other {DESKTOP_GRANTS} \
         --grant filesystem=read:~/notes::/data"
    );
    let installed = env.run(&install).ok();
    assert!(installed.stderr.contains("granted: filesystem=read:~/notes::/data"), "{installed}");
    assert_eq!(env.run("extension call other read-text /data/a").ok().text(), "found\n");
    insta::assert_snapshot!(env.run("extension grant desktop filesystem=read:~/Documents::data"), @"
    exit 5
    err: error: `~/notes::/data` and `~/Documents::data` are one path for the guest
    err: hint: grant one of them under another path, as in `filesystem=read:~/notes::/notes`; see its grants: sesame extension info desktop
    ");
    insta::assert_snapshot!(env.run("extension grant desktop filesystem=read:~/notes::/a/.."), @"
    exit 2
    err: error: invalid value 'filesystem=read:~/notes::/a/..' for '<CAPABILITY[=SCOPE]>...': `/a/..` is not a path for the guest: write one like `/notes`, `notes` or `.`, without `..`, `~` and empty parts
    err: 
    err: For more information, try '--help'.
    ");
    for (grant, revocation) in [
        ("filesystem=read:~/notes::/data", "filesystem=read:~/notes"),
        ("filesystem=read:~/notes::/data", "filesystem=read:~/notes::/data"),
        ("filesystem=read:~/notes::/data --for 1h", "filesystem=read:~/notes"),
        ("filesystem=read:~/notes::/data --until logout", "filesystem=read:~/notes::/data"),
    ] {
        in_session(&env, "extension revoke desktop filesystem").ok();
        in_session(&env, &format!("extension grant desktop {grant}")).ok();
        assert_eq!(
            in_session(&env, "extension call desktop read-text /data/a").ok().text(),
            "found\n",
            "{grant}"
        );
        in_session(&env, &format!("extension revoke desktop {revocation}")).ok();
        assert_ne!(
            in_session(&env, "extension call desktop read-text /data/a").code,
            0,
            "{revocation}"
        );
    }
}

/// A timed grant and a permanent one cannot share a guest path either.
#[test]
fn taken_guest_path_is_refused() {
    let env = desktop();
    for directory in ["notes", "other"] {
        std::fs::create_dir_all(env.path(directory)).expect("made");
    }
    env.run("extension grant desktop filesystem=read:~/notes::/data").ok();
    insta::assert_snapshot!(in_session(&env, "extension grant desktop filesystem=write:~/other::data --for 1h"), @"
    exit 5
    err: error: `~/notes::/data` and `~/other::data` are one path for the guest
    err: hint: grant one of them under another path, as in `filesystem=read:~/notes::/notes`; see its grants: sesame extension info desktop
    ");
    let own_path = env.path("notes");
    let run = env.run(&format!(
        "extension grant desktop filesystem=read:~/notes filesystem=read:~/other::{}",
        own_path.display()
    ));
    assert_eq!(run.code, 5, "{run}");
}

/// A missing directory is granted with a warning, does not stop the call, and is named by the
/// failure that it causes.
#[test]
fn missing_directory_is_named() {
    let env = desktop();
    insta::assert_snapshot!(env.run("extension grant desktop filesystem=read:~/later::/later"), @"
    exit 0
    out: `desktop` may use filesystem=read:~/later::/later: read everything in this directory, and with `write` change and delete it; it finds `~/later` as `/later`
    err: warning: the directory `~/later` does not exist yet
    ");
    env.run("extension call desktop variables").ok();
    let run = env.run("extension call desktop read-text /later/a");
    let second = run.stderr.lines().nth(1).unwrap_or_default();
    assert!(run.code == 1 && second.ends_with("the directory `~/later` does not exist"), "{run}");
    let activity = env.run("extension activity desktop").ok().text();
    assert!(activity.contains("missing ~/later") && !activity.contains("refused"), "{activity}");
    assert!(!env.run("extension why desktop").ok().text().contains("later"));
    env.write("later/a", "found");
    assert_eq!(env.run("extension call desktop read-text /later/a").ok().text(), "found\n");
}

#[test]
#[ignore = "needs root, for mounts"]
fn bind_mount_does_not_expose_depot() {
    let env = desktop();
    std::fs::create_dir_all(env.path("Documents/deep")).expect("made");
    env.run("extension grant desktop filesystem=read:~/Documents").ok();
    let script = "mount --bind \"$HOME/.config\" \"$HOME/Documents/deep\" && exec \"$0\" extension call desktop variables";
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script, env!("CARGO_BIN_EXE_sesame")]);
    command.env_clear().env("HOME", env.home()).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    insta::assert_snapshot!(env.finish(command, b""), @r#"
    exit 5
    err: error: `~/Documents` is, contains or lies in `~/.config/pds`, which no extension gets
    err: hint: see its grants: sesame extension info desktop
    "#);
}

/// Every call is in the activity log, and a change of the log is found.
#[test]
fn activity_log_detects_changes() {
    let env = desktop();
    env.run("extension call desktop variables").ok();
    assert_eq!(env.run("extension call desktop read-secret other").code, 5);
    assert_eq!(env.run("extension call desktop no-such-function").code, 3);
    env.run("extension revoke desktop notification").ok();
    assert_eq!(env.run("extension call desktop variables").code, 5);
    let activity = env.run("extension activity desktop --since 1h").ok().text();
    let shown: Vec<_> = activity
        .lines()
        .map(|line| {
            line.split('\t')
                .skip(1)
                .filter(|cell| !cell.starts_with("fuel"))
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    insta::assert_snapshot!(hide_digests(&shown.join("\n")), @r#"
    desktop  done   local/file/desktop:0.0.0@sha256:DIGEST, granted config-read, granted secret-read=token, granted secret-write=token, granted notification, granted clipboard-write, granted ipc-publish=greeting.* install
    desktop variables returned 1.1 MiB  call
    desktop read-secret error 1.1 MiB refused secret-read=other call
    desktop no-such-function failed 0.0 MiB  call
    desktop  done   local/file/desktop:0.0.0@sha256:DIGEST, revoked notification revoke
    desktop  refused 0.0 MiB config-read, secret-read, secret-write, refused notification, clipboard-write, ipc-publish call
    "#);
    assert_eq!(env.run("extension activity other").ok().text(), "");
    let json = env.run("--json extension activity").ok().text();
    assert!(
        json.contains("\"function\":\"variables\"")
            && json.contains("\"grant\":\"secret-read=other\""),
        "{json}"
    );
    insta::assert_snapshot!(env.run("extension activity verify"), @r#"
    exit 0
    out: 6 lines, each as it was written
    "#);
    let log = ".local/state/pds/extensions/activity/activity.jsonl";
    let whole = env.read(log);
    for (was, forged, said) in [
        ("\"install\"", "\"update\"", "activity.jsonl:2: line 1 was changed"),
        ("variables", "something", "activity.jsonl:3: line 2 was changed"),
    ] {
        env.write(log, whole.replacen(was, forged, 1));
        let found = env.run("extension activity verify");
        assert!(found.code == 9 && found.text().contains(said), "{forged}: {found}");
    }
}

/// A log that cannot be written is a warning and does not stop the call.
#[test]
fn unwritable_log_is_a_warning() {
    let env = desktop();
    let directory = env.path(".local/state/pds/extensions/activity");
    std::fs::remove_dir_all(directory).expect("the log of the grants");
    env.write(".local/state/pds/extensions/activity", "a file in the place of the directory");
    insta::assert_snapshot!(env.run("extension call desktop variables"), @r#"
    exit 0
    out: []
    err: warning: this call is not in the activity log: cannot use the activity log `~/.local/state/pds/extensions/activity/head.json`: Not a directory (os error 20)
    "#);
}

#[test]
fn learn_prints_least_grants() {
    let env = desktop();
    env.run("extension revoke desktop secret-read secret-write notification clipboard-write ipc-publish config-read")
        .ok();
    let run = env.run("extension call desktop fetch https api.example.com / --learn");
    let text = run.text();
    let stable: Vec<_> = text.lines().filter(|line| !line.starts_with("max_fuel")).collect();
    insta::assert_snapshot!(stable.join("\n"), @r#"
    # refused in this call: network=https://api.example.com:443
    # imported and not used in this call, but needed to start: secret-read
    # imported and not used in this call, but needed to start: secret-write
    # imported and not used in this call, but needed to start: ipc-publish
    [capabilities]
    config-read = true
    notification = true
    clipboard-write = true
    network = ["api.example.com"]

    [limits]
    max_memory_mib = 2
    timeout_ms = 1000
    max_table_elements = 370
    "#);
    let run = env.run("extension call desktop fetch https api.example.com / --learn --write");
    assert!(
        run.stderr.contains("+ network=api.example.com")
            && run.stderr.contains("written into the manifest"),
        "{run}"
    );
    let written = env.read(&manifest("desktop"));
    assert!(
        written.contains("network = [\"api.example.com\"]")
            && written.contains("max_memory_mib = 2"),
        "{written}"
    );
}

/// An extension that keeps failing is quarantined until its user enables it.
#[test]
fn quarantine_lasts_until_enable() {
    let env = with_guest("hostile", &HOSTILE);
    for _ in 0..4 {
        assert_eq!(env.run("extension call hostile panic boom").code, 7);
    }
    assert!(
        env.run("extension call hostile panic boom").stderr.contains("`hostile` is quarantined")
    );
    insta::assert_snapshot!(env.run("extension call hostile panic boom"), @r#"
    exit 5
    err: error: `hostile` is quarantined: it failed 5 times in a row, last: the extension crashed: wasm `unreachable` instruction executed
    err: hint: see `sesame extension logs hostile`, then: sesame extension enable hostile
    "#);
    let listed = env.run("extension list").ok().text();
    assert!(
        listed.contains("quarantined: it failed 5 times in a row, last: the extension crashed"),
        "{listed}"
    );
    env.run("extension enable hostile").ok();
    assert_eq!(env.run("extension call hostile panic boom").code, 7);
}

#[test]
fn safe_mode_refuses_each_call() {
    let env = desktop();
    insta::assert_snapshot!(with_variable(&env, "SESAME_SAFE_MODE", "1", "extension call desktop variables"), @r#"
    exit 5
    err: error: no extension is called in safe mode
    err: hint: unset SESAME_SAFE_MODE
    "#);
    with_variable(&env, "SESAME_SAFE_MODE", "1", "extension list").ok();
    with_variable(&env, "SESAME_SAFE_MODE", "0", "extension call desktop variables").ok();
}

#[test]
fn inspect_shows_requests() {
    let env = env();
    env.write("work/desktop.wasm", guest("desktop"));
    let before = env.files();
    let run = env.run("extension inspect ./desktop.wasm").ok();
    let shown = run.to_string();
    let asks = shown.lines().filter_map(|line| line.strip_prefix("out: "));
    let asks: Vec<_> = asks.filter(|line| line.starts_with("asks")).collect();
    insta::assert_snapshot!(asks.join("\n"), @r#"
    asks for     config-read: read its own settings, which you write in its manifest; would be asked, not decided yet
    asks for     notification: show notifications, ten a minute at most; would be asked, not decided yet
    asks for     clipboard-write: replace the contents of your clipboard; it cannot read them; would be asked, not decided yet
    asks for     secret-read, and does not say how far it has to reach: read a secret that you keep for it in your keyring, where secrets of `local/file/desktop@sha256:DIGEST` are kept; would be asked, not decided yet
    asks for     secret-write, and does not say how far it has to reach: store and forget a secret of its own in your keyring, where secrets of `local/file/desktop@sha256:DIGEST` are kept; would be asked, not decided yet
    asks for     ipc-publish, and does not say how far it has to reach: send messages on a topic to other programs of your session; would be asked, not decided yet
    "#);
    let after: Vec<_> =
        env.files().into_iter().filter(|(path, _)| !path.starts_with(env.path(".cache"))).collect();
    assert_eq!(after, before, "nothing is installed");
    env.run(&format!("extension install ./desktop.wasm {DESKTOP_GRANTS}")).ok();
    let run = env.run("extension inspect desktop").ok().text();
    let allowed =
        "notification: show notifications, ten a minute at most; allowed, granted: notification";
    assert!(run.contains(allowed), "{run}");
    assert_eq!(env.run("extension inspect missing").code, 3);
}

/// Without a runtime directory in the environment, another session of the same user may still have
/// one.
#[test]
fn other_runtime_directory_is_safe() {
    let env = desktop();
    let user = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(env.home()).expect("there"));
    for path in [format!("/run/user/{user}/pds/grants"), format!("/run/user/{user}")] {
        let run = env.run(&format!("extension grant desktop filesystem=write:{path}"));
        assert!(run.code == 5 && run.stderr.contains("which no extension gets"), "{run}");
    }
}

/// Manifests behind a link cannot be granted: neither at first, nor by a grant from before the
/// link.
#[test]
fn linked_manifests_are_not_granted() {
    let env = desktop();
    std::fs::create_dir(env.path("dotfiles")).expect("made");
    env.run("extension grant desktop filesystem=write:~/dotfiles").ok();
    std::fs::rename(env.path(".config/pds/extensions"), env.path("dotfiles/extensions"))
        .expect("moved");
    std::os::unix::fs::symlink(env.path("dotfiles/extensions"), env.path(".config/pds/extensions"))
        .expect("linked");
    for line in [
        "extension grant desktop filesystem=read:~/dotfiles",
        "extension call desktop read-secret token",
    ] {
        let run = env.run(line);
        assert!(
            run.code == 5 && run.stderr.contains("dotfiles/extensions`, which no extension gets"),
            "{run}"
        );
    }
}
