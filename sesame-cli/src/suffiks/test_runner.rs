//! Runs test files of extensions of Suffiks, as `extgen wasi test` does.

use std::collections::BTreeMap;

use extension_host::{
    Extension, ResourceName, Resources, Workload, WorkloadAction, WorkloadAnswer, WorkloadOutcome,
    WorkloadRequest,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::difference::difference;
use super::resource_directory::name_of;
use crate::arguments::ValidationType;
use crate::suffiks::ExtensionDocument;

/// A file with tests, which share the resources around the workloads.
#[derive(Debug, Deserialize)]
pub struct TestFile {
    /// The configuration of the extension.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    #[serde(default)]
    pub tests: Vec<Test>,
}

/// One test; exactly one of the four is there.
#[derive(Debug, Deserialize)]
pub struct Test {
    pub name: String,
    validate: Option<Validate>,
    defaulting: Option<Expectation>,
    sync: Option<Expectation>,
    delete: Option<Deletion>,
}

#[derive(Debug, Deserialize)]
struct Validate {
    resource: Value,
    old: Option<Value>,
    #[serde(default, rename = "type")]
    kind: Kind,
    #[serde(default)]
    invalid: bool,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Create,
    Update,
    Delete,
}

#[derive(Debug, Deserialize)]
struct Expectation {
    resource: Value,
    expected: Option<Value>,
    #[serde(default)]
    lookup: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Deletion {
    resource: Value,
    #[serde(default)]
    not_found: Vec<Value>,
}

/// The tools that tests are run with.
pub struct Bench<'a> {
    extension: &'a Extension,
    document: &'a ExtensionDocument,
    resources: Resources,
    printed: String,
}

impl<'a> Bench<'a> {
    /// Starts with these resources.
    pub fn new(
        extension: &'a Extension,
        document: &'a ExtensionDocument,
        resources: Resources,
    ) -> Self {
        Self { extension, document, resources, printed: String::new() }
    }

    /// Returns the output of the extension since the last call of this function.
    pub fn take_printed(&mut self) -> String {
        std::mem::take(&mut self.printed)
    }

    /// Runs a test. The error is for a person.
    pub fn run(&mut self, test: &Test) -> Result<(), String> {
        match test {
            Test { validate: Some(validate), .. } => self.validate(validate),
            Test { defaulting: Some(expectation), .. } => self.default(expectation),
            Test { sync: Some(expectation), .. } => self.sync(expectation),
            Test { delete: Some(deletion), .. } => self.delete(deletion),
            _ => Err("it says none of `validate`, `defaulting`, `sync` and `delete`".to_owned()),
        }
    }

    fn validate(&mut self, test: &Validate) -> Result<(), String> {
        let kind = match test.kind {
            Kind::Create => ValidationType::Create,
            Kind::Update => ValidationType::Update,
            Kind::Delete => ValidationType::Delete,
        };
        let old = test.old.as_ref().or((kind != ValidationType::Create).then_some(&test.resource));
        let answer = self.ask(WorkloadAction::Validate(kind as i32), &test.resource, old)?;
        let WorkloadAnswer::Validated(problems) = answer else { return Err(other_answer()) };
        match (problems.as_slice(), test.invalid) {
            ([], true) => {
                Err("the extension finds nothing wrong, and something is expected to be".to_owned())
            }
            ([first, ..], false) => {
                Err(format!("the extension finds it invalid: {}: {}", first.path, first.detail))
            }
            _ => Ok(()),
        }
    }

    fn default(&mut self, test: &Expectation) -> Result<(), String> {
        match self.ask(WorkloadAction::Default, &test.resource, None)? {
            WorkloadAnswer::Defaulted(workload) => {
                compare(test.expected.as_ref().unwrap_or(&test.resource), workload.document())
            }
            _ => Err(other_answer()),
        }
    }

    fn sync(&mut self, test: &Expectation) -> Result<(), String> {
        match self.ask(WorkloadAction::Sync, &test.resource, None)? {
            WorkloadAnswer::Synced(changes) => {
                let changed = changes.apply(workload(&test.resource)?);
                compare(test.expected.as_ref().unwrap_or(&test.resource), changed.document())?;
            }
            _ => return Err(other_answer()),
        }
        for expected in &test.lookup {
            let name = looked_up(expected, &test.resource)?;
            let found =
                self.resources.get(&name).ok_or_else(|| format!("there is no {}", shown(&name)))?;
            compare(expected, found).map_err(|problem| format!("{}: {problem}", shown(&name)))?;
        }
        Ok(())
    }

    fn delete(&mut self, test: &Deletion) -> Result<(), String> {
        if let WorkloadAnswer::Deleted(Some(error)) =
            self.ask(WorkloadAction::Delete, &test.resource, None)?
        {
            return Err(format!("the extension could not clean up: {error}"));
        }
        for gone in &test.not_found {
            let name = looked_up(gone, &test.resource)?;
            if self.resources.get(&name).is_some() {
                return Err(format!("{} is still there", shown(&name)));
            }
        }
        Ok(())
    }

    fn ask(
        &mut self,
        action: WorkloadAction,
        resource: &Value,
        old: Option<&Value>,
    ) -> Result<WorkloadAnswer, String> {
        let request = WorkloadRequest {
            action,
            workload: workload(resource)?,
            old: old.map(workload).transpose()?,
            spec_keys: Some(self.document.spec_keys()),
            resources: self.resources.clone(),
        };
        let report = self.extension.call_workload_blocking(request);
        self.printed.push_str(&String::from_utf8_lossy(&report.output));
        let refused: Vec<_> = report
            .activity
            .refused()
            .map(|touch| format!("it was refused {}", touch.request))
            .collect();
        let explained = |error: extension_host::CallError| {
            std::iter::once(error.to_string()).chain(refused).collect::<Vec<_>>().join("\n")
        };
        let WorkloadOutcome { answer, resources } = report.outcome.map_err(explained)?;
        self.resources = resources;
        Ok(answer)
    }
}

fn other_answer() -> String {
    "the extension answered something else".to_owned()
}

fn workload(resource: &Value) -> Result<Workload, String> {
    Workload::new(resource.clone())
        .map_err(|error| format!("the `resource` of the test is not a workload: {error}"))
}

/// Returns the name of a resource in a test; without a namespace, it is in the workload's.
fn looked_up(resource: &Value, workload: &Value) -> Result<ResourceName, String> {
    let mut name = name_of(resource)?;
    if resource.pointer("/metadata/namespace").and_then(Value::as_str).is_none() {
        let namespace =
            workload.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or("default");
        namespace.clone_into(&mut name.namespace);
    }
    Ok(name)
}

fn shown(name: &ResourceName) -> String {
    format!("`{}` {} in `{}`", name.name, name.kind, name.namespace)
}

/// Compares documents. Missing values and empty ones are equal.
fn compare(expected: &Value, found: &Value) -> Result<(), String> {
    let (expected, found) = (without_empty(expected.clone()), without_empty(found.clone()));
    if expected == found { Ok(()) } else { Err(difference(&expected, &found)) }
}

fn without_empty(value: Value) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(map) => {
            let members = map.into_iter().map(|(key, value)| (key, without_empty(value)));
            Value::Object(members.filter(|(_, value)| !is_empty(value)).collect::<Map<_, _>>())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(without_empty).collect()),
        other => other,
    }
}
