//! Programs in sandboxes that ask the session service.

use std::process::{Command, Stdio};
use std::time::Duration;

use test_support::OnEvent;

use crate::bus_session::{
    Ending, NAME, OBJECT, Options, Session, add_waking, call, call_with, in_session, started,
    under, wait_for, with_hostile,
};
use crate::notifications::Notifications;
use crate::support::{GREETING, desktop, manifest, with_guest};

/// A program in a sandbox that has the marks of Flatpak.
fn in_flatpak(session: &Session, program: &str) -> Command {
    let info = session.env.write("info", "[Application]\nname=org.example.App\n");
    let mut bwrap = Command::new("bwrap");
    bwrap.arg("--die-with-parent");
    for path in ["/usr", "/lib", "/lib64", "/bin", "/etc"] {
        bwrap.args(["--ro-bind-try", path, path]);
    }
    let run = session.env.path("run");
    bwrap.arg("--bind").args([&run, &run]).args(["--dev", "/dev", "--proc", "/proc"]);
    bwrap.arg("--ro-bind").arg(&info).arg("/.flatpak-info").arg(program);
    in_session(&session.env, &mut bwrap);
    bwrap
}

/// Opens an extension to the sandboxed program.
const SANDBOXED: &str = "\n[service]\nsandboxed = [\"org.example.App\"]\n";

/// A program in a sandbox reaches what the user's manifest opens to it, and nothing else.
#[test]
#[ignore = "needs dbus-daemon and bubblewrap, from Debian"]
fn sandbox_reaches_what_is_opened() {
    let session = Session::start(with_hostile());
    let asked = |interface: &str, method: &str, arguments: &[&str]| {
        let mut bwrap = in_flatpak(&session, "gdbus");
        bwrap.args(["call", "--session", "-d", NAME, "-o", OBJECT, "-m"]);
        bwrap.arg(format!("{interface}.{method}")).args(arguments);
        let output = bwrap.output().expect("bwrap runs");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let sandboxed = |method: &str, arguments: &[&str]| asked(NAME, method, arguments);
    let greets = || sandboxed("Call", &["greet", "greet", "[\"World\"]", "{}"]);
    let is_refused = |text: String| text.contains("org.opensesame.Error.Refused");
    // The interface of the command line is refused to it as well.
    let of_command_line: [(_, &[&str]); 3] =
        [("Status", &[]), ("Emit", &["build.done", "x"]), ("Stop", &[])];
    for (method, arguments) in of_command_line {
        let answer = asked("org.opensesame.Session1", method, arguments);
        assert!(is_refused(answer.clone()), "{method}: {answer}");
    }
    assert!(is_refused(sandboxed("List", &[])), "{}", sandboxed("List", &[]));
    assert!(is_refused(sandboxed("Emit", &["build.done", "x"])));
    let watches =
        || sandboxed("Watch", &["greet", "greet", "[\"World\"]", "{'every-ms': <uint32 5000>}"]);
    assert!(is_refused(watches()), "{}", watches());
    let refused = greets();
    assert!(is_refused(refused.clone()), "{refused}");
    assert_eq!(sandboxed("Call", &["nobody", "greet", "[]", "{}"]), refused, "it learns nothing");
    let path = manifest("greet");
    let before = session.env.read(&path);
    let service = SANDBOXED;
    session.env.write(&path, format!("{before}{service}"));
    assert!(greets().contains("Hello, World!"), "{}", greets());
    assert!(watches().contains("/org/opensesame/Extensions/watch/"), "{}", watches());
    assert!(is_refused(sandboxed("Call", &["hostile", "spin", "[]", "{}"])));
    session.env.write(&path, format!("{before}{service}functions = [\"other\"]\n"));
    assert!(is_refused(greets()));
    let other = service.replace("org.example.App", "org.example.Other");
    session.env.write(&path, format!("{before}{other}"));
    assert!(is_refused(greets()));
}

/// A program in a sandbox causes no question, whatever it says: its refusal is not one that a person can
/// judge.
#[test]
#[ignore = "needs dbus-daemon and bubblewrap, from Debian"]
fn sandbox_causes_no_question() {
    let env = desktop();
    env.run("extension revoke desktop notification").ok();
    let path = manifest("desktop");
    env.write(&path, env.read(&path) + SANDBOXED);
    let session = Session::on_one_bus(env);
    let notifications = Notifications::start(&session);
    let arguments = ["desktop", "config-value", "[\"x\"]", "{'interactive': <true>}"];
    let mut bwrap = in_flatpak(&session, "gdbus");
    bwrap.args(["call", "--session", "-d", NAME, "-o", OBJECT, "-m", &format!("{NAME}.Call")]);
    let output = bwrap.args(arguments).output().expect("bwrap runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("org.opensesame.Error.Refused"), "{said}{output:?}");
    assert_eq!(notifications.shown(), [""; 0]);
    // The same by a program outside of one is asked about.
    let options = Options::from([("interactive", true.into()), ("timeout-ms", 1_000_u32.into())]);
    let function = ("desktop", "config-value", "[\"x\"]");
    call_with(&session.connect(), function, options).expect_err("not answered");
    assert_eq!(notifications.shown().len(), 1);
}

/// A program in a sandbox causes none through an event either, which an extension publishes for it.
#[test]
#[ignore = "needs dbus-daemon and bubblewrap, from Debian"]
fn published_event_of_a_sandbox_causes_no_question() {
    let env = desktop();
    let path = manifest("desktop");
    env.write(&path, env.read(&path) + SANDBOXED);
    // By a pattern, which its author declares.
    let declared = "[capabilities]\nevents = [\"custom.greeting.*\"]\n[events.\"custom.tick\"]\n";
    add_waking(&env, "hears", OnEvent::Handles, declared, "config-read");
    let session = Session::on_one_bus(env);
    let notifications = Notifications::start(&session);
    let mut bwrap = in_flatpak(&session, "gdbus");
    bwrap.args(["call", "--session", "-d", NAME, "-o", OBJECT, "-m", &format!("{NAME}.Call")]);
    let arguments = ["desktop", "publish-message", "[\"greeting.said\", \"x\"]", "{}"];
    let output = bwrap.args(arguments).output().expect("bwrap runs");
    assert!(output.status.success(), "{output:?}");
    let why = || session.run("extension why hears").text();
    wait_for(|| why().contains("events=custom.greeting.said"), || session.log());
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(notifications.shown(), [""; 0]);
    // The same event by a program outside of one is asked about.
    session.run("session emit greeting.said").ok();
    wait_for(|| !notifications.shown().is_empty(), || session.log());
}

/// A program in a user namespace of its own is in a sandbox, whatever else it has.
#[test]
#[ignore = "needs dbus-daemon and unshare, from Debian"]
fn other_user_namespace_is_a_sandbox() {
    let session = Session::start(with_guest("greet", &GREETING));
    let mut unshare = Command::new("unshare");
    in_session(&session.env, &mut unshare);
    unshare.args(["--user", "--map-root-user", "gdbus", "call", "--session", "-d", NAME]);
    let call = ["-o", OBJECT, "-m", &format!("{NAME}.Call"), "greet", "greet", "[\"World\"]", "{}"];
    let output = unshare.args(call).output().expect("unshare runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("org.opensesame.Error.Refused"), "{text}{output:?}");
}

/// A service that cannot look at the process of its caller takes it for one in a sandbox.
#[test]
#[ignore = "needs dbus-daemon and bubblewrap, from Debian"]
fn hidden_caller_is_in_a_sandbox() {
    let mut session = Session::start(with_guest("greet", &GREETING));
    assert!(call(&session.connect(), "greet", "greet", "[\"World\"]").is_ok());
    session.end();
    // Its /proc has its own processes alone.
    let world = ["--die-with-parent", "--unshare-pid", "--dev-bind", "/", "/", "--proc", "/proc"];
    session.service = started(&session.env, under("bwrap", &world, &session.env), "service.log");
    wait_for(|| session.log().contains("event"), || session.log());
    let refused = call(&session.connect(), "greet", "greet", "[\"World\"]");
    assert_eq!(refused.expect_err("refused").0, "Refused");
}

/// Flatpak gives a program no bus but that of xdg-dbus-proxy, which runs in a sandbox of the same marks.
#[test]
#[ignore = "needs dbus-daemon, bubblewrap and xdg-dbus-proxy, from Debian"]
fn flatpak_proxy_is_in_the_sandbox() {
    let session = Session::start(with_guest("greet", &GREETING));
    let socket = session.env.path("run/proxy");
    let mut proxy = in_flatpak(&session, "xdg-dbus-proxy");
    proxy.arg(session.address()).arg(&socket).args(["--filter", &format!("--talk={NAME}")]);
    let _proxy = Ending(proxy.stdin(Stdio::null()).spawn().expect("bwrap runs"));
    wait_for(|| socket.exists(), || "no proxy".to_owned());
    let greets = || {
        let mut bwrap = in_flatpak(&session, "gdbus");
        bwrap.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", socket.display()));
        bwrap.args(["call", "--session", "-d", NAME, "-o", OBJECT, "-m", &format!("{NAME}.Call")]);
        let output = bwrap.args(["greet", "greet", "[\"World\"]", "{}"]).output().expect("runs");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    assert!(greets().contains("org.opensesame.Error.Refused"), "{}", greets());
    let path = manifest("greet");
    session.env.write(&path, session.env.read(&path) + SANDBOXED);
    assert!(greets().contains("Hello, World!"), "{}", greets());
}
