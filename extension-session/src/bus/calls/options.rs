//! The options of a message. One that is unknown, or of another type, is an error: an option that
//! does nothing would mislead its caller.

use std::collections::HashMap;
use std::time::Duration;

use core_types::event::EventName;
use zbus::zvariant::{OwnedValue, Value};

use crate::bus::bus_error::BusError;

/// The longest handle, in bytes.
const MAX_HANDLE: usize = 64;
/// The least time between two calls of a watch.
const MIN_EVERY: Duration = Duration::from_secs(1);
/// The most events of one watch.
const MAX_EVENTS: usize = 32;

/// Options as a message carries them.
pub(in crate::bus) type Options = HashMap<String, OwnedValue>;

/// The options of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::bus) struct CallOptions {
    /// `handle_token`: the name of the object by which the call can be cancelled.
    pub handle: Option<String>,
    /// `timeout-ms`: the time that the caller waits.
    pub wait: Option<Duration>,
    /// `interactive`: whether a person may be asked for a missing permission.
    pub is_interactive: bool,
}

/// The options of a watch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::bus) struct WatchOptions {
    /// `every-ms`: the time between two calls.
    pub every: Option<Duration>,
    /// `on`: events after whose delivery the function is called again.
    pub on: Vec<EventName>,
}

impl CallOptions {
    pub(in crate::bus) fn read(options: &Options) -> Result<Self, BusError> {
        let mut read = Self::default();
        for (key, value) in options {
            match (key.as_str(), &**value) {
                ("handle_token", Value::Str(token)) => read.handle = Some(handle(token)?),
                ("timeout-ms", Value::U32(wait)) => {
                    read.wait = Some(Duration::from_millis(u64::from(*wait)));
                }
                ("interactive", Value::Bool(interactive)) => read.is_interactive = *interactive,
                ("handle_token" | "timeout-ms" | "interactive", value) => {
                    return Err(of_type(key, value));
                }
                _ => return Err(unknown(key, "`handle_token`, `timeout-ms` and `interactive`")),
            }
        }
        Ok(read)
    }
}

impl WatchOptions {
    pub(in crate::bus) fn read(options: &Options) -> Result<Self, BusError> {
        let mut read = Self::default();
        for (key, value) in options {
            match (key.as_str(), &**value) {
                ("every-ms", Value::U32(every)) => read.every = Some(interval(*every)?),
                ("on", Value::Array(names)) => read.on = events(names.iter())?,
                ("every-ms" | "on", value) => return Err(of_type(key, value)),
                _ => return Err(unknown(key, "`every-ms` and `on`")),
            }
        }
        if read.every.is_none() && read.on.is_empty() {
            return Err(BusError::usage("a watch has to have `every-ms` or `on`"));
        }
        Ok(read)
    }
}

fn handle(token: &str) -> Result<String, BusError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if (1..=MAX_HANDLE).contains(&token.len()) && token.chars().all(fits) {
        return Ok(token.to_owned());
    }
    Err(BusError::usage(format!(
        "`handle_token` has 1 to {MAX_HANDLE} letters, digits and underscores"
    )))
}

fn interval(milliseconds: u32) -> Result<Duration, BusError> {
    let every = Duration::from_millis(u64::from(milliseconds));
    if every < MIN_EVERY {
        return Err(BusError::usage("`every-ms` is at least 1000"));
    }
    Ok(every)
}

fn events<'a>(names: impl Iterator<Item = &'a Value<'a>>) -> Result<Vec<EventName>, BusError> {
    let mut events = Vec::new();
    for name in names {
        let Value::Str(name) = name else { return Err(of_type("on", name)) };
        events.push(name.parse().map_err(|error| BusError::usage(format!("`on`: {error}")))?);
        if events.len() > MAX_EVENTS {
            return Err(BusError::usage(format!("`on` has more than {MAX_EVENTS} events")));
        }
    }
    Ok(events)
}

fn of_type(key: &str, value: &Value<'_>) -> BusError {
    BusError::usage(format!("`{key}` cannot have the type `{}`", value.value_signature()))
}

fn unknown(key: &str, known: &str) -> BusError {
    let shown: String = key.escape_debug().take(64).collect();
    BusError::usage(format!("there is no option `{shown}`: there are {known}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use zbus::zvariant::{OwnedValue, Value};

    use super::{CallOptions, Options, WatchOptions};

    fn options<const N: usize>(options: [(&str, Value<'static>); N]) -> Options {
        let owned = |value: Value<'_>| OwnedValue::try_from(value).expect("owned");
        options.into_iter().map(|(key, value)| (key.to_owned(), owned(value))).collect()
    }

    fn call_error(options: Options) -> String {
        CallOptions::read(&options).expect_err("an error").text().to_owned()
    }

    #[test]
    fn options_are_read_by_type() {
        let read = CallOptions::read(&options([
            ("handle_token", "a_1".into()),
            ("timeout-ms", 5_u32.into()),
            ("interactive", true.into()),
        ]));
        let wait = Some(Duration::from_millis(5));
        let handle = Some("a_1".to_owned());
        assert_eq!(read, Ok(CallOptions { handle, wait, is_interactive: true }));
        let long = "a".repeat(65);
        for token in ["", "a-b", "a/b", long.as_str()] {
            let error = call_error(options([("handle_token", Value::from(token.to_owned()))]));
            assert!(error.contains("1 to 64"), "{error}");
        }
        assert!(call_error(options([("timeout-ms", "5".into())])).contains("type `s`"));
        assert!(
            call_error(options([("wait\u{1b}", 5_u32.into())])).contains("no option `wait\\u{1b}`")
        );
    }

    #[test]
    fn watch_needs_a_reason_to_call() {
        let read = |options| WatchOptions::read(&options).map_err(|error| error.text().to_owned());
        assert!(read(options([])).expect_err("an error").contains("`every-ms` or `on`"));
        assert!(
            read(options([("every-ms", 999_u32.into())])).expect_err("an error").contains("1000")
        );
        let on = vec!["power.source".to_owned()];
        assert_eq!(read(options([("on", on.into())])).expect("read").on.len(), 1);
        let wrong = vec!["power".to_owned()];
        assert!(read(options([("on", wrong.into())])).is_err());
        let many = vec!["power.source".to_owned(); 33];
        assert!(read(options([("on", many.into())])).expect_err("an error").contains("32"));
    }
}
