//! Machines that follow a published list: its signer, its pins, and the extensions that leave it.

use extension_depot::serve::MemoryRegistry;

use crate::support::{ECHO, GREETING, Run, TestEnv, asking, env, manifest, publish, registry};
use crate::sync::{pinned, publish_list_as};

const LIST: &str = "my-org/desktop-set";
const OTHER_LIST: &str = "my-org/more-set";

/// A machine, and the registry of its list.
struct Fleet {
    env: TestEnv,
    registry: MemoryRegistry,
}

impl Fleet {
    fn new() -> Self {
        let fleet = Self { env: env(), registry: registry() };
        publish(
            &fleet.registry,
            "my-org/greeting-extension:0.2.0",
            &asking(&GREETING, "# other\n"),
            &[],
        );
        fleet
    }

    /// Returns an entry of a list.
    fn entry(&self, name: &str, tag: &str, capabilities: &str) -> String {
        format!(
            "[{name}]\noci = \"{}\"\ncapabilities = {{ {capabilities} }}\n",
            pinned(&self.registry, tag)
        )
    }

    fn publish(&self, text: &str) {
        publish_list_as(&self.registry, LIST, "stable", text);
    }

    fn reference(&self, list: &str) -> String {
        format!("{}/{list}:stable", self.registry.host())
    }

    fn sync(&self, options: &str) -> Run {
        self.run(&format!("extension sync {} {options}", self.reference(LIST)))
    }

    fn run(&self, line: &str) -> Run {
        self.env.run(line).hiding_registry(&self.registry)
    }

    fn policy(&self, text: &str) {
        self.env.write(".config/pds/config.toml", text.replace("HOST", &self.registry.host()));
    }

    /// Writes the policy's approval for the list.
    fn preapprove(&self, grants: &str) {
        self.policy(&format!(
            "[[extensions.policy.preapproved]]\nlist = \"HOST/{LIST}\"\ngrants = [{grants}]\n"
        ));
    }

    fn has(&self, name: &str, capability: &str) -> bool {
        self.env.read(&manifest(name)).contains(capability)
    }

    fn is_there(&self, name: &str) -> bool {
        self.env.path(&manifest(name)).exists()
    }
}

#[test]
fn list_is_signed_as_policy_wants() {
    let fleet = Fleet::new();
    fleet.publish(&fleet.entry("greeter", "0.1.0", ""));
    for key in ["maker", "other"] {
        fleet.run(&format!("trust keygen {key}")).ok();
    }
    let key = fleet.env.path("work/maker.pub");
    let signers =
        format!("[extensions.policy.trusted_signers]\n\"HOST/{LIST}\" = [{:?}]\n", key.display());
    fleet.policy(&signers);
    let sign = |key: &str| {
        fleet.run(&format!("extension sign {} --key {key}.key", fleet.reference(LIST))).ok()
    };
    insta::assert_snapshot!(fleet.sync(""), @r#"
    exit 6
    err: error: `REGISTRY/my-org/desktop-set` has to be signed by one of `trusted_signers` in `~/.config/pds/config.toml`: ~/work/maker.pub, and it is: unsigned
    err: hint: if you have the publisher's key: sesame trust add KEY.pub --for REGISTRY/my-org/desktop-set
    "#);
    sign("other");
    for option in ["", "--check", "--dry-run", "--prune"] {
        let refused = fleet.sync(option);
        assert!(refused.code == 6 && refused.text().is_empty(), "{option}: {refused}");
    }
    fleet.policy("[extensions.policy]\nrequire_signature = true\n");
    assert_eq!(fleet.sync("").code, 6, "nobody trusts who signed it");
    assert!(!fleet.is_there("greeter"));
    fleet.policy(&signers);
    sign("maker");
    fleet.sync("").ok();
    assert!(fleet.is_there("greeter"));
    let verified =
        fleet.run(&format!("extension verify {} --key maker.pub", fleet.reference(LIST))).ok();
    assert!(verified.to_string().contains("verified, signed by"), "{verified}");
}

/// The first signer of a list is remembered, as for an artifact.
#[test]
fn list_keeps_its_signer() {
    let fleet = Fleet::new();
    fleet.publish(&fleet.entry("greeter", "0.1.0", ""));
    fleet.run("trust keygen maker").ok();
    fleet.run(&format!("trust add maker.pub --for {}/{LIST}", fleet.registry.host())).ok();
    fleet
        .run(&format!("extension sign {} --key maker.key --form classic", fleet.reference(LIST)))
        .ok();
    fleet.sync("").ok();
    fleet.publish(&fleet.entry("other", "0.1.0", ""));
    let refused = fleet.sync("--prune");
    assert!(
        refused.code == 6 && fleet.is_there("greeter") && !fleet.is_there("other"),
        "{refused}"
    );
    let accept = format!("sesame trust accept {}/{LIST}", fleet.registry.host());
    assert!(refused.stderr.contains(&accept), "{refused}");
    fleet.run(&accept["sesame ".len()..]).ok();
    fleet.sync("").ok();
    assert!(fleet.is_there("other"));
}

#[test]
fn version_tag_of_list_never_moves() {
    let fleet = Fleet::new();
    let (first, second) =
        (fleet.entry("greeter", "0.1.0", ""), fleet.entry("greeter", "0.2.0", ""));
    let publish = |tag: &str, text: &str| publish_list_as(&fleet.registry, LIST, tag, text);
    let sync =
        |tag: &str| fleet.run(&format!("extension sync {}/{LIST}:{tag}", fleet.registry.host()));
    insta::assert_snapshot!({ publish("stable", &first); sync("stable --locked") }, @r#"
    exit 1
    err: error: the list is not pinned to a digest, and was never followed here
    err: hint: pin its digest: sesame extension sync REGISTRY/my-org/desktop-set:stable@sha256:DIGEST --locked
    "#);
    publish("1.0.0", &first);
    for tag in ["1.0.0", "stable"] {
        sync(tag).ok();
        sync(&format!("{tag} --locked")).ok();
        publish(tag, &second);
    }
    insta::assert_snapshot!(sync("1.0.0 --check"), @r#"
    exit 6
    err: error: the tag `1.0.0` of the list has moved since it was followed
    err: followed: REGISTRY/my-org/desktop-set:1.0.0@sha256:DIGEST
    err: found:    REGISTRY/my-org/desktop-set:1.0.0@sha256:DIGEST
    err: hint: if the publisher announced the change, sync the new digest: sesame extension sync REGISTRY/my-org/desktop-set:1.0.0@sha256:DIGEST
    "#);
    let locked =
        fleet.env.run(&format!("extension sync {}/{LIST}:stable --locked", fleet.registry.host()));
    assert!(locked.code == 6 && fleet.has("greeter", ":0.1.0@"), "{locked}");
    let hint = locked.stderr.split_once("sesame extension").expect("a hint").1.trim().to_owned();
    fleet.run(&format!("extension {hint}")).ok();
    assert!(fleet.has("greeter", ":0.2.0@"), "its user named the bytes");
    sync("stable --locked").ok();
}

/// A list comes only from allowed places, and a forbidden one is not contacted.
#[test]
fn list_comes_from_allowed_places() {
    let fleet = Fleet::new();
    fleet.publish(&fleet.entry("greeter", "0.1.0", ""));
    let asked = fleet.registry.seen().len();
    for rule in [
        format!("blocked_namespaces = [\"HOST/{LIST}\"]"),
        "allowed_registries = [\"ghcr.io\"]".to_owned(),
    ] {
        fleet.policy(&format!("[extensions.policy]\n{rule}\n"));
        let refused = fleet.sync("");
        assert!(refused.code == 5 && refused.stderr.contains("policy does not let"), "{refused}");
    }
    assert_eq!(fleet.registry.seen().len(), asked);
}

#[test]
fn prune_takes_only_the_lists_own() {
    let fleet = Fleet::new();
    let greeter = fleet.entry("greeter", "0.1.0", "");
    let planned =
        pinned(&fleet.registry, "0.1.0").split('@').next().expect("a reference").to_owned();
    fleet.env.write(&manifest("planned"), format!("[extension]\noci = \"{planned}\"\n"));
    let all = ["a", "b", "mine", "planned"].map(|name| fleet.entry(name, "0.1.0", "")).concat();
    fleet.env.write("work/echo.wasm", &*ECHO);
    fleet.run("extension install ./echo.wasm").ok();
    let own = format!("extension install {} --name mine", pinned(&fleet.registry, "0.1.0"));
    fleet.run(&own).ok();
    fleet.publish(&(greeter.clone() + &all));
    fleet.sync("").ok();
    // An extension that its user removed and installed again belongs to the user.
    fleet.run("extension remove b").ok();
    fleet.run(&own.replace("mine", "b")).ok();
    fleet.publish(&greeter);
    insta::assert_snapshot!(fleet.sync(""), @r#"
    exit 0
    out: greeter	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	as it should be
    out: a	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	left over: it is not on the list any more; `--prune` removes it
    "#);
    insta::assert_snapshot!(fleet.sync("--check"), @r#"
    exit 1
    out: greeter	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	as it should be
    out: a	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	left over: it is not on the list any more; `--prune` removes it
    "#);
    let before = fleet.env.files();
    let planned = fleet.sync("--prune --dry-run").ok();
    assert!(planned.text().ends_with("\tto be removed\n"), "{planned}");
    assert_eq!(fleet.sync("--prune --check").code, 1);
    assert!(fleet.env.files() == before);
    insta::assert_snapshot!(fleet.sync("--prune"), @r#"
    exit 0
    out: greeter	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	as it should be
    out: a	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	removed
    "#);
    let there = ["a", "b", "mine", "planned", "echo", "greeter"].map(|name| fleet.is_there(name));
    assert_eq!(there, [false, true, true, true, true, true]);
    fleet.sync("--prune --check").ok();
    assert_eq!(
        fleet.run("extension sync --prune").code,
        2,
        "manifests have nothing that is left over"
    );
}

/// The same name from another source is another extension, even if a list by file names it.
#[test]
fn prune_keeps_other_sources() {
    let fleet = Fleet::new();
    fleet.env.write(
        "work/set.toml",
        fleet.entry("greeter", "0.1.0", "") + &fleet.entry("gone", "0.1.0", ""),
    );
    fleet.run("extension sync set.toml").ok();
    let other = pinned(&fleet.registry, "0.1.0").replace("my-org", "elsewhere");
    let text =
        fleet.env.read(&manifest("greeter")).replace(&pinned(&fleet.registry, "0.1.0"), &other);
    fleet.env.write(&manifest("greeter"), text);
    fleet.env.write("work/set.toml", "# nothing\n");
    let pruned = fleet.run("--offline extension sync ./set.toml --prune").ok();
    assert!(
        pruned.text().starts_with("gone\t") && pruned.text().ends_with("\tremoved\n"),
        "{pruned}"
    );
    assert!(fleet.is_there("greeter") && !fleet.is_there("gone"));
}

/// A pruning list replaces its own extension whose name has another source by now.
#[test]
fn list_replaces_only_its_own() {
    let fleet = Fleet::new();
    let moved = publish(&fleet.registry, "new-org/greeting-extension:0.1.0", &GREETING, &[]);
    let new = format!("{}/new-org/greeting-extension:0.1.0@{moved}", fleet.registry.host());
    let entry = |name: &str| format!("[{name}]\noci = \"{new}\"\n");
    fleet.preapprove("\"notification\"");
    fleet.publish(&fleet.entry("greeter", "0.1.0", "notification = true"));
    fleet.sync("").ok();
    fleet.run(&format!("extension install {} --name mine", pinned(&fleet.registry, "0.1.0"))).ok();
    fleet.publish(&(entry("greeter") + &entry("mine")));
    let kept = fleet.sync("");
    assert!(
        kept.code == 1 && kept.text().contains("left over") && fleet.has("greeter", "my-org"),
        "{kept}"
    );
    let pruned = fleet.sync("--prune");
    assert!(pruned.code == 1 && pruned.text().matches("\tfailed: ").count() == 1, "{pruned}");
    assert!(
        fleet.has("greeter", "new-org") && !fleet.has("greeter", "notification"),
        "nothing is inherited"
    );
    assert!(fleet.has("mine", "my-org"));
}

#[test]
fn withdrawn_capability_is_withdrawn() {
    let fleet = Fleet::new();
    fleet.preapprove("\"notification\", \"clipboard-write\"");
    let asks = "notification = true, clipboard-write = true";
    fleet.publish(&fleet.entry("greeter", "0.1.0", asks));
    fleet.sync("").ok();
    fleet.run("extension grant greeter env=LANG").ok();
    fleet.publish(&fleet.entry("greeter", "0.1.0", "notification = true"));
    insta::assert_snapshot!(fleet.sync("--check"), @r#"
    exit 1
    out: greeter	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	capabilities to be changed; to be withdrawn: clipboard-write
    "#);
    insta::assert_snapshot!(fleet.sync(""), @r#"
    exit 0
    out: greeter	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	capabilities changed; withdrawn: clipboard-write
    "#);
    let has = |capability| fleet.has("greeter", capability);
    assert!(!has("clipboard-write") && has("notification") && has("LANG") && has("config-read"));
    fleet.sync("--check").ok();
    // A withdrawn approval is withdrawn here as well, before the new version is fetched.
    fleet.preapprove("");
    fleet.publish(&fleet.entry("greeter", "0.2.0", "notification = true"));
    insta::assert_snapshot!(fleet.sync(""), @r#"
    exit 0
    out: greeter	REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST	updated; withdrawn: notification
    "#);
    assert!(!has("notification") && has("LANG") && has("config-read"));
    // Nor does a user's grant for a list count as approved; it goes with the list's wish.
    fleet.publish(&fleet.entry("second", "0.1.0", "notification = true"));
    fleet.sync("--grant-requested").ok();
    assert!(fleet.has("second", "notification"));
    fleet.publish(&fleet.entry("second", "0.1.0", ""));
    fleet.sync("").ok();
    assert!(!fleet.has("second", "notification"));
}

#[test]
fn later_approval_is_applied() {
    let fleet = Fleet::new();
    fleet.publish(&fleet.entry("greeter", "0.1.0", "notification = true"));
    fleet.sync("").ok();
    fleet.sync("--check").ok();
    fleet.preapprove("\"notification\"");
    insta::assert_snapshot!(fleet.sync("--dry-run"), @r#"
    exit 0
    out: greeter	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	capabilities to be changed; to be granted: notification
    "#);
    assert_eq!(fleet.sync("--check").code, 1);
    let json = fleet.sync("--json");
    assert!(json.text().contains(r#""grant":["notification"],"name":"greeter""#), "{json}");
    assert!(fleet.has("greeter", "notification"));
    // A revoked grant stays revoked, through an update as well.
    fleet.run("extension revoke greeter notification").ok();
    fleet.sync("--check").ok();
    fleet.publish(&fleet.entry("greeter", "0.2.0", "notification = true"));
    fleet.sync("").ok();
    assert!(fleet.has("greeter", ":0.2.0@") && !fleet.has("greeter", "notification"));
    // Policy still denies what the list approves.
    let approved = fleet.env.read(".config/pds/config.toml");
    fleet.policy(&(approved + "[extensions.policy]\ndeny = [\"clipboard-write\"]\n"));
    fleet.publish(&fleet.entry("greeter", "0.2.0", "clipboard-write = true"));
    fleet.sync("--check").ok();
}

#[test]
fn two_lists_share_an_extension() {
    let fleet = Fleet::new();
    fleet.preapprove("\"notification\"");
    let publish = |list: &str, text: &str| publish_list_as(&fleet.registry, list, "stable", text);
    let sync = |list: &str| fleet.run(&format!("extension sync {} --prune", fleet.reference(list)));
    let shared = fleet.entry("shared", "0.1.0", "");
    publish(LIST, &fleet.entry("shared", "0.1.0", "notification = true"));
    publish(OTHER_LIST, &shared);
    sync(LIST).ok();
    sync(OTHER_LIST).ok();
    // One list drops it: it stays for the other, without the grants of the first.
    publish(LIST, "");
    insta::assert_snapshot!(sync(LIST), @r#"
    exit 0
    out: shared	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	capabilities changed; withdrawn: notification
    "#);
    assert!(fleet.is_there("shared") && !fleet.has("shared", "notification"));
    assert!(sync(LIST).ok().text().is_empty());
    publish(OTHER_LIST, "");
    assert!(sync(OTHER_LIST).ok().text().ends_with("\tremoved\n"));
    assert!(!fleet.is_there("shared"));
}

#[test]
fn list_prunes_where_policy_allows() {
    let fleet = Fleet::new();
    let demand = "[defaults]\nprune = true\n";
    fleet.publish(&format!("{demand}{}", fleet.entry("greeter", "0.1.0", "")));
    fleet.sync("").ok();
    fleet.publish(demand);
    let policies = [
        "",
        "[extensions.policy]\nlists_that_prune = [\"HOST/my-org/other\"]\n",
        "[extensions.policy]\nlists_that_prune = []\n",
    ];
    for policy in policies {
        fleet.policy(policy);
        let left = fleet.sync("").ok();
        assert!(
            left.text().contains("left over") && left.stderr.contains("`lists_that_prune`"),
            "{left}"
        );
    }
    fleet.policy(&format!("[extensions.policy]\nlists_that_prune = [\"HOST/{LIST}\"]\n"));
    assert_eq!(fleet.sync("--check").code, 1);
    assert!(fleet.sync("").ok().text().ends_with("\tremoved\n"));
    assert!(!fleet.is_there("greeter"));
}

/// An unreadable entry removes and changes nothing.
#[test]
fn unreadable_list_changes_nothing() {
    let fleet = Fleet::new();
    let entry = fleet.entry("greeter", "0.1.0", "");
    fleet.publish(&entry);
    fleet.sync("").ok();
    let before = fleet.env.files();
    let bad = [
        "[greeter]\noci = 1\n".to_owned(),
        "[defaults]\nprnue = true\n".to_owned(),
        "[defaults]\nprune = \"yes\"\n".to_owned(),
        format!("{entry}{entry}"),
        format!("{entry}{}", entry.replace("greeter", "\"greeter\"")),
        format!("{entry}[Bad Name]\n"),
        "[other]\noci = \"ghcr.io/my-org/x:1\"\n".to_owned(),
        "\u{0}".to_owned(),
    ];
    for text in bad {
        fleet.publish(&text);
        let refused = fleet.sync("--prune");
        assert!(refused.code == 1 && refused.stderr.contains("is wrong: "), "{text}: {refused}");
    }
    assert_eq!(fleet.sync("--prune --offline").code, 8);
    assert!(fleet.env.files() == before);
    fleet.publish("");
    let state = fleet.env.path(".local/state/pds/extensions/lists");
    let file =
        std::fs::read_dir(&state).expect("there").next().expect("one").expect("readable").path();
    let text = std::fs::read_to_string(&file).expect("readable");
    std::fs::write(&file, &text[..text.len() / 2]).expect("written");
    let refused = fleet.sync("--prune");
    assert!(refused.code == 9 && refused.stderr.contains("is damaged"), "{refused}");
    assert!(fleet.is_there("greeter"));
    std::fs::write(&file, text).expect("written");
    fleet.sync("--prune").ok();
    assert!(!fleet.is_there("greeter"));
}

/// An entry that policy blocks is drift, and does not stop the others.
#[test]
fn blocked_entry_does_not_stop_others() {
    let fleet = Fleet::new();
    let blocked = fleet.entry("blocked", "0.1.0", "").replace("my-org", "old-org");
    fleet.publish(&(blocked + &fleet.entry("greeter", "0.1.0", "")));
    fleet.policy("[extensions.policy]\nblocked_namespaces = [\"HOST/old-org\"]\n");
    for option in ["--dry-run", "--check", ""] {
        let run = fleet.sync(option);
        assert!(run.code == 1 && run.text().starts_with("blocked\t"), "{option}: {run}");
        assert!(
            run.text().contains("failed: policy does not let extensions come from"),
            "{option}: {run}"
        );
    }
    assert!(fleet.is_there("greeter") && !fleet.is_there("blocked"));
    fleet
        .policy("[extensions.policy]\nblocked_namespaces = [\"HOST/my-org/greeting-extension\"]\n");
    let run = fleet.sync("--check");
    assert!(run.code == 1 && run.text().matches("policy does not let").count() == 1, "{run}");
    fleet.sync("--prune");
    assert!(fleet.is_there("greeter"), "it is on the list still");
}
