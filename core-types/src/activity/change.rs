//! Changes of extensions, grants and trust, as the activity log has them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::activity::CallRecord;

/// One line of the activity log: a call, or a change.
///
/// A line without `kind` is a call, as every line was before changes were logged.
///
/// ```
/// use core_types::{ActivityEvent, ChangeKind, ChangeOutcome, ChangeRecord};
///
/// let granted = ChangeRecord {
///     granted: vec!["notification".to_owned()],
///     ..ChangeRecord::of(ChangeKind::Grant, "weather", "ghcr.io/my-org/weather")
/// };
/// assert_eq!(granted.outcome, ChangeOutcome::Done);
/// let event = ActivityEvent::from(granted);
/// assert_eq!((event.kind(), event.extension()), ("grant", "weather"));
/// ```
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ActivityEvent {
    /// Something was changed, or a policy refused it.
    Change(ChangeRecord),
    /// An extension was called.
    Call(CallRecord),
}

/// A change that was made, or that a policy refused.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRecord {
    /// The kind of change.
    pub kind: ChangeKind,
    /// The extension; empty where the change is about a place, as with trust.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub extension: String,
    /// Where the extension comes from, or the place.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub identity: String,
    /// Whether it was made.
    pub outcome: ChangeOutcome,
    /// The new artifact, installed or refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The new grants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub granted: Vec<String>,
    /// The revoked grants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<String>,
    /// The signer, where it is about trust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The kind of change.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It was installed.
    Install,
    /// It was replaced by a newer version.
    Update,
    /// It was restored from an earlier generation.
    Rollback,
    /// It was removed.
    Remove,
    /// It was given permissions.
    Grant,
    /// Permissions were taken away.
    Revoke,
    /// It was enabled.
    Enable,
    /// It was disabled.
    Disable,
    /// It is kept at its version.
    Pin,
    /// It is updated again.
    Unpin,
    /// The registry has the bytes that a bundle named.
    Confirm,
    /// Its settings or limits were changed.
    Configure,
    /// Its manifest was edited.
    Edit,
    /// A signer is trusted for a place.
    Trust,
    /// A signer is not trusted any more.
    Distrust,
    /// The next signer of a repository is taken, whoever that is.
    AcceptSigner,
}

/// Whether a change was made.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeOutcome {
    /// It was.
    Done,
    /// A policy refused it.
    Refused,
}

impl ChangeRecord {
    /// A change that was made, of which nothing more is known.
    pub fn of(kind: ChangeKind, extension: &str, identity: &str) -> Self {
        Self {
            kind,
            extension: extension.to_owned(),
            identity: identity.to_owned(),
            outcome: ChangeOutcome::Done,
            reference: None,
            granted: Vec::new(),
            revoked: Vec::new(),
            signer: None,
            reason: None,
        }
    }

    /// A change that a policy refused.
    pub fn refused(kind: ChangeKind, extension: &str, identity: &str, reason: &str) -> Self {
        Self {
            outcome: ChangeOutcome::Refused,
            reason: Some(reason.to_owned()),
            ..Self::of(kind, extension, identity)
        }
    }
}

impl ActivityEvent {
    /// The name of what happened: `call`, or the kind of the change.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Call(_) => "call",
            Self::Change(change) => change.kind.name(),
        }
    }

    /// The name of the extension; empty where none is concerned.
    pub fn extension(&self) -> &str {
        match self {
            Self::Call(call) => &call.extension,
            Self::Change(change) => &change.extension,
        }
    }

    /// The call by itself, if it is one.
    pub fn into_call(self) -> Option<CallRecord> {
        match self {
            Self::Call(call) => Some(call),
            Self::Change(_) => None,
        }
    }

    /// The call, if it is one.
    pub fn call(&self) -> Option<&CallRecord> {
        match self {
            Self::Call(call) => Some(call),
            Self::Change(_) => None,
        }
    }
}

impl From<CallRecord> for ActivityEvent {
    fn from(call: CallRecord) -> Self {
        Self::Call(call)
    }
}

impl From<ChangeRecord> for ActivityEvent {
    fn from(change: ChangeRecord) -> Self {
        Self::Change(change)
    }
}

impl ChangeKind {
    /// The name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Update => "update",
            Self::Rollback => "rollback",
            Self::Remove => "remove",
            Self::Grant => "grant",
            Self::Revoke => "revoke",
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Pin => "pin",
            Self::Unpin => "unpin",
            Self::Confirm => "confirm",
            Self::Configure => "configure",
            Self::Edit => "edit",
            Self::Trust => "trust",
            Self::Distrust => "distrust",
            Self::AcceptSigner => "accept-signer",
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line that was written before changes were logged.
    const OLD_CALL: &str = r#"{"extension":"x","identity":"ghcr.io/o/x","function":"f",
        "outcome":"returned","touches":[],"fuel":7,"peak_memory_bytes":8,"elapsed_us":9}"#;

    #[test]
    fn line_without_kind_is_a_call() {
        let event: ActivityEvent = serde_json::from_str(OLD_CALL).expect("readable");
        assert_eq!((event.kind(), event.extension()), ("call", "x"));
        assert_eq!(event.call().map(|call| call.fuel), Some(7));
    }

    #[test]
    fn change_is_read_back() {
        let change = ChangeRecord {
            granted: vec!["notification".to_owned()],
            ..ChangeRecord::refused(ChangeKind::AcceptSigner, "x", "ghcr.io/o/x", "because")
        };
        let text = serde_json::to_string(&ActivityEvent::from(change.clone())).expect("JSON");
        let kind = format!("\"kind\":\"{}\"", change.kind.name());
        assert!(text.contains(&kind), "{text}");
        assert_eq!(
            serde_json::from_str::<ActivityEvent>(&text).expect("readable"),
            ActivityEvent::Change(change)
        );
    }
}
