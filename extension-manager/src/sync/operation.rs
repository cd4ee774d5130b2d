//! Bringing installed extensions into line.

use super::error::SyncError;
use super::list::{List, ListSource};
use super::options::SyncOptions;
use super::step::Step;
use crate::installer::Installer;

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
        if options.plan_only {
            for planned in &mut plan {
                planned.step.prospects = self.prospects(planned, list.as_ref(), options);
            }
        } else {
            self.apply(&mut plan, list.as_ref(), options)?;
        }
        Ok(plan.into_iter().map(|planned| planned.step).collect())
    }
}
