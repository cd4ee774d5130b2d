//! The TOML documents that people write, and how they are read: manifests, lists, configuration,
//! with the line of every mistake and the nearest known key for a misspelt one.

mod config;
mod config_schema;
mod extension_list;
mod known_keys;
mod manifest;
mod service;
mod toml_text;
mod unknown_events;
mod wording;

pub use config::{Config, ConfigError, variable_name};
pub use config_schema::{ConfigSchema, DeclaredSetting, SettingError, SettingKind};
pub use extension_list::{ExtensionEntry, ExtensionList, ListDefaults};
pub use manifest::{ExtensionSection, Manifest};
pub use service::{ApplicationId, ApplicationIdError, Service};
pub(crate) use toml_text::line_of_value;
pub use toml_text::{Parsed, TomlLeaf, TomlProblem, UnknownKey, parse_toml, toml_leaves};
pub use unknown_events::parse_author_manifest;
pub(crate) use unknown_events::unknown_events;
pub use wording::{joined_causes, plain_message, with_causes};
