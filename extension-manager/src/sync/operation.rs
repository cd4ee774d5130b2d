//! Bringing installed extensions into line.

use super::error::SyncError;
use super::list::{List, ListSource};
use super::step::Step;
use crate::installer::Installer;

/// On which terms extensions are brought into line.
#[derive(Debug, Clone, Copy, Default)]
pub struct SyncOptions {
    /// Whether nothing changes.
    pub plan_only: bool,
    /// Whether only what is pinned is taken, and only a list that is what it was.
    pub locked: bool,
    /// Whether what the list no longer has is removed.
    pub prune: bool,
    /// Whether things can come without TLS where others came with it.
    pub allow_plain_http: bool,
    /// Whether older versions can take the place of newer ones, where a list names them.
    pub allow_downgrade: bool,
    /// Whether what is newly installed is granted all that it asks for.
    pub grant_requested: bool,
}

impl Installer<'_> {
    /// Makes installed what the manifests or a list say, and nothing else. An extension that fails
    /// stops none of the others.
    ///
    /// # Errors
    /// When the list or the manifests cannot be read: then nothing has changed.
    pub fn sync(
        &self,
        list: Option<&ListSource>,
        options: &SyncOptions,
    ) -> Result<Vec<Step>, SyncError> {
        let list = list.map(|source| List::read(self, source, options)).transpose()?;
        let mut plan = match &list {
            None => self.plan_of_manifests()?,
            Some(list) => self.plan_of_list(list, options),
        };
        if options.locked {
            plan.iter_mut().for_each(|planned| planned.step.refuse_unpinned());
        }
        if let Some(list) = &list {
            plan.extend(self.leftovers(list, options));
        }
        if !options.plan_only {
            self.apply(&mut plan, list.as_ref(), options)?;
        }
        Ok(plan.into_iter().map(|planned| planned.step).collect())
    }
}
