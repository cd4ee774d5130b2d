//! What was found out: about extensions, calls, the configuration and the machine.

use std::path::PathBuf;

use core_types::{
    Capabilities, Capability, Config, DeclaredSetting, Digest, EffectiveLimits, ExtensionName,
    Grant, LimitName, Limits, OciReference, TouchRecord, UnknownKey, Verdict,
};
use extension_depot::{CheckedSignature, FirstUse, TrustedSigner};
use extension_host::{ExportedFunction, Import, Returned, Usage};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::installation::Denied;
use crate::failure::Failure;
use crate::warnings::MAX_WARNINGS;

/// Whose signatures count, and who signed first.
pub struct Trust {
    pub signers: Vec<TrustedSigner>,
    pub first_uses: Vec<FirstUse>,
}

/// One value that is configured.
#[derive(JsonSchema, Serialize)]
pub struct ConfigValue {
    pub key: String,
    pub value: String,
    /// The file and line, or that it is a variable.
    pub origin: String,
}

/// What is wrong in one file.
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

/// The first keys that do nothing, and how many more there are.
fn warnings(unknown: &[UnknownKey]) -> Vec<String> {
    let shown = unknown.iter().take(MAX_WARNINGS).map(ToString::to_string);
    let more = unknown.len().saturating_sub(MAX_WARNINGS);
    shown.chain((more > 0).then(|| format!("{more} more unknown keys do nothing"))).collect()
}

/// An error and what caused it, since a message does not repeat its cause.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What was found of one thing that sesame needs.
#[derive(JsonSchema, Serialize)]
pub struct Diagnosis {
    pub what: String,
    pub health: Health,
    pub finding: String,
    /// What fixes it, where something does.
    pub fix: Option<String>,
}

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    Good,
    /// It works, but not all of it.
    Warning,
    Bad,
}

impl Health {
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

/// One line of the list.
#[derive(JsonSchema, Serialize)]
pub struct Row {
    pub name: ExtensionName,
    pub version: Option<String>,
    pub reference: Option<OciReference>,
    /// What is in force: what the manifest grants, within every policy.
    pub capabilities: Vec<Capability>,
    /// What the manifest grants and a policy denies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub denied_by_policy: Vec<Capability>,
    pub limits: Limits,
    pub state: State,
    /// What is wrong, for a broken one, for one that was put aside and for one that policy stops.
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
    /// What the guest printed, for those who asked to be told more.
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
    /// Why it was put aside, or what policy stops it, if that is so.
    pub problem: Option<String>,
    /// What the manifest grants, within every policy.
    pub capabilities: Capabilities,
    /// What is granted for a while, with when that ends.
    pub timed: Vec<(Grant, String)>,
    /// What the manifest or this session grants and a policy denies.
    pub denied: Vec<Denied>,
    pub limits: EffectiveLimits,
    pub config: Config,
    /// What was known of who signed it when that was looked at.
    pub signature: Option<CheckedSignature>,
    pub imports: Vec<DecidedImport>,
    /// The functions, those that cannot be called too.
    pub exports: Vec<ExportedFunction>,
}

/// An import, and what is decided about it, where something has to be.
pub struct DecidedImport {
    pub import: Import,
    pub decided: Option<&'static str>,
}

/// What can be set of an extension.
#[derive(JsonSchema, Serialize)]
pub struct Settings {
    /// What its author declares, and what else is set.
    pub rows: Vec<SettingRow>,
    #[serde(skip)]
    pub limits: EffectiveLimits,
}

/// One key of `[config]`.
#[derive(JsonSchema, Serialize)]
pub struct SettingRow {
    pub key: String,
    /// What is set, if anything is.
    pub value: Option<String>,
    /// What its author says of it.
    pub declared: Option<DeclaredSetting>,
}

/// The least that a call needed.
#[derive(JsonSchema, Serialize)]
pub struct Learned {
    pub name: ExtensionName,
    /// What the call gave, or why it gave nothing.
    pub result: Result<String, String>,
    pub capabilities: Capabilities,
    /// What it imports and did not use, so that it is not known how far that has to reach.
    pub unscoped: Vec<Capability>,
    /// What was refused.
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
pub struct RefusedThing {
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    pub what: String,
    /// Why, and where that stands.
    pub rule: String,
    /// What to grant, where that helps.
    pub grant: Option<String>,
    pub is_granted_now: bool,
}

/// What can be known of an extension without running it.
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
    /// The media types of what refers to it, such as signatures and bills of materials.
    pub attached: Vec<String>,
    /// What it is, if it has nothing to call.
    pub nothing_to_call: Option<String>,
    /// Why `install` refuses it.
    pub refusal: Option<Failure>,
}

/// Something that an extension asks for, and what would be decided now.
#[derive(JsonSchema, Serialize)]
pub struct Asked {
    pub what: String,
    pub verdict: Verdict,
    /// By which rule, and where that stands.
    pub rule: String,
}

/// Something that is so now.
#[derive(JsonSchema, Serialize)]
pub struct Change {
    /// What is so now, as a sentence without a full stop.
    pub now: String,
    /// Whether it was not so before.
    pub changed: bool,
}

/// What verifying found of one extension.
#[derive(JsonSchema, Serialize)]
pub struct Check {
    /// The name of an extension, or a reference.
    pub name: String,
    /// What is known of who signed it, where somebody wanted to know.
    pub signature: Option<String>,
    /// When that was found, as RFC 3339 in UTC, where it was not found just now.
    pub checked_at: Option<String>,
    /// What is wrong still.
    pub findings: Vec<String>,
    /// What was mended.
    pub repaired: Vec<String>,
}

impl Check {
    /// One that has found nothing yet.
    pub fn of(name: String) -> Self {
        Self { name, signature: None, checked_at: None, findings: Vec::new(), repaired: Vec::new() }
    }
}

/// A line of an extension's log: when it was printed, and the rest of it, which begins with the
/// blank before the function.
pub fn split_log_line(line: &[u8]) -> Option<(Timestamp, &[u8])> {
    let end = line.iter().position(|byte| *byte == b' ')?;
    let (seconds, rest) = line.split_at(end);
    let seconds = std::str::from_utf8(seconds).ok()?.parse().ok()?;
    Some((Timestamp::from_second(seconds).ok()?, rest))
}
