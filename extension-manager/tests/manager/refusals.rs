//! What is refused, and that nothing has changed afterwards.

use core_types::{ActivityEvent, ChangeKind, ChangeOutcome, ExtensionName, Grant};
use extension_depot::{Depot, Source, TransportError};
use extension_manager::{
    Answer, ExamineError, InstallError, InstallOptions, InstallRequest, Installation, NameUse,
    Nobody, UpdateError, UpdateOptions,
};

use crate::fixture::{Fixture, grants, new};
use crate::support::name;
use crate::support::person::Person;
use crate::support::registry::{component, install, install_as};

/// The parts of a request that a test varies.
#[derive(Default)]
struct Asked<'a> {
    name: Option<&'a str>,
    version: Option<&'a str>,
    content: Option<&'a [u8]>,
    allow_plain_http: bool,
    name_use: NameUse,
}

fn request(
    fixture: &Fixture,
    source: &str,
    asked: &Asked<'_>,
) -> Result<Installation, InstallError> {
    let source: Source = source.parse().expect("a source");
    let own_name: Option<ExtensionName> = asked.name.map(name);
    let version = asked.version.map(|version| version.parse().expect("a range"));
    let sha256 = asked.content.map(extension_depot::digest_of);
    let request = InstallRequest {
        source: &source,
        name: own_name.as_ref(),
        version: version.as_ref(),
        sha256: sha256.as_ref(),
        allow_plain_http: asked.allow_plain_http,
        options: InstallOptions { name_use: asked.name_use, ..InstallOptions::default() },
    };
    fixture.installer(&Nobody).install(&request)
}

fn kind(refused: &InstallError) -> &'static str {
    match refused {
        InstallError::Policy(_) => "policy",
        InstallError::Form(_) => "form",
        InstallError::NoName(_) => "no name",
        InstallError::Source(_) => "source",
        InstallError::Registry(_) => "registry",
        InstallError::VersionOfOneThing { .. } => "version of one thing",
        InstallError::NoVersion { .. } => "no version",
        InstallError::ReplacedByRegistry(_) => "replaced by registry",
        InstallError::Examine(_) => "examine",
        other => panic!("{other}"),
    }
}

/// Each stage refuses with its own error, and leaves neither a manifest nor a question.
#[test]
fn each_stage_refuses() {
    let fixture = Fixture::new("blocked_namespaces = [\"HOST/my-org/blocked\"]\n");
    fixture.publish("a:1.0.0", &component(1, ""));
    let at = |rest: &str| fixture.remote.reference(rest).to_string();
    let repository = at("a:x").replace(":x", "");
    let (good, text) =
        (fixture.file("good.wasm", &component(1, "")), fixture.file("t.wasm", b"#!"));
    let (odd, none) =
        (fixture.file("Über.wasm", &component(1, "")), fixture.home.path("none.wasm"));
    let none = none.display().to_string();
    let version = |version| Asked { version: Some(version), ..Asked::default() };
    let plain = Asked::default;
    let cases: [(&str, Asked<'_>, &str); 12] = [
        ("https://example.com/x.wasm", plain(), "form"),
        ("local/file/x:0.0.0", plain(), "form"),
        (&at("a:1.0.0"), Asked { content: Some(b"x"), ..plain() }, "form"),
        (&at("a:1.0.0"), Asked { name_use: NameUse::Replace, ..plain() }, "replaced by registry"),
        (&at("a:1.0.0"), version("^1"), "version of one thing"),
        (&repository, version("^2"), "no version"),
        (&at("b:1.0.0"), plain(), "registry"),
        (&at("blocked:1.0.0"), plain(), "policy"),
        (&none, plain(), "source"),
        (&odd, plain(), "no name"),
        (&good, Asked { content: Some(b"other"), ..plain() }, "source"),
        (&text, plain(), "examine"),
    ];
    for (source, asked, expected) in cases {
        let refused = request(&fixture, source, &asked).err().expect(source);
        assert_eq!(kind(&refused), expected, "{source}: {refused}");
        let listed = fixture.manager.depot().list().expect("listed");
        assert!(listed.is_empty(), "{source}: {listed:?}");
    }
}

/// A range chooses among the versions, and a digest is compared with the file's.
#[test]
fn range_and_digest_choose() {
    let fixture = Fixture::new("");
    for version in [1, 2] {
        fixture.publish(&format!("a:{version}.5.0"), &component(version, ""));
    }
    let repository = fixture.remote.reference("a:x").to_string().replace(":x", "");
    let asked = Asked { version: Some("^1"), ..Asked::default() };
    assert_eq!(new(request(&fixture, &repository, &asked)).version, "1.5.0");
    let binary = component(3, "");
    let file = fixture.file("b.wasm", &binary);
    new(request(&fixture, &file, &Asked { content: Some(&binary), ..Asked::default() }));
}

/// A refusal by policy is in the activity log, where an administrator looks for it.
#[test]
fn policy_refusal_is_logged() {
    let fixture = Fixture::new("allowed_registries = [\"ghcr.io\"]\n");
    let source = fixture.remote.reference("a:1.0.0").to_string();
    request(&fixture, &source, &Asked::default()).err().expect("refused");
    let entries = fixture.manager.depot().activity().entries();
    let [entry] = &entries[..] else { panic!("{entries:?}") };
    let ActivityEvent::Change(change) = &entry.event else { panic!("{entry:?}") };
    assert_eq!((change.kind, change.outcome), (ChangeKind::Install, ChangeOutcome::Refused));
    assert_eq!(change.extension, "a");
}

/// A repository that was reached over TLS is not reached without it, unless its user says so.
#[test]
fn step_back_from_tls_is_refused() {
    let fixture = Fixture::new("");
    let first = fixture.publish("a:1.0.0", &component(1, ""));
    new(request(&fixture, &first, &Asked::default()));
    let second = fixture.publish("a:2.0.0", &component(2, ""));
    fixture.edit_state("first-use", |text| {
        assert!(
            text.contains("\"is_secure\": false") || text.contains("\"is_secure\":false"),
            "{text}"
        );
        text.replace("\"is_secure\": false", "\"is_secure\": true")
            .replace("\"is_secure\":false", "\"is_secure\":true")
    });
    let before = fixture.remote.requests();
    let is_insecure = |error: &InstallError| {
        matches!(error, InstallError::Transport(TransportError::Insecure(_)))
    };
    let refused = request(&fixture, &second, &Asked::default()).err().expect("refused");
    assert!(is_insecure(&refused), "{refused}");
    let updated = fixture.installer(&Nobody).update(&name("a"), &UpdateOptions::default());
    let Err(UpdateError::Install(error)) = updated else { panic!("{updated:?}") };
    assert!(is_insecure(&error), "{error}");
    assert_eq!(fixture.remote.requests(), before, "it is not asked for");
    let allowed = Asked { allow_plain_http: true, ..Asked::default() };
    assert_eq!(new(request(&fixture, &second, &allowed)).version, "2.0.0");
}

/// Others that keep changing an extension do not keep this process busy for ever.
#[test]
fn endless_changes_end_the_install() {
    let fixture = Fixture::new("");
    let file = fixture.file("a.wasm", &component(1, "notification = true"));
    let mut round = 0;
    let person = Person::answering(&[Answer::Always]).while_thinking(|| {
        round += 1;
        let with = if round % 2 == 1 { "[config]\nround = 1\n" } else { "" };
        match with {
            "" => std::fs::remove_file(fixture.home.places().manifest(&name("a"))).expect("there"),
            text => fixture.write_manifest("a", text),
        }
    });
    let ended = install(&fixture.installer(&person), &file, InstallOptions::default());
    assert!(matches!(ended, Err(InstallError::Changed(_))));
    assert_eq!(person.shown().len(), 5);
}

/// Grants for something that is installed already are added, and a policy's denial is told apart.
#[test]
fn grants_are_added_to_the_installed() {
    let fixture = Fixture::new("deny = [\"clipboard-write\"]\n");
    let file = fixture.file("a.wasm", &component(1, ""));
    new(install(&fixture.installer(&Nobody), &file, InstallOptions::default()));
    let wanted = grants(&["notification", "clipboard-write"]);
    let options = || InstallOptions { grant: &wanted, ..InstallOptions::default() };
    let again = install(&fixture.installer(&Nobody), &file, options()).expect("installed");
    let Installation::Already { granted, denied, .. } = again else { panic!("it is the same") };
    assert_eq!(granted, grants(&["notification"]));
    assert!(denied.len() == 1 && denied[0].policy.is_some(), "{denied:?}");
    let mut there = fixture.granted("a");
    there.sort();
    assert_eq!(there, ["clipboard-write", "notification"]);
    let history = fixture.manager.depot().history(&name("a")).expect("a history");
    let before = history.generations.len();
    install(&fixture.installer(&Nobody), &file, options()).expect("installed");
    let after = fixture.manager.depot().history(&name("a")).expect("a history");
    assert_eq!(after.generations.len(), before, "nothing was new");
}

/// sesame's own directories are never granted: a request is denied, and a grant ends the install.
#[test]
fn own_directory_is_never_granted() {
    let fixture = Fixture::new("");
    let manager = fixture.home.manager_with(|options| {
        let protected = fixture.home.places().protected();
        let home = Some("/home/ada".into());
        options.backends.directories =
            std::sync::Arc::new(extension_host::DirectoryRules { home, protected });
    });
    let surroundings = (&manager, &fixture.config);
    let person = Person::answering(&[]);
    let installer = fixture.remote.installer(surroundings, &person);
    let own = fixture.home.places().state.display().to_string();
    std::fs::create_dir_all(&own).expect("made");
    let asking = component(1, &format!("filesystem = {{ read = [\"{own}\"] }}"));
    let file = fixture.file("a.wasm", &asking);
    let wanted: Vec<Grant> = grants(&[&format!("filesystem=read:{own}")]);
    let given = InstallOptions { grant: &wanted, ..InstallOptions::default() };
    let refused = install(&installer, &file, given);
    assert!(matches!(refused, Err(InstallError::Directory { .. })));
    assert_eq!(fixture.version("a"), None);
    let all = InstallOptions { grant_requested: true, ..InstallOptions::default() };
    let committed = new(install(&installer, &file, all));
    assert!(person.shown().is_empty(), "it is not asked for");
    assert_eq!(committed.decision.denied.len(), 1);
    assert!(fixture.has_event(&own), "{:?}", fixture.home.events());
    let later = grants(&["filesystem=read:~/later"]);
    let options = InstallOptions { grant: &later, ..InstallOptions::default() };
    install(&installer, &file, options).expect("a missing directory can be granted");
    assert!(fixture.has_event("the directory `~/later` does not exist yet"));
}

/// A grant until the session ends is not in the manifest.
#[test]
fn session_grant_leaves_the_manifest() {
    let fixture = Fixture::new("");
    let file = fixture.file("a.wasm", &component(1, "notification = true\nenv = [\"LANG\"]"));
    let person = Person::answering(&[Answer::Session, Answer::Session]);
    let committed = new(install(&fixture.installer(&person), &file, InstallOptions::default()));
    assert_eq!(committed.decision.for_session.len(), 2);
    assert_eq!(fixture.granted("a"), [""; 0]);
    let depot = Depot::new(fixture.home.places());
    let timed = depot.timed_grants(&name("a"), &committed.reference.identity()).expect("readable");
    let timed: Vec<_> = timed.iter().map(|timed| timed.grant.to_string()).collect();
    assert_eq!(timed.len(), 2, "{timed:?}");
}

/// Damaged bytes of an installed extension are found before anything is said about them.
#[test]
fn damaged_binary_is_not_examined() {
    let fixture = Fixture::new("");
    let file = fixture.file("a.wasm", &component(1, "notification = true"));
    new(install(&fixture.installer(&Nobody), &file, InstallOptions::default()));
    let installed = fixture.manager.depot().installed(&name("a")).expect("installed");
    let found = fixture.manager.examine(&name("a"), installed.binary()).expect("examined");
    assert_eq!(found.requests.grants.len(), 1);
    let mut bytes = std::fs::read(&installed.binary().path).expect("a binary");
    bytes[20] ^= 1;
    std::fs::write(&installed.binary().path, bytes).expect("written");
    let damaged = fixture.manager.examine(&name("a"), installed.binary()).err();
    assert!(matches!(damaged, Some(ExamineError::Damaged { .. })), "{damaged:?}");
}

/// A build that could not start here is refused before it is published or tried.
#[test]
fn built_binary_has_to_start() {
    let fixture = Fixture::new("");
    let built = fixture.manager.examine_built(&name("a"), component(1, "")).expect("it starts");
    assert_eq!((built.imports.len(), &built.exports[..]), (0, &["f".to_owned()][..]));
    let unlinkable = wat::parse_str("(module (import \"unknown\" \"f\" (func)))").expect("valid");
    for binary in [unlinkable, b"#!/bin/sh".to_vec()] {
        let refused = fixture.manager.examine_built(&name("a"), binary.clone()).err();
        assert!(matches!(refused, Some(ExamineError::Host { .. })), "{refused:?}");
        let tried = fixture.installer(&Nobody).prepare_tryout(&name("a"), binary, None);
        assert!(tried.is_err());
    }
}

/// An author's build takes the place of the one before without a question, and the same build is
/// not installed twice.
#[test]
fn tryout_follows_the_build() {
    let fixture = Fixture::new("");
    let person = Person::answering(&[]);
    let installer = fixture.installer(&person);
    let build = |version: u8, requests: &str| {
        let prepared = installer.prepare_tryout(&name("a"), component(version, requests), None);
        let tryout = prepared.expect("it starts")?;
        let asked = if requests.is_empty() { Vec::new() } else { grants(&["notification"]) };
        Some(installer.install_tryout(tryout, &asked).expect("installed"))
    };
    assert!(build(1, "").is_some() && build(1, "").is_none());
    let committed = build(2, "notification = true").expect("another build");
    assert!(committed.reference.is_development() && person.shown().is_empty());
    assert!(fixture.granted("a").contains(&"notification".to_owned()));
    let refused = Fixture::new("allowed_registries = [\"ghcr.io\"]\n");
    let refused =
        refused.installer(&Nobody).prepare_tryout(&name("a"), component(1, ""), None).err();
    assert!(matches!(refused, Some(InstallError::Policy(_))), "{refused:?}");
}

/// Events come in the order of the work.
#[test]
fn events_are_in_order() {
    let fixture = Fixture::new("");
    let source = fixture.publish("weather:1.0.0", &component(1, ""));
    let file = fixture.file("wether.wasm", &component(2, ""));
    new(install(&fixture.installer(&Nobody), &source, InstallOptions::default()));
    let first = std::mem::take(&mut fixture.home.events());
    let order = ["downloading", "compiling: ", "compiled"];
    let mut at = 0;
    for event in &first {
        if at < order.len() && event.starts_with(order[at]) {
            at += 1;
        }
    }
    assert_eq!(at, order.len(), "{first:?}");
    new(install_as(&fixture.installer(&Nobody), &file, None, InstallOptions::default()));
    let second = fixture.home.events().split_off(first.len());
    let near = second.iter().position(|event| event.contains("one letter away"));
    let compiling = second.iter().position(|event| event.starts_with("compiling: "));
    assert!(near < compiling && near.is_some(), "a warning is before the work: {second:?}");
}
