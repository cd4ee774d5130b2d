//! Reads the newest entry of the changelog.

use crate::problem::{Problem, Result};

/// The newest entry: one of a version, or of the version that is being made.
#[derive(Debug, PartialEq)]
pub struct Entry {
    /// The version, which an unreleased entry names in its first line: `This becomes 0.2.0`.
    pub version: String,
    /// The day of the release, if it was released.
    pub date: Option<String>,
    /// The text without its heading.
    pub text: String,
}

impl Entry {
    /// Reads the newest entry.
    pub fn newest(changelog: &str) -> Result<Self> {
        let wrong = |what: &str| Problem::new(format!("CHANGELOG.md: {what}"));
        let entries = changelog.split_once("\n## ").ok_or_else(|| wrong("it has no entry"))?.1;
        let entry = entries.split_once("\n## ").map_or(entries, |(entry, _)| entry);
        let entry = entry.split_once("\n<!-- ANCHOR_END").map_or(entry, |(entry, _)| entry);
        let (heading, text) = entry.split_once('\n').unwrap_or((entry, ""));
        let text = format!("{}\n", text.trim());
        if let Some((version, date)) = heading.split_once(" - ") {
            let (version, date) = (version.to_owned(), Some(date.to_owned()));
            return Ok(Self { version, date, text });
        }
        if heading != "Unreleased" {
            return Err(wrong(&format!("`{heading}` is neither Unreleased nor VERSION - DATE")));
        }
        let first =
            text.strip_prefix("This becomes ").and_then(|rest| rest.split([',', ' ']).next());
        let version =
            first.ok_or_else(|| wrong("Unreleased does not begin with `This becomes`"))?;
        Ok(Self { version: version.trim_end_matches('.').to_owned(), date: None, text })
    }
}

/// Returns the versions whose state the one that is being made has to read: the last one of each of the
/// two minor versions before it.
pub fn read_minors(changelog: &str, made: &str) -> Vec<String> {
    let headings = changelog.lines().filter_map(|line| line.strip_prefix("## ")?.split_once(" - "));
    let mut minors: Vec<String> = Vec::new();
    for (version, _) in headings.filter(|(version, _)| minor(version) != minor(made)) {
        if minors.iter().all(|other| minor(other) != minor(version)) {
            minors.push(version.to_owned());
        }
    }
    minors.truncate(2);
    minors
}

fn minor(version: &str) -> &str {
    version.rsplit_once('.').map_or(version, |(minor, _)| minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_two_minors_are_read() {
        let changelog = "# Changelog\n\n## Unreleased\n\n## 0.4.1 - a day\n\n## 0.4.0 - a day\n\n\
                         ## 0.3.2 - a day\n\n## 0.2.0 - a day\n\n## 0.1.0 - a day\n";
        assert_eq!(read_minors(changelog, "0.5.0"), ["0.4.1", "0.3.2"]);
        assert_eq!(read_minors(changelog, "0.4.2"), ["0.3.2", "0.2.0"]);
        assert_eq!(read_minors("# Changelog\n\n## Unreleased\n", "0.1.0"), [""; 0]);
    }

    #[test]
    fn newest_entry_is_first() {
        let newest = |text: &str| Entry::newest(&format!("# Changelog\n\n{text}"));
        let entry = newest("## 0.2.0 - 2026-12-01\n\n- New\n\n## 0.1.0 - 2026-11-21\n\n- Old\n");
        let entry = entry.expect("an entry");
        assert_eq!((entry.version.as_str(), entry.text.as_str()), ("0.2.0", "- New\n"));
        assert_eq!(entry.date.as_deref(), Some("2026-12-01"));
        let entry = newest("## Unreleased\n\nThis becomes 0.3.0, a version.\n").expect("an entry");
        assert_eq!((entry.version.as_str(), entry.date), ("0.3.0", None));
        for wrong in ["", "## Soon\n", "## Unreleased\n\n- New\n"] {
            assert!(newest(wrong).is_err(), "{wrong}");
        }
    }
}
