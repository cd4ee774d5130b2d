//! The interfaces that satisfy the imports of a component, or the reasons to refuse them.

use core_types::{Capability, Decision, Request, Rule, Version};

use super::foreign;
use super::imports::{Import, Refusal, split_version};
use super::interface::{EmbedderInterface, Interface};
use super::interfaces;
use crate::calling::Gate;
use crate::capabilities::OWN_INTERFACES;
use crate::values::EVENTS_INTERFACE;

/// The namespace of sesame's own packages.
const OWN_NAMESPACE: &str = "open-sesame:";

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
    let Some(interface) = builtin(name, version) else { return Err(unknown(&import.name)) };
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

/// Returns the interface of this host that satisfies an import. Names of WASI 0.2 without a version
/// are of its drafts, whose types were others.
fn builtin(name: &str, version: Option<&str>) -> Option<&'static Interface> {
    let mut interfaces = interfaces::all();
    let interface = interfaces.find(|interface| interface.satisfies(name, version))?;
    (version.is_some() || !is_of_release(interface)).then_some(interface)
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
    let import = import.to_owned();
    if let Some(there) = newer_than(name, version) {
        return Refusal::TooNew { import, there };
    }
    match (nearest(name), foreign::of_interface(name)) {
        (Some(nearest), _) => other_than(nearest, import, version),
        (None, Some(host)) => Refusal::Foreign { import, host },
        (None, None) => Refusal::Unknown { import, nearest: None },
    }
}

/// Describes an interface of which the host has another version, or others of the package.
fn other_than(nearest: &Interface, import: String, version: Option<&str>) -> Refusal {
    let there = format!("{}@{}", nearest.name, nearest.version);
    if !is_of_wasi(nearest) {
        Refusal::Unknown { import, nearest: Some(there) }
    } else if !is_of_release(nearest) {
        Refusal::OtherDraft { import, there }
    } else if let Some(host) = foreign::of_release(version) {
        Refusal::Foreign { import, host }
    } else {
        Refusal::Unknown { import, nearest: Some(there) }
    }
}

fn is_of_wasi(interface: &Interface) -> bool {
    interface.name.starts_with("wasi:")
}

/// Tells whether an interface is one of a release of WASI. What sesame has of WASI's proposals is a
/// draft of each.
fn is_of_release(interface: &Interface) -> bool {
    is_of_wasi(interface) && !interface.version.contains('-')
}

/// Returns sesame's own interface or package, where the import needs a newer version of it.
fn newer_than(name: &str, version: Option<&str>) -> Option<String> {
    let (package, _) =
        name.split_once('/').filter(|(package, _)| package.starts_with(OWN_NAMESPACE))?;
    let (there, version_there) = own(name, package)?;
    (number(version?)? > number(version_there)?).then(|| format!("{there}@{version_there}"))
}

/// Returns sesame's own interface of this name, else its own package, both with their version. A
/// package that this sesame does not know can be of a newer one, where it is newer than all of
/// those that it knows.
fn own(name: &str, package: &str) -> Option<(&'static str, &'static str)> {
    let packages =
        || own_interfaces().filter_map(|(name, version)| Some((name.split_once('/')?.0, version)));
    let interface = own_interfaces().find(|(there, _)| *there == name);
    interface
        .or_else(|| packages().find(|(there, _)| *there == package))
        .or_else(|| packages().max_by_key(|(_, version)| number(version)))
}

/// Returns sesame's own interfaces with their versions: those that extensions import, and the one
/// that they export.
fn own_interfaces() -> impl Iterator<Item = (&'static str, &'static str)> {
    let imported = OWN_INTERFACES.iter().map(|interface| (interface.name, interface.version));
    imported.chain(EVENTS_INTERFACE.split_once('@'))
}

fn number(version: &str) -> Option<Version> {
    version.parse().ok()
}

/// Returns the same interface in another version, or the most similar one of the same package.
fn nearest(name: &str) -> Option<&'static Interface> {
    let (package, _) = name.split_once('/')?;
    let same_package = |interface: &&Interface| interface.name.split('/').next() == Some(package);
    interfaces::all()
        .filter(same_package)
        .min_by_key(|interface| strsim::levenshtein(interface.name, name))
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
        insta::assert_snapshot!(refusal("open-sesame:extension/events@0.2.0"), @"`open-sesame:extension/events@0.2.0` is newer than this sesame, which has `open-sesame:extension/events@0.1.0`");
        insta::assert_snapshot!(refusal("open-sesame:extension/moods@0.1.1"), @"`open-sesame:extension/moods@0.1.1` is newer than this sesame, which has `open-sesame:extension@0.1.0`");
        insta::assert_snapshot!(refusal("open-sesame:panel/icons@0.3.0"), @"`open-sesame:panel/icons@0.3.0` is newer than this sesame, which has `open-sesame:host@0.1.1`");
        // Exactly what sesame knows, which extensions export, and a package that no sesame had.
        insta::assert_snapshot!(refusal("open-sesame:extension/events@0.1.0"), @"`open-sesame:extension/events@0.1.0` is not provided by sesame");
        insta::assert_snapshot!(refusal("open-sesame:panel/icons@0.1.0"), @"`open-sesame:panel/icons@0.1.0` is not provided by sesame");
    }

    #[test]
    fn import_of_other_host_is_named() {
        insta::assert_snapshot!(refusal("fermyon:spin/llm@2.0.0"), @"`fermyon:spin/llm@2.0.0` is for Spin");
        insta::assert_snapshot!(refusal("wasi:http/types@0.3.0-rc-2025-09-16"), @"`wasi:http/types@0.3.0-rc-2025-09-16` is for a draft of WASI 0.3");
        insta::assert_snapshot!(refusal("wasi:cli/environment@0.2.0-rc-2023-12-05"), @"`wasi:cli/environment@0.2.0-rc-2023-12-05` is for a draft of WASI 0.2");
        insta::assert_snapshot!(refusal("wasi:cli/run@0.3.0-rc-2025-09-16"), @"`wasi:cli/run@0.3.0-rc-2025-09-16` is for a draft of WASI 0.3");
        insta::assert_snapshot!(refusal("wasi:keyvalue/store@1.0.0"), @"`wasi:keyvalue/store@1.0.0` is for a proposal of WASI that sesame does not have");
        // A proposal has drafts of its own, which no tools of WASI 0.2 replace.
        insta::assert_snapshot!(refusal("wasi:nn/tensor@0.2.0-rc-2024-10-28"), @"`wasi:nn/tensor@0.2.0-rc-2024-10-28` is for a proposal of WASI that sesame does not have");
        insta::assert_snapshot!(refusal("wasi:keyvalue/store@0.2.0-draft"), @"`wasi:keyvalue/store@0.2.0-draft` is for a proposal of WASI that sesame does not have");
        // Of a proposal that sesame has, another draft is told from an interface that others export.
        insta::assert_snapshot!(refusal("wasi:config/runtime@0.2.0-draft"), @"`wasi:config/runtime@0.2.0-draft` is of another draft than `wasi:config/store@0.2.0-rc.1`, which sesame has");
    }

    /// The tools of 2023 gave the interfaces of WASI 0.2 no version, and some other names.
    #[test]
    fn draft_of_2023_is_named() {
        insta::assert_snapshot!(refusal("wasi:io/streams"), @"`wasi:io/streams` is for a draft of WASI 0.2");
        insta::assert_snapshot!(refusal("wasi:cli-base/environment"), @"`wasi:cli-base/environment` is for a draft of WASI 0.2");
        insta::assert_snapshot!(refusal("wasi:poll/poll"), @"`wasi:poll/poll` is for a draft of WASI 0.2");
        insta::assert_snapshot!(refusal("wasi:filesystem/filesystem"), @"`wasi:filesystem/filesystem` is for a draft of WASI 0.2");
        insta::assert_snapshot!(refusal("wasi:http/default-outgoing-HTTP"), @"`wasi:http/default-outgoing-HTTP` is for a draft of WASI 0.2");
        // A proposal is not a draft of 0.2. `wasi:logging` is linked with a version and without.
        insta::assert_snapshot!(refusal("wasi:nn/tensor"), @"`wasi:nn/tensor` is for a proposal of WASI that sesame does not have");
        insta::assert_snapshot!(refusal("wasi:logging/logging"), @"linked wasi:logging/logging");
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
