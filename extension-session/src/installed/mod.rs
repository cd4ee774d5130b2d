//! The engine over installed extensions: who hears what by the manifests, grants and policies of
//! now, delivery through the manager, and the files that change either.

mod changes;
mod event_memory;
mod extensions;
mod observer;
mod publications;
mod refused_events;

pub use changes::Changes;
pub use event_memory::{EventMemory, begin_running};
pub use extensions::{Installed, may_be_woken};
pub use observer::{Observer, Outcome};
pub use publications::Publications;
