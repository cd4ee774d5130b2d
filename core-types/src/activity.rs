//! What extensions did: the values of the activity log.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::capability::{Grant, GrantedPath};
use crate::permissions::Owner;
use crate::policy::{Decision, Request, Verdict};

/// The most different things that one call is remembered for. What goes beyond is counted.
const MAX_TOUCHES: usize = 64;
/// The longest name of a thing that is remembered, in bytes. A guest chooses it.
const MAX_OBJECT: usize = 256;

/// What one call touched or was refused, each thing once, in the order of the first time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// The things.
    pub touches: Vec<Touch>,
    /// Directories that are granted, that it looked for and that do not exist. Nothing refused
    /// them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// How often something was touched that is not listed, because there were too many things.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
}

/// One thing that was touched or refused. What was read, written or sent is never in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// The capability and the thing: `network=https://api.example.com:443`, `secret-read=token`.
    pub what: String,
    /// Whether it was allowed.
    pub verdict: Verdict,
    /// How often.
    pub times: u64,
    /// Why it was refused, and where that rule stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What to grant so that it is allowed, for what was refused and can be granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// The least grant that allows it, for what can be granted.
    #[serde(skip)]
    pub least: Option<Grant>,
}

/// What became of one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The extension.
    pub extension: String,
    /// Where it comes from.
    pub identity: String,
    /// The function.
    pub function: String,
    /// How it ended.
    pub outcome: CallOutcome,
    /// Why it ended so, unless it returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it touched.
    #[serde(flatten)]
    pub activity: Activity,
    /// Units of fuel.
    pub fuel: u64,
    /// The most bytes of all linear memories.
    pub peak_memory_bytes: u64,
    /// Wall-clock time.
    #[serde(rename = "elapsed_us", with = "microseconds")]
    pub elapsed: Duration,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallOutcome {
    /// With a value.
    Returned,
    /// With an error that the extension returned, or by its own will.
    Error,
    /// It crashed.
    Crashed,
    /// It went over a limit.
    Limit,
    /// It was not started: something that it needs is not granted.
    Refused,
    /// Its caller did not wait for it.
    Cancelled,
    /// It could not be called as it was asked to.
    Failed,
}

impl Activity {
    /// Notes that something was asked for, and what was decided.
    pub fn note(&mut self, request: &Request, decision: &Decision<'_>) {
        let verdict = decision.verdict;
        let what = shortened(&request.to_string());
        if let Some(touch) =
            self.touches.iter_mut().find(|touch| touch.what == what && touch.verdict == verdict)
        {
            touch.times += 1;
        } else if self.touches.len() < MAX_TOUCHES {
            let is_refused = verdict != Verdict::Allow;
            // Where a policy refuses, granting it again is no help.
            let can_be_granted = is_refused && !decision.is_by_policy();
            self.touches.push(Touch {
                what,
                verdict,
                times: 1,
                rule: is_refused.then(|| decision.to_string()),
                grant: can_be_granted.then(|| request.grant_text()),
                least: request.least_grant(),
            });
        } else {
            self.more += 1;
        }
    }

    /// Notes that a directory was looked for that is granted and does not exist.
    pub fn note_missing(&mut self, path: &GrantedPath) {
        let path = shortened(path.host());
        if self.missing.len() < MAX_TOUCHES && !self.missing.contains(&path) {
            self.missing.push(path);
        }
    }

    /// What was refused.
    pub fn refused(&self) -> impl Iterator<Item = &Touch> {
        self.touches.iter().filter(|touch| touch.verdict != Verdict::Allow)
    }
}

impl CallRecord {
    /// A call of which nothing is known but how it ended.
    pub fn of(owner: &Owner, function: &str, outcome: CallOutcome) -> Self {
        Self {
            extension: owner.name.to_string(),
            identity: owner.identity.to_string(),
            function: shortened(function),
            outcome,
            reason: None,
            activity: Activity::default(),
            fuel: 0,
            peak_memory_bytes: 0,
            elapsed: Duration::ZERO,
        }
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn shortened(text: &str) -> String {
    if text.len() <= MAX_OBJECT {
        return text.to_owned();
    }
    let mut short: String = text[..text.floor_char_boundary(MAX_OBJECT)].to_owned();
    short.push('…');
    short
}

mod microseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        time: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Capability;
    use crate::policy::Document;
    use crate::policy::Rule;

    /// A directory that does not exist is noted once, and nothing was refused.
    #[test]
    fn missing_directory_is_not_refused() {
        let mut activity = Activity::default();
        for path in ["~/a", "~/a::/b", "~/c"] {
            activity.note_missing(&path.parse().expect(path));
        }
        assert_eq!(activity.missing, ["~/a", "~/c"]);
        assert!(activity.touches.is_empty() && activity.refused().next().is_none());
    }

    #[test]
    fn things_are_noted_once_counted_and_held_down() {
        let mut activity = Activity::default();
        let manifest = Document { path: "x.toml".into(), text: String::new() };
        let refused = Decision { verdict: Verdict::Deny, rule: Rule::NotGranted(&manifest) };
        let by_policy = Decision {
            verdict: Verdict::Deny,
            rule: Rule::Policy(Capability::Notification, &manifest),
        };
        let allowed = Decision { verdict: Verdict::Allow, rule: Rule::NotGranted(&manifest) };
        let read = Request::ReadSecret("token".to_owned());
        for _ in 0..3 {
            activity.note(&read, &refused);
        }
        activity.note(&read, &allowed);
        activity.note(&Request::Notify, &by_policy);
        let [first, second, third] = &activity.touches[..] else { panic!("{activity:?}") };
        assert_eq!((first.times, first.grant.as_deref()), (3, Some("secret-read=token")));
        assert_eq!(first.rule.as_deref(), Some("not granted (x.toml)"));
        assert_eq!((&second.grant, &second.rule, second.verdict), (&None, &None, Verdict::Allow));
        assert_eq!(
            (&third.grant, third.rule.is_some()),
            (&None, true),
            "granting is no help against a policy"
        );
        for at in 0..100 {
            activity.note(&Request::Publish(format!("{at}{}", "é".repeat(500))), &refused);
        }
        assert_eq!((activity.touches.len(), activity.more), (MAX_TOUCHES, 39));
        assert!(activity.touches.iter().all(|touch| touch.what.len() <= MAX_OBJECT + 3));
    }
}
