//! Arguments as people type them, and the values that a function takes.

use std::borrow::Cow;

use wasmtime::component::{Type, Val};

use super::signature::{Signature, is_bytes, type_text};
use super::{json, wave};

/// The arguments of one call, not yet of any type.
///
/// ```
/// use extension_host::Arguments;
///
/// let typed = Arguments::words(["World", "some(3)", "{name: \"x\", age: 4}"]);
/// let json = Arguments::Json(r#"["World", 3, {"name": "x", "age": 4}]"#.to_owned());
/// # assert_ne!(typed, json);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// One argument each. A `string` takes its text verbatim, `list<u8>` its bytes; numbers,
    /// booleans, characters and enums are plain words; everything else is
    /// [WAVE](https://github.com/bytecodealliance/wasm-tools/tree/main/crates/wasm-wave). Options
    /// at the end can be left out.
    ///
    /// An option without a value is `none`, wherever it stands. An option of a string or of
    /// `list<u8>` takes every word as its value, `none` too: without a value it is `%none`, and the
    /// text `%none` is `%%none`.
    Words(Vec<Word>),
    /// A JSON array with one element each: a record is an object, a variant `{"case": payload}`, an
    /// enum its name, flags an array of names, an option its value or null, a result `{"ok":
    /// value}` or `{"err": value}`. Integers can have a fraction of zeros and an exponent, and can
    /// be strings, for those who write JSON with floating-point numbers; `"NaN"`, `"Infinity"` and
    /// `"-Infinity"` stand for the floats that JSON lacks. An option of an option is `{"some":
    /// value}` or null.
    Json(String),
    /// One argument each, for a function of a module that takes bytes: each is put into the
    /// module's memory by its `malloc`, and passed as two numbers, its address and length. A
    /// returned 64-bit number stands for bytes in the same way: `(address << 32) | length`.
    Bytes(Vec<Vec<u8>>),
}

/// One argument, and whether it was typed or read from a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    bytes: Vec<u8>,
    is_read: bool,
}

impl Word {
    /// Makes an argument that was typed, which counts verbatim.
    pub fn typed(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), is_read: false }
    }

    /// Makes an argument that was read from a pipe or file, which usually ends with a newline. The
    /// newline does not count, except for strings, `list<u8>` and options of these, and where it is
    /// the only character of a `char`.
    pub fn read(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), is_read: true }
    }

    /// Returns the bytes as they were given.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Returns the text verbatim.
    fn text(&self) -> Result<&str, String> {
        text(&self.bytes)
    }

    /// Returns the value of an option that takes every text, unless it is none: typed, `%none` is
    /// none, and each `%` more before it is part of the text.
    fn unless_none(&self) -> Option<Cow<'_, Self>> {
        let percents = self.bytes.iter().take_while(|byte| **byte == b'%').count();
        match (percents, &self.bytes[percents..]) {
            (1, b"none") if !self.is_read => None,
            (2.., b"none") if !self.is_read => Some(Cow::Owned(Self::typed(&self.bytes[1..]))),
            _ => Some(Cow::Borrowed(self)),
        }
    }

    /// Returns the text without the newline at the end of input that was read.
    fn line(&self) -> Result<&str, String> {
        let text = self.text()?;
        let line = text.strip_suffix('\n').filter(|_| self.is_read);
        Ok(line.map_or(text, |line| line.strip_suffix('\r').unwrap_or(line)))
    }
}

/// One argument: bytes as they are, or any other value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Argument {
    Bytes(Vec<u8>),
    Value(Val),
}

/// Why arguments do not fit a function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// There are too many or too few.
    #[error("the function takes {expected}, not {found}: {signature}")]
    Count {
        /// The expected number, in words.
        expected: String,
        /// The number of given arguments.
        found: usize,
        /// The function's type in WIT's notation.
        signature: String,
    },
    /// One is not of the parameter's type.
    #[error("argument {number} (`{name}`) is not of type {ty}: {reason}")]
    Value {
        /// Its number, counted from 1.
        number: usize,
        /// The parameter's name.
        name: String,
        /// The parameter's type in WIT's notation.
        ty: String,
        /// The error in the text.
        reason: String,
    },
    /// The function is one of a component.
    #[error(
        "bytes are for functions of modules, which take addresses; a component says itself what it takes"
    )]
    BytesForComponent,
    /// The function of a module does not take so many pairs of address and length.
    #[error("{found} arguments of bytes are {} numbers, which the function does not take: {signature}", found * 2)]
    Bytes {
        /// The number of given arguments.
        found: usize,
        /// The function's type in WIT's notation.
        signature: String,
    },
    /// The JSON is not an array of arguments.
    #[error("the arguments are not a JSON array: {reason}")]
    Json {
        /// The error in it.
        reason: String,
    },
}

impl From<json::NotAnArray> for ArgumentError {
    fn from(json::NotAnArray(reason): json::NotAnArray) -> Self {
        Self::Json { reason }
    }
}

impl Arguments {
    /// Makes arguments from plain texts.
    pub fn words<T: Into<Vec<u8>>>(words: impl IntoIterator<Item = T>) -> Self {
        Self::Words(words.into_iter().map(Word::typed).collect())
    }

    /// Returns the values for a function's parameters. Bytes are for modules alone.
    pub(crate) fn values(&self, function: &Signature) -> Result<Vec<Val>, ArgumentError> {
        match self {
            Self::Words(words) => {
                fill(function, words, |ty, word| or_none(word, |word| parse_word(ty, word)))
            }
            Self::Json(text) => fill(function, &json::parse_array(text)?, |ty, json| {
                or_none(json, |json| json::to_val(ty, json))
            }),
            Self::Bytes(_) => Err(ArgumentError::BytesForComponent),
        }
    }

    /// Returns the values for a function's parameters, with `list<u8>` as bytes.
    pub(crate) fn with_bytes(&self, function: &Signature) -> Result<Vec<Argument>, ArgumentError> {
        match self {
            Self::Words(words) => fill(function, words, |ty, word| match word {
                Some(word) if is_bytes(ty) => Ok(Argument::Bytes(word.bytes.clone())),
                word => or_none(word, |word| parse_word(ty, word)).map(Argument::Value),
            }),
            Self::Json(text) => fill(function, &json::parse_array(text)?, |ty, json| match json {
                Some(json) if is_bytes(ty) => json::to_bytes(json).map(Argument::Bytes),
                json => or_none(json, |json| json::to_val(ty, json)).map(Argument::Value),
            }),
            Self::Bytes(_) => Err(ArgumentError::BytesForComponent),
        }
    }
}

/// Returns the value of an argument, or none if it is missing.
fn or_none<T>(
    argument: Option<&T>,
    parse: impl Fn(&T) -> Result<Val, String>,
) -> Result<Val, String> {
    argument.map_or(Ok(Val::Option(None)), parse)
}

/// Converts each argument to its parameter's type. Only options at the end may be missing.
fn fill<T, V>(
    function: &Signature,
    arguments: &[T],
    parse: impl Fn(&Type, Option<&T>) -> Result<V, String>,
) -> Result<Vec<V>, ArgumentError> {
    let parameters = &function.parameters;
    let is_option = |(_, ty): &&(String, Type)| matches!(ty, Type::Option(_));
    let optional = parameters.iter().rev().take_while(is_option).count();
    if !(parameters.len() - optional..=parameters.len()).contains(&arguments.len()) {
        return Err(count_error(parameters, optional, arguments.len()));
    }
    let mut values = Vec::with_capacity(parameters.len());
    for (at, (name, ty)) in parameters.iter().enumerate() {
        values.push(parse(ty, arguments.get(at)).map_err(|reason| ArgumentError::Value {
            number: at + 1,
            name: name.clone(),
            ty: type_text(ty),
            reason,
        })?);
    }
    Ok(values)
}

fn count_error(parameters: &[(String, Type)], optional: usize, found: usize) -> ArgumentError {
    let required = parameters.len() - optional;
    let expected = match (required, optional) {
        (0, 0) => "no arguments".to_owned(),
        (1, 0) => "1 argument".to_owned(),
        (_, 0) => format!("{required} arguments"),
        _ => format!("{required} to {} arguments", parameters.len()),
    };
    let parameters: Vec<_> =
        parameters.iter().map(|(name, ty)| format!("{name}: {}", type_text(ty))).collect();
    ArgumentError::Count { expected, found, signature: format!("({})", parameters.join(", ")) }
}

fn parse_word(ty: &Type, word: &Word) -> Result<Val, String> {
    match ty {
        Type::String => word.text().map(|text| Val::String(text.to_owned())),
        ty if is_bytes(ty) => Ok(Val::List(word.bytes.iter().copied().map(Val::U8).collect())),
        Type::Option(option) => parse_option(ty, &option.ty(), word),
        Type::Char => parse_char(ty, word),
        // Plain words, whose errors are better than those of a grammar.
        Type::U8
        | Type::U16
        | Type::U32
        | Type::U64
        | Type::S8
        | Type::S16
        | Type::S32
        | Type::S64
        | Type::Enum(_) => json::to_val(ty, &word.line()?.into()),
        _ => wave::parse(ty, word.line()?),
    }
}

/// Parses `none` and `some(…)` as WAVE has them, or the value alone. An option of a string or bytes
/// takes every text as the value. So does any option of these that is read, since a stream cannot
/// mark its text as none.
fn parse_option(ty: &Type, inner: &Type, word: &Word) -> Result<Val, String> {
    let takes_any = takes_any_text(inner);
    if takes_any && (word.is_read || !matches!(inner, Type::Option(_))) {
        let value =
            word.unless_none().map(|word| parse_word(inner, &word).map(Box::new)).transpose()?;
        return Ok(Val::Option(value));
    }
    let line = word.line().ok().filter(|line| *line == "none" || line.starts_with("some("));
    match line.map(|line| wave::parse(ty, line)) {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) if !takes_any => Err(error),
        _ => parse_word(inner, word).map(|value| Val::Option(Some(Box::new(value)))),
    }
}

/// Parses one character verbatim, or in quotes as WAVE has it.
fn parse_char(ty: &Type, word: &Word) -> Result<Val, String> {
    let single = |text: &str| {
        let mut characters = text.chars();
        characters.next().filter(|_| characters.next().is_none())
    };
    match single(word.text()?).or(single(word.line()?)) {
        Some(character) => Ok(Val::Char(character)),
        None => wave::parse(ty, word.line()?),
    }
}

/// Tells whether every text is a value of this type, or of the type inside an option.
fn takes_any_text(ty: &Type) -> bool {
    match ty {
        Type::Option(option) => takes_any_text(&option.ty()),
        ty => *ty == Type::String || is_bytes(ty),
    }
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes)
        .map_err(|error| format!("it is not UTF-8 text from byte {} on", error.valid_up_to()))
}
