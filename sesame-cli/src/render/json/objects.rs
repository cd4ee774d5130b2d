//! The members of each command's object.

use std::path::{Path, PathBuf};

use core_types::{ActivityEvent, CallRecord, ChangeRecord, IdentityRule, OciReference, StorageKey};
use extension_depot::registry::{KeptLogin, LoginStore};
use extension_depot::{
    ActivityEntry, ActivityFinding, Orphan, PinnedSigner, TrustAnchor, TrustedSigner,
};
use extension_host::{Returned, ValidationProblem};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::extension::{ExtensionObject, InspectionObject, LimitObject};
use crate::outcome::{
    Change, Check, Collection, ConfigValue, DeliveredEvent, DeliveryRow, Diagnosis, EventRow,
    FileCheck, Freshness, Installation, Learned, PastGeneration, Refusal, Removal, Rollback, Row,
    ServiceInstallation, SessionService, SettingRow, Step, StorageReport, TestedFile, Trust,
    Update,
};

/// Defines the members of objects that have just one.
macro_rules! members {
    ($($(#[$doc:meta])* $name:ident { $(#[$field_doc:meta])* $field:ident: $type:ty })+) => {$(
        $(#[$doc])*
        #[derive(Serialize, JsonSchema)]
        pub(super) struct $name<'a> {
            $(#[$field_doc])*
            pub $field: $type,
        }
    )+};
}

members! {
    /// `list`
    Listed {
        /// Every manifest, in the order of the names.
        extensions: &'a [Row]
    }
    /// `install`, `import`
    Installed {
        /// The extension, or several.
        installed: InstalledObject<'a>
    }
    /// `info`
    Known {
        /// Everything about the extension.
        extension: ExtensionObject<'a>
    }
    /// `inspect`
    Inspected {
        /// The facts and requests of the extension.
        inspection: InspectionObject<'a>
    }
    /// `remove`
    Removed {
        /// The extensions that are gone.
        removed: &'a [Removal]
    }
    /// `enable`, `grant`, `set`, `login` and others that change one thing
    Changed {
        /// What holds now.
        changes: &'a [Change]
    }
    /// `verify`
    Verified {
        /// The findings for each.
        verified: &'a [Check]
    }
    /// `call --learn`
    LearnedNeeds {
        /// The least that the call needed.
        learned: &'a Learned
    }
    /// `secret list`
    Secrets {
        /// The names.
        secrets: &'a [String]
    }
    /// `storage`
    Storage {
        /// The keys, with the sizes of their values.
        storage: &'a StorageReport
    }
    /// `storage get`
    Stored {
        /// The key with its value.
        stored: StoredObject<'a>
    }
    /// `session install`
    Service {
        /// The files that start the session service.
        service: &'a ServiceInstallation
    }
    /// `list --orphans`
    Orphans {
        /// The data of extensions that are not installed.
        orphans: Vec<OrphanObject<'a>>
    }
    /// `activity`
    Activity {
        /// Calls and changes, the oldest first.
        activity: Vec<LoggedObject<'a>>
    }
    /// `activity verify`
    ActivityVerified {
        /// The state of the log.
        verified: LogCheck<'a>
    }
    /// `why`
    Why {
        /// Recent refusals, the latest first.
        refused: &'a [Refusal]
    }
    /// `trigger`
    Delivered {
        /// The event that the extension handled.
        delivered: &'a DeliveredEvent
    }
    /// `outdated`
    Outdated {
        /// Each extension compared with its registry.
        outdated: &'a [Freshness]
    }
    /// `update`
    Updated {
        /// The completed or planned updates.
        updated: &'a [Update]
    }
    /// `history`
    History {
        /// The generations, the newest first.
        history: &'a [PastGeneration]
    }
    /// `rollback`
    RolledBack {
        /// The restored generation.
        rolled_back: &'a Rollback
    }
    /// `gc`
    Collected {
        /// The removed generations and files, or the planned ones.
        collected: &'a Collection
    }
    /// `config show`
    Configured {
        /// Every value that is configured.
        config: &'a [ConfigValue]
    }
    /// `config validate`
    Validated {
        /// Each file with its problems.
        files: &'a [FileCheck]
    }
    /// `doctor`
    Diagnosed {
        /// The diagnosis of each thing.
        diagnoses: &'a [Diagnosis]
    }
    /// `registry list`
    Logins {
        /// The logins.
        logins: Vec<LoginObject<'a>>
    }
    /// `trust list`
    Trusted {
        /// Trusted and pinned signers.
        trust: TrustObject<'a>
    }
    /// `registry tags`
    Tags {
        /// The tags, the newest version first.
        tags: &'a [String]
    }
    /// `sync`
    Synced {
        /// What each extension took, or would take.
        steps: &'a [Step]
    }
    /// `new`, `build`, `export`, `man` and others that write files
    Written {
        /// The files.
        written: &'a [PathBuf]
    }
    /// `test`, `wasi test`
    Tested {
        /// The files with their tests.
        tests: &'a [TestedFile]
    }
    /// `docs --list`
    Pages {
        /// The paths of all pages.
        pages: &'a [String]
    }
    /// `schema`
    Schemas {
        /// The names of all schemas.
        schemas: &'a [String]
    }
    /// `schema NAME`
    OneSchema {
        /// The schema.
        schema: &'a Value
    }
    /// `completions`
    Script {
        /// The script.
        script: &'a str
    }
    /// `workload validate`
    Problems {
        /// The problems of the workload; empty when it is valid.
        problems: Vec<ProblemObject<'a>>
    }
    /// `workload default`, `workload sync`
    Workload {
        /// The workload as it is now.
        workload: &'a Value
    }
    /// `workload delete`
    Deleted {
        /// Why the extension could not clean up.
        error: Option<&'a str>
    }
}

/// `events`
#[derive(Serialize, JsonSchema)]
pub(super) struct Events<'a> {
    /// What wakes the extension, or could.
    pub events: &'a [EventRow],
    /// The last deliveries with `--log`, the latest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliveries: Option<&'a [DeliveryRow]>,
}

/// `session status`
#[derive(Serialize, JsonSchema)]
pub(super) struct Session<'a> {
    /// The service; nothing when none runs.
    pub service: Option<&'a SessionService>,
}

/// `session emit`
#[derive(Serialize, JsonSchema)]
pub(super) struct Emitted {
    /// The number of extensions that the event reaches.
    pub reached: u32,
}

/// `session stop`
#[derive(Serialize, JsonSchema)]
pub(super) struct Stopped {
    /// Whether a service ran.
    pub stopped: bool,
}

/// One extension, or several.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum InstalledObject<'a> {
    One(&'a Installation),
    Several(&'a [Installation]),
}

impl<'a> From<&'a [Installation]> for InstalledObject<'a> {
    fn from(all: &'a [Installation]) -> Self {
        match all {
            [one] => Self::One(one),
            all => Self::Several(all),
        }
    }
}

/// `call`. It is serialized at once, since bytes as values would take many times their size.
#[derive(Serialize, JsonSchema)]
pub(super) struct Called<'a> {
    /// The result as JSON.
    #[schemars(with = "Value")]
    pub result: &'a Returned,
    pub schema_version: super::envelope::SchemaVersion,
    /// The resources that the call used.
    pub usage: UsageObject,
    /// Warnings that a person would have seen on standard error.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// The resources that a call used.
#[derive(Serialize, JsonSchema)]
pub(super) struct UsageObject {
    /// Wall-clock time in milliseconds.
    pub elapsed_ms: f64,
    /// Units of fuel.
    pub fuel: u64,
    /// The most bytes of all linear memories.
    pub memory_bytes: usize,
    /// Bytes written to files.
    pub written_bytes: u64,
}

/// `set --list`
#[derive(Serialize, JsonSchema)]
pub(super) struct Settings<'a> {
    /// Declared settings, and other values that are set.
    pub settings: &'a [SettingRow],
    /// The limits in force.
    pub limits: Vec<LimitObject<'a>>,
}

/// `publish`, `wasi publish`
#[derive(Serialize, JsonSchema)]
pub(super) struct Published<'a> {
    /// The reference, pinned to the published bytes.
    pub reference: &'a OciReference,
    /// Whether exactly this was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub already: Option<bool>,
    /// The image manifest that would be published, with `--dry-run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Value>,
}

/// `docs`
#[derive(Serialize, JsonSchema)]
pub(super) struct Page<'a> {
    /// The path of the page.
    pub page: &'a str,
    /// Its Markdown.
    pub text: &'a str,
    /// The paths of all pages.
    pub pages: &'a [String],
}

/// `logs`
#[derive(Serialize, JsonSchema)]
pub(super) struct Log<'a> {
    /// The lines as they stand in the file, with seconds since 1970 in front.
    pub log: std::borrow::Cow<'a, str>,
    /// The lines with their times.
    pub entries: Vec<LogEntry>,
}

/// A line of a log.
#[derive(Serialize, JsonSchema)]
pub(super) struct LogEntry {
    /// When it was printed.
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// The function and the text.
    pub text: String,
}

/// The state of the activity log.
#[derive(Serialize, JsonSchema)]
pub(super) struct LogCheck<'a> {
    /// How many lines it has.
    pub lines: usize,
    /// The changed parts.
    pub findings: &'a [ActivityFinding],
}

/// A line of the activity log.
#[derive(Serialize, JsonSchema)]
pub(super) struct LoggedObject<'a> {
    /// Its number, counted from 1 over all files.
    pub number: u64,
    /// The SHA-256 of the line before it, in hexadecimal digits.
    pub previous: &'a str,
    /// When it happened.
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// What of the log was repaired before this line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mended: Option<&'a str>,
    #[serde(flatten)]
    pub event: EventObject<'a>,
}

/// A change, or a call.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum EventObject<'a> {
    Change(&'a ChangeRecord),
    Call(CallObject<'a>),
}

/// A call, which says so as changes do.
#[derive(Serialize, JsonSchema)]
pub(super) struct CallObject<'a> {
    pub kind: CallKind,
    #[serde(flatten)]
    pub call: &'a CallRecord,
}

/// The kind of a line that is not a change.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CallKind {
    Call,
}

impl<'a> From<&'a ActivityEntry> for LoggedObject<'a> {
    fn from(entry: &'a ActivityEntry) -> Self {
        Self {
            number: entry.number,
            previous: &entry.previous,
            at: entry.at.to_string(),
            mended: entry.mended.as_deref(),
            event: match &entry.event {
                ActivityEvent::Change(change) => EventObject::Change(change),
                ActivityEvent::Call(call) => {
                    EventObject::Call(CallObject { kind: CallKind::Call, call })
                }
            },
        }
    }
}

/// A login that is kept.
#[derive(Serialize, JsonSchema)]
pub(super) struct LoginObject<'a> {
    /// The registry.
    pub registry: &'a str,
    /// The file; nothing for the Secret Service.
    pub file: Option<&'a std::path::Path>,
}

impl<'a> From<&'a KeptLogin> for LoginObject<'a> {
    fn from(login: &'a KeptLogin) -> Self {
        let file = match &login.store {
            LoginStore::SecretService => None,
            LoginStore::File(path) => Some(path.as_path()),
        };
        Self { registry: &login.registry, file }
    }
}

/// Trusted and pinned signers.
#[derive(Serialize, JsonSchema)]
pub(super) struct TrustObject<'a> {
    /// The signers that are trusted, each for a place.
    pub signers: Vec<SignerObject<'a>>,
    /// The signers that were first for a repository.
    pub first_uses: &'a [PinnedSigner],
}

/// A trusted signer.
#[derive(Serialize, JsonSchema)]
pub(super) struct SignerObject<'a> {
    /// The place.
    #[serde(rename = "for")]
    pub place: &'a core_types::OciPrefix,
    #[serde(flatten)]
    pub proof: ProofObject<'a>,
}

/// The proof of a signer's identity.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum ProofObject<'a> {
    Key {
        /// The digest of the public key.
        key: &'a core_types::Digest,
    },
    Identity {
        /// The identity in the certificate.
        identity: &'a str,
        /// The issuer of the identity.
        issuer: &'a str,
        /// The file of the trusted root.
        trusted_root: &'a std::path::Path,
    },
}

impl<'a> From<&'a Trust> for TrustObject<'a> {
    fn from(trust: &'a Trust) -> Self {
        let signer = |TrustedSigner { place, proof }: &'a TrustedSigner| SignerObject {
            place,
            proof: match proof {
                TrustAnchor::Key { fingerprint, .. } => ProofObject::Key { key: fingerprint },
                TrustAnchor::Identity(IdentityRule { identity, issuer, trusted_root }) => {
                    ProofObject::Identity { identity, issuer, trusted_root }
                }
            },
        };
        Self { signers: trust.signers.iter().map(signer).collect(), first_uses: &trust.first_uses }
    }
}

/// Something that is wrong with a workload.
#[derive(Serialize, JsonSchema)]
pub(super) struct ProblemObject<'a> {
    /// Where.
    pub path: &'a str,
    /// What.
    pub detail: &'a str,
    /// The value there.
    pub value: &'a str,
}

impl<'a> From<&'a ValidationProblem> for ProblemObject<'a> {
    fn from(problem: &'a ValidationProblem) -> Self {
        Self { path: &problem.path, detail: &problem.detail, value: &problem.value }
    }
}

/// The value of a key in a storage.
#[derive(Serialize, JsonSchema)]
pub(super) struct StoredObject<'a> {
    key: &'a StorageKey,
    /// The value as text, where it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    /// The value as numbers of bytes, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<&'a [u8]>,
}

impl<'a> StoredObject<'a> {
    pub(super) fn new(key: &'a StorageKey, value: &'a [u8]) -> Self {
        let text = std::str::from_utf8(value).ok();
        Self { key, text, bytes: text.is_none().then_some(value) }
    }
}

/// The data of an extension that is not installed.
#[derive(Serialize, JsonSchema)]
pub(super) struct OrphanObject<'a> {
    /// The identity of the extension; nothing where the data is damaged.
    identity: Option<&'a str>,
    path: &'a Path,
    /// The bytes of its files.
    size: u64,
}

impl<'a> From<&'a Orphan> for OrphanObject<'a> {
    fn from(orphan: &'a Orphan) -> Self {
        let Orphan { identity, path, size } = orphan;
        Self { identity: identity.as_deref(), path, size: *size }
    }
}
