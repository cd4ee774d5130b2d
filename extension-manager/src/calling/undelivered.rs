//! Events that do not reach an extension, in the activity log.

use std::path::Path;

use core_types::event::{EventName, EventPattern, EventType};
use core_types::{Activity, CallOutcome, CallRecord, Cause, ExtensionName, Owner, Request, decide};
use extension_host::{NotWoken, boot_time};

use super::delivery::LOGGED_AS;
use crate::events::Event;
use crate::manager::Manager;

impl Manager {
    /// Notes in the activity log that an event does not reach an extension, or not now, and why: once
    /// an hour for the same. It is told to [`Events`](crate::Events) where it cannot be noted.
    pub fn note_undelivered(&self, name: &ExtensionName, event: &EventName, reason: &str) {
        if self.refusals().takes(name.as_str(), event.as_str(), reason) {
            self.note(name, event, reason.to_owned(), &Activity::default());
        }
    }

    /// Notes in the same way that an extension is not told of a changed file, since it cannot read
    /// it, with the directory that would have to be granted.
    pub fn note_hidden_change(&self, name: &ExtensionName, path: &Path) {
        const REASON: &str = "not told: the changed file is not in a granted directory";
        let Some(event) = EventName::of(EventType::FileChanged) else { return };
        if self.refusals().takes(name.as_str(), event.as_str(), REASON) {
            let lacking = self.lacking(name, path).unwrap_or_default();
            self.note(name, &event, REASON.to_owned(), &lacking);
        }
    }

    /// Notes in the same way that an event came which the extension handles by this declaration of its
    /// author, and which is not granted or denied by a policy. Returns the refused request; nothing where
    /// it is granted by now.
    pub fn note_refused_event(
        &self,
        name: &ExtensionName,
        event: &EventName,
        by: &EventPattern,
    ) -> Option<Activity> {
        let activity = self.refused(name, &Request::Wake(event.clone()))?;
        let refusal = activity.refused().find_map(|touch| touch.refusal.as_ref())?;
        if self.refusals().takes_declared(name.as_str(), &by.to_string(), &refusal.to_string()) {
            let reason = NotWoken::new(event.clone(), refusal).to_string();
            self.note(name, event, reason, &activity);
        }
        Some(activity)
    }

    /// Returns the refused request to read the directory of a file; nothing where that is granted,
    /// and the file is reached through a link.
    fn lacking(&self, name: &ExtensionName, file: &Path) -> Option<Activity> {
        self.refused(name, &self.to_read(file.parent()?)?)
    }

    /// Decides about a request of an extension that does not run; nothing where it is allowed.
    fn refused(&self, name: &ExtensionName, request: &Request) -> Option<Activity> {
        let opened = self.depot().open(name, &self.config().ok()?).ok()?;
        let decision = decide(request, &opened.permissions.authority, boot_time());
        if decision.allows() {
            return None;
        }
        let mut activity = Activity::default();
        activity.note(request, &decision);
        Some(activity)
    }

    fn note(&self, name: &ExtensionName, event: &EventName, reason: String, activity: &Activity) {
        let Ok(installed) = self.depot().installed(name) else { return };
        let owner = Owner { name: name.clone(), identity: installed.reference.identity() };
        let call = CallRecord {
            cause: Some(Cause::event(event)),
            reason: Some(reason),
            activity: activity.into(),
            ..CallRecord::of(&owner, LOGGED_AS, CallOutcome::Refused)
        };
        if let Err(error) = self.depot().activity().append(call) {
            self.events().event(Event::CallNotLogged(&error.into()));
        }
    }
}
