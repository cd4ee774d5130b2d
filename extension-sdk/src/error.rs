//! Why the host did not do what it was asked.

use std::fmt;

use crate::host::types;

/// Why the host did not do what it was asked.
///
/// Its message says all there is to say, for the string that WIT functions usually return as error.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The user has not granted this. The host has noted it, and tells the user how to grant it.
    Denied(String),
    /// What was named is not there.
    NotFound,
    /// The desktop cannot do it now: a service is missing, locked or does not answer.
    Unavailable(String),
    /// What was given is larger than the host takes: this many bytes are the most.
    TooLarge(u64),
    /// Too many requests in too little time.
    TooMany,
    /// Anything else.
    Other(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(why) => write!(f, "denied: {why}"),
            Self::NotFound => f.write_str("not found"),
            Self::Unavailable(why) => write!(f, "unavailable: {why}"),
            Self::TooLarge(most) => write!(f, "too large: {most} bytes are the most"),
            Self::TooMany => f.write_str("too many requests in too little time"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}

/// For `?` in functions that return text as error, as those of a world usually do.
impl From<Error> for String {
    fn from(error: Error) -> Self {
        error.to_string()
    }
}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        match error {
            types::Error::Denied(why) => Self::Denied(why),
            types::Error::NotFound => Self::NotFound,
            types::Error::Unavailable(why) => Self::Unavailable(why),
            types::Error::TooLarge(most) => Self::TooLarge(most),
            types::Error::TooMany => Self::TooMany,
            types::Error::Other(why) => Self::Other(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the host says, what the SDK makes of it, and its message.
    fn said() -> impl Strategy<Value = (types::Error, Error, String)> {
        prop_oneof![
            any::<String>().prop_map(|why| {
                (
                    types::Error::Denied(why.clone()),
                    Error::Denied(why.clone()),
                    format!("denied: {why}"),
                )
            }),
            Just((types::Error::NotFound, Error::NotFound, "not found".to_owned())),
            any::<String>().prop_map(|why| {
                (
                    types::Error::Unavailable(why.clone()),
                    Error::Unavailable(why.clone()),
                    format!("unavailable: {why}"),
                )
            }),
            any::<u64>().prop_map(|most| {
                let message = format!("too large: {most} bytes are the most");
                (types::Error::TooLarge(most), Error::TooLarge(most), message)
            }),
            Just((
                types::Error::TooMany,
                Error::TooMany,
                "too many requests in too little time".to_owned()
            )),
            any::<String>().prop_map(|why| (
                types::Error::Other(why.clone()),
                Error::Other(why.clone()),
                why
            )),
        ]
    }

    proptest! {
        #[test]
        fn every_case_stays_what_it_is_and_says_so((given, expected, message) in said()) {
            let error = Error::from(given);
            prop_assert_eq!(&error, &expected);
            prop_assert_eq!(error.to_string(), message.clone());
            prop_assert_eq!(String::from(error), message);
        }
    }
}
