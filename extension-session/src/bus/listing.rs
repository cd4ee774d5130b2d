//! The list of extensions, for callers.

use std::collections::HashMap;

use core_types::{ExtensionName, with_causes};
use extension_depot::{EffectiveConfig, Installed, Listed, OpenExtensionError, Opened};
use extension_manager::{Manager, waking_events_of};
use zbus::zvariant::Value;

use super::bus_error::BusError;

/// An extension as the bus carries it.
pub(super) type Row = HashMap<&'static str, Value<'static>>;

/// Whether an extension can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It can.
    Ready,
    /// Its user has disabled it.
    Asleep,
    /// It is quarantined: it failed again and again.
    PutAside,
    /// A policy, or safe mode, refuses it.
    Refused,
    /// Its manifest or its binary is not whole.
    Broken,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Asleep => "asleep",
            Self::PutAside => "put-aside",
            Self::Refused => "refused",
            Self::Broken => "broken",
        }
    }
}

/// Lists the installed extensions. A broken one is a row with the reason.
pub(super) fn list(manager: &Manager) -> Result<Vec<Row>, BusError> {
    let listed = manager
        .depot()
        .list()
        .map_err(|error| BusError::of_kind(core_types::ErrorKind::Local, with_causes(&error)))?;
    let config = manager.config().map_err(|error| with_causes(&error));
    Ok(listed.iter().map(|listed| row(manager, config.as_ref(), listed)).collect())
}

fn row(manager: &Manager, config: Result<&EffectiveConfig, &String>, listed: &Listed) -> Row {
    let name = &listed.name;
    let mut row = empty_row(name);
    let loaded = match &listed.manifest {
        Ok(loaded) => loaded,
        Err(error) => {
            set_state(&mut row, State::Broken, with_causes(error));
            return row;
        }
    };
    let manifest = &loaded.manifest;
    let grants: Vec<_> = manifest.granted().iter().map(|grant| grant.to_string()).collect();
    row.insert("version", manifest.extension.version.clone().unwrap_or_default().into());
    row.insert("reference", reference(loaded.pinned_reference()).into());
    let digest = loaded.pinned().map(|(_, digest)| digest.to_string());
    row.insert("digest", digest.unwrap_or_default().into());
    row.insert("enabled", manifest.extension.enabled.into());
    row.insert("capabilities", grants.into());
    let mut installed = None;
    let (state, reason) = match config {
        _ if manager.is_safe_mode() => (State::Refused, "safe mode".to_owned()),
        Ok(config) if !config.session_enabled() => {
            (State::Refused, "the session service is switched off".to_owned())
        }
        Ok(config) => match manager.depot().open(name, config) {
            Ok(opened) => {
                row.insert("events", events(&opened).into());
                installed = Some(opened.installed);
                (State::Ready, String::new())
            }
            Err(error) => (state_of(&error), with_causes(&error)),
        },
        Err(error) => (State::Refused, error.clone()),
    };
    set_state(&mut row, state, reason);
    let installed = installed.or_else(|| manager.depot().installed(name).ok());
    row.insert("functions", functions(manager, installed.as_ref()).into());
    row
}

/// Returns a row with every key, so that a caller need not ask whether one is there.
fn empty_row(name: &ExtensionName) -> Row {
    let mut row = Row::from([("name", name.to_string().into()), ("enabled", false.into())]);
    for text in ["version", "reference", "digest", "state", "reason"] {
        row.insert(text, "".into());
    }
    for list in ["functions", "capabilities", "events"] {
        row.insert(list, Vec::<String>::new().into());
    }
    row
}

fn set_state(row: &mut Row, state: State, reason: String) {
    row.insert("state", state.name().into());
    row.insert("reason", reason.into());
}

fn reference(pinned: Option<core_types::OciReference>) -> String {
    pinned.map(|reference| reference.to_string()).unwrap_or_default()
}

/// Returns the events that may wake an extension.
fn events(opened: &Opened) -> Vec<String> {
    let waking = waking_events_of(opened);
    let granted = waking.iter().filter(|it| it.is_granted && it.is_enabled);
    granted.map(|it| it.event.to_string()).collect()
}

fn state_of(error: &OpenExtensionError) -> State {
    match error {
        OpenExtensionError::Disabled { .. } => State::Asleep,
        OpenExtensionError::Quarantined { .. } => State::PutAside,
        OpenExtensionError::Policy(_) => State::Refused,
        OpenExtensionError::Installed(_) | OpenExtensionError::TimedGrants(_) => State::Broken,
    }
}

fn functions(manager: &Manager, installed: Option<&Installed>) -> Vec<String> {
    let functions = installed.and_then(|installed| manager.functions(installed).ok());
    let functions = functions.unwrap_or_default();
    functions.iter().filter(|it| it.is_callable()).map(ToString::to_string).collect()
}
