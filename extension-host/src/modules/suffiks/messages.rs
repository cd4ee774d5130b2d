//! The [protobuf](https://protobuf.dev) messages of the functions.

use std::collections::HashMap;

use prost::Message;

use crate::modules::ModuleFault;

/// A name and a value.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) value: String,
}

/// Variables from a secret or config map.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct EnvFrom {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bool, tag = "2")]
    pub(crate) optional: bool,
    /// 0 is a config map, 1 a secret.
    #[prost(int32, tag = "3")]
    pub(crate) kind: i32,
}

/// A problem of a workload.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ValidationError {
    #[prost(string, tag = "1")]
    pub(crate) path: String,
    #[prost(string, tag = "2")]
    pub(crate) detail: String,
    #[prost(string, tag = "3")]
    pub(crate) value: String,
}

/// The result of `Delete`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct DeleteResponse {
    #[prost(string, tag = "1")]
    pub(crate) error: String,
}

/// The workload, as its extension sees it.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Owner {
    #[prost(string, tag = "1")]
    pub(crate) kind: String,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(string, tag = "3")]
    pub(crate) namespace: String,
    #[prost(string, tag = "4")]
    pub(crate) api_version: String,
    #[prost(string, tag = "5")]
    pub(crate) uid: String,
    #[prost(map = "string, string", tag = "6")]
    pub(crate) labels: HashMap<String, String>,
    #[prost(map = "string, string", tag = "7")]
    pub(crate) annotations: HashMap<String, String>,
    #[prost(string, tag = "8")]
    pub(crate) revision_id: String,
}

/// A kind of resource.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct GroupVersionResource {
    #[prost(string, optional, tag = "1")]
    pub(crate) group: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) version: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(crate) resource: Option<String>,
}

/// Decodes a message that a module sent to a function.
pub(crate) fn decode<M: Message + Default>(
    function: &'static str,
    expected: &'static str,
    bytes: &[u8],
) -> Result<M, ModuleFault> {
    M::decode(bytes).map_err(|error| ModuleFault::BadMessage {
        function,
        expected,
        reason: error.to_string(),
    })
}
