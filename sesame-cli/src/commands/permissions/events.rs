//! `sesame extension events`

use core_types::ExtensionName;
use core_types::event::EventType;
use extension_manager::WakingEvent;

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
    let events = context.manager()?.waking_events(name)?;
    let events = events.into_iter().map(row).collect();
    let deliveries = with_log.then(|| deliveries(depot, name).take(MAX_DELIVERIES).collect());
    Ok(Outcome::Events(Box::new(WakingEvents { name: name.clone(), events, deliveries })))
}

fn row(waking: WakingEvent) -> EventRow {
    let WakingEvent { event, settings, rule, is_granted, is_enabled, .. } = waking;
    let state = match (is_granted, is_enabled, &settings) {
        (false, ..) => EventState::Refused,
        (true, false, _) => EventState::Asleep,
        (true, true, Err(_)) => EventState::Incomplete,
        (true, true, Ok(_)) => EventState::Wakes,
    };
    let kind = event.name().map_or(EventType::Custom, |name| name.event());
    // Against a policy no grant helps.
    let helps = !is_granted && !rule.starts_with("policy");
    EventRow {
        meaning: kind.spec().meaning,
        settings: settings.map_or_else(|error| error.to_string(), |it| it.to_string()),
        state,
        rule,
        while_locked: waking.is_while_locked,
        declared: waking.is_declared,
        grant: helps.then(|| format!("events={event}")),
        event: event.to_string(),
    }
}
