//! The TOML documents that people write, and how they are read: manifests, lists, configuration,
//! with the line of every mistake and the nearest known key for a misspelt one.

mod config;
mod config_schema;
mod extension_list;
mod known_keys;
mod manifest;
mod toml_text;
mod wording;

pub use config::{Config, ConfigError, variable_name};
pub use config_schema::{ConfigSchema, DeclaredSetting, SettingError, SettingKind};
pub use extension_list::{ExtensionEntry, ExtensionList, ListDefaults};
pub use manifest::{ExtensionSection, Manifest};
pub(crate) use toml_text::line_of_value;
pub use toml_text::{Parsed, TomlLeaf, TomlProblem, UnknownKey, parse_toml, toml_leaves};
pub use wording::{plain_message, with_causes};
