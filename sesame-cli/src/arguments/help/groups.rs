//! The groups of commands in `--help`, and the commands with two names.

/// Commands that belong together.
struct Group {
    title: &'static str,
    /// At the top, with the most important ones of `sesame extension`.
    top: &'static [&'static str],
    /// Below `sesame extension`.
    extension: &'static [&'static str],
}

/// The commands that are both at the top and below `sesame extension`.
const EVERYDAY: [&str; 7] = ["install", "list", "call", "run", "info", "update", "remove"];

/// The group of commands that no other group names.
const REST: &str = "Administer";

const GROUPS: [Group; 6] = [
    Group {
        title: "Use",
        top: &[
            "install",
            "list",
            "call",
            "run",
            "info",
            "update",
            "remove",
            "session",
            "demo",
            "extension",
        ],
        extension: &[
            "install", "list", "call", "run", "info", "update", "remove", "enable", "disable",
            "set", "unset", "edit", "docs", "logs", "watch", "exec",
        ],
    },
    Group {
        title: "Permissions",
        top: &["extension grant", "extension revoke", "extension why", "secret", "trust"],
        extension: &["grant", "revoke", "why", "events", "activity", "inspect", "storage"],
    },
    Group {
        title: "Versions and sharing",
        top: &[
            "extension history",
            "extension rollback",
            "extension export",
            "extension import",
            "registry",
        ],
        extension: &[
            "outdated", "pin", "unpin", "history", "rollback", "verify", "export", "import", "sync",
        ],
    },
    Group {
        title: "Write",
        top: &["extension new", "extension dev", "extension publish"],
        extension: &["new", "build", "test", "dev", "trigger", "publish", "sign"],
    },
    Group {
        title: REST,
        top: &["config", "doctor", "schema", "completions", "man", "help"],
        extension: &["gc"],
    },
    Group { title: "Suffiks", top: &["workload", "wasi"], extension: &[] },
];

/// Returns the everyday form of a command's path, such as `sesame install` for `sesame extension
/// install`.
pub fn everyday(path: &str) -> Option<String> {
    let verb = path.strip_prefix("sesame extension ")?;
    EVERYDAY.contains(&verb).then(|| format!("sesame {verb}"))
}

/// Returns the groups below a command, each with its commands as they are typed; nothing where
/// there are no groups. Commands without a group are in the last one.
pub fn of(command: &clap::Command) -> Vec<(&'static str, Vec<String>)> {
    let words = |group: &Group| match command.get_name() {
        "sesame" => group.top,
        "extension" => group.extension,
        _ => &[],
    };
    let mut groups: Vec<(_, Vec<_>)> = GROUPS
        .iter()
        .map(|group| (group.title, words(group).iter().map(|word| (*word).to_owned()).collect()))
        .collect();
    groups.retain(|(_, words)| !words.is_empty());
    let named: Vec<_> = groups.iter().flat_map(|(_, words)| words.clone()).collect();
    let shown = command.get_subcommands().filter(|below| !below.is_hide_set());
    let rest = shown.map(|below| below.get_name().to_owned()).filter(|name| !named.contains(name));
    if let Some((_, words)) = groups.iter_mut().find(|(title, _)| *title == REST) {
        words.extend(rest);
    }
    groups
}
