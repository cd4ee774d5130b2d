//! Containers, in the protobuf form of
//! [Kubernetes](https://github.com/kubernetes/api/blob/master/core/v1/generated.proto) and as the
//! JSON that people write.

use std::collections::HashMap;

use prost::Message;
use serde::{Serialize, Serializer};

/// A container beside or before the main one. Fields without a counterpart are refused instead of
/// dropped: see [`Container::unsupported`].
#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Container {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, optional, tag = "2")]
    #[serde(skip_serializing_if = "is_unsaid")]
    pub(crate) image: Option<String>,
    #[prost(string, repeated, tag = "3")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) command: Vec<String>,
    #[prost(string, repeated, tag = "4")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) args: Vec<String>,
    #[prost(string, optional, tag = "5")]
    #[serde(skip_serializing_if = "is_unsaid")]
    pub(crate) working_dir: Option<String>,
    #[prost(message, repeated, tag = "6")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ports: Vec<Port>,
    #[prost(message, repeated, tag = "7")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) env: Vec<EnvVar>,
    #[prost(message, optional, tag = "8")]
    #[serde(skip_serializing_if = "is_unsaid")]
    pub(crate) resources: Option<Requirements>,
    #[prost(message, repeated, tag = "9")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) volume_mounts: Vec<VolumeMount>,
    #[prost(bytes = "vec", optional, tag = "10")]
    #[serde(skip)]
    pub(crate) liveness_probe: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "11")]
    #[serde(skip)]
    pub(crate) readiness_probe: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "12")]
    #[serde(skip)]
    pub(crate) lifecycle: Option<Vec<u8>>,
    #[prost(string, optional, tag = "13")]
    #[serde(skip_serializing_if = "is_unsaid")]
    pub(crate) termination_message_path: Option<String>,
    #[prost(string, optional, tag = "14")]
    #[serde(skip_serializing_if = "is_unsaid")]
    pub(crate) image_pull_policy: Option<String>,
    #[prost(bytes = "vec", optional, tag = "15")]
    #[serde(skip)]
    pub(crate) security_context: Option<Vec<u8>>,
    #[prost(bool, optional, tag = "16")]
    #[serde(skip_serializing_if = "is_unsaid")]
    pub(crate) stdin: Option<bool>,
    #[prost(bool, optional, tag = "17")]
    #[serde(skip_serializing_if = "is_unsaid")]
    pub(crate) stdin_once: Option<bool>,
    #[prost(bool, optional, tag = "18")]
    #[serde(skip_serializing_if = "is_unsaid")]
    pub(crate) tty: Option<bool>,
    #[prost(bytes = "vec", repeated, tag = "19")]
    #[serde(skip)]
    pub(crate) env_from: Vec<Vec<u8>>,
    #[prost(string, optional, tag = "20")]
    #[serde(skip_serializing_if = "is_unsaid")]
    pub(crate) termination_message_policy: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "21")]
    #[serde(skip)]
    pub(crate) volume_devices: Vec<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "22")]
    #[serde(skip)]
    pub(crate) startup_probe: Option<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "23")]
    #[serde(skip)]
    pub(crate) resize_policy: Vec<Vec<u8>>,
    #[prost(string, optional, tag = "24")]
    #[serde(skip_serializing_if = "is_unsaid")]
    pub(crate) restart_policy: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "25")]
    #[serde(skip)]
    pub(crate) restart_policy_rules: Vec<Vec<u8>>,
}

/// Tells whether a field is unset: in the third version of protobuf, zero and unset are the same,
/// and some programs write every field.
fn is_unsaid<T: Default + PartialEq>(field: &Option<T>) -> bool {
    field.as_ref().is_none_or(|value| *value == T::default())
}

impl Container {
    /// Returns the first field that is set and not supported.
    pub(crate) fn unsupported(&self) -> Option<&'static str> {
        let said = [
            ("livenessProbe", self.liveness_probe.is_some()),
            ("readinessProbe", self.readiness_probe.is_some()),
            ("lifecycle", self.lifecycle.is_some()),
            ("securityContext", self.security_context.is_some()),
            ("envFrom", !self.env_from.is_empty()),
            ("volumeDevices", !self.volume_devices.is_empty()),
            ("startupProbe", self.startup_probe.is_some()),
            ("resizePolicy", !self.resize_policy.is_empty()),
            ("valueFrom", self.env.iter().any(|variable| variable.value_from.is_some())),
            (
                "resources.claims",
                self.resources.as_ref().is_some_and(|resources| !resources.claims.is_empty()),
            ),
            ("restartPolicyRules", !self.restart_policy_rules.is_empty()),
            ("volumeMounts", self.volume_mounts.iter().any(VolumeMount::says_more)),
        ];
        said.into_iter().find_map(|(name, is_said)| is_said.then_some(name))
    }
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Port {
    #[prost(string, optional, tag = "1")]
    #[serde(skip_serializing_if = "is_unsaid")]
    name: Option<String>,
    #[prost(int32, optional, tag = "2")]
    #[serde(skip_serializing_if = "is_unsaid")]
    host_port: Option<i32>,
    #[prost(int32, tag = "3")]
    container_port: i32,
    #[prost(string, optional, tag = "4")]
    #[serde(skip_serializing_if = "is_unsaid")]
    protocol: Option<String>,
    #[prost(string, optional, tag = "5")]
    #[serde(rename = "hostIP", skip_serializing_if = "is_unsaid")]
    host_ip: Option<String>,
}

#[derive(Clone, PartialEq, Message, Serialize)]
pub(crate) struct EnvVar {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, optional, tag = "2")]
    #[serde(skip_serializing_if = "is_unsaid")]
    value: Option<String>,
    #[prost(bytes = "vec", optional, tag = "3")]
    #[serde(skip)]
    value_from: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message, Serialize)]
pub(crate) struct Requirements {
    #[prost(map = "string, message", tag = "1")]
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    limits: HashMap<String, Quantity>,
    #[prost(map = "string, message", tag = "2")]
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    requests: HashMap<String, Quantity>,
    #[prost(bytes = "vec", repeated, tag = "3")]
    #[serde(skip)]
    claims: Vec<Vec<u8>>,
}

/// An amount such as `500m` or `64Mi`; in JSON it is its text.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Quantity {
    #[prost(string, optional, tag = "1")]
    text: Option<String>,
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VolumeMount {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bool, optional, tag = "2")]
    #[serde(skip_serializing_if = "is_unsaid")]
    read_only: Option<bool>,
    #[prost(string, tag = "3")]
    mount_path: String,
    #[prost(string, optional, tag = "4")]
    #[serde(skip_serializing_if = "is_unsaid")]
    sub_path: Option<String>,
    #[prost(string, optional, tag = "5")]
    #[serde(skip)]
    mount_propagation: Option<String>,
    #[prost(string, optional, tag = "6")]
    #[serde(skip)]
    sub_path_expr: Option<String>,
    #[prost(string, optional, tag = "7")]
    #[serde(skip)]
    recursive_read_only: Option<String>,
}

impl VolumeMount {
    /// Tells whether a field without support is set.
    fn says_more(&self) -> bool {
        [&self.mount_propagation, &self.sub_path_expr, &self.recursive_read_only]
            .into_iter()
            .any(|text| !is_unsaid(text))
    }
}
