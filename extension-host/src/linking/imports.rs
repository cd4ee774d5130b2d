//! What a component imports, and why the host refuses an import.

use std::path::PathBuf;

use core_types::{Capability, Request};
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use super::foreign::ForeignHost;

/// An interface or function that a component imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The name with its version, as it stands in the component.
    pub name: String,
    /// The capability that it asks for, if it stands for one.
    pub capability: Option<Capability>,
}

impl Import {
    /// What has to be granted before it is linked, if anything. WASI 0.2 is inert and needs
    /// nothing.
    pub fn request(&self) -> Option<Request> {
        Request::of_import(&self.name)
    }
}

/// An import that the host does not give. The component does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The host has it and the extension may not use it.
    #[error("`{}` needs the capability `{capability}`, which is not granted", import.escape_debug())]
    NotGranted {
        /// The import with its version.
        import: String,
        /// What has to be granted.
        capability: Capability,
    },
    /// The host has it, and a policy denies it to every extension: granting it is no help.
    #[error("`{}` needs the capability `{capability}`: {rule}", import.escape_debug())]
    Denied {
        /// The import with its version.
        import: String,
        /// What policy denies.
        capability: Capability,
        /// The decision in words, with where its rule stands.
        rule: String,
        /// The file of the policy.
        policy: PathBuf,
    },
    /// A component imports what the host does not have.
    #[error("`{}` is not provided by sesame{}", import.escape_debug(), nearest_text(nearest.as_deref()))]
    Unknown {
        /// The import with its version.
        import: String,
        /// The most similar interface that there is.
        nearest: Option<String>,
    },
    /// A module imports what the host does not have.
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
        /// The import with its version, or the namespace of a module.
        import: String,
        /// The host.
        host: ForeignHost,
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

/// The imports of a component that something has to be linked for. An interface with nothing but
/// types needs nothing.
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
