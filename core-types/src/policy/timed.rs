//! Grants that end: after a while, or with the login session.

use std::time::Duration;

use crate::capability::Grant;
use crate::documents::{Parsed, TomlProblem, parse_toml};
use crate::reference::Identity;

/// A moment on the clock that counts from the start of the machine, suspended time included. It
/// cannot be set back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BootTime(Duration);

/// A permission that holds until a moment, or as long as the login session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedGrant {
    /// The grant.
    pub grant: Grant,
    /// When that ends; nothing means with the session.
    pub until: Option<BootTime>,
}

/// The timed grants of one extension: `$XDG_RUNTIME_DIR/pds/grants/NAME.toml`.
///
/// The file lies in the directory that goes with the login session, so nothing in it outlives a
/// logout or a reboot.
///
/// ```
/// use core_types::{BootTime, TimedGrant, TimedGrants};
///
/// let mut grants = TimedGrants::default();
/// let grant = TimedGrant { grant: "notification".parse()?, until: None };
/// grants.add(grant, BootTime::default());
/// assert_eq!(grants.to_text()?, "[[grant]]\nwhat = \"notification\"\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimedGrants {
    identity: Option<String>,
    grants: Vec<TimedGrant>,
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct GrantsFile {
    /// The owner of the grants. Another extension that gets the name has none of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
    #[serde(default)]
    grant: Vec<GrantEntry>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct GrantEntry {
    what: Grant,
    /// Milliseconds on the clock that counts from boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    until_ms: Option<u64>,
}

impl BootTime {
    /// Returns the moment this long after the start of the machine.
    pub fn since_boot(time: Duration) -> Self {
        Self(time)
    }

    /// Returns the whole milliseconds since the start of the machine.
    pub fn milliseconds(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }

    /// Returns the moment this much later.
    pub fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time))
    }

    /// Returns the time from an earlier moment to this one; zero if that is later.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl TimedGrant {
    /// Tells whether it still holds.
    pub fn holds_at(&self, now: BootTime) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl TimedGrants {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is not TOML or a value has the wrong form.
    pub fn parse(text: &str) -> Result<Self, TomlProblem> {
        let Parsed { value: file, .. } = parse_toml::<GrantsFile>(text)?;
        let timed = |entry: GrantEntry| TimedGrant {
            grant: entry.what,
            until: entry.until_ms.map(|until| BootTime(Duration::from_millis(until))),
        };
        Ok(Self { identity: file.identity, grants: file.grant.into_iter().map(timed).collect() })
    }

    /// Returns the grants that belong to an extension from there: all, or none.
    pub fn of(self, identity: &Identity) -> Self {
        let is_its = self.identity.as_deref() == Some(identity.as_str());
        let grants = if is_its { self.grants } else { Vec::new() };
        Self { identity: Some(identity.to_string()), grants }
    }

    /// Returns the text of the file.
    ///
    /// # Errors
    /// When it cannot be written as TOML.
    pub fn to_text(&self) -> Result<String, toml::ser::Error> {
        let entry = |timed: &TimedGrant| GrantEntry {
            what: timed.grant.clone(),
            until_ms: timed.until.map(BootTime::milliseconds),
        };
        let grant = self.grants.iter().map(entry).collect();
        toml::to_string(&GrantsFile { identity: self.identity.clone(), grant })
    }

    /// Iterates over the grants, whether they still hold or not.
    pub fn iter(&self) -> impl Iterator<Item = &TimedGrant> {
        self.grants.iter()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.grants.is_empty()
    }

    /// Adds one in the place of another of the same permission, and forgets those that ended.
    pub fn add(&mut self, timed: TimedGrant, now: BootTime) {
        self.grants.retain(|other| other.holds_at(now) && other.grant != timed.grant);
        self.grants.push(timed);
    }

    /// Keeps the grants that fit. Returns whether one was removed.
    pub fn retain(&mut self, keep: impl Fn(&TimedGrant) -> bool) -> bool {
        let before = self.grants.len();
        self.grants.retain(keep);
        self.grants.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::OciReference;

    fn at(seconds: u64) -> BootTime {
        BootTime::since_boot(Duration::from_secs(seconds))
    }

    fn timed(grant: &str, until: Option<u64>) -> TimedGrant {
        TimedGrant { grant: grant.parse().expect(grant), until: until.map(at) }
    }

    /// Grants end by themselves and the file says when.
    #[test]
    fn timed_grants_end_by_themselves() {
        let mut grants = TimedGrants::default();
        grants.add(timed("network=api.example.com", Some(100)), at(40));
        grants.add(timed("notification", None), at(41));
        insta::assert_snapshot!(grants.to_text().expect("text"), @r#"
        [[grant]]
        what = "network=api.example.com"
        until_ms = 100000

        [[grant]]
        what = "notification"
        "#);
        assert_eq!(TimedGrants::parse(&grants.to_text().expect("text")), Ok(grants.clone()));
        assert!(
            grants.iter().all(|grant| grant.holds_at(at(99)))
                && !grants.grants[0].holds_at(at(100))
        );
        grants.add(timed("network=api.example.com", Some(200)), at(150));
        assert_eq!(
            grants.grants,
            [timed("notification", None), timed("network=api.example.com", Some(200))]
        );
        assert!(grants.retain(|timed| timed.until.is_some()) && grants.grants.len() == 1);
    }

    /// Another extension of the same name has none of them.
    #[test]
    fn timed_grants_have_one_owner() {
        let identity = |text: &str| text.parse::<OciReference>().expect(text).identity();
        let ours = identity("ghcr.io/my-org/greeting:1");
        let mut grants = TimedGrants::default().of(&ours);
        grants.add(timed("notification", None), at(1));
        let read = TimedGrants::parse(&grants.to_text().expect("text")).expect("valid");
        assert_eq!(read.clone().of(&ours), grants);
        assert!(read.of(&identity("evil.io/my-org/greeting:1")).is_empty());
    }

    #[test]
    fn a_file_that_is_wrong_grants_nothing() {
        for text in [
            "[[grant]]\nwhat = \"root\"",
            "[[grant]]\nwhat = \"env=A\"\nuntil_ms = -1",
            "grant = 1",
            "[",
        ] {
            assert!(TimedGrants::parse(text).is_err(), "{text}");
        }
    }
}
