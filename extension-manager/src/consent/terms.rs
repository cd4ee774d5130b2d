//! Makes the decision about an extension's permissions. No other place decides this.

use std::path::Path;

use core_types::{Capabilities, Capability, Document, Grant, Policy};

use super::decision::{Decision, NotDecided, PriorGrants};
use super::denied::Denied;
use super::proposal::{Answer, Ask, Asked, Verdict};
use super::requests::Requests;

/// The inputs of a decision, beside the answers to its questions.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    /// The earlier decision.
    pub(crate) prior: PriorGrants<'a>,
    /// Grants without a question.
    pub(crate) grant: &'a [Grant],
    /// Whether all is granted that it asks for.
    pub(crate) grant_requested: bool,
    /// Whether a person who grants less than it needs ends the operation.
    pub(crate) needs_all: bool,
    /// The policies, whose denials always hold.
    pub(crate) policies: &'a [(Policy, Document)],
}

/// Decides without a question.
pub fn decide_alone(
    prior: PriorGrants<'_>,
    requests: &Requests,
    policies: &[(Policy, Document)],
) -> Decision {
    let terms = Terms { prior, grant: &[], grant_requested: false, needs_all: false, policies };
    // Without a question and a required permission, there is always a decision.
    terms.decide(requests, |_| false, |_| Verdict::Unattended).unwrap_or_default()
}

/// The part of a decision that needs no question.
pub(crate) struct Settled {
    capabilities: Capabilities,
    granted: Vec<Grant>,
    moved: Vec<Grant>,
    /// Its requests beyond that, each with its answer where it needs no question.
    requests: Vec<(Ask, Option<Answer>)>,
    /// Requests that are denied, whatever the answers are.
    pub(crate) denied: Vec<Denied>,
}

impl Settled {
    /// Returns what still has to be asked for.
    pub(crate) fn asks(&self) -> Vec<Ask> {
        let open = self.requests.iter().filter(|(_, answer)| answer.is_none());
        open.map(|(ask, _)| ask.clone()).collect()
    }

    /// Returns the grants without a question.
    pub(crate) fn given(&self) -> Vec<Grant> {
        let mut given: Vec<_> = self.capabilities.iter().cloned().collect();
        for (Ask { request, .. }, answer) in &self.requests {
            if let (Asked::Grant(grant), Some(Answer::Always)) = (request, answer) {
                given.push(grant.clone());
            }
        }
        given
    }
}

impl Terms<'_> {
    /// Decides. Only `grant` adds to an earlier decision; an update keeps its predecessor's grants,
    /// and asks about new requests. Denials of policies, and protected directories, are neither
    /// asked about nor granted.
    pub(crate) fn decide(
        self,
        requests: &Requests,
        is_protected: impl Fn(&Grant) -> bool,
        ask: impl FnOnce(&Settled) -> Verdict,
    ) -> Result<Decision, NotDecided> {
        let mut requests = requests.clone();
        let by_policy = requests.take_denied(self.policies);
        let (refused, grants): (Vec<_>, _) =
            requests.grants.into_iter().partition(|request| is_protected(&request.grant));
        requests.grants = grants;
        let refused = refused.iter().map(Denied::requested);
        let denied: Vec<_> = refused.chain(by_policy).collect();
        let settled = self.settle(&requests, denied);
        let is_open = settled.requests.iter().any(|(_, answer)| answer.is_none());
        match if is_open { ask(&settled) } else { Verdict::Unattended } {
            Verdict::Declined => Err(NotDecided::Declined),
            Verdict::Unattended => Ok(self.answered(settled, Vec::new())),
            Verdict::Answered(answers) => {
                let asks = settled.asks();
                let decision = self.answered(settled, answers);
                let missing = missing(&asks, &decision);
                if self.needs_all && !missing.is_empty() {
                    return Err(NotDecided::Missing(missing));
                }
                Ok(decision)
            }
        }
    }

    /// Grants the requests that need no answer, and finds the others.
    fn settle(self, requests: &Requests, denied: Vec<Denied>) -> Settled {
        let mut capabilities = self.prior.capabilities().cloned().unwrap_or_default();
        let granted: Vec<_> =
            self.grant.iter().filter(|grant| capabilities.add(grant)).cloned().collect();
        let moved = self.move_directories(requests, &mut capabilities);
        let mut open: Vec<_> = requests
            .grants
            .iter()
            .filter(|request| {
                requests.wider.contains(&request.grant) || !capabilities.covers(&request.grant)
            })
            .map(|request| (requests.ask(request), self.answer_to(&request.grant)))
            .collect();
        let unscoped =
            requests.without_scope.iter().filter(|capability| !capabilities.grants(**capability));
        let answer = self.is_decided().then_some(Answer::No);
        open.extend(unscoped.map(|it| (Ask::without_scope(*it), answer.clone())));
        Settled { capabilities, granted, moved, requests: open, denied }
    }

    fn is_decided(self) -> bool {
        matches!(self.prior, PriorGrants::Decided(_))
    }

    /// Returns the answer to a request that needs no question. An extension may always read its own
    /// configuration.
    fn answer_to(self, grant: &Grant) -> Option<Answer> {
        match self.prior {
            PriorGrants::Decided(_) => Some(Answer::No),
            _ if self.grant_requested => Some(Answer::Always),
            PriorGrants::Undecided if grant.capability() == Capability::ConfigRead => {
                Some(Answer::Always)
            }
            PriorGrants::Undecided | PriorGrants::Updating(_) => None,
        }
    }

    /// Adds directories that an update requests under another guest path, if they are within reach
    /// and the path is free. The directory is the same, so this is not asked.
    fn move_directories(self, requests: &Requests, capabilities: &mut Capabilities) -> Vec<Grant> {
        let PriorGrants::Updating(before) = self.prior else { return Vec::new() };
        let mut moved = Vec::new();
        let wanted = requests.grants.iter().map(|request| &request.grant);
        for grant in wanted.filter(|grant| before.reaches(grant)) {
            let mut with = capabilities.clone();
            if with.add(grant) && with.check_guest_paths(Path::new("~")).is_ok() {
                *capabilities = with;
                moved.push(grant.clone());
            }
        }
        moved
    }

    /// Applies the answers, in the order of the questions. A question without an answer is not
    /// granted.
    fn answered(self, settled: Settled, answers: Vec<Answer>) -> Decision {
        let Settled { mut capabilities, mut granted, moved, requests, denied: never } = settled;
        let (mut for_session, mut denied) = (Vec::new(), Vec::new());
        let mut answers = answers.into_iter();
        for (ask, answer) in requests {
            let answer = answer.or_else(|| answers.next()).unwrap_or(Answer::No);
            match given(&ask.request, answer) {
                Some((grant, true)) if capabilities.add(&grant) => granted.push(grant),
                Some((_, true)) => {}
                Some((grant, false)) => for_session.push(grant),
                None => denied.push(Denied::asked(&ask)),
            }
        }
        let is_changed = matches!(self.prior, PriorGrants::Undecided)
            || !granted.is_empty()
            || !moved.is_empty();
        let capabilities = is_changed.then_some(capabilities);
        let mut decision =
            Decision { capabilities, granted, for_session, moved, denied }.within(self.policies);
        decision.denied.extend(never);
        decision
    }
}

/// Returns the required permissions that a person was asked for and declined.
fn missing(asks: &[Ask], decision: &Decision) -> Vec<Denied> {
    let is_asked =
        |denied: &&Denied| asks.iter().any(|ask| Denied::asked(ask).grant == denied.grant);
    let needed = decision.ungranted().filter(|denied| !denied.is_optional);
    needed.filter(is_asked).cloned().collect()
}

/// Returns the grant of an answer, and whether it is permanent. An answer with a scope has to fit
/// the requested capability.
fn given(request: &Asked, answer: Answer) -> Option<(Grant, bool)> {
    match (request, answer) {
        (Asked::Grant(grant), Answer::Always) => Some((grant.clone(), true)),
        (Asked::Grant(grant), Answer::Session) => Some((grant.clone(), false)),
        (Asked::WithoutScope(capability), Answer::AlwaysAs(grant)) => {
            (grant.capability() == *capability).then_some((grant, true))
        }
        (Asked::WithoutScope(capability), Answer::SessionAs(grant)) => {
            (grant.capability() == *capability).then_some((grant, false))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use core_types::RequestedGrant;

    use super::super::decision::split_denied;
    use super::*;

    /// Nothing is known or granted, and no policy stands above it.
    const TERMS: Terms<'static> = Terms {
        prior: PriorGrants::Undecided,
        grant: &[],
        grant_requested: false,
        needs_all: false,
        policies: &[],
    };

    fn grants(texts: &[&str]) -> Vec<Grant> {
        texts.iter().map(|text| text.parse().expect(text)).collect()
    }

    fn requested(texts: &[&str]) -> Vec<RequestedGrant> {
        grants(texts).into_iter().map(RequestedGrant::required).collect()
    }

    /// Decides about three imports and a host, with the same answer to each.
    fn decided(
        existing: Option<&Capabilities>,
        granted: &[&str],
        all: bool,
        answer: Answer,
    ) -> (Vec<String>, Vec<String>) {
        let requests = Requests::new(
            [Capability::ConfigRead, Capability::SecretRead, Capability::Notification],
            requested(&["network=api.example.com"]),
        );
        let granted = grants(granted);
        let prior = existing.map_or(PriorGrants::Undecided, PriorGrants::Decided);
        let terms = Terms { prior, grant: &granted, grant_requested: all, ..TERMS };
        let decision = terms.decide(
            &requests,
            |_| false,
            |settled| Verdict::Answered(vec![answer.clone(); settled.asks().len()]),
        );
        let decision = decision.expect("decided");
        let session = decision.for_session.iter().map(|grant| format!("{grant} for the session"));
        (
            decision.granted.iter().map(ToString::to_string).chain(session).collect(),
            decision.denied.into_iter().map(|denied| denied.grant).collect(),
        )
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    /// Without a person, only its own configuration is given.
    #[test]
    fn no_answer_gives_only_config() {
        let expected = (
            texts(&["config-read"]),
            texts(&["network=api.example.com", "notification", "secret-read=github-token"]),
        );
        assert_eq!(decided(None, &[], false, Answer::No), expected);
    }

    #[test]
    fn accepted_requests_are_given() {
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
    fn session_grant_is_not_permanent() {
        let (granted, denied) = decided(None, &[], false, Answer::Session);
        let expected = [
            "config-read",
            "network=api.example.com for the session",
            "notification for the session",
        ];
        assert_eq!((granted, denied), (texts(&expected), texts(&["secret-read=github-token"])));
    }

    /// The answer to one request names a scope of that capability and of no other.
    #[test]
    fn scope_has_to_fit_the_request() {
        let grant = |text: &str| text.parse::<Grant>().expect(text);
        let answered = |answer| given(&Asked::WithoutScope(Capability::SecretRead), answer);
        let token = grant("secret-read=token");
        assert_eq!(answered(Answer::AlwaysAs(token.clone())), Some((token.clone(), true)));
        assert_eq!(answered(Answer::SessionAs(token.clone())), Some((token.clone(), false)));
        assert_eq!(answered(Answer::AlwaysAs(grant("network=a.example"))), None);
        assert_eq!(answered(Answer::Always), None);
        assert_eq!(given(&Asked::Grant(token), Answer::AlwaysAs(grant("notification"))), None);
    }

    /// Fewer answers than questions leave the rest ungranted.
    #[test]
    fn missing_answers_are_no() {
        let requests = Requests::new([], requested(&["network=a.example", "notification"]));
        let terms = TERMS;
        let answers = |_: &Settled| Verdict::Answered(vec![Answer::Always]);
        let decision = terms.decide(&requests, |_| false, answers).expect("decided");
        assert_eq!(decision.granted, grants(&["network=a.example"]));
        assert_eq!(decision.denied.len(), 1);
    }

    /// A denial of policy is neither asked about nor reported as granted, for any request.
    #[test]
    fn policy_denies_whatever_the_answer() {
        let policy: Policy =
            core_types::parse_toml("deny = [\"config-read\", \"network\"]").expect("valid").value;
        let policies = [(policy, Document::default())];
        let requests = Requests::new(
            [Capability::ConfigRead, Capability::Notification],
            requested(&["network=a.example"]),
        );
        let mut allowed = requests.clone();
        let denied = allowed.take_denied(&policies);
        assert_eq!(allowed.grants, requested(&["notification"]));
        let said: Vec<_> = denied.iter().map(|denied| denied.policy.as_deref()).collect();
        assert_eq!(said, [Some("policy denies `network`"), Some("policy denies `config-read`")]);
        let alone = decide_alone(PriorGrants::Undecided, &requests, &policies);
        assert_eq!(
            (alone.granted, alone.denied.len()),
            (Vec::new(), 3),
            "not even its own configuration"
        );
        let (granted, denied) = split_denied(grants(&["config-read", "notification"]), &policies);
        assert_eq!((granted, denied.len()), (grants(&["notification"]), 1));
    }

    #[test]
    fn protected_directory_is_not_asked_for() {
        let requests = Requests::new([], requested(&["filesystem=read:~/x", "notification"]));
        let terms = Terms { grant_requested: true, ..TERMS };
        let is_directory = |grant: &Grant| grant.capability() == Capability::Filesystem;
        let decision = terms.decide(&requests, is_directory, |_| panic!("nothing is open"));
        let decision = decision.expect("decided");
        assert_eq!(decision.granted, grants(&["notification"]));
        assert_eq!(decision.denied, [Denied::of(&requests.grants[0].grant)]);
    }

    /// An update asks about new requests and grants nothing by itself.
    #[test]
    fn update_grants_nothing_unasked() {
        let requests =
            Requests::new([Capability::ConfigRead, Capability::Notification], Vec::new());
        let base = Capabilities::from_iter(grants(&["notification"]));
        let decided = |accept: bool| {
            let terms =
                Terms { prior: PriorGrants::Updating(&base), grant_requested: accept, ..TERMS };
            terms.decide(&requests, |_| false, |_| Verdict::Unattended).expect("decided")
        };
        let refused = decided(false);
        assert_eq!(
            (refused.granted, refused.denied.len(), refused.capabilities),
            (Vec::new(), 1, None)
        );
        let accepted = decided(true);
        assert_eq!((accepted.granted, accepted.denied.len()), (grants(&["config-read"]), 0));
    }

    /// Another guest path is granted and reported; another directory, or more of one, is asked
    /// about.
    #[test]
    fn update_moves_directory_without_asking() {
        let base = Capabilities::from_iter(grants(&[
            "filesystem=read:~/a::/a",
            "filesystem=read:~/b::/b",
        ]));
        let decided = |wanted: &str| {
            let requests = Requests::new([], requested(&[wanted]));
            let decision = decide_alone(PriorGrants::Updating(&base), &requests, &[]);
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
        let requests = Requests::new([], requested(&["filesystem=read:~/a::/data"]));
        for prior in [PriorGrants::Undecided, PriorGrants::Decided(&base)] {
            assert_eq!(
                decide_alone(prior, &requests, &[]).denied.len(),
                1,
                "only an update is the same extension"
            );
        }
    }

    /// Only `--grant` adds to an earlier decision.
    #[test]
    fn decided_manifest_stays_decided() {
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

    /// An optional permission can be refused; the refusal of a required one ends the install.
    #[test]
    fn refused_need_ends_the_install() {
        let mut requests = Requests::new([], requested(&["network=a.example", "notification"]));
        requests.grants[1].is_optional = true;
        let decided = |answers: &[Answer], needs_all| {
            let prior = PriorGrants::Undecided;
            let terms = Terms { prior, needs_all, ..TERMS };
            let answers = answers.to_vec();
            terms.decide(&requests, |_| false, |_| Verdict::Answered(answers))
        };
        let works = decided(&[Answer::Session, Answer::No], true).expect("decided");
        assert_eq!(works.for_session, grants(&["network=a.example"]));
        let Err(NotDecided::Missing(missing)) = decided(&[Answer::No, Answer::Always], true) else {
            panic!("it is needed");
        };
        assert_eq!(missing, [Denied::of(&grants(&["network=a.example"])[0])]);
        assert!(decided(&[], false).is_ok(), "a rollback goes on without");
    }

    #[test]
    fn declined_proposal_decides_nothing() {
        let requests = Requests::new([], requested(&["notification"]));
        let terms = TERMS;
        let declined = terms.decide(&requests, |_| false, |_| Verdict::Declined);
        assert_eq!(declined, Err(NotDecided::Declined));
    }
}
