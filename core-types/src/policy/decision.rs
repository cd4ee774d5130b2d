//! The one place that decides whether an extension may do something.

use std::fmt;

use crate::capability::{Capability, Grant};
use crate::event::EventPattern;
use crate::policy::authority::Authority;
use crate::policy::document::{Document, Place};
use crate::policy::request::Request;
use crate::policy::rules::Policy;
use crate::policy::timed::{BootTime, TimedGrant};

/// Whether an extension may do something.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It may.
    Allow,
    /// It may not.
    Deny,
    /// The user has not decided yet: a program that can asks them, and one that cannot refuses.
    Ask,
}

/// A verdict, and the rule that it rests on.
///
/// ```
/// use core_types::{Authority, BootTime, Capabilities, Capability, Request, decide};
///
/// let granted = Capabilities::from_iter(["notification".parse()?]);
/// let authority = Authority::of(granted);
/// let decision = decide(&Request::Use(Capability::Notification), &authority, BootTime::default());
/// assert!(decision.allows());
/// assert_eq!(decision.to_string(), "granted: notification");
/// # Ok::<(), core_types::GrantError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The verdict.
    pub verdict: Verdict,
    /// The reason.
    pub rule: Rule<'a>,
}

/// A rule that a decision rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule<'a> {
    /// A policy denies the capability to every extension.
    Policy(Capability, &'a Document),
    /// A policy lets these events wake no extension.
    EventPolicy(&'a EventPattern, &'a Document),
    /// The manifest grants it by this.
    Manifest(&'a Grant, &'a Document),
    /// A timed grant allows it.
    Timed(&'a TimedGrant),
    /// The manifest grants other things, and not this.
    NotGranted(&'a Document),
    /// The manifest is still without `[capabilities]`.
    Undecided(&'a Document),
}

/// A rule that refused something, apart from the text of the file that it stands in.
///
/// ```
/// use core_types::{Refusal, RefusedBy};
///
/// let refusal = Refusal { rule: RefusedBy::NotGranted, place: None };
/// assert_eq!(refusal.to_string(), "not granted");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The rule.
    pub rule: RefusedBy,
    /// The place of the rule, as far as it stands in a file.
    pub place: Option<Place>,
}

/// A kind of rule that refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedBy {
    /// A policy denies the capability to every extension.
    Policy(Capability),
    /// A policy lets the event wake no extension.
    EventPolicy,
    /// The manifest grants other things, and not this.
    NotGranted,
    /// The manifest is still without `[capabilities]`.
    Undecided,
}

/// Decides about a request. A policy comes first and only takes away; then come the grants of the
/// manifest, and then the timed grants.
pub fn decide<'a>(request: &Request, authority: &'a Authority, now: BootTime) -> Decision<'a> {
    if let Some(denied) = request_denied(request, &authority.policies) {
        return denied;
    }
    let mut granted = authority.capabilities.iter().flatten();
    if let Some(grant) = granted.find(|grant| request.is_covered_by(grant)) {
        return Decision {
            verdict: Verdict::Allow,
            rule: Rule::Manifest(grant, &authority.manifest),
        };
    }
    let holds = |timed: &&TimedGrant| timed.holds_at(now) && request.is_covered_by(&timed.grant);
    if let Some(timed) = authority.timed.iter().find(holds) {
        return Decision { verdict: Verdict::Allow, rule: Rule::Timed(timed) };
    }
    match authority.capabilities {
        Some(_) => Decision { verdict: Verdict::Deny, rule: Rule::NotGranted(&authority.manifest) },
        None => Decision { verdict: Verdict::Ask, rule: Rule::Undecided(&authority.manifest) },
    }
}

/// Returns the decision of the first of these policies that denies a capability, whatever a
/// manifest says. It is part of [`decide`], for callers that tell the effect of a grant before
/// there is one.
pub fn denied_by_policy(
    capability: Capability,
    policies: &[(Policy, Document)],
) -> Option<Decision<'_>> {
    let (_, document) = policies.iter().find(|(policy, _)| policy.deny.contains(&capability))?;
    Some(Decision { verdict: Verdict::Deny, rule: Rule::Policy(capability, document) })
}

/// Returns the decision of the first of these policies that denies all that a grant allows. It is
/// part of [`decide`], for callers that tell the effect of a grant before there is one.
pub fn grant_denied_by_policy<'a>(
    grant: &Grant,
    policies: &'a [(Policy, Document)],
) -> Option<Decision<'a>> {
    let of_event = || {
        let by = |(policy, document): &'a (Policy, Document)| {
            Some((policy.denial_of_grant(grant)?, document))
        };
        policies.iter().find_map(by).map(denied_event)
    };
    denied_by_policy(grant.capability(), policies).or_else(of_event)
}

/// Returns the decision of the first of these policies that denies a request.
fn request_denied<'a>(
    request: &Request,
    policies: &'a [(Policy, Document)],
) -> Option<Decision<'a>> {
    let of_event = || {
        let Request::Wake(name) = request else { return None };
        let by = |(policy, document): &'a (Policy, Document)| {
            Some((policy.denial_of_event(name)?, document))
        };
        policies.iter().find_map(by).map(denied_event)
    };
    denied_by_policy(request.capability(), policies).or_else(of_event)
}

fn denied_event<'a>((pattern, document): (&'a EventPattern, &'a Document)) -> Decision<'a> {
    Decision { verdict: Verdict::Deny, rule: Rule::EventPolicy(pattern, document) }
}

impl Decision<'_> {
    /// Tells whether it may.
    pub fn allows(&self) -> bool {
        self.verdict == Verdict::Allow
    }

    /// Tells whether a policy decided, so that no grant helps.
    pub fn is_by_policy(&self) -> bool {
        matches!(self.rule, Rule::Policy(..) | Rule::EventPolicy(..))
    }

    /// Returns the place of the rule, as far as it stands in a file.
    pub fn place(&self) -> Option<Place> {
        match self.rule {
            Rule::Policy(capability, document) => {
                document.place(document.line_of_denial(capability))
            }
            Rule::EventPolicy(pattern, document) => {
                document.place(document.line_of_denied_event(pattern))
            }
            Rule::Manifest(grant, document) => document.place(document.line_of_grant(grant)),
            Rule::NotGranted(document) => document.place(document.line_of_grants()),
            Rule::Undecided(document) => document.place(None),
            Rule::Timed(_) => None,
        }
    }

    /// Returns the rule that refused; nothing for an allowed request.
    pub fn refusal(&self) -> Option<Refusal> {
        let rule = self.refused_by().filter(|_| !self.allows())?;
        Some(Refusal { rule, place: self.place() })
    }

    fn refused_by(&self) -> Option<RefusedBy> {
        match self.rule {
            Rule::Policy(capability, _) => Some(RefusedBy::Policy(capability)),
            Rule::EventPolicy(..) => Some(RefusedBy::EventPolicy),
            Rule::NotGranted(_) => Some(RefusedBy::NotGranted),
            Rule::Undecided(_) => Some(RefusedBy::Undecided),
            Rule::Manifest(..) | Rule::Timed(_) => None,
        }
    }
}

/// The rule in words.
impl fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rule {
            Rule::Manifest(grant, _) => write!(f, "granted: {grant}")?,
            Rule::Timed(timed) => match timed.until {
                Some(_) => write!(f, "granted for a while: {}", timed.grant)?,
                None => write!(f, "granted for this session: {}", timed.grant)?,
            },
            _ => self.refused_by().map_or(Ok(()), |rule| rule.fmt(f))?,
        }
        self.place().map_or(Ok(()), |place| write!(f, " ({place})"))
    }
}

impl Refusal {
    /// Tells whether a policy refused, so that no grant helps.
    pub fn is_by_policy(&self) -> bool {
        matches!(self.rule, RefusedBy::Policy(_) | RefusedBy::EventPolicy)
    }
}

/// The rule in words, with its place.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rule.fmt(f)?;
        self.place.as_ref().map_or(Ok(()), |place| write!(f, " ({place})"))
    }
}

impl fmt::Display for RefusedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(capability) => write!(f, "policy denies `{capability}`"),
            Self::EventPolicy => f.write_str("policy denies the event"),
            Self::NotGranted => f.write_str("not granted"),
            Self::Undecided => f.write_str("not decided yet"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::{Capabilities, Feature, Scheme, StorageSize};
    use crate::documents::Manifest;
    use crate::policy::timed::TimedGrants;
    use std::time::Duration;

    const MANIFEST: &str = r#"[extension]
name = "x"

[capabilities]
config-read = { keys = ["greeting.*"] }
secret-read = ["token"]
network = [
    "api.example.com",
    "*.example.org",
]
filesystem = { read = ["~/Documents"], write = [
    "~/Documents/out", { path = "~/notes", guest = "/notes" },
] }
ipc-publish = ["greeting.*"]
storage = { max_kib = 512 }
experimental = ["wasi-0.3"]
"#;

    fn authority(manifest: &str, policy: &str, timed: &str) -> Authority {
        let capabilities = Manifest::parse(manifest, &"x".parse().expect("a name"))
            .expect("a manifest")
            .value
            .capabilities;
        let policies = vec![(
            crate::parse_toml(policy).expect("a policy").value,
            Document { path: "/etc/pds/policy.toml".into(), text: policy.to_owned() },
        )];
        Authority {
            capabilities,
            manifest: Document { path: "x.toml".into(), text: manifest.to_owned() },
            timed: TimedGrants::parse(timed).expect("grants"),
            policies,
        }
    }

    fn connect(host: &str) -> Request {
        Request::Connect { scheme: Scheme::Https, host: host.to_owned(), port: 443 }
    }

    fn at(seconds: u64) -> BootTime {
        BootTime::since_boot(Duration::from_secs(seconds))
    }

    fn said(request: &Request, authority: &Authority) -> String {
        let decision = decide(request, authority, at(10));
        format!("{:?}: {decision}", decision.verdict)
    }

    /// Every decision names its rule and where that stands.
    #[test]
    fn decisions_name_rule_and_place() {
        let authority = authority(
            MANIFEST,
            "# ours\ndeny = [\n  \"notification\",\n]",
            "[[grant]]\nwhat = \"env=LANG\"\n[[grant]]\nwhat = \"clipboard-write\"\nuntil_ms = 11000",
        );
        let open =
            |path: &str, write| Request::OpenDirectory { path: path.parse().expect(path), write };
        let requests = [
            Request::ReadConfig("greeting.template".to_owned()),
            Request::ReadConfig("other".to_owned()),
            Request::ReadSecret("token".to_owned()),
            Request::WriteSecret("token".to_owned()),
            connect("API.example.com."),
            connect("a.b.example.org"),
            connect("example.org"),
            open("~/Documents/a", false),
            open("~/Documents/a", true),
            open("~/Documents/out/b", true),
            open("~/notes::/notes", true),
            open("~/notes/a::/notes/a", false),
            open("~/notes", true),
            Request::Publish("greeting.sent".to_owned()),
            Request::Publish("greeting.*".to_owned()),
            Request::Use(Capability::Notification),
            Request::ReadVariable("LANG".parse().expect("a name")),
            Request::Use(Capability::ClipboardWrite),
            Request::Use(Capability::SecretRead),
            Request::Use(Capability::SecretWrite),
            Request::UseExperimental(Feature::Wasi03),
            Request::Store(StorageSize::holding(300 << 10).expect("a size")),
            Request::Store(StorageSize::holding(600 << 10).expect("a size")),
        ];
        let lines: Vec<_> = requests
            .iter()
            .map(|request| format!("{request} -> {}", said(request, &authority)))
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
    config-read=greeting.template -> Allow: granted: config-read=greeting.* (x.toml:5)
    config-read=other -> Deny: not granted (x.toml:4)
    secret-read=token -> Allow: granted: secret-read=token (x.toml:6)
    secret-write=token -> Deny: not granted (x.toml:4)
    network=https://API.example.com.:443 -> Allow: granted: network=api.example.com (x.toml:8)
    network=https://a.b.example.org:443 -> Allow: granted: network=*.example.org (x.toml:9)
    network=https://example.org:443 -> Deny: not granted (x.toml:4)
    filesystem=read:~/Documents/a -> Allow: granted: filesystem=read:~/Documents (x.toml:11)
    filesystem=write:~/Documents/a -> Deny: not granted (x.toml:4)
    filesystem=write:~/Documents/out/b -> Allow: granted: filesystem=write:~/Documents/out (x.toml:12)
    filesystem=write:~/notes::/notes -> Allow: granted: filesystem=write:~/notes::/notes (x.toml:12)
    filesystem=read:~/notes/a::/notes/a -> Allow: granted: filesystem=write:~/notes::/notes (x.toml:12)
    filesystem=write:~/notes -> Deny: not granted (x.toml:4)
    ipc-publish=greeting.sent -> Allow: granted: ipc-publish=greeting.* (x.toml:14)
    ipc-publish=greeting.* -> Deny: not granted (x.toml:4)
    notification -> Deny: policy denies `notification` (/etc/pds/policy.toml:3)
    env=LANG -> Allow: granted for this session: env=LANG
    clipboard-write -> Allow: granted for a while: clipboard-write
    secret-read -> Allow: granted: secret-read=token (x.toml:6)
    secret-write -> Deny: not granted (x.toml:4)
    experimental=wasi-0.3 -> Allow: granted: experimental=wasi-0.3 (x.toml:16)
    storage=512KiB -> Allow: granted: storage=512KiB (x.toml:15)
    storage=1024KiB -> Deny: not granted (x.toml:4)
    "#);
        assert!(
            !decide(&Request::Use(Capability::ClipboardWrite), &authority, at(11)).allows(),
            "its time is over"
        );
    }

    /// Events are decided like everything: by name, by pattern but for private ones, within policy.
    #[test]
    fn events_are_decided_by_name() {
        let manifest = "[capabilities]\nevents = [\n \"power.*\",\n \"network.*\",\n \"powr\",\n]";
        let policy = "deny_events = [\n \"power.source\",\n]\nmin_event_interval = \"10s\"";
        let granted = authority(manifest, policy, "[[grant]]\nwhat = \"events=file.changed\"");
        let wake = |name: &str| Request::Wake(name.parse().expect(name));
        for (name, said_of_it) in [
            ("power.battery", "Allow: granted: events=power.* (x.toml:3)"),
            ("power.source", "Deny: policy denies the event (/etc/pds/policy.toml:2)"),
            ("network.changed", "Allow: granted: events=network.* (x.toml:4)"),
            ("network.wifi", "Deny: not granted (x.toml:1)"),
            ("file.changed", "Allow: granted for this session: events=file.changed"),
            ("custom.a", "Deny: not granted (x.toml:1)"),
        ] {
            assert_eq!(said(&wake(name), &granted), said_of_it, "{name}");
        }
        let none =
            authority("[capabilities]\nevents = [\"time.every\"]", "deny = [\"events\"]", "");
        assert_eq!(
            said(&wake("time.every"), &none),
            "Deny: policy denies `events` (/etc/pds/policy.toml:1)"
        );
        // What a policy forbids by a pattern is private events as well.
        let none = authority(
            "[capabilities]\nevents = [\"network.wifi\"]",
            "deny_events = [\"network.*\"]",
            "",
        );
        assert!(!decide(&wake("network.wifi"), &none, at(0)).allows());
        assert_eq!(none.in_force(at(0)).granted(), []);
        assert_eq!(wake("network.wifi").grant_text(), "events=network.wifi");
    }

    /// Without a decision somebody is asked and a policy is not overruled.
    #[test]
    fn policy_is_not_overruled() {
        let open = authority("[extension]", "", "");
        assert_eq!(
            said(&Request::Use(Capability::Notification), &open),
            "Ask: not decided yet (x.toml)"
        );
        let denied = authority(
            "[capabilities]\nnotification = true",
            "deny = [\"notification\"]",
            "[[grant]]\nwhat = \"notification\"",
        );
        assert_eq!(
            said(&Request::Use(Capability::Notification), &denied),
            "Deny: policy denies `notification` (/etc/pds/policy.toml:1)"
        );
        assert_eq!(denied.in_force(at(0)).granted(), []);
    }

    /// The least grant allows what was asked for and can be typed.
    #[test]
    fn least_grant_allows_the_request() {
        let open =
            |write| Request::OpenDirectory { path: "/srv/data".parse().expect("a path"), write };
        let http = |host: &str, port| Request::Connect {
            scheme: Scheme::Http,
            host: host.to_owned(),
            port,
        };
        for (request, expected) in [
            (Request::Use(Capability::Notification), "notification"),
            (Request::Use(Capability::SecretRead), "secret-read=github-token"),
            (Request::ReadSecret("a".to_owned()), "secret-read=a"),
            (Request::ReadSecret("../a".to_owned()), "secret-read=github-token"),
            (Request::Publish("a.b".to_owned()), "ipc-publish=a.b"),
            (Request::Publish("*".to_owned()), "ipc-publish=greeting.*"),
            (connect("api.example.com"), "network=api.example.com"),
            (http("127.0.0.1", 8080), "network=http://127.0.0.1:8080"),
            (http("a b", 80), "network=api.example.com"),
            (open(true), "filesystem=write:/srv/data"),
            (Request::UseExperimental(Feature::Wasi03), "experimental=wasi-0.3"),
            (Request::Use(Capability::Storage), "storage"),
            (Request::Store(StorageSize::MAX), "storage=16384KiB"),
        ] {
            assert_eq!(request.grant_text(), expected);
            if let Some(grant) = request.least_grant() {
                let mut capabilities = Capabilities::default();
                capabilities.add(&expected.parse().expect("a grant"));
                assert_eq!(expected.parse::<Grant>().as_ref(), Ok(&grant));
                assert!(
                    decide(&request, &Authority::of(capabilities), at(0)).allows(),
                    "{expected}"
                );
            }
        }
    }
}
