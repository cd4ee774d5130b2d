//! Settings and limits as they are typed: `city=Oslo`, `limits.max_fuel=1000`.

use std::fmt;
use std::str::FromStr;

use core_types::LimitName;

/// A key that can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingKey {
    /// A dotted key of `[config]`.
    Config(String),
    /// A key of `[limits]`.
    Limit(LimitName),
}

/// A setting or limit with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypedSetting {
    /// A value of `[config]`.
    Config { key: String, value: String },
    /// A value of `[limits]`.
    Limit(LimitName, u64),
}

/// The reason why a text is not a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingTextError {
    #[error("a setting is typed with its value, as in `{key}=VALUE`")]
    NoValue { key: String },
    #[error("a key has parts with dots between them, as in `greeting.template`")]
    Key,
    #[error("`{key}` is a limit, typed `limits.{key}`; a setting of that name is `config.{key}`")]
    BareLimit { key: String },
    #[error("there is no limit `{key}`; the limits are {}", limits())]
    Limit { key: String },
    #[error(transparent)]
    Value(#[from] core_types::LimitValueError),
}

/// Lists the limits that can be set, as they are typed.
fn limits() -> String {
    let keys = LimitName::ALL.into_iter().filter_map(LimitName::key);
    keys.map(|key| format!("`limits.{key}`")).collect::<Vec<_>>().join(", ")
}

impl FromStr for SettingKey {
    type Err = SettingTextError;

    fn from_str(text: &str) -> Result<Self, SettingTextError> {
        if let Some(key) = text.strip_prefix("limits.") {
            let unknown = || SettingTextError::Limit { key: key.escape_debug().to_string() };
            return LimitName::of_key(key).map(Self::Limit).ok_or_else(unknown);
        }
        // A bare key of a limit means that limit, and not a setting of the same name.
        if LimitName::of_key(text).is_some() {
            return Err(SettingTextError::BareLimit { key: text.to_owned() });
        }
        // The prefix of the table allows keys that begin with `limits.`.
        let key = text.strip_prefix("config.").unwrap_or(text);
        let is_key = !key.is_empty()
            && key.split('.').all(|part| !part.is_empty())
            && !key.contains(char::is_control);
        if is_key { Ok(Self::Config(key.to_owned())) } else { Err(SettingTextError::Key) }
    }
}

impl FromStr for TypedSetting {
    type Err = SettingTextError;

    fn from_str(text: &str) -> Result<Self, SettingTextError> {
        let no_value = || SettingTextError::NoValue { key: text.escape_debug().to_string() };
        let (key, value) = text.split_once('=').ok_or_else(no_value)?;
        Ok(match key.parse()? {
            SettingKey::Config(key) => Self::Config { key, value: value.to_owned() },
            SettingKey::Limit(name) => Self::Limit(name, name.parse_value(value)?),
        })
    }
}

/// Prints the key as it is typed.
impl fmt::Display for SettingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(key) => f.write_str(key),
            Self::Limit(name) => write!(f, "limits.{}", name.key().unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_is_read_as_typed() {
        let config = |key: &str, value: &str| TypedSetting::Config {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        for (text, read) in [
            ("city=Oslo", config("city", "Oslo")),
            ("greeting.template=a = b", config("greeting.template", "a = b")),
            ("city=", config("city", "")),
            ("config.limits.x=1", config("limits.x", "1")),
            ("config.timeout_ms=1", config("timeout_ms", "1")),
            ("limits.max_fuel=1_000", TypedSetting::Limit(LimitName::Fuel, 1_000)),
        ] {
            assert_eq!(text.parse(), Ok(read), "{text}");
        }
        for (text, said) in [
            ("city", "`city=VALUE`"),
            ("=x", "dots"),
            ("a..b=x", "dots"),
            ("timeout_ms=1", "`limits.timeout_ms`"),
            ("limits.fuel=1", "`limits.max_fuel`"),
            ("limits.max_fuel=many", "`limits.max_fuel` is a whole number"),
            ("limits.timeout_ms=0", "from 1 to 86,400,000"),
        ] {
            let error = text.parse::<TypedSetting>().expect_err(text).to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
