//! The document by which an extension is registered in Suffiks: `ext.yaml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use core_types::{Capabilities, GrantError};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::suffiks::document::{self, DocumentError};

/// The parts of the document that matter without a cluster.
#[derive(Debug, Default, Deserialize)]
pub struct ExtensionDocument {
    #[serde(default)]
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default, rename = "openAPIV3Schema")]
    schema: Schema,
    #[serde(default)]
    controller: Controller,
}

#[derive(Debug, Default, Deserialize)]
struct Schema {
    #[serde(default)]
    properties: BTreeMap<String, IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
struct Controller {
    #[serde(default)]
    wasi: Wasi,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wasi {
    #[serde(default)]
    resources: Vec<Resource>,
    config_map: Option<ConfigMap>,
}

#[derive(Debug, Deserialize)]
struct Resource {
    #[serde(default)]
    group: String,
    version: String,
    resource: String,
    #[serde(default)]
    methods: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct ConfigMap {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
}

impl ExtensionDocument {
    /// Reads it from a file that may have other documents, as a cluster takes them.
    pub fn read(path: &Path) -> Result<Self, DocumentError> {
        document::read_kind(path, "Extension")
    }

    /// Returns the keys of a workload's `spec` that the extension sees.
    pub fn spec_keys(&self) -> BTreeSet<String> {
        self.spec.schema.properties.keys().cloned().collect()
    }

    /// Returns the extension's rights to resources.
    pub fn resource_grants(&self) -> Result<Capabilities, GrantError> {
        let rules = self
            .spec
            .controller
            .wasi
            .resources
            .iter()
            .filter(|resource| !resource.methods.is_empty());
        let text = |resource: &Resource| {
            let Resource { group, version, resource, methods } = resource;
            let slash = if group.is_empty() { "" } else { "/" };
            format!("resources={group}{slash}{version}/{resource}:{}", methods.join(","))
        };
        rules.map(|resource| text(resource).parse()).collect()
    }

    /// Returns the name and namespace of the config map with its configuration.
    pub fn config_map(&self) -> Option<(&str, &str)> {
        let map = self.spec.controller.wasi.config_map.as_ref()?;
        (!map.name.is_empty() && !map.namespace.is_empty()).then_some((&map.name, &map.namespace))
    }
}
