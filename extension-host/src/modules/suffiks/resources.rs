//! The resources around a workload.

use std::collections::BTreeMap;

use core_types::{ResourceKind, ResourceMethod};
use serde_json::Value;

use super::workload::Workload;

/// The identity of a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceName {
    /// The kind.
    pub kind: ResourceKind,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// The resources around a workload, in memory. The caller decides about the changes of a call after
/// it has ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resources(BTreeMap<ResourceName, Value>);

/// Why a resource function does nothing. The module gets the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResourceError {
    NotFound = 1,
    AlreadyExists = 2,
    Invalid = 3,
    Forbidden = 4,
    BadRequest = 6,
    TooLarge = 11,
}

/// The maximum of a resource in bytes, which is that of Kubernetes.
const MAX_RESOURCE: usize = 1 << 20;

impl Resources {
    /// Returns the resource of this name.
    pub fn get(&self, name: &ResourceName) -> Option<&Value> {
        self.0.get(name)
    }

    /// Adds a resource, replacing another of that name.
    pub fn insert(&mut self, name: ResourceName, resource: Value) -> Option<Value> {
        self.0.insert(name, resource)
    }

    /// Iterates over all resources, by kind, namespace and name.
    pub fn iter(&self) -> impl Iterator<Item = (&ResourceName, &Value)> {
        self.0.iter()
    }

    /// Applies a resource function of a module, in the namespace of its workload. `given` is a
    /// name, or for `create` and `update` a resource as JSON. Returns the resource, or `None` when
    /// it was deleted.
    pub(crate) fn apply(
        &mut self,
        method: ResourceMethod,
        kind: ResourceKind,
        namespace: &str,
        given: &[u8],
    ) -> Result<Option<Vec<u8>>, ResourceError> {
        match method {
            ResourceMethod::Get | ResourceMethod::Delete => {
                let name =
                    std::str::from_utf8(given).map_err(|_| ResourceError::BadRequest)?.to_owned();
                let name = ResourceName { kind, namespace: namespace.to_owned(), name };
                if method == ResourceMethod::Delete {
                    return self.0.remove(&name).map(|_| None).ok_or(ResourceError::NotFound);
                }
                self.0
                    .get(&name)
                    .map(|resource| Some(bytes_of(resource)))
                    .ok_or(ResourceError::NotFound)
            }
            ResourceMethod::Create | ResourceMethod::Update => {
                self.write(method, kind, namespace, given).map(Some)
            }
        }
    }

    fn write(
        &mut self,
        method: ResourceMethod,
        kind: ResourceKind,
        namespace: &str,
        given: &[u8],
    ) -> Result<Vec<u8>, ResourceError> {
        if given.len() > MAX_RESOURCE {
            return Err(ResourceError::TooLarge);
        }
        let resource: Value =
            serde_json::from_slice(given).map_err(|_| ResourceError::BadRequest)?;
        // A grant for one kind must not make another.
        let resource = Workload::new(resource).map_err(|_| ResourceError::Invalid)?;
        if resource.kind() != Some(kind.clone()) {
            return Err(ResourceError::Invalid);
        }
        let mut resource = resource.into_document();
        let metadata = resource
            .get_mut("metadata")
            .and_then(Value::as_object_mut)
            .ok_or(ResourceError::Invalid)?;
        let name = metadata.get("name").and_then(Value::as_str).filter(|name| is_name(name));
        let name = name.ok_or(ResourceError::Invalid)?.to_owned();
        let written = metadata.entry("namespace").or_insert_with(|| namespace.into());
        if written != namespace {
            return Err(ResourceError::BadRequest);
        }
        let name = ResourceName { kind, namespace: namespace.to_owned(), name };
        match (method, self.0.contains_key(&name)) {
            (ResourceMethod::Create, true) => return Err(ResourceError::AlreadyExists),
            (ResourceMethod::Update, false) => return Err(ResourceError::NotFound),
            _ => {}
        }
        let bytes = bytes_of(&resource);
        self.0.insert(name, resource);
        Ok(bytes)
    }
}

fn bytes_of(resource: &Value) -> Vec<u8> {
    resource.to_string().into_bytes()
}

/// Tells whether Kubernetes accepts this as a name: lower-case letters, digits, `-` and `.`,
/// beginning and ending with a letter or digit. It can be the name of a file as well.
fn is_name(name: &str) -> bool {
    let is_edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = name.as_bytes();
    let fits = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    bytes.len() <= 200 && bytes.iter().all(fits) && is_edge(bytes.first()) && is_edge(bytes.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each method does and refuses what Kubernetes would.
    #[test]
    fn methods_behave_as_in_kubernetes() {
        use ResourceMethod::{Create, Delete, Get, Update};
        let kind = || ResourceKind::parse("networking.k8s.io/v1/ingresses").expect("a kind");
        let mut resources = Resources::default();
        let mut apply =
            |method, given: &str| resources.apply(method, kind(), "ns", given.as_bytes());
        let of = |kind: &str, rest: &str| {
            format!(r#"{{"apiVersion":"networking.k8s.io/v1","kind":"{kind}",{rest}}}"#)
        };
        let ingress = &of("Ingress", r#""metadata":{"name":"a"},"spec":{"n":1}"#);
        let with_namespace =
            of("Ingress", r#""metadata":{"name":"a","namespace":"ns"},"spec":{"n":1}"#)
                .into_bytes();

        assert_eq!(apply(Get, "a"), Err(ResourceError::NotFound));
        assert_eq!(apply(Update, ingress), Err(ResourceError::NotFound));
        assert_eq!(apply(Create, ingress), Ok(Some(with_namespace.clone())));
        assert_eq!(apply(Create, ingress), Err(ResourceError::AlreadyExists));
        assert_eq!(apply(Get, "a"), Ok(Some(with_namespace)));
        assert!(apply(Update, &of("Ingress", r#""metadata":{"name":"a"},"spec":{"n":2}"#)).is_ok());
        for (bad, code) in [
            ("{".to_owned(), ResourceError::BadRequest),
            ("[]".to_owned(), ResourceError::Invalid),
            (r#"{"metadata":{"name":"a"}}"#.to_owned(), ResourceError::Invalid),
            (of("Ingress", r#""metadata":{}"#), ResourceError::Invalid),
            (of("Ingress", r#""metadata":{"name":"../a"}"#), ResourceError::Invalid),
            (of("Ingress", r#""metadata":{"name":"a"},"spec":[]"#), ResourceError::Invalid),
            (of("NetworkPolicy", r#""metadata":{"name":"a"}"#), ResourceError::Invalid),
            (
                of("Ingress", r#""metadata":{"name":"a","namespace":"other"}"#),
                ResourceError::BadRequest,
            ),
        ] {
            assert_eq!(apply(Create, &bad), Err(code), "{bad}");
        }
        assert_eq!(apply(Create, &"[".repeat(MAX_RESOURCE + 1)), Err(ResourceError::TooLarge));
        assert_eq!(apply(Create, &"[".repeat(1000)), Err(ResourceError::BadRequest), "too deep");
        assert_eq!(apply(Delete, "a"), Ok(None));
        assert_eq!(apply(Delete, "a"), Err(ResourceError::NotFound));
    }
}
