//! Every sample in `config-examples/` loads without a warning, and every one in
//! `config-examples/invalid/` is refused with a message that is kept in a snapshot.

use std::path::{Path, PathBuf};

use core_types::{
    Capability, EffectiveLimits, ExtensionName, Limits, Manifest, Policy, parse_toml,
};

fn samples(directory: &str) -> Vec<PathBuf> {
    let directory =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../config-examples").join(directory);
    let entries = std::fs::read_dir(&directory).expect("the samples are there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths
}

fn stem(path: &Path) -> ExtensionName {
    path.file_stem()
        .and_then(|stem| stem.to_str())
        .expect("a file")
        .parse()
        .expect("samples have names of extensions")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("readable")
}

fn manifest(name: &str) -> Manifest {
    let path =
        samples("").into_iter().find(|path| path.ends_with(format!("{name}.toml"))).expect(name);
    let parsed = Manifest::parse(&read(&path), &stem(&path))
        .unwrap_or_else(|problem| panic!("{name}: {problem}"));
    assert_eq!(parsed.unknown_keys, [], "{name}");
    parsed.value
}

#[test]
fn manifests_load_without_a_warning() {
    let greeting = manifest("greeting-extension");
    assert_eq!(greeting.granted().granted(), [Capability::ConfigRead]);
    assert_eq!(greeting.config.get("greeting.template"), Some("Hello, {}!"));
    assert!(
        greeting.extension.oci.is_some_and(|oci| oci.pinned_digest().expect("whole").is_some())
    );
    assert!(manifest("before-install").extension.oci.is_none());
    assert_eq!(manifest("everything").granted().granted(), Capability::ALL);
}

/// The documented defaults are the defaults.
#[test]
fn documented_defaults_hold() {
    let written = EffectiveLimits::new(&manifest("greeting-extension").limits, &[]);
    let values =
        |limits: &EffectiveLimits| limits.iter().map(|limit| limit.value).collect::<Vec<_>>();
    assert_eq!(values(&written), values(&EffectiveLimits::new(&Limits::default(), &[])));
}

#[test]
fn the_policy_loads_without_a_warning() {
    let path = samples("").into_iter().find(|path| path.ends_with("policy.toml")).expect("there");
    let parsed = parse_toml::<Policy>(&read(&path)).expect("valid");
    assert_eq!(parsed.unknown_keys, []);
    assert_eq!(parsed.value.deny, [Capability::Network]);
}

/// Each invalid sample is refused with its place.
#[test]
fn invalid_samples_are_refused() {
    let invalid = samples("invalid");
    assert!(invalid.len() >= 15, "{} samples", invalid.len());
    for path in invalid {
        let name = stem(&path);
        let problem = Manifest::parse(&read(&path), &name).expect_err(name.as_str());
        insta::assert_snapshot!(name.as_str(), problem);
    }
}
