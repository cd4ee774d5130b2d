//! An interface that extensions can import, and how it is linked.

use std::sync::Arc;

use wasmtime::component::Linker;

use crate::calling::CallState;

type Link = fn(&mut Linker<CallState>) -> wasmtime::Result<()>;

/// The function that links an interface of the embedding program.
pub(crate) type EmbedderLink = dyn Fn(&mut Linker<CallState>) -> wasmtime::Result<()> + Send + Sync;

/// An interface that extensions can import.
pub(crate) struct Interface {
    /// `package:namespace/interface`, without version.
    pub(crate) name: &'static str,
    /// The version of the host. Compatible ones are taken for it, as in semantic versioning.
    pub(crate) version: &'static str,
    /// Adds it to a linker.
    pub(crate) link: Link,
}

impl Interface {
    /// Tells whether it satisfies an import of this name and version.
    pub(crate) fn satisfies(&self, name: &str, version: Option<&str>) -> bool {
        fits((self.name, self.version), name, version)
    }
}

/// An interface that the embedding program adds.
#[derive(Clone)]
pub(crate) struct EmbedderInterface {
    /// `package:namespace/interface`, without version.
    pub(crate) name: String,
    /// The version of the program.
    pub(crate) version: String,
    /// Adds it to a linker.
    pub(crate) link: Arc<EmbedderLink>,
}

impl EmbedderInterface {
    /// Tells whether it satisfies an import of this name and version.
    pub(crate) fn satisfies(&self, name: &str, version: Option<&str>) -> bool {
        fits((&self.name, &self.version), name, version)
    }
}

/// Tells whether an interface of the host satisfies an import of this name and version.
fn fits((name, there): (&str, &str), wanted: &str, version: Option<&str>) -> bool {
    name == wanted && version.is_none_or(|version| compatible(version, there))
}

/// Tells whether versions are of one compatible series: the same major version, and for 0.x the
/// same minor one. Versions with a pre-release part fit only themselves.
fn compatible(wanted: &str, there: &str) -> bool {
    let series = |version: &str| {
        let mut numbers = version.split('.').map(|number| number.parse::<u64>().ok());
        match (numbers.next().flatten(), numbers.next().flatten(), numbers.next().flatten()) {
            (Some(0), Some(minor), Some(_)) => Some((0, minor)),
            (Some(major), Some(_), Some(_)) => Some((major, 0)),
            _ => None,
        }
    };
    wanted == there || (series(wanted).is_some() && series(wanted) == series(there))
}

/// A table of interfaces: name, version, and how it is linked.
macro_rules! interface_table {
    ($table:ident: $($name:literal $version:ident $link:expr;)*) => {
        /// Interfaces of this host.
        pub(crate) const $table: &[Interface] = &[$(Interface { name: $name, version: $version, link: $link }),*];
    };
}
pub(crate) use interface_table;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_series_is_compatible() {
        for (wanted, there, expected) in [
            ("0.2.0", "0.2.12", true),
            ("0.2.99", "0.2.12", true),
            ("0.3.0", "0.2.12", false),
            ("1.4.0", "1.0.0", true),
            ("2.0.0", "1.0.0", false),
            ("0.2.0-rc.1", "0.2.12", false),
            ("0.2", "0.2.12", false),
            ("x", "0.2.12", false),
        ] {
            assert_eq!(compatible(wanted, there), expected, "{wanted} {there}");
        }
    }
}
