//! One extension as an object: installed, or only looked at.

use std::path::Path;

use core_types::event::EventName;
use core_types::{
    Capabilities, Capability, Config, Digest, EffectiveLimits, ExtensionName, Grant, Limit,
    LimitOrigin, OciReference,
};
use extension_depot::CheckedSignature;
use extension_host::{ExportedFunction, Import};
use schemars::JsonSchema;
use serde::Serialize;

use super::error::ErrorObject;
use crate::outcome::{Asked, DecidedImport, Denied, Info, Inspection, State};

/// An installed extension.
#[derive(Serialize, JsonSchema)]
pub(super) struct ExtensionObject<'a> {
    name: &'a ExtensionName,
    version: Option<&'a str>,
    description: Option<&'a str>,
    /// Where it came from, pinned.
    reference: &'a OciReference,
    binary: BinaryObject<'a>,
    installed_at: Option<&'a str>,
    /// The reference that was given at the install.
    source: Option<&'a str>,
    /// The file.
    manifest: &'a Path,
    state: State,
    /// Whether `update` leaves it alone.
    pinned: bool,
    /// Why it cannot be called.
    problem: Option<&'a str>,
    /// The grants of its manifest, within every policy.
    capabilities: &'a Capabilities,
    /// The private events that a pattern among these does not cover although it looks so.
    uncovered_events: &'a [EventName],
    /// Its requests, with the present decisions.
    asks_for: &'a [Asked],
    /// Timed grants.
    timed: Vec<TimedObject<'a>>,
    /// Grants that a policy denies.
    denied: &'a [Denied],
    limits: Vec<LimitObject<'a>>,
    config: &'a Config,
    signature: Option<&'a CheckedSignature>,
    imports: Vec<DecidedImportObject<'a>>,
    exports: Vec<ExportObject>,
}

/// A WebAssembly binary.
#[derive(Serialize, JsonSchema)]
pub(super) struct BinaryObject<'a> {
    digest: &'a Digest,
    /// In bytes.
    size: u64,
}

/// A grant that ends.
#[derive(Serialize, JsonSchema)]
pub(super) struct TimedObject<'a> {
    grant: &'a Grant,
    /// When it ends, in words.
    until: &'a str,
}

/// A limit that is in force.
#[derive(Serialize, JsonSchema)]
pub(super) struct LimitObject<'a> {
    /// Its key in `[limits]`, or what it limits where it has none.
    name: String,
    /// In the unit of the key.
    value: u64,
    origin: OriginObject<'a>,
}

/// Where a limit was set.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OriginObject<'a> {
    /// In this policy.
    Policy(&'a Path),
    /// Nowhere.
    Default,
    /// In the manifest.
    Manifest,
    /// By the caller.
    Caller,
    /// In sesame itself.
    Fixed,
}

/// An import with the decision about it.
#[derive(Serialize, JsonSchema)]
pub(super) struct DecidedImportObject<'a> {
    name: &'a str,
    /// The capability that it stands for.
    capability: Option<Capability>,
    /// The decision, if the import needs one.
    decided: Option<&'static str>,
}

/// An import.
#[derive(Serialize, JsonSchema)]
pub(super) struct ImportObject<'a> {
    name: &'a str,
    /// The capability that it stands for.
    capability: Option<Capability>,
}

/// An exported function.
#[derive(Serialize, JsonSchema)]
pub(super) struct ExportObject {
    name: String,
    signature: String,
    /// Why it cannot be called.
    uncallable: Option<String>,
}

/// An extension that was looked at without running it.
#[derive(Serialize, JsonSchema)]
pub(super) struct InspectionObject<'a> {
    name: &'a ExtensionName,
    version: &'a str,
    description: Option<&'a str>,
    /// The pinned reference.
    reference: &'a OciReference,
    binary: BinaryObject<'a>,
    /// Its requests, with the present decisions.
    asks_for: &'a [Asked],
    imports: Vec<ImportObject<'a>>,
    exports: Vec<ExportObject>,
    /// The media types of its referrers, such as signatures.
    attached: &'a [String],
    /// Its kind, if it has nothing to call.
    nothing_to_call: Option<&'a str>,
    /// Why `install` refuses it.
    refusal: Option<ErrorObject>,
}

/// Returns the limits that have a key, or all.
pub(super) fn limits(limits: &EffectiveLimits, only_with_key: bool) -> Vec<LimitObject<'_>> {
    let shown = limits.iter().filter(|limit| !only_with_key || limit.name.key().is_some());
    shown.map(LimitObject::from).collect()
}

impl<'a> From<&'a Limit> for LimitObject<'a> {
    fn from(limit: &'a Limit) -> Self {
        let origin = match &limit.origin {
            LimitOrigin::Policy(path) => OriginObject::Policy(path),
            LimitOrigin::Default => OriginObject::Default,
            LimitOrigin::Manifest => OriginObject::Manifest,
            LimitOrigin::Caller => OriginObject::Caller,
            LimitOrigin::Fixed => OriginObject::Fixed,
        };
        let name = limit.name.key().map_or_else(|| limit.name.to_string(), str::to_owned);
        Self { name, value: limit.value, origin }
    }
}

impl<'a> From<&'a Info> for ExtensionObject<'a> {
    fn from(info: &'a Info) -> Self {
        let timed = |(grant, until): &'a (Grant, String)| TimedObject { grant, until };
        let import = |DecidedImport { import, decided }: &'a DecidedImport| DecidedImportObject {
            name: &import.name,
            capability: import.capability,
            decided: *decided,
        };
        Self {
            name: &info.name,
            version: info.version.as_deref(),
            description: info.description.as_deref(),
            reference: &info.reference,
            binary: BinaryObject { digest: &info.binary, size: info.binary_size },
            installed_at: info.installed_at.as_deref(),
            source: info.source.as_deref(),
            manifest: &info.manifest,
            state: info.state,
            pinned: info.pinned,
            problem: info.problem.as_deref(),
            capabilities: &info.capabilities,
            uncovered_events: &info.uncovered_events,
            asks_for: &info.asks_for,
            timed: info.timed.iter().map(timed).collect(),
            denied: &info.denied,
            limits: limits(&info.limits, false),
            config: &info.config,
            signature: info.signature.as_ref(),
            imports: info.imports.iter().map(import).collect(),
            exports: info.exports.iter().map(ExportObject::from).collect(),
        }
    }
}

impl From<&ExportedFunction> for ExportObject {
    fn from(function: &ExportedFunction) -> Self {
        Self {
            name: function.qualified_name(),
            signature: function.signature(),
            uncallable: function.uncallable.as_ref().map(ToString::to_string),
        }
    }
}

impl<'a> From<&'a Inspection> for InspectionObject<'a> {
    fn from(inspection: &'a Inspection) -> Self {
        let import =
            |import: &'a Import| ImportObject { name: &import.name, capability: import.capability };
        Self {
            name: &inspection.name,
            version: &inspection.version,
            description: inspection.description.as_deref(),
            reference: &inspection.reference,
            binary: BinaryObject { digest: &inspection.binary, size: inspection.binary_size },
            asks_for: &inspection.asks_for,
            imports: inspection.imports.iter().map(import).collect(),
            exports: inspection.exports.iter().map(ExportObject::from).collect(),
            attached: &inspection.attached,
            nothing_to_call: inspection.nothing_to_call.as_deref(),
            refusal: inspection.refusal.as_ref().map(ErrorObject::from),
        }
    }
}
