//! The things that a call touches, while it runs.

use crate::capability::GrantedPath;
use crate::policy::{Decision, Refusal, Request, Verdict, shortened};

/// The most different things that one call is remembered for. More than an honest extension uses;
/// what goes beyond is counted.
pub(super) const MAX_TOUCHES: usize = 64;
/// The longest name of a thing that is remembered, in bytes. A guest chooses the name, so without a
/// bound it could fill the memory of the host and the log. The longest host name has 253.
pub(super) const MAX_OBJECT: usize = 256;

/// Everything that one call touched or was refused, each thing once, in the order of the first
/// time.
///
/// ```
/// use core_types::{Activity, Authority, BootTime, Capabilities, Request, decide};
///
/// let authority = Authority::of(Capabilities::default());
/// let request = Request::ReadSecret("token".to_owned());
/// let mut activity = Activity::default();
/// activity.note(&request, &decide(&request, &authority, BootTime::default()));
/// let refused: Vec<_> = activity.refused().collect();
/// assert_eq!(refused[0].request, request);
/// assert_eq!(refused[0].grant(), Some("secret-read=token".to_owned()));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// The things.
    pub touches: Vec<Touch>,
    /// Directories that are granted, that it looked for and that do not exist. Nothing refused
    /// them.
    pub missing: Vec<String>,
    /// How often something was touched that is not listed, because there were too many things.
    pub more: u64,
}

/// A thing that was touched or refused. Contents that were read, written or sent are never in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// The thing. A long name is kept by its beginning, which is another name.
    pub request: Request,
    /// Whether it was allowed.
    pub verdict: Verdict,
    /// How often.
    pub times: u64,
    /// The rule that refused it; nothing if it was allowed.
    pub refusal: Option<Refusal>,
}

impl Touch {
    /// Returns the grant that allows it, if it was refused and can be granted. Where a policy
    /// refuses, a grant does not help.
    pub fn grant(&self) -> Option<String> {
        let refusal = self.refusal.as_ref()?;
        (!refusal.is_by_policy()).then(|| self.request.grant_text())
    }
}

impl Activity {
    /// Notes a request and the decision on it.
    pub fn note(&mut self, request: &Request, decision: &Decision<'_>) {
        let (request, verdict) = (request.shortened(MAX_OBJECT), decision.verdict);
        let is_same = |touch: &&mut Touch| touch.verdict == verdict && touch.request == *request;
        if let Some(touch) = self.touches.iter_mut().find(is_same) {
            touch.times += 1;
        } else if self.touches.len() < MAX_TOUCHES {
            let (request, refusal) = (request.into_owned(), decision.refusal());
            self.touches.push(Touch { request, verdict, times: 1, refusal });
        } else {
            self.more += 1;
        }
    }

    /// Notes that a directory was looked for that is granted and does not exist.
    pub fn note_missing(&mut self, path: &GrantedPath) {
        let path = shortened(path.host(), MAX_OBJECT);
        if self.missing.len() < MAX_TOUCHES && !self.missing.contains(&path) {
            self.missing.push(path);
        }
    }

    /// Iterates over the refused things.
    pub fn refused(&self) -> impl Iterator<Item = &Touch> {
        self.touches.iter().filter(|touch| touch.verdict != Verdict::Allow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::TouchRecord;
    use crate::capability::{Capability, ResourceKind, ResourceMethod};
    use crate::policy::{Document, Rule};

    /// A directory that does not exist is noted once, and nothing was refused.
    #[test]
    fn missing_directory_is_not_refused() {
        let mut activity = Activity::default();
        for path in ["~/a", "~/a::/b", "~/c"] {
            activity.note_missing(&path.parse().expect(path));
        }
        assert_eq!(activity.missing, ["~/a", "~/c"]);
        assert!(activity.touches.is_empty() && activity.refused().next().is_none());
    }

    /// Each thing is noted once with its number, and neither many things nor long names fill the
    /// memory.
    #[test]
    fn touches_are_counted_and_bounded() {
        let mut activity = Activity::default();
        let manifest = Document { path: "x.toml".into(), text: String::new() };
        let refused = Decision { verdict: Verdict::Deny, rule: Rule::NotGranted(&manifest) };
        let by_policy = Decision {
            verdict: Verdict::Deny,
            rule: Rule::Policy(Capability::Notification, &manifest),
        };
        let allowed = Decision { verdict: Verdict::Allow, rule: Rule::NotGranted(&manifest) };
        let read = Request::ReadSecret("token".to_owned());
        for _ in 0..3 {
            activity.note(&read, &refused);
        }
        activity.note(&read, &allowed);
        activity.note(&Request::Use(Capability::Notification), &by_policy);
        let [first, second, third] = &activity.touches[..] else { panic!("{activity:?}") };
        assert_eq!((first.times, first.grant().as_deref()), (3, Some("secret-read=token")));
        let rule = first.refusal.as_ref().map(ToString::to_string);
        assert_eq!(rule.as_deref(), Some("not granted (x.toml)"));
        assert_eq!(
            (second.grant(), &second.refusal, second.verdict),
            (None, &None, Verdict::Allow)
        );
        assert_eq!(
            (third.grant(), third.refusal.is_some()),
            (None, true),
            "a grant does not help against a policy"
        );
        for at in 0..100 {
            activity.note(&Request::Publish(format!("{at}{}", "é".repeat(500))), &refused);
        }
        assert_eq!((activity.touches.len(), activity.more), (MAX_TOUCHES, 39));
        for touch in activity.touches.iter().map(TouchRecord::from) {
            assert!(touch.what.len() <= MAX_OBJECT + "ipc-publish=…".len(), "{}", touch.what);
        }
        let kind = ResourceKind {
            group: vec!["a"; 1000].join("."),
            version: "v1".to_owned(),
            resource: "b".to_owned(),
        };
        activity.touches.truncate(1);
        activity.note(&Request::UseResource { kind, method: ResourceMethod::Get }, &refused);
        let touch = TouchRecord::from(&activity.touches[1]);
        assert!(touch.what.len() <= MAX_OBJECT + "resources=/v1/b:get…".len(), "{}", touch.what);
    }

    /// A name that is kept by its beginning is not one to grant.
    #[test]
    fn long_name_is_not_granted_in_part() {
        let mut activity = Activity::default();
        let manifest = Document::default();
        let refused = Decision { verdict: Verdict::Deny, rule: Rule::NotGranted(&manifest) };
        for length in [MAX_OBJECT, MAX_OBJECT + 1] {
            activity.note(&Request::ReadConfig("k".repeat(length)), &refused);
        }
        let grants: Vec<_> = activity.touches.iter().filter_map(Touch::grant).collect();
        assert_eq!(
            grants,
            [&format!("config-read={}", "k".repeat(MAX_OBJECT)), "config-read=greeting.*"]
        );
    }
}
