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
    /// Whether only pinned entries are accepted, and only an unchanged list.
    pub locked: bool,
    /// Whether extensions that the list dropped are removed.
    pub prune: bool,
    /// Whether things can come without TLS where others came with it.
    pub allow_plain_http: bool,
    /// Whether older versions can take the place of newer ones, where a list names them.
    pub allow_downgrade: bool,
    /// Whether new extensions get all their requests.
    pub grant_requested: bool,
}

impl Installer<'_> {
    /// Installs the contents of the manifests or of a list, and nothing else. A failure does not
    /// stop the others.
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
