//! What became of extensions: installed, updated, gone back, removed, brought into line.

use std::path::PathBuf;

use core_types::{Digest, ExtensionName, Grant, OciReference, Owner};
use extension_depot::Installed;
use extension_host::Purpose;
pub use extension_manager::{Age, Denied, Direction, Replaced, StepState};
use extension_manager::{Committed, Decision};
use schemars::JsonSchema;
use serde::Serialize;

use super::report::Asked;
use crate::failure::Failure;

/// An extension that is installed now.
#[derive(JsonSchema, Serialize)]
pub struct Installation {
    pub name: ExtensionName,
    pub version: String,
    pub reference: OciReference,
    pub manifest: PathBuf,
    /// Whether it was installed already, so that nothing was written.
    pub already: bool,
    /// The state of its signature, if that was verified.
    pub signature: Option<String>,
    /// The artifact that was installed before, if it was another.
    pub replaced: Option<Replaced>,
    /// The grants of this installation.
    pub granted: Vec<Grant>,
    /// Its grants until the session ends.
    pub for_session: Vec<Grant>,
    /// Its ungranted requests, with the grants that they need.
    pub denied: Vec<Denied>,
    /// Its kind, if it has nothing to call.
    pub nothing_to_call: Option<String>,
}

impl Installation {
    /// Makes the outcome of an install that changed nothing.
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

impl From<Committed> for Installation {
    fn from(committed: Committed) -> Self {
        let Committed {
            name,
            version,
            reference,
            manifest,
            signature,
            replaced,
            decision,
            purpose,
        } = committed;
        let Decision { granted, for_session, denied, .. } = decision;
        Self {
            nothing_to_call: nothing_to_call(&name, purpose),
            name,
            version,
            reference,
            manifest,
            already: false,
            signature: signature.map(|signature| signature.to_string()),
            replaced,
            granted,
            for_session,
            denied,
        }
    }
}

impl From<extension_manager::Installation> for Installation {
    fn from(installation: extension_manager::Installation) -> Self {
        match installation {
            extension_manager::Installation::Already { installed, granted, denied } => {
                Self { granted, denied, ..Self::already(&installed) }
            }
            extension_manager::Installation::New(committed) => (*committed).into(),
        }
    }
}

/// Describes an extension that has nothing to call.
pub fn nothing_to_call(name: &ExtensionName, purpose: Purpose) -> Option<String> {
    let what = match purpose {
        Purpose::Functions | Purpose::Workloads => return None,
        Purpose::Program => format!("it is a program; run it with: sesame extension run {name}"),
        Purpose::HttpHandler => {
            "it is an HTTP handler; serve it with a web server such as `wasmtime serve`".to_owned()
        }
        Purpose::Library => {
            "it is a library for other components; compose it with one, such as with `wac plug`"
                .to_owned()
        }
        Purpose::Uncallable => "its functions take or return more than numbers".to_owned(),
        Purpose::Unnamed => "a call can name none of its functions".to_owned(),
        Purpose::Nothing => "it exports no functions".to_owned(),
    };
    Some(format!("`{name}` has nothing to call: {what}"))
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

/// A completed rollback.
#[derive(JsonSchema, Serialize)]
pub struct Rollback {
    pub name: ExtensionName,
    pub to: u32,
    pub version: String,
    pub reference: OciReference,
    /// The restored grants.
    pub granted: Vec<Grant>,
    /// The same, until the session ends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub for_session: Vec<Grant>,
    /// The earlier grants that were not restored.
    pub denied: Vec<Denied>,
}

/// The removed generations and files.
#[derive(JsonSchema, Serialize)]
pub struct Collection {
    pub generations: Vec<(ExtensionName, u32)>,
    pub blobs: Vec<Digest>,
    pub compiled: Vec<PathBuf>,
    pub bytes: u64,
    pub is_dry_run: bool,
}

/// An installed extension compared with its registry.
#[derive(JsonSchema, Serialize)]
pub struct Freshness {
    pub name: ExtensionName,
    pub installed: OciReference,
    /// The tag of the newest version, if there are versions.
    pub newest: Option<String>,
    pub age: Age,
}

/// A completed or planned update.
#[derive(JsonSchema, Serialize)]
pub struct Update {
    pub name: ExtensionName,
    pub from: OciReference,
    /// The newer version, if there is one.
    pub to: Option<OciReference>,
    pub age: Age,
    /// The further requests of a newer version that are not granted yet. After an update these are
    /// the denials of policy.
    pub asks_for: Vec<Denied>,
    /// The grants that its predecessor did not have.
    pub granted: Vec<Grant>,
    pub for_session: Vec<Grant>,
    /// Directories that it finds under another path than its predecessor.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<Grant>,
    /// Whether it is installed now.
    pub applied: bool,
}

impl Update {
    /// The outcome of an update of this extension.
    pub fn new(name: &ExtensionName, updated: extension_manager::Updated) -> Self {
        let extension_manager::Updated { from, to, age, decision, is_applied } = updated;
        let Decision { granted, for_session, moved, denied, .. } = decision;
        let name = name.clone();
        Self {
            name,
            from,
            to,
            age,
            asks_for: denied,
            granted,
            for_session,
            moved,
            applied: is_applied,
        }
    }
}

impl Update {
    /// Returns what it asks for beyond its predecessor and does not have, in words.
    pub fn requests(&self) -> Vec<Asked> {
        let owner = Owner { name: self.name.clone(), identity: self.from.identity() };
        self.asks_for.iter().map(|denied| Asked::ungranted(denied, &owner)).collect()
    }
}

/// What one manifest takes, or took.
#[derive(JsonSchema, Serialize)]
pub struct Step {
    pub name: ExtensionName,
    pub reference: Option<OciReference>,
    pub state: StepState,
    /// The reason of its failure, or a remark.
    pub problem: Option<String>,
    /// What policy approved and it does not have, or now has because of that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grant: Vec<Grant>,
    /// Grants of the list that are withdrawn, or that are gone already.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub withdraw: Vec<Grant>,
    /// Whether that is withdrawn by now, whatever became of the rest.
    #[serde(skip)]
    pub is_withdrawn: bool,
    /// What the list asks for on its behalf, as far as nothing is done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Asked>,
}

impl From<extension_manager::Step> for Step {
    fn from(step: extension_manager::Step) -> Self {
        let extension_manager::Step {
            name,
            reference,
            state,
            problem,
            grant,
            withdraw,
            is_withdrawn,
            prospects,
        } = step;
        let identity = reference.as_ref().map(OciReference::identity);
        let owner = identity.map(|identity| Owner { name: name.clone(), identity });
        let requests = owner.map(|owner| {
            prospects.into_iter().map(|prospect| Asked::expected(prospect, &owner)).collect()
        });
        let problem = problem.map(|problem| Failure::from(problem).in_one_line());
        let requests = requests.unwrap_or_default();
        Self { name, reference, state, problem, grant, withdraw, is_withdrawn, requests }
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
    /// Whether data went that the extension had kept.
    pub storage: bool,
    /// Whether it was gone before.
    pub already: bool,
}
