//! Values of an event, one for each extension that hears of it.

use std::collections::BTreeMap;

use core_types::ExtensionName;
use core_types::event::{EventType, Settings};

use super::subscriber::Subscriber;

/// A value for each extension that hears an event, with the settings that it was made of. It lasts
/// until the extension has other settings or hears the event no more.
#[derive(Debug)]
pub(crate) struct BySettings<T>(BTreeMap<ExtensionName, (Settings, T)>);

impl<T> Default for BySettings<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> BySettings<T> {
    /// Takes the extensions anew. `make` gives the value of one that is new or has other settings;
    /// nothing where it has none.
    pub(crate) fn take(
        &mut self,
        subscribers: &[Subscriber],
        event: EventType,
        make: impl Fn(&ExtensionName, &Settings) -> Option<T>,
    ) {
        let mut before = std::mem::take(&mut self.0);
        for subscriber in subscribers {
            let name = &subscriber.name;
            let Some(settings) = subscriber.settings_of(event) else { continue };
            let kept = before.remove(name).filter(|(kept, _)| kept == settings);
            let made = || Some((settings.clone(), make(name, settings)?));
            if let Some(value) = kept.or_else(made) {
                self.0.insert(name.clone(), value);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get(&self, name: &ExtensionName) -> Option<&T> {
        self.0.get(name).map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ExtensionName, &T)> {
        self.0.iter().map(|(name, (_, value))| (name, value))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&ExtensionName, &Settings, &mut T)> {
        self.0.iter_mut().map(|(name, (settings, value))| (name, &*settings, value))
    }
}
