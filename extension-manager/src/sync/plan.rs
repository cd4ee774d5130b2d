//! What every extension takes.

use core_types::{ExtensionEntry, ExtensionName, OciReference};
use extension_depot::{Listed, LoadedManifest};

use super::error::{StepProblem, SyncError};
use super::list::List;
use super::options::SyncOptions;
use super::step::{Planned, Step, StepState};
use crate::installer::Installer;

impl Installer<'_> {
    /// Plans the contents of the manifests.
    pub(super) fn plan_of_manifests(&self) -> Result<Vec<Planned>, SyncError> {
        let listed = self.depot().list().map_err(SyncError::Files)?;
        let planned = |listed: Listed| {
            let mut step = self.step_of_manifest(listed);
            let reference = step.reference.as_ref().filter(|_| step.state.is_to_do());
            if let Some(Err(refusal)) = reference.map(|it| self.config.check_source(it)) {
                step.end(Err(refusal.into()));
            }
            Planned::unlisted(step)
        };
        Ok(listed.into_iter().map(planned).collect())
    }

    /// Plans what one manifest takes.
    fn step_of_manifest(&self, listed: Listed) -> Step {
        let Listed { name, manifest, .. } = listed;
        let loaded = match manifest {
            Ok(loaded) => loaded,
            Err(error) => return Step::failed(&name, StepProblem::Manifest(error)),
        };
        let Some(reference) = loaded.manifest.extension.oci.clone() else {
            return Step::failed(&name, StepProblem::NoReference);
        };
        let state = match loaded.pinned() {
            None => StepState::ToPin,
            Some(_) if self.depot().installed_with_binary(&name).is_some() => StepState::Done,
            Some(_) => StepState::ToFetch,
        };
        Step::new(&name, Some(reference), state)
    }

    /// Plans the contents of a list.
    pub(super) fn plan_of_list(&self, list: &List, options: &SyncOptions) -> Vec<Planned> {
        let prunes = list.prunes(self.config, options);
        let planned = |(name, entry): (ExtensionName, ExtensionEntry)| {
            // Its extension from another source is removed first.
            let is_replaced = prunes && list.replaces(self.depot(), &name);
            self.plan_of_entry(list, (name, entry), is_replaced)
        };
        list.extensions.clone().into_entries().map(planned).collect()
    }

    /// Plans the steps of one entry of a list. An existing manifest decides about permissions,
    /// except for grants of the list.
    fn plan_of_entry(
        &self,
        list: &List,
        (name, entry): (ExtensionName, ExtensionEntry),
        is_replaced: bool,
    ) -> Planned {
        let mut step = Step::new(&name, Some(entry.oci.clone()), StepState::Done);
        let loaded = if is_replaced { Ok(None) } else { self.manifest_of(&name, &entry) };
        let is_new = matches!(loaded, Ok(None));
        let state = loaded.and_then(|loaded| {
            let whole = self.depot().installed_with_binary(&name);
            let state = state_of_entry(&entry, loaded.as_ref(), whole.is_some());
            self.config.check_source(&entry.oci)?;
            // What is there and may not be called is not as it should be.
            if let Some(installed) = whole.filter(|_| state == Some(StepState::Done)) {
                self.depot().check_policies(&installed, self.config)?;
            }
            Ok((state, loaded))
        });
        match state {
            Err(error) => step.end(Err(error)),
            Ok((None, _)) => step.end(Err(StepProblem::NotOfList)),
            Ok((Some(state), loaded)) => {
                step.state = state;
                let known = loaded.as_ref().and_then(|loaded| {
                    Some((list.provenance(self.depot(), &name, loaded)?, loaded))
                });
                if let Some((known, loaded)) = known {
                    list.find_changes(self.config, &entry, &known, loaded, &mut step);
                }
            }
        }
        Planned { step, entry: Some(entry), is_new }
    }

    fn manifest_of(
        &self,
        name: &ExtensionName,
        entry: &ExtensionEntry,
    ) -> Result<Option<LoadedManifest>, StepProblem> {
        self.depot().check_name(name, &entry.oci)?;
        Ok(self.depot().manifest(name)?)
    }
}

/// Returns the step that the entry needs; nothing if the manifest does not name its owner.
fn state_of_entry(
    entry: &ExtensionEntry,
    loaded: Option<&LoadedManifest>,
    is_whole: bool,
) -> Option<StepState> {
    let Some(loaded) = loaded else { return Some(StepState::ToInstall) };
    loaded.manifest.extension.oci.as_ref()?;
    Some(match loaded.pinned() {
        None => StepState::ToInstall,
        Some((pinned, _)) if !is_same(&pinned, &entry.oci) => StepState::ToUpdate,
        Some(_) if is_whole => StepState::Done,
        Some(_) => StepState::ToFetch,
    })
}

/// Returns whether the installed artifact matches the list: the same bytes, or, where the list
/// names none, the same tag.
fn is_same(pinned: &OciReference, wanted: &OciReference) -> bool {
    match wanted.provenance() {
        Some(provenance) => pinned.provenance() == Some(provenance),
        None => pinned.unpinned() == *wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_wants_bytes_or_a_tag() {
        let reference = |tag: &str, byte: Option<char>| {
            let digest = byte.map(|byte| format!("@sha256:{}", byte.to_string().repeat(64)));
            let text = format!("ghcr.io/o/x:{tag}{}", digest.unwrap_or_default());
            text.parse::<OciReference>().expect(tag)
        };
        let pinned = reference("1.0.0", Some('a'));
        assert!(is_same(&pinned, &reference("1.0.0", None)));
        assert!(is_same(&pinned, &reference("1.0.0", Some('a'))));
        assert!(is_same(&pinned, &reference("stable", Some('a'))), "the same bytes");
        assert!(!is_same(&pinned, &reference("1.0.0", Some('b'))));
        assert!(!is_same(&pinned, &reference("1.1.0", None)));
    }
}
