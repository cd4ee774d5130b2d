//! Failures of extensions whose imports are refused.

use core_types::{ErrorKind, ExtensionName, Request, grant_command};
use extension_host::{ForeignHost, Refusal};

use crate::failure::help::{Explain, Help};

/// Imports that an extension does not get.
#[derive(Debug, thiserror::Error)]
#[error("{}", message(name, refusals))]
pub(super) struct RefusedImports {
    pub name: ExtensionName,
    pub refusals: Vec<Refusal>,
}

fn message(name: &ExtensionName, refusals: &[Refusal]) -> String {
    match made_for(refusals) {
        Some(host) => format!("`{name}` is made for {}", host.name),
        None => format!("the imports of `{name}` are not satisfied"),
    }
}

impl Explain for RefusedImports {
    fn help(&self) -> Help {
        Help::new(ErrorKind::Refused)
            .with_details(self.refusals.iter().map(ToString::to_string))
            .with_hint(hint(&self.name, &self.refusals))
    }
}

/// Returns the host that it is made for: of several, the one that says the most.
fn made_for(refusals: &[Refusal]) -> Option<&ForeignHost> {
    refusals.iter().filter_map(foreign).min_by_key(|host| host.rank)
}

fn foreign(refusal: &Refusal) -> Option<&ForeignHost> {
    match refusal {
        Refusal::Foreign { host, .. } => Some(host),
        _ => None,
    }
}

/// Returns the hint for all refusals, or for the first that no grant helps against.
fn hint(name: &ExtensionName, refusals: &[Refusal]) -> String {
    if let Some(host) = made_for(refusals) {
        return host.instead.to_owned();
    }
    refusals
        .iter()
        .find_map(hint_of_one)
        .unwrap_or_else(|| grant_command(name, grants(refusals).iter().map(String::as_str)))
}

/// Returns the grants that help, each once: one grant is enough for many imports.
fn grants(refusals: &[Refusal]) -> Vec<String> {
    let mut grants = Vec::new();
    for grant in refusals.iter().filter_map(grant) {
        if !grants.contains(&grant) {
            grants.push(grant);
        }
    }
    grants
}

fn grant(refusal: &Refusal) -> Option<String> {
    match refusal {
        Refusal::NotGranted { capability, .. } => Some(Request::Use(*capability).grant_text()),
        _ => None,
    }
}

/// Returns the hint for a refusal that no grant helps against.
fn hint_of_one(refusal: &Refusal) -> Option<String> {
    match refusal {
        Refusal::NotGranted { .. } => None,
        Refusal::Denied { policy, .. } => Some(format!("`deny` in `{}` lists the denied capabilities", policy.display())),
        Refusal::Foreign { host, .. } => Some(host.instead.to_owned()),
        Refusal::TooNew { .. } => Some("it needs another version of sesame: install a newer one".to_owned()),
        Refusal::OtherDraft { there, .. } => Some(format!("build it again for `{there}`")),
        Refusal::Unknown { import, .. } if import.starts_with("open-sesame:") => {
            Some("ask its author for a build with the interfaces of this sesame".to_owned())
        }
        Refusal::Unknown { import, .. } => Some(format!(
            "compose it with a component that exports `{}`, such as with `wac plug`, and install the result",
            import.escape_debug()
        )),
        Refusal::UnknownFunction { .. } => Some(
            "build it without this import: modules get `wasi_snapshot_preview1` and nothing of other hosts".to_owned(),
        ),
        // The only linked function that is neither of WASI nor of Suffiks.
        Refusal::OtherType { import, .. } if import == "env.abort" => Some(
            "it is not the `abort` of AssemblyScript, the only one that sesame has: build it without this import".to_owned(),
        ),
        Refusal::OtherType { .. } => Some("build it again with current tools for `wasm32-wasip1`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(import: &str, name: &'static str, rank: usize) -> Refusal {
        let host = ForeignHost { name, instead: "run it there", rank };
        Refusal::Foreign { import: import.to_owned(), host }
    }

    /// The order of the imports does not decide, and neither do functions of unknown hosts.
    #[test]
    fn best_host_is_named() {
        let mine = Refusal::UnknownFunction { import: "env.mine".to_owned(), nearest: None };
        let refusals = [mine, foreign("env.memory", "a memory", 9), foreign("seal0", "a chain", 1)];
        let name: ExtensionName = "it".parse().expect("a name");
        assert_eq!(message(&name, &refusals), "`it` is made for a chain");
        assert_eq!(hint(&name, &refusals), "run it there");
    }

    /// The way out is one that helps: no other component has an interface of a draft of WASI.
    #[test]
    fn hints_fit_the_refusal() {
        let hint = |refusal| hint_of_one(&refusal).expect("a hint");
        let import = "wasi:config/runtime@0.2.0-draft".to_owned();
        let there = "wasi:config/store@0.2.0-rc.1".to_owned();
        insta::assert_snapshot!(hint(Refusal::OtherDraft { import, there }), @"build it again for `wasi:config/store@0.2.0-rc.1`");
        let other_type = |import: &str| Refusal::OtherType {
            import: import.to_owned(),
            message: "another".to_owned(),
        };
        insta::assert_snapshot!(hint(other_type("env.abort")), @"it is not the `abort` of AssemblyScript, the only one that sesame has: build it without this import");
        insta::assert_snapshot!(hint(other_type("wasi_snapshot_preview1.fd_write")), @"build it again with current tools for `wasm32-wasip1`");
    }
}
