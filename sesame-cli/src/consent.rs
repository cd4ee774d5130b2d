//! What an extension is given when it is installed. The only place that decides this.

use std::path::Path;

use core_types::{
    Capabilities, Capability, Document, Grant, Owner, Policy, Request, ScopeKind, denied_by_policy,
};

use extension_host::DirectoryError;

use crate::context::Context;
use crate::outcome::Denied;

/// What an extension asks for.
#[derive(Clone)]
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
    /// `--grant-requested`, or `--accept-new-capabilities`
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

/// What was decided before.
#[derive(Debug, Clone, Copy)]
pub enum Standing<'a> {
    /// Nothing: it is installed for the first time, or its manifest has no `[capabilities]`.
    Undecided,
    /// Its owner wrote these into its manifest.
    Decided(&'a Capabilities),
    /// Its predecessor has these, and the requests are those that its predecessor did not have.
    Updating(&'a Capabilities),
}

impl<'a> Standing<'a> {
    /// What a manifest says.
    pub fn of(capabilities: Option<&'a Capabilities>) -> Self {
        capabilities.map_or(Self::Undecided, Self::Decided)
    }

    fn capabilities(self) -> Option<&'a Capabilities> {
        match self {
            Self::Undecided => None,
            Self::Decided(capabilities) | Self::Updating(capabilities) => Some(capabilities),
        }
    }
}

/// What comes of it.
pub struct Decision {
    /// The capabilities for the manifest, or nothing when it stays as it is.
    pub capabilities: Option<Capabilities>,
    /// What was given now for good.
    pub granted: Vec<Grant>,
    /// What was given until the session ends.
    pub for_session: Vec<Grant>,
    /// What an update finds under another path than its predecessor. Nothing more is within its
    /// reach.
    pub moved: Vec<Grant>,
    /// What is asked for and not given.
    pub denied: Vec<Denied>,
}

impl Decision {
    /// The same, where nothing that a policy denies counts as given. A manifest may have it,
    /// because its owner wants it there.
    fn within(mut self, policies: &[(Policy, Document)]) -> Self {
        for given in [&mut self.granted, &mut self.for_session] {
            let (granted, denied) = split_denied(std::mem::take(given), policies);
            *given = granted;
            self.denied.extend(denied);
        }
        self
    }

    /// What is asked for and not given, although giving it would help.
    pub fn ungranted(&self) -> impl Iterator<Item = &Denied> {
        self.denied.iter().filter(|denied| denied.policy.is_none())
    }
}

/// Which of these grants have an effect, and which a policy denies.
pub fn split_denied(
    grants: Vec<Grant>,
    policies: &[(Policy, Document)],
) -> (Vec<Grant>, Vec<Denied>) {
    let (denied, granted) = grants
        .into_iter()
        .partition(|grant| denied_by_policy(grant.capability(), policies).is_some());
    (granted, without_denied(&Requests { grants: denied, without_scope: Vec::new() }, policies).1)
}

impl Requests {
    /// What the imports of a component and its author's manifest ask for. Imports say nothing about
    /// scopes.
    pub fn new(imported: impl IntoIterator<Item = Capability>, by_author: Vec<Grant>) -> Self {
        let mut requests = Self { grants: by_author, without_scope: Vec::new() };
        for capability in imported {
            let is_asked = requests.grants.iter().any(|grant| grant.capability() == capability);
            match Request::Use(capability).least_grant() {
                _ if is_asked => {}
                Some(grant) => requests.grants.push(grant),
                None => requests.without_scope.push(capability),
            }
        }
        requests
    }

    /// Adds what somebody else asks for on its behalf, which also says how far.
    pub fn add(&mut self, grants: Vec<Grant>) {
        self.without_scope
            .retain(|capability| grants.iter().all(|grant| grant.capability() != *capability));
        self.grants.extend(
            grants.into_iter().filter(|grant| !self.grants.contains(grant)).collect::<Vec<_>>(),
        );
    }

    /// What is asked for here and not there.
    pub fn beyond(self, before: &Self) -> Self {
        let is_new = |grant: &Grant| !before.grants.contains(grant);
        let is_new_capability =
            |capability: &Capability| !before.without_scope.contains(capability);
        Self {
            grants: self.grants.into_iter().filter(is_new).collect(),
            without_scope: self.without_scope.into_iter().filter(is_new_capability).collect(),
        }
    }
}

/// Decides. Who has decided before is added to by `--grant` alone; who is updated keeps what they
/// have, and is asked about what is new. A directory that an update wants under another path is the
/// same directory, and nobody is asked.
pub fn decide(standing: Standing<'_>, requests: &Requests, answers: Answers<'_>) -> Decision {
    let mut capabilities = standing.capabilities().cloned().unwrap_or_default();
    let mut granted: Vec<_> =
        answers.granted.iter().filter(|grant| capabilities.add(grant)).cloned().collect();
    let (mut for_session, mut denied) = (Vec::new(), Vec::new());
    let moved = move_directories(standing, requests, &mut capabilities);
    for grant in
        requests.grants.iter().filter(|grant| !capabilities.covers(grant)).collect::<Vec<_>>()
    {
        let answer = match standing {
            Standing::Decided(_) => Answer::No,
            _ if answers.grant_requested => Answer::Always,
            // An extension's own configuration is nobody's secret.
            Standing::Undecided if grant.capability() == Capability::ConfigRead => Answer::Always,
            _ => (answers.ask)(grant),
        };
        match answer {
            Answer::Always if capabilities.add(grant) => granted.push(grant.clone()),
            Answer::Always => {}
            Answer::Session => for_session.push(grant.clone()),
            Answer::No => denied.push(Denied::of(grant)),
        }
    }
    let unscoped =
        requests.without_scope.iter().filter(|capability| !capabilities.grants(**capability));
    for capability in unscoped.copied().collect::<Vec<_>>() {
        let named = if matches!(standing, Standing::Decided(_)) {
            None
        } else {
            (answers.ask_scope)(capability)
        };
        match named {
            Some(grant) if capabilities.add(&grant) => granted.push(grant),
            _ => denied.push(Denied::without_scope(capability)),
        }
    }
    let is_changed =
        matches!(standing, Standing::Undecided) || !granted.is_empty() || !moved.is_empty();
    Decision {
        capabilities: is_changed.then_some(capabilities),
        granted,
        for_session,
        moved,
        denied,
    }
}

/// Adds the directories that an update wants under another path for the guest, as far as they are
/// within reach and the path is free.
fn move_directories(
    standing: Standing<'_>,
    requests: &Requests,
    capabilities: &mut Capabilities,
) -> Vec<Grant> {
    let Standing::Updating(before) = standing else { return Vec::new() };
    let mut moved = Vec::new();
    for grant in requests.grants.iter().filter(|grant| before.reaches(grant)) {
        let mut with = capabilities.clone();
        if with.add(grant) && with.check_guest_paths(Path::new("~")).is_ok() {
            *capabilities = with;
            moved.push(grant.clone());
        }
    }
    moved
}

/// What is decided where nobody says anything.
pub fn decide_alone(
    standing: Standing<'_>,
    requests: &Requests,
    policies: &[(Policy, Document)],
) -> Decision {
    let (mut ask, mut ask_scope) = (|_: &Grant| Answer::No, |_| None);
    let answers =
        Answers { granted: &[], grant_requested: false, ask: &mut ask, ask_scope: &mut ask_scope };
    let (requests, by_policy) = without_denied(requests, policies);
    let mut decision = decide(standing, &requests, answers);
    decision.denied.extend(by_policy);
    decision
}

/// Asks the person at the terminal what the extension of this owner may do; without a person the
/// answer is no. What the policies deny is neither asked about nor said to be granted.
pub fn ask_person(
    context: &Context,
    policies: &[(Policy, Document)],
    owner: &Owner,
    standing: Standing<'_>,
    requests: &Requests,
    granted: &[Grant],
    grant_requested: bool,
) -> Decision {
    let can_ask = context.can_ask();
    let (requests, by_policy) = without_denied(requests, policies);
    let (requests, refused) = without_refused(context, &requests);
    let mut ask = |grant: &Grant| if can_ask { asked(context, owner, grant) } else { Answer::No };
    let mut ask_scope =
        |capability| if can_ask { asked_for_scope(context, owner, capability) } else { None };
    let answers = Answers { granted, grant_requested, ask: &mut ask, ask_scope: &mut ask_scope };
    let mut decision = decide(standing, &requests, answers).within(policies);
    decision.denied.extend(refused.iter().map(Denied::of));
    decision.denied.extend(by_policy);
    decision
}

/// The requests, without those that a policy denies: nobody is asked about them, and saying yes to
/// all does not include them.
fn without_denied(requests: &Requests, policies: &[(Policy, Document)]) -> (Requests, Vec<Denied>) {
    let mut denied = Vec::new();
    let mut is_allowed = |capability: Capability, as_denied: &dyn Fn() -> Denied| {
        let decision = denied_by_policy(capability, policies);
        denied.extend(decision.iter().map(|decision| as_denied().by_policy(decision)));
        decision.is_none()
    };
    let mut allowed = requests.clone();
    allowed.grants.retain(|grant| is_allowed(grant.capability(), &|| Denied::of(grant)));
    allowed
        .without_scope
        .retain(|capability| is_allowed(*capability, &|| Denied::without_scope(*capability)));
    (allowed, denied)
}

/// The requests, without those for directories that no extension gets: nobody is asked about them,
/// and nobody can give them by asking for all.
fn without_refused(context: &Context, requests: &Requests) -> (Requests, Vec<Grant>) {
    let is_refused = |grant: &Grant| {
        let Some(path) = grant.directory() else { return false };
        let checked = context.directory_rules().map(|rules| rules.check(path));
        let refusal = checked.ok().and_then(Result::err);
        let is_protected = matches!(refusal, Some(DirectoryError::Protected { .. }));
        refusal.filter(|_| is_protected).inspect(|error| context.warn(&error.to_string())).is_some()
    };
    let (refused, grants) = requests.grants.iter().cloned().partition(is_refused);
    (Requests { grants, without_scope: requests.without_scope.clone() }, refused)
}

/// One question for each request: what it is, what it could do, and for how long.
fn asked(context: &Context, owner: &Owner, grant: &Grant) -> Answer {
    let (name, meaning) = (&owner.name, meaning(grant, owner));
    let question = format!(
        "`{name}` asks for {grant}: it could {meaning}.\n  Allow it? [a]lways, for this [s]ession, [N]o:"
    );
    match context.terminal.ask(&question).unwrap_or_default().to_ascii_lowercase().as_str() {
        "a" | "always" | "y" | "yes" => Answer::Always,
        "s" | "session" => Answer::Session,
        _ => Answer::No,
    }
}

/// What an extension could do with a permission.
fn meaning(grant: &Grant, owner: &Owner) -> String {
    let meaning = meaning_of(grant.capability(), owner);
    match grant.directory().and_then(|path| Some((path.host(), path.guest()?))) {
        Some((host, guest)) => format!("{meaning}; it finds `{host}` as `{guest}`"),
        None => meaning,
    }
}

/// What an extension could do with a capability. Whose secrets it would read and replace is said,
/// since it may share them with another that came from the same place.
fn meaning_of(capability: Capability, owner: &Owner) -> String {
    let meaning = capability.meaning();
    match capability.spec().scope {
        ScopeKind::Secrets => {
            format!("{meaning}, where secrets of `{}` are kept", owner.identity)
        }
        _ => meaning.to_owned(),
    }
}

/// A capability that has to be narrowed, by an extension that does not say how: the user says it,
/// or nothing.
fn asked_for_scope(context: &Context, owner: &Owner, capability: Capability) -> Option<Grant> {
    let (name, meaning) = (&owner.name, meaning_of(capability, owner));
    let question = format!(
        "`{name}` imports {capability} and does not say how far it has to reach: it could {meaning}.\n  Allow it at all?"
    );
    // Two questions, so that a `no` to the first is not the name of a scope.
    if !context.terminal.confirm(&question).unwrap_or_default() {
        return None;
    }
    let how_far = format!(
        "  how far, as in `{}` (nothing: not allowed)\n  {capability}=",
        Grant::example(capability)
    );
    let scope = context.terminal.ask(&how_far).ok().filter(|scope| !scope.is_empty())?;
    match format!("{capability}={scope}").parse() {
        Ok(grant) => Some(grant),
        Err(error) => {
            context.warn(&format!("not allowed: {error}"));
            None
        }
    }
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
        let answers = Answers {
            granted: &granted,
            grant_requested: all,
            ask: &mut ask,
            ask_scope: &mut ask_scope,
        };
        let decision = decide(Standing::of(existing), &requests, answers);
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
        let expected = (
            texts(&["config-read"]),
            texts(&["network=api.example.com", "notification", "secret-read=github-token"]),
        );
        assert_eq!(decided(None, &[], false, Answer::No), expected);
    }

    #[test]
    fn what_is_granted_requested_or_said_yes_to_is_given() {
        let everything = texts(&["network=api.example.com", "config-read", "notification"]);
        assert_eq!(
            decided(None, &[], true, Answer::No),
            (everything.clone(), texts(&["secret-read=github-token"]))
        );
        assert_eq!(
            decided(None, &[], false, Answer::Always),
            (everything, texts(&["secret-read=github-token"]))
        );
        let expected = (
            texts(&["secret-read=token", "config-read"]),
            texts(&["network=api.example.com", "notification"]),
        );
        assert_eq!(decided(None, &["secret-read=token"], false, Answer::No), expected);
    }

    #[test]
    fn what_is_given_for_the_session_is_not_given_for_good() {
        let (granted, denied) = decided(None, &[], false, Answer::Session);
        let expected = [
            "config-read",
            "network=api.example.com for the session",
            "notification for the session",
        ];
        assert_eq!((granted, denied), (texts(&expected), texts(&["secret-read=github-token"])));
    }

    /// What policy denies is neither asked about nor said to be given, whoever wants it.
    #[test]
    fn policy_denies_whatever_the_answer() {
        let policy: Policy =
            core_types::parse_toml("deny = [\"config-read\", \"network\"]").expect("valid").value;
        let policies = [(policy, Document::default())];
        let requests = Requests::new(
            [Capability::ConfigRead, Capability::Notification],
            grants(&["network=a.example"]),
        );
        let (allowed, denied) = without_denied(&requests, &policies);
        assert_eq!(allowed.grants, grants(&["notification"]));
        let said: Vec<_> = denied.iter().map(|denied| denied.policy.as_deref()).collect();
        assert_eq!(said, [Some("policy denies `network`"), Some("policy denies `config-read`")]);
        let alone = decide_alone(Standing::Undecided, &requests, &policies);
        assert_eq!(
            (alone.granted, alone.denied.len()),
            (Vec::new(), 3),
            "not even its own configuration"
        );
        let (granted, denied) = split_denied(grants(&["config-read", "notification"]), &policies);
        assert_eq!((granted, denied.len()), (grants(&["notification"]), 1));
    }

    #[test]
    fn an_update_asks_about_what_is_new_and_gives_nothing_by_itself() {
        let requests =
            Requests::new([Capability::ConfigRead, Capability::Notification], Vec::new());
        let base = Capabilities::from_iter(grants(&["notification"]));
        let decided = |accept: bool| {
            let (mut ask, mut ask_scope) = (|_: &Grant| Answer::No, |_| None);
            let answers = Answers {
                granted: &[],
                grant_requested: accept,
                ask: &mut ask,
                ask_scope: &mut ask_scope,
            };
            decide(Standing::Updating(&base), &requests, answers)
        };
        let refused = decided(false);
        assert_eq!(
            (refused.granted, refused.denied.len(), refused.capabilities),
            (Vec::new(), 1, None)
        );
        let accepted = decided(true);
        assert_eq!((accepted.granted, accepted.denied.len()), (grants(&["config-read"]), 0));
    }

    /// Another path for the guest is given and told; another directory, or more of one, is asked
    /// about.
    #[test]
    fn update_moves_directory_without_asking() {
        let mut base = Capabilities::default();
        grants(&["filesystem=read:~/a::/a", "filesystem=read:~/b::/b"]).iter().for_each(|grant| {
            base.add(grant);
        });
        let decided = |wanted: &str| {
            let requests = Requests::new([], grants(&[wanted]));
            let decision = decide_alone(Standing::Updating(&base), &requests, &[]);
            (decision.moved, decision.denied.len(), decision.capabilities.is_some())
        };
        for same in
            ["filesystem=read:~/a::/data", "filesystem=read:~/a", "filesystem=read:~/a/x::."]
        {
            assert_eq!(decided(same), (grants(&[same]), 0, true), "{same}");
        }
        for more in
            ["filesystem=write:~/a::/a", "filesystem=read:~/c::/a", "filesystem=read:~/a::/b"]
        {
            assert_eq!(decided(more), (Vec::new(), 1, false), "{more}");
        }
        let requests = Requests::new([], grants(&["filesystem=read:~/a::/data"]));
        for standing in [Standing::Undecided, Standing::Decided(&base)] {
            assert_eq!(
                decide_alone(standing, &requests, &[]).denied.len(),
                1,
                "only an update is the same extension"
            );
        }
    }

    #[test]
    fn an_existing_decision_is_added_to_by_grant_alone() {
        let existing = Capabilities::default();
        let denied = texts(&[
            "network=api.example.com",
            "config-read",
            "notification",
            "secret-read=github-token",
        ]);
        assert_eq!(decided(Some(&existing), &[], true, Answer::Always), (Vec::new(), denied));
        let (granted, denied) = decided(Some(&existing), &["notification"], false, Answer::No);
        assert_eq!((granted, denied.len()), (texts(&["notification"]), 3));
    }
}
