//! The one place that decides whether an extension may do something.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::capability::{
    Capabilities, Capability, EnvName, Feature, Grant, GrantedPath, NetworkRule, ResourceKind,
    ResourceMethod, ResourceRule, Scheme,
};
use crate::documents::line_of_value;
use crate::policy::rules::Policy;
use crate::policy::timed::{BootTime, TimedGrant, TimedGrants};

/// Something that an extension wants to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Request {
    /// To import an interface, for which any part of the capability is enough.
    Import(Capability),
    /// To read a value of its configuration.
    ReadConfig(String),
    /// To read a secret.
    ReadSecret(String),
    /// To store or forget a secret.
    WriteSecret(String),
    /// To show a notification.
    Notify,
    /// To put text on the clipboard.
    SetClipboard,
    /// To publish on a topic.
    Publish(String),
    /// To see a variable of the session.
    ReadVariable(EnvName),
    /// To connect to a host.
    Connect {
        /// With this protocol.
        scheme: Scheme,
        /// The host as the extension spells it.
        host: String,
        /// The port.
        port: u16,
    },
    /// To use a directory.
    OpenDirectory {
        /// The directory.
        path: GrantedPath,
        /// Whether to write in it, or only to read.
        write: bool,
    },
    /// To set a variable of a command.
    SetVariable(EnvName),
    /// To use a resource around a workload.
    UseResource {
        /// Of this kind.
        kind: ResourceKind,
        /// In this way.
        method: ResourceMethod,
    },
    /// To use what its makers call experimental.
    UseExperimental(Feature),
}

/// What is decided.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It may.
    Allow,
    /// It may not.
    Deny,
    /// Nobody has decided yet: whoever can, asks the user; whoever cannot, refuses.
    Ask,
}

/// A verdict, and the rule that it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<'a> {
    /// What is decided.
    pub verdict: Verdict,
    /// Why.
    pub rule: Rule<'a>,
}

/// What a decision rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule<'a> {
    /// A policy denies the capability to every extension.
    Policy(Capability, &'a Document),
    /// The manifest grants it by this.
    Manifest(Grant, &'a Document),
    /// A timed grant allows it.
    Timed(&'a TimedGrant),
    /// The manifest grants other things, and not this.
    NotGranted(&'a Document),
    /// The manifest has no `[capabilities]` yet.
    Undecided(&'a Document),
}

/// A file that rules stand in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// Where it lies.
    pub path: PathBuf,
    /// What stands in it.
    pub text: String,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1; nothing when the rule is that something does not stand there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// Everything that decides what one extension may do: its manifest, the grants of this login
/// session, and every policy.
///
/// The default denies everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Authority {
    /// The `[capabilities]` of the manifest; nothing when there are none.
    pub capabilities: Option<Capabilities>,
    /// The manifest.
    pub manifest: Document,
    /// The grants that end.
    pub timed: TimedGrants,
    /// The policies that hold, with the files that they stand in.
    pub policies: Vec<(Policy, Document)>,
}

/// Decides. A policy comes first and only takes away; then what the manifest grants; then what was
/// granted for a while.
pub fn decide<'a>(request: &Request, authority: &'a Authority, now: BootTime) -> Decision<'a> {
    if let Some(denied) = denied_by_policy(request.capability(), &authority.policies) {
        return denied;
    }
    let by_manifest =
        authority.capabilities.as_ref().and_then(|granted| request.allowed_by(granted));
    if let Some(grant) = by_manifest {
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
/// manifest says. It is part of [`decide`], for those who say what a grant would do before there is
/// one.
pub fn denied_by_policy(
    capability: Capability,
    policies: &[(Policy, Document)],
) -> Option<Decision<'_>> {
    let (_, document) = policies.iter().find(|(policy, _)| policy.deny.contains(&capability))?;
    Some(Decision { verdict: Verdict::Deny, rule: Rule::Policy(capability, document) })
}

impl Request {
    /// What has to be granted before an import is linked, if anything.
    pub fn of_import(interface: &str) -> Option<Self> {
        Capability::of_interface(interface).map(|capability| match capability {
            Capability::Experimental => Self::UseExperimental(Feature::Wasi03),
            other => Self::Import(other),
        })
    }

    /// The capability that it takes.
    pub fn capability(&self) -> Capability {
        match self {
            Self::Import(capability) => *capability,
            Self::ReadConfig(_) => Capability::ConfigRead,
            Self::ReadSecret(_) => Capability::SecretRead,
            Self::WriteSecret(_) => Capability::SecretWrite,
            Self::Notify => Capability::Notification,
            Self::SetClipboard => Capability::ClipboardWrite,
            Self::Publish(_) => Capability::IpcPublish,
            Self::ReadVariable(_) => Capability::Env,
            Self::Connect { .. } => Capability::Network,
            Self::OpenDirectory { .. } => Capability::Filesystem,
            Self::SetVariable(_) => Capability::ExecEnv,
            Self::UseResource { .. } => Capability::Resources,
            Self::UseExperimental(_) => Capability::Experimental,
        }
    }

    /// What is asked for, within the capability: a name, a topic, a host, a directory. Nothing for
    /// one that has no parts.
    pub fn object(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Import(_) | Self::Notify | Self::SetClipboard => None,
            Self::ReadConfig(name)
            | Self::ReadSecret(name)
            | Self::WriteSecret(name)
            | Self::Publish(name) => Some(Cow::Borrowed(name)),
            Self::ReadVariable(name) | Self::SetVariable(name) => {
                Some(Cow::Borrowed(name.as_str()))
            }
            Self::UseResource { kind, method } => {
                Some(Cow::Owned(format!("{kind}:{}", method.name())))
            }
            Self::UseExperimental(feature) => Some(Cow::Borrowed(feature.name())),
            Self::Connect { scheme, host, port } => Some(Cow::Owned(origin(*scheme, host, *port))),
            Self::OpenDirectory { path, write } => {
                Some(Cow::Owned(format!("{}:{path}", if *write { "write" } else { "read" })))
            }
        }
    }

    /// The least that would allow it, if something can: a host that is no host's name cannot be
    /// granted.
    pub fn least_grant(&self) -> Option<Grant> {
        match self {
            // There is one such feature, and it is what imports ask for.
            Self::Import(Capability::Experimental) => Some(Grant::Experimental(Feature::Wasi03)),
            Self::Import(capability) => Grant::unscoped(*capability).ok(),
            Self::ReadConfig(key) => key.parse().ok().map(|key| Grant::ConfigRead(Some(key))),
            Self::ReadSecret(name) => name.parse().ok().map(Grant::SecretRead),
            Self::WriteSecret(name) => name.parse().ok().map(Grant::SecretWrite),
            Self::Notify => Some(Grant::Notification),
            Self::SetClipboard => Some(Grant::ClipboardWrite),
            Self::Publish(topic) => {
                topic.parse().ok().filter(|_| topic != "*").map(Grant::IpcPublish)
            }
            Self::ReadVariable(name) => Some(Grant::Env(name.clone())),
            Self::Connect { scheme, host, port } => {
                shortest_rule(*scheme, host, *port).map(Grant::Network)
            }
            Self::OpenDirectory { path, write: false } => Some(Grant::FilesystemRead(path.clone())),
            Self::OpenDirectory { path, write: true } => Some(Grant::FilesystemWrite(path.clone())),
            Self::SetVariable(name) => name.as_str().parse().ok().map(Grant::ExecEnv),
            Self::UseResource { kind, method } => kind.is_valid().then(|| {
                Grant::Resources(ResourceRule { kind: kind.clone(), methods: [*method].into() })
            }),
            Self::UseExperimental(feature) => Some(Grant::Experimental(*feature)),
        }
    }

    /// What `sesame extension grant NAME` has to be given to allow it. Where the request does not
    /// say how far a grant has to reach, it is an example of the form.
    pub fn grant_text(&self) -> String {
        let example = || Grant::example(self.capability()).to_owned();
        self.least_grant().map_or_else(example, |grant| grant.to_string())
    }

    /// The grant among these that allows it.
    fn allowed_by(&self, granted: &Capabilities) -> Option<Grant> {
        let is_there = granted.grants(self.capability());
        is_there
            .then(|| granted.grants_in_full().into_iter().find(|grant| self.is_covered_by(grant)))
            .flatten()
    }

    fn is_covered_by(&self, grant: &Grant) -> bool {
        match (self, grant) {
            (Self::Import(capability), grant) => grant.capability() == *capability,
            (Self::ReadConfig(_), Grant::ConfigRead(None)) => true,
            (Self::ReadConfig(key), Grant::ConfigRead(Some(pattern))) => pattern.covers(key),
            (Self::ReadSecret(name), Grant::SecretRead(granted)) => granted.as_str() == name,
            (Self::WriteSecret(name), Grant::SecretWrite(granted)) => granted.as_str() == name,
            (Self::Notify, Grant::Notification) | (Self::SetClipboard, Grant::ClipboardWrite) => {
                true
            }
            (Self::Publish(topic), Grant::IpcPublish(pattern)) => {
                is_topic(topic) && pattern.covers(topic)
            }
            (Self::ReadVariable(name), Grant::Env(granted)) => granted == name,
            (Self::Connect { scheme, host, port }, Grant::Network(rule)) => {
                rule.allows(*scheme, host, *port)
            }
            (Self::OpenDirectory { path, write: false }, Grant::FilesystemRead(granted)) => {
                granted.covers(path)
            }
            (Self::OpenDirectory { path, .. }, Grant::FilesystemWrite(granted)) => {
                granted.covers(path)
            }
            (Self::SetVariable(name), Grant::ExecEnv(granted)) => granted.covers(name),
            (Self::UseResource { kind, method }, Grant::Resources(rule)) => {
                rule.allows(kind, *method)
            }
            (Self::UseExperimental(feature), Grant::Experimental(granted)) => granted == feature,
            _ => false,
        }
    }
}

/// A topic is a dotted name, without the star of patterns.
fn is_topic(topic: &str) -> bool {
    !topic.ends_with('*') && topic.parse::<crate::capability::Pattern>().is_ok()
}

fn origin(scheme: Scheme, host: &str, port: u16) -> String {
    format!("{}://{host}:{port}", scheme.name())
}

/// The rule for exactly this origin, as short as it can be written.
fn shortest_rule(scheme: Scheme, host: &str, port: u16) -> Option<NetworkRule> {
    let scheme_text =
        if scheme == Scheme::Https { String::new() } else { format!("{}://", scheme.name()) };
    let port_text = if port == scheme.default_port() { String::new() } else { format!(":{port}") };
    let rule: NetworkRule = format!("{scheme_text}{host}{port_text}").parse().ok()?;
    rule.allows(scheme, host, port).then_some(rule)
}

/// What is wanted, as a grant of it is written.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.object() {
            Some(object) => write!(f, "{}={object}", self.capability()),
            None => write!(f, "{}", self.capability()),
        }
    }
}

impl Authority {
    /// Nothing but these capabilities, decided by a program instead of a file.
    pub fn of(capabilities: Capabilities) -> Self {
        Self { capabilities: Some(capabilities), ..Self::default() }
    }

    /// Whether a capability is granted at least in part, by a grant that may have ended or a
    /// manifest that a policy overrules: for what has to be made ready before anything is decided.
    pub fn grants_now_or_later(&self, capability: Capability) -> bool {
        self.capabilities.as_ref().is_some_and(|granted| granted.grants(capability))
            || self.timed.iter().any(|timed| timed.grant.capability() == capability)
    }

    /// Everything that is granted at this moment, within every policy.
    pub fn in_force(&self, now: BootTime) -> Capabilities {
        let mut capabilities = self.capabilities.clone().unwrap_or_default();
        for timed in self.timed.iter().filter(|timed| timed.holds_at(now)) {
            capabilities.add(&timed.grant);
        }
        self.policies
            .iter()
            .fold(capabilities, |capabilities, (policy, _)| policy.within(capabilities))
    }
}

impl Decision<'_> {
    /// Whether it may.
    pub fn allows(&self) -> bool {
        self.verdict == Verdict::Allow
    }

    /// Whether a policy decided, so that no grant helps.
    pub fn is_by_policy(&self) -> bool {
        matches!(self.rule, Rule::Policy(..))
    }

    /// Where the rule stands, as far as it stands in a file.
    pub fn place(&self) -> Option<Place> {
        let place = |document: &Document, line| {
            (document.path != Path::new("")).then(|| Place { path: document.path.clone(), line })
        };
        match &self.rule {
            Rule::Policy(capability, document) => {
                place(document, policy_line(*capability, document))
            }
            Rule::Manifest(grant, document) => place(document, grant_line(grant, document)),
            Rule::NotGranted(document) => {
                place(document, line_of_value(&document.text, &["capabilities"], ""))
            }
            Rule::Undecided(document) => place(document, None),
            Rule::Timed(_) => None,
        }
    }
}

fn policy_line(capability: Capability, document: &Document) -> Option<usize> {
    let line = |keys: &[&str]| line_of_value(&document.text, keys, capability.name());
    line(&["deny"]).or_else(|| line(&["extensions", "policy", "deny"]))
}

fn grant_line(grant: &Grant, document: &Document) -> Option<usize> {
    let capability = grant.capability().name();
    let text = grant.to_string();
    let scope = text.split_once('=').map(|(_, scope)| scope).unwrap_or_default();
    let line = |keys: &[&str], scope: &str| line_of_value(&document.text, keys, scope);
    match grant {
        Grant::ConfigRead(Some(_)) => line(&["capabilities", capability, "keys"], scope),
        Grant::FilesystemRead(path) => {
            line(&["capabilities", capability, "read"], &path.to_string())
        }
        Grant::FilesystemWrite(path) => {
            line(&["capabilities", capability, "write"], &path.to_string())
        }
        _ => line(&["capabilities", capability], scope),
    }
}

/// The rule in words.
impl fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rule {
            Rule::Policy(capability, _) => write!(f, "policy denies `{capability}`")?,
            Rule::Manifest(grant, _) => write!(f, "granted: {grant}")?,
            Rule::Timed(timed) => match timed.until {
                Some(_) => write!(f, "granted for a while: {}", timed.grant)?,
                None => write!(f, "granted for this session: {}", timed.grant)?,
            },
            Rule::NotGranted(_) => f.write_str("not granted")?,
            Rule::Undecided(_) => f.write_str("not decided yet")?,
        }
        self.place().map_or(Ok(()), |place| write!(f, " ({place})"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::Manifest;
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

    #[test]
    fn every_decision_names_its_rule_and_where_that_stands() {
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
            Request::Notify,
            Request::ReadVariable("LANG".parse().expect("a name")),
            Request::SetClipboard,
            Request::Import(Capability::SecretRead),
            Request::Import(Capability::SecretWrite),
            Request::UseExperimental(Feature::Wasi03),
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
    experimental=wasi-0.3 -> Allow: granted: experimental=wasi-0.3 (x.toml:15)
    "#);
        assert!(!decide(&Request::SetClipboard, &authority, at(11)).allows(), "its time is over");
    }

    #[test]
    fn without_a_decision_somebody_is_asked_and_a_policy_is_not_overruled() {
        let open = authority("[extension]", "", "");
        assert_eq!(said(&Request::Notify, &open), "Ask: not decided yet (x.toml)");
        let denied = authority(
            "[capabilities]\nnotification = true",
            "deny = [\"notification\"]",
            "[[grant]]\nwhat = \"notification\"",
        );
        assert_eq!(
            said(&Request::Notify, &denied),
            "Deny: policy denies `notification` (/etc/pds/policy.toml:1)"
        );
        assert_eq!(denied.in_force(at(0)).granted(), []);
    }

    #[test]
    fn the_least_grant_allows_what_was_asked_for_and_can_be_typed() {
        let open =
            |write| Request::OpenDirectory { path: "/srv/data".parse().expect("a path"), write };
        let http = |host: &str, port| Request::Connect {
            scheme: Scheme::Http,
            host: host.to_owned(),
            port,
        };
        for (request, expected) in [
            (Request::Import(Capability::Notification), "notification"),
            (Request::Import(Capability::SecretRead), "secret-read=github-token"),
            (Request::ReadSecret("a".to_owned()), "secret-read=a"),
            (Request::ReadSecret("../a".to_owned()), "secret-read=github-token"),
            (Request::Publish("a.b".to_owned()), "ipc-publish=a.b"),
            (Request::Publish("*".to_owned()), "ipc-publish=greeting.*"),
            (connect("api.example.com"), "network=api.example.com"),
            (http("127.0.0.1", 8080), "network=http://127.0.0.1:8080"),
            (http("a b", 80), "network=api.example.com"),
            (open(true), "filesystem=write:/srv/data"),
            (Request::UseExperimental(Feature::Wasi03), "experimental=wasi-0.3"),
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
