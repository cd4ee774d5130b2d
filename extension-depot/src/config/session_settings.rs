//! The settings of the session service.

use std::fmt;
use std::ops::RangeInclusive;

use core_types::event::Interval;
use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected, Visitor};

/// Beyond 16 they would wait for the processor and its memory instead.
const PARALLEL: RangeInclusive<i64> = 1..=16;

/// The settings of the session service: `[session]`.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SessionSettings {
    /// `enabled`: whether events wake extensions and programs can call them. Default: true.
    pub enabled: Option<bool>,
    /// `idle_exit`: how long the service stays when nothing can be woken and nothing is called.
    /// Default: `60s`.
    pub idle_exit: Option<Interval>,
    /// `consent`: how an extension asks for a missing permission. Default: by notification.
    pub consent: Option<SessionConsent>,
    /// `max_parallel`: how many extensions the service delivers events to at once, 1 to 16. Default:
    /// 2.
    #[serde(deserialize_with = "parallel")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 16)))]
    pub max_parallel: Option<u8>,
}

/// How the session service asks for a permission.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionConsent {
    /// By a notification with buttons.
    #[default]
    Notification,
    /// Not at all: what is not granted is refused.
    Never,
}

fn parallel<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    deserializer.deserialize_i64(ParallelVisitor).map(Some)
}

struct ParallelVisitor;

impl Visitor<'_> for ParallelVisitor {
    type Value = u8;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {} to {}", PARALLEL.start(), PARALLEL.end())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<u8, E> {
        let fits = u8::try_from(value).ok().filter(|_| PARALLEL.contains(&value));
        fits.ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
    }
}

impl SessionSettings {
    /// Takes over what a later file sets, key by key.
    pub(crate) fn update(&mut self, later: Self) {
        let Self { enabled, idle_exit, consent, max_parallel } = later;
        *self = Self {
            enabled: enabled.or(self.enabled),
            idle_exit: idle_exit.or(self.idle_exit),
            consent: consent.or(self.consent),
            max_parallel: max_parallel.or(self.max_parallel),
        };
    }
}
