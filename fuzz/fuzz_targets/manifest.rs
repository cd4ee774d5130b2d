//! Manifests of extensions, as people and authors write them.
#![no_main]

use core_types::{Ceilings, EffectiveLimits, ExtensionName, Manifest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let name: ExtensionName = "fuzzed".parse().expect("a name");
    match Manifest::parse(text, &name) {
        Ok(parsed) => {
            let manifest = parsed.value;
            let ceiling =
                Ceilings { limits: manifest.limits.clone(), source: "/policy.toml".into() };
            let _ = (
                manifest.granted().iter().map(ToString::to_string).collect::<Vec<_>>(),
                EffectiveLimits::new(&manifest.limits, &[ceiling]),
            );
        }
        Err(problem) => assert!(!problem.to_string().is_empty()),
    }
    let _ = core_types::toml_leaves(text);
});
