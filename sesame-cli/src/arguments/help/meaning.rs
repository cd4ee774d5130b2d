//! Suggestions for a word that is not a command: by its meaning in other tools, then by its place
//! here, and by its letters last.

/// The meaning of another tool's word.
enum Meaning {
    /// A command here.
    Command(&'static str),
    /// Advice, since there is no such command.
    Instead(&'static str),
}

use self::Meaning::{Command, Instead};
use core_types::shell_word;

/// Words of other tools, with their counterparts here.
const WORDS: &[(&[&str], Meaning)] = &[
    (
        &["delete", "del", "erase", "purge", "deinstall", "uninst", "drop", "forget"],
        Command("remove"),
    ),
    (&["get", "fetch", "pull", "download", "i", "plugin-install"], Command("install")),
    (&["start", "launch", "open", "execute"], Command("run")),
    (&["invoke", "use", "apply"], Command("call")),
    (&["dir", "all", "installed", "status", "ps"], Command("list")),
    (&["describe", "view", "details", "about", "display", "print", "cat"], Command("info")),
    (&["up", "refresh", "dist-upgrade", "update-all"], Command("update")),
    (
        &["allow", "permit", "approve", "accept", "authorize", "authorise"],
        Command("extension grant"),
    ),
    (&["deny", "forbid", "disallow", "ungrant", "block", "reject"], Command("extension revoke")),
    (&["permissions", "permission", "override", "capabilities", "grants"], Command("info")),
    (&["stop", "deactivate", "suspend", "off", "mask"], Command("extension disable")),
    (&["activate", "resume", "on", "unquarantine", "unmask"], Command("extension enable")),
    (&["undo", "revert", "downgrade", "restore", "back"], Command("extension rollback")),
    (&["hold", "freeze", "lock", "keep"], Command("extension pin")),
    (&["unhold", "unfreeze", "unlock"], Command("extension unpin")),
    (&["log", "output", "journal"], Command("extension logs")),
    (&["audit", "trace", "events"], Command("extension activity")),
    (&["versions", "generations", "log-versions"], Command("extension history")),
    (&["tag", "list-tags", "search-tags"], Command("registry tags")),
    (&["check", "validate", "fsck", "repair"], Command("extension verify")),
    (&["diagnose", "health", "troubleshoot"], Command("doctor")),
    (&["configure", "option", "options", "settings", "preferences"], Command("extension set")),
    (&["clean", "prune", "autoremove", "cleanup", "cache"], Command("extension gc")),
    (&["save", "pack", "bundle", "backup"], Command("extension export")),
    (&["load", "unpack"], Command("extension import")),
    (&["create", "generate", "scaffold", "template", "cookiecutter"], Command("extension new")),
    (&["compile", "make"], Command("extension build")),
    (&["push", "upload", "release", "deploy"], Command("extension publish")),
    (&["watch", "develop", "serve"], Command("extension dev")),
    (&["signin", "auth"], Command("registry login")),
    (&["signout"], Command("registry logout")),
    (&["manual", "doc", "readme"], Command("extension docs")),
    (
        &["search", "find", "browse", "index", "explore", "marketplace", "store"],
        Instead(
            "there is no index to search; an extension's page says its reference, as in `sesame install ghcr.io/OWNER/NAME`",
        ),
    ),
];

/// The similarity, of 1, above which a word counts as mistyped: that of `clap`.
const ALIKE: f64 = 0.8;

/// Returns the line to type instead of a word that is not a command, with the words behind it.
pub fn instead_of(word: &str, behind: &[String], all: &clap::Command) -> Option<String> {
    let lower = word.to_lowercase();
    let by_meaning =
        WORDS.iter().find(|(words, _)| words.contains(&lower.as_str())).map(|(_, meaning)| meaning);
    let path = match by_meaning {
        Some(Instead(words)) => return Some((*words).to_owned()),
        Some(Command(path)) => (*path).to_owned(),
        None => elsewhere(&lower, all).or_else(|| alike(&lower, all))?,
    };
    let whole =
        std::iter::once(path).chain(behind.iter().map(|word| shell_word(word))).collect::<Vec<_>>();
    Some(format!("did you mean `sesame {}`?", whole.join(" ")))
}

/// Returns the path of a command with this name or alias elsewhere: one for extensions first, then
/// the shortest.
fn elsewhere(word: &str, all: &clap::Command) -> Option<String> {
    let mut paths = Vec::new();
    let is_it = |command: &clap::Command| {
        let is_word =
            command.get_name() == word || command.get_all_aliases().any(|alias| alias == word);
        is_word.then_some(1.0)
    };
    collect(all, "", &is_it, &mut paths);
    let rank = |path: &String| (!path.starts_with("extension "), path.len());
    paths.into_iter().map(|(_, path)| path).min_by_key(rank)
}

/// Returns the most similar command.
fn alike(word: &str, all: &clap::Command) -> Option<String> {
    let mut paths = Vec::new();
    let likeness = |command: &clap::Command| {
        let names = std::iter::once(command.get_name()).chain(command.get_visible_aliases());
        names
            .map(|name| strsim::jaro(name, word))
            .max_by(f64::total_cmp)
            .filter(|likeness| *likeness > ALIKE)
    };
    collect(all, "", &likeness, &mut paths);
    let best = |(one, first): &(f64, String), (other, second): &(f64, String)| {
        one.total_cmp(other).then(second.len().cmp(&first.len()))
    };
    paths.into_iter().max_by(best).map(|(_, path)| path)
}

/// Collects a value of each command below this one, with its path.
fn collect(
    command: &clap::Command,
    path: &str,
    value: &dyn Fn(&clap::Command) -> Option<f64>,
    found: &mut Vec<(f64, String)>,
) {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        let path = format!("{path} {}", below.get_name());
        found.extend(value(below).map(|value| (value, path.trim().to_owned())));
        collect(below, &path, value, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::full_command;

    #[test]
    fn wrong_word_gets_nearest_meaning() {
        let all = full_command(100);
        let said = |word: &str, behind: &[&str]| {
            let behind: Vec<_> = behind.iter().map(|word| (*word).to_owned()).collect();
            instead_of(word, &behind, &all).unwrap_or_default()
        };
        assert_eq!(said("delete", &["weather"]), "did you mean `sesame remove weather`?");
        assert_eq!(
            said("allow", &["x", "network=*.a.b"]),
            "did you mean `sesame extension grant x 'network=*.a.b'`?"
        );
        assert_eq!(said("Deny", &[]), "did you mean `sesame extension revoke`?");
        assert_eq!(said("set", &["x", "a=b"]), "did you mean `sesame extension set x a=b`?");
        assert_eq!(said("grant", &["x"]), "did you mean `sesame extension grant x`?");
        assert_eq!(said("logout", &["ghcr.io"]), "did you mean `sesame registry logout ghcr.io`?");
        assert_eq!(said("instal", &[]), "did you mean `sesame install`?");
        assert_eq!(said("rollbck", &["x"]), "did you mean `sesame extension rollback x`?");
        assert!(said("search", &["weather"]).contains("no index"));
        assert_eq!(said("qqqq", &[]), "");
    }

    /// Each word leads to an existing command, and is not itself one in that place.
    #[test]
    fn words_lead_to_commands() {
        let all = full_command(100);
        for (words, meaning) in WORDS {
            for word in *words {
                assert!(all.find_subcommand(word).is_none(), "{word} is a command");
            }
            let Command(path) = meaning else { continue };
            let found =
                path.split(' ').try_fold(&all, |command, name| command.find_subcommand(name));
            assert!(found.is_some(), "{path}");
        }
    }
}
