//! Reports about extensions, calls, the configuration and the machine.

use std::fmt;
use std::path::PathBuf;

use core_types::event::EventName;
use core_types::{
    Authority, Capabilities, Capability, Config, DeclaredSetting, Digest, EffectiveLimits,
    ExtensionName, Grant, LimitName, Limits, OciReference, Owner, Request, TouchRecord, UnknownKey,
    Verdict, decide, with_causes,
};
use extension_depot::{CheckedSignature, PinnedSigner, TrustedSigner};
use extension_host::{ExportedFunction, Import, Returned, Usage, boot_time};
pub use extension_manager::Health;
use extension_manager::{Ask, Prospect, Requests};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::installation::Denied;
use crate::consent::RequestText;
use crate::failure::Failure;
use crate::terminal::MAX_WARNINGS;

/// Whose signatures count, and who signed first.
pub struct Trust {
    pub signers: Vec<TrustedSigner>,
    pub first_uses: Vec<PinnedSigner>,
}

/// One value that is configured.
#[derive(JsonSchema, Serialize)]
pub struct ConfigValue {
    pub key: String,
    pub value: String,
    /// The file and line, or that it is a variable.
    pub origin: String,
}

/// The problems of one file.
#[derive(JsonSchema, Serialize)]
pub struct FileCheck {
    pub path: PathBuf,
    pub problem: Option<String>,
    /// Keys that do nothing.
    pub warnings: Vec<String>,
}

impl FileCheck {
    pub fn new(path: PathBuf, result: Result<Vec<UnknownKey>, impl std::error::Error>) -> Self {
        match result {
            Ok(unknown) => Self { path, problem: None, warnings: warnings(&unknown) },
            Err(error) => Self { path, problem: Some(with_causes(&error)), warnings: Vec::new() },
        }
    }
}

/// Returns the first unknown keys, and the number of further ones.
fn warnings(unknown: &[UnknownKey]) -> Vec<String> {
    let shown = unknown.iter().take(MAX_WARNINGS).map(ToString::to_string);
    let more = unknown.len().saturating_sub(MAX_WARNINGS);
    shown.chain((more > 0).then(|| format!("{more} more unknown keys do nothing"))).collect()
}

/// The diagnosis of one thing that sesame needs.
#[derive(JsonSchema, Serialize)]
pub struct Diagnosis {
    pub what: String,
    pub health: Health,
    pub finding: String,
    /// What fixes it, where something does.
    pub fix: Option<String>,
}

impl Diagnosis {
    /// Reports a thing as it should be.
    pub fn good(what: impl Into<String>, finding: impl Into<String>) -> Self {
        Self { what: what.into(), health: Health::Good, finding: finding.into(), fix: None }
    }

    /// Reports something that does not work.
    pub fn bad(what: impl Into<String>, finding: impl Into<String>, fix: Option<String>) -> Self {
        Self { what: what.into(), health: Health::Bad, finding: finding.into(), fix }
    }

    /// Reports something that works with a restriction, or might not work.
    pub fn warning(
        what: impl Into<String>,
        finding: impl Into<String>,
        fix: Option<String>,
    ) -> Self {
        Self { what: what.into(), health: Health::Warning, finding: finding.into(), fix }
    }
}

/// One line of the list.
#[derive(JsonSchema, Serialize)]
pub struct Row {
    pub name: ExtensionName,
    pub version: Option<String>,
    pub reference: Option<OciReference>,
    /// The grants in force: those of the manifest, within every policy.
    pub capabilities: Vec<Capability>,
    /// Grants of the manifest that a policy denies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub denied_by_policy: Vec<Capability>,
    pub limits: Limits,
    pub state: State,
    /// The problem of a broken, quarantined or stopped extension.
    pub problem: Option<String>,
}

/// Whether an extension can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Enabled,
    Disabled,
    Quarantined,
    StoppedByPolicy,
    NotInstalled,
    Broken,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Quarantined => "quarantined",
            Self::StoppedByPolicy => "stopped by policy",
            Self::NotInstalled => "not installed",
            Self::Broken => "broken",
        }
    }
}

/// A call that returned.
pub struct Call {
    pub returned: Returned,
    pub usage: Usage,
    pub limits: EffectiveLimits,
    /// The output of the guest, shown with `--verbose`.
    pub output: Vec<u8>,
    pub with_stats: bool,
}

/// All that is known of an extension.
pub struct Info {
    pub name: ExtensionName,
    pub version: Option<String>,
    pub description: Option<String>,
    pub reference: OciReference,
    pub binary: Digest,
    pub binary_size: u64,
    pub installed_at: Option<String>,
    pub source: Option<String>,
    pub manifest: PathBuf,
    pub state: State,
    /// Whether `update` leaves it alone.
    pub pinned: bool,
    /// The reason of its quarantine, or the policy that stops it.
    pub problem: Option<String>,
    /// The grants of the manifest, within every policy.
    pub capabilities: Capabilities,
    /// The private events that a pattern among these does not cover although it looks so.
    pub uncovered_events: Vec<EventName>,
    /// The requests of its author and of its imports, with the present decisions.
    pub asks_for: Vec<Asked>,
    /// Timed grants, with their ends.
    pub timed: Vec<(Grant, String)>,
    /// Grants of the manifest or of this session that a policy denies.
    pub denied: Vec<Denied>,
    pub limits: EffectiveLimits,
    pub config: Config,
    /// The state of its signature at the last check.
    pub signature: Option<CheckedSignature>,
    pub imports: Vec<DecidedImport>,
    /// The functions, those that cannot be called too.
    pub exports: Vec<ExportedFunction>,
}

/// An import, with its decision if it needs one.
pub struct DecidedImport {
    pub import: Import,
    pub decided: Option<&'static str>,
}

/// The settings and limits of an extension.
#[derive(JsonSchema, Serialize)]
pub struct Settings {
    /// Declared settings, and other values that are set.
    pub rows: Vec<SettingRow>,
    #[serde(skip)]
    pub limits: EffectiveLimits,
}

/// One key of `[config]`.
#[derive(JsonSchema, Serialize)]
pub struct SettingRow {
    pub key: String,
    /// The value, if one is set.
    pub value: Option<String>,
    /// The author's description.
    pub declared: Option<DeclaredSetting>,
}

/// The least that a call needed.
#[derive(JsonSchema, Serialize)]
pub struct Learned {
    pub name: ExtensionName,
    /// The result of the call, or the reason of its failure.
    pub result: Result<String, String>,
    pub capabilities: Capabilities,
    /// Unused imports, whose scope is unknown.
    pub unscoped: Vec<Capability>,
    /// The refusals.
    pub refused: Vec<TouchRecord>,
    #[serde(serialize_with = "limits_by_key")]
    #[schemars(with = "std::collections::BTreeMap<String, u64>")]
    pub limits: Vec<(LimitName, u64)>,
    /// Whether it is in the manifest now.
    pub written: bool,
}

fn limits_by_key<S: serde::Serializer>(
    limits: &[(LimitName, u64)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(limits.iter().filter_map(|(name, value)| Some((name.key()?, value))))
}

/// Something that an extension was refused.
#[derive(JsonSchema, Serialize)]
pub struct Refusal {
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// What was refused, or `event NAME` for one that was dropped or has to wait.
    pub what: String,
    /// Why, and where that stands.
    pub rule: String,
    /// What to grant, where that helps.
    pub grant: Option<String>,
    pub is_granted_now: bool,
}

/// The facts about an extension without running it.
pub struct Inspection {
    pub name: ExtensionName,
    pub version: String,
    pub description: Option<String>,
    pub reference: OciReference,
    pub binary: Digest,
    pub binary_size: u64,
    pub imports: Vec<Import>,
    pub asks_for: Vec<Asked>,
    /// The functions, those that cannot be called too.
    pub exports: Vec<ExportedFunction>,
    /// The media types of its referrers, such as signatures and bills of materials.
    pub attached: Vec<String>,
    /// Its kind, if it has nothing to call.
    pub nothing_to_call: Option<String>,
    /// Why `install` refuses it.
    pub refusal: Option<Failure>,
}

/// A request of an extension, with the present decision.
#[derive(Clone, JsonSchema, Serialize)]
pub struct Asked {
    #[serde(flatten)]
    pub request: RequestText,
    pub verdict: Verdict,
    /// By which rule, and where that stands.
    pub rule: String,
}

/// The request in a line, with the decision behind it.
impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Allow => "allowed",
            Verdict::Deny => "refused",
            Verdict::Ask => "would be asked",
        };
        write!(f, "{}; {verdict}, {}", self.request, self.rule)
    }
}

impl Asked {
    /// Decides about each request of an extension, as for a call now.
    pub fn all(requests: &Requests, owner: &Owner, authority: &Authority) -> Vec<Self> {
        let asked = |ask: Ask| {
            let request = match &ask.request {
                extension_manager::Asked::Grant(grant) => Request::of_grant(grant),
                extension_manager::Asked::WithoutScope(capability) => Request::Use(*capability),
            };
            let decision = decide(&request, authority, boot_time());
            let (verdict, rule) = (decision.verdict, decision.to_string());
            Self { request: RequestText::new(&ask, owner), verdict, rule }
        };
        requests.asks().map(asked).collect()
    }

    /// Describes a request of a list with the decision that is to be expected.
    pub fn expected(prospect: Prospect, owner: &Owner) -> Self {
        let Prospect { ask, verdict, rule } = prospect;
        Self { request: RequestText::new(&ask, owner), verdict, rule }
    }

    /// Describes a request that is not granted.
    pub fn ungranted(denied: &Denied, owner: &Owner) -> Self {
        let (verdict, rule) = match &denied.policy {
            Some(rule) => (Verdict::Deny, rule.clone()),
            None => (Verdict::Ask, "not decided yet".to_owned()),
        };
        Self { request: RequestText::of_denied(denied, owner), verdict, rule }
    }
}

/// Something that is so now.
#[derive(JsonSchema, Serialize)]
pub struct Change {
    /// The present state, as a sentence without a full stop.
    pub now: String,
    /// Whether it was not so before.
    pub changed: bool,
    /// The granted permission in words, by `grant`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestText>,
}

impl Change {
    /// Makes one from a sentence without a full stop, and whether it was not so before.
    pub fn new(now: String, changed: bool) -> Self {
        Self { now, changed, request: None }
    }
}

/// What verifying found of one extension.
#[derive(JsonSchema, Serialize)]
pub struct Check {
    /// The name of an extension, or a reference.
    pub name: String,
    /// The state of its signature, if it was verified.
    pub signature: Option<String>,
    /// When that was found, as RFC 3339 in UTC, where it was not found just now.
    pub checked_at: Option<String>,
    /// The remaining problems.
    pub findings: Vec<String>,
    /// The repairs.
    pub repaired: Vec<String>,
}

impl Check {
    /// Makes one without findings.
    pub fn of(name: String) -> Self {
        Self { name, signature: None, checked_at: None, findings: Vec::new(), repaired: Vec::new() }
    }
}

/// Splits a line of an extension's log into its time and the rest, which begins with the blank
/// before the function.
pub fn split_log_line(line: &[u8]) -> Option<(Timestamp, &[u8])> {
    let end = line.iter().position(|byte| *byte == b' ')?;
    let (seconds, rest) = line.split_at(end);
    let seconds = std::str::from_utf8(seconds).ok()?.parse().ok()?;
    Some((Timestamp::from_second(seconds).ok()?, rest))
}
