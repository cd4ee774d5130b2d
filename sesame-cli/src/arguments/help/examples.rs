//! Two examples of each command, for its help and its manual page.

use super::groups;

/// A command, and two lines of a user.
type Examples = (&'static str, [&'static str; 2]);

const EXAMPLES: &[Examples] = &[
    (
        "sesame install",
        [
            "sesame install ghcr.io/my-org/weather:1.2.0",
            "sesame install ./weather.wasm --grant notification",
        ],
    ),
    ("sesame list", ["sesame list", "sesame list --json"]),
    ("sesame call", ["sesame call greeting greet World", "sesame call greeting"]),
    ("sesame run", ["sesame run text-tools", "sesame run text-tools -- -n 3 notes.txt"]),
    ("sesame info", ["sesame info weather", "sesame info weather --json"]),
    ("sesame update", ["sesame update weather", "sesame update --all --dry-run"]),
    ("sesame remove", ["sesame remove weather", "sesame remove weather greeting --purge"]),
    (
        "sesame extension",
        [
            "sesame extension grant weather network=api.example.com",
            "sesame extension history weather",
        ],
    ),
    (
        "sesame extension enable",
        ["sesame extension enable weather", "sesame extension enable weather greeting"],
    ),
    (
        "sesame extension disable",
        ["sesame extension disable weather", "sesame extension disable weather greeting"],
    ),
    (
        "sesame extension grant",
        [
            "sesame extension grant weather network=api.example.com",
            "sesame extension grant notes filesystem=read:~/Notes --for 1h",
        ],
    ),
    (
        "sesame extension revoke",
        [
            "sesame extension revoke weather network",
            "sesame extension revoke notes filesystem=read:~/Notes",
        ],
    ),
    (
        "sesame extension storage",
        ["sesame extension storage weather", "sesame extension storage weather --reset"],
    ),
    (
        "sesame extension storage get",
        [
            "sesame extension storage weather get place",
            "sesame extension storage weather get place --json",
        ],
    ),
    (
        "sesame extension storage set",
        [
            "printf %s Oslo | sesame extension storage weather set place",
            "sesame extension storage weather set answers/oslo < answer.json",
        ],
    ),
    (
        "sesame extension storage remove",
        [
            "sesame extension storage weather remove place",
            "sesame extension storage weather remove answers/oslo",
        ],
    ),
    (
        "sesame extension inspect",
        [
            "sesame extension inspect ghcr.io/my-org/weather:1.2.0",
            "sesame extension inspect ./weather.wasm",
        ],
    ),
    (
        "sesame extension why",
        ["sesame extension why weather", "sesame extension why weather --json"],
    ),
    (
        "sesame extension events",
        ["sesame extension events low-battery", "sesame extension events low-battery --log"],
    ),
    (
        "sesame extension watch",
        [
            "sesame extension watch weather report --every 15m",
            "sesame extension watch battery line --on power.battery --format waybar",
        ],
    ),
    (
        "sesame extension trigger",
        [
            "sesame extension trigger low-battery power.battery percent=10",
            "sesame extension trigger reporter custom.build.done payload=failed",
        ],
    ),
    (
        "sesame extension activity",
        ["sesame extension activity --since 1h", "sesame extension activity weather"],
    ),
    (
        "sesame extension activity verify",
        ["sesame extension activity verify", "sesame extension activity verify --json"],
    ),
    (
        "sesame extension verify",
        ["sesame extension verify", "sesame extension verify weather --repair"],
    ),
    (
        "sesame extension outdated",
        ["sesame extension outdated", "sesame extension outdated weather"],
    ),
    (
        "sesame extension pin",
        ["sesame extension pin weather", "sesame extension pin weather greeting"],
    ),
    (
        "sesame extension unpin",
        ["sesame extension unpin weather", "sesame extension unpin weather greeting"],
    ),
    (
        "sesame extension history",
        ["sesame extension history weather", "sesame extension history weather --json"],
    ),
    (
        "sesame extension rollback",
        ["sesame extension rollback weather", "sesame extension rollback weather 3"],
    ),
    ("sesame extension gc", ["sesame extension gc --dry-run", "sesame extension gc --keep 1"]),
    (
        "sesame extension sync",
        ["sesame extension sync ./extensions.toml --dry-run", "sesame extension sync --check"],
    ),
    (
        "sesame extension docs",
        ["sesame extension docs weather", "sesame extension docs weather --list"],
    ),
    (
        "sesame extension exec",
        [
            "sesame extension exec ingress -- printenv",
            "sesame extension exec ingress --workload app.yaml -- env",
        ],
    ),
    (
        "sesame extension new",
        [
            "sesame extension new notes --lang python",
            "sesame extension new low-battery --event power.battery",
        ],
    ),
    ("sesame extension build", ["sesame extension build", "sesame extension build --verbose"]),
    (
        "sesame extension test",
        ["sesame extension test", "sesame extension test ./weather.wasm --tests checks"],
    ),
    ("sesame extension dev", ["sesame extension dev", "sesame extension dev greet World"]),
    (
        "sesame extension publish",
        [
            "sesame extension publish ghcr.io/my-org/weather:1.2.0",
            "sesame extension publish ghcr.io/my-org/weather:1.2.0 --dry-run",
        ],
    ),
    (
        "sesame extension sign",
        [
            "sesame extension sign ghcr.io/my-org/weather:1.2.0 --key weather.key",
            "sesame extension sign ghcr.io/my-org/weather:1.2.0 --key cosign.key --form classic",
        ],
    ),
    (
        "sesame extension export",
        [
            "sesame extension export weather greeting -o extensions.tar",
            "sesame extension export --all -o backup.tar --force",
        ],
    ),
    (
        "sesame extension import",
        [
            "sesame extension import extensions.tar",
            "sesame extension import extensions.tar weather --grant-requested",
        ],
    ),
    (
        "sesame extension logs",
        ["sesame extension logs weather", "sesame extension logs weather -n 20"],
    ),
    (
        "sesame extension set",
        [
            "sesame extension set weather city=Oslo limits.timeout_ms=2000",
            "sesame extension set weather --list",
        ],
    ),
    (
        "sesame extension unset",
        ["sesame extension unset weather city", "sesame extension unset weather limits.timeout_ms"],
    ),
    (
        "sesame extension edit",
        ["sesame extension edit weather", "EDITOR=nano sesame extension edit weather"],
    ),
    (
        "sesame workload",
        [
            "sesame workload validate ingress --workload app.yaml",
            "sesame workload sync ingress --workload app.yaml",
        ],
    ),
    (
        "sesame workload validate",
        [
            "sesame workload validate ingress --workload app.yaml",
            "sesame workload validate ingress --workload new.yaml --old old.yaml",
        ],
    ),
    (
        "sesame workload default",
        [
            "sesame workload default ingress --workload app.yaml",
            "sesame workload default ingress --workload - --ext ext.yaml",
        ],
    ),
    (
        "sesame workload sync",
        [
            "sesame workload sync ingress --workload app.yaml",
            "sesame workload sync ingress --workload app.yaml --resources cluster",
        ],
    ),
    (
        "sesame workload delete",
        [
            "sesame workload delete ingress --workload app.yaml",
            "sesame workload delete ingress --workload app.yaml --resources cluster",
        ],
    ),
    (
        "sesame wasi",
        [
            "sesame wasi publish ingress.wasm --tag ghcr.io/my-org/ingress:1.0.0",
            "sesame wasi test ingress.wasm",
        ],
    ),
    (
        "sesame wasi publish",
        [
            "sesame wasi publish ingress.wasm --tag ghcr.io/my-org/ingress:1.0.0",
            "sesame wasi publish ingress.wasm --tag ghcr.io/my-org/ingress:1.0.0 --docs docs",
        ],
    ),
    (
        "sesame wasi download",
        [
            "sesame wasi download ghcr.io/my-org/ingress:1.0.0",
            "sesame wasi download ghcr.io/my-org/ingress:1.0.0 -o module",
        ],
    ),
    (
        "sesame wasi test",
        [
            "sesame wasi test ingress.wasm",
            "sesame wasi test ingress.wasm --tests checks --ext ext.yaml",
        ],
    ),
    (
        "sesame registry",
        ["sesame registry login ghcr.io", "sesame registry tags ghcr.io/my-org/weather"],
    ),
    (
        "sesame registry login",
        [
            "sesame registry login ghcr.io",
            "sesame registry login ghcr.io --username me --password-stdin < token",
        ],
    ),
    ("sesame registry list", ["sesame registry list", "sesame registry list --json"]),
    (
        "sesame registry tags",
        [
            "sesame registry tags ghcr.io/my-org/weather",
            "sesame registry tags localhost:5000/weather",
        ],
    ),
    (
        "sesame registry logout",
        ["sesame registry logout ghcr.io", "sesame registry logout localhost:5000"],
    ),
    ("sesame secret", ["sesame secret set weather api-key", "sesame secret list weather"]),
    (
        "sesame secret set",
        ["sesame secret set weather api-key", "sesame secret set weather api-key < key.txt"],
    ),
    ("sesame secret list", ["sesame secret list weather", "sesame secret list weather --json"]),
    (
        "sesame secret remove",
        ["sesame secret remove weather api-key", "sesame secret rm weather api-key"],
    ),
    ("sesame trust", ["sesame trust add cosign.pub --for ghcr.io/my-org", "sesame trust list"]),
    ("sesame trust list", ["sesame trust list", "sesame trust list --json"]),
    (
        "sesame trust add",
        [
            "sesame trust add cosign.pub --for ghcr.io/my-org",
            "sesame trust add cosign.pub --for ghcr.io/my-org/weather",
        ],
    ),
    (
        "sesame trust remove",
        ["sesame trust remove cosign.pub", "sesame trust remove cosign.pub --for ghcr.io/my-org"],
    ),
    ("sesame trust accept", ["sesame trust accept weather", "sesame trust accept greeting"]),
    ("sesame trust keygen", ["sesame trust keygen", "sesame trust keygen weather"]),
    ("sesame config", ["sesame config show --origin", "sesame config validate"]),
    ("sesame config show", ["sesame config show", "sesame config show --origin"]),
    ("sesame config validate", ["sesame config validate", "sesame config validate --json"]),
    ("sesame session", ["sesame session install", "sesame session run"]),
    ("sesame session install", ["sesame session install", "sesame session install --remove"]),
    ("sesame session run", ["sesame session run", "sesame session run --idle-exit 60s"]),
    ("sesame session status", ["sesame session status", "sesame session status --json"]),
    (
        "sesame session emit",
        [
            "sesame session emit build.done",
            "make 2>&1 | tail -n 1 | sesame session emit build.done -",
        ],
    ),
    ("sesame session stop", ["sesame session stop", "sesame session run --replace"]),
    ("sesame doctor", ["sesame doctor", "sesame doctor --json"]),
    ("sesame demo", ["sesame demo", "sesame demo --serve"]),
    ("sesame completions", ["sesame completions --install", "sesame completions zsh > _sesame"]),
    ("sesame schema", ["sesame schema policy.toml", "sesame schema list > list.schema.json"]),
    ("sesame help", ["sesame help install", "sesame help extension grant"]),
    ("sesame man", ["sesame man ~/.local/share/man/man1", "sesame man pages"]),
];

/// Returns the examples of a command by its full path.
pub fn of(path: &str) -> Option<&'static [&'static str; 2]> {
    let everyday = groups::everyday(path);
    let path = everyday.as_deref().unwrap_or(path);
    EXAMPLES.iter().find(|(command, _)| *command == path).map(|(_, examples)| examples)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, full_command};

    fn paths(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
            let path = format!("{path} {}", below.get_name());
            paths(below, &path, found);
            found.push(path);
        }
    }

    #[test]
    fn each_command_has_examples() {
        let mut found = Vec::new();
        paths(&full_command(100), "sesame", &mut found);
        let missing: Vec<_> = found.iter().filter(|path| of(path).is_none()).collect();
        assert!(missing.is_empty(), "without examples: {missing:?}");
        let gone = EXAMPLES.iter().filter(|(path, _)| !found.iter().any(|found| found == path));
        assert_eq!(gone.count(), 0);
    }

    #[test]
    fn examples_are_command_lines() {
        for (path, examples) in EXAMPLES {
            for example in examples {
                let command = &example[example.find("sesame ").expect("a command")..];
                let typed = command.split([' ']).take_while(|word| !["<", ">"].contains(word));
                if let Err(error) = Arguments::try_parse_from(typed) {
                    assert!(!error.use_stderr(), "{path}: {example}: {error}");
                }
            }
        }
    }
}
