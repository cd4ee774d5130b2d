//! WASI 0.3: the decisions, limits and bounds of WASI 0.2, tried with an asynchronous guest.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use core_types::{LimitName, LimitOrigin};
use extension_host::{
    Arguments, Backends, CallError, CallReport, Code, Extension, HostError, OutputSink, Program,
    Refusal,
};

use crate::filesystem::{
    BOTH, HOST, Home, assert_links_are_harmless, assert_race_is_lost,
    assert_refused_writes_are_noted,
};
use crate::network::{
    Server, assert_private_needs_a_grant, assert_proxy_gets_names_alone, assert_sockets_do_nothing,
};
use crate::support::{self, assert_exceeded, call, permissions, said, text, try_extension, wat};

static PROBE: LazyLock<Code> =
    LazyLock::new(|| HOST.compile(&support::PROBE_0_3).expect("it compiles"));

/// The capability that importing WASI 0.3 needs, even without any other grant.
const GRANTED: &str = "experimental = [\"wasi-0.3\"]";
/// Fuel for longer than a test waits.
const ENDLESS_FUEL: &str = "max_fuel = 9_000_000_000_000_000_000";

fn probe_with(capabilities: &str, limits: &str, backends: Backends) -> Extension {
    let permissions = permissions(&format!("{GRANTED}\n{capabilities}"), limits);
    HOST.clone().with_backends(backends).extension(&PROBE, permissions).expect("it links")
}

fn probe(capabilities: &str, limits: &str) -> Extension {
    probe_with(capabilities, limits, Backends::default())
}

/// Describes the end of a call in one line.
fn end_of(report: &CallReport) -> String {
    match &report.outcome {
        Ok(returned) if returned.is_empty() => "returns".to_owned(),
        Ok(returned) => format!("returns {}", returned.to_text()),
        Err(CallError::Other(error)) => error.root_cause().to_string(),
        Err(error) => error.to_string(),
    }
}

/// The imports are refused by name before any code runs, all of them at once.
#[test]
fn ungranted_wasi_0_3_is_not_linked() {
    let Err(HostError::Refused(refusals)) = HOST.extension(&PROBE, permissions("", "")) else {
        panic!("it was linked");
    };
    let refused: Vec<_> = refusals.iter().map(ToString::to_string).collect();
    for interface in [
        "cli/environment",
        "filesystem/types",
        "sockets/types",
        "http/client",
        "clocks/monotonic-clock",
    ] {
        let expected = format!(
            "`wasi:{interface}@0.3.0` needs the capability `experimental`, which is not granted"
        );
        assert!(refused.contains(&expected), "{interface}: {refused:#?}");
    }
    assert!(
        refusals.iter().all(|refusal| matches!(refusal, Refusal::NotGranted { .. })),
        "{refusals:?}"
    );
}

/// Without a grant there is nothing but clocks and random numbers, and no terminal.
#[test]
fn survey_without_grants_is_empty() {
    let report = call(&probe("", ""), "survey", &[]);
    let found: BTreeMap<String, String> =
        serde_json::from_value::<Vec<(String, String)>>(report.outcome.expect("returns").to_json())
            .expect("pairs")
            .into_iter()
            .collect();
    let name = permissions("", "").owner.name;
    for (what, expected) in [
        ("arguments", format!("[\"{name}\"]").as_str()),
        ("working directory", "None"),
        ("environment", "[]"),
        ("directories", "0"),
        ("terminals", "false,false,false"),
        ("input read", "0, Ok(())"),
        ("output written", "Ok(())"),
        ("clock goes on", "true"),
        ("clocks tell", "true"),
        ("random bytes", "7"),
        ("random numbers differ", "true"),
        ("insecure bytes", "7"),
        ("seed", "true"),
    ] {
        assert_eq!(found.get(what).map(String::as_str), Some(expected), "{what}");
    }
    assert_eq!(
        (report.output.as_slice(), report.activity.touches.as_slice()),
        (b"out\n".as_slice(), [].as_slice())
    );
}

#[test]
fn async_exports_are_called() {
    let probe = probe("", "");
    assert_eq!(text(&probe, "greet", &["World"]), "Hello, World!");
    let exports =
        probe.exports().iter().map(|function| (function.name.as_str(), function.to_string()));
    let exports: BTreeMap<_, _> = exports.collect();
    assert_eq!(exports["greet"], "greet: async func(name: string) -> string");
    let error = |function| call(&probe, function, &[]).outcome.expect_err("refused").to_string();
    insta::assert_snapshot!(error("take-stream"), @"cannot call `take-stream: async func(bytes: stream) -> u32`: it takes or returns a stream, which cannot be written as text");
    insta::assert_snapshot!(error("give-future"), @"cannot call `give-future: func() -> future`: it takes or returns a future, which cannot be written as text");
}

/// Async exports by themselves are not WASI 0.3, and need no capability.
#[test]
fn async_export_needs_no_capability() {
    let component = wat(r#"(component
        (core func $ret (canon task.return (result s32)))
        (core module $m (import "" "ret" (func $ret (param i32)))
            (func (export "id") (param i32) (result i32) local.get 0 call $ret i32.const 0)
            (func (export "cb") (param i32 i32 i32) (result i32) i32.const 0))
        (core instance $i (instantiate $m (with "" (instance (export "ret" (func $ret))))))
        (func (export "id") async (param "x" s32) (result s32)
            (canon lift (core func $i "id") async (callback (core func $i "cb")))))"#);
    let extension = try_extension(&component, permissions("", "")).expect("links");
    assert_eq!(text(&extension, "id", &["-7"]), "-7");
    assert_eq!(extension.exports()[0].signature(), "async func(x: s32) -> s32");
}

#[test]
fn granted_directory_is_usable() {
    let home = Home::new();
    let probe = home.running(&PROBE, BOTH, "");
    assert_eq!(
        said(&probe, "open", &[&home.path("read/note"), "r"]),
        Ok("DescriptorType::RegularFile: readable".into())
    );
    assert_eq!(
        said(&probe, "open", &[&home.path("read/within"), "rf"]),
        Ok("DescriptorType::RegularFile: readable".into())
    );
    assert_eq!(
        said(&probe, "open", &[&home.path("write/new"), "wc"]),
        Ok("DescriptorType::RegularFile: ".into())
    );
    assert_eq!(
        said(&probe, "open", &[&home.path("write/."), "rd"]),
        Ok("DescriptorType::Directory: new".into())
    );
    let touches = call(&probe, "open", &[&home.path("read/note"), "r"]).activity.touches;
    let noted: Vec<_> = touches.iter().map(|touch| touch.request.to_string()).collect();
    assert_eq!(noted, ["filesystem=read:~/read", "filesystem=write:~/write"]);
}

#[test]
fn nothing_leads_out_of_a_directory() {
    let home = Home::new();
    let probe = home.running(&PROBE, BOTH, "");
    let state = home.state("secret");
    for path in [
        "read/../secret/key",
        "read/deep/../../secret/key",
        "read/out",
        "read/out/",
        "read/abroad/key",
        "read/abroad/../secret/key",
        "read//../secret//key",
        "read/./../secret/./key",
        "read//etc/passwd",
        "read/deep/../../../etc/hostname",
        "write/../secret/key",
        "write/../.config/pds",
        "read/..",
    ] {
        for how in ["r", "rf", "rd", "rdf", "wcf", "wct", "wcft"] {
            let told = said(&probe, "open", &[&home.path(path), how]);
            assert!(told.is_err(), "{path} {how}: {told:?}");
        }
        // A link itself may be looked at, and its target may not.
        let told = said(&probe, "act", &["followed stat", &home.path(path), ""]);
        assert!(told.is_err(), "{path}: {told:?}");
    }
    for target in ["/etc/passwd", "../secret/key", "../secret"] {
        let link = home.path("write/link");
        let is_made = said(&probe, "act", &["symlink", &link, target]).is_ok();
        assert_eq!(is_made, !target.starts_with('/'), "{target}");
        for path in ["write/link", "write/link/key"] {
            assert!(said(&probe, "open", &[&home.path(path), "rf"]).is_err(), "{target} {path}");
            let written = said(&probe, "open", &[&home.path(path), "wcft"]);
            assert!(!is_made || written.is_err(), "{target} {path}: {written:?}");
        }
        let _ = std::fs::remove_file(&link);
    }
    assert_eq!(home.state("secret"), state);
}

/// A grant that would reach sesame's own files is refused, whatever the path for the guest, and so is one
/// whose directory is replaced by a link, or becomes sesame's own, after it was linked.
#[test]
fn own_files_are_not_opened() {
    let home = Home::new();
    let refused = |probe: &Extension| match call(probe, "open", &["/data", "rd"]).outcome {
        Err(error @ CallError::Directory(_)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    for (filesystem, why) in [
        ("{ read = [\"~\"] }", "which no extension gets"),
        ("{ write = [\"~/.config::/data\"] }", "which no extension gets"),
        ("{ read = [{ path = \"~\", guest = \"/data\" }] }", "which no extension gets"),
        ("{ read = [\"~/read/abroad::/data\"] }", "leads through a link"),
    ] {
        let error = refused(&home.running(&PROBE, filesystem, ""));
        assert!(error.contains(why), "{filesystem}: {error}");
    }
    let path = home.path("write/../read/note");
    let linked = home.running(&PROBE, BOTH, "");
    assert!(said(&linked, "open", &[&home.path("read/note"), "r"]).is_ok());
    let own = home.path(".config/pds/extensions");
    std::os::unix::fs::symlink(home.path("write"), &own).expect("made");
    assert!(refused(&linked).contains("which no extension gets"));
    std::fs::remove_file(own).expect("removed");
    std::fs::rename(home.path("write"), home.path("aside")).expect("moved");
    std::os::unix::fs::symlink("secret", home.path("write")).expect("made");
    assert!(matches!(call(&linked, "open", &[&path, "r"]).outcome, Err(CallError::Directory(_))));
}

/// A directory that does not exist stops no call, and is noted once the guest looks for one.
#[test]
fn missing_directory_is_only_noted() {
    let home = Home::new();
    let filesystem = "{ read = [\"~/read::/notes\", \"~/missing\"] }";
    let probe = home.running(&PROBE, filesystem, "");
    let report = call(&probe, "open", &["/notes/note", "r"]);
    assert!(report.outcome.expect("it returns").to_text().ends_with("readable"));
    assert_eq!(report.activity.missing, ["~/missing"]);
    assert!(said(&probe, "open", &[&home.path("missing/x"), "r"]).is_err());
    assert!(said(&probe, "open", &[&home.path("read/note"), "r"]).is_err(), "not under that path");
}

/// No link leads out, whatever it points to and whoever swaps it meanwhile.
#[test]
fn links_lead_nowhere() {
    const LONG: &str = "max_fuel = 1_000_000_000_000\ntimeout_ms = 120_000";
    let home = Home::new();
    assert_links_are_harmless(&home, &home.running(&PROBE, BOTH, LONG));
    let home = Home::new();
    assert_race_is_lost(&home, &home.running(&PROBE, BOTH, LONG));
}

#[test]
fn read_only_directory_stays_unchanged() {
    let home = Home::new();
    let probe = home.running(&PROBE, BOTH, "");
    let state = home.state("read");
    let calls = [
        "create-directory",
        "remove-directory",
        "unlink-file",
        "symlink",
        "set-times",
        "followed set-times",
        "set-times-of-opened",
        "set-size-of-opened",
        "write-to-opened",
        "append-to-opened",
        "create-in-opened",
    ];
    for (call, path) in calls
        .iter()
        .flat_map(|call| ["read/note", "read/deep", "read/new"].map(|path| (call, path)))
    {
        let told = said(&probe, "act", &[call, &home.path(path), "note"]);
        assert!(told.is_err(), "{call} {path}: {told:?}");
    }
    for (call, from, to) in [
        ("rename", "read/note", "write/x"),
        ("rename", "read/note", "read/x"),
        ("rename", "write/x", "read/x"),
        ("link", "read/note", "write/x"),
        ("link", "read/note", "read/x"),
    ] {
        let told = said(&probe, "act", &[call, &home.path(from), &home.path(to)]);
        assert!(told.is_err(), "{call} {from} {to}: {told:?}");
    }
    for how in ["w", "wt", "wc", "wcx", "rw", "rwt", "dm"] {
        let told = said(&probe, "open", &[&home.path("read/note"), how]);
        assert!(told.is_err(), "{how}: {told:?}");
    }
    assert_eq!(home.state("read"), state);
}

#[test]
fn refused_write_is_noted() {
    assert_refused_writes_are_noted(&PROBE);
}

/// Even where HTTP may go to the same place.
#[test]
fn sockets_and_look_ups_are_refused() {
    assert_sockets_do_nothing(
        |hosts| {
            let network = format!("network = [{hosts}]");
            probe(if hosts.is_empty() { "" } else { &network }, "")
        },
        |way, why| {
            assert!(
                why.contains("AccessDenied") || why.contains("PermanentResolverFailure"),
                "{way}: {why}"
            );
        },
    );
}

fn fetch(extension: &Extension, authority: &str, path: &str) -> Result<String, String> {
    said(extension, "fetch", &["GET", "http", authority, path])
}

#[test]
fn only_granted_host_answers() {
    let server = Server::start();
    let port = server.port();
    let probe = probe(&format!("network = [\"http://127.0.0.1:{port}\"]"), "");
    let authority = format!("127.0.0.1:{port}");
    assert_eq!(fetch(&probe, &authority, "/x?y"), Ok("(200, \"hello\")".to_owned()));
    assert!(server.seen()[0].starts_with("GET /x?y HTTP/1.1 | "), "{:?}", server.seen());
    assert_eq!(
        fetch(&probe, &authority, "/redirect"),
        Ok("(302, \"http://169.254.169.254/\")".to_owned())
    );
    for other in [
        &format!("127.0.0.2:{port}"),
        &format!("localhost:{port}"),
        &format!("127.1:{port}"),
        &format!("2130706433:{port}"),
        &format!("[::ffff:127.0.0.1]:{port}"),
        &format!("a@127.0.0.1:{port}"),
        &format!("127.0.0.1:{port}@evil.org"),
        "127.0.0.1",
        "169.254.169.254",
        "metadata.google.internal",
    ] {
        let told = fetch(&probe, other, "/");
        assert!(told.is_err(), "{other}: {told:?}");
    }
    for scheme in ["https", "ftp", "file"] {
        assert!(said(&probe, "fetch", &["GET", scheme, &authority, "/"]).is_err(), "{scheme}");
    }
    for (name, value) in [
        ("host", "evil.org"),
        ("Connection", "x"),
        ("transfer-encoding", "x"),
        ("x", "a\r\nHost: b"),
    ] {
        assert!(said(&probe, "fetch-with-header", &[&authority, name, value]).is_err(), "{name}");
    }
    assert_eq!(
        said(&probe, "fetch-with-header", &[&authority, "x-token", "mine"]),
        Ok("200".to_owned())
    );
    assert_eq!(server.seen().len(), 3, "{:?}", server.seen());
}

/// A name that leads to a private address needs a grant of its own, and a proxy gets names alone.
#[test]
fn private_names_and_proxies_are_decided() {
    assert_private_needs_a_grant(|network| probe(&format!("network = {network}"), ""), fetch);
    let guest = |network: &str, backends| probe_with(&format!("network = {network}"), "", backends);
    assert_proxy_gets_names_alone(guest, fetch);
}

#[test]
fn refused_request_is_noted_by_host() {
    let report = call(&probe("", ""), "fetch", &["GET", "https", "api.example.com", "/"]);
    assert_eq!(report.outcome.expect("returns").to_text(), "ErrorCode::HttpRequestDenied");
    let refused: Vec<_> = report.activity.refused().collect();
    assert_eq!(refused[0].request.to_string(), "network=https://api.example.com:443");
    assert_eq!(
        (refused.len(), refused[0].grant().as_deref()),
        (1, Some("network=api.example.com"))
    );
}

#[test]
fn offline_requests_go_nowhere() {
    let server = Server::start();
    let authority = format!("127.0.0.1:{}", server.port());
    let backends = Backends { is_offline: true, ..Backends::default() };
    let probe = probe_with(&format!("network = [\"http://{authority}\"]"), "", backends);
    assert_eq!(fetch(&probe, &authority, "/"), Err("ErrorCode::HttpRequestDenied".to_owned()));
    assert!(server.seen().is_empty());
}

#[test]
fn answers_end_at_their_limits() {
    let server = Server::start();
    let authority = format!("127.0.0.1:{}", server.port());
    let network = format!("network = [\"http://{authority}\"]");
    let patient = probe(&network, "max_fuel = 100_000_000_000\ntimeout_ms = 60_000");
    for path in ["/headers", "/nonsense"] {
        assert!(fetch(&patient, &authority, path).is_err(), "{path}");
    }
    assert!(said(&patient, "fetch-size", &[&authority, "/half"]).is_err());
    let told = said(&patient, "fetch-size", &[&authority, "/endless"]);
    assert!(told.as_ref().is_err_and(|told| told.contains("HttpResponseBodySize")), "{told:?}");
    let long = "M".repeat(65);
    assert_eq!(
        said(&patient, "fetch", &[&long, "http", &authority, "/"]),
        Err("the method is refused".to_owned())
    );
    assert_eq!(
        said(&patient, "fetch", &["MKCOL", "http", &authority, "/"]),
        Ok("(200, \"hello\")".to_owned())
    );
}

/// The deadline ends a call whose request the server never answers.
#[test]
fn deadline_ends_pending_host_calls() {
    let server = Server::start();
    let authority = format!("127.0.0.1:{}", server.port());
    let probe = probe(&format!("network = [\"http://{authority}\"]"), "timeout_ms = 700");
    let started = Instant::now();
    let report = call(&probe, "fetch", &["GET", "http", &authority, "/silent"]);
    assert_exceeded(&report, LimitName::Timeout, 700, LimitOrigin::Manifest);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

/// Sleeping, spinning and handing back control for ever all end with the time, and with fuel where
/// there is less of it.
#[test]
fn endless_guests_end_in_time() {
    let patient = probe("", &format!("{ENDLESS_FUEL}\ntimeout_ms = 400"));
    for what in [
        "sleep-for-ever",
        "sleep-an-hour",
        "sleep-briefly-for-ever",
        "spin",
        "yield-for-ever",
        "random-without-end",
    ] {
        let report = call(&patient, "misuse", &[what]);
        assert_exceeded(&report, LimitName::Timeout, 400, LimitOrigin::Manifest);
        assert!(
            report.usage.elapsed < Duration::from_millis(2_000),
            "{what}: {:?}",
            report.usage.elapsed
        );
    }
    let poor = probe("", "max_fuel = 2_000_000\ntimeout_ms = 60_000");
    for what in ["spin", "yield-for-ever"] {
        let report = call(&poor, "misuse", &[what]);
        assert_exceeded(&report, LimitName::Fuel, 2_000_000, LimitOrigin::Manifest);
    }
    assert_eq!(text(&patient, "greet", &["you"]), "Hello, you!", "the next call works");
}

#[test]
fn misuse_ends_the_call_alone() {
    let probe = probe("", "max_fuel = 1_000_000_000\ntimeout_ms = 1000");
    let ends = [
        "await-nothing",
        "await-own-future",
        "await-own-stream",
        "spin-after-return",
        "random-too-much",
        "exit",
        "panic",
    ];
    let ends = ends.map(|what| {
        let report = call(&probe, "misuse", &[what]);
        assert!(
            report.usage.elapsed < Duration::from_millis(900),
            "{what}: {:?}",
            report.usage.elapsed
        );
        format!("{what}: {}", end_of(&report))
    });
    insta::assert_snapshot!(ends.join("\n"), @"
    await-nothing: the extension crashed: wasm `unreachable` instruction executed
    await-own-future: the extension crashed: deadlock: it waits for an event that cannot come
    await-own-stream: the extension crashed: deadlock: it waits for an event that cannot come
    spin-after-return: returns
    random-too-much: returns
    exit: the extension exited with status 7 instead of returning a value
    panic: the extension crashed: wasm `unreachable` instruction executed
    ");
}

#[test]
fn output_is_bounded() {
    let report = call(&probe("", "max_output_kib = 100"), "misuse", &["print-for-ever"]);
    assert_exceeded(&report, LimitName::Output, 100, LimitOrigin::Manifest);
    assert_eq!(report.output.len(), 100 * 1024);
}

#[test]
fn guest_memory_is_bounded() {
    let report = call(&probe("", "max_memory_mib = 1"), "greet", &["World"]);
    assert_exceeded(&report, LimitName::Memory, 1, LimitOrigin::Manifest);
}

/// The memory that a guest makes the host keep ends with a limit, or with an error of the host. A
/// test in `soak.rs` measures it.
#[test]
fn what_the_host_holds_is_bounded() {
    let limits = format!("{ENDLESS_FUEL}\ntimeout_ms = 20_000");
    let probe = probe("", &limits);
    let ends = support::WAYS_TO_GROW.map(|way| {
        let report = call(&probe, "grow", &[way]);
        format!("{way}: {}", end_of(&report))
    });
    insta::assert_snapshot!(ends.join("\n"), @"
    append: returns 61
    append-names: returns 59
    set-many: returns 62
    set-large: returns 0
    from-list: returns 4
    clone: the extension went over its limit of resource handles: 1,000 (fixed by sesame)
    requests: the extension went over its limit of resource handles: 1,000 (fixed by sesame)
    answers: the extension went over its limit of resource handles: 1,000 (fixed by sesame)
    options: the extension went over its limit of resource handles: 1,000 (fixed by sesame)
    streams: the extension went over its limit of resource handles: 1,000 (fixed by sesame)
    futures: the extension went over its limit of resource handles: 1,000 (fixed by sesame)
    kept-writers: the extension went over its limit of resource handles: 1,000 (fixed by sesame)
    tasks: the extension went over its limit of resource handles: 1,000 (fixed by sesame)
    sleepers: the extension went over its limit of resource handles: 1,000 (fixed by sesame)
    pipes: the extension went over its limit of resource handles: 1,000 (fixed by sesame)
    dropped-pipes: returns 100000
    inputs: the extension went over its limit of resource handles: 1,000 (fixed by sesame)
    dropped-inputs: returns 100000
    sockets: returns 0
    ");
}

/// Makes a component around a core function `f` with the built-in functions for streams of bytes.
fn streaming(body: &str) -> Vec<u8> {
    wat(&format!(
        r#"(component
        (type $bytes (stream u8))
        (core module $libc (memory (export "memory") 800))
        (core instance $libc (instantiate $libc))
        (core func $new (canon stream.new $bytes))
        (core func $read (canon stream.read $bytes async (memory (core memory $libc "memory"))))
        (core func $write (canon stream.write $bytes async (memory (core memory $libc "memory"))))
        (core func $drop (canon stream.drop-readable $bytes))
        (core func $drop-writer (canon stream.drop-writable $bytes))
        (core func $set (canon waitable-set.new))
        (core func $join (canon waitable.join))
        (core func $poll (canon waitable-set.poll (memory (core memory $libc "memory"))))
        (core module $m
            (import "" "new" (func $new (result i64)))
            (import "" "read" (func $read (param i32 i32 i32) (result i32)))
            (import "" "write" (func $write (param i32 i32 i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (import "" "drop-writer" (func $drop-writer (param i32)))
            (import "" "set" (func $set (result i32)))
            (import "" "join" (func $join (param i32 i32)))
            (import "" "poll" (func $poll (param i32 i32) (result i32)))
            (func (export "f") (local $both i64) (local $reader i32) (local $writer i32) (local $set i32) {body}))
        (core instance $i (instantiate $m (with "" (instance
            (export "new" (func $new)) (export "read" (func $read)) (export "write" (func $write))
            (export "drop" (func $drop)) (export "drop-writer" (func $drop-writer)) (export "set" (func $set))
            (export "join" (func $join)) (export "poll" (func $poll))))))
        (func (export "f") (canon lift (core func $i "f"))))"#
    ))
}

/// Splits the result of `stream.new`.
const NEW_STREAM: &str = "(local.set $both (call $new))
    (local.set $reader (i32.wrap_i64 (local.get $both)))
    (local.set $writer (i32.wrap_i64 (i64.shr_u (local.get $both) (i64.const 32))))";

/// Streams, futures and sets that are kept count as handles, and those that are dropped are
/// forgotten by the host.
#[test]
fn handles_of_streams_are_counted() {
    let limits = "max_fuel = 10_000_000\ntimeout_ms = 60_000";
    let ends = |body: &str| {
        call(&try_extension(&streaming(body), permissions("", limits)).expect("links"), "f", &[])
    };
    for kept in ["(drop (call $new))", "(drop (call $set))"] {
        let report = ends(&format!("(loop $l {kept} (br $l))"));
        assert_exceeded(&report, LimitName::Handles, 1_000, LimitOrigin::Fixed);
    }
    let dropped = format!(
        "(loop $l {NEW_STREAM} (call $drop (local.get $reader)) (call $drop-writer (local.get $writer)) (br $l))"
    );
    assert_exceeded(&ends(&dropped), LimitName::Fuel, 10_000_000, LimitOrigin::Manifest);
}

/// Dropping the future of a call ends the call.
#[test]
fn dropped_call_ends() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    let host = HOST.clone().observed_by(move |call| noted.lock().expect("lock").push(call.outcome));
    // A fast machine would use up the usual fuel before the runtime looks at its clock.
    let limits = format!("{ENDLESS_FUEL}\ntimeout_ms = 60_000");
    let probe = host.extension(&PROBE, permissions(GRANTED, &limits)).expect("links");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let started = Instant::now();
    for what in ["sleep-an-hour", "sleep-briefly-for-ever", "yield-for-ever", "spin"] {
        runtime.block_on(async {
            let arguments = Arguments::words([what]);
            let call = probe.call("misuse", &arguments);
            assert!(tokio::time::timeout(Duration::from_millis(50), call).await.is_err(), "{what}");
        });
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert_eq!(*seen.lock().expect("lock"), [core_types::CallOutcome::Cancelled; 4]);
}

/// A sink that keeps its input, or whose reader is gone.
#[derive(Default)]
struct Kept {
    bytes: Mutex<Vec<u8>>,
    is_closed: bool,
}

impl OutputSink for Kept {
    fn write(&self, bytes: &[u8], _: Instant) -> std::io::Result<()> {
        if self.is_closed {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        self.bytes.lock().expect("lock").extend_from_slice(bytes);
        Ok(())
    }
}

fn run(arguments: &[String], stdout: &Arc<Kept>) -> Result<i32, CallError> {
    let program = Program::new(arguments).with_streams(stdout.clone(), Arc::new(Kept::default()));
    let report = probe("", &format!("{ENDLESS_FUEL}\nmax_output_kib = 1\ntimeout_ms = 60_000"))
        .run_program_blocking(program, std::future::pending());
    report.expect("not interrupted").outcome
}

/// Every byte that a program wrote before its end arrives, however it ends.
#[test]
fn program_output_arrives_in_full() {
    for (last, status) in [("end", 0), ("fail", 1), ("exit", 3)] {
        let stdout = Arc::new(Kept::default());
        let arguments = ["ü".to_owned(), "x".repeat(3_000_000), last.to_owned()];
        assert_eq!(run(&arguments, &stdout).expect("ran"), status, "{last}");
        let expected = format!("ü\n{}\n{last}\n", arguments[1]);
        assert!(*stdout.bytes.lock().expect("lock") == expected.as_bytes(), "{last}");
    }
}

/// WASI 0.3 tells the guest that its output is closed; it ends all the same, as with a signal.
#[test]
fn closed_output_ends_the_program() {
    let closed = Arc::new(Kept { is_closed: true, ..Kept::default() });
    let outcome = run(&["x".to_owned()], &closed);
    assert!(matches!(outcome, Err(CallError::OutputClosed)), "{outcome:?}");
}

/// Copying large buffers costs the guest next to no fuel, and the deadline ends it all the same.
#[test]
fn copying_streams_end_in_time() {
    let copying = streaming(&format!(
        "{NEW_STREAM} (local.set $set (call $set)) (call $join (local.get $reader) (local.get $set))
        (loop $l
            (drop (call $read (local.get $reader) (i32.const 26000000) (i32.const 20000000)))
            (drop (call $write (local.get $writer) (i32.const 1024) (i32.const 20000000)))
            (drop (call $poll (local.get $set) (i32.const 0)))
            (br $l))"
    ));
    let limits = format!("{ENDLESS_FUEL}\ntimeout_ms = 300\nmax_memory_mib = 64");
    let report = call(&try_extension(&copying, permissions("", &limits)).expect("links"), "f", &[]);
    assert_exceeded(&report, LimitName::Timeout, 300, LimitOrigin::Manifest);
    assert!(report.usage.elapsed < Duration::from_millis(2_500), "{:?}", report.usage.elapsed);
}
