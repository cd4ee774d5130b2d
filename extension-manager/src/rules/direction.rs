//! Which way a version goes.

use core_types::{ExtensionName, OciReference, version_of_tag};
use serde::Serialize;

/// The artifact that an install replaces.
///
/// ```
/// use extension_manager::{Direction, Replaced};
///
/// let replaced = Replaced::new("ghcr.io/o/x:1.9.0".parse()?, &"ghcr.io/o/x:1.10.0".parse()?);
/// assert_eq!(replaced.direction, Direction::Upgrade);
/// # Ok::<(), core_types::ReferenceError>(())
/// ```
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replaced {
    /// The artifact before.
    pub reference: OciReference,
    /// Which way the version goes.
    pub direction: Direction,
}

/// How a version stands to the one before it.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// A newer version.
    Upgrade,
    /// An older version.
    Downgrade,
    /// The same version with other bytes, or tags that are not versions.
    Other,
}

impl Replaced {
    /// Compares the installed version with its replacement.
    pub fn new(reference: OciReference, by: &OciReference) -> Self {
        let version = |reference: &OciReference| version_of_tag(reference.revision());
        let direction = match (version(&reference), version(by)) {
            (Some(old), Some(new)) if new > old => Direction::Upgrade,
            (Some(old), Some(new)) if new < old => Direction::Downgrade,
            _ => Direction::Other,
        };
        Self { reference, direction }
    }
}

/// An older version would take the place of a newer one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is older than the installed {} of `{name}`", found.revision(), installed.revision())]
pub struct Downgrade {
    /// The extension.
    pub name: ExtensionName,
    /// The installed artifact.
    pub installed: OciReference,
    /// Its replacement.
    pub found: OciReference,
}

/// Refuses an older version unless its user asks for it: it can have faults that the newer one has
/// not.
pub(crate) fn check_direction(
    name: &ExtensionName,
    installed: Option<&OciReference>,
    new: &OciReference,
    allow_downgrade: bool,
) -> Result<(), Downgrade> {
    match installed.map(|installed| Replaced::new(installed.clone(), new)) {
        Some(Replaced { reference, direction: Direction::Downgrade }) if !allow_downgrade => {
            Err(Downgrade { name: name.clone(), installed: reference, found: new.clone() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(tag: &str) -> OciReference {
        format!("ghcr.io/my-org/x:{tag}").parse().expect(tag)
    }

    /// A prerelease is before its release, and a tag that is not a version is neither older nor
    /// newer.
    #[test]
    fn versions_are_ordered() {
        let direction =
            |old: &str, new: &str| Replaced::new(reference(old), &reference(new)).direction;
        let rising = [
            "0.9.9",
            "0.10.0-alpha",
            "0.10.0-alpha.1",
            "0.10.0-alpha.beta",
            "0.10.0-beta.2",
            "0.10.0-beta.11",
            "0.10.0-rc.1",
            "0.10.0",
            "v0.10.1",
            "0.11.0_build.7",
            "1.0.0-0",
            "1.0.0",
            "1.0.1-rc.1",
            "10.0.0",
        ];
        for pair in rising.windows(2) {
            assert_eq!(direction(pair[0], pair[1]), Direction::Upgrade, "{pair:?}");
            assert_eq!(direction(pair[1], pair[0]), Direction::Downgrade, "{pair:?}");
        }
        for (old, new) in [
            ("1.0.0", "v1.0.0"),
            ("1.0.0", "latest"),
            ("stable", "0.1.0"),
            ("2024", "2023"),
            ("1.0", "0.9"),
        ] {
            assert_eq!(direction(old, new), Direction::Other, "{old} {new}");
        }
    }

    #[test]
    fn downgrade_has_to_be_asked_for() {
        let name = "x".parse().expect("a name");
        let check = |installed: Option<&str>, new: &str, allowed| {
            let installed = installed.map(reference);
            check_direction(&name, installed.as_ref(), &reference(new), allowed)
        };
        assert_eq!(check(None, "1.0.0", false), Ok(()));
        assert_eq!(check(Some("1.0.0"), "1.1.0", false), Ok(()));
        assert_eq!(check(Some("1.1.0"), "1.0.0", true), Ok(()));
        assert_eq!(check(Some("1.1.0"), "stable", false), Ok(()));
        let refused = check(Some("1.1.0"), "1.0.0", false).expect_err("older");
        assert_eq!(refused.to_string(), "1.0.0 is older than the installed 1.1.0 of `x`");
    }
}
