//! `sesame session status`

use std::collections::BTreeMap;

use core_types::ExtensionName;
use extension_session::{BusClient, ClientError, ExtensionLoad, ServiceStatus, SourceLine};

use crate::context::Context;
use crate::failure::Failure;
use crate::installed::last_deliveries;
use crate::outcome::{DeliveryRow, Outcome, SessionExtension, SessionService, SessionSource};

/// Asks the service that runs. It starts none.
pub fn run(context: &Context) -> Result<Outcome, Failure> {
    let status = match BusClient::connect(None).and_then(|client| client.status()) {
        Ok(status) => status,
        Err(ClientError::NotRunning) => return Ok(Outcome::Session(None)),
        Err(error) => return Err(error.into()),
    };
    let last = last_deliveries(context.depot()?);
    let load = |load: &ExtensionLoad| extension(context, load, &last);
    let extensions = status.extensions.iter().map(load).collect::<Result<_, _>>()?;
    Ok(Outcome::Session(Some(Box::new(service(status, extensions)))))
}

fn service(status: ServiceStatus, extensions: Vec<SessionExtension>) -> SessionService {
    let ServiceStatus { pid, version, executable, deliveries, bus, problem, .. } = status;
    SessionService {
        pid,
        version,
        executable,
        safe_mode: status.is_safe_mode,
        locked: status.is_locked,
        sources: status.sources.into_iter().map(source).collect(),
        extensions,
        deliveries,
        calls: bus.calls,
        watches: bus.watches,
        problem,
    }
}

fn source(SourceLine { name, state, reason }: SourceLine) -> SessionSource {
    SessionSource { name, state, reason }
}

/// Adds the events of an extension and its last delivery, as they are in files.
fn extension(
    context: &Context,
    load: &ExtensionLoad,
    last: &BTreeMap<String, DeliveryRow>,
) -> Result<SessionExtension, Failure> {
    let events = match load.name.parse::<ExtensionName>() {
        Ok(name) => context.manager()?.waking_events(&name).unwrap_or_default(),
        Err(_) => Vec::new(),
    };
    let granted = events.into_iter().filter(|event| event.is_granted && event.is_enabled);
    Ok(SessionExtension {
        name: load.name.clone(),
        events: granted.map(|event| event.event.to_string()).collect(),
        waiting: load.waiting,
        deliveries: load.deliveries,
        over_budget: load.is_over_budget,
        next_every_ms: load.next_every_ms,
        next_at: load.next_at.clone(),
        last: last.get(&load.name).cloned(),
    })
}
