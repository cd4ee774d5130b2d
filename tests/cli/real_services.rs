//! The session service beside programs that others wrote: services as the templates of python-dbusmock
//! have them, mpv as a media player, and many callers by dbus-python.

use test_support::OnEvent;

use crate::bus_session::{Ending, Session, add_waking, is_woken, wait_for, waking_session};
use crate::support::{HOSTILE, with_guest};

const LOGIND: [&str; 2] = ["org.freedesktop.login1", "/org/freedesktop/login1"];
const UPOWER: [&str; 2] = ["org.freedesktop.UPower", "/org/freedesktop/UPower"];
const NETWORK: [&str; 2] = ["org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager"];
const MOCK: &str = "org.freedesktop.DBus.Mock";

/// Starts a template of python-dbusmock, and waits for its name.
fn mock(session: &Session, template: &str, name: &str) -> Ending {
    let python = ["/usr/bin/python3", "-m", "dbusmock", "--system", "--template", template];
    let mocked = session.start_program(&python);
    session.wait_for_name(name);
    mocked
}

/// Asks a service for something.
fn tell(session: &Session, [name, object]: [&str; 2], method: &str, arguments: &[&str]) {
    let call = ["gdbus", "call", "--session", "-d", name, "-o", object, "-m", method];
    session.run_program(&[&call, arguments].concat());
}

/// Every source understands a service that its authors did not write for it, and one that appears
/// late.
#[test]
#[ignore = "needs python3-dbusmock, mpv, mpv-mpris and playerctl, from Debian"]
fn services_of_others_wake() {
    let mut session = waking_session();
    let media = "[events.\"media.changed\"]\n";
    add_waking(&session.env, "hears", OnEvent::EchoesSecond, media, "events=media.changed");
    let _logind = mock(&session, "logind", LOGIND[0]);
    tell(&session, LOGIND, &format!("{MOCK}.AddSession"), &["c1", "seat0", "0", "me", "true"]);
    let own = [LOGIND[0], "/org/freedesktop/login1/session/c1"];
    // The template does not tell of a new session, as logind does.
    session.restart();
    let _upower = mock(&session, "upower", UPOWER[0]);
    let _network = mock(&session, "networkmanager", NETWORK[0]);
    for source in ["logind", "upower", "network-manager"] {
        session.wait_for_source(source);
    }

    let battery = format!("{MOCK}.SetupDisplayDevice");
    for percent in ["50.0", "15.0"] {
        let state = ["2", "2", percent, "12.0", "80.0", "2.5", "900", "0", "true", "battery", "3"];
        tell(&session, UPOWER, &battery, &state);
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    is_woken(&session, "power.battery");
    let changed = format!("{MOCK}.UpdateProperties");
    tell(&session, UPOWER, &changed, &[UPOWER[0], "{'OnBattery': <true>}"]);
    is_woken(&session, "power.source");
    tell(&session, NETWORK, &changed, &[NETWORK[0], "{'Connectivity': <uint32 1>}"]);
    is_woken(&session, "network.changed");
    let sleep = ["org.freedesktop.login1.Manager", "PrepareForSleep", "b", "[<true>]"];
    tell(&session, LOGIND, &format!("{MOCK}.EmitSignal"), &sleep);
    is_woken(&session, "system.sleep");
    for (method, event) in [("Lock", "session.locked"), ("Unlock", "session.unlocked")] {
        tell(&session, own, &format!("org.freedesktop.login1.Session.{method}"), &[]);
        is_woken(&session, event);
    }

    let tone = "av://lavfi:sine=frequency=200";
    let script = "--script=/etc/mpv/scripts/mpris.so";
    let _mpv =
        session.start_program(&["mpv", "--no-config", script, "--ao=null", "--vo=null", tone]);
    is_woken(&session, "media.changed");
    let playerctl = |word: &str| session.run_program(&["playerctl", word]).trim().to_owned();
    let told = || session.run("extension logs hears").text();
    for (word, status) in [("play", "Playing"), ("pause", "Paused")] {
        playerctl(word);
        wait_for(|| told().contains(&status.to_lowercase()), || session.log() + &told());
        assert_eq!(playerctl("status"), status);
    }
}

/// Calls a function from 200 connections at once, and lists extensions meanwhile. Prints the answers of
/// each kind, and the longest time of a list in milliseconds.
const MANY_CALLERS: &str = r#"
import collections, dbus, dbus.bus, os, threading, time
from dbus.lowlevel import MethodCallMessage

NAME = "org.opensesame.Extensions1"
address = os.environ["DBUS_SESSION_BUS_ADDRESS"]
callers = [dbus.bus.BusConnection(address) for _ in range(200)]
answers, longest = collections.Counter(), 0

def ask(connection, method, *arguments, signature=""):
    message = MethodCallMessage(NAME, "/org/opensesame/Extensions", NAME, method)
    message.append(*arguments, signature=signature) if arguments else None
    connection.send_message_with_reply_and_block(message, 60)

def call(connection):
    try:
        options = dbus.Dictionary({}, signature="sv")
        ask(connection, "Call", "hostile", "sleep", "[300]", options, signature="sssa{sv}")
        answers["done"] += 1
    except dbus.DBusException as error:
        answers[error.get_dbus_name().split(".")[-1]] += 1

threads = [threading.Thread(target=call, args=(caller,)) for caller in callers]
for thread in threads: thread.start()
lister = dbus.bus.BusConnection(address)
while any(thread.is_alive() for thread in threads):
    begun = time.monotonic()
    ask(lister, "List")
    longest = max(longest, (time.monotonic() - begun) * 1000)
    time.sleep(0.01)
print(answers["done"], answers["Busy"], sum(answers.values()), round(longest))
"#;

/// Of many callers at once some are served and the others hear so at once, lists do not wait for any of
/// them, and nothing of them stays.
#[test]
#[ignore = "needs python3-dbus, from Debian"]
fn many_callers_hold_up_nobody() {
    let session = Session::start(with_guest("hostile", &HOSTILE));
    let files =
        || std::fs::read_dir(format!("/proc/{}/fd", session.process())).expect("it runs").count();
    let before = files();
    let said = session.run_program(&["/usr/bin/python3", "-c", MANY_CALLERS]);
    let numbers: Vec<u64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [done, busy, all, longest] = numbers[..] else { panic!("{said}") };
    assert!(done >= 32 && done + busy == 200 && all == 200, "{said}");
    // Milliseconds on an idle machine, and this one is not.
    assert!(longest < 2_000, "{said}");
    wait_for(|| files() <= before + 1, || format!("{before} {}", files()));
}
