//! The states of the machine that extensions were told in this login session.

use std::collections::BTreeMap;

use core_types::event::EventName;
use core_types::{Digest, ExtensionName};
use serde::{Deserialize, Serialize};

use crate::files::state_file::{self, StateFile, StateFileError};
use crate::store::Depot;

/// `$XDG_RUNTIME_DIR/pds/told.json`: the digest of the state that each extension was told last, by
/// event. It is of the login session, since the next one is to be told anew.
#[derive(Debug, Default, Serialize, Deserialize)]
struct ToldStates {
    #[serde(default)]
    told: BTreeMap<String, BTreeMap<ExtensionName, Digest>>,
}

impl StateFile for ToldStates {
    const FORMAT: u32 = 1;
}

impl Depot {
    /// Returns the state that each extension was told last by an event; none where none was kept.
    /// Without a runtime directory nothing is kept, and a damaged file begins anew.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use core_types::Digest;
    /// use extension_depot::{Depot, Places};
    /// # let directory = tempfile::tempdir()?;
    /// # let root = directory.path();
    ///
    /// let depot = Depot::new(Places::below(root));
    /// let battery = "power.battery".parse()?;
    /// let told = BTreeMap::from([("low-battery".parse()?, Digest::from_sha256([0; 32]))]);
    /// depot.keep_told_states(&battery, &told)?;
    /// assert_eq!(depot.told_states(&battery)?, told);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the file cannot be read, or a newer sesame wrote it.
    pub fn told_states(
        &self,
        event: &EventName,
    ) -> Result<BTreeMap<ExtensionName, Digest>, StateFileError> {
        let Some(path) = self.places().told_states() else { return Ok(BTreeMap::new()) };
        let mut states: ToldStates = state_file::read_or_begin(&path)?;
        Ok(states.told.remove(&event.to_string()).unwrap_or_default())
    }

    /// Keeps the state that each extension was told last by an event.
    ///
    /// # Errors
    /// When the file cannot be read or written, or a newer sesame wrote it.
    pub fn keep_told_states(
        &self,
        event: &EventName,
        told: &BTreeMap<ExtensionName, Digest>,
    ) -> Result<(), StateFileError> {
        let Some(path) = self.places().told_states() else { return Ok(()) };
        let mut states: ToldStates = state_file::read_or_begin(&path)?;
        states.told.insert(event.to_string(), told.clone());
        state_file::write(&path, &states)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use core_types::Digest;
    use core_types::event::EventName;

    use crate::Places;
    use crate::store::Depot;

    /// Each event has its own, damage begins anew, and without a login session nothing is kept.
    #[test]
    fn states_are_kept_for_the_session() {
        let directory = tempfile::tempdir().expect("a directory");
        let places = Places::below(directory.path());
        let depot = Depot::new(places.clone());
        let name = |name: &str| name.parse::<EventName>().expect(name);
        let [battery, wifi] = [name("power.battery"), name("network.wifi")];
        let told = |byte| {
            BTreeMap::from([("a".parse().expect("a name"), Digest::from_sha256([byte; 32]))])
        };
        depot.keep_told_states(&battery, &told(1)).expect("kept");
        depot.keep_told_states(&wifi, &told(2)).expect("kept");
        assert_eq!(depot.told_states(&battery).expect("read"), told(1));
        assert_eq!(depot.told_states(&wifi).expect("read"), told(2));
        fs::write(places.told_states().expect("a runtime directory"), "{").expect("damaged");
        assert!(depot.told_states(&wifi).expect("begun anew").is_empty());
        depot.keep_told_states(&wifi, &told(3)).expect("kept");
        assert_eq!(depot.told_states(&wifi).expect("read"), told(3));
        let nowhere = Depot::new(Places { runtime: None, ..places });
        nowhere.keep_told_states(&wifi, &told(4)).expect("nowhere");
        assert!(nowhere.told_states(&wifi).expect("nothing").is_empty());
    }
}
