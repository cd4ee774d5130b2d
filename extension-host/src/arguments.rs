//! From what a person types to what a function takes.

use wasmtime::component::wasm_wave;
use wasmtime::component::{Type, Val};

use crate::exports::{Signature, type_text};
use crate::json;

/// The arguments of one call, not yet of any type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// One argument each. A `string` takes its text as it stands, `list<u8>` its bytes; numbers, booleans, characters
    /// and enums are written plainly; everything else is
    /// [WAVE](https://github.com/bytecodealliance/wasm-tools/tree/main/crates/wasm-wave). Arguments at the end that
    /// are options can be left out.
    Words(Vec<Vec<u8>>),
    /// A JSON array with one element each: a record is an object, a variant `{"case": payload}`, an enum its name,
    /// flags an array of names, an option its value or null, a result `{"ok": value}` or `{"err": value}`. Integers
    /// can be strings, for those who write JSON with floating-point numbers, and `"NaN"`, `"Infinity"` and
    /// `"-Infinity"` stand for the floats that JSON lacks. An option of an option is `{"some": value}` or null.
    Json(String),
    /// One argument each, for a function of a module that takes bytes: each is put into the module's memory by its
    /// `malloc`, and given as two numbers, where it lies and how long it is. A 64-bit number that comes back is the same
    /// of bytes: `(address << 32) | length`.
    Bytes(Vec<Vec<u8>>),
}

/// Why arguments do not fit a function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// There are too many or too few.
    #[error("the function takes {expected}, not {found}: {signature}")]
    Count {
        /// How many it takes, in words.
        expected: String,
        /// How many there are.
        found: usize,
        /// The function's type in WIT's notation.
        signature: String,
    },
    /// One is not of the parameter's type.
    #[error("argument {number} (`{name}`) is no {ty}: {reason}")]
    Value {
        /// Which argument, counted from 1.
        number: usize,
        /// The parameter's name.
        name: String,
        /// The parameter's type in WIT's notation.
        ty: String,
        /// What is wrong with the text.
        reason: String,
    },
    /// The function is one of a component.
    #[error("bytes are for functions of modules, which take addresses; a component says itself what it takes")]
    BytesForComponent,
    /// The function of a module does not take so many pairs of address and length.
    #[error("{found} arguments of bytes are {} numbers, which the function does not take: {signature}", found * 2)]
    Bytes {
        /// How many arguments there are.
        found: usize,
        /// The function's type in WIT's notation.
        signature: String,
    },
    /// The JSON is no array of arguments.
    #[error("the arguments are no JSON array: {reason}")]
    Json {
        /// What is wrong with it.
        reason: String,
    },
}

impl Arguments {
    /// Arguments from plain texts.
    pub fn words<T: Into<Vec<u8>>>(words: impl IntoIterator<Item = T>) -> Self {
        Self::Words(words.into_iter().map(Into::into).collect())
    }

    /// The values for a function's parameters. Bytes stand for no values; they are for modules alone.
    pub(crate) fn values(&self, function: &Signature) -> Result<Vec<Val>, ArgumentError> {
        match self {
            Self::Words(words) => fill(function, words, |ty, word| parse_word(ty, word)),
            Self::Json(text) => fill(function, &json::parse_array(text)?, json::to_val),
            Self::Bytes(_) => Err(ArgumentError::BytesForComponent),
        }
    }
}

/// Turns each argument into its parameter's type; options at the end may be missing.
fn fill<T>(
    function: &Signature,
    arguments: &[T],
    parse: impl Fn(&Type, &T) -> Result<Val, String>,
) -> Result<Vec<Val>, ArgumentError> {
    let parameters = &function.parameters;
    let is_option = |(_, ty): &&(String, Type)| matches!(ty, Type::Option(_));
    let optional = parameters.iter().rev().take_while(is_option).count();
    if !(parameters.len() - optional..=parameters.len()).contains(&arguments.len()) {
        return Err(count_error(parameters, optional, arguments.len()));
    }
    let mut values = Vec::with_capacity(parameters.len());
    for (at, (name, ty)) in parameters.iter().enumerate() {
        let value = arguments.get(at).map_or(Ok(Val::Option(None)), |argument| parse(ty, argument));
        values.push(value.map_err(|reason| ArgumentError::Value {
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
    let parameters: Vec<_> = parameters.iter().map(|(name, ty)| format!("{name}: {}", type_text(ty))).collect();
    ArgumentError::Count { expected, found, signature: format!("({})", parameters.join(", ")) }
}

fn parse_word(ty: &Type, word: &[u8]) -> Result<Val, String> {
    match ty {
        Type::String => text(word).map(|text| Val::String(text.to_owned())),
        Type::List(list) if list.ty() == Type::U8 => Ok(Val::List(word.iter().copied().map(Val::U8).collect())),
        Type::Option(option) if takes_any_text(&option.ty()) => some(parse_word(&option.ty(), word)?),
        Type::Option(option) => wave(ty, text(word)?).or_else(|_| some(parse_word(&option.ty(), word)?)),
        Type::Char => {
            let text = text(word)?;
            let mut characters = text.chars();
            match (characters.next(), characters.next()) {
                (Some(character), None) => Ok(Val::Char(character)),
                _ => wave(ty, text),
            }
        }
        // Plain words, whose errors are better than those of a grammar.
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::S8 | Type::S16 | Type::S32 | Type::S64 | Type::Enum(_) => {
            json::to_val(ty, &text(word)?.into())
        }
        _ => wave(ty, text(word)?),
    }
}

fn takes_any_text(ty: &Type) -> bool {
    matches!(ty, Type::String) || matches!(ty, Type::List(list) if list.ty() == Type::U8)
}

fn some(value: Val) -> Result<Val, String> {
    Ok(Val::Option(Some(Box::new(value))))
}

fn text(word: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(word).map_err(|error| format!("it is no UTF-8 text from byte {} on", error.valid_up_to()))
}

fn wave(ty: &Type, text: &str) -> Result<Val, String> {
    wasm_wave::from_str(ty, text).map_err(|error| error.to_string())
}
