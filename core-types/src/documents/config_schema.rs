//! The settings that an author declares: `[config.schema]` of an `extension.toml`.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer};

/// The maximum of declared settings, and of values of one: more than a person reads.
const MAX_DECLARED: usize = 64;
/// The longest description, in characters: a line or two of a terminal.
const MAX_DESCRIPTION: usize = 200;

/// The settings of an extension, by their dotted keys.
///
/// ```
/// let schema: core_types::ConfigSchema = core_types::parse_toml(
///     r#"
///     city = { default = "Oslo", description = "Where the weather is for" }
///     days = { type = "integer", default = 3 }
///     units = { enum = ["metric", "imperial"] }
///     "#,
/// )?
/// .value;
/// assert!(schema.check("units", "metric").is_ok());
/// assert!(schema.check("units", "celsius").is_err());
/// assert!(schema.check("days", "three").is_err());
/// assert!(schema.check("town", "Oslo").is_err());
/// # Ok::<(), core_types::TomlProblem>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigSchema(BTreeMap<String, DeclaredSetting>);

/// A setting as its author declares it.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeclaredSetting {
    /// `type`: the type of its values. Default: text.
    #[cfg_attr(feature = "schema", schemars(rename = "type"))]
    pub kind: SettingKind,
    /// `default`: the value that the extension uses where none is set, for people to read. Default:
    /// none is known.
    pub default: Option<String>,
    /// `description`: its purpose.
    pub description: Option<String>,
    /// `enum`: the only values that it can have; empty where every value of its type is one.
    #[cfg_attr(feature = "schema", schemars(rename = "enum"))]
    pub allowed: Vec<String>,
}

/// The type of the values of a setting.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SettingKind {
    /// Any text.
    #[default]
    String,
    /// A whole number of 64 bits.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
}

/// Why a value cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// The setting does not exist.
    #[error("there is no setting `{}`; the settings are {}", key.escape_debug(), quoted(known))]
    Unknown {
        /// The key.
        key: String,
        /// The keys that there are.
        known: Vec<String>,
    },
    /// The value is of another type.
    #[error("`{key}` is {kind}, and `{}` is not", value.escape_debug())]
    Kind {
        /// The setting.
        key: String,
        /// The type of its values.
        kind: SettingKind,
        /// The given value.
        value: String,
    },
    /// The value is none of those that are allowed.
    #[error("`{key}` is one of {}, and not `{}`", quoted(allowed), value.escape_debug())]
    NotAllowed {
        /// The setting.
        key: String,
        /// The values that it can have.
        allowed: Vec<String>,
        /// The given value.
        value: String,
    },
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|word| format!("`{}`", word.escape_debug())).collect::<Vec<_>>().join(", ")
}

#[cfg(feature = "schema")]
crate::schema::schema_as!(ConfigSchema, BTreeMap<String, SettingFile>);

impl ConfigSchema {
    /// Tells whether the author declares nothing, so that every key can be set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the setting of this key.
    pub fn get(&self, key: &str) -> Option<&DeclaredSetting> {
        self.0.get(key)
    }

    /// Iterates over the settings in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &DeclaredSetting)> {
        self.0.iter().map(|(key, setting)| (key.as_str(), setting))
    }

    /// Makes sure that a key can have this value. Where nothing is declared, every key can have
    /// every value.
    ///
    /// # Errors
    /// When the key is not declared, or the value is of another type or not among those allowed.
    pub fn check(&self, key: &str, value: &str) -> Result<(), SettingError> {
        if self.is_empty() {
            return Ok(());
        }
        self.check_key(key)?;
        self.get(key).map_or(Ok(()), |setting| setting.check(key, value))
    }

    /// Makes sure that there is a setting of this key.
    ///
    /// # Errors
    /// When the author declares settings, and this is none of them.
    pub fn check_key(&self, key: &str) -> Result<(), SettingError> {
        if self.is_empty() || self.0.contains_key(key) {
            return Ok(());
        }
        Err(SettingError::Unknown { key: key.to_owned(), known: self.0.keys().cloned().collect() })
    }
}

impl DeclaredSetting {
    fn check(&self, key: &str, value: &str) -> Result<(), SettingError> {
        if !self.kind.fits(value) {
            return Err(SettingError::Kind {
                key: key.to_owned(),
                kind: self.kind,
                value: value.to_owned(),
            });
        }
        if self.allowed.is_empty() || self.allowed.iter().any(|allowed| allowed == value) {
            return Ok(());
        }
        let allowed = self.allowed.clone();
        Err(SettingError::NotAllowed { key: key.to_owned(), allowed, value: value.to_owned() })
    }
}

impl SettingKind {
    /// Tells whether a text is a value of this kind.
    pub fn fits(self, value: &str) -> bool {
        match self {
            Self::String => true,
            Self::Integer => value.parse::<i64>().is_ok(),
            Self::Number => value.parse::<f64>().is_ok_and(f64::is_finite),
            Self::Boolean => value.parse::<bool>().is_ok(),
        }
    }

    /// Returns the name in `type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

/// The values of the type, in words.
impl fmt::Display for SettingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "a text",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "`true` or `false`",
        })
    }
}

/// A setting as it is written.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[derive(serde::Deserialize)]
struct SettingFile {
    #[serde(default, rename = "type")]
    kind: SettingKind,
    default: Option<Scalar>,
    description: Option<String>,
    #[serde(default, rename = "enum")]
    allowed: Vec<Scalar>,
}

/// A value that has one text form.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Scalar {
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text(String),
}

impl From<Scalar> for String {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Boolean(value) => value.to_string(),
            Scalar::Integer(value) => value.to_string(),
            Scalar::Number(value) => value.to_string(),
            Scalar::Text(text) => text,
        }
    }
}

impl<'de> Deserialize<'de> for ConfigSchema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = BTreeMap::<String, SettingFile>::deserialize(deserializer)?;
        if written.len() > MAX_DECLARED {
            return Err(de::Error::custom(format!("there are more than {MAX_DECLARED} settings")));
        }
        let declared = written
            .into_iter()
            .map(|(key, file)| declared(&key, file).map(|setting| (key, setting)));
        declared.collect::<Result<_, String>>().map(Self).map_err(de::Error::custom)
    }
}

/// Checks that the own values of a setting are among those that it allows.
fn declared(key: &str, file: SettingFile) -> Result<DeclaredSetting, String> {
    let SettingFile { kind, default, description, allowed } = file;
    let is_long =
        |text: &String| text.chars().count() > MAX_DESCRIPTION || text.contains(char::is_control);
    if key.is_empty() || key.split('.').any(str::is_empty) {
        return Err("a setting has a name, of parts with dots between them".to_owned());
    }
    if description.as_ref().is_some_and(is_long) || allowed.len() > MAX_DECLARED {
        return Err(format!(
            "the description of `{key}` is one line of at most {MAX_DESCRIPTION} characters, and it has at most \
             {MAX_DECLARED} values"
        ));
    }
    let allowed: Vec<String> = allowed.into_iter().map(String::from).collect();
    let setting =
        DeclaredSetting { kind, default: default.map(String::from), description, allowed };
    let mut values = setting.allowed.iter().chain(&setting.default);
    values.try_for_each(|value| setting.check(key, value)).map_err(|error| error.to_string())?;
    Ok(setting)
}

/// The settings as a list of objects, for programs.
impl serde::Serialize for DeclaredSetting {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut object = serializer.serialize_struct("DeclaredSetting", 4)?;
        object.serialize_field("type", &self.kind)?;
        object.serialize_field("default", &self.default)?;
        object.serialize_field("description", &self.description)?;
        object.serialize_field("enum", &self.allowed)?;
        object.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(text: &str) -> ConfigSchema {
        crate::parse_toml(text).unwrap_or_else(|error| panic!("{text}: {error}")).value
    }

    /// Value is checked against type and enum.
    #[test]
    fn value_fits_type_and_enum() {
        let schema = schema(
            r#"
            city = {}
            days = { type = "integer" }
            ratio = { type = "number" }
            loud = { type = "boolean" }
            level = { type = "integer", enum = [1, 2] }
            "greeting.template" = { enum = ["a", "b"] }
            "#,
        );
        for (key, value) in [
            ("city", "3"),
            ("city", ""),
            ("days", "-3"),
            ("ratio", "1e3"),
            ("loud", "true"),
            ("level", "2"),
            ("greeting.template", "b"),
        ] {
            assert_eq!(schema.check(key, value), Ok(()), "{key}={value}");
        }
        for (key, value, said) in [
            ("days", "3.5", "`days` is a whole number, and `3.5` is not"),
            (
                "days",
                "9223372036854775808",
                "`days` is a whole number, and `9223372036854775808` is not",
            ),
            ("ratio", "inf", "`ratio` is a number, and `inf` is not"),
            ("loud", "yes", "`loud` is `true` or `false`, and `yes` is not"),
            ("level", "3", "`level` is one of `1`, `2`, and not `3`"),
            ("greeting.template", "c", "`greeting.template` is one of `a`, `b`, and not `c`"),
        ] {
            assert_eq!(
                schema.check(key, value).map_err(|error| error.to_string()),
                Err(said.to_owned())
            );
        }
        let said = schema.check("town", "x").expect_err("not declared").to_string();
        assert!(
            said.starts_with("there is no setting `town`; the settings are `city`, `days`"),
            "{said}"
        );
        assert_eq!(ConfigSchema::default().check("anything", "x"), Ok(()));
    }

    #[test]
    fn wrong_schema_is_refused() {
        for text in [
            "a = 1",
            "a = { type = \"list\" }",
            "a = { type = \"integer\", default = \"x\" }",
            "a = { enum = [\"x\"], default = \"y\" }",
            "a = { type = \"boolean\", enum = [1] }",
            "a = { description = \"two\\nlines\" }",
            "\"\" = {}",
            "\"a..b\" = {}",
        ] {
            assert!(crate::parse_toml::<ConfigSchema>(text).is_err(), "{text}");
        }
        let many: String = (0..=MAX_DECLARED).map(|at| format!("k{at} = {{}}\n")).collect();
        assert!(crate::parse_toml::<ConfigSchema>(&many).is_err());
        let long = format!("a = {{ description = \"{}\" }}", "x".repeat(MAX_DESCRIPTION + 1));
        assert!(crate::parse_toml::<ConfigSchema>(&long).is_err());
    }
}
