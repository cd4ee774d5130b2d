//! What became of a call, as the activity log has it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::activity::cause::Cause;
use crate::activity::touch::{Activity, MAX_OBJECT, Touch};
use crate::capability::{Capability, Grant};
use crate::permissions::Owner;
use crate::policy::{Verdict, shortened};

/// Everything that one call touched or was refused, in words.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityRecord {
    /// The things.
    pub touches: Vec<TouchRecord>,
    /// Directories that are granted, that it looked for and that do not exist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// How often something was touched that is not listed, because there were too many things.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
}

/// One thing that was touched or refused, in words.
///
/// ```
/// use core_types::{Request, Touch, TouchRecord, Verdict};
///
/// let request = Request::ReadSecret("token".to_owned());
/// let touch = Touch { request, verdict: Verdict::Allow, times: 2, refusal: None };
/// assert_eq!(TouchRecord::from(&touch).what, "secret-read=token");
/// ```
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TouchRecord {
    /// The capability and the thing: `network=https://api.example.com:443`, `secret-read=token`.
    pub what: String,
    /// Whether it was allowed.
    pub verdict: Verdict,
    /// How often.
    pub times: u64,
    /// Why it was refused, and where that rule stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The grant that allows it, if it was refused and can be granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
}

/// What became of one call.
///
/// ```
/// use core_types::{CallOutcome, CallRecord, Owner};
///
/// let record = CallRecord::of(&Owner::default(), "greet", CallOutcome::Returned);
/// assert_eq!((record.function.as_str(), record.reason), ("greet", None));
/// ```
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The extension.
    pub extension: String,
    /// Where it comes from.
    pub identity: String,
    /// The function.
    pub function: String,
    /// What made it, unless a person or a program called it.
    #[serde(flatten)]
    pub cause: Option<Cause>,
    /// How it ended.
    pub outcome: CallOutcome,
    /// Why it ended so, unless it returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The things that it touched.
    #[serde(flatten)]
    pub activity: ActivityRecord,
    /// Units of fuel.
    pub fuel: u64,
    /// The most bytes of all linear memories.
    pub peak_memory_bytes: u64,
    /// Wall-clock time.
    #[serde(rename = "elapsed_us", with = "microseconds")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub elapsed: Duration,
}

/// How a call ended.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

impl CallOutcome {
    /// Returns its name in one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Returned => "returned",
            Self::Error => "error",
            Self::Crashed => "crashed",
            Self::Limit => "limit",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

impl TouchRecord {
    /// Returns the capability that was asked for, if this version knows it.
    pub fn capability(&self) -> Option<Capability> {
        self.what.split('=').next().and_then(|name| name.parse().ok())
    }

    /// Returns a grant for a thing that was noted without one: the thing itself, or an example
    /// where an import names no scope.
    pub fn least_grant(&self) -> Option<String> {
        // Long names are kept by their beginning, which is another name.
        let grant = self.what.parse::<Grant>().ok().filter(|_| !self.what.ends_with('…'));
        let is_whole = |capability: &Capability| self.what == capability.name();
        let example = self.capability().filter(is_whole).map(Grant::example);
        grant.map(|grant| grant.to_string()).or_else(|| example.map(str::to_owned))
    }
}

impl From<&Touch> for TouchRecord {
    fn from(touch: &Touch) -> Self {
        Self {
            what: touch.request.to_string(),
            verdict: touch.verdict,
            times: touch.times,
            rule: touch.refusal.as_ref().map(ToString::to_string),
            grant: touch.grant(),
        }
    }
}

impl From<&Activity> for ActivityRecord {
    fn from(activity: &Activity) -> Self {
        let Activity { touches, missing, more } = activity;
        let touches = touches.iter().map(TouchRecord::from).collect();
        Self { touches, missing: missing.clone(), more: *more }
    }
}

impl CallRecord {
    /// Makes the record of a call of which only the end is known.
    pub fn of(owner: &Owner, function: &str, outcome: CallOutcome) -> Self {
        Self {
            extension: owner.name.to_string(),
            identity: owner.identity.to_string(),
            function: shortened(function, MAX_OBJECT),
            cause: None,
            outcome,
            reason: None,
            activity: ActivityRecord::default(),
            fuel: 0,
            peak_memory_bytes: 0,
            elapsed: Duration::ZERO,
        }
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
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
    use crate::policy::{Refusal, RefusedBy, Request};

    fn touch(request: Request, rule: Option<RefusedBy>) -> TouchRecord {
        let refusal = rule.map(|rule| Refusal { rule, place: None });
        let verdict = if refusal.is_some() { Verdict::Deny } else { Verdict::Allow };
        TouchRecord::from(&Touch { request, verdict, times: 1, refusal })
    }

    /// The log of a version is read by all later ones.
    #[test]
    fn written_touches_stay_the_same() {
        let connect = Request::Connect {
            scheme: crate::Scheme::Https,
            host: "api.example.com".to_owned(),
            port: 443,
        };
        let by_policy = RefusedBy::Policy(Capability::Notification);
        let touches = [
            touch(connect, Some(RefusedBy::NotGranted)),
            touch(Request::Use(Capability::Notification), Some(by_policy)),
            touch(Request::ReadSecret("token".to_owned()), None),
        ];
        let record = ActivityRecord { touches: touches.into(), ..Default::default() };
        insta::assert_snapshot!(toml::to_string(&record).expect("text"), @r#"
        [[touches]]
        what = "network=https://api.example.com:443"
        verdict = "deny"
        times = 1
        rule = "not granted"
        grant = "network=api.example.com"

        [[touches]]
        what = "notification"
        verdict = "deny"
        times = 1
        rule = "policy denies `notification`"

        [[touches]]
        what = "secret-read=token"
        verdict = "allow"
        times = 1
        "#);
    }

    /// What stands in the log names its capability, and what to grant even where that was not
    /// noted.
    #[test]
    fn record_names_capability_and_grant() {
        let by_policy = |capability| Some(RefusedBy::Policy(capability));
        for (request, grant) in [
            (Request::ReadSecret("a".to_owned()), Some("secret-read=a")),
            (Request::ReadSecret("../a".to_owned()), None),
            (Request::Use(Capability::Notification), Some("notification")),
            (Request::Use(Capability::SecretRead), Some("secret-read=github-token")),
            (Request::ReadConfig(format!("{}…", "k".repeat(9))), None),
        ] {
            let capability = request.capability();
            let record = touch(request, by_policy(capability));
            assert_eq!((record.capability(), &record.grant), (Some(capability), &None));
            assert_eq!(record.least_grant().as_deref(), grant, "{record:?}");
        }
    }
}
