//! Requests of extensions.

use std::borrow::Cow;
use std::fmt;

use crate::capability::{
    Capabilities, Capability, EnvName, Feature, Grant, GrantedPath, NetworkRule, Pattern,
    ResourceKind, ResourceMethod, ResourceRule, Scheme, Scope, ScopeKind, StorageSize,
};
use crate::event::{EventName, EventPattern};

/// Something that an extension wants to do.
///
/// ```
/// use core_types::{Capability, Request};
///
/// let request = Request::ReadSecret("token".to_owned());
/// assert_eq!(request.capability(), Capability::SecretRead);
/// assert_eq!(request.grant_text(), "secret-read=token");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Request {
    /// To use a capability without parts, or to import an interface, for which any part of its
    /// capability is enough.
    Use(Capability),
    /// To read a value of its configuration.
    ReadConfig(String),
    /// To read a secret.
    ReadSecret(String),
    /// To store or forget a secret.
    WriteSecret(String),
    /// To publish on a topic.
    Publish(String),
    /// To keep so much data of its own.
    Store(StorageSize),
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
    /// To be woken by an event.
    Wake(EventName),
    /// To use a feature that its makers call experimental.
    UseExperimental(Feature),
}

impl Request {
    /// Returns the request that has to be granted before an import is linked, if any.
    pub fn of_import(interface: &str) -> Option<Self> {
        Capability::of_interface(interface).map(|capability| match capability {
            Capability::Experimental => Self::UseExperimental(Feature::Wasi03),
            other => Self::Use(other),
        })
    }

    /// Returns the first thing that a grant would be used for. A grant of a pattern is asked about
    /// by its capability.
    pub fn of_grant(grant: &Grant) -> Self {
        match (grant.scope(), grant.capability()) {
            (Scope::Secret(name), Capability::SecretWrite) => Self::WriteSecret(name.to_string()),
            (Scope::Secret(name), _) => Self::ReadSecret(name.to_string()),
            (Scope::Size(size), _) => Self::Store(*size),
            (Scope::Variable(name), _) => Self::ReadVariable(name.clone()),
            (Scope::Read(path), _) => Self::OpenDirectory { path: path.clone(), write: false },
            (Scope::Write(path), _) => Self::OpenDirectory { path: path.clone(), write: true },
            (Scope::Events(EventPattern::Name(name)), _) => Self::Wake(name.clone()),
            (Scope::Feature(feature), _) => Self::UseExperimental(*feature),
            (_, capability) => Self::Use(capability),
        }
    }

    /// Returns the capability that it takes.
    pub fn capability(&self) -> Capability {
        match self {
            Self::Use(capability) => *capability,
            Self::ReadConfig(_) => Capability::ConfigRead,
            Self::ReadSecret(_) => Capability::SecretRead,
            Self::WriteSecret(_) => Capability::SecretWrite,
            Self::Publish(_) => Capability::IpcPublish,
            Self::Store(_) => Capability::Storage,
            Self::ReadVariable(_) => Capability::Env,
            Self::Connect { .. } => Capability::Network,
            Self::OpenDirectory { .. } => Capability::Filesystem,
            Self::SetVariable(_) => Capability::ExecEnv,
            Self::UseResource { .. } => Capability::Resources,
            Self::Wake(_) => Capability::Events,
            Self::UseExperimental(_) => Capability::Experimental,
        }
    }

    /// Tells whether it is to write in a directory. Who is refused can often go on by reading alone.
    pub fn is_write(&self) -> bool {
        matches!(self, Self::OpenDirectory { write: true, .. })
    }

    /// Returns the requested part of the capability: a name, a topic, a host, a directory. Nothing
    /// for a capability without parts.
    pub fn object(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Use(_) => None,
            Self::Store(size) if size.is_default() => None,
            Self::Store(size) => Some(Cow::Owned(size.to_string())),
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
            Self::Wake(name) => Some(Cow::Borrowed(name.as_str())),
            Self::UseExperimental(feature) => Some(Cow::Borrowed(feature.name())),
            Self::Connect { scheme, host, port } => Some(Cow::Owned(origin(*scheme, host, *port))),
            Self::OpenDirectory { path, write } => {
                Some(Cow::Owned(format!("{}:{path}", if *write { "write" } else { "read" })))
            }
        }
    }

    /// Returns the least that would allow it, if something can: a host that is not the name of a
    /// host cannot be granted.
    pub fn least_grant(&self) -> Option<Grant> {
        let scope = match self {
            Self::Use(capability) => least_scope(*capability),
            Self::ReadConfig(key) => key.parse().ok().map(Scope::Pattern),
            Self::ReadSecret(name) | Self::WriteSecret(name) => {
                name.parse().ok().map(Scope::Secret)
            }
            Self::Publish(topic) => topic.parse().ok().filter(|_| topic != "*").map(Scope::Pattern),
            Self::Store(size) => Some(Scope::Size(*size)),
            Self::ReadVariable(name) => Some(Scope::Variable(name.clone())),
            Self::Connect { scheme, host, port } => {
                shortest_rule(*scheme, host, *port).map(Scope::Host)
            }
            Self::OpenDirectory { path, write: false } => Some(Scope::Read(path.clone())),
            Self::OpenDirectory { path, write: true } => Some(Scope::Write(path.clone())),
            Self::SetVariable(name) => name.as_str().parse().ok().map(Scope::CommandVariables),
            Self::UseResource { kind, method } => kind.is_valid().then(|| {
                Scope::Resources(ResourceRule { kind: kind.clone(), methods: [*method].into() })
            }),
            Self::Wake(name) => Some(Scope::Events(EventPattern::Name(name.clone()))),
            Self::UseExperimental(feature) => Some(Scope::Feature(*feature)),
        };
        scope.map(|scope| Grant::new(self.capability(), scope))
    }

    /// Returns the argument of `sesame extension grant NAME` that allows it. Where the request does
    /// not say how far a grant has to reach, it is an example of the form.
    pub fn grant_text(&self) -> String {
        let example = || self.capability().spec().example.to_owned();
        self.least_grant().map_or_else(example, |grant| grant.to_string())
    }

    /// Tells whether a grant allows it.
    pub(crate) fn is_covered_by(&self, grant: &Grant) -> bool {
        self.capability() == grant.capability() && self.is_within(grant.scope())
    }

    /// Tells whether it lies within a scope of its own capability.
    fn is_within(&self, scope: &Scope) -> bool {
        match (self, scope) {
            (Self::Use(_), _) | (_, Scope::Whole) => true,
            (Self::ReadConfig(key), scope) => scope.covers_name(key),
            (Self::ReadSecret(name) | Self::WriteSecret(name), Scope::Secret(granted)) => {
                granted.as_str() == name
            }
            (Self::Publish(topic), scope) => is_topic(topic) && scope.covers_name(topic),
            (Self::Store(size), Scope::Size(granted)) => size <= granted,
            (Self::ReadVariable(name), Scope::Variable(granted)) => granted == name,
            (Self::Connect { scheme, host, port }, Scope::Host(rule)) => {
                rule.allows(*scheme, host, *port)
            }
            (Self::OpenDirectory { path, write: false }, Scope::Read(granted))
            | (Self::OpenDirectory { path, .. }, Scope::Write(granted)) => granted.covers(path),
            (Self::SetVariable(name), Scope::CommandVariables(granted)) => granted.covers(name),
            (Self::UseResource { kind, method }, Scope::Resources(rule)) => {
                rule.allows(kind, *method)
            }
            (Self::Wake(name), Scope::Events(granted)) => granted.covers(name),
            (Self::UseExperimental(feature), Scope::Feature(granted)) => granted == feature,
            _ => false,
        }
    }

    /// Returns the same, with the names that the extension chose cut to so many bytes.
    pub(crate) fn shortened(&self, most: usize) -> Cow<'_, Self> {
        let is_long = |text: &str| text.len() > most;
        let short = |text: &String| shortened(text, most);
        Cow::Owned(match self {
            Self::ReadConfig(key) if is_long(key) => Self::ReadConfig(short(key)),
            Self::ReadSecret(name) if is_long(name) => Self::ReadSecret(short(name)),
            Self::WriteSecret(name) if is_long(name) => Self::WriteSecret(short(name)),
            Self::Publish(topic) if is_long(topic) => Self::Publish(short(topic)),
            Self::Connect { scheme, host, port } if is_long(host) => {
                Self::Connect { scheme: *scheme, host: short(host), port: *port }
            }
            // Its other parts are bounded where they are read; a group has labels without number.
            Self::UseResource { kind, method } if is_long(&kind.group) => {
                let kind = ResourceKind { group: short(&kind.group), ..kind.clone() };
                Self::UseResource { kind, method: *method }
            }
            _ => return Cow::Borrowed(self),
        })
    }
}

impl Capabilities {
    /// Tells whether one of the grants allows a request, whatever policies say.
    ///
    /// ```
    /// use core_types::{Capabilities, Request};
    ///
    /// let granted = Capabilities::from_iter(["config-read=greeting.*".parse()?]);
    /// assert!(granted.allows(&Request::ReadConfig("greeting.template".to_owned())));
    /// assert!(!granted.allows(&Request::ReadConfig("other".to_owned())));
    /// # Ok::<(), core_types::GrantError>(())
    /// ```
    pub fn allows(&self, request: &Request) -> bool {
        self.iter().any(|grant| request.is_covered_by(grant))
    }
}

/// Cuts a text to so many bytes, and shows that something is missing.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let mut short = text[..text.floor_char_boundary(most)].to_owned();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Returns the least that lets an interface of the capability be linked.
fn least_scope(capability: Capability) -> Option<Scope> {
    match capability.spec().scope {
        // There is one such feature, and it is what imports ask for.
        ScopeKind::Features => Some(Scope::Feature(Feature::Wasi03)),
        kind => kind.unnamed(),
    }
}

/// Tells whether a text is a topic: a dotted name, without the star of patterns.
fn is_topic(topic: &str) -> bool {
    !topic.ends_with('*') && topic.parse::<Pattern>().is_ok()
}

fn origin(scheme: Scheme, host: &str, port: u16) -> String {
    format!("{}://{host}:{port}", scheme.name())
}

/// Returns the rule for exactly this origin, as short as it can be written.
fn shortest_rule(scheme: Scheme, host: &str, port: u16) -> Option<NetworkRule> {
    let scheme_text =
        if scheme == Scheme::Https { String::new() } else { format!("{}://", scheme.name()) };
    let port_text = if port == scheme.default_port() { String::new() } else { format!(":{port}") };
    let rule: NetworkRule = format!("{scheme_text}{host}{port_text}").parse().ok()?;
    rule.allows(scheme, host, port).then_some(rule)
}

/// The request as a grant of it is written.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.object() {
            Some(object) => write!(f, "{}={object}", self.capability()),
            None => write!(f, "{}", self.capability()),
        }
    }
}
