//! The set of grants that a manifest has.

use std::path::Path;

use crate::capability::grant::Grant;
use crate::capability::scope::{
    EnvName, GrantedPath, NetworkRule, SameGuestPath, Scope, StorageSize, check_guest_paths,
};
use crate::capability::spec::Capability;

/// All that an extension may do: the `[capabilities]` of a manifest.
///
/// Grants stand in the order of the documentation, and those of one capability in the order in
/// which they were written.
///
/// ```
/// use core_types::{Capabilities, Capability, parse_toml};
///
/// let granted: Capabilities = parse_toml(
///     r#"
///     notification = true
///     secret-read = ["token"]
///     "#,
/// )?
/// .value;
/// assert!(granted.grants(Capability::Notification));
/// let shown: Vec<_> = granted.iter().map(ToString::to_string).collect();
/// assert_eq!(shown, ["secret-read=token", "notification"]);
/// # Ok::<(), core_types::TomlProblem>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities(Vec<Grant>);

impl Capabilities {
    /// Iterates over the grants, in the order of the documentation.
    pub fn iter(&self) -> std::slice::Iter<'_, Grant> {
        self.0.iter()
    }

    /// Iterates over the grants of one capability.
    pub fn of(&self, capability: Capability) -> impl Iterator<Item = &Grant> {
        self.0.iter().filter(move |grant| grant.capability() == capability)
    }

    /// Returns the capabilities that are granted at least in part, in the order of the
    /// documentation.
    pub fn granted(&self) -> Vec<Capability> {
        let mut granted: Vec<_> = self.0.iter().map(Grant::capability).collect();
        granted.dedup();
        granted
    }

    /// Tells whether a capability is granted at least in part.
    pub fn grants(&self, capability: Capability) -> bool {
        self.of(capability).next().is_some()
    }

    /// Tells whether the permission is there already, by itself or as a part of a wider one.
    pub fn covers(&self, grant: &Grant) -> bool {
        self.0.iter().any(|granted| granted.covers(grant))
    }

    /// Tells whether nothing more is within reach by this permission than already is: a directory
    /// under another path for the guest is still the same directory.
    pub fn reaches(&self, grant: &Grant) -> bool {
        self.0.iter().any(|granted| granted.reaches(grant))
    }

    /// Adds a permission, with the whole of a capability in the place of its parts, and a size in
    /// the place of a smaller one. Returns whether that changed anything.
    pub fn add(&mut self, grant: &Grant) -> bool {
        if self.covers(grant) {
            return false;
        }
        if matches!(grant.scope(), Scope::Whole | Scope::Size(_)) {
            self.deny(grant.capability());
        }
        self.push(grant.clone());
        true
    }

    /// Takes a permission away, if exactly this one is there. Returns whether that changed
    /// anything. A directory without a path for the guest is taken away whatever path it has.
    ///
    /// A part of a permission that was given whole cannot be taken away: deny the whole and grant
    /// what remains.
    pub fn take(&mut self, grant: &Grant) -> bool {
        let before = self.0.len();
        self.0.retain(|other| !grant.selects(other));
        self.0.len() < before
    }

    /// Takes away every part of a capability.
    pub fn deny(&mut self, capability: Capability) {
        self.0.retain(|grant| grant.capability() != capability);
    }

    /// Iterates over the variables of the session that can be seen.
    pub fn variables(&self) -> impl Iterator<Item = &EnvName> {
        self.0.iter().filter_map(|grant| match grant.scope() {
            Scope::Variable(name) => Some(name),
            _ => None,
        })
    }

    /// Iterates over the rules for hosts that can be asked.
    pub fn hosts(&self) -> impl Iterator<Item = &NetworkRule> {
        self.0.iter().filter_map(|grant| match grant.scope() {
            Scope::Host(rule) => Some(rule),
            _ => None,
        })
    }

    /// Returns how much data the extension may keep; nothing where it may keep none.
    pub fn storage(&self) -> Option<StorageSize> {
        let sizes = self.0.iter().filter_map(|grant| match grant.scope() {
            Scope::Size(size) => Some(*size),
            _ => None,
        });
        sizes.max()
    }

    /// Iterates over the directories, each with whether it can be written. One that is part of one
    /// that can be written is not listed a second time to be read.
    pub fn directories(&self) -> impl Iterator<Item = (&GrantedPath, bool)> {
        let is_written = |path: &GrantedPath| {
            self.0.iter().any(|grant| matches!(grant.scope(), Scope::Write(it) if it.covers(path)))
        };
        self.0.iter().filter_map(move |grant| match grant.scope() {
            Scope::Read(path) if !is_written(path) => Some((path, false)),
            Scope::Write(path) => Some((path, true)),
            _ => None,
        })
    }

    /// Checks that the guest finds no two directories under one path, with `home` in the place of
    /// `~`.
    ///
    /// # Errors
    /// With the first two that have one.
    pub fn check_guest_paths(&self, home: &Path) -> Result<(), SameGuestPath> {
        check_guest_paths(self.0.iter().filter_map(Grant::directory), home)
    }

    /// Puts a grant behind those of its capability and of its list, whether or not they cover it.
    pub(crate) fn push(&mut self, grant: Grant) {
        let place = |grant: &Grant| (grant.capability(), grant.scope().list());
        let at = self.0.partition_point(|other| place(other) <= place(&grant));
        self.0.insert(at, grant);
    }
}

/// Collects grants, without those that others cover.
impl FromIterator<Grant> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Grant>>(grants: I) -> Self {
        let mut capabilities = Self::default();
        capabilities.extend(grants);
        capabilities
    }
}

impl Extend<Grant> for Capabilities {
    fn extend<I: IntoIterator<Item = Grant>>(&mut self, grants: I) {
        for grant in grants {
            self.add(&grant);
        }
    }
}

impl IntoIterator for Capabilities {
    type Item = Grant;
    type IntoIter = std::vec::IntoIter<Grant>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Capabilities {
    type Item = &'a Grant;
    type IntoIter = std::slice::Iter<'a, Grant>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::EVERY_FORM;

    #[test]
    fn grant_is_added_and_taken_once() {
        for text in EVERY_FORM {
            let grant: Grant = text.parse().expect(text);
            let mut capabilities = Capabilities::default();
            assert!(capabilities.add(&grant) && !capabilities.add(&grant), "{text}");
            assert!(
                capabilities.covers(&grant) && capabilities.grants(grant.capability()),
                "{text}"
            );
            assert!(capabilities.iter().eq([&grant]), "{text}");
            assert!(capabilities.take(&grant) && !capabilities.take(&grant), "{text}");
            assert_eq!(capabilities, Capabilities::default(), "{text}");
        }
    }

    /// The whole takes the place of its parts, and a part cannot be taken from it.
    #[test]
    fn whole_covers_its_parts() {
        let part: Grant = "config-read=a".parse().expect("valid");
        let mut capabilities = Capabilities::from_iter([part.clone()]);
        assert!(capabilities.add(&"config-read".parse().expect("valid")));
        assert_eq!(capabilities.iter().count(), 1);
        assert!(
            capabilities.covers(&part) && !capabilities.add(&part) && !capabilities.take(&part)
        );
    }

    /// A larger size takes the place of a smaller one, and goes with the name alone.
    #[test]
    fn larger_size_replaces_smaller() {
        let grant = |text: &str| text.parse::<Grant>().expect(text);
        let mut capabilities = Capabilities::from_iter([grant("storage")]);
        assert!(!capabilities.add(&grant("storage=100")), "it is within the other");
        assert!(capabilities.add(&grant("storage=1MiB")));
        assert!(capabilities.iter().eq([&grant("storage=1024")]));
        assert_eq!(capabilities.storage().map(StorageSize::kib), Some(1024));
        assert!(!capabilities.take(&grant("storage=512")), "no such grant is there");
        assert!(capabilities.take(&grant("storage")) && capabilities.storage().is_none());
    }

    /// A second path for the guest is added to the first; the host path alone takes both away.
    #[test]
    fn guest_paths_go_together() {
        let grant = |text: &str| text.parse::<Grant>().expect(text);
        let mut capabilities = Capabilities::default();
        for text in ["filesystem=read:~/a", "filesystem=read:~/a::/a", "filesystem=read:~/a::/b"] {
            assert!(!capabilities.covers(&grant(text)), "{text}");
            assert!(capabilities.add(&grant(text)), "{text}");
        }
        assert!(capabilities.reaches(&grant("filesystem=read:~/a/x::/c")));
        assert!(!capabilities.reaches(&grant("filesystem=write:~/a::/a")));
        assert!(capabilities.take(&grant("filesystem=read:~/a::/b")));
        assert_eq!(capabilities.directories().count(), 2);
        assert!(capabilities.take(&grant("filesystem=read:~/a")));
        assert_eq!(capabilities, Capabilities::default());
    }

    /// Nothing is granted by default, and grants stand in the order of the documentation.
    #[test]
    fn grants_stand_in_order() {
        assert_eq!(Capabilities::default().granted(), []);
        let texts =
            ["env=B", "filesystem=write:/a", "secret-read=b", "env=A", "filesystem=read:/a"];
        let granted = Capabilities::from_iter(texts.map(|text| text.parse().expect(text)));
        let shown: Vec<_> = granted.iter().map(ToString::to_string).collect();
        let in_order = ["secret-read=b", "env=B", "env=A", "filesystem=write:/a"];
        assert_eq!(shown, in_order, "what can be written can be read");
        let directories: Vec<_> = granted.directories().map(|(_, is_written)| is_written).collect();
        assert_eq!(directories, [true]);
    }
}
