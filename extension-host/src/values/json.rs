//! Values as JSON, both ways.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use wasmtime::component::{Type, Val};

use super::labels::{Fields, known, name_of_label, unknown_name};
use super::numbers;

/// The largest integer up to which a floating-point number represents all integers: 2⁵³.
const EXACT: u64 = 1 << 53;

/// No type has an integer of this size: 2⁶⁴. Smaller ones are no floating-point numbers in JSON.
const TOO_LARGE: f64 = 18_446_744_073_709_551_616.0;

/// The text is not a JSON array, and why.
#[derive(Debug)]
pub(crate) struct NotAnArray(pub(crate) String);

/// Reads a JSON array.
pub(crate) fn parse_array(text: &str) -> Result<Vec<Value>, NotAnArray> {
    let parsed = serde_json::from_str(&with_plain_integers(text));
    // The error is about the text that was given, with its place in it.
    let parsed =
        parsed.map_err(|error| serde_json::from_str::<Strict>(text).err().unwrap_or(error));
    match parsed {
        Ok(Strict(Value::Array(values))) => Ok(values),
        Ok(Strict(other)) => Err(NotAnArray(format!("it is {}", kind(&other)))),
        Err(error) => Err(NotAnArray(error.to_string())),
    }
}

/// Writes the integers among the numbers of a text as plain digits: `5.0` and `5e18` would become
/// floating-point numbers, which do not represent all large integers.
fn with_plain_integers(text: &str) -> Cow<'_, str> {
    let is_part =
        |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    let (bytes, mut out, mut copied, mut at) = (text.as_bytes(), String::new(), 0, 0);
    while let Some(byte) = bytes.get(at) {
        let start = at;
        match byte {
            b'"' => at = end_of_string(bytes, at),
            b'-' | b'0'..=b'9' => {
                at += bytes[at..].iter().take_while(|byte| is_part(byte)).count();
                let number = &text[start..at];
                if let Some(digits) = plain_integer(number) {
                    out.push_str(&text[copied..start]);
                    out.push_str(&digits);
                    copied = at;
                }
            }
            _ => at += 1,
        }
    }
    if copied == 0 { Cow::Borrowed(text) } else { Cow::Owned(out + &text[copied..]) }
}

/// Returns the place after the string that begins here.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Returns the plain digits of an integer that JSON writes with a fraction or an exponent.
fn plain_integer(number: &str) -> Option<String> {
    let is_written_otherwise = number.contains(['.', 'e', 'E']);
    let is_json = || serde_json::from_str::<Number>(number).is_ok();
    if is_written_otherwise && is_json() { numbers::integer_digits(number) } else { None }
}

/// JSON without repeated members of an object.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = elements.next_element()? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, _>()? {
            if object.contains_key(&name) {
                let name = name.escape_debug();
                return Err(serde::de::Error::custom(format_args!(
                    "the field `{name}` is given twice"
                )));
            }
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

/// Converts a value to JSON.
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
        Val::List(values) | Val::Tuple(values) | Val::FixedLengthList(values) => {
            values.iter().map(from_val).collect()
        }
        Val::Record(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), from_val(value))).collect()
        }
        Val::Variant(case, payload) => one(case, payload_value(payload)),
        Val::Option(None) => Value::Null,
        Val::Option(Some(inner)) if matches!(**inner, Val::Option(_)) => {
            one("some", from_val(inner))
        }
        Val::Option(Some(inner)) => from_val(inner),
        Val::Result(Ok(payload)) => one("ok", payload_value(payload)),
        Val::Result(Err(payload)) => one("err", payload_value(payload)),
        Val::Flags(names) => names.iter().cloned().collect(),
        Val::Map(_) | Val::Resource(_) | Val::Future(_) | Val::Stream(_) | Val::ErrorContext(_) => {
            Value::Null
        }
    }
}

/// Converts a floating-point number; those that JSON lacks become text. The shortest text that
/// reads back as the same number comes from the original type, so that an `f32` does not get digits
/// that it never had.
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

/// Converts JSON to a value of this type, or says why it cannot.
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
        Type::Float32 => number(json).and_then(numbers::narrow).map(Val::Float32),
        Type::Float64 => number(json).map(Val::Float64),
        Type::Char => character(json).map(Val::Char),
        Type::String => json
            .as_str()
            .map(|text| Val::String(text.to_owned()))
            .map_or_else(|| wrong("a text"), Ok),
        Type::List(list) => elements(json, |_| Some(list.ty())).map(Val::List),
        Type::Tuple(tuple) => {
            let types: Vec<_> = tuple.types().collect();
            if json.as_array().is_some_and(|array| array.len() != types.len()) {
                return Err(format!("the tuple has {} elements", types.len()));
            }
            elements(json, |at| types.get(at).cloned()).map(Val::Tuple)
        }
        Type::Record(record) => {
            let fields: Vec<_> =
                record.fields().map(|field| (field.name.to_owned(), field.ty)).collect();
            object(json, &fields)
        }
        Type::Variant(variant) => {
            let cases: Vec<_> =
                variant.cases().map(|case| (case.name.to_owned(), case.ty)).collect();
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

/// Reads an integer, written as a number or, for programs with only floating-point numbers, as
/// text.
fn integer<T: TryFrom<i128>>(json: &Value) -> Result<T, String> {
    match json {
        Value::Number(number) => match numbers::integer(&number.to_string()) {
            Ok(_) if is_rounded(number) => {
                Err("a number with a fraction stands where an integer should".to_owned())
            }
            read => read,
        },
        Value::String(text) => numbers::integer(text),
        _ => Err(format!("{} stands where an integer should", kind(json))),
    }
}

/// Tells whether a number had a fraction: [`with_plain_integers`] leaves no integer as a floating-point
/// number but zero with a sign, and those that are too large for any type.
fn is_rounded(number: &Number) -> bool {
    let float = number.as_f64().filter(|_| number.is_f64());
    float
        .is_some_and(|float| float.abs() < TOO_LARGE && !(float == 0.0 && float.is_sign_negative()))
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
    let array =
        json.as_array().ok_or_else(|| format!("{} stands where an array should", kind(json)))?;
    let element = |(at, value)| {
        let ty = ty(at).ok_or_else(|| format!("there is no element {at}"))?;
        to_val(&ty, value).map_err(|reason| format!("[{at}]: {reason}"))
    };
    array.iter().enumerate().map(element).collect()
}

/// Reads the bytes of a `list<u8>`.
pub(crate) fn to_bytes(json: &Value) -> Result<Vec<u8>, String> {
    let array =
        json.as_array().ok_or_else(|| format!("{} stands where an array should", kind(json)))?;
    let byte = |(at, value)| integer(value).map_err(|reason| format!("[{at}]: {reason}"));
    array.iter().enumerate().map(byte).collect()
}

/// Reads a record. Options may be missing; unknown fields are errors.
fn object(json: &Value, types: &[(String, Type)]) -> Result<Val, String> {
    let object =
        json.as_object().ok_or_else(|| format!("{} stands where an object should", kind(json)))?;
    let mut fields = Fields::new(types);
    for (name, value) in object {
        fields.put(name, |ty| to_val(ty, value))?;
    }
    fields.finish()
}

type Tagged = (String, Option<Box<Val>>);

/// Reads `{"case": payload}`; for a case without payload the name alone will do.
fn tagged(json: &Value, cases: &[(String, Option<Type>)]) -> Result<Tagged, String> {
    let (name, payload) = match json {
        Value::String(name) => (name, &Value::Null),
        Value::Object(object) if object.len() == 1 => {
            object.iter().next().unwrap_or_else(|| unreachable!("length 1"))
        }
        _ => return Err(format!("{} stands where an object with one case should", kind(json))),
    };
    let name = name_of_label(name);
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

fn name_of(json: &Value, names: &[&str]) -> Result<String, String> {
    let name = json.as_str().ok_or_else(|| format!("{} stands where a name should", kind(json)))?;
    known(name_of_label(name), names)
}

fn flag_names(json: &Value, names: &[&str]) -> Result<Val, String> {
    let array = json
        .as_array()
        .ok_or_else(|| format!("{} stands where an array of names should", kind(json)))?;
    let mut flags = Vec::new();
    for flag in array {
        let name = name_of(flag, names)?;
        if flags.contains(&name) {
            return Err(format!("the flag `{name}` is given twice"));
        }
        flags.push(name);
    }
    Ok(Val::Flags(flags))
}

/// Reads an option: null is none. An option inside an option is wrapped as `{"some": value}`, or
/// none and some(none) would look alike.
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
