//! Values as JSON, both ways.

use serde_json::{Map, Number, Value};
use wasmtime::component::{Type, Val};

use crate::arguments::ArgumentError;

/// The largest integer up to which a floating-point number tells all integers apart.
const EXACT: u64 = 1 << 53;

/// Reads a JSON array.
pub(crate) fn parse_array(text: &str) -> Result<Vec<Value>, ArgumentError> {
    match serde_json::from_str(text) {
        Ok(Value::Array(values)) => Ok(values),
        Ok(other) => Err(ArgumentError::Json { reason: format!("it is {}", kind(&other)) }),
        Err(error) => Err(ArgumentError::Json { reason: error.to_string() }),
    }
}

/// A value as JSON.
pub(crate) fn from_val(val: &Val) -> Value {
    match val {
        Val::Bool(value) => Value::Bool(*value),
        Val::S8(value) => (*value).into(),
        Val::U8(value) => (*value).into(),
        Val::S16(value) => (*value).into(),
        Val::U16(value) => (*value).into(),
        Val::S32(value) => (*value).into(),
        Val::U32(value) => (*value).into(),
        Val::S64(value) if value.unsigned_abs() > EXACT => Value::String(value.to_string()),
        Val::S64(value) => (*value).into(),
        Val::U64(value) if *value > EXACT => Value::String(value.to_string()),
        Val::U64(value) => (*value).into(),
        Val::Float32(value) => float(f64::from(*value), || value.to_string()),
        Val::Float64(value) => float(*value, || value.to_string()),
        Val::Char(value) => Value::String(value.to_string()),
        Val::String(value) | Val::Enum(value) => Value::String(value.clone()),
        Val::List(values) | Val::Tuple(values) | Val::FixedLengthList(values) => values.iter().map(from_val).collect(),
        Val::Record(fields) => fields.iter().map(|(name, value)| (name.clone(), from_val(value))).collect(),
        Val::Variant(case, payload) => one(case, payload_value(payload)),
        Val::Option(None) => Value::Null,
        Val::Option(Some(inner)) if matches!(**inner, Val::Option(_)) => one("some", from_val(inner)),
        Val::Option(Some(inner)) => from_val(inner),
        Val::Result(Ok(payload)) => one("ok", payload_value(payload)),
        Val::Result(Err(payload)) => one("err", payload_value(payload)),
        Val::Flags(names) => names.iter().cloned().collect(),
        Val::Map(_) | Val::Resource(_) | Val::Future(_) | Val::Stream(_) | Val::ErrorContext(_) => Value::Null,
    }
}

/// A floating-point number; those that JSON lacks become text. The shortest text that reads back as the same number
/// is taken from the type it has, so that an `f32` does not get digits that it never had.
fn float(value: f64, shortest: impl Fn() -> String) -> Value {
    let text = if value.is_nan() {
        "NaN"
    } else if value == f64::INFINITY {
        "Infinity"
    } else if value == f64::NEG_INFINITY {
        "-Infinity"
    } else {
        let shortest = shortest().parse().ok().and_then(Number::from_f64);
        return shortest.map_or(Value::Null, Value::Number);
    };
    Value::String(text.to_owned())
}

fn one(key: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(key.to_owned(), value)]))
}

fn payload_value(payload: &Option<Box<Val>>) -> Value {
    payload.as_ref().map_or(Value::Null, |payload| from_val(payload))
}

/// A value of this type from JSON, or what is wrong with it.
pub(crate) fn to_val(ty: &Type, json: &Value) -> Result<Val, String> {
    let wrong = |expected: &str| Err(format!("{} stands where {expected} should", kind(json)));
    match ty {
        Type::Bool => json.as_bool().map(Val::Bool).map_or_else(|| wrong("true or false"), Ok),
        Type::S8 => integer(json).map(Val::S8),
        Type::U8 => integer(json).map(Val::U8),
        Type::S16 => integer(json).map(Val::S16),
        Type::U16 => integer(json).map(Val::U16),
        Type::S32 => integer(json).map(Val::S32),
        Type::U32 => integer(json).map(Val::U32),
        Type::S64 => integer(json).map(Val::S64),
        Type::U64 => integer(json).map(Val::U64),
        Type::Float32 => number(json).map(|value| Val::Float32(value as f32)),
        Type::Float64 => number(json).map(Val::Float64),
        Type::Char => character(json).map(Val::Char),
        Type::String => json.as_str().map(|text| Val::String(text.to_owned())).map_or_else(|| wrong("a text"), Ok),
        Type::List(list) => elements(json, |_| Some(list.ty())).map(Val::List),
        Type::Tuple(tuple) => {
            let types: Vec<_> = tuple.types().collect();
            if json.as_array().is_some_and(|array| array.len() != types.len()) {
                return Err(format!("the tuple has {} elements", types.len()));
            }
            elements(json, |at| types.get(at).cloned()).map(Val::Tuple)
        }
        Type::Record(record) => {
            let fields: Vec<_> = record.fields().map(|field| (field.name.to_owned(), field.ty)).collect();
            object(json, &fields)
        }
        Type::Variant(variant) => {
            let cases: Vec<_> = variant.cases().map(|case| (case.name.to_owned(), case.ty)).collect();
            let (case, payload) = tagged(json, &cases)?;
            Ok(Val::Variant(case, payload))
        }
        Type::Enum(names) => name_of(json, &names.names().collect::<Vec<_>>()).map(Val::Enum),
        Type::Flags(flags) => flag_names(json, &flags.names().collect::<Vec<_>>()),
        Type::Option(option) => optional(json, &option.ty()),
        Type::Result(result) => {
            let cases = [("ok".to_owned(), result.ok()), ("err".to_owned(), result.err())];
            let (case, payload) = tagged(json, &cases)?;
            Ok(Val::Result(if case == "ok" { Ok(payload) } else { Err(payload) }))
        }
        _ => wrong("a value that cannot be written as JSON"),
    }
}

fn kind(json: &Value) -> String {
    match json {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// An integer, written as a number or, for those who have only floating-point numbers, as text.
fn integer<T: TryFrom<i128>>(json: &Value) -> Result<T, String> {
    let value = match json {
        Value::Number(number) => number.to_string().parse::<i128>().ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let value = value.ok_or_else(|| format!("{} stands where an integer should", kind(json)))?;
    T::try_from(value).map_err(|_| format!("{value} is out of range"))
}

fn number(json: &Value) -> Result<f64, String> {
    match json {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
    .ok_or_else(|| format!("{} stands where a number should", kind(json)))
}

fn character(json: &Value) -> Result<char, String> {
    let mut characters = json.as_str().unwrap_or_default().chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Ok(character),
        _ => Err(format!("{} stands where one character should", kind(json))),
    }
}

fn elements(json: &Value, ty: impl Fn(usize) -> Option<Type>) -> Result<Vec<Val>, String> {
    let array = json.as_array().ok_or_else(|| format!("{} stands where an array should", kind(json)))?;
    let element = |(at, value)| {
        let ty = ty(at).ok_or_else(|| format!("there is no element {at}"))?;
        to_val(&ty, value).map_err(|reason| format!("[{at}]: {reason}"))
    };
    array.iter().enumerate().map(element).collect()
}

/// A record. Fields that are options may be missing; fields that it does not have are errors.
fn object(json: &Value, fields: &[(String, Type)]) -> Result<Val, String> {
    let object = json.as_object().ok_or_else(|| format!("{} stands where an object should", kind(json)))?;
    if let Some(unknown) = object.keys().find(|key| !fields.iter().any(|(name, _)| name == *key)) {
        return Err(format!("there is no field `{}`", unknown.escape_debug()));
    }
    let field = |(name, ty): &(String, Type)| {
        let value = match (object.get(name), ty) {
            (Some(value), _) => to_val(ty, value).map_err(|reason| format!(".{name}: {reason}"))?,
            (None, Type::Option(_)) => Val::Option(None),
            (None, _) => return Err(format!("the field `{name}` is missing")),
        };
        Ok((name.clone(), value))
    };
    fields.iter().map(field).collect::<Result<_, _>>().map(Val::Record)
}

type Tagged = (String, Option<Box<Val>>);

/// `{"case": payload}`; for a case without payload the name alone will do.
fn tagged(json: &Value, cases: &[(String, Option<Type>)]) -> Result<Tagged, String> {
    let (name, payload) = match json {
        Value::String(name) => (name, &Value::Null),
        Value::Object(object) if object.len() == 1 => object.iter().next().unwrap_or_else(|| unreachable!("length 1")),
        _ => return Err(format!("{} stands where an object with one case should", kind(json))),
    };
    let case = cases.iter().find(|(case, _)| case == name);
    match case.ok_or_else(|| unknown_name(name, cases.iter().map(|(case, _)| case.as_str())))? {
        (name, None) if payload.is_null() => Ok((name.clone(), None)),
        (name, None) => Err(format!("the case `{name}` has no payload")),
        (name, Some(ty)) => {
            let value = to_val(ty, payload).map_err(|reason| format!(".{name}: {reason}"))?;
            Ok((name.clone(), Some(Box::new(value))))
        }
    }
}

fn unknown_name<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    format!(
        "`{}` is none of {}",
        name.escape_debug(),
        known.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    )
}

fn name_of(json: &Value, names: &[&str]) -> Result<String, String> {
    let name = json.as_str().ok_or_else(|| format!("{} stands where a name should", kind(json)))?;
    if names.contains(&name) { Ok(name.to_owned()) } else { Err(unknown_name(name, names.iter().copied())) }
}

fn flag_names(json: &Value, names: &[&str]) -> Result<Val, String> {
    let array = json.as_array().ok_or_else(|| format!("{} stands where an array of names should", kind(json)))?;
    array.iter().map(|flag| name_of(flag, names)).collect::<Result<_, _>>().map(Val::Flags)
}

/// Null is none. An option inside an option is wrapped as `{"some": value}`, or none and some(none) would look alike.
fn optional(json: &Value, ty: &Type) -> Result<Val, String> {
    let inner = match json {
        Value::Null => return Ok(Val::Option(None)),
        Value::Object(object) if matches!(ty, Type::Option(_)) && object.len() == 1 => {
            object.get("some").ok_or("an option of an option is {\"some\": value} or null")?
        }
        other => other,
    };
    to_val(ty, inner).map(|value| Val::Option(Some(Box::new(value))))
}
