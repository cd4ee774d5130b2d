//! Which refused deliveries are logged.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use core_types::event::EventName;
use core_types::{BootTime, CallOutcome, CallRecord, Cause, Verdict};
use extension_host::boot_time;

/// The time in which the same refusal is logged once: a person who asks why reads one line of it, and
/// a source that goes on all day fills no log.
const PAUSE: Duration = Duration::from_secs(60 * 60);
/// The most that is remembered. Beyond it every refusal is logged.
const MAX_REMEMBERED: usize = 4_096;
/// The beginning of a refused event, as the log has it.
const OF_EVENT: &str = "events=";

/// The refusals of the last hour.
#[derive(Debug, Default)]
pub(crate) struct RefusalLimiter(Mutex<HashMap<Key, BootTime>>);

/// An extension, the event without its topic, and the reason. Topics are many; their event is one.
type Key = (String, String, String);

impl RefusalLimiter {
    /// Returns whether this is to be logged, and counts it as logged then.
    fn is_new(&self, key: Key, now: BootTime) -> bool {
        // A panic of another thread leaves whole entries.
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        logged.retain(|_, at| now.since(*at) < PAUSE);
        if logged.contains_key(&key) {
            return false;
        }
        if logged.len() < MAX_REMEMBERED {
            logged.insert(key, now);
        }
        true
    }

    /// Returns whether a call is to be logged: each one is, but for deliveries that are refused for the
    /// same reason, of which one in an hour is.
    pub(crate) fn admits(&self, call: &CallRecord) -> bool {
        let event = call.cause.as_ref().and_then(Cause::event_name);
        event
            .filter(|_| call.outcome == CallOutcome::Refused)
            .is_none_or(|event| self.takes(&call.extension, event, &reason_of(call)))
    }

    /// Returns whether it is to be logged that this event did not reach the extension, and counts it as
    /// logged then.
    pub(crate) fn takes(&self, extension: &str, event: &str, reason: &str) -> bool {
        self.takes_declared(extension, &kind_of(event), reason)
    }

    /// Does the same for an event that the extension is refused, by what its author declares.
    pub(crate) fn takes_declared(&self, extension: &str, declared: &str, reason: &str) -> bool {
        self.is_new((extension.to_owned(), declared.to_owned(), reason.to_owned()), boot_time())
    }
}

/// Returns the refused things; for the event itself the rule, since topics are many.
fn reason_of(call: &CallRecord) -> String {
    let refused = call.activity.touches.iter().filter(|touch| touch.verdict != Verdict::Allow);
    let reasons = refused.map(|touch| match touch.what.starts_with(OF_EVENT) {
        true => touch.rule.as_deref().unwrap_or_default(),
        false => touch.what.as_str(),
    });
    reasons.collect::<Vec<_>>().join(", ")
}

/// Returns the name of an event without its topic.
fn kind_of(event: &str) -> String {
    let kind = event.parse().map(|name: EventName| name.spec().name.to_owned());
    kind.unwrap_or_else(|_| event.to_owned())
}

#[cfg(test)]
mod tests {
    use core_types::{Owner, TouchRecord};

    use super::*;

    fn refused(event: &str, what: &str, rule: &str) -> CallRecord {
        let mut call = CallRecord {
            cause: Some(Cause::event(&event.parse().expect(event))),
            reason: Some(format!("`{event}` does not wake it")),
            ..CallRecord::of(&Owner::default(), "events#handle", CallOutcome::Refused)
        };
        call.activity.touches.push(TouchRecord {
            what: what.to_owned(),
            verdict: Verdict::Deny,
            times: 1,
            rule: Some(rule.to_owned()),
            grant: None,
        });
        call
    }

    /// The same is logged once an hour, topics of one event count as the same, another refusal does
    /// not, and every other call is logged.
    #[test]
    fn same_refusal_is_logged_once_an_hour() {
        let limiter = RefusalLimiter::default();
        let key = |event: &str| ("a".to_owned(), kind_of(event), "refused".to_owned());
        let at = |minutes: u64| BootTime::since_boot(Duration::from_secs(60 * minutes));
        assert!(
            limiter.is_new(key("custom.a"), at(1)) && limiter.is_new(key("power.source"), at(1))
        );
        assert!(!limiter.is_new(key("custom.b"), at(60)));
        assert!(limiter.is_new(key("custom.b"), at(61)));
        let admits = |event, what, rule| limiter.admits(&refused(event, what, rule));
        assert!(admits("custom.a", "events=custom.a", "not granted"));
        assert!(!admits("custom.b", "events=custom.b", "not granted"));
        assert!(admits("custom.b", "events=custom.b", "policy denies it"));
        assert!(admits("custom.b", "notification", "not granted"));
        assert!(admits("custom.b", "storage", "not granted"));
        assert!(!admits("custom.b", "storage", "not granted"));
        let mut returned = refused("custom.b", "storage", "not granted");
        returned.outcome = CallOutcome::Returned;
        assert!(limiter.admits(&returned) && limiter.admits(&returned));
    }

    /// A full memory loses no line of the log.
    #[test]
    fn full_memory_logs_everything() {
        let limiter = RefusalLimiter::default();
        for number in 0..MAX_REMEMBERED {
            assert!(limiter.takes(&number.to_string(), "custom.a", "refused"));
        }
        assert!(limiter.takes("more", "custom.a", "refused"));
        assert!(limiter.takes("more", "custom.a", "refused"));
        assert!(!limiter.takes("1", "custom.a", "refused"));
    }
}
