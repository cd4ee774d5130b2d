//! A request of an extension in words, the same wherever one is shown: before a decision, in
//! `inspect` and `info`, by `grant`, by `sync --dry-run`, and for programs.

use std::fmt;

use core_types::{Capability, Grant, Owner, Scope, ScopeKind};
use extension_depot::Installed;
use extension_manager::{Ask, Asked, Denied, Wide, requested_by};
use schemars::JsonSchema;
use serde::Serialize;

/// A request in words.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
pub struct RequestText {
    /// What is asked for, with its scope where the extension names one.
    pub what: String,
    /// What the extension could do with it.
    pub meaning: String,
    /// The settings of an event: how often it comes, or for what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<String>,
    /// Whether the extension works without it, as its author says.
    pub optional: bool,
    /// The author's reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it reaches further than most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wide: Option<Wide>,
    /// Whether the extension leaves open how far it has to reach.
    #[serde(skip)]
    is_open: bool,
}

impl RequestText {
    /// Describes a request of this extension.
    pub fn new(ask: &Ask, owner: &Owner) -> Self {
        let (what, meaning) = match &ask.request {
            Asked::Grant(grant) => (grant.to_string(), meaning(grant, owner)),
            Asked::WithoutScope(capability) => {
                (capability.to_string(), meaning_of(*capability, owner))
            }
        };
        Self {
            what,
            meaning,
            settings: ask.settings.clone(),
            optional: ask.is_optional,
            reason: ask.reason.clone(),
            wide: ask.wide,
            is_open: matches!(ask.request, Asked::WithoutScope(_)),
        }
    }

    /// Describes a grant that nobody gives a reason for.
    pub fn of_grant(grant: &Grant, owner: &Owner) -> Self {
        Self {
            what: grant.to_string(),
            meaning: meaning(grant, owner),
            settings: None,
            optional: false,
            reason: None,
            wide: Wide::of(grant),
            is_open: false,
        }
    }

    /// Describes a grant for an installed extension, with what its author says about it.
    pub fn of_installed(grant: &Grant, installed: &Installed) -> Self {
        let identity = installed.reference.identity();
        let owner = Owner { name: installed.name.clone(), identity };
        match requested_by(installed).iter().find(|request| request.grant == *grant) {
            Some(request) => Self::new(&Ask::of(request), &owner),
            None => Self::of_grant(grant, &owner),
        }
    }

    /// Describes a request that was not granted.
    pub fn of_denied(denied: &Denied, owner: &Owner) -> Self {
        let grant = denied.grant.parse().ok().filter(|_| !denied.is_example);
        let in_general = || meaning_of(denied.capability, owner);
        Self {
            what: denied.request().to_owned(),
            meaning: grant.map_or_else(in_general, |grant| meaning(&grant, owner)),
            settings: None,
            optional: denied.is_optional,
            reason: denied.reason.clone(),
            wide: denied.wide,
            is_open: denied.is_example,
        }
    }

    /// Returns what follows the request: its meaning, the marks, and the reason of its author.
    pub fn explanation(&self) -> String {
        let mut text = self.meaning.clone();
        if let Some(settings) = &self.settings {
            text.push_str(&format!(" ({settings})"));
        }
        if self.optional {
            text.push_str(" [optional]");
        }
        if let Some(wide) = self.wide {
            text.push_str(&format!(" [! {}]", mark(wide)));
        }
        if let Some(reason) = &self.reason {
            text.push_str(&format!(" (its author: \"{reason}\")"));
        }
        text
    }
}

/// The request in a line.
impl fmt::Display for RequestText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = if self.is_open { ", and does not say how far it has to reach" } else { "" };
        write!(f, "{}{open}: {}", self.what, self.explanation())
    }
}

/// Says why a request reaches further than most.
fn mark(wide: Wide) -> &'static str {
    match wide {
        Wide::WholeHome => "your whole home directory",
        Wide::ManyHosts => "every host below this domain",
        Wide::LocalNetwork => "machines of your local network",
        Wide::Everything => "every one that there is",
        Wide::MoreThanBefore => "more often or for more than in the installed version",
    }
}

/// Describes the use of a permission.
pub(super) fn meaning(grant: &Grant, owner: &Owner) -> String {
    match grant.scope() {
        Scope::Secret(_) => meaning_of(grant.capability(), owner),
        _ => grant.meaning(),
    }
}

/// Describes the use of a capability. The owner of its secrets is named, since an extension may
/// share them with another of the same origin.
pub(super) fn meaning_of(capability: Capability, owner: &Owner) -> String {
    let meaning = capability.meaning();
    match capability.spec().scope {
        ScopeKind::Secrets => {
            format!("{meaning}, where secrets of `{}` are kept", owner.identity)
        }
        _ => meaning.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use core_types::RequestedGrant;

    use super::*;

    fn text(grant: &str, is_optional: bool, reason: Option<&str>) -> RequestText {
        let grant = grant.parse().expect(grant);
        let reason = reason.map(str::to_owned);
        let owner = Owner::embedded("x".parse().expect("a name"));
        RequestText::new(&Ask::of(&RequestedGrant { grant, is_optional, reason }), &owner)
    }

    /// A line has everything that a decision takes.
    #[test]
    fn request_is_a_line() {
        let owner = Owner::embedded("x".parse().expect("a name"));
        let open = RequestText::new(&Ask::without_scope(Capability::Network), &owner);
        let lines = [
            text("notification", true, Some("tells of rain")).to_string(),
            text("network=*.example.org", false, None).to_string(),
            text("filesystem=read:~::/home", false, Some("keeps notes")).to_string(),
            open.to_string(),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r#"
        notification: show notifications, ten a minute at most [optional] (its author: "tells of rain")
        network=*.example.org: send anything that it knows to this host, and read what the host answers [! every host below this domain]
        filesystem=read:~::/home: read everything in this directory, and with `write` change and delete it; it finds `~` as `/home` [! your whole home directory] (its author: "keeps notes")
        network, and does not say how far it has to reach: send anything that it knows to this host, and read what the host answers
        "#);
    }

    /// A program finds each part in a field of its own.
    #[test]
    fn request_is_an_object() {
        let object = serde_json::to_string(&text("filesystem=read:~", true, Some("keeps notes")));
        insta::assert_snapshot!(object.expect("JSON"), @r#"{"what":"filesystem=read:~","meaning":"read everything in this directory, and with `write` change and delete it","optional":true,"reason":"keeps notes","wide":"whole-home"}"#);
    }
}
