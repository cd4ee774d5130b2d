//! Events that extensions are refused, each told once in a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use core_types::ExtensionName;
use core_types::event::EventPattern;

/// The time in which the same is told once. A decision reads the manifest, on the thread of the engine.
const PAUSE: Duration = Duration::from_secs(1);

/// The refusals within the last pause, by the extension and its declaration.
#[derive(Debug, Clone, Default)]
pub(super) struct RefusedEvents(Arc<Mutex<HashMap<(ExtensionName, EventPattern), Instant>>>);

impl RefusedEvents {
    /// Returns whether this one is to be told of, and counts it as told then.
    pub(super) fn count(&self, name: &ExtensionName, by: &EventPattern) -> bool {
        // A panic of another thread leaves whole entries.
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, at| at.elapsed() < PAUSE);
        let key = (name.clone(), by.clone());
        let is_new = !told.contains_key(&key);
        if is_new {
            told.insert(key, Instant::now());
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::RefusedEvents;

    /// A storm on many topics that one pattern covers is told once; another event is another.
    #[test]
    fn storm_of_refused_events_is_told_once() {
        let refused = RefusedEvents::default();
        let count = |name: &str, by: &str| {
            refused.count(&name.parse().expect(name), &by.parse().expect(by))
        };
        assert!(count("a", "custom.build.*"));
        assert!((0..1_000).all(|_| !count("a", "custom.build.*")));
        assert!(count("a", "custom.tick") && count("b", "custom.build.*"));
    }
}
