//! The changes of `Sync` to a workload.

use serde::Serialize;
use serde_json::{Value, json};

use super::kubernetes::Container;
use super::workload::Workload;

/// The changes of an extension to a workload, in its order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Variables with names and values.
    pub env: Vec<(String, String)>,
    /// Variables from secrets and config maps.
    pub env_from: Vec<EnvSource>,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) annotations: Vec<(String, String)>,
    pub(crate) init_containers: Vec<Container>,
    pub(crate) sidecars: Vec<Container>,
    pub(crate) patches: Vec<Value>,
}

/// A secret or config map with variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvSource {
    /// The name of the secret or config map.
    pub name: String,
    /// Whether it is a secret.
    pub is_secret: bool,
    /// Whether it may be missing.
    pub optional: bool,
}

impl Changes {
    /// Adds the variables, labels, annotations and patches to the workload.
    pub fn apply(&self, mut workload: Workload) -> Workload {
        for (keys, added) in [
            (["metadata", "labels"], &self.labels),
            (["metadata", "annotations"], &self.annotations),
        ] {
            if !added.is_empty() {
                let values = added.iter().map(|(name, value)| (name.clone(), value.clone().into()));
                workload.object_at(&keys).extend(values);
            }
        }
        let variables = self.env.iter().map(|(name, value)| json!({"name": name, "value": value}));
        replace_in_list(&mut workload, "env", variables);
        let sources = self.env_from.iter().map(|source| {
            let reference = if source.is_secret { "secretRef" } else { "configMapRef" };
            json!({reference: {"name": source.name, "optional": source.optional}})
        });
        append_to_list(&mut workload, "envFrom", sources);
        self.patches.iter().fold(workload, Workload::patched)
    }

    /// Adds the containers to the workload.
    pub fn apply_containers(&self, mut workload: Workload) -> Workload {
        append_to_list(
            &mut workload,
            "initContainers",
            self.init_containers.iter().filter_map(as_json),
        );
        append_to_list(&mut workload, "sidecars", self.sidecars.iter().filter_map(as_json));
        workload
    }
}

/// Converts a message to JSON, which all of them have a form in.
fn as_json(value: &impl Serialize) -> Option<Value> {
    serde_json::to_value(value).ok()
}

/// Adds items to a list of the workload's `spec`.
fn append_to_list(workload: &mut Workload, key: &str, items: impl Iterator<Item = Value>) {
    let items: Vec<_> = items.collect();
    if items.is_empty() {
        return;
    }
    match workload.object_at(&["spec"]).entry(key).or_insert_with(|| json!([])) {
        Value::Array(list) => list.extend(items),
        other => *other = Value::Array(items),
    }
}

/// Adds items to a list of the workload's `spec`, each replacing another of the same `name`.
fn replace_in_list(workload: &mut Workload, key: &str, items: impl Iterator<Item = Value>) {
    for item in items {
        if let Some(Value::Array(list)) = workload.object_at(&["spec"]).get_mut(key) {
            list.retain(|other| other.get("name") != item.get("name"));
        }
        append_to_list(workload, key, std::iter::once(item));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each change has its place, and a variable is set once.
    #[test]
    fn changes_are_applied_in_order() {
        let workload = json!({
            "apiVersion": "suffiks.com/v1", "kind": "Application", "metadata": {"name": "app", "labels": {"a": "1"}},
            "spec": {"env": [{"name": "A", "value": "old"}, {"name": "B", "value": "b"}], "gone": true},
        });
        let text = |text: &str| text.to_owned();
        let changes = Changes {
            env: vec![(text("A"), text("1")), (text("A"), text("2"))],
            env_from: vec![EnvSource { name: text("s"), is_secret: true, optional: false }],
            labels: vec![(text("b"), text("2"))],
            annotations: vec![(text("c"), text("3"))],
            sidecars: vec![Container {
                name: text("side"),
                image: Some(text("img")),
                ..Default::default()
            }],
            patches: vec![json!({"spec": {"gone": null, "new": [1]}})],
            ..Default::default()
        };
        let changed =
            changes.apply_containers(changes.apply(Workload::new(workload).expect("a workload")));
        assert_eq!(
            *changed.document(),
            json!({
                "apiVersion": "suffiks.com/v1", "kind": "Application",
                "metadata": {"name": "app", "labels": {"a": "1", "b": "2"}, "annotations": {"c": "3"}},
                "spec": {
                    "env": [{"name": "B", "value": "b"}, {"name": "A", "value": "2"}],
                    "envFrom": [{"secretRef": {"name": "s", "optional": false}}],
                    "sidecars": [{"name": "side", "image": "img"}],
                    "new": [1],
                },
            })
        );
    }
}
