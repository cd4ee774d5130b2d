//! Tags as versions.

use std::cmp::Ordering;

use semver::{Version, VersionReq};

/// Returns the version that a tag stands for, if it stands for one: `0.1.0`, `v0.1.0`, and
/// `1.2.3_build` for `1.2.3+build`, which cannot be a tag.
pub fn version_of_tag(tag: &str) -> Option<Version> {
    let text = tag.strip_prefix('v').unwrap_or(tag);
    Version::parse(&text.replacen('_', "+", 1)).ok()
}

/// Tells whether two tags are one, or the same version in two spellings, such as `1.0.0` and
/// `v1.0.0`.
pub fn is_same_version(one: &str, other: &str) -> bool {
    one == other
        || version_of_tag(one).is_some_and(|version| version_of_tag(other) == Some(version))
}

/// Returns the tag of the highest version among these. One that is not finished (`1.0.0-rc.1`)
/// counts only where `with_prereleases` says so.
///
/// ```
/// let tags = ["0.9.0", "0.10.0", "latest", "1.0.0-rc.1"];
/// assert_eq!(core_types::newest_tag(tags, false), Some("0.10.0"));
/// assert_eq!(core_types::newest_tag(tags, true), Some("1.0.0-rc.1"));
/// ```
pub fn newest_tag<'a>(
    tags: impl IntoIterator<Item = &'a str>,
    with_prereleases: bool,
) -> Option<&'a str> {
    versions(tags, |version| with_prereleases || version.pre.is_empty()).pop()
}

/// Returns the tag of the highest version among these that a requirement such as `^1.2` allows. One
/// that is not finished counts only where the requirement names one of the same version.
pub fn newest_tag_within<'a>(
    tags: impl IntoIterator<Item = &'a str>,
    wanted: &VersionReq,
) -> Option<&'a str> {
    versions(tags, |version| wanted.matches(version)).pop()
}

/// Returns the tags of the versions above this one, from the highest on. One that is not finished
/// counts only where this one is not finished either.
pub fn newer_tags<'a>(tags: impl IntoIterator<Item = &'a str>, than: &Version) -> Vec<&'a str> {
    let mut newer = versions(tags, |version| {
        version > than && (version.pre.is_empty() || !than.pre.is_empty())
    });
    newer.reverse();
    newer
}

/// Returns the tags that are versions and fit, from the lowest on.
fn versions<'a>(
    tags: impl IntoIterator<Item = &'a str>,
    fits: impl Fn(&Version) -> bool,
) -> Vec<&'a str> {
    let versions = tags.into_iter().filter_map(|tag| Some((version_of_tag(tag)?, tag)));
    let mut fitting: Vec<_> = versions.filter(|(version, _)| fits(version)).collect();
    fitting.sort();
    fitting.into_iter().map(|(_, tag)| tag).collect()
}

/// Orders tags for people: versions from the highest on, then the others by name.
pub fn compare_tags(one: &str, other: &str) -> Ordering {
    match (version_of_tag(one), version_of_tag(other)) {
        (Some(one), Some(other)) => other.cmp(&one),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => one.cmp(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Versions are compared as numbers and never by name.
    #[test]
    fn versions_compare_as_numbers() {
        let tags = ["0.9.0", "v0.10.0", "latest", "1.0.0-rc.1", "0.10.0_build", "2024", "1.0"];
        assert_eq!(newest_tag(tags, false), Some("0.10.0_build"));
        assert_eq!(newest_tag(tags, true), Some("1.0.0-rc.1"));
        assert_eq!(newest_tag(["latest", "edge"], true), None);
        let within = |wanted: &str| newest_tag_within(tags, &wanted.parse().expect(wanted));
        assert_eq!(
            (within("<0.10"), within("^1"), within("^1.0.0-rc.1")),
            (Some("0.9.0"), None, Some("1.0.0-rc.1"))
        );
        let newer = |than: &str| newer_tags(tags, &version_of_tag(than).expect(than));
        assert_eq!(newer("0.9.0"), ["0.10.0_build", "v0.10.0"]);
        assert_eq!(newer("1.0.0-alpha"), ["1.0.0-rc.1"]);
        let mut sorted = tags;
        sorted.sort_by(|one, other| compare_tags(one, other));
        assert_eq!(
            sorted,
            ["1.0.0-rc.1", "0.10.0_build", "v0.10.0", "0.9.0", "1.0", "2024", "latest"]
        );
    }

    proptest! {
        #[test]
        fn no_tag_panics(one in "\\PC{0,30}", other in "[v0-9._-]{0,30}") {
            let _ = (version_of_tag(&one), newest_tag([one.as_str(), other.as_str()], true), compare_tags(&one, &other));
        }
    }
}
