//! The members that every object has.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use super::error::ErrorObject;

/// Raised when a member is removed or changes its meaning. New members do not count: see
/// `docs/reference/json.md`.
const SCHEMA_VERSION: u32 = 1;

/// The version of all schemas.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SchemaVersion;

impl Serialize for SchemaVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(SCHEMA_VERSION)
    }
}

impl JsonSchema for SchemaVersion {
    fn schema_name() -> Cow<'static, str> {
        "SchemaVersion".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The version of this object",
            "const": SCHEMA_VERSION,
        })
    }
}

/// The object of a command: its own members and those of every object.
#[derive(Serialize, JsonSchema)]
pub(super) struct Object<T> {
    #[serde(flatten)]
    pub members: T,
    /// Failures of some of several names, while the members tell of the others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorObject>,
    pub schema_version: SchemaVersion,
    /// Warnings that a person would have seen on standard error.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// The object of a command that failed.
#[derive(Serialize, JsonSchema)]
pub(super) struct Failed {
    pub error: ErrorObject,
}

impl<T> Object<T> {
    pub(super) fn new(members: T, warnings: Vec<String>) -> Self {
        Self { members, errors: Vec::new(), schema_version: SchemaVersion, warnings }
    }
}
