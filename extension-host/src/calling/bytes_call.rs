//! Calls that pass `list<u8>` as bytes.
//!
//! Wasmtime's dynamic values take 40 bytes for each element of a list, in the host's memory and
//! against the limit on transferred bytes. Its static types take one. A function with `list<u8>` is
//! therefore called by static types where its signature is one of those below. Each combination is
//! code of its own, so that only the frequent ones are here. All other functions are called with
//! dynamic values.

use wasmtime::Store;
use wasmtime::component::{ComponentNamedList, Func, Lift, Lower, Type, Val};

use super::call_state::CallState;
use super::report::{Around, Returned};
use crate::values::{Argument, ArgumentError, Arguments, Signature, is_bytes};

/// A call by static types: the arguments and the type of the result.
pub(crate) struct BytesCall {
    parameters: Parameters,
    result: ResultType,
}

/// The parameter lists that are called by static types.
enum Parameters {
    Nothing(()),
    Text((String,)),
    Texts((String, String)),
    Number((u32,)),
    Bytes((Vec<u8>,)),
    TwoBytes((Vec<u8>, Vec<u8>)),
    TextBytes((String, Vec<u8>)),
    BytesText((Vec<u8>, String)),
    NumberBytes((u32, Vec<u8>)),
    BytesNumber((Vec<u8>, u32)),
    /// Such as an image with its width and height.
    BytesNumbers((Vec<u8>, u32, u32)),
    /// Such as a bucket, a key and a value.
    TextsBytes((String, String, Vec<u8>)),
    BytesTexts((Vec<u8>, String, String)),
}

/// The results that are called by static types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ResultType {
    Bytes,
    OptionBytes,
    ResultBytes,
    ResultBytesOrText,
    Nothing,
    Text,
    ResultText,
    ResultNothingOrText,
}

impl BytesCall {
    /// Reads the arguments of a function that is called by static types. Returns `None` for any
    /// other function.
    pub(crate) fn new(
        function: &Signature,
        arguments: &Arguments,
    ) -> Result<Option<Self>, ArgumentError> {
        let Some(result) = ResultType::of(function) else { return Ok(None) };
        let takes_bytes = function.parameters.iter().any(|(_, ty)| is_bytes(ty));
        if !(takes_bytes || result.has_bytes()) || !are_known(&function.parameters) {
            return Ok(None);
        }
        let parameters = Parameters::of(arguments.with_bytes(function)?);
        Ok(parameters.map(|parameters| Self { parameters, result }))
    }

    /// Calls the function, whose signature is the one that this call was made for.
    pub(crate) async fn run(
        self,
        function: Func,
        store: &mut Store<CallState>,
    ) -> wasmtime::Result<Returned> {
        let result = self.result;
        match self.parameters {
            Parameters::Nothing(none) => call_for_bytes(function, store, none, result).await,
            Parameters::Text(text) => call_for_bytes(function, store, text, result).await,
            Parameters::Texts(texts) => call_for_bytes(function, store, texts, result).await,
            Parameters::Number(number) => call_for_bytes(function, store, number, result).await,
            Parameters::Bytes(bytes) => call_for_any(function, store, bytes, result).await,
            Parameters::TwoBytes(both) => call_for_any(function, store, both, result).await,
            Parameters::TextBytes(both) => call_for_any(function, store, both, result).await,
            Parameters::BytesText(both) => call_for_any(function, store, both, result).await,
            Parameters::NumberBytes(both) => call_for_any(function, store, both, result).await,
            Parameters::BytesNumber(both) => call_for_any(function, store, both, result).await,
            Parameters::BytesNumbers(all) => call_for_any(function, store, all, result).await,
            Parameters::TextsBytes(all) => call_for_any(function, store, all, result).await,
            Parameters::BytesTexts(all) => call_for_any(function, store, all, result).await,
        }
    }
}

/// Tells whether arguments for these parameters are among [`Parameters`].
fn are_known(parameters: &[(String, Type)]) -> bool {
    let types: Vec<_> = parameters.iter().map(|(_, ty)| ty).collect();
    match types.as_slice() {
        [] => true,
        [ty] => matches!(ty, Type::String | Type::U32) || is_bytes(ty),
        [Type::String, Type::String] => true,
        [first, second] => {
            let fits = |one: &Type, other: &Type| {
                is_bytes(one) && (matches!(other, Type::String | Type::U32) || is_bytes(other))
            };
            fits(first, second) || fits(second, first)
        }
        [Type::String, Type::String, ty] => is_bytes(ty),
        [ty, Type::String, Type::String] | [ty, Type::U32, Type::U32] => is_bytes(ty),
        _ => false,
    }
}

impl Parameters {
    fn of(arguments: Vec<Argument>) -> Option<Self> {
        let mut arguments = arguments.into_iter();
        match [(); 4].map(|()| arguments.next()) {
            [None, ..] => Some(Self::Nothing(())),
            [Some(one), None, ..] => Self::of_one(one),
            [Some(first), Some(second), None, _] => Self::of_two(first, second),
            [Some(first), Some(second), Some(third), None] => Self::of_three(first, second, third),
            _ => None,
        }
    }

    fn of_one(argument: Argument) -> Option<Self> {
        Some(match argument {
            Argument::Value(Val::String(text)) => Self::Text((text,)),
            Argument::Value(Val::U32(number)) => Self::Number((number,)),
            Argument::Bytes(bytes) => Self::Bytes((bytes,)),
            Argument::Value(_) => return None,
        })
    }

    fn of_two(first: Argument, second: Argument) -> Option<Self> {
        use Argument::{Bytes, Value};
        Some(match (first, second) {
            (Value(Val::String(one)), Value(Val::String(other))) => Self::Texts((one, other)),
            (Bytes(one), Bytes(other)) => Self::TwoBytes((one, other)),
            (Value(Val::String(text)), Bytes(bytes)) => Self::TextBytes((text, bytes)),
            (Bytes(bytes), Value(Val::String(text))) => Self::BytesText((bytes, text)),
            (Value(Val::U32(number)), Bytes(bytes)) => Self::NumberBytes((number, bytes)),
            (Bytes(bytes), Value(Val::U32(number))) => Self::BytesNumber((bytes, number)),
            _ => return None,
        })
    }

    fn of_three(first: Argument, second: Argument, third: Argument) -> Option<Self> {
        use Argument::{Bytes, Value};
        Some(match (first, second, third) {
            (Bytes(bytes), Value(Val::U32(one)), Value(Val::U32(other))) => {
                Self::BytesNumbers((bytes, one, other))
            }
            (Value(Val::String(one)), Value(Val::String(other)), Bytes(bytes)) => {
                Self::TextsBytes((one, other, bytes))
            }
            (Bytes(bytes), Value(Val::String(one)), Value(Val::String(other))) => {
                Self::BytesTexts((bytes, one, other))
            }
            _ => return None,
        })
    }
}

impl ResultType {
    fn of(function: &Signature) -> Option<Self> {
        Some(match function.results.as_slice() {
            [] => Self::Nothing,
            [Type::String] => Self::Text,
            [ty] if is_bytes(ty) => Self::Bytes,
            [Type::Option(option)] if is_bytes(&option.ty()) => Self::OptionBytes,
            [Type::Result(result)] => match (result.ok(), result.err()) {
                (Some(ok), None) if is_bytes(&ok) => Self::ResultBytes,
                (Some(ok), Some(Type::String)) if is_bytes(&ok) => Self::ResultBytesOrText,
                (Some(Type::String), Some(Type::String)) => Self::ResultText,
                (None, Some(Type::String)) => Self::ResultNothingOrText,
                _ => return None,
            },
            _ => return None,
        })
    }

    fn has_bytes(self) -> bool {
        matches!(
            self,
            Self::Bytes | Self::OptionBytes | Self::ResultBytes | Self::ResultBytesOrText
        )
    }
}

type CallResult = wasmtime::Result<Returned>;

/// Calls a function that takes bytes.
async fn call_for_any<P>(
    function: Func,
    store: &mut Store<CallState>,
    parameters: P,
    result: ResultType,
) -> CallResult
where
    P: ComponentNamedList + Lower + Send + Sync + 'static,
{
    match result {
        ResultType::Nothing => call::<P, ()>(function, store, parameters).await,
        ResultType::Text => call::<P, (String,)>(function, store, parameters).await,
        ResultType::ResultText => {
            call::<P, (Result<String, String>,)>(function, store, parameters).await
        }
        ResultType::ResultNothingOrText => {
            call::<P, (Result<(), String>,)>(function, store, parameters).await
        }
        _ => call_for_bytes(function, store, parameters, result).await,
    }
}

/// Calls a function that returns bytes.
async fn call_for_bytes<P>(
    function: Func,
    store: &mut Store<CallState>,
    parameters: P,
    result: ResultType,
) -> CallResult
where
    P: ComponentNamedList + Lower + Send + Sync + 'static,
{
    match result {
        ResultType::OptionBytes => call::<P, (Option<Vec<u8>>,)>(function, store, parameters).await,
        ResultType::ResultBytes => {
            call::<P, (Result<Vec<u8>, ()>,)>(function, store, parameters).await
        }
        ResultType::ResultBytesOrText => {
            call::<P, (Result<Vec<u8>, String>,)>(function, store, parameters).await
        }
        // A result of any other type ends in an error here, since the types are compared.
        _ => call::<P, (Vec<u8>,)>(function, store, parameters).await,
    }
}

async fn call<P, R>(function: Func, store: &mut Store<CallState>, parameters: P) -> CallResult
where
    P: ComponentNamedList + Lower + Send + Sync + 'static,
    R: ComponentNamedList + Lift + IntoReturned + Send + Sync + 'static,
{
    let function = function.typed::<P, R>(&*store)?;
    Ok(function.call_async(store, parameters).await?.into_returned())
}

/// Converts a statically typed result to the form in which all results come back.
trait IntoReturned {
    fn into_returned(self) -> Returned;
}

impl IntoReturned for () {
    fn into_returned(self) -> Returned {
        Returned::of_value(None, false)
    }
}

impl IntoReturned for (String,) {
    fn into_returned(self) -> Returned {
        Returned::of_value(Some(Val::String(self.0)), false)
    }
}

impl IntoReturned for (Vec<u8>,) {
    fn into_returned(self) -> Returned {
        Returned::of_bytes(self.0)
    }
}

impl IntoReturned for (Option<Vec<u8>>,) {
    fn into_returned(self) -> Returned {
        match self.0 {
            Some(bytes) => Returned::of_bytes_in(Around::Some, bytes),
            None => Returned::of_value(Some(Val::Option(None)), false),
        }
    }
}

impl IntoReturned for (Result<Vec<u8>, ()>,) {
    fn into_returned(self) -> Returned {
        match self.0 {
            Ok(bytes) => Returned::of_bytes_in(Around::Ok, bytes),
            Err(()) => Returned::of_value(Some(Val::Result(Err(None))), false),
        }
    }
}

impl IntoReturned for (Result<Vec<u8>, String>,) {
    fn into_returned(self) -> Returned {
        match self.0 {
            Ok(bytes) => Returned::of_bytes_in(Around::Ok, bytes),
            Err(error) => Returned::of_value(Some(Val::Result(Err(text(error)))), false),
        }
    }
}

impl IntoReturned for (Result<String, String>,) {
    fn into_returned(self) -> Returned {
        Returned::of_value(Some(Val::Result(self.0.map(text).map_err(text))), false)
    }
}

impl IntoReturned for (Result<(), String>,) {
    fn into_returned(self) -> Returned {
        Returned::of_value(Some(Val::Result(self.0.map(|()| None).map_err(text))), false)
    }
}

fn text(text: String) -> Option<Box<Val>> {
    Some(Box::new(Val::String(text)))
}
