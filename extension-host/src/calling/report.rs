//! The report of a call: the returned value, the usage, the activity.

use std::borrow::Cow;
use std::time::Duration;

use core_types::Activity;
use serde::{Serialize, Serializer};
use wasmtime::component::Val;
use wasmtime::component::wasm_wave;

use super::gate::Gate;
use crate::error::CallError;
use crate::values::json;

/// The report of a call.
///
/// ```
/// # use extension_host::{Arguments, Host, Permissions};
/// # let module = r#"(module (func (export "add") (param i32 i32) (result i32)
/// #     (i32.add (local.get 0) (local.get 1))))"#;
/// # let host = Host::new()?;
/// # let code = host.compile(&wat::parse_str(module)?)?;
/// # let extension = host.extension(&code, Permissions::default())?;
/// let report = extension.call_blocking("add", &Arguments::words(["2", "3"]));
/// assert!(report.usage.fuel > 0 && report.output.is_empty());
/// assert_eq!(report.outcome?.to_json(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CallReport<T = Returned> {
    /// The returned value, or the reason why there is none.
    pub outcome: Result<T, CallError>,
    /// The resources that the call used.
    pub usage: Usage,
    /// The output and log of the guest, up to the limit. Untrusted text: escape it for a terminal.
    pub output: Vec<u8>,
    /// The end of the guest's standard error, at most 2 KiB: usually the reason of a failure.
    /// Untrusted text as well.
    pub stderr_tail: Vec<u8>,
    /// The requests of the guest with their decisions.
    pub activity: Activity,
}

/// The value that a function returned.
#[derive(Debug, Clone, PartialEq)]
pub struct Returned(Kept);

/// The forms in which values come back. Bytes are kept as bytes: as values they would take many
/// times their size.
#[derive(Debug, Clone, PartialEq)]
enum Kept {
    Value { value: Option<Val>, is_bytes: bool },
    Bytes { around: Around, bytes: Vec<u8> },
}

/// The type around bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Around {
    Nothing,
    Some,
    Ok,
}

/// The resources that a call used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Units of fuel. The same input uses the same fuel.
    pub fuel: u64,
    /// The bytes of all linear memories at the end. Memories never shrink, so that it is also the
    /// maximum.
    pub memory_bytes: usize,
    /// The elements of all tables at the end, which is also the maximum.
    pub table_elements: usize,
    /// The bytes written to files, with those that files grew by.
    pub written_bytes: u64,
    /// Wall-clock time, instantiation included.
    pub elapsed: Duration,
}

impl<T> CallReport<T> {
    /// Reports a call that was not started.
    pub(crate) fn failed(error: CallError, gate: &Gate) -> Self {
        Self {
            outcome: Err(error),
            usage: Usage::default(),
            output: Vec::new(),
            stderr_tail: Vec::new(),
            activity: gate.noted(),
        }
    }
}

impl Returned {
    /// Keeps a value, or none. `is_bytes` tells that a list is data rather than numbers.
    pub(crate) fn of_value(value: Option<Val>, is_bytes: bool) -> Self {
        Self(Kept::Value { value, is_bytes })
    }

    pub(crate) fn of_bytes(bytes: Vec<u8>) -> Self {
        Self::of_bytes_in(Around::Nothing, bytes)
    }

    pub(crate) fn of_bytes_in(around: Around, bytes: Vec<u8>) -> Self {
        Self(Kept::Bytes { around, bytes })
    }

    /// Returns the value for people: text verbatim, anything else as WAVE, nothing for no value.
    ///
    /// Bytes come out as WAVE as well: see [`Returned::bytes`].
    pub fn to_text(&self) -> String {
        if let Kept::Bytes { around, bytes } = &self.0 {
            let list = list_text(bytes);
            return if *around == Around::Some { format!("some({list})") } else { list };
        }
        match self.plain() {
            None => String::new(),
            Some(Val::String(text)) => text.clone(),
            Some(other) => wasm_wave::to_string(other).unwrap_or_else(|error| format!("({error})")),
        }
    }

    /// Returns the bytes of a `list<u8>` or of a module, which are data rather than text.
    pub fn bytes(&self) -> Option<Cow<'_, [u8]>> {
        match &self.0 {
            Kept::Bytes { around: Around::Some, .. } | Kept::Value { is_bytes: false, .. } => None,
            Kept::Bytes { bytes, .. } => Some(Cow::Borrowed(bytes)),
            Kept::Value { .. } => {
                let Val::List(values) = self.plain()? else { return None };
                let byte = |value: &Val| if let Val::U8(byte) = value { Some(*byte) } else { None };
                values.iter().map(byte).collect::<Option<Vec<_>>>().map(Cow::Owned)
            }
        }
    }

    /// Returns the value as JSON, in the form that [`crate::Arguments::Json`] reads. Serialize
    /// bytes instead, which makes no JSON value of each byte.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.0 {
            Kept::Value { value, .. } => {
                value.as_ref().map_or(serde_json::Value::Null, json::from_val)
            }
            Kept::Bytes { around: Around::Ok, bytes } => serde_json::json!({ "ok": bytes }),
            Kept::Bytes { bytes, .. } => bytes.as_slice().into(),
        }
    }

    /// Tells whether the function returned a `result` that is an error.
    pub fn is_err(&self) -> bool {
        matches!(self.0, Kept::Value { value: Some(Val::Result(Err(_))), .. })
    }

    /// Tells whether there is no value to show.
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Kept::Value { .. } => self.plain().is_none(),
            Kept::Bytes { around, bytes } => *around != Around::Some && bytes.is_empty(),
        }
    }

    /// Returns the value itself; for a `result` its payload.
    fn plain(&self) -> Option<&Val> {
        match &self.0 {
            Kept::Bytes { .. } => None,
            Kept::Value { value: Some(Val::Result(Ok(payload) | Err(payload))), .. } => {
                payload.as_deref()
            }
            Kept::Value { value, .. } => value.as_ref(),
        }
    }
}

/// Serializes the same JSON as [`Returned::to_json`].
impl Serialize for Returned {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Kept::Bytes { around: Around::Ok, bytes } => serializer.collect_map([("ok", bytes)]),
            Kept::Bytes { bytes, .. } => bytes.serialize(serializer),
            Kept::Value { .. } => self.to_json().serialize(serializer),
        }
    }
}

/// Writes bytes as a list in WAVE.
fn list_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 5 + 2);
    for byte in bytes {
        text.push_str(if text.is_empty() { "[" } else { ", " });
        text.push_str(&byte.to_string());
    }
    if text.is_empty() {
        text.push('[');
    }
    text + "]"
}
