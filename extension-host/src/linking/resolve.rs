//! The interfaces that satisfy the imports of a component, or the reasons to refuse them.

use core_types::{Capability, Decision, Request, Rule, Version};

use super::foreign;
use super::imports::{Import, Refusal, split_version};
use super::interface::{EmbedderInterface, Interface};
use super::interfaces;
use crate::calling::Gate;

/// The namespace of sesame's own packages.
const OWN_NAMESPACE: &str = "open-sesame:";
/// The package of sesame's own interfaces.
const OWN_PACKAGE: &str = "open-sesame:host";

/// The interface that satisfies an import.
pub(crate) enum Linked<'a> {
    /// An interface of this host.
    Builtin(&'static Interface),
    /// An interface of the embedding program.
    Embedder(&'a EmbedderInterface),
}

/// Whether an interface without a grant keeps an extension from starting.
#[derive(Clone, Copy)]
pub(crate) enum Ungranted<'a> {
    /// The extension does not start.
    Refused,
    /// The interface is linked, and each of its functions refuses: for learning which permissions
    /// an extension needs.
    Linked,
    /// The interface is linked and refuses where the extension works without its capability. The
    /// question is asked only for what is not granted.
    LinkedIf(&'a dyn Fn(Capability) -> bool),
}

/// Returns the interfaces to link for these imports, or all refusals.
pub(crate) fn resolve<'a>(
    imports: &[Import],
    gate: &Gate,
    ungranted: Ungranted<'_>,
    own: &'a [EmbedderInterface],
) -> Result<Vec<Linked<'a>>, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let mut interfaces = Vec::new();
    for import in imports {
        match resolve_one(import, gate, ungranted, own) {
            Ok(interface) => interfaces.push(interface),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if refusals.is_empty() { Ok(interfaces) } else { Err(refusals) }
}

fn resolve_one<'a>(
    import: &Import,
    gate: &Gate,
    ungranted: Ungranted<'_>,
    own: &'a [EmbedderInterface],
) -> Result<Linked<'a>, Refusal> {
    let (name, version) = split_version(&import.name);
    if let Some(interface) = own.iter().find(|interface| interface.satisfies(name, version)) {
        return Ok(Linked::Embedder(interface));
    }
    let Some(interface) = interfaces::all().find(|interface| interface.satisfies(name, version))
    else {
        return Err(unknown(&import.name));
    };
    let Some(request) = import.request() else { return Ok(Linked::Builtin(interface)) };
    if matches!(ungranted, Ungranted::Linked) {
        return Ok(Linked::Builtin(interface));
    }
    let decision = gate.decide(&request);
    let is_optional = match ungranted {
        Ungranted::LinkedIf(is_optional) => !decision.allows() && is_optional(request.capability()),
        Ungranted::Refused | Ungranted::Linked => false,
    };
    if decision.allows() || is_optional {
        Ok(Linked::Builtin(interface))
    } else {
        Err(not_allowed(import, &request, &decision))
    }
}

/// Tells why an import is not linked: because of a policy, or for want of a grant.
fn not_allowed(import: &Import, request: &Request, decision: &Decision<'_>) -> Refusal {
    let import = import.name.clone();
    match &decision.rule {
        Rule::Policy(capability, document) => {
            let (capability, policy) = (*capability, document.path.clone());
            Refusal::Denied { import, capability, rule: decision.to_string(), policy }
        }
        _ => Refusal::NotGranted { import, capability: request.capability() },
    }
}

/// Describes an interface that the host does not have.
fn unknown(import: &str) -> Refusal {
    let (name, version) = split_version(import);
    if let Some(there) = newer_than(name, version) {
        return Refusal::TooNew { import: import.to_owned(), there };
    }
    let nearest = nearest(name);
    let host = foreign::of_interface(name, version);
    match host.or_else(|| nearest.is_none().then(|| foreign::of_proposal(name)).flatten()) {
        Some(host) => Refusal::Foreign { import: import.to_owned(), host },
        None => Refusal::Unknown { import: import.to_owned(), nearest },
    }
}

/// Returns sesame's own interface or package, where the import needs a newer version of it.
fn newer_than(name: &str, version: Option<&str>) -> Option<String> {
    let (package, _) =
        name.split_once('/').filter(|(package, _)| package.starts_with(OWN_NAMESPACE))?;
    let there = interfaces::all().find(|interface| interface.name == name);
    let same_package = |interface: &&Interface| interface.name.starts_with(OWN_PACKAGE);
    let version_there = there.or_else(|| interfaces::all().find(same_package))?.version;
    let number = |version: &str| version.parse::<Version>().ok();
    let is_newer = package != OWN_PACKAGE || number(version?)? > number(version_there)?;
    let there = there.map_or(OWN_PACKAGE, |interface| interface.name);
    is_newer.then(|| format!("{there}@{version_there}"))
}

/// Returns the same interface in another version, or the most similar one of the same package.
fn nearest(name: &str) -> Option<String> {
    let (package, _) = name.split_once('/')?;
    let same_package = |interface: &&Interface| interface.name.split('/').next() == Some(package);
    let nearest = interfaces::all()
        .filter(same_package)
        .min_by_key(|interface| strsim::levenshtein(interface.name, name))?;
    Some(format!("{}@{}", nearest.name, nearest.version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str) -> String {
        let import = Import { name: name.to_owned(), capability: None };
        match resolve_one(&import, &Gate::new(Default::default()), Ungranted::Refused, &[]) {
            Ok(Linked::Builtin(interface)) => format!("linked {}", interface.name),
            Ok(Linked::Embedder(interface)) => format!("linked {} of the program", interface.name),
            Err(refusal) => refusal.to_string(),
        }
    }

    /// WASI is linked without a grant, and our interfaces are not.
    #[test]
    fn only_wasi_links_without_grant() {
        insta::assert_snapshot!(refusal("wasi:filesystem/types@0.2.3"), @"linked wasi:filesystem/types");
        insta::assert_snapshot!(refusal("open-sesame:host/log@0.1.0"), @"linked open-sesame:host/log");
        insta::assert_snapshot!(refusal("open-sesame:host/log@0.1.1"), @"linked open-sesame:host/log");
        insta::assert_snapshot!(refusal("open-sesame:host/config-read@0.1.0"), @"`open-sesame:host/config-read@0.1.0` needs the capability `config-read`, which is not granted");
    }

    #[test]
    fn unknown_import_names_nearest() {
        insta::assert_snapshot!(refusal("wasi:http/typos@0.2.0"), @"`wasi:http/typos@0.2.0` is not provided by sesame; the nearest that it has is `wasi:http/types@0.2.12`");
        insta::assert_snapshot!(refusal("open-sesame:host/config-reed@0.1.0"), @"`open-sesame:host/config-reed@0.1.0` is not provided by sesame; the nearest that it has is `open-sesame:host/config-read@0.1.1`");
        insta::assert_snapshot!(refusal("acme:db/store@1.0.0"), @"`acme:db/store@1.0.0` is not provided by sesame");
    }

    /// Only interfaces of sesame's own can need a newer sesame.
    #[test]
    fn newer_interface_is_told_apart() {
        insta::assert_snapshot!(refusal("open-sesame:host/log@0.2.0"), @"`open-sesame:host/log@0.2.0` is newer than this sesame, which has `open-sesame:host/log@0.1.1`");
        insta::assert_snapshot!(refusal("open-sesame:host/calendar@1.0.0"), @"`open-sesame:host/calendar@1.0.0` is newer than this sesame, which has `open-sesame:host@0.1.1`");
        insta::assert_snapshot!(refusal("open-sesame:host/log@0.0.9"), @"`open-sesame:host/log@0.0.9` is not provided by sesame; the nearest that it has is `open-sesame:host/log@0.1.1`");
    }

    #[test]
    fn import_of_other_host_is_named() {
        insta::assert_snapshot!(refusal("fermyon:spin/llm@2.0.0"), @"`fermyon:spin/llm@2.0.0` is for Spin");
        insta::assert_snapshot!(refusal("wasi:http/types@0.3.0-rc-2025-09-16"), @"`wasi:http/types@0.3.0-rc-2025-09-16` is for a draft of WASI 0.3");
        insta::assert_snapshot!(refusal("wasi:nn/tensor@0.2.0-rc-2024-10-28"), @"`wasi:nn/tensor@0.2.0-rc-2024-10-28` is for a draft of WASI 0.2");
        insta::assert_snapshot!(refusal("wasi:cli/run@0.3.0-rc-2025-09-16"), @"`wasi:cli/run@0.3.0-rc-2025-09-16` is for a draft of WASI 0.3");
        insta::assert_snapshot!(refusal("wasi:keyvalue/store@1.0.0"), @"`wasi:keyvalue/store@1.0.0` is for a proposal of WASI that sesame does not have");
    }

    /// A build without WASI 0.3 says so, and names no interface of 0.2 as the nearest.
    #[cfg(not(feature = "wasi-0-3"))]
    #[test]
    fn wasi_0_3_names_the_build() {
        insta::assert_snapshot!(refusal("wasi:cli/stdout@0.3.0"), @"`wasi:cli/stdout@0.3.0` is for WASI 0.3, which this build of sesame does not have");
        insta::assert_snapshot!(refusal("wasi:http/types@0.3.1"), @"`wasi:http/types@0.3.1` is for WASI 0.3, which this build of sesame does not have");
    }

    /// A build with WASI 0.3 that lacks one interface of it does not claim to lack them all.
    #[cfg(feature = "wasi-0-3")]
    #[test]
    fn unknown_wasi_0_3_names_nearest() {
        insta::assert_snapshot!(refusal("wasi:cli/stdout@0.3.1"), @"`wasi:cli/stdout@0.3.1` needs the capability `experimental`, which is not granted");
        insta::assert_snapshot!(refusal("wasi:http/clients@0.3.0"), @"`wasi:http/clients@0.3.0` is not provided by sesame; the nearest that it has is `wasi:http/client@0.3.0`");
        insta::assert_snapshot!(refusal("wasi:keyvalue/store@0.3.0"), @"`wasi:keyvalue/store@0.3.0` is for a proposal of WASI that sesame does not have");
    }
}
