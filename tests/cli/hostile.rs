//! Hostile names, files and surroundings.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::support::{ECHO, TestEnv, copy_of, env, publish, registry, small, with_guest};

/// Returns invalid names of extensions, each wrong in its own way.
fn hostile_names() -> Vec<String> {
    let fixed = [
        "../x",
        "..",
        ".",
        "",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "~",
        "-rf",
        "GREETING",
        "greeting\n",
        "gr\u{435}eting",
        "greeting\u{2011}x",
        "\u{202e}gniteerg",
        "greeting.toml",
        "*",
        "$(id)",
        "nul\u{1b}[31m",
        "-",
        "_x",
        "\u{1f600}",
    ];
    fixed.into_iter().map(str::to_owned).chain(["x".repeat(65), "x".repeat(300)]).collect()
}

#[test]
fn invalid_name_fails_everywhere() {
    let env = with_guest("greeting", &crate::support::GREETING);
    let before = env.files();
    let commands: [&[&str]; 20] = [
        &["extension", "info"],
        &["extension", "remove"],
        &["extension", "remove", "--purge"],
        &["extension", "enable"],
        &["extension", "disable"],
        &["extension", "pin"],
        &["extension", "unpin"],
        &["extension", "history"],
        &["extension", "rollback"],
        &["extension", "why"],
        &["extension", "activity"],
        &["extension", "verify"],
        &["extension", "outdated"],
        &["extension", "update"],
        &["extension", "logs"],
        &["extension", "export", "--output", "x.tar"],
        &["extension", "import", "x.tar"],
        &["extension", "install", "./greeting.wasm", "--name"],
        &["secret", "list"],
        &["registry", "tags"],
    ];
    for command in commands {
        for name in hostile_names() {
            let run = env.run_with(command.iter().copied().chain([name.as_str()]), b"");
            assert!(matches!(run.code, 2 | 3), "{command:?} {name:?}: {run}");
            assert!(
                !run.to_string().contains(['\u{1b}', '\u{202e}']),
                "{command:?} {name:?}: {run}"
            );
        }
    }
    for name in hostile_names() {
        for behind in [
            ["call", &name, "greet"],
            ["grant", &name, "notification"],
            ["revoke", &name, "notification"],
        ] {
            let run = env.run_with(["extension"].into_iter().chain(behind), b"");
            assert!(matches!(run.code, 2 | 3), "{behind:?}: {run}");
        }
    }
    let not_text = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    let run = env.run_with(
        [std::ffi::OsStr::new("extension"), std::ffi::OsStr::new("remove"), not_text],
        b"",
    );
    assert_eq!(run.code, 2, "{run}");
    assert!(env.files() == before, "nothing was touched");
}

/// The ways in which a file can be damaged.
const DAMAGES: [&str; 8] =
    ["empty", "half", "zeros", "bit", "huge", "nonsense", "directory", "pipe"];

fn damage(path: &Path, how: &str) {
    let bytes = std::fs::read(path).expect("there");
    std::fs::remove_file(path).expect("removed");
    match how {
        "empty" => std::fs::write(path, b""),
        "half" => std::fs::write(path, &bytes[..bytes.len() / 2]),
        "zeros" => std::fs::write(path, vec![0; bytes.len()]),
        "bit" => std::fs::write(path, with_a_flipped_bit(bytes)),
        "huge" => std::fs::File::create(path).and_then(|file| file.set_len(2 << 30)),
        "nonsense" => std::fs::write(path, b"\xff[[{nonsense"),
        "directory" => std::fs::create_dir(path),
        _ => {
            let made = std::process::Command::new("mkfifo").arg(path).status();
            made.map(|status| assert!(status.success()))
        }
    }
    .expect("damaged");
}

fn with_a_flipped_bit(mut bytes: Vec<u8>) -> Vec<u8> {
    let middle = bytes.len() / 2;
    bytes.iter_mut().skip(middle).take(1).for_each(|byte| *byte ^= 1);
    bytes
}

/// Makes an extension that will be damaged and another one, with each kind of file about them.
fn furnished(registry: &str) -> TestEnv {
    let env = env();
    env.run(&format!(
        "extension install {registry}/my-org/greeting-extension:0.1.0 --name greeting"
    ))
    .ok();
    env.write("work/echo.wasm", &*ECHO);
    env.run("extension install ./echo.wasm").ok();
    env.run("extension disable greeting").ok();
    env.run("extension enable greeting").ok();
    env.run("extension call greeting greet World").ok();
    env.run_with(
        ["registry", "login", "ghcr.io", "-u", "me", "--store", "file", "--no-verify"],
        b"SECRET",
    )
    .ok();
    env.run("trust keygen key").ok();
    env.run("trust add key.pub --for ghcr.io/my-org").ok();
    env
}

/// A damaged file is named, hurts no other extension and never ends in a crash.
#[test]
#[expect(clippy::print_stdout, reason = "counted by cargo xtask security-tests")]
fn damaged_file_hurts_one_extension() {
    let registry = registry();
    let host = registry.host();
    let seed = furnished(&host);
    let belongs_to_echo = |path: &Path| path.to_string_lossy().contains("echo");
    let files: Vec<_> = seed.files().into_iter().map(|(path, _)| path).collect();
    let relative = |path: &Path| path.strip_prefix(seed.home()).expect("below").to_owned();
    let of_echo = digests_of_echo(&seed);
    let mut points = 0;
    for path in files
        .iter()
        .map(|path| relative(path))
        .filter(|path| !path.starts_with("work") && !path.starts_with(".cache"))
    {
        if belongs_to_echo(&path) || of_echo.iter().any(|digest| path.ends_with(digest)) {
            continue;
        }
        for how in DAMAGES {
            let env = copy_of(&seed);
            damage(&env.path(path.to_str().expect("text")), how);
            points += 1;
            let at = format!("{} {how}", path.display());
            for line in [
                "extension list",
                "extension verify",
                "doctor",
                "extension info greeting",
                "registry list",
            ] {
                let run = env.run(line);
                assert!(matches!(run.code, 0 | 3 | 9), "{at}: {line}: {run}");
            }
            let other = env.run("extension call echo echo-string hello");
            assert!(other.code == 0 && other.text() == "hello\n", "{at}: {other}");
            let called = env.run("extension call greeting greet World");
            assert!(matches!(called.code, 0 | 3 | 9), "{at}: {called}");
            if called.code != 0 {
                assert!(called.stderr.contains("hint: "), "{at}: {called}");
            }
        }
    }
    println!("cases: {points}");
    assert!(points > 60, "{points} points");
}

/// The kinds of file that root could put in the place of another.
const REPLACEMENTS: [&str; 4] = [
    "rm -f $1 && mknod -m 600 $1 c 1 5", // zeroes without an end
    "rm -f $1 && mknod -m 600 $1 c 1 7", // always full
    "rm -f $1 && mknod -m 600 $1 b 7 250",
    "chown 65534 $1",
];

/// Returns whether a command cannot work without this file.
fn relies(line: &str, path: &Path) -> bool {
    let file = match line {
        "extension call greeting greet World" => "extensions/greeting.toml",
        "extension disable echo" => "extensions/lock",
        "registry list" => "credentials.json",
        _ => return false,
    };
    path.ends_with(file)
}

/// A device, or a file of another user, is neither trusted nor waited for.
#[test]
#[ignore = "needs root, to make devices and to give files away"]
#[expect(clippy::print_stdout, reason = "counted by cargo xtask security-tests")]
fn odd_files_are_refused_at_once() {
    let registry = registry();
    let seed = furnished(&registry.host());
    let mut cases = 0;
    for path in
        WRITTEN.into_iter().chain([".config/pds", ".config/pds/extensions", ".local/state/pds"])
    {
        for replacement in REPLACEMENTS {
            let env = copy_of(&seed);
            let path = env.path(path);
            if path.is_dir() && !replacement.starts_with("chown") {
                continue;
            }
            let status = std::process::Command::new("sh")
                .args(["-c", replacement, "sh"])
                .arg(&path)
                .status();
            assert!(status.expect("sh runs").success(), "{replacement} {}", path.display());
            for line in [
                "extension list",
                "extension call greeting greet World",
                "extension disable echo",
                "registry list",
            ] {
                let started = std::time::Instant::now();
                let run = env.run(line);
                let at = format!("{replacement} {}: {line}", path.display());
                assert!(matches!(run.code, 0 | 3 | 9), "{at}: {run}");
                assert!(run.code == 0 || run.stderr.contains("error: "), "{at}: {run}");
                assert!(run.code != 0 || !relies(line, &path), "{at}: {run}");
                assert!(started.elapsed().as_secs() < 4, "{at}: {:?}", started.elapsed());
                cases += 1;
            }
            let diagnosed = env.run("doctor --offline");
            assert!(
                matches!(diagnosed.code, 0 | 1 | 9),
                "{replacement} {}: {diagnosed}",
                path.display()
            );
        }
    }
    for path in [
        ".config/pds",
        ".config/pds/extensions",
        ".config/pds/extensions/greeting.toml",
        ".local/state/pds",
    ] {
        let env = copy_of(&seed);
        std::os::unix::fs::chown(env.path(path), Some(65534), None).expect("given away");
        let run = env.run("extension call greeting greet World");
        assert!(run.code == 9 && run.stderr.contains("belongs to"), "{path}: {run}");
    }
    println!("cases: {cases}");
}

/// Returns the blobs of the other extension, which stay undamaged here.
fn digests_of_echo(env: &TestEnv) -> Vec<String> {
    let text = env.run("--json extension verify echo").ok().text();
    assert!(text.contains("echo"));
    let manifest = env.read(".config/pds/extensions/echo.toml");
    let pinned = manifest.split("sha256:").nth(1).expect("pinned")[..64].to_owned();
    let document = env.read(&format!(".config/pds/extensions/blobs/sha256/{pinned}"));
    let named = document.split("sha256:").skip(1).map(|rest| rest[..64].to_owned());
    std::iter::once(pinned).chain(named.collect::<Vec<_>>()).collect()
}

#[test]
fn hint_repairs_damaged_blobs() {
    let registry = registry();
    let seed = furnished(&registry.host());
    let of_echo = digests_of_echo(&seed);
    let blobs: Vec<_> = seed
        .files()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| path.to_string_lossy().contains("/blobs/"))
        .collect();
    for path in blobs.iter().map(|path| path.strip_prefix(seed.home()).expect("below")) {
        if of_echo.iter().any(|digest| path.ends_with(digest)) {
            continue;
        }
        for how in ["empty", "half", "zeros", "directory"] {
            let env = copy_of(&seed);
            damage(&env.path(path.to_str().expect("text")), how);
            let at = format!("{} {how}", path.display());
            assert_eq!(env.run("extension verify greeting").code, 9, "{at}");
            env.run("extension verify greeting --repair").ok();
            env.run("extension verify").ok();
            assert_eq!(
                env.run("extension call greeting greet World").ok().text(),
                "Hello, World!\n",
                "{at}"
            );
        }
    }
}

/// Another valid component in the place of a blob does not run.
#[test]
fn swapped_blob_does_not_run() {
    let registry = registry();
    publish(&registry, "my-org/x:1.0.0", &small(1), &[]);
    let env = env();
    env.run(&format!("extension install {}/my-org/x:1.0.0", registry.host())).ok();
    assert_eq!(env.run("extension call x f").ok().text(), "1\n");
    let blobs =
        env.files().into_iter().filter(|(path, _)| path.to_string_lossy().contains("/blobs/"));
    let (blob, _) = blobs.into_iter().find(|(_, bytes)| *bytes == small(1)).expect("the component");
    assert_eq!(small(1).len(), small(2).len(), "nothing but the bytes tells them apart");
    std::fs::write(&blob, small(2)).expect("replaced");
    // Compiled from verified bytes: it goes on.
    assert_eq!(env.run("extension call x f").ok().text(), "1\n");
    std::fs::remove_dir_all(env.path(".cache")).expect("removed");
    for line in ["extension call x f", "extension verify x"] {
        let run = env.run(line);
        assert!(run.code == 9 && run.text() != "2\n", "{line}: {run}");
    }
    env.run("extension verify x --repair").ok();
    assert_eq!(env.run("extension call x f").ok().text(), "1\n");
}

/// Files that are written in place, and files that are replaced, below the home directory.
const WRITTEN: [&str; 7] = [
    ".local/state/pds/extensions/lock",
    ".local/state/pds/extensions/activity/head.json",
    ".local/state/pds/extensions/activity/activity.jsonl",
    ".config/pds/extensions/greeting.toml",
    ".config/pds/extensions/index.json",
    ".config/pds/trust.toml",
    ".local/state/pds/credentials.json",
];

#[test]
fn links_are_not_written_through() {
    let registry = registry();
    let seed = furnished(&registry.host());
    for path in WRITTEN {
        let env = copy_of(&seed);
        let contents =
            std::fs::read(env.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let target = env.write("precious", &contents);
        std::fs::remove_file(env.path(path)).expect("removed");
        std::os::unix::fs::symlink(&target, env.path(path)).expect("a link");
        for line in [
            "extension call greeting greet World",
            "extension disable greeting",
            "registry logout ghcr.io",
            "trust remove ghcr.io/my-org",
            "extension remove echo",
        ] {
            let run = env.run(line);
            assert!([0, 2, 3, 9].contains(&run.code), "{path}: {line}: {run}");
        }
        assert!(std::fs::read(&target).expect("there") == contents, "{path}");
        let is_link = std::fs::symlink_metadata(env.path(path)).expect("there").is_symlink();
        assert!(
            is_link || !path.starts_with(".config") || path.ends_with("index.json"),
            "{path}: the user's link is gone"
        );
    }
}

#[test]
fn world_writable_is_not_trusted() {
    use std::os::unix::fs::PermissionsExt;
    let registry = registry();
    let seed = furnished(&registry.host());
    let places = [
        ".config/pds",
        ".config/pds/extensions",
        ".local/state/pds",
        ".config/pds/extensions/greeting.toml",
    ];
    for place in places {
        let env = copy_of(&seed);
        std::fs::set_permissions(env.path(place), PermissionsExt::from_mode(0o777)).expect("set");
        let run = env.run("extension call greeting greet World");
        assert_eq!(run.code, 9, "{place}: {run}");
        assert!(run.stderr.contains("everybody can write to it"), "{place}: {run}");
        let diagnosed = env.run("doctor");
        assert!(diagnosed.code != 101 && diagnosed.text().contains(place), "{diagnosed}");
    }
}
