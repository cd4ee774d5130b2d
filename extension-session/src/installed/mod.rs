//! The engine over installed extensions: who hears what by the manifests, grants and policies of
//! now, delivery through the manager, and the files that change either.

mod changes;
mod event_memory;
mod extensions;
mod publications;

pub use changes::Changes;
pub use event_memory::EventMemory;
pub use extensions::{Installed, Outcome, may_be_woken};
pub use publications::Publications;
