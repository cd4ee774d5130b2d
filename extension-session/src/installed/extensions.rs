//! Installed extensions as subscribers, and the manager as what delivers to them.

use std::sync::Arc;
use std::time::Duration;

use core_types::{ExtensionName, LimitName};
use extension_host::boot_time;
use extension_manager::{DeliveryOutcome, Manager, OpenError};

use crate::delivery::{Delivery, Subscriber, Wake};
use crate::engine::{Deliver, Delivered, Subscribers};

/// What became of a delivery, or why the extension could not be opened for it.
pub type Outcome = Result<extension_manager::Delivered, OpenError>;

/// Told of each delivery that ended.
type Observer = dyn Fn(&Delivery, &Outcome) + Send + Sync;

/// The installed extensions of a manager.
///
/// Each delivery is decided about like a call, with the grants and policies of its moment, and runs
/// within the limits of a call. It is in the activity log and counts for quarantine.
#[derive(Clone)]
pub struct Installed {
    manager: Arc<Manager>,
    observer: Arc<Observer>,
}

impl Installed {
    /// Takes the extensions of a manager.
    pub fn of(manager: Arc<Manager>) -> Self {
        Self { manager, observer: Arc::new(|_, _| {}) }
    }

    /// Calls a function with each delivery that ended.
    #[must_use]
    pub fn observed_by(
        self,
        observer: impl Fn(&Delivery, &Outcome) + Send + Sync + 'static,
    ) -> Self {
        Self { observer: Arc::new(observer), ..self }
    }

    /// Returns an extension with what may wake it now; nothing where that is nothing.
    fn subscriber(&self, name: &ExtensionName) -> Option<Subscriber> {
        let events = self.manager.waking_events(name).ok()?;
        // Without a declared event it does not have a handler, despite any grant.
        if !events.iter().any(|event| event.is_declared) {
            return None;
        }
        let granted = events.into_iter().filter(|event| event.is_granted && event.is_enabled);
        let wakes = granted.filter_map(|event| {
            let settings = event.settings.ok()?;
            let is_while_locked = event.is_while_locked;
            Some(Wake { event: event.event, settings, is_while_locked })
        });
        let wakes: Vec<_> = wakes.collect();
        if wakes.is_empty() { None } else { self.with_permissions(name, wakes) }
    }

    /// Adds the settings and limits from the permissions of the extension.
    fn with_permissions(&self, name: &ExtensionName, wakes: Vec<Wake>) -> Option<Subscriber> {
        let (depot, config) = (self.manager.depot(), self.manager.config().ok()?);
        let opened = depot.open(name, &config).ok()?;
        let permissions = &opened.permissions;
        let granted = permissions.authority.in_force(boot_time());
        let policies = permissions.authority.policies.iter();
        let raised = policies.filter_map(|(policy, _)| policy.min_event_interval).max();
        let raised = raised.map_or(Duration::ZERO, |interval| interval.duration());
        Some(Subscriber {
            config: permissions.config.visible(&granted),
            max_fuel: permissions.limits.get(LimitName::Fuel).value,
            min_interval: Subscriber::MIN_INTERVAL.max(raised),
            ..Subscriber::new(name.clone(), wakes)
        })
    }
}

impl Subscribers for Installed {
    fn list(&mut self) -> Vec<Subscriber> {
        if self.manager.is_safe_mode() {
            return Vec::new();
        }
        // A broken manifest keeps its own extension asleep, and no other.
        let listed = self.manager.depot().list().unwrap_or_default();
        listed.iter().filter_map(|listed| self.subscriber(&listed.name)).collect()
    }
}

impl Deliver for Installed {
    fn deliver(&self, delivery: &Delivery) -> Delivered {
        let outcome = self.manager.deliver_blocking(&extension_manager::Delivery {
            extension: delivery.name.clone(),
            event: delivery.occurrence.clone(),
        });
        (self.observer)(delivery, &outcome);
        let is_failure = |delivered: &extension_manager::Delivered| {
            matches!(delivered.outcome, DeliveryOutcome::Refused(_) | DeliveryOutcome::Failed(_))
        };
        match outcome {
            Ok(delivered) => {
                Delivered { fuel: delivered.usage.fuel, has_failed: is_failure(&delivered) }
            }
            Err(_) => Delivered { fuel: 0, has_failed: true },
        }
    }
}
