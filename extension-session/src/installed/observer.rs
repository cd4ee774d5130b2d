//! Observers of installed extensions.

use core_types::{Activity, ExtensionName};
use extension_depot::Quarantine;
use extension_manager::{Delivered, OpenError};

use crate::delivery::Delivery;

/// What became of a delivery, or why the extension could not be opened for it.
pub type Outcome = Result<Delivered, OpenError>;

/// Observes the extensions of a service, on the thread on which something happens to them. By default
/// nothing is done.
///
/// ```
/// use core_types::ExtensionName;
/// use extension_session::Observer;
///
/// struct Print;
///
/// impl Observer for Print {
///     fn changed(&self, name: &ExtensionName) {
///         println!("{name} is another one now");
///     }
/// }
/// ```
pub trait Observer: Send + Sync {
    /// A delivery ended.
    fn delivered(&self, delivery: &Delivery, outcome: &Outcome) {
        let _ = (delivery, outcome);
    }

    /// An event came that an extension handles and may not be woken by, led to by this number of
    /// deliveries. Of one event it is told once a second at most, with the refused request.
    fn refused(&self, name: &ExtensionName, depth: u8, activity: &Activity) {
        let _ = (name, depth, activity);
    }

    /// An extension was installed, changed or removed.
    fn changed(&self, name: &ExtensionName) {
        let _ = name;
    }

    /// An extension was quarantined, because it failed or crashed the service.
    fn quarantined(&self, name: &ExtensionName, quarantine: &Quarantine) {
        let _ = (name, quarantine);
    }

    /// The engine begins to look anew at what may wake whom. It answers questions for its status after
    /// the look.
    fn looked(&self) {}
}

/// Does nothing.
pub(super) struct NoObserver;

impl Observer for NoObserver {}
