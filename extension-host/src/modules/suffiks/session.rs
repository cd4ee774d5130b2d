//! The exchange between an extension of Suffiks and the host during one call.

use std::collections::BTreeSet;

use core_types::ResourceMethod;
use prost::Message;

use super::changes::{Changes, EnvSource};
use super::kubernetes::Container;
use super::messages::{EnvFrom, KeyValue, ValidationError, decode};
use super::request::{ValidationProblem, WorkloadAction, WorkloadRequest};
use super::resources::{ResourceError, Resources};
use super::workload::Workload;
use crate::modules::ModuleFault;

/// The maximum of messages in one call, of all kinds together: a person reads them.
const MAX_MESSAGES: usize = 1_000;

/// A call about one workload.
pub(crate) struct Session {
    action: WorkloadAction,
    workload: Workload,
    old: Option<Workload>,
    spec_keys: Option<BTreeSet<String>>,
    /// The number of messages so far.
    messages: usize,
    pub(crate) resources: Resources,
    pub(crate) problems: Vec<ValidationProblem>,
    pub(crate) changes: Changes,
}

impl From<WorkloadRequest> for Session {
    fn from(request: WorkloadRequest) -> Self {
        let WorkloadRequest { action, workload, old, spec_keys, resources } = request;
        let (problems, changes) = (Vec::new(), Changes::default());
        Self { action, workload, old, spec_keys, messages: 0, resources, problems, changes }
    }
}

impl Session {
    /// Counts a message of the extension.
    pub(crate) fn count(&mut self, function: &'static str) -> Result<(), ModuleFault> {
        self.messages += 1;
        if self.messages > MAX_MESSAGES {
            Err(ModuleFault::TooMany { function, most: MAX_MESSAGES })
        } else {
            Ok(())
        }
    }

    pub(crate) fn workload(&self) -> &Workload {
        &self.workload
    }

    pub(crate) fn add_env(&mut self, bytes: &[u8]) -> Result<(), ModuleFault> {
        let KeyValue { name, value } = decode(self.syncing("AddEnv")?, "KeyValue", bytes)?;
        self.changes.env.push((name, value));
        Ok(())
    }

    pub(crate) fn add_label(&mut self, bytes: &[u8]) -> Result<(), ModuleFault> {
        let KeyValue { name, value } = decode(self.syncing("AddLabel")?, "KeyValue", bytes)?;
        self.changes.labels.push((name, value));
        Ok(())
    }

    pub(crate) fn add_annotation(&mut self, bytes: &[u8]) -> Result<(), ModuleFault> {
        let KeyValue { name, value } = decode(self.syncing("AddAnnotation")?, "KeyValue", bytes)?;
        self.changes.annotations.push((name, value));
        Ok(())
    }

    pub(crate) fn add_env_from(&mut self, bytes: &[u8]) -> Result<(), ModuleFault> {
        let function = self.syncing("AddEnvFrom")?;
        let EnvFrom { name, optional, kind } = decode(function, "EnvFrom", bytes)?;
        let is_secret = match kind {
            0 => false,
            1 => true,
            other => {
                let reason = format!("there is no type {other}");
                return Err(ModuleFault::BadMessage { function, expected: "EnvFrom", reason });
            }
        };
        self.changes.env_from.push(EnvSource { name, is_secret, optional });
        Ok(())
    }

    pub(crate) fn add_init_container(&mut self, bytes: &[u8]) -> Result<(), ModuleFault> {
        let container = container(self.syncing("AddInitContainer")?, bytes)?;
        self.changes.init_containers.push(container);
        Ok(())
    }

    pub(crate) fn add_sidecar(&mut self, bytes: &[u8]) -> Result<(), ModuleFault> {
        let container = container(self.syncing("AddSidecar")?, bytes)?;
        self.changes.sidecars.push(container);
        Ok(())
    }

    pub(crate) fn merge_patch(&mut self, bytes: &[u8]) -> Result<(), ModuleFault> {
        let function = self.syncing("MergePatch")?;
        let bad =
            |reason| ModuleFault::BadMessage { function, expected: "JSON merge patch", reason };
        let patch: serde_json::Value =
            serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
        if !patch.is_object() {
            return Err(bad("it would replace the whole workload".to_owned()));
        }
        self.changes.patches.push(patch);
        Ok(())
    }

    pub(crate) fn validation_error(&mut self, bytes: &[u8]) -> Result<(), ModuleFault> {
        self.validating("ValidationError")?;
        let ValidationError { path, detail, value } =
            decode("ValidationError", "ValidationError", bytes)?;
        self.problems.push(ValidationProblem { path, detail, value });
        Ok(())
    }

    pub(crate) fn owner(&self) -> Result<Option<Vec<u8>>, ModuleFault> {
        Ok(Some(self.workload.owner().encode_to_vec()))
    }

    pub(crate) fn spec(&self) -> Result<Option<Vec<u8>>, ModuleFault> {
        Ok(Some(self.spec_of(&self.workload)))
    }

    pub(crate) fn old_spec(&self) -> Result<Option<Vec<u8>>, ModuleFault> {
        self.validating("GetOld")?;
        Ok(self.old.as_ref().map(|old| self.spec_of(old)))
    }

    fn spec_of(&self, workload: &Workload) -> Vec<u8> {
        workload.spec(self.spec_keys.as_ref()).to_string().into_bytes()
    }

    pub(crate) fn use_resource(
        &mut self,
        method: ResourceMethod,
        kind: core_types::ResourceKind,
        given: &[u8],
    ) -> Result<Option<Vec<u8>>, ResourceError> {
        self.resources.apply(method, kind, self.workload.namespace(), given)
    }

    fn syncing(&self, function: &'static str) -> Result<&'static str, ModuleFault> {
        let why = "and not during `Sync`, when a workload can be changed";
        match self.action {
            WorkloadAction::Sync | WorkloadAction::Environment => Ok(function),
            _ => Err(ModuleFault::WrongTime { function, why }),
        }
    }

    fn validating(&self, function: &'static str) -> Result<(), ModuleFault> {
        let why = "and not during `Validate`";
        match self.action {
            WorkloadAction::Validate(_) => Ok(()),
            _ => Err(ModuleFault::WrongTime { function, why }),
        }
    }
}

fn container(function: &'static str, bytes: &[u8]) -> Result<Container, ModuleFault> {
    let container: Container = decode(function, "Container", bytes)?;
    match container.unsupported() {
        Some(part) => {
            let reason = format!("its `{part}` is not supported");
            Err(ModuleFault::BadMessage {
                function,
                expected: "Container that sesame can take over",
                reason,
            })
        }
        None => Ok(container),
    }
}
