//! Installed extensions as subscribers, and the manager as what delivers to them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use core_types::event::{EventName, EventPattern, EventType, EventValue, Interval, Occurrence};
use core_types::{ExtensionName, LimitName, Manifest};
use extension_depot::{EffectiveConfig, Listed, RunningExtensions};
use extension_host::boot_time;
use extension_manager::{DeliveryOutcome, Manager, OpenError, WakingEvent, waking_events_of};

use crate::delivery::{Delivery, HeldBack, Subscriber, Wake};
use crate::engine::{Deliver, Delivered, Subscribers};
use crate::installed::observer::{NoObserver, Observer};
use crate::installed::publications::Publications;
use crate::installed::refused_events::RefusedEvents;

/// The installed extensions of a manager.
///
/// Each delivery is decided about like a call, with the grants and policies of its moment, and runs
/// within the limits of a call. It is in the activity log and counts for quarantine.
#[derive(Clone)]
pub struct Installed {
    manager: Arc<Manager>,
    observer: Arc<dyn Observer>,
    publications: Publications,
    running: Arc<RunningExtensions>,
    seen: Arc<Mutex<Option<BTreeMap<ExtensionName, Seen>>>>,
    refused: RefusedEvents,
}

/// An extension as it was listed last.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    manifest: Option<Manifest>,
    is_installed: bool,
    is_quarantined: bool,
}

impl Installed {
    /// Takes the extensions of a manager.
    pub fn of(manager: Arc<Manager>) -> Self {
        Self {
            manager,
            observer: Arc::new(NoObserver),
            publications: Publications::default(),
            running: Arc::default(),
            seen: Arc::default(),
            refused: RefusedEvents::default(),
        }
    }

    /// Tells these of each delivery, so that a message published during one is known as led
    /// to by it.
    #[must_use]
    pub fn publishing_to(self, publications: Publications) -> Self {
        Self { publications, ..self }
    }

    /// Records each extension here while it runs.
    #[must_use]
    pub fn tracked_by(self, running: Arc<RunningExtensions>) -> Self {
        Self { running, ..self }
    }

    /// Tells an observer what becomes of them.
    #[must_use]
    pub fn observed_by(self, observer: impl Observer + 'static) -> Self {
        Self { observer: Arc::new(observer), ..self }
    }
}

impl Seen {
    fn of(listed: &Listed) -> Self {
        Self {
            manifest: listed.manifest.as_ref().ok().map(|loaded| loaded.manifest.clone()),
            is_installed: listed.is_installed,
            is_quarantined: listed.quarantine.is_some(),
        }
    }
}

impl Installed {
    /// Tells of the extensions that are others than at the last look, and of those that were
    /// quarantined since. The first look tells nothing.
    fn tell_changes(&self, listed: &[Listed]) {
        let now: BTreeMap<_, _> =
            listed.iter().map(|listed| (listed.name.clone(), Seen::of(listed))).collect();
        self.manager.keep_code_of(|name| now.contains_key(name));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen.replace(now);
        let (Some(before), Some(now)) = (before, &*seen) else { return };
        let gone = before.keys().filter(|name| !now.contains_key(*name));
        let other = now.iter().filter(|(name, state)| before.get(*name) != Some(*state));
        other.map(|(name, _)| name).chain(gone).for_each(|name| self.observer.changed(name));
        let was_called = |name| before.get(name).is_some_and(|seen| !seen.is_quarantined);
        for Listed { name, quarantine, .. } in listed {
            if let Some(quarantine) = quarantine.as_ref().filter(|_| was_called(name)) {
                self.observer.quarantined(name, quarantine);
            }
        }
    }
}

impl Installed {
    /// Decides whether an extension may be told of a file that changed at this moment: it has to be
    /// able to read it. Returns the number of deliveries that may have led to the change, and nothing
    /// where it may not be told; `why` says so then.
    pub fn show_change(&self, name: &ExtensionName, file: &Path, at: Instant) -> Option<u8> {
        let may_write = |writer: &ExtensionName| self.manager.may_write(writer, file);
        self.shown_path(name, file).map(|_| self.publications.depth_of_change(at, may_write))
    }

    fn shown_path(&self, name: &ExtensionName, file: &Path) -> Option<PathBuf> {
        let shown = self.manager.readable_path(name, file);
        if shown.is_none() {
            self.manager.note_hidden_change(name, file);
        }
        shown
    }

    /// Returns an event as its extension gets it: with the path of a changed file in the guest. It is
    /// decided about anew, since the grant may have gone while the event waited.
    fn as_shown(&self, delivery: &Delivery) -> Option<Occurrence> {
        let mut occurrence = delivery.occurrence.clone();
        if occurrence.name.event() != EventType::FileChanged {
            return Some(occurrence);
        }
        for (name, value) in &mut occurrence.values {
            if let ("path", EventValue::Text(path)) = (*name, value) {
                let shown = self.shown_path(&delivery.name, Path::new(path))?;
                *path = shown.into_os_string().into_string().ok()?;
            }
        }
        Some(occurrence)
    }
}

/// Returns whether an event may wake any extension of a manager.
pub fn may_be_woken(manager: &Manager) -> bool {
    let Some(config) = config_in_force(manager) else { return false };
    let listed = manager.depot().list().unwrap_or_default();
    let subscriber = |listed: &Listed| subscriber(manager, &listed.name, &config);
    listed.iter().filter_map(subscriber).any(|subscriber| subscriber.is_woken())
}

/// Returns the configuration, where it lets events wake extensions.
fn config_in_force(manager: &Manager) -> Option<EffectiveConfig> {
    if manager.is_safe_mode() {
        return None;
    }
    // Without a configuration that can be read nothing is allowed.
    manager.config().ok().filter(EffectiveConfig::session_enabled)
}

/// Returns an extension with what may wake it now, and what would if it were granted; nothing where
/// that is nothing.
fn subscriber(
    manager: &Manager,
    name: &ExtensionName,
    config: &EffectiveConfig,
) -> Option<Subscriber> {
    let opened = manager.depot().open(name, config).ok()?;
    let events = waking_events_of(&opened);
    // Without a declared event it does not have a handler, despite any grant.
    if !events.iter().any(|event| event.is_declared) {
        return None;
    }
    let asleep: Vec<_> = events
        .iter()
        .filter(|it| !it.is_enabled)
        .filter_map(|it| it.event.name().cloned())
        .collect();
    let enabled = events.into_iter().filter(|event| event.is_enabled);
    let (granted, refused): (Vec<_>, Vec<_>) = enabled.partition(|event| event.is_granted);
    let wakes: Vec<_> = granted.into_iter().filter_map(wake).collect();
    let refused = refused.into_iter().filter(|it| it.is_declared).map(|it| it.event);
    let refused: Vec<_> = refused.collect();
    let permissions = &opened.permissions;
    let raised = config.min_event_interval().map(Interval::duration);
    (!wakes.is_empty() || !refused.is_empty()).then(|| Subscriber {
        config: permissions.config.visible(&permissions.authority.in_force(boot_time())),
        max_fuel: permissions.limits.get(LimitName::Fuel).value,
        min_interval: Subscriber::MIN_INTERVAL.max(raised.unwrap_or_default()),
        asleep,
        refused,
        ..Subscriber::new(name.clone(), wakes)
    })
}

/// An event whose settings are whole; without one that it needs it never happens.
fn wake(event: WakingEvent) -> Option<Wake> {
    let WakingEvent { event, settings, is_while_locked, .. } = event;
    Some(Wake { event, settings: settings.ok()?, is_while_locked })
}

impl Subscribers for Installed {
    fn list(&mut self) -> Vec<Subscriber> {
        // A broken manifest keeps its own extension asleep, and no other.
        let listed = self.manager.depot().list().unwrap_or_default();
        self.tell_changes(&listed);
        self.observer.looked();
        let Some(config) = config_in_force(&self.manager) else { return Vec::new() };
        let names = listed.iter().map(|listed| &listed.name);
        names.filter_map(|name| subscriber(&self.manager, name, &config)).collect()
    }

    fn is_unreadable(&self, name: &ExtensionName) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.as_ref().and_then(|seen| seen.get(name)).is_some_and(|seen| seen.manifest.is_none())
    }
}

impl Deliver for Installed {
    fn deliver(&self, delivery: &Delivery) -> Delivered {
        let Some(event) = self.as_shown(delivery) else { return Delivered::default() };
        let deliver = || {
            let extension = delivery.name.clone();
            self.manager.deliver_blocking(&extension_manager::Delivery { extension, event })
        };
        let outcome = self.running.track(&delivery.name, || {
            self.publications.during(&delivery.name, delivery.depth, deliver)
        });
        self.observer.delivered(delivery, &outcome);
        let is_failure = |delivered: &extension_manager::Delivered| {
            matches!(delivered.outcome, DeliveryOutcome::Refused(_) | DeliveryOutcome::Failed(_))
        };
        match outcome {
            Ok(delivered) => {
                Delivered { fuel: delivered.usage.fuel, has_failed: is_failure(&delivered) }
            }
            // A missing permission changes nothing about its events.
            Err(OpenError::Host { .. } | OpenError::DeniedByPolicy { .. }) => Delivered::default(),
            Err(_) => Delivered { fuel: 0, has_failed: true },
        }
    }

    fn held_back(&self, name: &ExtensionName, event: &EventName, why: HeldBack) {
        self.manager.note_undelivered(name, event, &why.to_string());
    }

    fn refused(&self, name: &ExtensionName, event: &EventName, by: &EventPattern, depth: u8) {
        if !self.refused.count(name, by) {
            return;
        }
        if let Some(activity) = self.manager.note_refused_event(name, event, by) {
            self.observer.refused(name, depth, &activity);
        }
    }
}
