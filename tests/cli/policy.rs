//! Decisions of policy have the same words wherever they are shown.

use crate::support::{
    GREETING, TestEnv, asking, desktop, env, manifest, publish, registry, with_guest,
};

fn deny(env: &TestEnv, capabilities: &str) {
    env.write(".config/pds/config.toml", format!("[extensions.policy]\ndeny = [{capabilities}]\n"));
}

#[test]
fn install_grants_only_as_policy() {
    for options in
        ["", "--grant config-read", "--grant-requested", "--grant config-read --grant-requested"]
    {
        let env = env();
        deny(&env, "\"config-read\"");
        env.write("work/greet.wasm", &*GREETING);
        let run = env.run(&format!("extension install ./greet.wasm {options}")).ok();
        assert!(!run.to_string().contains("err: granted"), "{options}: {run}");
        let line =
            "not granted: config-read; policy denies `config-read` (~/.config/pds/config.toml:2)";
        assert!(run.to_string().contains(line), "{options}: {run}");
        let json =
            env.run(&format!("extension install ./greet.wasm --name second {options} --json")).ok();
        assert!(
            json.text().contains(r#""granted":[]"#)
                && json.text().contains(r#""policy":"policy denies"#),
            "{json}"
        );
    }
}

#[test]
fn policy_denied_requests_stay_denied() {
    let env = env();
    deny(&env, "\"network\", \"notification\"");
    let asks =
        "[capabilities]\nnotification = true\nclipboard-write = true\nnetwork = [\"a.example\"]\n";
    env.write("work/greet.wasm", asking(&GREETING, asks));
    insta::assert_snapshot!(env.run("extension install ./greet.wasm --grant-requested"), @r#"
    exit 0
    out: installed greet 0.0.0 from local/file/greet:0.0.0@sha256:DIGEST
    err: signature: unsigned
    err: granted: clipboard-write
    err: granted: config-read (its own [config] only)
    err: not granted: notification; policy denies `notification` (~/.config/pds/config.toml:2)
    err: not granted: network; policy denies `network` (~/.config/pds/config.toml:2)
    "#);
    let text = env.read(&manifest("greet"));
    assert!(!text.contains("notification") && !text.contains("a.example"), "{text}");
    let again = env.run("extension install ./greet.wasm --grant notification").ok();
    assert!(again.stderr.contains("not granted: notification; policy denies"), "{again}");
}

#[test]
fn update_grants_only_as_policy() {
    let (env, registry) = (env(), registry());
    env.run(&format!("extension install {}/my-org/greeting-extension:0.1.0", registry.host())).ok();
    deny(&env, "\"notification\"");
    let asks = asking(&GREETING, "[capabilities]\nnotification = true\n");
    publish(&registry, "my-org/greeting-extension:0.2.0", &asks, &[]);
    let update = |options: &str| {
        env.run(&format!("extension update greeting-extension {options}"))
            .hiding_registry(&registry)
    };
    insta::assert_snapshot!(update("--dry-run"), @r#"
    exit 0
    out: greeting-extension	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	REGISTRY/my-org/greeting-extension:0.2.0@sha256:DIGEST	would be updated: there is a newer one; it asks for notification (policy denies `notification` (~/.config/pds/config.toml:2))	notification: show notifications, ten a minute at most; refused, policy denies `notification` (~/.config/pds/config.toml:2)
    "#);
    insta::assert_snapshot!(update(""), @r#"
    exit 5
    err: error: `greeting-extension` 0.2.0 requests more than the installed version, which stays
    err: it asks for notification, and policy denies `notification` (~/.config/pds/config.toml:2)
    err: hint: sesame extension update greeting-extension --accept-new-capabilities
    "#);
    let run = update("--accept-new-capabilities").ok();
    assert!(run.text().contains("updated; it asks for notification (policy denies"), "{run}");
    assert!(!env.read(&manifest("greeting-extension")).contains("notification"));
}

#[test]
fn stopped_extension_is_shown() {
    let env = with_guest("greet", &GREETING);
    let key = env.path("work/maker.pub");
    env.run("trust keygen maker").ok();
    for (policy, why) in [
        (
            "deny = [\"config-read\"]".to_owned(),
            "policy denies `config-read` (~/.config/pds/config.toml:2)",
        ),
        (
            "blocked_namespaces = [\"local/file\"]".to_owned(),
            "policy does not let extensions come from",
        ),
        (
            "allowed_registries = [\"ghcr.io\"]".to_owned(),
            "policy does not let extensions come from",
        ),
        ("require_signature = true".to_owned(), "has to be signed by"),
        (
            format!("trusted_signers = {{ \"local/file\" = [{:?}] }}", key.display()),
            "has to be signed by",
        ),
        ("denny = []".to_owned(), "unknown key `extensions.policy.denny`"),
    ] {
        env.write(".config/pds/config.toml", format!("[extensions.policy]\n{policy}\n"));
        // The user's own disabling does not matter here.
        for command in ["enable", "disable"] {
            env.run(&format!("extension {command} greet")).ok();
            for line in ["extension list", "extension info greet", "doctor --offline"] {
                if line.contains("info") && policy.starts_with("denny") {
                    continue;
                }
                let run = env.run(line).to_string();
                assert!(
                    run.contains("stopped by policy: ") && run.contains(why),
                    "{policy} {line}: {run}"
                );
            }
        }
        let json = env.run("extension list --json").text();
        assert!(json.contains(r#""state":"stopped-by-policy""#), "{policy}: {json}");
        assert_ne!(env.run("extension call greet greet World").code, 0, "{policy}");
    }
    env.write(".config/pds/config.toml", "");
    env.run("extension enable greet").ok();
    assert!(env.run("extension list").text().ends_with("\tenabled\n"));
}

/// An extension that never had the grant does not start either.
#[test]
fn policy_is_named_for_an_import() {
    let env = with_guest("greet", &GREETING);
    env.run("extension revoke greet config-read").ok();
    assert!(env.run("extension list").text().ends_with("\tenabled\n"), "its user can grant it");
    deny(&env, "\"config-read\"");
    assert!(env.run("extension list").text().contains("stopped by policy"));
    insta::assert_snapshot!(env.run("extension call greet greet World"), @r#"
    exit 5
    err: error: policy denies `greet` the capability `config-read`, which it needs
    err: hint: `deny` in `~/.config/pds/config.toml` lists the denied capabilities
    "#);
    let info = env.run("extension info greet").text();
    assert!(
        info.contains("config-read@0.1.1: denied by policy") && !info.contains("may use "),
        "{info}"
    );
}

/// A capability that an extension can do without is denied to it, and the call goes on.
#[test]
fn denied_optional_part_is_shown() {
    let env = with_guest("greet", &GREETING);
    env.run("extension grant greet network=a.example").ok();
    deny(&env, "\"network\"");
    let listed = env.run("extension list").text();
    assert!(
        listed.contains("\tconfig-read\t")
            && listed.ends_with("\tenabled: policy denies network\n"),
        "{listed}"
    );
    let info = env.run("extension info greet").to_string();
    let line =
        "may not use  network=a.example, policy denies `network` (~/.config/pds/config.toml:2)";
    assert!(info.contains(line) && !info.contains("may use      network"), "{info}");
    env.run("extension call greet greet World").ok();
    insta::assert_snapshot!(env.run("extension grant greet network=b.example"), @r#"
    exit 0
    out: policy denies `greet` network=b.example, which its manifest has
    err: warning: `greet` does not get network while policy in `~/.config/pds/config.toml` denies it
    "#);
}

/// An import that an extension can do without does not stop it where policy denies it, and one that
/// it needs does.
#[test]
fn policy_stops_only_needed_imports() {
    let optional = "keys = [\"*\"], optional = true, reason = \"r\"";
    for (keys, is_stopped) in [(optional, false), ("keys = [\"*\"]", true)] {
        let env = env();
        let request = format!("[capabilities]\nconfig-read = {{ {keys} }}\n");
        env.write("work/greet.wasm", asking(&GREETING, &request));
        env.run("extension install ./greet.wasm").ok();
        deny(&env, "\"config-read\"");
        let state = if is_stopped { "\tstopped by policy" } else { "\tenabled" };
        let listed = env.run("extension list").text();
        assert!(listed.contains(state), "{keys}: {listed}");
        let called = env.run("extension call greet greet World");
        assert_eq!(called.code, if is_stopped { 5 } else { 0 }, "{keys}: {called}");
    }
}

/// A refusal is explained by the policy of now, whichever way it changed since.
#[test]
fn why_follows_current_policy() {
    let env = desktop();
    let why = |expected: &str, other: &str| {
        let run = env.run("extension why desktop").to_string();
        assert!(run.contains(expected) && !run.contains(other), "{run}");
    };
    let call = "extension call desktop fetch https api.example.com /";
    assert_eq!(env.run(call).code, 5);
    why("allow it: sesame extension grant desktop network=api.example.com", "does not help");
    deny(&env, "\"network\"");
    why("a grant does not help", "allow it");
    assert_eq!(env.run(call).code, 5);
    why("policy denies `network` (~/.config/pds/config.toml:2)", "allow it");
    deny(&env, "");
    why("policy denied it then, and does not any more", "does not help");
    why("allow it: sesame extension grant desktop network=", "does not help");
}

/// The end of a timed grant is not announced where policy denies the grant.
#[test]
fn grant_says_what_policy_denies() {
    let env = with_guest("greet", &GREETING);
    deny(&env, "\"notification\"");
    for line in
        ["extension grant greet notification", "extension grant greet notification --until logout"]
    {
        let mut command = env.command(line.split_whitespace());
        command.env("XDG_RUNTIME_DIR", env.write("run/.keep", "").parent().expect("a directory"));
        let run = env.finish(command, b"");
        assert!(!run.to_string().contains("may use"), "{run}");
    }
}

/// A refusal by policy stands in the activity log, beside what was installed.
#[test]
fn policy_refusal_is_in_the_log() {
    let (env, registry) = (env(), registry());
    let reference = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    env.run(&format!("install {reference} --name kept")).ok();
    env.write(
        ".config/pds/config.toml",
        "[extensions.policy]\nallowed_registries = [\"ghcr.io/my-org\"]\n",
    );
    assert_eq!(env.run(&format!("install {reference} --name other")).code, 5);
    let log = env.run("extension activity --columns kind,outcome,touched").ok().text();
    let lines: Vec<_> = log.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("install\tdone\t"), "{log}");
    assert!(lines[1].starts_with("install\trefused\t"), "{log}");
    assert!(lines[1].contains("`allowed_registries`"), "{log}");
    env.run("extension activity verify").ok();
}
