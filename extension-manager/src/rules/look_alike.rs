//! Names that could be taken for others.

use core_types::{ExtensionName, OciReference};
use extension_depot::Depot;

use crate::events::{Event, Events, Warning};

/// Warns whoever installs something for the first time: of a name that is a letter away from an
/// installed one, and of a host that is written in another script than it is shown in.
pub(crate) fn warn_of_look_alikes(
    depot: &Depot,
    events: &dyn Events,
    name: &ExtensionName,
    reference: &OciReference,
) {
    let listed = depot.list().unwrap_or_default();
    let installed: Vec<_> = listed.into_iter().map(|listed| listed.name).collect();
    for warning in look_alikes(name, reference, &installed) {
        events.event(Event::Warning(&warning));
    }
}

fn look_alikes(
    name: &ExtensionName,
    reference: &OciReference,
    installed: &[ExtensionName],
) -> Vec<Warning> {
    let near = installed.iter().filter(|other| is_near(other.as_str(), name.as_str()));
    let mut warnings: Vec<_> = near
        .map(|other| Warning::SimilarName { name: name.clone(), other: other.clone() })
        .collect();
    let host = reference.registry();
    if host.split('.').any(|label| label.to_ascii_lowercase().starts_with("xn--")) {
        warnings.push(Warning::ForeignLetters { host: host.to_owned() });
    }
    warnings
}

/// Returns whether two names differ by one letter, or by two that changed places.
fn is_near(one: &str, other: &str) -> bool {
    one != other && strsim::osa_distance(one, other) == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_apart_is_near() {
        for near in ["weathre", "wether", "weatherr", "veather"] {
            assert!(is_near("weather", near), "{near}");
        }
        for far in ["weather", "climate", "weather-2", "whether-"] {
            assert!(!is_near("weather", far), "{far}");
        }
    }

    #[test]
    fn near_name_and_foreign_host_are_warned_of() {
        let name = |text: &str| text.parse::<ExtensionName>().expect(text);
        let warnings = |host: &str| {
            let reference = format!("{host}/my-org/wether:1.0.0").parse().expect(host);
            look_alikes(&name("wether"), &reference, &[name("weather"), name("climate")])
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        let near = "`wether` is one letter away from the installed `weather`";
        assert_eq!(warnings("ghcr.io"), [near]);
        let foreign = "`xn--ghr-example.io` is the name of a host with letters of other scripts";
        assert_eq!(warnings("xn--ghr-example.io"), [near, foreign]);
    }
}
