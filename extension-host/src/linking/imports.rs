//! The imports of a component, and the reasons why the host refuses one.

use std::path::PathBuf;

use core_types::{Capability, Request};
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use super::foreign::ForeignHost;

/// An interface or function that a component imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The name with its version, as the component has it.
    pub name: String,
    /// The capability that it stands for, if any.
    pub capability: Option<Capability>,
}

impl Import {
    /// Returns the permission that it needs before it is linked, if any. WASI 0.2 is inert and
    /// needs none.
    pub fn request(&self) -> Option<Request> {
        Request::of_import(&self.name)
    }
}

/// An import that is not linked. The component does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The host has it and the extension may not use it.
    #[error("`{}` needs the capability `{capability}`, which is not granted", import.escape_debug())]
    NotGranted {
        /// The import with its version.
        import: String,
        /// The missing capability.
        capability: Capability,
    },
    /// The host has it, and a policy denies it to every extension: a grant does not help.
    #[error("`{}` needs the capability `{capability}`: {rule}", import.escape_debug())]
    Denied {
        /// The import with its version.
        import: String,
        /// The denied capability.
        capability: Capability,
        /// The decision in words, with the place of its rule.
        rule: String,
        /// The file of the policy.
        policy: PathBuf,
    },
    /// A component imports an interface that the host does not have.
    #[error("`{}` is not provided by sesame{}", import.escape_debug(), nearest_text(nearest.as_deref()))]
    Unknown {
        /// The import with its version.
        import: String,
        /// The most similar interface that there is.
        nearest: Option<String>,
    },
    /// A module imports a function that the host does not have.
    #[error("`{}` is not provided by sesame{}", import.escape_debug(), nearest_text(nearest.as_deref()))]
    UnknownFunction {
        /// The function with its namespace.
        import: String,
        /// The most similar function or namespace that there is.
        nearest: Option<String>,
    },
    /// A module imports a function of the host with another type than it has.
    #[error("`{}` has another type in sesame: {message}", import.escape_debug())]
    OtherType {
        /// The function with its namespace.
        import: String,
        /// How the types differ.
        message: String,
    },
    /// It belongs to another host.
    #[error("`{}` is for {}", import.escape_debug(), host.name)]
    Foreign {
        /// The import with its version, or the namespace of a module, or the function with its
        /// namespace.
        import: String,
        /// The host.
        host: ForeignHost,
    },
    /// It is of a draft of a proposal of WASI, which sesame has in another draft.
    #[error("`{}` is of another draft than `{there}`, which sesame has", import.escape_debug())]
    OtherDraft {
        /// The import with its version.
        import: String,
        /// The nearest interface that there is.
        there: String,
    },
    /// It is an interface of sesame in a newer version.
    #[error("`{}` is newer than this sesame, which has `{there}`", import.escape_debug())]
    TooNew {
        /// The import with its version.
        import: String,
        /// The interface that there is.
        there: String,
    },
}

fn nearest_text(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; the nearest that it has is `{name}`")).unwrap_or_default()
}

/// Lists the imports of a component that need something linked. An interface with only types does
/// not.
pub(crate) fn imports(component: &Component, engine: &Engine) -> Vec<Import> {
    let component_type = component.component_type();
    let needed = component_type.imports(engine).filter(|(_, import)| match &import.ty {
        ComponentItem::ComponentInstance(instance) => {
            instance.exports(engine).any(|(_, export)| !matches!(export.ty, ComponentItem::Type(_)))
        }
        ComponentItem::Type(_) => false,
        _ => true,
    });
    needed
        .map(|(name, _)| Import {
            name: name.to_owned(),
            capability: Capability::of_interface(name),
        })
        .collect()
}

/// Separates `package:namespace/interface` from its version.
pub(crate) fn split_version(name: &str) -> (&str, Option<&str>) {
    name.split_once('@').map_or((name, None), |(name, version)| (name, Some(version)))
}
