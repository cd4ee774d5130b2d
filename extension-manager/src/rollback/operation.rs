//! Restoring a generation.

use core_types::{ChangeKind, ExtensionName};
use extension_depot::{Depot, Generation, History};

use super::error::RollbackError;
use crate::install::{Committed, Content, Operation, RollBack, Staged};
use crate::installer::Installer;

/// A completed rollback.
#[derive(Debug)]
pub struct RolledBack {
    /// The number of the generation.
    pub to: u32,
    /// The installed artifact.
    pub committed: Committed,
}

impl Installer<'_> {
    /// Restores a generation: the given one, or the newest with other bytes. Nothing is fetched.
    /// Grants of that generation hold as far as they are still granted; the others are asked for,
    /// unless `accept` grants them.
    ///
    /// # Errors
    /// When the generation or its bytes are gone, or it could not start here.
    pub fn roll_back(
        &self,
        name: &ExtensionName,
        wanted: Option<u32>,
        accept: bool,
    ) -> Result<RolledBack, RollbackError> {
        let _work = self.work_on(name);
        let depot = self.depot();
        let history = depot.history(name)?;
        let generation = choose(depot, name, &history, wanted)?;
        let (reference, artifact, binary) = depot.artifact_of_generation(name, generation)?;
        self.check_source(ChangeKind::Rollback, &reference)?;
        let staged = Staged::new(name.clone(), Content::Kept { reference, artifact, binary });
        let operation = RollBack { history: &history, generation, accept };
        let committed = self.carry_out(staged, &Operation::RollBack(operation))?;
        Ok(RolledBack { to: generation.number, committed })
    }
}

fn choose<'a>(
    depot: &Depot,
    name: &ExtensionName,
    history: &'a History,
    wanted: Option<u32>,
) -> Result<&'a Generation, RollbackError> {
    if let Some(number) = wanted {
        let none = || RollbackError::NoGeneration { name: name.clone(), number };
        return history.generation(number).ok_or_else(none);
    }
    let pinned = depot.manifest(name).ok().flatten().and_then(|loaded| loaded.pinned());
    let before = match pinned {
        Some((_, digest)) => history.before(&digest),
        None => history.generations.last(),
    };
    before.ok_or_else(|| RollbackError::NoOther { name: name.clone() })
}
