//! The document that an extension of Suffiks works on.

use std::collections::BTreeSet;

use core_types::ResourceKind;
use serde_json::{Map, Value};

use super::messages::Owner;

/// A workload: an object with `apiVersion`, `kind`, `metadata.name` and mostly a `spec`.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload(Value);

/// Why a document is not a workload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkloadError {
    /// It is not an object.
    #[error("it is not an object with `apiVersion`, `kind` and `metadata`")]
    NoObject,
    /// A required part is missing or not text.
    #[error("`{key}` is missing or not text")]
    Missing {
        /// The missing part.
        key: &'static str,
    },
    /// A part has another form than it must have.
    #[error("`{key}` is not {expected}")]
    Wrong {
        /// The part.
        key: &'static str,
        /// The required form.
        expected: &'static str,
    },
}

impl Workload {
    /// Checks that a document is a workload.
    ///
    /// # Errors
    /// When a required part is missing.
    pub fn new(document: Value) -> Result<Self, WorkloadError> {
        if !document.is_object() {
            return Err(WorkloadError::NoObject);
        }
        let workload = Self(document);
        for (key, pointer) in
            [("apiVersion", "/apiVersion"), ("kind", "/kind"), ("metadata.name", "/metadata/name")]
        {
            if workload.text(pointer).is_none() {
                return Err(WorkloadError::Missing { key });
            }
        }
        let objects = [
            ("spec", "/spec"),
            ("metadata.labels", "/metadata/labels"),
            ("metadata.annotations", "/metadata/annotations"),
        ];
        for (key, pointer) in objects {
            if workload
                .0
                .pointer(pointer)
                .is_some_and(|value| !value.is_object() && !value.is_null())
            {
                return Err(WorkloadError::Wrong { key, expected: "an object" });
            }
        }
        if !is_namespace(workload.namespace()) {
            return Err(WorkloadError::Wrong {
                key: "metadata.namespace",
                expected: "the name of a namespace",
            });
        }
        Ok(workload)
    }

    /// Returns the document.
    pub fn document(&self) -> &Value {
        &self.0
    }

    /// Returns the document itself.
    pub fn into_document(self) -> Value {
        self.0
    }

    /// Returns its namespace.
    pub fn namespace(&self) -> &str {
        self.text("/metadata/namespace").unwrap_or("default")
    }

    /// Returns its kind of resource.
    pub fn kind(&self) -> Option<ResourceKind> {
        plural_of(self.text("/apiVersion")?, self.text("/kind")?)
    }

    /// Returns the part of its `spec` that an extension may read: these keys, or all for `None`.
    pub(crate) fn spec(&self, keys: Option<&BTreeSet<String>>) -> Value {
        let spec = self.0.get("spec").and_then(Value::as_object).cloned().unwrap_or_default();
        let is_given = |key: &String| keys.is_none_or(|keys| keys.contains(key));
        Value::Object(spec.into_iter().filter(|(key, _)| is_given(key)).collect())
    }

    pub(crate) fn owner(&self) -> Owner {
        let text = |pointer| self.text(pointer).unwrap_or_default().to_owned();
        let texts = |pointer| {
            let object = self.0.pointer(pointer).and_then(Value::as_object);
            let texts = object
                .into_iter()
                .flatten()
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
            texts.collect()
        };
        Owner {
            kind: text("/kind"),
            name: text("/metadata/name"),
            namespace: self.namespace().to_owned(),
            api_version: text("/apiVersion"),
            uid: text("/metadata/uid"),
            labels: texts("/metadata/labels"),
            annotations: texts("/metadata/annotations"),
            revision_id: String::new(),
        }
    }

    /// Applies a [JSON merge patch](https://www.rfc-editor.org/rfc/rfc7386).
    pub(crate) fn patched(mut self, patch: &Value) -> Self {
        json_patch::merge(&mut self.0, patch);
        self
    }

    /// Returns an object inside, which is made if it is missing.
    pub(crate) fn object_at(&mut self, keys: &[&str]) -> &mut Map<String, Value> {
        let mut value = &mut self.0;
        for key in keys {
            value = object(value).entry(*key).or_insert(Value::Null);
        }
        object(value)
    }

    fn text(&self, pointer: &str) -> Option<&str> {
        self.0.pointer(pointer).and_then(Value::as_str)
    }
}

/// Tells whether a text has only lower-case letters, digits and `-`.
fn is_namespace(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(fits)
}

/// Returns the value as an object, replacing any other value.
fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it has just become an object"),
    }
}

/// Returns the kind of resource of an `apiVersion` and a `kind`, by the rules by which Kubernetes
/// forms plurals: `networking.k8s.io/v1` and `Ingress` are `networking.k8s.io/v1/ingresses`.
pub fn plural_of(api_version: &str, kind: &str) -> Option<ResourceKind> {
    let singular = kind.to_ascii_lowercase();
    let plural = match singular.as_str() {
        "endpoints" => return ResourceKind::parse(&format!("{api_version}/endpoints")),
        other => other,
    };
    let plural = match plural.char_indices().next_back()? {
        (_, 's') => format!("{singular}es"),
        (at, 'y') => format!("{}ies", &singular[..at]),
        _ => format!("{singular}s"),
    };
    ResourceKind::parse(&format!("{api_version}/{plural}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_workload_has_a_kind_and_a_name() {
        let error = |value| Workload::new(value).expect_err("refused").to_string();
        insta::assert_snapshot!(error(json!([])), @"it is not an object with `apiVersion`, `kind` and `metadata`");
        insta::assert_snapshot!(error(json!({"apiVersion": "v1", "kind": "App"})), @"`metadata.name` is missing or not text");
        insta::assert_snapshot!(
            error(json!({"apiVersion": "v1", "kind": "App", "metadata": {"name": "a", "labels": []}})),
            @"`metadata.labels` is not an object"
        );
    }

    #[test]
    fn plurals_match_kubernetes() {
        for (version, kind, expected) in [
            ("networking.k8s.io/v1", "Ingress", "networking.k8s.io/v1/ingresses"),
            ("v1", "ConfigMap", "v1/configmaps"),
            ("networking.k8s.io/v1", "NetworkPolicy", "networking.k8s.io/v1/networkpolicies"),
        ] {
            assert_eq!(plural_of(version, kind).expect(kind).to_string(), expected);
        }
        assert_eq!(plural_of("v1", ""), None);
        assert_eq!(plural_of("../v1", "A"), None);
    }
}
