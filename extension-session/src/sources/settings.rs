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
    /// none: nothing of theirs changed. One whose manifest is just being written cannot be heard for a
    /// moment, and is not new after it.
    pub(crate) fn changed(
        &mut self,
        subscribers: &[Subscriber],
        is_installed: impl Fn(&ExtensionName) -> bool,
        now: &Now,
    ) -> Vec<Arrival> {
        self.0
            .retain(|name, _| is_installed(name) || subscribers.iter().any(|it| it.name == *name));
        let mut changed = Vec::new();
        for Subscriber { name, config, .. } in subscribers {
            let before = self.0.insert(name.clone(), config.clone());
            if before.is_some_and(|before| before != *config) {
                changed.push(name);
            }
        }
        let arrival =
            |name| Arrival::to_one(name, EventType::ConfigChanged, Vec::new(), now.milliseconds());
        changed.into_iter().filter_map(arrival).collect()
    }
}
