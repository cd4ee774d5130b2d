//! Every listing as it looks on terminals of 60, 80 and 120 columns, with and without colours.

use core_types::{
    ActivityEvent, ActivityRecord, CallOutcome, CallRecord, Capability, ChangeKind, ChangeRecord,
    DeclaredSetting, EffectiveLimits, IdentityRule, Limits, OciReference, Owner, RequestedGrant,
    SettingKind, TouchRecord, Verdict,
};
use extension_depot::registry::{KeptLogin, LoginStore};
use extension_depot::{ActivityEntry, FirstSigner, PinnedSigner, TrustAnchor, TrustedSigner};
use extension_manager::{Age, Ask, Denied, Prospect};
use unicode_width::UnicodeWidthStr;

use crate::outcome::{
    Asked, Check, Collection, ConfigValue, Diagnosis, Freshness, Health, PastGeneration, Row,
    SettingRow, Settings, State, Step, StepState, Trust, Update,
};
use crate::render::screen::Screen;
use crate::render::{Rendered, listings};

const NOW: &str = "2026-11-26T12:00:00Z";
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn reference(text: &str) -> OciReference {
    format!("{text}@{DIGEST}").parse().expect(text)
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
    let update = |name: &str, to: &str| Update {
        name: name.parse().expect(name),
        from: reference(&format!("ghcr.io/my-org/{name}:1.11.3")),
        to: Some(reference(to)),
        age: Age::Outdated,
        asks_for: Vec::new(),
        granted: Vec::new(),
        for_session: Vec::new(),
        moved: Vec::new(),
        applied: false,
    };
    let applied = Update {
        granted: vec!["network=api.example.com".parse().expect("a grant")],
        applied: true,
        ..update("weather", "ghcr.io/my-org/weather:1.12.0")
    };
    let asks = Denied {
        reason: Some("keeps the notes of your other machine".to_owned()),
        is_optional: true,
        ..Denied::of(&"network=*.example.org".parse().expect("a grant"))
    };
    let planned = Update { asks_for: vec![asks], ..update("notes", "ghcr.io/my-org/notes:2.0.0") };
    vec![applied, planned]
}

fn steps() -> Vec<Step> {
    let step = |name: &str, reference, state| Step {
        name: name.parse().expect(name),
        reference,
        state,
        problem: None,
        grant: Vec::new(),
        withdraw: Vec::new(),
        is_withdrawn: false,
        requests: Vec::new(),
    };
    let owner = Owner::embedded("weather".parse().expect("a name"));
    let expected = |grant: &str, verdict, rule: &str| {
        let ask = Ask::of(&RequestedGrant::required(grant.parse().expect(grant)));
        Asked::expected(Prospect { ask, verdict, rule: rule.to_owned() }, &owner)
    };
    let pinned = reference("ghcr.io/my-org/weather:1.12.0");
    let requests = vec![
        expected("notification", Verdict::Allow, "a policy approves it for this list"),
        expected("filesystem=read:~::/home", Verdict::Ask, "not decided yet"),
        expected("network=api.example.com", Verdict::Deny, "policy denies `network`"),
    ];
    let mut adjusted = step("clock", Some(pinned.clone()), StepState::ToAdjust);
    adjusted.withdraw = vec!["env=LANG".parse().expect("a grant")];
    let mut failed = step("notes", None, StepState::Failed);
    failed.problem = Some("the manifest has no reference to fetch it from".to_owned());
    vec![Step { requests, ..step("weather", Some(pinned), StepState::ToInstall) }, adjusted, failed]
}

fn freshness() -> Vec<Freshness> {
    let row = |name: &str, age, newest: Option<&str>| Freshness {
        name: name.parse().expect(name),
        installed: reference(&format!("ghcr.io/my-org/{name}:1.11.3")),
        newest: newest.map(str::to_owned),
        age,
    };
    vec![
        row("weather", Age::Outdated, Some("1.12.0")),
        row("greeting-extension", Age::Newest, Some("1.11.3")),
        row("notes", Age::TooNew, Some("1.11.3")),
        row("text-tools", Age::Moved, None),
    ]
}

fn trust() -> Trust {
    let repository = reference("ghcr.io/my-org/weather:1.0.0").identity();
    let rule = IdentityRule {
        identity: "https://github.com/my-org/weather/.github/workflows/release.yml".to_owned(),
        issuer: "https://token.actions.githubusercontent.com".to_owned(),
        trusted_root: "/etc/sigstore/root.json".into(),
    };
    let signer = |place: &str, proof| TrustedSigner { place: place.parse().expect(place), proof };
    let key = TrustAnchor::Key { pem: String::new(), fingerprint: DIGEST.parse().expect("hex") };
    let first = PinnedSigner {
        repository,
        signer: FirstSigner::Nobody,
        is_secure: true,
        since: "2026-11-20T12:00:00Z".parse().expect("a time"),
    };
    Trust {
        signers: vec![
            signer("ghcr.io/my-org", TrustAnchor::Identity(rule)),
            signer("registry.example.com:5000/greetings", key),
        ],
        first_uses: vec![first],
    }
}

fn settings() -> Settings {
    let row = |key: &str, value: Option<&str>, declared| SettingRow {
        key: key.to_owned(),
        value: value.map(str::to_owned),
        declared,
    };
    let days = DeclaredSetting {
        kind: SettingKind::Integer,
        default: Some("3".to_owned()),
        description: Some("How many days the forecast has".to_owned()),
        ..DeclaredSetting::default()
    };
    let units = DeclaredSetting {
        description: Some("Which units".to_owned()),
        allowed: vec!["metric".to_owned(), "imperial".to_owned()],
        ..DeclaredSetting::default()
    };
    let limits: Limits = core_types::parse_toml("timeout_ms = 2000").expect("limits").value;
    Settings {
        rows: vec![
            row("days", None, Some(days)),
            row("units", Some("imperial"), Some(units)),
            row("place.of.mine", Some("Oslo, at the harbour"), None),
        ],
        limits: EffectiveLimits::new(&limits, &[]),
    }
}

fn configured() -> Vec<ConfigValue> {
    let value = |key: &str, value: &str, origin: &str| ConfigValue {
        key: key.to_owned(),
        value: value.to_owned(),
        origin: origin.to_owned(),
    };
    let path = "/home/me/.config/pds/config.toml";
    vec![
        value("SESAME_OFFLINE", "\"1\"", "environment"),
        value("registries.\"ghcr.io\".mirrors", "[\"m.example/ghcr\"]", &format!("{path}:2")),
        value("extensions.policy.limits.max_fuel", "5_000_000_000", &format!("{path}:5")),
    ]
}

fn collection() -> Collection {
    Collection {
        generations: vec![("weather".parse().expect("a name"), 1)],
        blobs: Vec::new(),
        compiled: Vec::new(),
        bytes: 4096,
        is_dry_run: true,
    }
}

fn logins() -> Vec<KeptLogin> {
    let login = |registry: &str, store| KeptLogin { registry: registry.to_owned(), store };
    vec![
        login("ghcr.io", LoginStore::SecretService),
        login("registry.example.com:5000", LoginStore::File("/home/me/.config/pds/auth".into())),
    ]
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

/// Shows one listing on a screen.
type Show = fn(&Screen) -> Rendered;

/// Every listing, by its command.
const LISTINGS: &[(&str, Show)] = &[
    ("list", |screen| listings::extensions(screen, &extensions())),
    ("history", |screen| listings::generations(screen, &generations())),
    ("outdated", |screen| listings::freshness(screen, &freshness())),
    ("activity", |screen| listings::activity(screen, &activity())),
    ("update --dry-run", |screen| listings::updates(screen, &updates())),
    ("sync --dry-run", |screen| listings::steps(screen, &steps())),
    ("verify", |screen| listings::checks(screen, &checks())),
    ("doctor", |screen| listings::diagnoses(screen, &diagnoses())),
    ("gc --dry-run", |screen| listings::collected(screen, &collection())),
    ("set --list", |screen| listings::settings(screen, &settings())),
    ("config show", |screen| listings::configuration(screen, &configured(), false)),
    ("config show --origin", |screen| listings::configuration(screen, &configured(), true)),
    ("trust list", |screen| listings::signers(screen, &trust())),
    ("registry list", |screen| listings::logins(screen, &logins())),
    ("registry tags", |screen| listings::tags(screen, &["1.12.0".into(), "latest".into()])),
    ("secret list", |screen| listings::secrets(screen, &["github-token".into()])),
];

/// Every listing on this screen.
fn all(screen: &Screen) -> Vec<String> {
    LISTINGS.iter().map(|(_, show)| show(screen).paged).collect()
}

/// The screens of all listings, with their escape sequences made visible.
fn screens(width: usize, has_styles: bool) -> String {
    let screen = Screen::of(width, has_styles, NOW);
    let shown = LISTINGS.iter().map(|(command, show)| {
        format!("$ sesame {command}\n{}\n", show(&screen).paged.replace('\u{1b}', "ESC"))
    });
    shown.collect()
}

/// No line is wider than a terminal of 60 columns or more. What stands below a table can be
/// pasted, so that it stays whole.
#[test]
fn tables_fit_every_width() {
    for width in 60..=160 {
        for listing in all(&Screen::of(width, false, NOW)) {
            for line in listing.lines().filter(|line| !line.starts_with("fix ")) {
                assert!(line.width() <= width, "{width}: {line:?} of\n{listing}");
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
        let known = words(wide);
        for width in [60, 80, 120] {
            let narrow = &all(&Screen::of(width, false, NOW))[at];
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
            for part in coloured.split('\u{1b}') {
                let sequence = part.strip_prefix('[').and_then(|rest| rest.split_once('m'));
                text.push_str(sequence.map_or(part, |(_, rest)| rest));
            }
            assert_eq!(text, *plain);
        }
    }
}

#[test]
fn listings_at_60_columns() {
    insta::assert_snapshot!(screens(60, false), @r#"
    $ sesame list
    NAME                VERSION  STATE
    ────────────────────────────────────────────────────────────
    greeting-extension  0.1.0    enabled
    weather             1.12.0   quarantined: it failed 5 times
                                 in a row, last: the extension
                                 crashed
    text-tools          2.0.0    disabled

    $ sesame history
    GENERATION  TIME         REASON     VERSION  CURRENT
    ────────────────────────────────────────────────────
    3           2 hours ago  updated    1.12.0   current
    2           6 days ago   granted    1.11.3
    1           1 year ago   installed  1.11.3

    $ sesame outdated
    NAME                INSTALLED  NEWEST  STATE
    ────────────────────────────────────────────────────────────
    weather             1.11.3     1.12.0  there is a newer one
    greeting-extension  1.11.3     1.11.3  the newest
    notes               1.11.3     1.11.3  there is a newer one,
                                           too new for
                                           `min_release_age`
    text-tools          1.11.3             the tag has moved

    $ sesame activity
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

    $ sesame update --dry-run
    NAME     TO                             STATE
    ────────────────────────────────────────────────────────────
    weather  ghcr.io/my-org/weather:1.12.0  updated; granted:
                                            network=ap…ample.com
    notes    ghcr.io/my-org/notes:2.0.0     would be updated:
                                            there is a newer
                                            one; it asks for
                                            network=*.…ample.org
    notes asks for
      network=*.example.org: send anything that it knows to
        this host, and read what the host answers [optional] [!
        every host below this domain] (its author: "keeps the
        notes of your other machine"); would be asked, not
        decided yet

    $ sesame sync --dry-run
    NAME     REFERENCE                      STATE
    ────────────────────────────────────────────────────────────
    weather  ghcr.io/my-org/weather:1.12.0  to be installed
    clock    ghcr.io/my-org/weather:1.12.0  capabilities to be
                                            changed; to be
                                            withdrawn: env=LANG
    notes                                   failed: the manifest
                                            has no reference to
                                            fetch it from
    weather asks for
      notification: show notifications, ten a minute at most;
        allowed, a policy approves it for this list
      filesystem=read:~::/home: read everything in this
        directory, and with `write` change and delete it; it
        finds `~` as `/home` [! your whole home directory];
        would be asked, not decided yet
      network=api.example.com: send anything that it knows to
        this host, and read what the host answers; refused,
        policy denies `network`

    $ sesame verify
    NAME                STATE    FINDINGS
    ────────────────────────────────────────────────────────────
    greeting-extension  good
    weather             damaged  wrong bytes: expected
                                 sha256:01234567…23456789abcdef,
                                 got
                                 sha256:01234567…123456789abcdef

    $ sesame doctor
    CHECK          STATE  FINDING
    ────────────────────────────────────────────────────────────
    lock           good   not held by another process
    compiled code  bad    `/home/me/.cache/pds/extensions` can
                          be written to by others
    fix compiled code: rm -r '/home/me/.cache/pds/extensions'

    $ sesame gc --dry-run
    NAME     GENERATION  STATE
    ─────────────────────────────────────
    weather  1           would be removed

    $ sesame set --list
    KEY                        VALUE
    ───────────────────────────────────────────────
    days                       (not set)
    units                      imperial
    place.of.mine              Oslo, at the harbour
    limits.max_memory_mib      64
    limits.max_fuel            1000000000
    limits.timeout_ms          2000
    limits.max_table_elements  20000
    limits.max_instances       64
    limits.max_output_kib      1024
    limits.max_transfer_mib    16
    limits.max_written_mib     1024

    $ sesame config show
    KEY                                VALUE
    ─────────────────────────────────────────────────────
    SESAME_OFFLINE                     "1"
    registries."ghcr.io".mirrors       ["m.example/ghcr"]
    extensions.policy.limits.max_fuel  5_000_000_000

    $ sesame config show --origin
    KEY                                VALUE
    ─────────────────────────────────────────────────────
    SESAME_OFFLINE                     "1"
    registries."ghcr.io".mirrors       ["m.example/ghcr"]
    extensions.policy.limits.max_fuel  5_000_000_000

    $ sesame trust list
    KIND     PLACE                      SIGNER
    ────────────────────────────────────────────────────────────
    trusted  ghcr.io/my-org             https://gith…release.yml
    trusted  registry.exa…00/greetings  sha256:01234…56789abcdef
    first    ghcr.io/my-org/weather     unsigned

    $ sesame registry list
    REGISTRY                   STORE
    ────────────────────────────────────────────────────
    ghcr.io                    the Secret Service
    registry.example.com:5000  /home/me/.config/pds/auth

    $ sesame registry tags
    TAG
    ──────
    1.12.0
    latest

    $ sesame secret list
    SECRET
    ────────────
    github-token
    "#);
}

#[test]
fn listings_at_80_columns() {
    insta::assert_snapshot!(screens(80, false), @r#"
    $ sesame list
    NAME                VERSION  REFERENCE                      STATE
    ────────────────────────────────────────────────────────────────────────────────
    greeting-extension  0.1.0    registry.examp…xtension:0.1.0  enabled
    weather             1.12.0   ghcr.io/my-org/weather:1.12.0  quarantined: it
                                                                failed 5 times in a
                                                                row, last: the
                                                                extension crashed
    text-tools          2.0.0    ghcr.io/my-org…xt-tools:2.0.0  disabled

    $ sesame history
    GENERATION  TIME         REASON     VERSION  REFERENCE                   CURRENT
    ────────────────────────────────────────────────────────────────────────────────
    3           2 hours ago  updated    1.12.0   ghcr.io/my-or…ather:1.12.0  current
    2           6 days ago   granted    1.11.3   ghcr.io/my-or…ather:1.11.3
    1           1 year ago   installed  1.11.3   ghcr.io/my-or…ather:1.11.3

    $ sesame outdated
    NAME                INSTALLED  NEWEST  STATE
    ────────────────────────────────────────────────────────────────────────────────
    weather             1.11.3     1.12.0  there is a newer one
    greeting-extension  1.11.3     1.11.3  the newest
    notes               1.11.3     1.11.3  there is a newer one, too new for
                                           `min_release_age`
    text-tools          1.11.3             the tag has moved

    $ sesame activity
    TIME           EXTENSION  FUNCTION  OUTCOME  TOUCHED                     KIND
    ────────────────────────────────────────────────────────────────────────────────
    2 hours ago    weather              done     ghcr.io/my-or…56789abcdef,  install
                                                 granted config-read
    2 minutes ago  weather    forecast  error    refused                     call
                                                 network=https…mple.com:443
                                                 x2
    just now                            refused  evil.example/weather, it    install
                                                 is none of the places in
                                                 `allowed_registries`
                                                 (/etc/pds/policy.toml)

    $ sesame update --dry-run
    NAME     TO                                                 STATE
    ────────────────────────────────────────────────────────────────────────────────
    weather  ghcr.io/my-org/weather:1.12.0@sha256:0123456789ab  updated; granted:
                                                                network=ap…ample.com
    notes    ghcr.io/my-org/notes:2.0.0@sha256:0123456789ab     would be updated:
                                                                there is a newer
                                                                one; it asks for
                                                                network=*.…ample.org
    notes asks for
      network=*.example.org: send anything that it knows to this host, and read
        what the host answers [optional] [! every host below this domain] (its
        author: "keeps the notes of your other machine"); would be asked, not
        decided yet

    $ sesame sync --dry-run
    NAME     REFERENCE                                          STATE
    ────────────────────────────────────────────────────────────────────────────────
    weather  ghcr.io/my-org/weather:1.12.0@sha256:0123456789ab  to be installed
    clock    ghcr.io/my-org/weather:1.12.0@sha256:0123456789ab  capabilities to be
                                                                changed; to be
                                                                withdrawn: env=LANG
    notes                                                       failed: the manifest
                                                                has no reference to
                                                                fetch it from
    weather asks for
      notification: show notifications, ten a minute at most; allowed, a policy
        approves it for this list
      filesystem=read:~::/home: read everything in this directory, and with
        `write` change and delete it; it finds `~` as `/home` [! your whole home
        directory]; would be asked, not decided yet
      network=api.example.com: send anything that it knows to this host, and read
        what the host answers; refused, policy denies `network`

    $ sesame verify
    NAME                STATE    FINDINGS                       SIGNATURE
    ────────────────────────────────────────────────────────────────────────────────
    greeting-extension  good
    weather             damaged  wrong bytes: expected          verified, signed by
                                 sha256:0123456…3456789abcdef,  `release@m….example`
                                 got                            (6 days ago)
                                 sha256:0123456…23456789abcdef

    $ sesame doctor
    CHECK          STATE  FINDING
    ────────────────────────────────────────────────────────────────────────────────
    lock           good   not held by another process
    compiled code  bad    `/home/me/.cache/pds/extensions` can be written to by
                          others
    fix compiled code: rm -r '/home/me/.cache/pds/extensions'

    $ sesame gc --dry-run
    NAME     GENERATION  STATE
    ─────────────────────────────────────
    weather  1           would be removed

    $ sesame set --list
    KEY                        VALUE                 DEFAULT  DESCRIPTION
    ────────────────────────────────────────────────────────────────────────────────
    days                       (not set)             3        How many days the
                                                              forecast has
    units                      imperial                       Which units
    place.of.mine              Oslo, at the harbour           not declared by its
                                                              author
    limits.max_memory_mib      64                             memory, the default
    limits.max_fuel            1000000000                     fuel, the default
    limits.timeout_ms          2000                           time, set in the
                                                              manifest
    limits.max_table_elements  20000                          table elements, the
                                                              default
    limits.max_instances       64                             instances, the default
    limits.max_output_kib      1024                           output, the default
    limits.max_transfer_mib    16                             data passed to the
                                                              host, the default
    limits.max_written_mib     1024                           data written to files,
                                                              the default

    $ sesame config show
    KEY                                VALUE
    ─────────────────────────────────────────────────────
    SESAME_OFFLINE                     "1"
    registries."ghcr.io".mirrors       ["m.example/ghcr"]
    extensions.policy.limits.max_fuel  5_000_000_000

    $ sesame config show --origin
    KEY                       VALUE               ORIGIN
    ────────────────────────────────────────────────────────────────────────────────
    SESAME_OFFLINE            "1"                 environment
    registries."…io".mirrors  ["m.example/ghcr"]  /home/me/.config/pds/config.toml:2
    extensions.p…ts.max_fuel  5_000_000_000       /home/me/.config/pds/config.toml:5

    $ sesame trust list
    KIND     PLACE                              SIGNER                    SINCE
    ────────────────────────────────────────────────────────────────────────────────
    trusted  ghcr.io/my-org                     https://gith…release.yml
    trusted  registry.example…m:5000/greetings  sha256:01234…56789abcdef
    first    ghcr.io/my-org/weather             unsigned                  6 days ago

    $ sesame registry list
    REGISTRY                   STORE
    ────────────────────────────────────────────────────
    ghcr.io                    the Secret Service
    registry.example.com:5000  /home/me/.config/pds/auth

    $ sesame registry tags
    TAG
    ──────
    1.12.0
    latest

    $ sesame secret list
    SECRET
    ────────────
    github-token
    "#);
}

#[test]
fn listings_at_120_columns() {
    insta::assert_snapshot!(screens(120, false), @r#"
    $ sesame list
    NAME                VERSION  REFERENCE                               CAPABILITIES         LIMITS    STATE
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    greeting-extension  0.1.0    registry.example.co…ng-extension:0.1.0  config-read network  defaults  enabled
    weather             1.12.0   ghcr.io/my-org/weather:1.12.0           config-read network  defaults  quarantined: it
                                                                                                        failed 5 times in a
                                                                                                        row, last: the
                                                                                                        extension crashed
    text-tools          2.0.0    ghcr.io/my-org/text-tools:2.0.0         config-read network  defaults  disabled

    $ sesame history
    GENERATION  TIME         REASON     VERSION  REFERENCE                                 SIGNER                    CURRENT
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    3           2 hours ago  updated    1.12.0   ghcr.io/my-org/weather:1.12.0             verified, si…rg.example`  current
    2           6 days ago   granted    1.11.3   ghcr.io/my-org/weather:1.11.3             verified, si…rg.example`
    1           1 year ago   installed  1.11.3   ghcr.io/my-org/weather:1.11.3             verified, si…rg.example`

    $ sesame outdated
    NAME                INSTALLED  NEWEST  STATE
    ──────────────────────────────────────────────────────────────────────────────────────────
    weather             1.11.3     1.12.0  there is a newer one
    greeting-extension  1.11.3     1.11.3  the newest
    notes               1.11.3     1.11.3  there is a newer one, too new for `min_release_age`
    text-tools          1.11.3             the tag has moved

    $ sesame activity
    TIME           EXTENSION  FUNCTION  OUTCOME  FUEL          MEMORY   TOUCHED                                      KIND
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    2 hours ago    weather              done                            ghcr.io/my-org/weathe…cdef0123456789abcdef,  install
                                                                        granted config-read
    2 minutes ago  weather    forecast  error    fuel 1234567  2.0 MiB  refused network=https://api.example.com:443  call
                                                                        x2
    just now                            refused                         evil.example/weather, it is none of the      install
                                                                        places in `allowed_registries`
                                                                        (/etc/pds/policy.toml)

    $ sesame update --dry-run
    NAME     FROM                                    TO                                                 STATE
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    weather  ghcr.io/my-org/weather:1.11.3           ghcr.io/my-org/weather:1.12.0@sha256:0123456789ab  updated; granted:
                                                                                                        network=ap…ample.com
    notes    ghcr.io/my-org/notes:1.11.3             ghcr.io/my-org/notes:2.0.0@sha256:0123456789ab     would be updated:
                                                                                                        there is a newer
                                                                                                        one; it asks for
                                                                                                        network=*.…ample.org
    notes asks for
      network=*.example.org: send anything that it knows to this host, and read what the host answers [optional] [! every
        host below this domain] (its author: "keeps the notes of your other machine"); would be asked, not decided yet

    $ sesame sync --dry-run
    NAME     REFERENCE                                          STATE
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    weather  ghcr.io/my-org/weather:1.12.0@sha256:0123456789ab  to be installed
    clock    ghcr.io/my-org/weather:1.12.0@sha256:0123456789ab  capabilities to be changed; to be withdrawn: env=LANG
    notes                                                       failed: the manifest has no reference to fetch it from
    weather asks for
      notification: show notifications, ten a minute at most; allowed, a policy approves it for this list
      filesystem=read:~::/home: read everything in this directory, and with `write` change and delete it; it finds `~` as
        `/home` [! your whole home directory]; would be asked, not decided yet
      network=api.example.com: send anything that it knows to this host, and read what the host answers; refused, policy
        denies `network`

    $ sesame verify
    NAME                STATE    FINDINGS                                                               SIGNATURE
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    greeting-extension  good
    weather             damaged  wrong bytes: expected                                                  verified, signed by
                                 sha256:0123456789abcdef0123456789a…f0123456789abcdef0123456789abcdef,  `release@m….example`
                                 got                                                                    (6 days ago)
                                 sha256:0123456789abcdef0123456789a…ef0123456789abcdef0123456789abcdef

    $ sesame doctor
    CHECK          STATE  FINDING
    ──────────────────────────────────────────────────────────────────────────────────
    lock           good   not held by another process
    compiled code  bad    `/home/me/.cache/pds/extensions` can be written to by others
    fix compiled code: rm -r '/home/me/.cache/pds/extensions'

    $ sesame gc --dry-run
    NAME     GENERATION  STATE
    ─────────────────────────────────────
    weather  1           would be removed

    $ sesame set --list
    KEY                        VALUE                 TYPE                DEFAULT  DESCRIPTION
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    days                       (not set)             integer             3        How many days the forecast has
    units                      imperial              metric or imperial           Which units
    place.of.mine              Oslo, at the harbour  string                       not declared by its author
    limits.max_memory_mib      64                    integer                      memory, the default
    limits.max_fuel            1000000000            integer                      fuel, the default
    limits.timeout_ms          2000                  integer                      time, set in the manifest
    limits.max_table_elements  20000                 integer                      table elements, the default
    limits.max_instances       64                    integer                      instances, the default
    limits.max_output_kib      1024                  integer                      output, the default
    limits.max_transfer_mib    16                    integer                      data passed to the host, the default
    limits.max_written_mib     1024                  integer                      data written to files, the default

    $ sesame config show
    KEY                                VALUE
    ─────────────────────────────────────────────────────
    SESAME_OFFLINE                     "1"
    registries."ghcr.io".mirrors       ["m.example/ghcr"]
    extensions.policy.limits.max_fuel  5_000_000_000

    $ sesame config show --origin
    KEY                                VALUE               ORIGIN
    ─────────────────────────────────────────────────────────────────────────────────────────
    SESAME_OFFLINE                     "1"                 environment
    registries."ghcr.io".mirrors       ["m.example/ghcr"]  /home/me/.config/pds/config.toml:2
    extensions.policy.limits.max_fuel  5_000_000_000       /home/me/.config/pds/config.toml:5

    $ sesame trust list
    KIND     PLACE                                SIGNER                                ISSUER                    SINCE
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    trusted  ghcr.io/my-org                       https://github.com…flows/release.yml  https://toke…content.com
    trusted  registry.example.com:5000/greetings  sha256:0123456789a…f0123456789abcdef
    first    ghcr.io/my-org/weather               unsigned                                                        6 days ago

    $ sesame registry list
    REGISTRY                   STORE
    ────────────────────────────────────────────────────
    ghcr.io                    the Secret Service
    registry.example.com:5000  /home/me/.config/pds/auth

    $ sesame registry tags
    TAG
    ──────
    1.12.0
    latest

    $ sesame secret list
    SECRET
    ────────────
    github-token
    "#);
}

#[test]
fn listings_with_colours() {
    insta::assert_snapshot!(screens(80, true), @r#"
    $ sesame list
    ESC[1mNAMEESC[0m                ESC[1mVERSIONESC[0m  ESC[1mREFERENCEESC[0m                      ESC[1mSTATEESC[0m
    ────────────────────────────────────────────────────────────────────────────────
    greeting-extension  0.1.0    registry.examp…xtension:0.1.0  ESC[38;5;2menabledESC[39m
    weather             1.12.0   ghcr.io/my-org/weather:1.12.0  ESC[38;5;1mquarantined: itESC[39m
                                                                ESC[38;5;1mfailed 5 times in aESC[39m
                                                                ESC[38;5;1mrow, last: theESC[39m
                                                                ESC[38;5;1mextension crashedESC[39m
    text-tools          2.0.0    ghcr.io/my-org…xt-tools:2.0.0  ESC[38;5;3mdisabledESC[39m

    $ sesame history
    ESC[1mGENERATIONESC[0m  ESC[1mTIMEESC[0m         ESC[1mREASONESC[0m     ESC[1mVERSIONESC[0m  ESC[1mREFERENCEESC[0m                   ESC[1mCURRENTESC[0m
    ────────────────────────────────────────────────────────────────────────────────
    3           ESC[2m2 hours agoESC[0m  updated    1.12.0   ghcr.io/my-or…ather:1.12.0  ESC[38;5;2mcurrentESC[39m
    2           ESC[2m6 days agoESC[0m   granted    1.11.3   ghcr.io/my-or…ather:1.11.3
    1           ESC[2m1 year agoESC[0m   installed  1.11.3   ghcr.io/my-or…ather:1.11.3

    $ sesame outdated
    ESC[1mNAMEESC[0m                ESC[1mINSTALLEDESC[0m  ESC[1mNEWESTESC[0m  ESC[1mSTATEESC[0m
    ────────────────────────────────────────────────────────────────────────────────
    weather             1.11.3     1.12.0  ESC[38;5;3mthere is a newer oneESC[39m
    greeting-extension  1.11.3     1.11.3  ESC[38;5;2mthe newestESC[39m
    notes               1.11.3     1.11.3  ESC[38;5;3mthere is a newer one, too new forESC[39m
                                           ESC[38;5;3m`min_release_age`ESC[39m
    text-tools          1.11.3             ESC[38;5;1mthe tag has movedESC[39m

    $ sesame activity
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

    $ sesame update --dry-run
    ESC[1mNAMEESC[0m     ESC[1mTOESC[0m                                                 ESC[1mSTATEESC[0m
    ────────────────────────────────────────────────────────────────────────────────
    weather  ghcr.io/my-org/weather:1.12.0@sha256:0123456789ab  ESC[38;5;2mupdated; granted:ESC[39m
                                                                ESC[38;5;2mnetwork=ap…ample.comESC[39m
    notes    ghcr.io/my-org/notes:2.0.0@sha256:0123456789ab     ESC[38;5;3mwould be updated:ESC[39m
                                                                ESC[38;5;3mthere is a newerESC[39m
                                                                ESC[38;5;3mone; it asks forESC[39m
                                                                ESC[38;5;3mnetwork=*.…ample.orgESC[39m
    notes asks for
      ESC[33mnetwork=*.example.org: send anything that it knows to this host, and readESC[0m
        ESC[33mwhat the host answers [optional] [! every host below this domain] (itsESC[0m
        ESC[33mauthor: "keeps the notes of your other machine"); would be asked, notESC[0m
        ESC[33mdecided yetESC[0m

    $ sesame sync --dry-run
    ESC[1mNAMEESC[0m     ESC[1mREFERENCEESC[0m                                          ESC[1mSTATEESC[0m
    ────────────────────────────────────────────────────────────────────────────────
    weather  ghcr.io/my-org/weather:1.12.0@sha256:0123456789ab  ESC[38;5;3mto be installedESC[39m
    clock    ghcr.io/my-org/weather:1.12.0@sha256:0123456789ab  ESC[38;5;3mcapabilities to beESC[39m
                                                                ESC[38;5;3mchanged; to beESC[39m
                                                                ESC[38;5;3mwithdrawn: env=LANGESC[39m
    notes                                                       ESC[38;5;1mfailed: the manifestESC[39m
                                                                ESC[38;5;1mhas no reference toESC[39m
                                                                ESC[38;5;1mfetch it fromESC[39m
    weather asks for
      ESC[32mnotification: show notifications, ten a minute at most; allowed, a policyESC[0m
        ESC[32mapproves it for this listESC[0m
      ESC[33mfilesystem=read:~::/home: read everything in this directory, and withESC[0m
        ESC[33m`write` change and delete it; it finds `~` as `/home` [! your whole homeESC[0m
        ESC[33mdirectory]; would be asked, not decided yetESC[0m
      ESC[31mnetwork=api.example.com: send anything that it knows to this host, and readESC[0m
        ESC[31mwhat the host answers; refused, policy denies `network`ESC[0m

    $ sesame verify
    ESC[1mNAMEESC[0m                ESC[1mSTATEESC[0m    ESC[1mFINDINGSESC[0m                       ESC[1mSIGNATUREESC[0m
    ────────────────────────────────────────────────────────────────────────────────
    greeting-extension  ESC[38;5;2mgoodESC[39m
    weather             ESC[38;5;1mdamagedESC[39m  wrong bytes: expected          verified, signed by
                                 sha256:0123456…3456789abcdef,  `release@m….example`
                                 got                            (6 days ago)
                                 sha256:0123456…23456789abcdef

    $ sesame doctor
    ESC[1mCHECKESC[0m          ESC[1mSTATEESC[0m  ESC[1mFINDINGESC[0m
    ────────────────────────────────────────────────────────────────────────────────
    lock           ESC[38;5;2mgoodESC[39m   not held by another process
    compiled code  ESC[38;5;1mbadESC[39m    `/home/me/.cache/pds/extensions` can be written to by
                          others
    fix compiled code: rm -r '/home/me/.cache/pds/extensions'

    $ sesame gc --dry-run
    ESC[1mNAMEESC[0m     ESC[1mGENERATIONESC[0m  ESC[1mSTATEESC[0m
    ─────────────────────────────────────
    weather  1           would be removed

    $ sesame set --list
    ESC[1mKEYESC[0m                        ESC[1mVALUEESC[0m                 ESC[1mDEFAULTESC[0m  ESC[1mDESCRIPTIONESC[0m
    ────────────────────────────────────────────────────────────────────────────────
    days                       ESC[2m(not set)ESC[0m             3        How many days the
                                                              forecast has
    units                      imperial                       Which units
    place.of.mine              Oslo, at the harbour           ESC[38;5;3mnot declared by itsESC[39m
                                                              ESC[38;5;3mauthorESC[39m
    limits.max_memory_mib      64                             memory, the default
    limits.max_fuel            1000000000                     fuel, the default
    limits.timeout_ms          2000                           ESC[38;5;3mtime, set in theESC[39m
                                                              ESC[38;5;3mmanifestESC[39m
    limits.max_table_elements  20000                          table elements, the
                                                              default
    limits.max_instances       64                             instances, the default
    limits.max_output_kib      1024                           output, the default
    limits.max_transfer_mib    16                             data passed to the
                                                              host, the default
    limits.max_written_mib     1024                           data written to files,
                                                              the default

    $ sesame config show
    ESC[1mKEYESC[0m                                ESC[1mVALUEESC[0m
    ─────────────────────────────────────────────────────
    SESAME_OFFLINE                     "1"
    registries."ghcr.io".mirrors       ["m.example/ghcr"]
    extensions.policy.limits.max_fuel  5_000_000_000

    $ sesame config show --origin
    ESC[1mKEYESC[0m                       ESC[1mVALUEESC[0m               ESC[1mORIGINESC[0m
    ────────────────────────────────────────────────────────────────────────────────
    SESAME_OFFLINE            "1"                 environment
    registries."…io".mirrors  ["m.example/ghcr"]  /home/me/.config/pds/config.toml:2
    extensions.p…ts.max_fuel  5_000_000_000       /home/me/.config/pds/config.toml:5

    $ sesame trust list
    ESC[1mKINDESC[0m     ESC[1mPLACEESC[0m                              ESC[1mSIGNERESC[0m                    ESC[1mSINCEESC[0m
    ────────────────────────────────────────────────────────────────────────────────
    ESC[38;5;2mtrustedESC[39m  ghcr.io/my-org                     https://gith…release.yml
    ESC[38;5;2mtrustedESC[39m  registry.example…m:5000/greetings  sha256:01234…56789abcdef
    first    ghcr.io/my-org/weather             unsigned                  ESC[2m6 days agoESC[0m

    $ sesame registry list
    ESC[1mREGISTRYESC[0m                   ESC[1mSTOREESC[0m
    ────────────────────────────────────────────────────
    ghcr.io                    the Secret Service
    registry.example.com:5000  /home/me/.config/pds/auth

    $ sesame registry tags
    ESC[1mTAGESC[0m
    ──────
    1.12.0
    latest

    $ sesame secret list
    ESC[1mSECRETESC[0m
    ────────────
    github-token
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
