//! The files by which systemd and the session bus start the session service.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use test_support::{OnEvent, hide_digests, wakeable};

use crate::support::{Run, TestEnv, asking, env};

const UNIT: &str = ".config/systemd/user/org.opensesame.Extensions.service";
const BUS_FILE: &str = ".local/share/dbus-1/services/org.opensesame.Extensions1.service";

/// Returns an environment in which `sesame` is found in `~/bin`.
fn with_program() -> TestEnv {
    let env = env();
    std::fs::create_dir(env.path("bin")).expect("made");
    symlink(env!("CARGO_BIN_EXE_sesame"), env.path("bin/sesame")).expect("a link");
    env
}

/// Makes a command in a system whose packages have nothing but what is in `~/usr/share`.
fn command(env: &TestEnv, line: &str) -> Command {
    let mut command = env.command(line.split_whitespace());
    command.env("PATH", env.path("bin")).env("XDG_DATA_DIRS", env.path("usr/share"));
    command
}

fn run(env: &TestEnv, line: &str) -> Run {
    env.finish(command(env, line), b"")
}

/// Returns a file without what differs between runs.
fn shown(env: &TestEnv, file: &str) -> String {
    hide_digests(&env.read(file).replace(&env.home().display().to_string(), "~"))
}

/// Both files are written with the path in `PATH`, which stays, and removed again.
#[test]
fn both_files_are_written_and_go() {
    let env = with_program();
    insta::assert_snapshot!(run(&env, "session install --quiet"), @r#"
    exit 0
    out: installed ~/.config/systemd/user/org.opensesame.Extensions.service
    out: installed ~/.local/share/dbus-1/services/org.opensesame.Extensions1.service
    "#);
    insta::assert_snapshot!(shown(&env, UNIT), @r#"
    # Written by `sesame session install`, which replaces it while it is unchanged: sha256:DIGEST
    [Unit]
    Description=Extensions of the desktop session
    Documentation=man:sesame-session-run(1)

    [Service]
    Type=dbus
    BusName=org.opensesame.Extensions1
    ExecStart=~/bin/sesame session run
    Restart=on-failure
    # Slower than the limit of starts, so that a bus that comes back finds it.
    RestartSec=5
    # Extensions are granted files below /home, so that nothing hides those.
    NoNewPrivileges=yes
    LimitCORE=0
    MemoryMax=512M
    TasksMax=64
    UMask=0077

    [Install]
    WantedBy=default.target
    "#);
    insta::assert_snapshot!(shown(&env, BUS_FILE), @r#"
    # Written by `sesame session install`, which replaces it while it is unchanged: sha256:DIGEST
    [D-BUS Service]
    Name=org.opensesame.Extensions1
    Exec=~/bin/sesame session run
    SystemdService=org.opensesame.Extensions.service
    "#);
    insta::assert_snapshot!(run(&env, "session install --quiet"), @r#"
    exit 0
    out: already installed: ~/.config/systemd/user/org.opensesame.Extensions.service
    out: already installed: ~/.local/share/dbus-1/services/org.opensesame.Extensions1.service
    "#);
    let said = run(&env, "session install").stderr;
    assert!(said.contains("the service starts when it is needed"), "{said}");
    assert!(said.contains("/bin/sesame` is in a directory"), "{said}");
    insta::assert_snapshot!(run(&env, "session install --remove"), @r#"
    exit 0
    out: removed ~/.local/share/dbus-1/services/org.opensesame.Extensions1.service
    out: removed ~/.config/systemd/user/org.opensesame.Extensions.service
    err: a service that runs goes on; to end it: sesame session stop
    "#);
    assert!(!env.path(UNIT).exists() && !env.path(BUS_FILE).exists());
    insta::assert_snapshot!(run(&env, "session install --remove"), @r#"
    exit 0
    out: already removed
    "#);
    let object = run(&env, "session install --json").ok().text();
    assert!(object.contains("\"state\":\"installed\""), "{object}");
}

/// What another program or a person wrote stays.
#[test]
fn other_files_are_not_replaced() {
    let env = with_program();
    env.write(BUS_FILE, "[D-BUS Service]\nName=org.opensesame.Extensions1\nExec=/bin/false\n");
    insta::assert_snapshot!(run(&env, "session install"), @r#"
    exit 9
    err: error: `~/.local/share/dbus-1/services/org.opensesame.Extensions1.service` is not a file of sesame's
    err: hint: move it away: mv ~/.local/share/dbus-1/services/org.opensesame.Extensions1.service ~/.local/share/dbus-1/services/org.opensesame.Extensions1.service.old
    "#);
    insta::assert_snapshot!(run(&env, "session install --remove"), @r#"
    exit 0
    out: already removed
    err: left: `~/.local/share/dbus-1/services/org.opensesame.Extensions1.service` is not a file of sesame's
    "#);
    assert!(!env.path(UNIT).exists());
    std::fs::remove_file(env.path(BUS_FILE)).expect("removed");
    run(&env, "session install").ok();
    env.write(UNIT, env.read(UNIT).replace("512M", "1G"));
    insta::assert_snapshot!(run(&env, "session install"), @r#"
    exit 9
    err: error: `~/.config/systemd/user/org.opensesame.Extensions.service` was edited since sesame wrote it
    err: hint: to lose the changes: sesame session install --force
    err: hint: to keep changes of the unit, make them here: systemctl --user edit org.opensesame.Extensions.service
    "#);
    assert_eq!(run(&env, "session install --remove").code, 9);
    assert!(env.path(BUS_FILE).exists());
    run(&env, "session install --force").ok();
    assert!(env.read(UNIT).contains("512M"));
    std::fs::remove_file(env.path(UNIT)).expect("removed");
    symlink("/dev/null", env.path(UNIT)).expect("a link");
    insta::assert_snapshot!(run(&env, "session install"), @r#"
    exit 9
    err: error: the unit `~/.config/systemd/user/org.opensesame.Extensions.service` is masked
    err: hint: systemctl --user unmask org.opensesame.Extensions.service
    "#);
}

/// The files of a package count, and nothing is written beside them.
#[test]
fn files_of_package_win() {
    let env = with_program();
    run(&env, "session install").ok();
    let packaging = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging");
    let packaged = |file: &str| std::fs::read(packaging.join(file)).expect(file);
    env.write(
        "usr/share/systemd/user/org.opensesame.Extensions.service",
        packaged("systemd/org.opensesame.Extensions.service"),
    );
    env.write(
        "usr/share/dbus-1/services/org.opensesame.Extensions1.service",
        packaged("dbus-1/org.opensesame.Extensions1.service"),
    );
    insta::assert_snapshot!(run(&env, "session install"), @r#"
    exit 0
    out: already installed by a package: ~/usr/share/systemd/user/org.opensesame.Extensions.service
    out: already installed by a package: ~/usr/share/dbus-1/services/org.opensesame.Extensions1.service
    err: warning: `~/.config/systemd/user/org.opensesame.Extensions.service` hides the file of the package
    err: warning: `~/.local/share/dbus-1/services/org.opensesame.Extensions1.service` hides the file of the package
    err: to use the package: sesame session install --remove
    "#);
    insta::assert_snapshot!(rows(&run(&env, "doctor --offline")), @r#"
    out: session service	warning	~/.local/share/dbus-1/services/org.opensesame.Extensions1.service hides the file of the package	sesame session install --remove
    out: session unit	warning	~/.config/systemd/user/org.opensesame.Extensions.service hides the file of the package	sesame session install --remove
    "#);
    run(&env, "session install --remove").ok();
    insta::assert_snapshot!(run(&env, "session install"), @r#"
    exit 0
    out: already installed by a package: ~/usr/share/systemd/user/org.opensesame.Extensions.service
    out: already installed by a package: ~/usr/share/dbus-1/services/org.opensesame.Extensions1.service
    err: the service starts when it is needed
    "#);
    assert!(!env.path(UNIT).exists() && !env.path(BUS_FILE).exists());
}

/// systemd is told where it manages the user's units.
#[test]
fn systemd_reads_its_units_anew() {
    let env = with_program();
    let systemctl = env.write("bin/systemctl", "#!/bin/sh\necho \"$@\" >>\"$HOME/asked\"\n");
    std::fs::set_permissions(systemctl, std::fs::Permissions::from_mode(0o755)).expect("set");
    run(&env, "session install").ok();
    assert!(!env.path("asked").exists(), "no manager runs");
    env.write("run/systemd/private", "");
    let told = |line: &str| {
        let mut command = command(&env, line);
        command.env("XDG_RUNTIME_DIR", env.path("run"));
        env.finish(command, b"").ok()
    };
    let said = told("session install").stderr;
    assert!(said.contains("systemd has read its units anew"), "{said}");
    assert!(said.contains("systemctl --user enable --now org.opensesame.Extensions.service"));
    told("session install --remove");
    told("session install --remove");
    assert_eq!(env.read("asked"), "--user daemon-reload\n--user daemon-reload\n");
}

/// Returns the rows of `doctor` about the service.
fn rows(doctor: &Run) -> String {
    let rows = doctor.to_string();
    let rows =
        rows.lines().filter(|row| row.contains("session service") || row.contains("session unit"));
    rows.map(|row| format!("{row}\n")).collect()
}

/// `doctor` names the file by which the service is started, and what is wrong with it.
#[test]
fn doctor_names_the_files() {
    let env = with_program();
    insta::assert_snapshot!(rows(&run(&env, "doctor --offline")), @"out: session service	good	not started by itself; to change that: sesame session install");
    run(&env, "session install").ok();
    insta::assert_snapshot!(rows(&run(&env, "doctor --offline")), @r#"
    out: session service	good	~/.local/share/dbus-1/services/org.opensesame.Extensions1.service; no session bus is there to read it	
    out: session unit	good	~/.config/systemd/user/org.opensesame.Extensions.service runs this program
    "#);
    std::fs::remove_file(env.path(BUS_FILE)).expect("removed");
    insta::assert_snapshot!(rows(&run(&env, "doctor --offline")), @r#"
    out: session service	warning	the session bus has no file for it	sesame session install
    out: session unit	good	~/.config/systemd/user/org.opensesame.Extensions.service runs this program
    "#);
    run(&env, "session install").ok();
    std::fs::remove_file(env.path("bin/sesame")).expect("removed");
    insta::assert_snapshot!(rows(&run(&env, "doctor --offline")), @r#"
    out: session service	warning	~/.local/share/dbus-1/services/org.opensesame.Extensions1.service runs ~/bin/sesame, which is not there	sesame session install
    out: session unit	warning	~/.config/systemd/user/org.opensesame.Extensions.service runs ~/bin/sesame, which is not there	sesame session install
    "#);
    env.write("bin/sesame", "another");
    insta::assert_snapshot!(rows(&run(&env, "doctor --offline")), @r#"
    out: session service	warning	~/.local/share/dbus-1/services/org.opensesame.Extensions1.service runs ~/bin/sesame, and not this program	sesame session install
    out: session unit	warning	~/.config/systemd/user/org.opensesame.Extensions.service runs ~/bin/sesame, and not this program	sesame session install
    "#);
}

/// Runs a script in a session of a new bus, which reads the files of this environment.
fn on_bus(env: &TestEnv, script: &str) -> Run {
    let mut command = Command::new("dbus-run-session");
    command.args(["--", "sh", "-c", script]).env_clear().current_dir(env.path("work"));
    let path = format!("{}:/usr/bin:/bin", env.path("bin").display());
    command.env("HOME", env.home()).env("PATH", path);
    // Without it, dbus-daemon takes the home of the user and not that of the environment.
    command.env("XDG_DATA_HOME", env.path(".local/share"));
    command.env("XDG_DATA_DIRS", env.path("usr/share"));
    env.finish(command, b"")
}

/// The first call starts the program by `Exec=`, whatever its path has in it. It ends with the bus.
#[test]
#[ignore = "needs dbus-daemon, which .ci/run installs"]
fn first_call_starts_the_service() {
    let env = env();
    let programs = env.path("my % $HOME #; bin");
    std::fs::create_dir(&programs).expect("made");
    symlink(env!("CARGO_BIN_EXE_sesame"), programs.join("sesame")).expect("a link");
    symlink(&programs, env.path("bin")).expect("a link");
    let mut install = command(&env, "session install --quiet");
    install.env("PATH", &programs);
    env.finish(install, b"").ok();
    assert!(env.read(BUS_FILE).contains("/my % $HOME #; bin/sesame' session run\n"));
    let run = on_bus(
        &env,
        "dbus-send --session --print-reply --dest=org.opensesame.Extensions1 \
           /org/opensesame/Extensions org.freedesktop.DBus.Peer.Ping >answer || exit
         sesame session status --json; sesame session stop",
    );
    assert!(env.read("work/answer").contains("method return"), "{run}");
    assert!(run.ok().text().contains("\"executable\":"));
}

/// A grant that lets an event wake an extension starts the service, and one of something else does not.
#[test]
#[ignore = "needs dbus-daemon, which .ci/run installs"]
fn grant_starts_the_service() {
    let env = with_program();
    let declared = "[events.\"power.source\"]\n";
    env.write("work/woken.wasm", asking(&wakeable(1, OnEvent::Handles), declared));
    let run = on_bus(
        &env,
        "sesame session install --quiet || exit
         sesame extension install ./woken.wasm || exit
         sesame extension grant woken env=LANG || exit
         sleep 1; sesame session status --json >before
         sesame extension grant woken events=power.source || exit
         for i in $(seq 300); do
           sesame session status --json >after; grep -q woken after && break; sleep 0.1
         done
         sesame session stop",
    );
    run.ok();
    assert!(!env.read("work/before").contains("executable"), "{}", env.read("work/before"));
    assert!(env.read("work/after").contains("woken"), "{}", env.read("work/after"));
}

/// The bus learns of the files without a new login, and `doctor` asks it without starting anything.
#[test]
#[ignore = "needs dbus-daemon, which .ci/run installs"]
fn bus_learns_of_the_service() {
    let env = with_program();
    let run = on_bus(
        &env,
        "sesame doctor --offline >before; sesame session install 2>said; sesame doctor --offline",
    );
    assert!(env.read("work/said").contains("the session bus has read its files anew"), "{run}");
    insta::assert_snapshot!(rows(&run), @r#"
    out: session service	good	the session bus starts it by ~/.local/share/dbus-1/services/org.opensesame.Extensions1.service	
    out: session unit	good	~/.config/systemd/user/org.opensesame.Extensions.service runs this program
    "#);
    assert!(!env.path(".local/state/pds").exists(), "nothing was started: {run}");
}
