//! The values that an extension is configured with.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use crate::capability::{Capabilities, Capability};

/// The `[config]` of a manifest: dotted keys with text values.
///
/// Tables become dotted keys, so `greeting.template = "Hello, {}!"` and a table `[config.greeting]`
/// say the same. Numbers, booleans and dates are taken as they would be written; lists do not have
/// a text form and are refused.
///
/// ```
/// let config: core_types::Config = core_types::parse_toml("greeting.template = 'Hi'")?.value;
/// assert_eq!(config.get("greeting.template"), Some("Hi"));
/// let variables: Vec<_> = config.environment().collect();
/// assert_eq!(variables, [("GREETING_TEMPLATE".to_owned(), "Hi")]);
/// # Ok::<(), core_types::TomlProblem>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config(BTreeMap<String, String>);

/// Two keys that would become one environment variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{first}` and `{second}` would both be the environment variable `{variable}`")]
pub struct ConfigError {
    /// A key.
    pub first: String,
    /// Another key.
    pub second: String,
    /// What both become.
    pub variable: String,
}

impl Config {
    /// Returns the value of a key, whether or not anything may read it.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Iterates over the keys and values in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Returns only the values that `config-read` grants.
    pub fn visible(&self, granted: &Capabilities) -> Self {
        let is_granted = |key: &str| {
            granted.of(Capability::ConfigRead).any(|grant| grant.scope().covers_name(key))
        };
        let visible = self.0.iter().filter(|(key, _)| is_granted(key));
        Self(visible.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    /// Returns only the values whose keys are without lower-case letters, as extensions of Suffiks
    /// get them.
    pub fn upper_case(&self) -> Self {
        let is_upper = |(key, _): &(&String, &String)| !key.chars().any(char::is_lowercase);
        Self(
            self.0
                .iter()
                .filter(is_upper)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        )
    }

    /// Iterates over the values as environment variables, in the order of the keys.
    ///
    /// `greeting.template` becomes `GREETING_TEMPLATE`, as [`variable_name`] says. A key without
    /// lower-case letters stays as it is, but for characters that no variable can have.
    pub fn environment(&self) -> impl Iterator<Item = (String, &str)> {
        self.iter().map(|(key, value)| (variable_name(key), value))
    }

    fn new(values: BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let mut variables: BTreeMap<String, &String> = BTreeMap::new();
        for key in values.keys() {
            let variable = variable_name(key);
            if let Some(first) = variables.get(&variable) {
                return Err(ConfigError { first: (*first).clone(), second: key.clone(), variable });
            }
            variables.insert(variable, key);
        }
        Ok(Self(values))
    }
}

/// Returns the environment variable that a key of the configuration, or the name of a secret,
/// becomes: letters are raised and everything but letters and digits becomes `_`.
pub fn variable_name(key: &str) -> String {
    let raised = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    key.chars().map(raised).collect()
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Node::Table(table) = Node::deserialize(deserializer)? else {
            return Err(de::Error::custom("`config` is a table"));
        };
        let mut values = BTreeMap::new();
        flatten(String::new(), table, &mut values);
        Self::new(values).map_err(de::Error::custom)
    }
}

/// A value of `[config]` before its table's keys are put in front.
enum Node {
    Text(String),
    Table(Vec<(String, Node)>),
}

fn flatten(prefix: String, table: Vec<(String, Node)>, values: &mut BTreeMap<String, String>) {
    for (key, node) in table {
        let path = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        match node {
            Node::Text(text) => drop(values.insert(path, text)),
            Node::Table(table) => flatten(path, table, values),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

/// How the `toml` crate hands a date to types that do not know it.
const DATE_KEY: &str = "$__toml_private_datetime";

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, `true`, `false` or a table (write a list as one text)")
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut table = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == DATE_KEY {
                return map.next_value();
            }
            table.push((key, map.next_value()?));
        }
        Ok(Node::Table(table))
    }
}

/// One flat table of dotted keys.
impl serde::Serialize for Config {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        crate::parse_toml(text).expect(text).value
    }

    /// Tables dotted keys and quoted keys say the same.
    #[test]
    fn spellings_of_keys_are_equal() {
        let expected = config("greeting.template = \"Hi\"");
        assert_eq!(expected.get("greeting.template"), Some("Hi"));
        assert_eq!(config("[greeting]\ntemplate = \"Hi\""), expected);
        assert_eq!(config("\"greeting.template\" = \"Hi\""), expected);
    }

    /// Scalars become the text that was written.
    #[test]
    fn scalars_become_their_text() {
        let config = config("a = 1\nb = true\nc = 1.5\nd = 2026-11-20\ne = -7");
        let values: Vec<_> = config.iter().map(|(_, value)| value).collect();
        assert_eq!(values, ["1", "true", "1.5", "2026-11-20", "-7"]);
    }

    /// Keys become variables and collisions are refused.
    #[test]
    fn colliding_variables_are_refused() {
        let config = config("greeting.template = \"x\"\nINGRESS_CLASS = \"y\"\nalso-this = \"z\"");
        let names: Vec<_> = config.environment().map(|(name, _)| name).collect();
        assert_eq!(names, ["INGRESS_CLASS", "ALSO_THIS", "GREETING_TEMPLATE"]);
        let problem = crate::parse_toml::<Config>("a.b = 1\na_b = 2").expect_err("a collision");
        assert!(problem.message.contains("`a.b` and `a_b`"), "{problem}");
    }

    #[test]
    fn only_granted_keys_are_visible() {
        let config = config("a.x = 1\na.y = 2\nb = 3");
        let granted = |grant: &str| Capabilities::from_iter([grant.parse().expect(grant)]);
        let visible = config.visible(&granted("config-read=a.*"));
        assert_eq!(visible.iter().collect::<Vec<_>>(), [("a.x", "1"), ("a.y", "2")]);
        assert_eq!(config.visible(&granted("secret-read=b")), Config::default());
        assert_eq!(config.visible(&granted("config-read")), config);
    }
}
