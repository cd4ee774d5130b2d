//! `sesame config show` and `validate`

use core_types::ErrorKind;
use extension_depot::EffectiveConfig;

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{ConfigValue, FileCheck, Outcome};

/// Shows each value that files or variables configure.
pub fn show(context: &Context, origin: bool) -> Result<Outcome, Failure> {
    let mut values: Vec<_> = context.variables();
    values.extend(context.config()?.settings().into_iter().map(|setting| ConfigValue {
        key: setting.key,
        value: setting.value,
        origin: format!("{}:{}", setting.path.display(), setting.line),
    }));
    if values.is_empty() {
        context.status("nothing is configured: each value is its default");
    }
    Ok(Outcome::Config { values, with_origin: origin })
}

/// Checks each file of the configuration and each manifest, independently of the others.
pub fn validate(context: &Context) -> Result<Outcome, Failure> {
    let checked = EffectiveConfig::check(context.places()?)
        .map_err(|error| Failure::new(ErrorKind::Local, error))?;
    let of_config = checked.into_iter().map(|(path, result)| FileCheck::new(path, result));
    let places = context.places()?;
    let of_manifests = context.depot()?.list()?.into_iter().map(|listed| {
        FileCheck::new(
            places.manifest(&listed.name),
            listed.manifest.map(|loaded| loaded.unknown_keys),
        )
    });
    Ok(Outcome::Validated(of_config.chain(of_manifests).collect()))
}
