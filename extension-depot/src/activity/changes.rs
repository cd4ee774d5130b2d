//! Changes of what is installed, granted and trusted, in the activity log.
//!
//! A change is noted after it was made: a crash in between leaves a change without a line, and
//! never a line without its change.

use core_types::{
    Capabilities, ChangeKind, ChangeRecord, ExtensionName, Identity, Manifest, OciReference,
    TimedGrant, TimedGrants,
};

use crate::activity::ActivityError;
use crate::history::generation::Reason;
use crate::store::depot::Depot;
use crate::trust::trusted_signer::TrustedSigner;

/// The text of a manifest with the reference that it is pinned to.
type Written<'a> = (&'a str, Option<&'a OciReference>);

impl Depot {
    /// Notes that a policy refused a change.
    ///
    /// # Errors
    /// When the line cannot be written.
    pub fn note_refusal(
        &self,
        kind: ChangeKind,
        extension: &str,
        place: &str,
        reason: &str,
    ) -> Result<(), ActivityError> {
        self.activity().append(ChangeRecord::refused(kind, extension, place, reason))
    }

    /// Notes a change that was made. It stands where it cannot be noted, which is told.
    pub(crate) fn note_change(&self, change: ChangeRecord) {
        if let Err(error) = self.activity().append(change) {
            self.report_unlogged(&error);
        }
    }

    /// Notes what the change of a manifest means.
    pub(crate) fn note_manifest_change(
        &self,
        name: &ExtensionName,
        before: Option<Written<'_>>,
        (after, reference): Written<'_>,
        reason: Reason,
    ) {
        let granted = |text: &str| {
            Manifest::parse(text, name).map(|parsed| parsed.value.granted()).unwrap_or_default()
        };
        let was = before.map(|(text, _)| granted(text)).unwrap_or_default();
        let is = granted(after);
        let identity = reference.map(|reference| reference.identity().to_string());
        self.note_change(ChangeRecord {
            reference: reference.map(ToString::to_string),
            granted: beyond(&is, &was),
            revoked: beyond(&was, &is),
            ..ChangeRecord::of(kind(reason), name.as_str(), &identity.unwrap_or_default())
        });
    }

    /// Notes that grants which end were added, prolonged or taken away.
    pub(crate) fn note_timed_change(
        &self,
        name: &ExtensionName,
        identity: &Identity,
        (was, is): (&TimedGrants, &TimedGrants),
    ) {
        let granted = timed(is, |one| was.iter().all(|other| other != one));
        let revoked = timed(was, |one| is.iter().all(|other| other.grant != one.grant));
        let kind = if granted.is_empty() { ChangeKind::Revoke } else { ChangeKind::Grant };
        self.note_change(ChangeRecord {
            granted,
            revoked,
            ..ChangeRecord::of(kind, name.as_str(), &identity.to_string())
        });
    }

    /// Notes that a signer is trusted for a place, or not any more.
    pub(crate) fn note_trust_change(&self, kind: ChangeKind, signer: &TrustedSigner) {
        self.note_change(ChangeRecord {
            signer: Some(signer.proof.to_string()),
            ..ChangeRecord::of(kind, "", &signer.place.to_string())
        });
    }
}

/// The grants of one that the other does not cover.
fn beyond(one: &Capabilities, other: &Capabilities) -> Vec<String> {
    let grants = one.iter().filter(|grant| !other.covers(grant));
    grants.map(|grant| grant.to_string()).collect()
}

/// The texts of the timed grants that are meant.
fn timed(grants: &TimedGrants, is_meant: impl Fn(&TimedGrant) -> bool) -> Vec<String> {
    let meant = grants.iter().filter(|timed| is_meant(timed));
    meant.map(|timed| format!("{} (timed)", timed.grant)).collect()
}

fn kind(reason: Reason) -> ChangeKind {
    match reason {
        Reason::Installed => ChangeKind::Install,
        Reason::Updated => ChangeKind::Update,
        Reason::RolledBack(_) => ChangeKind::Rollback,
        Reason::Granted | Reason::Learned => ChangeKind::Grant,
        Reason::Revoked => ChangeKind::Revoke,
        Reason::Enabled => ChangeKind::Enable,
        Reason::Disabled => ChangeKind::Disable,
        Reason::Pinned => ChangeKind::Pin,
        Reason::Unpinned => ChangeKind::Unpin,
        Reason::Confirmed => ChangeKind::Confirm,
        Reason::Configured => ChangeKind::Configure,
        Reason::Edited => ChangeKind::Edit,
    }
}

#[cfg(test)]
mod tests {
    use core_types::ActivityEvent;

    use super::*;
    use crate::config::places::Places;

    fn changes(depot: &Depot) -> Vec<ChangeRecord> {
        let events = depot.activity().entries().into_iter().map(|entry| entry.event);
        events
            .filter_map(|event| match event {
                ActivityEvent::Change(change) => Some(change),
                ActivityEvent::Call(_) => None,
            })
            .collect()
    }

    /// A change of a manifest is one line with what is granted and revoked by it.
    #[test]
    fn manifest_change_names_its_grants() {
        let home = tempfile::tempdir().expect("a directory");
        let depot = Depot::new(Places::below(home.path()));
        let name: ExtensionName = "weather".parse().expect("a name");
        let reference: OciReference = "ghcr.io/my-org/weather:1".parse().expect("a reference");
        let before = "[capabilities]\nnotification = true\nenv = [\"LANG\"]\n";
        let after = "[capabilities]\nenv = [\"LANG\", \"TZ\"]\n";
        depot.note_manifest_change(
            &name,
            Some((before, Some(&reference))),
            (after, Some(&reference)),
            Reason::Edited,
        );
        let [change] = &changes(&depot)[..] else { panic!("one change") };
        assert_eq!((change.kind, change.extension.as_str()), (ChangeKind::Edit, "weather"));
        assert_eq!(change.identity, "ghcr.io/my-org/weather");
        assert_eq!(
            (&change.granted[..], &change.revoked[..]),
            (&["env=TZ".to_owned()][..], &["notification".to_owned()][..])
        );
    }

    /// A log that cannot be written does not undo a change, and is told of.
    #[test]
    fn unwritable_log_is_told() {
        let home = tempfile::tempdir().expect("a directory");
        let places = Places::below(home.path());
        std::fs::create_dir_all(places.activity().parent().expect("a parent")).expect("made");
        std::fs::write(places.activity(), "in its place").expect("written");
        let told = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = std::sync::Arc::clone(&told);
        let depot = Depot::new(places).on_unlogged(move |_| {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        });
        depot.note_change(ChangeRecord::of(ChangeKind::Pin, "x", ""));
        assert_eq!(told.load(std::sync::atomic::Ordering::Relaxed), 1);
    }
}
