//! Notifications on the desktop: the interface that extensions import, and the server of the session.

mod interface;
#[cfg(feature = "notification")]
mod notification_text;
#[cfg(feature = "notification")]
mod session_notifier;

#[cfg(feature = "notification")]
pub use notification_text::NotificationText;
#[cfg(feature = "notification")]
pub use session_notifier::SessionNotifier;
