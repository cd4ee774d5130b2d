//! `config.changed`: an extension's own settings, as `config-read` shows them.

use std::collections::BTreeMap;

use core_types::event::EventType;
use core_types::{Config, ExtensionName};

use crate::delivery::{Arrival, Subscriber};
use crate::engine::Now;

/// The settings of each extension when they were seen last. The engine asks it whenever extensions
/// change, so it needs no watch of its own.
#[derive(Debug, Default)]
pub(crate) struct SettingsSource(BTreeMap<ExtensionName, Config>);

impl SettingsSource {
    /// Returns an event for each extension with other settings than before. Those that are new have
    /// none: nothing of theirs changed.
    pub(crate) fn changed(&mut self, subscribers: &[Subscriber], now: &Now) -> Vec<Arrival> {
        let settings =
            |subscriber: &Subscriber| (subscriber.name.clone(), subscriber.config.clone());
        let current: BTreeMap<_, _> = subscribers.iter().map(settings).collect();
        let before = std::mem::replace(&mut self.0, current);
        let changed = self
            .0
            .iter()
            .filter(|(name, config)| before.get(*name).is_some_and(|before| before != *config));
        let arrival =
            |name| Arrival::to_one(name, EventType::ConfigChanged, Vec::new(), now.milliseconds());
        changed.filter_map(|(name, _)| arrival(name)).collect()
    }
}
