//! Sources: where events come from.
//!
//! A source listens only while an extension may hear of it, and tells an event to the inbox of the
//! engine. It decides nothing: the dispatcher knows who hears an event. An absent
//! source, such as a service that a machine does not have, is a state and not an error.

mod files;
mod settings;
mod source;
mod source_state;
mod watches;

pub use files::Files;
pub(crate) use settings::SettingsSource;
pub use source::Source;
pub use source_state::SourceState;
pub(crate) use watches::Watches;
