//! `sesame extension events`

use core_types::ExtensionName;
use core_types::event::{EventType, Settings};
use extension_manager::{Manager, UnreadablePath, WakingEvent};

use crate::context::Context;
use crate::failure::Failure;
use crate::installed::deliveries;
use crate::outcome::{EventRow, EventState, Outcome, WakingEvents};

/// The number of deliveries to show: more would not fit a screen.
const MAX_DELIVERIES: usize = 20;

/// Shows what wakes an extension and by which rule, with its last deliveries. None of its code
/// runs.
pub fn run(context: &Context, name: &ExtensionName, with_log: bool) -> Result<Outcome, Failure> {
    let depot = context.depot()?;
    context.warn_unknown_keys(&depot.installed(name)?.loaded);
    let manager = context.manager()?;
    let events = manager.waking_events(name)?.into_iter();
    let events = events.map(|event| row(manager, name, event)).collect::<Result<_, Failure>>()?;
    let deliveries = with_log.then(|| deliveries(depot, name).take(MAX_DELIVERIES).collect());
    Ok(Outcome::Events(Box::new(WakingEvents { name: name.clone(), events, deliveries })))
}

fn row(manager: &Manager, name: &ExtensionName, waking: WakingEvent) -> Result<EventRow, Failure> {
    let unreadable = match &waking.settings {
        Ok(Settings::File { paths }) => manager.unreadable_paths(name, paths)?,
        _ => Vec::new(),
    };
    let state = state(&waking, &unreadable);
    let grant = lacking(&waking, &unreadable);
    let WakingEvent { event, settings, rule, .. } = waking;
    let kind = event.name().map_or(EventType::Custom, |name| name.event());
    Ok(EventRow {
        meaning: kind.spec().meaning,
        settings: settings.map_or_else(|error| error.to_string(), |it| it.to_string()),
        state,
        rule,
        while_locked: waking.is_while_locked,
        declared: waking.is_declared,
        unreadable: unreadable.iter().map(|it| it.path.to_string()).collect(),
        grant,
        event: event.to_string(),
    })
}

fn state(waking: &WakingEvent, unreadable: &[UnreadablePath]) -> EventState {
    match (waking.is_granted, waking.is_enabled, &waking.settings) {
        (false, ..) => EventState::Refused,
        (true, false, _) => EventState::Asleep,
        (true, true, Err(_)) => EventState::Incomplete,
        (true, true, Ok(Settings::File { paths })) if paths.len() == unreadable.len() => {
            EventState::Refused
        }
        (true, true, Ok(_)) => EventState::Wakes,
    }
}

/// Returns the grant without which it does not wake the extension, or not for all of its files. Against a
/// policy none helps.
fn lacking(waking: &WakingEvent, unreadable: &[UnreadablePath]) -> Option<String> {
    match waking.is_granted {
        true => unreadable.iter().find_map(|it| it.grant.clone()),
        false if waking.rule.starts_with("policy") => None,
        false => Some(format!("events={}", waking.event)),
    }
}
