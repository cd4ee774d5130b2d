//! Events that did not reach an extension, for `why`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use core_types::event::EventName;
use core_types::{BootTime, CallOutcome, CallRecord, Cause};
use extension_host::boot_time;

/// The time in which the same is noted once: a person who asks why reads one line of it, and a
/// source that goes on all day fills no log.
const PAUSE: Duration = Duration::from_secs(60 * 60);
/// The most that is remembered. Beyond it nothing is noted until some of it is over.
const MAX_REMEMBERED: usize = 4_096;

/// What was noted within the last hour.
#[derive(Debug, Default)]
pub(crate) struct Noted(Mutex<HashMap<Key, BootTime>>);

/// An extension, the family of an event, and what became of it. Topics are many; their family is one.
type Key = (String, String, String);

impl Noted {
    /// Returns whether this has to be noted, and counts it as noted then.
    fn is_new(&self, key: Key, now: BootTime) -> bool {
        // A panic of another thread leaves whole entries.
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.retain(|_, at| now.since(*at) < PAUSE);
        if noted.len() >= MAX_REMEMBERED || noted.contains_key(&key) {
            return false;
        }
        noted.insert(key, now);
        true
    }

    /// Returns whether a call belongs into the log: each one does but for the deliveries that are
    /// refused for the same reason, of which one in an hour does.
    pub(crate) fn admits(&self, call: &CallRecord) -> bool {
        let event = call.cause.as_ref().and_then(Cause::event_name);
        match event.filter(|_| call.outcome == CallOutcome::Refused) {
            Some(event) => {
                let reason = call.reason.clone().unwrap_or_default();
                self.is_new((call.extension.clone(), kind_of(event), reason), boot_time())
            }
            None => true,
        }
    }
}

/// Returns the name of an event without its topic.
fn kind_of(event: &str) -> String {
    let kind = event.parse().map(|name: EventName| name.spec().name.to_owned());
    kind.unwrap_or_else(|_| event.to_owned())
}

#[cfg(test)]
mod tests {
    use core_types::Owner;

    use super::*;

    /// The same is noted once an hour, topics of one pattern count as the same, and what is ordinary
    /// always.
    #[test]
    fn same_is_noted_once_an_hour() {
        let noted = Noted::default();
        let key = |event: &str| ("a".to_owned(), kind_of(event), "refused".to_owned());
        let at = |minutes: u64| BootTime::since_boot(Duration::from_secs(60 * minutes));
        assert!(noted.is_new(key("custom.a"), at(1)) && noted.is_new(key("power.source"), at(1)));
        assert!(!noted.is_new(key("custom.b"), at(60)));
        assert!(noted.is_new(key("custom.b"), at(61)));
        let call = |outcome, event: &str| CallRecord {
            cause: Some(Cause::event(&event.parse().expect(event))),
            ..CallRecord::of(&Owner::default(), "events#handle", outcome)
        };
        let admits = |outcome| noted.admits(&call(outcome, "custom.b"));
        assert!(admits(CallOutcome::Refused) && !admits(CallOutcome::Refused));
        assert!(admits(CallOutcome::Returned) && admits(CallOutcome::Returned));
    }
}
