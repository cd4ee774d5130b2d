//! `sesame extension set` and `unset`

use core_types::{ConfigSchema, ExtensionName, Request, grant_command};
use extension_depot::{Depot, LoadedManifest, SettingChange};

use crate::arguments::{SetArguments, SettingKey, TypedSetting};
use crate::context::Context;
use crate::failure::Failure;
use crate::installed::schema;
use crate::outcome::{Change, Outcome, SettingRow, Settings};

/// Changes settings and limits, all or none; without any, lists them.
pub fn set(context: &Context, arguments: &SetArguments) -> Result<Outcome, Failure> {
    let SetArguments { name, settings, .. } = arguments;
    let depot = context.depot()?;
    let loaded = depot.existing_manifest(name)?;
    let schema = schema(depot, name)?;
    if settings.is_empty() {
        return list(context, &loaded, &schema);
    }
    let changes = settings.iter().map(|setting| change_of(setting, &schema));
    let changes =
        changes.collect::<Result<Vec<_>, _>>().map_err(|error| Failure::of_setting(name, error))?;
    let changed = change(depot, name, &changes)?;
    warn(context, name, &loaded, settings)?;
    let said = settings.iter().map(|setting| match setting {
        TypedSetting::Config { key, value } => {
            format!("`{name}` has {key} = {}", value.escape_debug())
        }
        TypedSetting::Limit(limit, value) => {
            format!("`{name}` has {} = {value}", SettingKey::Limit(*limit))
        }
    });
    Ok(changes_of(said, changed))
}

/// Restores the defaults.
pub fn unset(
    context: &Context,
    name: &ExtensionName,
    keys: &[SettingKey],
) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    let loaded = depot.existing_manifest(name)?;
    let schema = schema(depot, name)?;
    for key in keys {
        // A stored value can be removed, even if the author does not declare it.
        if let SettingKey::Config(key) = key
            && loaded.manifest.config.get(key).is_none()
        {
            schema.check_key(key).map_err(|error| Failure::of_setting(name, error))?;
        }
    }
    let change_of = |key: &SettingKey| match key {
        SettingKey::Config(key) => SettingChange::Unset { key: key.clone() },
        SettingKey::Limit(limit) => SettingChange::UnsetLimit(*limit),
    };
    let changed = change(depot, name, &keys.iter().map(change_of).collect::<Vec<_>>())?;
    Ok(changes_of(keys.iter().map(|key| format!("{key} of `{name}` is unset")), changed))
}

fn change(
    depot: &Depot,
    name: &ExtensionName,
    changes: &[SettingChange],
) -> Result<Vec<bool>, Failure> {
    depot.lock()?.change_settings(name, changes).map_err(Failure::from)
}

fn changes_of(said: impl Iterator<Item = String>, changed: Vec<bool>) -> Outcome {
    Outcome::Changed(said.zip(changed).map(|(now, changed)| Change::new(now, changed)).collect())
}

fn change_of(
    setting: &TypedSetting,
    schema: &ConfigSchema,
) -> Result<SettingChange, core_types::SettingError> {
    Ok(match setting {
        TypedSetting::Config { key, value } => {
            schema.check(key, value)?;
            let kind = schema.get(key).map(|declared| declared.kind);
            SettingChange::Set { key: key.clone(), value: value.clone(), kind }
        }
        TypedSetting::Limit(name, value) => SettingChange::SetLimit(*name, *value),
    })
}

/// Warns of values without effect: a setting that the extension may not read, a limit above a
/// policy's.
fn warn(
    context: &Context,
    name: &ExtensionName,
    loaded: &LoadedManifest,
    settings: &[TypedSetting],
) -> Result<(), Failure> {
    let granted = loaded.manifest.granted();
    for setting in settings {
        match setting {
            TypedSetting::Config { key, .. }
                if !granted.allows(&Request::ReadConfig(key.clone())) =>
            {
                context.warn(&format!(
                    "`{name}` may not read `{key}`; allow it with: {}",
                    grant_command(name, [format!("config-read={key}").as_str()])
                ))
            }
            TypedSetting::Limit(limit, value) => {
                for ceilings in context.config()?.ceilings() {
                    if let Some(highest) =
                        ceilings.limits.get(*limit).filter(|highest| highest < value)
                    {
                        let (key, policy) =
                            (SettingKey::Limit(*limit), ceilings.source.display().to_string());
                        context.warn(&format!(
                            "`{key}` stays at {highest} while policy in `{policy}` says so"
                        ));
                    }
                }
            }
            TypedSetting::Config { .. } => {}
        }
    }
    Ok(())
}

/// Lists all possible settings, and stored ones beside them.
fn list(
    context: &Context,
    loaded: &LoadedManifest,
    schema: &ConfigSchema,
) -> Result<Outcome, Failure> {
    let config = &loaded.manifest.config;
    let declared = schema.iter().map(|(key, declared)| SettingRow {
        key: key.to_owned(),
        value: config.get(key).map(str::to_owned),
        declared: Some(declared.clone()),
    });
    let others = config.iter().filter(|(key, _)| schema.get(key).is_none()).map(|(key, value)| {
        SettingRow { key: key.to_owned(), value: Some(value.to_owned()), declared: None }
    });
    let limits =
        core_types::EffectiveLimits::new(&loaded.manifest.limits, &context.config()?.ceilings());
    Ok(Outcome::Settings(Box::new(Settings { rows: declared.chain(others).collect(), limits })))
}
