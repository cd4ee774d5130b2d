//! The session service in a machine that goes to another zone, and in another start of it.

use std::process::Command;

use serde_json::Value;
use test_support::OnEvent;

use crate::bus_session::{Session, started, under, wait_for, waking};

/// The record of the moments of timers.
const RECORD: &str = ".local/state/pds/extensions/events/state";

/// Returns a file of a zone without changes, as tzfile(5) has it: its rule stands behind an empty
/// table of times.
fn zone(rule: &str) -> Vec<u8> {
    let counts = [0, 0, 0, 0, 1, 4_u32].map(u32::to_be_bytes).concat();
    let one_type = b"\0\0\0\0\0\0-00\0";
    let table = [b"TZif2".as_slice(), &[0; 15], &counts, one_type].concat();
    [table.as_slice(), &table, format!("\n{rule}\n").as_bytes()].concat()
}

/// A time of day moves with the zone of the machine.
#[test]
#[ignore = "needs dbus-daemon and bubblewrap, from Debian"]
fn changed_zone_is_seen() {
    let declared = "[events.\"time.at\"]\nat = [\"12:00\"]\n";
    let mut session = Session::start(waking("noon", OnEvent::Handles, declared, "events=time.at"));
    session.end();
    session.env.write("etc/localtime", zone("<+05>-5"));
    let etc = session.env.path("etc").display().to_string();
    let world = ["--die-with-parent", "--dev-bind", "/", "/", "--bind", &etc, "/etc"];
    let command = under("bwrap", &world, &session.env);
    session.service = started(&session.env, command, "service.log");
    let status = || session.run("session status --json").text();
    wait_for(|| status().contains("T07:00:00Z"), status);
    // As timedatectl does it: by a new file under the name.
    session.env.write("etc/new", zone("<-03>3"));
    let new = session.env.path("etc/new");
    std::fs::rename(new, session.env.path("etc/localtime")).expect("renamed");
    wait_for(|| status().contains("T15:00:00Z"), status);
}

/// A moment of `time.every` belongs to one start of the machine. A time of day goes on over the next
/// one, and what passed meanwhile is made up for once.
#[test]
#[ignore = "needs dbus-daemon, from Debian"]
fn another_start_of_the_machine_begins_anew() {
    // In the zone of the machine, whatever that of this process is.
    let minutes_ago = |minutes: u32, form: &str| {
        let mut date = Command::new("date");
        date.env_remove("TZ").args(["--date", &format!("{minutes} minutes ago"), form]);
        let printed = date.output().expect("date runs").stdout;
        String::from_utf8(printed).expect("text").trim().to_owned()
    };
    let passed = minutes_ago(3, "+%H:%M");
    let declared = format!(
        "[events.\"time.every\"]\nevery = \"1h\"\nexact = true\n\
         [events.\"time.at\"]\nat = [\"{passed}\"]\ncatch_up = true\n"
    );
    let granted = "events=time.every events=time.at";
    let mut session = Session::start(waking("clock", OnEvent::Echoes, &declared, granted));
    let next = |session: &Session| {
        let status = session.run("session status --json").ok().text();
        let status: Value = serde_json::from_str(&status).expect("JSON");
        status["service"]["extensions"][0]["next_every_ms"]
            .as_u64()
            .unwrap_or_else(|| panic!("{status}"))
    };
    for is_same in [true, false] {
        session.end();
        let mut record: Value = serde_json::from_str(&session.env.read(RECORD)).expect("JSON");
        if is_same {
            // It is due in less than two minutes.
            let next = record["every"]["clock"].as_u64().unwrap_or_else(|| panic!("{record}"));
            record["every"]["clock"] = (next - 3_500_000).into();
        } else {
            record["boot"] = "another".into();
        }
        record["at"]["clock"] = minutes_ago(10, "+%FT%T%:z").into();
        session.env.write(RECORD, record.to_string());
        session.start_again();
        wait_for(|| session.log().contains("clock: time.at: returned"), || session.log());
        assert_eq!(next(&session) < 120_000, is_same, "{}", next(&session));
    }
    let said = session.run("extension logs clock").ok().text();
    assert_eq!(said.matches(&passed).count(), 2, "{said}");
}
