//! The distribution of this machine, whose package manager installs missing tools.

use std::path::Path;

use extension_depot::read_regular;

/// The files that describe a system, in the order in which they count
/// (<https://www.freedesktop.org/software/systemd/man/latest/os-release.html>).
const OS_RELEASE: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];
/// The longest such file, in bytes: they are about 500 bytes long.
const MAX_FILE: u64 = 16 << 10;

/// The distributions that `language.toml` has commands for, with the names that `os-release` uses.
/// Ubuntu says that it is like Debian, openSUSE that it is like SUSE.
const KNOWN: [&str; 5] = ["debian", "fedora", "arch", "alpine", "suse"];

/// The key of commands for every other system.
pub const OTHER: &str = "other";

/// Returns the key of this machine's distribution in the tables of commands.
pub fn this_machine() -> &'static str {
    let texts =
        OS_RELEASE.into_iter().filter_map(|path| read_regular(Path::new(path), MAX_FILE).ok());
    let text = texts.map(|text| String::from_utf8_lossy(&text).into_owned()).next();
    of(&text.unwrap_or_default())
}

/// Returns the key of the distribution that an `os-release` describes.
fn of(os_release: &str) -> &'static str {
    let value = |name: &str| {
        let values = os_release.lines().filter_map(|line| line.trim().split_once('='));
        values.into_iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    };
    let names = [value("ID"), value("ID_LIKE")].into_iter();
    let mut words = names.flat_map(|names| names.trim_matches(['"', '\'']).split_whitespace());
    words.find_map(|word| KNOWN.into_iter().find(|known| *known == word)).unwrap_or(OTHER)
}

/// Returns whether a table of commands can have this key.
#[cfg(test)]
pub fn is_key(key: &str) -> bool {
    key == OTHER || KNOWN.contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_release_names_a_distribution() {
        for (text, expected) in [
            ("ID=debian\nVERSION_CODENAME=trixie\n", "debian"),
            ("NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\n", "debian"),
            ("ID=\"linuxmint\"\nID_LIKE=\"ubuntu debian\"\n", "debian"),
            ("ID=fedora\n", "fedora"),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", "fedora"),
            ("ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\n", "suse"),
            ("ID=manjaro\nID_LIKE=arch\n", "arch"),
            ("ID=alpine\n", "alpine"),
            ("ID=nixos\n", "other"),
            ("", "other"),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }
}
