//! Names that could be taken for others.

use core_types::{ExtensionName, OciReference};
use extension_depot::Depot;

/// What whoever installs something for the first time should know about its names: that one is a
/// letter away from an installed one, or that a host's is written in another script than it is
/// shown in.
pub fn warnings(depot: &Depot, name: &ExtensionName, reference: &OciReference) -> Vec<String> {
    let listed = depot.list().unwrap_or_default();
    let near = listed.iter().filter(|other| is_near(other.name.as_str(), name.as_str()));
    let mut warnings: Vec<_> = near
        .map(|other| format!("`{name}` is one letter away from the installed `{}`", other.name))
        .collect();
    if reference.registry().split('.').any(|label| label.to_ascii_lowercase().starts_with("xn--")) {
        warnings.push(format!(
            "`{}` is the name of a host with letters of other scripts",
            reference.registry()
        ));
    }
    warnings
}

/// One letter more, less or other, or two that changed places.
fn is_near(one: &str, other: &str) -> bool {
    one != other && strsim::osa_distance(one, other) == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_more_less_other_or_swapped_is_near() {
        for near in ["weathre", "wether", "weatherr", "veather"] {
            assert!(is_near("weather", near), "{near}");
        }
        for far in ["weather", "climate", "weather-2", "whether-"] {
            assert!(!is_near("weather", far), "{far}");
        }
    }
}
