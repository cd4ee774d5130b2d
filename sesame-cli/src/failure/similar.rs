//! Suggestions for unknown names.

use core_types::{ErrorKind, ExtensionName};
use extension_host::ExportedFunction;

use super::Failure;
use super::help::Help;
use crate::context::Context;

/// The similarity, of 1, above which a name counts as mistyped: that of `clap`.
const ALIKE: f64 = 0.8;

impl Help {
    /// Helps where the extension of this name is not installed.
    pub(super) fn not_found(name: &ExtensionName) -> Self {
        let help = Self::new(ErrorKind::NotFound).with_hint("sesame extension list");
        Self { unknown: Some(name.clone()), ..help }
    }
}

impl Failure {
    /// Adds the installed extension with the most similar name. If the list cannot be read, nothing
    /// is added.
    pub fn or_similar(self, context: &Context) -> Self {
        let Some(unknown) = self.unknown() else { return self };
        let listed =
            context.manager_as_it_is().ok().and_then(|manager| manager.depot().list().ok());
        let listed = listed.unwrap_or_default();
        let names = listed.iter().map(|listed| listed.name.as_str());
        let similar = most_alike(unknown.as_str(), names);
        let question = similar.map(|similar| format!("did you mean `{similar}`?"));
        self.with_details(question)
    }
}

/// Returns the callable function with the most similar name.
pub(super) fn similar_function<'f>(
    wanted: &str,
    exports: &'f [ExportedFunction],
) -> Option<&'f ExportedFunction> {
    let wanted = wanted.rsplit('#').next().unwrap_or(wanted).to_lowercase().replace('_', "-");
    let callable = || exports.iter().filter(|function| function.is_callable());
    let similar = most_alike(&wanted, callable().map(|function| function.name.as_str()))?;
    callable().find(|function| function.name == similar)
}

/// Returns the most similar name, if it is similar enough.
fn most_alike<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = names
        .map(|name| (strsim::jaro_winkler(wanted, name), name))
        .filter(|(likeness, _)| *likeness >= ALIKE);
    near.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistyped_name_finds_its_like() {
        let names = || ["greeting", "weather", "text-tools"].into_iter();
        for (typed, meant) in [
            ("greting", Some("greeting")),
            ("wether", Some("weather")),
            ("text", Some("text-tools")),
            ("zzz", None),
        ] {
            assert_eq!(most_alike(typed, names()), meant, "{typed}");
        }
    }
}
