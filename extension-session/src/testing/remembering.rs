//! A memory of the login session in memory, as one machine has it for all processes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use core_types::event::EventName;
use core_types::{Digest, ExtensionName};

use crate::engine::Unremembered;
use crate::sources::SessionMemory;

/// Keeps everything, or nothing where it is broken. A clone is the same memory.
#[derive(Clone, Default)]
pub(crate) struct Remembering {
    is_broken: bool,
    sessions: Arc<Mutex<BTreeSet<String>>>,
    told: Arc<Mutex<BTreeMap<String, BTreeMap<ExtensionName, Digest>>>>,
}

impl Remembering {
    pub(crate) fn broken() -> Self {
        Self { is_broken: true, ..Self::default() }
    }

    fn works(&self) -> Result<(), Unremembered> {
        if self.is_broken { Err(Unremembered("the disk is full".into())) } else { Ok(()) }
    }
}

impl SessionMemory for Remembering {
    fn begin(&self, session: &str) -> Result<bool, Unremembered> {
        self.works()?;
        Ok(self.sessions.lock().expect("sessions").insert(session.to_owned()))
    }

    fn told(&self, event: &EventName) -> Result<BTreeMap<ExtensionName, Digest>, Unremembered> {
        self.works()?;
        let told = self.told.lock().expect("states");
        Ok(told.get(event.as_str()).cloned().unwrap_or_default())
    }

    fn keep_told(
        &self,
        event: &EventName,
        told: &BTreeMap<ExtensionName, Digest>,
    ) -> Result<(), Unremembered> {
        self.works()?;
        self.told.lock().expect("states").insert(event.to_string(), told.clone());
        Ok(())
    }
}
