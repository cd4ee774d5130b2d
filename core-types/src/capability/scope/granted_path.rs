//! A directory that is granted, and the path that the guest finds it under.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use crate::capability::scope::names::ScopeError;

/// The mark between the path on the host and that of the guest. A single `:` may be part of
/// either.
const SEPARATOR: &str = "::";

/// A directory of the user: absolute, or below the home directory as `~/...`, without `.` and `..`
/// in it. The guest finds it under the same path, or under the one behind `::`, as in
/// `~/notes::/notes`.
///
/// In a manifest also `{ path = "~/notes", guest = "/notes" }`. The path on the host alone decides
/// the reach.
///
/// ```
/// use std::path::{Path, PathBuf};
///
/// let path: core_types::GrantedPath = "~/notes::/notes".parse()?;
/// let home = Path::new("/home/me");
/// assert_eq!(path.on_host(home), PathBuf::from("/home/me/notes"));
/// assert_eq!(path.in_guest(home), PathBuf::from("/notes"));
/// # Ok::<(), core_types::GrantedPathError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantedPath {
    host: String,
    guest: Option<String>,
}

/// Why a text does not grant a directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantedPathError {
    /// The path on the host is not one that can be granted.
    #[error(transparent)]
    Host(#[from] ScopeError),
    /// The path for the guest is not one that it could open.
    #[error(
        "`{}` is not a path for the guest: write one like `/notes`, `notes` or `.`, without `..`, `~` and empty parts",
        text.escape_debug()
    )]
    Guest {
        /// The path as given.
        text: String,
    },
    /// Where the path on the host ends could be read in two ways.
    #[error("`{}` has more than one `::`: write `~/notes::/notes`, with no `::` in either path", text.escape_debug())]
    Ambiguous {
        /// The text as given.
        text: String,
    },
}

/// Two directories with one path for the guest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{first}` and `{second}` are one path for the guest")]
pub struct SameGuestPath {
    /// One of them.
    pub first: GrantedPath,
    /// The other.
    pub second: GrantedPath,
}

impl GrantedPath {
    /// Returns the path on the host as written, `~` not yet expanded.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the path for the guest, where it is another than that on the host.
    pub fn guest(&self) -> Option<&str> {
        self.guest.as_deref()
    }

    /// Returns the path on the host, with `home` in the place of `~`.
    pub fn on_host(&self, home: &Path) -> PathBuf {
        let expanded = match self.host.strip_prefix('~') {
            Some(below) => home.join(below.trim_start_matches('/')),
            None => PathBuf::from(&self.host),
        };
        // Without doubled and trailing slashes, so that it can be compared.
        expanded.components().collect()
    }

    /// Returns the path that the guest finds it under, with `home` in the place of `~`.
    pub fn in_guest(&self, home: &Path) -> PathBuf {
        self.guest.as_ref().map_or_else(|| self.on_host(home), PathBuf::from)
    }

    /// Tells whether the other directory is this one or lies below it, as the two are written and
    /// whatever guests call them.
    pub fn reaches(&self, other: &Self) -> bool {
        below(&self.host, &other.host).is_some()
    }

    /// Tells whether a guest that is given this one also finds the other one, under the path that
    /// it has for the guest.
    pub fn covers(&self, other: &Self) -> bool {
        let Some(rest) = below(&self.host, &other.host) else { return false };
        let both_own = self.guest.is_none() && other.guest.is_none();
        both_own || below(self.guest_text(), other.guest_text()) == Some(rest)
    }

    /// Tells whether taking this away takes the other away: the same directory, whatever its path
    /// for the guest unless this says one.
    pub fn selects(&self, other: &Self) -> bool {
        self.host == other.host && (self.guest.is_none() || self.guest == other.guest)
    }

    fn guest_text(&self) -> &str {
        self.guest.as_deref().unwrap_or(&self.host)
    }

    fn with_guest(host: &str, guest: &str) -> Result<Self, GrantedPathError> {
        [host, SEPARATOR, guest].concat().parse()
    }
}

/// Returns the rest of a path behind another one that it is or lies below.
fn below<'a>(path: &str, other: &'a str) -> Option<&'a str> {
    let rest = other.strip_prefix(path.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Makes sure that the guest finds no two directories under one path, with `home` in the place of
/// `~`.
pub(crate) fn check_guest_paths<'a>(
    paths: impl Iterator<Item = &'a GrantedPath>,
    home: &Path,
) -> Result<(), SameGuestPath> {
    let mut taken = std::collections::BTreeMap::new();
    for path in paths {
        // wasi-libc takes `/notes`, `./notes` and `notes` for one path: it skips a slash or dot at
        // the start.
        let guest = path.in_guest(home);
        let key: PathBuf =
            guest.components().filter(|part| matches!(part, Component::Normal(_))).collect();
        let first: &GrantedPath = taken.entry(key).or_insert(path);
        if first.on_host(home) != path.on_host(home) {
            return Err(SameGuestPath { first: first.clone(), second: path.clone() });
        }
    }
    Ok(())
}

fn is_host_path(text: &str) -> bool {
    let Some(below) = text.strip_prefix('/').or_else(|| text.strip_prefix("~/")) else {
        return text == "~";
    };
    let plain = |component: &str| component != "." && component != "..";
    below.split('/').all(plain) && !text.contains(|c: char| c.is_control())
}

fn is_guest_path(text: &str) -> bool {
    let below = text.strip_prefix('/').unwrap_or(text);
    let plain = |component: &str| !matches!(component, "" | "." | "..");
    // A guest does not have a home directory: `~` would mean something else.
    let is_plain = below.split('/').all(plain)
        && !below.starts_with('~')
        && !text.contains(|c: char| c.is_control());
    is_plain || matches!(text, "." | "/")
}

impl FromStr for GrantedPath {
    type Err = GrantedPathError;

    fn from_str(text: &str) -> Result<Self, GrantedPathError> {
        let parts = text.split_once(SEPARATOR);
        if parts != text.rsplit_once(SEPARATOR) {
            return Err(GrantedPathError::Ambiguous { text: text.to_owned() });
        }
        let (host, guest) = parts.map_or((text, None), |(host, guest)| (host, Some(guest)));
        if !is_host_path(host) {
            let kind = "directory; write an absolute path or one like `~/Documents`, without `..`";
            return Err(ScopeError { text: host.to_owned(), kind }.into());
        }
        match guest {
            Some(guest) if !is_guest_path(guest) => {
                Err(GrantedPathError::Guest { text: guest.to_owned() })
            }
            _ => Ok(Self { host: host.to_owned(), guest: guest.map(str::to_owned) }),
        }
    }
}

impl fmt::Display for GrantedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.guest {
            Some(guest) => f.pad(&[&self.host, SEPARATOR, guest].concat()),
            None => f.pad(&self.host),
        }
    }
}

impl serde::Serialize for GrantedPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GrantedPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PathVisitor)
    }
}

struct PathVisitor;

impl<'de> Visitor<'de> for PathVisitor {
    type Value = GrantedPath;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a directory such as `~/Documents`, or `{ path = \"~/notes\", guest = \"/notes\" }`",
        )
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<GrantedPath, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<GrantedPath, A::Error> {
        let (mut path, mut guest) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "path" => path = Some(map.next_value::<String>()?),
                "guest" => guest = Some(map.next_value::<String>()?),
                _ => drop(map.next_value::<de::IgnoredAny>()?),
            }
        }
        let path = path.ok_or_else(|| de::Error::missing_field("path"))?;
        let granted = match guest {
            Some(guest) => GrantedPath::with_guest(&path, &guest),
            None => path.parse(),
        };
        granted.map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> GrantedPath {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn check(texts: &[&str], home: &str) -> Result<(), String> {
        let paths: Vec<_> = texts.iter().map(|text| path(text)).collect();
        check_guest_paths(paths.iter(), Path::new(home)).map_err(|error| error.to_string())
    }

    /// Both paths come back as they were written; a single `:` is part of a path.
    #[test]
    fn path_with_guest_prints_as_parsed() {
        for (text, host, guest) in [
            ("~/notes", "~/notes", None),
            ("~/notes::/notes", "~/notes", Some("/notes")),
            ("/srv/a:b::.", "/srv/a:b", Some(".")),
            ("/srv/a:", "/srv/a:", None),
            ("~::/", "~", Some("/")),
            ("~/x::data/a:b", "~/x", Some("data/a:b")),
        ] {
            let granted = path(text);
            assert_eq!(
                (granted.host(), granted.guest(), granted.to_string().as_str()),
                (host, guest, text)
            );
        }
    }

    /// What a guest could not open, or would leave its own tree by, is not a path for it.
    #[test]
    fn guest_path_that_misleads_is_refused() {
        for guest in [
            "", "..", "/..", "/a/..", "a/../b", "/a/./b", "./a", "//", "/a/", "/a//b", "~", "~/a",
            "/~/a",
        ] {
            let error = format!("~/x::{guest}").parse::<GrantedPath>().expect_err(guest);
            assert!(matches!(error, GrantedPathError::Guest { .. }), "{guest}: {error}");
        }
        for guest in ["/a\0b", "/a\nb", "a\u{7f}"] {
            assert!(format!("~/x::{guest}").parse::<GrantedPath>().is_err(), "{guest:?}");
        }
        for text in ["~/x::/a::/b", "/srv/a:::/b", "~/x:::b", "/a::b::", "::::"] {
            let error = text.parse::<GrantedPath>().expect_err(text);
            assert!(matches!(error, GrantedPathError::Ambiguous { .. }), "{text}: {error}");
        }
        for text in ["::/a", "x::/a", "~/../x::/a"] {
            assert!(
                matches!(text.parse::<GrantedPath>(), Err(GrantedPathError::Host(_))),
                "{text}"
            );
        }
    }

    /// A directory under another name is within reach, and not where the guest looks for it.
    #[test]
    fn covers_needs_the_guest_path_too() {
        for (granted, other, covers, reaches) in [
            ("~/a", "~/a/b", true, true),
            ("~/a", "~/ab", false, false),
            ("~/a::/a", "~/a::/a", true, true),
            ("~/a::/a", "~/a/b::/a/b", true, true),
            ("~/a::/a", "~/a/b::/b", false, true),
            ("~/a::/a", "~/a", false, true),
            ("~/a", "~/a::/a", false, true),
            ("/srv", "/srv/x::/srv/x", true, true),
            ("/srv/x::/srv", "/srv", false, false),
        ] {
            assert_eq!(path(granted).covers(&path(other)), covers, "{granted} {other}");
            assert_eq!(path(granted).reaches(&path(other)), reaches, "{granted} {other}");
        }
    }

    /// The host path alone means every path that the guest has for it.
    #[test]
    fn selects_by_host_or_by_both() {
        assert!(path("~/a").selects(&path("~/a::/a")) && path("~/a").selects(&path("~/a")));
        assert!(path("~/a::/a").selects(&path("~/a::/a")));
        assert!(
            !path("~/a::/a").selects(&path("~/a")) && !path("~/a::/a").selects(&path("~/a::/b"))
        );
        assert!(!path("~/a").selects(&path("~/a/b")));
    }

    /// Paths are one where wasi-libc takes them for one, and where `~` makes them one.
    #[test]
    fn same_guest_path_twice_is_an_error() {
        for texts in [
            ["~/a::/n", "~/b::/n"],
            ["~/a::n", "/b::/n"],
            ["~/a::.", "~/b::/"],
            ["/srv/n", "~/b::/srv/n"],
        ] {
            let error = check(&texts, "~").expect_err("one path");
            assert!(texts.iter().all(|text| error.contains(&format!("`{text}`"))), "{error}");
        }
        assert_eq!(check(&["~/a::/home/u/b", "~/b"], "~"), Ok(()));
        assert!(check(&["~/a::/home/u/b", "~/b"], "/home/u").is_err());
        for texts in [
            ["~/a::/n", "~/a/::/n"],
            ["~/a::/n", "~/a::/m"],
            ["~/a", "/home/u/a"],
            ["~/a::/n", "~/b::/n/b"],
        ] {
            assert_eq!(check(&texts, "/home/u"), Ok(()), "{texts:?}");
        }
    }
}
