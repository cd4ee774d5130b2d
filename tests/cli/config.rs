//! `sesame config` and `sesame doctor`

use crate::support::{TestEnv, env, manifest, registry, with_guest};

fn configured() -> TestEnv {
    let env = env();
    env.write(
        ".config/pds/config.toml",
        "[registries.\"ghcr.io\"]\nmirrors = [\"m.example/ghcr\"]\n\n[extensions.policy]\ndeny = [\"network\"]\n",
    );
    env.write(
        ".config/pds/config.d/10-more.toml",
        "[extensions.policy.limits]\nmax_fuel = 5_000_000_000 # much\n",
    );
    env
}

#[test]
fn values_show_their_source_line() {
    let nothing = env().run("config show").ok();
    assert!(nothing.text().is_empty(), "{nothing}");
    assert_eq!(nothing.stderr, "nothing is configured: each value is its default\n");
    let env = configured();
    insta::assert_snapshot!(env.run("config show"), @r#"
    exit 0
    out: registries."ghcr.io".mirrors	["m.example/ghcr"]
    out: extensions.policy.deny	["network"]
    out: extensions.policy.limits.max_fuel	5_000_000_000
    "#);
    let mut command = env.command(["config", "show", "--origin"]);
    command.env("SESAME_OFFLINE", "1").env("SESAME_REGISTRY_PASSWORD", "SECRET");
    insta::assert_snapshot!(env.finish(command, b""), @r#"
    exit 0
    out: SESAME_OFFLINE	"1"	environment
    out: registries."ghcr.io".mirrors	["m.example/ghcr"]	~/.config/pds/config.toml:2
    out: extensions.policy.deny	["network"]	~/.config/pds/config.toml:5
    out: extensions.policy.limits.max_fuel	5_000_000_000	~/.config/pds/config.d/10-more.toml:2
    "#);
    let json = env.run("--json config show").ok().text();
    assert!(json.contains("\"origin\":") && json.contains("config.toml:2\""), "{json}");
}

#[test]
fn each_file_is_checked_alone() {
    let env = configured();
    insta::assert_snapshot!(env.run("config validate"), @r#"
    exit 0
    out: ~/.config/pds/config.toml: good
    out: ~/.config/pds/config.d/10-more.toml: good
    "#);
    env.write(
        ".config/pds/config.d/20.toml",
        "[extensions.policy]\nallowed_registries = \"ghcr.io\"\n",
    );
    env.write(".config/pds/config.d/30.toml", "[extensions.policy]\nallow_registries = []\n");
    env.write(&manifest("broken"), "[capabilities]\nnotification = \"yes\"\n");
    insta::assert_snapshot!(env.run("config validate"), @r#"
    exit 1
    out: ~/.config/pds/config.toml: good
    out: ~/.config/pds/config.d/10-more.toml: good
    out: the configuration `~/.config/pds/config.d/20.toml` is wrong: line 2, column 22: expected a list, found "ghcr.io"
    out:   |
    out: 2 | allowed_registries = "ghcr.io"
    out:   |                      ^^^^^^^^^
    out: the configuration `~/.config/pds/config.d/30.toml` is wrong: line 2, column 1: unknown key `extensions.policy.allow_registries`; the nearest is `allowed_registries`
    out:   |
    out: 2 | allow_registries = []
    out:   | ^^^^^^^^^^^^^^^^
    out: the manifest `~/.config/pds/extensions/broken.toml` is wrong: line 2, column 16: expected `true` or `false`, found "yes"
    out:   |
    out: 2 | notification = "yes"
    out:   |                ^^^^^
    "#);
    insta::assert_snapshot!(env.run("config show"), @r#"
    exit 9
    err: error: the configuration `~/.config/pds/config.d/20.toml` is wrong: line 2, column 22: expected a list, found "ghcr.io"
    err:   |
    err: 2 | allowed_registries = "ghcr.io"
    err:   |                      ^^^^^^^^^
    "#);
}

#[test]
fn doctor_names_problem_and_fix() {
    let registry = registry();
    let env = with_guest("local", &crate::support::GREETING);
    for name in ["whole", "other"] {
        let reference = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
        env.run(&format!("extension install {reference} --name {name}")).ok();
    }
    assert!(env.run("doctor").ok().text().contains("it answers"));
    env.write(&manifest("broken"), "[");
    env.write(&manifest("planned"), "[extension]\noci = \"127.0.0.1:1/my-org/planned:1\"\n");
    env.write(".config/pds/config.toml", "typo = 1\n");
    env.write(".local/state/pds/extensions/history/whole/000001.json", "{");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(env.path(".cache/pds/extensions"), mode).expect("set");
    let before = env.files();
    insta::assert_snapshot!(env.run("--offline doctor").hiding_registry(&registry), @r#"
    exit 9
    out: configuration	good	~/.config/pds	
    out: extensions	good	~/.config/pds/extensions	
    out: state	good	~/.local/state/pds	
    out: cache	good	~/.cache/pds	
    out: lock	good	not held by another process	
    out: configuration file	warning	~/.config/pds/config.toml has keys that do nothing	sesame config validate
    out: extension broken	bad	the manifest `~/.config/pds/extensions/broken.toml` is wrong: line 1, column 2: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`	fix `~/.config/pds/extensions/broken.toml` in an editor
    out: extension local	good	local/file/local:0.0.0@sha256:DIGEST	
    out: extension other	good	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	
    out: extension planned	warning	`planned` has a manifest but is not installed	sesame extension install 127.0.0.1:1/my-org/planned:1
    out: extension whole	bad	`~/.local/state/pds/extensions/history/whole/000001.json` is damaged: line 1, column 1: the text ends in the middle of an object	move `~/.local/state/pds/extensions/history/whole/000001.json` away: only its own contents are lost
    out: compiled code	bad	`~/.cache/pds/extensions` can be written to by others	rm -r '~/.cache/pds/extensions'
    out: session	warning	no private runtime directory: timed grants are not possible	set XDG_RUNTIME_DIR to a directory that only you own and can write to
    out: session service	good	not started by itself; to change that: sesame session install	
    out: keyring	warning	not checked: no session bus	
    out: registry 127.0.0.1:1	warning	not asked: sesame is offline	
    out: registry REGISTRY	warning	not asked: sesame is offline	
    "#);
    assert!(env.files() == before, "nothing changes");
    drop(registry);
    let run = env.run("doctor");
    assert!(run.code == 9 && run.text().contains("cannot reach the registry"), "{run}");
}
