//! Lists of extensions that belong on a machine: what `sync` follows beside the manifests.

use std::collections::BTreeMap;

use toml::Spanned;

use crate::capability::Capabilities;
use crate::config::Config;
use crate::limits::Limits;
use crate::name::ExtensionName;
use crate::reference::OciReference;
use crate::toml_text::{Parsed, TomlProblem, parse_toml};

/// A list of extensions, by the names that they are installed under. As TOML, each is a table:
///
/// ```toml
/// [greeting-extension]
/// oci = "ghcr.io/my-org/greeting-extension:0.1.0@sha256:..."
/// capabilities = { config-read = true }     # what it asks for; nobody is given it by the list alone
/// config.greeting.template = "Moin, {}!"
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtensionList(BTreeMap<ExtensionName, ExtensionEntry>);

/// One extension of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionEntry {
    /// `oci`: where it comes from.
    pub oci: OciReference,
    /// `capabilities`: what it asks for. Default: nothing.
    pub capabilities: Capabilities,
    /// `limits`: what its manifest begins with. Default: nothing.
    pub limits: Limits,
    /// `config`: what its manifest begins with. Default: nothing.
    pub config: Config,
}

#[derive(serde::Deserialize)]
struct EntryFile {
    oci: Spanned<OciReference>,
    #[serde(default)]
    capabilities: Capabilities,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    config: Config,
}

impl ExtensionList {
    /// Reads a list. In one that is `published`, each extension has to be pinned to a digest.
    ///
    /// # Errors
    /// When the text is no TOML, or a value has the wrong type or form.
    pub fn parse(text: &str, published: bool) -> Result<Parsed<Self>, TomlProblem> {
        let Parsed { value, unknown_keys } = parse_toml::<BTreeMap<ExtensionName, EntryFile>>(text)?;
        let mut entries = BTreeMap::new();
        for (name, entry) in value {
            if published && !matches!(entry.oci.get_ref().pinned_digest(), Ok(Some(_))) {
                let message = format!("`{name}` is not pinned to a digest, as a published list has to");
                return Err(TomlProblem::at(entry.oci.span(), &message, text));
            }
            let EntryFile { oci, capabilities, limits, config } = entry;
            entries.insert(name, ExtensionEntry { oci: oci.into_inner(), capabilities, limits, config });
        }
        Ok(Parsed { value: Self(entries), unknown_keys })
    }

    /// The extensions, in the order of their names.
    pub fn into_entries(self) -> impl Iterator<Item = (ExtensionName, ExtensionEntry)> {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn entries_are_manifests_in_short_and_published_ones_are_pinned() {
        let text =
            "[a]\noci = \"r.io/o/a:1\"\nlimits.max_fuel = 5\nconfig.x.y = 1\n[b-c]\noci = \"r.io/o/b:1\"\ntypo = 1\n";
        let parsed = ExtensionList::parse(text, false).expect("valid");
        assert_eq!((parsed.unknown_keys.len(), parsed.unknown_keys[0].line), (1, 7));
        let entries: Vec<_> = parsed.value.into_entries().collect();
        assert_eq!(entries[0].1.config.get("x.y"), Some("1"));
        assert_eq!(entries[1].0.as_str(), "b-c");
        let error = ExtensionList::parse(text, true).expect_err("not pinned");
        assert!(error.to_string().starts_with("line 2, column 7: `a` is not pinned"), "{error}");
        for bad in ["[Bad]\noci = \"r.io/o/a:1\"", "[a]", "a = 1", "[a]\noci = \"r.io/a\"", "["] {
            assert!(ExtensionList::parse(bad, false).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = ExtensionList::parse(&text, true);
        }
    }
}
