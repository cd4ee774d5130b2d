//! An author's way from an empty directory to a published extension, with a toolchain that takes no
//! time.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use extension_depot::serve::MemoryRegistry;
use rustix::process::Signal;
use test_support::{OnEvent, guest, wakeable};

use crate::support::{Run, TestEnv, asking, bare, env, publish, registry, send};

/// A stand-in for npm: runs the given script, and notes each of its runs.
const NPM: &str =
    "#!/bin/sh\necho built >>../built.log\nmkdir -p build\ncp ../guest.wasm build/mine.wasm\n";

const CASES: &str = r#"
[[case]]
name = "greets"
function = "greet"
arguments = ["World"]
expect = "Hello, World!"
"#;

/// Writes a project whose tools copy the guest.
fn project(env: &TestEnv) {
    manifest(env, "1.2.3");
    env.write("work/mine/index.js", "// one\n");
    env.write("work/mine/tests/greet.toml", CASES);
    env.write("work/mine/node_modules/x/index.js", "");
    env.write("work/guest.wasm", guest("greeting"));
    npm(env, NPM);
}

fn manifest(env: &TestEnv, version: &str) {
    let text = format!(
        "[extension]\nname = \"mine\"\nversion = \"{version}\"\n[capabilities]\nconfig-read = true\n[build]\nlanguage = \"js\"\n"
    );
    env.write("work/mine/extension.toml", text);
}

fn npm(env: &TestEnv, script: &str) {
    let path = env.write("work/bin/npm", script);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("set");
}

fn command(env: &TestEnv, words: &[&str]) -> Command {
    let mut command = env.command(words);
    command
        .current_dir(env.path("work/mine"))
        .env("PATH", format!("{}:/usr/bin:/bin", env.path("work/bin").display()));
    command
}

/// Runs a command in the project.
fn within(env: &TestEnv, line: &str) -> Run {
    env.finish(command(env, &line.split_whitespace().collect::<Vec<_>>()), b"")
}

/// Returns the number of builds so far.
fn builds(env: &TestEnv) -> usize {
    fs::read_to_string(env.path("work/built.log")).unwrap_or_default().lines().count()
}

#[test]
fn test_builds_only_after_a_change() {
    let env = env();
    project(&env);
    for _ in 0..2 {
        let run = within(&env, "extension test").ok();
        assert!(run.text().ends_with("1 passed, 0 failed\n"), "{run}");
    }
    assert_eq!(builds(&env), 1);
    // A test case is not an input of the build.
    env.write("work/mine/tests/greet.toml", CASES.replace("greets", "greets the world"));
    within(&env, "extension test").ok();
    assert_eq!(builds(&env), 1);
    let changes: [&dyn Fn(); 4] = [
        &|| drop(env.write("work/mine/index.js", "// two\n")),
        &|| fs::remove_file(env.path("work/mine/dist/mine.wasm")).expect("removed"),
        &|| drop(env.write("work/mine/dist/mine.wasm", guest("echo"))),
        &|| manifest(&env, "1.2.4"),
    ];
    for (number, change) in changes.iter().enumerate() {
        change();
        within(&env, "extension test").ok();
        within(&env, "extension test").ok();
        assert_eq!(builds(&env), number + 2);
    }
    within(&env, "extension build").ok();
    assert_eq!(builds(&env), 6, "whoever says `build` means it");
}

#[test]
fn publish_builds_what_has_changed() {
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    project(&env);
    let publish = |rest: &str| {
        within(&env, &format!("extension publish {}/my-org/mine:{rest}", registry.host()))
            .hiding_registry(&registry)
    };
    publish("1.2.3").ok();
    assert_eq!(builds(&env), 1);
    let call = || env.run("extension call mine greet World").ok().text();
    env.run(&format!("extension install {}/my-org/mine:1.2.3", registry.host())).ok();
    assert_eq!(call(), "Hello, World!\n");

    // The source has changed, and the file in `dist` is not made from it.
    env.write("work/guest.wasm", bare(7, ""));
    env.write("work/mine/index.js", "// two\n");
    insta::assert_snapshot!(publish("1.2.4"), @r#"
    exit 2
    err: error: the tag is `1.2.4`, and the author's version is `1.2.3`
    err: to take the version from the tag: add `--version-from-tag`
    err: hint: sesame extension publish REGISTRY/my-org/mine:1.2.3
    "#);
    insta::assert_snapshot!(publish("latest --dry-run"), @r#"
    exit 2
    err: error: the tag is `latest`, and the author's version is `1.2.3`
    err: to take the version from the tag: add `--version-from-tag`
    err: hint: sesame extension publish REGISTRY/my-org/mine:1.2.3
    "#);
    manifest(&env, "1.2.4");
    publish("v1.2.4").ok();
    env.run(&format!("extension install {}/my-org/mine:v1.2.4", registry.host())).ok();
    assert_eq!(env.run("extension call mine f").ok().text(), "7\n");
    assert!(env.run("extension info mine").ok().text().contains("1.2.4\n"));

    // Unchanged for authors who build themselves, and as another version for those whose tags name
    // it.
    let built = builds(&env);
    npm(&env, "#!/bin/sh\necho 'index.js:3:5: error: unexpected word' >&2\nexit 1\n");
    env.write("work/mine/index.js", "// three\n");
    insta::assert_snapshot!(publish("1.2.5 --version-from-tag"), @r#"
    exit 1
    err: index.js:3:5: error: unexpected word
    err: error: `npm run --silent build` failed
    err: to publish `./dist/mine.wasm` as it is, even if it does not match the sources: add `--no-build`
    "#);
    publish("1.2.5 --version-from-tag --no-build").ok();
    let manifest = publish("1.2.6 --version-from-tag --no-build --dry-run").ok();
    assert!(
        manifest.text().contains("\"org.opencontainers.image.version\":\"1.2.6\""),
        "{manifest}"
    );
    assert_eq!(builds(&env), built);
}

/// The same holds for a file that carries its author's manifest, and for a package of interfaces.
#[test]
fn publish_refuses_other_version_tag() {
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    env.write("work/x.wasm", bare(1, "[extension]\nname = \"x\"\nversion = \"0.3.0\"\n"));
    env.write("work/wit/x.wit", "package a:b@0.3.0;\ninterface i {}\n");
    for what in ["x.wasm", "wit"] {
        let publish =
            |rest: &str| env.run(&format!("extension publish {}/a/{rest} {what}", registry.host()));
        let refused = publish("b:0.4.0");
        assert_eq!(refused.code, 2, "{refused}");
        let hint = format!("hint: sesame extension publish {}/a/b:0.3.0\n", registry.host());
        assert!(
            refused.stderr.contains("the author's version is `0.3.0`")
                && refused.stderr.ends_with(&hint),
            "{refused}"
        );
        publish("b:0.3.0 --overwrite").ok();
        publish("b:v0.3.0 --overwrite").ok();
        publish("b:0.4.0 --overwrite --version-from-tag").ok();
    }
}

#[test]
fn wit_error_comes_before_building() {
    let env = env();
    project(&env);
    env.write(
        "work/mine/wit/world.wit",
        "package local:extension;\n\nworld extension {\n  export greet: fun();\n}\n",
    );
    insta::assert_snapshot!(within(&env, "extension build"), @r#"
    exit 2
    err: error: the interfaces in `wit` cannot be understood
    err: caused by: wit/world.wit:4:20: expected ';', found '('
    err:       |
    err:     4 |   export greet: fun();
    err:       |                    ^
    "#);
    insta::assert_snapshot!(within(&env, "extension test"), @r#"
    exit 2
    err: error: the interfaces in `wit` cannot be understood
    err: caused by: wit/world.wit:4:20: expected ';', found '('
    err:       |
    err:     4 |   export greet: fun();
    err:       |                    ^
    "#);
    assert_eq!(builds(&env), 0);
}

/// A compiler's output is passed on unchanged: editors find files, lines and columns in it.
#[test]
fn compiler_errors_keep_their_place() {
    let env = env();
    project(&env);
    npm(&env, "#!/bin/sh\necho 'index.js:3:5: error: unexpected word'\nexit 1\n");
    insta::assert_snapshot!(within(&env, "extension build"), @r#"
    exit 1
    err: index.js:3:5: error: unexpected word
    err: error: `npm run --silent build` failed
    "#);
}

/// The next block of the guide: a trial under `dev` does not take the name of a later install.
#[test]
fn dev_leaves_the_name_free() {
    let (env, registry) = (env(), registry());
    project(&env);
    insta::assert_snapshot!(within(&env, "extension dev --once greet You"), @r#"
    exit 0
    out: installed mine-dev 1.2.3 from local/dev/mine-dev:1.2.3@sha256:DIGEST
    out: Hello, You!
    err: signature: unsigned
    err: granted: config-read (its own [config] only)
    err: `mine-dev` was removed
    "#);
    assert_eq!(env.run("extension list").ok().text(), "");
    let traces: Vec<_> = env
        .files()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| {
            let path = path.display().to_string();
            path.contains("mine-dev") && !path.contains("activity")
        })
        .collect();
    assert!(traces.is_empty(), "{traces:?}");
    within(&env, "extension install ./dist/mine.wasm").ok();
    let installed = env.read(".config/pds/extensions/mine.toml");
    within(&env, "extension dev --once --quiet greet You").ok();
    within(&env, "extension dev --once --quiet").ok();
    assert_eq!(env.read(".config/pds/extensions/mine.toml"), installed);
    env.run("extension remove --purge mine").ok();
    // The same from a registry.
    publish(&registry, "my-org/mine:1.2.3", &guest("greeting"), &[]);
    env.run(&format!("extension install {}/my-org/mine:1.2.3", registry.host())).ok();
    within(&env, "extension dev --once --quiet greet You").ok();
    // Nor is an extension of the other name touched.
    env.write("work/other.wasm", bare(1, ""));
    env.run("extension install ./other.wasm --name mine-dev").ok();
    let before = env.read(".config/pds/extensions/mine-dev.toml");
    insta::assert_snapshot!(within(&env, "extension dev --once greet You"), @r#"
    exit 5
    err: error: `mine-dev` is an installed extension, which `dev` does not replace
    err: hint: try the project under another name: sesame extension dev --name mine-dev-2
    "#);
    within(&env, "extension dev --once --quiet --name mine-dev-2 greet You").ok();
    assert_eq!(env.read(".config/pds/extensions/mine-dev.toml"), before);
    assert_eq!(within(&env, "extension dev --once --name mine").code, 5);
}

/// `dev` delivers an event after each build, in place of a call.
#[test]
fn dev_delivers_an_event() {
    let env = env();
    project(&env);
    env.write("work/guest.wasm", wakeable(1, OnEvent::Returns));
    let path = "work/mine/extension.toml";
    env.write(path, env.read(path) + "[events.\"power.battery\"]\nbelow = 20\n");
    insta::assert_snapshot!(within(&env, "extension dev --once --quiet --event power.battery percent=5"), @r#"
    exit 1
    out: installed mine-dev 1.2.3 from local/dev/mine-dev:1.2.3@sha256:DIGEST
    err: error: `mine-dev` returned an error for `power.battery`: power.battery
    "#);
    insta::assert_snapshot!(within(&env, "extension dev --once --event power.battery percnt=5"), @r#"
    exit 2
    out: installed mine-dev 1.2.3 from local/dev/mine-dev:1.2.3@sha256:DIGEST
    err: signature: unsigned
    err: granted: config-read (its own [config] only)
    err: granted: events=power.battery
    err: error: `power.battery` does not have a value `percnt`; it has `percent`, `charging`
    err: hint: see its events: sesame extension events mine-dev
    err: `mine-dev` was removed
    err: without `--once` it stays until Ctrl-C, and the commands above work
    "#);
    assert!(!env.path(".config/pds/extensions/mine-dev.toml").exists());
}

/// A failed build is reported, and the installed extension can be called until the command ends.
#[test]
fn dev_that_fails_is_gone_as_well() {
    let env = env();
    project(&env);
    npm(&env, "#!/bin/sh\nexit 1\n");
    let failed = within(&env, "extension dev --once greet You");
    assert_eq!(failed.code, 1, "{failed}");
    npm(&env, NPM);
    assert_eq!(within(&env, "extension dev --once nothing").code, 3);
    assert_eq!(env.run("extension list").ok().text(), "");
    assert_eq!(env.run("extension dev --once").code, 3, "there is no project");
}

/// Starts `dev`, and waits until it watches for a change.
fn begin_dev(env: &TestEnv) -> (Child, PathBuf) {
    let said = env.path("work/said");
    let stderr = fs::File::create(&said).expect("made");
    let mut command = command(env, &["extension", "dev", "greet", "You"]);
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .expect("it starts");
    let begun = Instant::now();
    while !fs::read_to_string(&said).expect("read").contains("waiting for a change") {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{}",
            fs::read_to_string(&said).expect("read")
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    (child, said)
}

fn end(child: &mut Child, signal: Signal) -> Option<i32> {
    send(child, signal);
    std::os::unix::process::ExitStatusExt::signal(&child.wait().expect("it ends"))
}

#[test]
fn dev_is_gone_after_a_signal() {
    let env = env();
    project(&env);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let (mut child, _) = begin_dev(&env);
        assert_eq!(env.run("extension call mine-dev greet Ada").ok().text(), "Hello, Ada!\n");
        let second = within(&env, "extension dev --once greet You");
        assert!(
            second.code == 9 && second.stderr.contains("another `sesame extension dev` runs"),
            "{second}"
        );
        assert_eq!(end(&mut child, signal), Some(signal.as_raw()));
        assert_eq!(env.run("extension list").ok().text(), "", "{signal:?}");
    }
    // SIGKILL leaves files behind, but the next `dev` takes its place.
    let (mut child, _) = begin_dev(&env);
    env.write(".config/pds/extensions/mine-dev.toml", {
        let manifest = env.read(".config/pds/extensions/mine-dev.toml");
        manifest + "[config]\ngreeting.template = \"Left behind, {}!\"\n"
    });
    end(&mut child, Signal::KILL);
    assert!(env.run("extension list").ok().text().starts_with("mine-dev\t"));
    let next = within(&env, "extension dev --once greet You").ok();
    assert!(
        next.text().ends_with("Hello, You!\n") && next.stderr.contains("is begun anew"),
        "{next}"
    );
    assert_eq!(env.run("extension list").ok().text(), "");
}

/// Settings and grants of the trial last from one build to the next.
#[test]
fn dev_keeps_settings_and_grants() {
    let env = env();
    project(&env);
    let (mut child, said) = begin_dev(&env);
    let manifest = env.read(".config/pds/extensions/mine-dev.toml");
    env.write(
        ".config/pds/extensions/mine-dev.toml",
        manifest + "[config]\ngreeting.template = \"Hi, {}!\"\n",
    );
    fs::write(&said, "").expect("emptied");
    env.write("work/guest.wasm", asking(&guest("greeting"), "# another\n"));
    env.write("work/mine/index.js", "// two\n");
    let begun = Instant::now();
    while !fs::read_to_string(&said).expect("read").contains("waiting for a change") {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(env.run("extension call mine-dev greet Ada").ok().text(), "Hi, Ada!\n");
    assert_eq!(builds(&env), 2);
    end(&mut child, Signal::TERM);
}

/// Neither an installed extension of the same name nor a damaged manifest misleads `inspect`.
#[test]
fn inspect_ignores_the_installed_name() {
    let (env, registry) = (env(), registry());
    publish(
        &registry,
        "other/greeting-extension:0.1.0",
        &bare(3, "[capabilities]\nnotification = true\n"),
        &[],
    );
    let mine = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    let other = format!("{}/other/greeting-extension:0.1.0", registry.host());
    env.run(&format!("extension install {mine} --grant notification")).ok();
    env.write("work/greeting-extension.wasm", bare(4, ""));
    for (what, reference) in [
        (other.as_str(), other.as_str()),
        (mine.as_str(), mine.as_str()),
        ("greeting-extension", mine.as_str()),
        ("./greeting-extension.wasm", "local/file/greeting-extension"),
        ("greeting-extension.wasm", "local/file/greeting-extension"),
    ] {
        let run = env.run(&format!("extension inspect {what}")).ok();
        assert!(run.text().contains(reference), "{what}: {run}");
    }
    // The grants of the installed extension do not decide for another of its name.
    let asked = env.run(&format!("extension inspect {other}")).ok().text();
    assert!(
        asked.contains("notification: show notifications, ten a minute at most; would be asked"),
        "{asked}"
    );

    // A moved tag, a broken manifest, and a missing one.
    publish(&registry, "my-org/greeting-extension:0.1.0", &bare(5, ""), &[]);
    env.run(&format!("extension inspect {mine}")).ok();
    env.write(".config/pds/extensions/greeting-extension.toml", "[extension\n");
    env.run(&format!("extension inspect {other}")).ok();
    env.write("work/weather", bare(4, ""));
    insta::assert_snapshot!(env.run("extension inspect weather"), @r#"
    exit 3
    err: error: there is no extension `weather`
    err: hint: for the file: sesame extension inspect ./weather
    err: hint: sesame extension list
    "#);
    env.run("extension inspect ./weather").ok();
}

/// Runs cases of the guest `probe`, whose functions act on files.
fn probe(env: &TestEnv, cases: &str) -> Run {
    env.write(
        "work/mine/extension.toml",
        "[extension]\nname = \"mine\"\n[capabilities]\nfilesystem = { read = [\"/etc\"] }\n",
    );
    env.write("work/mine/probe.wasm", guest("probe"));
    env.write("work/mine/tests/cases.toml", cases);
    let mut command = command(env, &["extension", "test", "probe.wasm"]);
    env.finish(
        {
            command.env("TMPDIR", env.path("work/tmp"));
            command
        },
        b"",
    )
}

#[test]
fn cases_have_own_directories() {
    let env = env();
    fs::create_dir(env.path("work/tmp")).expect("made");
    let run = probe(
        &env,
        r#"
[[case]]
name = "reads"
function = "open"
arguments = ["/notes/old/today.md", "r"]
expect = "DescriptorType::RegularFile: milk"
[[case.directories]]
path = "/notes"
files = { "old/today.md" = "milk" }

[[case]]
name = "does not write where it reads"
function = "open"
arguments = ["/notes/new.md", "wc"]
expect_error = "not-permitted"
[[case.directories]]
path = "/notes"

[[case]]
name = "writes"
function = "open"
arguments = ["out/new.md", "wc"]
[[case.directories]]
path = "out"
write = true
expect_files = { "new.md" = "" }

[[case]]
name = "leaves a link"
function = "act"
arguments = ["symlink", "out/new.md", "../../../../../../../../etc/hostname"]
[[case.directories]]
path = "out"
write = true
expect_files = { "new.md" = "" }

[[case]]
name = "has none of this machine"
function = "open"
arguments = ["/etc/hostname", "r"]
expect_error = "no directory for it"

[[case]]
name = "leads elsewhere"
function = "open"
arguments = ["/notes/x", "r"]
[[case.directories]]
path = "/notes"
files = { "../x" = "" }
"#,
    );
    insta::assert_snapshot!(run, @r#"
    exit 1
    out: tests/cases.toml
    out:   ok      reads
    out:   ok      does not write where it reads
    out:   ok      writes
    out:   FAILED  leaves a link
    out:           `new.md` in `out`: Too many levels of symbolic links (os error 40)
    out:   ok      has none of this machine
    out:   FAILED  leads elsewhere
    out:           `../x` is not the path of a file in the directory, such as `notes/today.md`
    out: 4 passed, 2 failed
    "#);
    assert_eq!(fs::read_dir(env.path("work/tmp")).expect("read").count(), 0, "they are gone");
}

#[test]
fn keygen_names_the_files_it_wrote() {
    let env = env();
    insta::assert_snapshot!(env.run("trust keygen release.example.org"), @r#"
    exit 0
    out: release.example.org.key
    out: release.example.org.pub
    err: `release.example.org.key` is your secret key and is not encrypted: its readers can sign as you. SESAME_KEY_PASSWORD encrypts a new one
    err: `release.example.org.pub` is the public key, for those who install what you sign
    "#);
    assert!(env.read("work/release.example.org.key").starts_with("-----BEGIN PRIVATE KEY-----"));
    insta::assert_snapshot!(env.run("trust keygen release.example.org"), @r#"
    exit 9
    err: error: `release.example.org.key` already exists, and keys are never replaced
    err: hint: create one of another name: sesame trust keygen release.example.org-2
    "#);
    for name in ["keys/", "..", "/"] {
        assert_eq!(env.run(&format!("trust keygen {name}")).code, 2, "{name}");
    }
    env.write("work/half.pub", "");
    assert_eq!(env.run("trust keygen half").code, 9);
    assert!(!env.path("work/half.key").exists());
}

#[test]
fn keygen_reads_password_variable() {
    let (env, registry) = (env(), registry());
    let reference = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    let with = |line: &str, variable: &str, password: &str| {
        let mut command = env.command(line.split_whitespace());
        env.finish(
            {
                command.env(variable, password);
                command
            },
            b"",
        )
        .hiding_registry(&registry)
    };
    insta::assert_snapshot!(with("trust keygen a.b", "SESAME_KEY_PASSWORD", "s3cret"), @r#"
    exit 0
    out: a.b.key
    out: a.b.pub
    err: `a.b.key` is your secret key, encrypted with the password
    err: `a.b.pub` is the public key, for those who install what you sign
    "#);
    with("trust keygen cosigns", "COSIGN_PASSWORD", "s3cret").ok();
    let empty = with("trust keygen empty", "SESAME_KEY_PASSWORD", "").ok();
    assert!(empty.stderr.contains("is not encrypted"), "{empty}");
    for key in ["a.b.key", "cosigns.key"] {
        assert!(
            env.read(&format!("work/{key}"))
                .starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----")
        );
        with(&format!("extension sign {reference} --key {key}"), "SESAME_KEY_PASSWORD", "s3cret")
            .ok();
        let publish =
            format!("extension publish {}/a/{key}:1.0.0 x.wasm --sign-key {key}", registry.host());
        env.write("work/x.wasm", bare(1, ""));
        with(&publish, "SESAME_KEY_PASSWORD", "s3cret").ok();
        assert_eq!(with(&publish, "SESAME_KEY_PASSWORD", "wrong").code, 2);
        insta::allow_duplicates! {
            insta::assert_snapshot!(env.run(&publish).hiding(key, "KEY"), @r#"
            exit 2
            err: error: `KEY` cannot be signed with
            err: caused by: the password does not decrypt it
            err: hint: set SESAME_KEY_PASSWORD, or give the password on standard input
            "#);
        }
    }
    env.run_with(["extension", "sign", &reference, "--key", "a.b.key"], b"s3cret\n").ok();
    env.run(&format!("extension verify {reference} --key a.b.pub")).ok();
    let leaks =
        env.files().into_iter().find(|(_, bytes)| bytes.windows(6).any(|part| part == b"s3cret"));
    assert_eq!(leaks.map(|(path, _)| path), None);
}
