//! The requests of an extension.

use core_types::event::{EventPattern, EventTables};
use core_types::{
    Capability, Decision, Document, Grant, Policy, Request, RequestedGrant, Scope,
    denied_by_policy, grant_denied_by_policy,
};

use super::denied::Denied;
use super::proposal::Ask;

/// The requests of an extension.
///
/// ```
/// use core_types::Capability;
/// use extension_manager::Requests;
///
/// let imported = [Capability::Notification, Capability::SecretRead];
/// let requests = Requests::new(imported, Vec::new());
/// assert_eq!(requests.grants[0].grant.to_string(), "notification");
/// assert_eq!(requests.without_scope, [Capability::SecretRead], "of which secret?");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requests {
    /// Permissions with all that they need to be granted.
    pub grants: Vec<RequestedGrant>,
    /// Capabilities that need a scope, which the extension does not name.
    pub without_scope: Vec<Capability>,
    /// Grants among [`Requests::grants`] that mean more than in the installed version, so that it
    /// does not matter that they are there: an event that comes more often.
    pub wider: Vec<Grant>,
    /// Settings of events.
    pub events: EventTables,
}

impl Requests {
    /// Combines the requests of a component's imports and of its author's manifest. Imports do not
    /// have scopes.
    pub fn new(
        imported: impl IntoIterator<Item = Capability>,
        by_author: Vec<RequestedGrant>,
    ) -> Self {
        let mut requests = Self { grants: by_author, ..Self::default() };
        for capability in imported {
            let is_asked = requests.asks_for(capability);
            match Request::Use(capability).least_grant() {
                _ if is_asked => {}
                Some(grant) => requests.grants.push(RequestedGrant::required(grant)),
                None => requests.without_scope.push(capability),
            }
        }
        requests
    }

    /// Adds the settings of events, which are those of a user over those of an author.
    pub(crate) fn with_events(self, events: EventTables) -> Self {
        Self { events, ..self }
    }

    /// Puts the settings of events that a manifest has over those of the author.
    pub(crate) fn under(self, manifest: &EventTables) -> Self {
        Self { events: manifest.over(&self.events), ..self }
    }

    /// Returns each request as it is put to whoever decides.
    pub fn asks(&self) -> impl Iterator<Item = Ask> {
        let scoped = self.grants.iter().map(|request| self.ask(request));
        scoped.chain(self.without_scope.iter().map(|capability| Ask::without_scope(*capability)))
    }

    /// Returns a request as it is put to whoever decides.
    pub(crate) fn ask(&self, request: &RequestedGrant) -> Ask {
        let settings = match request.grant.scope() {
            Scope::Events(EventPattern::Name(name)) => self.events.settings(name).ok(),
            _ => None,
        };
        let settings = settings.map(|it| it.to_string()).filter(|words| !words.is_empty());
        let ask = Ask { settings, ..Ask::of(request) };
        if self.wider.contains(&request.grant) { ask.as_more_than_before() } else { ask }
    }

    /// Requests that are needed, each with its scope.
    pub(crate) fn required(grants: Vec<Grant>) -> Self {
        let grants = grants.into_iter().map(RequestedGrant::required).collect();
        Self { grants, ..Self::default() }
    }

    fn asks_for(&self, capability: Capability) -> bool {
        self.grants.iter().any(|request| request.grant.capability() == capability)
    }

    /// Adds requests of a list on its behalf, which name a scope.
    pub(crate) fn add(&mut self, grants: Vec<Grant>) {
        self.without_scope
            .retain(|capability| grants.iter().all(|grant| grant.capability() != *capability));
        for grant in grants {
            if !self.grants.iter().any(|request| request.grant == grant) {
                self.grants.push(RequestedGrant::required(grant));
            }
        }
    }

    /// Returns the requests for which those of `before` are not enough, and those that are wider.
    pub(crate) fn beyond(self, before: &Self) -> Self {
        let is_new = |request: &RequestedGrant| {
            self.wider.contains(&request.grant)
                || !before.grants.iter().any(|before| before.grant.covers(&request.grant))
        };
        let is_new_capability =
            |capability: &Capability| !before.without_scope.contains(capability);
        let grants = self.grants.iter().filter(|request| is_new(request)).cloned().collect();
        let without_scope = self.without_scope.into_iter().filter(is_new_capability).collect();
        Self { grants, without_scope, wider: self.wider, events: self.events }
    }

    /// Removes requests that a policy denies: they are not asked about, and granting all does not
    /// include them.
    pub(crate) fn take_denied(&mut self, policies: &[(Policy, Document)]) -> Vec<Denied> {
        let mut denied = Vec::new();
        let mut is_allowed = |decision: Option<Decision<'_>>, as_denied: &dyn Fn() -> Denied| {
            denied.extend(decision.iter().map(|decision| as_denied().by_policy(decision)));
            decision.is_none()
        };
        self.grants.retain(|request| {
            let decision = grant_denied_by_policy(&request.grant, policies);
            is_allowed(decision, &|| Denied::requested(request))
        });
        self.without_scope.retain(|capability| {
            let decision = denied_by_policy(*capability, policies);
            is_allowed(decision, &|| Denied::without_scope(*capability))
        });
        denied
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(texts: &[&str]) -> Vec<Grant> {
        texts.iter().map(|text| text.parse().expect(text)).collect()
    }

    fn requested(texts: &[&str]) -> Vec<RequestedGrant> {
        grants(texts).into_iter().map(RequestedGrant::required).collect()
    }

    #[test]
    fn author_names_scope_of_import() {
        let imported = [Capability::SecretRead, Capability::Notification];
        let unscoped = Requests::new(imported, Vec::new());
        assert_eq!(unscoped.grants, requested(&["notification"]));
        assert_eq!(unscoped.without_scope, [Capability::SecretRead]);
        let scoped = Requests::new(imported, requested(&["secret-read=token"]));
        assert_eq!(scoped.grants, requested(&["secret-read=token", "notification"]));
        assert!(scoped.without_scope.is_empty());
    }

    #[test]
    fn list_adds_scope_once() {
        let mut requests = Requests::new([Capability::SecretRead], requested(&["notification"]));
        requests.add(grants(&["secret-read=token", "notification"]));
        assert_eq!(requests.grants, requested(&["notification", "secret-read=token"]));
        assert!(requests.without_scope.is_empty());
    }

    #[test]
    fn update_asks_for_the_difference() {
        let before = Requests::new([Capability::SecretRead], requested(&["network=a.example"]));
        let after = Requests::new(
            [Capability::SecretRead, Capability::IpcPublish],
            requested(&["network=a.example", "network=b.example"]),
        );
        let new = after.beyond(&before);
        assert_eq!(new.grants, requested(&["network=b.example"]));
        assert_eq!(new.without_scope, [Capability::IpcPublish]);
    }

    /// A part of what was asked for before is not asked for again.
    #[test]
    fn update_to_less_asks_nothing() {
        let of = |grant: &str| Requests::new([Capability::Storage], requested(&[grant]));
        let asked = |before: &str, after: &str| of(after).beyond(&of(before)).grants;
        assert_eq!(asked("storage=512KiB", "storage"), []);
        assert_eq!(asked("storage", "storage=512KiB"), requested(&["storage=512KiB"]));
        assert_eq!(asked("network=*.a.example", "network=b.a.example"), []);
    }
}
