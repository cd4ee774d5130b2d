//! What a service tells of its extensions: to the person at its terminal, to the bus and on the desktop.

use std::sync::{Arc, OnceLock};

use core_types::{Activity, ExtensionName, Owner, with_causes};
use extension_depot::Quarantine;
use extension_host::{Notification, Notifier, SessionNotifier};
use extension_manager::DeliveryOutcome;
use extension_session::{BusService, Delivery, Observer, Outcome};

use crate::terminal::Terminal;

/// The service on the bus, once it is there.
pub type Bus = Arc<OnceLock<BusService>>;

/// Tells what becomes of the extensions of a service.
pub struct ServiceObserver {
    /// The terminal, unless the person there wants quiet.
    pub terminal: Option<Terminal>,
    pub bus: Bus,
    /// Called at each look at what may wake whom.
    pub looked: Box<dyn Fn() + Send + Sync>,
}

impl Observer for ServiceObserver {
    fn delivered(&self, delivery: &Delivery, outcome: &Outcome) {
        if let Some(terminal) = &self.terminal {
            tell(terminal, delivery, outcome);
        }
        if let Some(bus) = self.bus.get() {
            bus.delivered(delivery, outcome);
        }
    }

    fn refused(&self, name: &ExtensionName, depth: u8, activity: &Activity) {
        if let Some(bus) = self.bus.get() {
            bus.refused(name, depth, activity);
        }
    }

    fn changed(&self, name: &ExtensionName) {
        if let Some(bus) = self.bus.get() {
            bus.changed(name);
        }
    }

    fn quarantined(&self, name: &ExtensionName, quarantine: &Quarantine) {
        notify_quarantined(name, quarantine);
    }

    fn looked(&self) {
        (self.looked)();
    }
}

/// Says how a delivery ended. The output of the guest is in its log alone.
fn tell(terminal: &Terminal, delivery: &Delivery, outcome: &Outcome) {
    let ended = match outcome.as_ref().map(|delivered| &delivered.outcome) {
        Ok(DeliveryOutcome::Handled) => "handled".to_owned(),
        Ok(DeliveryOutcome::ReturnedError(_)) => "returned an error".to_owned(),
        Ok(DeliveryOutcome::Refused(error) | DeliveryOutcome::Failed(error)) => with_causes(error),
        Err(error) => with_causes(error),
    };
    terminal.status(&format!("{}: {}: {ended}", delivery.name, delivery.occurrence.name));
}

/// Shows on the desktop that an extension was quarantined, once. The service does not wait for that: a
/// desktop without notifications takes its time to say so.
pub fn notify_quarantined(name: &ExtensionName, quarantine: &Quarantine) {
    let (owner, notification) = (Owner::embedded(name.clone()), notification(name, quarantine));
    let thread = std::thread::Builder::new().name("notification".to_owned());
    // `extension list` says it as well.
    let _ = thread.spawn(move || SessionNotifier.show(&owner, &notification));
}

/// Says it in our words alone: the reason can quote the extension.
fn notification(name: &ExtensionName, quarantine: &Quarantine) -> Notification {
    let Quarantine { failures, service_crashes, .. } = quarantine;
    let why = match service_crashes {
        0 => format!("It failed {failures} times in a row."),
        crashes => format!("The session service crashed {crashes} times while it ran."),
    };
    Notification {
        summary: format!("{name} is quarantined"),
        body: format!(
            "{why} It is not called any more.\n\
             Why: sesame extension info {name}\n\
             To call it again: sesame extension enable {name}"
        ),
        is_minor: false,
    }
}
