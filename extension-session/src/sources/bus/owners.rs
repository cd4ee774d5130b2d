//! The owners of well-known names, whose signals alone count.

use std::collections::BTreeMap;

use crate::sources::services::Names;

/// The number of names that are followed, where a service has many. Any program can own as many as
/// the bus allows.
pub(super) const MAX_NAMES: usize = 64;

/// The unique names that own the names of a service.
#[derive(Debug)]
pub(super) struct Owners {
    names: Names,
    known: BTreeMap<String, String>,
}

impl Owners {
    pub(super) fn new(names: Names) -> Self {
        Self { names, known: BTreeMap::new() }
    }

    /// Tells whether a name is one of the service.
    pub(super) fn has(&self, name: &str) -> bool {
        match self.names {
            Names::One(one) => name == one,
            Names::Below(prefix) => {
                name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'))
            }
        }
    }

    /// Takes the owner of a name; nothing for a name without one. Returns whether it is another.
    pub(super) fn set(&mut self, name: &str, owner: Option<&str>) -> bool {
        let Some(owner) = owner else { return self.known.remove(name).is_some() };
        if !self.known.contains_key(name) && self.known.len() >= MAX_NAMES {
            return false;
        }
        self.known.insert(name.to_owned(), owner.to_owned()).as_deref() != Some(owner)
    }

    /// Returns the owner of a name.
    pub(super) fn of(&self, name: &str) -> Option<&str> {
        self.known.get(name).map(String::as_str)
    }

    /// Returns the names that a unique name owns.
    pub(super) fn names_of(&self, owner: &str) -> Vec<String> {
        let names = self.known.iter().filter(|(_, known)| *known == owner);
        names.map(|(name, _)| name.clone()).collect()
    }

    /// Returns the names that have an owner.
    pub(super) fn names(&self) -> Vec<String> {
        self.known.keys().cloned().collect()
    }

    pub(super) fn forget(&mut self) {
        self.known.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_followed() {
        let mut owners = Owners::new(Names::Below("org.mpris.MediaPlayer2"));
        assert!(owners.has("org.mpris.MediaPlayer2.mpv"));
        for other in ["org.mpris.MediaPlayer2", "org.mpris.MediaPlayer2x.mpv", "org.mpris"] {
            assert!(!owners.has(other), "{other}");
        }
        let name = "org.mpris.MediaPlayer2.mpv";
        assert!(owners.set(name, Some(":1.1")) && !owners.set(name, Some(":1.1")));
        assert!(owners.set(name, Some(":1.2")), "taken over");
        assert_eq!((owners.names_of(":1.1").len(), owners.names_of(":1.2").len()), (0, 1));
        assert!(owners.set(name, None) && !owners.set(name, None));
        assert_eq!(owners.of(name), None);
    }

    #[test]
    fn names_are_bounded() {
        let mut owners = Owners::new(Names::Below("a"));
        for at in 0..1000 {
            owners.set(&format!("a.{at}"), Some(":1.1"));
        }
        assert_eq!(owners.names().len(), MAX_NAMES);
        assert!(owners.set("a.0", Some(":1.2")), "a known one is followed");
    }
}
