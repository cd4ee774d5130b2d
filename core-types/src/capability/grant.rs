//! One permission at a time, as people write it: `CAPABILITY[=SCOPE]`.

use std::fmt;
use std::str::FromStr;

use crate::capability::scope::{GrantedPath, Scope, ScopeParseError};
use crate::capability::spec::{Capability, UnknownCapability};
use crate::event::{EventName, EventPattern};
use crate::serde_as_text;

/// One permission: a capability with the scope that it needs.
///
/// ```
/// use core_types::{Capabilities, Capability, Grant};
///
/// let grant: Grant = "network=api.example.com".parse()?;
/// assert_eq!(grant.capability(), Capability::Network);
///
/// let mut capabilities = Capabilities::default();
/// assert!(capabilities.add(&grant) && capabilities.covers(&grant));
/// # Ok::<(), core_types::GrantError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    capability: Capability,
    scope: Scope,
}

/// Why a text is not a grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The capability does not exist.
    #[error(transparent)]
    Capability(#[from] UnknownCapability),
    /// The capability must say how far it reaches.
    #[error("`{capability}` needs a scope: `{}`", capability.spec().example)]
    ScopeMissing {
        /// The capability.
        capability: Capability,
    },
    /// What stands in the place of a scope is a word of the documentation.
    #[error("`{}` is a placeholder for the scope of `{capability}`: write one, as in `{}`", text.escape_debug(), capability.spec().example)]
    Placeholder {
        /// The capability.
        capability: Capability,
        /// The scope as given.
        text: String,
    },
    /// The capability cannot be narrowed.
    #[error("`{capability}` takes no scope")]
    ScopeUnknown {
        /// The capability.
        capability: Capability,
    },
    /// The scope is not one of the capability.
    #[error(transparent)]
    Scope(#[from] ScopeParseError),
}

/// Tells whether a scope is one that documentation and hints have where a reader puts their own. A
/// variable that is called `SCOPE` can be granted in a manifest.
fn is_placeholder(scope: &str) -> bool {
    let word = scope.rsplit(':').next().unwrap_or(scope);
    ["SCOPE", "DIRECTORY", "..."].contains(&word) || (word.starts_with('<') && word.ends_with('>'))
}

impl Grant {
    /// Makes the grant of a scope that the capability can have.
    pub(crate) fn new(capability: Capability, scope: Scope) -> Self {
        Self { capability, scope }
    }

    /// Returns the grant of one event.
    pub fn of_event(name: EventName) -> Self {
        Self::new(Capability::Events, Scope::Events(EventPattern::Name(name)))
    }

    /// Returns how a grant of the capability is written, for hints where nothing says how far it
    /// has to reach.
    pub fn example(capability: Capability) -> &'static str {
        capability.spec().example
    }

    /// Returns the capability that this is a part of.
    pub fn capability(&self) -> Capability {
        self.capability
    }

    /// Returns how far it reaches.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Returns the private events that its pattern does not cover although it looks so.
    ///
    /// ```
    /// let grant: core_types::Grant = "events=network.*".parse()?;
    /// assert!(grant.uncovered_events().eq(["network.wifi".parse()?]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn uncovered_events(&self) -> impl Iterator<Item = EventName> {
        let events = match &self.scope {
            Scope::Events(events) => Some(events.private_below()),
            _ => None,
        };
        events.into_iter().flatten()
    }

    /// Returns what an extension could do with it, for the person who is asked.
    ///
    /// ```
    /// let grant: core_types::Grant = "events=power.battery".parse()?;
    /// assert!(grant.meaning().starts_with("run without being called, "));
    /// # Ok::<(), core_types::GrantError>(())
    /// ```
    pub fn meaning(&self) -> String {
        if let Scope::Events(EventPattern::Name(name)) = &self.scope {
            return format!("run without being called, {}", name.spec().meaning);
        }
        let meaning = self.capability.meaning();
        match self.directory().and_then(|path| Some((path.host(), path.guest()?))) {
            Some((host, guest)) => format!("{meaning}; it finds `{host}` as `{guest}`"),
            None => meaning.to_owned(),
        }
    }

    /// Returns the directory that it lets an extension into, if it is of one.
    pub fn directory(&self) -> Option<&GrantedPath> {
        match &self.scope {
            Scope::Read(path) | Scope::Write(path) => Some(path),
            _ => None,
        }
    }

    /// Returns the grant of a capability that needs no scope.
    ///
    /// # Errors
    /// When it does need one.
    pub fn unscoped(capability: Capability) -> Result<Self, GrantError> {
        let scope = capability.spec().scope.unnamed();
        let grant = scope.map(|scope| Self { capability, scope });
        grant.ok_or(GrantError::ScopeMissing { capability })
    }

    /// Tells whether everything that the other grant allows is allowed by this one.
    pub fn covers(&self, other: &Self) -> bool {
        self.capability == other.capability && self.scope.covers(&other.scope)
    }

    /// Tells whether nothing more is within reach by the other grant than by this one: a directory
    /// under another path for the guest is still the same directory.
    pub fn reaches(&self, other: &Self) -> bool {
        self.capability == other.capability && self.scope.reaches(&other.scope)
    }

    /// Tells whether taking this away takes the other away: the same, for a directory without a
    /// path for the guest any, and for the whole of a capability every part.
    pub fn selects(&self, other: &Self) -> bool {
        self.capability == other.capability && self.scope.selects(&other.scope)
    }

    fn scoped(capability: Capability, text: &str) -> Result<Self, GrantError> {
        if is_placeholder(text) {
            return Err(GrantError::Placeholder { capability, text: text.to_owned() });
        }
        let scope = capability.spec().scope.parse(text)?;
        let grant = scope.map(|scope| Self { capability, scope });
        grant.ok_or(GrantError::ScopeUnknown { capability })
    }
}

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        match text.split_once('=') {
            None => Self::unscoped(text.parse()?),
            Some((capability, scope)) => Self::scoped(capability.parse()?, scope),
        }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { capability, scope } = self;
        match (scope, scope.list()) {
            _ if scope.is_unnamed() => write!(f, "{capability}"),
            (_, None) => write!(f, "{capability}={scope}"),
            (_, Some(list)) => write!(f, "{capability}={list}:{scope}"),
        }
    }
}

serde_as_text!(Grant);

#[cfg(test)]
mod tests {
    use super::*;

    /// A hint that is pasted as it stands would grant what nobody means.
    #[test]
    fn placeholder_scope_is_refused() {
        for text in [
            "secret-read=SCOPE",
            "secret-read=<name>",
            "env=SCOPE",
            "filesystem=read:DIRECTORY",
            "network=...",
        ] {
            let error = text.parse::<Grant>().expect_err(text);
            assert!(matches!(error, GrantError::Placeholder { .. }), "{text}: {error}");
        }
        for capability in Capability::ALL {
            assert!(Grant::example(capability).parse::<Grant>().is_ok(), "{capability}");
        }
        assert!("secret-read=scope".parse::<Grant>().is_ok());
    }

    #[test]
    fn grant_prints_what_it_was_parsed_from() {
        for text in crate::capability::EVERY_FORM {
            let grant: Grant = text.parse().expect(text);
            assert_eq!(grant.to_string(), text);
        }
    }

    /// It says too little or too much.
    #[test]
    fn incomplete_grant_is_refused() {
        for text in [
            "",
            "root",
            "network",
            "network=",
            "notification=x",
            "filesystem=~/x",
            "filesystem=exec:/x",
            "filesystem=read:~/x::",
            "filesystem=read:~/x::/a::/b",
            "env=1",
            "experimental",
            "experimental=x",
        ] {
            assert!(text.parse::<Grant>().is_err(), "{text:?} must be refused");
        }
    }
}
