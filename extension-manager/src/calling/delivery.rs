//! Deliveries of events: what wakes an installed extension, and the delivery of one event to it.

use std::collections::BTreeSet;

use core_types::event::{
    EventName, EventPattern, EventTables, MissingSetting, Occurrence, Settings,
};
use core_types::{Activity, Authority, ExtensionName, Request, Scope, decide};
use extension_depot::{Installed, Opened};
use extension_host::{CallError, CallReport, Returned, Usage, boot_time};

use super::callable::Callable;
use crate::error::OpenError;
use crate::examination::declared_by;
use crate::manager::Manager;

/// The function in logs of what an extension printed.
pub(super) const LOGGED_AS: &str = "events#handle";

/// An event for an extension.
///
/// ```no_run
/// use core_types::event::Occurrence;
/// use extension_manager::{Delivery, DeliveryOutcome, Manager};
///
/// # fn warn(manager: &Manager) -> Result<(), Box<dyn std::error::Error>> {
/// let event = Occurrence::made_up("power.battery".parse()?, &[], 0)?;
/// let delivery = Delivery { extension: "low-battery".parse()?, event };
/// match manager.deliver_blocking(&delivery)?.outcome {
///     DeliveryOutcome::Handled => println!("handled"),
///     other => println!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The extension.
    pub extension: ExtensionName,
    /// The event.
    pub event: Occurrence,
}

/// What became of a delivery.
#[derive(Debug)]
pub struct Delivered {
    /// How it ended.
    pub outcome: DeliveryOutcome,
    /// The resources that it used.
    pub usage: Usage,
    /// The requests of the guest with their decisions, the event itself among them.
    pub activity: Activity,
    /// The end of the guest's standard error. Untrusted text: escape it for a terminal.
    pub stderr_tail: Vec<u8>,
}

/// How a delivery ended.
#[derive(Debug)]
pub enum DeliveryOutcome {
    /// The extension handled it.
    Handled,
    /// The extension returned this error, which is in its log. The event counts as handled.
    ReturnedError(String),
    /// The event is not granted, or a policy denies it. None of the code ran.
    Refused(CallError),
    /// The extension crashed, went over a limit, or could not be called. The delivery is lost.
    Failed(CallError),
}

/// An event that may wake an extension, with its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WakingEvent {
    /// The event, or a pattern of custom events, each of which has a topic.
    pub event: EventPattern,
    /// The settings: those of the author with those of the user over them.
    pub settings: Result<Settings, MissingSetting>,
    /// Whether it is delivered while the screen is locked.
    pub is_while_locked: bool,
    /// Whether the user's manifest lets it wake the extension.
    pub is_enabled: bool,
    /// The rule by which it is granted or not, in words with its place.
    pub rule: String,
    /// Whether it is granted.
    pub is_granted: bool,
    /// Whether the author declares it. The extension may not know other events.
    pub is_declared: bool,
}

impl WakingEvent {
    /// Tells whether one of these lets an event wake the extension. An entry of its own counts before a
    /// pattern, so that a user can let one event sleep of all that a pattern grants.
    pub fn is_woken(waking: &[Self], name: &EventName) -> bool {
        let own = waking.iter().find(|it| it.event.name() == Some(name));
        if own.is_some_and(|own| !own.is_enabled) {
            return false;
        }
        let may = |it: &&Self| it.is_granted && it.is_enabled && it.is_declared;
        waking.iter().filter(may).any(|it| it.event.covers(name))
    }
}

impl Manager {
    /// Opens an extension, and delivers an event to a new instance of it. It is decided about like
    /// a call, with the grants and policies of this moment.
    ///
    /// # Errors
    /// When the extension cannot be opened for calls.
    ///
    /// # Panics
    /// Within a Tokio runtime, where [`Callable::deliver`] is to be used.
    pub fn deliver_blocking(&self, delivery: &Delivery) -> Result<Delivered, OpenError> {
        let callable = self.callable_by(&delivery.extension, &delivery.event.name)?;
        Ok(callable.deliver_blocking(&delivery.event))
    }

    /// Returns the events that wake an extension, or would if they were granted: those with a table
    /// of its author or its user, those that its author or its manifest names, and granted patterns
    /// of custom events.
    ///
    /// # Errors
    /// When it is not installed whole, or the configuration cannot be read.
    pub fn waking_events(&self, name: &ExtensionName) -> Result<Vec<WakingEvent>, OpenError> {
        let (installed, authority) = self.installed_with_authority(name)?;
        Ok(waking(&installed, &authority))
    }

    pub(super) fn installed_with_authority(
        &self,
        name: &ExtensionName,
    ) -> Result<(Installed, Authority), OpenError> {
        let config = self.config()?;
        let of_extension = |error| OpenError::of_extension(name, error);
        let installed = self.depot().installed(name).map_err(|it| of_extension(it.into()))?;
        let permissions = self.depot().permissions(&installed, &config);
        let authority = permissions.map_err(|error| of_extension(error.into()))?.authority;
        Ok((installed, authority))
    }
}

impl Callable<'_> {
    /// Delivers an event to a new instance, if the permissions that it was opened with grant it.
    /// Needs a Tokio runtime with time enabled; dropping the future ends the delivery.
    pub async fn deliver(&self, event: &Occurrence) -> Delivered {
        let report = self.extension().deliver(event).await;
        self.delivered(report)
    }

    /// Delivers an event to a new instance and waits for the end of it.
    ///
    /// # Panics
    /// Within a Tokio runtime, where [`Callable::deliver`] is to be used.
    pub fn deliver_blocking(&self, event: &Occurrence) -> Delivered {
        let report = self.extension().deliver_blocking(event);
        self.delivered(report)
    }

    /// Puts the output of a delivery and what it returned into the log of the guest.
    fn delivered(&self, mut report: CallReport) -> Delivered {
        let returned = report.outcome.as_ref().ok().filter(|returned| returned.is_err());
        let returned = returned.map(Returned::to_text);
        if let Some(error) = &returned {
            report.output.extend_from_slice(error.as_bytes());
            report.output.push(b'\n');
        }
        self.log(LOGGED_AS, &report);
        let outcome = match (report.outcome, returned) {
            (Ok(_), None) => DeliveryOutcome::Handled,
            (Ok(_), Some(error)) => DeliveryOutcome::ReturnedError(error),
            (Err(error @ CallError::NotWoken(_)), _) => DeliveryOutcome::Refused(error),
            (Err(error), _) => DeliveryOutcome::Failed(error),
        };
        let (usage, activity) = (report.usage, report.activity);
        Delivered { outcome, usage, activity, stderr_tail: report.stderr_tail }
    }
}

/// Returns what [`Manager::waking_events`] does, of an extension that is opened already.
pub fn waking_events_of(opened: &Opened) -> Vec<WakingEvent> {
    waking(&opened.installed, &opened.permissions.authority)
}

/// Returns what wakes an extension, or would.
fn waking(installed: &Installed, authority: &Authority) -> Vec<WakingEvent> {
    let declared = declared_by(installed);
    let tables = installed.loaded.manifest.events.over(&declared.tables);
    let granted = authority.capabilities.iter().flatten().chain(
        authority.timed.iter().filter(|timed| timed.holds_at(boot_time())).map(|it| &it.grant),
    );
    let granted: Vec<_> = granted.filter_map(|grant| events_of(grant.scope())).collect();
    let names = granted.iter().copied().filter(|events| is_listed(events));
    let requested = declared.requested.iter().filter(|events| is_listed(events));
    let with_table = tables.iter().map(|(name, _)| EventPattern::Name(name.clone()));
    let all: BTreeSet<_> = names.chain(requested).cloned().chain(with_table).collect();
    let event = |event: EventPattern| {
        let (is_granted, rule) = decided(&event, authority, &granted);
        let is_declared = declared.requested.iter().any(|requested| requested.covers_all(&event));
        WakingEvent { is_granted, rule, is_declared, ..with_settings(event, &tables) }
    };
    all.into_iter().map(event).collect()
}

fn events_of(scope: &Scope) -> Option<&EventPattern> {
    match scope {
        Scope::Events(events) => Some(events),
        _ => None,
    }
}

/// Tells whether a pattern is listed by itself. A pattern of other events grants those that
/// have a table, and topics are without number.
fn is_listed(events: &EventPattern) -> bool {
    events.name().is_some() || events.topic_below().is_some()
}

/// Adds the settings of an event, which is not decided about yet.
fn with_settings(event: EventPattern, tables: &EventTables) -> WakingEvent {
    let table = event.name().and_then(|name| tables.get(name)).cloned().unwrap_or_default();
    WakingEvent {
        settings: event.name().map_or(Ok(Settings::None), |name| table.settings(name)),
        is_while_locked: table.is_while_locked(),
        is_enabled: table.is_enabled(),
        event,
        rule: String::new(),
        is_granted: false,
        is_declared: false,
    }
}

/// Decides about an event, or for a pattern about one below it.
fn decided(
    event: &EventPattern,
    authority: &Authority,
    granted: &[&EventPattern],
) -> (bool, String) {
    let Some(name) = event.name().cloned().or_else(|| event.topic_below()) else {
        return (false, "not granted".to_owned());
    };
    let decision = decide(&Request::Wake(name.clone()), authority, boot_time());
    let pattern = granted.iter().find(|events| events.names(&name));
    match pattern.filter(|_| !decision.allows() && !decision.is_by_policy()) {
        Some(pattern) => {
            (false, format!("not granted: it is private, which `{pattern}` does not cover"))
        }
        None => (decision.allows(), decision.to_string()),
    }
}
