//! Failures of extensions whose imports are refused.

use core_types::{ErrorKind, ExtensionName, Request};
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
    match refusals.iter().find_map(foreign) {
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

fn foreign(refusal: &Refusal) -> Option<&ForeignHost> {
    match refusal {
        Refusal::Foreign { host, .. } => Some(host),
        _ => None,
    }
}

/// Returns the hint for all refusals, or for the first that no grant helps against.
fn hint(name: &ExtensionName, refusals: &[Refusal]) -> String {
    if let Some(host) = refusals.iter().find_map(foreign) {
        return host.instead.to_owned();
    }
    refusals
        .iter()
        .find_map(hint_of_one)
        .unwrap_or_else(|| format!("sesame extension grant {name} {}", grants(refusals).join(" ")))
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
        Refusal::OtherType { .. } => Some("build it again with current tools for `wasm32-wasip1`".to_owned()),
    }
}
