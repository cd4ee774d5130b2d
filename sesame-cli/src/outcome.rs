//! What commands give back. Everything that is shown comes from here.

use std::path::PathBuf;

use core_types::{
    Capabilities, Capability, Config, Digest, EffectiveLimits, ExtensionName, Grant, LimitName, Limits, OciReference,
    Touch, UnknownKey, Verdict, version_of_tag,
};
use extension_depot::registry::KeptLogin;
use extension_depot::{ActivityEntry, ActivityFinding, FirstUse, Installed, TrustedSigner};
use extension_host::{Import, Returned, Usage};
use jiff::Timestamp;
use serde::Serialize;

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// What came of a command.
pub enum Outcome {
    /// `install`, `import`
    Installed(Vec<Installation>),
    /// `list`
    Listed(Vec<Row>),
    /// `call`
    Called(Box<Call>),
    /// `info`
    Info(Box<Info>),
    /// `remove`
    Removed(Vec<Removal>),
    /// `enable`, `disable`, `grant`, `revoke`, `login`, `logout`
    Changed(Vec<Change>),
    /// `verify`
    Verified(Vec<Check>),
    /// `call --learn`
    Learned(Box<Learned>),
    /// `secret list`
    Secrets(Vec<String>),
    /// `activity`
    Activity(Vec<ActivityEntry>),
    /// `activity verify`
    ActivityVerified { lines: usize, findings: Vec<ActivityFinding> },
    /// `why`
    Why { name: ExtensionName, refused: Vec<RefusedThing> },
    /// `sync`
    Synced { steps: Vec<Step>, is_check: bool },
    /// `outdated`
    Outdated(Vec<Freshness>),
    /// `update`
    Updated(Vec<Update>),
    /// `history`
    History(Vec<PastGeneration>),
    /// `rollback`
    RolledBack(Rollback),
    /// `gc`
    Collected(Collection),
    /// `config show`
    Config { values: Vec<ConfigValue>, with_origin: bool },
    /// `config validate`
    Validated(Vec<FileCheck>),
    /// `doctor`
    Diagnosed(Vec<Diagnosis>),
    /// `registry list`
    Logins(Vec<KeptLogin>),
    /// `trust list`
    Trust(Trust),
    /// `registry tags`
    Tags(Vec<String>),
    /// `inspect`
    Inspected(Box<Inspection>),
    /// `logs`
    Log(Vec<u8>),
    /// `completions`
    Script(Vec<u8>),
    /// `man`
    Written(Vec<PathBuf>),
    /// A command with several names, of which some failed.
    Partly { done: Box<Self>, failures: Vec<Failure> },
    /// `demo`, which has shown everything already.
    Shown(ExitCode),
}

impl Outcome {
    /// What came of doing the same for several names: one that fails stops none of the others.
    pub fn of_each<N, T>(
        names: &[N],
        act: impl FnMut(&N) -> Result<T, Failure>,
        done: impl FnOnce(Vec<T>) -> Self,
    ) -> Result<Self, Failure> {
        let (mut good, mut failures) = (Vec::new(), Vec::new());
        for result in names.iter().map(act) {
            match result {
                Ok(value) => good.push(value),
                Err(failure) => failures.push(failure),
            }
        }
        match failures.len() {
            0 => Ok(done(good)),
            1 if good.is_empty() => Err(failures.remove(0)),
            _ => Ok(Self::Partly { done: Box::new(done(good)), failures }),
        }
    }

    /// What the shell is told.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Called(call) if call.returned.is_err() => ExitCode::Failure,
            Self::Verified(checks) if checks.iter().any(|check| !check.findings.is_empty()) => ExitCode::Local,
            Self::ActivityVerified { findings, .. } if !findings.is_empty() => ExitCode::Local,
            Self::Synced { steps, .. } if steps.iter().any(|step| step.state == StepState::Failed) => ExitCode::Failure,
            Self::Synced { steps, is_check: true } if steps.iter().any(|step| step.state != StepState::Done) => {
                ExitCode::Failure
            }
            Self::Validated(files) if files.iter().any(|file| file.problem.is_some()) => ExitCode::Failure,
            Self::Diagnosed(all) if all.iter().any(|one| one.health == Health::Bad) => ExitCode::Local,
            Self::Learned(learned) if learned.result.is_err() => ExitCode::Failure,
            Self::Partly { failures, .. } => failures.first().map_or(ExitCode::Failure, |failure| failure.code),
            Self::Shown(code) => *code,
            _ => ExitCode::Done,
        }
    }
}

/// An extension that is installed now.
#[derive(Serialize)]
pub struct Installation {
    pub name: ExtensionName,
    pub version: String,
    pub reference: OciReference,
    pub manifest: PathBuf,
    /// Whether it was installed already, so that nothing was written.
    pub already: bool,
    /// What is known of who signed it, where that was looked at.
    pub signature: Option<String>,
    /// What was installed before, if it was something else.
    pub replaced: Option<Replaced>,
    /// What it was given by this installation.
    pub granted: Vec<Grant>,
    /// What it was given until the session ends.
    pub for_session: Vec<Grant>,
    /// What it asks for and does not have, with what has to be granted.
    pub denied: Vec<Denied>,
}

/// Whose signatures count, and who signed first.
pub struct Trust {
    pub signers: Vec<TrustedSigner>,
    pub first_uses: Vec<FirstUse>,
}

/// One value that is configured.
#[derive(Serialize)]
pub struct ConfigValue {
    pub key: String,
    pub value: String,
    /// The file and line, or that it is a variable.
    pub origin: String,
}

/// What is wrong in one file.
#[derive(Serialize)]
pub struct FileCheck {
    pub path: PathBuf,
    pub problem: Option<String>,
    /// Keys that do nothing.
    pub warnings: Vec<String>,
}

impl FileCheck {
    pub fn new(path: PathBuf, result: Result<Vec<UnknownKey>, impl std::error::Error>) -> Self {
        match result {
            Ok(unknown) => Self { path, problem: None, warnings: unknown.iter().map(ToString::to_string).collect() },
            Err(error) => Self { path, problem: Some(error.to_string()), warnings: Vec::new() },
        }
    }
}

/// What was found of one thing that sesame needs.
#[derive(Serialize)]
pub struct Diagnosis {
    pub what: String,
    pub health: Health,
    pub finding: String,
    /// What mends it, where something does.
    pub mend: Option<String>,
}

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    Good,
    /// It works, but not all of it.
    Doubtful,
    Bad,
}

impl Health {
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Doubtful => "look",
            Self::Bad => "bad",
        }
    }
}

impl Installation {
    /// What was there already, so that nothing was written.
    pub fn already(installed: &Installed) -> Self {
        let Installed { name, loaded, reference, .. } = installed;
        Self {
            name: name.clone(),
            version: loaded.manifest.extension.version.clone().unwrap_or_default(),
            reference: reference.clone(),
            manifest: loaded.path.clone(),
            already: true,
            signature: None,
            replaced: None,
            granted: Vec::new(),
            for_session: Vec::new(),
            denied: Vec::new(),
        }
    }
}

/// What an installation took the place of.
#[derive(Serialize)]
pub struct Replaced {
    pub reference: OciReference,
    pub direction: Direction,
}

/// How a version stands to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    Upgrade,
    Downgrade,
    /// The same version with other bytes, or tags that are no versions.
    Other,
}

impl Replaced {
    pub fn new(reference: OciReference, by: &OciReference) -> Self {
        let version = |reference: &OciReference| version_of_tag(reference.revision());
        let direction = match (version(&reference), version(by)) {
            (Some(old), Some(new)) if new > old => Direction::Upgrade,
            (Some(old), Some(new)) if new < old => Direction::Downgrade,
            _ => Direction::Other,
        };
        Self { reference, direction }
    }
}

/// One thing that an extension was.
#[derive(Serialize)]
pub struct PastGeneration {
    pub number: u32,
    pub at: String,
    pub reason: String,
    pub version: Option<String>,
    pub reference: Option<OciReference>,
    pub signer: Option<String>,
    pub is_current: bool,
}

/// What an extension went back to.
#[derive(Serialize)]
pub struct Rollback {
    pub name: ExtensionName,
    pub to: u32,
    pub version: String,
    pub reference: OciReference,
    /// What it is allowed again.
    pub granted: Vec<Grant>,
    /// What it was allowed then and is not now.
    pub denied: Vec<Denied>,
}

/// What was removed because nobody goes back to it.
#[derive(Serialize)]
pub struct Collection {
    pub generations: Vec<(ExtensionName, u32)>,
    pub blobs: Vec<Digest>,
    pub compiled: Vec<PathBuf>,
    pub bytes: u64,
    pub is_dry_run: bool,
}

/// Something that an extension asks for and does not have.
#[derive(Serialize)]
pub struct Denied {
    pub capability: Capability,
    /// What to grant; a capability alone has to be given a scope.
    pub grant: String,
}

/// One line of the list.
#[derive(Serialize)]
pub struct Row {
    pub name: ExtensionName,
    pub version: Option<String>,
    pub reference: Option<OciReference>,
    pub capabilities: Vec<Capability>,
    pub limits: Limits,
    pub state: State,
    /// What is wrong, for a broken one and for one that was put aside.
    pub problem: Option<String>,
}

/// Whether an extension can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Enabled,
    Disabled,
    Quarantined,
    NotInstalled,
    Broken,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Quarantined => "put aside",
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
    /// Why it was put aside, if it was.
    pub problem: Option<String>,
    /// What the manifest grants, within every policy.
    pub capabilities: Capabilities,
    /// What is granted for a while, with when that ends.
    pub timed: Vec<(Grant, String)>,
    pub limits: EffectiveLimits,
    pub config: Config,
    pub imports: Vec<Import>,
    /// The functions with their types.
    pub exports: Vec<(String, String)>,
}

/// The least that a call needed.
#[derive(Serialize)]
pub struct Learned {
    pub name: ExtensionName,
    /// What the call gave, or why it gave nothing.
    pub result: Result<String, String>,
    pub capabilities: Capabilities,
    /// What it imports and did not use, so that it is not known how far that has to reach.
    pub unscoped: Vec<Capability>,
    /// What was refused.
    pub refused: Vec<Touch>,
    #[serde(serialize_with = "limits_by_key")]
    pub limits: Vec<(LimitName, u64)>,
    /// Whether it is in the manifest now.
    pub written: bool,
}

fn limits_by_key<S: serde::Serializer>(limits: &[(LimitName, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(limits.iter().filter_map(|(name, value)| Some((name.key()?, value))))
}

/// How an installed extension stands to what its registry has.
#[derive(Serialize)]
pub struct Freshness {
    pub name: ExtensionName,
    pub installed: OciReference,
    /// The tag of the newest version, if there are versions.
    pub newest: Option<String>,
    pub age: Age,
}

/// Whether there is something newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Age {
    Newest,
    Outdated,
    /// The tag leads to other bytes than those that are installed.
    Moved,
    /// The registry does not have the tag any more.
    Withdrawn,
    /// The tag is no version, so nothing is newer than it.
    NoVersion,
    /// It came from a file.
    Local,
    /// Its user keeps it at its version.
    Pinned,
    /// There is a newer version that has not been known for as long as policy wants.
    TooNew,
}

impl Age {
    pub fn name(self) -> &'static str {
        match self {
            Self::Newest => "the newest",
            Self::Outdated => "there is a newer one",
            Self::Moved => "the tag has moved",
            Self::Withdrawn => "the tag is gone",
            Self::NoVersion => "the tag is no version",
            Self::Local => "from a file",
            Self::Pinned => "pinned",
            Self::TooNew => "there is a newer one, too new for `min_release_age`",
        }
    }
}

/// What an update did, or would do.
#[derive(Serialize)]
pub struct Update {
    pub name: ExtensionName,
    pub from: OciReference,
    /// What is newer, if something is.
    pub to: Option<OciReference>,
    pub age: Age,
    /// What it asks for and its predecessor did not, unless that is granted already.
    pub asks_for: Vec<Denied>,
    /// What it was given beyond what its predecessor had.
    pub granted: Vec<Grant>,
    pub for_session: Vec<Grant>,
    /// Whether it is installed now.
    pub applied: bool,
}

/// What one manifest takes, or took.
#[derive(Serialize)]
pub struct Step {
    pub name: ExtensionName,
    pub reference: Option<OciReference>,
    pub state: StepState,
    /// Why it failed.
    pub problem: Option<String>,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// There is nothing to do.
    Done,
    /// The artifact that the manifest is pinned to has to be fetched.
    ToFetch,
    /// What the manifest names has to be looked up, installed and pinned.
    ToPin,
    /// A list names it, and it is not installed.
    ToInstall,
    /// A list names other bytes than those that are installed.
    ToUpdate,
    Fetched,
    Pinned,
    Installed,
    Updated,
    Failed,
}

impl Step {
    /// Notes how it ended, or why it did not.
    pub fn end(&mut self, done: Result<StepState, String>) {
        match done {
            Ok(state) => self.state = state,
            Err(problem) => (self.state, self.problem) = (StepState::Failed, Some(problem)),
        }
    }
}

impl StepState {
    /// Whether something has to be fetched.
    pub fn is_to_do(self) -> bool {
        matches!(self, Self::ToFetch | Self::ToPin | Self::ToInstall | Self::ToUpdate)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "as it should be",
            Self::ToFetch => "to be fetched",
            Self::ToPin => "to be installed and pinned",
            Self::ToInstall => "to be installed",
            Self::ToUpdate => "to be updated",
            Self::Fetched => "fetched",
            Self::Pinned => "installed and pinned",
            Self::Installed => "installed",
            Self::Updated => "updated",
            Self::Failed => "failed",
        }
    }
}

/// Something that an extension was refused.
#[derive(Serialize)]
pub struct RefusedThing {
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
    /// The functions with their types.
    pub exports: Vec<(String, String)>,
}

/// Something that an extension asks for, and what would be decided now.
#[derive(Serialize)]
pub struct Asked {
    pub what: String,
    pub verdict: Verdict,
    /// By which rule, and where that stands.
    pub rule: String,
}

/// An extension that is gone.
#[derive(Serialize)]
pub struct Removal {
    pub name: ExtensionName,
    /// Where the manifest lies now, unless that went as well.
    pub kept_manifest: Option<PathBuf>,
    pub freed_bytes: u64,
    /// The secrets that went from the keyring.
    pub secrets: Vec<String>,
}

/// Something that is so now.
#[derive(Serialize)]
pub struct Change {
    /// What is so now, as a sentence without a full stop.
    pub now: String,
    /// Whether it was not so before.
    pub changed: bool,
}

/// What verifying found of one extension.
#[derive(Serialize)]
pub struct Check {
    /// The name of an extension, or a reference.
    pub name: String,
    /// What is known of who signed it, where somebody wanted to know.
    pub signature: Option<String>,
    /// What is wrong still.
    pub findings: Vec<String>,
    /// What was mended.
    pub repaired: Vec<String>,
}
