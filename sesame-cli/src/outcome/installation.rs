//! What became of extensions: installed, updated, gone back, removed, brought into line.

use std::path::PathBuf;

use core_types::{
    Capability, Decision, Digest, ExtensionName, Grant, OciReference, version_of_tag,
};
use extension_depot::Installed;
use schemars::JsonSchema;
use serde::Serialize;

/// An extension that is installed now.
#[derive(JsonSchema, Serialize)]
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
    /// What it is, if it has nothing to call.
    pub nothing_to_call: Option<String>,
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
            nothing_to_call: None,
        }
    }
}

/// What an installation took the place of.
#[derive(JsonSchema, Serialize)]
pub struct Replaced {
    pub reference: OciReference,
    pub direction: Direction,
}

/// How a version stands to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
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
#[derive(JsonSchema, Serialize)]
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
#[derive(JsonSchema, Serialize)]
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
#[derive(JsonSchema, Serialize)]
pub struct Collection {
    pub generations: Vec<(ExtensionName, u32)>,
    pub blobs: Vec<Digest>,
    pub compiled: Vec<PathBuf>,
    pub bytes: u64,
    pub is_dry_run: bool,
}

/// Something that an extension asks for and does not have.
#[derive(JsonSchema, Serialize)]
pub struct Denied {
    pub capability: Capability,
    /// What to grant.
    pub grant: String,
    /// Whether how far it reaches there is an example, since the extension does not say.
    #[serde(skip)]
    pub is_example: bool,
    /// What policy decides about it, where that is why: granting it is no help then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

impl Denied {
    /// A permission with all that it needs to be granted.
    pub fn of(grant: &Grant) -> Self {
        Self {
            capability: grant.capability(),
            grant: grant.to_string(),
            is_example: false,
            policy: None,
        }
    }

    /// A capability whose scope nothing names.
    pub fn without_scope(capability: Capability) -> Self {
        Self {
            capability,
            grant: Grant::example(capability).to_owned(),
            is_example: true,
            policy: None,
        }
    }

    /// The same where a policy decided.
    pub fn by_policy(self, decision: &Decision<'_>) -> Self {
        Self { policy: Some(decision.to_string()), ..self }
    }

    /// What the extension asks for.
    pub fn request(&self) -> &str {
        if self.is_example { self.capability.name() } else { &self.grant }
    }
}

/// How an installed extension stands to what its registry has.
#[derive(JsonSchema, Serialize)]
pub struct Freshness {
    pub name: ExtensionName,
    pub installed: OciReference,
    /// The tag of the newest version, if there are versions.
    pub newest: Option<String>,
    pub age: Age,
}

/// Whether there is something newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
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
#[derive(JsonSchema, Serialize)]
pub struct Update {
    pub name: ExtensionName,
    pub from: OciReference,
    /// What is newer, if something is.
    pub to: Option<OciReference>,
    pub age: Age,
    /// What it asks for and its predecessor did not, unless that is granted already. After an
    /// update that is what policy denies.
    pub asks_for: Vec<Denied>,
    /// What it was given beyond what its predecessor had.
    pub granted: Vec<Grant>,
    pub for_session: Vec<Grant>,
    /// Directories that it finds under another path than its predecessor.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<Grant>,
    /// Whether it is installed now.
    pub applied: bool,
}

/// What one manifest takes, or took.
#[derive(JsonSchema, Serialize)]
pub struct Step {
    pub name: ExtensionName,
    pub reference: Option<OciReference>,
    pub state: StepState,
    /// Why it failed, or what has to be said about it.
    pub problem: Option<String>,
    /// What policy approved and it does not have, or now has because of that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grant: Vec<Grant>,
    /// What it was given by the list and is not to have any more, or has no longer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub withdraw: Vec<Grant>,
    /// Whether that is withdrawn by now, whatever became of the rest.
    #[serde(skip)]
    pub is_withdrawn: bool,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
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
    /// The list gives or withdraws something.
    ToAdjust,
    /// It came from the list, which has it no longer.
    ToRemove,
    /// The same, where nobody wants it removed.
    LeftOver,
    Fetched,
    Pinned,
    Installed,
    Updated,
    Adjusted,
    Removed,
    Failed,
}

impl Step {
    /// What nothing has been done for yet.
    pub fn new(name: &ExtensionName, reference: Option<OciReference>, state: StepState) -> Self {
        Self {
            name: name.clone(),
            reference,
            state,
            problem: None,
            grant: Vec::new(),
            withdraw: Vec::new(),
            is_withdrawn: false,
        }
    }

    /// Whether this was withdrawn.
    pub fn has_withdrawn(&self, grant: &Grant) -> bool {
        self.is_withdrawn && self.withdraw.contains(grant)
    }

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

    /// Whether what there was to do has been done.
    pub fn is_over(self) -> bool {
        matches!(
            self,
            Self::Fetched
                | Self::Pinned
                | Self::Installed
                | Self::Updated
                | Self::Adjusted
                | Self::Removed
        )
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "as it should be",
            Self::ToFetch => "to be fetched",
            Self::ToPin => "to be installed and pinned",
            Self::ToInstall => "to be installed",
            Self::ToUpdate => "to be updated",
            Self::ToAdjust => "capabilities to be changed",
            Self::ToRemove => "to be removed",
            Self::LeftOver => "left over",
            Self::Fetched => "fetched",
            Self::Pinned => "installed and pinned",
            Self::Installed => "installed",
            Self::Updated => "updated",
            Self::Adjusted => "capabilities changed",
            Self::Removed => "removed",
            Self::Failed => "failed",
        }
    }
}

/// An extension that is gone.
#[derive(JsonSchema, Serialize)]
pub struct Removal {
    pub name: ExtensionName,
    /// Where the manifest lies now, unless that went as well.
    pub kept_manifest: Option<PathBuf>,
    pub freed_bytes: u64,
    /// The secrets that went from the keyring.
    pub secrets: Vec<String>,
    /// Whether it was gone before.
    pub already: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prerelease_is_before_its_release_and_no_tag_is_older_than_a_name() {
        let direction = |old: &str, new: &str| {
            let reference =
                |tag: &str| format!("ghcr.io/my-org/x:{tag}").parse::<OciReference>().expect(tag);
            Replaced::new(reference(old), &reference(new)).direction
        };
        let rising = [
            "0.9.9",
            "0.10.0-alpha",
            "0.10.0-alpha.1",
            "0.10.0-alpha.beta",
            "0.10.0-beta.2",
            "0.10.0-beta.11",
            "0.10.0-rc.1",
            "0.10.0",
            "v0.10.1",
            "0.11.0_build.7",
            "1.0.0-0",
            "1.0.0",
            "1.0.1-rc.1",
            "10.0.0",
        ];
        for pair in rising.windows(2) {
            assert_eq!(direction(pair[0], pair[1]), Direction::Upgrade, "{pair:?}");
            assert_eq!(direction(pair[1], pair[0]), Direction::Downgrade, "{pair:?}");
        }
        for (old, new) in [
            ("1.0.0", "v1.0.0"),
            ("1.0.0", "latest"),
            ("stable", "0.1.0"),
            ("2024", "2023"),
            ("1.0", "0.9"),
        ] {
            assert_eq!(direction(old, new), Direction::Other, "{old} {new}");
        }
    }
}
