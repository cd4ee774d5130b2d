//! The listings as they look on terminals of 60, 80 and 120 columns, with and without colours.

use core_types::{
    ActivityEvent, ActivityRecord, CallOutcome, CallRecord, Capability, ChangeKind, ChangeRecord,
    OciReference, TouchRecord, Verdict,
};
use extension_depot::ActivityEntry;
use extension_manager::Age;
use unicode_width::UnicodeWidthStr;

use super::Rendered;
use super::listings;
use super::screen::Screen;
use crate::outcome::{
    Check, Diagnosis, Freshness, Health, PastGeneration, Row, State, Step, StepState, Update,
};

const NOW: &str = "2026-11-26T12:00:00Z";
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn reference(text: &str) -> OciReference {
    format!("{text}@{DIGEST}").parse().expect(text)
}

/// The text of a listing, with its escape sequences made visible.
fn shown(rendered: Rendered) -> String {
    rendered.paged.replace('\u{1b}', "ESC")
}

fn extensions() -> Vec<Row> {
    let row = |name: &str, version: &str, oci: &str, state| Row {
        name: name.parse().expect(name),
        version: Some(version.to_owned()),
        reference: Some(reference(oci)),
        capabilities: vec![Capability::ConfigRead, Capability::Network],
        denied_by_policy: Vec::new(),
        limits: Default::default(),
        state,
        problem: None,
    };
    let mut broken = row("weather", "1.12.0", "ghcr.io/my-org/weather:1.12.0", State::Quarantined);
    broken.problem = Some("it failed 5 times in a row, last: the extension crashed".to_owned());
    vec![
        row(
            "greeting-extension",
            "0.1.0",
            "registry.example.com:5000/open-sesame/examples/greeting-extension:0.1.0",
            State::Enabled,
        ),
        broken,
        row("text-tools", "2.0.0", "ghcr.io/my-org/text-tools:2.0.0", State::Disabled),
    ]
}

fn generations() -> Vec<PastGeneration> {
    let generation = |number, at: &str, reason: &str, version: &str, is_current| PastGeneration {
        number,
        at: at.to_owned(),
        reason: reason.to_owned(),
        version: Some(version.to_owned()),
        reference: Some(reference(&format!("ghcr.io/my-org/weather:{version}"))),
        signer: Some("verified, signed by `release@my-org.example`".to_owned()),
        is_current,
    };
    vec![
        generation(3, "2026-11-26T10:00:00Z", "updated", "1.12.0", true),
        generation(2, "2026-11-20T10:00:00Z", "granted", "1.11.3", false),
        generation(1, "2025-09-01T10:00:00Z", "installed", "1.11.3", false),
    ]
}

fn activity() -> Vec<ActivityEntry> {
    let entry = |number, at: &str, event| ActivityEntry {
        number,
        previous: String::new(),
        at: at.parse().expect(at),
        mended: None,
        event,
    };
    let touch = TouchRecord {
        what: "network=https://api.example.com:443".to_owned(),
        verdict: Verdict::Deny,
        times: 2,
        rule: Some("not granted".to_owned()),
        grant: None,
    };
    let call = CallRecord {
        extension: "weather".to_owned(),
        function: "forecast".to_owned(),
        outcome: CallOutcome::Error,
        activity: ActivityRecord { touches: vec![touch], ..Default::default() },
        fuel: 1_234_567,
        peak_memory_bytes: 2 << 20,
        ..CallRecord::of(&Default::default(), "forecast", CallOutcome::Error)
    };
    let identity = "ghcr.io/my-org/weather";
    let installed = ChangeRecord {
        reference: Some(reference("ghcr.io/my-org/weather:1.12.0").to_string()),
        granted: vec!["config-read".to_owned()],
        ..ChangeRecord::of(ChangeKind::Install, "weather", identity)
    };
    let refused = ChangeRecord::refused(
        ChangeKind::Install,
        "",
        "evil.example/weather",
        "it is none of the places in `allowed_registries` (/etc/pds/policy.toml)",
    );
    vec![
        entry(1, "2026-11-26T10:00:00Z", ActivityEvent::Change(installed)),
        entry(2, "2026-11-26T11:58:00Z", ActivityEvent::Call(call)),
        entry(3, "2026-11-26T11:59:30Z", ActivityEvent::Change(refused)),
    ]
}

fn updates() -> Vec<Update> {
    vec![Update {
        name: "weather".parse().expect("a name"),
        from: reference("ghcr.io/my-org/weather:1.11.3"),
        to: Some(reference("ghcr.io/my-org/weather:1.12.0")),
        age: Age::Outdated,
        asks_for: Vec::new(),
        granted: vec!["network=api.example.com".parse().expect("a grant")],
        for_session: Vec::new(),
        moved: Vec::new(),
        applied: true,
    }]
}

fn checks() -> Vec<Check> {
    let mut damaged = Check::of("weather".to_owned());
    damaged.findings = vec![format!("wrong bytes: expected {DIGEST}, got {DIGEST}")];
    damaged.signature = Some("verified, signed by `release@my-org.example`".to_owned());
    damaged.checked_at = Some("2026-11-20T12:00:00Z".to_owned());
    vec![Check::of("greeting-extension".to_owned()), damaged]
}

fn diagnoses() -> Vec<Diagnosis> {
    let diagnosis = |what: &str, health, finding: &str, fix: Option<&str>| Diagnosis {
        what: what.to_owned(),
        health,
        finding: finding.to_owned(),
        fix: fix.map(str::to_owned),
    };
    vec![
        diagnosis("lock", Health::Good, "not held by another process", None),
        diagnosis(
            "compiled code",
            Health::Bad,
            "`/home/me/.cache/pds/extensions` can be written to by others",
            Some("rm -r '/home/me/.cache/pds/extensions'"),
        ),
    ]
}

/// Every listing on this screen.
fn all(screen: &Screen) -> Vec<Rendered> {
    let outdated = |age, newest: &str| Freshness {
        name: "weather".parse().expect("a name"),
        installed: reference("ghcr.io/my-org/weather:1.11.3"),
        newest: Some(newest.to_owned()),
        age,
    };
    let step = |name: &str, reference, state| Step {
        name: name.parse().expect(name),
        reference,
        state,
        problem: None,
        grant: Vec::new(),
        withdraw: Vec::new(),
        is_withdrawn: false,
    };
    let pinned = reference("ghcr.io/my-org/weather:1.12.0");
    let steps = vec![
        step("weather", Some(pinned), StepState::ToFetch),
        step("notes", None, StepState::Failed),
    ];
    vec![
        listings::extensions(screen, &extensions()),
        listings::generations(screen, &generations()),
        listings::activity(screen, &activity()),
        listings::updates(screen, &updates()),
        listings::checks(screen, &checks()),
        listings::diagnoses(screen, &diagnoses()),
        listings::freshness(screen, &[outdated(Age::Outdated, "1.12.0"), outdated(Age::Moved, "")]),
        listings::steps(screen, &steps),
        listings::tags(screen, &["1.12.0".to_owned(), "latest".to_owned()]),
    ]
}

/// No line is wider than a terminal of 60 columns or more. What stands below a table can be
/// pasted, so that it stays whole.
#[test]
fn tables_fit_every_width() {
    for width in 60..=160 {
        for listing in all(&Screen::of(width, false, NOW)) {
            for line in listing.paged.lines().filter(|line| !line.starts_with("fix ")) {
                assert!(line.width() <= width, "{width}: {line:?} of\n{}", listing.paged);
            }
        }
    }
}

/// A word is shown whole, or with its middle left out; it is not continued on the next line.
#[test]
fn words_are_not_broken() {
    let words =
        |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    for (at, wide) in all(&Screen::of(10_000, false, NOW)).iter().enumerate() {
        let known = words(&wide.paged);
        for width in [60, 80, 120] {
            let narrow = &all(&Screen::of(width, false, NOW))[at].paged;
            for word in words(narrow).iter().filter(|word| !word.contains(['…', '─'])) {
                let is_shorter_reference = known.iter().any(|whole| whole.starts_with(word));
                assert!(known.contains(word) || is_shorter_reference, "{width}: {word}\n{narrow}");
            }
        }
    }
}

/// Colours are all that is added to a table.
#[test]
fn colours_add_nothing_else() {
    for width in [60, 80, 120] {
        let plain = all(&Screen::of(width, false, NOW));
        for (plain, coloured) in plain.iter().zip(all(&Screen::of(width, true, NOW))) {
            let mut text = String::new();
            for part in coloured.paged.split('\u{1b}') {
                let sequence = part.strip_prefix('[').and_then(|rest| rest.split_once('m'));
                text.push_str(sequence.map_or(part, |(_, rest)| rest));
            }
            assert_eq!(text, plain.paged);
        }
    }
}

#[test]
fn list_at_60_columns() {
    let screen = Screen::of(60, false, NOW);
    insta::assert_snapshot!(shown(listings::extensions(&screen, &extensions())), @r#"
    NAME                VERSION  STATE
    ────────────────────────────────────────────────────────────
    greeting-extension  0.1.0    enabled
    weather             1.12.0   quarantined: it failed 5 times
                                 in a row, last: the extension
                                 crashed
    text-tools          2.0.0    disabled
    "#);
}

#[test]
fn list_at_80_columns() {
    let screen = Screen::of(80, false, NOW);
    insta::assert_snapshot!(shown(listings::extensions(&screen, &extensions())), @r#"
    NAME                VERSION  REFERENCE                      STATE
    ────────────────────────────────────────────────────────────────────────────────
    greeting-extension  0.1.0    registry.examp…xtension:0.1.0  enabled
    weather             1.12.0   ghcr.io/my-org/weather:1.12.0  quarantined: it
                                                                failed 5 times in a
                                                                row, last: the
                                                                extension crashed
    text-tools          2.0.0    ghcr.io/my-org…xt-tools:2.0.0  disabled
    "#);
}

#[test]
fn list_at_120_columns() {
    let screen = Screen::of(120, false, NOW);
    insta::assert_snapshot!(shown(listings::extensions(&screen, &extensions())), @r#"
    NAME                VERSION  REFERENCE                               CAPABILITIES         LIMITS    STATE
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    greeting-extension  0.1.0    registry.example.co…ng-extension:0.1.0  config-read network  defaults  enabled
    weather             1.12.0   ghcr.io/my-org/weather:1.12.0           config-read network  defaults  quarantined: it
                                                                                                        failed 5 times in a
                                                                                                        row, last: the
                                                                                                        extension crashed
    text-tools          2.0.0    ghcr.io/my-org/text-tools:2.0.0         config-read network  defaults  disabled
    "#);
}

#[test]
fn list_with_colours() {
    let screen = Screen::of(80, true, NOW);
    insta::assert_snapshot!(shown(listings::extensions(&screen, &extensions())), @r#"
    ESC[1mNAMEESC[0m                ESC[1mVERSIONESC[0m  ESC[1mREFERENCEESC[0m                      ESC[1mSTATEESC[0m
    ────────────────────────────────────────────────────────────────────────────────
    greeting-extension  0.1.0    registry.examp…xtension:0.1.0  ESC[38;5;2menabledESC[39m
    weather             1.12.0   ghcr.io/my-org/weather:1.12.0  ESC[38;5;1mquarantined: itESC[39m
                                                                ESC[38;5;1mfailed 5 times in aESC[39m
                                                                ESC[38;5;1mrow, last: theESC[39m
                                                                ESC[38;5;1mextension crashedESC[39m
    text-tools          2.0.0    ghcr.io/my-org…xt-tools:2.0.0  ESC[38;5;3mdisabledESC[39m
    "#);
}

#[test]
fn history_at_60_columns() {
    let screen = Screen::of(60, false, NOW);
    insta::assert_snapshot!(shown(listings::generations(&screen, &generations())), @r#"
    GENERATION  TIME         REASON     VERSION  CURRENT
    ────────────────────────────────────────────────────
    3           2 hours ago  updated    1.12.0   current
    2           6 days ago   granted    1.11.3
    1           1 year ago   installed  1.11.3
    "#);
}

#[test]
fn history_at_120_columns() {
    let screen = Screen::of(120, false, NOW);
    insta::assert_snapshot!(shown(listings::generations(&screen, &generations())), @r#"
    GENERATION  TIME         REASON     VERSION  REFERENCE                                 SIGNER                    CURRENT
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    3           2 hours ago  updated    1.12.0   ghcr.io/my-org/weather:1.12.0             verified, si…rg.example`  current
    2           6 days ago   granted    1.11.3   ghcr.io/my-org/weather:1.11.3             verified, si…rg.example`
    1           1 year ago   installed  1.11.3   ghcr.io/my-org/weather:1.11.3             verified, si…rg.example`
    "#);
}

#[test]
fn activity_at_60_columns() {
    let screen = Screen::of(60, false, NOW);
    insta::assert_snapshot!(shown(listings::activity(&screen, &activity())), @r#"
    TIME           EXTENSION  OUTCOME  TOUCHED
    ────────────────────────────────────────────────────────────
    2 hours ago    weather    done     ghcr.io/my-o…56789abcdef,
                                       granted config-read
    2 minutes ago  weather    error    refused
                                       network=http…mple.com:443
                                       x2
    just now                  refused  evil.example/weather, it
                                       is none of the places in
                                       `allowed_registries`
                                       (/etc/pds/policy.toml)
    "#);
}

#[test]
fn activity_at_80_columns() {
    let screen = Screen::of(80, true, NOW);
    insta::assert_snapshot!(shown(listings::activity(&screen, &activity())), @r#"
    ESC[1mTIMEESC[0m           ESC[1mEXTENSIONESC[0m  ESC[1mFUNCTIONESC[0m  ESC[1mOUTCOMEESC[0m  ESC[1mTOUCHEDESC[0m                     ESC[1mKINDESC[0m
    ────────────────────────────────────────────────────────────────────────────────
    ESC[2m2 hours agoESC[0m    weather              ESC[38;5;2mdoneESC[39m     ghcr.io/my-or…56789abcdef,  install
                                                 granted config-read
    ESC[2m2 minutes agoESC[0m  weather    forecast  ESC[38;5;1merrorESC[39m    ESC[38;5;1mrefusedESC[39m                     call
                                                 ESC[38;5;1mnetwork=https…mple.com:443ESC[39m
                                                 ESC[38;5;1mx2ESC[39m
    ESC[2mjust nowESC[0m                            ESC[38;5;1mrefusedESC[39m  evil.example/weather, it    install
                                                 is none of the places in
                                                 `allowed_registries`
                                                 (/etc/pds/policy.toml)
    "#);
}

#[test]
fn activity_at_120_columns() {
    let screen = Screen::of(120, false, NOW);
    insta::assert_snapshot!(shown(listings::activity(&screen, &activity())), @r#"
    TIME           EXTENSION  FUNCTION  OUTCOME  FUEL          MEMORY   TOUCHED                                      KIND
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    2 hours ago    weather              done                            ghcr.io/my-org/weathe…cdef0123456789abcdef,  install
                                                                        granted config-read
    2 minutes ago  weather    forecast  error    fuel 1234567  2.0 MiB  refused network=https://api.example.com:443  call
                                                                        x2
    just now                            refused                         evil.example/weather, it is none of the      install
                                                                        places in `allowed_registries`
                                                                        (/etc/pds/policy.toml)
    "#);
}

#[test]
fn update_at_60_columns() {
    let screen = Screen::of(60, false, NOW);
    insta::assert_snapshot!(shown(listings::updates(&screen, &updates())), @r#"
    NAME     TO                             STATE
    ────────────────────────────────────────────────────────────
    weather  ghcr.io/my-org/weather:1.12.0  updated; granted:
                                            network=ap…ample.com
    "#);
}

#[test]
fn verify_at_60_columns() {
    let screen = Screen::of(60, false, NOW);
    insta::assert_snapshot!(shown(listings::checks(&screen, &checks())), @r#"
    NAME                STATE    FINDINGS
    ────────────────────────────────────────────────────────────
    greeting-extension  good
    weather             damaged  wrong bytes: expected
                                 sha256:01234567…23456789abcdef,
                                 got
                                 sha256:01234567…123456789abcdef
    "#);
}

#[test]
fn doctor_at_80_columns() {
    let screen = Screen::of(80, false, NOW);
    insta::assert_snapshot!(shown(listings::diagnoses(&screen, &diagnoses())), @r#"
    CHECK          STATE  FINDING
    ────────────────────────────────────────────────────────────────────────────────
    lock           good   not held by another process
    compiled code  bad    `/home/me/.cache/pds/extensions` can be written to by
                          others
    fix compiled code: rm -r '/home/me/.cache/pds/extensions'
    "#);
}

/// In a pipe times are RFC 3339 and references whole, whatever the columns.
#[test]
fn pipe_has_whole_values() {
    let text = listings::generations(&Screen::pipe(&[], NOW), &generations()).data;
    let text = String::from_utf8(text).expect("text");
    let first = text.lines().next().expect("a line");
    let cells: Vec<_> = first.split('\t').collect();
    assert_eq!(cells[1], "2026-11-26T10:00:00Z");
    assert_eq!(cells[4], reference("ghcr.io/my-org/weather:1.12.0").to_string());
    assert_eq!((cells.len(), cells[6]), (7, "current"));
    let chosen = listings::extensions(&Screen::pipe(&["state", "NAME"], NOW), &extensions());
    assert_eq!(
        String::from_utf8(chosen.data).expect("text").lines().last(),
        Some("disabled\ttext-tools")
    );
}
