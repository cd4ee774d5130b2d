//! Values of a bus, which may be of any type, and those of an event.

use core_types::event::EventValue;
use zbus::zvariant::Value;

use super::service::Properties;

/// Takes a property where it is given. One of another type is unknown from then on, and no longer
/// what it was before.
pub(super) fn update<T>(
    field: &mut Option<T>,
    properties: &Properties<'_>,
    name: &str,
    read: impl Fn(&Value<'_>) -> Option<T>,
) {
    if let Some(value) = properties.get(name) {
        *field = read(value);
    }
}

/// Returns the values of an event that are known, with their names.
pub(super) fn known<const N: usize>(
    named: [(&'static str, Option<EventValue>); N],
) -> Vec<(&'static str, EventValue)> {
    named.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Returns a value without the variants around it.
pub(super) fn plain<'a, 'v>(value: &'a Value<'v>) -> &'a Value<'v> {
    match value {
        Value::Value(inner) => plain(inner),
        value => value,
    }
}

pub(super) fn truth(value: &Value<'_>) -> Option<bool> {
    if let Value::Bool(truth) = plain(value) { Some(*truth) } else { None }
}

pub(super) fn number(value: &Value<'_>) -> Option<u32> {
    if let Value::U32(number) = plain(value) { Some(*number) } else { None }
}

pub(super) fn fraction(value: &Value<'_>) -> Option<f64> {
    if let Value::F64(number) = plain(value) { Some(*number) } else { None }
}

pub(super) fn text<'a>(value: &'a Value<'_>) -> Option<&'a str> {
    if let Value::Str(text) = plain(value) { Some(text.as_str()) } else { None }
}

/// Returns the path of an object; nothing for `/`, which stands for none.
pub(super) fn object(value: &Value<'_>) -> Option<String> {
    let Value::ObjectPath(path) = plain(value) else { return None };
    (path.as_str() != "/").then(|| path.as_str().to_owned())
}

/// Returns the elements of an array.
pub(super) fn elements<'a, 'v>(value: &'a Value<'v>) -> Option<&'a [Value<'v>]> {
    if let Value::Array(array) = plain(value) { Some(array.inner()) } else { None }
}

/// Returns the fields of a structure.
pub(super) fn fields<'a, 'v>(value: &'a Value<'v>) -> Option<&'a [Value<'v>]> {
    if let Value::Structure(structure) = plain(value) { Some(structure.fields()) } else { None }
}

/// Returns the value of a key in a dictionary.
pub(super) fn entry<'a, 'v>(value: &'a Value<'v>, key: &str) -> Option<&'a Value<'v>> {
    let Value::Dict(entries) = plain(value) else { return None };
    entries.iter().find(|(name, _)| text(name) == Some(key)).map(|(_, value)| value)
}
