//! What an extension is given when it is installed. The only place that decides this.

use core_types::{Capabilities, Capability, Grant};

use crate::outcome::Denied;

/// What an extension asks for.
pub struct Requests {
    /// Permissions with all that they need to be granted.
    pub grants: Vec<Grant>,
    /// Capabilities that need a scope which the extension does not name.
    pub without_scope: Vec<Capability>,
}

/// What the user says about requests.
pub struct Answers<'a> {
    /// `--grant`
    pub granted: &'a [Grant],
    /// `--grant-requested`
    pub grant_requested: bool,
    /// Asks about one request; without a person there is nobody to say yes.
    pub ask: &'a mut dyn FnMut(&Grant) -> Answer,
    /// Asks how far a capability shall reach, when the extension does not say.
    pub ask_scope: &'a mut dyn FnMut(Capability) -> Option<Grant>,
}

/// What a person says to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is allowed for good.
    Always,
    /// It is allowed until the login session ends.
    Session,
    /// It is not allowed.
    No,
}

/// What comes of it.
pub struct Decision {
    /// The capabilities for the manifest, or nothing when it stays as it is.
    pub capabilities: Option<Capabilities>,
    /// What was given now for good.
    pub granted: Vec<Grant>,
    /// What was given until the session ends.
    pub for_session: Vec<Grant>,
    /// What is asked for and not given.
    pub denied: Vec<Denied>,
}

impl Requests {
    /// What the imports of a component and its author's manifest ask for. Imports say nothing about scopes.
    pub fn new(imported: impl IntoIterator<Item = Capability>, by_author: Vec<Grant>) -> Self {
        let mut requests = Self { grants: by_author, without_scope: Vec::new() };
        for capability in imported {
            let is_asked = requests.grants.iter().any(|grant| grant.capability() == capability);
            match Grant::unscoped(capability) {
                _ if is_asked => {}
                Ok(grant) => requests.grants.push(grant),
                Err(_) => requests.without_scope.push(capability),
            }
        }
        requests
    }
}

impl Requests {
    /// What is asked for here and not there.
    pub fn beyond(self, before: &Self) -> Self {
        let is_new = |grant: &Grant| !before.grants.contains(grant);
        let is_new_capability = |capability: &Capability| !before.without_scope.contains(capability);
        Self {
            grants: self.grants.into_iter().filter(is_new).collect(),
            without_scope: self.without_scope.into_iter().filter(is_new_capability).collect(),
        }
    }

    /// What is not granted yet, as one would grant it.
    pub fn missing_from(&self, granted: &Capabilities) -> Vec<String> {
        let grants = self.grants.iter().filter(|grant| !granted.covers(grant)).map(ToString::to_string);
        let unscoped = self.without_scope.iter().filter(|capability| !granted.grants(**capability));
        grants.chain(unscoped.map(|capability| format!("{capability}=SCOPE"))).collect()
    }
}

/// Decides. A manifest that has `[capabilities]` already is added to by `--grant` alone: its owner has decided.
pub fn decide(existing: Option<&Capabilities>, requests: &Requests, answers: Answers<'_>) -> Decision {
    let mut capabilities = existing.cloned().unwrap_or_default();
    let mut granted: Vec<_> = answers.granted.iter().filter(|grant| capabilities.add(grant)).cloned().collect();
    let (mut for_session, mut denied) = (Vec::new(), Vec::new());
    for grant in requests.grants.iter().filter(|grant| !capabilities.covers(grant)).collect::<Vec<_>>() {
        // An extension's own configuration is nobody's secret.
        let is_given = answers.grant_requested || grant.capability() == Capability::ConfigRead;
        let answer = match existing {
            Some(_) => Answer::No,
            None if is_given => Answer::Always,
            None => (answers.ask)(grant),
        };
        match answer {
            Answer::Always if capabilities.add(grant) => granted.push(grant.clone()),
            Answer::Always => {}
            Answer::Session => for_session.push(grant.clone()),
            Answer::No => denied.push(Denied { capability: grant.capability(), grant: grant.to_string() }),
        }
    }
    for capability in
        requests.without_scope.iter().filter(|capability| !capabilities.grants(**capability)).collect::<Vec<_>>()
    {
        let named = if existing.is_none() { (answers.ask_scope)(*capability) } else { None };
        match named {
            Some(grant) if capabilities.add(&grant) => granted.push(grant),
            _ => denied.push(Denied { capability: *capability, grant: format!("{capability}=SCOPE") }),
        }
    }
    let is_changed = existing.is_none() || !granted.is_empty();
    Decision { capabilities: is_changed.then_some(capabilities), granted, for_session, denied }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(texts: &[&str]) -> Vec<Grant> {
        texts.iter().map(|text| text.parse().expect(text)).collect()
    }

    fn decided(
        existing: Option<&Capabilities>,
        granted: &[&str],
        all: bool,
        answer: Answer,
    ) -> (Vec<String>, Vec<String>) {
        let requests = Requests::new(
            [Capability::ConfigRead, Capability::SecretRead, Capability::Notification],
            grants(&["network=api.example.com"]),
        );
        let granted = grants(granted);
        let (mut ask, mut ask_scope) = (|_: &Grant| answer, |_| None);
        let answers = Answers { granted: &granted, grant_requested: all, ask: &mut ask, ask_scope: &mut ask_scope };
        let decision = decide(existing, &requests, answers);
        let session = decision.for_session.iter().map(|grant| format!("{grant} for the session"));
        (
            decision.granted.iter().map(ToString::to_string).chain(session).collect(),
            decision.denied.into_iter().map(|denied| denied.grant).collect(),
        )
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn without_a_person_only_the_own_configuration_is_given() {
        let expected =
            (texts(&["config-read"]), texts(&["network=api.example.com", "notification", "secret-read=SCOPE"]));
        assert_eq!(decided(None, &[], false, Answer::No), expected);
    }

    #[test]
    fn what_is_granted_requested_or_said_yes_to_is_given() {
        let everything = texts(&["network=api.example.com", "config-read", "notification"]);
        assert_eq!(decided(None, &[], true, Answer::No), (everything.clone(), texts(&["secret-read=SCOPE"])));
        assert_eq!(decided(None, &[], false, Answer::Always), (everything, texts(&["secret-read=SCOPE"])));
        let expected =
            (texts(&["secret-read=token", "config-read"]), texts(&["network=api.example.com", "notification"]));
        assert_eq!(decided(None, &["secret-read=token"], false, Answer::No), expected);
    }

    #[test]
    fn what_is_given_for_the_session_is_not_given_for_good() {
        let (granted, denied) = decided(None, &[], false, Answer::Session);
        let expected = ["config-read", "network=api.example.com for the session", "notification for the session"];
        assert_eq!((granted, denied), (texts(&expected), texts(&["secret-read=SCOPE"])));
    }

    #[test]
    fn an_existing_decision_is_added_to_by_grant_alone() {
        let existing = Capabilities::default();
        let denied = texts(&["network=api.example.com", "config-read", "notification", "secret-read=SCOPE"]);
        assert_eq!(decided(Some(&existing), &[], true, Answer::Always), (Vec::new(), denied));
        let (granted, denied) = decided(Some(&existing), &["notification"], false, Answer::No);
        assert_eq!((granted, denied.len()), (texts(&["notification"]), 3));
    }
}
