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

    fn error() -> impl Strategy<Value = types::Error> {
        prop_oneof![
            any::<String>().prop_map(types::Error::Denied),
            Just(types::Error::NotFound),
            any::<String>().prop_map(types::Error::Unavailable),
            any::<u64>().prop_map(types::Error::TooLarge),
            Just(types::Error::TooMany),
            any::<String>().prop_map(types::Error::Other),
        ]
    }

    proptest! {
        #[test]
        fn what_the_host_says_stays_in_the_message(error in error()) {
            let said = match &error {
                types::Error::Denied(why) | types::Error::Unavailable(why) | types::Error::Other(why) => why.clone(),
                types::Error::TooLarge(most) => most.to_string(),
                types::Error::NotFound | types::Error::TooMany => String::new(),
            };
            let message = String::from(Error::from(error));
            prop_assert!(message.contains(&said) && (said.is_empty() || !message.is_empty()));
        }
    }
}
